/* SPDX-License-Identifier: Apache-2.0 */
/* nf_tables messages: linux/netfilter/nf_tables.h, spoken directly. */
#include "netsetup/nft_internal.h"

#include "base/own.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include <sys/socket.h>

/* The nft tool's id of the type "mark", so that it lists our flags as numbers. */
enum { TYPE_MARK = 19 };

/* What the nft tool keeps with a set (libnftnl udata.h), as type, length, value: keys are in host
 * byte order and values in network order. Without it it lists names backwards. */
static const uint8_t byte_order[] = {
	0, 4, 1, 0, 0, 0, /* of the key */
	1, 4, 2, 0, 0, 0, /* of the value */
};

static void put_be32(struct nlmsghdr *nlh, uint16_t type, uint32_t v)
{
	mnl_attr_put_u32(nlh, type, htonl(v));
}

static void put_reg(struct nlmsghdr *nlh, uint16_t type, uint8_t reg)
{
	put_be32(nlh, type, (uint32_t)NFT_REG32_00 + reg);
}

static void put_data(struct nlmsghdr *nlh, uint16_t type, const void *data, size_t len)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, type);

	mnl_attr_put(nlh, NFTA_DATA_VALUE, len, data);
	mnl_attr_nest_end(nlh, nest);
}

static struct nlmsghdr *request(struct nl *nl, int message, uint16_t flags, uint8_t family,
				const char *what, const char *name)
{
	struct nlmsghdr *nlh = nl_add(nl, (uint16_t)((NFNL_SUBSYS_NFTABLES << 8) | message), flags,
				      sizeof(struct nfgenmsg), "%s '%s' (%s)", what, name,
				      family == NFPROTO_BRIDGE ? "bridge" : "inet");
	struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);

	nfg->nfgen_family = family;
	return nlh;
}

static void put_batch(struct nl *nl, uint16_t type)
{
	struct nlmsghdr *nlh = nl_add_silent(nl, type, sizeof(struct nfgenmsg));
	struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);

	nfg->res_id = htons(NFNL_SUBSYS_NFTABLES);
}

void nft_begin(struct nl *nl)
{
	put_batch(nl, NFNL_MSG_BATCH_BEGIN);
}

void nft_end(struct nl *nl)
{
	put_batch(nl, NFNL_MSG_BATCH_END);
}

void nft_add_table(struct nl *nl, uint8_t family, const char *table)
{
	struct nlmsghdr *nlh =
		request(nl, NFT_MSG_NEWTABLE, NLM_F_CREATE, family, "make packet table", table);

	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, table);
}

void nft_del_table(struct nl *nl, uint8_t family, const char *table)
{
	struct nlmsghdr *nlh =
		request(nl, NFT_MSG_DELTABLE, 0, family, "remove packet table", table);

	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, table);
}

void nft_add_chain(struct nl *nl, uint8_t family, const char *table, const struct nft_chain *chain)
{
	struct nlmsghdr *nlh = request(nl, NFT_MSG_NEWCHAIN, NLM_F_CREATE, family,
				       "make packet chain", chain->name);
	struct nlattr *hook;

	mnl_attr_put_strz(nlh, NFTA_CHAIN_TABLE, table);
	mnl_attr_put_strz(nlh, NFTA_CHAIN_NAME, chain->name);
	if (!chain->type)
		return;
	hook = mnl_attr_nest_start(nlh, NFTA_CHAIN_HOOK);
	put_be32(nlh, NFTA_HOOK_HOOKNUM, chain->hook);
	put_be32(nlh, NFTA_HOOK_PRIORITY, (uint32_t)chain->priority);
	mnl_attr_nest_end(nlh, hook);
	mnl_attr_put_strz(nlh, NFTA_CHAIN_TYPE, chain->type);
	put_be32(nlh, NFTA_CHAIN_POLICY, NF_ACCEPT);
}

