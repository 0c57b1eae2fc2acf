/* SPDX-License-Identifier: Apache-2.0 */
/* config.json: decoding, encoding, and the rules that it must fulfil. */
#include "runtime/spec/spec.h"

#include "base/file.h"
#include "base/own.h"
#include "namespaces/ns.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static struct arena arena;

/* The smallest config that may start. */
static const char minimal[] = "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"},"
			      "\"process\":{\"cwd\":\"/\",\"args\":[\"sh\"]},"
			      "\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"uts\"},"
			      "{\"type\":\"ipc\"}]}}";

static json_t *parse(const char *text)
{
	struct err e = { 0 };
	json_t *doc = NULL;

	ck_assert_msg(js_read_text(text, strlen(text), "test", &doc, &e) == 0, "%s", e.msg);
	return doc;
}

/* A value of any type, read as config.json is read. */
static json_t *value_of(const char *text)
{
	own_json json_t *list = parse(arena_printf(&arena, "[%s]", text));

	return json_incref(json_array_get(list, 0));
}

/* Decode and check @minimal with one value of it replaced. */
static int with(const char *path, const char *text, struct err *e)
{
	own_json json_t *doc = parse(minimal), *value = value_of(text);
	struct spec spec = { 0 };
	int r;

	ck_assert_int_eq(js_set_at(doc, path, value), 0);
	r = spec_decode(doc, "test", &arena, &spec, e);
	return r < 0 ? r : spec_check(&spec, e);
}

#define USERNS(maps) "{\"namespaces\":[{\"type\":\"user\"}]," maps "}"
#define MAP(c, h, n) "{\"containerID\":" #c ",\"hostID\":" #h ",\"size\":" #n "}"

