/* SPDX-License-Identifier: Apache-2.0 */
/* What a scope is called, where it is, and which properties say its limits. */
#include "cgroups/cg_internal.h"
#include "cgroups/dbus.h"
#include "cgroups/gvariant.h"

#include "base/own.h"

#include <check.h>
#include <string.h>

static struct arena arena;

static void teardown(void)
{
	arena_done(&arena);
}

/* clang-format off */
static const struct {
	const char *path, *id;
	enum cg_driver driver;
	const char *name, *slice; /* NULL: refused */
} units[] = {
	{ NULL, "web", CG_SYSTEMD, "ctr-web.scope", "system.slice" },
	{ "", "web", CG_SYSTEMD_USER, "ctr-web.scope", "user.slice" },
	{ "", "a+b", CG_SYSTEMD, "ctr-a\\x2bb.scope", "system.slice" },
	{ "machine.slice:libpod:12ab", "web", CG_SYSTEMD, "libpod-12ab.scope", "machine.slice" },
	{ "a-b.slice:p:n", "web", CG_SYSTEMD, "p-n.scope", "a-b.slice" },
	{ ":p:n", "web", CG_SYSTEMD, "p-n.scope", "system.slice" },
	{ "x.slice::n", "web", CG_SYSTEMD, "n.scope", "x.slice" },
	{ "-:p:n", "web", CG_SYSTEMD, "p-n.scope", "-.slice" },
	{ "-.slice:p:n", "web", CG_SYSTEMD, "p-n.scope", "-.slice" },
	{ "/a/b", "web", CG_SYSTEMD, NULL, NULL },
	{ "x", "web", CG_SYSTEMD, NULL, NULL },
	{ "a.slice:p", "web", CG_SYSTEMD, NULL, NULL },
	{ "a.slice:p:n:m", "web", CG_SYSTEMD, NULL, NULL },
	{ "a:p:n", "web", CG_SYSTEMD, NULL, NULL },
	{ "a/b.slice:p:n", "web", CG_SYSTEMD, NULL, NULL },
	{ "a.slice:p:", "web", CG_SYSTEMD, NULL, NULL },
	{ "a.slice:p:n.slice", "web", CG_SYSTEMD, NULL, NULL },
	{ "a.slice:p:n/m", "web", CG_SYSTEMD, NULL, NULL },
	{ "a.slice:p:n m", "web", CG_SYSTEMD, NULL, NULL },
};

static const struct {
	const char *slice, *path; /* NULL: refused */
} slices[] = {
	{ "a.slice", "/a.slice" },
	{ "a-b.slice", "/a.slice/a-b.slice" },
	{ "user-1000-x.slice", "/user.slice/user-1000.slice/user-1000-x.slice" },
	{ "-.slice", "" },
	{ ".slice", NULL }, { "", NULL }, { "a", NULL }, { "a.scope", NULL }, { "-a.slice", NULL },
	{ "a-.slice", NULL }, { "a--b.slice", NULL }, { "--.slice", NULL }, { "/a.slice", NULL },
};
/* clang-format on */

START_TEST(names)
{
	struct sd_unit unit = { .name = "untouched" };
	struct err e = { 0 };
	int r = sd_unit_parse(units[_i].path, units[_i].id, units[_i].driver, &arena, &unit, &e);

	if (!units[_i].name) {
		ck_assert_int_eq(r, -EINVAL);
		ck_assert_str_eq(unit.name, "untouched");
		ck_assert_ptr_nonnull(strstr(e.msg, units[_i].path));
		ck_assert_ptr_nonnull(strstr(e.hint, "slice:prefix:name"));
		return;
	}
	ck_assert_msg(r == 0, "%s", e.msg);
	ck_assert_str_eq(unit.name, units[_i].name);
	ck_assert_str_eq(unit.slice, units[_i].slice);
	ck_assert_uint_eq(unit.props_len, 0);
}
END_TEST

