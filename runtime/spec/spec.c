/* SPDX-License-Identifier: Apache-2.0 */
/* config.json by field tables (runtime-spec 1.3: schema/config-schema.json, config-linux.json). */
#include "runtime/spec/spec.h"

#include "base/own.h"
#include "namespaces/ns.h"
#include "runtime/process/sched.h"

#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>

enum { CONFIG_BYTES_MAX = 4 << 20 };

/* Objects are open: "runtimes MUST ignore unknown properties". null counts as absent wherever a
 * key is optional, since producers written in Go emit it for empty lists and pointers. */
#define OPT(key_, kind_, type, member)                                \
	{                                                             \
		.key = (key_), .kind = (kind_), .flags = JS_NULLABLE, \
		.offset = offsetof(struct type, member)               \
	}
#define REQ(key_, kind_, type, member)                                \
	{                                                             \
		.key = (key_), .kind = (kind_), .flags = JS_REQUIRED, \
		.offset = offsetof(struct type, member)               \
	}
#define SUB(key_, kind_, type, member, sub_)                            \
	{                                                               \
		.key = (key_), .kind = (kind_), .flags = JS_NULLABLE,   \
		.offset = offsetof(struct type, member), .sub = &(sub_) \
	}
#define CHECKED(key_, kind_, type, member, check_)                         \
	{                                                                  \
		.key = (key_), .kind = (kind_), .flags = JS_NULLABLE,      \
		.offset = offsetof(struct type, member), .check = (check_) \
	}
#define WORD(key_, type, member, names_)                                   \
	{                                                                  \
		.key = (key_), .kind = JS_ENUM, .flags = JS_REQUIRED,      \
		.offset = offsetof(struct type, member), .names = (names_) \
	}
#define NUMBER(key_, kind_, type, member, max_)                        \
	{                                                              \
		.key = (key_), .kind = (kind_), .flags = JS_NULLABLE,  \
		.offset = offsetof(struct type, member), .max = (max_) \
	}
#define OBJECT(name_, type, rows)                                                            \
	{                                                                                    \
		.name = (name_), .size = sizeof(struct type), .fields = (rows), .open = true \
	}
#define END                 \
	{                   \
		.key = NULL \
	}

