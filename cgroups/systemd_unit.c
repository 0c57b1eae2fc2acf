/* SPDX-License-Identifier: Apache-2.0 */
/* What a scope is called, and which properties it has. Pure. */
#include "cgroups/cg_internal.h"

#include "base/own.h"
#include "cgroups/dbus.h"
#include "cgroups/gvariant.h"

#include <ctype.h>
#include <string.h>

enum { UNIT_NAME_MAX = 255, CPUS_MAX = 8192 };

static const char slice_suffix[] = ".slice", scope_suffix[] = ".scope";

static bool ends_in(const char *s, const char *suffix)
{
	size_t len = strlen(s), n = strlen(suffix);

	return len >= n && strcmp(s + len - n, suffix) == 0;
}

/* systemd.unit(5): letters, digits, and some others. */
static bool is_unit_char(char c)
{
	return isalnum((unsigned char)c) || (c && strchr(":-_.\\@", c));
}

static bool is_unit_name(const char *s)
{
	for (const char *p = s; *p; p++)
		if (!is_unit_char(*p))
			return false;
	return strlen(s) <= UNIT_NAME_MAX;
}

/* systemd-escape(1): of the characters of an id only "+" needs it. */
static const char *escape(const char *s, struct arena *arena)
{
	own_text struct text t = { 0 };

	for (; *s; s++) {
		if (is_unit_char(*s))
			text_addn(&t, s, 1);
		else
			text_addf(&t, "\\x%02x", (unsigned char)*s);
	}
	return text_failed(&t) ? NULL : arena_strdup(arena, text_str(&t));
}

int sd_slice_path(const char *slice, struct arena *arena, const char **ret, struct err *e)
{
	size_t len = strlen(slice) - (ends_in(slice, slice_suffix) ? strlen(slice_suffix) : 0);
	own_text struct text t = { 0 };
	bool ok = ends_in(slice, slice_suffix) && len > 0 && is_unit_name(slice);

	if (ok && len == 1 && *slice == '-') {
		*ret = "";
		return 0;
	}
	/* Every part between dashes is a slice of its own, so none may be empty. */
	ok = ok && slice[0] != '-' && slice[len - 1] != '-' && !strstr(slice, "--");
	if (!ok)
		return err_say(e, -EINVAL, "'%s' is not the name of a slice, such as a-b.slice",
			       slice);
	for (size_t i = 1; i <= len; i++)
		if (i == len || slice[i] == '-')
			text_addf(&t, "/%.*s%s", (int)i, slice, slice_suffix);
	*ret = text_failed(&t) ? NULL : arena_strdup(arena, text_str(&t));
	return *ret ? 0 : -ENOMEM;
}

static int bad_path(const char *path, const char *why, struct err *e)
{
	err_say(e, -EINVAL, "linux.cgroupsPath '%s': %s", path, why);
	err_hint(e, "systemd's groups are named slice:prefix:name, as in machine.slice:web:1");
	return -EINVAL;
}

static const char *slice_name(const char *given, size_t len, enum cg_driver driver,
			      struct arena *arena)
{
	if (!len)
		return driver == CG_SYSTEMD_USER ? "user.slice" : "system.slice";
	return len == 1 && *given == '-' ? "-.slice" : arena_strndup(arena, given, len);
}

int sd_unit_parse(const char *path, const char *id, enum cg_driver driver, struct arena *arena,
		  struct sd_unit *ret, struct err *e)
{
	bool given = path && *path;
	const char *prefix, *name, *parent;
	struct sd_unit unit = { 0 };
	int r;

