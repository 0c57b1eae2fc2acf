/* SPDX-License-Identifier: Apache-2.0 */
/* Whole networks: reach, forgery, sharing, undo. Needs root; see host.h. */
#include "host.h"

#include "netsetup/addr_internal.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>

/* With br_netfilter, which hosts of other runtimes have, bridged packets also pass the IP hooks. */
enum surroundings { BRIDGED, BRIDGED_NF, ROUTED, SURROUNDINGS };

/* clang-format off */
static const struct {
	enum net_mode mode;
	const char *nf_call, *gateways[2];
} around[] = {
	[BRIDGED]	= { NET_BRIDGE, "0", { "10.77.0.1", "2001:db8:77::1" } },
	[BRIDGED_NF]	= { NET_BRIDGE, "1", { "10.77.0.1", "2001:db8:77::1" } },
	[ROUTED]	= { NET_ROUTED, "0", { "192.0.2.1", "2001:db8:f::1" } },
};
_Static_assert(ARRAY_SIZE(around) == SURROUNDINGS, "each has a row");

static const unsigned int reaches[] = {
	0, HOST, PEERS, OUTSIDE, HOST | PEERS, HOST | OUTSIDE, PEERS | OUTSIDE, HOST | PEERS | OUTSIDE,
};
/* clang-format on */

static void set_nf_call(const char *value)
{
	(void)file_write(AT_FDCWD, "/proc/sys/net/bridge/bridge-nf-call-iptables", value);
	(void)file_write(AT_FDCWD, "/proc/sys/net/bridge/bridge-nf-call-ip6tables", value);
}

/* Every reach of one guest, against a peer that may all, with both families. */
START_TEST(reach)
{
	enum surroundings where = (enum surroundings)(_i / (int)ARRAY_SIZE(reaches));
	unsigned int flags = reaches[(size_t)_i % ARRAY_SIZE(reaches)];
	enum net_mode mode = around[where].mode;
	own_free char *before = NULL, *after = NULL;
	struct guest a, b;

	host_setup();
	set_nf_call(around[where].nf_call);
	before = snapshot();
	guest_init(&a, mode, "br0", 2, flags | GATEWAY);
	guest_init(&b, mode, "br0", 3, HOST | PEERS | OUTSIDE | GATEWAY);
	guest_up(&a);
	guest_up(&b);
	for (int v = 0; v < 2; v++) {
		const char *at_a = v ? "2001:db8:77::2" : "10.77.0.2";
		const char *at_b = v ? "2001:db8:77::3" : "10.77.0.3";
		const char *outside = v ? "2001:db8:f::2" : "192.0.2.2";
		int host_answer = flags & HOST ? ANSWERED : LOST;
		int peer_answer = flags & PEERS ? ANSWERED : LOST;
		int outside_answer = flags & OUTSIDE ? ANSWERED : LOST;

		expect_udp(host_ns, a.ns, at_a, NULL, NULL, ANSWERED);
		expect_udp(a.ns, host_ns, around[where].gateways[v], NULL, NULL, host_answer);
		expect_udp(a.ns, host_ns, v ? "2001:db8:f::1" : "192.0.2.1", NULL, NULL,
			   host_answer);
		expect_udp(a.ns, b.ns, at_b, NULL, NULL, peer_answer);
		expect_udp(b.ns, a.ns, at_a, NULL, NULL, peer_answer);
		expect_udp(a.ns, outside_ns, outside, NULL, NULL, outside_answer);
		expect_udp(outside_ns, a.ns, at_a, NULL, NULL, outside_answer);
		expect_udp(b.ns, outside_ns, outside, NULL, NULL, ANSWERED);
	}
	guest_down(&a);
	guest_down(&b);
	after = snapshot();
	same(before, after);
	host_teardown();
}
END_TEST

