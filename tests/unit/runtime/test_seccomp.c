/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled filters, run by a small interpreter of classic BPF as the kernel would run them, and
 * loaded for real in children. */
#include "runtime/process/seccomp.h"

#include "base/own.h"
#include "runtime/process/caps.h"
#include "runtime/spec/spec.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { ALLOW = -1, KILL = -2, OTHER = -3 };
#define HIGH (UINT64_C(1) << 32)
#define ALL  UINT64_MAX

static struct arena arena;

/* What kernel/seccomp.c lets a filter do, and nothing else: anything else fails the test. */
static uint32_t run(const struct seccomp_filter *f, const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < f->count; pc++) {
		const struct sock_filter *i = &f->insns[pc];
		bool taken;

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			ck_assert_uint_eq(i->k % 4, 0);
			ck_assert_uint_le(i->k + 4, sizeof(*data));
			memcpy(&a, (const char *)data + i->k, 4);
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			continue;
		case BPF_RET | BPF_K:
			return i->k;
		case BPF_JMP | BPF_JA:
			pc += i->k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			taken = a == i->k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			taken = a > i->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			taken = a >= i->k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			taken = a & i->k;
			break;
		default:
			ck_abort_msg("instruction %zu: code %#x", pc, i->code);
		}
		pc += taken ? i->jt : i->jf;
	}
	ck_abort_msg("ran off the end");
}

