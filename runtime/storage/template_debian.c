/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Debian template by mmdebstrap(1), from the mirror that the host's apt uses, made ready to boot
 * in a partition by the few edits below.
 */
#include "runtime/storage/store_internal.h"

#include "base/file.h"
#include "base/path.h"
#include "base/text.h"
#include "runtime/storage/tool_internal.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/stat.h>

/* What a server is expected to have beside the essential packages. */
static const char packages[] = "systemd,systemd-sysv,dbus,iproute2,iputils-ping,netbase,procps,"
			       "less,ca-certificates";

/* clang-format off */
static const struct {
	const char *path;
	const char *text; /* NULL: remove it */
	const char *link; /* a symlink to this instead */
} edits[] = {
	/* Empty: each partition makes its own id at its first boot (machine-id(5)). */
	{ "etc/machine-id", "", NULL },
	{ "var/lib/dbus/machine-id", NULL, NULL },
	/* mmdebstrap leaves copies of the host's own. */
	{ "etc/hostname", "localhost\n", NULL },
	{ "etc/resolv.conf", "", NULL },
	{ "etc/hosts",
	  "127.0.0.1\tlocalhost\n"
	  "::1\tlocalhost ip6-localhost ip6-loopback\n", NULL },
	{ "etc/fstab", "# The runtime mounts everything.\n", NULL },
	/* Both file systems refuse to be mounted in a user namespace, and nothing in these units
	 * asks about that: they would fail at each boot. */
	{ "etc/systemd/system/dev-hugepages.mount", NULL, "/dev/null" },
	{ "etc/systemd/system/sys-fs-fuse-connections.mount", NULL, "/dev/null" },
};
/* clang-format on */

/* The text is a root's, not ours: its directories are walked beneath it. */
static int edit(int root, size_t i, struct err *e)
{
	const char *path = edits[i].path, *name = strrchr(path, '/') + 1;
	char dir[PATH_MAX];
	own_fd int parent = -EBADF;
	int r = 0;

	(void)snprintf(dir, sizeof(dir), "%.*s", (int)(name - 1 - path), path);
	parent = edits[i].text || edits[i].link ? path_mkdirs(root, dir, 0755)
						: path_open(root, dir, O_PATH | O_DIRECTORY, 0);
	if (parent == -ENOENT)
		return 0; /* nothing to remove */
	if (parent < 0)
		return err_set(e, parent, "open '%s' in the template", dir);
	if (unlinkat(parent, name, 0) < 0 && errno != ENOENT)
		r = -errno;
	else if (edits[i].link)
		r = symlinkat(edits[i].link, parent, name) < 0 ? -errno : 0;
	else if (edits[i].text)
		r = file_replace(parent, name, edits[i].text, strlen(edits[i].text), 0644,
				 FILE_NOSYNC);
	return r < 0 ? err_set(e, r, "edit '%s' in the template", path) : 0;
}

struct progress {
	const struct template_opts *opts;
	char last[256], last_error[256];
};

static void on_line(void *arg, const char *line)
{
	struct progress *p = arg;

	/* "I: text" informs, "W: " warns, "E: " fails: apt's and mmdebstrap's common habit. */
	(void)snprintf(p->last, sizeof(p->last), "%s", line);
	if (strncmp(line, "E: ", 3) == 0 && strncmp(line, "E: mmdebstrap failed", 20) != 0 &&
	    !p->last_error[0])
		(void)snprintf(p->last_error, sizeof(p->last_error), "%s", line + 3);
	if (strstr(line, "unsandboxed"))
		return; /* apt on its user _apt, whom the store does not let in: as it should be */
	template_say(p->opts, "%s", strncmp(line, "I: ", 3) == 0 ? line + 3 : line);
}

/* "Acquire::http::Proxy=URL", as asked of apt-config below, becomes "http_proxy=URL". */
static void on_proxy(void *arg, const char *line)
{
	/* clang-format off */
	static const struct {
		const char *key, *variable;
	} kinds[] = {
		{ "Acquire::http::Proxy=",  "http_proxy=" },
		{ "Acquire::https::Proxy=", "https_proxy=" },
	};
	/* clang-format on */
	char **env = arg;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t len = strlen(kinds[i].key);

		if (strncmp(line, kinds[i].key, len) == 0 && line[len] && !env[i] &&
		    asprintf(&env[i], "%s%s", kinds[i].variable, line + len) < 0)
			env[i] = NULL; /* without a proxy the download says what is missing */
	}
}

enum { PROXY_COUNT = 2 };

