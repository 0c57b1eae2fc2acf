/* SPDX-License-Identifier: Apache-2.0 */
/* Links: what exists, and the requests that make, change and remove them. */
#ifndef CTR_NETSETUP_LINK_INTERNAL_H
#define CTR_NETSETUP_LINK_INTERNAL_H

#include "netsetup/net.h"
#include "netsetup/nl_internal.h"

struct link_info {
	int index, master;
	bool up;
	char kind[16]; /* "veth"; empty for hardware */
	uint8_t mac[6];
	uint64_t rx_bytes, rx_packets, tx_bytes, tx_packets; /* as this end counts */
};

/** link_get() - by name. Return: 0; -ENODEV (without a message) or another -errno. */
int link_get(struct nl *nl, const char *name, struct link_info *ret, struct err *e);
/** link_has_ports() - is any link a port of the bridge @index? Return: 1, 0 or -errno. */
int link_has_ports(struct nl *nl, int index, struct err *e);

/* The rest queue requests on @nl; nothing happens before nl_run(). */

/** link_add_veth() - the pair of @nif, host end first (down, and a port of @master unless that is
 * 0), its peer right in the namespace @netns_fd with its name and MAC @mac */
void link_add_veth(struct nl *nl, const struct net_if *nif, int master, const uint8_t mac[6],
		   int netns_fd);
/** link_add_bridge() - down; -EEXIST when the name is taken */
void link_add_bridge(struct nl *nl, const char *name);
/** link_port() - the bridge port flags of a container's host end, see link.c */
void link_port(struct nl *nl, const char *name, bool isolated);
/** link_static_mac() - @mac is behind the bridge port @index; nothing is learnt there */
void link_static_mac(struct nl *nl, int index, const uint8_t mac[6]);
/** link_no_v6_address() - the kernel shall not form fe80:: on it by itself. ctr does where one
 * is wanted. */
void link_no_v6_address(struct nl *nl, const char *name);
void link_up(struct nl *nl, const char *name);
/** link_settle() - have the kernel take in the carrier of a link now. It does so when asked about
 * the link (Linux 6.8), else within a second, in which the first packets are lost. */
void link_settle(struct nl *nl, const char *name);
/** link_del() - fine when it is not there */
void link_del(struct nl *nl, const char *name);
/** link_probe() - ask for a link of @kind that the kernel must refuse for its multicast MAC.
 * Return: 0 when it knows the kind, -ENOTSUP or another -errno. */
int link_probe(struct nl *nl, const char *kind);

#endif
