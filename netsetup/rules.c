/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may talk to whom, and who may say to be whom.
 *
 * DOC: two tables, with rules that never change and maps that hold the containers.
 *
 * "bridge ctr" sees frames at the bridge ports of containers. `ports` maps a host end to its reach
 * flags; `own4` and `own6` hold what may come from it: (port, source MAC, source address). ARP goes
 * by the same set: (port, MAC, sender address) for both the frame's and the ARP sender's MAC.
 * 0.0.0.0 and :: are in the sets for ARP probes and duplicate address detection, and pass for
 * nothing else. Neighbour advertisements may only speak of own addresses. Router advertisements
 * and redirects, VLAN tags and everything that is neither IP nor ARP are dropped.
 *
 * "inet ctr" sees packets at the host's IP stack. There a container is (interface, address): the
 * bridge, or the host end of a routed one; the bridge table vouches for the address. `guests4` and
 * `guests6` map that to the reach flags. `links` holds all host ends: a packet that enters the IP
 * stack right from one must be in `guests`, so a routed container cannot forge, and a bridged one
 * cannot get past the bridge with frames for reserved group addresses.
 *
 * Peers talk if both may. Forwarding needs no connection state: what may not go out gets no answer
 * in either. Towards the host itself state matters: the host may always open connections, and the
 * answers flow. Neighbour discovery always passes, since without it the host could not either.
 */
#include "netsetup/rules_internal.h"

#include "base/own.h"
#include "netsetup/addr_internal.h"
#include "netsetup/nft_internal.h"

#include <linux/if_packet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter_bridge.h>
#include <linux/netfilter_ipv4.h>
#include <string.h>

static const char table_name[] = "ctr";

/* GUEST is in every element: a rule that only asks whether there is one tests it, and then the nft
 * tool lists what the rule means. */
enum flag { GUEST = 1, HOST = 2, PEERS = 4, OUTSIDE = 8, NAT = 16 };

/* Registers. A key begins at KEY with the 16 bytes of an interface name. */
enum { KEY = 0, ADDR = 4, MAC_ADDR = 6, FROM = 12, TO = 13, TEMP = 14 };

/* The nft tool's ids of types (libnftables datatype.h), 6 bits for each field of a key. */
enum { T_IP4 = 7, T_IP6 = 8, T_MAC = 9, T_IFNAME = 41 };
#define T2(a, b)    ((a) << 6 | (b))
#define T3(a, b, c) ((a) << 12 | (b) << 6 | (c))

enum { ICMP6_REDIRECT = 137, ICMP6_RA = 134, ICMP6_NS = 135, ICMP6_NA = 136 };

/* clang-format off */
#define LINK	NFT_PAYLOAD_LL_HEADER
#define NETWORK	NFT_PAYLOAD_NETWORK_HEADER
#define INNER	NFT_PAYLOAD_TRANSPORT_HEADER

