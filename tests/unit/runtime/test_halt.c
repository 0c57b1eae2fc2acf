/* SPDX-License-Identifier: Apache-2.0 */
/* Signal names, and the halt signal of real processes that block, catch and are called things. */
#include "base/signame.h"
#include "runtime/halt.h"

#include "base/own.h"

#include <check.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* clang-format off */
static const struct {
	const char *name;
	int sig; /* -1: -EINVAL */
} names[] = {
	{ "SIGTERM", SIGTERM }, { "TERM", SIGTERM }, { "term", SIGTERM }, { "sigterm", SIGTERM },
	{ "SigKill", SIGKILL }, { "HUP", SIGHUP }, { "PWR", SIGPWR }, { "USR1", SIGUSR1 },
	{ "15", 15 }, { "1", 1 }, { "64", 64 }, { "CHLD", SIGCHLD }, { "WINCH", SIGWINCH },
	{ "", -1 }, { "SIG", -1 }, { "SIGSIGTERM", -1 }, { "TERM ", -1 }, { " TERM", -1 },
	{ "-15", -1 }, { "65", -1 }, { "4294967311", -1 }, { "15x", -1 }, { "0x0f", -1 },
	{ "TERMX", -1 }, { "auto", -1 }, { "RTMIN+", -1 }, { "RTMIN-1", -1 }, { "RTMIN+31", -1 },
	{ "RTMIN+x", -1 }, { "RTMIN+-1", -1 }, { "RTMIN+99999999999999999999", -1 },
	{ "RTMINX", -1 }, { "SIGTERM+1", -1 },
};
/* clang-format on */

START_TEST(test_parse)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		ck_assert_msg(signame_parse(names[i].name) ==
				      (names[i].sig < 0 ? -EINVAL : names[i].sig),
			      "'%s' gives %d", names[i].name, signame_parse(names[i].name));
	ck_assert_int_eq(signame_parse("RTMIN"), SIGRTMIN);
	ck_assert_int_eq(signame_parse("SIGRTMIN+3"), SIGRTMIN + 3);
	ck_assert_int_eq(signame_parse("rtmin+0"), SIGRTMIN);
	ck_assert_int_eq(signame_parse("RTMIN+30"), SIGRTMAX);
	for (int sig = 1; sig < 32; sig++)
		ck_assert_int_eq(signame_parse(sigabbrev_np(sig)), sig);
}
END_TEST

static void nothing(int sig)
{
	(void)sig;
}

/* clang-format off */
enum { RT3 = -3 }; /* SIGRTMIN + 3, which is no constant */
static const struct {
	const char *name;
	int blocks, catches; /* 0: none */
	int halt;
} inits[] = {
	{ "systemd",	RT3,	 0,	  RT3 },
	{ "systemd",	0,	 RT3,	  RT3 },
	{ "systemd",	0,	 0,	  SIGTERM }, /* called so, and deaf to it */
	{ "systemd",	0,	 SIGUSR2, SIGTERM },
	{ "init",	SIGUSR2, 0,	  SIGUSR2 },
	{ "init",	0,	 SIGUSR2, SIGUSR2 },
	{ "init",	RT3,	 0,	  SIGTERM },
	{ "init",	0,	 SIGPWR,  SIGPWR },
	{ "init",	SIGTERM, SIGPWR,  SIGTERM },
	{ "nginx",	0,	 SIGUSR2, SIGTERM },
	{ "nginx",	0,	 SIGTERM, SIGTERM },
	{ "lxcinit",	SIGPWR,	 0,	  SIGPWR },
	{ "x",		0,	 0,	  SIGTERM },
	{ "a\nSigBlk: f", 0,	 0,	  SIGTERM },
};
/* clang-format on */

static int number(int sig)
{
	return sig == RT3 ? SIGRTMIN + 3 : sig;
}

/* A child that listens to what row @i says, once it has told that it does. */
static pid_t listener(int i)
{
	const struct sigaction action = { .sa_handler = nothing };
	int pipes[2];
	pid_t pid;
	char c;

	ck_assert_int_eq(pipe(pipes), 0);
	pid = fork();
	if (pid == 0) {
		sigset_t set;

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		for (int sig = 1; sig <= SIGRTMAX; sig++)
			(void)signal(sig, SIG_DFL); /* the test runner's own handlers */
		sigemptyset(&set);
		if (inits[i].blocks)
			sigaddset(&set, number(inits[i].blocks));
		(void)sigprocmask(SIG_SETMASK, &set, NULL);
		if (inits[i].catches)
			(void)sigaction(number(inits[i].catches), &action, NULL);
		(void)prctl(PR_SET_NAME, inits[i].name, 0, 0, 0);
		(void)write(pipes[1], "x", 1);
		for (;;)
			(void)pause();
	}
	ck_assert_int_eq(read(pipes[0], &c, 1), 1);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
	return pid;
}

static void end(pid_t pid)
{
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(test_detect)
{
	pid_t pid = listener(_i);

	ck_assert_int_eq(halt_detect(pid), number(inits[_i].halt));
	for (int sig = 1; sig < 32; sig++)
		ck_assert_msg(halt_can_catch(pid, sig) ==
				      (sig == inits[_i].blocks || sig == inits[_i].catches),
			      "signal %d", sig);
	end(pid);
	ck_assert_int_eq(halt_detect(pid), SIGTERM);
	ck_assert(!halt_can_catch(pid, SIGTERM));
}
END_TEST

/* The line of groups comes before the masks and may be longer than all else. */
START_TEST(test_detect_with_many_groups)
{
	static gid_t groups[2000];
	pid_t pid;

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		groups[i] = 100000 + (gid_t)i;
	if (setgroups(ARRAY_SIZE(groups), groups) < 0) {
		puts("# skip: many groups need root");
		return;
	}
	pid = listener(0);
	ck_assert_int_eq(halt_detect(pid), SIGRTMIN + 3);
	end(pid);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("halt");
	TCase *tc = tcase_create("halt");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, test_parse);
	tcase_add_loop_test(tc, test_detect, 0, (int)ARRAY_SIZE(inits));
	tcase_add_test(tc, test_detect_with_many_groups);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
