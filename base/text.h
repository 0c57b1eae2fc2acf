/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text: a growing builder, and checked parsing and formatting of numbers, sizes and durations.
 * The builder is sticky: append freely, check once with text_failed() or text_take().
 */
#ifndef CTR_BASE_TEXT_H
#define CTR_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *data; /* NUL-terminated once anything was added; zero-initialise the struct */
	size_t len, size;
	bool failed; /* an allocation failed: everything after it was dropped */
};

void text_add(struct text *t, const char *s);
void text_addn(struct text *t, const char *s, size_t len);
void text_addf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** text_pad() - add @s, then spaces up to @width display columns (UTF-8 aware) */
void text_pad(struct text *t, const char *s, size_t width);
static inline bool text_failed(const struct text *t)
{
	return t->failed;
}
static inline const char *text_str(const struct text *t)
{
	return t->data ? t->data : "";
}
/** text_take() - the string, now the caller's to free; NULL when an allocation failed */
char *text_take(struct text *t);
void text_done(struct text *t);
#define own_text __attribute__((cleanup(text_done)))

/** text_u64() - strict decimal: digits only, no sign, no space, no overflow.
 * Return: 0, -EINVAL (not a number) or -ERANGE. *ret is set on success only; so below. */
int text_u64(const char *s, uint64_t *ret);
int text_u32(const char *s, uint32_t *ret);
int text_i64(const char *s, int64_t *ret);
/** text_bytes() - "4096", "64K", "1.5G", "2TiB", "10MB": 1024-based units B K M G T P, with an
 * optional B or iB. Return: 0, -EINVAL, -ERANGE. */
int text_bytes(const char *s, uint64_t *ret_bytes);
/** text_ms() - "250ms", "10s", "5m", "2h", "1d"; a bare number is seconds.
 * Return: 0, -EINVAL, -ERANGE. */
int text_ms(const char *s, uint64_t *ret_ms);
/** text_cpus() - share of CPUs in thousandths of one CPU: "150%" is 1500, "1.5" is 1500.
 * Return: 0, -EINVAL, -ERANGE. */
int text_cpus(const char *s, uint64_t *ret_milli);
/** text_cpuset() - is @s a list such as "0-3,8" (kernel cpuset(7) "List format")? */
bool text_is_cpuset(const char *s);
/** text_bits() - set the bits that such a list names, in any order, in @bits, of @count bits.
 * Return: 0; -EINVAL (not a list); -ERANGE (a number is @count or above). */
int text_bits(const char *s, unsigned long *bits, size_t count);

/* Shortest readable form, into @buf (at least 24 bytes); returns @buf. "max" for UINT64_MAX. */
char *text_fmt_bytes(char *buf, size_t size, uint64_t bytes);
char *text_fmt_ms(char *buf, size_t size, uint64_t ms);

/** text_nearest() - the index of the name closest to @s by edit distance, for "did you mean".
 * Return: -1 when none is near enough to be a likely slip. */
int text_nearest(const char *s, const char *const *names, size_t count);
/** text_is_id() - may @s name a container: [A-Za-z0-9_+][A-Za-z0-9_+.-]*, 128 bytes at most */
bool text_is_id(const char *s);

#endif
