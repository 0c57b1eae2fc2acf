/* SPDX-License-Identifier: Apache-2.0 */
/* Id mappings in the text of a mount option, as crun has them. */
#ifndef CTR_NAMESPACES_MOUNT_IDMAP_H
#define CTR_NAMESPACES_MOUNT_IDMAP_H

#include "base/arena.h"
#include "base/err.h"
#include "namespaces/ns.h"

struct id_maps {
	const struct id_map *v;
	size_t n;
};

/**
 * mnt_idmap_parse() - "uids=FS-HOST-SIZE#...;gids=..." (crun(1) "idmap mount options"). Pure.
 * @own_uids, @own_gids: of the container: "@" before a range says that HOST is one of its ids
 * Return: 0 with both lists, in the arena; -EINVAL, -ENOMEM.
 */
int mnt_idmap_parse(const char *text, const struct id_maps *own_uids,
		    const struct id_maps *own_gids, struct arena *arena, struct id_maps *ret_uids,
		    struct id_maps *ret_gids, struct err *e);

#endif
