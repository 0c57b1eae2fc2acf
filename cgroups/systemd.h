/* SPDX-License-Identifier: Apache-2.0 */
/*
 * systemd as the one who makes a container's group: a transient scope.
 *
 * DOC: systemd owns the cgroup tree of a host that it runs, and a scope is how others get a part of
 * it. It is made around a process that exists, is named by us, and comes with Delegate=yes, so all
 * below it is ours. Limits are told to systemd as properties, so that nothing that it does later
 * (daemon-reload, set-property on the slice) takes them back, and are then written as they are,
 * since properties cannot say all of them. Device rules are not told: DevicePolicy stays "auto",
 * and our own program at the scope decides alone. systemd leaves programs of others alone, while
 * one of its own, restored at every daemon-reload, would deny what was let in since.
 *
 * Root asks the system's instance at its private socket, which spares the bus; others ask that of
 * their user. A scope ends with its last process by itself, but stays when it has failed.
 *
 * Authority: org.freedesktop.systemd1(5), systemd.scope(5), systemd.resource-control(5), and
 * "Control Group APIs and Delegation" of systemd.io.
 */
#ifndef CTR_CGROUPS_SYSTEMD_H
#define CTR_CGROUPS_SYSTEMD_H

#include "cgroups/cg.h"

/** A scope, planned. */
struct sd_unit {
	const char *name;  /* "libpod-1a2b.scope" */
	const char *slice; /* "machine.slice" */
	const char *props; /* of annotations: elements of an a(sv), aligned to 8 */
	size_t props_len;
};

/** sd_driver() - of --systemd-cgroup, for who we are here: CG_SYSTEMD or CG_SYSTEMD_USER */
enum cg_driver sd_driver(void);

/**
 * sd_unit_parse() - pure: the unit that OCI cgroupsPath "SLICE:PREFIX:NAME" stands for
 * @path: NULL or "" is "::" with the prefix "ctr" and the name @id; an empty slice is system.slice,
 * or user.slice of a user's instance; "-" and "-.slice" are the root slice. Nothing is joined to an
 * empty prefix.
 * Return: 0; -EINVAL; -ENOMEM. In ret, props is empty.
 */
int sd_unit_parse(const char *path, const char *id, enum cg_driver driver, struct arena *arena,
		  struct sd_unit *ret, struct err *e);
/** sd_slice_path() - pure: "a-b.slice" to "/a.slice/a-b.slice"; "-.slice" to "".
 * Return: 0; -EINVAL when it is no slice's name; -ENOMEM. */
int sd_slice_path(const char *slice, struct arena *arena, const char **ret, struct err *e);
/** sd_annotations() - pure: the properties that annotations org.systemd.property.NAME ask for, into
 * @unit. A name that ends in "Sec" is one in "USec" whose value is a number of seconds. */
int sd_annotations(const struct strmap *annotations, struct arena *arena, struct sd_unit *unit,
		   struct err *e);

/** sd_check() - is there an instance to ask? -ENOTSUP with one clear line. */
int sd_check(enum cg_driver driver, struct err *e);
/** sd_find() - the cgroup of a unit. Return: 0; -ENOENT when there is no such unit, or it has no
 * processes; -errno. */
int sd_find(enum cg_driver driver, const char *unit, struct arena *arena, const char **ret,
	    struct err *e);
/** sd_start() - make the scope around @pid with the limits of @res, as far as properties say them;
 * returns when the process is in it. *ret_path is its cgroup. */
int sd_start(enum cg_driver driver, const struct sd_unit *unit, const char *description, pid_t pid,
	     const struct cg_resources *res, struct arena *arena, const char **ret_path,
	     struct err *e);
/** sd_set() - change the limits of a unit; cg_apply() comes after it */
int sd_set(enum cg_driver driver, const char *unit, const struct cg_resources *res, struct err *e);
/** sd_stop() - end the unit, or what is left of a failed one. 0 also when there is none. */
int sd_stop(enum cg_driver driver, const char *unit, struct err *e);
/** sd_attach() - move @pid into the unit, for who may not do so himself */
int sd_attach(enum cg_driver driver, const char *unit, pid_t pid, struct err *e);

#endif
