/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities: names, sets as bit masks, and setting all five of a process. */
#ifndef CTR_RUNTIME_PROCESS_CAPS_H
#define CTR_RUNTIME_PROCESS_CAPS_H

#include "base/err.h"
#include "base/value.h"

#include <stdint.h>

/** Bit n is capability number n of linux/capability.h. */
struct caps {
	uint64_t bounding, effective, inheritable, permitted, ambient;
};

/** caps_from_name() - "CAP_NET_ADMIN" or "net_admin". Return: number or -EINVAL. */
int caps_from_name(const char *name);
/** caps_name() - "CAP_NET_ADMIN"; NULL above the last that this build knows */
const char *caps_name(int cap);
/** caps_mask() - the set that @names spell. Unknown names: -EINVAL with the nearest. */
int caps_mask(const struct strv *names, uint64_t *ret, struct err *e);
/** caps_known() - the same of those names that are known; *ret_unknown is the first that is not, or
 * NULL */
uint64_t caps_known(const struct strv *names, const char **ret_unknown);

/** Profiles: short list for applications; every capability, inside a user namespace only, for a
 * system with its own init. */
extern const uint64_t caps_app_profile;
uint64_t caps_system_profile(void);

/** caps_available() - our own bounding set: what a payload in our user namespace can be given. A
 * new user namespace starts with every capability, whatever ours lacks. */
uint64_t caps_available(void);

/** caps_drop_bounding() - child side, before the uid changes. Return: 0 or -errno. */
int caps_drop_bounding(const struct caps *caps);
/** caps_apply() - child side, after the uid changed under PR_SET_KEEPCAPS: permitted, effective,
 * inheritable, then ambient. Return: 0 or -errno. */
int caps_apply(const struct caps *caps);

#endif
