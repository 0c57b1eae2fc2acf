/* SPDX-License-Identifier: Apache-2.0 */
/* Name <-> value tables, shared by every enum and flag word that users or the kernel spell. */
#ifndef CTR_BASE_TABLE_H
#define CTR_BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct name {
	const char *name; /* a table ends with { NULL, 0 } */
	uint64_t value;
};

/** name_value() - the value of @s. Return: 0, or -ENOENT with *ret untouched. */
int name_value(const struct name *table, const char *s, uint64_t *ret);
/** name_of() - the first name with @value. Return: NULL when there is none. */
const char *name_of(const struct name *table, uint64_t value);
/** name_list() - "a, b or c" into @buf, for messages. Return: @buf. */
char *name_list(const struct name *table, char *buf, size_t size);

#endif
