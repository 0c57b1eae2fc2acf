/* SPDX-License-Identifier: Apache-2.0 */
/* Plain structs to JSON documents, by the same rows that decode them. */
#include "base/json.h"
#include "base/json_internal.h"
#include "base/own.h"
#include "base/text.h"

#include <string.h>

/*
 * An encoder sets *ret to a new reference, or leaves it NULL when the value is not set.
 * Return: 0 or -ENOMEM.
 */
typedef int encode_fn(const struct js_field *field, const void *value, bool full, json_t **ret);

static int made(json_t *json, json_t **ret)
{
	*ret = json;
	return json ? 0 : -ENOMEM;
}

static int encode_bool(const struct js_field *field, const void *value, bool full, json_t **ret)
{
	(void)field, (void)full;
	return made(json_boolean(*(const bool *)value), ret);
}

static int encode_opt_bool(const struct js_field *field, const void *value, bool full, json_t **ret)
{
	const struct opt_bool *v = value;

	(void)field, (void)full;
	return v->set ? made(json_boolean(v->v), ret) : 0;
}

static int encode_str(const struct js_field *field, const void *value, bool full, json_t **ret)
{
	const char *s = *(char *const *)value;

	(void)field, (void)full;
	return s ? made(json_string(s), ret) : 0;
}

/* What jansson cannot hold goes out as the digits that the decoder takes. */
static json_t *big_number(uint64_t v)
{
	return v > INT64_MAX ? json_sprintf("%llu", (unsigned long long)v)
			     : json_integer((json_int_t)v);
}

static int encode_u32(const struct js_field *field, const void *value, bool full, json_t **ret)
{
	(void)field, (void)full;
	return made(json_integer(*(const uint32_t *)value), ret);
}

static int encode_i64(const struct js_field *field, const void *value, bool full, json_t **ret)
{
	(void)field, (void)full;
	return made(json_integer(*(const int64_t *)value), ret);
}

static int encode_u64(const struct js_field *field, const void *value, bool full, json_t **ret)
{
	(void)field, (void)full;
	return made(big_number(*(const uint64_t *)value), ret);
}

static int encode_opt_i64(const struct js_field *field, const void *value, bool full, json_t **ret)
{
	const struct opt_i64 *v = value;

	(void)field, (void)full;
	return v->set ? made(json_integer(v->v), ret) : 0;
}

static int encode_opt_u64(const struct js_field *field, const void *value, bool full, json_t **ret)
{
	const struct opt_u64 *v = value;

	(void)field, (void)full;
	return v->set ? made(big_number(v->v), ret) : 0;
}

static int encode_count(const struct js_field *field, const void *value, bool full, json_t **ret)
{
	const struct opt_u64 *v = value;

	if (v->set && v->v == UINT64_MAX)
		return made(json_string("max"), ret);
	return encode_opt_u64(field, value, full, ret);
}

/* The largest unit that says it exactly, so that 512M reads as it was written. */
static int encode_bytes(const struct js_field *field, const void *value, bool full, json_t **ret)
{
	static const char units[] = "BKMGTP";
	const struct opt_u64 *v = value;
	uint64_t left = v->v;
	size_t unit = 0;

	if (v->v == UINT64_MAX)
		return encode_count(field, value, full, ret);
	for (; left && left % 1024 == 0 && units[unit + 1]; unit++)
		left /= 1024;
	if (!v->set || unit == 0)
		return encode_opt_u64(field, value, full, ret);
	return made(json_sprintf("%llu%c", (unsigned long long)left, units[unit]), ret);
}

static int encode_ms(const struct js_field *field, const void *value, bool full, json_t **ret)
{
	const struct opt_u64 *v = value;
	char buf[32];

	(void)field, (void)full;
	return v->set ? made(json_string(text_fmt_ms(buf, sizeof(buf), v->v)), ret) : 0;
}

static int encode_cpus(const struct js_field *field, const void *value, bool full, json_t **ret)
{
	const struct opt_u64 *v = value;

	if (!v->set)
		return 0;
	if (v->v == UINT64_MAX)
		return encode_count(field, value, full, ret);
	if (v->v % 1000 == 0)
		return made(json_integer((json_int_t)(v->v / 1000)), ret);
	if (v->v % 10 == 0)
		return made(json_sprintf("%llu%%", (unsigned long long)v->v / 10), ret);
	return made(json_sprintf("%llu.%03u", (unsigned long long)v->v / 1000,
				 (unsigned int)(v->v % 1000)),
		    ret);
}

static int encode_enum(const struct js_field *field, const void *value, bool full, json_t **ret)
{
	const char *name = name_of(field->names, *(const uint32_t *)value);

	(void)full;
	return name ? made(json_string(name), ret) : 0;
}

static int encode_strv(const struct js_field *field, const void *value, bool full, json_t **ret)
{
	const struct strv *list = value;
	own_json json_t *array = json_array();

	(void)field, (void)full;
	for (size_t i = 0; i < list->n; i++)
		if (json_array_append_new(array, json_string(list->v[i])) < 0)
			return -ENOMEM;
	return made(take_ptr(array), ret);
}

