/* SPDX-License-Identifier: Apache-2.0 */
/* Reading: one container, all containers, their processes, use and console. */
#include "runtime/container.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/own.h"
#include "base/text.h"
#include "runtime/config/config.h"
#include "runtime/exitnote.h"
#include "runtime/group.h"
#include "runtime/life.h"
#include "runtime/monitor.h"
#include "runtime/partition.h"
#include "runtime/storage/store.h"
#include "runtime/supervise.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>

enum { CONFIG_MAX_BYTES = 4 * 1024 * 1024 };

/** What all entries of one listing share. */
struct lister {
	const struct ctr_env *env;
	int run, store; /* store: -EBADF where there is none yet */
	const struct cg_layout *layout;
	struct arena *arena;
};

static void lister_done(struct lister *l)
{
	close_fd(&l->run);
	close_fd(&l->store);
}
#define own_lister __attribute__((cleanup(lister_done)))

static int lister_open(const struct ctr_env *env, struct arena *arena, struct lister *ret,
		       struct err *e)
{
	*ret = (struct lister){ .env = env, .run = -EBADF, .store = -EBADF, .arena = arena };
	ret->run = state_open(env->run, e);
	if (ret->run < 0)
		return ret->run;
	ret->store = open(env->store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret->store < 0 && errno != ENOENT)
		return err_set(e, -errno, "open store '%s'", env->store);
	return cg_layout_open(arena, &ret->layout, e);
}

static int from_state(const struct lister *l, const char *id, struct ctr_info *ret, struct err *e)
{
	struct life life = { .run = l->run,
			     .lock = -EBADF,
			     .pidfd = -ESRCH,
			     .id = id,
			     .layout = l->layout,
			     .env = l->env };
	const struct state *s = &life.state;
	int r;

	r = state_load(l->run, id, l->arena, &life.state, e);
	if (r < 0)
		return r;
	life.exists = true;
	life.pidfd = state_proc(s);
	ret->status = life_status(&life);
	close_fd(&life.pidfd);
	ret->is_partition = s->partition;
	ret->pid = ret->status == CTR_STOPPED ? 0 : (pid_t)s->pid;
	ret->bundle = s->bundle;
	ret->rootfs = s->rootfs;
	ret->cgroup_path = s->cgroup_path;
	ret->created_ms = s->created_ms;
	ret->started_ms = s->started_ms;
	ret->id_base = s->id_base;
	ret->annotations = s->annotations;
	return 0;
}

static int add_addresses(const struct config_network *net, struct arena *arena, struct strv *ret)
{
	const struct config_if *ifs = net->interfaces.v;

	for (size_t i = 0; i < net->interfaces.n; i++) {
		for (size_t j = 0; j < ifs[i].addresses.n; j++) {
			char **slot = arena_grow(arena, &ret->v, &ret->n, sizeof(char *));

			if (!slot)
				return -ENOMEM;
			*slot = ifs[i].addresses.v[j];
		}
	}
	return 0;
}

static int from_partition(const struct lister *l, const char *id, struct ctr_info *ret,
			  struct err *e)
{
	own_fd int dir = partition_dir_open(l->store, id, e);
	struct js_issues issues = { .arena = l->arena };
	own_json json_t *doc = NULL;
	struct config config = { 0 };
	int r;

	if (dir < 0)
		return dir;
	ret->is_partition = true;
	r = js_read_file(dir, "config.json", CONFIG_MAX_BYTES, "config.json", &doc, e);
	if (r < 0)
		return r;
	r = config_decode(doc, &issues, &config);
	if (r < 0)
		return r == -EINVAL ? js_issues_err(&issues, "config.json", e) : r;
	ret->template = config.root.template;
	ret->hostname = config.hostname ? config.hostname : id;
	if (!ret->bundle)
		ret->bundle = arena_printf(l->arena, "%s/partitions/%s", l->env->store, id);
	if (!ret->cgroup_path)
		ret->cgroup_path = arena_printf(l->arena, "/ctr/%s", id);
	if (!ret->id_base && config.security.userns)
		(void)partition_id_base(l->store, id, &ret->id_base, NULL); /* shown as none */
	if (ret->status == CTR_STOPPED)
		ret->exit_status = exitnote_load(l->env, id);
	return add_addresses(&config.network, l->arena, &ret->addresses);
}

