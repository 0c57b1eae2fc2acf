/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The default seccomp profile: an allow list of our own.
 *
 * DOC: A call is listed when it acts on objects that the payload already holds or that its
 * namespaces, cgroup and permissions bound. What is not listed answers as a kernel would that was
 * built without it, ENOSYS, and programs fall back. What a capability would open answers EPERM,
 * as the kernel does. Never listed, with whatever capability:
 *
 * - bpf, perf_event_open, userfaultfd and io_uring: large and young attack surfaces; io_uring also
 *   does the work of calls that this profile denies.
 * - add_key, request_key and keyctl: a container does not have its keyrings to itself.
 * - modules, kexec, swap, quotas and nfsservctl: the host's own business.
 * - modify_ldt, vm86, uselib, sysfs, _sysctl, ustat, lookup_dcookie: remains of the 1990s.
 *
 * clone3 has its flags in memory, where a filter cannot look. Without CAP_SYS_ADMIN it is ENOSYS,
 * on which libc uses clone(2), whose flags are in a register.
 *
 * Only the native ABI is listed; a call through another one ends the process. Arguments that the
 * kernel takes as int are compared by their low 32 bits, since it ignores the others.
 */
#include "runtime/process/seccomp.h"

#include "base/own.h"
#include "runtime/spec/spec.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/socket.h>

#define CAP(name) (UINT64_C(1) << (CAP_##name))

enum scope {
	ANYWHERE,
	HOST, /* the kernel asks for the capability in the first user namespace, so that a payload
	       * with a user namespace of its own can only have failure or a kernel bug from it */
};

struct group {
	const char *calls; /* separated by spaces */
	uint64_t caps;	   /* any of these opens it; 0: always open */
	enum scope scope;
	int denied; /* errno while closed; 0: ENOSYS, like all that is not listed */
};

