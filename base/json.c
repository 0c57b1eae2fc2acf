/* SPDX-License-Identifier: Apache-2.0 */
/* JSON documents to plain structs by field tables; every mistake is collected. */
#include "base/json.h"

#include "base/json_internal.h"
#include "base/own.h"
#include "base/text.h"

#include <stdarg.h>
#include <string.h>

enum { ISSUES_MAX = 100 };

static void add_issue(struct js_issues *issues, const char *path, const char *fmt, va_list ap)
{
	va_list again;
	struct js_issue *issue;
	char *text = NULL;
	int len;

	if (issues->n >= ISSUES_MAX || issues->out_of_memory)
		return;
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (path && len >= 0)
		text = arena_alloc(issues->arena, (size_t)len + 1);
	issue = text ? arena_grow(issues->arena, &issues->v, &issues->n, sizeof(*issue)) : NULL;
	if (!issue) {
		issues->out_of_memory = true;
		return;
	}
	(void)vsnprintf(text, (size_t)len + 1, fmt, ap); /* the length was just measured */
	/* The document is not trusted with the terminal that shows this. */
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	*issue = (struct js_issue){ .path = path, .text = text };
}

void js_issue(struct js_issues *issues, const struct js_where *where, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_issue(issues, js_where_path(issues, where), fmt, ap);
	va_end(ap);
}

void js_issue_at(struct js_issues *issues, const char *path, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_issue(issues, arena_strdup(issues->arena, path), fmt, ap);
	va_end(ap);
}

int js_issues_err(const struct js_issues *issues, const char *what, struct err *e)
{
	const struct js_issue *first = issues->v;
	char more[48] = "";

	if (issues->out_of_memory)
		return err_set(e, -ENOMEM, "decode %s", what);
	if (issues->n == 0)
		return err_say(e, -EINVAL, "%s is not valid", what);
	if (issues->n > 1)
		(void)snprintf(more, sizeof(more), " (and %zu more)", issues->n - 1);
	return err_say(e, -EINVAL, "%s: %s%s%s%s", what, first->path, *first->path ? ": " : "",
		       first->text, more);
}

/* The value as messages quote it, cut where a person has seen enough. */
static void describe(json_t *json, char *buf, size_t size)
{
	size_t len;
	const char *s;

	switch (json_typeof(json)) {
	case JSON_STRING:
		s = json_string_value(json);
		len = strnlen(s, 60);
		while (((unsigned char)s[len] & 0xc0) == 0x80)
			len--; /* not in the middle of a character */
		(void)snprintf(buf, size, "string \"%.*s%s\"", (int)len, s, s[len] ? "..." : "");
		break;
	case JSON_INTEGER:
		(void)snprintf(buf, size, "%lld", (long long)json_integer_value(json));
		break;
	case JSON_REAL:
		(void)snprintf(buf, size, "%g", json_real_value(json));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		(void)snprintf(buf, size, "%s", json_is_true(json) ? "true" : "false");
		break;
	case JSON_NULL:
		(void)snprintf(buf, size, "null");
		break;
	case JSON_ARRAY:
		(void)snprintf(buf, size, "an array");
		break;
	case JSON_OBJECT:
		(void)snprintf(buf, size, "an object");
		break;
	}
}

uint64_t js_max(const struct js_field *field)
{
	if (field->max)
		return field->max;
	switch (field->kind) {
	case JS_U32:
		return UINT32_MAX;
	case JS_COUNT:
	case JS_BYTES:
	case JS_MS:
	case JS_CPUS:
		return INT64_MAX; /* kernel counters have a sign; above it is only "max" */
	default:
		return UINT64_MAX;
	}
}

static void fmt_cpus(char *buf, size_t size, uint64_t milli)
{
	(void)snprintf(buf, size, "%g", (double)milli / 1000);
}

static void fmt_count(char *buf, size_t size, uint64_t count)
{
	(void)snprintf(buf, size, "%llu", (unsigned long long)count);
}

