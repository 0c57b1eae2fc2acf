/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCI seccomp profiles to BPF.
 *
 * DOC: A compiled filter is a head written here, then the program of libseccomp. libseccomp gets
 * the rules without arguments, which it turns into one balanced tree per architecture. The head
 * does what libseccomp 2.5 cannot:
 *
 * - A profile only speaks about the system calls that its author knew. libc tries newer ones first
 *   and falls back on ENOSYS alone, so a newer number must never get the profile's default errno.
 * - A rule with arguments is checked before a rule without for the same call. libseccomp drops the
 *   more specific one silently: "allow ioctl, deny ioctl TIOCSTI" would allow TIOCSTI.
 * - Several conditions on one argument.
 *
 * The head looks at arch and nr alone before it decides whether arguments matter, so the kernel's
 * cache of always-allowed calls (seccomp_cache_prepare) works for all other calls.
 */
#include "runtime/process/seccomp.h"

#include "base/fd.h"
#include "base/own.h"
#include "runtime/spec/spec.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* clang-format off */
const struct name seccomp_actions[] = {
	{ "SCMP_ACT_KILL",	   SECCOMP_RET_KILL_THREAD },
	{ "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS },
	{ "SCMP_ACT_KILL_THREAD",  SECCOMP_RET_KILL_THREAD },
	{ "SCMP_ACT_TRAP",	   SECCOMP_RET_TRAP },
	{ "SCMP_ACT_ERRNO",	   SECCOMP_RET_ERRNO },
	{ "SCMP_ACT_TRACE",	   SECCOMP_RET_TRACE },
	{ "SCMP_ACT_ALLOW",	   SECCOMP_RET_ALLOW },
	{ "SCMP_ACT_LOG",	   SECCOMP_RET_LOG },
	{ "SCMP_ACT_NOTIFY",	   SECCOMP_RET_USER_NOTIF },
	{ NULL, 0 }
};

const struct name seccomp_operators[] = {
	{ "SCMP_CMP_NE",	SCMP_CMP_NE },
	{ "SCMP_CMP_LT",	SCMP_CMP_LT },
	{ "SCMP_CMP_LE",	SCMP_CMP_LE },
	{ "SCMP_CMP_EQ",	SCMP_CMP_EQ },
	{ "SCMP_CMP_GE",	SCMP_CMP_GE },
	{ "SCMP_CMP_GT",	SCMP_CMP_GT },
	{ "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
	{ NULL, 0 }
};

const struct name seccomp_flags[] = {
	{ "SECCOMP_FILTER_FLAG_TSYNC",		    SECCOMP_FILTER_FLAG_TSYNC },
	{ "SECCOMP_FILTER_FLAG_LOG",		    SECCOMP_FILTER_FLAG_LOG },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW",	    SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV },
	{ NULL, 0 }
};

const struct name seccomp_archs[] = {
	{ "SCMP_ARCH_X86",	   SCMP_ARCH_X86 },
	{ "SCMP_ARCH_X86_64",	   SCMP_ARCH_X86_64 },
	{ "SCMP_ARCH_X32",	   SCMP_ARCH_X32 },
	{ "SCMP_ARCH_ARM",	   SCMP_ARCH_ARM },
	{ "SCMP_ARCH_AARCH64",	   SCMP_ARCH_AARCH64 },
	{ "SCMP_ARCH_LOONGARCH64", 0 },
	{ "SCMP_ARCH_M68K",	   0 },
	{ "SCMP_ARCH_MIPS",	   SCMP_ARCH_MIPS },
	{ "SCMP_ARCH_MIPS64",	   SCMP_ARCH_MIPS64 },
	{ "SCMP_ARCH_MIPS64N32",   SCMP_ARCH_MIPS64N32 },
	{ "SCMP_ARCH_MIPSEL",	   SCMP_ARCH_MIPSEL },
	{ "SCMP_ARCH_MIPSEL64",	   SCMP_ARCH_MIPSEL64 },
	{ "SCMP_ARCH_MIPSEL64N32", SCMP_ARCH_MIPSEL64N32 },
	{ "SCMP_ARCH_PPC",	   SCMP_ARCH_PPC },
	{ "SCMP_ARCH_PPC64",	   SCMP_ARCH_PPC64 },
	{ "SCMP_ARCH_PPC64LE",	   SCMP_ARCH_PPC64LE },
	{ "SCMP_ARCH_S390",	   SCMP_ARCH_S390 },
	{ "SCMP_ARCH_S390X",	   SCMP_ARCH_S390X },
	{ "SCMP_ARCH_SH",	   0 },
	{ "SCMP_ARCH_SHEB",	   0 },
	{ "SCMP_ARCH_PARISC",	   SCMP_ARCH_PARISC },
	{ "SCMP_ARCH_PARISC64",	   SCMP_ARCH_PARISC64 },
	{ "SCMP_ARCH_RISCV64",	   SCMP_ARCH_RISCV64 },
	{ NULL, 0 }
};

/* Which 32-bit ABIs a 64-bit kernel also runs. Other architectures in a profile are dead rules:
 * nothing on this machine can make such a call, and what the filter does not list is killed. */
static const struct {
	uint32_t abi, native;
} also_runs[] = {
	{ SCMP_ARCH_X86,	 SCMP_ARCH_X86_64 },
	{ SCMP_ARCH_X32,	 SCMP_ARCH_X86_64 },
	{ SCMP_ARCH_ARM,	 SCMP_ARCH_AARCH64 },
	{ SCMP_ARCH_MIPS,	 SCMP_ARCH_MIPS64 },
	{ SCMP_ARCH_MIPS64N32,	 SCMP_ARCH_MIPS64 },
	{ SCMP_ARCH_MIPSEL,	 SCMP_ARCH_MIPSEL64 },
	{ SCMP_ARCH_MIPSEL64N32, SCMP_ARCH_MIPSEL64 },
	{ SCMP_ARCH_PPC,	 SCMP_ARCH_PPC64 },
	{ SCMP_ARCH_S390,	 SCMP_ARCH_S390X },
	{ SCMP_ARCH_PARISC,	 SCMP_ARCH_PARISC64 },
};
/* clang-format on */

enum {
	ABIS_MAX = 4,
	ARGS_MAX = 6,
	DATA_ERRNO_MAX = 4095, /* the kernel caps SECCOMP_RET_ERRNO at MAX_ERRNO */
	DATA_TRACE_MAX = 65535,
};
#define X32_BIT	   0x40000000U /* __X32_SYSCALL_BIT: x32 shares AUDIT_ARCH_X86_64 */
#define JUMP_END   UINT32_MAX  /* placeholder in a BPF_JA until the head's length is known */
#define JUMP_FAIL  0xff	       /* placeholder in a rule's jumps until its length is known */
#define WORD(args) ((uint32_t)offsetof(struct seccomp_data, args))

struct abi {
	uint32_t token;
	int newest; /* highest number that the profile names; -1: none */
};

/* A rule for one system call; @num is libseccomp's number for the native ABI, negative for calls
 * that only other ABIs have. */
struct rule {
	const char *name;
	int num;
	uint32_t action;
	const struct spec_seccomp_arg *args;
	size_t n;
};

struct program {
	struct arena *arena;
	struct sock_filter *v;
	size_t n;
	bool failed;
};

struct build {
	struct arena *arena;
	const struct spec_seccomp *spec;
	uint32_t default_action;
	struct abi abis[ABIS_MAX];
	size_t abi_count;
	struct rule *plain, *special; /* without and with arguments */
	size_t plain_count, special_count;
};

static int unknown_word(struct err *e, const char *path, const char *word, const struct name *table)
{
	char known[sizeof(e->hint)];

	err_say(e, -EINVAL, "%s: unknown value '%s'", path, word ? word : "");
	err_hint(e, "allowed: %s", name_list(table, known, sizeof(known)));
	return -EINVAL;
}

/* @path names the action; its errno stands beside it under @errno_path. */
static int parse_action(const char *word, const struct opt_u64 *data, const char *path,
			const char *errno_path, uint32_t *ret, struct err *e)
{
	uint64_t action, value = data->set ? data->v : EPERM, max = 0;

	if (!word || name_value(seccomp_actions, word, &action) < 0)
		return unknown_word(e, path, word, seccomp_actions);
	if (action == SECCOMP_RET_ERRNO)
		max = DATA_ERRNO_MAX;
	else if (action == SECCOMP_RET_TRACE)
		max = DATA_TRACE_MAX;
	else if (data->set)
		return err_say(e, -EINVAL, "%s: %s carries no errno", errno_path, word);
	if (max && value > max)
		return err_say(e, -EINVAL, "%s: %llu is above %llu", errno_path,
			       (unsigned long long)value, (unsigned long long)max);
	*ret = (uint32_t)(action | (max ? value : 0));
	return 0;
}

static void add_abi(struct build *b, uint32_t token)
{
	for (size_t i = 0; i < b->abi_count; i++)
		if (b->abis[i].token == token)
			return;
	b->abis[b->abi_count++] = (struct abi){ .token = token, .newest = -1 };
}

static int parse_archs(struct build *b, struct err *e)
{
	uint32_t native = seccomp_arch_native();

	add_abi(b, native);
	for (size_t i = 0; i < b->spec->architectures.n; i++) {
		const char *word = b->spec->architectures.v[i];
		uint64_t token;

		if (name_value(seccomp_archs, word, &token) < 0) {
			char path[64];

			(void)snprintf(path, sizeof(path), "linux.seccomp.architectures[%zu]", i);
			return unknown_word(e, path, word, seccomp_archs);
		}
		for (size_t j = 0; j < ARRAY_SIZE(also_runs); j++)
			if (also_runs[j].abi == token && also_runs[j].native == native)
				add_abi(b, (uint32_t)token);
	}
	return 0;
}

static int parse_flags(const struct build *b, unsigned int *ret, struct err *e)
{
	unsigned int flags = 0;

	for (size_t i = 0; i < b->spec->flags.n; i++) {
		const char *word = b->spec->flags.v[i];
		uint64_t flag;

		if (name_value(seccomp_flags, word, &flag) < 0) {
			char path[64];

			(void)snprintf(path, sizeof(path), "linux.seccomp.flags[%zu]", i);
			return unknown_word(e, path, word, seccomp_flags);
		}
		flags |= (unsigned int)flag;
	}
	*ret = flags;
	return 0;
}

static int parse_args(const struct spec_seccomp_rule *rule, size_t at, bool *ret_split,
		      struct err *e)
{
	const struct spec_seccomp_arg *args = rule->args.v;
	unsigned int seen = 0;

	*ret_split = false;
	for (size_t i = 0; i < rule->args.n; i++) {
		char path[80];
		uint64_t op;

		(void)snprintf(path, sizeof(path), "linux.seccomp.syscalls[%zu].args[%zu].op", at,
			       i);
		if (!args[i].op || name_value(seccomp_operators, args[i].op, &op) < 0)
			return unknown_word(e, path, args[i].op, seccomp_operators);
		if (args[i].index >= ARGS_MAX)
			return err_say(e, -EINVAL,
				       "linux.seccomp.syscalls[%zu].args[%zu].index: %u, but a "
				       "system call has 6 arguments",
				       at, i, args[i].index);
		/* two conditions on one argument are alternatives, as in libseccomp's users */
		*ret_split |= seen & (1U << args[i].index);
		seen |= 1U << args[i].index;
	}
	return 0;
}

static int add_rule(struct build *b, const struct rule *rule)
{
	bool plain = rule->n == 0;
	struct rule *new = arena_grow(b->arena, plain ? (void *)&b->plain : (void *)&b->special,
				      plain ? &b->plain_count : &b->special_count, sizeof(*new));

	if (!new)
		return -ENOMEM;
	*new = *rule;
	return 0;
}

static int add_rules(struct build *b, const struct spec_seccomp_rule *from, uint32_t action,
		     bool split, struct err *e)
{
	for (size_t i = 0; i < from->names.n; i++) {
		struct rule rule = { .name = from->names.v[i],
				     .num = seccomp_syscall_resolve_name(from->names.v[i]),
				     .action = action,
				     .args = from->args.v,
				     .n = split ? 1 : from->args.n };
		int r = 0;

		if (rule.num == __NR_SCMP_ERROR)
			continue;
		for (size_t j = 0; j < b->abi_count; j++) {
			int num = seccomp_syscall_resolve_name_arch(b->abis[j].token, rule.name);

			if (num > b->abis[j].newest)
				b->abis[j].newest = num;
		}
		for (size_t j = 0; r == 0 && j < (split ? from->args.n : 1); j++) {
			r = add_rule(b, &rule);
			rule.args++;
		}
		if (r < 0)
			return err_set(e, r, "compile the seccomp profile");
	}
	return 0;
}

static int parse_rules(struct build *b, struct err *e)
{
	const struct spec_seccomp_rule *rules = b->spec->syscalls.v;

	for (size_t i = 0; i < b->spec->syscalls.n; i++) {
		char path[64], errno_path[64];
		uint32_t action = 0;
		bool split;
		int r;

		(void)snprintf(path, sizeof(path), "linux.seccomp.syscalls[%zu].action", i);
		(void)snprintf(errno_path, sizeof(errno_path),
			       "linux.seccomp.syscalls[%zu].errnoRet", i);
		r = parse_action(rules[i].action, &rules[i].errno_ret, path, errno_path, &action,
				 e);
		if (r == 0)
			r = parse_args(&rules[i], i, &split, e);
		if (r == 0)
			r = add_rules(b, &rules[i], action, split, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The kernel's own precedence among filters: a lower signed value is stricter. */
static int by_call_then_strictness(const void *va, const void *vb)
{
	const struct rule *a = va, *b = vb;
	int32_t left = (int32_t)a->action, right = (int32_t)b->action;

	if (a->num != b->num)
		return a->num < b->num ? -1 : 1;
	return (left > right) - (left < right);
}

static bool denies(uint32_t action)
{
	return (int32_t)(action & SECCOMP_RET_ACTION_FULL) <= (int32_t)SECCOMP_RET_ERRNO;
}

/* libseccomp reports a system call's number per ABI under one native name. A multiplexed one
 * (socketcall, ipc) resolves to a number below zero although the direct call exists as well. */
static int number_in(uint32_t token, const char *name)
{
	int num = seccomp_syscall_resolve_name_arch(token, name);

	if (num >= 0 || num == __NR_SCMP_ERROR)
		return num;
	for (int i = 0; i < 1024; i++) {
		own_free char *found = seccomp_syscall_resolve_num_arch(token, i);

		if (found && strcmp(found, name) == 0)
			return i;
	}
	return num;
}

static size_t emit(struct program *p, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	struct sock_filter *insn = arena_grow(p->arena, &p->v, &p->n, sizeof(*insn));

	if (!insn) {
		p->failed = true;
		return 0;
	}
	*insn = (struct sock_filter){ .code = code, .jt = jt, .jf = jf, .k = k };
	return p->n - 1;
}

static void load(struct program *p, uint32_t offset)
{
	emit(p, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

static void jump_if(struct program *p, uint16_t test, uint32_t k, uint8_t jt, uint8_t jf)
{
	emit(p, BPF_JMP | BPF_K | test, k, jt, jf);
}

static size_t jump(struct program *p, uint32_t k)
{
	return emit(p, BPF_JMP | BPF_JA, k, 0, 0);
}

static void land(struct program *p, size_t from)
{
	if (!p->failed)
		p->v[from].k = (uint32_t)(p->n - from - 1);
}

/* One condition on a 64-bit argument, a word at a time; falls through when it holds. */
static void emit_arg(struct program *p, const struct spec_seccomp_arg *arg, uint64_t op, bool wide)
{
	const bool big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
	uint32_t at = WORD(args) + 8 * arg->index, hi_at = at + (big ? 0 : 4),
		 lo_at = at + (big ? 4 : 0);
	uint32_t hi = (uint32_t)(arg->value >> 32), lo = (uint32_t)arg->value;
	const uint8_t fail = JUMP_FAIL;

	if (op == SCMP_CMP_MASKED_EQ) {
		uint32_t hi_want = (uint32_t)(arg->value_two >> 32) & hi,
			 lo_want = (uint32_t)arg->value_two & lo;

		if (wide && hi) {
			load(p, hi_at);
			emit(p, BPF_ALU | BPF_AND | BPF_K, hi, 0, 0);
			jump_if(p, BPF_JEQ, hi_want, 0, fail);
		}
		load(p, lo_at);
		if (lo != UINT32_MAX)
			emit(p, BPF_ALU | BPF_AND | BPF_K, lo, 0, 0);
		jump_if(p, BPF_JEQ, lo_want, 0, fail);
		return;
	}

	/* the two instructions that compare the low word are skipped where the high word decides */
	if (wide) {
		load(p, hi_at);
		switch (op) {
		case SCMP_CMP_EQ:
			jump_if(p, BPF_JEQ, hi, 0, fail);
			break;
		case SCMP_CMP_NE:
			jump_if(p, BPF_JEQ, hi, 0, 2);
			break;
		case SCMP_CMP_GT:
		case SCMP_CMP_GE:
			jump_if(p, BPF_JGT, hi, 3, 0);
			jump_if(p, BPF_JEQ, hi, 0, fail);
			break;
		default:
			jump_if(p, BPF_JGT, hi, fail, 0);
			jump_if(p, BPF_JEQ, hi, 0, 2);
			break;
		}
	}
	load(p, lo_at);
	switch (op) {
	case SCMP_CMP_EQ:
		jump_if(p, BPF_JEQ, lo, 0, fail);
		break;
	case SCMP_CMP_NE:
		jump_if(p, BPF_JEQ, lo, fail, 0);
		break;
	case SCMP_CMP_GT:
		jump_if(p, BPF_JGT, lo, 0, fail);
		break;
	case SCMP_CMP_GE:
		jump_if(p, BPF_JGE, lo, 0, fail);
		break;
	case SCMP_CMP_LT:
		jump_if(p, BPF_JGE, lo, fail, 0);
		break;
	default:
		jump_if(p, BPF_JGT, lo, fail, 0);
		break;
	}
}

static void emit_rule(struct program *p, const struct rule *rule, bool wide)
{
	size_t start = p->n;

	for (size_t i = 0; i < rule->n; i++) {
		uint64_t op = 0;

		(void)name_value(seccomp_operators, rule->args[i].op, &op); /* parse_args() did */
		emit_arg(p, &rule->args[i], op, wide);
	}
	emit(p, BPF_RET | BPF_K, rule->action, 0, 0);
	/* at most 6 conditions of 5 instructions: far below a jump's reach */
	for (size_t i = start; !p->failed && i < p->n; i++) {
		struct sock_filter *insn = &p->v[i];

		if (BPF_CLASS(insn->code) != BPF_JMP)
			continue;
		if (insn->jt == JUMP_FAIL)
			insn->jt = (uint8_t)(p->n - i - 1);
		if (insn->jf == JUMP_FAIL)
			insn->jf = (uint8_t)(p->n - i - 1);
	}
}

/* All rules with arguments of one ABI, grouped by system call. A holds nr here. */
static void emit_specials(struct program *p, const struct build *b, uint32_t token)
{
	bool wide = token & __AUDIT_ARCH_64BIT;

	for (size_t i = 0; i < b->special_count;) {
		size_t first = i;
		int num = number_in(token, b->special[i].name);
		size_t other;

		while (i < b->special_count && b->special[i].num == b->special[first].num)
			i++;
		if (num < 0)
			continue;
		jump_if(p, BPF_JEQ, (uint32_t)num, 1, 0);
		other = jump(p, 0);
		for (size_t j = first; j < i; j++)
			emit_rule(p, &b->special[j], wide);
		jump(p, JUMP_END);
		land(p, other);
	}
}

static bool has_abi(const struct build *b, uint32_t token)
{
	for (size_t i = 0; i < b->abi_count; i++)
		if (b->abis[i].token == token)
			return true;
	return false;
}

static void emit_head(struct program *p, const struct build *b)
{
	for (size_t i = 0; i < b->abi_count; i++) {
		uint32_t token = b->abis[i].token, arch = token;
		size_t other_arch, other_abi = SIZE_MAX;

		if (token == SCMP_ARCH_X32)
			arch = AUDIT_ARCH_X86_64;
		load(p, WORD(arch));
		jump_if(p, BPF_JEQ, arch, 1, 0);
		other_arch = jump(p, 0);
		load(p, WORD(nr));
		if (token == SCMP_ARCH_X32) {
			jump_if(p, BPF_JGE, X32_BIT, 1, 0);
			other_abi = jump(p, 0);
		} else if (token == SCMP_ARCH_X86_64 && has_abi(b, SCMP_ARCH_X32)) {
			jump_if(p, BPF_JGE, X32_BIT, 0, 1);
			other_abi = jump(p, 0);
		}
		if (denies(b->default_action) && b->abis[i].newest >= 0) {
			jump_if(p, BPF_JGT, (uint32_t)b->abis[i].newest, 0, 1);
			emit(p, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS, 0, 0);
		}
		emit_specials(p, b, token);
		jump(p, JUMP_END);
		land(p, other_arch);
		if (other_abi != SIZE_MAX)
			land(p, other_abi);
	}
	for (size_t i = 0; !p->failed && i < p->n; i++)
		if (p->v[i].code == (BPF_JMP | BPF_JA) && p->v[i].k == JUMP_END)
			land(p, i);
}

static void context_done(scmp_filter_ctx *ctx)
{
	if (*ctx)
		seccomp_release(*ctx);
}

/* The rules without arguments, by libseccomp. */
static int fill_context(scmp_filter_ctx ctx, const struct build *b)
{
	int r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);

	/* a foreign ABI must not leave a process with one thread missing */
	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	for (size_t i = 1; r == 0 && i < b->abi_count; i++) /* the first is native, and there */
		r = seccomp_arch_add(ctx, b->abis[i].token);
	for (size_t i = 0; r == 0 && i < b->plain_count; i++) {
		const struct rule *rule = &b->plain[i];

		/* sorted: the first one of a call is the strictest */
		if (i > 0 && rule->num == rule[-1].num)
			continue;
		if (rule->action != b->default_action)
			r = seccomp_rule_add(ctx, rule->action, rule->num, 0);
	}
	return r;
}

static int append_tree(struct program *p, const struct build *b)
{
	scmp_filter_ctx ctx __attribute__((cleanup(context_done))) =
		seccomp_init(b->default_action);
	own_fd int fd = memfd_create("seccomp", MFD_CLOEXEC);
	struct sock_filter insn;
	struct stat st;
	int r;

	if (!ctx)
		return -ENOMEM;
	if (fd < 0)
		return -errno;
	r = fill_context(ctx, b);
	if (r == 0)
		r = seccomp_export_bpf(ctx, fd);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size > (off_t)(BPF_MAXINSNS * sizeof(insn)))
		return -E2BIG;
	for (off_t at = 0; at < st.st_size; at += (off_t)sizeof(insn)) {
		if (pread(fd, &insn, sizeof(insn), at) != (ssize_t)sizeof(insn))
			return -EIO;
		emit(p, insn.code, insn.k, insn.jt, insn.jf);
	}
	return 0;
}

static bool notifies(const struct build *b)
{
	bool found = b->default_action == SECCOMP_RET_USER_NOTIF;

	for (size_t i = 0; i < b->plain_count; i++)
		found |= b->plain[i].action == SECCOMP_RET_USER_NOTIF;
	for (size_t i = 0; i < b->special_count; i++)
		found |= b->special[i].action == SECCOMP_RET_USER_NOTIF;
	return found;
}

int seccomp_compile(const struct spec_seccomp *spec, struct arena *arena,
		    struct seccomp_filter *ret, struct err *e)
{
	struct build b = { .arena = arena, .spec = spec };
	struct program p = { .arena = arena };
	unsigned int flags = 0;
	int r;

	r = parse_action(spec->default_action, &spec->default_errno_ret,
			 "linux.seccomp.defaultAction", "linux.seccomp.defaultErrnoRet",
			 &b.default_action, e);
	if (r == 0)
		r = parse_archs(&b, e);
	if (r == 0)
		r = parse_flags(&b, &flags, e);
	if (r == 0)
		r = parse_rules(&b, e);
	if (r < 0)
		return r;

	if (notifies(&b)) {
		flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
		/* both return a number: the kernel wants failure to be told apart */
		if (flags & SECCOMP_FILTER_FLAG_TSYNC)
			flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
	} else if (flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) {
		return err_say(e, -EINVAL,
			       "linux.seccomp.flags: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs "
			       "a rule with SCMP_ACT_NOTIFY");
	}

	if (b.plain_count)
		qsort(b.plain, b.plain_count, sizeof(*b.plain), by_call_then_strictness);
	if (b.special_count)
		qsort(b.special, b.special_count, sizeof(*b.special), by_call_then_strictness);
	emit_head(&p, &b);
	r = append_tree(&p, &b);
	if (r < 0)
		return err_set(e, r, "compile the seccomp profile");
	if (p.failed)
		return err_set(e, -ENOMEM, "compile the seccomp profile");
	if (p.n > BPF_MAXINSNS)
		return err_say(e, -E2BIG,
			       "linux.seccomp.syscalls: compiles to %zu instructions, the kernel "
			       "takes %d",
			       p.n, BPF_MAXINSNS);
	*ret = (struct seccomp_filter){ .insns = p.v,
					.count = (unsigned short)p.n,
					.flags = flags };
	return 0;
}

bool seccomp_has_flag(unsigned int flag)
{
	/* flags are checked before the program is read from nowhere */
	if (flag == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
		flag |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flag, NULL) < 0 && errno == EFAULT;
}

int seccomp_install(const struct seccomp_filter *filter)
{
	struct sock_fprog program = { .len = filter->count, .filter = filter->insns };
	long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, filter->flags, &program);

	if (r < 0)
		return -errno;
	if (r > 0 && !(filter->flags & SECCOMP_FILTER_FLAG_NEW_LISTENER))
		return -ESRCH; /* TSYNC: the id of a thread that could not follow */
	return (int)r;
}