void nft_add_set(struct nl *nl, uint8_t family, const char *table, const struct nft_set *set,
		 uint32_t id)
{
	struct nlmsghdr *nlh =
		request(nl, NFT_MSG_NEWSET, NLM_F_CREATE, family, "make packet set", set->name);

	mnl_attr_put_strz(nlh, NFTA_SET_TABLE, table);
	mnl_attr_put_strz(nlh, NFTA_SET_NAME, set->name);
	put_be32(nlh, NFTA_SET_ID, id);
	put_be32(nlh, NFTA_SET_FLAGS, set->map ? NFT_SET_MAP : 0);
	put_be32(nlh, NFTA_SET_KEY_TYPE, set->key_type);
	put_be32(nlh, NFTA_SET_KEY_LEN, set->key_len);
	mnl_attr_put(nlh, NFTA_SET_USERDATA, sizeof(byte_order), byte_order);
	if (set->map) {
		put_be32(nlh, NFTA_SET_DATA_TYPE, TYPE_MARK);
		put_be32(nlh, NFTA_SET_DATA_LEN, sizeof(uint32_t));
	}
}

static void put_meta(struct nlmsghdr *nlh, const struct nft_expr *x)
{
	put_be32(nlh, NFTA_META_KEY, x->key);
	put_reg(nlh, NFTA_META_DREG, x->to);
}

static void put_payload(struct nlmsghdr *nlh, const struct nft_expr *x)
{
	put_reg(nlh, NFTA_PAYLOAD_DREG, x->to);
	put_be32(nlh, NFTA_PAYLOAD_BASE, x->key);
	put_be32(nlh, NFTA_PAYLOAD_OFFSET, x->offset);
	put_be32(nlh, NFTA_PAYLOAD_LEN, x->len);
}

static void put_ct(struct nlmsghdr *nlh, const struct nft_expr *x)
{
	put_be32(nlh, NFTA_CT_KEY, x->key);
	put_reg(nlh, NFTA_CT_DREG, x->to);
}

static void put_operand(struct nlmsghdr *nlh, uint16_t type, const struct nft_expr *x)
{
	if (x->len)
		put_data(nlh, type, x->data, x->len);
	else
		put_data(nlh, type, &x->value, sizeof(x->value));
}

static void put_mask(struct nlmsghdr *nlh, const struct nft_expr *x)
{
	static const uint32_t zero;

	put_reg(nlh, NFTA_BITWISE_SREG, x->from);
	put_reg(nlh, NFTA_BITWISE_DREG, x->to);
	put_be32(nlh, NFTA_BITWISE_LEN, sizeof(x->value));
	put_operand(nlh, NFTA_BITWISE_MASK, x);
	put_data(nlh, NFTA_BITWISE_XOR, &zero, sizeof(zero));
}

static void put_cmp(struct nlmsghdr *nlh, const struct nft_expr *x)
{
	put_reg(nlh, NFTA_CMP_SREG, x->from);
	put_be32(nlh, NFTA_CMP_OP, x->key);
	put_operand(nlh, NFTA_CMP_DATA, x);
}

static void put_lookup(struct nlmsghdr *nlh, const struct nft_expr *x)
{
	mnl_attr_put_strz(nlh, NFTA_LOOKUP_SET, x->name);
	put_reg(nlh, NFTA_LOOKUP_SREG, x->from);
	if (x->map)
		put_reg(nlh, NFTA_LOOKUP_DREG, x->to);
}

