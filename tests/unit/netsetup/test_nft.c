/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of nf_tables messages, and the queue that they are put into. No root needed. */
#include "base/own.h"
#include "netsetup/nft_internal.h"

#include <check.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

static const uint8_t *queued(struct nl *nl, size_t *ret_len)
{
	return nl_queued(nl, ret_len);
}

START_TEST(table_message)
{
	/* clang-format off */
	static const uint8_t expected[] = {
		28, 0, 0, 0,		/* length */
		NFT_MSG_NEWTABLE, NFNL_SUBSYS_NFTABLES,
		0x05, 0x04,		/* REQUEST | ACK | CREATE */
		1, 0, 0, 0,		/* sequence */
		0, 0, 0, 0,		/* port */
		NFPROTO_INET, 0, 0, 0,	/* nfgenmsg */
		8, 0, NFTA_TABLE_NAME, 0, 'c', 't', 'r', 0,
	};
	/* clang-format on */
	own_nl struct nl *nl = NULL;
	const uint8_t *bytes;
	size_t len;

	ck_assert_int_eq(nl_open(NETLINK_NETFILTER, &nl, NULL), 0);
	nft_add_table(nl, NFPROTO_INET, "ctr");
	bytes = queued(nl, &len);
	ck_assert_uint_eq(len, sizeof(expected));
	ck_assert_mem_eq(bytes, expected, sizeof(expected));
}
END_TEST

START_TEST(batch_message)
{
	own_nl struct nl *nl = NULL;
	const struct nlmsghdr *nlh;
	const struct nfgenmsg *nfg;
	size_t len;

	ck_assert_int_eq(nl_open(NETLINK_NETFILTER, &nl, NULL), 0);
	nft_begin(nl);
	nft_del_table(nl, NFPROTO_BRIDGE, "ctr");
	nft_end(nl);
	nlh = (const void *)queued(nl, &len);
	nfg = mnl_nlmsg_get_payload(nlh);
	ck_assert_uint_eq(nlh->nlmsg_type, NFNL_MSG_BATCH_BEGIN);
	ck_assert_uint_eq(nlh->nlmsg_flags, NLM_F_REQUEST);
	ck_assert_uint_eq(nfg->res_id, htons(NFNL_SUBSYS_NFTABLES));
	ck_assert_uint_eq(len, 20 + 28 + 20);
}
END_TEST

/* What one expression becomes: the attributes after the name of its kind. */
/* clang-format off */
static const struct {
	struct nft_expr expr;
	const char *name;
	size_t len;
	uint8_t data[64];
} exprs[] = {
	{ NFT_META_TO(NFT_META_IIFNAME, 0), "meta", 16, {
		8, 0, NFTA_META_KEY, 0, 0, 0, 0, NFT_META_IIFNAME,
		8, 0, NFTA_META_DREG, 0, 0, 0, 0, NFT_REG32_00 } },
	{ NFT_LOAD(NFT_PAYLOAD_NETWORK_HEADER, 12, 4, 4), "payload", 32, {
		8, 0, NFTA_PAYLOAD_DREG, 0, 0, 0, 0, NFT_REG32_00 + 4,
		8, 0, NFTA_PAYLOAD_BASE, 0, 0, 0, 0, NFT_PAYLOAD_NETWORK_HEADER,
		8, 0, NFTA_PAYLOAD_OFFSET, 0, 0, 0, 0, 12,
		8, 0, NFTA_PAYLOAD_LEN, 0, 0, 0, 0, 4 } },
	{ NFT_CT_TO(NFT_CT_STATE, 14), "ct", 16, {
		8, 0, NFTA_CT_KEY, 0, 0, 0, 0, NFT_CT_STATE,
		8, 0, NFTA_CT_DREG, 0, 0, 0, 0, NFT_REG32_00 + 14 } },
	{ NFT_BITS(12, 4, 14), "bitwise", 48, {
		8, 0, NFTA_BITWISE_SREG, 0, 0, 0, 0, NFT_REG32_00 + 12,
		8, 0, NFTA_BITWISE_DREG, 0, 0, 0, 0, NFT_REG32_00 + 14,
		8, 0, NFTA_BITWISE_LEN, 0, 0, 0, 0, 4,
		12, 0, NFTA_BITWISE_MASK, 0x80, 8, 0, NFTA_DATA_VALUE, 0, 0, 0, 0, 4,
		12, 0, NFTA_BITWISE_XOR, 0x80, 8, 0, NFTA_DATA_VALUE, 0, 0, 0, 0, 0 } },
	{ NFT_IS(14, 2, 0x08, 0x06), "cmp", 28, {
		8, 0, NFTA_CMP_SREG, 0, 0, 0, 0, NFT_REG32_00 + 14,
		8, 0, NFTA_CMP_OP, 0, 0, 0, 0, NFT_CMP_EQ,
		12, 0, NFTA_CMP_DATA, 0x80, 6, 0, NFTA_DATA_VALUE, 0, 0x08, 0x06, 0, 0 } },
	{ NFT_IN(0, "own4"), "lookup", 20, {
		9, 0, NFTA_LOOKUP_SET, 0, 'o', 'w', 'n', '4', 0, 0, 0, 0,
		8, 0, NFTA_LOOKUP_SREG, 0, 0, 0, 0, NFT_REG32_00 } },
	{ NFT_MAP(0, "own4", 12), "lookup", 28, {
		9, 0, NFTA_LOOKUP_SET, 0, 'o', 'w', 'n', '4', 0, 0, 0, 0,
		8, 0, NFTA_LOOKUP_SREG, 0, 0, 0, 0, NFT_REG32_00,
		8, 0, NFTA_LOOKUP_DREG, 0, 0, 0, 0, NFT_REG32_00 + 12 } },
	{ NFT_DO(NF_DROP), "immediate", 24, {
		8, 0, NFTA_IMMEDIATE_DREG, 0, 0, 0, 0, NFT_REG_VERDICT,
		16, 0, NFTA_IMMEDIATE_DATA, 0x80, 12, 0, NFTA_DATA_VERDICT, 0x80,
		8, 0, NFTA_VERDICT_CODE, 0, 0, 0, 0, NF_DROP } },
	{ NFT_CALL("sub"), "immediate", 32, {
		8, 0, NFTA_IMMEDIATE_DREG, 0, 0, 0, 0, NFT_REG_VERDICT,
		24, 0, NFTA_IMMEDIATE_DATA, 0x80, 20, 0, NFTA_DATA_VERDICT, 0x80,
		8, 0, NFTA_VERDICT_CODE, 0, 0xff, 0xff, 0xff, 0xfd,
		8, 0, NFTA_VERDICT_CHAIN, 0, 's', 'u', 'b', 0 } },
	{ NFT_MASQUERADE, "masq", 0, { 0 } },
};
/* clang-format on */

