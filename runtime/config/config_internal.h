/* SPDX-License-Identifier: Apache-2.0 */
/* The checks behind the field table, and what the converters share. */
#ifndef CTR_RUNTIME_CONFIG_CONFIG_INTERNAL_H
#define CTR_RUNTIME_CONFIG_CONFIG_INTERNAL_H

#include "netsetup/net.h"
#include "runtime/config/config.h"

/* Checks of one value, for struct js_field; they are named in config.c and nowhere else. */
typedef void config_check_fn(struct js_issues *issues, const struct js_where *where,
			     const void *value);
config_check_fn check_addresses, check_args, check_capabilities, check_capabilities_or_all,
	check_cpuset, check_device_access, check_device_path, check_env, check_gateways,
	check_hostname, check_if_name, check_mac, check_mount_source, check_mount_target, check_mtu,
	check_name, check_nameservers, check_normal_path, check_reach, check_search, check_signal,
	check_sysctl, check_template;

/** config_check() - the rules between values. @config may be half decoded: strings may be NULL. */
void config_check(const struct config *config, struct js_issues *issues);

/** config_mac() - "02:00:5e:10:00:01" to bytes. Return: 0; -EINVAL unless a unicast address. */
int config_mac(const char *s, uint8_t ret[6]);

enum config_reach { REACH_HOST, REACH_PARTITIONS, REACH_OUTSIDE };
extern const struct name config_reach_names[];

/** config_caps() - the capabilities of the profile, without the dropped, with the added */
uint64_t config_caps(const struct config *config);

#endif
