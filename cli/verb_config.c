/* SPDX-License-Identifier: Apache-2.0 */
/* validate, plan, schema: everything about configs that touches no kernel. */
#include "base/json.h"
#include "base/own.h"
#include "cli/cli.h"
#include "cli/out.h"
#include "cli/verbs.h"
#include "runtime/config/config.h"
#include "runtime/spec/spec.h"

#include <fcntl.h>
#include <stdio.h>

enum { CONFIG_MAX_BYTES = 4 << 20 };

/* An OCI config.json says what it is by "ociVersion"; all else is a partition's config. */
static int check_oci(json_t *doc, struct js_issues *issues)
{
	struct err e = { 0 };
	struct spec spec = { 0 };
	int r = spec_decode(doc, "config", issues->arena, &spec, &e);

	if (r == 0)
		r = spec_check(&spec, &e);
	if (r < 0)
		js_issue_at(issues, "", "%s", e.msg);
	return r;
}

static int check_file(const char *file, struct js_issues *issues)
{
	own_json json_t *doc = NULL;
	struct config config = { 0 };
	struct err e = { 0 };
	int r = js_read_file(AT_FDCWD, file, CONFIG_MAX_BYTES, "config", &doc, &e);

	if (r < 0) {
		js_issue_at(issues, "", "%s", e.msg);
		return r;
	}
	if (json_object_get(doc, "ociVersion"))
		return check_oci(doc, issues);
	return config_decode(doc, issues, &config);
}

static void print_issues(const char *file, const struct js_issues *issues)
{
	for (size_t i = 0; i < issues->n; i++) {
		const struct js_issue *one = &issues->v[i];

		(void)fprintf(stderr, "%s: %s%s%s\n", file, one->path, *one->path ? ": " : "",
			      one->text);
	}
}

static json_t *issues_json(const struct js_issues *issues)
{
	own_json json_t *list = json_array();

	for (size_t i = 0; i < issues->n; i++)
		if (json_array_append_new(list, json_pack("{s:s, s:s}", "path", issues->v[i].path,
							  "text", issues->v[i].text)) < 0)
			return NULL;
	return take_ptr(list);
}

static int run_validate(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	own_json json_t *report = json_array();
	int status = EXIT_SUCCESS;

	(void)opts;
	for (size_t i = 0; i < args->n; i++) {
		struct js_issues issues = { .arena = cli->arena };
		int r = check_file(args->v[i], &issues);

		if (r == -ENOMEM || issues.out_of_memory)
			return cli_oom(e);
		if (r < 0)
			status = EXIT_FAILURE;
		if (cli->json) {
			json_t *list = issues_json(&issues);

			if (json_array_append_new(report,
						  json_pack("{s:s, s:b, s:o}", "file", args->v[i],
							    "valid", r == 0, "issues", list)) < 0)
				return cli_oom(e);
			continue;
		}
		print_issues(args->v[i], &issues);
		if (r == 0)
			(void)printf("%s: valid\n", args->v[i]);
	}
	if (cli->json) {
		int r = out_print_json(take_ptr(report), e);

		return r < 0 ? r : status;
	}
	return status;
}

struct plan {
	const char *bundle;
};

/* clang-format off */
static const struct opt plan_options[] = {
	{ "bundle", 'b', OPT_STR, 0, "DIR", offsetof(struct plan, bundle), NULL,
	  "the plan of an OCI bundle" },
	{ 0 },
};
/* clang-format on */

static int run_plan(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	const char *bundle = ((const struct plan *)opts)->bundle;
	json_t *doc = NULL;
	int r;

	if (!bundle == !args->n)
		return cli_usage(cli, e, "give a name, a config file or --bundle");
	if (bundle)
		r = container_plan(&cli->env, bundle, &doc, e);
	else
		r = partition_plan(&cli->env, args->v[0], &doc, e);
	return r < 0 ? r : out_print_json(doc, e);
}

static int run_schema(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	(void)cli;
	(void)opts;
	(void)args;
	return out_print_json(config_schema(), e);
}

const struct verb verb_validate = {
	.name = "validate",
	.args = "FILE...",
	.summary = "check config files and list every mistake",
	.help = "Checks partition configs, or OCI config.json files. Every mistake is a line FILE: "
		"PATH: TEXT on standard error, and the exit status is 1 if there are any. Nothing "
		"on this machine is looked at or changed.",
	.group = GROUP_CONFIG,
	.min_args = 1,
	.max_args = ARGS_MANY,
	.fn = run_validate,
};

const struct verb verb_plan = {
	.name = "plan",
	.args = "[NAME|FILE]",
	.summary = "print what a start would do",
	.help = "Prints, as JSON, every step and value that a start of the partition, of a config "
		"file or of a bundle would apply on this machine. Nothing is changed.",
	.group = GROUP_CONFIG,
	.max_args = 1,
	.opts = plan_options,
	.opts_size = sizeof(struct plan),
	.fn = run_plan,
};

const struct verb verb_schema = {
	.name = "schema",
	.args = "",
	.summary = "print the JSON Schema of the config",
	.help = "Prints the JSON Schema (draft 2020-12) of the partition config: every key with "
		"its "
		"type, range, default and meaning.",
	.group = GROUP_CONFIG,
	.fn = run_schema,
};
