/* SPDX-License-Identifier: Apache-2.0 */
/*
 * update: other limits for a container that exists.
 *
 * DOC: a change is the part of linux.resources that shall be different. It is laid over the config
 * that the container runs by, RUN/ID/config.json, and the sum is what later commands read. Written
 * to the kernel is the change alone, so that a limit which somebody else has moved meanwhile stays
 * moved; with it go the values that it cannot be understood without: memory and swap count
 * together, and a quota is one of a period.
 *
 * Devices are left out: what an engine sends as an update carries those of the start, and a plugin
 * may have allowed more since then.
 */
#include "runtime/container.h"

#include "base/json.h"
#include "base/own.h"
#include "runtime/group.h"
#include "runtime/life.h"
#include "runtime/spec/spec.h"

#include <string.h>

/* By these do the entries of a list name what they limit: a disk, a page size, an interface. */
static const char *const identities[] = { "major", "minor", "pageSize", "name" };

static bool is_same_thing(const json_t *a, const json_t *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(identities); i++) {
		const json_t *x = json_object_get(a, identities[i]);
		const json_t *y = json_object_get(b, identities[i]);

		if ((x || y) && !json_equal(x, y))
			return false;
	}
	return true;
}

static int lay_over(json_t *below, json_t *change);

/* Each entry over the one for the same thing, of several over the last, which is in force. */
static int lay_over_list(json_t *below, json_t *change)
{
	json_t *entry;
	size_t i;

	json_array_foreach(change, i, entry) {
		size_t at = json_array_size(below);

		while (at && !is_same_thing(json_array_get(below, at - 1), entry))
			at--;
		if (!at ? json_array_append(below, entry) < 0
			: lay_over(json_array_get(below, at - 1), entry) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* null is "not given", as it is in a config. */
static int lay_over(json_t *below, json_t *change)
{
	const char *key;
	json_t *value;

	json_object_foreach(change, key, value) {
		json_t *old = json_object_get(below, key);
		int r = 0;

		if (json_is_null(value))
			continue;
		if (json_is_object(value) && json_is_object(old))
			r = lay_over(old, value);
		else if (json_is_array(value) && json_is_array(old))
			r = lay_over_list(old, value);
		else
			r = json_object_set_new(below, key, json_deep_copy(value));
		if (r < 0)
			return -ENOMEM;
	}
	return 0;
}

static bool is_given(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return value && !json_is_null(value);
}

/* No limit of memory leaves none of swap either, unless the change says so. */
static int complete_change(json_t *change)
{
	json_t *memory = json_object_get(change, "memory");

	(void)json_object_del(change, "devices"); /* may be missing */
	if (json_integer_value(json_object_get(memory, "limit")) == -1 && !is_given(memory, "swap"))
		return json_object_set_new(memory, "swap", json_integer(0));
	return 0;
}

/* The values that one of @keys in the change drags along, from the sum. */
static int add_companions(json_t *written, const json_t *sum, const char *section,
			  const char *const keys[2])
{
	json_t *to = json_object_get(written, section);
	const json_t *from = json_object_get(sum, section);

	if (!is_given(to, keys[0]) && !is_given(to, keys[1]))
		return 0;
	for (size_t i = 0; i < 2; i++)
		if (is_given(from, keys[i]) &&
		    json_object_set(to, keys[i], json_object_get(from, keys[i])) < 0)
			return -ENOMEM;
	return 0;
}

static int convert(json_t *resources, struct arena *arena, struct cg_resources *ret, struct err *e)
{
	struct js_issues issues = { .arena = arena };
	struct spec_resources decoded = { 0 };
	int r = js_decode(&spec_resources_type, resources, &decoded, &issues);

	if (r == -EINVAL)
		return js_issues_err(&issues, "resources", e);
	return r < 0 ? r : spec_to_cgroup(&decoded, arena, ret, e);
}

/* @doc, a config.json, with @change in it; and what that writes. */
static int plan_update(json_t *doc, json_t *change, struct arena *arena, struct cg_resources *ret,
		       struct err *e)
{
	static const char *const memory[] = { "limit", "swap" }, *const cpu[] = { "quota",
										  "period" };
	own_json json_t *written = json_deep_copy(change), *empty = json_object();
	json_t *sum = js_get_at(doc, "linux.resources");
	struct cg_resources whole;
	int r;

	if (!written || !empty || complete_change(written) < 0)
		return -ENOMEM;
	if (!json_is_object(sum)) {
		if (js_set_at(doc, "linux.resources", empty) < 0)
			return -ENOMEM;
		sum = empty;
	}
	r = lay_over(sum, written);
	if (r == 0)
		r = add_companions(written, sum, "memory", memory);
	if (r == 0)
		r = add_companions(written, sum, "cpu", cpu);
	if (r == 0)
		r = convert(written, arena, ret, e);
	if (r == 0)
		r = convert(sum, arena, &whole, e); /* later commands must be able to read it */
	if (r < 0)
		return r;
	ret->devices = NULL;
	ret->device_count = 0;
	return 0;
}

static int need_container(const struct life *life, struct err *e)
{
	int r = life_need(life, e);

	if (r < 0)
		return r;
	if (life->state.partition) {
		err_say(e, -EINVAL, "'%s' is a partition, whose limits are in its config",
			life->id);
		err_hint(e, "change them with 'ctr set %s KEY=VALUE'", life->id);
		return -EINVAL;
	}
	if (life->pidfd < 0)
		return err_say(e, -ESRCH, "container not running");
	return 0;
}

int container_update(const struct ctr_env *env, const char *id, json_t *change, struct err *e)
{
	own_life struct life life = LIFE_EMPTY;
	own_json json_t *doc = NULL, *before = NULL;
	struct cg_resources res;
	int r = life_open(env, id, &life, e);

	if (r == 0)
		r = need_container(&life, e);
	if (r == 0)
		r = state_load_json(life.run, id, "config.json", &doc, e);
	if (r < 0)
		return r;
	before = json_deep_copy(doc);
	if (!before)
		return -ENOMEM;
	r = plan_update(doc, change, &life.arena, &res, e);
	if (r == 0)
		r = group_check(life.layout, (enum cg_driver)life.state.driver, &res, e);
	/* Saved first: a disk that is full must not leave limits that the config knows nothing of.
	 */
	if (r == 0)
		r = state_save_json(life.run, id, "config.json", doc, e);
	if (r < 0)
		return r;
	r = group_apply(life.layout, &life.state, &res, e);
	if (r < 0)
		(void)state_save_json(life.run, id, "config.json", before, NULL); /* r says why */
	return r;
}