#define IN_NAME		NFT_META_TO(NFT_META_IIFNAME, KEY)
#define OUT_NAME		NFT_META_TO(NFT_META_OIFNAME, KEY)
#define V4		NFT_META_TO(NFT_META_NFPROTO, TEMP), NFT_IS(TEMP, 1, NFPROTO_IPV4)
#define V6		NFT_META_TO(NFT_META_NFPROTO, TEMP), NFT_IS(TEMP, 1, NFPROTO_IPV6)
#define SRC4(r)		NFT_LOAD(NETWORK, 12, 4, r)
#define DST4(r)		NFT_LOAD(NETWORK, 16, 4, r)
#define SRC6(r)		NFT_LOAD(NETWORK, 8, 16, r)
#define DST6(r)		NFT_LOAD(NETWORK, 24, 16, r)
#define FROM_GUEST4	IN_NAME, SRC4(ADDR), NFT_MAP(KEY, "guests4", FROM)
#define FROM_GUEST6	IN_NAME, SRC6(ADDR), NFT_MAP(KEY, "guests6", FROM)
#define TO_GUEST4	OUT_NAME, DST4(ADDR), NFT_MAP(KEY, "guests4", TO)
#define TO_GUEST6	OUT_NAME, DST6(ADDR), NFT_MAP(KEY, "guests6", TO)
#define HAIRPIN4	OUT_NAME, SRC4(ADDR), NFT_MAP(KEY, "guests4", TO)
#define HAIRPIN6	OUT_NAME, SRC6(ADDR), NFT_MAP(KEY, "guests6", TO)
#define FROM_PORT	IN_NAME, NFT_MAP(KEY, "ports", FROM)
#define TO_PORT		OUT_NAME, NFT_MAP(KEY, "ports", TO)
#define MAY(r, f)	NFT_BITS(r, f, TEMP), NFT_ISNT(TEMP, 4, 0)
#define MAY_NOT(r, f)	NFT_BITS(r, f, TEMP), NFT_IS(TEMP, 4, 0)
#define ICMP6(t)	NFT_META_TO(NFT_META_L4PROTO, TEMP), NFT_IS(TEMP, 1, IPPROTO_ICMPV6), NFT_LOAD(INNER, 0, 1, TEMP), NFT_IS(TEMP, 1, t)
#define ANSWER		NFT_CT_TO(NFT_CT_STATE, TEMP), NFT_MASK(TEMP, NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED), TEMP), NFT_NE(TEMP, 0)
#define GROUP_FRAME	NFT_META_TO(NFT_META_PKTTYPE, TEMP), NFT_ISNT(TEMP, 1, PACKET_HOST)
#define FRAME(hi, lo)	NFT_LOAD(LINK, 12, 2, TEMP), NFT_IS(TEMP, 2, hi, lo)
#define FRAME_MAC	NFT_LOAD(LINK, 6, 6, ADDR)
#define ARP_MAC		NFT_LOAD(NETWORK, 8, 6, ADDR)
#define ARP_SENDER	NFT_LOAD(NETWORK, 14, 4, MAC_ADDR)
#define ND_TARGET	NFT_LOAD(INNER, 8, 16, MAC_ADDR)
#define OWN4		NFT_IN(KEY, "own4")
#define OWN6		NFT_IN(KEY, "own6")
#define ACCEPT		NFT_DO(NF_ACCEPT)
#define DROP		NFT_DO(NF_DROP)

enum { EXPRS_MAX = 16 };

struct rule {
	const char *chain;
	struct nft_expr exprs[EXPRS_MAX];
};

static const struct nft_set inet_sets[] = {
	{ "links", T_IFNAME, 16, false },
	{ "guests4", T2(T_IFNAME, T_IP4), 20, true },
	{ "guests6", T2(T_IFNAME, T_IP6), 32, true },
};
static const struct nft_chain inet_chains[] = {
	{ "from_link", NULL, 0, 0 },
	{ "prerouting", "filter", NF_INET_PRE_ROUTING, NF_IP_PRI_RAW },
	{ "input", "filter", NF_INET_LOCAL_IN, NF_IP_PRI_FILTER },
	{ "forward", "filter", NF_INET_FORWARD, NF_IP_PRI_FILTER },
	{ "postrouting", "nat", NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC },
};
static const struct rule inet_rules[] = {
	{ "from_link", { V6, ICMP6(ICMP6_RA), DROP } },
	{ "from_link", { V6, ICMP6(ICMP6_REDIRECT), DROP } },
	{ "from_link", { V4, FROM_GUEST4, MAY(FROM, GUEST), ACCEPT } },
	{ "from_link", { V6, FROM_GUEST6, MAY(FROM, GUEST), ACCEPT } },
	{ "from_link", { DROP } },
	{ "prerouting", { IN_NAME, NFT_IN(KEY, "links"), NFT_CALL("from_link") } },

	{ "input", { ANSWER, ACCEPT } },
	{ "input", { V6, ICMP6(ICMP6_NS), ACCEPT } },
	{ "input", { V6, ICMP6(ICMP6_NA), ACCEPT } },
	{ "input", { V4, FROM_GUEST4, MAY_NOT(FROM, HOST), DROP } },
	{ "input", { V6, FROM_GUEST6, MAY_NOT(FROM, HOST), DROP } },

	/* With br_netfilter bridged frames come by here too. Broadcasts among them have no one
	 * destination; the bridge table has chosen their ports. IP forwarding has none of those. */
	{ "forward", { GROUP_FRAME, V4, HAIRPIN4, MAY(TO, GUEST), ACCEPT } },
	{ "forward", { GROUP_FRAME, V6, HAIRPIN6, MAY(TO, GUEST), ACCEPT } },
	{ "forward", { V4, FROM_GUEST4, MAY(FROM, PEERS), TO_GUEST4, MAY(TO, PEERS), ACCEPT } },
	{ "forward", { V6, FROM_GUEST6, MAY(FROM, PEERS), TO_GUEST6, MAY(TO, PEERS), ACCEPT } },
	{ "forward", { V4, FROM_GUEST4, MAY(FROM, GUEST), TO_GUEST4, MAY(TO, GUEST), DROP } },
	{ "forward", { V6, FROM_GUEST6, MAY(FROM, GUEST), TO_GUEST6, MAY(TO, GUEST), DROP } },
	{ "forward", { V4, FROM_GUEST4, MAY_NOT(FROM, OUTSIDE), DROP } },
	{ "forward", { V6, FROM_GUEST6, MAY_NOT(FROM, OUTSIDE), DROP } },
	{ "forward", { V4, TO_GUEST4, MAY_NOT(TO, OUTSIDE), DROP } },
	{ "forward", { V6, TO_GUEST6, MAY_NOT(TO, OUTSIDE), DROP } },

	{ "postrouting", { V4, TO_GUEST4, MAY(TO, GUEST), ACCEPT } },
	{ "postrouting", { V6, TO_GUEST6, MAY(TO, GUEST), ACCEPT } },
	{ "postrouting", { V4, FROM_GUEST4, MAY(FROM, NAT), NFT_MASQUERADE } },
	{ "postrouting", { V6, FROM_GUEST6, MAY(FROM, NAT), NFT_MASQUERADE } },
};

