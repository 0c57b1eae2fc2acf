/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What containers share on the host, with its users, and how it was before the first of them.
 *
 * DOC: one file, "net", one line for each thing:
 *   KIND NAME VALUE USER...
 *   sysctl  net/ipv4/ip_forward  OLD>NEW
 *   bridge  br0  -
 *   addr    br0  10.0.0.1/24
 *   table   inet  -
 * A line is written before the thing is touched, and goes after the thing is as it was before; both
 * under the lock "net.lock". So at any moment the file names at least what ctr has changed, and
 * making or undoing a line's thing again does no harm. What was there before the first user came
 * has no line: ctr did not make it and will not remove it.
 */
#ifndef CTR_NETSETUP_SHARED_INTERNAL_H
#define CTR_NETSETUP_SHARED_INTERNAL_H

#include "netsetup/net.h"
#include "netsetup/nl_internal.h"

/** The two sockets that everything on the host goes through. */
struct host {
	struct nl *route, *nft;
};

/** shared_apply() - record @net as a user of all it shares, make what is missing, and add its
 * elements to the packet tables */
int shared_apply(const struct host *host, const struct net_config *net, int dirfd, struct err *e);
/** shared_undo() - remove @net's elements, and restore what it was the last user of. Goes on past
 * failures and returns the first; what failed stays recorded for the next undo. */
int shared_undo(const struct host *host, const struct net_config *net, int dirfd, struct err *e);

/** shared_gateway() - @gateway as an address of the bridge: with the prefix of the network of
 * @nif's addresses that it is in, unless it brought its own */
struct net_addr shared_gateway(const struct net_if *nif, const struct net_addr *gateway);

#endif
