/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of /proc/PID/mountinfo: proc(5). */
#ifndef CTR_NAMESPACES_MOUNT_MOUNTINFO_H
#define CTR_NAMESPACES_MOUNT_MOUNTINFO_H

/** One line. The strings lie in the text that was parsed, unescaped in place. */
struct mountinfo {
	const char *root, *target, *type, *super_options;
};

/** mountinfo_next() - take the next line off *@text, which is written to. Lines that are not as
 * proc(5) says are passed over. Return: 1, or 0 at the end. */
int mountinfo_next(char **text, struct mountinfo *ret);

#endif
