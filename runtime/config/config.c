/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The field table of the partition config. Whoever adds a key adds a row here, a line to
 * docs/config.md and, if the kernel is to know of it, a line to to_spec.c or to_cgroup.c.
 */
#include "runtime/config/config.h"

#include "runtime/config/config_internal.h"

#include <errno.h>
#include <stddef.h>

static const struct name profiles[] = {
	{ "system", PROFILE_SYSTEM },
	{ "app", PROFILE_APP },
	{ NULL, 0 },
};
static const struct name network_modes[] = {
	{ "private", CONFIG_NET_PRIVATE },
	{ "host", CONFIG_NET_HOST },
	{ "none", CONFIG_NET_NONE },
	{ NULL, 0 },
};
static const struct name interface_modes[] = {
	{ "bridge", NET_BRIDGE },
	{ "routed", NET_ROUTED },
	{ NULL, 0 },
};
static const struct name seccomp_profiles[] = {
	{ "default", CONFIG_SECCOMP_DEFAULT },
	{ "unconfined", CONFIG_SECCOMP_UNCONFINED },
	{ NULL, 0 },
};

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

/* clang-format off */
static const struct js_field root_fields[] = {
	{ .key = "template", .kind = JS_STR, .flags = JS_REQUIRED | JS_FIXED, .check = check_template,
	  .offset = offsetof(struct config_root, template),
	  .help = "Name of the template whose files the partition sees beneath its own." },
	{ .key = "readonly", .kind = JS_BOOL, .offset = offsetof(struct config_root, readonly),
	  .def = "false",
	  .help = "Make the root file system read-only; /run and /tmp become bounded tmpfs." },
	{ .key = NULL },
};
static const struct js_object root_type = {
	"root", sizeof(struct config_root), root_fields,
	"The root file system: a shared template below a writable layer.", false,
};

/* At the offsets of struct config_init: the JSON nests what the struct does not. */
static const struct js_field user_fields[] = {
	{ .key = "uid", .kind = JS_U32, .offset = offsetof(struct config_init, uid),
	  .max = 65535, .def = "0", .help = "User id of init, as seen inside." },
	{ .key = "gid", .kind = JS_U32, .offset = offsetof(struct config_init, gid),
	  .max = 65535, .def = "0", .help = "Group id of init, as seen inside." },
	{ .key = NULL },
};
static const struct js_object user_type = {
	"user", 0, user_fields, "Who init runs as.", false,
};

static const struct js_field init_fields[] = {
	{ .key = "args", .kind = JS_STRV, .offset = offsetof(struct config_init, args),
	  .def = "[]", .check = check_args,
	  .help = "Program and arguments of init; empty: the template's, else /sbin/init." },
	{ .key = "env", .kind = JS_STRMAP, .offset = offsetof(struct config_init, env),
	  .check = check_env,
	  .help = "Environment of init, beside PATH, HOME, TERM and container=ctr." },
	{ .key = "cwd", .kind = JS_STR, .offset = offsetof(struct config_init, cwd),
	  .def = "\"/\"", .check = check_normal_path, .help = "Working directory of init." },
	{ .key = "user", .kind = JS_OBJECT, .sub = &user_type, .help = "Who init runs as." },
	{ .key = NULL },
};
static const struct js_object init_type = {
	"init", sizeof(struct config_init), init_fields, "The first process.", false,
};

static const struct js_field memory_fields[] = {
	{ .key = "limit", .kind = JS_BYTES, .flags = JS_LIVE,
	  .offset = offsetof(struct config_memory, limit), .min = 4 << 20, .def = "\"1G\"",
	  .help = "Most memory it may use, page cache included; above it, it reclaims and then "
		  "its own processes are killed." },
	{ .key = "guarantee", .kind = JS_BYTES, .flags = JS_LIVE,
	  .offset = offsetof(struct config_memory, guarantee),
	  .help = "Memory that pressure from other partitions does not take, best effort." },
	{ .key = "high", .kind = JS_BYTES, .flags = JS_LIVE,
	  .offset = offsetof(struct config_memory, high), .min = 1 << 20,
	  .help = "Use above this slows it down and reclaims, before the limit kills." },
	{ .key = "swap", .kind = JS_BYTES, .flags = JS_LIVE,
	  .offset = offsetof(struct config_memory, swap), .def = "0",
	  .help = "Swap it may use beside memory.limit." },
	{ .key = "oomGroup", .kind = JS_BOOL, .flags = JS_LIVE,
	  .offset = offsetof(struct config_memory, oom_group), .def = "false",
	  .help = "Out of memory, end all of its processes instead of the largest." },
	{ .key = NULL },
};
static const struct js_object memory_type = {
	"memory", sizeof(struct config_memory), memory_fields, "Memory.", false,
};

