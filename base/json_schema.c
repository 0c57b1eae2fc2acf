/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Schema (draft 2020-12) from field tables, for editors and for `ctr schema`. */
#include "base/json.h"
#include "base/json_internal.h"
#include "base/own.h"

#include <string.h>

static const char bytes_pattern[] = "^(max|unlimited|[0-9]+([Bb]|iB|ib)?|"
				    "[0-9]+(\\.[0-9]{1,9})?[KMGTPkmgtp]([Bb]|iB|ib)?)$";
static const char ms_pattern[] = "^[0-9]+(\\.[0-9]{1,9})?(ms|s|m|h|d)?$";
static const char cpus_pattern[] = "^(max|unlimited|[0-9]+(\\.[0-9]{1,9})?%?)$";
static const char max_pattern[] = "^(max|unlimited)$";

/* set() - add @value (a reference, taken over) to @object. Sticky: false once anything failed. */
static bool set(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new(object, key, value) == 0;
}

static json_t *limit(uint64_t v)
{
	return v > INT64_MAX ? json_real((double)v) : json_integer((json_int_t)v);
}

/* A number of the row's range in JSON units, of which the struct holds @scale each. */
static json_t *number(const struct js_field *f, const char *type, uint64_t scale)
{
	bool is_signed = f->kind == JS_I64 || f->kind == JS_OPT_I64;
	own_json json_t *schema = json_object();
	bool ok = set(schema, "type", json_string(type));

	if (is_signed && (f->min || f->max)) {
		ok = ok && set(schema, "minimum", json_integer((json_int_t)f->min)) &&
		     set(schema, "maximum", json_integer((json_int_t)f->max));
	} else if (!is_signed) {
		uint64_t max = js_max(f);

		if (f->min % scale)
			ok = ok &&
			     set(schema, "minimum", json_real((double)f->min / (double)scale));
		else
			ok = ok && set(schema, "minimum", limit(f->min / scale));
		if (f->max || f->kind == JS_U32)
			ok = ok && set(schema, "maximum", limit(max / scale));
	}
	return ok ? take_ptr(schema) : NULL;
}

static json_t *number_or(const struct js_field *f, const char *type, uint64_t scale,
			 const char *pattern)
{
	return json_pack("{s:[o,{s:s,s:s}]}", "anyOf", number(f, type, scale), "type", "string",
			 "pattern", pattern);
}

static json_t *array_of(const struct js_field *f, json_t *items)
{
	own_json json_t *schema = json_pack("{s:s,s:o}", "type", "array", "items", items);
	bool ok = schema;

	if (f->kind != JS_U32V && f->min)
		ok = ok && set(schema, "minItems", limit(f->min));
	if (f->kind != JS_U32V && f->max)
		ok = ok && set(schema, "maxItems", limit(f->max));
	return ok ? take_ptr(schema) : NULL;
}

static json_t *string(const struct js_field *f)
{
	own_json json_t *schema = json_pack("{s:s}", "type", "string");
	bool ok = schema;

	if (f->min)
		ok = ok && set(schema, "minLength", json_integer(1)); /* min counts bytes */
	if (f->max)
		ok = ok && set(schema, "maxLength", limit(f->max));
	return ok ? take_ptr(schema) : NULL;
}

static json_t *enumeration(const struct js_field *f)
{
	own_json json_t *names = json_array();

	for (const struct name *n = f->names; n->name; n++)
		if (json_array_append_new(names, json_string(n->name)) < 0)
			return NULL;
	return json_pack("{s:O}", "enum", names);
}

static bool define(const struct js_object *type, json_t *defs);

static json_t *reference(const struct js_object *type, json_t *defs)
{
	return define(type, defs) ? json_pack("{s:s+}", "$ref", "#/$defs/", type->name) : NULL;
}