/* clang-format off */
/* Names that only other architectures or newer kernels have are skipped by the compiler. */
static const struct group groups[] = {
	/* Files by path and descriptor: every one is checked against inode permissions, mounts and
	 * the device cgroup. name_to_handle_at only tells; opening by handle is another matter. */
	{ .calls = "read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 "
		   "open openat openat2 creat close close_range dup dup2 dup3 fcntl fcntl64 "
		   "flock lseek _llseek access faccessat faccessat2 stat fstat lstat "
		   "newfstatat fstatat64 stat64 fstat64 lstat64 statx oldstat oldfstat "
		   "oldlstat statfs fstatfs statfs64 fstatfs64 statmount listmount cachestat "
		   "truncate ftruncate truncate64 ftruncate64 fallocate fadvise64 "
		   "fadvise64_64 arm_fadvise64_64 readahead fsync fdatasync sync syncfs "
		   "sync_file_range sync_file_range2 arm_sync_file_range getdents getdents64 "
		   "readdir getcwd chdir fchdir umask name_to_handle_at" },
	{ .calls = "rename renameat renameat2 mkdir mkdirat rmdir link linkat unlink "
		   "unlinkat symlink symlinkat readlink readlinkat mknod mknodat chmod "
		   "fchmod fchmodat fchmodat2 chown fchown lchown fchownat chown32 fchown32 "
		   "lchown32 utime utimes futimesat utimensat utimensat_time64 setxattr "
		   "lsetxattr fsetxattr setxattrat getxattr lgetxattr fgetxattr getxattrat "
		   "listxattr llistxattr flistxattr listxattrat removexattr lremovexattr "
		   "fremovexattr removexattrat file_getattr file_setattr" },
	/* Moving data between descriptors, and waiting for them. */
	{ .calls = "sendfile sendfile64 splice tee vmsplice copy_file_range pipe pipe2 "
		   "select _newselect pselect6 pselect6_time64 poll ppoll ppoll_time64 "
		   "epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 "
		   "eventfd eventfd2 signalfd signalfd4 timerfd_create timerfd_settime "
		   "timerfd_gettime timerfd_settime64 timerfd_gettime64 inotify_init "
		   "inotify_init1 inotify_add_watch inotify_rm_watch memfd_create" },
	/* Device control is checked by the driver, and reaches only devices that the cgroup opens;
	 * two commands to the caller's terminal are denied below. */
	{ .calls = "ioctl" },
	/* The classic asynchronous I/O of databases: unlike io_uring a short list of operations. */
	{ .calls = "io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents "
		   "io_pgetevents_time64" },
	/* The caller's own memory, charged to its cgroup. */
	{ .calls = "brk mmap mmap2 munmap mremap mprotect pkey_mprotect pkey_alloc pkey_free "
		   "madvise mincore msync mlock mlock2 mlockall munlock munlockall "
		   "remap_file_pages membarrier mseal map_shadow_stack mbind get_mempolicy "
		   "set_mempolicy" },
	/* Processes: the pid namespace bounds whom they reach. clone is below. */
	{ .calls = "fork vfork execve execveat exit exit_group wait4 waitid waitpid kill "
		   "tkill tgkill pidfd_open pidfd_send_signal process_mrelease getpid "
		   "getppid gettid setpgid getpgid getpgrp setsid getsid getrusage times "
		   "prctl arch_prctl set_tid_address set_thread_area get_thread_area "
		   "set_robust_list get_robust_list rseq futex futex_time64 futex_waitv "
		   "futex_wake futex_wait futex_requeue restart_syscall getrlimit ugetrlimit "
		   "setrlimit prlimit64 getpriority setpriority nice ioprio_get ioprio_set "
		   "sched_yield sched_getparam sched_setparam sched_getscheduler "
		   "sched_setscheduler sched_getattr sched_setattr sched_getaffinity "
		   "sched_setaffinity sched_get_priority_max sched_get_priority_min "
		   "sched_rr_get_interval sched_rr_get_interval_time64 getcpu uname olduname "
		   "oldolduname sysinfo getrandom cacheflush set_tls breakpoint "
		   "riscv_flush_icache riscv_hwprobe swapcontext" },
	/* Identity: changes are checked against the capabilities that are left. A process may always
	 * confine itself further. */
	{ .calls = "getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 "
		   "setuid setuid32 setgid setgid32 setreuid setreuid32 setregid setregid32 "
		   "setresuid setresuid32 setresgid setresgid32 getresuid getresuid32 "
		   "getresgid getresgid32 setfsuid setfsuid32 setfsgid setfsgid32 getgroups "
		   "getgroups32 setgroups setgroups32 capget capset seccomp "
		   "landlock_create_ruleset landlock_add_rule landlock_restrict_self "
		   "lsm_get_self_attr lsm_set_self_attr lsm_list_modules" },
	/* Signals and time. adjtimex reads the clock's state for everybody; setting it is checked. */
	{ .calls = "rt_sigaction rt_sigprocmask rt_sigpending rt_sigtimedwait "
		   "rt_sigtimedwait_time64 rt_sigsuspend rt_sigqueueinfo rt_tgsigqueueinfo "
		   "rt_sigreturn sigaltstack signal sigaction sigprocmask sigpending "
		   "sigsuspend sigreturn sgetmask ssetmask pause alarm nanosleep "
		   "clock_nanosleep clock_nanosleep_time64 getitimer setitimer timer_create "
		   "timer_settime timer_settime64 timer_gettime timer_gettime64 "
		   "timer_getoverrun timer_delete time gettimeofday clock_gettime "
		   "clock_gettime64 clock_getres clock_getres_time64 adjtimex clock_adjtime "
		   "clock_adjtime64" },
	/* System V and POSIX queues: an ipc namespace holds them. */
	{ .calls = "shmget shmat shmdt shmctl semget semop semtimedop semtimedop_time64 "
		   "semctl msgget msgsnd msgrcv msgctl ipc mq_open mq_unlink mq_timedsend "
		   "mq_timedsend_time64 mq_timedreceive mq_timedreceive_time64 mq_notify "
		   "mq_getsetattr" },
	/* Sockets that exist already; socket and socketpair are below. */
	{ .calls = "bind connect listen accept accept4 getsockname getpeername getsockopt "
		   "setsockopt sendto sendmsg sendmmsg recvfrom recvmsg recvmmsg "
		   "recvmmsg_time64 shutdown" },

	/* Mounts, namespaces and host name. CAP_SYS_ADMIN counts in the user namespace that owns
	 * the object; a guest's init and containers inside the partition live on these. */
	{ .calls = "mount umount umount2 pivot_root open_tree open_tree_attr move_mount "
		   "fsopen fsconfig fsmount fspick mount_setattr setns sethostname "
		   "setdomainname listns",
	  .caps = CAP(SYS_ADMIN), .denied = EPERM },
	{ .calls = "clone3", .caps = CAP(SYS_ADMIN) },
	{ .calls = "chroot", .caps = CAP(SYS_CHROOT), .denied = EPERM },
	/* In a pid namespace of its own this ends that namespace alone. */
	{ .calls = "reboot", .caps = CAP(SYS_BOOT), .denied = EPERM },
	/* Looking into and steering other processes: a classic way past a boundary in user space. */
	{ .calls = "ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd "
		   "kcmp",
	  .caps = CAP(SYS_PTRACE), .denied = EPERM },
	{ .calls = "migrate_pages move_pages set_mempolicy_home_node",
	  .caps = CAP(SYS_NICE), .denied = EPERM },

	/* What only the first user namespace's capabilities can do. */
	{ .calls = "settimeofday clock_settime clock_settime64 stime",
	  .caps = CAP(SYS_TIME), .scope = HOST, .denied = EPERM },
	{ .calls = "syslog",
	  .caps = CAP(SYSLOG) | CAP(SYS_ADMIN), .scope = HOST, .denied = EPERM },
	{ .calls = "acct", .caps = CAP(SYS_PACCT), .scope = HOST, .denied = EPERM },
	{ .calls = "vhangup", .caps = CAP(SYS_TTY_CONFIG), .scope = HOST, .denied = EPERM },
	{ .calls = "iopl ioperm", .caps = CAP(SYS_RAWIO), .scope = HOST, .denied = EPERM },
	{ .calls = "fanotify_init fanotify_mark",
	  .caps = CAP(SYS_ADMIN), .scope = HOST, .denied = EPERM },
	/* Opens any inode of a file system by number, past every directory permission and mount. */
	{ .calls = "open_by_handle_at",
	  .caps = CAP(DAC_READ_SEARCH), .scope = HOST, .denied = EPERM },
};

