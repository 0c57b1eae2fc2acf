/* SPDX-License-Identifier: Apache-2.0 */
/* From a filtered process to the agent of its profile. */
#include "runtime/listener.h"

#include "base/arena.h"
#include "base/own.h"
#include "base/sys.h"
#include "runtime/handshake.h"
#include "runtime/sendfd.h"
#include "runtime/spec/spec.h"
#include "runtime/state.h"

static char *describe(const struct listener *l, const char *metadata)
{
	own_json json_t *doc = NULL;

	doc = json_pack("{s:s, s:[s], s:i, s:s*, s:o}", "ociVersion", l->state->oci_version, "fds",
			"seccompFd", "pid", (int)l->pid, "metadata", metadata, "state",
			state_to_oci(l->state, l->status, (pid_t)l->state->pid));
	return doc ? json_dumps(doc, JSON_COMPACT) : NULL;
}

static int tell_agent(const struct listener *l, int fd, struct err *e)
{
	own_arena struct arena arena = { 0 };
	own_json json_t *doc = NULL;
	own_free char *text = NULL;
	const char *path;
	struct spec spec;
	int r;

	r = state_load_json(l->run, l->state->id, "config.json", &doc, e);
	if (r == 0)
		r = spec_decode(doc, "config.json", &arena, &spec, e);
	if (r < 0)
		return r;
	if (!spec.linux_.seccomp)
		return err_say(e, -EPROTO, "a listener without linux.seccomp");
	path = spec_listener(&spec);
	text = describe(l, spec.linux_.seccomp->listener_metadata);
	if (!path || !text)
		return -ENOMEM;
	r = sendfd(path, fd, text, e);
	return r < 0 ? err_wrap(e, r,
				"linux.seccomp.listenerPath: failed to connect with seccomp agent")
		     : 0;
}

static int hand_over(const struct listener *l, int number, struct err *e)
{
	own_fd int pidfd = sys_pidfd_open(l->pid, 0), fd = -EBADF;

	if (pidfd < 0)
		return err_set(e, pidfd, "open the process with the seccomp listener");
	fd = sys_pidfd_getfd(pidfd, number);
	if (fd < 0) {
		err_set(e, fd, "linux.seccomp.listenerPath: take the listener");
		err_hint(e, "an ordinary user may only in a new pid namespace, and not by exec");
		return fd;
	}
	return tell_agent(l, fd, e);
}

int listener_serve(int sock, const struct listener *l, struct err *e)
{
	for (;;) {
		int number, r = hs_expect_end_or_listener(sock, &number, e);

		if (r <= 0)
			return r;
		r = hand_over(l, number, e);
		if (r == 0)
			r = hs_send(sock, HS_LISTENED, -1, e);
		if (r < 0)
			return r;
	}
}