/* "a size such as 512M, 4K to 16E, or max": for "allowed:" in messages. */
static void describe_allowed(const struct js_field *field, char *buf, size_t size)
{
	static const struct {
		const char *one, * or ;
		int unit;
	} kinds[JS_KINDS] = {
		[JS_BOOL] = { "true or false", "", 0 },
		[JS_OPT_BOOL] = { "true or false", "", 0 },
		[JS_STR] = { "a string", "", 0 },
		[JS_U32] = { "an integer", "", 'n' },
		[JS_I64] = { "an integer", "", 'i' },
		[JS_U64] = { "an integer", "", 'n' },
		[JS_OPT_I64] = { "an integer", "", 'i' },
		[JS_OPT_U64] = { "an integer", "", 'n' },
		[JS_COUNT] = { "an integer", ", or \"max\"", 'n' },
		[JS_BYTES] = { "a size such as \"512M\"", ", or \"max\"", 'b' },
		[JS_MS] = { "a time such as \"30s\"", "", 't' },
		[JS_CPUS] = { "a number of CPUs such as 1.5 or \"150%\"", ", or \"max\"", 'c' },
		[JS_STRV] = { "an array of strings", "", 0 },
		[JS_U32V] = { "an array of integers", "", 0 },
		[JS_STRMAP] = { "an object of strings", "", 0 },
		[JS_OBJECT] = { "an object", "", 0 },
		[JS_OPT_OBJECT] = { "an object", "", 0 },
		[JS_LIST] = { "an array of objects", "", 0 },
		[JS_RAW] = { "any value", "", 0 },
	};
	char from[32] = "", to[32] = "", range[80] = "";
	uint64_t max = js_max(field);

	if (field->kind == JS_ENUM) {
		(void)name_list(field->names, buf, size);
		return;
	}
	switch (kinds[field->kind].unit) {
	case 'i':
		if (field->min || field->max)
			(void)snprintf(range, sizeof(range), " from %lld to %lld",
				       (long long)field->min, (long long)field->max);
		break;
	case 'b':
		(void)text_fmt_bytes(from, sizeof(from), field->min);
		(void)text_fmt_bytes(to, sizeof(to), max);
		break;
	case 't':
		(void)text_fmt_ms(from, sizeof(from), field->min);
		(void)text_fmt_ms(to, sizeof(to), max);
		break;
	case 'c':
		fmt_cpus(from, sizeof(from), field->min);
		fmt_cpus(to, sizeof(to), max);
		break;
	case 'n':
		fmt_count(from, sizeof(from), field->min);
		fmt_count(to, sizeof(to), max);
		break;
	default:
		break;
	}
	if (*from && (field->max || field->kind == JS_U32))
		(void)snprintf(range, sizeof(range), " from %s to %s", from, to);
	else if (*from && (field->min || kinds[field->kind].unit == 'n'))
		(void)snprintf(range, sizeof(range), " of at least %s", from);
	(void)snprintf(buf, size, "%s%s%s", kinds[field->kind].one, range, kinds[field->kind].or);
}

static void reject(struct js_issues *issues, const struct js_where *where,
		   const struct js_field *field, json_t *json)
{
	char found[160], allowed[240];

	describe(json, found, sizeof(found));
	describe_allowed(field, allowed, sizeof(allowed));
	js_issue(issues, where, "found %s, allowed: %s", found, allowed);
}

/*
 * A decoder returns false when the value is not what the row allows, and its caller says so.
 * Decoders of arrays and objects report their elements themselves.
 */
struct slot {
	struct js_issues *issues;
	const struct js_where *where;
	const struct js_field *field;
	json_t *json;
	void *into;
};

static bool decode_bool(const struct slot *s)
{
	if (!json_is_boolean(s->json))
		return false;
	*(bool *)s->into = json_is_true(s->json);
	return true;
}

static bool decode_opt_bool(const struct slot *s)
{
	if (!json_is_boolean(s->json))
		return false;
	*(struct opt_bool *)s->into = (struct opt_bool){ json_is_true(s->json), true };
	return true;
}

static bool store_str(const struct slot *s, const char *from, char **ret)
{
	*ret = arena_strdup(s->issues->arena, from);
	s->issues->out_of_memory |= !*ret;
	return true;
}

static bool decode_str(const struct slot *s)
{
	const struct js_field *f = s->field;
	size_t len = json_string_length(s->json);

	if (!json_is_string(s->json))
		return false;
	if (len < f->min || (f->max && len > f->max)) {
		js_issue(s->issues, s->where, "found a string of %zu bytes, allowed: %llu to %llu",
			 len, (unsigned long long)f->min, (unsigned long long)js_max(f));
		return true;
	}
	return store_str(s, json_string_value(s->json), s->into);
}