/* clang-format off */
static const struct {
	const char *path, *json;
	const char *issue; /* how the message begins; NULL: it is fine */
	int code;
} cases[] = {
	{ "ociVersion",	    "\"1.3.0\"",		NULL, 0 },
	{ "ociVersion",	    "\"1.0.2-dev\"",		NULL, 0 },
	{ "ociVersion",	    "\"2.0.0\"",		"ociVersion:", -EINVAL },
	{ "ociVersion",	    "\"1.\"",			"ociVersion:", -EINVAL },
	{ "ociVersion",	    "\"0.9.0\"",		"ociVersion:", -EINVAL },
	{ "ociVersion",	    "null",			"test: ociVersion:", -EINVAL },
	{ "ociVersion",	    "1",			"test: ociVersion:", -EINVAL },
	{ "unknown",	    "{\"a\":[1]}",		NULL, 0 },
	{ "windows",	    "{}",			NULL, 0 },
	{ "root",	    "null",			"root.path:", -EINVAL },
	{ "root",	    "{}",			"test: root.path:", -EINVAL },
	{ "root.path",	    "\"\"",			"root.path:", -EINVAL },
	{ "root.readonly",  "\"yes\"",			"test: root.readonly:", -EINVAL },
	{ "process",	    "null",			"process:", -EINVAL },
	{ "process.args",   "null",			"process.args:", -EINVAL },
	{ "process.args",   "[]",			"process.args:", -EINVAL },
	{ "process.args",   "[1]",			"test: process.args[0]:", -EINVAL },
	{ "process.cwd",    "\"\"",			"process.cwd:", -EINVAL },
	{ "process.cwd",    "\"tmp\"",			"process.cwd:", -EINVAL },
	{ "process.env",    "null",			NULL, 0 },
	{ "process.env",    "[\"A=b\",\"c\"]",		NULL, 0 },
	{ "process.consoleSize", "{\"height\":25,\"width\":80}", NULL, 0 },
	{ "process.consoleSize", "{\"height\":25}",	"test: process.consoleSize.width:", -EINVAL },
	{ "process.consoleSize", "{\"height\":65536,\"width\":80}", "process.consoleSize:", -EINVAL },
	{ "process.user.uid", "4294967294",		NULL, 0 },
	{ "process.user.uid", "4294967295",		"process.user.uid:", -EINVAL },
	{ "process.user.uid", "4294967296",		"test: process.user.uid:", -EINVAL },
	{ "process.user.uid", "-1",			"test: process.user.uid:", -EINVAL },
	{ "process.user.uid", "\"0\"",			"test: process.user.uid:", -EINVAL },
	{ "process.user.gid", "4294967295",		"process.user.gid:", -EINVAL },
	{ "process.user.additionalGids", "[5,4294967295]", "process.user.additionalGids[1]:", -EINVAL },
	{ "process.user.additionalGids", "[5,-1]",	"test: process.user.additionalGids[1]:", -EINVAL },
	{ "process.user.umask", "18",			NULL, 0 },
	{ "process.user.umask", "512",			"process.user.umask:", -EINVAL },
	{ "process.oomScoreAdj", "-1000",		NULL, 0 },
	{ "process.oomScoreAdj", "-1001",		"process.oomScoreAdj:", -EINVAL },
	{ "process.oomScoreAdj", "1001",		"process.oomScoreAdj:", -EINVAL },
	{ "process.capabilities", "{}",			NULL, 0 },
	{ "process.capabilities", "{\"bounding\":[\"CAP_KILL\"],\"effective\":null}", NULL, 0 },
	{ "process.capabilities", "{\"bounding\":[\"CAP_KIL\"]}", NULL, 0 },
	{ "process.capabilities", "{\"effective\":[\"CAP_KILL\"]}", NULL, 0 },
	{ "process.capabilities", "{\"permitted\":[\"CAP_KILL\"],\"ambient\":[\"CAP_KILL\"]}", NULL, 0 },
	{ "process.capabilities", "{\"permitted\":[\"CAP_KILL\"],\"inheritable\":[\"CAP_KILL\"],"
				  "\"ambient\":[\"CAP_KILL\"]}", NULL, 0 },
	{ "process.rlimits", "[{\"type\":\"RLIMIT_NOFILE\",\"soft\":1,\"hard\":18446744073709551615}]", NULL, 0 },
	{ "process.rlimits", "[{\"type\":\"RLIMIT_NOFILE\",\"soft\":2,\"hard\":1}]",
							"process.rlimits[0].soft:", -EINVAL },
	{ "process.rlimits", "[{\"type\":\"RLIMIT_FILES\",\"soft\":1,\"hard\":1}]",
							"process.rlimits[0].type:", -EINVAL },
	{ "process.rlimits", "[{\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":1},"
			     "{\"type\":\"RLIMIT_CPU\",\"soft\":2,\"hard\":2}]",
							"process.rlimits[1].type:", -EINVAL },
	{ "process.rlimits", "[{\"type\":\"RLIMIT_CPU\"}]", "test: process.rlimits[0].soft:", -EINVAL },
	{ "mounts",	    "[{\"destination\":\"proc\",\"type\":\"proc\"}]", NULL, 0 },
	{ "mounts",	    "[{\"destination\":\"\"}]",	"mounts[0].destination:", -EINVAL },
	{ "mounts",	    "[{}]",			"test: mounts[0].destination:", -EINVAL },
	{ "mounts",	    "[7]",			"test: mounts[0]:", -EINVAL },
	{ "mounts",	    "[{\"destination\":\"/x\",\"options\":[\"\"],\"uidMappings\":null}]", NULL, 0 },
	{ "hostname",	    "\"box\"",			NULL, 0 },
	{ "hostname",	    "\"1234567890123456789012345678901234567890123456789012345678901234\"", NULL, 0 },
	{ "hostname",	    "\"12345678901234567890123456789012345678901234567890123456789012345\"",
							"hostname:", -EINVAL },
	{ "domainname",	    "\"lan\"",			NULL, 0 },
	/* namespaces */
	{ "linux",	    "null",			NULL, 0 },
	{ "linux.namespaces", "[]",			NULL, 0 },
	{ "linux.namespaces", "[{\"type\":\"pid\",\"path\":\"/proc/1/ns/pid\"}]", NULL, 0 },
	{ "linux.namespaces", "[{\"type\":\"pid\",\"path\":\"\"}]", NULL, 0 },
	{ "linux.namespaces", "[{\"type\":\"pid\"},{\"type\":\"pid\",\"path\":\"/x\"}]",
							"linux.namespaces[1].type:", -EINVAL },
	{ "linux.namespaces", "[{\"type\":\"pid\",\"path\":\"x\"}]", "linux.namespaces[0].path:", -EINVAL },
	{ "linux.namespaces", "[{\"type\":\"net\"}]",	"test: linux.namespaces[0].type:", -EINVAL },
	{ "linux",	    "{\"uidMappings\":[" MAP(0, 0, 1) "]}", "linux.uidMappings:", -EINVAL },
	{ "linux",	    USERNS("\"uidMappings\":[" MAP(0, 0, 1) "]"), "linux.gidMappings:", -EINVAL },
	{ "linux",	    "{\"namespaces\":[{\"type\":\"user\"}]}", "linux.uidMappings:", -EINVAL },
	{ "linux",	    "{\"namespaces\":[{\"type\":\"user\",\"path\":\"/u\"}]}", NULL, 0 },
	{ "linux",	    "{\"namespaces\":[{\"type\":\"user\",\"path\":\"/u\"}],\"uidMappings\":[" MAP(0, 0, 1) "]}", NULL, 0 },
	{ "linux",	    USERNS("\"uidMappings\":[" MAP(0, 100000, 65536) "],\"gidMappings\":[" MAP(0, 0, 1) "," MAP(1, 1, 1) "]"), NULL, 0 },
	{ "linux",	    USERNS("\"uidMappings\":[" MAP(0, 0, 2) "," MAP(1, 9, 1) "],\"gidMappings\":[" MAP(0, 0, 1) "]"),
							"linux.uidMappings[1]:", -EINVAL },
	{ "linux",	    USERNS("\"uidMappings\":[" MAP(0, 5, 1) "],\"gidMappings\":[" MAP(0, 5, 9) "," MAP(10, 1, 5) "]"),
							"linux.gidMappings[1]:", -EINVAL },
	{ "linux",	    USERNS("\"uidMappings\":[" MAP(0, 5, 0) "],\"gidMappings\":[" MAP(0, 5, 9) "]"),
							"linux.uidMappings[0].size:", -EINVAL },
	{ "linux",	    USERNS("\"uidMappings\":[" MAP(0, 4294967294, 1) "],\"gidMappings\":[" MAP(0, 5, 9) "]"), NULL, 0 },
	{ "linux",	    USERNS("\"uidMappings\":[" MAP(0, 4294967294, 2) "],\"gidMappings\":[" MAP(0, 5, 9) "]"),
							"linux.uidMappings[0].size:", -EINVAL },
	{ "linux",	    "{\"timeOffsets\":{\"boottime\":{\"secs\":1}}}", "linux.timeOffsets:", -EINVAL },
	{ "linux",	    "{\"namespaces\":[{\"type\":\"time\"}],\"timeOffsets\":{\"boottime\":{\"secs\":-1,\"nanosecs\":5}}}", NULL, 0 },
	{ "linux.timeOffsets", "{\"monotonic\":{\"nanosecs\":1000000000}}", "test: linux.timeOffsets.monotonic.nanosecs:", -EINVAL },
	/* devices and paths */
	{ "linux.devices",  "[{\"path\":\"/dev/fuse\",\"type\":\"c\",\"major\":10,\"minor\":229,\"fileMode\":8630,\"uid\":0}]", NULL, 0 },
	{ "linux.devices",  "[{\"path\":\"/dev/p\",\"type\":\"p\"}]", NULL, 0 },
	{ "linux.devices",  "[{\"path\":\"dev/p\",\"type\":\"p\"}]", "linux.devices[0].path:", -EINVAL },
	{ "linux.devices",  "[{\"path\":\"/dev/p\",\"type\":\"x\"}]", "test: linux.devices[0].type:", -EINVAL },
	{ "linux.devices",  "[{\"path\":\"/dev/p\",\"type\":\"cc\"}]", "test: linux.devices[0].type:", -EINVAL },
	{ "linux.devices",  "[{\"path\":\"/dev/p\",\"type\":\"b\",\"major\":4096}]", "linux.devices[0]:", -EINVAL },
	{ "linux.devices",  "[{\"path\":\"/dev/p\",\"type\":\"u\",\"major\":-1}]", "linux.devices[0]:", -EINVAL },
	{ "linux.devices",  "[{\"path\":\"/dev/p\",\"type\":\"p\",\"gid\":4294967295}]", "linux.devices[0]:", -EINVAL },
	{ "linux.maskedPaths", "[\"/proc/kcore\"]",	NULL, 0 },
	{ "linux.maskedPaths", "[\"proc/kcore\"]",	"linux.maskedPaths[0]:", -EINVAL },
	{ "linux.readonlyPaths", "[\"/a\",\"\"]",	"linux.readonlyPaths[1]:", -EINVAL },
	{ "linux.rootfsPropagation", "\"rslave\"",	NULL, 0 },
	{ "linux.rootfsPropagation", "\"\"",		NULL, 0 },
	{ "linux.rootfsPropagation", "\"slaves\"",	"test: linux.rootfsPropagation:", -EINVAL },
	{ "linux.cgroupsPath", "\"/a/b..c/..d\"",	NULL, 0 },
	{ "linux.cgroupsPath", "\"machine.slice:libpod:1\"", NULL, 0 },
	{ "linux.cgroupsPath", "\"../x\"",		"linux.cgroupsPath:", -EINVAL },
	{ "linux.cgroupsPath", "\"/a/..\"",		"linux.cgroupsPath:", -EINVAL },
	/* sysctls by namespace */
	{ "linux.sysctl",   "{\"kernel.shmmax\":\"1\",\"fs.mqueue.msg_max\":\"1\",\"kernel.domainname\":\"x\"}", NULL, 0 },
	{ "linux.sysctl",   "{\"kernel/shmmax\":\"1\"}", NULL, 0 },
	{ "linux.sysctl",   "{\"net.ipv4.ip_forward\":\"1\"}", "linux.sysctl: 'net.ipv4.ip_forward' needs a network", -EINVAL },
	{ "linux.sysctl",   "{\"user.max_mnt_namespaces\":\"1\"}", "linux.sysctl: 'user.max_mnt_namespaces' needs a user", -EINVAL },
	{ "linux.sysctl",   "{\"kernel.core_pattern\":\"|/x\"}", "linux.sysctl: 'kernel.core_pattern' belongs", -EINVAL },
	{ "linux.sysctl",   "{\"vm.overcommit_memory\":\"1\"}", "linux.sysctl:", -EINVAL },
	{ "linux.sysctl",   "{\"kernel.shmmaxx\":\"1\"}", "linux.sysctl:", -EINVAL },
	{ "linux.sysctl",   "{\"kernel/shmmax/../core_pattern\":\"1\"}", "linux.sysctl:", -EINVAL },
	{ "linux.sysctl",   "{\"fs/mqueue/../../kernel/core_pattern\":\"1\"}", "linux.sysctl:", -EINVAL },
	{ "linux.sysctl",   "{\"fs.mqueue./../core_pattern\":\"1\"}", "linux.sysctl:", -EINVAL },
	{ "linux.sysctl",   "{\"fs.mqueue.\":\"1\"}",	"linux.sysctl:", -EINVAL },
	{ "linux.sysctl",   "{\"\":\"1\"}",		"linux.sysctl:", -EINVAL },
	{ "linux.sysctl",   "{\"fs.mqueue.a+b\":\"1\"}", "linux.sysctl:", -EINVAL },
	{ "linux.sysctl",   "{\"fs.mqueue.a\":1}",	"test: linux.sysctl[\"fs.mqueue.a\"]:", -EINVAL },
	/* seccomp */
	{ "linux.seccomp",  "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"/s\"}", NULL, 0 },
	{ "linux.seccomp",  "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerMetadata\":\"m\"}",
							"linux.seccomp.listenerMetadata:", -EINVAL },
	{ "linux.seccomp",  "{\"defaultAction\":\"SCMP_ACT_NOTIFY\",\"listenerPath\":\"/s\"}", "linux.seccomp.defaultAction:", -EINVAL },
	{ "linux.seccomp",  "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"mkdir\"],\"action\":\"SCMP_ACT_NOTIFY\"}]}",
							"linux.seccomp.listenerPath:", -EINVAL },
	{ "linux.seccomp",  "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"/s\",\"syscalls\":[{\"names\":[\"mkdir\"],\"action\":\"SCMP_ACT_NOTIFY\"}]}",
							NULL, 0 },
	{ "linux.seccomp",  "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"/s\",\"syscalls\":[{\"names\":[\"read\",\"write\"],\"action\":\"SCMP_ACT_NOTIFY\"}]}",
							"linux.seccomp.syscalls[0]: SCMP_ACT_NOTIFY cannot be used for the write syscall", -EINVAL },
	{ "linux.seccomp",  "{}",			"test: linux.seccomp.defaultAction:", -EINVAL },
	{ "linux.seccomp",  "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[],\"action\":\"SCMP_ACT_LOG\"}]}",
							"test: linux.seccomp.syscalls[0].names:", -EINVAL },
	/* not there yet, by path */
	{ "hooks",	    "{}",			NULL, 0 },
	{ "hooks",	    "{\"prestart\":[],\"poststop\":null}", NULL, 0 },
	{ "hooks",	    "{\"prestart\":[{\"path\":\"/h\",\"timeout\":0}]}", "test: hooks.prestart[0].timeout:", -EINVAL },
	{ "hooks",	    "{\"prestart\":[{}]}",	"test: hooks.prestart[0].path:", -EINVAL },
	{ "hooks",	    "{\"prestart\":[{\"path\":\"h\"}]}", "hooks.prestart[0].path:", -EINVAL },
	{ "hooks",	    "{\"createRuntime\":[{\"path\":\"h\"}]}", "hooks.createRuntime[0].path:", -EINVAL },
	{ "hooks",	    "{\"createContainer\":[{\"path\":\"h\"}]}", "hooks.createContainer[0].path:", -EINVAL },
	{ "hooks",	    "{\"startContainer\":[{\"path\":\"h\"}]}", "hooks.startContainer[0].path:", -EINVAL },
	{ "hooks",	    "{\"poststart\":[{\"path\":\"h\"}]}", "hooks.poststart[0].path:", -EINVAL },
	{ "hooks",	    "{\"poststop\":[{\"path\":\"h\"}]}", "hooks.poststop[0].path:", -EINVAL },
	{ "linux.netDevices", "{}",			NULL, 0 },
	{ "linux.netDevices", "{\"eth0\":{}}",		"linux.netDevices: needs a network namespace", -EINVAL },
	{ "linux.netDevices", "{\"eth0\":{\"name\":\"eth%d\"}}", "linux.netDevices: needs a network namespace", -EINVAL },
	{ "linux.netDevices", "{\"eth%d\":{}}",	"linux.netDevices: 'eth%d'", -EINVAL },
	{ "linux.netDevices", "{\"sixteen-letters-\":{}}", "linux.netDevices: 'sixteen", -EINVAL },
	{ "linux.netDevices", "{\"eth0\":{\"name\":\"a/b\"}}", "linux.netDevices.eth0.name:", -EINVAL },
	{ "linux.netDevices", "{\"eth0\":{\"name\":\"a%d%d\"}}", "linux.netDevices.eth0.name:", -EINVAL },
	{ "linux.netDevices", "{\"eth0\":{\"name\":23}}", "test: linux.netDevices.eth0.name:", -EINVAL },
	{ "linux.netDevices", "{\"eth0\":1}",		"test: linux.netDevices.eth0:", -EINVAL },
	{ "linux.intelRdt", "{\"closID\":\"x\"}",	"linux.intelRdt:", -ENOTSUP },
	{ "linux.memoryPolicy", "{\"mode\":\"MPOL_BIND\",\"nodes\":\"0\"}", NULL, 0 },
	{ "linux.personality", "{\"domain\":\"LINUX\"}", NULL, 0 },
	{ "linux.personality", "{\"domain\":\"LINUX32\"}", NULL, 0 },
	{ "linux.personality", "{\"domain\":\"LINUX\",\"flags\":[\"x\"]}", "linux.personality.flags:", -EINVAL },
	{ "linux.personality", "{\"domain\":\"SVR4\"}",	"test: linux.personality.domain:", -EINVAL },
	{ "linux.resources.rdma", "{\"mlx5_1\":{\"hcaHandles\":3}}", NULL, 0 },
	{ "linux.resources.rdma", "{\"mlx5_1\":{\"hcaHandles\":\"3\"}}", "test: linux.resources.rdma.mlx5_1.hcaHandles:", -EINVAL },
	{ "linux.resources.network", "{\"classID\":1}",	NULL, 0 },
	{ "linux.resources.network", "{\"priorities\":[{\"name\":\"eth0\",\"priority\":1}]}", NULL, 0 },
	{ "linux.resources.network", "{\"classID\":0,\"priorities\":[]}", NULL, 0 },
	{ "process.apparmorProfile", "\"unconfined\"",	NULL, 0 },
	{ "process.apparmorProfile", "\"\"",		NULL, 0 },
	{ "process.apparmorProfile", "\"docker-default\"", NULL, 0 },
	{ "process.selinuxLabel", "\"a:b:c\"",		NULL, 0 },
	{ "process.scheduler", "{\"policy\":\"SCHED_FIFO\",\"priority\":5}", NULL, 0 },
	{ "process.scheduler", "{\"policy\":\"FIFO\"}",	"test: process.scheduler.policy:", -EINVAL },
	{ "process.scheduler", "{\"policy\":\"SCHED_RR\",\"flags\":[\"SCHED_FLAG_RECLAIM\",\"y\"]}", "test: process.scheduler.flags[1]:", -EINVAL },
	{ "process.ioPriority", "{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":4}", NULL, 0 },
	{ "process.ioPriority", "{\"class\":\"BE\"}",	"test: process.ioPriority.class:", -EINVAL },
	{ "process.execCPUAffinity", "{\"initial\":\"0\"}", NULL, 0 },
	{ "process.execCPUAffinity", "{\"initial\":\"\"}", NULL, 0 },
};
/* clang-format on */

