/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console monitor, as the process that it is: logs, attached clients, its end and its death.
 *
 * The test is a subreaper, so that the monitor, which is nobody's child, becomes its own to find,
 * to kill and to wait for. A "guest" is a child that waits to be killed, and the slave of a pty.
 */
#include "runtime/monitor.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"
#include "base/proc.h"
#include "base/sys.h"
#include "runtime/state.h"

#include <check.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>

enum { PATIENCE_MS = 20000 };

static char top[64], run_path[80], store_path[80];
static struct ctr_env env = { .run = run_path, .store = store_path };
static int run;

struct guest {
	char id[16];
	int slave, pidfd, log;
	pid_t pid;
};

static void setup(void)
{
	(void)strcpy(top, "/dev/shm/ctr-test-monitor-XXXXXX");
	if (!mkdtemp(top)) {
		(void)strcpy(top, "/var/tmp/ctr-test-monitor-XXXXXX");
		ck_assert_ptr_nonnull(mkdtemp(top));
	}
	(void)snprintf(run_path, sizeof(run_path), "%s/run", top);
	(void)snprintf(store_path, sizeof(store_path), "%s/store", top);
	run = state_open(run_path, NULL);
	ck_assert_int_ge(run, 0);
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
}

/* Everybody has left: the monitor by itself, and what it had to heal. */
static void teardown(void)
{
	while (TEMP_FAILURE_RETRY(waitpid(-1, NULL, 0)) > 0)
		;
	ck_assert_int_eq(errno, ECHILD);
	ck_assert_int_lt(faccessat(run, ".monitor", F_OK, 0), 0);
	(void)close(run);
	ck_assert_int_eq(file_remove_tree(AT_FDCWD, top), 0);
}