START_TEST(slice_paths)
{
	const char *path = NULL;
	int r = sd_slice_path(slices[_i].slice, &arena, &path, NULL);

	ck_assert_int_eq(r, slices[_i].path ? 0 : -EINVAL);
	if (slices[_i].path)
		ck_assert_str_eq(path, slices[_i].path);
}
END_TEST

/* The properties in @t as "NAME=VALUE" words, of the types that limits have. */
static const char *list(const struct text *t)
{
	struct dbus_in in = { .data = (const unsigned char *)text_str(t), .len = t->len };
	own_text struct text out = { 0 };

	while (in.at < in.len) {
		const char *name, *sig;

		in.at = (in.at + 7) / 8 * 8;
		name = dbus_get_str(&in);
		sig = dbus_get_sig(&in);
		text_addf(&out, "%s%s=", out.len ? " " : "", name);
		if (strcmp(sig, "t") == 0) {
			uint64_t v;

			in.at = (in.at + 7) / 8 * 8;
			memcpy(&v, in.data + in.at, sizeof(v));
			in.at += sizeof(v);
			if (v == UINT64_MAX)
				text_add(&out, "max");
			else
				text_addf(&out, "%llu", (unsigned long long)v);
		} else if (strcmp(sig, "ay") == 0) {
			uint32_t n = dbus_get_u32(&in);

			while (n--)
				text_addf(&out, "%02x", in.data[in.at++]);
		} else {
			ck_assert_str_eq(sig, "s");
			text_add(&out, dbus_get_str(&in));
		}
		ck_assert(!in.bad);
	}
	return arena_strdup(&arena, text_str(&out));
}

#define SET(x)                        \
	{                             \
		.v = (x), .set = true \
	}

static struct strpair files[] = {
	{ (char *)(uintptr_t) "memory.high", (char *)(uintptr_t) "1M" },
	{ (char *)(uintptr_t) "pids.max", (char *)(uintptr_t) " max\n" },
	{ (char *)(uintptr_t) "cpu.max", (char *)(uintptr_t) "max 50000" },
	{ (char *)(uintptr_t) "cpuset.cpus", (char *)(uintptr_t) "1,3-4" },
	{ (char *)(uintptr_t) "memory.min", (char *)(uintptr_t) "nonsense" },
	{ (char *)(uintptr_t) "memory.oom.group", (char *)(uintptr_t) "1" },
	{ (char *)(uintptr_t) "hugetlb.2MB.max", (char *)(uintptr_t) "0" },
};
static char cpus[] = "0-3,8", node[] = "0", odd[] = "0-", huge[] = "9000";

/* clang-format off */
static const struct {
	struct cg_resources res;
	unsigned int version;
	const char *want;
} limits[] = {
	{ { .cpuset_cpus = NULL }, 252, "" },
	{ { .memory_max_bytes = SET(UINT64_MAX), .swap_max_bytes = SET(0), .memory_low_bytes = SET(5) }, 252,
	  "MemoryMax=max MemoryLow=5 MemorySwapMax=0" },
	{ { .pids_max = SET(0), .cpu_weight = SET(100), .io_weight = SET(9) }, 230, "TasksMax=1 CPUWeight=100 IOWeight=9" },
	{ { .memory_soft_bytes = SET(6) }, 252, "MemoryLow=6" },
	{ { .zswap_max_bytes = SET(7) }, 252, "" },
	{ { .zswap_max_bytes = SET(7) }, 253, "MemoryZSwapMax=7" },
	{ { .cpu_quota_us = SET(50000), .cpu_period_us = SET(100000) }, 252, "CPUQuotaPeriodUSec=100000 CPUQuotaPerSecUSec=500000" },
	{ { .cpu_quota_us = SET(50000), .cpu_period_us = SET(100000) }, 241, "CPUQuotaPerSecUSec=500000" },
	{ { .cpu_quota_us = SET(33333) }, 252, "CPUQuotaPerSecUSec=340000" },
	{ { .cpu_quota_us = SET(UINT64_MAX) }, 252, "CPUQuotaPerSecUSec=max" },
	{ { .cpu_period_us = SET(5000) }, 252, "CPUQuotaPeriodUSec=5000" },
	{ { .cpu_idle = { true, true }, .cpu_weight = SET(200) }, 252, "CPUWeight=0" },
	{ { .cpu_idle = { true, true }, .cpu_weight = SET(200) }, 251, "" },
	{ { .cpu_idle = { false, true }, .cpu_weight = SET(200) }, 252, "CPUWeight=200" },
	{ { .cpuset_cpus = cpus, .cpuset_mems = node }, 252, "AllowedCPUs=0f01 AllowedMemoryNodes=01" },
	{ { .cpuset_cpus = cpus }, 243, "" },
	{ { .cpuset_cpus = odd, .cpuset_mems = huge }, 252, "" },
	{ { .oom_group = { true, true } }, 252, "" },
	{ { .oom_group = { true, true } }, 253, "OOMPolicy=kill" },
	{ { .pids_max = SET(9), .unified = { files, ARRAY_SIZE(files) } }, 253,
	  "MemoryHigh=1048576 TasksMax=max CPUQuotaPeriodUSec=50000 CPUQuotaPerSecUSec=max AllowedCPUs=1a OOMPolicy=kill" },
};

