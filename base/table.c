/* SPDX-License-Identifier: Apache-2.0 */
/* Look-ups in name tables. */
#include "base/table.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int name_value(const struct name *table, const char *s, uint64_t *ret)
{
	for (; table->name; table++) {
		if (strcmp(table->name, s) == 0) {
			*ret = table->value;
			return 0;
		}
	}
	return -ENOENT;
}

const char *name_of(const struct name *table, uint64_t value)
{
	for (; table->name; table++)
		if (table->value == value)
			return table->name;
	return NULL;
}

char *name_list(const struct name *table, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (const struct name *n = table; n->name && used < size; n++) {
		const char *join = n == table ? "" : n[1].name ? ", " : " or ";
		int len = snprintf(buf + used, size - used, "%s%s", join, n->name);

		if (len < 0)
			break;
		used += (size_t)len;
	}
	return buf;
}