/* ALLOW, KILL, OTHER, or the errno */
static int verdict(const struct seccomp_filter *f, uint32_t arch, int nr, const uint64_t *args)
{
	struct seccomp_data data = { .nr = nr, .arch = arch };
	uint32_t action;

	for (int i = 0; args && i < 6; i++)
		data.args[i] = args[i];
	action = run(f, &data);
	if (action == SECCOMP_RET_ALLOW)
		return ALLOW;
	if (action == SECCOMP_RET_KILL_PROCESS)
		return KILL;
	if ((action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO)
		return (int)(action & SECCOMP_RET_DATA);
	return OTHER;
}

static struct seccomp_filter compile_default(uint64_t caps, bool userns)
{
	struct spec_seccomp *spec = NULL;
	struct seccomp_filter f = { 0 };
	struct err e = { 0 };

	ck_assert_int_eq(seccomp_default_spec(caps, userns, &arena, &spec, &e), 0);
	ck_assert_msg(seccomp_compile(spec, &arena, &f, &e) == 0, "%s", e.msg);
	return f;
}

#if defined(__x86_64__)
/* clang-format off */
static const struct {
	const char *call;
	uint64_t args[6];
	int app, system; /* verdicts of the two default profiles */
} calls[] = {
	{ "read",	     { 0 },			    ALLOW,	  ALLOW },
	{ "execve",	     { 0 },			    ALLOW,	  ALLOW },
	{ "futex",	     { 0 },			    ALLOW,	  ALLOW },
	{ "memfd_create",    { 0 },			    ALLOW,	  ALLOW },
	{ "name_to_handle_at", { 0 },			    ALLOW,	  ALLOW },
	{ "landlock_restrict_self", { 0 },		    ALLOW,	  ALLOW },
	{ "adjtimex",	     { 0 },			    ALLOW,	  ALLOW },
	/* absent for everybody */
	{ "keyctl",	     { 0 },			    ENOSYS,	  ENOSYS },
	{ "add_key",	     { 0 },			    ENOSYS,	  ENOSYS },
	{ "request_key",     { 0 },			    ENOSYS,	  ENOSYS },
	{ "bpf",	     { 0 },			    ENOSYS,	  ENOSYS },
	{ "perf_event_open", { 0 },			    ENOSYS,	  ENOSYS },
	{ "userfaultfd",     { 0 },			    ENOSYS,	  ENOSYS },
	{ "io_uring_setup",  { 0 },			    ENOSYS,	  ENOSYS },
	{ "io_uring_enter",  { 0 },			    ENOSYS,	  ENOSYS },
	{ "io_uring_register", { 0 },			    ENOSYS,	  ENOSYS },
	{ "kexec_load",	     { 0 },			    ENOSYS,	  ENOSYS },
	{ "kexec_file_load", { 0 },			    ENOSYS,	  ENOSYS },
	{ "init_module",     { 0 },			    ENOSYS,	  ENOSYS },
	{ "finit_module",    { 0 },			    ENOSYS,	  ENOSYS },
	{ "delete_module",   { 0 },			    ENOSYS,	  ENOSYS },
	{ "swapon",	     { 0 },			    ENOSYS,	  ENOSYS },
	{ "swapoff",	     { 0 },			    ENOSYS,	  ENOSYS },
	{ "quotactl",	     { 0 },			    ENOSYS,	  ENOSYS },
	{ "quotactl_fd",     { 0 },			    ENOSYS,	  ENOSYS },
	{ "modify_ldt",	     { 0 },			    ENOSYS,	  ENOSYS },
	{ "uselib",	     { 0 },			    ENOSYS,	  ENOSYS },
	{ "memfd_secret",    { 0 },			    ENOSYS,	  ENOSYS },
	/* what a capability opens */
	{ "mount",	     { 0 },			    EPERM,	  ALLOW },
	{ "umount2",	     { 0 },			    EPERM,	  ALLOW },
	{ "pivot_root",	     { 0 },			    EPERM,	  ALLOW },
	{ "fsopen",	     { 0 },			    EPERM,	  ALLOW },
	{ "open_tree",	     { 0 },			    EPERM,	  ALLOW },
	{ "move_mount",	     { 0 },			    EPERM,	  ALLOW },
	{ "mount_setattr",   { 0 },			    EPERM,	  ALLOW },
	{ "setns",	     { 0 },			    EPERM,	  ALLOW },
	{ "sethostname",     { 0 },			    EPERM,	  ALLOW },
	{ "setdomainname",   { 0 },			    EPERM,	  ALLOW },
	{ "reboot",	     { 0 },			    EPERM,	  ALLOW },
	{ "chroot",	     { 0 },			    ALLOW,	  ALLOW },
	{ "ptrace",	     { 0 },			    EPERM,	  ALLOW },
	{ "process_vm_readv", { 0 },			    EPERM,	  ALLOW },
	{ "pidfd_getfd",     { 0 },			    EPERM,	  ALLOW },
	{ "kcmp",	     { 0 },			    EPERM,	  ALLOW },
	{ "clone3",	     { 0 },			    ENOSYS,	  ALLOW },
	/* what only the first user namespace's capabilities can do */
	{ "settimeofday",    { 0 },			    EPERM,	  EPERM },
	{ "clock_settime",   { 0 },			    EPERM,	  EPERM },
	{ "syslog",	     { 0 },			    EPERM,	  EPERM },
	{ "acct",	     { 0 },			    EPERM,	  EPERM },
	{ "iopl",	     { 0 },			    EPERM,	  EPERM },
	{ "fanotify_init",   { 0 },			    EPERM,	  EPERM },
	{ "open_by_handle_at", { 0 },			    EPERM,	  EPERM },
	/* clone and unshare by flag; the kernel ignores the high half */
	{ "clone",	     { 17 /* SIGCHLD */ },	    ALLOW,	  ALLOW },
	{ "clone",	     { 0x3d0f00 /* a thread */ },   ALLOW,	  ALLOW },
	{ "clone",	     { CLONE_NEWUSER | 17 },	    EPERM,	  ALLOW },
	{ "clone",	     { CLONE_NEWUSER | 17 | HIGH }, EPERM,	  ALLOW },
	{ "clone",	     { CLONE_NEWNS },		    EPERM,	  ALLOW },
	{ "clone",	     { CLONE_NEWNET },		    EPERM,	  ALLOW },
	{ "clone",	     { CLONE_NEWCGROUP },	    EPERM,	  ALLOW },
	{ "clone",	     { CLONE_NEWPID },		    EPERM,	  ALLOW },
	{ "clone",	     { CLONE_NEWIPC },		    EPERM,	  ALLOW },
	{ "clone",	     { CLONE_NEWUTS },		    EPERM,	  ALLOW },
	{ "unshare",	     { CLONE_FS | CLONE_FILES },    ALLOW,	  ALLOW },
	{ "unshare",	     { CLONE_NEWUSER },		    EPERM,	  ALLOW },
	{ "unshare",	     { CLONE_NEWUSER | HIGH },	    EPERM,	  ALLOW },
	{ "unshare",	     { CLONE_NEWTIME },		    EPERM,	  ALLOW },
	/* the caller's terminal */
	{ "ioctl",	     { 0, TCGETS },		    ALLOW,	  ALLOW },
	{ "ioctl",	     { 0, TIOCSTI - 1 },	    ALLOW,	  ALLOW },
	{ "ioctl",	     { 0, TIOCSTI },		    EPERM,	  EPERM },
	{ "ioctl",	     { 0, TIOCSTI | HIGH },	    EPERM,	  EPERM },
	{ "ioctl",	     { 0, TIOCSTI | HIGH << 31 },   EPERM,	  EPERM },
	{ "ioctl",	     { 0, 0x541c },		    EPERM,	  EPERM },
	{ "ioctl",	     { 0, 0x541c | HIGH },	    EPERM,	  EPERM },
	{ "personality",     { 0 },			    ALLOW,	  ALLOW },
	{ "personality",     { 8 },			    ALLOW,	  ALLOW },
	{ "personality",     { 0xffffffff },		    ALLOW,	  ALLOW },
	{ "personality",     { UINT64_MAX },		    ALLOW,	  ALLOW },
	{ "personality",     { 0x40000 },		    EPERM,	  EPERM },
	{ "personality",     { 0x400000 | HIGH },	    EPERM,	  EPERM },
	/* sockets by family, type and protocol */
	{ "socket",	     { AF_UNIX, SOCK_SEQPACKET },   ALLOW,	  ALLOW },
	{ "socket",	     { AF_UNIX | HIGH },	    ALLOW,	  ALLOW },
	{ "socket",	     { AF_INET, SOCK_STREAM, 6 },   ALLOW,	  ALLOW },
	{ "socket",	     { AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0 }, ALLOW, ALLOW },
	{ "socket",	     { AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 17 }, ALLOW, ALLOW },
	{ "socket",	     { AF_INET6, SOCK_DGRAM, 58 },  ALLOW,	  ALLOW },
	{ "socket",	     { AF_INET, SOCK_STREAM, 132 }, EAFNOSUPPORT, EAFNOSUPPORT }, /* SCTP */
	{ "socket",	     { AF_INET, SOCK_SEQPACKET, 0 }, EAFNOSUPPORT, EAFNOSUPPORT },
	{ "socket",	     { AF_INET, 6 /* DCCP */, 0 },  EAFNOSUPPORT, EAFNOSUPPORT },
	{ "socket",	     { AF_INET, SOCK_DGRAM, 115 },  EAFNOSUPPORT, EAFNOSUPPORT }, /* L2TP */
	{ "socket",	     { AF_INET, SOCK_RAW, 1 },	    EAFNOSUPPORT, ALLOW },
	{ "socket",	     { AF_INET6, SOCK_RAW, 112 },   EAFNOSUPPORT, ALLOW },
	{ "socket",	     { AF_NETLINK, SOCK_RAW, 0 },   ALLOW,	  ALLOW },
	{ "socket",	     { AF_NETLINK, SOCK_RAW, 15 },  ALLOW,	  ALLOW },
	{ "socket",	     { AF_NETLINK, SOCK_RAW, 16 },  ALLOW,	  ALLOW },
	{ "socket",	     { AF_NETLINK, SOCK_RAW, 12 },  EAFNOSUPPORT, ALLOW },
	{ "socket",	     { AF_NETLINK, SOCK_RAW, 9 },   EAFNOSUPPORT, EAFNOSUPPORT },
	{ "socket",	     { AF_NETLINK, SOCK_RAW, 6 },   EAFNOSUPPORT, EAFNOSUPPORT }, /* XFRM */
	{ "socket",	     { AF_PACKET, SOCK_RAW, 0 },    EAFNOSUPPORT, ALLOW },
	{ "socket",	     { AF_ALG },		    EAFNOSUPPORT, EAFNOSUPPORT },
	{ "socket",	     { AF_ALG | HIGH },		    EAFNOSUPPORT, EAFNOSUPPORT },
	{ "socket",	     { AF_VSOCK },		    EAFNOSUPPORT, EAFNOSUPPORT },
	{ "socketpair",	     { AF_UNIX },		    ALLOW,	  ALLOW },
	{ "socketpair",	     { AF_TIPC },		    EAFNOSUPPORT, EAFNOSUPPORT },
	{ "setsockopt",	     { 0, SOL_SOCKET, 31 },	    ALLOW,	  ALLOW },
	{ "setsockopt",	     { 0, 6, 1 },		    ALLOW,	  ALLOW },
	{ "setsockopt",	     { 0, 6, 31 },		    ENOPROTOOPT,  ENOPROTOOPT },
	{ "setsockopt",	     { 0, 6 | HIGH, 31 | HIGH },    ENOPROTOOPT,  ENOPROTOOPT },
};
/* clang-format on */

START_TEST(test_default_profile)
{
	struct seccomp_filter app = compile_default(caps_app_profile, false);
	struct seccomp_filter system = compile_default(ALL, true);
	int nr = seccomp_syscall_resolve_name(calls[_i].call);

	ck_assert_int_ge(nr, 0);
	ck_assert_int_eq(verdict(&app, AUDIT_ARCH_X86_64, nr, calls[_i].args), calls[_i].app);
	ck_assert_int_eq(verdict(&system, AUDIT_ARCH_X86_64, nr, calls[_i].args), calls[_i].system);
}
END_TEST

/* Host capabilities open what a user namespace's do not. */
START_TEST(test_host_capabilities)
{
	struct seccomp_filter f = compile_default(ALL, false);

	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, SYS_clock_settime, NULL), ALLOW);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, SYS_open_by_handle_at, NULL), ALLOW);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, SYS_syslog, NULL), ALLOW);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, SYS_bpf, NULL), ENOSYS);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, SYS_finit_module, NULL), ENOSYS);
}
END_TEST