START_TEST(test_case)
{
	struct err e = { 0 };
	int r = with(cases[_i].path, cases[_i].json, &e);

	ck_assert_msg(r == cases[_i].code, "%s = %s: %d, %s", cases[_i].path, cases[_i].json, r,
		      e.msg);
	if (cases[_i].issue)
		ck_assert_msg(strncmp(e.msg, cases[_i].issue, strlen(cases[_i].issue)) == 0, "%s",
			      e.msg);
}
END_TEST

START_TEST(test_names_need_uts)
{
	struct err e = { 0 };
	own_json json_t *doc = parse("{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"/r\"},"
				     "\"hostname\":\"x\",\"process\":{\"cwd\":\"/\","
				     "\"args\":[\"sh\"]}}");
	struct spec spec = { 0 };

	ck_assert_int_eq(spec_decode(doc, "test", &arena, &spec, &e), 0);
	ck_assert(!spec.linux_.has_resources);
	ck_assert_int_eq(spec_check(&spec, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "hostname: needs a uts namespace"));
}
END_TEST

/* Every field, as golden text: nothing may be lost or changed on the way through the struct. */
START_TEST(test_round_trip)
{
	own_json json_t *doc = NULL, *again = NULL;
	struct spec spec = { 0 };
	struct err e = { 0 };

	ck_assert_msg(js_read_file(AT_FDCWD, TEST_DATA "/oci-full.config.json", 1 << 20, "golden",
				   &doc, &e) == 0,
		      "%s", e.msg);
	ck_assert_msg(spec_decode(doc, "golden", &arena, &spec, &e) == 0, "%s", e.msg);
	again = spec_encode(&spec);
	ck_assert_ptr_nonnull(again);
	if (!json_equal(doc, again)) {
		own_free char *text = json_dumps(again, JSON_INDENT(2) | JSON_SORT_KEYS);

		ck_abort_msg("%s", text);
	}

	ck_assert_str_eq(spec.hostname, "box");
	ck_assert_uint_eq(spec.process->user.additional_gids.v[1], 10);
	ck_assert_uint_eq(((struct spec_rlimit *)spec.process->rlimits.v)[0].hard, UINT64_MAX);
	ck_assert_uint_eq(((struct spec_namespace *)spec.linux_.namespaces.v)[1].kind, NS_NET);
	ck_assert_str_eq(((struct spec_namespace *)spec.linux_.namespaces.v)[1].path,
			 "/run/netns/x");
	ck_assert_int_eq(spec.linux_.time_offsets.boottime->secs, -5);
	ck_assert_uint_eq(((struct spec_hook *)spec.hooks.poststop.v)[0].timeout.v, 3);
	ck_assert(spec.linux_.has_resources);
	ck_assert_uint_eq(spec.linux_.seccomp->flags.n, 2);
}
END_TEST

