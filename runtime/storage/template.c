/* SPDX-License-Identifier: Apache-2.0 */
/*
 * templates/NAME: made as a whole from whatever fills it, listed, opened, removed.
 */
#include "runtime/storage/store_internal.h"

#include "base/file.h"
#include "base/path.h"
#include "base/text.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

enum { INFO_BYTES_MAX = 64 * 1024, CONFIG_BYTES_MAX = 1024 * 1024 };

/* Where an init is looked for, in this order; a root without any runs a shell. */
static const char *const inits[] = {
	"/sbin/init", "/lib/systemd/systemd", "/usr/lib/systemd/systemd", "/bin/init", "/init",
	"/bin/sh",
};

void template_say(const struct template_opts *opts, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (!opts || !opts->progress)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* truncation of progress is fine */
	va_end(ap);
	opts->progress(opts->progress_arg, text);
}

static int check_name(const char *name, struct err *e)
{
	return text_is_id(name) ? 0
				: err_say(e, -EINVAL, "'%s' is not a valid template name", name);
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts); /* cannot fail with this clock */
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

struct survey {
	uint64_t bytes;
	size_t devices;
};

/*
 * Disk use, a file of n links counted 1/n at each. Device nodes go: partitions get theirs from the
 * runtime, and a 0:0 one would read as an overlay whiteout.
 */
static int survey_entry(void *arg, int parent, const char *name, const struct stat *st)
{
	struct survey *s = arg;

	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
		s->devices++;
		return unlinkat(parent, name, 0) < 0 && errno != ENOENT ? -errno : 0;
	}
	s->bytes += (uint64_t)st->st_blocks * 512 /
		    (S_ISDIR(st->st_mode) || !st->st_nlink ? 1 : st->st_nlink);
	return 0;
}

static const char *find_init(int root)
{
	for (size_t i = 0; i < ARRAY_SIZE(inits); i++) {
		own_fd int fd = path_open(root, inits[i], O_PATH, 0);
		struct stat st;

		if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_mode & 0111)
			return inits[i];
	}
	return NULL;
}

static int describe(int dir, int root, const struct template_job *job, struct err *e)
{
	struct survey s = { 0 };
	own_json json_t *doc = NULL;
	own_free char *text = NULL;
	const char *init;
	int r;

	r = walk_tree(root, survey_entry, &s);
	if (r < 0)
		return err_set(e, r, "read the new template");
	if (s.devices)
		template_say(job->opts, "%zu device nodes left out", s.devices);
	init = find_init(root);
	if (!init) {
		r = err_say(e, -ENOEXEC, "no init found in '%s'", job->source);
		err_hint(e, "a template is a root file system with /sbin/init or at least "
			    "/bin/sh, at the top of the directory or archive");
		return r;
	}
	doc = json_pack("{s:i, s:s, s:I, s:I, s:[s]}", "version", 1, "source", job->source,
			"created", (json_int_t)now_ms(), "size", (json_int_t)s.bytes, "init", init);
	if (!doc) /* a path that is not UTF-8 is the one input that jansson refuses */
		doc = json_pack("{s:i, s:s, s:I, s:I, s:[s]}", "version", 1, "source", "?",
				"created", (json_int_t)now_ms(), "size", (json_int_t)s.bytes,
				"init", init);
	text = doc ? json_dumps(doc, JSON_INDENT(2)) : NULL;
	if (!text)
		return err_set(e, -ENOMEM, "describe the template");
	r = file_replace(dir, "template.json", text, strlen(text), 0600, FILE_SYNC);
	return r < 0 ? err_set(e, r, "write template.json") : 0;
}