static int encode_u32v(const struct js_field *field, const void *value, bool full, json_t **ret)
{
	const struct u32v *list = value;
	own_json json_t *array = json_array();

	(void)field, (void)full;
	for (size_t i = 0; i < list->n; i++)
		if (json_array_append_new(array, json_integer(list->v[i])) < 0)
			return -ENOMEM;
	return made(take_ptr(array), ret);
}

static int encode_strmap(const struct js_field *field, const void *value, bool full, json_t **ret)
{
	const struct strmap *map = value;
	own_json json_t *object = json_object();

	(void)field, (void)full;
	for (size_t i = 0; i < map->n; i++)
		if (json_object_set_new(object, map->v[i].key, json_string(map->v[i].value)) < 0)
			return -ENOMEM;
	return made(take_ptr(object), ret);
}

static json_t *encode_object(const struct js_object *type, const void *from, bool full);

static int encode_in_place(const struct js_field *field, const void *value, bool full, json_t **ret)
{
	own_json json_t *object = encode_object(field->sub, value, full);
	bool said = json_object_size(object) || full || (field->flags & JS_REQUIRED);

	if (!object)
		return -ENOMEM;
	*ret = said ? take_ptr(object) : NULL;
	return 0;
}

static int encode_opt_object(const struct js_field *field, const void *value, bool full,
			     json_t **ret)
{
	const void *object = *(void *const *)value;

	return object ? made(encode_object(field->sub, object, full), ret) : 0;
}

static int encode_list(const struct js_field *field, const void *value, bool full, json_t **ret)
{
	const struct js_list *list = value;
	own_json json_t *array = json_array();

	for (size_t i = 0; i < list->n; i++) {
		const char *element = (const char *)list->v + i * field->sub->size;

		if (json_array_append_new(array, encode_object(field->sub, element, full)) < 0)
			return -ENOMEM;
	}
	return made(take_ptr(array), ret);
}

static int encode_raw(const struct js_field *field, const void *value, bool full, json_t **ret)
{
	(void)field, (void)full;
	*ret = json_incref(*(json_t *const *)value);
	return 0;
}

static encode_fn *const encoders[] = {
	[JS_BOOL] = encode_bool,       [JS_OPT_BOOL] = encode_opt_bool,
	[JS_STR] = encode_str,	       [JS_U32] = encode_u32,
	[JS_I64] = encode_i64,	       [JS_U64] = encode_u64,
	[JS_OPT_I64] = encode_opt_i64, [JS_OPT_U64] = encode_opt_u64,
	[JS_COUNT] = encode_count,     [JS_BYTES] = encode_bytes,
	[JS_MS] = encode_ms,	       [JS_CPUS] = encode_cpus,
	[JS_ENUM] = encode_enum,       [JS_STRV] = encode_strv,
	[JS_U32V] = encode_u32v,       [JS_STRMAP] = encode_strmap,
	[JS_OBJECT] = encode_in_place, [JS_OPT_OBJECT] = encode_opt_object,
	[JS_LIST] = encode_list,       [JS_RAW] = encode_raw,
};
_Static_assert(ARRAY_SIZE(encoders) == JS_KINDS, "an encoder for every kind");

/* The same encoding for @json as for the value that an absent key decodes to? 1, 0 or -ENOMEM. */
static int is_default(const struct js_field *field, json_t *json)
{
	union { /* of the widest kinds; an object in place has no default of its own */
		struct strv list;
		struct opt_u64 number;
	} absent = { 0 };
	own_arena struct arena arena = { 0 };
	struct js_issues issues = { .arena = &arena };
	own_json json_t *other = NULL;
	int r;

	js_default(&issues, field, &absent);
	r = issues.out_of_memory ? -ENOMEM : encoders[field->kind](field, &absent, false, &other);
	return r < 0 ? r : json_equal(json, other);
}

static json_t *encode_object(const struct js_object *type, const void *from, bool full)
{
	own_json json_t *object = json_object();

	if (!object)
		return NULL;
	for (const struct js_field *f = type->fields; f->key; f++) {
		own_json json_t *json = NULL;
		int r;

		if (encoders[f->kind](f, (const char *)from + f->offset, full, &json) < 0)
			return NULL;
		if (!json)
			continue;
		if (!full && !(f->flags & JS_REQUIRED) && f->kind != JS_OBJECT) {
			r = is_default(f, json);
			if (r < 0)
				return NULL;
			if (r > 0)
				continue;
		}
		if (json_object_set(object, f->key, json) < 0)
			return NULL;
	}
	return take_ptr(object);
}

json_t *js_encode(const struct js_object *type, const void *from)
{
	return encode_object(type, from, false);
}

json_t *js_encode_full(const struct js_object *type, const void *from)
{
	return encode_object(type, from, true);
}