static void put_verdict(struct nlmsghdr *nlh, const struct nft_expr *x)
{
	struct nlattr *data, *verdict;

	put_be32(nlh, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = mnl_attr_nest_start(nlh, NFTA_IMMEDIATE_DATA);
	verdict = mnl_attr_nest_start(nlh, NFTA_DATA_VERDICT);
	put_be32(nlh, NFTA_VERDICT_CODE, x->key);
	if (x->name)
		mnl_attr_put_strz(nlh, NFTA_VERDICT_CHAIN, x->name);
	mnl_attr_nest_end(nlh, verdict);
	mnl_attr_nest_end(nlh, data);
}

/* clang-format off */
static const struct {
	const char *name;
	void (*put)(struct nlmsghdr *nlh, const struct nft_expr *x);
} kinds[] = {
	[NFT_X_END]	= { NULL, NULL },
	[NFT_X_META]	= { "meta", put_meta },
	[NFT_X_PAYLOAD]	= { "payload", put_payload },
	[NFT_X_CT]	= { "ct", put_ct },
	[NFT_X_MASK]	= { "bitwise", put_mask },
	[NFT_X_CMP]	= { "cmp", put_cmp },
	[NFT_X_LOOKUP]	= { "lookup", put_lookup },
	[NFT_X_VERDICT]	= { "immediate", put_verdict },
	[NFT_X_MASQ]	= { "masq", NULL },
};
/* clang-format on */
_Static_assert(ARRAY_SIZE(kinds) == NFT_X_KINDS, "each kind of expression has a row");

void nft_add_rule(struct nl *nl, uint8_t family, const char *table, const char *chain,
		  const struct nft_expr *exprs)
{
	struct nlmsghdr *nlh = request(nl, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, family,
				       "add packet rule to", chain);
	struct nlattr *list;

	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, table);
	mnl_attr_put_strz(nlh, NFTA_RULE_CHAIN, chain);
	list = mnl_attr_nest_start(nlh, NFTA_RULE_EXPRESSIONS);
	for (const struct nft_expr *x = exprs; x->kind != NFT_X_END; x++) {
		struct nlattr *elem = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM), *data;

		mnl_attr_put_strz(nlh, NFTA_EXPR_NAME, kinds[x->kind].name);
		data = mnl_attr_nest_start(nlh, NFTA_EXPR_DATA);
		if (kinds[x->kind].put)
			kinds[x->kind].put(nlh, x);
		mnl_attr_nest_end(nlh, data);
		mnl_attr_nest_end(nlh, elem);
	}
	mnl_attr_nest_end(nlh, list);
}

static struct nlmsghdr *elem_request(struct nl *nl, int message, uint8_t family, const char *table,
				     const char *set, const void *key, size_t key_len,
				     const uint32_t *value)
{
	uint16_t flags = message == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0;
	struct nlmsghdr *nlh = request(nl, message, flags, family, "element of packet set", set);
	struct nlattr *list, *elem;

	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, table);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, set);
	list = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
	elem = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);
	put_data(nlh, NFTA_SET_ELEM_KEY, key, key_len);
	if (value) {
		uint32_t ordered = htonl(*value);

		put_data(nlh, NFTA_SET_ELEM_DATA, &ordered, sizeof(ordered));
	}
	mnl_attr_nest_end(nlh, elem);
	mnl_attr_nest_end(nlh, list);
	return nlh;
}

void nft_elem(struct nl *nl, bool add, uint8_t family, const char *table, const char *set,
	      const void *key, size_t key_len, const uint32_t *value)
{
	(void)elem_request(nl, add ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM, family, table, set,
			   key, key_len, value);
}

static int exists(struct nl *nl, struct err *e)
{
	struct err failure = { 0 };
	int r = nl_run(nl, NULL, NULL, &failure);

	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		if (e)
			*e = failure;
		return r;
	}
	return 1;
}

int nft_has_table(struct nl *nl, uint8_t family, const char *table, struct err *e)
{
	struct nlmsghdr *nlh =
		request(nl, NFT_MSG_GETTABLE, 0, family, "look for packet table", table);

	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, table);
	return exists(nl, e);
}

int nft_has_elem(struct nl *nl, uint8_t family, const char *table, const char *set, const void *key,
		 size_t key_len, struct err *e)
{
	(void)elem_request(nl, NFT_MSG_GETSETELEM, family, table, set, key, key_len, NULL);
	return exists(nl, e);
}
