/* SPDX-License-Identifier: Apache-2.0 */
/* Values in GVariant's text format, which is what annotations of systemd properties are written in,
 * as D-Bus values. Pure. Authority: GLib, "GVariant Text Format". */
#ifndef CTR_CGROUPS_GVARIANT_H
#define CTR_CGROUPS_GVARIANT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

#include <stddef.h>
#include <stdint.h>

/** A value: of one basic type, or with children. */
struct gvariant {
	const char *sig;  /* "t", "as", "a(ss)" */
	uint64_t number;  /* of y b n q i u x t h, in two's complement */
	double real;	  /* of d */
	const char *text; /* of s, o, g */
	struct gvariant *items;
	size_t count;
};

/** gvariant_parse() - "true", "15", "uint64 5", "'text'", "['a', 'b']", "[('x', 'rw')]", "@as []"
 * Return: 0, -EINVAL with the place of the mistake, -ENOMEM. */
int gvariant_parse(const char *text, struct arena *arena, struct gvariant *ret, struct err *e);
/** gvariant_add() - append it as a D-Bus value, without its signature */
void gvariant_add(struct text *t, const struct gvariant *v);
/** gvariant_to_usec() - a number of seconds as "t" in microseconds. Return: 0, -EINVAL, -ERANGE. */
int gvariant_to_usec(struct gvariant *v);

#endif