	if (!given) {
		const char *escaped = escape(id, arena);

		path = escaped ? arena_printf(arena, ":ctr:%s", escaped) : NULL;
		if (!path)
			return -ENOMEM;
	}
	prefix = strchr(path, ':');
	name = prefix ? strchr(prefix + 1, ':') : NULL;
	if (!name || strchr(name + 1, ':'))
		return bad_path(path, "expected the form slice:prefix:name", e);
	unit.slice = slice_name(path, (size_t)(prefix - path), driver, arena);
	if (!unit.slice)
		return -ENOMEM;
	r = sd_slice_path(unit.slice, arena, &parent, NULL);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return bad_path(path, "its first part is not the name of a slice", e);
	if (!name[1])
		return bad_path(path, "its name is empty", e);
	if (ends_in(name, slice_suffix))
		return bad_path(path, "it names a slice, and processes live in scopes", e);
	prefix++;
	unit.name = arena_printf(arena, "%.*s%s%s%s", (int)(name - prefix), prefix,
				 name == prefix ? "" : "-", name + 1, scope_suffix);
	if (!unit.name)
		return -ENOMEM;
	if (!is_unit_name(unit.name))
		return bad_path(path, "that is not a name for a unit", e);
	*ret = unit;
	return 0;
}

static void prop(struct text *t, const char *name, const char *sig)
{
	dbus_align(t, 8);
	dbus_add_str(t, name);
	dbus_add_sig(t, sig);
}

void sd_prop_str(struct text *t, const char *name, const char *value)
{
	prop(t, name, "s");
	dbus_add_str(t, value);
}

void sd_prop_bool(struct text *t, const char *name, bool value)
{
	prop(t, name, "b");
	dbus_add_u32(t, value);
}

void sd_prop_pid(struct text *t, const char *name, pid_t pid)
{
	struct dbus_array array;

	prop(t, name, "au");
	array = dbus_array_begin(t, 4);
	dbus_add_u32(t, (uint32_t)pid);
	dbus_array_end(t, array);
}

static void prop_u64(struct text *t, const char *name, uint64_t value)
{
	prop(t, name, "t");
	dbus_add_u64(t, value);
}

/* Limits that are one number to systemd, and "infinity" as UINT64_MAX, as here. */
static const struct {
	const char *name, *file; /* file: as OCI "unified" calls it; NULL: another row has it */
	size_t offset;
	unsigned int since; /* version of systemd */
	uint64_t least;	    /* the least that systemd accepts */
} numbers[] = {
#define AT(field) offsetof(struct cg_resources, field)
	/* clang-format off */
	{ "MemoryMax",      "memory.max",       AT(memory_max_bytes),  0,   1 },
	{ "MemoryHigh",     "memory.high",      AT(memory_high_bytes), 0,   1 },
	{ "MemoryLow",      "memory.low",       AT(memory_low_bytes),  0,   0 },
	{ "MemoryLow",      NULL,               AT(memory_soft_bytes), 0,   0 },
	{ "MemoryMin",      "memory.min",       AT(memory_min_bytes),  0,   0 },
	{ "MemorySwapMax",  "memory.swap.max",  AT(swap_max_bytes),    0,   0 },
	{ "MemoryZSwapMax", "memory.zswap.max", AT(zswap_max_bytes),   253, 0 },
	{ "TasksMax",       "pids.max",         AT(pids_max),          0,   1 },
	{ "CPUWeight",      "cpu.weight",       AT(cpu_weight),        0,   1 },
	{ "IOWeight",       "io.weight",        AT(io_weight),         0,   1 },
/* clang-format on */
#undef AT
};
enum { SINCE_CPU_IDLE = 252, SINCE_QUOTA_PERIOD = 242, SINCE_CPUSETS = 244, SINCE_OOM = 253 };

/* What @unified says of @file; NULL when nothing. */
static const char *unified(const struct cg_resources *res, const char *file)
{
	for (size_t i = 0; i < res->unified.n; i++)
		if (strcmp(res->unified.v[i].key, file) == 0)
			return res->unified.v[i].value;
	return NULL;
}