/* The template that partition @id names in its config. Return: *ret NULL when there is none. */
static int template_of(int parent, const char *id, char **ret)
{
	own_free char *path = NULL, *text = NULL;
	own_json json_t *doc = NULL;
	const char *used;

	*ret = NULL;
	if (asprintf(&path, "%s/config.json", id) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	if (file_load(parent, path, CONFIG_BYTES_MAX, &text) < 0)
		return 0; /* removed meanwhile, or broken: then it cannot start either */
	doc = json_loads(text, 0, NULL);
	used = json_string_value(json_object_get(json_object_get(doc, "root"), "template"));
	if (!used)
		return 0;
	*ret = strdup(used);
	return *ret ? 0 : -ENOMEM;
}

/* Count the partitions that use each of the templates @v; *ret_first is one of those users. */
static int count_users(int store, struct arena *arena, struct template_info *v, size_t n,
		       const char **ret_first, struct err *e)
{
	own_fd int parent = store_sub(store, SUB_PARTITIONS, e);
	struct strv ids;
	int r;

	if (parent < 0)
		return parent;
	r = store_names(parent, arena, &ids, e);
	for (size_t i = 0; r == 0 && i < ids.n; i++) {
		own_free char *used = NULL;

		r = template_of(parent, ids.v[i], &used);
		if (r < 0)
			return err_set(e, r, "read the config of '%s'", ids.v[i]);
		for (size_t j = 0; used && j < n; j++) {
			if (strcmp(v[j].name, used) != 0)
				continue;
			if (!v[j].partition_count++ && ret_first)
				*ret_first = ids.v[i];
		}
	}
	return r;
}

/* With it held, no partition that uses the template can appear: hold_template(). */
static int lock_unused(int store, int parent, const char *name, struct err *e)
{
	own_arena struct arena arena = { 0 };
	own_fd int dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct template_info info = { .name = name };
	const char *first = NULL;
	int r;

	if (dir < 0)
		return errno == ENOENT ? -ENOENT : err_set(e, -errno, "open template '%s'", name);
	if (flock(dir, LOCK_EX | LOCK_NB) < 0)
		return err_say(e, -EBUSY, "template '%s' is being used by another command", name);
	r = count_users(store, &arena, &info, 1, &first, e);
	if (r < 0)
		return r;
	if (info.partition_count == 1)
		return err_say(e, -EBUSY, "template '%s' is used by partition '%s'", name, first);
	if (info.partition_count)
		return err_say(e, -EBUSY, "template '%s' is used by partition '%s' and %zu more",
			       name, first, info.partition_count - 1);
	return take_fd(&dir);
}

static int lock_name(struct change *c, int parent, const char *name, struct err *e)
{
	int r = change_begin(c, parent, name, false);

	if (r == -EWOULDBLOCK)
		return err_say(e, -EBUSY,
			       "template '%s' is being made or removed by another "
			       "command",
			       name);
	if (r == 0)
		r = change_clean(c);
	return r < 0 ? err_set(e, r, "prepare template '%s'", name) : 0;
}

static int make(struct change *c, struct template_job *job, bool replace,
		int (*fill)(struct template_job *job, struct err *e), struct err *e)
{
	own_fd int dir = change_make(c), root = -EBADF;
	int r;

	if (dir < 0)
		return err_set(e, dir, "make template '%s'", c->name);
	if (mkdirat(dir, "rootfs", 0755) < 0 || fchmodat(dir, "rootfs", 0755, 0) < 0)
		return err_set(e, -errno, "make template '%s'", c->name);
	root = openat(dir, "rootfs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root < 0)
		return err_set(e, -errno, "make template '%s'", c->name);
	job->root = root;
	job->lock = c->lock;
	r = fill(job, e);
	if (r == 0)
		r = describe(dir, root, job, e);
	if (r < 0)
		return r;
	/* Thousands of files: one syncfs instead of as many fsyncs. */
	if (syncfs(dir) < 0)
		return err_set(e, -errno, "sync template '%s'", c->name);
	r = change_commit(c, replace);
	return r < 0 ? err_set(e, r, "make template '%s'", c->name) : 0;
}

static int create(int store, const char *name, struct template_job *job,
		  int (*fill)(struct template_job *job, struct err *e), struct err *e)
{
	own_fd int parent = -EBADF, former = -EBADF;
	own_change struct change c = CHANGE_NONE;
	bool replace = job->opts && job->opts->replace;
	int r = check_name(name, e);

	if (r < 0)
		return r;
	parent = store_sub(store, SUB_TEMPLATES, e);
	if (parent < 0)
		return parent;
	r = lock_name(&c, parent, name, e);
	if (r < 0)
		return r;
	if (!replace && faccessat(parent, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		r = err_say(e, -EEXIST, "template '%s' exists already", name);
		err_hint(e, "choose another name, or replace it (--replace)");
		return r;
	}
	if (replace) {
		former = lock_unused(store, parent, name, e);
		if (former < 0 && former != -ENOENT)
			return former;
	}
	r = make(&c, job, replace, fill, e);
	if (r < 0)
		(void)change_clean(&c); /* the error that matters is r */
	return r;
}

int template_import(int store, const char *name, const char *source,
		    const struct template_opts *opts, struct err *e)
{
	struct template_job job = { .from = source, .opts = opts };

	return create(store, name, &job, template_fill_import, e);
}

int template_build(int store, const char *name, const struct template_opts *opts, struct err *e)
{
	const char *suite = opts && opts->suite ? opts->suite : name;
	struct template_job job = { .from = suite, .opts = opts };

	return create(store, name, &job,
		      strcmp(suite, "busybox") == 0 ? template_fill_busybox : template_fill_debian,
		      e);
}

static int read_init(const json_t *doc, struct arena *arena, struct strv *ret)
{
	const json_t *list = json_object_get(doc, "init");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));
		char **slot;

		if (!text)
			return -EINVAL;
		slot = arena_grow(arena, &ret->v, &ret->n, sizeof(*ret->v));
		if (slot)
			*slot = arena_strdup(arena, text);
		if (!slot || !*slot)
			return -ENOMEM;
	}
	return ret->n ? 0 : -EINVAL;
}