static const struct {
	const char *text, *sig; /* NULL: refused */
	const char *bytes;
	size_t len;
} values[] = {
	{ "true", "b", "\1\0\0\0", 4 },
	{ " false ", "b", "\0\0\0\0", 4 },
	{ "15", "i", "\x0f\0\0\0", 4 },
	{ "-1", "i", "\xff\xff\xff\xff", 4 },
	{ "0x10", "i", "\x10\0\0\0", 4 },
	{ "uint64 5", "t", "\5\0\0\0\0\0\0\0", 8 },
	{ "uint64 18446744073709551615", "t", "\xff\xff\xff\xff\xff\xff\xff\xff", 8 },
	{ "int16 -2", "n", "\xfe\xff", 2 },
	{ "byte 0x41", "y", "A", 1 },
	{ "0.5", "d", "\0\0\0\0\0\0\xe0\x3f", 8 },
	{ "double 1", "d", "\0\0\0\0\0\0\xf0\x3f", 8 },
	{ "'a\\'b'", "s", "\3\0\0\0a'b\0", 8 },
	{ "\"q\"", "s", "\1\0\0\0q\0", 6 },
	{ "objectpath '/a'", "o", "\2\0\0\0/a\0", 7 },
	{ "['a', 'bc']", "as", "\x0f\0\0\0\1\0\0\0a\0\0\0\2\0\0\0bc\0", 19 },
	{ "@as []", "as", "\0\0\0\0", 4 },
	{ "[uint32 1, 2]", "au", "\x08\0\0\0\1\0\0\0\2\0\0\0", 12 },
	{ "@ay [1, 2]", "ay", "\2\0\0\0\1\2", 6 },
	{ "[('x', 'r')]", "a(ss)", "\x0e\0\0\0\0\0\0\0\1\0\0\0x\0\0\0\1\0\0\0r\0", 22 },
	{ "", NULL, NULL, 0 }, { "tru", NULL, NULL, 0 }, { "1 2", NULL, NULL, 0 }, { "[]", NULL, NULL, 0 },
	{ "'a", NULL, NULL, 0 }, { "[1, 'a']", NULL, NULL, 0 }, { "[1", NULL, NULL, 0 }, { "byte 256", NULL, NULL, 0 },
	{ "uint32 -1", NULL, NULL, 0 }, { "4294967296", NULL, NULL, 0 }, { "uint64 18446744073709551616", NULL, NULL, 0 },
	{ "@x 'a'", NULL, NULL, 0 }, { "@zz 1", NULL, NULL, 0 }, { "@a [1]", NULL, NULL, 0 }, { "uint64", NULL, NULL, 0 },
	{ "uint64 uint64 uint64 1", "t", "\1\0\0\0\0\0\0\0", 8 }, { "uint64 uint32 1", NULL, NULL, 0 },
	{ "[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]", NULL, NULL, 0 }, { "{'a': 1}", NULL, NULL, 0 }, { "nan", NULL, NULL, 0 },
	{ "@(ss) ('a')", NULL, NULL, 0 }, { "@(s) ('a', 'b')", NULL, NULL, 0 }, { "@v <1>", NULL, NULL, 0 },
};