/* A bridged and a routed guest: the host routes between them. */
START_TEST(reach_across)
{
	struct guest a, b;
	bool peers = _i;

	host_setup();
	guest_init(&a, NET_BRIDGE, "br0", 2, HOST | OUTSIDE | GATEWAY | (peers ? PEERS : 0u));
	guest_init(&b, NET_ROUTED, NULL, 3, HOST | PEERS | OUTSIDE);
	b.addrs[0] = addr("10.77.9.3/24");
	b.addrs[1] = addr("2001:db8:77:9::3/64");
	guest_up(&a);
	guest_up(&b);
	for (int v = 0; v < 2; v++) {
		const char *at_a = v ? "2001:db8:77::2" : "10.77.0.2";
		const char *at_b = v ? "2001:db8:77:9::3" : "10.77.9.3";

		expect_udp(a.ns, b.ns, at_b, NULL, NULL, peers ? ANSWERED : LOST);
		expect_udp(b.ns, a.ns, at_a, NULL, NULL, peers ? ANSWERED : LOST);
		expect_udp(host_ns, b.ns, at_b, NULL, NULL, ANSWERED);
	}
	guest_down(&a);
	guest_down(&b);
	host_teardown();
}
END_TEST

/* With NAT the outside sees the host, and peers still see each other. */
START_TEST(masquerade)
{
	enum net_mode mode = (enum net_mode)_i;
	char source[64];
	struct guest a, b;

	host_setup();
	guest_init(&a, mode, "br0", 2, HOST | PEERS | OUTSIDE | NAT | GATEWAY);
	guest_init(&b, mode, "br0", 3, HOST | PEERS | OUTSIDE | GATEWAY);
	guest_up(&a);
	guest_up(&b);
	expect_udp(a.ns, outside_ns, "192.0.2.2", NULL, source, ANSWERED);
	ck_assert_str_eq(source, "192.0.2.1");
	expect_udp(a.ns, outside_ns, "2001:db8:f::2", NULL, source, ANSWERED);
	ck_assert_str_eq(source, "2001:db8:f::1");
	expect_udp(a.ns, b.ns, "10.77.0.3", NULL, source, ANSWERED);
	ck_assert_str_eq(source, "10.77.0.2");
	expect_udp(a.ns, b.ns, "2001:db8:77::3", NULL, source, ANSWERED);
	ck_assert_str_eq(source, "2001:db8:77::2");
	expect_udp(b.ns, outside_ns, "192.0.2.2", NULL, source, ANSWERED);
	ck_assert_str_eq(source, "10.77.0.3");
	guest_down(&a);
	guest_down(&b);
	host_teardown();
}
END_TEST

/* Addresses that are not the guest's own do not arrive, and a changed MAC makes it mute. */
START_TEST(forged_address)
{
	enum net_mode mode = (enum net_mode)_i;
	struct guest a;

	host_setup();
	guest_init(&a, mode, "br0", 2, HOST | PEERS | OUTSIDE | GATEWAY);
	guest_up(&a);
	in_ns(a.ns);
	sh("ip addr add 10.77.0.9/32 dev eth0; ip addr add 2001:db8:77::9/128 dev eth0 nodad");
	in_ns(host_ns);
	expect_udp(a.ns, host_ns, "192.0.2.1", "10.77.0.9", NULL, LOST);
	expect_udp(a.ns, outside_ns, "192.0.2.2", "10.77.0.9", NULL, LOST);
	expect_udp(a.ns, host_ns, "2001:db8:f::1", "2001:db8:77::9", NULL, LOST);
	expect_udp(a.ns, host_ns, "192.0.2.1", "10.77.0.2", NULL, ANSWERED);
	expect_udp(a.ns, host_ns, "2001:db8:f::1", "2001:db8:77::2", NULL, ANSWERED);
	if (mode == NET_BRIDGE) {
		in_ns(a.ns);
		sh("ip link set eth0 address 02:00:00:00:00:99");
		in_ns(host_ns);
		expect_udp(a.ns, host_ns, "10.77.0.1", NULL, NULL, LOST);
	}
	guest_down(&a);
	host_teardown();
}
END_TEST

enum {
	FOREIGN_MAC = 1,
	FOREIGN_ADDR = 2,
	NO_ADDR = 4,
	FOREIGN_INNER = 8,
	TAGGED = 16,
	RESERVED = 32
};

