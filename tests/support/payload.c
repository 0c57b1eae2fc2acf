/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the integration tests run inside (static, so that it works in any root): one program whose
 * first argument says what to do. Each prints plain facts; the scripts judge them.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/un.h>
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

/* sched: how this process is scheduled, a line each */
static int do_sched(int argc, char **argv)
{
	struct {
		unsigned int size, policy;
		unsigned long long flags;
		int nice;
		unsigned int priority;
		unsigned long long runtime, deadline, period;
	} attr = { .size = sizeof(attr) };
	unsigned long nodes[16] = { 0 };
	long io = syscall(SYS_ioprio_get, 1, 0);
	int mode = -1;

	(void)argc;
	(void)argv;
	if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) < 0)
		perror("sched_getattr");
	printf("policy %u nice %d priority %u flags %llu %llu/%llu/%llu\n", attr.policy, attr.nice,
	       attr.priority, attr.flags, attr.runtime, attr.deadline, attr.period);
	printf("io class %ld level %ld\n", io >> 13, io & 7);
	if (syscall(SYS_get_mempolicy, &mode, nodes, 1025, NULL, 0) < 0)
		perror("get_mempolicy");
	printf("memory mode %d nodes %lx\n", mode, nodes[0]);
	printf("personality %lx\n", syscall(SYS_personality, 0xffffffff));
	return 0;
}

/* recvfd SOCKET [hold]: listen there, take one message with descriptors; prints it, and what they
 * are; "hold" keeps them open until killed */
static int do_recvfd(int argc, char **argv)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char text[65536], control[CMSG_SPACE(8 * sizeof(int))];
	struct iovec part = { text, sizeof(text) };
	struct msghdr msg = { .msg_iov = &part,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	int sock = socket(AF_UNIX, SOCK_STREAM, 0), peer;
	struct cmsghdr *head;
	ssize_t n;

	strncpy(addr.sun_path, argv[1], sizeof(addr.sun_path) - 1);
	if (bind(sock, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(sock, 8) < 0) {
		perror(argv[1]);
		return 1;
	}
	peer = accept(sock, NULL, NULL);
	n = recvmsg(peer, &msg, 0);
	if (n < 0) {
		perror("recvmsg");
		return 1;
	}
	printf("message %.*s\n", (int)n, text);
	for (head = CMSG_FIRSTHDR(&msg); head; head = CMSG_NXTHDR(&msg, head)) {
		const int *fds = (const int *)CMSG_DATA(head);
		size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		for (size_t i = 0; i < count; i++) {
			char path[64], target[256], line[256];
			ssize_t len;
			FILE *info;

			snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[i]);
			len = readlink(path, target, sizeof(target) - 1);
			printf("fd %.*s\n", len < 0 ? 0 : (int)len, target);
			snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fds[i]);
			info = fopen(path, "r");
			while (info && fgets(line, sizeof(line), info))
				if (strncmp(line, "Pid:", 4) == 0)
					printf("pidfd of %ld\n", strtol(line + 4, NULL, 10));
			if (info)
				fclose(info);
		}
	}
	printf("rest %zd\n", recv(peer, text, sizeof(text), 0)); /* the end: nobody waits for us */
	fflush(stdout);
	while (argc > 2)
		pause();
	return 0;
}

static int receive_fd(int peer, char *text, size_t size)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec part = { text, size - 1 };
	struct msghdr msg = { .msg_iov = &part,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(peer, &msg, 0);
	struct cmsghdr *head = n < 0 ? NULL : CMSG_FIRSTHDR(&msg);
	int fd;

	text[n < 0 ? 0 : n] = '\0';
	if (!head)
		return -1;
	memcpy(&fd, CMSG_DATA(head), sizeof(fd));
	return fd;
}

/* Answers every call with @error but those that are to go on, which are all but @denied. */
static void answer(int fd, long denied, int error)
{
	struct seccomp_notif call;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	for (;;) {
		struct seccomp_notif_resp reply = { 0 };

		if (poll(&p, 1, -1) < 0 || !(p.revents & POLLIN))
			return; /* nobody is under the filter any more */
		memset(&call, 0, sizeof(call));
		if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
			continue;
		reply.id = call.id;
		if (call.data.nr == denied)
			reply.error = -error;
		else
			reply.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		(void)ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &reply);
	}
}

/* agent SOCKET CALL ERRNO: a seccomp agent: prints what each container says of itself, refuses
 * system call number CALL with ERRNO, and lets all others go on; until killed */
