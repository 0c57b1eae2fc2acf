/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network of one container: check, apply, undo, count.
 *
 * DOC: order of net_apply().
 *   1. what is shared is recorded and made; the container's packet rules are in force
 *   2. each veth pair is made, down, the inside end born in the container's namespace
 *   3. host ends get port flags or addresses, and come up
 *   4. inside: router advertisements off, addresses, up, routes
 *   5. what the kernel does some time later is had now: carriers, neighbours, IPv6 addresses
 * So no packet passes before the rules for it are there, and the first one that may pass does.
 *
 * A routed link needs no proxy ARP: every host end has the gateway 169.254.0.1/32 and fe80::1 as
 * its own addresses, so the kernel answers ARP and neighbour discovery for them by itself, on that
 * link alone, and nothing else is claimed. Inside, the default route names that gateway as being
 * on the link. The host's connections into the container come from 169.254.0.1 likewise.
 */
#include "netsetup/net.h"

#include "base/file.h"
#include "base/own.h"
#include "netsetup/addr_internal.h"
#include "netsetup/link_internal.h"
#include "netsetup/route_internal.h"
#include "netsetup/rules_internal.h"
#include "netsetup/shared_internal.h"

#include <ctype.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

static const struct net_addr link_gateway4 = {
	.family = AF_INET,
	.v6.s6_addr = { 169, 254, 0, 1 }, /* the bytes that .v4 shares */
	.prefix = 32,
};
static const struct net_addr link_gateway6 = {
	.family = AF_INET6,
	.v6.s6_addr = { 0xfe, 0x80, [15] = 1 },
	.prefix = 64,
};

static bool host_has_v6(void)
{
	return access("/proc/sys/net/ipv6", F_OK) == 0;
}

static int open_host(struct host *ret, struct err *e)
{
	int r = nl_open(NETLINK_ROUTE, &ret->route, e);

	return r < 0 ? r : nl_open(NETLINK_NETFILTER, &ret->nft, e);
}

static void host_done(struct host *host)
{
	nl_done(&host->route);
	nl_done(&host->nft);
}
#define own_host __attribute__((cleanup(host_done)))

/*
 * Check.
 */

static int check_name(const char *what, const char *name, struct err *e)
{
	size_t len = name ? strlen(name) : 0;
	bool good = len > 0 && len < IFNAMSIZ && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;

	for (size_t i = 0; i < len && good; i++)
		good = isgraph((unsigned char)name[i]) && !strchr("/:%", name[i]);
	if (good)
		return 0;
	(void)err_say(e, -EINVAL, "%s '%s' is not the name of a network interface", what,
		      name ? name : "");
	err_hint(e, "1 to 15 visible characters without '/', ':' and '%%'");
	return -EINVAL;
}

static bool is_unicast(const struct net_addr *a)
{
	if (a->family == AF_INET) {
		uint32_t v = ntohl(a->v4.s_addr);

		return v >> 24 != 0 && v >> 24 != 127 && v >> 28 < 0xe;
	}
	return !IN6_IS_ADDR_UNSPECIFIED(&a->v6) && !IN6_IS_ADDR_LOOPBACK(&a->v6) &&
	       !IN6_IS_ADDR_MULTICAST(&a->v6) && !IN6_IS_ADDR_V4MAPPED(&a->v6);
}

static int check_gateway(const struct net_if *nif, const struct net_addr *gateway,
			 const struct net_addr *link_gateway, struct err *e)
{
	char text[64], only[64];

	if (!gateway->family)
		return 0;
	(void)net_format_addr(gateway, false, text, sizeof(text));
	if (gateway->family != link_gateway->family || !is_unicast(gateway))
		return err_say(e, -EINVAL, "interface '%s': '%s' cannot be a gateway here",
			       nif->name, text);
	for (size_t i = 0; i < nif->addr_count; i++)
		if (addr_equal(&nif->addrs[i], gateway))
			return err_say(e, -EINVAL, "interface '%s': '%s' is its own gateway",
				       nif->name, text);
	if (nif->mode == NET_ROUTED && !addr_equal(gateway, link_gateway)) {
		(void)err_say(e, -EINVAL, "interface '%s': gateway '%s' of a routed interface",
			      nif->name, text);
		err_hint(e, "the gateway of a routed interface is always %s",
			 net_format_addr(link_gateway, false, only, sizeof(only)));
		return -EINVAL;
	}
	return 0;
}

