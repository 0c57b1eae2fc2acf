/* SPDX-License-Identifier: Apache-2.0 */
/* Bump allocation from blocks that are freed together. */
#include "base/arena.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 16 * 1024, ALIGN_BYTES = 16 };

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	_Alignas(ALIGN_BYTES) char data[];
};

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_block *b = a->head;
	void *p;

	if (size > SIZE_MAX / 2) {
		errno = ENOMEM;
		return NULL;
	}
	size = (size + ALIGN_BYTES - 1) & ~(size_t)(ALIGN_BYTES - 1);
	if (!b || b->size - b->used < size) {
		size_t room = size > BLOCK_BYTES ? size : BLOCK_BYTES;

		b = calloc(1, sizeof(*b) + room);
		if (!b)
			return NULL;
		b->size = room;
		b->next = a->head;
		a->head = b;
	}
	p = b->data + b->used;
	b->used += size;
	return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *copy = arena_alloc(a, len + 1);

	if (copy)
		memcpy(copy, s, len);
	return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return s ? arena_strndup(a, s, strlen(s)) : NULL;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	char *s = NULL;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	if (len >= 0)
		s = arena_alloc(a, (size_t)len + 1);
	if (s)
		(void)vsnprintf(s, (size_t)len + 1, fmt, again); /* the length was just measured */
	va_end(again);
	va_end(ap);
	return s;
}

void *arena_grow(struct arena *a, void *items, size_t *count, size_t size)
{
	size_t n = *count;
	char *array;

	memcpy(&array, items, sizeof(array)); /* a pointer to any type: no alias of it is made */
	if ((n & (n - 1)) == 0) {	      /* full at 0, 1, 2, 4, 8, ... */
		size_t room = n ? n * 2 : 1;
		void *bigger = arena_alloc(a, room * size);

		if (!bigger)
			return NULL;
		if (n)
			memcpy(bigger, array, n * size);
		array = bigger;
		memcpy(items, &array, sizeof(array));
	}
	(*count)++;
	return array + n * size;
}

void arena_done(struct arena *a)
{
	int saved = errno;

	while (a->head) {
		struct arena_block *next = a->head->next;

		free(a->head);
		a->head = next;
	}
	errno = saved;
}
