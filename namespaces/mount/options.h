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
	uint64_t attr_set, attr_clr; /* MOUNT_ATTR_* of the mount itself */
	uint64_t rec_set, rec_clr;   /* of the whole tree: "rro", "rnosuid", ... */
	uint64_t propagation;	     /* MS_SHARED, MS_SLAVE, ..., 0 = as it comes */
	bool propagation_rec;
	bool bind, recursive; /* "bind", "rbind" */
	bool tmpcopyup;
	bool idmap, ridmap;
	struct strv data; /* what the file system itself shall read: "size=64k", "sync" */
};

/** mnt_options_parse() - later options override earlier ones ("ro", then "rw" is read-write).
 * Return: 0, -ENOMEM. Unknown words are the file system's: they go to ->data. */
int mnt_options_parse(const struct strv *words, struct arena *arena, struct mnt_options *ret);
/** mnt_option_names() - every option that this table knows, for `features`; @ret_count of them */
const char *const *mnt_option_names(size_t *ret_count);

#endif