/* A whole number; JSON Schema counts 1.0 as one. */
static bool whole(json_t *json, int64_t *ret)
{
	double real = json_real_value(json);

	if (json_is_real(json) && real >= -0x1p53 && real <= 0x1p53 &&
	    (double)(int64_t)real == real)
		*ret = (int64_t)real;
	else if (json_is_integer(json))
		*ret = json_integer_value(json);
	else
		return false;
	return true;
}

static bool signed_number(const struct slot *s, int64_t *ret)
{
	const struct js_field *f = s->field;

	return whole(s->json, ret) &&
	       ((!f->min && !f->max) || (*ret >= (int64_t)f->min && *ret <= (int64_t)f->max));
}

static bool in_range(const struct js_field *f, uint64_t value)
{
	return value >= f->min && value <= js_max(f);
}

static bool unsigned_number(const struct slot *s, uint64_t *ret)
{
	int64_t value;

	if (whole(s->json, &value)) {
		*ret = (uint64_t)value;
		return value >= 0 && in_range(s->field, *ret);
	}
	/* js_read_text() spells integers above INT64_MAX so. */
	return json_is_string(s->json) && text_u64(json_string_value(s->json), ret) == 0 &&
	       *ret > INT64_MAX && in_range(s->field, *ret);
}

static bool decode_u32(const struct slot *s)
{
	uint64_t value;

	if (!unsigned_number(s, &value) || value > UINT32_MAX)
		return false;
	*(uint32_t *)s->into = (uint32_t)value;
	return true;
}

static bool decode_i64(const struct slot *s)
{
	return signed_number(s, s->into);
}

static bool decode_u64(const struct slot *s)
{
	return unsigned_number(s, s->into);
}

static bool decode_opt_i64(const struct slot *s)
{
	int64_t value;

	if (!signed_number(s, &value))
		return false;
	*(struct opt_i64 *)s->into = (struct opt_i64){ value, true };
	return true;
}

static bool decode_opt_u64(const struct slot *s)
{
	uint64_t value;

	if (!unsigned_number(s, &value))
		return false;
	*(struct opt_u64 *)s->into = (struct opt_u64){ value, true };
	return true;
}

static bool is_max(json_t *json)
{
	const char *s = json_string_value(json);

	return s && (strcmp(s, "max") == 0 || strcmp(s, "unlimited") == 0);
}

/* A number in units of @scale, or a string that @parse reads. */
static bool decode_unit(const struct slot *s, bool may_be_max, bool fractions, uint64_t scale,
			int (*parse)(const char *, uint64_t *))
{
	double real = json_number_value(s->json) * (double)scale;
	uint64_t value;
	int64_t number;

	if (may_be_max && is_max(s->json)) {
		*(struct opt_u64 *)s->into = (struct opt_u64){ UINT64_MAX, true };
		return true;
	}
	if (json_is_string(s->json)) {
		if (!parse || parse(json_string_value(s->json), &value) < 0)
			return false;
	} else if (whole(s->json, &number)) {
		if (number < 0 || __builtin_mul_overflow((uint64_t)number, scale, &value))
			return false;
	} else if (json_is_real(s->json) && fractions && real >= 0 && real <= 0x1p53) {
		value = (uint64_t)(real + 0.5);
	} else {
		return false;
	}
	if (!in_range(s->field, value))
		return false;
	*(struct opt_u64 *)s->into = (struct opt_u64){ value, true };
	return true;
}

static bool decode_count(const struct slot *s)
{
	return decode_unit(s, true, false, 1, NULL);
}

static bool decode_bytes(const struct slot *s)
{
	return decode_unit(s, true, false, 1, text_bytes);
}

static bool decode_ms(const struct slot *s)
{
	return decode_unit(s, false, true, 1000, text_ms);
}

static bool decode_cpus(const struct slot *s)
{
	return decode_unit(s, true, true, 1000, text_cpus);
}

static bool decode_enum(const struct slot *s)
{
	const char *name = json_string_value(s->json);
	uint64_t value;

	if (!name || name_value(s->field->names, name, &value) < 0)
		return false;
	*(uint32_t *)s->into = (uint32_t)value;
	return true;
}

/* Room for @count elements; an empty array is NULL and counts as done. */
static void *new_array(const struct slot *s, size_t count, size_t size)
{
	void *v = count ? arena_alloc(s->issues->arena, count * size) : NULL;

	s->issues->out_of_memory |= count && !v;
	return v;
}