static int read_entry(const struct lister *l, const char *id, struct ctr_info *ret, struct err *e)
{
	struct err why = { 0 };
	int state, part = -ENOENT;

	*ret = (struct ctr_info){ .id = arena_strdup(l->arena, id),
				  .status = CTR_STOPPED,
				  .exit_status = -1 };
	if (!ret->id)
		return -ENOMEM;
	state = from_state(l, id, ret, &why);
	if (l->store >= 0 && (state == -ENOENT || state == 0))
		part = from_partition(l, id, ret, state == 0 && !ret->is_partition ? NULL : &why);
	if (state == -ENOENT && part == -ENOENT)
		return err_say(e, -ENOENT, "container '%s' does not exist", id);
	if ((state < 0 && state != -ENOENT) || (part < 0 && part != -ENOENT))
		ret->problem = arena_strdup(l->arena, why.msg);
	return 0;
}

int container_info(const struct ctr_env *env, const char *id, struct arena *arena,
		   struct ctr_info *ret, struct err *e)
{
	own_lister struct lister l;
	int r;

	r = state_check_id(id, e);
	if (r < 0)
		return r;
	r = lister_open(env, arena, &l, e);
	return r < 0 ? r : read_entry(&l, id, ret, e);
}

/* Two sorted lists to one without repeats. */
static int merge(const struct strv *a, const struct strv *b, struct arena *arena, struct strv *ret)
{
	size_t i = 0, j = 0;

	while (i < a->n || j < b->n) {
		int order = i == a->n ? 1 : j == b->n ? -1 : strcmp(a->v[i], b->v[j]);
		char **slot = arena_grow(arena, &ret->v, &ret->n, sizeof(char *));

		if (!slot)
			return -ENOMEM;
		*slot = order <= 0 ? a->v[i] : b->v[j];
		i += order <= 0;
		j += order >= 0;
	}
	return 0;
}

int container_list(const struct ctr_env *env, struct arena *arena, struct ctr_info **ret,
		   size_t *ret_count, struct err *e)
{
	own_lister struct lister l;
	struct strv running = { 0 }, kept = { 0 }, all = { 0 };
	struct ctr_info *infos;
	size_t count = 0;
	int r;

	r = lister_open(env, arena, &l, e);
	if (r == 0)
		r = state_list(l.run, arena, &running, e);
	if (r == 0 && l.store >= 0)
		r = partition_dir_list(l.store, arena, &kept, e);
	if (r == 0)
		r = merge(&running, &kept, arena, &all);
	if (r < 0)
		return r;
	infos = arena_alloc(arena, all.n * sizeof(*infos) + 1);
	if (!infos)
		return -ENOMEM;
	for (size_t i = 0; i < all.n; i++) {
		r = read_entry(&l, all.v[i], &infos[count], NULL);
		if (r == -ENOENT)
			continue; /* it went away while we looked */
		if (r < 0)
			return r;
		count++;
	}
	*ret = infos;
	*ret_count = count;
	return 0;
}

int container_pids(const struct ctr_env *env, const char *id, struct arena *arena, pid_t **ret,
		   size_t *ret_count, struct err *e)
{
	own_life struct life life = LIFE_EMPTY;
	int r = life_look(env, id, &life, e);

	if (r == 0)
		r = life_need(&life, e);
	return r < 0 ? r : group_pids(life.layout, &life.state, arena, ret, ret_count, e);
}

int container_stats(const struct ctr_env *env, const struct ctr_info *info, struct cg_stats *ret,
		    struct err *e)
{
	own_arena struct arena arena = { 0 };
	const struct cg_layout *layout;
	int r;

