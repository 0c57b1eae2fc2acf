/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON by field tables. A table row says the key, the kind, where the value goes in the struct,
 * what is allowed and what it means; from the same rows come the decoder, the encoder, the JSON
 * Schema, "did you mean" and the documentation. Decoding never stops at the first mistake: every
 * issue is collected with its path, what was found and what is allowed.
 */
#ifndef CTR_BASE_JSON_H
#define CTR_BASE_JSON_H

#include "base/arena.h"
#include "base/err.h"
#include "base/table.h"
#include "base/value.h"

#include <jansson.h>

enum js_kind {
	JS_BOOL,       /* bool */
	JS_OPT_BOOL,   /* struct opt_bool */
	JS_STR,	       /* char *, NULL when absent */
	JS_U32,	       /* uint32_t within min..max */
	JS_I64,	       /* int64_t within (int64_t)min..(int64_t)max */
	JS_U64,	       /* uint64_t within min..max */
	JS_OPT_I64,    /* struct opt_i64, bounded as JS_I64 */
	JS_OPT_U64,    /* struct opt_u64 within min..max */
	JS_COUNT,      /* struct opt_u64 within min..max, or "max": UINT64_MAX, no limit */
	JS_BYTES,      /* struct opt_u64: integer, or string with a unit ("512M"), or "max" */
	JS_MS,	       /* struct opt_u64 milliseconds: integer seconds, or "30s", "250ms" */
	JS_CPUS,       /* struct opt_u64 thousandths of a CPU: "150%", "1.5", a number, or "max" */
	JS_ENUM,       /* uint32_t, one of .names */
	JS_STRV,       /* struct strv: array of strings */
	JS_U32V,       /* struct u32v: array of integers */
	JS_STRMAP,     /* struct strmap: object of strings */
	JS_OBJECT,     /* the struct of .sub, in place */
	JS_OPT_OBJECT, /* pointer to the struct of .sub, NULL when absent */
	JS_LIST,       /* struct js_list of the struct of .sub */
	JS_RAW,	       /* json_t *, borrowed from the decoded document */
	JS_KINDS
};

enum js_flag {
	JS_REQUIRED = 1 << 0,
	JS_LIVE = 1 << 1,     /* `set` applies it to a running partition; else it needs a restart */
	JS_FIXED = 1 << 2,    /* cannot change after create */
	JS_NULLABLE = 1 << 3, /* JSON null counts as absent (OCI producers emit it) */
};

struct js_list {
	void *v; /* array of n structs of the row's sub->size */
	size_t n;
};

struct js_issues;

/** A place in the document: a chain of steps on the stack, NULL for the document itself. A check
 * that looks into its value adds the next step: `{ .up = where, .index = i }`. */
struct js_where {
	const struct js_where *up;
	const char *key; /* NULL: element number index of an array */
	size_t index;
};

struct js_field {
	const char *key;
	enum js_kind kind;
	unsigned int flags;
	size_t offset;
	const struct js_object *sub; /* OBJECT, OPT_OBJECT, LIST */
	const struct name *names;    /* ENUM */
	/* Numbers, in the unit of the struct; max 0 = unbounded, for signed kinds min and max 0.
	 * STR: length in bytes. STRV, LIST: number of elements. "max" is above every max. */
	uint64_t min, max;
	const char *def; /* default as JSON text ("\"60s\"", "true"); NULL = none */
	/* A check beyond kind and range; adds an issue by js_issue(). May be NULL. */
	void (*check)(struct js_issues *issues, const struct js_where *where, const void *value);
	const char *help; /* one sentence: what it is, its unit, its effect */
};

struct js_object {
	const char *name; /* "memory": for schema definitions and documentation */
	size_t size;	  /* sizeof the struct; 0 only where fields are at the parent's offsets */
	const struct js_field *fields; /* ends with a row whose key is NULL */
	const char *help;
	bool open; /* unknown keys are ignored (OCI: "MUST ignore"), else an issue */
};

struct js_issue {
	const char *path; /* "net.interfaces[0].addresses[1]"; "" is the document */
	const char *text; /* "found 12, allowed: 64M to 16E" */
};

struct js_issues {
	struct arena *arena;
	struct js_issue *v; /* at most a hundred are kept; n counts those */
	size_t n;
	bool out_of_memory;
};

/** js_issue() - record a mistake at @where (NULL: the document) */
void js_issue(struct js_issues *issues, const struct js_where *where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** js_issue_at() - the same with a path that the caller spells */
void js_issue_at(struct js_issues *issues, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** js_where_path() - the place as text, in the arena of @issues; NULL on ENOMEM */
char *js_where_path(struct js_issues *issues, const struct js_where *where);

/**
 * js_read_file() - read and parse a JSON file: at most @max bytes, no duplicate keys, bounded depth
 * Integers above INT64_MAX, which jansson cannot hold, become strings of digits; the unsigned
 * 64-bit kinds take those.
 * @what: how messages call the file ("config 'x.json'")
 * Return: 0; -EFBIG, -EINVAL with line and column in the message, or the errno of the read.
 */
int js_read_file(int dirfd, const char *path, size_t max, const char *what, json_t **ret,
		 struct err *e);
/** js_read_any() - the same of a file that may be a pipe: see file_load_any() */
int js_read_any(const char *path, size_t max, const char *what, json_t **ret, struct err *e);
int js_read_text(const char *text, size_t len, const char *what, json_t **ret, struct err *e);

/**
 * js_decode() - fill @into (zeroed by the caller) from @from by the rows of @type
 * Defaults are applied first, so every field has a defined value. Strings are copied to the arena
 * of @issues. Return: 0, -EINVAL when issues were added, -ENOMEM.
 */
int js_decode(const struct js_object *type, json_t *from, void *into, struct js_issues *issues);
/** js_encode() - the reverse: set values, without those that equal their default.
 * Return: new reference, NULL on ENOMEM. */
json_t *js_encode(const struct js_object *type, const void *from);
/** js_encode_full() - the same, defaults included (for `ctr get`) */
json_t *js_encode_full(const struct js_object *type, const void *from);
/** js_schema() - JSON Schema (draft 2020-12) of @type. Return: new reference, NULL on ENOMEM. */
json_t *js_schema(const struct js_object *type, const char *id, const char *title);

/** js_field_at() - the row that a dotted path such as "memory.limit" names (list elements as
 * "net.interfaces[0].name"). Return: NULL when there is none; then *ret_hint (may be NULL pointer)
 * is the nearest known path, in @arena, or NULL. */
const struct js_field *js_field_at(const struct js_object *type, const char *path,
				   struct arena *arena, const char **ret_hint);
/** js_get_at()/js_set_at() - the value at a dotted path of a document; set makes missing
 * objects on the way and takes over no reference. get returns a borrowed reference or NULL. */
json_t *js_get_at(json_t *doc, const char *path);
int js_set_at(json_t *doc, const char *path, json_t *value);

/** js_issues_err() - fold the issues into one struct err: the first one, and how many more.
 * Return: -EINVAL. */
int js_issues_err(const struct js_issues *issues, const char *what, struct err *e);

#endif
