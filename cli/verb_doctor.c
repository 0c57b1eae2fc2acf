/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor: what this host can do, one check per row of a table, and what to do about what it
 * cannot. Only a check that is marked essential makes the exit status 1.
 */
#include "base/feat.h"
#include "base/file.h"
#include "base/own.h"
#include "base/proc.h"
#include "base/sys.h"
#include "base/text.h"
#include "cgroups/cg.h"
#include "cli/cli.h"
#include "cli/out.h"
#include "cli/verbs.h"
#include "netsetup/net.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

enum result { MISSING, LOW, OK, RESULTS };

/* "low": it is there, but set so that it will not do for many partitions, or not safely. */
static const char *const result_names[] = { [MISSING] = "missing", [LOW] = "low", [OK] = "ok" };
_Static_assert(ARRAY_SIZE(result_names) == RESULTS, "each result has a name");

struct doctor {
	struct cli *cli;
	const struct cg_layout *layout; /* NULL: no cgroup2 */
};

struct check {
	const char *name;
	enum result (*fn)(const struct doctor *d, const struct check *c, struct text *detail);
	const char *what; /* file, feature or program */
	uint64_t number;  /* controller, capability, or the least value */
	bool essential;
	const char *remedy;
};

static enum result check_kernel(const struct doctor *d, const struct check *c, struct text *detail)
{
	struct utsname name;

	(void)d;
	(void)c;
	if (uname(&name) < 0)
		return MISSING;
	text_addf(detail, "%s %s %s", name.sysname, name.release, name.machine);
	return OK;
}

static enum result check_cap(const struct doctor *d, const struct check *c, struct text *detail)
{
	(void)d;
	(void)detail;
	return feat_has_cap((int)c->number) ? OK : MISSING;
}

static enum result check_cgroup2(const struct doctor *d, const struct check *c, struct text *detail)
{
	(void)c;
	if (!d->layout)
		return MISSING;
	text_add(detail, cg_mount(d->layout));
	return OK;
}

static enum result check_controller(const struct doctor *d, const struct check *c,
				    struct text *detail)
{
	enum cg_controller controller = (enum cg_controller)c->number;
	const char *where = d->layout ? cg_where(d->layout, controller) : NULL;

	if (!d->layout || !cg_has(d->layout, controller))
		return MISSING;
	if (where)
		text_add(detail, where);
	return OK;
}

/* An entry that exists when the kernel has the feature. */
static enum result check_entry(const struct doctor *d, const struct check *c, struct text *detail)
{
	(void)d;
	(void)detail;
	return access(c->what, F_OK) == 0 ? OK : MISSING;
}

static enum result check_fs(const struct doctor *d, const struct check *c, struct text *detail)
{
	(void)d;
	(void)detail;
	return feat_fs(c->what) ? OK : MISSING;
}

static enum result check_net(const struct doctor *d, const struct check *c, struct text *detail)
{
	(void)d;
	(void)detail;
	return net_probe(c->what) == 0 ? OK : MISSING;
}

static enum result check_pidfd(const struct doctor *d, const struct check *c, struct text *detail)
{
	own_fd int fd = sys_pidfd_open(getpid(), 0);

	(void)d;
	(void)c;
	(void)detail;
	return fd >= 0 ? OK : MISSING;
}

static enum result check_openat2(const struct doctor *d, const struct check *c, struct text *detail)
{
	const struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	own_fd int fd = sys_openat2(AT_FDCWD, "/", &how);

	(void)d;
	(void)c;
	(void)detail;
	return fd >= 0 ? OK : MISSING;
}

/* The store's directory, or the nearest one above it that exists: doctor makes nothing. */
static int open_store(const struct doctor *d)
{
	own_free char *path = strdup(d->cli->env.store);

	while (path && *path) {
		int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		char *slash = strrchr(path, '/');

		if (fd >= 0 || errno != ENOENT || !slash)
			return fd;
		slash[slash == path && slash[1]] = '\0'; /* "/a" becomes "/", "/a/b" "/a" */
	}
	return -1;
}

static enum result check_idmap(const struct doctor *d, const struct check *c, struct text *detail)
{
	own_fd int fd = open_store(d);

	(void)c;
	text_add(detail, d->cli->env.store);
	return fd >= 0 && feat_idmap(fd) == 1 ? OK : MISSING;
}