/* What can be said without the host: pure. */
static int check_if(const struct net_config *net, size_t index, struct err *e)
{
	const struct net_if *nif = &net->ifs[index];
	char text[64];
	int r = check_name("interface", nif->name, e);

	if (r == 0)
		r = check_name("host end", nif->host_name, e);
	if (r == 0 && nif->mode == NET_BRIDGE)
		r = check_name("bridge", nif->bridge, e);
	if (r < 0)
		return r;
	if (strcmp(nif->name, "lo") == 0)
		return err_say(e, -EEXIST, "interface 'lo' exists in every network namespace");
	if (nif->mac[0] & 1)
		return err_say(e, -EINVAL, "interface '%s': its MAC is a group address", nif->name);
	for (size_t i = 0; i < index; i++)
		if (strcmp(net->ifs[i].name, nif->name) == 0 ||
		    strcmp(net->ifs[i].host_name, nif->host_name) == 0)
			return err_say(e, -EEXIST, "interface '%s' is there twice", nif->name);
	for (size_t i = 0; i < nif->addr_count; i++) {
		const struct net_addr *a = &nif->addrs[i];

		(void)net_format_addr(a, true, text, sizeof(text));
		if ((a->family != AF_INET && a->family != AF_INET6) || !is_unicast(a))
			return err_say(e, -EINVAL, "interface '%s': '%s' is no host's address",
				       nif->name, text);
		for (size_t k = 0; k <= index; k++)
			for (size_t j = 0; j < (k == index ? i : net->ifs[k].addr_count); j++)
				if (addr_equal(&net->ifs[k].addrs[j], a))
					return err_say(e, -EEXIST, "address '%s' is there twice",
						       text);
	}
	r = check_gateway(nif, &nif->gateway4, &link_gateway4, e);
	return r < 0 ? r : check_gateway(nif, &nif->gateway6, &link_gateway6, e);
}

static int conflict(const struct net_addr *a, const struct route_info *route, const char *why,
		    struct err *e)
{
	char text[64], ifname[IF_NAMESIZE] = "?";

	if (!if_indextoname((unsigned int)route->oif, ifname))
		(void)snprintf(ifname, sizeof(ifname), "%d", route->oif);
	return err_say(e, -EADDRINUSE, "address '%s' %s '%s'",
		       net_format_addr(a, false, text, sizeof(text)), why, ifname);
}

/* The route that an address has already tells what it would collide with, at a cost that does not
 * grow with the host. @bridge: index of the interface's own bridge, 0 if there is none so far. */
static int check_addr(const struct host *host, const struct net_if *nif, const struct net_addr *a,
		      int bridge, bool is_gateway, struct err *e)
{
	bool on_own_bridge;
	struct route_info route;
	char text[64];
	int r;

	if (a->family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&a->v6))
		return 0; /* means something else on every link */
	r = route_lookup(host->route, a, &route, e);
	if (r < 0)
		return r;
	on_own_bridge = bridge && route.oif == bridge;
	if (route.found && route.is_local && !(is_gateway && on_own_bridge))
		return conflict(a, &route, "belongs to the host itself, on", e);
	if (route.found && !route.is_local && !route.has_gateway && route.prefix &&
	    nif->mode == NET_BRIDGE && !on_own_bridge)
		return conflict(a, &route, "is in the network of", e);
	if (route.found && !route.is_local && nif->mode == NET_ROUTED &&
	    route.prefix == addr_len(a->family) * 8)
		return conflict(a, &route, "is routed to", e);
	if (is_gateway)
		return 0;
	r = rules_taken(host->nft, nif, a, e);
	if (r > 0)
		return err_say(e, -EADDRINUSE, "address '%s' is in use by another container",
			       net_format_addr(a, false, text, sizeof(text)));
	return r;
}

static int check_host(const struct host *host, const struct net_if *nif, struct err *e)
{
	struct link_info link;
	int bridge = 0;
	int r = link_get(host->route, nif->host_name, &link, e);

	if (r == 0)
		return err_say(e, -EEXIST, "link '%s' exists already", nif->host_name);
	if (r != -ENODEV)
		return r;
	if (nif->mode == NET_BRIDGE) {
		r = link_get(host->route, nif->bridge, &link, e);
		if (r == 0 && strcmp(link.kind, "bridge") != 0)
			return err_say(e, -EEXIST, "'%s' exists and is not a bridge", nif->bridge);
		if (r == 0)
			bridge = link.index;
		else if (r != -ENODEV)
			return r;
	}
	for (size_t i = 0; i < nif->addr_count; i++) {
		r = check_addr(host, nif, &nif->addrs[i], bridge, false, e);
		if (r < 0)
			return r;
	}
	if (nif->mode != NET_BRIDGE || !nif->host_owns_gateway)
		return 0;
	r = nif->gateway4.family ? check_addr(host, nif, &nif->gateway4, bridge, true, e) : 0;
	if (r == 0 && nif->gateway6.family)
		r = check_addr(host, nif, &nif->gateway6, bridge, true, e);
	return r;
}