static json_t *value_schema(const struct js_field *f, json_t *defs)
{
	switch (f->kind) {
	case JS_BOOL:
	case JS_OPT_BOOL:
		return json_pack("{s:s}", "type", "boolean");
	case JS_STR:
		return string(f);
	case JS_U32:
	case JS_I64:
	case JS_U64:
	case JS_OPT_I64:
	case JS_OPT_U64:
		return number(f, "integer", 1);
	case JS_COUNT:
		return number_or(f, "integer", 1, max_pattern);
	case JS_BYTES:
		return number_or(f, "integer", 1, bytes_pattern);
	case JS_MS:
		return number_or(f, "number", 1000, ms_pattern);
	case JS_CPUS:
		return number_or(f, "number", 1000, cpus_pattern);
	case JS_ENUM:
		return enumeration(f);
	case JS_STRV:
		return array_of(f, json_pack("{s:s}", "type", "string"));
	case JS_U32V:
		return array_of(f, json_pack("{s:s,s:i,s:I}", "type", "integer", "minimum", 0,
					     "maximum", (json_int_t)UINT32_MAX));
	case JS_STRMAP:
		return json_pack("{s:s,s:{s:s}}", "type", "object", "additionalProperties", "type",
				 "string");
	case JS_OBJECT:
	case JS_OPT_OBJECT:
		return reference(f->sub, defs);
	case JS_LIST:
		return array_of(f, reference(f->sub, defs));
	case JS_RAW:
	case JS_KINDS:
		break;
	}
	return json_object();
}

static json_t *property(const struct js_field *f, json_t *defs)
{
	own_json json_t *schema = value_schema(f, defs);
	bool ok = schema;

	if (f->flags & JS_NULLABLE) {
		json_t *either = json_pack("{s:[O,{s:s}]}", "anyOf", schema, "type", "null");

		json_decref(schema);
		schema = either;
		ok = schema;
	}
	if (f->help)
		ok = ok && set(schema, "description", json_string(f->help));
	if (f->def)
		ok = ok && set(schema, "default", json_loads(f->def, JSON_DECODE_ANY, NULL));
	if (f->kind != JS_OBJECT && f->kind != JS_OPT_OBJECT)
		ok = ok && set(schema, "x-ctr-live", json_boolean(f->flags & JS_LIVE));
	if (f->flags & JS_FIXED)
		ok = ok && set(schema, "x-ctr-fixed", json_true());
	return ok ? take_ptr(schema) : NULL;
}

/* Add what @type is to @schema. */
static bool describe_object(const struct js_object *type, json_t *schema, json_t *defs)
{
	json_t *required = json_array(), *properties = json_object();
	bool ok = set(schema, "type", json_string("object"));

	if (type->help && !json_object_get(schema, "description"))
		ok = ok && set(schema, "description", json_string(type->help));
	/* Handed over first, so that a failure below leaks nothing. */
	ok = set(schema, "required", required) && ok;
	ok = set(schema, "properties", properties) && ok;
	for (const struct js_field *f = type->fields; ok && f->key; f++) {
		ok = set(properties, f->key, property(f, defs));
		if (f->flags & JS_REQUIRED)
			ok = ok && json_array_append_new(required, json_string(f->key)) == 0;
	}
	if (ok && json_array_size(required) == 0)
		(void)json_object_del(schema, "required");
	if (!type->open)
		ok = ok && set(schema, "additionalProperties", json_false());
	return ok;
}

static bool define(const struct js_object *type, json_t *defs)
{
	json_t *schema;

	if (json_object_get(defs, type->name))
		return true;
	schema = json_object();
	/* Its name is taken before its fields are walked: a type may contain itself. */
	return set(defs, type->name, schema) && describe_object(type, schema, defs);
}

json_t *js_schema(const struct js_object *type, const char *id, const char *title)
{
	own_json json_t *schema = json_object(), *defs = json_object();
	bool ok =
		set(schema, "$schema", json_string("https://json-schema.org/draft/2020-12/schema"));

	if (id)
		ok = ok && set(schema, "$id", json_string(id));
	if (title)
		ok = ok && set(schema, "title", json_string(title));
	ok = ok && describe_object(type, schema, defs);
	if (json_object_size(defs))
		ok = ok && json_object_set(schema, "$defs", defs) == 0;
	return ok ? take_ptr(schema) : NULL;
}