/* Families 0..46 with and without high bits, by both profiles: exactly the listed ones pass. */
START_TEST(test_families)
{
	struct seccomp_filter app = compile_default(caps_app_profile, false);
	struct seccomp_filter system = compile_default(ALL, true);

	for (uint64_t family = 0; family <= 46; family++) {
		for (uint64_t high = 0; high < 4; high++) {
			const uint64_t args[6] = { family | high << 32, SOCK_DGRAM };
			bool always = family == AF_UNIX || family == AF_INET ||
				      family == AF_INET6 || family == AF_NETLINK;

			ck_assert_int_eq(verdict(&app, AUDIT_ARCH_X86_64, SYS_socket, args),
					 always ? ALLOW : EAFNOSUPPORT);
			ck_assert_int_eq(verdict(&system, AUDIT_ARCH_X86_64, SYS_socket, args),
					 always || family == AF_PACKET ? ALLOW : EAFNOSUPPORT);
		}
	}
}
END_TEST

START_TEST(test_foreign_abis)
{
	struct seccomp_filter f = compile_default(ALL, true);

	for (int nr = 0; nr < 600; nr++) {
		ck_assert_int_eq(verdict(&f, AUDIT_ARCH_I386, nr, NULL), KILL);
		ck_assert_int_eq(verdict(&f, AUDIT_ARCH_AARCH64, nr, NULL), KILL);
		ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, nr | 0x40000000, NULL), ENOSYS);
	}
	/* beyond what the profile can know */
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, 600, NULL), ENOSYS);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, INT32_MAX, NULL), ENOSYS);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, -1, NULL), ENOSYS);
}
END_TEST
#endif