static int probe(const struct host *host, const char *feature)
{
	if (strcmp(feature, "veth") == 0 || strcmp(feature, "bridge") == 0)
		return link_probe(host->route, feature);
	if (strcmp(feature, "nf_tables") == 0 || strcmp(feature, "nat") == 0)
		return rules_probe(host->nft);
	return -ENOTSUP;
}

int net_probe(const char *feature)
{
	own_host struct host host = { 0 };
	int r = open_host(&host, NULL);

	return r < 0 ? r : probe(&host, feature);
}

static int check_features(const struct host *host, const struct net_config *net, struct err *e)
{
	static const char *const features[] = { "veth", "bridge", "nf_tables" };

	/* With the tables in place all of it has worked before. */
	if (rules_present(host->nft, net))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
		int r = probe(host, features[i]);

		if (r == -ENOTSUP) {
			(void)err_say(e, r, "this kernel lacks '%s'", features[i]);
			err_hint(e,
				 "load the module, or use the network modes \"host\" or \"none\"");
			return r;
		}
		if (r < 0)
			return err_set(e, r, "probe for '%s'", features[i]);
	}
	return 0;
}

int net_check(const struct net_config *net, struct err *e)
{
	own_host struct host host = { 0 };
	int r;

	for (size_t i = 0; i < net->if_count; i++) {
		r = check_if(net, i, e);
		if (r < 0)
			return r;
	}
	if (!net->if_count)
		return 0;
	r = open_host(&host, e);
	if (r == 0)
		r = check_features(&host, net, e);
	for (size_t i = 0; i < net->if_count && r == 0; i++)
		r = check_host(&host, &net->ifs[i], e);
	return r;
}

/*
 * Apply.
 */

/* What net_apply() learns about an interface on its way. */
struct made {
	uint8_t mac[6];
	uint8_t gateway_mac[6];
	bool knows_gateway; /* the host is the gateway, and has and keeps that MAC */
	int inside;	    /* index of the inside end */
	int network;	    /* index of the link that the host reaches the container by */
};

static int make_link(const struct host *host, const struct net_config *net,
		     const struct net_if *nif, int netns_fd, struct made *made, struct err *e)
{
	struct link_info bridge = { 0 };
	int r;

	addr_guest_mac(net->id, nif, made->mac);
	made->knows_gateway = nif->mode == NET_ROUTED;
	addr_host_mac(nif->host_name, made->gateway_mac);
	if (nif->mode == NET_BRIDGE) {
		r = link_get(host->route, nif->bridge, &bridge, e);
		if (r == -ENODEV)
			return err_set(e, r, "bridge '%s'", nif->bridge);
		if (r < 0)
			return r;
		made->network = bridge.index;
		/* A bridge that was not given its MAC may take another with the port we add. */
		addr_bridge_mac(nif->bridge, made->gateway_mac);
		made->knows_gateway =
			nif->host_owns_gateway && memcmp(bridge.mac, made->gateway_mac, 6) == 0;
	}
	link_add_veth(host->route, nif, bridge.index, made->mac, netns_fd);
	return nl_run(host->route, NULL, NULL, e);
}

/* A routed address is one host, whatever network the config writes behind it. */
static struct net_addr single(const struct net_addr *a)
{
	struct net_addr host = *a;

	host.prefix = (uint8_t)(addr_len(a->family) * 8);
	return host;
}

static int setup_host_end(const struct host *host, const struct net_if *nif, struct made *made,
			  struct err *e)
{
	struct nl *nl = host->route;
	struct link_info link;
	int r = link_get(nl, nif->host_name, &link, e);