static const struct nft_set bridge_sets[] = {
	{ "ports", T_IFNAME, 16, true },
	{ "own4", T3(T_IFNAME, T_MAC, T_IP4), 28, false },
	{ "own6", T3(T_IFNAME, T_MAC, T_IP6), 40, false },
};
static const struct nft_chain bridge_chains[] = {
	{ "from_own6", NULL, 0, 0 },
	{ "from_port", NULL, 0, 0 },
	{ "prerouting", "filter", NF_BR_PRE_ROUTING, NF_BR_PRI_NAT_DST_BRIDGED },
	{ "forward", "filter", NF_BR_FORWARD, NF_BR_PRI_FILTER_BRIDGED },
};
static const struct rule bridge_rules[] = {
	{ "from_own6", { ICMP6(ICMP6_NA), IN_NAME, FRAME_MAC, ND_TARGET, OWN6, ACCEPT } },
	{ "from_own6", { ICMP6(ICMP6_NA), DROP } },
	{ "from_own6", { ICMP6(ICMP6_RA), DROP } },
	{ "from_own6", { ICMP6(ICMP6_REDIRECT), DROP } },
	{ "from_own6", { NFT_META_TO(NFT_META_L4PROTO, TEMP), NFT_IS(TEMP, 1, IPPROTO_ICMPV6), ACCEPT } },
	{ "from_own6", { SRC6(ADDR), NFT_IS(ADDR, 16, 0), DROP } },
	{ "from_own6", { ACCEPT } },

	{ "from_port", { FRAME(0x08, 0x00), SRC4(ADDR), NFT_IS(ADDR, 4, 0), DROP } },
	{ "from_port", { FRAME(0x08, 0x00), IN_NAME, FRAME_MAC, SRC4(MAC_ADDR), OWN4, ACCEPT } },
	{ "from_port", { FRAME(0x08, 0x06), NFT_LOAD(NETWORK, 0, 6, ADDR), NFT_IS(ADDR, 6, 0, 1, 8, 0, 6, 4),
			 IN_NAME, FRAME_MAC, ARP_SENDER, OWN4, ARP_MAC, OWN4, ACCEPT } },
	{ "from_port", { FRAME(0x86, 0xdd), IN_NAME, FRAME_MAC, SRC6(MAC_ADDR), OWN6, NFT_CALL("from_own6") } },
	{ "from_port", { DROP } },
	{ "prerouting", { FROM_PORT, MAY(FROM, GUEST), NFT_CALL("from_port") } },

	{ "forward", { FROM_PORT, MAY(FROM, PEERS), TO_PORT, MAY(TO, PEERS), ACCEPT } },
	{ "forward", { FROM_PORT, MAY(FROM, GUEST), TO_PORT, MAY(TO, GUEST), DROP } },
	{ "forward", { FROM_PORT, MAY_NOT(FROM, OUTSIDE), DROP } },
	{ "forward", { TO_PORT, MAY_NOT(TO, OUTSIDE), DROP } },
};

