/* SPDX-License-Identifier: Apache-2.0 */
/* The namespace table. */
#include "namespaces/ns.h"

#include <sched.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

/* clang-format off */
const struct ns_facts ns_table[NS_KINDS] = {
	[NS_USER]   = { "user",    "user",   CLONE_NEWUSER },
	[NS_CGROUP] = { "cgroup",  "cgroup", CLONE_NEWCGROUP },
	[NS_IPC]    = { "ipc",     "ipc",    CLONE_NEWIPC },
	[NS_UTS]    = { "uts",     "uts",    CLONE_NEWUTS },
	[NS_NET]    = { "network", "net",    CLONE_NEWNET },
	[NS_TIME]   = { "time",    "time",   CLONE_NEWTIME },
	[NS_PID]    = { "pid",     "pid",    CLONE_NEWPID },
	[NS_MOUNT]  = { "mount",   "mnt",    CLONE_NEWNS },
};

const struct name ns_names[] = {
	{ "user", NS_USER }, { "cgroup", NS_CGROUP }, { "ipc", NS_IPC }, { "uts", NS_UTS },
	{ "network", NS_NET }, { "time", NS_TIME }, { "pid", NS_PID }, { "mount", NS_MOUNT },
	{ NULL, 0 },
};
/* clang-format on */
_Static_assert(sizeof(ns_names) / sizeof(ns_names[0]) == NS_KINDS + 1, "a name for every kind");
