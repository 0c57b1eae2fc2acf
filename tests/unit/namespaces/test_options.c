/* SPDX-License-Identifier: Apache-2.0 */
/* Mount options: every word, clearing forms, and what is left to the file system. */
#include "base/own.h"
#include "namespaces/mount/idmap.h"
#include "namespaces/mount/mount.h"
#include "namespaces/mount/mountinfo.h"
#include "namespaces/mount/options.h"
#include "namespaces/ns.h"

#include <check.h>
#include <string.h>
#include <sys/mount.h>

static struct mnt_options parse(struct arena *arena, const char *const *words, size_t n)
{
	const struct strv list = { (char **)(uintptr_t)words, n };
	struct mnt_options m;

	ck_assert_int_eq(mnt_options_parse(&list, arena, &m), 0);
	return m;
}
#define PARSE(arena, ...)                                  \
	parse(arena, (const char *const[]){ __VA_ARGS__ }, \
	      sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

START_TEST(later_overrides_earlier)
{
	own_arena struct arena arena = { 0 };
	struct mnt_options m = PARSE(&arena, "ro", "nosuid", "rw");

	ck_assert_uint_eq(m.attr_set, MOUNT_ATTR_NOSUID);
	ck_assert_uint_eq(m.attr_clr, MOUNT_ATTR_RDONLY);
	m = PARSE(&arena, "rw", "ro");
	ck_assert_uint_eq(m.attr_set, MOUNT_ATTR_RDONLY);
	ck_assert_uint_eq(m.attr_clr, 0);
}
END_TEST

START_TEST(access_times_are_one_field)
{
	own_arena struct arena arena = { 0 };
	struct mnt_options m = PARSE(&arena, "noatime", "strictatime");

	ck_assert_uint_eq(m.attr_set, MOUNT_ATTR_STRICTATIME);
	ck_assert(m.atime);
	m = PARSE(&arena, "noatime", "norelatime");
	ck_assert_uint_eq(m.attr_set, MOUNT_ATTR_NOATIME);
	m = PARSE(&arena, "noatime", "atime");
	ck_assert_uint_eq(m.attr_set, 0);
	ck_assert(!m.atime && m.flags);
	m = PARSE(&arena, "rnoatime");
	ck_assert_uint_eq(m.rec_set, MOUNT_ATTR_NOATIME);
	ck_assert_uint_eq(m.rec_clr & MOUNT_ATTR__ATIME, MOUNT_ATTR__ATIME & ~0UL);
	ck_assert_uint_eq(m.attr_set, 0);
	ck_assert(!m.flags);
}
END_TEST

START_TEST(kinds)
{
	own_arena struct arena arena = { 0 };
	struct mnt_options m = PARSE(&arena, "rbind", "rro", "rslave", "ridmap", "tmpcopyup", "");

	ck_assert(m.bind && m.recursive && m.idmap && m.ridmap && m.tmpcopyup);
	ck_assert_uint_eq(m.rec_set, MOUNT_ATTR_RDONLY);
	ck_assert_uint_eq(m.propagation.n, 1);
	ck_assert_uint_eq(m.propagation.v[0], MS_SLAVE | MS_REC);
	ck_assert_uint_eq(m.data.n, 0);
	m = PARSE(&arena, "bind", "slave", "rshared");
	ck_assert_uint_eq(m.propagation.n, 2);
	ck_assert_uint_eq(m.propagation.v[1], MS_SHARED | MS_REC);
	ck_assert(!m.recursive && !m.flags);
	m = PARSE(&arena, "remount", "silent");
	ck_assert(m.remount && m.flags);
}
END_TEST

START_TEST(the_rest_is_data)
{
	own_arena struct arena arena = { 0 };
	struct mnt_options m =
		PARSE(&arena, "mode=755", "defaults", "size=64k", "sync", "hidepid=2");

	ck_assert_uint_eq(m.data.n, 3);
	ck_assert_str_eq(m.data.v[0], "mode=755");
	ck_assert_str_eq(m.data.v[2], "hidepid=2");
	ck_assert_uint_eq(m.super.n, 1);
	ck_assert_str_eq(m.super.v[0], "sync");
	ck_assert_uint_eq(m.attr_set | m.attr_clr, 0);
	m = PARSE(&arena, "mode=755,,size=1k", "lowerdir=/a\\,b:/c");
	ck_assert_uint_eq(m.data.n, 3);
	ck_assert_str_eq(m.data.v[1], "size=1k");
	ck_assert_str_eq(m.data.v[2], "lowerdir=/a\\,b:/c");
}
END_TEST

enum {
	RO = MOUNT_ATTR_RDONLY,
	NOSUID = MOUNT_ATTR_NOSUID,
	NODEV = MOUNT_ATTR_NODEV,
	NOEXEC = MOUNT_ATTR_NOEXEC,
	NOFOLLOW = 0x00200000,
	NOATIME = MOUNT_ATTR_NOATIME,
	STRICT = MOUNT_ATTR_STRICTATIME,
	NODIRATIME = MOUNT_ATTR_NODIRATIME,
	LOCKED = true,
	REFUSED = -1,
};

/* What a bind of a source with attributes @source ends with. */
static const struct {
	const char *words[3];
	int source, locked, result;
} binds[] = {
	{ { "bind" }, RO | NOEXEC | NOFOLLOW, false, RO | NOEXEC | NOFOLLOW },
	{ { "bind" }, RO | NOEXEC | NOFOLLOW, LOCKED, RO | NOEXEC | NOFOLLOW },
	{ { "rprivate" }, RO, false, RO },
	{ { "dev" }, RO | NOEXEC | NOFOLLOW | NODIRATIME, false, NODIRATIME },
	{ { "dev" }, RO | NOEXEC | NOFOLLOW | NODIRATIME, LOCKED, RO | NOEXEC | NODIRATIME },
	{ { "nosuid", "nodev" }, RO, false, NOSUID | NODEV },
	{ { "nosuid", "nodev" }, RO, LOCKED, RO | NOSUID | NODEV },
	{ { "rw", "nosuid" }, RO, false, NOSUID },
	{ { "rw", "nosuid" }, RO, LOCKED, REFUSED },
	{ { "rw" }, NODEV, LOCKED, NODEV },
	{ { "rw", "ro" }, RO, LOCKED, RO },
	{ { "suid" }, NOSUID, LOCKED, REFUSED },
	{ { "dev" }, NODEV, LOCKED, REFUSED },
	{ { "exec" }, NOEXEC, LOCKED, REFUSED },
	{ { "symfollow", "ro" }, NOFOLLOW | NODEV, LOCKED, RO | NODEV },
	{ { "async" }, RO, false, 0 },
	{ { "ro" }, NOATIME, false, RO | NOATIME },
	{ { "atime" }, NOATIME, false, NOATIME },
	{ { "relatime" }, NOATIME, false, 0 },
	{ { "nodiratime" }, NOATIME, false, NODIRATIME },
	{ { "strictatime" }, NODIRATIME, false, STRICT },
	{ { "nodiratime", "strictatime" }, NOATIME, false, NODIRATIME | STRICT },
	{ { "norelatime" }, NOATIME | NODIRATIME, LOCKED, NOATIME | NODIRATIME },
	{ { "noatime" }, NOATIME, LOCKED, NOATIME },
	{ { "noatime" }, 0, LOCKED, REFUSED },
	{ { "relatime" }, NOATIME, LOCKED, REFUSED },
	{ { "nodiratime" }, STRICT, LOCKED, REFUSED },
	{ { "nodiratime" }, NODIRATIME, LOCKED, NODIRATIME },
	{ { "strictatime" }, NODIRATIME, LOCKED, REFUSED },
};

START_TEST(binds_have_the_flags_that_were_named)
{
	own_arena struct arena arena = { 0 };
	size_t n = 0;
	struct mnt_options m;
	uint64_t set, clr;
	int r;

	while (n < 3 && binds[_i].words[n])
		n++;
	m = parse(&arena, binds[_i].words, n);
	r = mnt_bind_attrs(&m, (uint64_t)binds[_i].source, binds[_i].locked, &set, &clr, NULL);
	if (binds[_i].result == REFUSED) {
		ck_assert_int_eq(r, -EPERM);
		return;
	}
	ck_assert_int_eq(r, 0);
	/* mount_setattr(2): access times change only when their whole field is cleared */
	if (!(clr & MOUNT_ATTR__ATIME))
		ck_assert_uint_eq(set & MOUNT_ATTR__ATIME, 0);
	ck_assert_uint_eq(((uint64_t)binds[_i].source & ~clr) | set, (uint64_t)binds[_i].result);
}
END_TEST

START_TEST(mapping_in_an_option)
{
	static const struct id_map own[] = { { 0, 0, 1 }, { 1, 2, 1000 } };
	static const struct id_maps maps = { own, 2 };
	static const char *const bad[] = {
		"",
		"uids=0-1-2",
		"uids=0-1;gids=0-1-2",
		"x=0-1-2",
		"uids=0-1-2;gids=0-1-2-3",
		"uids=;gids=0-1-2",
		"uids=0-1-2gids=3",
		"uids=@0-9999-1;gids=0-0-1",
		"uids=0-1-;gids=0-0-1",
	};
	own_arena struct arena arena = { 0 };
	struct mnt_options m = PARSE(&arena, "bind", "idmap=uids=@1-3-10#20-30-40;gids=0-100-10");
	struct id_maps uids, gids;

	ck_assert(m.idmap && !m.ridmap);
	ck_assert_int_eq(mnt_idmap_parse(m.idmap_maps, &maps, &maps, &arena, &uids, &gids, NULL),
			 0);
	ck_assert_uint_eq(uids.n, 2);
	ck_assert_uint_eq(uids.v[0].inside, 1);
	ck_assert_uint_eq(uids.v[0].outside, 4); /* as in crun(1) */
	ck_assert_uint_eq(uids.v[0].count, 10);
	ck_assert_uint_eq(uids.v[1].outside, 30);
	ck_assert_uint_eq(gids.n, 1);
	ck_assert_uint_eq(gids.v[0].outside, 100);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_msg(mnt_idmap_parse(bad[i], &maps, &maps, &arena, &uids, &gids, NULL) ==
				      -EINVAL,
			      "%s", bad[i]);
	m = PARSE(&arena, "ridmap=uids=0-0-1;gids=0-0-1");
	ck_assert(m.ridmap);
}
END_TEST

START_TEST(targets_on_proc)
{
	static const char *const allowed[] = { "/x", "/proc/cpuinfo",
					       "/proc/sys/kernel/ns_last_pid", "/process", "/sys" };
	static const char *const refused[] = {
		"/", "", "/proc/1", "/proc/sys", "/proc/cpuinfo/x", "/proc"
	};

	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		ck_assert_msg(mnt_target_allowed(allowed[i], false, NULL) == 0, "%s", allowed[i]);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		ck_assert_msg(mnt_target_allowed(refused[i], false, NULL) < 0, "%s", refused[i]);
	ck_assert_int_eq(mnt_target_allowed("/proc", true, NULL), 0);
	ck_assert_int_lt(mnt_target_allowed("/proc/1", true, NULL), 0);
}
END_TEST

START_TEST(lines_of_mountinfo)
{
	char text[] = "36 35 98:0 /a\\040b /mnt\\134x rw - ext3 /dev/root rw,errors=continue\n"
		      "garbage\n"
		      "1 2 0:3 / /sys/fs/cgroup/cpu rw master:1 shared:2 - cgroup cgroup rw,cpu\n";
	char *rest = text;
	struct mountinfo m;

	ck_assert_int_eq(mountinfo_next(&rest, &m), 1);
	ck_assert_str_eq(m.root, "/a b");
	ck_assert_str_eq(m.target, "/mnt\\x");
	ck_assert_str_eq(m.type, "ext3");
	ck_assert_int_eq(mountinfo_next(&rest, &m), 1);
	ck_assert_str_eq(m.target, "/sys/fs/cgroup/cpu");
	ck_assert_str_eq(m.super_options, "rw,cpu");
	ck_assert_int_eq(mountinfo_next(&rest, &m), 0);
}
END_TEST

START_TEST(every_known_name_parses)
{
	own_arena struct arena arena = { 0 };
	size_t count;
	const char *const *names = mnt_option_names(&count);
	bool rro = false;

	ck_assert_uint_gt(count, 40);
	for (size_t i = 0; i < count; i++) {
		char word[32];
		struct mnt_options m;

		(void)snprintf(word, sizeof(word), "%s", names[i]);
		m = PARSE(&arena, word);
		ck_assert_msg(m.data.n <= 1, "%s", word);
		rro |= strcmp(word, "rro") == 0;
	}
	ck_assert(rro); /* engines ask `features` for it */
}
END_TEST

START_TEST(namespace_table_round_trips)
{
	for (enum ns_kind k = 0; k < NS_KINDS; k++) {
		uint64_t value = NS_KINDS;

		ck_assert_int_eq(name_value(ns_names, ns_table[k].oci, &value), 0);
		ck_assert_uint_eq(value, k);
		ck_assert_uint_ne(ns_table[k].flag, 0);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("namespaces/options");
	TCase *t = tcase_create("options");
	SRunner *sr;
	int failed;

	tcase_add_test(t, later_overrides_earlier);
	tcase_add_test(t, access_times_are_one_field);
	tcase_add_test(t, kinds);
	tcase_add_test(t, the_rest_is_data);
	tcase_add_loop_test(t, binds_have_the_flags_that_were_named, 0, (int)ARRAY_SIZE(binds));
	tcase_add_test(t, mapping_in_an_option);
	tcase_add_test(t, targets_on_proc);
	tcase_add_test(t, lines_of_mountinfo);
	tcase_add_test(t, every_known_name_parses);
	tcase_add_test(t, namespace_table_round_trips);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