static void add(struct guest *g, const char *id)
{
	own_fd int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct err e = { 0 };
	struct termios mode;
	char name[32];

	*g = (struct guest){ .slave = -EBADF };
	(void)snprintf(g->id, sizeof(g->id), "%s", id);
	ck_assert_int_ge(master, 0);
	ck_assert_int_eq(unlockpt(master), 0);
	g->slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(g->slave, 0);
	ck_assert_int_eq(tcgetattr(g->slave, &mode), 0);
	cfmakeraw(&mode);
	ck_assert_int_eq(tcsetattr(g->slave, TCSANOW, &mode), 0);
	(void)snprintf(name, sizeof(name), "%s.log", id);
	g->log = openat(run, name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	ck_assert_int_ge(g->log, 0);
	g->pid = sys_clone3(&(struct clone_args){ .flags = CLONE_PIDFD,
						  .pidfd = (uint64_t)(uintptr_t)&g->pidfd,
						  .exit_signal = SIGCHLD });
	if (g->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		for (;;)
			(void)pause();
	}
	ck_assert_int_gt(g->pid, 0);
	ck_assert_msg(monitor_add(&env, run, id, master, g->pidfd, g->log, &e) == 0, "%s", e.msg);
}

static void end(struct guest *g)
{
	ck_assert_int_eq(proc_signal(g->pidfd, SIGKILL), 0);
	ck_assert_int_eq(proc_wait_exit(g->pidfd), 128 + SIGKILL);
	close_fd(&g->slave);
	close_fd(&g->pidfd);
	close_fd(&g->log);
}

static void say(const struct guest *g, const char *text)
{
	ck_assert_int_eq(fd_write_all(g->slave, text, strlen(text)), 0);
}

/* Read from @fd until the text has @wanted at its end. */
static void hear(int fd, const char *wanted)
{
	char got[8192];
	size_t len = 0, want = strlen(wanted);

	while (len < want || memcmp(got + len - want, wanted, want) != 0) {
		ssize_t n;

		ck_assert_msg(fd_wait(fd, PATIENCE_MS) == 1, "no '%s' but '%.*s'", wanted, (int)len,
			      got);
		if (len > sizeof(got) / 2) {
			memmove(got, got + len - want, want);
			len = want;
		}
		n = read(fd, got + len, sizeof(got) - len);
		ck_assert_msg(n > 0, "the end before '%s'", wanted);
		len += (size_t)n;
	}
}

static int attach(const struct guest *g)
{
	struct err e = { 0 };
	int sock = monitor_attach(run, g->id, &e);

	ck_assert_msg(sock >= 0, "%s", e.msg);
	return sock;
}

/* All that the guest has said so far has been copied, for the log is written first. */
static void settle(const struct guest *g)
{
	own_fd int sock = attach(g);

	say(g, "<settled>");
	hear(sock, "<settled>");
}

static void expect_log(const struct guest *g, const char *text)
{
	char got[512] = "";
	ssize_t n = pread(g->log, got, sizeof(got) - 1, 0);

	ck_assert_int_ge(n, 0);
	ck_assert_str_eq(got, text);
}

/* The child of ours that is none of the guests; -1: there is none. */
static pid_t monitor_pid(void)
{
	char path[64], list[4096], *rest = list, *word;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", gettid());
	ck_assert_int_ge(file_read(AT_FDCWD, path, list, sizeof(list)), 0);
	while ((word = strsep(&rest, " "))) {
		char name[32];

		if (!*word)
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%s/comm", word);
		if (file_read(AT_FDCWD, path, name, sizeof(name)) > 0 &&
		    strcmp(name, "ctr-monitor") == 0)
			return (pid_t)strtol(word, NULL, 10);
	}
	return -1;
}

START_TEST(test_both_ways)
{
	struct guest g;
	own_fd int one = -EBADF, two = -EBADF;

	add(&g, "web");
	one = attach(&g);
	two = attach(&g);
	say(&g, "hello");
	hear(one, "hello");
	hear(two, "hello");
	ck_assert_int_eq(fd_write_all(one, "typed", 5), 0);
	hear(g.slave, "typed");
	ck_assert_int_eq(fd_write_all(two, "more", 4), 0);
	hear(g.slave, "more");
	expect_log(&g, "hello"); /* what is typed is the guest's to echo */
	end(&g);
	/* Whoever is attached sees the end. */
	ck_assert_int_eq(fd_wait(one, PATIENCE_MS), 1);
	ck_assert_int_eq(read(one, run_path, 0), 0);
}
END_TEST

START_TEST(test_last_words)
{
	struct guest g;
	int log;

	add(&g, "web");
	settle(&g);
	say(&g, "panic");
	log = dup(g.log);
	end(&g);
	g.log = log;
	while (TEMP_FAILURE_RETRY(waitpid(-1, NULL, 0)) > 0)
		; /* the monitor has left */
	expect_log(&g, "<settled>panic");
	close_fd(&g.log);
}
END_TEST

START_TEST(test_log_is_bounded)
{
	enum { LINES = 3 * MONITOR_LOG_MAX_BYTES / 64 };
	static char kept[MONITOR_LOG_MAX_BYTES + 1];
	unsigned int expected = 0;
	struct guest g;
	struct stat st;
	ssize_t n;
	char *line;

	add(&g, "web");
	for (unsigned int i = 0; i < LINES; i++) {
		char text[65];

		(void)snprintf(text, sizeof(text), "%063u\n", i);
		say(&g, text);
	}
	settle(&g);
	ck_assert_int_eq(fstat(g.log, &st), 0);
	ck_assert_int_le(st.st_size, MONITOR_LOG_MAX_BYTES);
	ck_assert_int_ge(st.st_size, MONITOR_LOG_MAX_BYTES / 2);
	/* What is kept is the newest, without a gap. */
	n = pread(g.log, kept, sizeof(kept) - 1, 0);
	ck_assert_int_eq(n, st.st_size);
	ck_assert_str_eq(kept + n - 9, "<settled>");
	kept[n - 9] = '\0';
	line = strchr(kept, '\n') + 1;
	expected = (unsigned int)strtoul(line, NULL, 10);
	for (; *line; line += 64)
		if (strtoul(line, NULL, 10) != expected++)
			break;
	ck_assert_int_eq(*line, '\0');
	ck_assert_uint_eq(expected, LINES);
	end(&g);
}
END_TEST

START_TEST(test_two_guests)
{
	own_fd int one = -EBADF, two = -EBADF;
	struct guest a, b;
	struct err e = { 0 };
	pid_t pid;

	add(&a, "a");
	pid = monitor_pid();
	add(&b, "b");
	ck_assert_int_eq(monitor_pid(), pid); /* one for both */
	one = attach(&a);
	two = attach(&b);
	say(&a, "of a");
	say(&b, "of b");
	hear(one, "of a");
	hear(two, "of b");
	expect_log(&a, "of a");
	expect_log(&b, "of b");
	ck_assert_int_eq(monitor_attach(run, "c", &e), -ENOENT);
	ck_assert_str_eq(e.msg, "the console of 'c' is not held by the monitor");
	end(&a);
	ck_assert_int_eq(fd_wait(one, PATIENCE_MS), 1); /* its end */
	ck_assert_int_eq(monitor_attach(run, "a", &e), -ENOENT);
	say(&b, " goes on");
	hear(two, " goes on");
	expect_log(&b, "of b goes on");
	end(&b);
}
END_TEST

START_TEST(test_same_name_again)
{
	struct guest first, again;

	add(&first, "web");
	say(&first, "old");
	settle(&first);
	end(&first);
	add(&again, "web"); /* the end of the first may not have been seen yet */
	say(&again, "new");
	settle(&again);
	end(&again);
}
END_TEST

START_TEST(test_clients_go_away)
{
	enum { MANY = 40 };
	struct guest g;

	add(&g, "web");
	for (int i = 0; i < MANY; i++) {
		own_fd int sock = attach(&g), stays = attach(&g);

		close_fd(&sock); /* with output on its way */
		say(&g, "x");
		hear(stays, "x");
	}
	settle(&g);
	end(&g);
}
END_TEST

/* A client that does not read is cut off; the guest never waits for it. */
START_TEST(test_slow_client)
{
	struct guest g;
	own_fd int slow = -EBADF;
	char block[1024];

	add(&g, "web");
	slow = attach(&g);
	memset(block, 's', sizeof(block) - 1);
	block[sizeof(block) - 1] = '\0';
	for (int i = 0; i < 2000; i++)
		say(&g, block);
	settle(&g);
	end(&g);
}
END_TEST

/* A guest that never reads its console does not stop the monitor, whatever is typed at it. */
START_TEST(test_deaf_guest)
{
	struct guest deaf, other;
	own_fd int sock = -EBADF;
	char block[1024];

	add(&deaf, "deaf");
	add(&other, "other");
	sock = attach(&deaf);
	memset(block, 't', sizeof(block));
	for (int i = 0; i < 200; i++)
		ck_assert_int_eq(fd_write_all(sock, block, sizeof(block)), 0);
	settle(&other);
	settle(&deaf);
	end(&deaf);
	end(&other);
}
END_TEST

static int raw_client(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/.monitor", run_path);
	ck_assert_int_eq(connect(sock, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	return sock;
}

START_TEST(test_strange_clients)
{
	static const char bytes[1000];
	const int fds[3] = { 0, 1, 2 };
	struct guest g;

	add(&g, "web");
	for (size_t len = 0; len <= sizeof(bytes); len += 50) {
		own_fd int sock = raw_client();

		ck_assert_int_eq(fd_send(sock, bytes, len, fds, len % 4), 0);
	}
	own_fd int gone = raw_client();
	close_fd(&gone);
	own_fd int silent = raw_client();
	settle(&g);
	end(&g);
}
END_TEST

START_TEST(test_killed_and_started_again)
{
	struct guest before, after;
	struct err e = { 0 };
	pid_t pid;

	add(&before, "before");
	pid = monitor_pid();
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(monitor_attach(run, "before", &e), -ECONNREFUSED);
	add(&after, "after");
	ck_assert_int_ne(monitor_pid(), pid);
	settle(&after);
	ck_assert_int_eq(monitor_attach(run, "before", &e), -ENOENT);
	end(&before);
	end(&after);
}
END_TEST

/* Somebody removed the run directory: its monitor must not stay for ever. */
START_TEST(test_run_directory_is_gone)
{
	struct guest g;

	add(&g, "web");
	ck_assert_int_eq(file_remove_tree(AT_FDCWD, run_path), 0);
	end(&g);
}
END_TEST

START_TEST(test_leaves_nothing_open)
{
	own_fd int held = open("/dev/null", O_RDONLY); /* not even close-on-exec */
	char path[64], link[64];
	struct guest g;
	pid_t pid;

	ck_assert_int_ge(held, 0);
	add(&g, "web");
	settle(&g);
	pid = monitor_pid();
	for (int fd = 0; fd < 64; fd++) {
		ssize_t n;

		(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
		n = readlink(path, link, sizeof(link) - 1);
		if (n < 0)
			continue;
		link[n] = '\0';
		ck_assert_msg((fd < 3) == (strcmp(link, "/dev/null") == 0), "%d is %s", fd, link);
	}
	end(&g);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("monitor");
	TCase *tc = tcase_create("monitor");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_both_ways);
	tcase_add_test(tc, test_last_words);
	tcase_add_test(tc, test_log_is_bounded);
	tcase_add_test(tc, test_two_guests);
	tcase_add_test(tc, test_same_name_again);
	tcase_add_test(tc, test_clients_go_away);
	tcase_add_test(tc, test_slow_client);
	tcase_add_test(tc, test_deaf_guest);
	tcase_add_test(tc, test_strange_clients);
	tcase_add_test(tc, test_killed_and_started_again);
	tcase_add_test(tc, test_run_directory_is_gone);
	tcase_add_test(tc, test_leaves_nothing_open);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
