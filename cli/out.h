/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the command prints: rows that become an aligned table for people or JSON for programs,
 * times and spans, and one progress line on a terminal.
 *
 * DOC: a listing is filled once, as JSON rows with raw units; a column table says how people see
 * a key. So the two forms cannot drift apart. Text from inside a container (process names, host
 * names) loses its control bytes before it reaches a terminal.
 */
#ifndef CTR_CLI_OUT_H
#define CTR_CLI_OUT_H

#include "base/err.h"
#include "base/text.h"
#include "base/value.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum out_kind {
	OUT_TEXT,    /* string, boolean, or an array of strings */
	OUT_NUMBER,  /* integer */
	OUT_BYTES,   /* integer */
	OUT_USE,     /* bytes in use, "/", the limit under .limit_key */
	OUT_COUNT,   /* the same of plain numbers */
	OUT_PERCENT, /* real */
	OUT_SPAN,    /* milliseconds */
	OUT_TIME,    /* RFC 3339 string */
};

struct out_col {
	const char *title, *key;
	const char *limit_key; /* OUT_USE, OUT_COUNT */
	enum out_kind kind;
	bool optional; /* left out when no row has it */
};

struct out {
	const struct out_col *cols;
	size_t col_count;
	json_t *rows; /* array of objects */
	json_t *row;  /* the last of them, borrowed */
	bool failed;  /* an allocation failed; everything after it was dropped */
};

#define OUT(columns) ((struct out){ .cols = (columns), .col_count = ARRAY_SIZE(columns) })
void out_done(struct out *o);
#define own_out __attribute__((cleanup(out_done)))

/** out_row() - begin a row; the functions below add to it. Sticky: check once, in the end. */
void out_row(struct out *o);
void out_json(struct out *o, const char *key, json_t *value);	 /* takes the reference over */
void out_str(struct out *o, const char *key, const char *value); /* NULL: null */
void out_u64(struct out *o, const char *key, uint64_t value);	 /* UINT64_MAX: null */
void out_strv(struct out *o, const char *key, const struct strv *value);
void out_time(struct out *o, const char *key, uint64_t epoch_ms); /* 0: null */

/** out_sort() - by the number under @key, the greatest first; equal rows keep their order */
void out_sort(struct out *o, const char *key);
/** out_render() - the table into @t, cut to @columns and @lines (0: not cut) */
void out_render(const struct out *o, struct text *t, size_t columns, size_t lines);
/** out_print() - to standard output: JSON array, or the table. Return: 0 or -ENOMEM. */
int out_print(const struct out *o, bool json, struct err *e);

/** out_print_json() - one document to standard output; consumes @doc.
 * Return: 0, or -ENOMEM also when @doc is NULL. */
int out_print_json(json_t *doc, struct err *e);

/** out_fmt_span() - "3d4h", "2h5m", "12s", "340ms": two units at most. Returns @buf (24 bytes). */
char *out_fmt_span(char *buf, size_t size, uint64_t ms);
/** out_fmt_time() - RFC 3339 in UTC with milliseconds. Returns @buf (32 bytes). */
char *out_fmt_time(char *buf, size_t size, uint64_t epoch_ms);
/** out_now_ms() - since the epoch */
uint64_t out_now_ms(void);

/** out_progress() - replace the progress line; nothing unless standard error is a terminal */
void out_progress(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/** out_progress_end() - take the progress line away */
void out_progress_end(void);
/** out_say() - a sentence on standard output when that is a terminal: people want to know that
 * it worked, a pipe does not */
void out_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
