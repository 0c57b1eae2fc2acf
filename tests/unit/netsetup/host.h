/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host to test on: a fresh network namespace of our own with an uplink to another one
 * ("outside"), so that the machine's network is never touched. check forks for each test, and the
 * kernel removes it all with the process. `ip` and `nft` only look and build the surroundings;
 * what is tested uses neither.
 */
#ifndef CTR_TESTS_NETSETUP_HOST_H
#define CTR_TESTS_NETSETUP_HOST_H

#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "netsetup/link_internal.h"
#include "netsetup/net.h"
#include "netsetup/route_internal.h"

#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int host_ns = -1, outside_ns = -1, record_dir = -1;
static char record_path[] = "/tmp/ctr-net-XXXXXX";

static inline void in_ns(int ns)
{
	ck_assert_int_eq(setns(ns, CLONE_NEWNET), 0);
}

static inline int this_ns(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static inline int new_ns(void)
{
	int home = this_ns(), fd;

	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	fd = this_ns();
	in_ns(home);
	close(home);
	return fd;
}

__attribute__((format(printf, 1, 2))) static inline void sh(const char *fmt, ...)
{
	char command[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	ck_assert_msg(system(command) == 0, "failed: %s", command);
}

/* Everything that net_apply() could leave behind. Interface indices and time go by. */
static inline char *snapshot(void)
{
	struct text t = { 0 };
	char command[1024], line[4096];
	FILE *p;

	(void)snprintf(
		command, sizeof(command),
		"ip -d addr | sed 's/^[0-9]*: //; s/@if[0-9]*/@if/; s/link-netnsid [0-9]*//;"
		" s/[a-z_]*timer *[0-9.]*//g; s/NO-CARRIER,//; s/,LOWER_UP//; s/state [A-Z]*//';"
		"ip -4 route show table all; ip -6 route show table all;"
		"ip neigh show nud permanent; nft list ruleset;"
		"cat %s/net 2>/dev/null; ls %s | grep -v lock; cd /proc/sys/net;"
		"grep -s . ipv4/ip_forward ipv4/conf/*/forwarding"
		" ipv4/conf/*/accept_redirects ipv6/conf/*/forwarding"
		" ipv6/conf/*/accept_ra; true",
		record_path, record_path);
	p = popen(command, "r");
	ck_assert_ptr_nonnull(p);
	while (fgets(line, sizeof(line), p))
		text_add(&t, line);
	ck_assert_int_eq(pclose(p), 0);
	ck_assert_int_gt((int)t.len, 500);
	return text_take(&t);
}

/* The first line that differs; whole snapshots are too long for a message of check. */
static inline void same(const char *before, const char *after)
{
	size_t at = 0, len;

	while (before[at] && before[at] == after[at])
		at++;
	if (before[at] == after[at])
		return;
	while (at && before[at - 1] != '\n')
		at--;
	len = strcspn(before + at, "\n");
	ck_abort_msg("left behind: '%.*s' was '%.*s'", (int)strcspn(after + at, "\n"), after + at,
		     (int)len, before + at);
}

static inline struct net_addr addr(const char *s)
{
	struct net_addr a = { 0 };

	ck_assert_int_eq(net_parse_addr(s, &a), 0);
	return a;
}

/* Until the addresses of @link in the current namespace receive: their routes come by and by, and
 * are part of a snapshot. */
static inline void await_link(struct nl *events, const char *link, const char *const *addrs,
			      size_t count)
{
	int index = (int)if_nametoindex(link);
	own_nl struct nl *nl = NULL;

	ck_assert_int_eq(nl_open(NETLINK_ROUTE, &nl, NULL), 0);
	link_settle(nl, link);
	ck_assert_int_eq(nl_run(nl, NULL, NULL, NULL), 0);
	for (size_t i = 0; i < count; i++) {
		struct net_addr a = addr(addrs[i]);

		ck_assert_int_eq(route_await_local(nl, events, index, &a, NULL), 0);
	}
}

static inline void host_setup(void)
{
	static const char *const up[] = { "2001:db8:f::1", "fe80::f1" };
	static const char *const out[] = { "2001:db8:f::2", "fe80::f2" };
	own_nl struct nl *up_events = NULL, *out_events = NULL;

	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	host_ns = this_ns();
	outside_ns = new_ns();
	memcpy(record_path + strlen(record_path) - 6, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(record_path));
	record_dir = open(record_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(record_dir, 0);
	ck_assert_int_eq(nl_open_events(RTNLGRP_IPV6_ROUTE, &up_events, NULL), 0);
	in_ns(outside_ns);
	ck_assert_int_eq(nl_open_events(RTNLGRP_IPV6_ROUTE, &out_events, NULL), 0);
	in_ns(host_ns);
	sh("ip link set lo up; ip link add up0 type veth peer name out0 "
	   "netns /proc/%d/fd/%d; ip link set up0 addrgenmode none; ip addr add 192.0.2.1/24 dev "
	   "up0;"
	   "ip addr add 2001:db8:f::1/64 dev up0 nodad; ip addr add fe80::f1/64 dev up0 nodad; ip "
	   "link set up0 up",
	   getpid(), outside_ns);
	in_ns(outside_ns);
	sh("ip link set lo up; ip link set out0 addrgenmode none; ip addr add 192.0.2.2/24 dev "
	   "out0; ip addr add 2001:db8:f::2/64 dev out0 nodad; ip addr add fe80::f2/64 dev out0 "
	   "nodad;"
	   "ip link set out0 up; ip route add 10.77.0.0/16 via 192.0.2.1;"
	   "ip route add 2001:db8:77::/48 via 2001:db8:f::1");
	await_link(out_events, "out0", out, ARRAY_SIZE(out));
	in_ns(host_ns);
	await_link(up_events, "up0", up, ARRAY_SIZE(up));
}

static inline void host_teardown(void)
{
	close(record_dir);
	(void)file_remove_tree(AT_FDCWD, record_path);
}

/* A container with one interface. */
struct guest {
	struct net_config net;
	struct net_if nif;
	struct net_addr addrs[2];
	char id[16], host_name[16], name[16], bridge[16];
	int ns;
};

enum { HOST = 1, PEERS = 2, OUTSIDE = 4, NAT = 8, GATEWAY = 16 };

static inline void guest_init(struct guest *g, enum net_mode mode, const char *bridge, int n,
			      unsigned int flags)
{
	char text[64];

	*g = (struct guest){ .ns = new_ns() };
	(void)snprintf(g->id, sizeof(g->id), "guest%d", n);
	(void)snprintf(g->name, sizeof(g->name), "eth0");
	(void)snprintf(g->bridge, sizeof(g->bridge), "%s", bridge ? bridge : "");
	net_host_name(g->id, 0, g->host_name);
	(void)snprintf(text, sizeof(text), "10.77.0.%d/24", n);
	g->addrs[0] = addr(text);
	(void)snprintf(text, sizeof(text), "2001:db8:77::%d/64", n);
	g->addrs[1] = addr(text);
	g->nif = (struct net_if){ .name = g->name,
				  .mode = mode,
				  .host_name = g->host_name,
				  .bridge = mode == NET_BRIDGE ? g->bridge : NULL,
				  .addrs = g->addrs,
				  .addr_count = 2,
				  .host_owns_gateway = flags & GATEWAY,
				  .nat = flags & NAT,
				  .reach_host = flags & HOST,
				  .reach_peers = flags & PEERS,
				  .reach_outside = flags & OUTSIDE };
	g->nif.gateway4 = addr(mode == NET_BRIDGE ? "10.77.0.1" : "169.254.0.1");
	g->nif.gateway6 = addr(mode == NET_BRIDGE ? "2001:db8:77::1" : "fe80::1");
	g->net = (struct net_config){ .id = g->id, .ifs = &g->nif, .if_count = 1 };
}

static inline void guest_up(struct guest *g)
{
	struct err e = { 0 };

	ck_assert_msg(net_check(&g->net, &e) == 0, "check: %s", e.msg);
	ck_assert_msg(net_apply(&g->net, record_dir, g->ns, &e) == 0, "apply: %s", e.msg);
}

static inline void guest_down(struct guest *g)
{
	struct err e = { 0 };

	ck_assert_msg(net_undo(&g->net, record_dir, &e) == 0, "undo: %s", e.msg);
	if (g->ns >= 0)
		close(g->ns);
	g->ns = -1;
}

static inline socklen_t sockaddr_of(const struct net_addr *a, uint16_t port,
				    struct sockaddr_storage *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (a->family == AF_INET) {
		struct sockaddr_in in = { .sin_family = AF_INET,
					  .sin_addr = a->v4,
					  .sin_port = htons(port) };

		memcpy(ret, &in, sizeof(in));
		return sizeof(in);
	}
	struct sockaddr_in6 in = { .sin6_family = AF_INET6,
				   .sin6_addr = a->v6,
				   .sin6_port = htons(port) };

	memcpy(ret, &in, sizeof(in));
	return sizeof(in);
}

enum { LOST, ARRIVED, ANSWERED };

static inline bool readable(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

/* Send a datagram from @from to @dst in @to and an answer back. @ret_source: who it came from.
 * What is to arrive may take its time on a busy machine; what is not to, is not waited for. */
static inline int udp_exchange(int from, int to, const char *dst, const char *source,
			       char *ret_source, int want)
{
	static uint16_t port = 4000;
	struct net_addr a = addr(dst);
	struct sockaddr_storage sa, peer;
	socklen_t len = sockaddr_of(&a, ++port, &sa), peer_len = sizeof(peer);
	int one = 1, result = LOST;
	own_fd int server = -EBADF, client = -EBADF;
	char byte = 'x';

	in_ns(to);
	server = socket(a.family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_msg(bind(server, (struct sockaddr *)&sa, len) == 0, "bind %s: %m", dst);
	in_ns(from);
	client = socket(a.family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (source) {
		struct net_addr s = addr(source);
		struct sockaddr_storage bound;
		socklen_t bound_len = sockaddr_of(&s, 0, &bound);

		(void)setsockopt(client, SOL_IP, IP_FREEBIND, &one, sizeof(one));
		ck_assert_int_eq(bind(client, (struct sockaddr *)&bound, bound_len), 0);
	}
	/* Several: IPv6 of a new link may not be ready for the first. */
	for (int i = 0; i < (want == LOST ? 4 : 160) && !readable(server, i ? 25 : 0); i++)
		(void)sendto(client, &byte, 1, 0, (struct sockaddr *)&sa, len);
	if (readable(server, 25)) {
		result = ARRIVED;
		ck_assert_int_eq(recvfrom(server, &byte, 1, 0, (struct sockaddr *)&peer, &peer_len),
				 1);
		if (ret_source)
			ck_assert_ptr_nonnull(inet_ntop(
				peer.ss_family,
				peer.ss_family == AF_INET
					? (void *)&((struct sockaddr_in *)&peer)->sin_addr
					: (void *)&((struct sockaddr_in6 *)&peer)->sin6_addr,
				ret_source, 64));
		if (sendto(server, &byte, 1, 0, (struct sockaddr *)&peer, peer_len) == 1 &&
		    readable(client, want == ANSWERED ? 4000 : 250))
			result = ANSWERED;
	}
	in_ns(host_ns);
	return result;
}

#define expect_udp(from, to, dst, source, ret_source, want) \
	ck_assert_int_eq(udp_exchange(from, to, dst, source, ret_source, want), want)

#endif
