/* SPDX-License-Identifier: Apache-2.0 */
/* One process as it is planned: where it is looked for, what it may use, and what is found. */
#include "runtime/process/confine.h"

#include "base/file.h"
#include "base/own.h"
#include "namespaces/ns.h"
#include "runtime/spec/spec.h"

#include <check.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mempolicy.h>
#include <signal.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct arena arena;

static void teardown(void)
{
	arena_done(&arena);
}

/* "a b c" as an array. */
static struct strv words(const char *text)
{
	char *copy = arena_strdup(&arena, text), *word;
	struct strv v = { 0 };

	while ((word = strsep(&copy, " "))) {
		char **slot = arena_grow(&arena, &v.v, &v.n, sizeof(char *));

		*slot = word;
	}
	return v;
}

static struct spec_process process(const char *args, const char *env)
{
	static char cwd[] = "/";

	return (struct spec_process){ .args = words(args),
				      .env = env ? words(env) : (struct strv){ 0 },
				      .cwd = cwd };
}

/* clang-format off */
static const struct {
	const char *name, *env;
	const char *candidates; /* joined by ":" */
} searches[] = {
	{ "sh",	      "PATH=/bin",		   "/bin/sh" },
	{ "sh",	      "PATH=/a:/b",		   "/a/sh:/b/sh" },
	{ "sh",	      "PATH=/a:",		   "/a/sh" },
	{ "sh",	      "PATH=:/a",		   "/a/sh" },
	{ "sh",	      "PATH=/a::/b",		   "/a/sh:/b/sh" },
	{ "sh",	      "PATH=",			   "" },
	{ "sh",	      "PATH=:",			   "" },
	{ "sh",	      "PATH=a/b",		   "a/b/sh" },
	{ "sh",	      "X=1 PATH=/a PATH=/b",	   "/b/sh" },
	{ "sh",	      "XPATH=/a PATHX=/b PATH=/c", "/c/sh" },
	{ "sh",	      NULL,			   "/usr/local/sbin/sh:/usr/local/bin/sh:/usr/sbin/sh:/usr/bin/sh:/sbin/sh:/bin/sh" },
	{ "/bin/sh",  "PATH=/a",		   "/bin/sh" },
	{ "./sh",     "PATH=/a",		   "./sh" },
	{ "a/sh",     "PATH=/a",		   "a/sh" },
	{ "/",	      "PATH=/a",		   "/" },
	{ "",	      "PATH=/a",		   "" },
	{ "..",	      "PATH=/a",		   "/a/.." },
};
/* clang-format on */

START_TEST(test_candidates)
{
	struct spec_process p = process(searches[_i].name, searches[_i].env);
	struct confine c = { 0 };
	char joined[256] = "";

	ck_assert_int_eq(confine_plan(&p, NULL, &arena, &c, NULL), 0);
	for (char **one = c.candidates; *one; one++) {
		if (one != c.candidates)
			(void)strcat(joined, ":");
		(void)strcat(joined, *one);
	}
	ck_assert_str_eq(joined, searches[_i].candidates);
	ck_assert_str_eq(c.argv[0], searches[_i].name);
	ck_assert_ptr_null(c.argv[p.args.n]);
	ck_assert_ptr_null(c.envp[p.env.n]);
}
END_TEST

START_TEST(test_all_fields)
{
	struct spec_console_size size = { .height = 25, .width = 80 };
	struct spec_capabilities caps = { .bounding = words("CAP_KILL CAP_CHOWN"),
					  .permitted = words("CAP_KILL"),
					  .inheritable = words("CAP_KILL"),
					  .ambient = words("CAP_KILL") };
	struct spec_process p = process("sh -c true", "A=1 B=2");
	uint32_t gids[] = { 7, 0, UINT32_MAX - 1 };
	struct confine c = { .uid = 99 };

	p.user = (struct spec_user){ .uid = 5, .gid = 6, .umask = { .v = 07027, .set = true } };
	p.user.additional_gids = (struct u32v){ .v = gids, .n = 3 };
	p.console_size = &size;
	p.capabilities = &caps;
	p.no_new_privileges = true;
	p.terminal = true;
	p.oom_score_adj = (struct opt_i64){ .v = -1000, .set = true };
	ck_assert_int_eq(confine_plan(&p, NULL, &arena, &c, NULL), 0);
	ck_assert_uint_eq(c.uid, 5);
	ck_assert_uint_eq(c.gid, 6);
	ck_assert(c.has_umask);
	ck_assert_uint_eq(c.umask, 027);
	ck_assert_uint_eq(c.group_count, 3);
	ck_assert_int_eq(memcmp(c.groups, gids, sizeof(gids)), 0);
	ck_assert_uint_eq(c.rows, 25);
	ck_assert_uint_eq(c.columns, 80);
	ck_assert_uint_eq(c.caps.bounding, 1 << 5 | 1 << 0);
	ck_assert_uint_eq(c.caps.ambient, 1 << 5);
	ck_assert_uint_eq(c.caps.permitted & c.caps.inheritable, 1 << 5);
	ck_assert_uint_eq(c.caps.effective, 0);
	ck_assert_ptr_null(c.ungranted);
	ck_assert(c.no_new_privs && c.terminal && c.has_oom_score && !c.has_seccomp);
	ck_assert_int_eq(c.oom_score_adj, -1000);
	ck_assert_str_eq(c.argv[2], "true");
	ck_assert_str_eq(c.envp[1], "B=2");
}
END_TEST