/* clang-format off */
const struct name spec_rlimit_names[] = {
	{ "RLIMIT_AS",	       RLIMIT_AS },
	{ "RLIMIT_CORE",       RLIMIT_CORE },
	{ "RLIMIT_CPU",	       RLIMIT_CPU },
	{ "RLIMIT_DATA",       RLIMIT_DATA },
	{ "RLIMIT_FSIZE",      RLIMIT_FSIZE },
	{ "RLIMIT_LOCKS",      RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK",    RLIMIT_MEMLOCK },
	{ "RLIMIT_MSGQUEUE",   RLIMIT_MSGQUEUE },
	{ "RLIMIT_NICE",       RLIMIT_NICE },
	{ "RLIMIT_NOFILE",     RLIMIT_NOFILE },
	{ "RLIMIT_NPROC",      RLIMIT_NPROC },
	{ "RLIMIT_RSS",	       RLIMIT_RSS },
	{ "RLIMIT_RTPRIO",     RLIMIT_RTPRIO },
	{ "RLIMIT_RTTIME",     RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
	{ "RLIMIT_STACK",      RLIMIT_STACK },
	{ NULL, 0 }
};
_Static_assert(ARRAY_SIZE(spec_rlimit_names) == RLIM_NLIMITS + 1, "a name for every rlimit");

static const struct name domains[] = {
	{ "LINUX",   PER_LINUX },
	{ "LINUX32", PER_LINUX32 },
	{ NULL, 0 }
};

/* The spec has the four plain ones; engines also pass what mount(8) calls recursive. */
static const struct name propagations[] = {
	{ "private", 0 }, { "rprivate", 0 }, { "shared", 0 }, { "rshared", 0 },
	{ "slave", 0 }, { "rslave", 0 }, { "unbindable", 0 }, { "runbindable", 0 },
	{ "", 0 },
	{ NULL, 0 }
};
static const struct name device_types[] = {
	{ "c", 0 }, { "b", 0 }, { "u", 0 }, { "p", 0 }, { NULL, 0 }
};
static const struct name rule_types[] = {
	{ "a", 0 }, { "b", 0 }, { "c", 0 }, { "", 0 }, { NULL, 0 }
};
/* clang-format on */

static void check_word(struct js_issues *issues, const struct js_where *where, const char *word,
		       const struct name *table)
{
	char allowed[320];
	uint64_t value;

	if (name_value(table, word, &value) < 0)
		js_issue(issues, where, "found \"%s\", allowed: %s", word,
			 name_list(table, allowed, sizeof(allowed)));
}

static void check_words(struct js_issues *issues, const struct js_where *where,
			const struct strv *words, const struct name *table)
{
	for (size_t i = 0; i < words->n; i++) {
		const struct js_where at = { .up = where, .index = i };

		check_word(issues, &at, words->v[i], table);
	}
}

static void check_scheduler_flags(struct js_issues *issues, const struct js_where *where,
				  const void *value)
{
	check_words(issues, where, value, sched_flags);
}

static void check_propagation(struct js_issues *issues, const struct js_where *where,
			      const void *value)
{
	check_word(issues, where, *(char *const *)value, propagations);
}

static void check_device_type(struct js_issues *issues, const struct js_where *where,
			      const void *value)
{
	check_word(issues, where, *(char *const *)value, device_types);
}

static void check_rule_type(struct js_issues *issues, const struct js_where *where,
			    const void *value)
{
	check_word(issues, where, *(char *const *)value, rule_types);
}

/* "2MB", "64KB", "1GB" */
static void check_page_size(struct js_issues *issues, const struct js_where *where,
			    const void *value)
{
	const char *s = *(char *const *)value;
	size_t digits = strspn(s, "0123456789");

	if (digits == 0 || s[0] == '0' || !s[digits] || !strchr("KMG", s[digits]) ||
	    strcmp(s + digits + 1, "B") != 0)
		js_issue(issues, where, "found \"%s\", allowed: a size such as \"2MB\"", s);
}

/* Objects whose keys are the user's: interfaces and RDMA devices. */
static void check_map(struct js_issues *issues, const struct js_where *where, json_t *map,
		      bool (*is_good)(const char *key, json_t *value), const char *allowed)
{
	const char *name, *key;
	json_t *entry, *value;

	if (!json_is_object(map)) {
		js_issue(issues, where, "allowed: an object of objects");
		return;
	}
	json_object_foreach(map, name, entry) {
		const struct js_where at = { .up = where, .key = name };

		if (!json_is_object(entry))
			js_issue(issues, &at, "allowed: an object");
		json_object_foreach(entry, key, value) {
			const struct js_where inside = { .up = &at, .key = key };

			if (!is_good(key, value))
				js_issue(issues, &inside, "allowed: %s", allowed);
		}
	}
}

static bool is_net_device(const char *key, json_t *value)
{
	return strcmp(key, "name") != 0 || json_is_string(value);
}

static void check_net_devices(struct js_issues *issues, const struct js_where *where,
			      const void *value)
{
	check_map(issues, where, *(json_t *const *)value, is_net_device, "a string");
}

static bool is_rdma(const char *key, json_t *value)
{
	if (strcmp(key, "hcaHandles") != 0 && strcmp(key, "hcaObjects") != 0)
		return true;
	return json_is_integer(value) && json_integer_value(value) >= 0 &&
	       json_integer_value(value) <= UINT32_MAX;
}

static void check_rdma(struct js_issues *issues, const struct js_where *where, const void *value)
{
	check_map(issues, where, *(json_t *const *)value, is_rdma,
		  "an integer from 0 to 4294967295");
}

/* clang-format off */
static const struct js_field id_map_fields[] = {
	REQ("containerID", JS_U32, spec_id_map, container_id),
	REQ("hostID",	   JS_U32, spec_id_map, host_id),
	REQ("size",	   JS_U32, spec_id_map, size),
	END
};
static const struct js_object id_map_type = OBJECT("IDMapping", spec_id_map, id_map_fields);

static const struct js_field root_fields[] = {
	REQ("path",	JS_STR,	 spec_root, path),
	OPT("readonly", JS_BOOL, spec_root, readonly),
	END
};
static const struct js_object root_type = OBJECT("root", spec_root, root_fields);

static const struct js_field mount_fields[] = {
	REQ("destination", JS_STR,  spec_mount, destination),
	OPT("type",	   JS_STR,  spec_mount, type),
	OPT("source",	   JS_STR,  spec_mount, source),
	OPT("options",	   JS_STRV, spec_mount, options),
	SUB("uidMappings", JS_LIST, spec_mount, uid_mappings, id_map_type),
	SUB("gidMappings", JS_LIST, spec_mount, gid_mappings, id_map_type),
	END
};
static const struct js_object mount_type = OBJECT("Mount", spec_mount, mount_fields);

static const struct js_field hook_fields[] = {
	REQ("path", JS_STR,  spec_hook, path),
	OPT("args", JS_STRV, spec_hook, args),
	OPT("env",  JS_STRV, spec_hook, env),
	{ .key = "timeout", .kind = JS_OPT_U64, .flags = JS_NULLABLE,
	  .offset = offsetof(struct spec_hook, timeout), .min = 1 },
	END
};
static const struct js_object hook_type = OBJECT("Hook", spec_hook, hook_fields);

static const struct js_field hooks_fields[] = {
	SUB("prestart",	       JS_LIST, spec_hooks, prestart,	      hook_type),
	SUB("createRuntime",   JS_LIST, spec_hooks, create_runtime,   hook_type),
	SUB("createContainer", JS_LIST, spec_hooks, create_container, hook_type),
	SUB("startContainer",  JS_LIST, spec_hooks, start_container,  hook_type),
	SUB("poststart",       JS_LIST, spec_hooks, poststart,	      hook_type),
	SUB("poststop",	       JS_LIST, spec_hooks, poststop,	      hook_type),
	END
};
static const struct js_object hooks_type = OBJECT("hooks", spec_hooks, hooks_fields);

static const struct js_field console_size_fields[] = {
	REQ("height", JS_U32, spec_console_size, height),
	REQ("width",  JS_U32, spec_console_size, width),
	END
};
static const struct js_object console_size_type =
	OBJECT("consoleSize", spec_console_size, console_size_fields);

static const struct js_field user_fields[] = {
	OPT("uid",	      JS_U32,  spec_user, uid),
	OPT("gid",	      JS_U32,  spec_user, gid),
	OPT("additionalGids", JS_U32V, spec_user, additional_gids),
	NUMBER("umask",	      JS_OPT_U64, spec_user, umask, UINT32_MAX),
	END
};
static const struct js_object user_type = OBJECT("user", spec_user, user_fields);

static const struct js_field capabilities_fields[] = {
	OPT("bounding",	   JS_STRV, spec_capabilities, bounding),
	OPT("effective",   JS_STRV, spec_capabilities, effective),
	OPT("inheritable", JS_STRV, spec_capabilities, inheritable),
	OPT("permitted",   JS_STRV, spec_capabilities, permitted),
	OPT("ambient",	   JS_STRV, spec_capabilities, ambient),
	END
};
static const struct js_object capabilities_type =
	OBJECT("capabilities", spec_capabilities, capabilities_fields);

static const struct js_field rlimit_fields[] = {
	REQ("type", JS_STR, spec_rlimit, type),
	REQ("soft", JS_U64, spec_rlimit, soft),
	REQ("hard", JS_U64, spec_rlimit, hard),
	END
};
static const struct js_object rlimit_type = OBJECT("rlimit", spec_rlimit, rlimit_fields);

static const struct js_field scheduler_fields[] = {
	WORD("policy",	   spec_scheduler, policy, sched_policies),
	OPT("nice",	   JS_I64,     spec_scheduler, nice),
	OPT("priority",	   JS_I64,     spec_scheduler, priority),
	CHECKED("flags",   JS_STRV,    spec_scheduler, flags, check_scheduler_flags),
	OPT("runtime",	   JS_OPT_U64, spec_scheduler, runtime),
	OPT("deadline",	   JS_OPT_U64, spec_scheduler, deadline),
	OPT("period",	   JS_OPT_U64, spec_scheduler, period),
	END
};
static const struct js_object scheduler_type =
	OBJECT("scheduler", spec_scheduler, scheduler_fields);

static const struct js_field io_priority_fields[] = {
	WORD("class",	spec_io_priority, class, sched_io_classes),
	OPT("priority", JS_I64, spec_io_priority, priority),
	END
};
static const struct js_object io_priority_type =
	OBJECT("ioPriority", spec_io_priority, io_priority_fields);

static const struct js_field exec_cpu_affinity_fields[] = {
	OPT("initial", JS_STR, spec_exec_cpu_affinity, initial),
	OPT("final",   JS_STR, spec_exec_cpu_affinity, final),
	END
};
static const struct js_object exec_cpu_affinity_type =
	OBJECT("execCPUAffinity", spec_exec_cpu_affinity, exec_cpu_affinity_fields);

static const struct js_field process_fields[] = {
	OPT("terminal",	       JS_BOOL,	      spec_process, terminal),
	SUB("consoleSize",     JS_OPT_OBJECT, spec_process, console_size, console_size_type),
	SUB("user",	       JS_OBJECT,     spec_process, user, user_type),
	OPT("args",	       JS_STRV,	      spec_process, args),
	OPT("env",	       JS_STRV,	      spec_process, env),
	REQ("cwd",	       JS_STR,	      spec_process, cwd),
	SUB("capabilities",    JS_OPT_OBJECT, spec_process, capabilities, capabilities_type),
	SUB("rlimits",	       JS_LIST,	      spec_process, rlimits, rlimit_type),
	OPT("noNewPrivileges", JS_BOOL,	      spec_process, no_new_privileges),
	OPT("oomScoreAdj",     JS_OPT_I64,    spec_process, oom_score_adj),
	OPT("apparmorProfile", JS_STR,	      spec_process, apparmor_profile),
	OPT("selinuxLabel",    JS_STR,	      spec_process, selinux_label),
	SUB("scheduler",       JS_OPT_OBJECT, spec_process, scheduler, scheduler_type),
	SUB("ioPriority",      JS_OPT_OBJECT, spec_process, io_priority, io_priority_type),
	SUB("execCPUAffinity", JS_OPT_OBJECT, spec_process, exec_cpu_affinity,
	    exec_cpu_affinity_type),
	END
};
const struct js_object spec_process_type = OBJECT("process", spec_process, process_fields);

static const struct js_field namespace_fields[] = {
	WORD("type", spec_namespace, kind, ns_names),
	OPT("path", JS_STR, spec_namespace, path),
	END
};
static const struct js_object namespace_type =
	OBJECT("NamespaceReference", spec_namespace, namespace_fields);

static const struct js_field device_fields[] = {
	REQ("path",	   JS_STR,     spec_device, path),
	{ .key = "type", .kind = JS_STR, .flags = JS_REQUIRED,
	  .offset = offsetof(struct spec_device, type), .check = check_device_type },
	OPT("major",	   JS_I64,     spec_device, major),
	OPT("minor",	   JS_I64,     spec_device, minor),
	/* engines leave the bits of the file type in */
	NUMBER("fileMode", JS_OPT_U64, spec_device, file_mode, UINT32_MAX),
	NUMBER("uid",	   JS_OPT_U64, spec_device, uid, UINT32_MAX),
	NUMBER("gid",	   JS_OPT_U64, spec_device, gid, UINT32_MAX),
	END
};
static const struct js_object device_type = OBJECT("Device", spec_device, device_fields);

static const struct js_field device_rule_fields[] = {
	REQ("allow",	JS_BOOL,    spec_device_rule, allow),
	CHECKED("type", JS_STR,	    spec_device_rule, type, check_rule_type),
	OPT("major",	JS_OPT_I64, spec_device_rule, major),
	OPT("minor",	JS_OPT_I64, spec_device_rule, minor),
	OPT("access",	JS_STR,	    spec_device_rule, access),
	END
};
static const struct js_object device_rule_type =
	OBJECT("DeviceCgroup", spec_device_rule, device_rule_fields);

static const struct js_field memory_fields[] = {
	OPT("limit",		 JS_OPT_I64,  spec_memory, limit),
	OPT("reservation",	 JS_OPT_I64,  spec_memory, reservation),
	OPT("swap",		 JS_OPT_I64,  spec_memory, swap),
	OPT("kernel",		 JS_OPT_I64,  spec_memory, kernel),
	OPT("kernelTCP",	 JS_OPT_I64,  spec_memory, kernel_tcp),
	OPT("swappiness",	 JS_OPT_U64,  spec_memory, swappiness),
	OPT("disableOOMKiller",	 JS_OPT_BOOL, spec_memory, disable_oom_killer),
	OPT("useHierarchy",	 JS_OPT_BOOL, spec_memory, use_hierarchy),
	OPT("checkBeforeUpdate", JS_OPT_BOOL, spec_memory, check_before_update),
	END
};
static const struct js_object memory_type = OBJECT("memory", spec_memory, memory_fields);

static const struct js_field cpu_fields[] = {
	OPT("shares",	       JS_OPT_U64, spec_cpu, shares),
	OPT("quota",	       JS_OPT_I64, spec_cpu, quota),
	OPT("burst",	       JS_OPT_U64, spec_cpu, burst),
	OPT("period",	       JS_OPT_U64, spec_cpu, period),
	OPT("realtimePeriod",  JS_OPT_U64, spec_cpu, realtime_period),
	OPT("realtimeRuntime", JS_OPT_I64, spec_cpu, realtime_runtime),
	OPT("idle",	       JS_OPT_I64, spec_cpu, idle),
	OPT("cpus",	       JS_STR,	   spec_cpu, cpus),
	OPT("mems",	       JS_STR,	   spec_cpu, mems),
	END
};
static const struct js_object cpu_type = OBJECT("cpu", spec_cpu, cpu_fields);

static const struct js_field weight_device_fields[] = {
	REQ("major",	     JS_I64,	 spec_weight_device, major),
	REQ("minor",	     JS_I64,	 spec_weight_device, minor),
	NUMBER("weight",     JS_OPT_U64, spec_weight_device, weight, UINT16_MAX),
	NUMBER("leafWeight", JS_OPT_U64, spec_weight_device, leaf_weight, UINT16_MAX),
	END
};
static const struct js_object weight_device_type =
	OBJECT("blockIODeviceWeight", spec_weight_device, weight_device_fields);

static const struct js_field throttle_device_fields[] = {
	REQ("major", JS_I64, spec_throttle_device, major),
	REQ("minor", JS_I64, spec_throttle_device, minor),
	OPT("rate",  JS_U64, spec_throttle_device, rate),
	END
};
static const struct js_object throttle_device_type =
	OBJECT("blockIODeviceThrottle", spec_throttle_device, throttle_device_fields);

static const struct js_field block_io_fields[] = {
	NUMBER("weight",	       JS_OPT_U64, spec_block_io, weight, UINT16_MAX),
	NUMBER("leafWeight",	       JS_OPT_U64, spec_block_io, leaf_weight, UINT16_MAX),
	SUB("weightDevice",	       JS_LIST, spec_block_io, weight_device, weight_device_type),
	SUB("throttleReadBpsDevice",   JS_LIST, spec_block_io, read_bps, throttle_device_type),
	SUB("throttleWriteBpsDevice",  JS_LIST, spec_block_io, write_bps, throttle_device_type),
	SUB("throttleReadIOPSDevice",  JS_LIST, spec_block_io, read_iops, throttle_device_type),
	SUB("throttleWriteIOPSDevice", JS_LIST, spec_block_io, write_iops, throttle_device_type),
	END
};
static const struct js_object block_io_type = OBJECT("blockIO", spec_block_io, block_io_fields);

static const struct js_field pids_fields[] = {
	OPT("limit", JS_OPT_I64, spec_pids, limit),
	END
};
static const struct js_object pids_type = OBJECT("pids", spec_pids, pids_fields);

static const struct js_field hugepage_fields[] = {
	{ .key = "pageSize", .kind = JS_STR, .flags = JS_REQUIRED,
	  .offset = offsetof(struct spec_hugepage_limit, page_size), .check = check_page_size },
	REQ("limit", JS_U64, spec_hugepage_limit, limit),
	END
};
static const struct js_object hugepage_type =
	OBJECT("hugepageLimit", spec_hugepage_limit, hugepage_fields);

static const struct js_field interface_priority_fields[] = {
	REQ("name",	JS_STR, spec_interface_priority, name),
	REQ("priority", JS_U32, spec_interface_priority, priority),
	END
};
static const struct js_object interface_priority_type =
	OBJECT("NetworkInterfacePriority", spec_interface_priority, interface_priority_fields);

static const struct js_field network_fields[] = {
	NUMBER("classID",  JS_OPT_U64, spec_network, class_id, UINT32_MAX),
	SUB("priorities",  JS_LIST,    spec_network, priorities, interface_priority_type),
	END
};
static const struct js_object network_type = OBJECT("network", spec_network, network_fields);

static const struct js_field resources_fields[] = {
	SUB("devices",	      JS_LIST,	 spec_resources, devices, device_rule_type),
	SUB("memory",	      JS_OBJECT, spec_resources, memory, memory_type),
	SUB("cpu",	      JS_OBJECT, spec_resources, cpu, cpu_type),
	SUB("pids",	      JS_OBJECT, spec_resources, pids, pids_type),
	SUB("blockIO",	      JS_OBJECT, spec_resources, block_io, block_io_type),
	SUB("hugepageLimits", JS_LIST,	 spec_resources, hugepage_limits, hugepage_type),
	SUB("network",	      JS_OBJECT, spec_resources, network, network_type),
	CHECKED("rdma",	      JS_RAW,	 spec_resources, rdma, check_rdma),
	OPT("unified",	      JS_STRMAP, spec_resources, unified),
	END
};
const struct js_object spec_resources_type =
	OBJECT("resources", spec_resources, resources_fields);

static const struct js_field seccomp_arg_fields[] = {
	REQ("index",	JS_U32, spec_seccomp_arg, index),
	REQ("value",	JS_U64, spec_seccomp_arg, value),
	OPT("valueTwo", JS_U64, spec_seccomp_arg, value_two),
	REQ("op",	JS_STR, spec_seccomp_arg, op),
	END
};
static const struct js_object seccomp_arg_type =
	OBJECT("SyscallArg", spec_seccomp_arg, seccomp_arg_fields);

static const struct js_field seccomp_rule_fields[] = {
	{ .key = "names", .kind = JS_STRV, .flags = JS_REQUIRED,
	  .offset = offsetof(struct spec_seccomp_rule, names), .min = 1 },
	REQ("action",	   JS_STR,     spec_seccomp_rule, action),
	NUMBER("errnoRet", JS_OPT_U64, spec_seccomp_rule, errno_ret, UINT32_MAX),
	SUB("args",	   JS_LIST,    spec_seccomp_rule, args, seccomp_arg_type),
	END
};
static const struct js_object seccomp_rule_type =
	OBJECT("Syscall", spec_seccomp_rule, seccomp_rule_fields);

static const struct js_field seccomp_fields[] = {
	REQ("defaultAction",	  JS_STR,     spec_seccomp, default_action),
	NUMBER("defaultErrnoRet", JS_OPT_U64, spec_seccomp, default_errno_ret, UINT32_MAX),
	OPT("architectures",	  JS_STRV,    spec_seccomp, architectures),
	/* engines rely on what runc does without the key; [] asks for none */
	{ .key = "flags", .kind = JS_STRV, .flags = JS_NULLABLE,
	  .offset = offsetof(struct spec_seccomp, flags),
	  .def = "[\"SECCOMP_FILTER_FLAG_SPEC_ALLOW\"]" },
	OPT("listenerPath",	  JS_STR,     spec_seccomp, listener_path),
	OPT("listenerMetadata",	  JS_STR,     spec_seccomp, listener_metadata),
	SUB("syscalls",		  JS_LIST,    spec_seccomp, syscalls, seccomp_rule_type),
	END
};
const struct js_object spec_seccomp_type = OBJECT("seccomp", spec_seccomp, seccomp_fields);

static const struct js_field time_offset_fields[] = {
	OPT("secs",	JS_I64, spec_time_offset, secs),
	NUMBER("nanosecs", JS_U32, spec_time_offset, nanosecs, 999999999),
	END
};
static const struct js_object time_offset_type =
	OBJECT("TimeOffsets", spec_time_offset, time_offset_fields);

/* Inside struct spec_linux, so that plans can name the two without another struct. */
static const struct js_field time_offsets_fields[] = {
	{ .key = "monotonic", .kind = JS_OPT_OBJECT, .flags = JS_NULLABLE,
	  .offset = offsetof(struct spec_linux, time_offsets.monotonic) -
		    offsetof(struct spec_linux, time_offsets), .sub = &time_offset_type },
	{ .key = "boottime", .kind = JS_OPT_OBJECT, .flags = JS_NULLABLE,
	  .offset = offsetof(struct spec_linux, time_offsets.boottime) -
		    offsetof(struct spec_linux, time_offsets), .sub = &time_offset_type },
	END
};
static const struct js_object time_offsets_type = {
	.name = "timeOffsets",
	.size = sizeof(((struct spec_linux *)0)->time_offsets),
	.fields = time_offsets_fields,
	.open = true,
};

static const struct js_field intel_rdt_fields[] = {
	OPT("closID",		JS_STR,	 spec_intel_rdt, clos_id),
	OPT("schemata",		JS_STRV, spec_intel_rdt, schemata),
	OPT("l3CacheSchema",	JS_STR,	 spec_intel_rdt, l3_cache_schema),
	OPT("memBwSchema",	JS_STR,	 spec_intel_rdt, mem_bw_schema),
	OPT("enableMonitoring", JS_BOOL, spec_intel_rdt, enable_monitoring),
	END
};
static const struct js_object intel_rdt_type = OBJECT("intelRdt", spec_intel_rdt, intel_rdt_fields);

static const struct js_field memory_policy_fields[] = {
	OPT("mode",  JS_STR,  spec_memory_policy, mode),
	OPT("nodes", JS_STR,  spec_memory_policy, nodes),
	OPT("flags", JS_STRV, spec_memory_policy, flags),
	END
};
static const struct js_object memory_policy_type =
	OBJECT("memoryPolicy", spec_memory_policy, memory_policy_fields);

static const struct js_field personality_fields[] = {
	WORD("domain", spec_personality, domain, domains),
	OPT("flags", JS_STRV, spec_personality, flags),
	END
};
static const struct js_object personality_type =
	OBJECT("personality", spec_personality, personality_fields);

static const struct js_field linux_fields[] = {
	SUB("uidMappings",	 JS_LIST,	spec_linux, uid_mappings, id_map_type),
	SUB("gidMappings",	 JS_LIST,	spec_linux, gid_mappings, id_map_type),
	SUB("namespaces",	 JS_LIST,	spec_linux, namespaces, namespace_type),
	SUB("devices",		 JS_LIST,	spec_linux, devices, device_type),
	OPT("cgroupsPath",	 JS_STR,	spec_linux, cgroups_path),
	SUB("resources",	 JS_OBJECT,	spec_linux, resources, spec_resources_type),
	SUB("seccomp",		 JS_OPT_OBJECT, spec_linux, seccomp, spec_seccomp_type),
	CHECKED("rootfsPropagation", JS_STR,	spec_linux, rootfs_propagation, check_propagation),
	OPT("maskedPaths",	 JS_STRV,	spec_linux, masked_paths),
	OPT("readonlyPaths",	 JS_STRV,	spec_linux, readonly_paths),
	OPT("sysctl",		 JS_STRMAP,	spec_linux, sysctl),
	OPT("mountLabel",	 JS_STR,	spec_linux, mount_label),
	SUB("timeOffsets",	 JS_OBJECT,	spec_linux, time_offsets, time_offsets_type),
	CHECKED("netDevices",	 JS_RAW,	spec_linux, net_devices, check_net_devices),
	SUB("intelRdt",		 JS_OPT_OBJECT, spec_linux, intel_rdt, intel_rdt_type),
	SUB("memoryPolicy",	 JS_OPT_OBJECT, spec_linux, memory_policy, memory_policy_type),
	SUB("personality",	 JS_OPT_OBJECT, spec_linux, personality, personality_type),
	END
};
static const struct js_object linux_type = OBJECT("linux", spec_linux, linux_fields);

static const struct js_field spec_fields[] = {
	REQ("ociVersion",  JS_STR,	  spec, oci_version),
	SUB("root",	   JS_OPT_OBJECT, spec, root, root_type),
	SUB("process",	   JS_OPT_OBJECT, spec, process, spec_process_type),
	OPT("hostname",	   JS_STR,	  spec, hostname),
	OPT("domainname",  JS_STR,	  spec, domainname),
	SUB("mounts",	   JS_LIST,	  spec, mounts, mount_type),
	SUB("hooks",	   JS_OBJECT,	  spec, hooks, hooks_type),
	OPT("annotations", JS_STRMAP,	  spec, annotations),
	SUB("linux",	   JS_OBJECT,	  spec, linux_, linux_type),
	END
};
const struct js_object spec_type = OBJECT("config", spec, spec_fields);
/* clang-format on */

int spec_decode(json_t *doc, const char *what, struct arena *arena, struct spec *ret, struct err *e)
{
	struct js_issues issues = { .arena = arena };
	struct spec spec = { 0 };
	int r = js_decode(&spec_type, doc, &spec, &issues);

	if (r == -ENOMEM)
		return err_set(e, r, "decode %s", what);
	if (r < 0)
		return js_issues_err(&issues, what, e);
	spec.linux_.has_resources = json_is_object(js_get_at(doc, "linux.resources"));
	*ret = spec;
	return 0;
}

int spec_load(int bundle_fd, const char *path, struct arena *arena, struct spec *ret, json_t **doc,
	      struct err *e)
{
	const char *what = arena_printf(arena, "config '%s'", path);
	own_json json_t *json = NULL;
	int r;

	if (!what)
		return err_set(e, -ENOMEM, "load config '%s'", path);
	r = js_read_file(bundle_fd, path, CONFIG_BYTES_MAX, what, &json, e);
	if (r == 0)
		r = spec_decode(json, what, arena, ret, e);
	if (r < 0)
		return r;
	*doc = take_ptr(json);
	return 0;
}

int spec_process_setenv(struct spec_process *process, const char *key, struct arena *arena,
			const char *fmt, ...)
{
	char **list = arena_alloc(arena, (process->env.n + 1) * sizeof(*list));
	size_t len = strlen(key), n = 0;
	char value[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(value, sizeof(value), fmt, ap); /* callers set short names and numbers */
	va_end(ap);
	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < process->env.n; i++)
		if (strncmp(process->env.v[i], key, len) != 0 || process->env.v[i][len] != '=')
			list[n++] = process->env.v[i];
	list[n] = arena_printf(arena, "%s=%s", key, value);
	if (!list[n++])
		return -ENOMEM;
	process->env = (struct strv){ list, n };
	return 0;
}

const char *spec_annotation(const struct spec *spec, const char *key)
{
	for (size_t i = 0; i < spec->annotations.n; i++)
		if (strcmp(spec->annotations.v[i].key, key) == 0)
			return spec->annotations.v[i].value;
	return NULL;
}

const char *spec_listener(const struct spec *spec)
{
	const struct spec_seccomp *seccomp = spec->linux_.seccomp;
	const char *path = seccomp ? seccomp->listener_path : NULL;

	if (!path || !*path)
		path = spec_annotation(spec, "run.oci.seccomp.receiver");
	return path && *path ? path : NULL;
}

json_t *spec_encode(const struct spec *spec)
{
	return js_encode(&spec_type, spec);
}
