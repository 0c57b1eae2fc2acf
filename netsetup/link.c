/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links by rtnetlink: veth pairs, bridges, bridge ports.
 *
 * DOC: port flags of a container. Its one MAC is a static entry of the bridge, learning is off and
 * unknown unicast is not flooded to it: a container neither sees frames of others nor can move
 * their MACs to itself, also not with frames for the reserved group addresses 01:80:c2:00:00:0x,
 * which a bridge takes in before any packet rule. BPDUs from it close the port (guard). `isolated`
 * says a second time what the packet rules say, and saves copying broadcasts that they would drop.
 */
#include "netsetup/link_internal.h"

#include "base/own.h"
#include "netsetup/addr_internal.h"

#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>

static void put_mac(struct nlmsghdr *nlh, uint16_t type, const uint8_t mac[6])
{
	mnl_attr_put(nlh, type, 6, mac);
}

static struct nlmsghdr *change(struct nl *nl, const char *name, uint16_t flags, const char *what)
{
	struct nlmsghdr *nlh =
		nl_add(nl, RTM_NEWLINK, flags, sizeof(struct ifinfomsg), "%s '%s'", what, name);

	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	return nlh;
}

static void set_up(struct nlmsghdr *nlh)
{
	struct ifinfomsg *ifm = mnl_nlmsg_get_payload(nlh);

	ifm->ifi_flags = IFF_UP;
	ifm->ifi_change = IFF_UP;
}

static int read_kind(const struct nlattr *attr, void *data)
{
	struct link_info *info = data;

	if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
		(void)snprintf(info->kind, sizeof(info->kind), "%s", mnl_attr_get_str(attr));
	return MNL_CB_OK;
}

static int read_link_attr(const struct nlattr *attr, void *data)
{
	struct link_info *info = data;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_MASTER:
		info->master = (int)mnl_attr_get_u32(attr);
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attr) == sizeof(info->mac))
			memcpy(info->mac, mnl_attr_get_payload(attr), sizeof(info->mac));
		break;
	case IFLA_LINKINFO:
		return mnl_attr_parse_nested(attr, read_kind, info);
	case IFLA_STATS64: {
		struct rtnl_link_stats64 s = { 0 };
		size_t len = mnl_attr_get_payload_len(attr);

		memcpy(&s, mnl_attr_get_payload(attr), len < sizeof(s) ? len : sizeof(s));
		info->rx_bytes = s.rx_bytes;
		info->rx_packets = s.rx_packets;
		info->tx_bytes = s.tx_bytes;
		info->tx_packets = s.tx_packets;
		break;
	}
	default:
		break;
	}
	return MNL_CB_OK;
}

static int read_link(const struct nlmsghdr *nlh, void *data)
{
	const struct ifinfomsg *ifm = mnl_nlmsg_get_payload(nlh);
	struct link_info *info = data;

	info->index = ifm->ifi_index;
	info->up = ifm->ifi_flags & IFF_UP;
	return mnl_attr_parse(nlh, sizeof(*ifm), read_link_attr, info);
}

int link_get(struct nl *nl, const char *name, struct link_info *ret, struct err *e)
{
	struct nlmsghdr *nlh =
		nl_add(nl, RTM_GETLINK, 0, sizeof(struct ifinfomsg), "look for link '%s'", name);
	struct link_info info = { 0 };
	int r;

	nl_accept(nl, ENODEV);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	r = nl_run(nl, read_link, &info, e);
	if (r < 0)
		return r;
	if (!info.index)
		return -ENODEV;
	*ret = info;
	return 0;
}

struct port_search {
	int bridge;
	bool found;
};

static int read_port(const struct nlmsghdr *nlh, void *data)
{
	struct port_search *search = data;
	struct link_info info = { 0 };

	if (read_link(nlh, &info) < 0)
		return MNL_CB_ERROR;
	if (info.master == search->bridge)
		search->found = true;
	return MNL_CB_OK;
}

int link_has_ports(struct nl *nl, int index, struct err *e)
{
	struct port_search search = { .bridge = index };
	struct nlmsghdr *nlh = nl_add(nl, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg),
				      "list the ports of a bridge");
	int r;

	mnl_attr_put_u32(nlh, IFLA_MASTER, (uint32_t)index);
	r = nl_run(nl, read_port, &search, e);
	return r < 0 ? r : search.found;
}