START_TEST(test_refused)
{
	static char unknown[] = "RLIMIT_DREAMS";
	struct spec_rlimit limits[] = { { unknown, 1, 1 } };
	struct spec_scheduler scheduler = { .policy = 99, .priority = 1 };
	struct spec_process p = process("sh", NULL);
	struct confine c = { .uid = 99 };
	struct err e = { 0 };

	p.rlimits = (struct js_list){ .v = limits, .n = 1 };
	ck_assert_int_eq(confine_plan(&p, NULL, &arena, &c, &e), -EINVAL);
	ck_assert_str_eq(e.msg, "process.rlimits[0].type: unknown limit 'RLIMIT_DREAMS'");
	p.rlimits.n = 0;
	p.scheduler = &scheduler;
	ck_assert_int_eq(confine_plan(&p, NULL, &arena, &c, &e), -EINVAL);
	ck_assert_int_eq(strncmp(e.msg, "process.scheduler.priority: ", 28), 0);
	ck_assert_uint_eq(c.uid, 99); /* nothing is half planned */
}
END_TEST

/* What cannot be granted is left out and told, set by set. */
/* clang-format off */
static const struct {
	const char *sets[5]; /* bounding, effective, permitted, inheritable, ambient */
	struct caps is;
	const char *told;
} grants[] = {
	{ { "CAP_KILL", "CAP_KILL", "CAP_KILL" }, { .bounding = 32, .effective = 32, .permitted = 32 }, NULL },
	{ { "CAP_FLY CAP_KILL", "" }, { .bounding = 32 }, "unknown capability 'CAP_FLY'" },
	{ { NULL, "CAP_KILL" }, { 0 }, "can't make effective CAP_KILL: it is not permitted" },
	{ { NULL, NULL, NULL, "CAP_KILL" }, { 0 }, "can't make inheritable CAP_KILL: it is not bounding" },
	{ { "CAP_KILL", NULL, "CAP_KILL", NULL, "CAP_KILL" }, { .bounding = 32, .permitted = 32 },
	  "can't raise ambient capability CAP_KILL: it is not permitted and inheritable" },
	{ { "CAP_KILL CAP_CHOWN", NULL, "CAP_CHOWN", "CAP_CHOWN", "CAP_CHOWN CAP_KILL" },
	  { .bounding = 33, .permitted = 1, .inheritable = 1, .ambient = 1 },
	  "can't raise ambient capability CAP_KILL: it is not permitted and inheritable" },
};
/* clang-format on */

START_TEST(test_grants)
{
	const struct caps *is = &grants[_i].is;
	struct strv sets[5] = { 0 };
	struct spec_process p = process("sh", NULL);
	struct spec_capabilities caps;
	struct confine c = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		if (grants[_i].sets[i] && *grants[_i].sets[i])
			sets[i] = words(grants[_i].sets[i]);
	caps = (struct spec_capabilities){ .bounding = sets[0],
					   .effective = sets[1],
					   .permitted = sets[2],
					   .inheritable = sets[3],
					   .ambient = sets[4] };
	p.capabilities = &caps;
	ck_assert_int_eq(confine_plan(&p, NULL, &arena, &c, NULL), 0);
	ck_assert_int_eq(memcmp(&c.caps, is, sizeof(*is)), 0);
	if (!grants[_i].told) {
		ck_assert_ptr_null(c.ungranted);
		return;
	}
	ck_assert_ptr_nonnull(c.ungranted);
	ck_assert_ptr_nonnull(strstr(c.ungranted, grants[_i].told));
}
END_TEST

