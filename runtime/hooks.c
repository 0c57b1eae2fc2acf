/* SPDX-License-Identifier: Apache-2.0 */
/* Running hooks: state on standard input, a time limit, and their own words when they fail. */
#include "runtime/hooks.h"

#include "base/fd.h"
#include "base/json.h"
#include "base/own.h"
#include "base/proc.h"
#include "base/sys.h"
#include "runtime/container.h"
#include "runtime/spec/spec.h"
#include "runtime/state.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

enum { WORDS_MAX_BYTES = 256, FAILED_TO_EXECUTE = 127 };

/* clang-format off */
static const struct {
	size_t offset;	/* of the list in struct spec_hooks */
	const char *status;
} points[HOOK_POINTS] = {
	[HOOK_PRESTART]		= { offsetof(struct spec_hooks, prestart),	   "creating" },
	[HOOK_CREATE_RUNTIME]	= { offsetof(struct spec_hooks, create_runtime),   "creating" },
	[HOOK_CREATE_CONTAINER]	= { offsetof(struct spec_hooks, create_container), "creating" },
	[HOOK_START_CONTAINER]	= { offsetof(struct spec_hooks, start_container),  "created" },
	[HOOK_POSTSTART]	= { offsetof(struct spec_hooks, poststart),	   "running" },
	[HOOK_POSTSTOP]		= { offsetof(struct spec_hooks, poststop),	   "stopped" },
};

const char *const hook_point_names[HOOK_POINTS] = {
	[HOOK_PRESTART]		= "prestart",
	[HOOK_CREATE_RUNTIME]	= "createRuntime",
	[HOOK_CREATE_CONTAINER]	= "createContainer",
	[HOOK_START_CONTAINER]	= "startContainer",
	[HOOK_POSTSTART]	= "poststart",
	[HOOK_POSTSTOP]		= "poststop",
};
/* clang-format on */

const struct js_list *hooks_list(const struct spec_hooks *hooks, enum hook_point point)
{
	return (const struct js_list *)(const void *)((const char *)hooks + points[point].offset);
}

bool hooks_at(const struct spec_hooks *hooks, enum hook_point point)
{
	return hooks && hooks_list(hooks, point)->n > 0;
}

bool hooks_any(const struct spec_hooks *hooks)
{
	for (enum hook_point point = 0; point < HOOK_POINTS; point++)
		if (hooks_at(hooks, point))
			return true;
	return false;
}

static char *state_text(const struct state *state, enum hook_point point, pid_t pid)
{
	own_json json_t *doc = state_to_oci(state, points[point].status, pid);

	return doc ? json_dumps(doc, JSON_COMPACT) : NULL;
}

/* A file in memory and not a pipe: a hook that does not read it blocks nobody. */
static int open_input(const char *text, struct err *e)
{
	own_fd int fd = memfd_create("state", MFD_CLOEXEC);
	int r = fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));

	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	return r < 0 ? err_set(e, r, "prepare the state for a hook") : take_fd(&fd);
}

static const char *annotation(const struct state *state, const char *key)
{
	for (size_t i = 0; i < state->annotations.n; i++)
		if (strcmp(state->annotations.v[i].key, key) == 0)
			return state->annotations.v[i].value;
	return NULL;
}

/** Where a hook's standard descriptors lead. */
struct hook_io {
	int input, output, error;
};

/** What execve(2) takes. */
struct hook_exec {
	const char *path, *cwd; /* cwd NULL: where we are */
	char *const *argv, *const *envp;
};

static void child(const struct hook_exec *x, const struct hook_io *io)
{
	sigset_t none;

	/* A hook that outlived us might act on a container that others have undone by then. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		_exit(FAILED_TO_EXECUTE);
	/* What we ignore would stay ignored. */
	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL); /* not for all of them, and those need none */
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL); /* cannot fail with these arguments */
	if (dup2(io->input, STDIN_FILENO) < 0 || dup2(io->output, STDOUT_FILENO) < 0 ||
	    dup2(io->error, STDERR_FILENO) < 0 || (x->cwd && chdir(x->cwd) < 0) ||
	    fd_cloexec_from(STDERR_FILENO + 1) < 0)
		_exit(FAILED_TO_EXECUTE);
	(void)execve(x->path, x->argv, x->envp);
	dprintf(STDERR_FILENO, "%s", strerror(errno)); /* lint: the creator shows it */
	_exit(FAILED_TO_EXECUTE);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail with this clock */
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/** The first words that a hook prints; the rest is read and dropped. */
struct words {
	char text[WORDS_MAX_BYTES];
	size_t len;
};

