/* SPDX-License-Identifier: Apache-2.0 */
/* Tables, JSON, times and the progress line. */
#include "cli/out.h"

#include "base/own.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

enum { GAP_COLUMNS = 2 };

void out_done(struct out *o)
{
	own_json_done(&o->rows);
	*o = (struct out){ 0 };
}

void out_row(struct out *o)
{
	if (!o->rows)
		o->rows = json_array();
	o->row = json_object();
	if (json_array_append_new(o->rows, o->row) == 0)
		return;
	o->row = NULL;
	o->failed = true;
}

void out_json(struct out *o, const char *key, json_t *value)
{
	if (json_object_set_new(o->row, key, value) < 0)
		o->failed = true;
}

/* A file name or a process name may be any bytes; JSON and jansson are UTF-8 only. */
static json_t *string_of(const char *s)
{
	json_t *value = json_string(s);

	if (!value) {
		own_free char *clean = strdup(s);

		for (char *p = clean; p && *p; p++)
			if ((unsigned char)*p >= 0x80)
				*p = '?';
		value = clean ? json_string(clean) : NULL;
	}
	return value;
}

void out_str(struct out *o, const char *key, const char *value)
{
	out_json(o, key, value ? string_of(value) : json_null());
}

void out_u64(struct out *o, const char *key, uint64_t value)
{
	out_json(o, key, value > INT64_MAX ? json_null() : json_integer((json_int_t)value));
}

void out_strv(struct out *o, const char *key, const struct strv *value)
{
	json_t *list = json_array();

	for (size_t i = 0; i < value->n; i++)
		if (json_array_append_new(list, string_of(value->v[i])) < 0)
			o->failed = true;
	out_json(o, key, list);
}

void out_time(struct out *o, const char *key, uint64_t epoch_ms)
{
	char buf[32];

	out_str(o, key, epoch_ms ? out_fmt_time(buf, sizeof(buf), epoch_ms) : NULL);
}

void out_sort(struct out *o, const char *key)
{
	size_t n = json_array_size(o->rows);

	for (size_t i = 1; i < n; i++) { /* insertion: stable, and the rows are screenfuls */
		json_t *row = json_incref(json_array_get(o->rows, i));
		double value = json_number_value(json_object_get(row, key));
		size_t at = i;

		while (at > 0 && json_number_value(json_object_get(json_array_get(o->rows, at - 1),
								   key)) < value)
			at--;
		if (at != i &&
		    (json_array_remove(o->rows, i) < 0 || json_array_insert(o->rows, at, row) < 0))
			o->failed = true;
		json_decref(row);
	}
}

char *out_fmt_span(char *buf, size_t size, uint64_t ms)
{
	static const struct {
		uint64_t ms;
		const char *name, *next;
		uint64_t next_ms;
	} units[] = { { 86400000, "d", "h", 3600000 },
		      { 3600000, "h", "m", 60000 },
		      { 60000, "m", "s", 1000 } };

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (ms >= units[i].ms) {
			(void)snprintf(buf, size, "%" PRIu64 "%s%" PRIu64 "%s", ms / units[i].ms,
				       units[i].name, ms % units[i].ms / units[i].next_ms,
				       units[i].next);
			return buf;
		}
	}
	if (ms >= 10000)
		(void)snprintf(buf, size, "%" PRIu64 "s", ms / 1000);
	else if (ms >= 1000)
		(void)snprintf(buf, size, "%" PRIu64 ".%" PRIu64 "s", ms / 1000, ms % 1000 / 100);
	else
		(void)snprintf(buf, size, "%" PRIu64 "ms", ms);
	return buf;
}

char *out_fmt_time(char *buf, size_t size, uint64_t epoch_ms)
{
	time_t seconds = (time_t)(epoch_ms / 1000);
	struct tm tm;
	size_t len;

	buf[0] = '\0';
	if (!gmtime_r(&seconds, &tm))
		return buf;
	len = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(buf + len, size - len, ".%03uZ", (unsigned int)(epoch_ms % 1000));
	return buf;
}

uint64_t out_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail with a valid clock */
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void cell_bytes(struct text *t, const json_t *value)
{
	char buf[24];

	text_add(t, text_fmt_bytes(buf, sizeof(buf), (uint64_t)json_integer_value(value)));
}

static void cell_text(struct text *t, json_t *value)
{
	if (json_is_boolean(value))
		text_add(t, json_is_true(value) ? "yes" : "no");
	else if (json_is_string(value))
		text_add(t, json_string_value(value));
	for (size_t i = 0; i < json_array_size(value); i++)
		text_addf(t, "%s%s", i ? "," : "", json_string_value(json_array_get(value, i)));
}

