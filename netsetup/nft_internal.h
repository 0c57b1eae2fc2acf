/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nf_tables: one transaction of tables, chains, sets, elements and rules.
 *
 * DOC: a rule is an array of struct nft_expr, which the kernel runs from left to right on 16
 * registers of 4 bytes; an expression that does not match ends the rule. The macros below are the
 * vocabulary. Keys of several fields are loaded into neighbouring registers, each field padded to
 * 4 bytes, and looked up as one.
 */
#ifndef CTR_NETSETUP_NFT_INTERNAL_H
#define CTR_NETSETUP_NFT_INTERNAL_H

#include "netsetup/nl_internal.h"

#include <netinet/in.h> /* before linux/netfilter.h, which otherwise defines the same */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdbool.h>
#include <stdint.h>

enum nft_kind {
	NFT_X_END,
	NFT_X_META,
	NFT_X_PAYLOAD,
	NFT_X_CT,
	NFT_X_MASK,
	NFT_X_CMP,
	NFT_X_LOOKUP,
	NFT_X_VERDICT,
	NFT_X_MASQ,
	NFT_X_KINDS
};

struct nft_expr {
	enum nft_kind kind;
	uint8_t from, to; /* registers */
	uint32_t key;	  /* meta and ct key, payload base, comparison, verdict code */
	uint32_t offset;  /* payload */
	uint32_t len;	  /* of payload or data */
	const char *name; /* set, or chain to jump to */
	bool map;	  /* lookup: the value goes to register @to */
	uint32_t value;	  /* host order data, when len is 0 */
	uint8_t data[16]; /* network order data */
};

/* clang-format off */
#define NFT_META_TO(k, r)	  { .kind = NFT_X_META, .key = (k), .to = (r) }
#define NFT_LOAD(b, o, l, r)	  { .kind = NFT_X_PAYLOAD, .key = (b), .offset = (o), .len = (l), .to = (r) }
#define NFT_CT_TO(k, r)		  { .kind = NFT_X_CT, .key = (k), .to = (r) }
#define NFT_MASK(r, v, t)	  { .kind = NFT_X_MASK, .from = (r), .to = (t), .value = (v) }
#define NFT_BITS(r, v, t)	  { .kind = NFT_X_MASK, .from = (r), .to = (t), .len = 4, .data = { [3] = (v) } }
#define NFT_EQ(r, v)		  { .kind = NFT_X_CMP, .key = NFT_CMP_EQ, .from = (r), .value = (v) }
#define NFT_NE(r, v)		  { .kind = NFT_X_CMP, .key = NFT_CMP_NEQ, .from = (r), .value = (v) }
#define NFT_IS(r, l, ...)	  { .kind = NFT_X_CMP, .key = NFT_CMP_EQ, .from = (r), .len = (l), .data = { __VA_ARGS__ } }
#define NFT_ISNT(r, l, ...)	  { .kind = NFT_X_CMP, .key = NFT_CMP_NEQ, .from = (r), .len = (l), .data = { __VA_ARGS__ } }
#define NFT_IN(r, s)		  { .kind = NFT_X_LOOKUP, .from = (r), .name = (s) }
#define NFT_MAP(r, s, t)	  { .kind = NFT_X_LOOKUP, .from = (r), .name = (s), .map = true, .to = (t) }
#define NFT_DO(v)		  { .kind = NFT_X_VERDICT, .key = (uint32_t)(v) }
#define NFT_CALL(c)		  { .kind = NFT_X_VERDICT, .key = (uint32_t)NFT_JUMP, .name = (c) }
#define NFT_MASQUERADE		  { .kind = NFT_X_MASQ }
/* clang-format on */

/** A chain; @type NULL: only jumped to. */
struct nft_chain {
	const char *name, *type;
	uint32_t hook;
	int priority;
};

/** A set, or a map to a 4 byte number in network order. @key_type: the nft tool's ids of the
 * fields, for listing. */
struct nft_set {
	const char *name;
	uint32_t key_type, key_len;
	bool map;
};

/** nft_begin(), nft_end() - a transaction: all of it or nothing. Without nft_end() the kernel
 * checks it and drops it. */
void nft_begin(struct nl *nl);
void nft_end(struct nl *nl);

void nft_add_table(struct nl *nl, uint8_t family, const char *table);
void nft_del_table(struct nl *nl, uint8_t family, const char *table);
void nft_add_chain(struct nl *nl, uint8_t family, const char *table, const struct nft_chain *chain);
/** nft_add_set() - @id: any number that is unique in the transaction */
void nft_add_set(struct nl *nl, uint8_t family, const char *table, const struct nft_set *set,
		 uint32_t id);
/** nft_add_rule() - at the chain's end; @exprs ends with a NFT_X_END */
void nft_add_rule(struct nl *nl, uint8_t family, const char *table, const char *chain,
		  const struct nft_expr *exprs);
/** nft_elem() - add or remove one element; @value NULL: of a set, or any when removing */
void nft_elem(struct nl *nl, bool add, uint8_t family, const char *table, const char *set,
	      const void *key, size_t key_len, const uint32_t *value);
/** nft_has_table() - Return: 1, 0 or -errno */
int nft_has_table(struct nl *nl, uint8_t family, const char *table, struct err *e);
/** nft_has_elem() - Return: 1, 0 (also without the table or set) or -errno */
int nft_has_elem(struct nl *nl, uint8_t family, const char *table, const char *set, const void *key,
		 size_t key_len, struct err *e);

#endif