/* The kernel itself checks for clone flags that are namespaces; filtering them keeps a payload
 * without CAP_SYS_ADMIN out of user namespaces, in which it would have every capability. */
#define NEW_NAMESPACES                                                                   \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
	 CLONE_NEWPID | CLONE_NEWNET)
#if defined(__s390__) || defined(__s390x__)
enum { CLONE_FLAGS = 1 };
#else
enum { CLONE_FLAGS = 0 };
#endif

enum { ANY = -1 };

/* Sockets by what socket(2) takes. The kernel loads a module for a family, type or protocol that
 * it does not have yet, on behalf of anybody: all others stay out of reach of the payload. */
static const struct {
	int family, type, protocol;
	uint64_t caps; /* any of these opens it; 0: always open */
	enum scope scope;
} sockets[] = {
	{ AF_UNIX,    ANY,	   ANY,			   0,		   ANYWHERE },
	{ AF_INET,    SOCK_STREAM, 0,			   0,		   ANYWHERE },
	{ AF_INET,    SOCK_STREAM, IPPROTO_TCP,		   0,		   ANYWHERE },
	{ AF_INET,    SOCK_STREAM, IPPROTO_MPTCP,	   0,		   ANYWHERE },
	{ AF_INET,    SOCK_DGRAM,  0,			   0,		   ANYWHERE },
	{ AF_INET,    SOCK_DGRAM,  IPPROTO_UDP,		   0,		   ANYWHERE },
	{ AF_INET,    SOCK_DGRAM,  IPPROTO_ICMP,	   0,		   ANYWHERE },
	{ AF_INET,    SOCK_RAW,	   ANY,			   CAP(NET_RAW),   ANYWHERE },
	{ AF_INET6,   SOCK_STREAM, 0,			   0,		   ANYWHERE },
	{ AF_INET6,   SOCK_STREAM, IPPROTO_TCP,		   0,		   ANYWHERE },
	{ AF_INET6,   SOCK_STREAM, IPPROTO_MPTCP,	   0,		   ANYWHERE },
	{ AF_INET6,   SOCK_DGRAM,  0,			   0,		   ANYWHERE },
	{ AF_INET6,   SOCK_DGRAM,  IPPROTO_UDP,		   0,		   ANYWHERE },
	{ AF_INET6,   SOCK_DGRAM,  IPPROTO_ICMPV6,	   0,		   ANYWHERE },
	{ AF_INET6,   SOCK_RAW,	   ANY,			   CAP(NET_RAW),   ANYWHERE },
	{ AF_NETLINK, ANY,	   NETLINK_ROUTE,	   0,		   ANYWHERE },
	{ AF_NETLINK, ANY,	   NETLINK_SOCK_DIAG,	   0,		   ANYWHERE },
	{ AF_NETLINK, ANY,	   NETLINK_KOBJECT_UEVENT, 0,		   ANYWHERE },
	{ AF_NETLINK, ANY,	   NETLINK_GENERIC,	   0,		   ANYWHERE },
	{ AF_NETLINK, ANY,	   NETLINK_NETFILTER,	   CAP(NET_ADMIN), ANYWHERE },
	{ AF_NETLINK, ANY,	   NETLINK_AUDIT,
	  CAP(AUDIT_WRITE) | CAP(AUDIT_CONTROL) | CAP(AUDIT_READ),	   HOST },
	{ AF_PACKET,  ANY,	   ANY,			   CAP(NET_RAW),   ANYWHERE },
};

