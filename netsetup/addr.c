/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses as text, and the names and MACs that derive from a container's id. Pure. */
#include "netsetup/addr_internal.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

int net_parse_addr(const char *s, struct net_addr *ret)
{
	char host[INET6_ADDRSTRLEN];
	const char *slash = strchr(s, '/');
	size_t len = slash ? (size_t)(slash - s) : strlen(s);
	struct net_addr a = { .family = memchr(s, ':', len) ? AF_INET6 : AF_INET };
	uint32_t full = a.family == AF_INET ? 32 : 128;
	uint32_t prefix = full;

	if (len >= sizeof(host))
		return -EINVAL;
	memcpy(host, s, len);
	host[len] = '\0';
	if (inet_pton(a.family, host, &a.v6) != 1)
		return -EINVAL;
	if (slash && (text_u32(slash + 1, &prefix) < 0 || prefix > full))
		return -EINVAL;
	a.prefix = (uint8_t)prefix;
	*ret = a;
	return 0;
}

char *net_format_addr(const struct net_addr *a, bool with_prefix, char *buf, size_t size)
{
	char host[INET6_ADDRSTRLEN];

	if (a->family != AF_INET && a->family != AF_INET6)
		(void)snprintf(buf, size, "none");
	else if (!inet_ntop(a->family, &a->v6, host, sizeof(host)))
		(void)snprintf(buf, size, "?"); /* cannot fail: the buffer fits every address */
	else if (with_prefix)
		(void)snprintf(buf, size, "%s/%u", host, a->prefix);
	else
		(void)snprintf(buf, size, "%s", host);
	return buf;
}

/* FNV-1a over two strings and a number, then a finaliser: without it ids that differ in their
 * last byte alone would differ in few bits of the result. The kernel refuses a name that is taken,
 * so a collision costs an error and never a mix-up. */
static uint64_t hash(const char *a, const char *b, uint64_t n)
{
	uint64_t h = 0xcbf29ce484222325;

	for (const char *p = a; *p; p++)
		h = (h ^ (unsigned char)*p) * 0x100000001b3;
	h *= 0x100000001b3; /* a separator: ("ab", "c") is not ("a", "bc") */
	for (const char *p = b; *p; p++)
		h = (h ^ (unsigned char)*p) * 0x100000001b3;
	h ^= n;
	h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9;
	h = (h ^ (h >> 27)) * 0x94d049bb133111eb;
	return h ^ (h >> 31);
}

void net_host_name(const char *id, size_t index, char ret[16])
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	uint64_t h = hash(id, "link", index);

	memcpy(ret, "ctr", 3);
	for (size_t i = 3; i < 15; i++, h >>= 5)
		ret[i] = digits[h & 31];
	ret[15] = '\0';
}

static void mac_of(uint64_t h, uint8_t first, uint8_t ret[6])
{
	for (size_t i = 0; i < 6; i++, h >>= 8)
		ret[i] = (uint8_t)h;
	ret[0] = first;
}

void net_derive_mac(const char *id, const char *ifname, uint8_t ret[6])
{
	uint64_t h = hash(id, ifname, 0);

	mac_of(h, (uint8_t)((uint8_t)(h & 0xfc) | 2), ret);
}

void addr_guest_mac(const char *id, const struct net_if *nif, uint8_t ret[6])
{
	static const uint8_t none[6];

	if (memcmp(nif->mac, none, sizeof(none)) == 0)
		net_derive_mac(id, nif->name, ret);
	else
		memcpy(ret, nif->mac, sizeof(none));
}

void addr_host_mac(const char *host_name, uint8_t ret[6])
{
	mac_of(hash(host_name, "host", 0), 0xfe, ret);
}

void addr_bridge_mac(const char *bridge, uint8_t ret[6])
{
	mac_of(hash(bridge, "bridge", 0), 0x02, ret);
}

struct net_addr addr_link_local(const uint8_t mac[6])
{
	struct net_addr a = { .family = AF_INET6, .prefix = 64 };
	const uint8_t bytes[16] = {
		0xfe,	0x80,	0,    0,    0,	    0,	    0,	   0, (uint8_t)(mac[0] ^ 2),
		mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]
	};

	memcpy(&a.v6, bytes, sizeof(bytes));
	return a;
}

const void *addr_bytes(const struct net_addr *a)
{
	return &a->v6;
}

size_t addr_len(int family)
{
	return family == AF_INET ? 4 : 16;
}

bool addr_equal(const struct net_addr *a, const struct net_addr *b)
{
	return a->family == b->family &&
	       memcmp(addr_bytes(a), addr_bytes(b), addr_len(a->family)) == 0;
}

bool addr_in_network(const struct net_addr *a, const struct net_addr *net)
{
	const uint8_t *x = addr_bytes(a), *y = addr_bytes(net);
	size_t whole = net->prefix / 8;
	uint8_t rest = net->prefix % 8;

	if (a->family != net->family || memcmp(x, y, whole) != 0)
		return false;
	return rest == 0 || ((x[whole] ^ y[whole]) >> (8 - rest)) == 0;
}