void link_add_veth(struct nl *nl, const struct net_if *nif, int master, const uint8_t mac[6],
		   int netns_fd)
{
	struct nlmsghdr *nlh = change(nl, nif->host_name, NLM_F_CREATE | NLM_F_EXCL, "make link");
	struct nlattr *info, *data, *peer;
	uint8_t host_mac[6];

	addr_host_mac(nif->host_name, host_mac);
	put_mac(nlh, IFLA_ADDRESS, host_mac);
	if (nif->mtu)
		mnl_attr_put_u32(nlh, IFLA_MTU, nif->mtu);
	if (master)
		mnl_attr_put_u32(nlh, IFLA_MASTER, (uint32_t)master);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(nlh, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, nif->name);
	put_mac(nlh, IFLA_ADDRESS, mac);
	if (nif->mtu)
		mnl_attr_put_u32(nlh, IFLA_MTU, nif->mtu);
	mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, (uint32_t)netns_fd);
	mnl_attr_nest_end(nlh, peer);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
}

void link_add_bridge(struct nl *nl, const char *name)
{
	struct nlmsghdr *nlh = change(nl, name, NLM_F_CREATE | NLM_F_EXCL, "make bridge");
	struct nlattr *info, *data;
	uint8_t mac[6];

	addr_bridge_mac(name, mac);
	put_mac(nlh, IFLA_ADDRESS, mac);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "bridge");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	/* Only leaf ports: no loop can arise, and a new port shall forward at once. Without a
	 * querier snooping would cut IPv6 neighbour discovery off after some minutes. */
	mnl_attr_put_u32(nlh, IFLA_BR_STP_STATE, 0);
	mnl_attr_put_u32(nlh, IFLA_BR_FORWARD_DELAY, 0);
	mnl_attr_put_u8(nlh, IFLA_BR_MCAST_SNOOPING, 0);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
}

void link_port(struct nl *nl, const char *name, bool isolated)
{
	struct nlmsghdr *nlh = change(nl, name, 0, "set the bridge port flags of");
	struct nlattr *info, *data;

	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_SLAVE_KIND, "bridge");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_SLAVE_DATA);
	mnl_attr_put_u8(nlh, IFLA_BRPORT_LEARNING, 0);
	mnl_attr_put_u8(nlh, IFLA_BRPORT_UNICAST_FLOOD, 0);
	mnl_attr_put_u8(nlh, IFLA_BRPORT_GUARD, 1);
	mnl_attr_put_u8(nlh, IFLA_BRPORT_ISOLATED, isolated);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
}

void link_static_mac(struct nl *nl, int index, const uint8_t mac[6])
{
	struct nlmsghdr *nlh = nl_add(nl, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE,
				      sizeof(struct ndmsg), "enter the MAC into the bridge");
	struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);

	ndm->ndm_family = AF_BRIDGE;
	ndm->ndm_ifindex = index;
	ndm->ndm_state = NUD_NOARP;
	ndm->ndm_flags = NTF_MASTER;
	put_mac(nlh, NDA_LLADDR, mac);
}

void link_no_v6_address(struct nl *nl, const char *name)
{
	struct nlmsghdr *nlh = change(nl, name, 0, "set the IPv6 mode of");
	struct nlattr *families, *v6;

	nl_accept(nl, EAFNOSUPPORT); /* no IPv6 in this kernel or namespace: nothing to prevent */
	families = mnl_attr_nest_start(nlh, IFLA_AF_SPEC);
	v6 = mnl_attr_nest_start(nlh, AF_INET6);
	mnl_attr_put_u8(nlh, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(nlh, v6);
	mnl_attr_nest_end(nlh, families);
}

void link_up(struct nl *nl, const char *name)
{
	set_up(change(nl, name, 0, "bring up"));
}

void link_settle(struct nl *nl, const char *name)
{
	struct nlmsghdr *nlh =
		nl_add(nl, RTM_GETLINK, 0, sizeof(struct ifinfomsg), "look at link '%s'", name);

	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
}

void link_del(struct nl *nl, const char *name)
{
	struct nlmsghdr *nlh =
		nl_add(nl, RTM_DELLINK, 0, sizeof(struct ifinfomsg), "remove link '%s'", name);

	nl_accept(nl, ENODEV);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
}

int link_probe(struct nl *nl, const char *kind)
{
	static const uint8_t multicast[6] = { 1, 0, 0x5e, 0, 0, 1 };
	struct nlmsghdr *nlh = change(nl, "ctrprobe", NLM_F_CREATE | NLM_F_EXCL, "probe");
	struct nlattr *info;
	int r;

	put_mac(nlh, IFLA_ADDRESS, multicast);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, kind);
	mnl_attr_nest_end(nlh, info);
	r = nl_run(nl, NULL, NULL, NULL);
	if (r == -EADDRNOTAVAIL || r == -EEXIST)
		return 0;
	return r == -EOPNOTSUPP || r == 0 ? -ENOTSUP : r;
}