/* clang-format off */
static const struct {
	const char *what;
	uint16_t type; /* of the frame */
	uint8_t protocol, icmp; /* of the IPv6 packet */
	unsigned int flags;
	bool passes;
} frames[] = {
	{ "own ARP",			ETH_P_ARP, 0, 0, 0, true },
	{ "ARP probe",			ETH_P_ARP, 0, 0, NO_ADDR, true },
	{ "ARP for another",		ETH_P_ARP, 0, 0, FOREIGN_ADDR, false },
	{ "ARP with another's MAC",	ETH_P_ARP, 0, 0, FOREIGN_INNER, false },
	{ "ARP frame from another",	ETH_P_ARP, 0, 0, FOREIGN_MAC, false },
	{ "own IPv4",			ETH_P_IP, 0, 0, 0, true },
	{ "IPv4 from another",		ETH_P_IP, 0, 0, FOREIGN_ADDR, false },
	{ "IPv4 from nobody",		ETH_P_IP, 0, 0, NO_ADDR, false },
	{ "IPv4 with another's MAC",	ETH_P_IP, 0, 0, FOREIGN_MAC, false },
	{ "tagged IPv4",		ETH_P_IP, 0, 0, TAGGED, false },
	{ "own IPv6",			ETH_P_IPV6, IPPROTO_UDP, 0, 0, true },
	{ "IPv6 from another",		ETH_P_IPV6, IPPROTO_UDP, 0, FOREIGN_ADDR, false },
	{ "IPv6 from nobody",		ETH_P_IPV6, IPPROTO_UDP, 0, NO_ADDR, false },
	{ "IPv6 with another's MAC",	ETH_P_IPV6, IPPROTO_UDP, 0, FOREIGN_MAC, false },
	{ "duplicate detection",	ETH_P_IPV6, IPPROTO_ICMPV6, 135, NO_ADDR, true },
	{ "own advertisement",		ETH_P_IPV6, IPPROTO_ICMPV6, 136, 0, true },
	{ "another's advertisement",	ETH_P_IPV6, IPPROTO_ICMPV6, 136, FOREIGN_INNER, false },
	{ "router solicitation",	ETH_P_IPV6, IPPROTO_ICMPV6, 133, 0, true },
	{ "router advertisement",	ETH_P_IPV6, IPPROTO_ICMPV6, 134, 0, false },
	{ "redirect",			ETH_P_IPV6, IPPROTO_ICMPV6, 137, 0, false },
	{ "echo request",		ETH_P_IPV6, IPPROTO_ICMPV6, 128, 0, true },
	{ "IPX",			ETH_P_IPX, 0, 0, 0, false },
	{ "LLDP",			ETH_P_LLDP, 0, 0, 0, false },
	{ "IPv4 to a reserved group",	ETH_P_IP, 0, 0, RESERVED, false },
};
/* clang-format on */

enum { MARK = 0xa5 }; /* fills what the frame carries */

static size_t put_arp(uint8_t *p, const uint8_t mac[6], const struct net_addr *from,
		      unsigned int flags)
{
	const uint8_t head[] = { 0, 1, 8, 0, 6, 4, 0, 1 };

	memcpy(p, head, sizeof(head));
	memcpy(p + 8, mac, 6);
	if (flags & FOREIGN_INNER)
		p[13] ^= 1;
	memcpy(p + 14, &from->v4, 4);
	memset(p + 28, MARK, 18);
	return 46;
}

static size_t put_ip4(uint8_t *p, const struct net_addr *from)
{
	struct iphdr ip = { .version = 4,
			    .ihl = 5,
			    .ttl = 64,
			    .protocol = IPPROTO_UDP,
			    .tot_len = htons(46),
			    .saddr = from->v4.s_addr,
			    .daddr = htonl(INADDR_BROADCAST) };
	uint32_t sum = 0;
	uint16_t word;

	for (size_t i = 0; i < sizeof(ip); i += 2) {
		memcpy(&word, (const uint8_t *)&ip + i, 2);
		sum += word;
	}
	sum = (sum & 0xffff) + (sum >> 16);
	ip.check = (uint16_t) ~((sum & 0xffff) + (sum >> 16));
	memcpy(p, &ip, sizeof(ip));
	memset(p + sizeof(ip), MARK, 26);
	return 46;
}

