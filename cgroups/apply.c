/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits onto the kernel: what the host's files allow, the plan, and the writes of it.
 *
 * DOC: the planner asks whether files exist. Before a group is made, the answer comes from a
 * sample, any group that is there already, and may be "unknown" on a host without one. When limits
 * are applied it comes from the group itself and is exact, with the same words of refusal.
 *
 * A value may be valid only after another one: memory + swap must not be below memory, a burst not
 * above its quota. Which of two must come first depends on what is in force, so a write that the
 * kernel calls invalid is tried once more after all the others.
 *
 * What each file said before is kept until all is done. A failure writes it back, in reverse and
 * with the same second try: to a guest that runs, a change happened as a whole or not at all.
 */
#include "cgroups/cg_internal.h"

#include "base/file.h"
#include "base/own.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

/** A probe that looks into one directory per hierarchy. */
struct dir_probe {
	struct knob_probe probe;
	const struct cg_layout *layout;
	bool is_sample;
	int dirs[CG_HIERS_MAX]; /* -EBADF until it is asked for; -ENOENT when there is none */
	char path[PATH_MAX];	/* of the group; unused by a sample */
};

static void dir_probe_done(struct dir_probe *p)
{
	for (size_t i = 0; i < CG_HIERS_MAX; i++)
		own_fd_done(&p->dirs[i]);
}

/* Some group of @hier, to look at its files. */
static int open_child(const struct cg_hier *hier)
{
	own_fd int mount = tree_open_mount(hier);
	char name[NAME_MAX + 1];
	int r;

	if (mount < 0)
		return mount;
	r = tree_first_child(mount, name);
	return r == 1 ? tree_open_beneath(mount, name) : r < 0 ? r : -ENOENT;
}

/* v1's root has nearly all of the files itself, and looking for a child costs more. */
static int open_sample(const struct cg_hier *hier)
{
	return hier->v2 ? open_child(hier) : tree_open_mount(hier);
}

static int probe_dir(struct dir_probe *p, const struct cg_hier *hier)
{
	int *dir = &p->dirs[hier - p->layout->hiers];

	if (*dir == -EBADF)
		*dir = p->is_sample ? open_sample(hier) : tree_open(hier, p->path);
	return *dir;
}

/* Does the sample group have @file's controller at all? If not, it tells nothing about it. */
static bool sample_has_controller(int dir, const char *file)
{
	char list[512], word[64];
	ssize_t n = file_read(dir, "cgroup.controllers", list, sizeof(list));

	(void)snprintf(word, sizeof(word), "%.*s", (int)strcspn(file, "."), file);
	return n >= 0 && (strcmp(word, "cgroup") == 0 || layout_lists(list, word));
}

static enum knob_has probe_file(struct knob_probe *probe, const struct cg_hier *hier,
				enum cg_controller controller, const char *file)
{
	struct dir_probe *p = (struct dir_probe *)(void *)probe;
	int dir = probe_dir(p, hier);

	(void)controller;
	if (dir >= 0 && faccessat(dir, file, F_OK, 0) == 0)
		return KNOB_THERE;
	if (!p->is_sample)
		return KNOB_MISSING;
	if (dir < 0 || (hier->v2 && !sample_has_controller(dir, file)))
		return KNOB_UNKNOWN;
	if (!hier->v2) {
		own_fd int child = open_child(hier);

		if (child < 0)
			return KNOB_UNKNOWN;
		return faccessat(child, file, F_OK, 0) == 0 ? KNOB_THERE : KNOB_MISSING;
	}
	return KNOB_MISSING;
}

static bool probe_has_swap(struct knob_probe *probe)
{
	own_text struct text swaps = { 0 };
	const char *line;

	(void)probe;
	/* A heading, then a line per device; no file: no swap in this kernel. */
	if (tree_load(AT_FDCWD, "/proc/swaps", &swaps) < 0)
		return false;
	line = strchr(text_str(&swaps), '\n');
	return line && line[1];
}

static struct dir_probe make_probe(const struct cg_layout *layout, const char *path)
{
	struct dir_probe p = {
		.probe = { .file = probe_file, .has_swap = probe_has_swap },
		.layout = layout,
		.is_sample = !path,
	};

	for (size_t i = 0; i < CG_HIERS_MAX; i++)
		p.dirs[i] = -EBADF;
	(void)snprintf(p.path, sizeof(p.path), "%s", path ? path : "");
	return p;
}

#define own_probe __attribute__((cleanup(dir_probe_done)))

int cg_check(const struct cg_layout *layout, const struct cg_resources *res, struct err *e)
{
	own_arena struct arena arena = { 0 };
	own_probe struct dir_probe probe = make_probe(layout, NULL);
	struct bpf_insn *program;
	struct knob_write *writes;
	size_t count;
	int r = knob_plan(layout, &probe.probe, res, &arena, &writes, &count, e);

	if (r == 0 && res->device_count)
		r = (int)devbpf_build(res->devices, res->device_count, &arena, &program, e);
	return r < 0 ? r : 0;
}

