/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System call filters: rules to BPF in the parent (libseccomp), loading in the child (one raw
 * system call, no allocation). The default profile is a table in seccomp_default.c.
 */
#ifndef CTR_RUNTIME_PROCESS_SECCOMP_H
#define CTR_RUNTIME_PROCESS_SECCOMP_H

#include "base/arena.h"
#include "base/err.h"

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

struct spec_seccomp;

/** A compiled filter: plain data, ready for seccomp(2) SECCOMP_SET_MODE_FILTER. */
struct seccomp_filter {
	struct sock_filter *insns; /* in the arena */
	unsigned short count;
	unsigned int flags; /* SECCOMP_FILTER_FLAG_* */
};

/** seccomp_default_spec() - the default profile as OCI linux.seccomp. @caps: bit n set when the
 * payload has capability n, which opens the calls that need it. @userns: those capabilities are
 * only in a user namespace. Pure. */
int seccomp_default_spec(uint64_t caps, bool userns, struct arena *arena,
			 struct spec_seccomp **ret, struct err *e);
/** seccomp_compile() - OCI linux.seccomp to BPF. A syscall number above the newest that
 * libseccomp knows gets ENOSYS, so that libc falls back. Unknown names are skipped, unknown
 * actions, operators, architectures and flags are errors with their JSON path. */
int seccomp_compile(const struct spec_seccomp *spec, struct arena *arena,
		    struct seccomp_filter *ret, struct err *e);
/** seccomp_compile_cached() - the same through RUN/cache/seccomp/HASH, keyed by the rules'
 * content and by build and kernel release; a damaged entry is recompiled. */
int seccomp_compile_cached(int run_dirfd, const struct spec_seccomp *spec, struct arena *arena,
			   struct seccomp_filter *ret, struct err *e);
/** seccomp_load() - install into this process (child side: async-signal-safe).
 * Return: 0 or -errno. */
int seccomp_load(const struct seccomp_filter *filter);

#endif
