/* SPDX-License-Identifier: Apache-2.0 */
/* The packet rules of ctr: two tables named "ctr", and each container's elements in them. */
#ifndef CTR_NETSETUP_RULES_INTERNAL_H
#define CTR_NETSETUP_RULES_INTERNAL_H

#include "netsetup/net.h"
#include "netsetup/nl_internal.h"

enum rules_table { RULES_INET, RULES_BRIDGE, RULES_TABLES };

/** rules_table_name() - "inet" or "bridge" */
const char *rules_table_name(enum rules_table table);
/** rules_need() - does any interface of @net have elements in @table? */
bool rules_need(const struct net_config *net, enum rules_table table);

/** rules_present() - are the tables that @net needs there? */
bool rules_present(struct nl *nl, const struct net_config *net);
/** rules_make() - the table with its chains and rules, unless it is there. */
int rules_make(struct nl *nl, enum rules_table table, struct err *e);
/** rules_remove() - the table, if it is there */
int rules_remove(struct nl *nl, enum rules_table table, struct err *e);
/** rules_probe() - would this kernel take both tables? Changes nothing.
 * Return: 0, -ENOTSUP or another -errno. */
int rules_probe(struct nl *nl);

/** rules_add() - the elements of all interfaces in one transaction, into every table they need */
int rules_add(struct nl *nl, const struct net_config *net, struct err *e);
/** rules_del() - those of @net in @table; elements that are not there are fine */
int rules_del(struct nl *nl, const struct net_config *net, enum rules_table table, struct err *e);
/** rules_taken() - does a container on the same link or bridge use @a? Return: 1, 0 or -errno. */
int rules_taken(struct nl *nl, const struct net_if *nif, const struct net_addr *a, struct err *e);

#endif