static const struct js_field cpu_fields[] = {
	{ .key = "limit", .kind = JS_CPUS, .flags = JS_LIVE,
	  .offset = offsetof(struct config_cpu, limit_milli), .min = 10, .max = 8192000,
	  .help = "Most CPU time it may use: \"150%\" or 1.5 is one and a half CPUs." },
	{ .key = "weight", .kind = JS_OPT_U64, .flags = JS_LIVE,
	  .offset = offsetof(struct config_cpu, weight), .min = 1, .max = 10000, .def = "100",
	  .help = "Its share when CPUs are scarce, relative to the weight of the others." },
	{ .key = "count", .kind = JS_OPT_U64, .flags = JS_LIVE,
	  .offset = offsetof(struct config_cpu, count), .min = 1, .max = 8192,
	  .help = "Whole CPUs it may keep busy at a time, on whichever are free." },
	{ .key = "mask", .kind = JS_STR, .flags = JS_LIVE, .check = check_cpuset,
	  .offset = offsetof(struct config_cpu, mask),
	  .help = "The CPUs that it may run on, such as \"0-3,8\"." },
	{ .key = "burst", .kind = JS_MS, .flags = JS_LIVE,
	  .offset = offsetof(struct config_cpu, burst_ms), .max = 1000,
	  .help = "CPU time it may save up while idle and use above the limit." },
	{ .key = NULL },
};
static const struct js_object cpu_type = {
	"cpu", sizeof(struct config_cpu), cpu_fields, "CPU time.", false,
};

static const struct js_field limits_fields[] = {
	{ .key = "processes", .kind = JS_COUNT, .flags = JS_LIVE,
	  .offset = offsetof(struct config_limits, processes), .min = 1, .max = 4194304,
	  .def = "4096", .help = "Most processes and threads at a time." },
	{ .key = "files", .kind = JS_OPT_U64,
	  .offset = offsetof(struct config_limits, files), .min = 64, .max = 1073741816,
	  .help = "Most open files of one process; absent: as many as the host allows ctr itself." },
	{ .key = "cgroups", .kind = JS_COUNT, .flags = JS_LIVE,
	  .offset = offsetof(struct config_limits, cgroups), .max = 1000000, .def = "512",
	  .help = "Most control groups that it may make for its services." },
	{ .key = "core", .kind = JS_BYTES, .offset = offsetof(struct config_limits, core),
	  .def = "0",
	  .help = "Largest core dump; 0: none, not even to the host's core handler." },
	{ .key = NULL },
};
static const struct js_object limits_type = {
	"limits", sizeof(struct config_limits), limits_fields, "Counts of kernel objects.", false,
};

static const struct js_field io_fields[] = {
	{ .key = "weight", .kind = JS_OPT_U64, .flags = JS_LIVE,
	  .offset = offsetof(struct config_io, weight), .min = 1, .max = 10000,
	  .help = "Its share when the disk is busy, relative to the weight of the others; the "
		  "kernel's is 100." },
	{ .key = "readBps", .kind = JS_BYTES, .flags = JS_LIVE,
	  .offset = offsetof(struct config_io, read_bps), .min = 4096,
	  .help = "Most bytes read from the disk in a second." },
	{ .key = "writeBps", .kind = JS_BYTES, .flags = JS_LIVE,
	  .offset = offsetof(struct config_io, write_bps), .min = 4096,
	  .help = "Most bytes written to the disk in a second." },
	{ .key = "readIops", .kind = JS_COUNT, .flags = JS_LIVE,
	  .offset = offsetof(struct config_io, read_iops), .min = 1,
	  .help = "Most reads from the disk in a second." },
	{ .key = "writeIops", .kind = JS_COUNT, .flags = JS_LIVE,
	  .offset = offsetof(struct config_io, write_iops), .min = 1,
	  .help = "Most writes to the disk in a second." },
	{ .key = NULL },
};
static const struct js_object io_type = {
	"io", sizeof(struct config_io), io_fields,
	"Traffic to the disk that holds the partition.", false,
};