#define S(text) ((char[]){ text })
#define STRINGS(...)                                                                          \
	{                                                                                     \
		(char *[]){ __VA_ARGS__ }, sizeof((char *[]){ __VA_ARGS__ }) / sizeof(char *) \
	}
#define RULES(...)                                                            \
	{                                                                     \
		(struct spec_seccomp_rule[]){ __VA_ARGS__ },                  \
			sizeof((struct spec_seccomp_rule[]){ __VA_ARGS__ }) / \
				sizeof(struct spec_seccomp_rule)              \
	}
#define ARGS(...)                                                            \
	{                                                                    \
		(struct spec_seccomp_arg[]){ __VA_ARGS__ },                  \
			sizeof((struct spec_seccomp_arg[]){ __VA_ARGS__ }) / \
				sizeof(struct spec_seccomp_arg)              \
	}

#if defined(__x86_64__)
/* Every operator against values around both words' edges, on both word sizes. */
static bool holds(const char *op, uint64_t arg, uint64_t a, uint64_t b)
{
	if (strcmp(op, "SCMP_CMP_NE") == 0)
		return arg != a;
	if (strcmp(op, "SCMP_CMP_LT") == 0)
		return arg < a;
	if (strcmp(op, "SCMP_CMP_LE") == 0)
		return arg <= a;
	if (strcmp(op, "SCMP_CMP_EQ") == 0)
		return arg == a;
	if (strcmp(op, "SCMP_CMP_GE") == 0)
		return arg >= a;
	if (strcmp(op, "SCMP_CMP_GT") == 0)
		return arg > a;
	return (arg & a) == (b & a);
}

START_TEST(test_operators)
{
	static const uint64_t values[] = { 0,
					   1,
					   41,
					   42,
					   43,
					   UINT32_MAX - 1,
					   UINT32_MAX,
					   HIGH,
					   HIGH + 42,
					   2 * HIGH + 41,
					   (UINT64_C(41) << 32) + 43,
					   (UINT64_C(42) << 32) + 42,
					   (UINT64_C(43) << 32) + 41,
					   UINT64_MAX - 1,
					   UINT64_MAX };
	const char *op = seccomp_operators[_i].name;
	char *name = strdup(op);

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		const struct spec_seccomp spec = { .default_action = S("SCMP_ACT_ALLOW"),
						   .architectures = STRINGS(S("SCMP_ARCH_X86")),
						   .syscalls = RULES(
							   { .names = STRINGS(S("fcntl")),
							     .action = S("SCMP_ACT_ERRNO"),
							     .errno_ret = { 77, true },
							     .args = ARGS({ .index = 3,
									    .value = values[i],
									    .value_two = 42,
									    .op = name }) }) };
		struct seccomp_filter f = { 0 };
		struct err e = { 0 };

		ck_assert_msg(seccomp_compile(&spec, &arena, &f, &e) == 0, "%s", e.msg);
		for (size_t j = 0; j < ARRAY_SIZE(values); j++) {
			const uint64_t wide[6] = { 0, 0, 0, values[j] };
			const uint64_t narrow[6] = { 0, 0, 0, (uint32_t)values[j] };

			ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, SYS_fcntl, wide),
					 holds(op, values[j], values[i], 42) ? 77 : ALLOW);
			ck_assert_int_eq(verdict(&f, AUDIT_ARCH_I386, 55, narrow),
					 holds(op, narrow[3], (uint32_t)values[i], 42) ? 77
										       : ALLOW);
			ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, SYS_read, wide), ALLOW);
		}
	}
	free(name);
}
END_TEST