/* Whole values of personality(2); ADDR_NO_RANDOMIZE, READ_IMPLIES_EXEC and MMAP_PAGE_ZERO would
 * switch protections off, and survive into set-uid programs' children. */
static const uint32_t personalities[] = {
	PER_LINUX, PER_LINUX32, UNAME26, PER_LINUX32 | UNAME26, UINT32_MAX /* ask */
};

/* ioctl(2) commands that type into or repaint the terminal that the payload was started from */
static const uint32_t terminal_commands[] = {
	TIOCSTI,
	0x541c, /* TIOCLINUX: not in the C library's headers */
};
/* clang-format on */

struct profile {
	struct arena *arena;
	struct js_list rules; /* struct spec_seccomp_rule */
	bool failed;
};

static void *take_memory(struct profile *p, size_t size)
{
	void *memory = arena_alloc(p->arena, size);

	p->failed |= !memory;
	return memory;
}

static char *copy(struct profile *p, const char *s, size_t len)
{
	char *text = arena_strndup(p->arena, s, len);

	p->failed |= !text;
	return text;
}

static struct strv split(struct profile *p, const char *calls)
{
	struct strv names = { 0 };

	while (*calls) {
		size_t len = strcspn(calls, " ");
		char **name = arena_grow(p->arena, &names.v, &names.n, sizeof(*name));

		if (!name) {
			p->failed = true;
			break;
		}
		*name = copy(p, calls, len);
		calls += len + strspn(calls + len, " ");
	}
	return names;
}

/* @denied: 0 allows */
static struct spec_seccomp_rule *add(struct profile *p, const char *calls, int denied)
{
	const char *action = denied ? "SCMP_ACT_ERRNO" : "SCMP_ACT_ALLOW";
	struct spec_seccomp_rule *rule =
		arena_grow(p->arena, &p->rules.v, &p->rules.n, sizeof(*rule));

	if (!rule) {
		p->failed = true;
		return NULL;
	}
	rule->names = split(p, calls);
	rule->action = copy(p, action, strlen(action));
	rule->errno_ret = (struct opt_u64){ (uint64_t)denied, denied != 0 };
	return rule;
}

/* A condition on the low 32 bits of an argument: (argument & mask) == value. */
struct low {
	uint32_t index, mask, value;
};