static const struct js_field disk_fields[] = {
	{ .key = "size", .kind = JS_BYTES, .flags = JS_LIVE,
	  .offset = offsetof(struct config_disk, size), .min = 1 << 20,
	  .help = "Most bytes its own files may take; needs a file system with project quota." },
	{ .key = "inodes", .kind = JS_COUNT, .flags = JS_LIVE,
	  .offset = offsetof(struct config_disk, inodes), .min = 16,
	  .help = "Most files and directories of its own." },
	{ .key = NULL },
};
static const struct js_object disk_type = {
	"disk", sizeof(struct config_disk), disk_fields, "Space for its own files.", false,
};

static const struct js_field interface_fields[] = {
	{ .key = "name", .kind = JS_STR, .offset = offsetof(struct config_if, name),
	  .def = "\"eth0\"", .check = check_if_name, .help = "Name of the interface inside." },
	{ .key = "mode", .kind = JS_ENUM, .names = interface_modes,
	  .offset = offsetof(struct config_if, mode), .def = "\"bridge\"",
	  .help = "bridge: a port of a bridge of the host; routed: no bridge, the host routes each "
		  "address to it." },
	{ .key = "bridge", .kind = JS_STR, .offset = offsetof(struct config_if, bridge),
	  .check = check_if_name,
	  .help = "The bridge, made when missing; ctr0 when not given." },
	{ .key = "addresses", .kind = JS_STRV, .max = 256,
	  .offset = offsetof(struct config_if, addresses), .check = check_addresses,
	  .help = "IPv4 and IPv6 addresses, with prefix length on a bridge (\"10.0.0.2/24\")." },
	{ .key = "gateways", .kind = JS_STRV, .max = 2,
	  .offset = offsetof(struct config_if, gateways), .check = check_gateways,
	  .help = "Default gateway of each family, on a bridge only." },
	{ .key = "mac", .kind = JS_STR, .offset = offsetof(struct config_if, mac),
	  .check = check_mac,
	  .help = "Hardware address; when not given, derived from the partition's name." },
	{ .key = "mtu", .kind = JS_U32, .offset = offsetof(struct config_if, mtu),
	  .max = 65535, .def = "0", .check = check_mtu,
	  .help = "Largest packet in bytes; 0: the kernel's default." },
	{ .key = "nat", .kind = JS_BOOL, .offset = offsetof(struct config_if, nat),
	  .def = "false",
	  .help = "Hide its addresses behind the host's in what leaves the host." },
	{ .key = "hostGateway", .kind = JS_OPT_BOOL,
	  .offset = offsetof(struct config_if, host_gateway),
	  .help = "Give the gateway addresses to the bridge itself; when not given, as nat." },
	{ .key = "reach", .kind = JS_STRV, .offset = offsetof(struct config_if, reach),
	  .def = "[\"outside\"]", .check = check_reach,
	  .help = "Whom it may open connections to: host, partitions, outside." },
	{ .key = NULL },
};
static const struct js_object interface_type = {
	"interface", sizeof(struct config_if), interface_fields, "A network interface.", false,
};

/* At the offsets of struct config_network. */
static const struct js_field dns_fields[] = {
	{ .key = "servers", .kind = JS_STRV, .max = 8,
	  .offset = offsetof(struct config_network, nameservers), .check = check_nameservers,
	  .help = "Name servers for /etc/resolv.conf; empty: the file stays as it is." },
	{ .key = "search", .kind = JS_STRV, .max = 32,
	  .offset = offsetof(struct config_network, search), .check = check_search,
	  .help = "Search domains for /etc/resolv.conf." },
	{ .key = NULL },
};
static const struct js_object dns_type = { "dns", 0, dns_fields, "Name resolution.", false };

static const struct js_field network_fields[] = {
	{ .key = "mode", .kind = JS_ENUM, .names = network_modes,
	  .offset = offsetof(struct config_network, mode), .def = "\"private\"",
	  .help = "private: interfaces of its own; host: the host's network, unprotected; none: "
		  "loopback alone." },
	{ .key = "interfaces", .kind = JS_LIST, .sub = &interface_type, .max = 32,
	  .offset = offsetof(struct config_network, interfaces),
	  .help = "Its interfaces beside loopback." },
	{ .key = "dns", .kind = JS_OBJECT, .sub = &dns_type, .help = "Name resolution." },
	{ .key = NULL },
};
static const struct js_object network_type = {
	"network", sizeof(struct config_network), network_fields, "The network.", false,
};