/* Return: false at the end. */
static bool listen(int fd, struct words *words)
{
	char buf[4096];
	ssize_t n = TEMP_FAILURE_RETRY(read(fd, buf, sizeof(buf)));
	size_t room = sizeof(words->text) - 1 - words->len, len = n > 0 ? (size_t)n : 0;

	if (n < 0 && errno == EAGAIN)
		return true;
	memcpy(words->text + words->len, buf, len < room ? len : room);
	words->len += len < room ? len : room;
	return n > 0;
}

/* Until the hook itself has ended: what it has left running in the background may keep the pipe.
 * Return: its exit status, -ETIMEDOUT after it was killed, or another -errno. */
static int wait_for(int pidfd, int output, const struct opt_u64 *timeout, struct words *words)
{
	struct pollfd p[] = { { .fd = pidfd, .events = POLLIN },
			      { .fd = output, .events = POLLIN } };
	int64_t end = timeout->set ? now_ms() + (int64_t)timeout->v * 1000 : INT64_MAX;
	bool late = false;

	while (!p[0].revents) {
		int64_t left = end - now_ms();
		int ms = left > INT32_MAX ? -1 : left < 0 ? 0 : (int)left;

		if (TEMP_FAILURE_RETRY(poll(p, ARRAY_SIZE(p), late ? -1 : ms)) < 0)
			return -errno;
		if (p[1].revents && !listen(output, words))
			p[1].fd = -1;
		if (!late && !p[0].revents && now_ms() >= end) {
			late = true;
			(void)proc_signal(pidfd, SIGKILL);
		}
	}
	if (p[1].fd >= 0)
		(void)listen(output, words); /* what came with the end */
	return late ? (proc_wait_exit(pidfd), -ETIMEDOUT) : proc_wait_exit(pidfd);
}

static int spawn(const struct hook_exec *x, const struct hook_io *io, int *ret_pidfd)
{
	pid_t pid = sys_fork(ret_pidfd);

	if (pid == 0)
		child(x, io);
	return pid < 0 ? pid : 0;
}