/* The cell as people see it; "-" for what is not known. */
static void cell(struct text *t, const struct out_col *col, const json_t *row)
{
	json_t *value = json_object_get(row, col->key);
	const json_t *limit = col->limit_key ? json_object_get(row, col->limit_key) : NULL;
	char buf[24];

	if (!value || json_is_null(value)) {
		text_add(t, "-");
		return;
	}
	switch (col->kind) {
	case OUT_TEXT:
		cell_text(t, value);
		break;
	case OUT_NUMBER:
		text_addf(t, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case OUT_BYTES:
		cell_bytes(t, value);
		break;
	case OUT_USE:
		cell_bytes(t, value);
		text_add(t, "/");
		if (json_is_integer(limit))
			cell_bytes(t, limit);
		else
			text_add(t, "max");
		break;
	case OUT_COUNT:
		text_addf(t, "%" JSON_INTEGER_FORMAT "/", json_integer_value(value));
		if (json_is_integer(limit))
			text_addf(t, "%" JSON_INTEGER_FORMAT, json_integer_value(limit));
		else
			text_add(t, "max");
		break;
	case OUT_PERCENT:
		text_addf(t, "%.1f%%", json_number_value(value));
		break;
	case OUT_SPAN:
		text_add(t, out_fmt_span(buf, sizeof(buf), (uint64_t)json_integer_value(value)));
		break;
	case OUT_TIME:
		text_addf(t, "%.10s %.8s", json_string_value(value), json_string_value(value) + 11);
		break;
	}
	if (!t->len)
		text_add(t, "-");
	for (char *p = t->data; p && *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
}

static size_t width_of(const char *s)
{
	size_t columns = 0;

	for (; *s; s++)
		columns += ((unsigned char)*s & 0xc0) != 0x80; /* not a continuation byte */
	return columns;
}

static bool is_right(const struct out_col *col)
{
	return col->kind != OUT_TEXT && col->kind != OUT_TIME;
}

/* Width of the column, or 0 when it is optional and empty. */
static size_t measure(const struct out *o, const struct out_col *col)
{
	size_t widest = width_of(col->title);
	bool used = !col->optional;

	for (size_t i = 0; i < json_array_size(o->rows); i++) {
		own_text struct text t = { 0 };

		cell(&t, col, json_array_get(o->rows, i));
		used |= strcmp(text_str(&t), "-") != 0;
		if (width_of(text_str(&t)) > widest)
			widest = width_of(text_str(&t));
	}
	return used ? widest : 0;
}

/* One line, cut to @columns, without blanks at its end. */
static void add_line(struct text *t, const struct text *line, size_t columns)
{
	const char *s = text_str(line);
	size_t len = 0, seen = 0;

	for (; len < line->len; len++)
		if (columns && ((unsigned char)s[len] & 0xc0) != 0x80 && seen++ == columns)
			break;
	while (len && s[len - 1] == ' ')
		len--;
	text_addn(t, s, len);
	text_add(t, "\n");
}

void out_render(const struct out *o, struct text *t, size_t columns, size_t lines)
{
	own_free size_t *widths = calloc(o->col_count, sizeof(*widths));
	size_t rows = json_array_size(o->rows);

	if (!widths || o->failed) {
		t->failed = true;
		return;
	}
	for (size_t c = 0; c < o->col_count; c++)
		widths[c] = measure(o, &o->cols[c]);
	for (size_t r = 0; r <= rows && (!lines || r < lines); r++) {
		own_text struct text line = { 0 };

		for (size_t c = 0; c < o->col_count; c++) {
			own_text struct text one = { 0 };
			size_t width;

			if (!widths[c])
				continue;
			if (r == 0)
				text_add(&one, o->cols[c].title);
			else
				cell(&one, &o->cols[c], json_array_get(o->rows, r - 1));
			width = width_of(text_str(&one));
			if (line.len)
				text_pad(&line, "", GAP_COLUMNS);
			if (is_right(&o->cols[c]))
				text_pad(&line, "", widths[c] - width);
			text_pad(&line, text_str(&one), is_right(&o->cols[c]) ? 0 : widths[c]);
			t->failed |= text_failed(&one);
		}
		t->failed |= text_failed(&line);
		add_line(t, &line, columns);
	}
}

int out_print_json(json_t *doc, struct err *e)
{
	own_json json_t *owned = doc;
	own_free char *s =
		owned ? json_dumps(owned, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6))
		      : NULL;

	if (!s)
		return err_set(e, -ENOMEM, "format JSON");
	(void)puts(s); /* the flush at exit reports a failure */
	return 0;
}

int out_print(const struct out *o, bool json, struct err *e)
{
	own_text struct text t = { 0 };

	if (o->failed)
		return err_set(e, -ENOMEM, "format output");
	if (json)
		return out_print_json(o->rows ? json_incref(o->rows) : json_array(), e);
	out_render(o, &t, 0, 0);
	if (text_failed(&t))
		return err_set(e, -ENOMEM, "format output");
	(void)fputs(text_str(&t), stdout); /* the flush at exit reports a failure */
	return 0;
}

void out_progress(const char *fmt, ...)
{
	va_list ap;

	if (!isatty(STDERR_FILENO))
		return;
	va_start(ap, fmt);
	(void)fputs("\r\033[K", stderr); /* cosmetic: nothing to do about a failure */
	(void)vfprintf(stderr, fmt, ap);
	(void)fflush(stderr);
	va_end(ap);
}

void out_progress_end(void)
{
	if (isatty(STDERR_FILENO))
		(void)fputs("\r\033[K", stderr); /* cosmetic */
}

void out_say(const char *fmt, ...)
{
	va_list ap;

	if (!isatty(STDOUT_FILENO))
		return;
	va_start(ap, fmt);
	(void)vprintf(fmt, ap); /* the flush at exit reports a failure */
	va_end(ap);
}
