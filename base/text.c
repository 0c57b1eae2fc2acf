/* SPDX-License-Identifier: Apache-2.0 */
/* The string builder, and numbers, sizes and durations to and from text. */
#include "base/text.h"

#include "base/own.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

static bool reserve(struct text *t, size_t more)
{
	size_t need = t->len + more + 1, size = t->size ? t->size : 128;
	char *bigger;

	if (t->failed)
		return false;
	if (need <= t->size)
		return true;
	while (size < need)
		size *= 2;
	bigger = realloc(t->data, size);
	if (!bigger) {
		t->failed = true;
		return false;
	}
	t->data = bigger;
	t->size = size;
	return true;
}

void text_addn(struct text *t, const char *s, size_t len)
{
	if (!reserve(t, len))
		return;
	if (len)
		memcpy(t->data + t->len, s, len);
	t->len += len;
	t->data[t->len] = '\0';
}

void text_add(struct text *t, const char *s)
{
	text_addn(t, s, strlen(s));
}

void text_addf(struct text *t, const char *fmt, ...)
{
	va_list ap, again;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	if (len >= 0 && reserve(t, (size_t)len)) {
		(void)vsnprintf(t->data + t->len, (size_t)len + 1, fmt, again); /* measured */
		t->len += (size_t)len;
	}
	va_end(again);
	va_end(ap);
}

void text_pad(struct text *t, const char *s, size_t width)
{
	size_t columns = 0;

	text_add(t, s);
	for (; *s; s++)
		columns += ((unsigned char)*s & 0xc0) != 0x80; /* not a UTF-8 continuation byte */
	for (; columns < width; columns++)
		text_addn(t, " ", 1);
}

char *text_take(struct text *t)
{
	char *s;

	text_addn(t, "", 0); /* an empty text is "" and not NULL */
	if (t->failed) {
		text_done(t);
		return NULL;
	}
	s = t->data;
	*t = (struct text){ 0 };
	return s;
}

void text_done(struct text *t)
{
	own_free_done(&t->data);
	*t = (struct text){ 0 };
}

int text_u64(const char *s, uint64_t *ret)
{
	uint64_t value = 0;

	if (!*s)
		return -EINVAL;
	for (const char *p = s; *p; p++)
		if (!isdigit((unsigned char)*p))
			return -EINVAL;
	for (; *s; s++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*s - '0'), &value))
			return -ERANGE;
	*ret = value;
	return 0;
}

int text_u32(const char *s, uint32_t *ret)
{
	uint64_t value;
	int r = text_u64(s, &value);

	if (r < 0)
		return r;
	if (value > UINT32_MAX)
		return -ERANGE;
	*ret = (uint32_t)value;
	return 0;
}

int text_i64(const char *s, int64_t *ret)
{
	bool negative = *s == '-';
	uint64_t value;
	int r = text_u64(s + negative, &value);

	if (r < 0)
		return r;
	if (value > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	*ret = negative ? (int64_t)(0 - value) : (int64_t)value;
	return 0;
}

/*
 * "12.25" as a count of 1/@scale: digits, then at most nine decimals, exactly and without
 * floating point. *ret_rest points behind the number.
 */
static int scaled(const char *s, uint64_t scale, uint64_t *ret, const char **ret_rest)
{
	uint64_t value = 0, fraction = 0, unit = 1;

	if (!isdigit((unsigned char)*s))
		return -EINVAL;
	for (; isdigit((unsigned char)*s); s++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*s - '0'), &value))
			return -ERANGE;
	if (*s == '.') {
		s++;
		if (!isdigit((unsigned char)*s))
			return -EINVAL;
		for (; isdigit((unsigned char)*s); s++) {
			if (unit >= 1000000000)
				return -EINVAL;
			fraction = fraction * 10 + (uint64_t)(*s - '0');
			unit *= 10;
		}
	}
	if (__builtin_mul_overflow(value, scale, &value) ||
	    __builtin_add_overflow(value, (uint64_t)((unsigned __int128)fraction * scale / unit),
				   &value))
		return -ERANGE;
	*ret = value;
	*ret_rest = s;
	return 0;
}

static bool is_bytes_suffix(const char *s)
{
	return !*s || strcasecmp(s, "B") == 0 || strcmp(s, "iB") == 0 || strcmp(s, "ib") == 0;
}

int text_bytes(const char *s, uint64_t *ret_bytes)
{
	static const char units[] = "BKMGTP";
	size_t digits = strspn(s, "0123456789.");
	const char *unit, *rest;
	uint64_t scale = 1, bytes;
	int r;

	unit = s[digits] ? strchr(units, toupper((unsigned char)s[digits])) : units;
	if (!unit)
		return -EINVAL;
	scale <<= 10 * (unit - units);
	if (strchr(s, '.') && scale == 1)
		return -EINVAL; /* there is no half byte */
	r = scaled(s, scale, &bytes, &rest);
	if (r < 0)
		return r;
	if (*rest)
		rest++;
	if (unit == units ? *rest : !is_bytes_suffix(rest))
		return -EINVAL;
	*ret_bytes = bytes;
	return 0;
}

