/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping the binary of the runtime out of a container's reach. */
#ifndef CTR_RUNTIME_SELF_H
#define CTR_RUNTIME_SELF_H

#include "base/err.h"

struct spec;

/**
 * self_protect() - run from where a container of @spec cannot write
 * A payload that executes /proc/self/exe, or watches /proc/PID/exe, could otherwise write to the
 * file of the runtime that started it (CVE-2019-5736): where it has the id of the file's owner,
 * which without a user namespace root has, and with one the user who keeps the runtime at home. We
 * then execute the command again from its start, from a read-only, detached mount of the binary or,
 * without the right to make that, from a sealed copy in memory; so call it before anything is made.
 * Return: 0 when protected, or -errno; does not return when it executes again.
 */
int self_protect(const struct spec *spec, struct err *e);

#endif
