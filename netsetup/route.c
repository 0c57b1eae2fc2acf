/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and routes by rtnetlink. */
#include "netsetup/route_internal.h"

#include "base/own.h"
#include "netsetup/addr_internal.h"

#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

static uint8_t full_prefix(int family)
{
	return family == AF_INET ? 32 : 128;
}

static void put_addr(struct nlmsghdr *nlh, uint16_t type, const struct net_addr *a)
{
	mnl_attr_put(nlh, type, addr_len(a->family), addr_bytes(a));
}

static int read_route_attr(const struct nlattr *attr, void *data)
{
	struct route_info *info = data;

	switch (mnl_attr_get_type(attr)) {
	case RTA_OIF:
		info->oif = (int)mnl_attr_get_u32(attr);
		break;
	case RTA_GATEWAY:
	case RTA_VIA:
	case RTA_MULTIPATH:
		info->has_gateway = true;
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int read_route(const struct nlmsghdr *nlh, void *data)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct route_info *info = data;

	*info = (struct route_info){ .found = true,
				     .is_local = rtm->rtm_type == RTN_LOCAL ||
						 rtm->rtm_type == RTN_BROADCAST ||
						 rtm->rtm_type == RTN_ANYCAST,
				     .prefix = rtm->rtm_dst_len };
	return mnl_attr_parse(nlh, sizeof(*rtm), read_route_attr, info);
}

/* @index 0: by any link */
static int look_up(struct nl *nl, int index, const struct net_addr *a, struct route_info *ret,
		   struct err *e)
{
	char text[64];
	struct nlmsghdr *nlh =
		nl_add(nl, RTM_GETROUTE, 0, sizeof(struct rtmsg), "look up the route to '%s'",
		       net_format_addr(a, false, text, sizeof(text)));
	struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct route_info info = { 0 };
	int r;

	nl_accept(nl, ENETUNREACH);
	nl_accept(nl, EHOSTUNREACH);
	rtm->rtm_family = (uint8_t)a->family;
	rtm->rtm_dst_len = full_prefix(a->family);
	rtm->rtm_flags = RTM_F_FIB_MATCH;
	put_addr(nlh, RTA_DST, a);
	if (index)
		mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)index);
	r = nl_run(nl, read_route, &info, e);
	if (r < 0)
		return r;
	*ret = info;
	return 0;
}

int route_lookup(struct nl *nl, const struct net_addr *a, struct route_info *ret, struct err *e)
{
	return look_up(nl, 0, a, ret, e);
}

int route_await_local(struct nl *nl, struct nl *events, int index, const struct net_addr *a,
		      struct err *e)
{
	/* Other routes make events too, and on some hosts they never end. */
	enum { UNREASONABLE_MS = 500, UNREASONABLE_EVENTS = 1000 };

	for (int i = 0; i < UNREASONABLE_EVENTS; i++) {
		struct route_info route;
		int r = look_up(nl, index, a, &route, e);

		if (r < 0 || route.is_local)
			return r;
		r = nl_hear(events, UNREASONABLE_MS);
		if (r <= 0)
			return r < 0 ? err_set(e, r, "wait for network events") : 0;
	}
	return 0;
}

struct addr_search {
	const struct net_addr *addr;
	const struct nlattr *own; /* of the message at hand */
	int index;
	bool found;
};

static int read_addr_attr(const struct nlattr *attr, void *data)
{
	struct addr_search *search = data;
	uint16_t type = mnl_attr_get_type(attr);

	/* With a peer, IFA_ADDRESS is the peer's and IFA_LOCAL ours. */
	if (type == IFA_LOCAL || (type == IFA_ADDRESS && !search->own))
		search->own = attr;
	return MNL_CB_OK;
}

static int read_addr(const struct nlmsghdr *nlh, void *data)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	struct addr_search *search = data;
	size_t len = addr_len(search->addr->family);

	if ((int)ifa->ifa_index != search->index || ifa->ifa_family != search->addr->family)
		return MNL_CB_OK;
	search->own = NULL;
	if (mnl_attr_parse(nlh, sizeof(*ifa), read_addr_attr, search) < 0)
		return MNL_CB_ERROR;
	if (search->own && mnl_attr_get_payload_len(search->own) == len &&
	    memcmp(mnl_attr_get_payload(search->own), addr_bytes(search->addr), len) == 0)
		search->found = true;
	return MNL_CB_OK;
}

