/* SPDX-License-Identifier: Apache-2.0 */
/* The features document (runtime-spec features.md, features-linux.md). Each list comes from the
 * table that the code itself works by, so that the document cannot promise what is not there. */
#include "runtime/spec/spec.h"

#include "base/own.h"
#include "namespaces/ns.h"
#include "runtime/hooks.h"
#include "runtime/process/caps.h"
#include "runtime/process/sched.h"
#include "runtime/process/seccomp.h"

#include <seccomp.h>
#include <string.h>

/* Sticky: NULL once an allocation failed. */
static json_t *append(json_t *array, const char *s)
{
	if (json_array_append_new(array, json_string(s)) == 0)
		return array;
	json_decref(array);
	return NULL;
}

static json_t *name_array(const struct name *table)
{
	json_t *array = json_array();

	for (; table->name; table++)
		array = append(array, table->name);
	return array;
}

static json_t *hook_names(void)
{
	json_t *array = json_array();

	for (size_t i = 0; i < HOOK_POINTS; i++)
		array = append(array, hook_point_names[i]);
	return array;
}

static json_t *capability_names(void)
{
	json_t *array = json_array();

	for (int cap = 0; caps_name(cap); cap++)
		array = append(array, caps_name(cap));
	return array;
}

static json_t *supported_flags(void)
{
	json_t *array = json_array();

	for (const struct name *flag = seccomp_flags; flag->name; flag++)
		if (seccomp_has_flag((unsigned int)flag->value))
			array = append(array, flag->name);
	return array;
}

static json_t *enabled(const char *path)
{
	return json_pack("{s:b}", "enabled", spec_implements(path));
}

json_t *spec_features(const char *const *mount_options, size_t n)
{
	const struct scmp_version *library = seccomp_version();
	json_t *options = json_array();

	for (size_t i = 0; i < n; i++)
		options = append(options, mount_options[i]);
	/* json_pack() takes over every reference, and fails as a whole when one of them is NULL */
	/* clang-format off */
	return json_pack("{s:s, s:s, s:o, s:o, s:{s:o, s:o, s:{s:b, s:b, s:b, s:b, s:b},"
			 " s:{s:b, s:o, s:o, s:o, s:o, s:o}, s:o, s:o, s:o, s:{s:o, s:o}, s:{s:o}, s:o},"
			 " s:{s:o}, s:[]}",
			 "ociVersionMin", "1.0.0",
			 "ociVersionMax", "1.3.0",
			 "hooks", hook_names(),
			 "mountOptions", options,
			 "linux",
				 "namespaces", name_array(ns_names),
				 "capabilities", capability_names(),
				 "cgroup",
					 "v1", true,
					 "v2", true,
					 "systemd", true,
					 "systemdUser", true,
					 "rdma", spec_implements("linux.resources.rdma"),
				 "seccomp",
					 "enabled", true,
					 "actions", name_array(seccomp_actions),
					 "operators", name_array(seccomp_operators),
					 "archs", name_array(seccomp_archs),
					 "knownFlags", name_array(seccomp_flags),
					 "supportedFlags", supported_flags(),
				 "apparmor", enabled("process.apparmorProfile"),
				 "selinux", enabled("process.selinuxLabel"),
				 "intelRdt", enabled("linux.intelRdt"),
				 "memoryPolicy",
					 "modes", name_array(sched_memory_modes),
					 "flags", name_array(sched_memory_flags),
				 "mountExtensions",
					 "idmap", enabled("mounts.uidMappings"),
				 "netDevices", enabled("linux.netDevices"),
			 "annotations",
				 "io.github.seccomp.libseccomp.version",
				 json_sprintf("%u.%u.%u", library->major, library->minor,
					      library->micro),
			 "potentiallyUnsafeConfigAnnotations");
	/* clang-format on */
}
