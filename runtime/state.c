/* SPDX-License-Identifier: Apache-2.0 */
/* The state file, its directory and its lock. */
#include "runtime/state.h"

#include "base/file.h"
#include "base/json.h"
#include "base/own.h"
#include "base/text.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { STATE_VERSION = 1, JSON_MAX_BYTES = 16 * 1024 * 1024 };

static const struct name phase_names[] = {
	{ "creating", STATE_CREATING },
	{ "created", STATE_CREATED },
	{ "running", STATE_RUNNING },
	{ NULL, 0 },
};

/* clang-format off */
static const struct js_field state_fields[] = {
	{ .key = "version", .kind = JS_U32, .offset = offsetof(struct state, version), .min = 1, .max = STATE_VERSION, .flags = JS_REQUIRED },
	{ .key = "id", .kind = JS_STR, .offset = offsetof(struct state, id), .flags = JS_REQUIRED },
	{ .key = "ociVersion", .kind = JS_STR, .offset = offsetof(struct state, oci_version) },
	{ .key = "phase", .kind = JS_ENUM, .offset = offsetof(struct state, phase), .names = phase_names, .flags = JS_REQUIRED },
	{ .key = "partition", .kind = JS_BOOL, .offset = offsetof(struct state, partition) },
	{ .key = "pid", .kind = JS_U64, .offset = offsetof(struct state, pid), .max = 4194304 },
	{ .key = "starttime", .kind = JS_U64, .offset = offsetof(struct state, starttime) },
	{ .key = "bootId", .kind = JS_STR, .offset = offsetof(struct state, boot_id) },
	{ .key = "bundle", .kind = JS_STR, .offset = offsetof(struct state, bundle) },
	{ .key = "rootfs", .kind = JS_STR, .offset = offsetof(struct state, rootfs) },
	{ .key = "cgroupManager", .kind = JS_ENUM, .offset = offsetof(struct state, driver), .names = cg_driver_names },
	{ .key = "unit", .kind = JS_STR, .offset = offsetof(struct state, unit) },
	{ .key = "cgroupPath", .kind = JS_STR, .offset = offsetof(struct state, cgroup_path) },
	{ .key = "keyring", .kind = JS_BOOL, .offset = offsetof(struct state, keyring) },
	{ .key = "network", .kind = JS_BOOL, .offset = offsetof(struct state, network) },
	{ .key = "rootMount", .kind = JS_U64, .offset = offsetof(struct state, root_mount) },
	{ .key = "hooks", .kind = JS_BOOL, .offset = offsetof(struct state, hooks) },
	{ .key = "idBase", .kind = JS_U32, .offset = offsetof(struct state, id_base) },
	{ .key = "createdMs", .kind = JS_U64, .offset = offsetof(struct state, created_ms) },
	{ .key = "startedMs", .kind = JS_U64, .offset = offsetof(struct state, started_ms) },
	{ .key = "annotations", .kind = JS_STRMAP, .offset = offsetof(struct state, annotations) },
	{ .key = NULL },
};
/* clang-format on */

static const struct js_object state_type = {
	.name = "state", .size = sizeof(struct state), .fields = state_fields, .open = true
};

