/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What --debug says while a container starts.
 *
 * DOC: every step of create.c by its name, and four milestones in words that other OCI runtimes use
 * for the same moments, because that is what people search a host's logs for.
 */
#ifndef CTR_RUNTIME_DEBUG_H
#define CTR_RUNTIME_DEBUG_H

#define DEBUG_NAMESPACES "nsexec container setup: namespaces and id maps are made"
#define DEBUG_CHILD	 "child process in init(): it is confined up to its last step"
#define DEBUG_EXECUTED	 "init: closing the pipe to signal completion: the program runs"
#define DEBUG_EXEC	 "setns_init: about to exec"

struct ctr_env;

/** debug_say() - one record; nothing without --debug. @env may be NULL. */
void debug_say(const struct ctr_env *env, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
