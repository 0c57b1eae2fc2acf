/* SPDX-License-Identifier: Apache-2.0 */
/* The mount option table. */
#include "namespaces/mount/options.h"

#include "base/own.h"

#include <string.h>
#include <sys/mount.h>

#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

enum option_kind {
	OPT_NOTHING, /* the default, or what the kernel has no use for */
	OPT_FLAG,    /* a flag of mount(2) that is an attribute of this mount */
	OPT_ATIME,   /* a flag of mount(2) for access times, which are one field */
	OPT_ATIME_OFF,
	OPT_REC_ATTR, /* attributes of the tree: mount_setattr(2) AT_RECURSIVE */
	OPT_PROP,
	OPT_BIND,
	OPT_RBIND,
	OPT_TMPCOPYUP,
	OPT_REMOUNT,
	OPT_IDMAP,
	OPT_RIDMAP,
	OPT_SUPER,  /* a flag of the superblock, which fsconfig(2) takes by this name */
	OPT_SILENT, /* a flag of mount(2) that fsopen(2) has no word for */
	OPT_COPY_SYMLINK,
	OPT_SRC_NOFOLLOW,
	OPT_DEST_NOFOLLOW,
};

struct option {
	const char *name;
	enum option_kind kind;
	uint64_t set, clr;
};

/* Access times are one field of three bits: setting one value clears the others. */
#define ATIME(value) (value), MOUNT_ATTR__ATIME

/* clang-format off */
static const struct option options[] = {
	{ "defaults",      OPT_NOTHING,  0, 0 },
	{ "",              OPT_NOTHING,  0, 0 },
	{ "ro",            OPT_FLAG,     MOUNT_ATTR_RDONLY, 0 },
	{ "rw",            OPT_FLAG,     0, MOUNT_ATTR_RDONLY },
	{ "nosuid",        OPT_FLAG,     MOUNT_ATTR_NOSUID, 0 },
	{ "suid",          OPT_FLAG,     0, MOUNT_ATTR_NOSUID },
	{ "nodev",         OPT_FLAG,     MOUNT_ATTR_NODEV, 0 },
	{ "dev",           OPT_FLAG,     0, MOUNT_ATTR_NODEV },
	{ "noexec",        OPT_FLAG,     MOUNT_ATTR_NOEXEC, 0 },
	{ "exec",          OPT_FLAG,     0, MOUNT_ATTR_NOEXEC },
	{ "nodiratime",    OPT_FLAG,     MOUNT_ATTR_NODIRATIME, 0 },
	{ "diratime",      OPT_FLAG,     0, MOUNT_ATTR_NODIRATIME },
	{ "relatime",      OPT_ATIME,    MOUNT_ATTR_RELATIME, 0 },
	{ "norelatime",    OPT_ATIME_OFF, MOUNT_ATTR_RELATIME, 0 },
	{ "noatime",       OPT_ATIME,    MOUNT_ATTR_NOATIME, 0 },
	{ "atime",         OPT_ATIME_OFF, MOUNT_ATTR_NOATIME, 0 },
	{ "strictatime",   OPT_ATIME,    MOUNT_ATTR_STRICTATIME, 0 },
	{ "nostrictatime", OPT_ATIME_OFF, MOUNT_ATTR_STRICTATIME, 0 },
	{ "nosymfollow",   OPT_FLAG,     MOUNT_ATTR_NOSYMFOLLOW, 0 },
	{ "symfollow",     OPT_FLAG,     0, MOUNT_ATTR_NOSYMFOLLOW },
	{ "rro",           OPT_REC_ATTR, MOUNT_ATTR_RDONLY, 0 },
	{ "rrw",           OPT_REC_ATTR, 0, MOUNT_ATTR_RDONLY },
	{ "rnosuid",       OPT_REC_ATTR, MOUNT_ATTR_NOSUID, 0 },
	{ "rsuid",         OPT_REC_ATTR, 0, MOUNT_ATTR_NOSUID },
	{ "rnodev",        OPT_REC_ATTR, MOUNT_ATTR_NODEV, 0 },
	{ "rdev",          OPT_REC_ATTR, 0, MOUNT_ATTR_NODEV },
	{ "rnoexec",       OPT_REC_ATTR, MOUNT_ATTR_NOEXEC, 0 },
	{ "rexec",         OPT_REC_ATTR, 0, MOUNT_ATTR_NOEXEC },
	{ "rnodiratime",   OPT_REC_ATTR, MOUNT_ATTR_NODIRATIME, 0 },
	{ "rdiratime",     OPT_REC_ATTR, 0, MOUNT_ATTR_NODIRATIME },
	{ "rrelatime",     OPT_REC_ATTR, ATIME(MOUNT_ATTR_RELATIME) },
	{ "rnorelatime",   OPT_REC_ATTR, ATIME(MOUNT_ATTR_RELATIME) },
	{ "rnoatime",      OPT_REC_ATTR, ATIME(MOUNT_ATTR_NOATIME) },
	{ "ratime",        OPT_REC_ATTR, ATIME(MOUNT_ATTR_RELATIME) },
	{ "rstrictatime",  OPT_REC_ATTR, ATIME(MOUNT_ATTR_STRICTATIME) },
	{ "rnostrictatime", OPT_REC_ATTR, ATIME(MOUNT_ATTR_RELATIME) },
	{ "rnosymfollow",  OPT_REC_ATTR, MOUNT_ATTR_NOSYMFOLLOW, 0 },
	{ "rsymfollow",    OPT_REC_ATTR, 0, MOUNT_ATTR_NOSYMFOLLOW },
	{ "shared",        OPT_PROP,     MS_SHARED, 0 },
	{ "rshared",       OPT_PROP,     MS_SHARED | MS_REC, 0 },
	{ "slave",         OPT_PROP,     MS_SLAVE, 0 },
	{ "rslave",        OPT_PROP,     MS_SLAVE | MS_REC, 0 },
	{ "private",       OPT_PROP,     MS_PRIVATE, 0 },
	{ "rprivate",      OPT_PROP,     MS_PRIVATE | MS_REC, 0 },
	{ "unbindable",    OPT_PROP,     MS_UNBINDABLE, 0 },
	{ "runbindable",   OPT_PROP,     MS_UNBINDABLE | MS_REC, 0 },
	{ "bind",          OPT_BIND,     0, 0 },
	{ "rbind",         OPT_RBIND,    0, 0 },
	{ "tmpcopyup",     OPT_TMPCOPYUP, 0, 0 },
	{ "idmap",         OPT_IDMAP,    0, 0 },
	{ "ridmap",        OPT_RIDMAP,   0, 0 },
	{ "sync",          OPT_SUPER,    0, 0 },
	{ "async",         OPT_SUPER,    0, 0 },
	{ "dirsync",       OPT_SUPER,    0, 0 },
	{ "lazytime",      OPT_SUPER,    0, 0 },
	{ "nolazytime",    OPT_SUPER,    0, 0 },
	{ "mand",          OPT_SUPER,    0, 0 },
	{ "nomand",        OPT_SUPER,    0, 0 },
	{ "iversion",      OPT_SILENT,   0, 0 }, /* file systems decide it themselves since 6.3 */
	{ "noiversion",    OPT_SILENT,   0, 0 },
	{ "silent",        OPT_SILENT,   0, 0 },
	{ "loud",          OPT_SILENT,   0, 0 },
	{ "copy-symlink",  OPT_COPY_SYMLINK,  0, 0 },
	{ "src-nofollow",  OPT_SRC_NOFOLLOW,  0, 0 },
	{ "dest-nofollow", OPT_DEST_NOFOLLOW, 0, 0 },
	{ "remount",       OPT_REMOUNT,  0, 0 },
	{ "nofail",        OPT_NOTHING,  0, 0 },
	{ "auto",          OPT_NOTHING,  0, 0 },
	{ "noauto",        OPT_NOTHING,  0, 0 },
};
/* clang-format on */