/* A value that is odd is left to the kernel, which is asked next. */
static bool to_number(const char *text, uint64_t *ret)
{
	char word[32];
	size_t len;

	text += strspn(text, " \t");
	len = strcspn(text, " \t\n");
	if (len >= sizeof(word) || text[len + strspn(text + len, " \t\n")])
		return false;
	memcpy(word, text, len);
	word[len] = '\0';
	if (strcmp(word, "max") == 0) {
		*ret = UINT64_MAX;
		return true;
	}
	return text_bytes(word, ret) == 0;
}

static bool number_of(const struct cg_resources *res, size_t offset, const char *file,
		      uint64_t *ret)
{
	const struct opt_u64 *field =
		(const struct opt_u64 *)(const void *)((const char *)res + offset);
	const char *text = file ? unified(res, file) : NULL;

	/* "unified" is written last, and holds. */
	if (text)
		return to_number(text, ret);
	*ret = field->v;
	return field->set;
}

static bool is_idle(const struct cg_resources *res)
{
	const char *text = unified(res, "cpu.idle");

	return text ? strcmp(text, "1") == 0 : res->cpu_idle.set && res->cpu_idle.v;
}

static void add_numbers(const struct cg_resources *res, unsigned int version, struct text *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		uint64_t v;

		if (version < numbers[i].since ||
		    !number_of(res, numbers[i].offset, numbers[i].file, &v))
			continue;
		if (is_idle(res) && strcmp(numbers[i].name, "CPUWeight") == 0)
			continue;
		prop_u64(t, numbers[i].name, v < numbers[i].least ? numbers[i].least : v);
	}
	/* A weight of 0 is systemd's word for the idle class. */
	if (is_idle(res) && version >= SINCE_CPU_IDLE)
		prop_u64(t, "CPUWeight", 0);
}

/* "QUOTA PERIOD" of cpu.max, or the two fields. */
static void quota_of(const struct cg_resources *res, struct opt_u64 *quota, struct opt_u64 *period)
{
	const char *text = unified(res, "cpu.max");
	char first[24], second[24] = "";

	*quota = res->cpu_quota_us;
	*period = res->cpu_period_us;
	if (!text || sscanf(text, "%23s %23s", first, second) < 1)
		return;
	quota->set = to_number(first, &quota->v);
	period->set = *second && text_u64(second, &period->v) == 0;
}

/*
 * systemd counts in microseconds of CPU time per second, and keeps whole percent of a CPU. Rounded
 * up, so that it never allows less than was asked for.
 */
static void add_quota(const struct cg_resources *res, unsigned int version, struct text *t)
{
	enum { DEFAULT_PERIOD = 100000, USEC_PER_SEC = 1000000, PERCENT = USEC_PER_SEC / 100 };
	struct opt_u64 quota, period;
	uint64_t per_sec = UINT64_MAX;

	quota_of(res, &quota, &period);
	if (!period.set || !period.v)
		period = (struct opt_u64){ DEFAULT_PERIOD, false };
	if (period.set && version >= SINCE_QUOTA_PERIOD)
		prop_u64(t, "CPUQuotaPeriodUSec", period.v);
	if (!quota.set)
		return;
	if (quota.v < UINT64_MAX / USEC_PER_SEC)
		per_sec = (quota.v * USEC_PER_SEC / period.v + PERCENT - 1) / PERCENT * PERCENT;
	prop_u64(t, "CPUQuotaPerSecUSec", per_sec);
}

/* "0-3,8" as bits, the first in the lowest bit of the first byte. Return: bytes, or -EINVAL. */
static ssize_t cpu_bits(const char *list, unsigned char bits[static CPUS_MAX / 8])
{
	ssize_t used = 0;

	memset(bits, 0, CPUS_MAX / 8);
	while (*list) {
		char *end;
		unsigned long from = strtoul(list, &end, 10), to = from;

		if (end == list)
			return -EINVAL;
		if (*end == '-') {
			list = end + 1;
			to = strtoul(list, &end, 10);
			if (end == list)
				return -EINVAL;
		}
		if (to >= CPUS_MAX || from > to)
			return -EINVAL;
		for (unsigned long i = from; i <= to; i++)
			bits[i / 8] |= (unsigned char)(1U << i % 8);
		if ((ssize_t)(to / 8) + 1 > used)
			used = (ssize_t)(to / 8) + 1;
		list = end + strspn(end, " \t\n");
		if (*list && *list++ != ',')
			return -EINVAL;
	}
	return used;
}

