/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases: id ranges and addresses, each a symlink whose target is the owner.
 *
 * A lease is only taken or dropped by whoever holds its owner's change lock, and its owner's
 * directory (final, .new or .old) exists while it does. So a lease whose owner has no directory,
 * with the owner's lock free, is an orphan, and partition_dir_heal() of the owner drops it.
 */
#include "runtime/storage/store_internal.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <string.h>

enum { OWNER_MAX = 128 };

static int read_owner(int dir, const char *name, char *buf, size_t size)
{
	ssize_t n = readlinkat(dir, name, buf, size - 1);

	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return 0;
}

/* FNV-1a: spreads ids over the ranges; any mixing would do. */
static uint32_t hash(const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h ^ (h >> 16);
}

int lease_range_take(int store, const char *id, struct err *e)
{
	own_fd int dir = store_sub(store, SUB_RANGES, e);
	uint32_t start = hash(id) % ID_RANGE_COUNT;
	char name[16];
	int r;

	if (dir < 0)
		return dir;
	for (uint32_t i = 0; i < ID_RANGE_COUNT; i++) {
		uint32_t number = (start + i) % ID_RANGE_COUNT;

		(void)snprintf(name, sizeof(name), "%u", number);
		if (symlinkat(id, dir, name) == 0)
			return (int)number;
		if (errno != EEXIST)
			return err_set(e, -errno, "lease an id range for '%s'", id);
	}
	r = err_say(e, -EUSERS, "all %d id ranges are taken", ID_RANGE_COUNT);
	err_hint(e, "each partition has one: remove partitions, or use another store");
	return r;
}

int lease_address_format(const char *address, char *buf, size_t size)
{
	unsigned char raw[sizeof(struct in6_addr)];
	int family = strchr(address, ':') ? AF_INET6 : AF_INET;

	if (inet_pton(family, address, raw) != 1 || !inet_ntop(family, raw, buf, (socklen_t)size))
		return -EINVAL;
	return 0;
}

/* Return: 1 taken, 0 somebody has it (owner), -errno. */
static int try_take(int dir, const char *name, const char *id, char *owner, size_t size)
{
	for (;;) {
		int r;

		if (symlinkat(id, dir, name) == 0)
			return 1;
		if (errno != EEXIST)
			return -errno;
		r = read_owner(dir, name, owner, size);
		if (r != -ENOENT) /* released in between: try again */
			return r;
	}
}

int lease_address_take(int store, const char *id, const char *address, struct err *e)
{
	own_fd int dir = store_sub(store, SUB_ADDRESSES, e);
	char name[INET6_ADDRSTRLEN], owner[OWNER_MAX + 1];
	int r;

	if (dir < 0)
		return dir;
	if (lease_address_format(address, name, sizeof(name)) < 0)
		return err_say(e, -EINVAL, "'%s' is not an IPv4 or IPv6 address", address);
	r = try_take(dir, name, id, owner, sizeof(owner));
	if (r == 0 && strcmp(owner, id) == 0)
		return 0;
	/* The owner may be what a killed create left; then healing it frees the address. */
	if (r == 0 && text_is_id(owner) && partition_dir_heal(store, owner, NULL) == 0)
		r = try_take(dir, name, id, owner, sizeof(owner));
	if (r < 0)
		return err_set(e, r, "lease address %s for '%s'", name, id);
	if (r == 0)
		return err_say(e, -EADDRINUSE, "address %s is in use by partition '%s'", name,
			       owner);
	return 0;
}

static bool is_kept(const struct strv *keep, const char *name)
{
	char one[INET6_ADDRSTRLEN];

	for (size_t i = 0; keep && i < keep->n; i++)
		if (lease_address_format(keep->v[i], one, sizeof(one)) == 0 &&
		    strcmp(one, name) == 0)
			return true;
	return false;
}

static int release_in(int store, enum store_sub sub, const char *id, const struct strv *keep)
{
	own_fd int dirfd = store_sub(store, sub, NULL);
	own_dir DIR *dir = NULL;
	const struct dirent *entry;
	char owner[OWNER_MAX + 1];
	int fd, result = 0;

	if (dirfd < 0)
		return dirfd;
	dir = fdopendir(dirfd);
	if (!dir)
		return -errno;
	fd = take_fd(&dirfd); /* dir owns it now */
	while ((entry = readdir(dir))) {
		if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN)
			continue;
		if (read_owner(fd, entry->d_name, owner, sizeof(owner)) < 0 ||
		    strcmp(owner, id) != 0 || is_kept(keep, entry->d_name))
			continue;
		if (unlinkat(fd, entry->d_name, 0) < 0 && errno != ENOENT)
			result = -errno;
	}
	return result;
}

int lease_release(int store, const char *id, const struct strv *keep)
{
	int r = release_in(store, SUB_ADDRESSES, id, keep);
	int r_range = keep ? 0 : release_in(store, SUB_RANGES, id, NULL);

	return r < 0 ? r : r_range;
}
