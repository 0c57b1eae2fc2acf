/* SPDX-License-Identifier: Apache-2.0 */
/* Why an execve(2) failed, in words that say what to do. */
#ifndef CTR_RUNTIME_PROCESS_WHY_H
#define CTR_RUNTIME_PROCESS_WHY_H

#include "base/err.h"

/** why_exec() - look at @path for the reason of @code (negative errno of execve): the interpreter
 * of a script, the loader of a dynamic binary, the architecture, the mode, the mount.
 * Return: @code. */
int why_exec(const char *path, int code, struct err *e);

#endif