static enum knob_has probe_nothing(struct knob_probe *probe, const struct cg_hier *hier,
				   enum cg_controller controller, const char *file)
{
	(void)probe;
	(void)hier;
	(void)controller;
	(void)file;
	return KNOB_MISSING;
}

int cg_check_disabled(const struct cg_resources *res, struct err *e)
{
	static const struct cg_layout nothing = { .hiers = { { .where = "no cgroup", .v2 = true } },
						  .count = 1 };
	own_arena struct arena arena = { 0 };
	struct knob_probe probe = { .file = probe_nothing, .has_swap = probe_has_swap };
	struct knob_write *writes = NULL;
	struct err why = { 0 };
	size_t count = 0;
	int r = knob_plan(&nothing, &probe, res, &arena, &writes, &count, &why);

	if (r == 0)
		return 0;
	if (r == -ENOTSUP) {
		(void)err_say(e, r,
			      "%.*s: not without a cgroup, and the cgroup manager is "
			      "'disabled'",
			      (int)strcspn(why.msg, ":"), why.msg);
		err_hint(e, "remove the limit, or choose another cgroup manager");
		return r;
	}
	if (e)
		*e = why;
	return r;
}

int cg_plan(const struct cg_layout *layout, const struct cg_resources *res, struct arena *arena,
	    struct cg_write **ret, size_t *ret_count, struct err *e)
{
	own_probe struct dir_probe probe = make_probe(layout, NULL);
	struct knob_write *writes = NULL;
	struct cg_write *plan;
	size_t count;
	int r = knob_plan(layout, &probe.probe, res, arena, &writes, &count, e);

	if (r < 0)
		return r;
	plan = arena_alloc(arena, (count ? count : 1) * sizeof(*plan));
	if (!plan)
		return err_set(e, -ENOMEM, "plan the limits");
	for (size_t i = 0; i < count; i++)
		plan[i] = writes[i].write;
	*ret = plan;
	*ret_count = count;
	return 0;
}

static uint64_t read_number(int dir, const char *file)
{
	char text[64];

	if (dir < 0 || file_read(dir, file, text, sizeof(text)) < 0)
		return UINT64_MAX;
	return stat_parse(text, STAT_ONE, NULL);
}

/*
 * A live change may set one of two values that share a file. The other one stays as it is:
 * v1's memory + swap follows the memory so that the swap part is kept, and v2's cpu.max keeps its
 * quota when only the period changes (the kernel keeps the period by itself).
 */
static void complete(struct dir_probe *probe, struct cg_resources *res)
{
	const struct cg_hier *memory = layout_hier(probe->layout, CG_MEMORY);

	if (memory && !memory->v2 && res->memory_max_bytes.set != res->swap_max_bytes.set) {
		int dir = probe_dir(probe, memory);
		uint64_t limit = cg_limit_v1(read_number(dir, "memory.limit_in_bytes"));
		uint64_t both = cg_limit_v1(read_number(dir, "memory.memsw.limit_in_bytes"));
		uint64_t swap = cg_swap_of(both, limit);

		if (res->swap_max_bytes.set)
			res->memory_max_bytes = (struct opt_u64){ .v = limit, .set = true };
		else if (swap != UINT64_MAX)
			res->swap_max_bytes = (struct opt_u64){
				/* unlimited memory leaves no way to limit swap */
				.v = res->memory_max_bytes.v == UINT64_MAX ? UINT64_MAX : swap,
				.set = true,
			};
	}
	if (cg_is_v2(probe->layout, CG_CPU) && res->cpu_period_us.set && !res->cpu_quota_us.set) {
		int dir = probe_dir(probe, &probe->layout->hiers[0]);
		uint64_t quota = read_number(dir, "cpu.max"); /* its first word */

		if (quota != UINT64_MAX)
			res->cpu_quota_us = (struct opt_u64){ .v = quota, .set = true };
	}
}

static int refuse_memory(const char *what, uint64_t limit_bytes, uint64_t used_bytes, struct err *e)
{
	char limit[24], used[24];

	err_say(e, -EBUSY, "rejecting %s limit %s: it is below the %s in use", what,
		text_fmt_bytes(limit, sizeof(limit), limit_bytes),
		text_fmt_bytes(used, sizeof(used), used_bytes));
	err_hint(e, "free memory inside, or choose a higher limit");
	return -EBUSY;
}

/*
 * v2 takes any limit and kills until it holds, which is no way to treat a running guest. v1 tries
 * to reclaim and then refuses; so do we here: memory.reclaim (Linux 5.19), then look again.
 */
static int check_memory_in_use(struct dir_probe *probe, const struct cg_resources *res,
			       struct err *e)
{
	int dir = probe_dir(probe, &probe->layout->hiers[0]);
	uint64_t limit = res->memory_max_bytes.v, both, used;
	char excess[24];