static void add_cpuset(const char *list, const char *name, struct text *t)
{
	unsigned char bits[CPUS_MAX / 8];
	ssize_t len = list ? cpu_bits(list, bits) : -EINVAL;
	struct dbus_array array;

	if (len <= 0)
		return; /* nothing, or something that only the kernel understands */
	prop(t, name, "ay");
	array = dbus_array_begin(t, 1);
	text_addn(t, (const char *)bits, (size_t)len);
	dbus_array_end(t, array);
}

static void add_cpusets(const struct cg_resources *res, struct text *t)
{
	const char *cpus = unified(res, "cpuset.cpus"), *mems = unified(res, "cpuset.mems");

	add_cpuset(cpus ? cpus : res->cpuset_cpus, "AllowedCPUs", t);
	add_cpuset(mems ? mems : res->cpuset_mems, "AllowedMemoryNodes", t);
}

int sd_limits(const struct cg_resources *res, unsigned int version, struct text *t)
{
	const char *group = unified(res, "memory.oom.group");

	add_numbers(res, version, t);
	add_quota(res, version, t);
	if (version >= SINCE_CPUSETS)
		add_cpusets(res, t);
	if (version >= SINCE_OOM &&
	    (group ? strcmp(group, "1") == 0 : res->oom_group.set && res->oom_group.v))
		sd_prop_str(t, "OOMPolicy", "kill");
	return text_failed(t) ? -ENOMEM : 0;
}

static bool is_prop_name(const char *s)
{
	for (const char *p = s; *p; p++)
		if (!isalpha((unsigned char)*p))
			return false;
	return strlen(s) >= 3;
}

static int add_annotation(const char *name, const char *value, struct arena *arena, struct text *t,
			  struct err *e)
{
	size_t len = strlen(name);
	struct gvariant v;
	int r;

	if (!is_prop_name(name))
		return err_say(e, -EINVAL, "that is not the name of a property");
	r = gvariant_parse(value, arena, &v, e);
	if (r < 0)
		return r;
	if (len > 4 && ends_in(name, "Sec") && islower((unsigned char)name[len - 4])) {
		name = arena_printf(arena, "%.*sUSec", (int)(len - 3), name);
		if (!name)
			return -ENOMEM;
		r = gvariant_to_usec(&v);
		if (r < 0)
			return err_say(e, -EINVAL, "'%s' is not a number of seconds", value);
	}
	prop(t, name, v.sig);
	gvariant_add(t, &v);
	return 0;
}

int sd_annotations(const struct strmap *annotations, struct arena *arena, struct sd_unit *unit,
		   struct err *e)
{
	static const char prefix[] = "org.systemd.property.";
	own_text struct text t = { 0 };
	char *copy;

	for (size_t i = 0; i < annotations->n; i++) {
		const struct strpair *a = &annotations->v[i];
		int r;

		if (strncmp(a->key, prefix, strlen(prefix)) != 0)
			continue;
		r = add_annotation(a->key + strlen(prefix), a->value, arena, &t, e);
		if (r < 0)
			return err_wrap(e, r, "annotation '%s'", a->key);
	}
	if (text_failed(&t))
		return -ENOMEM;
	if (!t.len)
		return 0;
	copy = arena_alloc(arena, t.len);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, t.data, t.len);
	unit->props = copy;
	unit->props_len = t.len;
	return 0;
}
