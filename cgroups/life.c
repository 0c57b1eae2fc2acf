/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes of a group: wait, freeze, list, kill.
 *
 * DOC: a process sits in one css_set that names its group in all hierarchies, so "v2 is empty"
 * means that v1 is empty too, and cgroup.events of v2 is the one thing to wait on.
 */
#include "cgroups/cg_internal.h"

#include "base/file.h"
#include "base/own.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>

enum { FREEZE_TIMEOUT_MS = 10000 };

static int64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail with this clock */
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* The value of @key in the text of cgroup.events; -EBADMSG without it. */
static int event_in(const char *text, const char *key)
{
	uint64_t value = stat_parse(text, STAT_KEY, key);

	return value > 1 ? -EBADMSG : (int)value;
}

static int event_at(int dirfd, const char *key)
{
	char text[256];
	ssize_t n = file_read(dirfd, "cgroup.events", text, sizeof(text));

	return n < 0 ? (int)n : event_in(text, key);
}

int life_is_populated(int dirfd)
{
	return event_at(dirfd, "populated");
}

/*
 * Wait until @key is @want. The kernel announces a change to whoever has read the file since the
 * last one, so read first, then poll; a group that is removed meanwhile fails with -ENODEV.
 */
static int wait_event(int dirfd, const char *key, int want, int timeout_ms)
{
	own_fd int fd = openat(dirfd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	int64_t end = now_ms() + timeout_ms;

	if (fd < 0)
		return -errno;
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLPRI };
		int64_t left = end - now_ms();
		char text[256];
		ssize_t n = TEMP_FAILURE_RETRY(pread(fd, text, sizeof(text) - 1, 0));
		int r;

		if (n < 0)
			return -errno;
		text[n] = '\0';
		r = event_in(text, key);
		if (r < 0 || r == want)
			return r < 0 ? r : 0;
		if (timeout_ms >= 0 && left <= 0)
			return -ETIMEDOUT;
		if (poll(&p, 1, timeout_ms < 0 ? -1 : (int)left) < 0 && errno != EINTR)
			return -errno;
	}
}

int cg_wait_empty(const struct cg_layout *layout, const char *path, int timeout_ms, struct err *e)
{
	own_fd int dir = -EBADF;
	int r = tree_path(path, e);

	if (r < 0)
		return r;
	dir = tree_open(&layout->hiers[0], path);
	r = dir < 0 ? dir : wait_event(dir, "populated", 0, timeout_ms);
	if (r == -ENOENT || r == -ENODEV)
		return 0; /* removed: nothing lives there */
	if (r == -ETIMEDOUT)
		return err_say(e, r, "processes still live in cgroup '%s' after %d ms", path,
			       timeout_ms);
	return r < 0 ? err_set(e, r, "wait for cgroup '%s' to become empty", path) : 0;
}

/* freezer.state of the group in v1's hierarchy; -ENOENT where there is none of either */
static int open_v1_freezer(const struct cg_layout *layout, const char *path)
{
	const struct cg_hier *hier = layout_v1(layout, CG_FREEZER);

	return hier ? tree_open(hier, path) : -ENOENT;
}

static int thaw_v1_group(int dirfd, void *arg)
{
	(void)arg;
	return file_write(dirfd, "freezer.state", "THAWED");
}

/* We never freeze there. Who may write to that hierarchy can: the administrator, and a container
 * that has it writable, its own groups. A process that is frozen so does not even die. */
static int thaw_v1(const struct cg_layout *layout, const char *path)
{
	static const struct walk_ops ops = { .enter = thaw_v1_group };
	own_fd int dir = open_v1_freezer(layout, path);
	int r = dir < 0 ? dir : walk(dir, &ops, NULL);

	return r == -ENOENT || r == -ENODEV ? 0 : r;
}

static bool is_frozen_v1(const struct cg_layout *layout, const char *path)
{
	own_fd int dir = open_v1_freezer(layout, path);
	char text[32];

	return dir >= 0 && file_read(dir, "freezer.state", text, sizeof(text)) > 0 &&
	       strncmp(text, "THAWED", 6) != 0;
}

