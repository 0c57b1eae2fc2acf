/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network devices of the host that a container gets (config-linux.md "Network Devices").
 *
 * DOC: the kernel drops a device's addresses when it changes its namespace, so they are read
 * before and put back after. Afterwards the namespace owns the device; only a creation that fails
 * takes it back, because then it never happened.
 */
#include "netsetup/addr_internal.h"
#include "netsetup/link_internal.h"
#include "netsetup/route_internal.h"

#include "base/own.h"

#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

enum { ADDRS_MAX = 64, LINKS_MAX = 256 };

/** Addresses as the kernel told them, to be told to it again. */
struct address {
	struct ifaddrmsg head;
	struct {
		uint8_t len, data[sizeof(struct in6_addr)];
	} attrs[IFA_BROADCAST + 1]; /* by type: IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST */
};

struct addresses {
	int index;
	struct address v[ADDRS_MAX];
	size_t n;
	bool too_many;
};

struct address_scan {
	struct address *to;
	uint32_t flags; /* IFA_FLAGS has more bits than the header */
};

static int read_attr(const struct nlattr *attr, void *data)
{
	struct address_scan *scan = data;
	uint16_t type = mnl_attr_get_type(attr), len = mnl_attr_get_payload_len(attr);

	if (type == IFA_FLAGS && len == sizeof(uint32_t))
		scan->flags = mnl_attr_get_u32(attr);
	if ((type == IFA_ADDRESS || type == IFA_LOCAL || type == IFA_BROADCAST) &&
	    len <= sizeof(scan->to->attrs[type].data)) {
		scan->to->attrs[type].len = (uint8_t)len;
		memcpy(scan->to->attrs[type].data, mnl_attr_get_payload(attr), len);
	}
	return MNL_CB_OK;
}

/* Those that somebody set for good and that mean the same everywhere. */
static int read_address(const struct nlmsghdr *nlh, void *data)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	struct addresses *list = data;
	struct address one = { .head = *ifa };
	struct address_scan scan = { .to = &one, .flags = ifa->ifa_flags };

	if ((int)ifa->ifa_index != list->index)
		return MNL_CB_OK;
	if (mnl_attr_parse(nlh, sizeof(*ifa), read_attr, &scan) < 0)
		return MNL_CB_ERROR;
	if (!(scan.flags & IFA_F_PERMANENT) || ifa->ifa_scope != RT_SCOPE_UNIVERSE)
		return MNL_CB_OK;
	if (list->n == ADDRS_MAX)
		list->too_many = true;
	else
		list->v[list->n++] = one;
	return MNL_CB_OK;
}

static int read_addresses(struct nl *nl, const char *name, int index, struct addresses *ret,
			  struct err *e)
{
	int r;

	*ret = (struct addresses){ .index = index };
	(void)nl_add(nl, RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg),
		     "list the addresses of '%s'", name);
	r = nl_run(nl, read_address, ret, e);
	if (r == 0 && ret->too_many)
		return err_say(e, -E2BIG, "network device '%s' has more than %d addresses", name,
			       ADDRS_MAX);
	return r;
}

static void add_addresses(struct nl *nl, const char *name, int index, const struct addresses *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct address *a = &list->v[i];
		struct nlmsghdr *nlh =
			nl_add(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifaddrmsg),
			       "put back an address of '%s'", name);
		struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);

		nl_accept(nl, EEXIST);
		ifa->ifa_family = a->head.ifa_family;
		ifa->ifa_prefixlen = a->head.ifa_prefixlen;
		ifa->ifa_index = (uint32_t)index;
		for (int type = IFA_ADDRESS; type <= IFA_BROADCAST; type++)
			if (a->attrs[type].len)
				mnl_attr_put(nlh, (uint16_t)type, a->attrs[type].len,
					     a->attrs[type].data);
	}
}

struct links {
	int v[LINKS_MAX];
	size_t n;
	char name[IFNAMSIZ]; /* of the last one that was not in ->before */
	int index;
	const struct links *before;
};

static int read_name(const struct nlattr *attr, void *data)
{
	struct links *links = data;

	if (mnl_attr_get_type(attr) == IFLA_IFNAME)
		(void)snprintf(links->name, sizeof(links->name), "%s", mnl_attr_get_str(attr));
	return MNL_CB_OK;
}

static int read_link(const struct nlmsghdr *nlh, void *data)
{
	const struct ifinfomsg *ifm = mnl_nlmsg_get_payload(nlh);
	struct links *links = data;

	for (size_t i = 0; links->before && i < links->before->n; i++)
		if (links->before->v[i] == ifm->ifi_index)
			return MNL_CB_OK;
	if (links->n < LINKS_MAX)
		links->v[links->n++] = ifm->ifi_index;
	if (!links->before)
		return MNL_CB_OK;
	links->index = ifm->ifi_index;
	return mnl_attr_parse(nlh, sizeof(*ifm), read_name, links);
}

/* A template such as "eth%d" leaves the name to the kernel, which does not say what it took. */
static int list_links(struct nl *nl, const struct links *before, struct links *ret, struct err *e)
{
	*ret = (struct links){ .before = before };
	(void)nl_add(nl, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg),
		     "list the links of the container");
	return nl_run(nl, read_link, ret, e);
}

