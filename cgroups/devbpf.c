/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device rules as a BPF_PROG_TYPE_CGROUP_DEVICE program, built instruction by instruction and
 * attached to the v2 directory.
 *
 * DOC: the kernel runs the program at every open(2) and mknod(2) of a device with the device and
 * the wanted access bits; 1 allows, 0 denies. Rules are tried from the last to the first, with
 * the bits that are still undecided in a register: an allowing rule that matches the device takes
 * its bits out and allows once none are left; a denying one that holds any of them denies. Bits
 * that no rule decides are denied.
 *
 *	r2 = type, r3 = undecided bits, r4 = major, r5 = minor
 *
 * Authority: kernel Documentation/bpf/standardization/instruction-set.rst, bpf(2),
 * include/uapi/linux/bpf.h (struct bpf_cgroup_dev_ctx), cgroup-v2.rst "Device controller".
 */
#include "cgroups/cg_internal.h"

#include "base/own.h"
#include "base/sys.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

enum {
	RULE_INSNS = 8,	   /* at most, see add_rule() */
	EDGE_INSNS = 7,	   /* prologue and epilogue */
	INSNS_MAX = 4096,  /* BPF_MAXINSNS, which an unprivileged loader may use too */
	ATTACHED_MAX = 64, /* BPF_CGROUP_MAX_PROGS of the kernel */
	ALL_ACCESS = CG_DEV_READ | CG_DEV_WRITE | CG_DEV_MKNOD,
};

/* How an update finds the program of an earlier command among those of others. */
static const char program_name[BPF_OBJ_NAME_LEN] = "ctr_devices";

static struct bpf_insn insn(unsigned int code, unsigned int dst, unsigned int src, int offset,
			    int imm)
{
	return (struct bpf_insn){ .code = (__u8)code,
				  .dst_reg = dst & 0xf,
				  .src_reg = src & 0xf,
				  .off = (__s16)offset,
				  .imm = imm };
}

static struct bpf_insn move(unsigned int dst, int imm)
{
	return insn(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm);
}