/* A profile with three ABIs as engines send it. */
START_TEST(test_abis)
{
	const struct spec_seccomp spec = {
		.default_action = S("SCMP_ACT_ERRNO"),
		.architectures =
			STRINGS(S("SCMP_ARCH_X86_64"), S("SCMP_ARCH_X86"), S("SCMP_ARCH_X32"),
				S("SCMP_ARCH_S390X"), S("SCMP_ARCH_LOONGARCH64")),
		.syscalls = RULES(
			{ .names = STRINGS(S("read"), S("no_such_call"), S("statx")),
			  .action = S("SCMP_ACT_ALLOW") },
			{ .names = STRINGS(S("socket")),
			  .action = S("SCMP_ACT_ALLOW"),
			  .args = ARGS({ .index = 0, .value = AF_UNIX, .op = S("SCMP_CMP_EQ") }) })
	};
	const uint64_t local[6] = { AF_UNIX }, alg[6] = { AF_ALG };
	struct seccomp_filter f = { 0 };
	struct err e = { 0 };

	ck_assert_msg(seccomp_compile(&spec, &arena, &f, &e) == 0, "%s", e.msg);
	ck_assert_uint_eq(f.flags, 0);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, SYS_read, NULL), ALLOW);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_I386, 3, NULL), ALLOW);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, 0x40000000, NULL), ALLOW);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_S390X, 3, NULL), KILL);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, SYS_write, NULL), EPERM);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_I386, 4, NULL), EPERM);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, 0x40000001, NULL), EPERM);
	/* statx is the newest call that this profile knows: 332, 383 and x32's 332 */
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, SYS_statx, NULL), ALLOW);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, SYS_statx + 1, NULL), ENOSYS);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_I386, 383, NULL), ALLOW);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_I386, 384, NULL), ENOSYS);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, 0x40000000 | 332, NULL), ALLOW);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, 0x40000000 | 333, NULL), ENOSYS);
	/* i386 has the direct call as 359; socketcall(102) hides its arguments and stays denied */
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, SYS_socket, local), ALLOW);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, SYS_socket, alg), EPERM);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_I386, 359, local), ALLOW);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_I386, 359, alg), EPERM);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_I386, 102, local), EPERM);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, 0x40000000 | 41, alg), EPERM);
}
END_TEST

/* Rules for one call: with arguments before without, strict before lenient, in any order. */
START_TEST(test_precedence)
{
	const struct spec_seccomp spec = {
		.default_action = S("SCMP_ACT_ERRNO"),
		.default_errno_ret = { 99, true },
		.syscalls = RULES(
			{ .names = STRINGS(S("socket"), S("read"), S("clone3")),
			  .action = S("SCMP_ACT_ALLOW") },
			{ .names = STRINGS(S("read")), .action = S("SCMP_ACT_KILL_PROCESS") },
			/* like the default, but narrower than the rule above */
			{ .names = STRINGS(S("socket")),
			  .action = S("SCMP_ACT_ERRNO"),
			  .errno_ret = { 99, true },
			  .args = ARGS({ .index = 0, .value = AF_ALG, .op = S("SCMP_CMP_EQ") }) },
			{ .names = STRINGS(S("socket")),
			  .action = S("SCMP_ACT_KILL_PROCESS"),
			  .args = ARGS({ .index = 0, .value = AF_VSOCK, .op = S("SCMP_CMP_EQ") },
				       { .index = 1, .value = 5, .op = S("SCMP_CMP_GE") }) },
			{ .names = STRINGS(S("socket")),
			  .action = S("SCMP_ACT_LOG"),
			  .args = ARGS({ .index = 0, .value = 50, .op = S("SCMP_CMP_LT") }) },
			/* alternatives for one argument */
			{ .names = STRINGS(S("fcntl")),
			  .action = S("SCMP_ACT_ERRNO"),
			  .errno_ret = { 0, true },
			  .args = ARGS({ .index = 1, .value = 3, .op = S("SCMP_CMP_EQ") },
				       { .index = 1, .value = 5, .op = S("SCMP_CMP_EQ") }) },
			{ .names = STRINGS(S("statx")),
			  .action = S("SCMP_ACT_TRACE"),
			  .errno_ret = { 0xbeef, true } })
	};
	const uint64_t alg[6] = { AF_ALG }, vsock[6] = { AF_VSOCK, 5 }, vsock4[6] = { AF_VSOCK, 4 },
		       far[6] = { 60 }, three[6] = { 0, 3 }, five[6] = { 0, 5 }, four[6] = { 0, 4 };
	struct seccomp_filter f = { 0 };
	struct seccomp_data statx = { .nr = SYS_statx, .arch = AUDIT_ARCH_X86_64 };
	struct err e = { 0 };

	ck_assert_msg(seccomp_compile(&spec, &arena, &f, &e) == 0, "%s", e.msg);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, SYS_socket, alg), 99);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, SYS_socket, vsock), KILL);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, SYS_socket, vsock4), OTHER);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, SYS_socket, far), ALLOW);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, SYS_read, NULL), KILL);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, SYS_fcntl, three), 0);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, SYS_fcntl, five), 0);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, SYS_fcntl, four), 99);
	ck_assert_int_eq(verdict(&f, AUDIT_ARCH_X86_64, SYS_write, NULL), 99);
	ck_assert_uint_eq(run(&f, &statx), SECCOMP_RET_TRACE | 0xbeef);
}
END_TEST
#endif