static const struct js_field mount_fields[] = {
	{ .key = "source", .kind = JS_STR, .flags = JS_REQUIRED,
	  .offset = offsetof(struct config_mount, source), .check = check_mount_source,
	  .help = "A file or directory of the host, or \"tmpfs\" for memory." },
	{ .key = "target", .kind = JS_STR, .flags = JS_REQUIRED,
	  .offset = offsetof(struct config_mount, target), .check = check_mount_target,
	  .help = "Where it appears inside; made when missing." },
	{ .key = "readonly", .kind = JS_BOOL, .offset = offsetof(struct config_mount, readonly),
	  .def = "false", .help = "Nothing inside can write through it." },
	{ .key = "options", .kind = JS_STRV, .max = 32,
	  .offset = offsetof(struct config_mount, options),
	  .help = "Mount options; nosuid and nodev are always on." },
	{ .key = NULL },
};
static const struct js_object mount_type = {
	"mount", sizeof(struct config_mount), mount_fields,
	"A directory or file of the host, or a tmpfs, inside.", false,
};

static const struct js_field device_fields[] = {
	{ .key = "path", .kind = JS_STR, .flags = JS_REQUIRED,
	  .offset = offsetof(struct config_device, path), .check = check_device_path,
	  .help = "A device node below /dev of the host; the same path inside." },
	{ .key = "access", .kind = JS_STR, .offset = offsetof(struct config_device, access),
	  .def = "\"rw\"", .check = check_device_access,
	  .help = "What it may do: r read, w write, m make the node." },
	{ .key = NULL },
};
static const struct js_object device_type = {
	"device", sizeof(struct config_device), device_fields, "A device of the host.", false,
};

static const struct js_field capabilities_fields[] = {
	{ .key = "add", .kind = JS_STRV, .offset = offsetof(struct config_capabilities, add),
	  .check = check_capabilities, .help = "Capabilities beside those of the profile." },
	{ .key = "drop", .kind = JS_STRV, .offset = offsetof(struct config_capabilities, drop),
	  .check = check_capabilities_or_all,
	  .help = "Capabilities to take from those of the profile; \"ALL\": every one." },
	{ .key = NULL },
};
static const struct js_object capabilities_type = {
	"capabilities", sizeof(struct config_capabilities), capabilities_fields,
	"What root inside may do beyond the profile. Dropping comes first, then adding.", false,
};

static const struct js_field security_fields[] = {
	{ .key = "userns", .kind = JS_BOOL, .flags = JS_FIXED,
	  .offset = offsetof(struct config_security, userns), .def = "true",
	  .help = "Run in a user namespace: root inside is nobody on the host." },
	{ .key = "seccomp", .kind = JS_ENUM, .names = seccomp_profiles,
	  .offset = offsetof(struct config_security, seccomp), .def = "\"default\"",
	  .help = "System call filter: the default allow list, or none." },
	{ .key = "noNewPrivileges", .kind = JS_OPT_BOOL,
	  .offset = offsetof(struct config_security, no_new_privileges),
	  .help = "setuid programs gain nothing; when not given, true for an app and false for a "
		  "system." },
	{ .key = "nesting", .kind = JS_BOOL, .offset = offsetof(struct config_security, nesting),
	  .def = "false",
	  .help = "Leave /proc and /sys uncovered, so that containers inside can mount their own; "
		  "needs userns." },
	{ .key = NULL },
};
static const struct js_object security_type = {
	"security", sizeof(struct config_security), security_fields, "Confinement.", false,
};

static const struct js_field boot_fields[] = {
	{ .key = "autostart", .kind = JS_BOOL, .flags = JS_LIVE,
	  .offset = offsetof(struct config_boot, autostart), .def = "false",
	  .help = "Start it with the host." },
	{ .key = "stopTimeout", .kind = JS_MS, .flags = JS_LIVE, .max = DAY_MS,
	  .offset = offsetof(struct config_boot, stop_timeout_ms), .def = "\"60s\"",
	  .help = "How long stop waits for init before it kills." },
	{ .key = "haltSignal", .kind = JS_STR, .flags = JS_LIVE,
	  .offset = offsetof(struct config_boot, halt_signal), .def = "\"auto\"",
	  .check = check_signal,
	  .help = "Signal that asks init to stop: a name or number; auto: what init listens to." },
	{ .key = NULL },
};
static const struct js_object boot_type = {
	"boot", sizeof(struct config_boot), boot_fields, "Starting and stopping.", false,
};