static int parse_info(const char *text, struct arena *arena, struct template_info *info)
{
	own_json json_t *doc = json_loads(text, 0, NULL);
	const char *source = json_string_value(json_object_get(doc, "source"));

	if (!source)
		return -EINVAL;
	info->source = arena_strdup(arena, source);
	info->created_ms = (uint64_t)json_integer_value(json_object_get(doc, "created"));
	info->size_bytes = (uint64_t)json_integer_value(json_object_get(doc, "size"));
	return info->source ? read_init(doc, arena, &info->init) : -ENOMEM;
}

/* What is wrong with one template is in its row, so that the others still list. */
static int read_info(int parent, const char *name, struct arena *arena, struct template_info *ret)
{
	own_fd int dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	own_free char *text = NULL;
	int r;

	*ret = (struct template_info){ .name = arena_strdup(arena, name) };
	if (!ret->name)
		return -ENOMEM;
	r = dir < 0 ? -errno : (int)file_load(dir, "template.json", INFO_BYTES_MAX, &text);
	if (r >= 0)
		r = parse_info(text, arena, ret);
	if (r == -ENOMEM)
		return r;
	if (r == -EINVAL)
		ret->problem = "template.json is not valid";
	else if (r < 0)
		ret->problem = arena_printf(arena, "template.json: %s", strerrordesc_np(-r));
	else if (faccessat(dir, "rootfs", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		ret->problem = "it has no rootfs";
	return 0;
}

int template_info(int store, const char *name, struct arena *arena, struct template_info *ret,
		  struct err *e)
{
	own_fd int root = template_open(store, name, e), parent = -EBADF;
	int r;

	if (root < 0)
		return root;
	parent = store_sub(store, SUB_TEMPLATES, e);
	if (parent < 0)
		return parent;
	r = read_info(parent, name, arena, ret);
	if (r < 0)
		return err_set(e, r, "read template '%s'", name);
	return count_users(store, arena, ret, 1, NULL, e);
}

/* ".NAME.new" and ".NAME.old" whose lock is free are what a killed command left. */
static void remove_orphans(int parent)
{
	own_fd int fd = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *d;

	if (!dir)
		return;
	(void)take_fd(&fd); /* dir owns it now */
	while ((d = readdir(dir))) {
		own_change struct change c = CHANGE_NONE;
		char name[256];
		char *dot;

		if (d->d_name[0] != '.')
			continue;
		(void)snprintf(name, sizeof(name), "%s", d->d_name + 1);
		dot = strrchr(name, '.');
		if (!dot || (strcmp(dot, ".new") != 0 && strcmp(dot, ".old") != 0 &&
			     strcmp(dot, ".lock") != 0))
			continue;
		*dot = '\0';
		if (change_begin(&c, parent, name, false) == 0)
			(void)change_clean(&c); /* tried again at the next list */
	}
}

int template_list(int store, struct arena *arena, struct template_info **ret, size_t *ret_count,
		  struct err *e)
{
	own_fd int parent = store_sub(store, SUB_TEMPLATES, e);
	struct template_info *v;
	struct strv names;
	int r;

	if (parent < 0)
		return parent;
	remove_orphans(parent);
	r = store_names(parent, arena, &names, e);
	if (r < 0)
		return r;
	v = arena_alloc(arena, (names.n + 1) * sizeof(*v));
	if (!v)
		return err_set(e, -ENOMEM, "list templates");
	for (size_t i = 0; i < names.n; i++) {
		r = read_info(parent, names.v[i], arena, &v[i]);
		if (r < 0)
			return err_set(e, r, "read template '%s'", names.v[i]);
	}
	r = count_users(store, arena, v, names.n, NULL, e);
	if (r < 0)
		return r;
	*ret = v;
	*ret_count = names.n;
	return 0;
}

int template_remove(int store, const char *name, struct err *e)
{
	own_fd int parent = -EBADF, held = -EBADF;
	own_change struct change c = CHANGE_NONE;
	int r = check_name(name, e);

	if (r < 0)
		return r;
	parent = store_sub(store, SUB_TEMPLATES, e);
	if (parent < 0)
		return parent;
	r = lock_name(&c, parent, name, e);
	if (r < 0)
		return r;
	held = lock_unused(store, parent, name, e);
	if (held == -ENOENT)
		return err_say(e, -ENOENT, "no template '%s'", name);
	if (held < 0)
		return held;
	r = change_retire(&c);
	if (r == 0)
		r = change_clean(&c);
	return r < 0 ? err_set(e, r, "remove template '%s'", name) : 0;
}

static int not_found(int parent, const char *name, struct err *e)
{
	own_arena struct arena arena = { 0 };
	struct strv names = { 0 };
	int r = err_say(e, -ENOENT, "no template '%s'", name);
	int near;

	if (store_names(parent, &arena, &names, NULL) < 0)
		return r;
	near = text_nearest(name, (const char *const *)(uintptr_t)names.v, names.n);
	if (near >= 0)
		err_hint(e, "did you mean '%s'?", names.v[near]);
	else if (!names.n)
		err_hint(e, "there are no templates yet; the smallest: ctr template build "
			    "busybox");
	return r;
}

int template_open(int store, const char *name, struct err *e)
{
	own_fd int parent = -EBADF, dir = -EBADF;
	int fd, r = check_name(name, e);

	if (r < 0)
		return r;
	parent = store_sub(store, SUB_TEMPLATES, e);
	if (parent < 0)
		return parent;
	dir = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 && errno == ENOENT)
		return not_found(parent, name, e);
	fd = dir < 0 ? -1 : openat(dir, "rootfs", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_set(e, -errno, "open template '%s'", name) : fd;
}