static size_t put_ip6(uint8_t *p, const struct net_addr *from, const struct net_addr *target,
		      uint8_t protocol, uint8_t icmp)
{
	struct ip6_hdr ip = { .ip6_src = from->v6 };

	ip.ip6_flow = htonl(6u << 28);
	ip.ip6_plen = htons(40);
	ip.ip6_nxt = protocol;
	ip.ip6_hops = 255;
	ip.ip6_dst = addr("ff02::1").v6;
	memcpy(p, &ip, sizeof(ip));
	memset(p + 40, MARK, 40);
	if (protocol == IPPROTO_ICMPV6) {
		memset(p + 40, 0, 8);
		p[40] = icmp;
		memcpy(p + 48, &target->v6, 16);
	}
	return 80;
}

static size_t put_frame(uint8_t *frame, int row, const uint8_t own_mac[6])
{
	unsigned int flags = frames[row].flags;
	struct net_addr from4 = addr("10.77.0.2"), from6 = addr("2001:db8:77::2");
	struct net_addr target = addr(flags & FOREIGN_INNER ? "2001:db8:77::1" : "2001:db8:77::2");
	uint16_t type = htons(frames[row].type);
	uint8_t *p = frame + ETH_HLEN;
	uint8_t mac[6];

	memcpy(mac, own_mac, 6);
	mac[5] ^= flags & FOREIGN_MAC ? 1 : 0;
	if (flags & FOREIGN_ADDR) {
		from4 = addr("10.77.0.1");
		from6 = addr("2001:db8:77::1");
	} else if (flags & NO_ADDR) {
		from4 = addr("0.0.0.0");
		from6 = addr("::");
	}
	memset(frame, 0xff, 6);
	if (flags & RESERVED)
		memcpy(frame, "\x01\x80\xc2\x00\x00\x0e", 6);
	memcpy(frame + 6, mac, 6);
	if (flags & TAGGED) {
		memcpy(p - 2, "\x81\x00\x00\x01", 4);
		p += 4;
	}
	memcpy(p - 2, &type, 2);
	if (frames[row].type == ETH_P_ARP)
		return (size_t)(p - frame) + put_arp(p, own_mac, &from4, flags);
	if (frames[row].type == ETH_P_IPV6)
		return (size_t)(p - frame) +
		       put_ip6(p, &from6, &target, frames[row].protocol, frames[row].icmp);
	return (size_t)(p - frame) + put_ip4(p, &from4);
}

static int packet_socket(int ns)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int fd;

	in_ns(ns);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
	ll.sll_ifindex = (int)if_nametoindex("eth0");
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&ll, sizeof(ll)), 0);
	in_ns(host_ns);
	return fd;
}

/* Raw frames from one guest to another on its bridge. */
START_TEST(forged_frame)
{
	own_fd int from = -EBADF, to = -EBADF;
	uint8_t frame[128], seen[2048], mac[6];
	bool arrived = false;
	struct guest a, b;
	size_t len;

	host_setup();
	guest_init(&a, NET_BRIDGE, "br0", 2, HOST | PEERS | OUTSIDE | GATEWAY);
	guest_init(&b, NET_BRIDGE, "br0", 3, HOST | PEERS | OUTSIDE | GATEWAY);
	guest_up(&a);
	guest_up(&b);
	from = packet_socket(a.ns);
	to = packet_socket(b.ns);
	net_derive_mac(a.id, a.name, mac);
	len = put_frame(frame, _i, mac);
	ck_assert_int_eq(send(from, frame, len, 0), (ssize_t)len);
	while (!arrived && readable(to, frames[_i].passes ? 2000 : 50)) {
		ssize_t n = recv(to, seen, sizeof(seen), 0);

		/* A tag is taken off by the kernel: what follows it shows the frame. */
		arrived = n >= 40 && (memcmp(seen + 6, frame + 6, 6) == 0) &&
			  (size_t)n + 4 >= len && memcmp(seen + n - 12, frame + len - 12, 12) == 0;
	}
	ck_assert_msg(arrived == frames[_i].passes, "%s", frames[_i].what);
	guest_down(&a);
	guest_down(&b);
	host_teardown();
}
END_TEST

