/* SPDX-License-Identifier: Apache-2.0 */
/* A guest's passwd file (passwd(5)), without any library that would run the guest's code. */
#ifndef CTR_RUNTIME_PROCESS_PASSWD_H
#define CTR_RUNTIME_PROCESS_PASSWD_H

#include <stdint.h>
#include <sys/types.h>

struct passwd_entry {
	char *text; /* what the others point into */
	const char *user, *home, *shell;
	uint32_t gid;
};

/** passwd_find() - the first line for @uid in etc/passwd beneath @root, which may be anything that
 * a guest can make of it. Return: 0 with *ret to be freed, or -ENOENT. */
int passwd_find(int root, uid_t uid, struct passwd_entry *ret);
void passwd_done(struct passwd_entry *entry);
#define own_passwd __attribute__((cleanup(passwd_done)))

#endif
