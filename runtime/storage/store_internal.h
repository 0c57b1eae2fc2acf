/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of runtime/storage share.
 *
 * DOC: how a name changes
 * templates/NAME and partitions/ID come and go through change_begin() .. change_end(), which hold
 * a flock on .NAME.lock beside the name. Under it a directory grows as .NAME.new and one rename
 * makes it NAME; a removal renames NAME to .NAME.old first. The kernel drops the lock of a killed
 * process, so a .NAME.new or .NAME.old whose lock is free is an orphan, and change_clean()
 * removes it. No valid name starts with a dot, so these never collide with one.
 */
#ifndef CTR_RUNTIME_STORAGE_STORE_INTERNAL_H
#define CTR_RUNTIME_STORAGE_STORE_INTERNAL_H

#include "base/err.h"
#include "base/own.h"
#include "runtime/storage/store.h"

#include <stdbool.h>
#include <stdint.h>

struct stat;

enum store_sub { SUB_TEMPLATES, SUB_PARTITIONS, SUB_RANGES, SUB_ADDRESSES, SUB_COUNT };

/** store_sub() - a directory of the store, made when missing. Return: fd or -errno. */
int store_sub(int store, enum store_sub sub, struct err *e);
/** store_path() - where @fd is, for messages. Return: @buf, "?" when it cannot be told. */
char *store_path(int fd, char *buf, size_t size);
/** store_fs_name() - the name of the file system that holds @fd ("ext4"). Return: @buf. */
char *store_fs_name(int fd, char *buf, size_t size);
/** store_fs_source() - what it is mounted from, the mountinfo source. Return: 0 or -errno. */
int store_fs_source(int fd, char *buf, size_t size);
/** store_names() - the entries of directory @fd that are names, sorted, in @arena. */
int store_names(int fd, struct arena *arena, struct strv *ret, struct err *e);

/** walk_tree() - call @entry for all beneath directory @dir, on its file system, a directory before
 * what is in it. @entry may delete what it is called for. Return: 0, or the first negative value.
 */
int walk_tree(int dir, int (*entry)(void *arg, int parent, const char *name, const struct stat *st),
	      void *arg);

enum { CHANGE_NAME_MAX = 128 + sizeof(".") + sizeof(".lock") };

struct change {
	int dir;  /* borrowed: where the name is */
	int lock; /* own */
	const char *name;
	char fresh[CHANGE_NAME_MAX], old[CHANGE_NAME_MAX], lockname[CHANGE_NAME_MAX];
};

/** change_begin() - lock @name in @dir. @name: text_is_id(), outlives @c.
 * Return: 0, -EWOULDBLOCK when another command has it and @wait is false, or -errno. */
int change_begin(struct change *c, int dir, const char *name, bool wait);
/** change_pending() - is there anything that a killed command may have left? Needs no lock. */
bool change_pending(int dir, const char *name);
/** change_clean() - remove what a killed command left under this name */
int change_clean(struct change *c);
/** change_make() - mkdir .NAME.new. Return: its descriptor or -errno. */
int change_make(struct change *c);
/** change_commit() - .NAME.new becomes NAME, durably. @replace: over an existing one, which then
 * is removed. Return: 0, -EEXIST without @replace, or -errno. */
int change_commit(struct change *c, bool replace);
/** change_retire() - NAME becomes .NAME.old, for change_clean() to delete. Return: 0, -ENOENT, ...
 */
int change_retire(struct change *c);
/** change_end() - unlock. Idempotent; keeps errno. */
void change_end(struct change *c);
#define own_change __attribute__((cleanup(change_end)))
#define CHANGE_NONE            \
	{                      \
		.lock = -EBADF \
	}

/** lease_range_take() - the first free id range from a place that the id determines, so that
 * parallel creates rarely meet and an id gets its old range back. Return: number or -errno. */
int lease_range_take(int store, const char *id, struct err *e);
/** lease_address_take() - -EADDRINUSE names the owner. An address the id has already is fine. */
int lease_address_take(int store, const char *id, const char *address, struct err *e);
/** lease_address_format() - the one spelling of an address into @buf (INET6_ADDRSTRLEN).
 * Return: 0, or -EINVAL. Pure. */
int lease_address_format(const char *address, char *buf, size_t size);
/** lease_release() - drop the leases of @id; with @keep only addresses, and not those in it */
int lease_release(int store, const char *id, const struct strv *keep);

/** partition_number() - the number of its range, which is also its project id for quotas.
 * Return: number, or -ENOENT. */
int partition_number(int partition, bool *ret_userns);

/** quota_tag() - put directory @fd, and what will be made beneath it, into the project of
 * @number. Return: 0 or -errno (file systems without projects). */
int quota_tag(int fd, int number);
/** quota_forget() - no limits for the project any more; nothing to do where there are none */
void quota_forget(int partition, int number);

/*
 * A template on its way: template_import.c, template_busybox.c and template_debian.c fill the
 * root, template.c does the rest.
 */
struct template_job {
	int root;	  /* the empty directory to fill */
	int lock;	  /* for tool_run() */
	const char *from; /* what to fill it with: a path, a suite */
	const struct template_opts *opts;
	char source[256]; /* out: what template.json says about its origin */
};

int template_fill_import(struct template_job *job, struct err *e);
int template_fill_busybox(struct template_job *job, struct err *e);
int template_fill_debian(struct template_job *job, struct err *e);
/** template_say() - tell @opts->progress, when there is one */
void template_say(const struct template_opts *opts, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** apt_mirrors() - the host's own apt sources that offer Debian @suite, as lines of the one-line
 * style, in @arena; none is not an error. @etc_apt: directory, "/etc/apt". */
int apt_mirrors(const char *etc_apt, const char *suite, struct arena *arena, struct strv *ret);

#endif
