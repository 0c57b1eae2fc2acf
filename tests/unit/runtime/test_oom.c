/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation between a config and its plan fails once: -ENOMEM and no other end, nothing
 * leaked (with the address sanitizer), no half of a result.
 *
 * The program is linked with --wrap for the allocators, so that those of the product and of
 * jansson come by here, and those of libc itself do not. Those of an arena do so each on its own,
 * not only when it needs a block. jansson's parser fails as a whole: version 2.14 ignores that its
 * buffer cannot grow, and then drops characters or dereferences NULL.
 */
#include "base/own.h"
#include "runtime/config/config.h"
#include "runtime/plan.h"

#include <check.h>
#include <fcntl.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t len);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t len);

void *__real_arena_alloc(struct arena *a, size_t size);
void *__real_arena_grow(struct arena *a, void *items, size_t *count, size_t size);
char *__real_arena_strdup(struct arena *a, const char *s);
json_t *__real_json_loadb(const char *text, size_t len, size_t flags, json_error_t *error);
void *__wrap_arena_alloc(struct arena *a, size_t size);
void *__wrap_arena_grow(struct arena *a, void *items, size_t *count, size_t size);
char *__wrap_arena_strdup(struct arena *a, const char *s);
json_t *__wrap_json_loads(const char *text, size_t flags, json_error_t *error);
json_t *__wrap_json_loadb(const char *text, size_t len, size_t flags, json_error_t *error);

static long countdown; /* the allocation that fails; 0: none */
static bool hit;

static bool fails(void)
{
	if (!countdown || --countdown)
		return false;
	hit = true;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *s)
{
	return fails() ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t len)
{
	return fails() ? NULL : __real_strndup(s, len);
}

void *__wrap_arena_alloc(struct arena *a, size_t size)
{
	return fails() ? NULL : __real_arena_alloc(a, size);
}

void *__wrap_arena_grow(struct arena *a, void *items, size_t *count, size_t size)
{
	return fails() ? NULL : __real_arena_grow(a, items, count, size);
}

char *__wrap_arena_strdup(struct arena *a, const char *s)
{
	return s && fails() ? NULL : __real_arena_strdup(a, s);
}

json_t *__wrap_json_loads(const char *text, size_t flags, json_error_t *error)
{
	return __wrap_json_loadb(text, strlen(text), flags, error);
}

json_t *__wrap_json_loadb(const char *text, size_t len, size_t flags, json_error_t *error)
{
	long rest;
	json_t *doc;

	if (fails()) {
		if (error)
			*error = (json_error_t){ .line = -1 };
		return NULL;
	}
	rest = countdown;
	countdown = 0;
	doc = __real_json_loadb(text, len, flags, error);
	countdown = rest;
	return doc;
}

static json_t *load(const char *path)
{
	struct err e = { 0 };
	json_t *doc = NULL;

	ck_assert_msg(js_read_file(AT_FDCWD, path, 1 << 20, "test", &doc, &e) == 0, "%s", e.msg);
	return doc;
}

static int read_text(const void *from, struct err *e)
{
	own_json json_t *doc = NULL;

	return js_read_text(from, strlen(from), "test", &doc, e);
}

static int plan_spec(const void *from, struct err *e)
{
	own_arena struct arena arena = { 0 };
	own_json json_t *encoded = NULL, *printed = NULL;
	struct plan plan = { 0 };
	struct spec spec = { 0 };
	int r;

	r = spec_decode((json_t *)(uintptr_t)from, "test", &arena, &spec, e);
	if (r == 0)
		r = plan_build("web", "/bundle", CG_CGROUPFS, &spec, NULL, NULL, &arena, &plan, e);
	if (r < 0)
		return r;
	encoded = spec_encode(&spec);
	if (!encoded)
		return -ENOMEM;
	/* Not its cgroup part, whose knobs are those of the host. */
	printed = json_pack("{s:s,s:i}", "id", plan.id, "mounts", (int)plan.mount_count);
	return printed ? 0 : -ENOMEM;
}

