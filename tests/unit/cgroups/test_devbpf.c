/* SPDX-License-Identifier: Apache-2.0 */
/* Device programs, run by a small interpreter and compared with the rules' meaning. */
#include "base/own.h"
#include "cgroups/cg_internal.h"

#include <check.h>

static uint64_t context_load(const struct bpf_cgroup_dev_ctx *ctx, int offset)
{
	switch (offset) {
	case 0:
		return ctx->access_type;
	case 4:
		return ctx->major;
	case 8:
		return ctx->minor;
	default:
		ck_abort_msg("load at %d", offset);
		return 0;
	}
}

/* The subset of the instruction set that the builder uses; anything else fails the test. */
static uint64_t interpret(const struct bpf_insn *program, size_t count,
			  const struct bpf_cgroup_dev_ctx *ctx)
{
	uint64_t r[11] = { 0 };

	for (size_t pc = 0; pc < count; pc++) {
		const struct bpf_insn *i = &program[pc];
		uint64_t imm = (uint64_t)(int64_t)i->imm;
		bool jump = false;

		switch (i->code) {
		case BPF_LDX | BPF_MEM | BPF_W:
			r[i->dst_reg] = context_load(ctx, i->off);
			break;
		case BPF_ALU64 | BPF_MOV | BPF_X:
			r[i->dst_reg] = r[i->src_reg];
			break;
		case BPF_ALU64 | BPF_MOV | BPF_K:
			r[i->dst_reg] = imm;
			break;
		case BPF_ALU64 | BPF_RSH | BPF_K:
			r[i->dst_reg] >>= imm;
			break;
		case BPF_ALU64 | BPF_AND | BPF_K:
			r[i->dst_reg] &= imm;
			break;
		case BPF_JMP | BPF_JNE | BPF_K:
			jump = r[i->dst_reg] != imm;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			jump = (r[i->dst_reg] & imm) != 0;
			break;
		case BPF_JMP | BPF_JA:
			jump = true;
			break;
		case BPF_JMP | BPF_EXIT:
			return r[0];
		default:
			ck_abort_msg("instruction %zu: code %#x", pc, i->code);
		}
		if (jump) {
			if (i->off < 0)
				ck_abort_msg("instruction %zu jumps back", pc);
			pc += (size_t)i->off;
		}
	}
	ck_abort_msg("the program runs off its end");
	return 0;
}

/* The meaning, the other way round: forwards, and every access bit by itself. */
static bool evaluate(const struct cg_device_rule *rules, size_t count, char type, int64_t major,
		     int64_t minor, unsigned int access)
{
	for (unsigned int bit = 1; bit <= CG_DEV_MKNOD; bit <<= 1) {
		bool allowed = false;

		if (!(access & bit))
			continue;
		for (size_t i = 0; i < count; i++) {
			const struct cg_device_rule *r = &rules[i];
			bool number = (r->major < 0 || r->major == major) &&
				      (r->minor < 0 || r->minor == minor);

			if ((r->access & bit) && (r->type == 'a' || (r->type == type && number)))
				allowed = r->allow;
		}
		if (!allowed)
			return false;
	}
	return true;
}

