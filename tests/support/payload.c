/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the integration tests run inside (static, so that it works in any root): one program whose
 * first argument says what to do. Each prints plain facts; the scripts judge them.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *verdict(long r)
{
	return r >= 0 ? "ok" : strerrorname_np(errno);
}

static uint64_t now_us(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* init: a process 1 that reaps, and ends at once when asked to halt */
static int do_init(int argc, char **argv)
{
	const int halts[] = { SIGTERM, SIGINT, SIGPWR, SIGRTMIN + 3 };
	siginfo_t info;
	sigset_t set;

	(void)argc;
	(void)argv;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (size_t i = 0; i < sizeof(halts) / sizeof(halts[0]); i++)
		sigaddset(&set, halts[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	puts("init ready");
	fflush(stdout);
	for (;;) {
		int sig = sigwaitinfo(&set, &info);

		if (sig > 0 && sig != SIGCHLD)
			return 0;
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}

static void on_signal(int sig)
{
	(void)sig;
}

/* stubborn: a process 1 that takes every signal that it is sent, and stays */
static int do_stubborn(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	for (int sig = 1; sig <= SIGRTMAX; sig++)
		(void)signal(sig, on_signal);
	puts("stubborn ready");
	fflush(stdout);
	while (pause() < 0)
		;
	return 0;
}

/* eat MIB [stay]: touch that much memory; "stay" holds it until killed */
static int do_eat(int argc, char **argv)
{
	size_t mib = strtoul(argv[1], NULL, 10);

	for (size_t i = 0; i < mib; i++) {
		char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0);

		if (p == MAP_FAILED) {
			printf("refused at %zu\n", i);
			return 1;
		}
		memset(p, (int)(i | 1), 1 << 20);
	}
	printf("ate %zu\n", mib);
	fflush(stdout);
	while (argc > 2)
		pause();
	return 0;
}

/* forks MAX: fork sleepers until refused or MAX; prints how many there were, then ends them */
static int do_forks(int argc, char **argv)
{
	long max = strtol(argv[1], NULL, 10), n = 0;
	pid_t *pids = calloc((size_t)max, sizeof(*pids));
	const char *why = "none";

	(void)argc;
	if (!pids)
		return 1;
	for (; n < max; n++) {
		pids[n] = fork();
		if (pids[n] == 0)
			for (;;)
				pause();
		if (pids[n] < 0) {
			why = strerrorname_np(errno);
			break;
		}
	}
	printf("forked %ld, refused with %s\n", n, why);
	fflush(stdout);
	for (long i = 0; i < n; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	free(pids);
	return 0;
}

/* bomb: processes that do nothing but fork, whatever the kernel says to it */
static int do_bomb(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	for (;;)
		if (fork() < 0)
			(void)poll(NULL, 0, 1);
	return 0;
}

/* burn MS: use CPU for MS of wall time; prints CPU and wall microseconds */
static int do_burn(int argc, char **argv)
{
	uint64_t wall = now_us(CLOCK_MONOTONIC), cpu = now_us(CLOCK_PROCESS_CPUTIME_ID);
	uint64_t end = wall + strtoul(argv[1], NULL, 10) * 1000;
	volatile uint64_t sink = 0;

	(void)argc;
	while (now_us(CLOCK_MONOTONIC) < end)
		for (int i = 0; i < 10000; i++)
			sink += (uint64_t)i;
	printf("%lu %lu\n", (unsigned long)(now_us(CLOCK_PROCESS_CPUTIME_ID) - cpu),
	       (unsigned long)(now_us(CLOCK_MONOTONIC) - wall));
	return 0;
}

/* fds: every open descriptor of this process but the one that lists them */
static int do_fds(int argc, char **argv)
{
	DIR *dir = opendir("/proc/self/fd");

	(void)argc;
	(void)argv;
	if (!dir)
		return 1;
	for (struct dirent *d; (d = readdir(dir));) {
		char target[512];
		ssize_t n;

		if (d->d_name[0] == '.' || atoi(d->d_name) == dirfd(dir))
			continue;
		n = readlinkat(dirfd(dir), d->d_name, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		printf("%s %s\n", d->d_name, target);
	}
	closedir(dir);
	return 0;
}

/* leak N COMMAND...: run it with N more descriptors open, of every kind that could betray a host */
static int do_leak(int argc, char **argv)
{
	long n = strtol(argv[1], NULL, 10);
	int pair[2];

	(void)argc;
	for (long i = 0; i < n; i++) {
		switch (i % 4) {
		case 0:
			(void)open("/", O_RDONLY | O_DIRECTORY);
			break;
		case 1:
			(void)open("/", O_PATH);
			break;
		case 2:
			(void)socket(AF_UNIX, SOCK_STREAM, 0);
			break;
		default:
			(void)!pipe(pair);
		}
	}
	execvp(argv[2], argv + 2);
	return 127;
}

/* open PATH r|w|rw: prints ok or the name of the error */
static int do_open(int argc, char **argv)
{
	int flags = strcmp(argv[2], "r") == 0	? O_RDONLY
		    : strcmp(argv[2], "w") == 0 ? O_WRONLY
						: O_RDWR;

	(void)argc;
	puts(verdict(open(argv[1], flags | O_NONBLOCK | O_NOCTTY)));
	return 0;
}

/* mknod PATH b|c MAJOR MINOR: make a node and open it; prints both verdicts */
static int do_mknod(int argc, char **argv)
{
	dev_t dev = makedev((unsigned int)atoi(argv[3]), (unsigned int)atoi(argv[4]));
	mode_t mode = (argv[2][0] == 'b' ? S_IFBLK : S_IFCHR) | 0666;

	(void)argc;
	printf("mknod %s\n", verdict(mknod(argv[1], mode, dev)));
	printf("open %s\n", verdict(open(argv[1], O_RDWR | O_NONBLOCK)));
	return 0;
}

/* clang-format off */
static const struct probe {
	const char *name;
	long nr;
	long args[4];
} probes[] = {
	{ "kexec_load",          SYS_kexec_load,          { 0, 0, 0, 0 } },
	{ "init_module",         SYS_init_module,         { 0, 0, 0, 0 } },
	{ "finit_module",        SYS_finit_module,        { -1, 0, 0, 0 } },
	{ "delete_module",       SYS_delete_module,       { 0, 0, 0, 0 } },
	{ "swapon",              SYS_swapon,              { 0, 0, 0, 0 } },
	{ "settimeofday",        SYS_settimeofday,        { 0, 0, 0, 0 } },
	{ "clock_settime",       SYS_clock_settime,       { 0, 0, 0, 0 } },
	{ "iopl",                SYS_iopl,                { 3, 0, 0, 0 } },
	{ "ioperm",              SYS_ioperm,              { 0x70, 1, 1, 0 } },
	{ "bpf",                 SYS_bpf,                 { 0, 0, 0, 0 } },
	{ "perf_event_open",     SYS_perf_event_open,     { 0, 0, -1, -1 } },
	{ "open_by_handle_at",   SYS_open_by_handle_at,   { -1, 0, 0, 0 } },
	{ "userfaultfd",         SYS_userfaultfd,         { 0, 0, 0, 0 } },
	{ "lookup_dcookie",      SYS_lookup_dcookie,      { 0, 0, 0, 0 } },
	{ "quotactl",            SYS_quotactl,            { 0, 0, 0, 0 } },
	{ "acct",                SYS_acct,                { 0, 0, 0, 0 } },
	{ "syslog",              SYS_syslog,              { 3, 0, 0, 0 } },
};
/* clang-format on */

/* syscalls: try calls that no guest may make; one line each */
static int do_syscalls(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
		const struct probe *p = &probes[i];

		printf("%s %s\n", p->name,
		       verdict(syscall(p->nr, p->args[0], p->args[1], p->args[2], p->args[3])));
	}
	return 0;
}

/* grab SECONDS: watch for foreign programs entering this pid namespace and try to open what they
 * execute for writing, by every way that has once worked somewhere */
static int do_grab(int argc, char **argv)
{
	uint64_t end = now_us(CLOCK_MONOTONIC) + strtoul(argv[1], NULL, 10) * 1000000;
	unsigned long seen = 0, got = 0;

	(void)argc;
	puts("watching");
	fflush(stdout);
	while (now_us(CLOCK_MONOTONIC) < end) {
		for (int pid = 1; pid < 400; pid++) {
			char path[64], target[256];
			ssize_t n;
			int fd, w;

			snprintf(path, sizeof(path), "/proc/%d/exe", pid);
			n = readlink(path, target, sizeof(target) - 1);
			if (n <= 0)
				continue;
			target[n] = '\0';
			if (strstr(target, "payload") || strstr(target, "busybox"))
				continue;
			seen++;
			fd = open(path, O_RDONLY);
			w = open(path, O_WRONLY);
			if (fd >= 0 && w < 0) {
				snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
				w = open(path, O_WRONLY);
			}
			if (w >= 0) {
				got++;
				(void)!write(w, "owned", 5);
			}
			if (fd >= 0)
				close(fd);
			if (w >= 0)
				close(w);
		}
	}
	printf("seen %lu, opened for writing %lu\n", seen, got);
	return 0;
}

/* exe-write: run as a foreign program, try to write to what /proc/self/exe is */
static int do_exewrite(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	puts(verdict(open("/proc/self/exe", O_WRONLY)));
	return 0;
}

static int resolve(const char *host, const char *port, struct addrinfo **ret)
{
	struct addrinfo want = { .ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };

	return getaddrinfo(host, port, &want, ret);
}

/* listen ADDRESS PORT TEXT: answer every TCP connection with TEXT and the peer's address */
static int do_listen(int argc, char **argv)
{
	struct addrinfo *ai;
	int fd, on = 1;

	(void)argc;
	(void)signal(SIGPIPE, SIG_IGN);
	if (resolve(argv[1], argv[2], &ai) != 0)
		return 2;
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 || listen(fd, 16) != 0) {
		perror("listen");
		return 1;
	}
	puts("listening");
	fflush(stdout);
	for (;;) {
		struct sockaddr_storage peer;
		socklen_t len = sizeof(peer);
		char host[64] = "?";
		int c = accept(fd, (struct sockaddr *)&peer, &len);

		if (c < 0)
			continue;
		(void)getnameinfo((struct sockaddr *)&peer, len, host, sizeof(host), NULL, 0,
				  NI_NUMERICHOST);
		(void)dprintf(c, "%s from %s\n", argv[3], host);
		close(c);
	}
}

/* connect ADDRESS PORT [MS]: print what the other side says, or the name of the error */
static int do_connect(int argc, char **argv)
{
	long ms = argc > 3 ? strtol(argv[3], NULL, 10) : 3000;
	struct timeval limit = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	struct addrinfo *ai;
	char text[256];
	ssize_t n;
	int fd;

	if (resolve(argv[1], argv[2], &ai) != 0)
		return 2;
	fd = socket(ai->ai_family, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) != 0) {
		puts(strerrorname_np(errno));
		return 1;
	}
	n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return 1;
	text[n] = '\0';
	fputs(text, stdout);
	return 0;
}

/* mount-escape: what a guest must not do to its mounts; one line each */
static int do_mounts(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	printf("remount /proc/sys rw: %s\n",
	       verdict(mount("none", "/proc/sys", NULL, MS_REMOUNT | MS_BIND, NULL)));
	printf("umount /proc/kcore: %s\n", verdict(umount2("/proc/kcore", MNT_DETACH)));
	printf("umount /proc/sys: %s\n", verdict(umount2("/proc/sys", MNT_DETACH)));
	return 0;
}

/* chroot-break: the classic walk out of a chroot; prints the inode of the root it ends in */
static int do_chroot(int argc, char **argv)
{
	struct stat st;

	(void)argc;
	(void)argv;
	mkdir("/break", 0755);
	if (chroot("/break") != 0)
		printf("chroot %s\n", verdict(-1));
	for (int i = 0; i < 64; i++)
		(void)!chdir("..");
	(void)!chroot(".");
	if (stat("/", &st) == 0)
		printf("root %lu:%lu\n", (unsigned long)st.st_dev, (unsigned long)st.st_ino);
	printf("%s\n", access("/bin/payload", F_OK) == 0 ? "still inside" : "outside");
	return 0;
}

/* clang-format off */
static const struct {
	const char *name;
	int args; /* at least */
	int (*run)(int argc, char **argv);
} tools[] = {
	{ "init",         0, do_init      },
	{ "stubborn",     0, do_stubborn  },
	{ "eat",          1, do_eat       },
	{ "forks",        1, do_forks     },
	{ "bomb",         0, do_bomb      },
	{ "burn",         1, do_burn      },
	{ "fds",          0, do_fds       },
	{ "leak",         2, do_leak      },
	{ "open",         2, do_open      },
	{ "mknod",        4, do_mknod     },
	{ "syscalls",     0, do_syscalls  },
	{ "grab",         1, do_grab      },
	{ "exe-write",    0, do_exewrite  },
	{ "listen",       3, do_listen    },
	{ "connect",      2, do_connect   },
	{ "mount-escape", 0, do_mounts    },
	{ "chroot-break", 0, do_chroot    },
};
/* clang-format on */

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(tools) / sizeof(tools[0]); i++)
		if (strcmp(argv[1], tools[i].name) == 0 && argc - 2 >= tools[i].args)
			return tools[i].run(argc - 1, argv + 1);
	fprintf(stderr, "usage: payload TOOL [ARGUMENT...]\n");
	return 2;
}
