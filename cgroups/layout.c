/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which hierarchy holds which controller, read from /proc/self/mountinfo.
 *
 * DOC: a controller is either in cgroup2 or in one v1 hierarchy, never in both, so "where" has one
 * answer, but that devices and freezer are used in cgroup2 alone. Our groups are in every hierarchy
 * all the same: a container that may make groups of its own finds all of them to be so. Named v1
 * hierarchies but for systemd's are passed over. A hierarchy may be mounted many times (containers
 * bind it); the first mount that shows its root wins, which is the host's own.
 * proc_pid_mountinfo(5) describes the fields and the octal escapes.
 */
#include "cgroups/cg_internal.h"

#include "base/own.h"

#include <fcntl.h>
#include <string.h>

static const struct {
	const char *v2, *v1;
} controller_names[] = {
	/* clang-format off */
	[CG_CPU]      = { "cpu",     "cpu" },
	[CG_CPUACCT]  = { NULL,      "cpuacct" },
	[CG_CPUSET]   = { "cpuset",  "cpuset" },
	[CG_MEMORY]   = { "memory",  "memory" },
	[CG_IO]       = { "io",      "blkio" },
	[CG_PIDS]     = { "pids",    "pids" },
	[CG_HUGETLB]  = { "hugetlb", "hugetlb" },
	[CG_RDMA]     = { "rdma",    "rdma" },
	[CG_NET_CLS]  = { NULL,      "net_cls" },
	[CG_NET_PRIO] = { NULL,      "net_prio" },
	[CG_DEVICES]  = { NULL,      "devices" },
	[CG_FREEZER]  = { NULL,      "freezer" },
	[CG_PERF]     = { NULL,      "perf_event" },
	[CG_NAMED]    = { NULL,      "name=systemd" },
	[CG_CORE]     = { "cgroup",  NULL },
	/* clang-format on */
};
_Static_assert(ARRAY_SIZE(controller_names) == CG_CONTROLLERS, "a row per controller");

const char *cg_controller_name(enum cg_controller controller)
{
	return controller_names[controller].v2 ? controller_names[controller].v2
					       : controller_names[controller].v1;
}

/* The next item of a list with one-character separators; false at its end. */
static bool next_item(const char **list, char separator, const char **ret, size_t *ret_len)
{
	const char *start = *list, *end;

	while (*start == separator)
		start++;
	if (!*start)
		return false;
	end = strchrnul(start, separator);
	*ret = start;
	*ret_len = (size_t)(end - start);
	*list = end;
	return true;
}

static bool item_is(const char *item, size_t len, const char *name)
{
	return name && strlen(name) == len && strncmp(item, name, len) == 0;
}

int cg_v1_controller(const struct cg_layout *layout, const char *name, size_t len)
{
	for (size_t i = 1; i < layout->count; i++)
		for (int c = 0; c < CG_CONTROLLERS; c++)
			if ((layout->hiers[i].controllers & (1U << c)) &&
			    item_is(name, len, controller_names[c].v1))
				return c;
	return -ENOENT;
}

bool layout_lists(const char *list, const char *name)
{
	const char *item;
	size_t len;

	while (next_item(&list, ' ', &item, &len))
		if (item_is(item, len, name))
			return true;
	return false;
}

enum cg_controller layout_controller(const char *file)
{
	size_t len = strcspn(file, ".");

	for (unsigned int i = 0; i < CG_CONTROLLERS; i++)
		if (item_is(file, len, controller_names[i].v2))
			return i;
	return CG_CONTROLLERS;
}

static unsigned int v1_controllers(const char *options)
{
	unsigned int found = 0;
	const char *item;
	size_t len;

	while (next_item(&options, ',', &item, &len))
		for (unsigned int i = 0; i < CG_CONTROLLERS; i++)
			if (item_is(item, len, controller_names[i].v1))
				found |= 1U << i;
	return found;
}

/* "\040" to " ", in place: the kernel escapes space, tab, newline, backslash and '#' so. */
static void unescape(char *s)
{
	char *out = s;

	while (*s) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
		    s[3] >= '0' && s[3] <= '7') {
			*out++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
			s += 4;
		} else {
			*out++ = *s++;
		}
	}
	*out = '\0';
}

/** One line of mountinfo, as far as it matters here. The strings point into the line. */
struct mount_line {
	char *root, *point, *type, *options;
};

static bool parse_line(char *line, struct mount_line *ret)
{
	char *fields[6], *save = NULL, *tail = strstr(line, " - "), *source;

	if (!tail)
		return false;
	*tail = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		fields[i] = strtok_r(i ? NULL : line, " ", &save);
		if (!fields[i])
			return false;
	}
	ret->root = fields[3];
	ret->point = fields[4];
	ret->type = strtok_r(tail + 3, " ", &save);
	source = strtok_r(NULL, " ", &save);
	ret->options = source ? strtok_r(NULL, " ", &save) : NULL;
	if (!ret->options) /* an empty source leaves two fields */
		ret->options = source;
	unescape(ret->point);
	return ret->options != NULL;
}

/*
 * Is a mount with @root better than one that was found before? The whole hierarchy ("/") beats a
 * bound sub-tree, and that beats what lies outside of our cgroup namespace ("/..").
 */
static int rank_of(const char *root)
{
	if (strcmp(root, "/") == 0)
		return 2;
	return strncmp(root, "/..", 3) == 0 ? 0 : 1;
}

static struct cg_hier *slot_for(struct cg_layout *layout, unsigned int controllers, bool v2)
{
	if (v2)
		return &layout->hiers[0];
	for (size_t i = 1; i < layout->count; i++)
		if (layout->hiers[i].controllers == controllers)
			return &layout->hiers[i];
	return layout->count < CG_HIERS_MAX ? &layout->hiers[layout->count++] : NULL;
}

