/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The partition config: one JSON file that describes a virtual server, as plain data.
 * The field table in config.c is the only place that knows keys, ranges, defaults and what may
 * change live; schema, `ctr validate`, `ctr get`, `ctr set` and the manual come from it.
 */
#ifndef CTR_RUNTIME_CONFIG_CONFIG_H
#define CTR_RUNTIME_CONFIG_CONFIG_H

#include "base/err.h"
#include "base/json.h"
#include "base/value.h"

#include <stdbool.h>
#include <stdint.h>

struct spec;
struct net_config;
struct cg_resources;

enum config_profile { PROFILE_SYSTEM, PROFILE_APP };
enum config_net_mode { CONFIG_NET_PRIVATE, CONFIG_NET_HOST, CONFIG_NET_NONE };
enum config_seccomp { CONFIG_SECCOMP_DEFAULT, CONFIG_SECCOMP_UNCONFINED };

struct config_root {
	char *template;
	bool readonly;
};

struct config_init {
	struct strv args; /* empty: the template's, else /sbin/init */
	struct strmap env;
	char *cwd;
	uint32_t uid, gid;
};

struct config_memory {
	struct opt_u64 limit, guarantee, high, swap;
	bool oom_group; /* out of memory ends all of it, not one process */
};

struct config_cpu {
	struct opt_u64 limit_milli; /* thousandths of a CPU per second */
	struct opt_u64 weight, count;
	struct opt_u64 burst_ms;
	char *mask;
};

struct config_limits {
	struct opt_u64 processes, files, cgroups;
	struct opt_u64 core; /* bytes of a core dump; 0: none, not even to the host's handler */
};

struct config_io {
	struct opt_u64 weight, read_bps, write_bps, read_iops, write_iops;
};

struct config_disk {
	struct opt_u64 size, inodes;
};

struct config_if {
	char *name;
	uint32_t mode; /* enum net_mode */
	char *bridge, *mac;
	uint32_t mtu;
	struct strv addresses, gateways;
	bool nat;
	struct opt_bool host_gateway; /* the bridge owns the gateways; absent: as nat */
	struct strv reach;	      /* of "host", "partitions", "outside" */
};

struct config_network {
	uint32_t mode;			 /* enum config_net_mode */
	struct js_list interfaces;	 /* struct config_if */
	struct strv nameservers, search; /* keys dns.servers and dns.search */
};

struct config_mount {
	char *source; /* a path of the host, or "tmpfs" */
	char *target;
	bool readonly;
	struct strv options;
};

struct config_device {
	char *path, *access;
};

struct config_capabilities {
	struct strv add, drop;
};

struct config_security {
	bool userns;
	uint32_t seccomp;		   /* enum config_seccomp */
	struct opt_bool no_new_privileges; /* absent: true for an app, false for a system */
	bool nesting; /* nothing covers /proc and /sys, so that containers inside can mount theirs
		       */
};

struct config_boot {
	bool autostart;
	struct opt_u64 stop_timeout_ms;
	char *halt_signal; /* "auto", or a name or number */
};

struct config {
	uint32_t version;
	char *schema; /* "$schema": for editors */
	char *name, *description, *hostname;
	struct strmap labels;
	uint32_t profile; /* enum config_profile */
	struct config_root root;
	struct config_init init;
	struct config_memory memory;
	struct config_cpu cpu;
	struct config_limits limits;
	struct config_io io;
	struct config_disk disk;
	struct config_network network;
	struct js_list mounts;	/* struct config_mount */
	struct js_list devices; /* struct config_device */
	struct config_capabilities capabilities;
	struct config_security security;
	struct strmap sysctl;
	struct config_boot boot;
};

/** The field table. */
extern const struct js_object config_type;

/** config_decode() - decode and check everything that needs no host. All issues are collected.
 * Return: 0, -EINVAL (see @issues) or -ENOMEM. */
int config_decode(json_t *doc, struct js_issues *issues, struct config *ret);
/** config_schema() - JSON Schema of the partition config, as `ctr schema` prints it and as
 * docs/partition.schema.json holds it. Return: new reference, NULL on ENOMEM. */
json_t *config_schema(void);

/** A node of the host's /dev that config.devices names. */
struct config_node {
	char type; /* 'b' or 'c' */
	uint32_t major, minor;
	uint32_t mode; /* permission bits */
};

/** What config_to_spec() must know beyond the config; found by the caller, so that it is pure. */
struct config_facts {
	const char *rootfs; /* spec root.path */
	uint32_t id_base;   /* first host id of its 65536; needed when security.userns is on */
	struct strv default_init;	 /* the template's */
	uint32_t disk_major, disk_minor; /* of the disk that holds the partition, for io limits */
	uint32_t host_cpus;
	const struct config_node *nodes; /* one per config.devices, in its order */
};

/** config_nodes() - look up the nodes of config.devices on this host, for config_facts.
 * Return: 0; -ENOENT or -ENODEV names the device. */
int config_nodes(const struct config *config, struct arena *arena, const struct config_node **ret,
		 struct err *e);

/** config_to_spec() - the OCI config that a partition is, without its network. @config->name is
 * the id and must be set. The seccomp profile and all strings are in @arena. Pure. */
int config_to_spec(const struct config *config, const struct config_facts *facts,
		   struct arena *arena, struct spec *ret, struct err *e);
/** config_to_cgroup() - its limits. Pure. OCI cannot say all of them, so the engine takes these.
 * Return: 0; -EINVAL when an io limit has no disk to hang on; -ENOMEM. */
int config_to_cgroup(const struct config *config, const struct config_facts *facts,
		     struct arena *arena, struct cg_resources *ret, struct err *e);
/** config_to_net() - its interfaces; none unless the network is private. Pure. */
int config_to_net(const struct config *config, const char *id, struct arena *arena,
		  struct net_config *ret, struct err *e);

#endif
