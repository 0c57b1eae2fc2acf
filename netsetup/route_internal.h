/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and routes: what the host would do with an address, and requests to change it. */
#ifndef CTR_NETSETUP_ROUTE_INTERNAL_H
#define CTR_NETSETUP_ROUTE_INTERNAL_H

#include "netsetup/net.h"
#include "netsetup/nl_internal.h"

/** The routing table entry that an address falls under. */
struct route_info {
	bool found, is_local, has_gateway;
	uint8_t prefix; /* of the entry; 0 is a default route */
	int oif;
};

/** route_lookup() - cost does not grow with the host's addresses. Return: 0 or -errno. */
int route_lookup(struct nl *nl, const struct net_addr *a, struct route_info *ret, struct err *e);
/** route_has_addr() - is @a an address of link @index? Return: 1, 0 or -errno. */
int route_has_addr(struct nl *nl, int index, const struct net_addr *a, struct err *e);

/** route_await_local() - wait until the IPv6 address @a of link @index receives. The kernel puts
 * its local route in later, from a work queue, also without duplicate address detection; a packet
 * that comes before is lost. @events: of RTNLGRP_IPV6_IFADDR, open since before the address was
 * added. Return: 0 (also when that takes unreasonably long: no reason to fail) or -errno. */
int route_await_local(struct nl *nl, struct nl *events, int index, const struct net_addr *a,
		      struct err *e);

/* The rest queue requests on @nl. */

/** route_add_addr() - IPv6 without duplicate address detection, so that it works at once: ctr has
 * checked the address, and nobody else can use it. Fine when it is there already. */
void route_add_addr(struct nl *nl, int index, const struct net_addr *a);
void route_del_addr(struct nl *nl, int index, const struct net_addr *a);
/** route_warm_neighbour() - that @a has @mac, to begin with. The kernel uses it at once and checks
 * it some seconds later like any other. Without it the first packet waits for an answer that a new
 * IPv6 link may not be ready to give, and is asked again only after a second; and a neighbour
 * entry left by a former owner of the address would be believed. */
void route_warm_neighbour(struct nl *nl, int index, const struct net_addr *a, const uint8_t mac[6]);
/** route_add() - @dst (with prefix; NULL: default) through link @index, by @gateway unless NULL;
 * @onlink: the gateway is on the link although no address says so */
void route_add(struct nl *nl, int index, int family, const struct net_addr *dst,
	       const struct net_addr *gateway, bool onlink);

#endif
