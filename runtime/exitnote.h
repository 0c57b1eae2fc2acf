/* SPDX-License-Identifier: Apache-2.0 */
/* STORE/partitions/ID/last-exit: how the last run of a partition ended. */
#ifndef CTR_RUNTIME_EXITNOTE_H
#define CTR_RUNTIME_EXITNOTE_H

#include "runtime/container.h"

/** exitnote_save() - @status 0..255, or negative when it is not known; best effort */
void exitnote_save(const struct ctr_env *env, const char *id, int status);
/** exitnote_load() - Return: 0..255, or -1 when it is not known */
int exitnote_load(const struct ctr_env *env, const char *id);

#endif