/* A frame for a reserved group is taken in by the port itself, before any bridge rule. */
START_TEST(forged_to_reserved_group)
{
	struct net_addr dst = addr("10.77.0.1");
	own_fd int from = -EBADF, server = -EBADF;
	struct sockaddr_storage any;
	uint8_t frame[128], mac[6];
	struct net_addr all = addr("0.0.0.0");
	struct guest a;
	size_t len = ETH_HLEN + 46;

	host_setup();
	guest_init(&a, NET_BRIDGE, "br0", 2, HOST | PEERS | OUTSIDE | GATEWAY);
	guest_up(&a);
	server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(server, (struct sockaddr *)&any, sockaddr_of(&all, 0xa5a5, &any)), 0);
	from = packet_socket(a.ns);
	net_derive_mac(a.id, a.name, mac);
	for (int i = 0; i < 2; i++) {
		struct iphdr ip = { .version = 4,
				    .ihl = 5,
				    .ttl = 64,
				    .protocol = IPPROTO_UDP,
				    .tot_len = htons(46),
				    .daddr = dst.v4.s_addr };
		uint32_t sum = 0;

		/* First an honest one to the bridge, to see that the server would hear it. */
		ip.saddr = addr(i ? "10.77.0.200" : "10.77.0.2").v4.s_addr;
		(void)put_frame(frame, 5, mac);
		if (i)
			memcpy(frame, "\x01\x80\xc2\x00\x00\x0e", 6);
		else
			addr_bridge_mac("br0", frame);
		for (size_t k = 0; k < sizeof(ip); k += 2) {
			uint16_t word;

			memcpy(&word, (const uint8_t *)&ip + k, 2);
			sum += word;
		}
		sum = (sum & 0xffff) + (sum >> 16);
		ip.check = (uint16_t) ~((sum & 0xffff) + (sum >> 16));
		memcpy(frame + ETH_HLEN, &ip, sizeof(ip));
		memcpy(frame + ETH_HLEN + 20, "\x00\x07\xa5\xa5\x00\x1a\x00\x00", 8);
		ck_assert_int_eq(send(from, frame, len, 0), (ssize_t)len);
		ck_assert_int_eq(readable(server, i ? 100 : 1000), !i);
		if (!i)
			ck_assert_int_eq(recv(server, frame, sizeof(frame), 0), 18);
	}
	guest_down(&a);
	host_teardown();
}
END_TEST

static bool exists(const char *link)
{
	return if_nametoindex(link) != 0;
}

static bool has_text(const char *needle)
{
	own_free char *all = snapshot();

	return strstr(all, needle) != NULL;
}

/* Three on one bridge: it and its address stay until the last has gone, in any order. */
START_TEST(shared_bridge)
{
	own_free char *before = NULL, *after = NULL;
	struct guest g[3];

	host_setup();
	before = snapshot();
	for (int i = 0; i < 3; i++) {
		guest_init(&g[i], NET_BRIDGE, "br0", i + 2, HOST | PEERS | OUTSIDE | GATEWAY);
		guest_up(&g[i]);
	}
	for (int i = 0; i < 3; i++) {
		ck_assert(exists("br0"));
		ck_assert(has_text("inet 10.77.0.1/24"));
		ck_assert(has_text("ipv4/ip_forward:1"));
		guest_down(&g[(i + _i) % 3]);
		guest_down(&g[(i + _i) % 3]); /* any number of times */
		if (i < 2)
			expect_udp(g[(i + 1 + _i) % 3].ns, outside_ns, "192.0.2.2", NULL, NULL,
				   ANSWERED);
	}
	after = snapshot();
	same(before, after);
	host_teardown();
}
END_TEST

/* A bridge, a gateway address and forwarding that were there before ctr are there after it. */
START_TEST(foreign_bridge)
{
	own_free char *before = NULL, *after = NULL;
	struct guest a;

	host_setup();
	sh("ip link add br0 type bridge; ip link set br0 addrgenmode none;"
	   "ip link add ext0 type veth peer name ext1; ip link set ext1 up;"
	   "ip link set ext0 master br0 up; ip addr add 10.77.0.1/24 dev br0; ip link set br0 up;"
	   "sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.accept_redirects=0;"
	   "for i in br0 ext0 ext1; do ip link show $i >/dev/null; done");
	before = snapshot();
	guest_init(&a, NET_BRIDGE, "br0", 2, HOST | OUTSIDE | GATEWAY);
	guest_up(&a);
	expect_udp(a.ns, outside_ns, "192.0.2.2", NULL, NULL, ANSWERED);
	expect_udp(host_ns, a.ns, "2001:db8:77::2", NULL, NULL, ANSWERED);
	guest_down(&a);
	after = snapshot();
	same(before, after);
	host_teardown();
}
END_TEST