/* Each table row is in the golden text, so that a new field cannot be forgotten there. */
static void all_keys(const struct js_object *type, json_t *object)
{
	for (const struct js_field *f = type->fields; f->key; f++) {
		json_t *value = json_object_get(object, f->key);

		ck_assert_msg(value != NULL, "%s.%s", type->name, f->key);
		if (f->kind == JS_LIST)
			value = json_array_get(value, 0);
		if (f->sub)
			all_keys(f->sub, value);
	}
}

START_TEST(test_golden_is_complete)
{
	own_json json_t *doc = NULL;

	ck_assert_int_eq(js_read_file(AT_FDCWD, TEST_DATA "/oci-full.config.json", 1 << 20,
				      "golden", &doc, NULL),
			 0);
	all_keys(&spec_type, doc);
}
END_TEST

/* What absent and empty mean for seccomp flags, which runc made part of the contract. */
START_TEST(test_seccomp_flags)
{
	static const struct {
		const char *text;
		size_t n;
	} forms[] = {
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}", 1 },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":null}", 1 },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[]}", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		own_json json_t *doc = parse(forms[i].text), *again = NULL;
		struct js_issues issues = { .arena = &arena };
		struct spec_seccomp seccomp = { 0 }, twice = { 0 };

		ck_assert_int_eq(js_decode(&spec_seccomp_type, doc, &seccomp, &issues), 0);
		ck_assert_uint_eq(seccomp.flags.n, forms[i].n);
		again = js_encode(&spec_seccomp_type, &seccomp);
		ck_assert_int_eq(js_decode(&spec_seccomp_type, again, &twice, &issues), 0);
		ck_assert_uint_eq(twice.flags.n, forms[i].n);
	}
}
END_TEST