static void set_state(struct nl *nl, const char *name, int index, bool up)
{
	struct nlmsghdr *nlh = nl_add(nl, RTM_NEWLINK, 0, sizeof(struct ifinfomsg),
				      "bring network device '%s' %s", name, up ? "up" : "down");
	struct ifinfomsg *ifm = mnl_nlmsg_get_payload(nlh);

	ifm->ifi_index = index;
	ifm->ifi_flags = up ? IFF_UP : 0;
	ifm->ifi_change = IFF_UP;
}

static void move(struct nl *nl, const char *name, int index, int netns, const char *new_name)
{
	struct nlmsghdr *nlh = nl_add(nl, RTM_NEWLINK, 0, sizeof(struct ifinfomsg),
				      "move network device '%s'", name);
	struct ifinfomsg *ifm = mnl_nlmsg_get_payload(nlh);

	ifm->ifi_index = index;
	mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, (uint32_t)netns);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, new_name);
}

static int get(struct nl *nl, const char *name, struct link_info *ret, struct err *e)
{
	int r = link_get(nl, name, ret, e);

	return r == -ENODEV ? err_say(e, r, "network device '%s' does not exist", name) : r;
}

/* Where a device comes from, where it goes to, and what it is called here and there. */
struct passage {
	struct nl *from, *to;
	int to_netns;
	const char *name, *new_name;
	bool up; /* whether it shall be up there */
};

static int pass(const struct passage *p, char ret_name[IFNAMSIZ], bool *ret_was_up, struct err *e)
{
	struct links before, after;
	struct addresses addresses;
	struct link_info link, taken;
	int r, listed;

	r = get(p->from, p->name, &link, e);
	/* The kernel moves first and renames then: it would refuse when it is half done. */
	if (r == 0 && !strchr(p->new_name, '%') && link_get(p->to, p->new_name, &taken, NULL) == 0)
		return err_say(e, -EEXIST,
			       "network device '%s': the network namespace has a '%s' already",
			       p->name, p->new_name);
	if (r == 0)
		r = read_addresses(p->from, p->name, link.index, &addresses, e);
	if (r == 0)
		r = list_links(p->to, NULL, &before, e);
	if (r < 0)
		return r;
	if (before.n == LINKS_MAX)
		return err_say(e, -E2BIG, "the network namespace has %d links and more", LINKS_MAX);
	*ret_was_up = link.up;
	set_state(p->from, p->name, link.index, false);
	move(p->from, p->name, link.index, p->to_netns, p->new_name);
	r = nl_run(p->from, NULL, NULL, e);
	listed = list_links(p->to, &before, &after, r < 0 ? NULL : e);
	if (listed == 0 && after.index)
		memcpy(ret_name, after.name, IFNAMSIZ); /* also of one that moved and then failed */
	if (r < 0 && !after.index) {			/* it stays where it was, as it was */
		set_state(p->from, p->name, link.index, link.up);
		add_addresses(p->from, p->name, link.index, &addresses);
		(void)nl_run(p->from, NULL, NULL, NULL);
	}
	if (r < 0 || listed < 0)
		return r < 0 ? r : listed;
	if (!after.index)
		return err_say(e, -ENODEV, "network device '%s' is lost after its move", p->name);
	add_addresses(p->to, after.name, after.index, &addresses);
	if (p->up)
		set_state(p->to, after.name, after.index, true);
	return nl_run(p->to, NULL, NULL, e);
}

static int open_route(void *arg, struct err *e)
{
	return nl_open(NETLINK_ROUTE, arg, e);
}

int net_devices_check(const struct net_device *devices, size_t count, struct err *e)
{
	own_nl struct nl *nl = NULL;
	struct link_info link;
	int r = count ? nl_open(NETLINK_ROUTE, &nl, e) : 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		r = get(nl, devices[i].name, &link, e);
	return r;
}

int net_devices_move(struct net_device *devices, size_t count, int netns_fd, struct err *e)
{
	own_nl struct nl *host = NULL, *inside = NULL;
	int r = count ? nl_open(NETLINK_ROUTE, &host, e) : 0;

	if (r == 0 && count)
		r = nl_in_netns(netns_fd, open_route, (void *)&inside, e);
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct net_device *d = &devices[i];
		const struct passage p = { host, inside, netns_fd, d->name, d->inside, true };

		r = pass(&p, d->moved_as, &d->was_up, e);
	}
	return r;
}

void net_devices_return(const struct net_device *devices, size_t count, int netns_fd)
{
	own_fd int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	own_nl struct nl *host = NULL, *inside = NULL;
	char name[IFNAMSIZ];
	bool was_up;

	if (own < 0 || nl_open(NETLINK_ROUTE, &host, NULL) < 0 ||
	    nl_in_netns(netns_fd, open_route, (void *)&inside, NULL) < 0)
		return;
	for (size_t i = 0; i < count; i++) {
		const struct net_device *d = &devices[i];
		const struct passage p = { inside, host, own, d->moved_as, d->name, d->was_up };

		if (d->moved_as[0])
			(void)pass(&p, name, &was_up, NULL); /* one that fails stays inside */
	}
}