int text_ms(const char *s, uint64_t *ret_ms)
{
	static const struct {
		const char *name;
		uint64_t ms;
	} units[] = { { "", 1000 },   { "ms", 1 },	{ "s", 1000 },
		      { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 } };
	const char *unit = s + strspn(s, "0123456789.");

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		const char *rest;
		uint64_t ms;
		int r;

		if (strcmp(unit, units[i].name) != 0)
			continue;
		r = scaled(s, units[i].ms, &ms, &rest);
		if (r < 0)
			return r;
		if (rest != unit)
			return -EINVAL; /* "1.5.5s" */
		*ret_ms = ms;
		return 0;
	}
	return -EINVAL;
}

int text_cpus(const char *s, uint64_t *ret_milli)
{
	const char *rest;
	uint64_t value;
	int r;

	r = scaled(s, strchr(s, '%') ? 10 : 1000, &value, &rest);
	if (r < 0)
		return r;
	if (*rest == '%')
		rest++;
	if (*rest)
		return -EINVAL;
	*ret_milli = value;
	return 0;
}

/* A CPU number, and where it ends: 0..8191, the most that x86 kernels are built for. */
static bool cpu_number(const char **s, uint64_t *ret)
{
	const char *start = *s;

	for (*ret = 0; isdigit((unsigned char)**s) && *ret <= 8191; (*s)++)
		*ret = *ret * 10 + (uint64_t)(**s - '0');
	return *s != start && *ret <= 8191;
}

bool text_is_cpuset(const char *s)
{
	uint64_t last = 0;
	bool first = true;

	for (;;) {
		uint64_t from, to;

		if (!cpu_number(&s, &from))
			return false;
		to = from;
		if (*s == '-') {
			s++;
			if (!cpu_number(&s, &to) || to < from)
				return false;
		}
		if (!first && from <= last)
			return false;
		last = to;
		first = false;
		if (!*s)
			return true;
		if (*s++ != ',')
			return false;
	}
}

/* A number of a list, and where it ends. */
static int list_number(const char **s, uint64_t *ret)
{
	const char *start = *s;

	for (*ret = 0; isdigit((unsigned char)**s); (*s)++)
		if (*ret <= UINT32_MAX)
			*ret = *ret * 10 + (uint64_t)(**s - '0');
	return *s == start ? -EINVAL : 0;
}

int text_bits(const char *s, unsigned long *bits, size_t count)
{
	const size_t word = 8 * sizeof(*bits);

	for (;; s++) {
		uint64_t from, to;
		int r = list_number(&s, &from);

		to = from;
		if (r == 0 && *s == '-') {
			s++;
			r = list_number(&s, &to);
		}
		if (r < 0 || to < from || (*s && *s != ','))
			return -EINVAL;
		if (to >= count)
			return -ERANGE;
		for (; from <= to; from++)
			bits[from / word] |= 1UL << (from % word);
		if (!*s)
			return 0;
	}
}

char *text_fmt_bytes(char *buf, size_t size, uint64_t bytes)
{
	static const char units[] = "BKMGTP";
	size_t unit = 0;
	uint64_t scale = 1;

	if (bytes == UINT64_MAX) {
		(void)snprintf(buf, size, "max");
		return buf;
	}
	while (unit + 2 < sizeof(units) && bytes / scale >= 1024) {
		scale <<= 10;
		unit++;
	}
	if (bytes % scale == 0 || bytes / scale >= 100)
		(void)snprintf(buf, size, "%llu%c", (unsigned long long)(bytes / scale),
			       units[unit]);
	else
		(void)snprintf(buf, size, "%llu.%llu%c", (unsigned long long)(bytes / scale),
			       (unsigned long long)(bytes % scale * 10 / scale), units[unit]);
	if (unit == 0)
		buf[strlen(buf) - 1] = '\0'; /* plain bytes carry no unit */
	return buf;
}

char *text_fmt_ms(char *buf, size_t size, uint64_t ms)
{
	static const struct {
		uint64_t ms;
		const char *name;
	} units[] = { { 86400000, "d" }, { 3600000, "h" }, { 60000, "m" }, { 1000, "s" } };

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (ms && ms % units[i].ms == 0) {
			(void)snprintf(buf, size, "%llu%s", (unsigned long long)(ms / units[i].ms),
				       units[i].name);
			return buf;
		}
	}
	(void)snprintf(buf, size, "%llums", (unsigned long long)ms);
	return buf;
}

/* Edit distance with transposition of neighbours (optimal string alignment), for short names. */
static size_t distance(const char *a, const char *b)
{
	enum { MAX = 48 };
	size_t la = strlen(a), lb = strlen(b), rows[3][MAX + 1];

	if (la > MAX || lb > MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= lb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t cost = tolower((unsigned char)a[i - 1]) !=
				      tolower((unsigned char)b[j - 1]);
			size_t best = above[j - 1] + cost;

			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    two[j - 2] + 1 < best)
				best = two[j - 2] + 1;
			row[j] = best;
		}
	}
	return rows[la % 3][lb];
}

int text_nearest(const char *s, const char *const *names, size_t count)
{
	size_t best = strlen(s) / 3 + 1; /* a slip, not another word */
	int found = -1;

	for (size_t i = 0; i < count; i++) {
		size_t d = distance(s, names[i]);

		if (d < best || (d == best && found < 0)) {
			best = d;
			found = (int)i;
		}
	}
	return found;
}

bool text_is_id(const char *s)
{
	size_t len = strlen(s);

	if (len == 0 || len > 128 || *s == '.' || *s == '-')
		return false;
	for (; *s; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
		      (*s >= '0' && *s <= '9') || strchr("_+.-", *s)))
			return false;
	return true;
}