/* Every action, as the default and in a rule. */
START_TEST(test_actions)
{
	char *action = strdup(seccomp_actions[_i].name);
	uint32_t value = (uint32_t)seccomp_actions[_i].value;
	const struct spec_seccomp by_default = { .default_action = action };
	const struct spec_seccomp by_rule = { .default_action = S("SCMP_ACT_KILL_PROCESS"),
					      .syscalls = RULES({ .names = STRINGS(S("getpid")),
								  .action = action }) };
	struct seccomp_data data = { .nr = SYS_getpid, .arch = seccomp_arch_native() };
	struct seccomp_filter f = { 0 };
	struct err e = { 0 };
	bool listens = value == SECCOMP_RET_USER_NOTIF;

	if (value == SECCOMP_RET_ERRNO || value == SECCOMP_RET_TRACE)
		value |= EPERM;
	ck_assert_msg(seccomp_compile(&by_default, &arena, &f, &e) == 0, "%s", e.msg);
	ck_assert_uint_eq(run(&f, &data), value);
	ck_assert_uint_eq(f.flags, listens ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0);
	ck_assert_msg(seccomp_compile(&by_rule, &arena, &f, &e) == 0, "%s", e.msg);
	ck_assert_uint_eq(run(&f, &data), value);
	ck_assert_uint_eq(f.flags, listens ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0);
	free(action);
}
END_TEST

START_TEST(test_arch_names)
{
	char *arch = strdup(seccomp_archs[_i].name);
	const struct spec_seccomp spec = { .default_action = S("SCMP_ACT_ALLOW"),
					   .architectures = { &arch, 1 } };
	struct seccomp_filter f = { 0 };
	struct err e = { 0 };

	ck_assert_msg(seccomp_compile(&spec, &arena, &f, &e) == 0, "%s", e.msg);
	free(arch);
}
END_TEST

/* A profile that is well but for one thing. */
static struct spec_seccomp bad_profile(int which)
{
	struct spec_seccomp_rule *rule = arena_alloc(&arena, sizeof(*rule));
	struct spec_seccomp_arg *arg = arena_alloc(&arena, sizeof(*arg));
	char **words = arena_alloc(&arena, 2 * sizeof(*words));
	struct spec_seccomp spec = {
		.default_action =
			arena_strdup(&arena, which == 0 ? "SCMP_ACT_ALLO" : "SCMP_ACT_ALLOW"),
		.default_errno_ret = { 1, which == 1 },
		.architectures = { words, which == 2 },
		.flags = { words, which == 3 || which == 8 },
		.syscalls = { rule, 1 },
	};

	words[0] = arena_strdup(&arena, which == 8 ? "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"
						   : "SCMP_ARCH_PDP11");
	words[1] = arena_strdup(&arena, "getpid");
	rule->names = (struct strv){ &words[1], 1 };
	rule->action = arena_strdup(&arena, which == 4 ? "SCMP_ACT_ERRN" : "SCMP_ACT_ERRNO");
	rule->errno_ret = (struct opt_u64){ 4096, which == 5 };
	rule->args = (struct js_list){ arg, 1 };
	arg->op = arena_strdup(&arena, which == 6 ? "SCMP_CMP_E" : "SCMP_CMP_EQ");
	arg->index = which == 7 ? 6 : 0;
	return spec;
}

static const char *const bad_paths[] = {
	"linux.seccomp.defaultAction:",
	"linux.seccomp.defaultErrnoRet:",
	"linux.seccomp.architectures[0]:",
	"linux.seccomp.flags[0]:",
	"linux.seccomp.syscalls[0].action:",
	"linux.seccomp.syscalls[0].errnoRet:",
	"linux.seccomp.syscalls[0].args[0].op:",
	"linux.seccomp.syscalls[0].args[0].index:",
	"linux.seccomp.flags:",
};

START_TEST(test_bad)
{
	struct spec_seccomp spec = bad_profile(_i);
	struct seccomp_filter f = { 0 };
	struct err e = { 0 };

	ck_assert_int_eq(seccomp_compile(&spec, &arena, &f, &e), -EINVAL);
	ck_assert_msg(strstr(e.msg, bad_paths[_i]) == e.msg, "%s", e.msg);
	ck_assert_ptr_null(f.insns);
}
END_TEST

START_TEST(test_flags)
{
	const struct spec_seccomp spec = {
		.default_action = S("SCMP_ACT_ALLOW"),
		.flags = STRINGS(S("SECCOMP_FILTER_FLAG_TSYNC"), S("SECCOMP_FILTER_FLAG_LOG"),
				 S("SECCOMP_FILTER_FLAG_SPEC_ALLOW"),
				 S("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV")),
		.syscalls = RULES({ .names = STRINGS(S("getpid")), .action = S("SCMP_ACT_NOTIFY") })
	};
	struct seccomp_filter f = { 0 };

	ck_assert_int_eq(seccomp_compile(&spec, &arena, &f, NULL), 0);
	ck_assert_uint_eq(f.flags, SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG |
					   SECCOMP_FILTER_FLAG_SPEC_ALLOW |
					   SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV |
					   SECCOMP_FILTER_FLAG_NEW_LISTENER |
					   SECCOMP_FILTER_FLAG_TSYNC_ESRCH);
}
END_TEST