static struct bpf_insn leave(void)
{
	return insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static int kernel_access(unsigned int access)
{
	return (access & CG_DEV_READ ? BPF_DEVCG_ACC_READ : 0) |
	       (access & CG_DEV_WRITE ? BPF_DEVCG_ACC_WRITE : 0) |
	       (access & CG_DEV_MKNOD ? BPF_DEVCG_ACC_MKNOD : 0);
}

/* Fill in where "not this device" jumps to: behind the rule. */
static void skip_unless_equal(struct bpf_insn *at, const struct bpf_insn *end, unsigned int reg,
			      int value)
{
	*at = insn(BPF_JMP | BPF_JNE | BPF_K, reg, 0, (int)(end - at) - 1, value);
}

static size_t add_rule(struct bpf_insn *out, const struct cg_device_rule *rule)
{
	bool typed = rule->type != 'a', majored = typed && rule->major >= 0,
	     minored = typed && rule->minor >= 0;
	size_t tests = (size_t)typed + (size_t)majored + (size_t)minored;
	int access = kernel_access(rule->access);
	struct bpf_insn *p = out, *body = out + tests, *end = body + 4;

	if (rule->allow) {
		body[0] = insn(BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_3, 0, 0, ~access);
		body[1] = insn(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_3, 0, 2, 0);
		body[2] = move(BPF_REG_0, 1);
		body[3] = leave();
	} else {
		body[0] = insn(BPF_JMP | BPF_JSET | BPF_K, BPF_REG_3, 0, 1, access);
		body[1] = insn(BPF_JMP | BPF_JA, 0, 0, 2, 0);
		body[2] = move(BPF_REG_0, 0);
		body[3] = leave();
	}
	if (typed)
		skip_unless_equal(p++, end, BPF_REG_2,
				  rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
	if (majored)
		skip_unless_equal(p++, end, BPF_REG_4, (int)rule->major);
	if (minored)
		skip_unless_equal(p++, end, BPF_REG_5, (int)rule->minor);
	return (size_t)(end - out);
}

static int check_rule(const struct cg_device_rule *rule, size_t i, struct err *e)
{
	if (!rule->type || !strchr("abc", rule->type))
		return err_say(e, -EINVAL, "device rule %zu: the type is not 'a', 'b' or 'c'", i);
	if (rule->major < -1 || rule->major > INT_MAX || rule->minor < -1 || rule->minor > INT_MAX)
		return err_say(e, -EINVAL, "device rule %zu: no such device number", i);
	if (rule->access & ~(unsigned int)ALL_ACCESS)
		return err_say(e, -EINVAL, "device rule %zu: the access is not of r, w and m", i);
	return 0;
}

ssize_t devbpf_build(const struct cg_device_rule *rules, size_t count, struct arena *arena,
		     struct bpf_insn **ret, struct err *e)
{
	struct bpf_insn *program;
	size_t n = 0;

	if (count > (INSNS_MAX - EDGE_INSNS) / RULE_INSNS)
		return err_say(e, -E2BIG, "%zu device rules are more than a program can hold",
			       count);
	program = arena_alloc(arena, (count * RULE_INSNS + EDGE_INSNS) * sizeof(*program));
	if (!program)
		return err_set(e, -ENOMEM, "build the device program");
	program[n++] = insn(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_2, BPF_REG_1,
			    offsetof(struct bpf_cgroup_dev_ctx, access_type), 0);
	program[n++] = insn(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_4, BPF_REG_1,
			    offsetof(struct bpf_cgroup_dev_ctx, major), 0);
	program[n++] = insn(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_5, BPF_REG_1,
			    offsetof(struct bpf_cgroup_dev_ctx, minor), 0);
	program[n++] = insn(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_3, BPF_REG_2, 0, 0);
	program[n++] = insn(BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_3, 0, 0, 16);
	/* The verifier follows the type through the mask; the kernel only gives 1 or 2 there. */
	program[n++] = insn(BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_2, 0, 0, 0xffff);
	for (size_t i = count; i-- > 0;) {
		int r = check_rule(&rules[i], i, e);

		if (r < 0)
			return r;
		n += add_rule(program + n, &rules[i]);
	}
	program[n++] = move(BPF_REG_0, 0);
	program[n++] = leave();
	*ret = program;
	return (ssize_t)n;
}

/*
 * Kernels write fields of a query back that are newer than our headers, without looking at the
 * size that we gave. So the attributes lie in zeroed space that is larger than any of them.
 */
union attributes {
	union bpf_attr attr;
	char space[512];
};

static int load(const struct bpf_insn *program, size_t count)
{
	union attributes a;

	memset(&a, 0, sizeof(a));
	a.attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	a.attr.insn_cnt = (__u32)count;
	a.attr.insns = (uintptr_t)program;
	a.attr.license = (uintptr_t) "Apache-2.0";
	memcpy(a.attr.prog_name, program_name, sizeof(program_name));
	return sys_bpf(BPF_PROG_LOAD, &a.attr, sizeof(a.attr));
}

static int open_program(__u32 id)
{
	union attributes a;

	memset(&a, 0, sizeof(a));
	a.attr.prog_id = id;
	return sys_bpf(BPF_PROG_GET_FD_BY_ID, &a.attr, sizeof(a.attr));
}

static bool is_ours(int program)
{
	struct bpf_prog_info info;
	union attributes a;

	memset(&a, 0, sizeof(a));
	memset(&info, 0, sizeof(info));
	a.attr.info.bpf_fd = (__u32)program;
	a.attr.info.info_len = sizeof(info);
	a.attr.info.info = (uintptr_t)&info;
	return sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &a.attr, sizeof(a.attr)) >= 0 &&
	       strncmp(info.name, program_name, sizeof(info.name)) == 0;
}

/* The program that an earlier call attached. Return: fd, -ENOENT when there is none, -errno. */
static int find_ours(int dirfd)
{
	__u32 ids[ATTACHED_MAX] = { 0 };
	union attributes a;
	int r;

	memset(&a, 0, sizeof(a));
	a.attr.query.target_fd = (__u32)dirfd;
	a.attr.query.attach_type = BPF_CGROUP_DEVICE;
	a.attr.query.prog_ids = (uintptr_t)ids;
	a.attr.query.prog_cnt = ATTACHED_MAX;
	r = sys_bpf(BPF_PROG_QUERY, &a.attr, sizeof(a.attr));
	if (r < 0)
		return r;
	for (__u32 i = 0; i < a.attr.query.prog_cnt && i < ATTACHED_MAX; i++) {
		own_fd int program = open_program(ids[i]);

		if (program >= 0 && is_ours(program))
			return take_fd(&program);
	}
	return -ENOENT;
}

static int attach(int dirfd, int program, int replaced)
{
	union attributes a;

	memset(&a, 0, sizeof(a));
	a.attr.target_fd = (__u32)dirfd;
	a.attr.attach_bpf_fd = (__u32)program;
	a.attr.attach_type = BPF_CGROUP_DEVICE;
	a.attr.attach_flags = BPF_F_ALLOW_MULTI;
	if (replaced >= 0) {
		a.attr.attach_flags |= BPF_F_REPLACE;
		a.attr.replace_bpf_fd = (__u32)replaced;
	}
	return sys_bpf(BPF_PROG_ATTACH, &a.attr, sizeof(a.attr));
}

static bool allows_all(const struct cg_device_rule *rules, size_t count)
{
	const struct cg_device_rule *last = &rules[count - 1];

	return last->allow && last->type == 'a' && last->access == ALL_ACCESS;
}

int devbpf_apply(int dirfd, const struct cg_device_rule *rules, size_t count, struct err *e)
{
	own_arena struct arena arena = { 0 };
	own_fd int program = -EBADF, old = -EBADF;
	struct bpf_insn *insns = NULL;
	ssize_t n = devbpf_build(rules, count, &arena, &insns, e);
	int r;

	if (n < 0)
		return (int)n;
	old = find_ours(dirfd);
	/* Nothing to forbid and nothing to replace: free for every open(2), and it works where
	 * BPF is not permitted. */
	if (allows_all(rules, count) && (old == -ENOENT || old == -EPERM))
		return 0;
	program = load(insns, (size_t)n);
	if (program < 0) {
		r = err_set(e, program, "load the device program");
		err_hint(e, program == -EPERM ? "needs CAP_BPF and CAP_NET_ADMIN, or CAP_SYS_ADMIN"
					      : "needs a kernel with CONFIG_CGROUP_BPF");
		return r;
	}
	r = attach(dirfd, program, old);
	return r < 0 ? err_set(e, r, "attach the device program") : 0;
}
