/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses as text, derived names and MACs, networks. */
#include "base/own.h"
#include "netsetup/addr_internal.h"

#include <check.h>
#include <string.h>

/* clang-format off */
static const struct {
	const char *in, *out; /* out NULL: refused */
} texts[] = {
	{ "10.0.0.2/24", "10.0.0.2/24" },
	{ "10.0.0.2", "10.0.0.2/32" },
	{ "0.0.0.0/0", "0.0.0.0/0" },
	{ "255.255.255.255/32", "255.255.255.255/32" },
	{ "2001:db8::2/64", "2001:db8::2/64" },
	{ "2001:0DB8:0:0::2", "2001:db8::2/128" },
	{ "::/0", "::/0" },
	{ "::ffff:10.0.0.1/96", "::ffff:10.0.0.1/96" },
	{ "", NULL }, { "/", NULL }, { "/24", NULL }, { "10.0.0.2/", NULL },
	{ "10.0.0.2/33", NULL }, { "10.0.0.2/-1", NULL }, { "10.0.0.2/ 8", NULL },
	{ "10.0.0.2/24/24", NULL }, { "10.0.0", NULL }, { "10.0.0.256", NULL },
	{ "10.0.0.2 ", NULL }, { " 10.0.0.2", NULL }, { "010.0.0.1", NULL },
	{ "::1/129", NULL }, { "fe80::1%eth0", NULL }, { "1::2::3", NULL },
	{ "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff:1111:2222:3333:4444", NULL },
	{ "10.0.0.2/99999999999999999999", NULL }, { "host.example", NULL },
};
static const struct {
	const char *addr, *net;
	bool in;
} networks[] = {
	{ "10.0.0.2", "10.0.0.1/24", true },
	{ "10.0.1.2", "10.0.0.1/24", false },
	{ "10.0.1.2", "10.0.0.1/23", true },
	{ "10.0.0.2", "10.0.0.1/32", false },
	{ "10.0.0.1", "10.0.0.1/32", true },
	{ "192.0.2.1", "0.0.0.0/0", true },
	{ "2001:db8::1", "2001:db8::ffff/64", true },
	{ "2001:db8:0:1::1", "2001:db8::/63", true },
	{ "2001:db8:0:2::1", "2001:db8::/63", false },
	{ "10.0.0.1", "::/0", false },
};
/* clang-format on */

START_TEST(parse_and_format)
{
	struct net_addr a = { .prefix = 77 };
	char buf[64];

	if (!texts[_i].out) {
		ck_assert_int_eq(net_parse_addr(texts[_i].in, &a), -EINVAL);
		ck_assert_uint_eq(a.prefix, 77);
		return;
	}
	ck_assert_int_eq(net_parse_addr(texts[_i].in, &a), 0);
	ck_assert_str_eq(net_format_addr(&a, true, buf, sizeof(buf)), texts[_i].out);
	*strchr(buf, '/') = '\0';
	{
		char plain[64];

		ck_assert_str_eq(net_format_addr(&a, false, plain, sizeof(plain)), buf);
	}
}
END_TEST

START_TEST(membership)
{
	struct net_addr a, net;

	ck_assert_int_eq(net_parse_addr(networks[_i].addr, &a), 0);
	ck_assert_int_eq(net_parse_addr(networks[_i].net, &net), 0);
	ck_assert_int_eq(addr_in_network(&a, &net), networks[_i].in);
}
END_TEST

START_TEST(no_family)
{
	struct net_addr a = { 0 };
	char buf[64];

	ck_assert_str_eq(net_format_addr(&a, true, buf, sizeof(buf)), "none");
}
END_TEST

START_TEST(host_names)
{
	char seen[400][16];

	for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
		char id[32];

		(void)snprintf(id, sizeof(id), "web%zu", i / 4);
		net_host_name(id, i % 4, seen[i]);
		ck_assert_uint_eq(strlen(seen[i]), 15);
		ck_assert_int_eq(strncmp(seen[i], "ctr", 3), 0);
		for (size_t j = 0; j < i; j++)
			ck_assert(strcmp(seen[i], seen[j]) != 0);
	}
	{
		char again[16];

		net_host_name("web0", 0, again);
		ck_assert_str_eq(again, seen[0]);
		/* Stable for ever: an update of ctr must be able to undo what the old one made. */
		net_host_name("web", 0, again);
		ck_assert_str_eq(again, "ctrfjepjq4eyxzs");
	}
}
END_TEST

START_TEST(macs)
{
	uint8_t a[6], b[6], c[6], host[6], bridge[6];

	net_derive_mac("web", "eth0", a);
	net_derive_mac("web", "eth1", b);
	net_derive_mac("we", "beth0", c);
	ck_assert_uint_eq(a[0] & 3, 2);
	ck_assert(memcmp(a, b, 6) != 0);
	ck_assert(memcmp(a, c, 6) != 0);
	net_derive_mac("web", "eth0", b);
	ck_assert_mem_eq(a, b, 6);
	addr_host_mac("ctrx", host);
	addr_bridge_mac("ctrx", bridge);
	ck_assert_uint_eq(host[0], 0xfe);
	ck_assert_uint_eq(bridge[0] & 3, 2);
}
END_TEST

START_TEST(link_local)
{
	const uint8_t mac[6] = { 0x02, 0x11, 0x22, 0x33, 0x44, 0x55 };
	struct net_addr a = addr_link_local(mac);
	char buf[64];

	ck_assert_str_eq(net_format_addr(&a, true, buf, sizeof(buf)), "fe80::11:22ff:fe33:4455/64");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("addr");
	TCase *tc = tcase_create("addr");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc, parse_and_format, 0, (int)ARRAY_SIZE(texts));
	tcase_add_loop_test(tc, membership, 0, (int)ARRAY_SIZE(networks));
	tcase_add_test(tc, no_family);
	tcase_add_test(tc, host_names);
	tcase_add_test(tc, macs);
	tcase_add_test(tc, link_local);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
