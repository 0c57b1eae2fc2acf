/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ctr keeps on disk: templates, partitions, id ranges, address leases.
 *
 * DOC: layout of STORE (mode 0700, so that no host user runs a guest's setuid file):
 *   templates/NAME/rootfs/         a read-only root, shared by all its partitions
 *   templates/NAME/template.json   where it came from, when, its size, its default init
 *   partitions/ID/config.json      the partition config, replaced atomically, fsynced
 *   partitions/ID/upper/ work/     overlay layers; ids on disk are the guest's own (0..65535)
 *                                  when the file system can be id-mapped, else shifted
 *   partitions/ID/rootfs/          empty: root.path of the bundle
 *   partitions/ID/console.log      bounded
 *   partitions/ID/range            a symlink to its id range; called project when it has no user
 *                                  namespace, because quotas take their project id from it
 *   ranges/N                       a symlink to the id that owns host ids BASE + N * 65536
 *   addresses/A                    a symlink to the id that owns address A
 * A directory that is being made or removed is called .NAME.new or .NAME.old beside its final
 * name; rename(2) is the commit. Whoever finds one whose lock (.NAME.lock) is free removes it.
 * Symlinks serve as leases because symlink(2) is atomic, fails when taken, and names the owner.
 */
#ifndef CTR_RUNTIME_STORAGE_STORE_H
#define CTR_RUNTIME_STORAGE_STORE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/value.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* systemd's UIDS-GIDS document lists 1879048192..2147483647 as unused by anybody. */
enum { ID_RANGE_SIZE = 65536, ID_RANGE_COUNT = 4096 };
#define ID_RANGE_BASE UINT32_C(0x70000000)

struct template_info {
	const char *name, *source; /* source: "debian bookworm", "/path/root.tar.xz" */
	uint64_t created_ms, size_bytes;
	struct strv init;	/* default init of its partitions */
	size_t partition_count; /* that use it now */
	const char *problem;	/* why it cannot be read; NULL when all is well */
};

/** store_open() - the store's directory, made when missing. Return: fd or -errno. */
int store_open(const char *path, struct err *e);

/** template_import() - from a directory or a tar archive (any compression that tar(1) knows).
 * template_build() - "busybox": the embedded default, from the static busybox of the host;
 * a Debian suite ("bookworm"): by mmdebstrap with a bootable systemd.
 * Both: nothing is visible until complete; a killed one is cleaned by the next command.
 * @progress: called with a sentence now and then; may be NULL. */
struct template_opts {
	const char *suite, *mirror; /* build */
	struct strv include;	    /* build: further packages */
	bool replace;
	void (*progress)(void *arg, const char *what);
	void *progress_arg;
};
int template_import(int store, const char *name, const char *source,
		    const struct template_opts *opts, struct err *e);
int template_build(int store, const char *name, const struct template_opts *opts, struct err *e);
int template_list(int store, struct arena *arena, struct template_info **ret, size_t *ret_count,
		  struct err *e);
int template_info(int store, const char *name, struct arena *arena, struct template_info *ret,
		  struct err *e);
/** template_remove() - refuses with -EBUSY, naming a user, while partitions use it */
int template_remove(int store, const char *name, struct err *e);
/** template_open() - O_PATH descriptor of its root. Return: fd; -ENOENT names the near ones. */
int template_open(int store, const char *name, struct err *e);

/** partition_dir_create() - partitions/ID with @config as config.json, layers and leases, all or
 * nothing. -EEXIST when the id is in use; -EADDRINUSE names address and owner. */
int partition_dir_create(int store, const char *id, json_t *config, const struct strv *addresses,
			 bool userns, struct err *e);
/** partition_dir_open() - Return: fd of partitions/ID, -ENOENT when there is none. */
int partition_dir_open(int store, const char *id, struct err *e);
/** partition_dir_remove() - with leases; idempotent, also finishes a removal that was cut off */
int partition_dir_remove(int store, const char *id, struct err *e);
/** partition_dir_heal() - remove what a killed create or remove left of @id. Lock held. */
int partition_dir_heal(int store, const char *id, struct err *e);
int partition_dir_list(int store, struct arena *arena, struct strv *ret, struct err *e);
/** partition_id_base() - first host id of its range; 0 when it has none. Return: 0 or -errno. */
int partition_id_base(int store, const char *id, uint32_t *ret, struct err *e);
/** partition_leases_set() - make its address leases exactly @addresses (without prefix), all or
 * nothing. */
int partition_leases_set(int store, const char *id, const struct strv *addresses, struct err *e);

/** partition_quota_set() - disk.size and disk.inodes by project quota; -ENOTSUP with the file
 * system's name when it cannot enforce them. UINT64_MAX: no limit. */
int partition_quota_set(int store, const char *id, uint64_t bytes, uint64_t inodes, struct err *e);
/** partition_quota_get() - use and limits. UINT64_MAX: none or not known. */
int partition_quota_get(int store, const char *id, uint64_t ret_used_limit_bytes[2],
			uint64_t ret_used_limit_inodes[2]);
/** store_disk() - whole disk (major:minor) below the store, for io limits. -ENOTSUP: no disk. */
int store_disk(int store, uint32_t *ret_major, uint32_t *ret_minor, struct err *e);

#endif