/* A bridge of ctr into which somebody put a port of their own is theirs from then on. */
START_TEST(adopted_bridge)
{
	struct guest a;

	host_setup();
	guest_init(&a, NET_BRIDGE, "br0", 2, HOST | GATEWAY);
	guest_up(&a);
	sh("ip link add theirs0 type veth peer name theirs1; ip link set theirs0 master br0");
	guest_down(&a);
	ck_assert(exists("br0"));
	ck_assert(!has_text("10.77.0.1/24"));
	host_teardown();
}
END_TEST

/* The global switches change more than they say; hardened values come back. */
START_TEST(sysctls_restored)
{
	own_free char *before = NULL, *after = NULL;
	struct guest a;

	host_setup();
	sh("sysctl -qw net.ipv4.conf.all.accept_redirects=0 net.ipv4.conf.up0.forwarding=1 "
	   "net.ipv6.conf.up0.accept_ra=1 net.ipv6.conf.lo.accept_ra=1");
	before = snapshot();
	guest_init(&a, NET_BRIDGE, "br0", 2, OUTSIDE | GATEWAY);
	guest_up(&a);
	ck_assert(has_text("ipv6/conf/up0/accept_ra:2"));
	ck_assert(has_text("ipv6/conf/all/forwarding:1"));
	guest_down(&a);
	after = snapshot();
	same(before, after);
	host_teardown();
}
END_TEST

/* The namespace may die first, and takes its links with it. */
START_TEST(namespace_gone)
{
	own_free char *before = NULL, *after = NULL;
	struct guest a;

	host_setup();
	before = snapshot();
	guest_init(&a, (enum net_mode)_i, "br0", 2, HOST | PEERS | OUTSIDE | NAT | GATEWAY);
	guest_up(&a);
	close(a.ns);
	a.ns = -1;
	guest_down(&a);
	after = snapshot();
	same(before, after);
	host_teardown();
}
END_TEST

/* Without anything made, undo has nothing to do and says so. */
START_TEST(undo_of_nothing)
{
	own_free char *before = NULL, *after = NULL;
	struct guest a;

	host_setup();
	before = snapshot();
	guest_init(&a, (enum net_mode)_i, "br0", 2, HOST | GATEWAY);
	guest_down(&a);
	after = snapshot();
	same(before, after);
	host_teardown();
}
END_TEST

/* The rules were flushed under us: undo still succeeds, and the next container gets them anew. */
START_TEST(flushed_rules)
{
	struct guest a, b;

	host_setup();
	guest_init(&a, NET_BRIDGE, "br0", 2, HOST | PEERS | GATEWAY);
	guest_init(&b, NET_BRIDGE, "br0", 3, GATEWAY);
	guest_up(&a);
	sh("nft flush ruleset");
	guest_up(&b);
	expect_udp(b.ns, host_ns, "10.77.0.1", NULL, NULL, LOST);
	guest_down(&a);
	expect_udp(b.ns, host_ns, "10.77.0.1", NULL, NULL, LOST);
	sh("nft flush ruleset");
	guest_down(&b);
	host_teardown();
}
END_TEST

START_TEST(two_interfaces)
{
	own_free char *before = NULL, *after = NULL;
	struct net_addr second[] = { addr("10.77.5.2/24"), addr("10.77.5.3/24") };
	struct net_counters counters;
	char second_host_name[16];
	struct net_if ifs[2];
	struct guest a;

	host_setup();
	before = snapshot();
	guest_init(&a, NET_BRIDGE, "br0", 2, HOST | OUTSIDE | GATEWAY);
	ifs[0] = a.nif;
	ifs[1] = a.nif;
	net_host_name(a.id, 1, second_host_name);
	ifs[1].name = (char[]){ "net1" };
	ifs[1].host_name = second_host_name;
	ifs[1].mode = NET_ROUTED;
	ifs[1].addrs = second;
	ifs[1].gateway4 = ifs[1].gateway6 = (struct net_addr){ 0 };
	ifs[1].mtu = 1400;
	memcpy(ifs[1].mac, "\x02\x00\x00\x00\x00\x77", 6);
	a.net.ifs = ifs;
	a.net.if_count = 2;
	guest_up(&a);
	in_ns(a.ns);
	sh("ip link show net1 | grep -q 'mtu 1400'; ip link show net1 | grep -q 02:00:00:00:00:77");
	in_ns(host_ns);
	expect_udp(host_ns, a.ns, "10.77.0.2", NULL, NULL, ANSWERED);
	expect_udp(host_ns, a.ns, "10.77.5.2", NULL, NULL, ANSWERED);
	expect_udp(host_ns, a.ns, "10.77.5.3", NULL, NULL, ANSWERED);
	ck_assert_int_eq(net_counters_read(&a.net, &counters), 0);
	ck_assert_uint_ge(counters.rx_packets, 3);
	ck_assert_uint_ge(counters.tx_packets, 3);
	ck_assert_uint_gt(counters.rx_bytes, 0);
	ck_assert_uint_gt(counters.tx_bytes, 0);
	guest_down(&a);
	ck_assert_int_eq(net_counters_read(&a.net, &counters), -ENODEV);
	after = snapshot();
	same(before, after);
	host_teardown();
}
END_TEST

