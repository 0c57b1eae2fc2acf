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
	OPT_NOTHING,  /* the default, or what a bind or new mount ignores */
	OPT_ATTR,     /* attributes of this mount */
	OPT_REC_ATTR, /* attributes of the tree: mount_setattr(2) AT_RECURSIVE */
	OPT_PROP,
	OPT_REC_PROP,
	OPT_BIND,
	OPT_RBIND,
	OPT_TMPCOPYUP,
	OPT_IDMAP,
	OPT_RIDMAP,
	OPT_SUPER, /* a flag of the superblock: the file system reads it by name */
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
	{ "ro",            OPT_ATTR,     MOUNT_ATTR_RDONLY, 0 },
	{ "rw",            OPT_ATTR,     0, MOUNT_ATTR_RDONLY },
	{ "nosuid",        OPT_ATTR,     MOUNT_ATTR_NOSUID, 0 },
	{ "suid",          OPT_ATTR,     0, MOUNT_ATTR_NOSUID },
	{ "nodev",         OPT_ATTR,     MOUNT_ATTR_NODEV, 0 },
	{ "dev",           OPT_ATTR,     0, MOUNT_ATTR_NODEV },
	{ "noexec",        OPT_ATTR,     MOUNT_ATTR_NOEXEC, 0 },
	{ "exec",          OPT_ATTR,     0, MOUNT_ATTR_NOEXEC },
	{ "nodiratime",    OPT_ATTR,     MOUNT_ATTR_NODIRATIME, 0 },
	{ "diratime",      OPT_ATTR,     0, MOUNT_ATTR_NODIRATIME },
	{ "relatime",      OPT_ATTR,     ATIME(MOUNT_ATTR_RELATIME) },
	{ "norelatime",    OPT_ATTR,     ATIME(MOUNT_ATTR_STRICTATIME) },
	{ "noatime",       OPT_ATTR,     ATIME(MOUNT_ATTR_NOATIME) },
	{ "atime",         OPT_ATTR,     ATIME(MOUNT_ATTR_RELATIME) },
	{ "strictatime",   OPT_ATTR,     ATIME(MOUNT_ATTR_STRICTATIME) },
	{ "nostrictatime", OPT_ATTR,     ATIME(MOUNT_ATTR_RELATIME) },
	{ "nosymfollow",   OPT_ATTR,     MOUNT_ATTR_NOSYMFOLLOW, 0 },
	{ "symfollow",     OPT_ATTR,     0, MOUNT_ATTR_NOSYMFOLLOW },
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
	{ "rnorelatime",   OPT_REC_ATTR, ATIME(MOUNT_ATTR_STRICTATIME) },
	{ "rnoatime",      OPT_REC_ATTR, ATIME(MOUNT_ATTR_NOATIME) },
	{ "ratime",        OPT_REC_ATTR, ATIME(MOUNT_ATTR_RELATIME) },
	{ "rstrictatime",  OPT_REC_ATTR, ATIME(MOUNT_ATTR_STRICTATIME) },
	{ "rnostrictatime", OPT_REC_ATTR, ATIME(MOUNT_ATTR_RELATIME) },
	{ "rnosymfollow",  OPT_REC_ATTR, MOUNT_ATTR_NOSYMFOLLOW, 0 },
	{ "rsymfollow",    OPT_REC_ATTR, 0, MOUNT_ATTR_NOSYMFOLLOW },
	{ "shared",        OPT_PROP,     MS_SHARED, 0 },
	{ "rshared",       OPT_REC_PROP, MS_SHARED, 0 },
	{ "slave",         OPT_PROP,     MS_SLAVE, 0 },
	{ "rslave",        OPT_REC_PROP, MS_SLAVE, 0 },
	{ "private",       OPT_PROP,     MS_PRIVATE, 0 },
	{ "rprivate",      OPT_REC_PROP, MS_PRIVATE, 0 },
	{ "unbindable",    OPT_PROP,     MS_UNBINDABLE, 0 },
	{ "runbindable",   OPT_REC_PROP, MS_UNBINDABLE, 0 },
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
	{ "iversion",      OPT_NOTHING,  0, 0 }, /* file systems decide it themselves since 6.3 */
	{ "noiversion",    OPT_NOTHING,  0, 0 },
	{ "silent",        OPT_NOTHING,  0, 0 },
	{ "loud",          OPT_NOTHING,  0, 0 },
	{ "remount",       OPT_NOTHING,  0, 0 },
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

static int add_data(struct mnt_options *m, const char *word, struct arena *arena)
{
	char **slot = arena_grow(arena, &m->data.v, &m->data.n, sizeof(char *));

	if (!slot)
		return -ENOMEM;
	*slot = arena_strdup(arena, word);
	return *slot ? 0 : -ENOMEM;
}

int mnt_options_parse(const struct strv *words, struct arena *arena, struct mnt_options *ret)
{
	struct mnt_options m = { 0 };

	for (size_t i = 0; i < words->n; i++) {
		const struct option *o = find(words->v[i]);
		int r = 0;

		switch (o ? o->kind : OPT_SUPER) {
		case OPT_NOTHING:
			break;
		case OPT_ATTR:
			override(&m.attr_set, &m.attr_clr, o);
			break;
		case OPT_REC_ATTR:
			override(&m.rec_set, &m.rec_clr, o);
			break;
		case OPT_PROP:
		case OPT_REC_PROP:
			m.propagation = o->set;
			m.propagation_rec = o->kind == OPT_REC_PROP;
			break;
		case OPT_RBIND:
			m.recursive = true;
			m.bind = true;
			break;
		case OPT_BIND:
			m.bind = true;
			break;
		case OPT_TMPCOPYUP:
			m.tmpcopyup = true;
			break;
		case OPT_RIDMAP:
			m.ridmap = true;
			m.idmap = true;
			break;
		case OPT_IDMAP:
			m.idmap = true;
			break;
		case OPT_SUPER:
			r = add_data(&m, words->v[i], arena);
			break;
		}
		if (r < 0)
			return r;
	}
	*ret = m;
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