static int add_mount(struct cg_layout *layout, int *ranks, const struct mount_line *m,
		     struct arena *arena)
{
	bool v2 = strcmp(m->type, "cgroup2") == 0;
	unsigned int controllers = v2 ? CORE_CONTROLLERS : v1_controllers(m->options);
	struct cg_hier *hier;
	int *rank;

	if (!controllers)
		return 0;
	hier = slot_for(layout, controllers, v2);
	if (!hier)
		return 0; /* the kernel cannot hold a controller in two hierarchies */
	rank = &ranks[hier - layout->hiers];
	/* The same point again lies on top of what was there before. */
	if (hier->mount && rank_of(m->root) <= *rank && strcmp(hier->mount, m->point) != 0)
		return 0;
	*rank = rank_of(m->root);
	hier->v2 = v2;
	hier->controllers = controllers;
	hier->mount = arena_strdup(arena, m->point);
	hier->where = v2 ? "cgroup v2" : arena_printf(arena, "cgroup v1 at %s", m->point);
	return hier->mount && hier->where ? 0 : -ENOMEM;
}

int layout_parse(const char *mountinfo, struct arena *arena, struct cg_layout *ret, struct err *e)
{
	struct cg_layout layout = { .count = 1 };
	int ranks[CG_HIERS_MAX] = { 0 };
	const char *line;
	size_t len;

	while (next_item(&mountinfo, '\n', &line, &len)) {
		own_free char *copy = NULL;
		struct mount_line m;
		int r;

		if (!memmem(line, len, " - cgroup", strlen(" - cgroup")))
			continue; /* spares the copy for nearly all lines */
		copy = strndup(line, len);
		if (!copy)
			return err_set(e, -ENOMEM, "read /proc/self/mountinfo");
		if (!parse_line(copy, &m) ||
		    (strcmp(m.type, "cgroup") != 0 && strcmp(m.type, "cgroup2") != 0))
			continue;
		r = add_mount(&layout, ranks, &m, arena);
		if (r < 0)
			return err_set(e, r, "read /proc/self/mountinfo");
	}
	if (!layout.hiers[0].mount) {
		err_say(e, -ENOTSUP, "no cgroup2 file system is mounted");
		err_hint(e, "mount one: mkdir -p /sys/fs/cgroup/unified && "
			    "mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified");
		return -ENOTSUP;
	}
	*ret = layout;
	return 0;
}

const struct name cg_driver_names[] = {
	{ "cgroupfs", CG_CGROUPFS },
	{ "systemd", CG_SYSTEMD },
	{ "systemd-user", CG_SYSTEMD_USER },
	{ "disabled", CG_DISABLED },
	{ NULL, 0 },
};

void layout_set_v2(struct cg_layout *layout, const char *controllers)
{
	for (unsigned int i = 0; i < CG_CONTROLLERS; i++)
		if (controller_names[i].v2 && layout_lists(controllers, controller_names[i].v2))
			layout->hiers[0].controllers |= 1U << i;
}

int cg_layout_open(struct arena *arena, const struct cg_layout **ret, struct err *e)
{
	struct cg_layout *layout = arena_alloc(arena, sizeof(*layout));
	own_text struct text text = { 0 };
	own_fd int mount = -EBADF;
	int r;

	if (!layout)
		return err_set(e, -ENOMEM, "find the cgroup hierarchies");
	r = tree_load(AT_FDCWD, "/proc/self/mountinfo", &text);
	if (r < 0)
		return err_set(e, r, "read /proc/self/mountinfo");
	r = layout_parse(text_str(&text), arena, layout, e);
	if (r < 0)
		return r;
	mount = tree_open_mount(&layout->hiers[0]);
	if (mount < 0)
		return err_set(e, mount, "open '%s'", cg_mount(layout));
	text.len = 0;
	r = tree_load(mount, "cgroup.controllers", &text);
	if (r < 0)
		return err_set(e, r, "read '%s/cgroup.controllers'", cg_mount(layout));
	text.data[strcspn(text.data, "\n")] = '\0';
	layout_set_v2(layout, text.data);
	*ret = layout;
	return 0;
}

const struct cg_hier *layout_v1(const struct cg_layout *layout, enum cg_controller controller)
{
	for (size_t i = 1; i < layout->count; i++)
		if (layout->hiers[i].controllers & 1U << controller)
			return &layout->hiers[i];
	return NULL;
}

const struct cg_hier *layout_hier(const struct cg_layout *layout, enum cg_controller controller)
{
	unsigned int bit = 1U << controller;
	const struct cg_hier *v1;

	/* The BPF program and cgroup.freeze of v2 serve even where v1 has these controllers too. */
	if (bit & CORE_CONTROLLERS)
		return &layout->hiers[0];
	v1 = layout_v1(layout, controller);
	if (v1)
		return v1;
	/* cpu.stat of v2 accounts CPU time with or without the cpu controller. */
	if ((layout->hiers[0].controllers & bit) || controller == CG_CPUACCT)
		return &layout->hiers[0];
	return NULL;
}

bool cg_has(const struct cg_layout *layout, enum cg_controller controller)
{
	return layout_hier(layout, controller) != NULL;
}

bool cg_is_v2(const struct cg_layout *layout, enum cg_controller controller)
{
	const struct cg_hier *hier = layout_hier(layout, controller);

	return hier && hier->v2;
}

const char *cg_mount(const struct cg_layout *layout)
{
	return layout->hiers[0].mount;
}

const char *cg_where(const struct cg_layout *layout, enum cg_controller controller)
{
	const struct cg_hier *hier = layout_hier(layout, controller);

	return hier ? hier->where : NULL;
}
