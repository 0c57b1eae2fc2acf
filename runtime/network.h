/* SPDX-License-Identifier: Apache-2.0 */
/* Between the life cycle and netsetup/: where the shared records are, and undo from the record. */
#ifndef CTR_RUNTIME_NETWORK_H
#define CTR_RUNTIME_NETWORK_H

#include "base/err.h"

struct net_config;

/** network_apply() - net_apply() with the shared records in RUN/.net */
int network_apply(int run, const struct net_config *net, int netns, struct err *e);
int network_undo(int run, const struct net_config *net, struct err *e);
/** network_undo_recorded() - undo by RUN/ID/partition.json, the config that was started */
int network_undo_recorded(int run, const char *id, struct err *e);

#endif