/* A file that holds a number, which should be at least .number. */
static enum result check_least(const struct doctor *d, const struct check *c, struct text *detail)
{
	uint64_t value;
	char buf[32];

	(void)d;
	if (file_read(AT_FDCWD, c->what, buf, sizeof(buf)) < 0 || text_u64(buf, &value) < 0)
		return MISSING;
	text_add(detail, buf);
	return value >= c->number ? OK : LOW;
}

static enum result check_swap(const struct doctor *d, const struct check *c, struct text *detail)
{
	char buf[4096];
	const char *line;

	(void)d;
	(void)detail;
	if (file_read(AT_FDCWD, c->what, buf, sizeof(buf)) < 0)
		return MISSING;
	line = strchr(buf, '\n'); /* the first line is the heading */
	return line && line[1] ? OK : MISSING;
}

static enum result check_program(const struct doctor *d, const struct check *c, struct text *detail)
{
	const char *dirs = getenv("PATH");

	(void)d;
	for (dirs = dirs ? dirs : "/usr/sbin:/usr/bin:/sbin:/bin"; *dirs;) {
		size_t len = strcspn(dirs, ":");
		own_text struct text path = { 0 };

		text_addn(&path, dirs, len);
		text_addf(&path, "/%s", c->what);
		if (!text_failed(&path) && access(text_str(&path), X_OK) == 0) {
			text_add(detail, text_str(&path));
			return OK;
		}
		dirs += len + (dirs[len] == ':');
	}
	return MISSING;
}

#define NS     "/proc/self/ns/"
#define SYSCTL "/proc/sys/"

/* clang-format off */
static const struct check checks[] = {
	{ "kernel", check_kernel, NULL, 0, true, "" },
	{ "CAP_SYS_ADMIN", check_cap, NULL, CAP_SYS_ADMIN, true, "run as root of the host" },
	{ "CAP_NET_ADMIN", check_cap, NULL, CAP_NET_ADMIN, false,
	  "run as root of the host; needed for private networks" },
	{ "CAP_SYS_RESOURCE", check_cap, NULL, CAP_SYS_RESOURCE, false,
	  "without it hard resource limits cannot be raised, nor OOM scores lowered" },
	{ "cgroup2", check_cgroup2, NULL, 0, true,
	  "mount -t cgroup2 cgroup2 /sys/fs/cgroup" },
	{ "memory controller", check_controller, NULL, CG_MEMORY, false,
	  "CONFIG_MEMCG; boot with cgroup_enable=memory; needed for memory limits" },
	{ "cpu controller", check_controller, NULL, CG_CPU, false,
	  "CONFIG_CGROUP_SCHED, CONFIG_CFS_BANDWIDTH; needed for cpu limits" },
	{ "cpuset controller", check_controller, NULL, CG_CPUSET, false,
	  "CONFIG_CPUSETS; needed for cpu.mask" },
	{ "io controller", check_controller, NULL, CG_IO, false,
	  "CONFIG_BLK_CGROUP; needed for io limits" },
	{ "pids controller", check_controller, NULL, CG_PIDS, false,
	  "CONFIG_CGROUP_PIDS; needed for limits.processes" },
	{ "hugetlb controller", check_controller, NULL, CG_HUGETLB, false,
	  "CONFIG_CGROUP_HUGETLB; needed for limits on huge pages" },
	{ "device rules", check_controller, NULL, CG_DEVICES, false,
	  "CONFIG_CGROUP_BPF or CONFIG_CGROUP_DEVICE; needed to confine devices" },
	{ "pressure (PSI)", check_entry, "/proc/pressure/cpu", 0, false,
	  "CONFIG_PSI; boot with psi=1" },
	{ "mount namespace", check_entry, NS "mnt", 0, true, "a kernel with CONFIG_NAMESPACES" },
	{ "pid namespace", check_entry, NS "pid", 0, true, "CONFIG_PID_NS" },
	{ "network namespace", check_entry, NS "net", 0, true, "CONFIG_NET_NS" },
	{ "ipc namespace", check_entry, NS "ipc", 0, true, "CONFIG_IPC_NS" },
	{ "uts namespace", check_entry, NS "uts", 0, true, "CONFIG_UTS_NS" },
	{ "user namespace", check_entry, NS "user", 0, false,
	  "CONFIG_USER_NS; needed for security.userns, the default of partitions" },
	{ "cgroup namespace", check_entry, NS "cgroup", 0, false, "CONFIG_CGROUPS, Linux 4.6" },
	{ "time namespace", check_entry, NS "time", 0, false, "CONFIG_TIME_NS" },
	{ "user namespace limit", check_least, SYSCTL "user/max_user_namespaces", 64, false,
	  "sysctl user.max_user_namespaces=15000" },
	{ "pidfd", check_pidfd, NULL, 0, true, "Linux 5.3 or newer" },
	{ "openat2", check_openat2, NULL, 0, true, "Linux 5.6 or newer" },
	{ "overlay", check_fs, "overlay", 0, false,
	  "modprobe overlay (CONFIG_OVERLAY_FS); needed for partitions" },
	{ "id-mapped mounts", check_idmap, NULL, 0, false,
	  "keep the store on ext4, XFS, btrfs or tmpfs; without them files are shifted by chown" },
	{ "seccomp", check_entry, SYSCTL "kernel/seccomp/actions_avail", 0, true,
	  "CONFIG_SECCOMP_FILTER" },
	{ "veth", check_net, "veth", 0, false, "modprobe veth (CONFIG_VETH)" },
	{ "bridge", check_net, "bridge", 0, false, "modprobe bridge (CONFIG_BRIDGE)" },
	{ "nf_tables", check_net, "nf_tables", 0, false, "modprobe nf_tables (CONFIG_NF_TABLES)" },
	{ "NAT", check_net, "nat", 0, false,
	  "modprobe nft_chain_nat nft_masq (CONFIG_NFT_NAT, CONFIG_NFT_MASQ)" },
	{ "swap", check_swap, "/proc/swaps", 0, false,
	  "swapon; without it memory.swap has no effect" },
	{ "inotify instances", check_least, SYSCTL "fs/inotify/max_user_instances", 1024, false,
	  "sysctl fs.inotify.max_user_instances=8192" },
	{ "inotify watches", check_least, SYSCTL "fs/inotify/max_user_watches", 65536, false,
	  "sysctl fs.inotify.max_user_watches=1048576" },
	{ "pid_max", check_least, SYSCTL "kernel/pid_max", 65536, false,
	  "sysctl kernel.pid_max=4194304" },
	{ "kptr_restrict", check_least, SYSCTL "kernel/kptr_restrict", 1, false,
	  "sysctl kernel.kptr_restrict=1" },
	{ "dmesg_restrict", check_least, SYSCTL "kernel/dmesg_restrict", 1, false,
	  "sysctl kernel.dmesg_restrict=1" },
	{ "tar", check_program, "tar", 0, false, "apt install tar; for template import" },
	{ "busybox", check_program, "busybox", 0, false,
	  "apt install busybox-static; for template build busybox" },
	{ "mmdebstrap", check_program, "mmdebstrap", 0, false,
	  "apt install mmdebstrap; for template build of Debian suites" },
	{ "criu", check_program, "criu", 0, false, "apt install criu; for checkpoints" },
};

