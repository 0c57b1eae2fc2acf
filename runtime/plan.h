/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan: everything that a start will do, decided before anything is touched. Every name,
 * flag and value is rendered; the steps only execute it, and `ctr plan` prints it.
 */
#ifndef CTR_RUNTIME_PLAN_H
#define CTR_RUNTIME_PLAN_H

#include "cgroups/systemd.h"
#include "namespaces/mount/mount.h"
#include "namespaces/ns.h"
#include "netsetup/net.h"
#include "runtime/process/confine.h"
#include "runtime/spec/spec.h"

#include <jansson.h>
#include <stdbool.h>

/** A small file of the guest that says who and where it is: /etc/hostname, /etc/resolv.conf. */
struct plan_file {
	const char *path, *content;
};

struct plan {
	const char *id, *bundle, *rootfs;
	bool partition; /* has an overlay root and a console that is kept */

	struct ns_set ns;
	bool private_net;  /* a new network namespace: its loopback is brought up */
	bool unprivileged; /* we are an ordinary user: the child does what takes a right here, with
			      those of its user namespace's root */
	bool open_inside;  /* the child opens root and sources, in its own mount namespace: ours is
			      not ours to clone from */

	struct mnt *mounts;
	size_t mount_count;
	struct dev_node *nodes;
	size_t node_count;
	struct mnt *dev; /* the tmpfs in which the parent makes the nodes: in a user namespace the
			    child cannot; NULL: the child does, with mknod or as binds in mounts */
	struct plan_file *files;
	size_t file_count;
	bool keep_dev; /* /dev is a bind: its nodes and links are not ours to make */
	bool root_readonly;
	bool no_pivot;
	uint64_t root_propagation;
	uint64_t inherited;	 /* propagation of what comes from the host; 0: as it is there */
	const char *mount_label; /* "context=LABEL", or NULL */
	struct strv masked, readonly;

	const char *hostname, *domainname;
	struct strmap sysctl; /* path beneath /proc/sys -> value */

	struct confine process;
	const struct spec_seccomp
		*seccomp; /* compiled into ->process by a step, through the cache */

	enum cg_driver driver;
	const char *cgroup_path; /* NULL: none, or what systemd will say */
	struct sd_unit unit;	 /* with systemd */
	struct cg_resources resources;
	bool delegate; /* the cgroup is writable inside: a guest with its own service manager */

	const struct net_config *net; /* NULL: nothing to set up */
	struct net_device *devices;   /* of the host, to be moved into the network namespace */
	size_t device_count;
	const struct spec_hooks *hooks;
};

/** plan_build() - decide everything. Pure, but for our own capabilities.
 * @driver: who makes the cgroup. @spec: has passed spec_check(). @resources: of a partition, whose
 * limits OCI cannot all say; NULL takes those of @spec. @net: NULL leaves a new network namespace
 * with loopback alone. Return: 0, or -errno with the JSON path of what cannot be done. */
int plan_build(const char *id, const char *bundle, enum cg_driver driver, const struct spec *spec,
	       const struct cg_resources *resources, const struct net_config *net,
	       struct arena *arena, struct plan *ret, struct err *e);
/** plan_stops_for_hooks() - does the child wait, all mounts made, for hooks to run? */
bool plan_stops_for_hooks(const struct plan *plan);
/** plan_shares_mounts() - is the container's mount namespace the one that the runtime is in? */
bool plan_shares_mounts(const struct plan *plan);
/** plan_to_json() - for `ctr plan`: new reference, or NULL on ENOMEM */
json_t *plan_to_json(const struct plan *plan, const struct cg_layout *layout, struct arena *arena);

#endif