START_TEST(test_check_process)
{
	char *args[] = { (char[]){ "true" } };
	struct spec_process p = { .cwd = (char[]){ "/" }, .args = { args, 1 } };
	struct err e = { 0 };

	ck_assert_int_eq(spec_check_process(&p, &e), 0);
	p.args.n = 0;
	ck_assert_int_eq(spec_check_process(&p, &e), -EINVAL);
}
END_TEST

static char dir_name[] = "/tmp/ctr-spec-XXXXXX";

static int load_text(int dir, const char *text, size_t len, struct spec *spec, json_t **doc,
		     struct err *e)
{
	ck_assert_int_eq(file_replace(dir, "config.json", text, len, 0600, FILE_NOSYNC), 0);
	return spec_load(dir, "config.json", &arena, spec, doc, e);
}

START_TEST(test_load)
{
	own_fd int dir = -EBADF;
	own_free char *big = NULL;
	own_json json_t *doc = NULL;
	struct spec spec = { 0 };
	struct err e = { 0 };

	ck_assert_ptr_nonnull(mkdtemp(dir_name));
	dir = open(dir_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(spec_load(dir, "config.json", &arena, &spec, &doc, &e), -ENOENT);
	ck_assert_int_eq(load_text(dir, "", 0, &spec, &doc, &e), -EINVAL);
	ck_assert_int_eq(load_text(dir, "[]", 2, &spec, &doc, &e), -EINVAL);
	ck_assert_int_eq(load_text(dir, "{\"ociVersion\"", 13, &spec, &doc, &e), -EINVAL);
	ck_assert_int_eq(load_text(dir, "{\"ociVersion\":\"1.0.0\",\"ociVersion\":\"1.0.0\"}", 43,
				   &spec, &doc, &e),
			 -EINVAL);
	ck_assert_ptr_null(doc);
	big = malloc(5 << 20);
	ck_assert_ptr_nonnull(big);
	memset(big, ' ', 5 << 20);
	memcpy(big, minimal, strlen(minimal));
	ck_assert_int_eq(load_text(dir, big, 5 << 20, &spec, &doc, &e), -EFBIG);
	ck_assert_msg(load_text(dir, minimal, strlen(minimal), &spec, &doc, &e) == 0, "%s", e.msg);
	ck_assert_str_eq(spec.root->path, "rootfs");
	ck_assert_ptr_nonnull(doc);
	ck_assert_int_eq(unlinkat(dir, "config.json", 0), 0);
	ck_assert_int_eq(mkfifoat(dir, "config.json", 0600), 0);
	ck_assert_int_lt(spec_load(dir, "config.json", &arena, &spec, &doc, &e), 0);
	ck_assert_int_eq(unlinkat(dir, "config.json", 0), 0);
	ck_assert_int_eq(rmdir(dir_name), 0);
}
END_TEST

static bool has_string(json_t *array, const char *s)
{
	size_t i;
	json_t *value;

	json_array_foreach(array, i, value)
		if (strcmp(json_string_value(value), s) == 0)
			return true;
	return false;
}

START_TEST(test_features)
{
	const char *const options[] = { "ro", "rro" };
	own_json json_t *doc = spec_features(options, 2);
	json_t *seccomp;

	ck_assert_ptr_nonnull(doc);
	ck_assert_str_eq(json_string_value(js_get_at(doc, "ociVersionMin")), "1.0.0");
	ck_assert(has_string(js_get_at(doc, "mountOptions"), "rro"));
	ck_assert_uint_eq(json_array_size(js_get_at(doc, "linux.namespaces")), NS_KINDS);
	ck_assert(has_string(js_get_at(doc, "linux.capabilities"), "CAP_CHECKPOINT_RESTORE"));
	ck_assert(json_is_true(js_get_at(doc, "linux.cgroup.v2")));
	ck_assert(json_is_true(js_get_at(doc, "linux.cgroup.systemd")));
	seccomp = js_get_at(doc, "linux.seccomp");
	ck_assert(json_is_true(json_object_get(seccomp, "enabled")));
	ck_assert(has_string(json_object_get(seccomp, "archs"), "SCMP_ARCH_RISCV64"));
	ck_assert_uint_eq(json_array_size(json_object_get(seccomp, "knownFlags")), 4);
	ck_assert(has_string(json_object_get(seccomp, "supportedFlags"),
			     "SECCOMP_FILTER_FLAG_TSYNC"));
	/* the same truth as spec_check() */
	ck_assert_int_eq(json_is_true(js_get_at(doc, "linux.mountExtensions.idmap.enabled")),
			 spec_implements("mounts.uidMappings"));
	ck_assert_int_eq(json_is_true(js_get_at(doc, "linux.netDevices.enabled")),
			 spec_implements("linux.netDevices"));
	ck_assert(has_string(js_get_at(doc, "hooks"), "poststop"));
	ck_assert(spec_implements("process.rlimits"));
}
END_TEST

static void teardown(void)
{
	arena_done(&arena);
}

int main(void)
{
	Suite *suite = suite_create("spec");
	TCase *tcase = tcase_create("spec");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_loop_test(tcase, test_case, 0, (int)ARRAY_SIZE(cases));
	tcase_add_test(tcase, test_names_need_uts);
	tcase_add_test(tcase, test_round_trip);
	tcase_add_test(tcase, test_golden_is_complete);
	tcase_add_test(tcase, test_seccomp_flags);
	tcase_add_test(tcase, test_check_process);
	tcase_add_test(tcase, test_load);
	tcase_add_test(tcase, test_features);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
