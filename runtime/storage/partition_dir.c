/* SPDX-License-Identifier: Apache-2.0 */
/*
 * partitions/ID: made and removed as a whole, together with its leases.
 *
 * DOC: order. The directory .ID.new exists before the first lease and .ID.old until after the
 * last one, so that a killed command leaves either nothing or a trace that heal follows.
 */
#include "runtime/storage/store_internal.h"

#include "base/feat.h"
#include "base/file.h"
#include "base/text.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

/* The record of the range inside the directory: finding it by reading all leases would make each
 * start slower with every further partition. A partition without a user namespace has a number
 * too, as its project id for quotas. */
static const char userns_link[] = "range", plain_link[] = "project";

int partition_number(int partition, bool *ret_userns)
{
	char target[64];
	const char *base;
	uint32_t number;
	ssize_t n;

	*ret_userns = true;
	n = readlinkat(partition, userns_link, target, sizeof(target) - 1);
	if (n < 0 && errno == ENOENT) {
		*ret_userns = false;
		n = readlinkat(partition, plain_link, target, sizeof(target) - 1);
	}
	if (n < 0)
		return -errno;
	target[n] = '\0';
	base = strrchr(target, '/');
	if (!base || text_u32(base + 1, &number) < 0 || number >= ID_RANGE_COUNT)
		return -EUCLEAN;
	return (int)number;
}