int route_has_addr(struct nl *nl, int index, const struct net_addr *a, struct err *e)
{
	struct addr_search search = { .addr = a, .index = index };
	struct nlmsghdr *nlh = nl_add(nl, RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg),
				      "list the addresses of a link");
	struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	int r;

	ifa->ifa_family = (uint8_t)a->family;
	ifa->ifa_index = (uint32_t)index;
	r = nl_run(nl, read_addr, &search, e);
	return r < 0 ? r : search.found;
}

static struct nlmsghdr *addr_request(struct nl *nl, uint16_t type, uint16_t flags, int index,
				     const struct net_addr *a, const char *what)
{
	char text[64];
	struct nlmsghdr *nlh = nl_add(nl, type, flags, sizeof(struct ifaddrmsg), "%s '%s'", what,
				      net_format_addr(a, true, text, sizeof(text)));
	struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);

	ifa->ifa_family = (uint8_t)a->family;
	ifa->ifa_prefixlen = a->prefix;
	ifa->ifa_index = (uint32_t)index;
	put_addr(nlh, IFA_LOCAL, a);
	put_addr(nlh, IFA_ADDRESS, a);
	return nlh;
}

void route_add_addr(struct nl *nl, int index, const struct net_addr *a)
{
	static const uint8_t link_local[2] = { 0xfe, 0x80 };
	struct nlmsghdr *nlh =
		addr_request(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, index, a, "add address");
	struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);

	nl_accept(nl, EEXIST);
	if (a->family == AF_INET6) {
		ifa->ifa_flags = IFA_F_NODAD;
		if (memcmp(addr_bytes(a), link_local, sizeof(link_local)) == 0)
			ifa->ifa_scope = RT_SCOPE_LINK;
		return;
	}
	if (ntohl(a->v4.s_addr) >> 16 == 0xa9fe) /* 169.254.0.0/16 */
		ifa->ifa_scope = RT_SCOPE_LINK;
	if (a->prefix && a->prefix < 31)
		mnl_attr_put_u32(nlh, IFA_BROADCAST, a->v4.s_addr | htonl(UINT32_MAX >> a->prefix));
}

void route_del_addr(struct nl *nl, int index, const struct net_addr *a)
{
	(void)addr_request(nl, RTM_DELADDR, 0, index, a, "remove address");
	nl_accept(nl, EADDRNOTAVAIL);
	nl_accept(nl, ENODEV);
}

void route_warm_neighbour(struct nl *nl, int index, const struct net_addr *a, const uint8_t mac[6])
{
	char text[64];
	struct nlmsghdr *nlh =
		nl_add(nl, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, sizeof(struct ndmsg),
		       "enter neighbour '%s'", net_format_addr(a, false, text, sizeof(text)));
	struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);

	ndm->ndm_family = (uint8_t)a->family;
	ndm->ndm_ifindex = index;
	ndm->ndm_state = NUD_STALE;
	put_addr(nlh, NDA_DST, a);
	mnl_attr_put(nlh, NDA_LLADDR, 6, mac);
}

void route_add(struct nl *nl, int index, int family, const struct net_addr *dst,
	       const struct net_addr *gateway, bool onlink)
{
	char text[64] = "default";
	struct nlmsghdr *nlh;
	struct rtmsg *rtm;

	if (dst)
		(void)net_format_addr(dst, true, text, sizeof(text));
	nlh = nl_add(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct rtmsg),
		     "add route '%s'", text);
	rtm = mnl_nlmsg_get_payload(nlh);
	rtm->rtm_family = (uint8_t)family;
	rtm->rtm_table = RT_TABLE_MAIN;
	rtm->rtm_protocol = RTPROT_STATIC;
	rtm->rtm_type = RTN_UNICAST;
	rtm->rtm_scope = gateway || family == AF_INET6 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	rtm->rtm_flags = onlink ? RTNH_F_ONLINK : 0;
	if (dst) {
		rtm->rtm_dst_len = dst->prefix;
		put_addr(nlh, RTA_DST, dst);
	}
	if (gateway)
		put_addr(nlh, RTA_GATEWAY, gateway);
	mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)index);
}
