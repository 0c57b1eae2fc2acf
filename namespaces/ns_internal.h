/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of namespaces/ share with each other and with their tests, and with nobody else.
 */
#ifndef CTR_NAMESPACES_NS_INTERNAL_H
#define CTR_NAMESPACES_NS_INTERNAL_H

#include "namespaces/ns.h"

/** ns_clone_flags() - CLONE_NEW* of what clone3 itself makes for @set */
uint64_t ns_clone_flags(const struct ns_set *set);
/** ns_clone_failed() - say why clone3 refused new namespaces. Return: @code. */
pid_t ns_clone_failed(pid_t code, struct err *e);
/** ns_make_time() - unshare the time namespace of @set for our children, and write its offsets
 * through @offsets, a descriptor of /proc/self/timens_offsets */
int ns_make_time(const struct ns_set *set, int offsets, struct err *e);
/** ns_enter_kinds() - setns into what @join has, but for the kinds whose bit 1 << kind is in @skip.
 * What we may not enter as we are is entered after the user namespace. */
int ns_enter_kinds(const struct ns_join *join, unsigned int skip, struct err *e);

/** idmap_is_own() - pure: is id @own all that is mapped? Then no right is needed for it. */
bool idmap_is_own(const struct id_map *maps, size_t count, uint32_t own);

/** idmap_is() - pure: does @text, of /proc/PID/uid_map, hold exactly @maps, in any order? */
bool idmap_is(const char *text, const struct id_map *maps, size_t count);

/** usher_spawn() - ns_spawn() by way of an usher: see ns.h */
pid_t usher_spawn(const struct ns_set *set, struct ns_join *join, int cgroup_fd, int *ret_pidfd,
		  struct err *e);

#endif
