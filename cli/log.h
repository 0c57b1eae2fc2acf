/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of --log, which is where container engines read what went wrong: one record per failure,
 * appended by verb after verb.
 *
 * DOC: where it goes. FILE or file:FILE, syslog:IDENTIFIER, journald:IDENTIFIER. What is quieter
 * than --log-level is left out; without it warnings and failures are written, and with --debug what
 * a start does and the end of each command too.
 */
#ifndef CTR_CLI_LOG_H
#define CTR_CLI_LOG_H

#include <stdbool.h>

struct globals;

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_DEBUG };

/** log_wants() - is there a log, and does it take records of @level? */
bool log_wants(const struct globals *g, enum log_level level);
/** log_append() - one record. Return: 0 or -errno. */
int log_append(const struct globals *g, enum log_level level, const char *msg);
/** log_record() - one line of a file, newline included, in @format ("json", else text). Pure.
 * Return: heap string, NULL on ENOMEM. */
char *log_record(const char *format, const char *level, const char *msg, const char *time);

#endif