static const struct option *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	return NULL;
}

static void override(uint64_t *set, uint64_t *clr, const struct option *o)
{
	*set = (*set & ~o->clr) | o->set;
	*clr = (*clr & ~o->set) | o->clr;
}

/* The last word counts: "noatime", then "atime" is as if neither had been said. */
static void set_atime(struct mnt_options *m, const struct option *o)
{
	bool on = o->kind == OPT_ATIME;

	if (!on && (!m->atime || (m->attr_set & MOUNT_ATTR__ATIME) != o->set))
		return;
	m->atime = on;
	m->attr_set = (m->attr_set & ~(uint64_t)MOUNT_ATTR__ATIME) | (on ? o->set : 0);
}

static int add_word(struct strv *list, const char *word, struct arena *arena)
{
	char **slot = arena_grow(arena, &list->v, &list->n, sizeof(char *));

	if (!slot)
		return -ENOMEM;
	*slot = arena_strdup(arena, word);
	return *slot ? 0 : -ENOMEM;
}

/* Several in one string, as mount(2) takes them; quotes and escapes are the file system's to read.
 */
static int add_data(struct mnt_options *m, const char *word, struct arena *arena)
{
	own_free char *copy = strdup(word);
	char *rest = copy, *one;
	int r = 0;

	if (!copy)
		return -ENOMEM;
	if (strpbrk(word, "\"\\"))
		return add_word(&m->data, word, arena);
	while (r == 0 && (one = strsep(&rest, ",")))
		if (*one)
			r = add_word(&m->data, one, arena);
	return r;
}