static int do_agent(int argc, char **argv)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM, 0);
	size_t len = strlen(argv[1]);
	static char text[65536];

	(void)argc;
	memcpy(addr.sun_path, argv[1], len);
	if (argv[1][0] == '@')
		addr.sun_path[0] = '\0';
	if (bind(sock, (struct sockaddr *)&addr,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (argv[1][0] != '@'))) <
		    0 ||
	    listen(sock, 8) < 0) {
		perror(argv[1]);
		return 1;
	}
	signal(SIGCHLD, SIG_IGN);
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		int peer = accept(sock, NULL, NULL), fd = receive_fd(peer, text, sizeof(text));

		printf("%s\n", text);
		fflush(stdout);
		close(peer);
		if (fork() == 0) {
			close(sock);
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			answer(fd, strtol(argv[2], NULL, 10), atoi(argv[3]));
			_exit(0);
		}
		close(fd);
	}
}

/* call NUMBER [ARGUMENT]...: that system call; prints its errno's number, or "ok" */
static int do_call(int argc, char **argv)
{
	unsigned long a[6] = { 0 };

	for (int i = 2; i < argc && i < 8; i++)
		a[i - 2] = strtoul(argv[i], NULL, 0);
	errno = 0;
	if (syscall(strtol(argv[1], NULL, 10), a[0], a[1], a[2], a[3], a[4], a[5]) < 0)
		printf("%d\n", errno);
	else
		printf("ok\n");
	return 0;
}

/* keyring: the description of the session keyring, and its label */
static int do_keyring(int argc, char **argv)
{
	char text[512] = "";

	(void)argc;
	(void)argv;
	if (syscall(SYS_keyctl, 6 /* DESCRIBE */, -3 /* session */, text, sizeof(text)) < 0)
		perror("keyctl");
	printf("%s\n", text);
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
	int held[64], holds = 0;

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
			if (w >= 0 && write(w, "owned", 5) == 5)
				got++;
			if (w >= 0)
				close(w);
			/* What is being executed is busy; once it has ended it is not. */
			if (fd >= 0 && holds < 64)
				held[holds++] = fd;
			else if (fd >= 0)
				close(fd);
		}
	}
	for (int i = 0; i < holds; i++) {
		char path[64];
		int w;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", held[i]);
		w = open(path, O_WRONLY);
		if (w >= 0 && write(w, "owned", 5) == 5)
			got++;
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
static int unix_socket(int type, const char *path, struct sockaddr_un *addr)
{
	memset(addr, 0, sizeof(*addr));
	addr->sun_family = AF_UNIX;
	snprintf(addr->sun_path, sizeof(addr->sun_path), "%s", path);
	return socket(AF_UNIX, type, 0);
}

/* dgrams PATH N: listens there and prints N messages; a descriptor that comes along is closed */
static int do_dgrams(int argc, char **argv)
{
	struct sockaddr_un addr;
	int sock = unix_socket(SOCK_DGRAM, argv[1], &addr);

	(void)argc;
	if (bind(sock, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return 1;
	for (int left = atoi(argv[2]); left > 0; left--) {
		char text[512], control[64];
		struct iovec iov = { text, sizeof(text) - 1 };
		struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
		ssize_t n = recvmsg(sock, &msg, 0);

		if (n < 0)
			return 1;
		text[n] = '\0';
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
			close(*(int *)CMSG_DATA(c));
		printf("%s%s", text, n && text[n - 1] == '\n' ? "" : "\n");
		fflush(stdout);
	}
	return 0;
}

/* notify TEXT...: sends each to $NOTIFY_SOCKET, then is an init */
static int do_notify(int argc, char **argv)
{
	struct sockaddr_un addr;
	int sock = unix_socket(SOCK_DGRAM, getenv("NOTIFY_SOCKET") ?: "", &addr);

	for (int i = 1; i < argc; i++)
		if (sendto(sock, argv[i], strlen(argv[i]), 0, (struct sockaddr *)&addr, sizeof(addr)) < 0)
			return 1;
	return do_init(0, NULL);
}

/* sockets N COMMAND...: runs it with N sockets from descriptor 3, as sd_listen_fds(3) has it */
static int do_sockets(int argc, char **argv)
{
	char text[16];
	int n = atoi(argv[1]);

	(void)argc;
	for (int i = 0; i < n; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (fd < 0 || dup2(fd, 3 + i) < 0)
			return 1;
	}
	setenv("LISTEN_FDS", argv[1], 1);
	snprintf(text, sizeof(text), "%d", getpid());
	setenv("LISTEN_PID", text, 1);
	execv(argv[2], argv + 2);
	return 1;
}

static const struct {
	const char *name;
	int args; /* at least */
	int (*run)(int argc, char **argv);
} tools[] = {
	{ "init",         0, do_init      },
	{ "stubborn",     0, do_stubborn  },
	{ "sched",        0, do_sched     },
	{ "recvfd",       1, do_recvfd    },
	{ "agent",        3, do_agent     },
	{ "call",         1, do_call      },
	{ "keyring",      0, do_keyring   },
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
	{ "dgrams",       2, do_dgrams    },
	{ "notify",       0, do_notify    },
	{ "sockets",      2, do_sockets   },
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
