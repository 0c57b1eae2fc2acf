/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of cgroups/ share with each other and with their tests, and with nobody else. */
#ifndef CTR_CGROUPS_CG_INTERNAL_H
#define CTR_CGROUPS_CG_INTERNAL_H

#include "base/text.h"
#include "cgroups/cg.h"
#include "cgroups/systemd.h"

#include <dirent.h>
#include <linux/bpf.h>

/* layout.c */

struct cg_hier {
	const char *mount;	  /* mount point, unescaped */
	const char *where;	  /* for people: "cgroup v1 at /sys/fs/cgroup/memory" */
	unsigned int controllers; /* bits 1 << enum cg_controller */
	bool v2;
};

/* Part of cgroup2 itself, whatever its cgroup.controllers says. */
enum { CORE_CONTROLLERS = 1 << CG_CORE | 1 << CG_DEVICES | 1 << CG_FREEZER };

/* One cgroup2, and at worst one v1 hierarchy per controller. */
enum { CG_HIERS_MAX = 1 + CG_CONTROLLERS };

struct cg_layout {
	struct cg_hier hiers[CG_HIERS_MAX]; /* [0] is cgroup2, the rest v1 */
	size_t count;
	bool narrow; /* only what cg_narrow() found to be ours */
};

/** layout_parse() - pure: the hierarchies in the text of /proc/self/mountinfo, with cgroup2's
 * controllers still unknown. Return: 0, -ENOTSUP without cgroup2, -ENOMEM. */
int layout_parse(const char *mountinfo, struct arena *arena, struct cg_layout *ret, struct err *e);
/** layout_set_v2() - pure: take over the text of the root's cgroup.controllers */
void layout_set_v2(struct cg_layout *layout, const char *controllers);
/** layout_hier() - the hierarchy that limits by @controller; NULL when there is none */
const struct cg_hier *layout_hier(const struct cg_layout *layout, enum cg_controller controller);
/** layout_v1() - the v1 hierarchy of @controller, even when it is cgroup2 that limits by it */
const struct cg_hier *layout_v1(const struct cg_layout *layout, enum cg_controller controller);
/** layout_controller() - the controller that v2 file "memory.max" belongs to; CG_CORE for
 * cgroup.*; CG_CONTROLLERS for one that we know nothing about ("misc.max") */
enum cg_controller layout_controller(const char *file);
/** layout_lists() - is @name a word of the space-separated @list? */
bool layout_lists(const char *list, const char *name);

/* tree.c */

/** tree_path() - is @path absolute, below the root, and free of "", "." and ".." components? */
int tree_path(const char *path, struct err *e);
/** tree_open_mount() - an O_PATH descriptor of the hierarchy's root. Return: fd or -errno. */
int tree_open_mount(const struct cg_hier *hier);
/** tree_open() - the directory of @path in @hier. Return: fd or -errno (-ENOENT: not there). */
int tree_open(const struct cg_hier *hier, const char *path);
/** tree_load() - append a whole file of any length to @text. Return: 0 or -errno. */
int tree_load(int dirfd, const char *file, struct text *text);
/** tree_open_beneath() - a directory beneath @dirfd, over no symlink and no mount; "" is itself */
int tree_open_beneath(int dirfd, const char *relative);
/** tree_opendir() - a stream of its own over directory @dirfd. Return: NULL with errno. */
DIR *tree_opendir(int dirfd);
/** tree_next_child() - the next sub-group in @dir, or NULL with errno 0 at the end */
const char *tree_next_child(DIR *dir);
/** tree_first_child() - the name of some sub-group of the directory @dirfd, into @name of
 * NAME_MAX + 1 bytes. Return: 1 found, 0 none, -errno. */
int tree_first_child(int dirfd, char *name);

/* The extended attribute on parents that cg_create() made. user.* attributes work in both cgroup
 * versions since Linux 5.7. */
#define TREE_PARENT_MARK "user.ctr.parent"

/* narrow.c */

/** narrow_common() - pure: the length of the path that "/a/b" and "/a/c" have in common: 2 */
size_t narrow_common(const char *a, const char *b);

/* life.c */

/** life_is_populated() - does a process live in v2 directory @dirfd or below it? 1, 0, -errno */
int life_is_populated(int dirfd);
/** life_kill_frozen() - kill without cgroup.kill, which came with Linux 5.14. Frozen processes
 * cannot fork, yet die of SIGKILL, so one pass over the list of a frozen group gets them all. */
int life_kill_frozen(int dirfd);