static bool run_program(const struct bpf_insn *program, ssize_t n, char type, int64_t major,
			int64_t minor, unsigned int access)
{
	unsigned int bits = (access & CG_DEV_READ ? BPF_DEVCG_ACC_READ : 0U) |
			    (access & CG_DEV_WRITE ? BPF_DEVCG_ACC_WRITE : 0U) |
			    (access & CG_DEV_MKNOD ? BPF_DEVCG_ACC_MKNOD : 0U);
	struct bpf_cgroup_dev_ctx ctx = {
		.access_type =
			bits << 16 | (type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
		.major = (__u32)major,
		.minor = (__u32)minor,
	};

	if (n <= 0)
		ck_abort_msg("no program");
	return interpret(program, (size_t)n, &ctx) == 1;
}

static bool run(const struct cg_device_rule *rules, size_t count, char type, int64_t major,
		int64_t minor, unsigned int access)
{
	own_arena struct arena arena = { 0 };
	struct bpf_insn *program = NULL;
	ssize_t n = devbpf_build(rules, count, &arena, &program, NULL);

	return run_program(program, n, type, major, minor, access);
}

static const struct cg_device_rule usual[] = {
	{ false, 'a', -1, -1, 7 },	  { true, 'c', -1, -1, CG_DEV_MKNOD },
	{ true, 'c', 1, 3, 7 },		  { true, 'c', 136, -1, 7 },
	{ true, 'b', 8, 0, CG_DEV_READ }, { false, 'c', 1, 3, CG_DEV_WRITE },
	{ true, 'c', 10, 200, 3 },
};

static const struct {
	char type;
	int64_t major, minor;
	unsigned int access;
	bool allowed;
} accesses[] = {
	{ 'c', 1, 3, CG_DEV_READ, true },
	{ 'c', 1, 3, CG_DEV_WRITE, false },
	{ 'c', 1, 3, CG_DEV_READ | CG_DEV_WRITE, false },
	{ 'c', 1, 5, CG_DEV_READ, false },
	{ 'c', 1, 5, CG_DEV_MKNOD, true },
	{ 'b', 1, 5, CG_DEV_MKNOD, false },
	{ 'c', 136, 77, CG_DEV_READ | CG_DEV_WRITE, true },
	{ 'b', 8, 0, CG_DEV_READ, true },
	{ 'b', 8, 0, CG_DEV_READ | CG_DEV_WRITE, false },
	{ 'b', 8, 1, CG_DEV_READ, false },
	/* bits that come from two rules */
	{ 'c', 10, 200, CG_DEV_READ | CG_DEV_MKNOD, true },
};

START_TEST(usual_rules)
{
	ck_assert_int_eq(run(usual, ARRAY_SIZE(usual), accesses[_i].type, accesses[_i].major,
			     accesses[_i].minor, accesses[_i].access),
			 accesses[_i].allowed);
}
END_TEST

START_TEST(default_is_deny)
{
	static const struct cg_device_rule all = { true, 'a', -1, -1, 7 };

	ck_assert(!run(NULL, 0, 'c', 1, 3, CG_DEV_READ));
	ck_assert(run(&all, 1, 'b', 1, 3, 7));
}
END_TEST

static struct cg_device_rule random_rule(void)
{
	return (struct cg_device_rule){ .allow = rand() & 1,
					.type = "abc"[rand() % 3],
					.major = rand() % 4 - 1,
					.minor = rand() % 4 - 1,
					.access = (unsigned int)rand() % 8 };
}

START_TEST(random_lists)
{
	struct cg_device_rule rules[12];

	srand((unsigned int)_i);
	for (int list = 0; list < 200; list++) {
		size_t n = (size_t)rand() % ARRAY_SIZE(rules);
		own_arena struct arena arena = { 0 };
		struct bpf_insn *program = NULL;
		ssize_t len;

		for (size_t i = 0; i < n; i++)
			rules[i] = random_rule();
		len = devbpf_build(rules, n, &arena, &program, NULL);
		for (unsigned int k = 0; k < 2 * 3 * 3 * 7; k++) {
			char type = k & 1 ? 'b' : 'c';
			int64_t major = k / 2 % 3, minor = k / 6 % 3;
			unsigned int access = k / 18 + 1;

			/* a ck_assert for each of 252000 would take most of the time */
			if (run_program(program, len, type, major, minor, access) !=
			    evaluate(rules, n, type, major, minor, access))
				ck_abort_msg("list %d: %c %ld:%ld %u", list, type, major, minor,
					     access);
		}
	}
}
END_TEST

static const struct cg_device_rule invalid[] = {
	{ true, 'u', 1, 1, 7 },	 { true, 0, 1, 1, 7 },		 { true, 'c', -2, 1, 7 },
	{ true, 'c', 1, -2, 7 }, { true, 'c', 1LL << 31, 1, 7 }, { true, 'b', 1, 1LL << 40, 7 },
	{ true, 'c', 1, 1, 8 },
};

START_TEST(invalid_rules)
{
	own_arena struct arena arena = { 0 };
	struct bpf_insn *program;
	struct err e = { 0 };

	ck_assert_int_eq(devbpf_build(&invalid[_i], 1, &arena, &program, &e), -EINVAL);
	ck_assert_str_ne(e.msg, "");
}
END_TEST

START_TEST(many_rules)
{
	own_arena struct arena arena = { 0 };
	struct cg_device_rule rules[600];
	struct bpf_insn *program;

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		rules[i] = (struct cg_device_rule){ true, 'c', (int64_t)i, 0, 7 };
	ck_assert(run(rules, 500, 'c', 0, 0, 7));
	ck_assert(run(rules, 500, 'c', 499, 0, 7));
	ck_assert(!run(rules, 500, 'c', 500, 0, 7));
	ck_assert_int_eq(devbpf_build(rules, 600, &arena, &program, NULL), -E2BIG);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cgroups/devbpf");
	TCase *tcase = tcase_create("devbpf");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, usual_rules, 0, (int)ARRAY_SIZE(accesses));
	tcase_add_test(tcase, default_is_deny);
	tcase_add_loop_test(tcase, random_lists, 0, 10);
	tcase_add_loop_test(tcase, invalid_rules, 0, (int)ARRAY_SIZE(invalid));
	tcase_add_test(tcase, many_rules);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