	if (r < 0)
		return r == -ENODEV ? err_set(e, r, "link '%s'", nif->host_name) : r;
	if (host_has_v6())
		link_no_v6_address(nl, nif->host_name);
	if (nif->mode == NET_BRIDGE) {
		link_port(nl, nif->host_name, !nif->reach_peers);
		link_static_mac(nl, link.index, made->mac);
		link_up(nl, nif->host_name);
		return nl_run(nl, NULL, NULL, e);
	}
	made->network = link.index;
	for (size_t i = 0; i < nif->addr_count; i++)
		route_add_addr(nl, link.index,
			       nif->addrs[i].family == AF_INET ? &link_gateway4 : &link_gateway6);
	link_up(nl, nif->host_name);
	for (size_t i = 0; i < nif->addr_count; i++) {
		struct net_addr dst = single(&nif->addrs[i]);

		route_add(nl, link.index, dst.family, &dst, NULL, false);
	}
	return nl_run(nl, NULL, NULL, e);
}

/* The inside ends are up: have the host see the carrier, and know its new neighbours. */
static int finish_host_ends(const struct host *host, const struct net_config *net,
			    const struct made *made, struct err *e)
{
	struct nl *nl = host->route;

	for (size_t i = 0; i < net->if_count; i++) {
		const struct net_if *nif = &net->ifs[i];

		link_settle(nl, nif->host_name);
		if (nif->mode == NET_BRIDGE)
			link_settle(nl, nif->bridge);
		for (size_t k = 0; k < nif->addr_count; k++)
			route_warm_neighbour(nl, made[i].network, &nif->addrs[k], made[i].mac);
	}
	return nl_run(nl, NULL, NULL, e);
}

struct inside {
	const struct net_config *net;
	struct nl *nl, *events;
};

static void inside_done(struct inside *in)
{
	nl_done(&in->nl);
	nl_done(&in->events);
}
#define own_inside __attribute__((cleanup(inside_done)))

/* The addresses are those of the config. One formed from a router's advertisement would be chosen
 * as source for what leaves, and be dropped as forged. */
static int no_router_advertisements(const char *ifname, struct err *e)
{
	char path[96];
	int r;

	(void)snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/accept_ra", ifname);
	r = file_write(AT_FDCWD, path, "0");
	return r < 0 && r != -ENOENT ? err_set(e, r, "set '%s'", path) : 0;
}

static int enter(void *arg, struct err *e)
{
	struct inside *in = arg;
	int r = nl_open(NETLINK_ROUTE, &in->nl, e);

	if (in->net && r == 0)
		r = nl_open_events(RTNLGRP_IPV6_ROUTE, &in->events, e);
	for (size_t i = 0; in->net && i < in->net->if_count && r == 0; i++)
		r = no_router_advertisements(in->net->ifs[i].name, e);
	return r;
}

static void add_default(struct nl *nl, const struct net_if *nif, int index,
			const struct net_addr *gateway, const struct made *made)
{
	bool reachable = gateway->family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&gateway->v6);

	if (!gateway->family)
		return;
	for (size_t i = 0; i < nif->addr_count && nif->mode == NET_BRIDGE; i++)
		reachable = reachable || addr_in_network(gateway, &nif->addrs[i]);
	route_add(nl, index, gateway->family, NULL, gateway, !reachable);
	if (made->knows_gateway)
		route_warm_neighbour(nl, index, gateway, made->gateway_mac);
}

static int setup_inside(struct nl *nl, const struct net_if *nif, struct made *made, struct err *e)
{
	struct net_addr link_local = addr_link_local(made->mac);
	struct link_info link;
	bool has_v4 = false;
	int r = link_get(nl, nif->name, &link, e);

	if (r < 0)
		return r == -ENODEV ? err_set(e, r, "link '%s'", nif->name) : r;
	made->inside = link.index;
	/* The address that the kernel would form anyway, but usable at once; none without IPv6. */
	route_add_addr(nl, link.index, &link_local);
	nl_accept(nl, EOPNOTSUPP);
	nl_accept(nl, EACCES);
	for (size_t i = 0; i < nif->addr_count; i++) {
		struct net_addr a = nif->addrs[i];

		if (nif->mode == NET_ROUTED)
			a = single(&a);
		has_v4 = has_v4 || a.family == AF_INET;
		route_add_addr(nl, link.index, &a);
	}
	link_up(nl, nif->name);
	link_settle(nl, nif->name);
	if (nif->mode == NET_ROUTED && has_v4) /* the host's own connections come from there */
		route_add(nl, link.index, AF_INET, &link_gateway4, NULL, false);
	add_default(nl, nif, link.index, &nif->gateway4, made);
	add_default(nl, nif, link.index, &nif->gateway6, made);
	return nl_run(nl, NULL, NULL, e);
}