/* clang-format off */
static const struct {
	const char *what; /* part of the message */
	enum net_mode mode;
	const char *addr, *gateway, *bridge, *name, *host_name;
	int code;
} refused[] = {
	{ "belongs to the host itself",	NET_BRIDGE, "192.0.2.1/24", NULL, "br0", "eth0", NULL, -EADDRINUSE },
	{ "belongs to the host itself",	NET_ROUTED, "192.0.2.1", NULL, NULL, "eth0", NULL, -EADDRINUSE },
	{ "belongs to the host itself",	NET_ROUTED, "2001:db8:f::1", NULL, NULL, "eth0", NULL, -EADDRINUSE },
	{ "in the network of 'up0'",	NET_BRIDGE, "192.0.2.9/24", NULL, "br0", "eth0", NULL, -EADDRINUSE },
	{ "in the network of 'up0'",	NET_BRIDGE, "2001:db8:f::9/64", NULL, "br0", "eth0", NULL, -EADDRINUSE },
	{ "belongs to the host itself",	NET_BRIDGE, "10.9.0.2/24", "192.0.2.1", "br0", "eth0", NULL, -EADDRINUSE },
	{ "in use by another container", NET_BRIDGE, "10.77.0.7/24", NULL, "br7", "eth0", NULL, -EADDRINUSE },
	{ "is in the network of 'br7'",	NET_BRIDGE, "10.77.0.7/24", NULL, "br0", "eth0", NULL, -EADDRINUSE },
	{ "is routed to",		NET_ROUTED, "10.77.8.8", NULL, NULL, "eth0", NULL, -EADDRINUSE },
	{ "is not a bridge",		NET_BRIDGE, "10.9.0.2/24", NULL, "up0", "eth0", NULL, -EEXIST },
	{ "exists already",		NET_ROUTED, "10.9.0.2", NULL, NULL, "eth0", "up0", -EEXIST },
	{ "every network namespace",	NET_ROUTED, "10.9.0.2", NULL, NULL, "lo", NULL, -EEXIST },
	{ "is not the name",		NET_ROUTED, "10.9.0.2", NULL, NULL, "a/b", NULL, -EINVAL },
	{ "is not the name",		NET_ROUTED, "10.9.0.2", NULL, NULL, "sixteen-bytes-xx", NULL, -EINVAL },
	{ "is not the name",		NET_BRIDGE, "10.9.0.2", NULL, "..", "eth0", NULL, -EINVAL },
	{ "is not the name",		NET_BRIDGE, "10.9.0.2", NULL, NULL, "eth0", NULL, -EINVAL },
	{ "is no host's address",	NET_ROUTED, "224.0.0.1", NULL, NULL, "eth0", NULL, -EINVAL },
	{ "is no host's address",	NET_ROUTED, "127.0.0.1", NULL, NULL, "eth0", NULL, -EINVAL },
	{ "is no host's address",	NET_ROUTED, "::", NULL, NULL, "eth0", NULL, -EINVAL },
	{ "of a routed interface",	NET_ROUTED, "10.9.0.2", "10.9.0.1", NULL, "eth0", NULL, -EINVAL },
	{ "is its own gateway",		NET_BRIDGE, "10.9.0.2/24", "10.9.0.2", "br0", "eth0", NULL, -EINVAL },
};
/* clang-format on */

