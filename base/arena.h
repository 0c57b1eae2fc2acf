/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An arena: allocations that live and die together. A command decodes its configs and builds its
 * plan into one arena and frees all of it at once, so plain-data structs need no destructors.
 */
#ifndef CTR_BASE_ARENA_H
#define CTR_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena {
	struct arena_block *head; /* zero-initialise: `struct arena a = {0};` */
};

/** arena_alloc() - zeroed memory of @size bytes, aligned for any type. Return: NULL on ENOMEM. */
void *arena_alloc(struct arena *a, size_t size);
/** arena_strdup() - a copy of @s (NULL stays NULL). Return: NULL on ENOMEM. */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t len);
/** arena_printf() - a formatted string. Return: NULL on ENOMEM. */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** arena_grow() - room for one more element of @size bytes in an array of *@count elements, whose
 * pointer is the variable at @items: `slot = arena_grow(a, &list, &n, sizeof(*list))`. The capacity
 * is the next power of two. Return: the new zeroed element, counted; NULL on ENOMEM with the
 * array as it was. */
void *arena_grow(struct arena *a, void *items, size_t *count, size_t size);
void arena_done(struct arena *a);

#define own_arena __attribute__((cleanup(arena_done)))

#endif