static int plan_config(const void *from, struct err *e)
{
	static char init[] = "/sbin/init", *argv[] = { init };
	const struct config_facts base = { .rootfs = "/r",
					   .id_base = 0x70000000,
					   .default_init = { .v = argv, .n = 1 },
					   .disk_major = 8,
					   .host_cpus = 2 };
	own_arena struct arena arena = { 0 };
	struct js_issues issues = { .arena = &arena };
	struct config_facts facts = base;
	struct cg_resources resources = { 0 };
	struct config_node nodes[8] = { { .type = 'c', .major = 1, .minor = 3, .mode = 0666 } };
	struct config config = { 0 };
	struct net_config net = { 0 };
	struct plan plan = { 0 };
	struct spec spec = { 0 };
	int r;

	r = config_decode((json_t *)(uintptr_t)from, &issues, &config);
	if (r == -EINVAL)
		return js_issues_err(&issues, "test", e);
	if (r < 0)
		return r;
	if (config.devices.n > ARRAY_SIZE(nodes))
		return -E2BIG; /* no ck_assert() in here: it allocates, too */
	for (size_t i = 1; i < config.devices.n; i++)
		nodes[i] = nodes[0];
	facts.nodes = nodes;
	r = config_to_spec(&config, &facts, &arena, &spec, e);
	if (r == 0)
		r = config_to_cgroup(&config, &facts, &arena, &resources, e);
	if (r == 0)
		r = config_to_net(&config, "x", &arena, &net, e);
	if (r == 0)
		r = plan_build("x", "/b", CG_CGROUPFS, &spec, &resources, &net, &arena, &plan, e);
	return r;
}

/* Run @work with its first allocation failing, then its second, until it runs out of them. */
static void fail_each(int (*work)(const void *from, struct err *e), const void *from)
{
	struct err e = { 0 };
	bool good;
	long n = 0;
	int r = work(from, &e);

	ck_assert_msg(r == 0, "%s", e.msg);
	do {
		e = (struct err){ 0 };
		hit = false;
		countdown = ++n;
		r = work(from, &e);
		countdown = 0;
		good = r == (hit ? -ENOMEM : 0);
		ck_assert_msg(good, "allocation %ld gives %d: %s", n, r, e.msg);
	} while (hit);
	printf("# %ld allocations\n", n - 1);
	ck_assert_int_gt(n, 2);
}

static const char text[] =
	"{\"a\":[1,2.5,\"x\",null,true,18446744073709551615],\"b\":{\"c\":\"d\"}}";

START_TEST(test_text)
{
	fail_each(read_text, text);
}
END_TEST

START_TEST(test_spec)
{
	own_json json_t *doc = load(TEST_DATA "/oci-full.config.json");
	json_t *linux_ = json_object_get(doc, "linux");

	/* What no kernel has any more. */
	(void)json_object_del(json_object_get(linux_, "resources"), "blockIO");
	/* What the document has for the sake of its keys, and no policy has at once. */
	(void)json_object_del(json_object_get(json_object_get(doc, "process"), "scheduler"),
			      "priority");
	fail_each(plan_spec, doc);
}
END_TEST

/* clang-format off */
static const char *const configs[] = {
	"minimal.json", "web-worker.json", "debian-server.json", "routed.json", "everything.json",
};
/* clang-format on */

START_TEST(test_config)
{
	own_json json_t *doc = NULL;
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/docs/examples/%s", SOURCE_DIR, configs[_i]);
	doc = load(path);
	fail_each(plan_config, doc);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("allocation failure");
	TCase *tc = tcase_create("allocation failure");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_text);
	tcase_add_test(tc, test_spec);
	tcase_add_loop_test(tc, test_config, 0, (int)ARRAY_SIZE(configs));
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