/* For real: the kernel takes the filter and answers as the interpreter says. */
static int in_child(int (*body)(void))
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(body());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int refused_with(long r)
{
	return r < 0 ? errno : 0;
}

static int body_default(void)
{
	struct seccomp_filter f = compile_default(caps_app_profile, false);
	int r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return 1;
	r = seccomp_install(&f);
	if (r != 0)
		return 2;
	if (refused_with(syscall(SYS_socket, (long)(AF_ALG | HIGH), SOCK_SEQPACKET, 0)) !=
	    EAFNOSUPPORT)
		return 3;
	if (refused_with(syscall(SYS_ioctl, 0L, (long)(TIOCSTI | HIGH), "x")) != EPERM)
		return 4;
	if (refused_with(syscall(SYS_clone3, NULL, 0)) != ENOSYS)
		return 5;
	if (refused_with(syscall(SYS_unshare, CLONE_NEWUSER)) != EPERM)
		return 6;
	if (refused_with(syscall(SYS_bpf, 0, NULL, 0)) != ENOSYS)
		return 7;
	if (refused_with(syscall(1000)) != ENOSYS)
		return 8;
	if (refused_with(syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0)) != 0)
		return 9;
	return fork() < 0 ? 10 : 0; /* the child of it ends here as well */
}

START_TEST(test_installed)
{
	ck_assert_int_eq(in_child(body_default), 0);
}
END_TEST

static int body_listener(void)
{
	const struct spec_seccomp spec = { .default_action = S("SCMP_ACT_ALLOW"),
					   .syscalls = RULES({ .names = STRINGS(S("getppid")),
							       .action = S("SCMP_ACT_NOTIFY") }) };
	struct seccomp_filter f = { 0 };
	int fd;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return 1;
	if (seccomp_compile(&spec, &arena, &f, NULL) < 0)
		return 2;
	fd = seccomp_install(&f);
	if (fd <= 0)
		return 3;
	return fcntl(fd, F_GETFD) == FD_CLOEXEC ? 0 : 4;
}

START_TEST(test_listener)
{
	ck_assert_int_eq(in_child(body_listener), 0);
}
END_TEST

static int body_refused(void)
{
	struct sock_filter bad = { .code = 0xffff };
	const struct seccomp_filter f = { .insns = &bad, .count = 1 };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return 1;
	return seccomp_install(&f) == -EINVAL ? 0 : 2;
}

START_TEST(test_refused)
{
	ck_assert_int_eq(in_child(body_refused), 0);
}
END_TEST

static char cache_dir[] = "/tmp/ctr-seccomp-XXXXXX";

/* The one entry's name in @name; how many entries there are. */
static size_t entries(int dirfd, char *name, size_t size)
{
	own_fd int fd = openat(dirfd, ".cache/seccomp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = fdopendir(fd);
	const struct dirent *entry;
	size_t count = 0;

	ck_assert_ptr_nonnull(dir);
	(void)take_fd(&fd);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		count++;
		(void)snprintf(name, size, ".cache/seccomp/%s", entry->d_name);
	}
	return count;
}

static void remove_cache(int dirfd)
{
	char name[300];

	while (entries(dirfd, name, sizeof(name)) > 0)
		ck_assert_int_eq(unlinkat(dirfd, name, 0), 0);
	ck_assert_int_eq(unlinkat(dirfd, ".cache/seccomp", AT_REMOVEDIR), 0);
	ck_assert_int_eq(unlinkat(dirfd, ".cache", AT_REMOVEDIR), 0);
	ck_assert_int_eq(rmdir(cache_dir), 0);
}

static void same(const struct seccomp_filter *a, const struct seccomp_filter *b)
{
	ck_assert_uint_eq(a->count, b->count);
	ck_assert_uint_eq(a->flags, b->flags);
	ck_assert_mem_eq(a->insns, b->insns, a->count * sizeof(*a->insns));
}

