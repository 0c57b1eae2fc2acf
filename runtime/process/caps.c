/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities: one table of names, and raw system calls that a child between clone and exec may
 * make (no allocation, no locks). */
#include "runtime/process/caps.h"

#include "base/own.h"
#include "base/text.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define BIT(n) (UINT64_C(1) << (n))

/* clang-format off */
/* capabilities(7); the numbers are kernel ABI */
static const char *const cap_names[] = {
	[CAP_CHOWN]		 = "CAP_CHOWN",
	[CAP_DAC_OVERRIDE]	 = "CAP_DAC_OVERRIDE",
	[CAP_DAC_READ_SEARCH]	 = "CAP_DAC_READ_SEARCH",
	[CAP_FOWNER]		 = "CAP_FOWNER",
	[CAP_FSETID]		 = "CAP_FSETID",
	[CAP_KILL]		 = "CAP_KILL",
	[CAP_SETGID]		 = "CAP_SETGID",
	[CAP_SETUID]		 = "CAP_SETUID",
	[CAP_SETPCAP]		 = "CAP_SETPCAP",
	[CAP_LINUX_IMMUTABLE]	 = "CAP_LINUX_IMMUTABLE",
	[CAP_NET_BIND_SERVICE]	 = "CAP_NET_BIND_SERVICE",
	[CAP_NET_BROADCAST]	 = "CAP_NET_BROADCAST",
	[CAP_NET_ADMIN]		 = "CAP_NET_ADMIN",
	[CAP_NET_RAW]		 = "CAP_NET_RAW",
	[CAP_IPC_LOCK]		 = "CAP_IPC_LOCK",
	[CAP_IPC_OWNER]		 = "CAP_IPC_OWNER",
	[CAP_SYS_MODULE]	 = "CAP_SYS_MODULE",
	[CAP_SYS_RAWIO]		 = "CAP_SYS_RAWIO",
	[CAP_SYS_CHROOT]	 = "CAP_SYS_CHROOT",
	[CAP_SYS_PTRACE]	 = "CAP_SYS_PTRACE",
	[CAP_SYS_PACCT]		 = "CAP_SYS_PACCT",
	[CAP_SYS_ADMIN]		 = "CAP_SYS_ADMIN",
	[CAP_SYS_BOOT]		 = "CAP_SYS_BOOT",
	[CAP_SYS_NICE]		 = "CAP_SYS_NICE",
	[CAP_SYS_RESOURCE]	 = "CAP_SYS_RESOURCE",
	[CAP_SYS_TIME]		 = "CAP_SYS_TIME",
	[CAP_SYS_TTY_CONFIG]	 = "CAP_SYS_TTY_CONFIG",
	[CAP_MKNOD]		 = "CAP_MKNOD",
	[CAP_LEASE]		 = "CAP_LEASE",
	[CAP_AUDIT_WRITE]	 = "CAP_AUDIT_WRITE",
	[CAP_AUDIT_CONTROL]	 = "CAP_AUDIT_CONTROL",
	[CAP_SETFCAP]		 = "CAP_SETFCAP",
	[CAP_MAC_OVERRIDE]	 = "CAP_MAC_OVERRIDE",
	[CAP_MAC_ADMIN]		 = "CAP_MAC_ADMIN",
	[CAP_SYSLOG]		 = "CAP_SYSLOG",
	[CAP_WAKE_ALARM]	 = "CAP_WAKE_ALARM",
	[CAP_BLOCK_SUSPEND]	 = "CAP_BLOCK_SUSPEND",
	[CAP_AUDIT_READ]	 = "CAP_AUDIT_READ",
	[CAP_PERFMON]		 = "CAP_PERFMON",
	[CAP_BPF]		 = "CAP_BPF",
	[CAP_CHECKPOINT_RESTORE] = "CAP_CHECKPOINT_RESTORE",
};
/* clang-format on */
_Static_assert(ARRAY_SIZE(cap_names) == CAP_LAST_CAP + 1, "a capability has no name");

/* What a server that starts as root and drops its privileges needs, and nothing that reaches
 * beyond its own files and processes. SETPCAP and SETFCAP only serve set-uid style programs, which
 * the application profile's no_new_privs makes inert. */
const uint64_t caps_app_profile = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) |
				  BIT(CAP_FSETID) | BIT(CAP_KILL) | BIT(CAP_SETGID) |
				  BIT(CAP_SETUID) | BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_SYS_CHROOT);

/* The kernel answers EINVAL above its last capability, so no file needs to be read. */
static int bounding_has(int cap)
{
	return prctl(PR_CAPBSET_READ, (unsigned long)cap, 0, 0, 0);
}

uint64_t caps_system_profile(void)
{
	uint64_t set = 0;

	for (int cap = 0; cap < 64 && bounding_has(cap) >= 0; cap++)
		set |= BIT(cap);
	return set;
}

uint64_t caps_available(void)
{
	uint64_t set = 0;

	for (int cap = 0; cap < 64; cap++) {
		int has = bounding_has(cap);

		if (has < 0)
			break;
		if (has)
			set |= BIT(cap);
	}
	return set;
}

int caps_from_name(const char *name)
{
	if (strncasecmp(name, "CAP_", 4) == 0)
		name += 4;
	for (size_t i = 0; i < ARRAY_SIZE(cap_names); i++)
		if (strcasecmp(cap_names[i] + 4, name) == 0)
			return (int)i;
	return -EINVAL;
}

const char *caps_name(int cap)
{
	return cap >= 0 && (size_t)cap < ARRAY_SIZE(cap_names) ? cap_names[cap] : NULL;
}

uint64_t caps_known(const struct strv *names, const char **ret_unknown)
{
	const char *unknown = NULL;
	uint64_t set = 0;

	for (size_t i = 0; i < names->n; i++) {
		int cap = caps_from_name(names->v[i]);

		if (cap >= 0)
			set |= BIT(cap);
		else if (!unknown)
			unknown = names->v[i];
	}
	*ret_unknown = unknown;
	return set;
}

int caps_mask(const struct strv *names, uint64_t *ret, struct err *e)
{
	const char *unknown;
	uint64_t set = caps_known(names, &unknown);
	int near;

	if (!unknown) {
		*ret = set;
		return 0;
	}
	near = text_nearest(unknown, cap_names, ARRAY_SIZE(cap_names));
	err_say(e, -EINVAL, "unknown capability '%s'", unknown);
	if (near >= 0)
		err_hint(e, "did you mean '%s'?", cap_names[near]);
	return -EINVAL;
}

int caps_drop_bounding(const struct caps *caps)
{
	for (int cap = 0; cap < 64; cap++) {
		int has;

		if (caps->bounding & BIT(cap))
			continue;
		has = bounding_has(cap);
		if (has < 0)
			break;
		/* dropping what is not there would still need CAP_SETPCAP */
		if (has && prctl(PR_CAPBSET_DROP, (unsigned long)cap, 0, 0, 0) < 0)
			return -errno;
	}
	return 0;
}

static __u32 word(uint64_t set, int i)
{
	return (__u32)(set >> (32 * i));
}

int caps_apply(const struct caps *caps)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].effective = word(caps->effective, i);
		data[i].permitted = word(caps->permitted, i);
		data[i].inheritable = word(caps->inheritable, i);
	}
	if (syscall(SYS_capset, &header, data) < 0)
		return -errno;

	/* after capset: a capability can only be ambient while permitted and inheritable */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	for (int cap = 0; cap < 64; cap++)
		if ((caps->ambient & BIT(cap)) &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, (unsigned long)cap, 0, 0) < 0)
			return -errno;
	return 0;
}