static void add_with(struct profile *p, const char *calls, int denied, const struct low *lows,
		     size_t n)
{
	struct spec_seccomp_rule *rule = add(p, calls, denied);
	struct spec_seccomp_arg *args = take_memory(p, n * sizeof(*args));

	if (p->failed)
		return;
	for (size_t i = 0; i < n; i++)
		args[i] = (struct spec_seccomp_arg){ .index = lows[i].index,
						     .value = lows[i].mask,
						     .value_two = lows[i].value,
						     .op = copy(p, "SCMP_CMP_MASKED_EQ", 18) };
	rule->args = (struct js_list){ args, n };
}

static void add_if(struct profile *p, const char *calls, int denied, uint32_t index, uint32_t mask,
		   uint32_t value)
{
	add_with(p, calls, denied, &(struct low){ index, mask, value }, 1);
}

static bool is_open(uint64_t needed, enum scope scope, uint64_t caps, bool userns)
{
	return !needed || ((caps & needed) && !(scope == HOST && userns));
}

static void add_sockets(struct profile *p, uint64_t caps, bool userns)
{
	add(p, "socket socketpair", EAFNOSUPPORT);
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++) {
		struct low lows[3] = { { 0, UINT32_MAX, (uint32_t)sockets[i].family } };
		size_t n = 1;

		if (!is_open(sockets[i].caps, sockets[i].scope, caps, userns))
			continue;
		if (sockets[i].type != ANY) /* SOCK_TYPE_MASK of the kernel: the rest are flags */
			lows[n++] = (struct low){ 1, 0xf, (uint32_t)sockets[i].type };
		if (sockets[i].protocol != ANY)
			lows[n++] = (struct low){ 2, UINT32_MAX, (uint32_t)sockets[i].protocol };
		add_with(p, "socket", 0, lows, n);
	}
	add_if(p, "socketpair", 0, 0, UINT32_MAX, AF_UNIX);
	/* Upper-layer protocols of TCP are modules too, loaded by name; TLS falls back to user
	 * space. */
	add_with(p, "setsockopt", ENOPROTOOPT,
		 (struct low[]){ { 1, UINT32_MAX, IPPROTO_TCP },
				 { 2, UINT32_MAX, 31 /* TCP_ULP */ } },
		 2);
}

int seccomp_default_spec(uint64_t caps, bool userns, struct arena *arena, struct spec_seccomp **ret,
			 struct err *e)
{
	struct profile p = { .arena = arena };
	struct spec_seccomp *spec = take_memory(&p, sizeof(*spec));

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		const struct group *g = &groups[i];

		if (is_open(g->caps, g->scope, caps, userns))
			add(&p, g->calls, 0);
		else if (g->denied)
			add(&p, g->calls, g->denied);
	}
	if (caps & CAP(SYS_ADMIN)) {
		add(&p, "clone unshare", 0);
	} else {
		add(&p, "clone unshare", EPERM);
		add_if(&p, "clone", 0, CLONE_FLAGS, NEW_NAMESPACES, 0);
		/* clone(2) has its exit signal where CLONE_NEWTIME is */
		add_if(&p, "unshare", 0, 0, NEW_NAMESPACES | CLONE_NEWTIME, 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(terminal_commands); i++)
		add_if(&p, "ioctl", EPERM, 1, UINT32_MAX, terminal_commands[i]);
	add(&p, "personality", EPERM);
	for (size_t i = 0; i < ARRAY_SIZE(personalities); i++)
		add_if(&p, "personality", 0, 0, UINT32_MAX, personalities[i]);
	add_sockets(&p, caps, userns);
	if (p.failed)
		return err_set(e, -ENOMEM, "build the default seccomp profile");

	spec->default_action = copy(&p, "SCMP_ACT_ERRNO", 14);
	spec->default_errno_ret = (struct opt_u64){ ENOSYS, true };
	spec->syscalls = p.rules;
	if (p.failed)
		return err_set(e, -ENOMEM, "build the default seccomp profile");
	*ret = spec;
	return 0;
}
