/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small files at a directory descriptor: bounded reads, one-write kernel knobs, atomic
 * replacement, locks, directory trees. Paths are relative to @dirfd (AT_FDCWD for absolute).
 */
#ifndef CTR_BASE_FILE_H
#define CTR_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** file_read() - a whole small file as a NUL-terminated string into @buf, a trailing newline
 * removed. Return: length, or -errno (-EFBIG when it does not fit). */
ssize_t file_read(int dirfd, const char *path, char *buf, size_t size);
/** file_load() - a whole regular file of up to @max bytes as a NUL-terminated heap string.
 * Never blocks on a FIFO or device (-EINVAL). Return: length or -errno (-EFBIG over @max). */
ssize_t file_load(int dirfd, const char *path, size_t max, char **ret);
/** file_load_any() - the same of what a person or an engine named: it may be a pipe (/dev/fd/63),
 * and then we wait for its end. */
ssize_t file_load_any(const char *path, size_t max, char **ret);
/** file_write() - one write(2) to an existing file (kernel knobs). Return: 0 or -errno. */
int file_write(int dirfd, const char *path, const char *data);

enum file_sync { FILE_NOSYNC, FILE_SYNC }; /* FILE_SYNC: survives a power cut once it returned */
/** file_replace() - write @data to a temporary file beside @path, then rename over it.
 * Return: 0 or -errno; on failure the old file is untouched and no temporary is left. */
int file_replace(int dirfd, const char *path, const void *data, size_t len, mode_t mode,
		 enum file_sync sync);
/** file_lock() - open (create) @path and hold an exclusive flock on it. The kernel drops it when
 * the descriptor closes, however the process ends. Safe against a concurrent unlink.
 * @wait: false returns -EWOULDBLOCK when somebody else has it. Return: descriptor or -errno. */
int file_lock(int dirfd, const char *path, bool wait);
/** file_mkdirs() - mkdir -p of a trusted path. Return: 0 or -errno. */
int file_mkdirs(const char *path, mode_t mode);
/** file_remove_tree() - rm -rf beneath @dirfd, however deep, without following a symlink or leaving
 * the file system that @path is on. Return: 0 (also when it is not there) or -errno; -EXDEV or
 * -EBUSY when something is mounted in it. */
int file_remove_tree(int dirfd, const char *path);

#endif