int cg_freeze(const struct cg_layout *layout, const char *path, bool freeze, struct err *e)
{
	own_fd int dir = cg_open(layout, path, e);
	const char *verb = freeze ? "freeze" : "thaw";
	int r;

	if (dir < 0)
		return dir;
	r = file_write(dir, "cgroup.freeze", freeze ? "1" : "0");
	if (r == 0 && !freeze)
		r = thaw_v1(layout, path);
	if (r == 0)
		r = wait_event(dir, "frozen", freeze, FREEZE_TIMEOUT_MS);
	if (r == -ETIMEDOUT && freeze) {
		(void)file_write(dir, "cgroup.freeze", "0"); /* half frozen helps nobody */
		err_say(e, r, "cgroup '%s' does not freeze", path);
		err_hint(e, "a process hangs in an uninterruptible system call: see ps, state D");
		return r;
	}
	if (r == -ETIMEDOUT)
		return err_say(e, r, "cgroup '%s' stays frozen: a parent is", path);
	return r < 0 ? err_set(e, r, "%s cgroup '%s'", verb, path) : 0;
}

int cg_is_frozen(const struct cg_layout *layout, const char *path)
{
	own_fd int dir = cg_open(layout, path, NULL);

	int r = dir < 0 ? dir : event_at(dir, "frozen");

	/* There may be one of v1 alone. */
	return (r == 0 || r == -ENOENT) && is_frozen_v1(layout, path) ? 1 : r;
}

struct pid_list {
	struct arena *arena;
	pid_t *v;
	size_t n;
};

static int add_pids(int dirfd, void *arg)
{
	struct pid_list *list = arg;
	own_text struct text text = { 0 };
	char *line, *save = NULL;
	int r = tree_load(dirfd, "cgroup.procs", &text);

	/* A threaded group's processes are listed by the domain above it. */
	if (r == -EOPNOTSUPP || r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	for (line = strtok_r(text.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		uint32_t number;
		pid_t *added;

		/* 0 is a process that our pid namespace cannot see. */
		if (text_u32(line, &number) < 0 || number == 0)
			continue;
		added = arena_grow(list->arena, &list->v, &list->n, sizeof(*list->v));
		if (!added)
			return -ENOMEM;
		*added = (pid_t)number;
	}
	return 0;
}

static int compare_pids(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

static int list_pids(int dirfd, struct pid_list *list)
{
	static const struct walk_ops ops = { .enter = add_pids };
	size_t unique = 0;
	int r = walk(dirfd, &ops, list);

	if (r < 0 || !list->n)
		return r;
	qsort(list->v, list->n, sizeof(*list->v), compare_pids);
	/* A process that moved while we walked was met twice. */
	for (size_t i = 1; i < list->n; i++)
		if (list->v[i] != list->v[unique])
			list->v[++unique] = list->v[i];
	list->n = unique + 1;
	return 0;
}

int cg_pids(const struct cg_layout *layout, const char *path, struct arena *arena, pid_t **ret,
	    size_t *ret_count, struct err *e)
{
	struct pid_list list = { .arena = arena };
	own_fd int dir = cg_open(layout, path, e);
	int r;

	if (dir < 0)
		return dir;
	r = list_pids(dir, &list);
	if (r < 0)
		return err_set(e, r, "list the processes of cgroup '%s'", path);
	*ret = list.v;
	*ret_count = list.n;
	return 0;
}

int life_kill_frozen(int dirfd)
{
	own_arena struct arena arena = { 0 };
	struct pid_list list = { .arena = &arena };
	int r = file_write(dirfd, "cgroup.freeze", "1");

	if (r == 0)
		r = wait_event(dirfd, "frozen", 1, FREEZE_TIMEOUT_MS);
	if (r == 0 || r == -ETIMEDOUT) /* one that hangs in the kernel cannot fork either */
		r = list_pids(dirfd, &list);
	for (size_t i = 0; r == 0 && i < list.n; i++)
		if (kill(list.v[i], SIGKILL) < 0 && errno != ESRCH)
			r = -errno;
	(void)file_write(dirfd, "cgroup.freeze", "0"); /* the dead do not care */
	return r;
}

int cg_kill(const struct cg_layout *layout, const char *path, struct err *e)
{
	own_fd int dir = -EBADF;
	int r = tree_path(path, e);

	if (r < 0)
		return r;
	dir = tree_open(&layout->hiers[0], path);
	if (dir == -ENOENT)
		return 0;
	r = dir < 0 ? dir : file_write(dir, "cgroup.kill", "1");
	if (r == -ENOENT && faccessat(dir, "cgroup.procs", F_OK, 0) == 0)
		r = life_kill_frozen(dir);
	if (r == 0)
		r = thaw_v1(layout, path);
	if (r == -ENOENT || r == -ENODEV)
		return 0; /* removed since we opened it */
	return r < 0 ? err_set(e, r, "kill the processes of cgroup '%s'", path) : 0;
}