int state_open(const char *run, struct err *e)
{
	int r, fd;

	if (!run) {
		(void)err_say(e, -EINVAL,
			      "no place for runtime state: $XDG_RUNTIME_DIR is not set");
		err_hint(e, "set it, as a login does, or give --root DIR");
		return -EINVAL;
	}
	r = file_mkdirs(run, 0700);
	if (r < 0)
		return err_set(e, r, "make run directory '%s'", run);
	fd = open(run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_set(e, -errno, "open run directory '%s'", run) : fd;
}

int state_check_id(const char *id, struct err *e)
{
	if (text_is_id(id))
		return 0;
	return err_say(e, -EINVAL,
		       "invalid container name '%s': allowed are letters, digits, '_', '+', '-' "
		       "and '.', not '-' or '.' first, at most 128",
		       id);
}

int state_lock(int run, const char *id, struct err *e)
{
	char name[160];
	int fd;

	(void)snprintf(name, sizeof(name), ".%s.lock", id); /* ids have at most 128 bytes */
	fd = file_lock(run, name, true);
	return fd < 0 ? err_set(e, fd, "lock '%s'", id) : fd;
}

void state_unlock_forget(int run, const char *id, int *lock)
{
	char name[160];

	if (*lock < 0)
		return;
	(void)snprintf(name, sizeof(name), ".%s.lock", id);
	if (faccessat(run, id, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		(void)unlinkat(run, name, 0); /* an empty file that stays does no harm */
	close_fd(lock);
}

int state_dir(int run, const char *id, bool create, struct err *e)
{
	int fd;

	if (create && mkdirat(run, id, 0700) < 0 && errno != EEXIST)
		return err_set(e, -errno, "make state directory of '%s'", id);
	fd = openat(run, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return err_say(e, -ENOENT, "container '%s' does not exist", id);
	return fd < 0 ? err_set(e, -errno, "open state directory of '%s'", id) : fd;
}

int state_save_json(int run, const char *id, const char *name, const json_t *doc, struct err *e)
{
	own_fd int dir = state_dir(run, id, true, e);
	own_free char *text = NULL;
	int r;

	if (dir < 0)
		return dir;
	text = json_dumps(doc, JSON_COMPACT);
	if (!text)
		return -ENOMEM;
	r = file_replace(dir, name, text, strlen(text), 0600, FILE_NOSYNC);
	return r < 0 ? err_set(e, r, "write '%s' of '%s'", name, id) : 0;
}

int state_load_json(int run, const char *id, const char *name, json_t **ret, struct err *e)
{
	own_fd int dir = state_dir(run, id, false, e);
	int r;

	if (dir < 0)
		return dir;
	r = js_read_file(dir, name, JSON_MAX_BYTES, name, ret, e);
	return r < 0 ? err_wrap(e, r, "container '%s'", id) : 0;
}

int state_save(int run, const struct state *state, struct err *e)
{
	own_json json_t *doc = js_encode(&state_type, state);

	if (!doc)
		return -ENOMEM;
	return state_save_json(run, state->id, "state.json", doc, e);
}

int state_load(int run, const char *id, struct arena *arena, struct state *ret, struct err *e)
{
	struct js_issues issues = { .arena = arena };
	own_json json_t *doc = NULL;
	struct state state = { 0 };
	int r;

	r = state_load_json(run, id, "state.json", &doc, e);
	if (r < 0)
		return r;
	r = js_decode(&state_type, doc, &state, &issues);
	if (r < 0)
		return err_wrap(e, r == -EINVAL ? js_issues_err(&issues, "state.json", e) : r,
				"container '%s'", id);
	*ret = state;
	return 0;
}

int state_remove(int run, const char *id, struct err *e)
{
	int r = file_remove_tree(run, id);

	return r < 0 ? err_set(e, r, "remove state directory of '%s'", id) : 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int state_list(int run, struct arena *arena, struct strv *ret, struct err *e)
{
	own_fd int fd = openat(run, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = NULL;
	const struct dirent *entry;
	struct strv ids = { 0 };

	if (fd < 0)
		return err_set(e, -errno, "open the run directory");
	dir = fdopendir(fd);
	if (!dir)
		return err_set(e, -errno, "read the run directory");
	(void)take_fd(&fd); /* dir owns it now */
	while ((entry = readdir(dir))) {
		char **slot;

		if (!text_is_id(entry->d_name))
			continue;
		slot = arena_grow(arena, &ids.v, &ids.n, sizeof(char *));
		if (!slot)
			return -ENOMEM;
		*slot = arena_strdup(arena, entry->d_name);
		if (!*slot)
			return -ENOMEM;
	}
	if (ids.n)
		qsort(ids.v, ids.n, sizeof(char *), by_name);
	*ret = ids;
	return 0;
}

int state_proc(const struct state *state)
{
	struct proc_id id = { .pid = (pid_t)state->pid, .starttime = state->starttime };
	char boot[40];
	int r;

	if (!state->pid || !state->boot_id)
		return -ESRCH;
	r = proc_boot_id(boot, sizeof(boot));
	if (r < 0)
		return r;
	return strcmp(boot, state->boot_id) == 0 ? proc_open(&id) : -ESRCH;
}

json_t *state_to_oci(const struct state *state, const char *status, pid_t pid)
{
	own_json json_t *annotations = json_object();

	for (size_t i = 0; i < state->annotations.n; i++)
		if (json_object_set_new(annotations, state->annotations.v[i].key,
					json_string(state->annotations.v[i].value)) < 0)
			return NULL;
	return json_pack("{s:s, s:s, s:s, s:i, s:s, s:s, s:O}", "ociVersion", state->oci_version,
			 "id", state->id, "status", status, "pid", (int)pid, "bundle",
			 state->bundle, "root", state->rootfs, "annotations", annotations);
}