START_TEST(check_refuses)
{
	own_free char *before = NULL, *after = NULL;
	struct guest bridged, routed, a;
	struct err e = { 0 };

	host_setup();
	guest_init(&bridged, NET_BRIDGE, "br7", 7, HOST | GATEWAY);
	guest_init(&routed, NET_ROUTED, NULL, 8, HOST);
	routed.addrs[0] = addr("10.77.8.8");
	routed.addrs[1] = addr("2001:db8:8::8");
	guest_up(&bridged);
	guest_up(&routed);
	before = snapshot();
	guest_init(&a, refused[_i].mode, refused[_i].bridge, 2, HOST | GATEWAY);
	a.nif.addr_count = 1;
	a.addrs[0] = addr(refused[_i].addr);
	(void)snprintf(a.name, sizeof(a.name), "%.15s", refused[_i].name);
	a.nif.name = (char[32]){ 0 };
	(void)snprintf(a.nif.name, 32, "%s", refused[_i].name);
	a.nif.bridge = refused[_i].bridge ? a.bridge : NULL;
	if (refused[_i].host_name)
		(void)snprintf(a.host_name, sizeof(a.host_name), "%s", refused[_i].host_name);
	a.nif.gateway4 = a.nif.gateway6 = (struct net_addr){ 0 };
	if (refused[_i].gateway)
		a.nif.gateway4 = addr(refused[_i].gateway);
	ck_assert_int_eq(net_check(&a.net, &e), refused[_i].code);
	ck_assert_msg(strstr(e.msg, refused[_i].what) != NULL, "%s", e.msg);
	after = snapshot();
	same(before, after);
	guest_down(&bridged);
	guest_down(&routed);
	host_teardown();
}
END_TEST

START_TEST(probe)
{
	static const char *const features[] = { "veth", "bridge", "nf_tables", "nat" };
	own_free char *before = NULL, *after = NULL;

	host_setup();
	before = snapshot();
	for (size_t i = 0; i < ARRAY_SIZE(features); i++)
		ck_assert_int_eq(net_probe(features[i]), 0);
	ck_assert_int_eq(net_probe("teleport"), -ENOTSUP);
	after = snapshot();
	same(before, after);
	host_teardown();
}
END_TEST

START_TEST(loopback_alone)
{
	struct net_config none = { .id = "none" };
	struct err e = { 0 };
	int ns;

	host_setup();
	ns = new_ns();
	ck_assert_int_eq(net_check(&none, &e), 0);
	ck_assert_int_eq(net_apply(&none, record_dir, ns, &e), 0);
	expect_udp(ns, ns, "127.0.0.1", NULL, NULL, ANSWERED);
	ck_assert_int_eq(net_undo(&none, record_dir, &e), 0);
	host_teardown();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("setup");
	TCase *tc = tcase_create("setup");
	SRunner *sr;
	int failed;

	if (geteuid() != 0) {
		printf("skip: needs root to make network namespaces\n");
		return 0;
	}
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, reach, 0, SURROUNDINGS * (int)ARRAY_SIZE(reaches));
	tcase_add_loop_test(tc, reach_across, 0, 2);
	tcase_add_loop_test(tc, masquerade, 0, NET_MODES);
	tcase_add_loop_test(tc, forged_address, 0, NET_MODES);
	tcase_add_loop_test(tc, forged_frame, 0, (int)ARRAY_SIZE(frames));
	tcase_add_test(tc, forged_to_reserved_group);
	tcase_add_loop_test(tc, shared_bridge, 0, 3);
	tcase_add_test(tc, foreign_bridge);
	tcase_add_test(tc, adopted_bridge);
	tcase_add_test(tc, sysctls_restored);
	tcase_add_loop_test(tc, namespace_gone, 0, NET_MODES);
	tcase_add_loop_test(tc, undo_of_nothing, 0, NET_MODES);
	tcase_add_test(tc, flushed_rules);
	tcase_add_test(tc, two_interfaces);
	tcase_add_loop_test(tc, check_refuses, 0, (int)ARRAY_SIZE(refused));
	tcase_add_test(tc, probe);
	tcase_add_test(tc, loopback_alone);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
