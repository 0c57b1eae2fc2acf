/* SPDX-License-Identifier: Apache-2.0 */
/* Signals as people and engines spell them. */
#ifndef CTR_BASE_SIGNAME_H
#define CTR_BASE_SIGNAME_H

/** signame_parse() - "9", "KILL", "SIGKILL", "kill", "RTMIN+3"; "0" asks whether it is there.
 * Return: the number, or -EINVAL. */
int signame_parse(const char *s);

#endif