/* mmdebstrap reads none of the host's apt.conf, but apt honours these variables. Ours win. */
static void find_proxies(char *env[PROXY_COUNT + 1], int lock)
{
	static const char *const names[PROXY_COUNT] = { "http_proxy", "https_proxy" };
	const char *const argv[] = { "apt-config", "dump", "--format", "%f=%v%n", NULL };
	const struct tool dump = { .argv = argv,
				   .input = -EBADF,
				   .lock = lock,
				   .lines_of_output = true,
				   .line = on_proxy,
				   .arg = env };

	for (size_t i = 0; i < PROXY_COUNT; i++) {
		const char *ours = getenv(names[i]);

		if (ours && asprintf(&env[i], "%s=%s", names[i], ours) < 0)
			env[i] = NULL;
	}
	(void)tool_run(&dump, NULL); /* no apt, no proxies */
}

static bool is_made_of(const char *s, const char *allowed)
{
	return s[0] && s[0] != '-' && s[strspn(s, allowed)] == '\0';
}

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

static int check_input(const struct template_job *job, struct err *e)
{
	const struct template_opts *opts = job->opts;

	if (!is_made_of(job->from, LOWER DIGITS "-."))
		return err_say(e, -EINVAL, "'%s' is not 'busybox' or the name of a Debian suite",
			       job->from);
	if (opts && opts->mirror &&
	    (!strstr(opts->mirror, "://") || strpbrk(opts->mirror, " \t\n\"[]")))
		return err_say(e, -EINVAL, "mirror '%s' is not a URL", opts->mirror);
	for (size_t i = 0; opts && i < opts->include.n; i++)
		if (!is_made_of(opts->include.v[i], LOWER DIGITS "+-.:"))
			return err_say(e, -EINVAL, "'%s' is not a package name",
				       opts->include.v[i]);
	return 0;
}

static int failed(const struct template_job *job, const struct progress *p, int status,
		  struct err *e)
{
	int r = err_say(e, -EIO, "mmdebstrap of '%s' failed with status %d: %s", job->from, status,
			p->last_error[0] ? p->last_error : p->last);

	err_hint(e, "is '%s' a Debian suite, and can this host reach its mirror?", job->from);
	return r;
}

/*
 * The tree grows on the job's directory, which mmdebstrap wants as a path: the store is ours
 * alone, so the one that the kernel tells for the descriptor is as good.
 */
static int run_mmdebstrap(struct template_job *job, struct progress *progress, struct err *e)
{
	own_arena struct arena arena = { 0 };
	own_text struct text include = { 0 };
	char *env[PROXY_COUNT + 1] = { NULL };
	const char *packed[PROXY_COUNT + 1] = { NULL };
	const char *argv[32] = { "mmdebstrap", "--mode=root", "--variant=minbase",
				 "--format=directory", "--skip=output/dev" };
	const struct template_opts *opts = job->opts;
	struct tool tool = { .argv = argv,
			     .env = packed,
			     .input = -EBADF,
			     .lock = job->lock,
			     .line = on_line,
			     .arg = progress };
	struct strv mirrors = { 0 };
	char target[PATH_MAX];
	size_t n = 5, used = 0;
	int r;

	text_addf(&include, "--include=%s", packages);
	for (size_t i = 0; opts && i < opts->include.n; i++)
		text_addf(&include, ",%s", opts->include.v[i]);
	if (text_failed(&include))
		return err_set(e, -ENOMEM, "build '%s'", job->from);
	if (!(opts && opts->mirror)) {
		r = apt_mirrors("/etc/apt", job->from, &arena, &mirrors);
		if (r < 0)
			return err_set(e, r, "read the host's apt sources");
	}
	argv[n++] = text_str(&include);
	argv[n++] = "--";
	argv[n++] = job->from;
	argv[n++] = store_path(job->root, target, sizeof(target));
	if (opts && opts->mirror)
		argv[n++] = opts->mirror;
	for (size_t i = 0; i < mirrors.n && n + 1 < ARRAY_SIZE(argv); i++)
		argv[n++] = mirrors.v[i];
	find_proxies(env, job->lock);
	for (size_t i = 0; i < PROXY_COUNT; i++)
		if (env[i])
			packed[used++] = env[i];
	r = tool_run(&tool, e);
	for (size_t i = 0; i < PROXY_COUNT; i++)
		free(env[i]);
	return r;
}

int template_fill_debian(struct template_job *job, struct err *e)
{
	struct progress progress = { .opts = job->opts };
	int r = check_input(job, e);

	if (r < 0)
		return r;
	(void)snprintf(job->source, sizeof(job->source), "debian %s", job->from);
	r = run_mmdebstrap(job, &progress, e);
	if (r == -ENOENT)
		err_hint(e, "apt-get install mmdebstrap");
	if (r != 0)
		return r < 0 ? r : failed(job, &progress, r, e);
	for (size_t i = 0; i < ARRAY_SIZE(edits); i++) {
		r = edit(job->root, i, e);
		if (r < 0)
			return r;
	}
	return 0;
}