static bool has_allowed_count(const struct slot *s, size_t n)
{
	const struct js_field *f = s->field;

	if (n >= f->min && (!f->max || n <= f->max))
		return true;
	js_issue(s->issues, s->where, "found %zu elements, allowed: %llu to %llu", n,
		 (unsigned long long)f->min, (unsigned long long)js_max(f));
	return false;
}

static bool decode_strv(const struct slot *s)
{
	static const struct js_field element = { .kind = JS_STR };
	struct strv *list = s->into;
	size_t n = json_array_size(s->json);

	if (!json_is_array(s->json))
		return false;
	list->v = has_allowed_count(s, n) ? new_array(s, n, sizeof(*list->v)) : NULL;
	for (size_t i = 0; list->v && i < n; i++) {
		const struct js_where at = { .up = s->where, .index = i };
		json_t *json = json_array_get(s->json, i);

		if (json_is_string(json))
			(void)store_str(s, json_string_value(json), &list->v[i]);
		else
			reject(s->issues, &at, &element, json);
	}
	list->n = list->v ? n : 0;
	return true;
}

static bool decode_u32v(const struct slot *s)
{
	static const struct js_field element = { .kind = JS_U32 };
	struct u32v *list = s->into;
	size_t n = json_array_size(s->json);

	if (!json_is_array(s->json))
		return false;
	list->v = new_array(s, n, sizeof(*list->v));
	for (size_t i = 0; list->v && i < n; i++) {
		const struct js_where at = { .up = s->where, .index = i };
		const struct slot one = { s->issues, &at, &element, json_array_get(s->json, i),
					  &list->v[i] };

		if (!decode_u32(&one))
			reject(s->issues, &at, &element, one.json);
	}
	list->n = list->v ? n : 0;
	return true;
}

static bool decode_strmap(const struct slot *s)
{
	static const struct js_field element = { .kind = JS_STR };
	struct strmap *map = s->into;
	struct strpair *pair;
	const char *key;
	json_t *json;

	if (!json_is_object(s->json))
		return false;
	map->v = pair = new_array(s, json_object_size(s->json), sizeof(*map->v));
	if (!map->v)
		return true;
	json_object_foreach(s->json, key, json) {
		const struct js_where at = { .up = s->where, .key = key };

		(void)store_str(s, key, &pair->key);
		if (json_is_string(json))
			(void)store_str(s, json_string_value(json), &pair->value);
		else
			reject(s->issues, &at, &element, json);
		pair++;
	}
	map->n = (size_t)(pair - map->v);
	return true;
}

static void decode_object(const struct js_object *type, json_t *from, void *into,
			  struct js_issues *issues, const struct js_where *where);

static bool decode_in_place(const struct slot *s)
{
	if (!json_is_object(s->json))
		return false;
	decode_object(s->field->sub, s->json, s->into, s->issues, s->where);
	return true;
}

static bool decode_opt_object(const struct slot *s)
{
	void *made;

	if (!json_is_object(s->json))
		return false;
	made = new_array(s, 1, s->field->sub->size);
	if (made)
		decode_object(s->field->sub, s->json, made, s->issues, s->where);
	*(void **)s->into = made;
	return true;
}

static bool decode_list(const struct slot *s)
{
	static const struct js_field element = { .kind = JS_OBJECT };
	struct js_list *list = s->into;
	size_t size = s->field->sub->size, n = json_array_size(s->json);

	if (!json_is_array(s->json))
		return false;
	list->v = has_allowed_count(s, n) ? new_array(s, n, size) : NULL;
	for (size_t i = 0; list->v && i < n; i++) {
		const struct js_where at = { .up = s->where, .index = i };
		json_t *json = json_array_get(s->json, i);

		if (json_is_object(json))
			decode_object(s->field->sub, json, (char *)list->v + i * size, s->issues,
				      &at);
		else
			reject(s->issues, &at, &element, json);
	}
	list->n = list->v ? n : 0;
	return true;
}

static bool decode_raw(const struct slot *s)
{
	*(json_t **)s->into = s->json;
	return true;
}

