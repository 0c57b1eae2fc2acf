/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping the binary of the runtime out of a container's reach. */
#ifndef CTR_RUNTIME_SELF_H
#define CTR_RUNTIME_SELF_H

#include "base/err.h"

/**
 * self_protect() - run from a read-only, detached mount of our own binary
 * A payload that executes /proc/self/exe, or watches /proc/PID/exe, could otherwise write to the
 * file of the runtime that started it (CVE-2019-5736). Within a user namespace of its own it has
 * no right to that file anyway, so only a container without one needs this. Executes the command
 * again from its start when it is not protected yet, so call it before anything is made.
 * Return: 0 when protected, or -errno; does not return when it executes again.
 */
int self_protect(struct err *e);

#endif
