/* SPDX-License-Identifier: Apache-2.0 */
/* Address arithmetic and derived MACs of netsetup. Pure. */
#ifndef CTR_NETSETUP_ADDR_INTERNAL_H
#define CTR_NETSETUP_ADDR_INTERNAL_H

#include "netsetup/net.h"

/** addr_guest_mac() - the MAC inside: the configured one, or derived */
void addr_guest_mac(const char *id, const struct net_if *nif, uint8_t ret[6]);
/** addr_host_mac() - of a host end. It begins with fe, above every real MAC: a bridge that was not
 * given a MAC takes the lowest of its ports, and must not change it when a container comes. */
void addr_host_mac(const char *host_name, uint8_t ret[6]);
/** addr_bridge_mac() - of a bridge that ctr makes: stable over restarts, and the sign by which
 * undo knows that the bridge is ctr's. */
void addr_bridge_mac(const char *bridge, uint8_t ret[6]);
/** addr_link_local() - the fe80:: address that the kernel forms from @mac (RFC 4291 appendix A) */
struct net_addr addr_link_local(const uint8_t mac[6]);
/** addr_bytes() - in network order; addr_len(): 4 or 16 of them */
const void *addr_bytes(const struct net_addr *a);
size_t addr_len(int family);
/** addr_equal() - the same host, whatever the prefixes */
bool addr_equal(const struct net_addr *a, const struct net_addr *b);
/** addr_in_network() - does @a lie in the network of @net (address and prefix)? */
bool addr_in_network(const struct net_addr *a, const struct net_addr *net);

#endif