static const struct js_field config_fields[] = {
	{ .key = "ctrVersion", .kind = JS_U32, .offset = offsetof(struct config, version),
	  .min = 1, .max = 1, .def = "1", .help = "Version of this format." },
	{ .key = "$schema", .kind = JS_STR, .offset = offsetof(struct config, schema),
	  .flags = JS_LIVE, .help = "Where editors find the schema of this format; not used." },
	{ .key = "name", .kind = JS_STR, .flags = JS_FIXED, .check = check_name,
	  .offset = offsetof(struct config, name),
	  .help = "Its id, when the command line names none." },
	{ .key = "description", .kind = JS_STR, .flags = JS_LIVE, .max = 1024,
	  .offset = offsetof(struct config, description), .help = "A note for people." },
	{ .key = "labels", .kind = JS_STRMAP, .flags = JS_LIVE,
	  .offset = offsetof(struct config, labels),
	  .help = "Keys and values of your own, to select partitions by." },
	{ .key = "hostname", .kind = JS_STR, .offset = offsetof(struct config, hostname),
	  .check = check_hostname, .help = "Host name inside; when not given, the name." },
	{ .key = "profile", .kind = JS_ENUM, .names = profiles,
	  .offset = offsetof(struct config, profile), .def = "\"system\"",
	  .help = "system: a whole server with an init such as systemd; app: one program with few "
		  "privileges." },
	{ .key = "root", .kind = JS_OBJECT, .sub = &root_type, .flags = JS_REQUIRED,
	  .offset = offsetof(struct config, root), .help = "The root file system." },
	{ .key = "init", .kind = JS_OBJECT, .sub = &init_type,
	  .offset = offsetof(struct config, init), .help = "The first process." },
	{ .key = "memory", .kind = JS_OBJECT, .sub = &memory_type,
	  .offset = offsetof(struct config, memory), .help = "Memory." },
	{ .key = "cpu", .kind = JS_OBJECT, .sub = &cpu_type,
	  .offset = offsetof(struct config, cpu), .help = "CPU time." },
	{ .key = "limits", .kind = JS_OBJECT, .sub = &limits_type,
	  .offset = offsetof(struct config, limits), .help = "Counts of kernel objects." },
	{ .key = "io", .kind = JS_OBJECT, .sub = &io_type,
	  .offset = offsetof(struct config, io), .help = "Disk traffic." },
	{ .key = "disk", .kind = JS_OBJECT, .sub = &disk_type,
	  .offset = offsetof(struct config, disk), .help = "Disk space." },
	{ .key = "network", .kind = JS_OBJECT, .sub = &network_type,
	  .offset = offsetof(struct config, network), .help = "The network." },
	{ .key = "mounts", .kind = JS_LIST, .sub = &mount_type, .max = 1024,
	  .offset = offsetof(struct config, mounts), .help = "Directories of the host inside." },
	{ .key = "devices", .kind = JS_LIST, .sub = &device_type, .max = 1024,
	  .offset = offsetof(struct config, devices), .help = "Devices of the host inside." },
	{ .key = "capabilities", .kind = JS_OBJECT, .sub = &capabilities_type,
	  .offset = offsetof(struct config, capabilities), .help = "Capabilities." },
	{ .key = "security", .kind = JS_OBJECT, .sub = &security_type,
	  .offset = offsetof(struct config, security), .help = "Confinement." },
	{ .key = "sysctl", .kind = JS_STRMAP, .offset = offsetof(struct config, sysctl),
	  .check = check_sysctl,
	  .help = "Kernel settings of its own namespaces: net.*, kernel.shm* and such." },
	{ .key = "boot", .kind = JS_OBJECT, .sub = &boot_type,
	  .offset = offsetof(struct config, boot), .help = "Starting and stopping." },
	{ .key = NULL },
};
/* clang-format on */

const struct js_object config_type = {
	"partition",   sizeof(struct config),
	config_fields, "A partition: an isolated, limited server in one file.",
	false,
};

int config_decode(json_t *doc, struct js_issues *issues, struct config *ret)
{
	struct config config = { 0 };
	int r = js_decode(&config_type, doc, &config, issues);

	if (r == -ENOMEM)
		return r;
	/* Also after mistakes: what did decode is compared, so that one run finds them all. */
	config_check(&config, issues);
	if (issues->out_of_memory)
		return -ENOMEM;
	if (r < 0 || issues->n)
		return -EINVAL;
	*ret = config;
	return 0;
}

json_t *config_schema(void)
{
	return js_schema(&config_type, "urn:ctr:partition:1", "ctr partition");
}