START_TEST(test_lost_to_the_host)
{
	struct spec_capabilities caps = { .bounding = words("CAP_KILL") };
	struct spec_namespace user = { .kind = NS_USER };
	struct spec spec = { .linux_.namespaces = { .v = &user, .n = 1 } };
	struct spec_process p = process("sh", NULL);
	struct confine c = { 0 };
	int status;
	pid_t pid;

	if (geteuid() != 0)
		return;
	p.capabilities = &caps;
	pid = fork();
	if (pid == 0) {
		if (prctl(PR_CAPBSET_DROP, CAP_KILL, 0, 0, 0) < 0)
			_exit(1);
		if (confine_plan(&p, NULL, &arena, &c, NULL) < 0 || c.caps.bounding ||
		    !c.ungranted || !strstr(c.ungranted, "can't grant CAP_KILL"))
			_exit(2);
		/* a new user namespace has it all the same */
		if (confine_plan(&p, &spec, &arena, &c, NULL) < 0 || c.caps.bounding != 32 ||
		    c.ungranted)
			_exit(3);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* clang-format off */
static const struct {
	const char *env, *envp; /* joined by a space */
	bool looks_home_up;
} envs[] = {
	{ "A=1 HOME=/h B=2",	 "A=1 HOME=/h B=2", false },
	{ "A=1 B=2",		 "A=1 B=2",	    true },
	{ "A=1 A=2 A=",		 "A=",		    true },
	{ "HOME= A=1",		 "A=1",		    true },
	{ "HOME=/h HOME=",	 "",		    true },
	{ "HOME= HOME=/h",	 "HOME=/h",	    false },
	{ "AB=1 A=2 AB A=3",	 "AB=1 AB A=3",	    true },
};
/* clang-format on */

START_TEST(test_env)
{
	struct spec_process p = process("sh", envs[_i].env);
	struct confine c = { 0 };
	char joined[128] = "";

	ck_assert_int_eq(confine_plan(&p, NULL, &arena, &c, NULL), 0);
	for (char **one = c.envp; *one; one++) {
		(void)strcat(joined, one == c.envp ? "" : " ");
		(void)strcat(joined, *one);
	}
	ck_assert_str_eq(joined, envs[_i].envp);
	ck_assert(envs[_i].looks_home_up == (c.home != NULL));
	if (c.home) {
		static char home[] = "HOME=/h";

		*c.home = home;
		while (*c.envp && *c.envp != home)
			c.envp++;
		ck_assert_ptr_eq(*c.envp, home);
		ck_assert_ptr_null(c.envp[1]);
	}
}
END_TEST

START_TEST(test_container_wide)
{
	static char key[] = "run.oci.keep_original_groups", yes[] = "1", nodes[] = "0",
		    mode[] = "MPOL_BIND";
	struct strpair pair = { key, yes };
	struct spec_personality personality = { .domain = PER_LINUX32 };
	struct spec_memory_policy memory = { .mode = mode, .nodes = nodes };
	struct spec spec = { .annotations = { &pair, 1 },
			     .linux_ = { .personality = &personality, .memory_policy = &memory } };
	struct spec_process p = process("sh", NULL);
	struct confine c = { 0 };

	ck_assert_int_eq(confine_plan(&p, &spec, &arena, &c, NULL), 0);
	ck_assert(c.keep_groups && c.has_personality && c.sched.has_memory);
	ck_assert_uint_eq(c.personality, PER_LINUX32);
	yes[0] = '0';
	spec.linux_ = (struct spec_linux){ .cgroups_path = NULL };
	ck_assert_int_eq(confine_plan(&p, &spec, &arena, &c, NULL), 0);
	ck_assert(!c.keep_groups && !c.has_personality && !c.sched.has_memory);
}
END_TEST

/* Every limit that config.json may name, applied to a child and read back. */
START_TEST(test_rlimits)
{
	struct spec_process p = process("sh", NULL);
	struct spec_rlimit limits[32];
	struct confine c = { 0 };
	struct err e = { 0 };
	size_t n = 0;
	pid_t pid;

	for (const struct name *r = spec_rlimit_names; r->name; r++) {
		struct rlimit now;

		ck_assert_int_eq(getrlimit((__rlimit_resource_t)r->value, &now), 0);
		limits[n].type = (char *)(uintptr_t)r->name;
		limits[n].soft = now.rlim_cur / 2;
		limits[n++].hard = now.rlim_max;
	}
	p.rlimits = (struct js_list){ .v = limits, .n = n };
	ck_assert_int_eq(confine_plan(&p, NULL, &arena, &c, NULL), 0);
	ck_assert_uint_eq(c.rlimit_count, n);
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		for (;;)
			(void)pause();
	}
	ck_assert_msg(confine_parent(&c, pid, false, &e) == 0, "%s", e.msg);
	for (size_t i = 0; i < n; i++) {
		struct rlimit is;

		ck_assert_str_eq(c.rlimits[i].name, limits[i].type);
		ck_assert_int_eq(
			prlimit(pid, (__rlimit_resource_t)c.rlimits[i].resource, NULL, &is), 0);
		ck_assert_uint_eq(is.rlim_cur, limits[i].soft);
		ck_assert_uint_eq(is.rlim_max, limits[i].hard);
	}
	c.rlimits[0].limit = (struct rlimit){ .rlim_cur = 2, .rlim_max = 1 };
	ck_assert_int_eq(confine_parent(&c, pid, false, &e), -EINVAL);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(confine_parent(&c, pid, false, &e), -ESRCH);
}
END_TEST

/* clang-format off */
static const struct {
	const char *name, *env;
	int r;
	const char *msg;
} finds[] = {
	{ "run",  "PATH=none:dir:bin",	2,	 NULL },
	{ "run",  "PATH=bin",		0,	 NULL },
	{ "./bin/run", NULL,		0,	 NULL },
	{ "run",  "PATH=text:bin",	1,	 NULL }, /* not executable: the search goes on */
	{ "run",  "PATH=text:none",	-EACCES, "exec text/run: permission denied: its mode is 0644" },
	{ "run",  "PATH=none",		-ENOENT, "exec run: executable file not found in $PATH" },
	{ "run",  "PATH=dir",		-EISDIR, "exec dir/run: is a directory" },
	{ "run",  "PATH=dir:none",	-ENOENT, "exec run: executable file not found in $PATH" },
	{ "",	  "PATH=bin",		-ENOENT, "exec : executable file not found in $PATH" },
	{ "./none", "PATH=bin",		-ENOENT, "exec ./none: no such file or directory" },
	{ "./dir/run", "PATH=bin",	-EISDIR, "exec ./dir/run: is a directory" },
	{ "./text/run", "PATH=bin",	-EACCES, "exec ./text/run: permission denied: its mode is 0644" },
	{ "./bin/run/x", "PATH=bin",	-ENOTDIR, "exec ./bin/run/x: not a directory" },
};
/* clang-format on */

START_TEST(test_find)
{
	char top[] = "/var/tmp/ctr-test-confine-XXXXXX";

	ck_assert_ptr_nonnull(mkdtemp(top));
	ck_assert_int_eq(chdir(top), 0);
	ck_assert_int_eq(file_mkdirs("dir/run", 0755), 0);
	ck_assert_int_eq(file_mkdirs("bin", 0755), 0);
	ck_assert_int_eq(file_mkdirs("text", 0755), 0);
	ck_assert_int_eq(file_replace(AT_FDCWD, "bin/run", "", 0, 0755, FILE_NOSYNC), 0);
	ck_assert_int_eq(file_replace(AT_FDCWD, "text/run", "", 0, 0644, FILE_NOSYNC), 0);
	for (size_t i = 0; i < ARRAY_SIZE(finds); i++) {
		struct spec_process p = process(finds[i].name, finds[i].env);
		struct confine c = { 0 };
		struct err e = { 0 };
		int r;

		ck_assert_int_eq(confine_plan(&p, NULL, &arena, &c, NULL), 0);
		r = confine_find(&c, &e);
		ck_assert_msg(r == finds[i].r, "'%s' in %s gives %d", finds[i].name, finds[i].env,
			      r);
		if (finds[i].msg)
			ck_assert_str_eq(e.msg, finds[i].msg);
	}
	ck_assert_int_eq(file_remove_tree(AT_FDCWD, top), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("confine");
	TCase *tc = tcase_create("confine");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_loop_test(tc, test_candidates, 0, (int)ARRAY_SIZE(searches));
	tcase_add_test(tc, test_all_fields);
	tcase_add_test(tc, test_refused);
	tcase_add_loop_test(tc, test_grants, 0, (int)ARRAY_SIZE(grants));
	tcase_add_test(tc, test_lost_to_the_host);
	tcase_add_loop_test(tc, test_env, 0, (int)ARRAY_SIZE(envs));
	tcase_add_test(tc, test_container_wide);
	tcase_add_test(tc, test_rlimits);
	tcase_add_test(tc, test_find);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
