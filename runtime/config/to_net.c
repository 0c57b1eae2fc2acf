/* SPDX-License-Identifier: Apache-2.0 */
/* The interfaces of a partition. */
#include "base/own.h"
#include "runtime/config/config_internal.h"

#include <string.h>

static const char default_bridge[] = "ctr0";

/* What the host answers as on a routed link: see the DOC block of netsetup/net.h. */
static const char routed_gateway4[] = "169.254.0.1", routed_gateway6[] = "fe80::1";

static int set_addresses(const struct config_if *from, struct arena *arena, struct net_if *to)
{
	to->addrs = arena_alloc(arena, from->addresses.n * sizeof(*to->addrs));
	if (!to->addrs)
		return -ENOMEM;
	to->addr_count = from->addresses.n;
	for (size_t i = 0; i < from->addresses.n; i++) {
		int r = net_parse_addr(from->addresses.v[i], &to->addrs[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

static int set_gateway(const char *s, struct net_if *to)
{
	struct net_addr a;
	int r = net_parse_addr(s, &a);

	if (r < 0)
		return r;
	*(a.family == AF_INET ? &to->gateway4 : &to->gateway6) = a;
	return 0;
}

static int set_gateways(const struct config_if *from, struct net_if *to)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < from->gateways.n; i++)
		r = set_gateway(from->gateways.v[i], to);
	for (size_t i = 0; r == 0 && from->mode == NET_ROUTED && i < to->addr_count; i++)
		r = set_gateway(to->addrs[i].family == AF_INET ? routed_gateway4 : routed_gateway6,
				to);
	return r;
}

static void set_reach(const struct strv *reach, struct net_if *to)
{
	for (size_t i = 0; i < reach->n; i++) {
		uint64_t who = 0;

		(void)name_value(config_reach_names, reach->v[i], &who); /* config_check() did */
		to->reach_host |= who == REACH_HOST;
		to->reach_peers |= who == REACH_PARTITIONS;
		to->reach_outside |= who == REACH_OUTSIDE;
	}
}

static int convert(const struct config_if *from, const char *id, size_t index, struct arena *arena,
		   struct net_if *to)
{
	char host_name[16];
	int r;

	net_host_name(id, index, host_name);
	to->name = from->name;
	to->mode = from->mode;
	to->mtu = from->mtu;
	to->nat = from->nat;
	to->host_name = arena_strdup(arena, host_name);
	if (!to->host_name)
		return -ENOMEM;
	if (from->mode == NET_BRIDGE) {
		to->bridge = from->bridge ? from->bridge : arena_strdup(arena, default_bridge);
		to->host_owns_gateway = from->host_gateway.set ? from->host_gateway.v : from->nat;
		if (!to->bridge)
			return -ENOMEM;
	}
	r = set_addresses(from, arena, to);
	if (r < 0)
		return r;
	r = set_gateways(from, to);
	if (r < 0)
		return r;
	set_reach(&from->reach, to);
	if (from->mac)
		return config_mac(from->mac, to->mac);
	net_derive_mac(id, from->name, to->mac);
	return 0;
}

int config_to_net(const struct config *config, const char *id, struct arena *arena,
		  struct net_config *ret, struct err *e)
{
	const struct config_if *from = config->network.interfaces.v;
	size_t n = config->network.mode == CONFIG_NET_PRIVATE ? config->network.interfaces.n : 0;
	struct net_config net = { .if_count = n };

	net.id = arena_strdup(arena, id);
	net.ifs = arena_alloc(arena, n * sizeof(*net.ifs));
	if (!net.id || !net.ifs)
		return err_set(e, -ENOMEM, "interfaces");
	for (size_t i = 0; i < n; i++) {
		int r = convert(&from[i], id, i, arena, &net.ifs[i]);

		if (r < 0)
			return err_set(e, r, "network.interfaces[%zu]", i);
	}
	*ret = net;
	return 0;
}
