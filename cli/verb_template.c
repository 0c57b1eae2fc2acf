/* SPDX-License-Identifier: Apache-2.0 */
/* template import, build, list, show, remove. */
#include "base/own.h"
#include "cli/cli.h"
#include "cli/multi.h"
#include "cli/out.h"
#include "cli/verbs.h"
#include "runtime/storage/store.h"

#include <stdio.h>

struct build {
	struct template_opts template;
};

#define AT(field) offsetof(struct build, template.field)
#define REPLACE_OPTION                                                          \
	{                                                                       \
		"replace", 0, OPT_SWITCH, 0, NULL, AT(replace), NULL,           \
			"in place of a template of that name that nothing uses" \
	}

/* clang-format off */
static const struct opt import_options[] = {
	REPLACE_OPTION,
	{ 0 },
};

static const struct opt build_options[] = {
	{ "suite", 0, OPT_STR, 0, "SUITE", AT(suite), NULL,
	  "Debian suite such as bookworm, or busybox (default: the template's name)" },
	{ "mirror", 0, OPT_STR, 0, "URL", AT(mirror), NULL, "fetch packages from here" },
	{ "include", 0, OPT_STRV, 0, "PACKAGE", AT(include), NULL,
	  "install this package too; may be repeated" },
	REPLACE_OPTION,
	{ 0 },
};
/* clang-format on */

static void show_progress(void *arg, const char *what)
{
	out_progress("%s: %s", (const char *)arg, what);
}

static int run_make(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	struct template_opts t = ((const struct build *)opts)->template;
	own_fd int store = store_open(cli->env.store, e);
	int r;

	if (store < 0)
		return store;
	t.progress = show_progress;
	t.progress_arg = args->v[0];
	if (cli->verb == &verb_template_import) {
		r = template_import(store, args->v[0], args->v[1], &t, e);
	} else {
		if (!t.suite)
			t.suite = args->v[0];
		r = template_build(store, args->v[0], &t, e);
	}
	out_progress_end();
	if (r == 0)
		out_say("template %s is ready\n", args->v[0]);
	return r < 0 ? r : 0;
}

/* clang-format off */
static const struct out_col columns[] = {
	{ .title = "NAME", .key = "name" },
	{ .title = "SIZE", .key = "sizeBytes", .kind = OUT_BYTES },
	{ .title = "PARTITIONS", .key = "partitions", .kind = OUT_NUMBER },
	{ .title = "CREATED", .key = "created", .kind = OUT_TIME },
	{ .title = "SOURCE", .key = "source" },
	{ .title = "PROBLEM", .key = "problem", .optional = true },
};
/* clang-format on */

static void add_template(struct out *o, const struct template_info *t)
{
	out_row(o);
	out_str(o, "name", t->name);
	out_str(o, "source", t->source);
	out_time(o, "created", t->created_ms);
	out_u64(o, "sizeBytes", t->problem ? UINT64_MAX : t->size_bytes);
	out_u64(o, "partitions", t->partition_count);
	out_strv(o, "init", &t->init);
	out_str(o, "problem", t->problem);
}

struct list {
	bool quiet;
};

/* clang-format off */
static const struct opt list_options[] = {
	{ "quiet", 'q', OPT_SWITCH, 0, NULL, offsetof(struct list, quiet), NULL, "names only" },
	{ "format", 'f', OPT_CHOICE, OPT_GLOBAL, "table|json", offsetof(struct globals, format),
	  NULL, "table for people, or JSON" },
	{ 0 },
};
/* clang-format on */

static int run_list(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	own_fd int store = store_open(cli->env.store, e);
	own_out struct out o = OUT(columns);
	struct template_info *infos;
	size_t count;
	int r;

	(void)args;
	if (store < 0)
		return store;
	r = template_list(store, cli->arena, &infos, &count, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		if (((const struct list *)opts)->quiet)
			(void)puts(infos[i].name);
		else
			add_template(&o, &infos[i]);
	}
	return ((const struct list *)opts)->quiet ? 0 : out_print(&o, cli->json, e);
}

static int run_show(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	own_fd int store = store_open(cli->env.store, e);
	own_out struct out o = OUT(columns);
	struct template_info info;
	int r;

	(void)opts;
	if (store < 0)
		return store;
	r = template_info(store, args->v[0], cli->arena, &info, e);
	if (r < 0)
		return r;
	add_template(&o, &info);
	if (o.failed)
		return cli_oom(e);
	return cli->json ? out_print_json(json_incref(o.row), e) : out_print(&o, false, e);
}

static int remove_one(struct cli *cli, const char *name, const void *arg, struct err *e)
{
	own_fd int store = store_open(cli->env.store, e);

	(void)arg;
	return store < 0 ? store : template_remove(store, name, e);
}

static int run_remove(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	const struct multi m = { .fn = remove_one, .done = "removed" };
	const struct strv names = { args->v, args->n };

	(void)opts;
	return multi_run(cli, &m, &names, e);
}

const struct verb verb_template_import = {
	.name = "template import",
	.args = "NAME SOURCE",
	.summary = "make a template of a directory or archive",
	.help = "Makes template NAME of the root file system in SOURCE: a directory, or an archive "
		"that tar(1) can read. Its partitions share its files and pages.",
	.group = GROUP_STORE,
	.flags = VERB_ROOT,
	.min_args = 2,
	.max_args = 2,
	.opts = import_options,
	.opts_size = sizeof(struct build),
	.fn = run_make,
};

const struct verb verb_template_build = {
	.name = "template build",
	.args = "NAME",
	.summary = "build a template of a distribution",
	.help = "Builds template NAME: 'busybox' from the static busybox of this host, without a "
		"network; or a Debian suite with a bootable systemd, by mmdebstrap(1).",
	.group = GROUP_STORE,
	.flags = VERB_ROOT,
	.min_args = 1,
	.max_args = 1,
	.opts = build_options,
	.opts_size = sizeof(struct build),
	.fn = run_make,
};

const struct verb verb_template_list = {
	.name = "template list",
	.alias = "template ls",
	.args = "",
	.summary = "list the templates",
	.help = "Lists the templates with their size and the number of partitions that use them.",
	.group = GROUP_STORE,
	.flags = VERB_ROOT,
	.opts = list_options,
	.opts_size = sizeof(struct list),
	.fn = run_list,
};

const struct verb verb_template_show = {
	.name = "template show",
	.args = "TEMPLATE",
	.summary = "describe one template",
	.help = "Describes one template; --format json has its default init too.",
	.group = GROUP_STORE,
	.flags = VERB_ROOT,
	.min_args = 1,
	.max_args = 1,
	.fn = run_show,
};

const struct verb verb_template_remove = {
	.name = "template remove",
	.alias = "template rm",
	.args = "TEMPLATE...",
	.summary = "remove templates that nothing uses",
	.help = "Removes templates. One that partitions use is refused.",
	.group = GROUP_STORE,
	.flags = VERB_ROOT,
	.min_args = 1,
	.max_args = ARGS_MANY,
	.fn = run_remove,
};
