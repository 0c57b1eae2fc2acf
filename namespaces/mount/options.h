/* SPDX-License-Identifier: Apache-2.0 */
/* Mount option strings, as in OCI config.md "Mounts" and mount(8), to flags and attributes. */
#ifndef CTR_NAMESPACES_MOUNT_OPTIONS_H
#define CTR_NAMESPACES_MOUNT_OPTIONS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mnt_options {
	uint64_t attr_set, attr_clr; /* MOUNT_ATTR_* of the mount itself, as the words said */
	bool atime;		     /* the access time field in ->attr_set was asked for */
	bool flags;		     /* some flag of mount(2) was named, be it to clear it */
	uint64_t rec_set, rec_clr;   /* of the whole tree: "rro", "rnosuid", ... */
	struct u32v propagation;     /* MS_SHARED, MS_SLAVE | MS_REC, ... in their order */
	bool bind, recursive;	     /* "bind", "rbind" */
	bool tmpcopyup;
	bool remount; /* change what is mounted there */
	bool idmap, ridmap;
	const char *idmap_maps; /* "uids=...;gids=..." of "idmap=": as crun has it */
	bool copy_symlink, src_nofollow, dest_nofollow; /* of a bind: as crun has them */
	struct strv super; /* flags of the superblock: "sync", "lazytime" */
	struct strv data;  /* what the file system itself shall read: "size=64k" */
};

/** mnt_options_parse() - later options override earlier ones ("ro", then "rw" is read-write).
 * Return: 0, -ENOMEM. Unknown words are the file system's: they go to ->data. */
int mnt_options_parse(const struct strv *words, struct arena *arena, struct mnt_options *ret);
/**
 * mnt_bind_attrs() - what the options of a bind change of its source's attributes. Pure.
 * @source: attributes of the source's mount
 * @locked: the mount goes to a less privileged namespace, where the source's flags cannot be taken
 *          back: mount_namespaces(7)
 * Without a word about flags, a bind is as its source. With one it has the flags that were named,
 * and no others, as mount(2) MS_REMOUNT | MS_BIND does; access times stay unless they were named.
 * Where flags are locked, those of the source stay too, and to clear one of them is an error.
 * Return: 0, with what mount_setattr(2) shall set and clear; -EPERM.
 */
int mnt_bind_attrs(const struct mnt_options *opt, uint64_t source, bool locked, uint64_t *ret_set,
		   uint64_t *ret_clr, struct err *e);
/** mnt_option_names() - every option that this table knows, for `features`; @ret_count of them */
const char *const *mnt_option_names(size_t *ret_count);

#endif
