/* SPDX-License-Identifier: Apache-2.0 */
/* Run one of the host's programs (tar, cp, mmdebstrap, busybox), optionally locked in. */
#ifndef CTR_RUNTIME_STORAGE_TOOL_INTERNAL_H
#define CTR_RUNTIME_STORAGE_TOOL_INTERNAL_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * It runs in mount and pid namespaces of its own, so that its mounts and its children end with
 * it, and it is killed when we are. Its environment is empty but for PATH, locale and .env.
 */
struct tool {
	const char *const *argv; /* argv[0]: a name in TOOL_PATH, or absolute */
	const char *const *env;	 /* more variables; may be NULL */
	int input;		 /* its standard input; -EBADF: /dev/null */
	int lock;		 /* its processes hold this descriptor too; -EBADF: none */
	bool confine;		 /* see tool_run() */
	int directory;		 /* confined: where it starts, and all that it can write */
	uint64_t file_max_bytes; /* confined: no file may grow beyond */
	/* Each line of standard error, or with .lines_of_output of standard output. May be NULL. */
	bool lines_of_output;
	void (*line)(void *arg, const char *line);
	void *arg;
};

#define TOOL_PATH "/usr/sbin:/usr/bin:/sbin:/bin"

/**
 * tool_run() - run it and wait
 * Confined, it sees the host read-only and without devices, has no network, cannot gain
 * privileges, and keeps of root's only what writing foreign files takes.
 * Return: exit status as a shell shows it (0..255), -ENOENT when there is no such program, or
 * -errno when it could not be started.
 */
int tool_run(const struct tool *t, struct err *e);
/** tool_exists() - is program @name in TOOL_PATH? */
bool tool_exists(const char *name);

#endif
