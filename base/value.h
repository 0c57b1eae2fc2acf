/* SPDX-License-Identifier: Apache-2.0 */
/* Plain values that configs, plans and engines share. Strings belong to the arena of whoever
 * decoded them. A value with `set` false was not given: the kernel's or engine's default stands. */
#ifndef CTR_BASE_VALUE_H
#define CTR_BASE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct opt_u64 {
	uint64_t v;
	bool set;
};

struct opt_i64 {
	int64_t v;
	bool set;
};

struct opt_bool {
	bool v;
	bool set;
};

struct strv {
	char **v; /* n strings and no terminating NULL, unless made by strv_argv() */
	size_t n;
};

struct u32v {
	uint32_t *v;
	size_t n;
};

struct strpair {
	char *key, *value;
};

struct strmap {
	struct strpair *v;
	size_t n;
};

#endif