static const struct out_col columns[] = {
	{ .title = "CHECK", .key = "check" },
	{ .title = "STATUS", .key = "status" },
	{ .title = "FOUND", .key = "found" },
	{ .title = "WHAT TO DO", .key = "remedy" },
};
/* clang-format on */

static int run_doctor(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	struct doctor d = { .cli = cli };
	own_out struct out o = OUT(columns);
	bool failed = false;
	int r;

	(void)opts;
	(void)args;
	if (cg_layout_open(cli->arena, &d.layout, NULL) < 0)
		d.layout = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		const struct check *c = &checks[i];
		own_text struct text detail = { 0 };
		enum result result = c->fn(&d, c, &detail);

		failed |= result == MISSING && c->essential;
		out_row(&o);
		out_str(&o, "check", c->name);
		out_str(&o, "status", result_names[result]);
		out_json(&o, "essential", json_boolean(c->essential));
		out_str(&o, "found", detail.len ? text_str(&detail) : NULL);
		out_str(&o, "remedy", result == OK ? NULL : c->remedy);
		o.failed |= text_failed(&detail);
	}
	r = out_print(&o, cli->json, e);
	if (r < 0)
		return r;
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct verb verb_doctor = {
	.name = "doctor",
	.args = "",
	.summary = "check what this host can do",
	.help = "Tries each capability of the kernel and each program that ctr can use, and says "
		"what "
		"to install or enable for those that are missing. The exit status is 1 only when "
		"something essential is missing.",
	.group = GROUP_HOST,
	.fn = run_doctor,
};
