/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network of one container: links, addresses, routes and packet rules, by netlink alone.
 *
 * DOC: every name that is made on the host derives from the container's id or is the bridge that
 * the config names. The caller has saved the struct net_config before net_apply(), so net_undo()
 * can remove whatever exists of it, in any state, any number of times. What containers share (a
 * bridge that ctr made, a sysctl that it changed, the packet tables) is recorded, with its users
 * and the value of before, in the directory @dirfd, under a lock, before it is touched; the last
 * user's undo puts it back. Kinds of interface:
 *   bridge  a veth pair whose host end is a port of a bridge (made when missing, removed with its
 *           last port if ctr made it); the bridge may own the gateway address
 *   routed  a veth pair without a bridge: the host routes each address to it (/32, /128) and
 *           answers ARP/NDP as the gateway 169.254.0.1 / fe80::1 on the link
 * Packet rules are in one nf_tables table per family that ctr owns ("ctr"), with sets and maps, so
 * their cost does not grow with the number of containers.
 */
#ifndef CTR_NETSETUP_NET_H
#define CTR_NETSETUP_NET_H

#include "base/arena.h"
#include "base/err.h"
#include "base/value.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

enum net_mode { NET_BRIDGE, NET_ROUTED, NET_MODES };

/** An IPv4 or IPv6 address with its prefix length. */
struct net_addr {
	int family; /* AF_INET or AF_INET6; 0 = none */
	union {
		struct in_addr v4;
		struct in6_addr v6;
	};
	uint8_t prefix;
};

struct net_if {
	char *name; /* inside: "eth0" */
	enum net_mode mode;
	char *host_name; /* host end; at most 15 bytes; derived by net_host_name() */
	char *bridge;	 /* NET_BRIDGE */
	uint8_t mac[6];	 /* inside; derived from id and name when all zero */
	uint32_t mtu;	 /* 0: the kernel's default */
	struct net_addr *addrs;
	size_t addr_count;
	struct net_addr gateway4, gateway6; /* family 0: no default route of that family */
	bool host_owns_gateway;		    /* the bridge itself gets the gateway addresses */
	bool nat;	    /* masquerade what leaves the host from these addresses */
	bool reach_host;    /* may open connections to the host's own addresses */
	bool reach_peers;   /* may talk to other containers of ctr */
	bool reach_outside; /* is forwarded to other networks */
};

struct net_config {
	const char *id;
	struct net_if *ifs;
	size_t if_count;
};

/** net_parse_addr() - "10.0.0.2/24", "2001:db8::2/64"; without /N the prefix is 32 or 128.
 * Pure. Return: 0 or -EINVAL. */
int net_parse_addr(const char *s, struct net_addr *ret);
/** net_format_addr() - into @buf (at least 64 bytes); returns @buf */
char *net_format_addr(const struct net_addr *a, bool with_prefix, char *buf, size_t size);
/** net_host_name() - host end of interface number @index of @id: "ctr" + hash, 15 bytes at most.
 * Pure and stable. */
void net_host_name(const char *id, size_t index, char ret[16]);
/** net_derive_mac() - locally administered unicast MAC from id and interface name. Pure. */
void net_derive_mac(const char *id, const char *ifname, uint8_t ret[6]);

/** net_check() - refuse before anything is made: an address that the host already owns, a name
 * that exists, a bridge that is not a bridge, a missing kernel feature. Read only. */
int net_check(const struct net_config *net, struct err *e);
/** net_apply() - make everything of @net; inside ends go to the network namespace @netns_fd,
 * loopback up there. @net must be in the record already. On failure the caller runs net_undo(). */
int net_apply(const struct net_config *net, int dirfd, int netns_fd, struct err *e);
/** net_loopback_up() - for a private namespace with no interface but lo */
int net_loopback_up(int netns_fd, struct err *e);
/** net_undo() - remove whatever exists of @net: links, rules, routes; the bridge, sysctls and the
 * tables when this was their last user. Idempotent; goes on past failures and reports the first. */
int net_undo(const struct net_config *net, int dirfd, struct err *e);

/** A device of the host that a container gets. */
struct net_device {
	const char *name;   /* on the host */
	const char *inside; /* in the container; "eth%d" lets the kernel number it */
	/* Filled by net_devices_move(): */
	char moved_as[16]; /* empty: not moved */
	bool was_up;
};
/** net_devices_check() - does each exist? Read only. */
int net_devices_check(const struct net_device *devices, size_t count, struct err *e);
/** net_devices_move() - into @netns_fd, up, with their permanent addresses of global scope. On
 * failure the caller runs net_devices_return(). A name that is taken there: -EEXIST. */
int net_devices_move(struct net_device *devices, size_t count, int netns_fd, struct err *e);
/** net_devices_return() - undo a move, for a container that did not become */
void net_devices_return(const struct net_device *devices, size_t count, int netns_fd);

struct net_counters {
	uint64_t rx_bytes, rx_packets, tx_bytes, tx_packets; /* as the container sees it */
};
/** net_counters_read() - sum over the container's interfaces. Return: 0 or -errno. */
int net_counters_read(const struct net_config *net, struct net_counters *ret);

/** net_probe() - what this kernel offers: link kinds and nf_tables. Text for `ctr doctor`.
 * Return: 0 when @feature ("veth", "bridge", "nf_tables", "nat") works, else -ENOTSUP. */
int net_probe(const char *feature);

#endif