START_TEST(expression)
{
	const struct nft_expr rule[] = { exprs[_i].expr, { .kind = NFT_X_END } };
	size_t name_len = strlen(exprs[_i].name) + 1, len, at;
	own_nl struct nl *nl = NULL;
	const uint8_t *bytes;

	ck_assert_int_eq(nl_open(NETLINK_NETFILTER, &nl, NULL), 0);
	nft_add_rule(nl, NFPROTO_INET, "ctr", "all", rule);
	bytes = queued(nl, &len);
	/* header, nfgenmsg, table, chain, list, element, then the name of the expression */
	at = 16 + 4 + 8 + 8 + 4 + 4 + 4;
	ck_assert_str_eq((const char *)bytes + at, exprs[_i].name);
	at += (name_len + 3) & ~(size_t)3;
	ck_assert_uint_eq(bytes[at], 4 + exprs[_i].len);
	ck_assert_uint_eq(bytes[at + 2], NFTA_EXPR_DATA);
	at += 4;
	ck_assert_uint_eq(len, at + exprs[_i].len);
	if (exprs[_i].len)
		ck_assert_mem_eq(bytes + at, exprs[_i].data, exprs[_i].len);
}
END_TEST

START_TEST(element_value_in_network_order)
{
	static const uint8_t value_attr[] = { 8, 0, NFTA_DATA_VALUE, 0, 0, 0, 0, 9 };
	own_nl struct nl *nl = NULL;
	const uint32_t flags = 9;
	const uint8_t *bytes;
	size_t len;

	ck_assert_int_eq(nl_open(NETLINK_NETFILTER, &nl, NULL), 0);
	nft_elem(nl, true, NFPROTO_INET, "ctr", "guests4", "0123456789abcdef1234", 20, &flags);
	bytes = queued(nl, &len);
	ck_assert_mem_eq(bytes + len - sizeof(value_attr), value_attr, sizeof(value_attr));
}
END_TEST

/* More than fits into one send fails as a whole, and the queue is good for the next. */
START_TEST(queue_overflow)
{
	own_nl struct nl *nl = NULL;
	struct err e = { 0 };
	size_t len;

	ck_assert_int_eq(nl_open(NETLINK_NETFILTER, &nl, NULL), 0);
	for (int i = 0; i < 20000; i++)
		nft_add_table(nl, NFPROTO_INET, "ctr");
	nl_accept(nl, ENOENT);
	ck_assert_int_eq(nl_run(nl, NULL, NULL, &e), -E2BIG);
	ck_assert_str_ne(e.msg, "");
	(void)nl_queued(nl, &len);
	ck_assert_uint_eq(len, 0);
	ck_assert_int_eq(nl_run(nl, NULL, NULL, &e), 0);
}
END_TEST

/* The kernel's error becomes a sentence that begins with what was tried. */
START_TEST(error_text)
{
	own_nl struct nl *nl = NULL;
	struct err e = { 0 };

	ck_assert_int_eq(nl_open(NETLINK_ROUTE, &nl, NULL), 0);
	(void)nl_add(nl, 0x7ffe, 0, 0, "do '%s'", "nonsense");
	(void)nl_add(nl, 0x7ffe, 0, 0, "do more");
	ck_assert_int_lt(nl_run(nl, NULL, NULL, &e), 0);
	ck_assert_msg(strncmp(e.msg, "do 'nonsense'", 13) == 0, "%s", e.msg);
	(void)nl_add(nl, 0x7ffe, 0, 0, "do what is fine");
	nl_accept(nl, EPERM);
	nl_accept(nl, EOPNOTSUPP);
	nl_accept(nl, EINVAL);
	ck_assert_int_eq(nl_run(nl, NULL, NULL, &e), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("nft");
	TCase *tc = tcase_create("nft");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, table_message);
	tcase_add_test(tc, batch_message);
	tcase_add_loop_test(tc, expression, 0, (int)ARRAY_SIZE(exprs));
	tcase_add_test(tc, element_value_in_network_order);
	tcase_add_test(tc, queue_overflow);
	tcase_add_test(tc, error_text);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
