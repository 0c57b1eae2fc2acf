/* SPDX-License-Identifier: Apache-2.0 */
/* The mapping that an option says itself: "idmap=uids=0-1000-10#10-2000-1;gids=@0-1-10". */
#include "namespaces/mount/idmap.h"

#include "base/own.h"
#include "base/text.h"

#include <string.h>

/* The next number of "A-B-C", which ends at @end. */
static int take_number(const char **s, char end, uint32_t *ret)
{
	char digits[12];
	size_t len = strcspn(*s, "-#;");

	if (len == 0 || len >= sizeof(digits) || (end == '-' && (*s)[len] != '-') ||
	    (end != '-' && (*s)[len] == '-'))
		return -EINVAL;
	memcpy(digits, *s, len);
	digits[len] = '\0';
	*s += len + (end == '-');
	return text_u32(digits, ret);
}

/* "@": the second number is an id of the container, which the host knows by another. */
static int shift(const struct id_map *own, size_t count, uint32_t *id)
{
	for (size_t i = 0; i < count; i++)
		if (*id >= own[i].inside && *id - own[i].inside < own[i].count) {
			*id = own[i].outside + (*id - own[i].inside);
			return 0;
		}
	return -EINVAL;
}

static int parse_list(const char **s, const struct id_maps *own, struct arena *arena,
		      struct id_maps *ret)
{
	struct id_map *list = NULL;
	size_t count = 0;

	do {
		struct id_map *map = arena_grow(arena, &list, &count, sizeof(*map));
		bool relative;
		int r;

		if (!map)
			return -ENOMEM;
		*s += **s == '#';
		relative = **s == '@';
		*s += relative;
		r = take_number(s, '-', &map->inside);
		if (r == 0)
			r = take_number(s, '-', &map->outside);
		if (r == 0)
			r = take_number(s, '\0', &map->count);
		if (r == 0 && relative)
			r = shift(own->v, own->n, &map->outside);
		if (r < 0)
			return r;
	} while (**s == '#');
	*ret = (struct id_maps){ list, count };
	return 0;
}

int mnt_idmap_parse(const char *text, const struct id_maps *own_uids,
		    const struct id_maps *own_gids, struct arena *arena, struct id_maps *ret_uids,
		    struct id_maps *ret_gids, struct err *e)
{
	const char *s = text;

	*ret_uids = *ret_gids = (struct id_maps){ 0 };
	while (*s) {
		bool uids = strncmp(s, "uids=", 5) == 0;
		int r = uids || strncmp(s, "gids=", 5) == 0 ? 0 : -EINVAL;

		s += r == 0 ? 5 : 0;
		if (r == 0)
			r = parse_list(&s, uids ? own_uids : own_gids, arena,
				       uids ? ret_uids : ret_gids);
		if (r == 0 && *s && *s++ != ';')
			r = -EINVAL;
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			return err_say(e, -EINVAL, "'%s' is no id mapping", text);
	}
	if (!ret_uids->n || !ret_gids->n)
		return err_say(e, -EINVAL, "'%s' lacks a mapping of %s", text,
			       ret_uids->n ? "groups" : "users");
	return 0;
}
