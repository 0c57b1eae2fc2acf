/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dotted paths into a document: keys joined by '.', elements as [0]. A key with other characters
 * than letters, digits, '_' and '-' is spelt ["so"], e.g. sysctl["net.ipv4.ip_forward"].
 */
#include "base/json.h"
#include "base/own.h"
#include "base/text.h"

#include <string.h>

enum { STEPS_MAX = 16, KEY_MAX_BYTES = 255 };

struct step {
	char key[KEY_MAX_BYTES + 1]; /* empty: element number index */
	size_t index;
};

static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

static bool is_plain(const char *key)
{
	return *key && key[strspn(key, plain)] == '\0';
}

static void add_path(struct text *t, const struct js_where *where)
{
	if (!where)
		return;
	add_path(t, where->up);
	if (!where->key)
		text_addf(t, "[%zu]", where->index);
	else if (is_plain(where->key))
		text_addf(t, "%s%s", t->len ? "." : "", where->key);
	else
		text_addf(t, "[\"%s\"]", where->key);
}

char *js_where_path(struct js_issues *issues, const struct js_where *where)
{
	own_text struct text t = { 0 };
	char *path = NULL;

	add_path(&t, where);
	if (!text_failed(&t))
		path = arena_strdup(issues->arena, text_str(&t));
	issues->out_of_memory |= !path;
	return path;
}

/* The step at *@path, which moves behind it. Return: 1, 0 at the end, -EINVAL. */
static int next_step(const char **path, bool first, struct step *ret)
{
	const char *s = *path, *key, *end;
	size_t len;

	if (!*s)
		return first ? -EINVAL : 0;
	*ret = (struct step){ 0 };
	if (strncmp(s, "[\"", 2) == 0) {
		key = s + 2;
		end = strstr(key, "\"]");
		if (!end)
			return -EINVAL;
		len = (size_t)(end - key);
		*path = end + 2;
	} else if (*s == '[') {
		char digits[12] = "";
		uint32_t index;

		len = strspn(s + 1, "0123456789");
		if (len == 0 || len >= sizeof(digits) || s[1 + len] != ']')
			return -EINVAL;
		memcpy(digits, s + 1, len);
		if (text_u32(digits, &index) < 0)
			return -EINVAL;
		ret->index = index;
		*path = s + len + 2;
		return 1;
	} else {
		if (!first && *s++ != '.')
			return -EINVAL;
		key = s;
		len = strspn(s, plain);
		*path = s + len;
	}
	if (len == 0 || len > KEY_MAX_BYTES)
		return -EINVAL;
	memcpy(ret->key, key, len);
	return 1;
}

static json_t *child_of(json_t *json, const struct step *step)
{
	return *step->key ? json_object_get(json, step->key) : json_array_get(json, step->index);
}

json_t *js_get_at(json_t *doc, const char *path)
{
	struct step step;
	bool first = true;
	int r;

	while (doc && (r = next_step(&path, first, &step)) != 0) {
		doc = r < 0 ? NULL : child_of(doc, &step);
		first = false;
	}
	return doc;
}

/* Put @child (a new reference, taken over) in its place. An array grows at its end only. */
static int put_child(json_t *parent, const struct step *step, json_t *child)
{
	if (!child)
		return -ENOMEM;
	if (*step->key && json_is_object(parent))
		return json_object_set_new(parent, step->key, child) < 0 ? -ENOMEM : 0;
	if (!*step->key && step->index < json_array_size(parent))
		return json_array_set_new(parent, step->index, child) < 0 ? -ENOMEM : 0;
	if (!*step->key && json_is_array(parent) && step->index == json_array_size(parent))
		return json_array_append_new(parent, child) < 0 ? -ENOMEM : 0;
	json_decref(child);
	return -EINVAL;
}

int js_set_at(json_t *doc, const char *path, json_t *value)
{
	struct step steps[STEPS_MAX];
	size_t n = 0;
	int r = 0;

	/* All of the path is read before the document changes. */
	while (n < STEPS_MAX && (r = next_step(&path, n == 0, &steps[n])) > 0)
		n++;
	if (r < 0 || *path)
		return -EINVAL;
	for (size_t i = 0; i + 1 < n; i++) {
		json_t *child = child_of(doc, &steps[i]);

		if (!child) {
			r = put_child(doc, &steps[i],
				      *steps[i + 1].key ? json_object() : json_array());
			if (r < 0)
				return r;
			child = child_of(doc, &steps[i]);
		}
		doc = child;
	}
	return put_child(doc, &steps[n - 1], json_incref(value));
}

static const struct js_field *field_of(const struct js_object *type, const char *key)
{
	for (const struct js_field *f = type->fields; f->key; f++)
		if (strcmp(f->key, key) == 0)
			return f;
	return NULL;
}

static const char *nearest_key(const struct js_object *type, const char *key)
{
	const char *names[128];
	size_t count = 0;
	int near;

	for (const struct js_field *f = type->fields; f->key && count < ARRAY_SIZE(names); f++)
		names[count++] = f->key;
	near = text_nearest(key, names, count);
	return near < 0 ? NULL : names[near];
}

/* @known: the length of the part of @path that exists; @wrong: what came behind it. */
static const char *hint_at(struct arena *arena, const struct js_object *type, const char *path,
			   size_t known, const char *wrong, const char *rest)
{
	const char *near = nearest_key(type, wrong);

	if (!near)
		return NULL;
	return arena_printf(arena, "%.*s%s%s%s", (int)known, path, known ? "." : "", near, rest);
}

const struct js_field *js_field_at(const struct js_object *type, const char *path,
				   struct arena *arena, const char **ret_hint)
{
	const struct js_field *found = NULL;
	const char *rest = path;
	struct step step;

	if (ret_hint)
		*ret_hint = NULL;
	for (;;) {
		size_t known = (size_t)(rest - path);
		int r = next_step(&rest, rest == path, &step);

		if (r <= 0)
			return r == 0 ? found : NULL;
		if (!found || found->kind == JS_OBJECT || found->kind == JS_OPT_OBJECT ||
		    (found->kind == JS_LIST && path[known] == '.')) {
			const struct js_object *at = found ? found->sub : type;

			found = *step.key ? field_of(at, step.key) : NULL;
			if (!found) {
				if (ret_hint && *step.key)
					*ret_hint = hint_at(arena, at, path, known, step.key, rest);
				return NULL;
			}
		} else if (found->kind == JS_STRMAP && *step.key) {
			/* One key is all that may follow; one with dots must be quoted. */
			if (*rest && ret_hint)
				*ret_hint = arena_printf(arena, "%.*s[\"%s\"]", (int)known, path,
							 path + known + 1);
			return *rest ? NULL : found;
		} else if (found->kind == JS_STRV || found->kind == JS_U32V) {
			return *step.key || *rest ? NULL : found;
		} else if (found->kind != JS_LIST || *step.key) {
			return NULL;
		}
	}
}
