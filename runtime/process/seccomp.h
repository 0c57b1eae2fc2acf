/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System call filters: rules to BPF in the parent (libseccomp), loading in the child (one raw
 * system call, no allocation). The default profile is a table in seccomp_default.c.
 */
#ifndef CTR_RUNTIME_PROCESS_SECCOMP_H
#define CTR_RUNTIME_PROCESS_SECCOMP_H

#include "base/arena.h"
#include "base/err.h"
#include "base/table.h"

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

/** The words of linux.seccomp, for messages and for `features`. The value is what the kernel or
 * libseccomp calls it; 0 for an architecture that this libseccomp does not know. */
extern const struct name seccomp_actions[], seccomp_operators[], seccomp_archs[], seccomp_flags[];

/** seccomp_has_flag() - does this kernel know SECCOMP_FILTER_FLAG_@flag? Changes nothing. */
bool seccomp_has_flag(unsigned int flag);
/** seccomp_default_spec() - the default profile as OCI linux.seccomp. @caps: bit n set when the
 * payload has capability n, which opens the calls that need it. @userns: those capabilities are
 * only in a user namespace. Pure. Return: 0 or -ENOMEM. */
int seccomp_default_spec(uint64_t caps, bool userns, struct arena *arena, struct spec_seccomp **ret,
			 struct err *e);
/**
 * seccomp_compile() - OCI linux.seccomp to BPF
 * Of the rules for one system call, those with arguments are tried before those without, and the
 * strictest action wins among equals. When the default action denies, a number above the newest
 * that the profile names gets ENOSYS, so that libc falls back. Unknown names are skipped; unknown
 * actions, operators, architectures and flags are errors with their JSON path.
 * Return: 0, -EINVAL, -E2BIG (over the kernel's 4096 instructions), -ENOMEM.
 */
int seccomp_compile(const struct spec_seccomp *spec, struct arena *arena,
		    struct seccomp_filter *ret, struct err *e);
/** seccomp_compile_cached() - the same through RUN/.cache/seccomp/HASH, keyed by the rules'
 * content and by build and kernel release; a damaged entry is recompiled. */
int seccomp_compile_cached(int run_dirfd, const struct spec_seccomp *spec, struct arena *arena,
			   struct seccomp_filter *ret, struct err *e);
/** seccomp_install() - load into this process (child side: async-signal-safe).
 * Return: the listener's descriptor when a rule has SCMP_ACT_NOTIFY (close-on-exec), else 0; or
 * -errno. */
int seccomp_install(const struct seccomp_filter *filter);

#endif