	(void)env; /* the group is the same wherever the state is */
	if (!info->cgroup_path)
		return err_say(e, -ENOTSUP, "'%s' has no cgroup, which is what counts", info->id);
	r = cg_layout_open(&arena, &layout, e);
	if (r < 0)
		return r;
	r = cg_stats_read(layout, info->cgroup_path, ret);
	return r < 0 ? err_set(e, r, "read the statistics of '%s'", info->id) : 0;
}

/* Return: bytes copied, or -errno. */
static ssize_t copy_rest(int from, int to)
{
	char buf[16384];
	ssize_t total = 0;

	for (;;) {
		ssize_t n = TEMP_FAILURE_RETRY(read(from, buf, sizeof(buf)));
		int r;

		if (n <= 0)
			return n < 0 ? -errno : total;
		r = fd_write_all(to, buf, (size_t)n);
		if (r < 0)
			return r;
		total += n;
	}
}

/* The log is cut from its front when it grows: then we go on at what is its end by then. */
static int seek_back_if_cut(int log)
{
	off_t at = lseek(log, 0, SEEK_CUR), end = lseek(log, 0, SEEK_END);

	return at < 0 || end < 0 || lseek(log, at < end ? at : end, SEEK_SET) < 0 ? -errno : 0;
}

static int follow(int log, int watch, int pidfd, int out, struct err *e)
{
	struct pollfd p[] = { { .fd = pidfd, .events = POLLIN },
			      { .fd = watch, .events = POLLIN } };

	for (;;) {
		char events[1024];
		ssize_t n = copy_rest(log, out);
		bool ended;

		if (n < 0)
			return n == -EPIPE ? 0 : err_set(e, (int)n, "copy the log");
		if (TEMP_FAILURE_RETRY(poll(p, ARRAY_SIZE(p), -1)) < 0)
			return err_set(e, -errno, "poll");
		ended = p[0].revents;
		if (p[1].revents && read(watch, events, sizeof(events)) < 0)
			return err_set(e, -errno, "watch the log");
		if (seek_back_if_cut(log) < 0)
			return err_set(e, -errno, "read the log");
		if (ended)
			return copy_rest(log, out) < 0 ? -EIO : 0;
	}
}

int container_logs(const struct ctr_env *env, const char *id, bool follow_it, int out_fd,
		   struct err *e)
{
	own_life struct life life = LIFE_EMPTY;
	own_fd int store = -EBADF, dir = -EBADF, log = -EBADF, watch = -EBADF;
	char path[32];
	ssize_t n;
	int r = life_look(env, id, &life, e);

	if (r < 0)
		return r;
	store = store_open(env->store, e);
	if (store < 0)
		return store;
	dir = partition_dir_open(store, id, NULL);
	if (dir < 0)
		return life.exists
			       ? err_say(e, -ENOTSUP,
					 "'%s' is an OCI container: its caller has its output", id)
			       : err_say(e, -ENOENT, "partition '%s' does not exist", id);
	log = openat(dir, "console.log", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (log < 0)
		return errno == ENOENT ? 0 : err_set(e, -errno, "open the log of '%s'", id);
	if (!follow_it || life.pidfd < 0) {
		n = copy_rest(log, out_fd);
		return n < 0 && n != -EPIPE ? err_set(e, (int)n, "copy the log") : 0;
	}
	watch = inotify_init1(IN_CLOEXEC);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", log);
	if (watch < 0 || inotify_add_watch(watch, path, IN_MODIFY) < 0)
		return err_set(e, -errno, "watch the log of '%s'", id);
	return follow(log, watch, life.pidfd, out_fd, e);
}

int container_console(const struct ctr_env *env, const char *id, struct err *e)
{
	own_life struct life life = LIFE_EMPTY;
	own_fd int sock = -EBADF;
	int r = life_look(env, id, &life, e);

	if (r == 0)
		r = life_need(&life, e);
	if (r < 0)
		return r;
	if (life.pidfd < 0)
		return err_say(e, -ESRCH, "container not running");
	sock = monitor_attach(life.run, id, e);
	return sock < 0 ? sock : supervise_terminal(sock, life.pidfd, e);
}