static const struct {
	const char *name;
	uint8_t family;
	const struct nft_set *sets;
	size_t set_count;
	const struct nft_chain *chains;
	size_t chain_count;
	const struct rule *rules;
	size_t rule_count;
} tables[] = {
	[RULES_INET] = { "inet", NFPROTO_INET, inet_sets, ARRAY_SIZE(inet_sets), inet_chains,
			 ARRAY_SIZE(inet_chains), inet_rules, ARRAY_SIZE(inet_rules) },
	[RULES_BRIDGE] = { "bridge", NFPROTO_BRIDGE, bridge_sets, ARRAY_SIZE(bridge_sets), bridge_chains,
			   ARRAY_SIZE(bridge_chains), bridge_rules, ARRAY_SIZE(bridge_rules) },
};
/* clang-format on */
_Static_assert(ARRAY_SIZE(tables) == RULES_TABLES, "each table has a row");

const char *rules_table_name(enum rules_table table)
{
	return tables[table].name;
}

bool rules_need(const struct net_config *net, enum rules_table table)
{
	for (size_t i = 0; i < net->if_count; i++)
		if (table == RULES_INET || net->ifs[i].mode == NET_BRIDGE)
			return true;
	return false;
}

static void queue_table(struct nl *nl, enum rules_table table, const char *name)
{
	uint8_t family = tables[table].family;

	nft_add_table(nl, family, name);
	for (size_t i = 0; i < tables[table].set_count; i++)
		nft_add_set(nl, family, name, &tables[table].sets[i], (uint32_t)i + 1);
	for (size_t i = 0; i < tables[table].chain_count; i++)
		nft_add_chain(nl, family, name, &tables[table].chains[i]);
	for (size_t i = 0; i < tables[table].rule_count; i++)
		nft_add_rule(nl, family, name, tables[table].rules[i].chain,
			     tables[table].rules[i].exprs);
}

bool rules_present(struct nl *nl, const struct net_config *net)
{
	for (size_t i = 0; i < RULES_TABLES; i++)
		if (rules_need(net, (enum rules_table)i) &&
		    nft_has_table(nl, tables[i].family, table_name, NULL) != 1)
			return false;
	return true;
}

int rules_make(struct nl *nl, enum rules_table table, struct err *e)
{
	int r = nft_has_table(nl, tables[table].family, table_name, e);

	if (r)
		return r < 0 ? r : 0;
	nft_begin(nl);
	queue_table(nl, table, table_name);
	nft_end(nl);
	return nl_run(nl, NULL, NULL, e);
}

int rules_remove(struct nl *nl, enum rules_table table, struct err *e)
{
	nft_begin(nl);
	/* Adding first makes removing succeed whether or not there was one. */
	nft_add_table(nl, tables[table].family, table_name);
	nft_del_table(nl, tables[table].family, table_name);
	nft_end(nl);
	return nl_run(nl, NULL, NULL, e);
}

int rules_probe(struct nl *nl)
{
	int r;

	nft_begin(nl);
	for (size_t i = 0; i < RULES_TABLES; i++)
		queue_table(nl, (enum rules_table)i, "ctr-probe");
	r = nl_run(nl, NULL, NULL, NULL);
	return r == -EPERM || r == 0 ? r : -ENOTSUP;
}

static uint32_t flags_of(const struct net_if *nif)
{
	return GUEST | (nif->reach_host ? HOST : 0u) | (nif->reach_peers ? PEERS : 0u) |
	       (nif->reach_outside ? OUTSIDE : 0u) | (nif->nat ? NAT : 0u);
}

/* What one interface has: the same walk queues them for adding and for removing, and removes
 * them one by one. */
struct walk {
	struct nl *nl;
	bool add, alone;
	struct err *e;
	int result;
};

static void elem(struct walk *w, enum rules_table table, const char *set, const void *key,
		 size_t len, const uint32_t *value)
{
	int r;

	if (w->alone)
		nft_begin(w->nl);
	nft_elem(w->nl, w->add, tables[table].family, table_name, set, key, len,
		 w->add ? value : NULL);
	if (!w->alone)
		return;
	nft_end(w->nl);
	r = nl_run(w->nl, NULL, NULL, NULL);
	if (r < 0 && r != -ENOENT && !w->result)
		w->result = err_set(w->e, r, "remove packet set element of '%s'", set);
}

static void elem_guest(struct walk *w, const char *link, const struct net_addr *a, uint32_t flags)
{
	char key[IFNAMSIZ + 16] = { 0 };
	size_t len = addr_len(a->family);

	memcpy(key, link, strnlen(link, IFNAMSIZ));
	memcpy(key + IFNAMSIZ, addr_bytes(a), len);
	elem(w, RULES_INET, a->family == AF_INET ? "guests4" : "guests6", key, IFNAMSIZ + len,
	     &flags);
}