static const struct {
	const char *key, *value;
	const char *want; /* NULL: refused */
} annotations[] = {
	{ "org.systemd.property.TimeoutStopUSec", "uint64 7", "TimeoutStopUSec=7" },
	{ "org.systemd.property.TimeoutStopSec", "uint64 7", "TimeoutStopUSec=7000000" },
	{ "org.systemd.property.TimeoutStopSec", "1.5", "TimeoutStopUSec=1500000" },
	{ "org.systemd.property.CollectMode", "'inactive-or-failed'", "CollectMode=inactive-or-failed" },
	{ "org.systemd.property.TimeoutStopSec", "-1", NULL },
	{ "org.systemd.property.TimeoutStopSec", "'7'", NULL },
	{ "org.systemd.property.X", "1", NULL },
	{ "org.systemd.property.A1b", "1", NULL },
	{ "org.systemd.property.Abc", "", NULL },
	{ "org.example.Abc", "", "" },
};
/* clang-format on */

START_TEST(limit_properties)
{
	own_text struct text t = { 0 };

	ck_assert_int_eq(sd_limits(&limits[_i].res, limits[_i].version, &t), 0);
	ck_assert_str_eq(list(&t), limits[_i].want);
}
END_TEST

START_TEST(gvariants)
{
	own_text struct text t = { 0 };
	struct gvariant v = { 0 };
	struct err e = { 0 };
	int r = gvariant_parse(values[_i].text, &arena, &v, &e);

	if (!values[_i].sig) {
		ck_assert_msg(r == -EINVAL, "'%s' is taken for '%s'", values[_i].text, v.sig);
		ck_assert_ptr_nonnull(strstr(e.msg, "at character"));
		return;
	}
	ck_assert_msg(r == 0, "%s", e.msg);
	ck_assert_str_eq(v.sig, values[_i].sig);
	gvariant_add(&t, &v);
	ck_assert_uint_eq(t.len, values[_i].len);
	ck_assert_int_eq(memcmp(t.data, values[_i].bytes, t.len), 0);
}
END_TEST

START_TEST(annotated)
{
	struct strpair pair = { (char *)(uintptr_t)annotations[_i].key,
				(char *)(uintptr_t)annotations[_i].value };
	const struct strmap map = { &pair, 1 };
	struct sd_unit unit = { 0 };
	struct err e = { 0 };
	int r = sd_annotations(&map, &arena, &unit, &e);

	if (!annotations[_i].want) {
		ck_assert_int_eq(r, -EINVAL);
		ck_assert_ptr_nonnull(strstr(e.msg, annotations[_i].key));
		return;
	}
	ck_assert_msg(r == 0, "%s", e.msg);
	{
		own_text struct text t = { 0 };

		text_addn(&t, unit.props, unit.props_len);
		ck_assert_str_eq(list(&t), annotations[_i].want);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cgroups/systemd_unit");
	TCase *tcase = tcase_create("unit");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_loop_test(tcase, names, 0, (int)ARRAY_SIZE(units));
	tcase_add_loop_test(tcase, slice_paths, 0, (int)ARRAY_SIZE(slices));
	tcase_add_loop_test(tcase, limit_properties, 0, (int)ARRAY_SIZE(limits));
	tcase_add_loop_test(tcase, gvariants, 0, (int)ARRAY_SIZE(values));
	tcase_add_loop_test(tcase, annotated, 0, (int)ARRAY_SIZE(annotations));
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