static bool (*const decoders[])(const struct slot *) = {
	[JS_BOOL] = decode_bool,       [JS_OPT_BOOL] = decode_opt_bool,
	[JS_STR] = decode_str,	       [JS_U32] = decode_u32,
	[JS_I64] = decode_i64,	       [JS_U64] = decode_u64,
	[JS_OPT_I64] = decode_opt_i64, [JS_OPT_U64] = decode_opt_u64,
	[JS_COUNT] = decode_count,     [JS_BYTES] = decode_bytes,
	[JS_MS] = decode_ms,	       [JS_CPUS] = decode_cpus,
	[JS_ENUM] = decode_enum,       [JS_STRV] = decode_strv,
	[JS_U32V] = decode_u32v,       [JS_STRMAP] = decode_strmap,
	[JS_OBJECT] = decode_in_place, [JS_OPT_OBJECT] = decode_opt_object,
	[JS_LIST] = decode_list,       [JS_RAW] = decode_raw,
};
_Static_assert(ARRAY_SIZE(decoders) == JS_KINDS, "a decoder for every kind");

void js_default(struct js_issues *issues, const struct js_field *field, void *into)
{
	own_json json_t *json = NULL;
	const struct js_where where = { .key = field->key };
	struct slot slot = { issues, &where, field, NULL, into };

	if (!field->def)
		return;
	json = json_loads(field->def, JSON_DECODE_ANY, NULL);
	slot.json = json;
	/* The tables' own text parses and fits, a unit test says so: what fails here is memory. */
	if (!json || !decoders[field->kind](&slot))
		issues->out_of_memory = true;
}

/* The value of a key that is not there. */
static void decode_absent(struct js_issues *issues, const struct js_where *where,
			  const struct js_field *field, void *into)
{
	if (field->kind == JS_OBJECT)
		decode_object(field->sub, NULL, into, issues, where);
	else
		js_default(issues, field, into);
}

static void decode_value(const struct slot *s)
{
	size_t before = s->issues->n;

	if (!decoders[s->field->kind](s)) {
		reject(s->issues, s->where, s->field, s->json);
		/* Checks between fields look at what decoded in part: let it be defined. */
		decode_absent(s->issues, s->where, s->field, s->into);
		return;
	}
	if (s->field->check && s->issues->n == before && !s->issues->out_of_memory)
		s->field->check(s->issues, s->where, s->into);
}

static void reject_unknown_keys(const struct js_object *type, json_t *from,
				struct js_issues *issues, const struct js_where *where)
{
	const char *names[128], *key;
	size_t count = 0;
	json_t *value;

	for (const struct js_field *f = type->fields; f->key && count < ARRAY_SIZE(names); f++)
		names[count++] = f->key;
	json_object_foreach(from, key, value) {
		const struct js_where at = { .up = where, .key = key };
		bool known = false;
		int near;

		for (size_t i = 0; i < count && !known; i++)
			known = strcmp(names[i], key) == 0;
		if (known)
			continue;
		near = text_nearest(key, names, count);
		if (near >= 0)
			js_issue(issues, &at, "unknown key '%s', did you mean '%s'?", key,
				 names[near]);
		else
			js_issue(issues, &at, "unknown key '%s'", key);
	}
}

/* @from NULL: the object is absent, and only defaults apply. */
static void decode_object(const struct js_object *type, json_t *from, void *into,
			  struct js_issues *issues, const struct js_where *where)
{
	for (const struct js_field *f = type->fields; f->key; f++) {
		const struct js_where at = { .up = where, .key = f->key };
		void *value = (char *)into + f->offset;
		json_t *json = json_object_get(from, f->key);

		if (json && !(json_is_null(json) && (f->flags & JS_NULLABLE))) {
			decode_value(&(struct slot){ issues, &at, f, json, value });
			continue;
		}
		if (from && (f->flags & JS_REQUIRED))
			js_issue(issues, &at, "is missing, and required");
		decode_absent(issues, &at, f, value);
	}
	if (from && !type->open)
		reject_unknown_keys(type, from, issues, where);
}

int js_decode(const struct js_object *type, json_t *from, void *into, struct js_issues *issues)
{
	const struct js_field whole_document = { .kind = JS_OBJECT };
	size_t before = issues->n;

	if (!json_is_object(from))
		reject(issues, NULL, &whole_document, from);
	decode_object(type, json_is_object(from) ? from : NULL, into, issues, NULL);
	if (issues->out_of_memory)
		return -ENOMEM;
	return issues->n == before ? 0 : -EINVAL;
}