/* walk.c */

/** What to do with the groups of a subtree. Either may be NULL; a failure ends the walk. */
struct walk_ops {
	int (*enter)(int dirfd, void *arg); /* each directory, before its children */
	int (*leave)(int parentfd, const char *name, void *arg); /* each but the root, after them */
};
/** walk() - visit @rootfd and all groups below it. Return: 0 or what an operation returned. */
int walk(int rootfd, const struct walk_ops *ops, void *arg);

/* knobs.c */

enum knob_has { KNOB_MISSING, KNOB_THERE, KNOB_UNKNOWN };

/** What the planner may ask about the host; tests answer from a list. */
struct knob_probe {
	enum knob_has (*file)(struct knob_probe *p, const struct cg_hier *hier,
			      enum cg_controller controller, const char *file);
	bool (*has_swap)(struct knob_probe *p); /* is any swap device in use? */
};

struct knob_write {
	struct cg_write write;
	const char *limit; /* what messages call it */
	bool or_next;	   /* the next write carries the same limit: one of them must succeed */
};

/** knob_plan() - pure but for @probe: every write that applies @res, in order
 * Return: 0; -ENOTSUP by the name of the limit and file; -EINVAL for a value out of range. */
int knob_plan(const struct cg_layout *layout, struct knob_probe *probe,
	      const struct cg_resources *res, struct arena *arena, struct knob_write **ret,
	      size_t *ret_count, struct err *e);

/* convert.c: pure value maths */

/** cg_shares_from_weight() - cpu.weight 1..10000 to a v1 cpu.shares that the OCI formula maps back
 */
uint64_t cg_shares_from_weight(uint64_t weight);
/** cg_blkio_from_weight() - io.weight 1..10000 to blkio.weight 10..1000 */
uint64_t cg_blkio_from_weight(uint64_t weight);
/** cg_memsw() - v1 memory + swap from the two v2 limits; UINT64_MAX when either has no limit */
uint64_t cg_memsw(uint64_t memory_bytes, uint64_t swap_bytes);
/** cg_swap_of() - the swap part of a v1 memory + swap limit; UINT64_MAX for no limit */
uint64_t cg_swap_of(uint64_t memsw_bytes, uint64_t memory_bytes);
/** cg_limit_v1() - a limit read from v1, whose "no limit" is a huge page-aligned number */
uint64_t cg_limit_v1(uint64_t bytes);

/** undo_value() - pure: what to write to @file so that it says again what @old, its text, says of
 * that which @written changes; in the arena. Return: NULL when nothing can be put back. */
const char *undo_value(const char *file, const char *written, const char *old, struct arena *arena);

/* devbpf.c */

/** devbpf_build() - pure: the program for @rules, in the arena. Each access bit is decided by the
 * last rule that matches the device and names the bit; nobody's bit is denied.
 * Return: number of instructions, or -EINVAL, -E2BIG, -ENOMEM. */
ssize_t devbpf_build(const struct cg_device_rule *rules, size_t count, struct arena *arena,
		     struct bpf_insn **ret, struct err *e);
/** devbpf_apply() - load the program and put it on v2 directory @dirfd in one atomic step, in
 * place of the one that an earlier call put there. Programs of others stay. */
int devbpf_apply(int dirfd, const struct cg_device_rule *rules, size_t count, struct err *e);

/* systemd_unit.c: elements of an a(sv), appended to a builder whose beginning is aligned to 8 */

void sd_prop_str(struct text *t, const char *name, const char *value);
void sd_prop_bool(struct text *t, const char *name, bool value);
void sd_prop_pid(struct text *t, const char *name, pid_t pid);
/** sd_limits() - pure: @res as far as systemd @version has properties for it. Return: 0, -ENOMEM.
 */
int sd_limits(const struct cg_resources *res, unsigned int version, struct text *t);

/* stats.c: pure parsers */

enum stat_kind {
	STAT_ONE,     /* the file is one number or "max" */
	STAT_KEY,     /* "key N" on a line */
	STAT_SUM,     /* "key=N" anywhere, summed over all lines (io.stat) */
	STAT_OP,      /* "8:0 Read N", summed over all devices (blkio) */
	STAT_PSI_AVG, /* "some avg10=1.25 ...": hundredths of a percent */
	STAT_PSI_SUM, /* "some ... total=N" */
};
/** stat_parse() - pure: the value of @key in @text; UINT64_MAX when it is not there */
uint64_t stat_parse(const char *text, enum stat_kind kind, const char *key);

#endif
