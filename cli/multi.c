/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded parallel work on several names. */
#include "cli/multi.h"

#include "base/feat.h"
#include "base/own.h"
#include "cli/cli.h"
#include "cli/out.h"

#include <regex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { PER_CPU = 2 };

/** One name's outcome, in memory shared with the child that works on it. */
struct result {
	pid_t pid;     /* of the child; 0 when it has been reaped */
	bool reported; /* the child got as far as to leave its result */
	int r;
	struct err err;
};

static int run_one(struct cli *cli, const struct multi *m, const char *name, struct err *e)
{
	struct ctr_info info;
	int r = m->fn(cli, name, m->arg, e);

	if (r < 0)
		return r;
	/* Engines want silence, and they have no terminal. Whether it is a partition costs a
	 * look at the disk, so it comes last; a deleted one is gone and was told about anyway. */
	if (!isatty(STDOUT_FILENO))
		return 0;
	if (container_info(&cli->env, name, cli->arena, &info, NULL) < 0 || info.is_partition)
		out_say("%s %s\n", name, r > 0 ? m->nothing : m->done);
	return 0;
}

static int spawn(struct cli *cli, const struct multi *m, const char *name, struct result *result)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		result->r = m->fn(cli, name, m->arg, &result->err);
		result->reported = true;
		_exit(0); /* the parent owns stdio and what it has buffered */
	}
	result->pid = pid;
	return 0;
}

/* Wait for one child of ours. Return: false when there is none left. */
static bool reap(struct result *results, size_t count)
{
	for (;;) {
		int status;
		pid_t pid = (pid_t)TEMP_FAILURE_RETRY(waitpid(-1, &status, 0));

		if (pid < 0)
			return false;
		for (size_t i = 0; i < count; i++) {
			struct result *one = &results[i];

			if (one->pid != pid)
				continue;
			one->pid = 0;
			if (!one->reported)
				one->r = err_say(&one->err, -ECHILD, "the worker died of signal %d",
						 WIFSIGNALED(status) ? WTERMSIG(status) : 0);
			return true;
		}
	}
}

static int report(struct cli *cli, const struct multi *m, const struct strv *names,
		  struct result *results)
{
	size_t done = 0, failed = 0;

	for (size_t i = 0; i < names->n; i++) {
		struct result *one = &results[i];

		if (!one->reported && one->r == 0)
			one->r = err_say(&one->err, -ECHILD, "no result came back");
		if (one->r >= 0) {
			done++;
			continue;
		}
		failed++;
		/* Most messages name the container already; once is enough. */
		if (!strstr(one->err.msg, names->v[i]))
			(void)err_wrap(&one->err, one->r, "%s", names->v[i]);
		cli_error(cli, &one->err);
	}
	if (failed)
		out_say("%zu %s, %zu failed\n", done, m->done, failed);
	else
		out_say("%zu %s\n", done, m->done);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int multi_run(struct cli *cli, const struct multi *m, const struct strv *names, struct err *e)
{
	size_t limit = (size_t)feat_cpus() * PER_CPU, running = 0, started = 0, finished = 0;
	size_t size = names->n * sizeof(struct result);
	struct result *results;
	int status;

	if (names->n == 0)
		return 0;
	if (names->n == 1)
		return run_one(cli, m, names->v[0], e);
	if (limit < PER_CPU)
		limit = PER_CPU;
	results = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (results == MAP_FAILED)
		return err_set(e, -errno, "allocate memory");
	(void)fflush(stdout); /* nothing may be buffered twice */
	while (finished < names->n) {
		if (started < names->n && running < limit) {
			struct result *one = &results[started];
			int r = spawn(cli, m, names->v[started++], one);

			if (r == 0) {
				running++;
				continue;
			}
			one->r = err_set(&one->err, r, "fork");
			finished++;
			continue;
		}
		if (!reap(results, names->n))
			break;
		running--;
		finished++;
		out_progress("%zu/%zu %s", finished, names->n, m->done);
	}
	out_progress_end();
	status = report(cli, m, names, results);
	(void)munmap(results, size); /* our own mapping */
	return status;
}

int multi_names(struct cli *cli, const struct args *args, bool all,
		bool (*pick)(struct cli *cli, const struct ctr_info *info), struct strv *ret,
		struct err *e)
{
	struct ctr_info *infos;
	size_t count;
	int r;

	*ret = (struct strv){ 0 };
	if (all && args->n)
		return cli_usage(cli, e, "give names or --all, not both");
	if (!all && !args->n)
		return cli_usage(cli, e, "give a name, or --all");
	if (!all) {
		*ret = (struct strv){ args->v, args->n };
		return 0;
	}
	r = container_list(&cli->env, cli->arena, &infos, &count, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		char **name;

		/* What an engine made is the engine's to stop. */
		if (!infos[i].is_partition || infos[i].problem || (pick && !pick(cli, &infos[i])))
			continue;
		name = arena_grow(cli->arena, &ret->v, &ret->n, sizeof(*name));
		if (name)
			*name = arena_strdup(cli->arena, infos[i].id);
		if (!name || !*name)
			return cli_oom(e);
	}
	return 0;
}

static int match_all(struct cli *cli, const char *pattern, const struct ctr_info *infos,
		     size_t count, struct strv *ret, struct err *e)
{
	char why[128];
	regex_t regex;
	int r = regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB);

	if (r != 0) {
		(void)regerror(r, &regex, why, sizeof(why));
		return cli_usage(cli, e, "'%s' is not a regular expression: %s", pattern, why);
	}
	for (size_t i = 0; r == 0 && i < count; i++) {
		char **name;

		if (regexec(&regex, infos[i].id, 0, NULL, 0) != 0)
			continue;
		name = arena_grow(cli->arena, &ret->v, &ret->n, sizeof(*name));
		if (name)
			*name = arena_strdup(cli->arena, infos[i].id);
		if (!name || !*name)
			r = cli_oom(e);
	}
	regfree(&regex);
	return r;
}

int multi_matching(struct cli *cli, const struct args *patterns, struct strv *ret, struct err *e)
{
	struct ctr_info *infos;
	size_t count;
	int r = container_list(&cli->env, cli->arena, &infos, &count, e);

	*ret = (struct strv){ 0 };
	for (size_t i = 0; r == 0 && i < patterns->n; i++)
		r = match_all(cli, patterns->v[i], infos, count, ret, e);
	return r;
}
