/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Value maths between cgroup v1 and v2; pure.
 *
 * DOC: OCI speaks v1 (cpu.shares, blkio weight) and struct cg_resources speaks v2. On a v1
 * hierarchy the value goes back again, and a user who wrote 1024 shares must find 1024 in
 * cpu.shares. The forward formulas lose digits, so the way back, where the shares are not known,
 * picks among all values that map to the weight the one with the most trailing zero bits: the one
 * that a person would have written.
 *
 * The logarithms are fixed-point integers: exact to far below what the formulas can tell apart,
 * the same on every machine, and no floating-point library is loaded at each start.
 */
#include "cgroups/cg_internal.h"

#include "base/own.h"

#include <string.h>

enum {
	SHARES_MIN = 2,
	SHARES_MAX = 262144,
	WEIGHT_MIN = 1,
	WEIGHT_MAX = 10000,
	BLKIO_MIN = 10,
	BLKIO_MAX = 1000,
	FRACTION_BITS = 48,
};

#define ONE	      ((uint64_t)1 << FRACTION_BITS)
#define LOG10_2_Q60   347063955532709821ULL /* log10(2) * 2^60 */
#define SCORE_EPSILON ((uint64_t)1 << (FRACTION_BITS - 30))

typedef unsigned __int128 u128;

/* log2(@x) in Q48, one bit per squaring: the square of 1 <= z < 2 is >= 2 when the bit is set. */
static uint64_t log2_fixed(uint64_t x)
{
	unsigned int whole = 63U - (unsigned int)__builtin_clzll(x);
	uint64_t z = x << (63U - whole); /* Q63 */
	uint64_t log = (uint64_t)whole << FRACTION_BITS;

	for (uint64_t bit = ONE >> 1; bit; bit >>= 1) {
		u128 square = ((u128)z * z) >> 63;

		if (square >> 64) {
			log |= bit;
			square >>= 1;
		}
		z = (uint64_t)square;
	}
	return log;
}

/*
 * The OCI formula w = ceil(10^((l^2 + 125 l) / 612 - 7/34)) asks for the smallest w with
 * 612 log10(w) + 126 >= l^2 + 125 l. Both sides are scores that rise with their argument.
 */
static uint64_t shares_score(uint64_t shares)
{
	uint64_t l = log2_fixed(shares);

	return (uint64_t)(((u128)l * (l + 125 * ONE)) >> FRACTION_BITS);
}

static uint64_t weight_score(uint64_t weight)
{
	return (uint64_t)(((u128)log2_fixed(weight) * LOG10_2_Q60 * 612) >> 60) + 126 * ONE;
}

uint64_t cg_weight_from_shares(uint64_t shares)
{
	uint64_t low = WEIGHT_MIN, high = WEIGHT_MAX, score;

	if (shares == 0)
		return 0;
	if (shares <= SHARES_MIN)
		return WEIGHT_MIN;
	if (shares >= SHARES_MAX)
		return WEIGHT_MAX;
	score = shares_score(shares);
	while (low < high) {
		uint64_t middle = (low + high) / 2;

		/* Equal scores (1024 shares, weight 100) must not be told apart by rounding. */
		if (weight_score(middle) + SCORE_EPSILON >= score)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* The smallest number of shares whose weight is at least @weight. */
static uint64_t first_shares(uint64_t weight)
{
	uint64_t low = SHARES_MIN, high = SHARES_MAX;

	while (low < high) {
		uint64_t middle = (low + high) / 2;

		if (cg_weight_from_shares(middle) >= weight)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* The member of @first..@last with the most trailing zero bits. */
static uint64_t roundest(uint64_t first, uint64_t last)
{
	for (uint64_t step = SHARES_MAX; step > 1; step /= 2) {
		uint64_t multiple = (first + step - 1) / step * step;

		if (multiple <= last)
			return multiple;
	}
	return first;
}

uint64_t cg_shares_from_weight(uint64_t weight)
{
	if (weight <= WEIGHT_MIN)
		return SHARES_MIN;
	if (weight >= WEIGHT_MAX)
		return SHARES_MAX;
	return roundest(first_shares(weight), first_shares(weight + 1) - 1);
}

uint64_t cg_weight_from_blkio(uint64_t weight)
{
	if (weight == 0)
		return 0;
	if (weight <= BLKIO_MIN)
		return WEIGHT_MIN;
	if (weight >= BLKIO_MAX)
		return WEIGHT_MAX;
	return 1 + (weight - BLKIO_MIN) * 9999 / 990;
}

uint64_t cg_blkio_from_weight(uint64_t weight)
{
	if (weight <= WEIGHT_MIN)
		return BLKIO_MIN;
	if (weight >= WEIGHT_MAX)
		return BLKIO_MAX;
	return BLKIO_MIN + ((weight - 1) * 990 + 9998) / 9999; /* rounded up: exact way back */
}

uint64_t cg_memsw(uint64_t memory_bytes, uint64_t swap_bytes)
{
	uint64_t sum;

	return __builtin_add_overflow(memory_bytes, swap_bytes, &sum) ? UINT64_MAX : sum;
}

uint64_t cg_swap_of(uint64_t memsw_bytes, uint64_t memory_bytes)
{
	if (memsw_bytes == UINT64_MAX || memory_bytes == UINT64_MAX)
		return UINT64_MAX;
	return memsw_bytes > memory_bytes ? memsw_bytes - memory_bytes : 0;
}

uint64_t cg_limit_v1(uint64_t bytes)
{
	/* PAGE_COUNTER_MAX is LONG_MAX in whole pages, of 64 KiB at the most. */
	return bytes >= (uint64_t)INT64_MAX - 0xffff ? UINT64_MAX : bytes;
}

/* Where a line "KEY ..." sets one device or interface, what sets it back to having no line. */
static const struct {
	const char *file, *rest;
} unset_keys[] = {
	{ "io.max", "rbps=max wbps=max riops=max wiops=max" },
	{ "io.weight", "default" },
	{ "io.bfq.weight", "default" },
	{ "blkio.weight_device", "0" },
	{ "blkio.bfq.weight_device", "default" },
	{ "blkio.throttle.read_bps_device", "0" },
	{ "blkio.throttle.write_bps_device", "0" },
	{ "blkio.throttle.read_iops_device", "0" },
	{ "blkio.throttle.write_iops_device", "0" },
	{ "rdma.max", "hca_handle=max hca_object=max" },
	{ "net_prio.ifpriomap", "0" },
};

static const char *line_of(const char *text, const char *key, size_t len, size_t *ret_len)
{
	for (const char *line = text; *line; line += *line == '\n') {
		*ret_len = strcspn(line, "\n");
		if (strncmp(line, key, len) == 0 && line[len] == ' ')
			return line;
		line += *ret_len;
	}
	return NULL;
}

const char *undo_value(const char *file, const char *written, const char *old, struct arena *arena)
{
	size_t key = strcspn(written, " "), len;
	const char *line;

	/* It reads as keys and takes the value of the first. */
	if (strcmp(file, "memory.oom_control") == 0)
		return strstr(old, "oom_kill_disable 1") ? "1" : "0";
	for (size_t i = 0; written[key] && i < ARRAY_SIZE(unset_keys); i++) {
		if (strcmp(file, unset_keys[i].file) != 0)
			continue;
		line = line_of(old, written, key, &len);
		return line ? arena_strndup(arena, line, len)
			    : arena_printf(arena, "%.*s %s", (int)key, written, unset_keys[i].rest);
	}
	len = strcspn(old, "\n");
	return len ? arena_strndup(arena, old, len) : "\n"; /* an empty set */
}