	if (!res->memory_max_bytes.set || !res->memory_spares_used ||
	    !cg_is_v2(probe->layout, CG_MEMORY) || life_is_populated(dir) != 1)
		return 0;
	both = res->swap_max_bytes.set ? cg_memsw(limit, res->swap_max_bytes.v) : UINT64_MAX;
	used = read_number(dir, "memory.current");
	if (used == UINT64_MAX || used <= limit)
		return 0;
	(void)snprintf(excess, sizeof(excess), "%" PRIu64, used - limit);
	(void)file_write(dir, "memory.reclaim", excess); /* what counts is the next look */
	used = read_number(dir, "memory.current");
	if (used > both)
		return refuse_memory("memory+swap", both, used, e);
	return used > limit ? refuse_memory("memory", limit, used, e) : 0;
}

static int write_failed(struct dir_probe *probe, const char *path, const struct cg_resources *res,
			const struct knob_write *w, int r, struct err *e)
{
	const struct cg_hier *hier = layout_hier(probe->layout, w->write.controller);

	if (r == -EBUSY && strcmp(w->write.file, "memory.limit_in_bytes") == 0)
		return refuse_memory("memory", res->memory_max_bytes.v,
				     read_number(probe_dir(probe, hier), "memory.usage_in_bytes"),
				     e);
	err_set(e, r, "%s: write '%s' to '%s' of cgroup '%s'", w->limit, w->write.value,
		w->write.file, path);
	if (w->write.controller == CG_CPUSET)
		err_hint(e, "a set must lie within that of every parent group");
	else if (r == -EOPNOTSUPP && w->write.controller == CG_IO)
		err_hint(e, "the disk has neither the bfq scheduler nor io.cost");
	else if (r == -EINVAL && w->write.controller == CG_CPU &&
		 read_number(probe_dir(probe, hier), "cpu.idle") == 1)
		err_hint(e, "a group in the idle class has no weight: set cpu.idle to 0 with it");
	else if (r == -EINVAL && w->write.controller == CG_CPU)
		err_hint(e, "a parent group may allow less than this");
	return r;
}

/* What @w's file says now, as a write that says it again. NULL when nothing can be put back. */
static const char *remember(struct dir_probe *probe, const struct cg_write *w, struct arena *arena)
{
	int dir = probe_dir(probe, layout_hier(probe->layout, w->controller));
	own_text struct text old = { 0 };

	if (dir < 0 || tree_load(dir, w->file, &old) < 0)
		return NULL;
	return undo_value(w->file, w->value, text_str(&old), arena);
}

/* Best effort: what the kernel took before, it takes again. */
static void put_back(struct dir_probe *probe, const struct knob_write *writes,
		     const char *const *before, size_t count)
{
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = count; i-- > 0;)
			if (before[i])
				(void)file_write(
					probe_dir(probe, layout_hier(probe->layout,
								     writes[i].write.controller)),
					writes[i].write.file, before[i]);
}

static int apply_writes(struct dir_probe *probe, const char *path, const struct cg_resources *res,
			const struct knob_write *writes, size_t count, struct err *e)
{
	own_free bool *again = calloc(count + 1, sizeof(*again));

	if (!again)
		return err_set(e, -ENOMEM, "apply limits");
	for (int pass = 0; pass < 2; pass++) {
		bool taken = false; /* by an earlier one of some alternatives */

		for (size_t i = 0; i < count; i++) {
			const struct cg_write *w = &writes[i].write;
			int r;

			if (pass > 0 && !again[i])
				continue;
			r = file_write(probe_dir(probe, layout_hier(probe->layout, w->controller)),
				       w->file, w->value);
			again[i] = r == -EINVAL && pass == 0;
			taken = taken || r == 0;
			if (r == -EOPNOTSUPP && (taken || writes[i].or_next))
				r = 0;
			if (r < 0 && !again[i])
				return write_failed(probe, path, res, &writes[i], r, e);
			if (!writes[i].or_next)
				taken = false;
		}
	}
	return 0;
}

int cg_apply(const struct cg_layout *layout, const char *path, const struct cg_resources *res,
	     struct err *e)
{
	own_arena struct arena arena = { 0 };
	own_probe struct dir_probe probe = make_probe(layout, path);
	struct cg_resources full = *res;
	struct knob_write *writes;
	size_t count;
	const char **before;
	int dir, r = tree_path(path, e);

	if (r < 0)
		return r;
	dir = probe_dir(&probe, &layout->hiers[0]);
	if (dir < 0)
		return err_set(e, dir, "open cgroup '%s'", path);
	complete(&probe, &full);
	r = knob_plan(layout, &probe.probe, &full, &arena, &writes, &count, e);
	if (r == 0)
		r = check_memory_in_use(&probe, &full, e);
	if (r < 0)
		return r;
	before = arena_alloc(&arena, (count + 1) * sizeof(*before));
	if (!before)
		return err_set(e, -ENOMEM, "apply limits");
	for (size_t i = 0; i < count; i++)
		before[i] = remember(&probe, &writes[i].write, &arena);
	r = apply_writes(&probe, path, &full, writes, count, e);
	/* Last, as it is one step: it needs no undo of its own. */
	if (r == 0 && res->device_count)
		r = devbpf_apply(dir, res->devices, res->device_count, e);
	if (r < 0)
		put_back(&probe, writes, before, count);
	return r;
}