static int add_propagation(struct mnt_options *m, uint64_t flags, struct arena *arena)
{
	uint32_t *slot = arena_grow(arena, &m->propagation.v, &m->propagation.n, sizeof(uint32_t));

	if (!slot)
		return -ENOMEM;
	*slot = (uint32_t)flags;
	return 0;
}

/* "idmap=uids=0-1000-10;gids=...": the mapping stands in the option itself. */
static bool is_idmap(const char *word, struct mnt_options *m)
{
	const char *eq = strchr(word, '=');

	if (!eq || (strncmp(word, "idmap=", 6) != 0 && strncmp(word, "ridmap=", 7) != 0))
		return false;
	m->idmap = true;
	m->ridmap = *word == 'r';
	m->idmap_maps = eq + 1;
	return true;
}

static int apply(const char *word, struct arena *arena, struct mnt_options *m)
{
	const struct option *o = find(word);

	if (!o)
		return is_idmap(word, m) ? 0 : add_data(m, word, arena);
	switch (o->kind) {
	case OPT_NOTHING:
		break;
	case OPT_FLAG:
		m->flags = true;
		override(&m->attr_set, &m->attr_clr, o);
		break;
	case OPT_ATIME:
	case OPT_ATIME_OFF:
		m->flags = true;
		set_atime(m, o);
		break;
	case OPT_REC_ATTR:
		override(&m->rec_set, &m->rec_clr, o);
		break;
	case OPT_PROP:
		return add_propagation(m, o->set, arena);
	case OPT_RBIND:
		m->recursive = true;
		m->bind = true;
		break;
	case OPT_BIND:
		m->bind = true;
		break;
	case OPT_TMPCOPYUP:
		m->tmpcopyup = true;
		break;
	case OPT_REMOUNT:
		m->remount = true;
		break;
	case OPT_IDMAP:
	case OPT_RIDMAP:
		m->idmap = true;
		m->ridmap = o->kind == OPT_RIDMAP;
		break;
	case OPT_SUPER:
		m->flags = true;
		return add_word(&m->super, word, arena);
	case OPT_SILENT:
		m->flags = true;
		break;
	case OPT_COPY_SYMLINK:
		m->copy_symlink = true;
		break;
	case OPT_SRC_NOFOLLOW:
		m->src_nofollow = true;
		break;
	case OPT_DEST_NOFOLLOW:
		m->dest_nofollow = true;
		break;
	}
	return 0;
}

int mnt_options_parse(const struct strv *words, struct arena *arena, struct mnt_options *ret)
{
	struct mnt_options m = { 0 };

	for (size_t i = 0; i < words->n; i++) {
		int r = apply(words->v[i], arena, &m);

		if (r < 0)
			return r;
	}
	*ret = m;
	return 0;
}

enum {
	BIND_FLAGS = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
		     MOUNT_ATTR_NOSYMFOLLOW,
	TIME_FLAGS = MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME,
	LOCKABLE = BIND_FLAGS & ~MOUNT_ATTR_NOSYMFOLLOW,
};

int mnt_bind_attrs(const struct mnt_options *opt, uint64_t source, bool locked, uint64_t *ret_set,
		   uint64_t *ret_clr, struct err *e)
{
	static const struct {
		uint64_t flag;
		const char *word;
	} words[] = {
		{ MOUNT_ATTR_RDONLY, "rw" },
		{ MOUNT_ATTR_NOSUID, "suid" },
		{ MOUNT_ATTR_NODEV, "dev" },
		{ MOUNT_ATTR_NOEXEC, "exec" },
	};
	bool times = opt->atime || (opt->attr_set & MOUNT_ATTR_NODIRATIME);
	uint64_t set = opt->attr_set & BIND_FLAGS, clr = BIND_FLAGS & ~set;

	if (!opt->flags) {
		*ret_set = *ret_clr = 0;
		return 0;
	}
	for (size_t i = 0; locked && i < ARRAY_SIZE(words); i++)
		if (source & opt->attr_clr & words[i].flag)
			return err_set(e, -EPERM, "option '%s': its source is locked otherwise",
				       words[i].word);
	if (locked && times && (opt->attr_set & TIME_FLAGS) != (source & TIME_FLAGS))
		return err_set(e, -EPERM, "its source's access times are locked otherwise");
	if (locked)
		clr &= ~(uint64_t)LOCKABLE;
	if (times && !locked) {
		set |= opt->attr_set & TIME_FLAGS;
		clr |= TIME_FLAGS;
	}
	*ret_set = set;
	*ret_clr = clr;
	return 0;
}

const char *const *mnt_option_names(size_t *ret_count)
{
	static const char *names[ARRAY_SIZE(options)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (*options[i].name)
			names[n++] = options[i].name;
	*ret_count = n;
	return names;
}