static int await_addresses(const struct host *host, struct nl *events, const struct inside *in,
			   const struct net_if *nif, const struct made *made, struct err *e)
{
	const struct net_addr *gateway = nif->mode == NET_ROUTED ? &link_gateway6 : &nif->gateway6;
	bool has_v6 = false;
	int r = 0;

	for (size_t i = 0; i < nif->addr_count && r == 0; i++) {
		if (nif->addrs[i].family != AF_INET6)
			continue;
		has_v6 = true;
		r = route_await_local(in->nl, in->events, made->inside, &nif->addrs[i], e);
	}
	if (r == 0 && has_v6 && gateway->family &&
	    (nif->mode == NET_ROUTED || nif->host_owns_gateway))
		r = route_await_local(host->route, events, made->network, gateway, e);
	return r;
}

int net_loopback_up(int netns_fd, struct err *e)
{
	own_inside struct inside in = { 0 };
	int r = nl_in_netns(netns_fd, enter, &in, e);

	if (r < 0)
		return r;
	link_up(in.nl, "lo");
	return nl_run(in.nl, NULL, NULL, e);
}

int net_apply(const struct net_config *net, int dirfd, int netns_fd, struct err *e)
{
	own_free struct made *made = calloc(net->if_count + 1, sizeof(*made));
	own_inside struct inside in = { .net = net };
	own_host struct host host = { 0 };
	own_nl struct nl *events = NULL;
	int r;

	if (!net->if_count)
		return net_loopback_up(netns_fd, e);
	if (!made)
		return err_set(e, -ENOMEM, "set up the network");
	r = open_host(&host, e);
	if (r == 0)
		r = nl_open_events(RTNLGRP_IPV6_ROUTE, &events, e);
	if (r == 0)
		r = shared_apply(&host, net, dirfd, e);
	for (size_t i = 0; i < net->if_count && r == 0; i++)
		r = make_link(&host, net, &net->ifs[i], netns_fd, &made[i], e);
	for (size_t i = 0; i < net->if_count && r == 0; i++)
		r = setup_host_end(&host, &net->ifs[i], &made[i], e);
	if (r < 0)
		return r;
	r = nl_in_netns(netns_fd, enter, &in, e);
	if (r < 0)
		return r;
	link_up(in.nl, "lo");
	for (size_t i = 0; i < net->if_count; i++) {
		r = setup_inside(in.nl, &net->ifs[i], &made[i], e);
		if (r < 0)
			return err_wrap(e, r, "interface '%s'", net->ifs[i].name);
	}
	r = finish_host_ends(&host, net, made, e);
	for (size_t i = 0; i < net->if_count && r == 0; i++)
		r = await_addresses(&host, events, &in, &net->ifs[i], &made[i], e);
	return r;
}

/*
 * Undo and count.
 */

static int remove_link(const struct host *host, const struct net_if *nif, struct err *e)
{
	struct link_info link;
	int r = link_get(host->route, nif->host_name, &link, e);

	if (r < 0)
		return r == -ENODEV ? 0 : r;
	if (strcmp(link.kind, "veth") != 0)
		return 0; /* somebody else's: we make nothing but veth pairs under these names */
	link_del(host->route, nif->host_name);
	return nl_run(host->route, NULL, NULL, e);
}

int net_undo(const struct net_config *net, int dirfd, struct err *e)
{
	own_host struct host host = { 0 };
	int result = open_host(&host, e), r;

	if (result < 0)
		return result;
	for (size_t i = 0; i < net->if_count; i++) {
		r = remove_link(&host, &net->ifs[i], result ? NULL : e);
		if (r < 0 && !result)
			result = r;
	}
	r = shared_undo(&host, net, dirfd, result ? NULL : e);
	return result ? result : r;
}

int net_counters_read(const struct net_config *net, struct net_counters *ret)
{
	struct net_counters sum = { 0 };
	own_nl struct nl *nl = NULL;
	int r = net->if_count ? nl_open(NETLINK_ROUTE, &nl, NULL) : 0;

	for (size_t i = 0; i < net->if_count && r == 0; i++) {
		struct link_info link = { 0 };

		r = link_get(nl, net->ifs[i].host_name, &link, NULL);
		/* What the host end sends, the container receives. */
		sum.rx_bytes += link.tx_bytes;
		sum.rx_packets += link.tx_packets;
		sum.tx_bytes += link.rx_bytes;
		sum.tx_packets += link.rx_packets;
	}
	if (r == 0)
		*ret = sum;
	return r;
}