/* @kept: a file that gets what the hook prints; NULL: it is for the message of a failure. */
static int open_kept(const char *kept, int *fd, struct err *e)
{
	if (!kept)
		return 0;
	*fd = open(kept, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	return *fd < 0 ? err_set(e, -errno, "open '%s' for what a hook prints", kept) : 0;
}

/* A pipe whose reading end does not block; the hook's own end does, as programs expect. */
static int open_output(int *ret_from, int *ret_to, struct err *e)
{
	int pair[2];

	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_set(e, -errno, "make a pipe for a hook");
	*ret_from = pair[0];
	*ret_to = pair[1];
	return fcntl(*ret_from, F_SETFL, O_NONBLOCK) < 0
		       ? err_set(e, -errno, "make a pipe for a hook")
		       : 0;
}

static void trim(struct words *words)
{
	words->text[words->len] = '\0';
	while (words->len && words->text[words->len - 1] == '\n')
		words->text[--words->len] = '\0';
}

/* @kept: annotations that name files of the host may say where the output goes. */
static int run_one(const struct hook_exec *x, const struct opt_u64 *timeout, const char *input,
		   const struct state *kept, struct err *e)
{
	own_fd int in = open_input(input, e), from = -EBADF, to = -EBADF;
	own_fd int out = -EBADF, error = -EBADF, pidfd = -EBADF;
	struct words words = { .len = 0 };
	struct hook_io io;
	int r;

	if (in < 0)
		return in;
	r = open_output(&from, &to, e);
	if (r == 0 && kept)
		r = open_kept(annotation(kept, "run.oci.hooks.stdout"), &out, e);
	if (r == 0 && kept)
		r = open_kept(annotation(kept, "run.oci.hooks.stderr"), &error, e);
	if (r < 0)
		return r;
	io = (struct hook_io){ in, out >= 0 ? out : to, error >= 0 ? error : to };
	r = spawn(x, &io, &pidfd);
	close_fd(&to);
	if (r == 0)
		r = wait_for(pidfd, from, timeout, &words);
	if (r == 0)
		return 0;
	if (r == -ETIMEDOUT)
		return err_say(e, -ECANCELED, "'%s' was killed after its timeout of %llu s",
			       x->path, (unsigned long long)timeout->v);
	if (r < 0)
		return err_set(e, r, "run '%s'", x->path);
	trim(&words);
	return err_say(e, -ECANCELED, "'%s' ended with exit status %d%s%s%s", x->path, r,
		       r == 128 + SIGSYS ? " (bad system call)" : "", words.len ? ": " : "",
		       words.text);
}

/* The words of a config.json's array as execve(2) wants them; NULL on ENOMEM. */
static char **vector(const struct strv *words)
{
	char **v = calloc(words->n + 1, sizeof(*v));

	if (v && words->n)
		memcpy(v, words->v, words->n * sizeof(*v));
	return v;
}

/* The spec is silent; hooks that are about rely on the root for those inside of the container,
 * which are not in it yet, and on the bundle for those outside. */
static const char *where_it_runs(enum hook_point point, const struct state *state)
{
	if (point == HOOK_START_CONTAINER)
		return NULL;
	return point == HOOK_CREATE_CONTAINER ? state->rootfs : state->bundle;
}

static int run(const struct spec_hook *hook, enum hook_point point, const struct state *state,
	       const char *input, char *const *env, struct err *e)
{
	bool on_host = point != HOOK_CREATE_CONTAINER && point != HOOK_START_CONTAINER;
	own_free char **argv = vector(&hook->args), **envp = vector(&hook->env);
	char *alone[] = { hook->path, NULL };
	const struct hook_exec x = {
		.path = hook->path,
		.cwd = where_it_runs(point, state),
		.argv = hook->args.n ? argv : alone,
		.envp = hook->env.n ? envp
			: env	    ? env
				    : environ,
	};

	if (!argv || !envp)
		return err_set(e, -ENOMEM, "prepare a hook");
	return run_one(&x, &hook->timeout, input, on_host ? state : NULL, e);
}

int hooks_run(const struct spec_hooks *hooks, enum hook_point point, const struct state *state,
	      pid_t pid, char *const *env, struct err *e)
{
	const struct js_list *list = hooks_list(hooks, point);
	const struct spec_hook *v = list->v;
	own_free char *text = NULL;

	if (!list->n)
		return 0;
	text = state_text(state, point, pid);
	if (!text)
		return err_set(e, -ENOMEM, "write the state for a hook");
	for (size_t i = 0; i < list->n; i++) {
		int r = run(&v[i], point, state, text, env, e);

		if (r < 0)
			return err_wrap(e, r, "error running %s hook #%zu", hook_point_names[point],
					i);
	}
	return 0;
}

static void warn(const struct ctr_env *env, const struct err *why)
{
	if (env->warn)
		env->warn(env->warn_arg, why);
}

void hooks_poststop(const struct ctr_env *env, int run, const struct state *state)
{
	own_arena struct arena arena = { 0 };
	own_json json_t *doc = NULL;
	struct err why = { 0 };
	struct spec spec;
	struct spec_hook *all;
	size_t count;

	if (!state->hooks)
		return;
	if (state_load_json(run, state->id, "config.json", &doc, &why) < 0 ||
	    spec_decode(doc, "config.json", &arena, &spec, &why) < 0) {
		warn(env, &why);
		return;
	}
	all = spec.hooks.poststop.v;
	count = spec.hooks.poststop.n;
	for (size_t i = 0; i < count; i++) {
		struct spec_hooks one = { .poststop = { .v = &all[i], .n = 1 } };

		if (hooks_run(&one, HOOK_POSTSTOP, state, 0, NULL, &why) < 0)
			warn(env, &why);
	}
}