START_TEST(test_cache)
{
	struct spec_seccomp *spec = NULL, *other = NULL;
	struct seccomp_filter plain = { 0 }, f = { 0 };
	char name[300], again[300];
	own_fd int dir = -EBADF, file = -EBADF;
	struct stat st, st2;
	char byte;

	ck_assert_ptr_nonnull(mkdtemp(cache_dir));
	dir = open(cache_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(seccomp_default_spec(0, false, &arena, &spec, NULL), 0);
	ck_assert_int_eq(seccomp_default_spec(ALL, false, &arena, &other, NULL), 0);
	ck_assert_int_eq(seccomp_compile(spec, &arena, &plain, NULL), 0);

	ck_assert_int_eq(seccomp_compile_cached(dir, spec, &arena, &f, NULL), 0);
	same(&f, &plain);
	ck_assert_uint_eq(entries(dir, name, sizeof(name)), 1);
	ck_assert_int_eq(fstatat(dir, name, &st, 0), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);

	/* a hit leaves the entry alone */
	ck_assert_int_eq(seccomp_compile_cached(dir, spec, &arena, &f, NULL), 0);
	same(&f, &plain);
	ck_assert_int_eq(fstatat(dir, name, &st2, 0), 0);
	ck_assert_uint_eq(st.st_ino, st2.st_ino);

	/* every byte matters: damage at several places, and a cut at every length class */
	for (off_t at = 0; at < st.st_size; at += 97) {
		close_fd(&file);
		file = openat(dir, name, O_RDWR | O_CLOEXEC);
		ck_assert_int_eq(pread(file, &byte, 1, at), 1);
		byte ^= 0x10;
		if (at >= 20 && at < 24)
			continue; /* padding of the header */
		ck_assert_int_eq(pwrite(file, &byte, 1, at), 1);
		ck_assert_int_eq(seccomp_compile_cached(dir, spec, &arena, &f, NULL), 0);
		same(&f, &plain);
	}
	for (off_t cut = 0; cut < st.st_size; cut += st.st_size / 7) {
		close_fd(&file);
		file = openat(dir, name, O_RDWR | O_CLOEXEC);
		ck_assert_int_eq(ftruncate(file, cut), 0);
		ck_assert_int_eq(seccomp_compile_cached(dir, spec, &arena, &f, NULL), 0);
		same(&f, &plain);
		ck_assert_int_eq(fstatat(dir, name, &st2, 0), 0);
		ck_assert_int_eq(st2.st_size, st.st_size);
	}

	/* another profile is another entry; under a stolen name it is not believed */
	ck_assert_int_eq(seccomp_compile_cached(dir, other, &arena, &f, NULL), 0);
	ck_assert_int_ne(f.count, plain.count);
	ck_assert_uint_eq(entries(dir, again, sizeof(again)), 2);
	if (strcmp(again, name) == 0) {
		/* directory order: find the other one by removing this one first */
		ck_assert_int_eq(unlinkat(dir, name, 0), 0);
		ck_assert_uint_eq(entries(dir, again, sizeof(again)), 1);
	}
	ck_assert_int_eq(renameat(dir, again, dir, name), 0);
	ck_assert_int_eq(seccomp_compile_cached(dir, spec, &arena, &f, NULL), 0);
	same(&f, &plain);

	/* a directory that others may write to is not used */
	ck_assert_int_eq(fchmodat(dir, ".cache/seccomp", 0777, 0), 0);
	ck_assert_int_eq(unlinkat(dir, name, 0), 0);
	ck_assert_int_eq(seccomp_compile_cached(dir, spec, &arena, &f, NULL), 0);
	same(&f, &plain);
	ck_assert_uint_eq(entries(dir, name, sizeof(name)), 0);
	ck_assert_int_eq(fchmodat(dir, ".cache/seccomp", 0700, 0), 0);

	/* it stays small */
	for (uint64_t caps = 0; caps < 80; caps++) {
		struct spec_seccomp varied = *spec;

		varied.default_errno_ret.v = 100 + caps;
		ck_assert_int_eq(seccomp_compile_cached(dir, &varied, &arena, &f, NULL), 0);
	}
	ck_assert_uint_eq(entries(dir, name, sizeof(name)), 64);
	remove_cache(dir);
}
END_TEST

START_TEST(test_no_cache)
{
	struct spec_seccomp *spec = NULL;
	struct seccomp_filter f = { 0 };

	ck_assert_int_eq(seccomp_default_spec(0, false, &arena, &spec, NULL), 0);
	ck_assert_int_eq(seccomp_compile_cached(-EBADF, spec, &arena, &f, NULL), 0);
	ck_assert_uint_gt(f.count, 0);
}
END_TEST

static void teardown(void)
{
	arena_done(&arena);
}

static int count(const struct name *table)
{
	int n = 0;

	while (table[n].name)
		n++;
	return n;
}

int main(void)
{
	Suite *suite = suite_create("seccomp");
	TCase *tcase = tcase_create("seccomp");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_set_timeout(tcase, 60);
#if defined(__x86_64__)
	tcase_add_loop_test(tcase, test_default_profile, 0, (int)ARRAY_SIZE(calls));
	tcase_add_test(tcase, test_host_capabilities);
	tcase_add_test(tcase, test_families);
	tcase_add_test(tcase, test_foreign_abis);
	tcase_add_loop_test(tcase, test_operators, 0, count(seccomp_operators));
	tcase_add_test(tcase, test_abis);
	tcase_add_test(tcase, test_precedence);
#endif
	tcase_add_loop_test(tcase, test_actions, 0, count(seccomp_actions));
	tcase_add_loop_test(tcase, test_arch_names, 0, count(seccomp_archs));
	tcase_add_loop_test(tcase, test_bad, 0, (int)ARRAY_SIZE(bad_paths));
	tcase_add_test(tcase, test_flags);
	tcase_add_test(tcase, test_installed);
	tcase_add_test(tcase, test_listener);
	tcase_add_test(tcase, test_refused);
	tcase_add_test(tcase, test_cache);
	tcase_add_test(tcase, test_no_cache);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