/* @owner: of upper/. It is the record of how ids are stored: overlay_open(). */
static int make_layers(int dir, int number, uid_t owner)
{
	own_fd int upper = -EBADF, work = -EBADF;

	if (mkdirat(dir, "rootfs", 0755) < 0 || mkdirat(dir, "upper", 0755) < 0 ||
	    mkdirat(dir, "work", 0700) < 0)
		return -errno;
	upper = openat(dir, "upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	work = openat(dir, "work", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (upper < 0 || work < 0)
		return -errno;
	if (fchown(upper, owner, owner) < 0 || fchmod(upper, 0755) < 0)
		return -errno;
	/* While they are empty this is one call each; later it is a walk. Where the file system
	 * has no projects, partition_quota_set() says so. @dir last: it stands for the whole. */
	if (quota_tag(upper, number) == 0 && quota_tag(work, number) == 0)
		(void)quota_tag(dir, number);
	return 0;
}

static int sync_sub(int store, enum store_sub sub)
{
	own_fd int fd = store_sub(store, sub, NULL);

	return fd < 0 ? fd : fsync(fd) < 0 ? -errno : 0;
}

static int write_config(int dir, const char *text)
{
	own_fd int fd = -EBADF;
	int r = file_replace(dir, "config.json", text, strlen(text), 0600, FILE_NOSYNC);

	if (r < 0)
		return r;
	/* The file first: on a journalling file system that carries the rest, and the second call
	 * finds nothing to do. */
	fd = openat(dir, "config.json", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 || fsync(dir) < 0 ? -errno : 0;
}

static int fill(int store, int dir, const char *id, json_t *config, const struct strv *addresses,
		bool userns, bool mapped, struct err *e)
{
	own_free char *text = json_dumps(config, JSON_INDENT(2) | JSON_ENCODE_ANY);
	char target[64];
	int r, number;

	if (!text)
		return err_set(e, -ENOMEM, "write the config of '%s'", id);
	number = lease_range_take(store, id, e);
	if (number < 0)
		return number;
	(void)snprintf(target, sizeof(target), "../../ranges/%d", number);
	if (symlinkat(target, dir, userns ? userns_link : plain_link) < 0)
		return err_set(e, -errno, "record the id range of '%s'", id);
	for (size_t i = 0; addresses && i < addresses->n; i++) {
		r = lease_address_take(store, id, addresses->v[i], e);
		if (r < 0)
			return r;
	}
	r = make_layers(dir, number,
			!userns || mapped ? 0 : ID_RANGE_BASE + (uint32_t)number * ID_RANGE_SIZE);
	if (r < 0)
		return err_set(e, r, "make the layers of '%s'", id);
	r = write_config(dir, text);
	if (r < 0)
		return err_set(e, r, "write the config of '%s'", id);
	r = sync_sub(store, SUB_RANGES);
	if (r == 0 && addresses && addresses->n)
		r = sync_sub(store, SUB_ADDRESSES);
	return r < 0 ? err_set(e, r, "sync the leases of '%s'", id) : 0;
}

/* Hold off template_remove() until the partition that counts as a user is there. *@ret is the
 * lock; -EBADF when the config names no template. */
static int hold_template(int store, json_t *config, int *ret, struct err *e)
{
	const char *name =
		json_string_value(json_object_get(json_object_get(config, "root"), "template"));
	own_fd int root = -EBADF, dir = -EBADF, again = -EBADF;
	struct stat held, named;

	*ret = -EBADF;
	if (!name)
		return 0;
	root = template_open(store, name, e);
	if (root < 0)
		return root;
	dir = openat(root, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_set(e, -errno, "open template '%s'", name);
	if (flock(dir, LOCK_SH | LOCK_NB) < 0)
		return err_say(e, -EBUSY, "template '%s' is being removed", name);
	/* It may have gone, or been replaced, before we had the lock. */
	again = template_open(store, name, e);
	if (again < 0)
		return again;
	if (fstat(root, &held) < 0 || fstat(again, &named) < 0)
		return err_set(e, -errno, "stat template '%s'", name);
	if (held.st_dev != named.st_dev || held.st_ino != named.st_ino)
		return err_say(e, -EBUSY, "template '%s' is being replaced", name);
	*ret = take_fd(&dir);
	return 0;
}

static int check_id(const char *id, struct err *e)
{
	return text_is_id(id) ? 0 : err_say(e, -EINVAL, "'%s' is not a valid id", id);
}

int partition_dir_create(int store, const char *id, json_t *config, const struct strv *addresses,
			 bool userns, struct err *e)
{
	own_fd int parent = -EBADF, dir = -EBADF, used = -EBADF;
	own_change struct change c = CHANGE_NONE;
	int mapped, r = check_id(id, e);

	if (r < 0)
		return r;
	parent = store_sub(store, SUB_PARTITIONS, e);
	if (parent < 0)
		return parent;
	/* Before the lock: its helper process must not inherit that. */
	mapped = userns ? feat_idmap(parent) : 0;
	if (mapped < 0)
		return err_set(e, mapped, "try an id-mapped mount in the store");
	r = change_begin(&c, parent, id, false);
	if (r < 0)
		return r == -EWOULDBLOCK
			       ? err_say(e, -EEXIST,
					 "partition '%s' is being made by another command", id)
			       : err_set(e, r, "lock partition '%s'", id);
	if (faccessat(parent, id, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return err_say(e, -EEXIST, "partition '%s' exists already", id);
	r = hold_template(store, config, &used, e);
	if (r < 0)
		return r;
	r = lease_release(store, id, NULL);
	if (r == 0)
		r = change_clean(&c);
	if (r < 0)
		return err_set(e, r, "clean up a former partition '%s'", id);
	dir = change_make(&c);
	if (dir < 0)
		return err_set(e, dir, "make partition '%s'", id);
	r = fill(store, dir, id, config, addresses, userns, mapped, e);
	if (r == 0) {
		r = change_commit(&c, false);
		if (r == 0)
			return 0;
		(void)err_set(e, r, "make partition '%s'", id);
	}
	(void)lease_release(store, id, NULL); /* the error that matters is r; heal does the rest */
	(void)change_clean(&c);
	return r;
}

int partition_dir_open(int store, const char *id, struct err *e)
{
	own_fd int parent = -EBADF;
	int fd, r = check_id(id, e);

	if (r < 0)
		return r;
	parent = store_sub(store, SUB_PARTITIONS, e);
	if (parent < 0)
		return parent;
	fd = openat(parent, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	return errno == ENOENT ? err_say(e, -ENOENT, "no partition '%s'", id)
			       : err_set(e, -errno, "open partition '%s'", id);
}

int partition_dir_remove(int store, const char *id, struct err *e)
{
	own_fd int parent = -EBADF, dir = -EBADF;
	own_change struct change c = CHANGE_NONE;
	bool userns;
	int r = check_id(id, e);

	if (r < 0)
		return r;
	parent = store_sub(store, SUB_PARTITIONS, e);
	if (parent < 0)
		return parent;
	r = change_begin(&c, parent, id, true);
	if (r < 0)
		return err_set(e, r, "lock partition '%s'", id);
	dir = openat(parent, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir >= 0) {
		int number = partition_number(dir, &userns);

		if (number >= 0)
			quota_forget(dir, number);
		r = change_retire(&c);
	}
	if (r == 0)
		r = lease_release(store, id, NULL);
	if (r == 0)
		r = change_clean(&c);
	return r < 0 ? err_set(e, r, "remove partition '%s'", id) : 0;
}

int partition_dir_heal(int store, const char *id, struct err *e)
{
	own_fd int parent = -EBADF;
	own_change struct change c = CHANGE_NONE;
	bool exists;
	int r = check_id(id, e);

	if (r < 0)
		return r;
	parent = store_sub(store, SUB_PARTITIONS, e);
	if (parent < 0)
		return parent;
	exists = faccessat(parent, id, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	if (exists && !change_pending(parent, id))
		return 0;
	r = change_begin(&c, parent, id, false);
	if (r == -EWOULDBLOCK || r == -EROFS)
		return 0; /* alive: it needs no help; or read-only, where none can be given */
	if (r < 0)
		return err_set(e, r, "lock partition '%s'", id);
	if (faccessat(parent, id, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		r = lease_release(store, id, NULL);
	if (r == 0)
		r = change_clean(&c);
	return r < 0 ? err_set(e, r, "clean up partition '%s'", id) : 0;
}

int partition_dir_list(int store, struct arena *arena, struct strv *ret, struct err *e)
{
	own_fd int parent = store_sub(store, SUB_PARTITIONS, e);

	return parent < 0 ? parent : store_names(parent, arena, ret, e);
}

int partition_id_base(int store, const char *id, uint32_t *ret, struct err *e)
{
	own_fd int dir = partition_dir_open(store, id, e);
	bool userns;
	int number;

	if (dir < 0)
		return dir;
	number = partition_number(dir, &userns);
	if (number < 0)
		return err_set(e, number, "read the id range of '%s'", id);
	*ret = userns ? ID_RANGE_BASE + (uint32_t)number * ID_RANGE_SIZE : 0;
	return 0;
}

/*
 * New leases first: when one is taken, those added so far go again and nothing has changed. A kill
 * in between leaves a lease too many, which the next set or the removal drops.
 */
int partition_leases_set(int store, const char *id, const struct strv *addresses, struct err *e)
{
	own_fd int dir = partition_dir_open(store, id, e), parent = -EBADF, leases = -EBADF;
	own_change struct change c = CHANGE_NONE;
	own_free bool *had = NULL;
	int r = 0;

	if (dir < 0)
		return dir;
	parent = store_sub(store, SUB_PARTITIONS, e);
	if (parent < 0)
		return parent;
	leases = store_sub(store, SUB_ADDRESSES, e);
	if (leases < 0)
		return leases;
	had = calloc(addresses->n + 1, sizeof(*had));
	if (!had)
		return err_set(e, -ENOMEM, "lease addresses for '%s'", id);
	r = change_begin(&c, parent, id, true);
	if (r < 0)
		return err_set(e, r, "lock partition '%s'", id);
	for (size_t i = 0; i < addresses->n; i++) {
		char name[64];

		had[i] = lease_address_format(addresses->v[i], name, sizeof(name)) == 0 &&
			 faccessat(leases, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
		r = lease_address_take(store, id, addresses->v[i], e);
		if (r == 0)
			continue;
		while (i-- > 0)
			if (!had[i] &&
			    lease_address_format(addresses->v[i], name, sizeof(name)) == 0)
				(void)unlinkat(leases, name, 0);
		return r;
	}
	r = lease_release(store, id, addresses);
	if (r == 0 && fsync(leases) < 0)
		r = -errno;
	return r < 0 ? err_set(e, r, "lease addresses for '%s'", id) : 0;
}