static void elem_own(struct walk *w, const char *link, const uint8_t mac[6],
		     const struct net_addr *a)
{
	enum { MAC_ROOM = 8 };
	char key[IFNAMSIZ + MAC_ROOM + 16] = { 0 };
	size_t len = addr_len(a->family);

	memcpy(key, link, strnlen(link, IFNAMSIZ));
	memcpy(key + IFNAMSIZ, mac, 6);
	memcpy(key + IFNAMSIZ + MAC_ROOM, addr_bytes(a), len);
	elem(w, RULES_BRIDGE, a->family == AF_INET ? "own4" : "own6", key,
	     IFNAMSIZ + MAC_ROOM + len, NULL);
}

static void walk_inet(struct walk *w, const struct net_if *nif, const struct net_addr *link_local)
{
	const char *link = nif->mode == NET_BRIDGE ? nif->bridge : nif->host_name;
	static const struct net_addr unspecified = { .family = AF_INET6 };
	char key[IFNAMSIZ] = { 0 };

	memcpy(key, nif->host_name, strnlen(nif->host_name, sizeof(key)));
	elem(w, RULES_INET, "links", key, sizeof(key), NULL);
	for (size_t i = 0; i < nif->addr_count; i++)
		elem_guest(w, link, &nif->addrs[i], flags_of(nif));
	elem_guest(w, link, link_local, flags_of(nif));
	if (nif->mode == NET_ROUTED) /* duplicate address detection; on a bridge it is shared */
		elem_guest(w, link, &unspecified, GUEST);
}

static void walk_bridge(struct walk *w, const struct net_if *nif, const uint8_t mac[6],
			const struct net_addr *link_local)
{
	const struct net_addr unspecified[] = { { .family = AF_INET }, { .family = AF_INET6 } };
	uint32_t flags = flags_of(nif);
	char key[IFNAMSIZ] = { 0 };

	if (nif->mode != NET_BRIDGE)
		return;
	memcpy(key, nif->host_name, strnlen(nif->host_name, sizeof(key)));
	elem(w, RULES_BRIDGE, "ports", key, sizeof(key), &flags);
	for (size_t i = 0; i < nif->addr_count; i++)
		elem_own(w, nif->host_name, mac, &nif->addrs[i]);
	elem_own(w, nif->host_name, mac, link_local);
	for (size_t i = 0; i < ARRAY_SIZE(unspecified); i++)
		elem_own(w, nif->host_name, mac, &unspecified[i]);
}

static void walk(struct walk *w, const struct net_config *net, enum rules_table table)
{
	for (size_t i = 0; i < net->if_count; i++) {
		const struct net_if *nif = &net->ifs[i];
		struct net_addr link_local;
		uint8_t mac[6];

		addr_guest_mac(net->id, nif, mac);
		link_local = addr_link_local(mac);
		if (table == RULES_INET)
			walk_inet(w, nif, &link_local);
		else
			walk_bridge(w, nif, mac, &link_local);
	}
}

int rules_add(struct nl *nl, const struct net_config *net, struct err *e)
{
	struct walk w = { .nl = nl, .add = true };

	nft_begin(nl);
	for (size_t i = 0; i < RULES_TABLES; i++)
		if (rules_need(net, (enum rules_table)i))
			walk(&w, net, (enum rules_table)i);
	nft_end(nl);
	return nl_run(nl, NULL, NULL, e);
}

int rules_del(struct nl *nl, const struct net_config *net, enum rules_table table, struct err *e)
{
	struct walk w = { .nl = nl, .e = e };
	int r;

	nft_begin(nl);
	walk(&w, net, table);
	nft_end(nl);
	r = nl_run(nl, NULL, NULL, NULL);
	if (r >= 0)
		return r;
	/* They came as one transaction and leave as one. If any is missing nonetheless, that fails
	 * as a whole, and each of the others goes by itself. */
	w.alone = true;
	walk(&w, net, table);
	return w.result;
}

int rules_taken(struct nl *nl, const struct net_if *nif, const struct net_addr *a, struct err *e)
{
	const char *link = nif->mode == NET_BRIDGE ? nif->bridge : nif->host_name;
	char key[IFNAMSIZ + 16] = { 0 };
	size_t len = addr_len(a->family);

	memcpy(key, link, strnlen(link, IFNAMSIZ));
	memcpy(key + IFNAMSIZ, addr_bytes(a), len);
	return nft_has_elem(nl, NFPROTO_INET, table_name,
			    a->family == AF_INET ? "guests4" : "guests6", key, IFNAMSIZ + len, e);
}
