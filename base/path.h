/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths that a guest controls: every look-up happens beneath a root descriptor with openat2(2),
 * RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS, so that no symlink, ".." or /proc link leads out.
 */
#ifndef CTR_BASE_PATH_H
#define CTR_BASE_PATH_H

#include <stdbool.h>
#include <sys/types.h>

/** path_open() - openat2 of @path as seen from inside the root @rootfd. O_CLOEXEC is added.
 * Return: descriptor or -errno. */
int path_open(int rootfd, const char *path, int flags, mode_t mode);
/** path_mkdirs() - make directory @path and its parents inside the root; symlinks on the way are
 * followed inside the root, also one that leads to nothing yet: its target is made.
 * Return: an O_PATH descriptor of the directory, or -errno. */
int path_mkdirs(int rootfd, const char *path, mode_t mode);
/** path_make_target() - make a mount target: a directory, or (@is_dir false) an empty file, with
 * its parents. Something that exists already is returned as it is.
 * Return: an O_PATH descriptor, or -errno. */
int path_make_target(int rootfd, const char *path, bool is_dir);
/** path_is_normal() - absolute, and free of "." and ".." components? Pure. */
bool path_is_normal(const char *path);

#endif
