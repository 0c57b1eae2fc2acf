/* SPDX-License-Identifier: Apache-2.0 */
/* What a partition config must satisfy beyond kinds and ranges. Pure: nothing asks the host. */
#include "base/own.h"
#include "base/signame.h"
#include "base/path.h"
#include "base/text.h"
#include "runtime/config/config_internal.h"
#include "runtime/process/caps.h"

#include <ctype.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { NAME_MAX_BYTES = 64, CPU_PERIOD_MS = 100 };

/* A place below another, for as long as the enclosing block. */
#define AT(up_, key_)	  (&(const struct js_where){ .up = (up_), .key = (key_) })
#define AT_INDEX(up_, i_) (&(const struct js_where){ .up = (up_), .index = (i_) })

const struct name config_reach_names[] = {
	{ "host", REACH_HOST },
	{ "partitions", REACH_PARTITIONS },
	{ "outside", REACH_OUTSIDE },
	{ NULL, 0 },
};

static const char *string_at(const void *value)
{
	return *(char *const *)value;
}

void check_name(struct js_issues *issues, const struct js_where *where, const void *value)
{
	const char *s = string_at(value);

	if (!text_is_id(s) || strlen(s) > NAME_MAX_BYTES)
		js_issue(
			issues, where,
			"found \"%s\", allowed: at most %d letters, digits, '_', '+', '.' and '-', "
			"not beginning with '.' or '-'",
			s, NAME_MAX_BYTES);
}

void check_template(struct js_issues *issues, const struct js_where *where, const void *value)
{
	const char *s = string_at(value);

	if (!text_is_id(s))
		js_issue(issues, where, "found \"%s\", allowed: the name of a template", s);
}

/* RFC 1123 2.1: labels of letters, digits and inner hyphens; sethostname(2) takes 64 bytes. */
static bool is_host_name(const char *s, size_t max)
{
	size_t label = 0;

	if (strlen(s) > max)
		return false;
	for (;; s++) {
		if (*s == '.' || *s == '\0') {
			if (label == 0 || label > 63 || s[-1] == '-')
				return false;
			if (*s == '\0')
				return true;
			label = 0;
			continue;
		}
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
		      (*s >= '0' && *s <= '9') || (*s == '-' && label > 0)))
			return false;
		label++;
	}
}

void check_hostname(struct js_issues *issues, const struct js_where *where, const void *value)
{
	const char *s = string_at(value);

	if (!is_host_name(s, 64))
		js_issue(
			issues, where,
			"found \"%s\", allowed: a host name of at most 64 letters, digits, '-' and "
			"'.' (RFC 1123)",
			s);
}

void check_search(struct js_issues *issues, const struct js_where *where, const void *value)
{
	const struct strv *list = value;

	for (size_t i = 0; i < list->n; i++)
		if (!is_host_name(list->v[i], 253))
			js_issue(issues, AT_INDEX(where, i), "found \"%s\", allowed: a domain name",
				 list->v[i]);
}

void check_args(struct js_issues *issues, const struct js_where *where, const void *value)
{
	const struct strv *args = value;

	if (args->n && !*args->v[0])
		js_issue(issues, AT_INDEX(where, 0), "found \"\", allowed: a program");
}

void check_env(struct js_issues *issues, const struct js_where *where, const void *value)
{
	const struct strmap *env = value;

	for (size_t i = 0; i < env->n; i++)
		if (!*env->v[i].key || strchr(env->v[i].key, '='))
			js_issue(issues, AT(where, env->v[i].key),
				 "found a name with '=' or without letters");
}

void check_normal_path(struct js_issues *issues, const struct js_where *where, const void *value)
{
	const char *s = string_at(value);

	if (!path_is_normal(s))
		js_issue(issues, where, "found \"%s\", allowed: an absolute path without . and ..",
			 s);
}

void check_cpuset(struct js_issues *issues, const struct js_where *where, const void *value)
{
	const char *s = string_at(value);

	if (!text_is_cpuset(s))
		js_issue(issues, where,
			 "found \"%s\", allowed: an ascending list of CPUs such as \"0-3,8\"", s);
}

/* dev_valid_name() of the kernel, without what a shell or a path would trip over. */
void check_if_name(struct js_issues *issues, const struct js_where *where, const void *value)
{
	const char *s = string_at(value);
	size_t len = strlen(s);

	if (!text_is_id(s) || len >= IFNAMSIZ || strcmp(s, "lo") == 0 || strcmp(s, "all") == 0 ||
	    strcmp(s, "default") == 0)
		js_issue(issues, where,
			 "found \"%s\", allowed: an interface name of at most %d letters, digits, "
			 "'_', '.' and '-'",
			 s, IFNAMSIZ - 1);
}

static bool is_zero(const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i])
			return false;
	return true;
}

static size_t addr_bits(const struct net_addr *a)
{
	return a->family == AF_INET ? 32 : 128;
}

static const uint8_t *addr_bytes(const struct net_addr *a)
{
	return a->family == AF_INET ? (const uint8_t *)&a->v4 : a->v6.s6_addr;
}

/* An address that a host can have: neither any, loopback nor multicast. */
static bool is_host_addr(const struct net_addr *a)
{
	const uint8_t *b = addr_bytes(a);

	if (a->family == AF_INET)
		return b[0] != 0 && b[0] != 127 && b[0] < 224;
	return !IN6_IS_ADDR_UNSPECIFIED(&a->v6) && !IN6_IS_ADDR_LOOPBACK(&a->v6) &&
	       !IN6_IS_ADDR_MULTICAST(&a->v6) && !IN6_IS_ADDR_V4MAPPED(&a->v6);
}

/* Is every bit behind the prefix @value? All zeros name a network, all ones are its broadcast. */
static bool host_part_is(const struct net_addr *a, bool value)
{
	const uint8_t *b = addr_bytes(a);

	for (size_t bit = a->prefix; bit < addr_bits(a); bit++)
		if (((b[bit / 8] >> (7 - bit % 8)) & 1) != value)
			return false;
	return true;
}

static bool in_network(const struct net_addr *a, const struct net_addr *network)
{
	const uint8_t *x = addr_bytes(a), *y = addr_bytes(network);

	if (a->family != network->family)
		return false;
	for (size_t bit = 0; bit < network->prefix; bit++)
		if (((x[bit / 8] ^ y[bit / 8]) >> (7 - bit % 8)) & 1)
			return false;
	return true;
}

static bool same_addr(const struct net_addr *a, const struct net_addr *b)
{
	return a->family == b->family &&
	       memcmp(addr_bytes(a), addr_bytes(b), addr_bits(a) / 8) == 0;
}

void check_addresses(struct js_issues *issues, const struct js_where *where, const void *value)
{
	const struct strv *list = value;

	for (size_t i = 0; i < list->n; i++) {
		const struct js_where *at = AT_INDEX(where, i);
		struct net_addr a;

		if (net_parse_addr(list->v[i], &a) < 0)
			js_issue(issues, at,
				 "found \"%s\", allowed: an address such as \"10.0.0.2/24\" or "
				 "\"2001:db8::2/64\"",
				 list->v[i]);
		else if (!is_host_addr(&a))
			js_issue(issues, at, "found \"%s\", allowed: the address of a host",
				 list->v[i]);
		else if (a.family == AF_INET && a.prefix < 31 && host_part_is(&a, false))
			js_issue(issues, at, "found \"%s\", which is the network itself",
				 list->v[i]);
		else if (a.family == AF_INET && a.prefix < 31 && host_part_is(&a, true))
			js_issue(issues, at,
				 "found \"%s\", which is the network's broadcast address",
				 list->v[i]);
	}
}

static bool parse_plain_addr(const char *s, struct net_addr *ret)
{
	return s && !strchr(s, '/') && net_parse_addr(s, ret) == 0;
}

void check_gateways(struct js_issues *issues, const struct js_where *where, const void *value)
{
	const struct strv *list = value;
	int seen = 0;

	for (size_t i = 0; i < list->n; i++) {
		const struct js_where *at = AT_INDEX(where, i);
		struct net_addr a;

		if (!parse_plain_addr(list->v[i], &a) || !is_host_addr(&a))
			js_issue(issues, at, "found \"%s\", allowed: an address without prefix",
				 list->v[i]);
		else if (seen == a.family)
			js_issue(issues, at, "found a second gateway of this family");
		else
			seen = a.family;
	}
}

void check_nameservers(struct js_issues *issues, const struct js_where *where, const void *value)
{
	const struct strv *list = value;
	struct net_addr a;

	/* Any address: 127.0.0.53 is a common one inside. */
	for (size_t i = 0; i < list->n; i++)
		if (!parse_plain_addr(list->v[i], &a))
			js_issue(issues, AT_INDEX(where, i),
				 "found \"%s\", allowed: an address without prefix", list->v[i]);
}

int config_mac(const char *s, uint8_t ret[6])
{
	if (strlen(s) != 17)
		return -EINVAL;
	for (size_t i = 0; i < 6; i++, s += 3) {
		if (!isxdigit((unsigned char)s[0]) || !isxdigit((unsigned char)s[1]) ||
		    s[2] != (i == 5 ? '\0' : ':'))
			return -EINVAL;
		ret[i] = (uint8_t)strtoul(s, NULL, 16); /* ends at the colon */
	}
	return ret[0] & 1 || is_zero(ret, 6) ? -EINVAL : 0;
}

void check_mac(struct js_issues *issues, const struct js_where *where, const void *value)
{
	const char *s = string_at(value);
	uint8_t mac[6];

	if (config_mac(s, mac) < 0)
		js_issue(issues, where,
			 "found \"%s\", allowed: a unicast address such as \"02:00:5e:10:00:01\"",
			 s);
}

void check_mtu(struct js_issues *issues, const struct js_where *where, const void *value)
{
	uint32_t mtu = *(const uint32_t *)value;

	if (mtu && mtu < 68) /* RFC 791: what every IPv4 link carries */
		js_issue(issues, where, "found %u, allowed: 0, or 68 to 65535", mtu);
}

void check_reach(struct js_issues *issues, const struct js_where *where, const void *value)
{
	const struct strv *list = value;
	char allowed[64];
	uint64_t ignored;

	for (size_t i = 0; i < list->n; i++)
		if (name_value(config_reach_names, list->v[i], &ignored) < 0)
			js_issue(issues, AT_INDEX(where, i), "found \"%s\", allowed: %s",
				 list->v[i],
				 name_list(config_reach_names, allowed, sizeof(allowed)));
}

/* Is @path the directory @dir or beneath it? */
static bool is_beneath(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return strncmp(path, dir, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

void check_mount_source(struct js_issues *issues, const struct js_where *where, const void *value)
{
	const char *s = string_at(value);

	if (strcmp(s, "tmpfs") != 0 && !path_is_normal(s))
		js_issue(issues, where,
			 "found \"%s\", allowed: \"tmpfs\", or an absolute path without . and ..",
			 s);
}

void check_mount_target(struct js_issues *issues, const struct js_where *where, const void *value)
{
	const char *s = string_at(value);

	if (!path_is_normal(s) || strstr(s, "//") || !s[strspn(s, "/")])
		js_issue(issues, where,
			 "found \"%s\", allowed: an absolute path without // and . and .., not /",
			 s);
	else if (is_beneath(s, "/proc") || is_beneath(s, "/sys") || strcmp(s, "/dev") == 0 ||
		 strcmp(s, "/dev/pts") == 0)
		js_issue(issues, where, "found \"%s\", which the runtime mounts itself", s);
}

void check_device_path(struct js_issues *issues, const struct js_where *where, const void *value)
{
	const char *s = string_at(value);

	if (!path_is_normal(s) || strncmp(s, "/dev/", 5) != 0 || !s[5] || strstr(s, "//") ||
	    is_beneath(s, "/dev/pts"))
		js_issue(issues, where, "found \"%s\", allowed: a node below /dev", s);
}

void check_device_access(struct js_issues *issues, const struct js_where *where, const void *value)
{
	const char *s = string_at(value);
	bool twice = false;

	for (const char *p = s; *p; p++)
		twice |= strchr(p + 1, *p) != NULL;
	if (!*s || s[strspn(s, "rwm")] || twice)
		js_issue(issues, where, "found \"%s\", allowed: letters of \"rwm\"", s);
}

static void check_caps(struct js_issues *issues, const struct js_where *where,
		       const struct strv *list, bool or_all)
{
	for (size_t i = 0; i < list->n; i++) {
		if (or_all && strcmp(list->v[i], "ALL") == 0)
			continue;
		if (caps_from_name(list->v[i]) < 0)
			js_issue(issues, AT_INDEX(where, i),
				 "found \"%s\", allowed: a capability such as \"CAP_NET_ADMIN\"%s",
				 list->v[i], or_all ? ", or \"ALL\"" : "");
	}
}

void check_capabilities(struct js_issues *issues, const struct js_where *where, const void *value)
{
	check_caps(issues, where, value, false);
}

void check_capabilities_or_all(struct js_issues *issues, const struct js_where *where,
			       const void *value)
{
	check_caps(issues, where, value, true);
}

uint64_t config_caps(const struct config *config)
{
	const struct strv *add = &config->capabilities.add, *drop = &config->capabilities.drop;
	uint64_t caps =
		config->profile == PROFILE_SYSTEM ? caps_system_profile() : caps_app_profile;

	for (size_t i = 0; i < drop->n; i++)
		caps &= strcmp(drop->v[i], "ALL") == 0
				? 0
				: ~(UINT64_C(1) << caps_from_name(drop->v[i]));
	for (size_t i = 0; i < add->n; i++)
		caps |= UINT64_C(1) << caps_from_name(add->v[i]);
	return caps;
}

/* What the kernel keeps per IPC, UTS or network namespace; every other sysctl is the host's. */
void check_sysctl(struct js_issues *issues, const struct js_where *where, const void *value)
{
	static const char *const prefixes[] = { "net.", "fs.mqueue." };
	static const char *const names[] = {
		"kernel.domainname", "kernel.msgmax", "kernel.msgmnb",
		"kernel.msgmni",     "kernel.sem",    "kernel.shmall",
		"kernel.shmmax",     "kernel.shmmni", "kernel.shm_rmid_forced",
	};
	const struct strmap *map = value;

	for (size_t i = 0; i < map->n; i++) {
		const char *key = map->v[i].key;
		bool known = false;

		for (size_t k = 0; k < ARRAY_SIZE(prefixes); k++)
			known |= strncmp(key, prefixes[k], strlen(prefixes[k])) == 0 &&
				 key[strlen(prefixes[k])];
		for (size_t k = 0; k < ARRAY_SIZE(names); k++)
			known |= strcmp(key, names[k]) == 0;
		if (strcmp(key, "kernel.hostname") == 0)
			js_issue(issues, AT(where, key), "is set by the key hostname");
		else if (!known || strchr(key, '/') || strstr(key, ".."))
			js_issue(issues, AT(where, key),
				 "is not a setting of the partition's own namespaces, allowed: "
				 "net.*, fs.mqueue.*, kernel.msg*, kernel.sem, kernel.shm*, "
				 "kernel.domainname");
	}
}

void check_signal(struct js_issues *issues, const struct js_where *where, const void *value)
{
	const char *s = string_at(value);

	if (strcmp(s, "auto") != 0 && signame_parse(s) <= 0)
		js_issue(
			issues, where,
			"found \"%s\", allowed: auto, or a signal such as SIGPWR, SIGRTMIN+3 or 15",
			s);
}

static void check_memory(const struct config_memory *m, struct js_issues *issues)
{
	const struct js_where *at = AT(NULL, "memory");
	char a[24], b[24];

	if (m->guarantee.set && m->guarantee.v > m->limit.v)
		js_issue(issues, AT(at, "guarantee"), "%s is above the limit of %s",
			 text_fmt_bytes(a, sizeof(a), m->guarantee.v),
			 text_fmt_bytes(b, sizeof(b), m->limit.v));
	if (m->high.set && m->high.v != UINT64_MAX && m->high.v > m->limit.v)
		js_issue(issues, AT(at, "high"), "%s is above the limit of %s",
			 text_fmt_bytes(a, sizeof(a), m->high.v),
			 text_fmt_bytes(b, sizeof(b), m->limit.v));
	if (m->swap.set && m->swap.v && m->limit.v == UINT64_MAX)
		js_issue(issues, AT(at, "swap"), "needs a limit of memory that is not \"max\"");
}

static void check_cpu(const struct config_cpu *cpu, struct js_issues *issues)
{
	const struct js_where *at = AT(NULL, "cpu");
	uint64_t milli = cpu->limit_milli.set ? cpu->limit_milli.v : UINT64_MAX;

	if (cpu->count.set && cpu->count.v * 1000 < milli)
		milli = cpu->count.v * 1000;
	if (!cpu->burst_ms.set || cpu->burst_ms.v == 0)
		return;
	if (milli == UINT64_MAX)
		js_issue(issues, AT(at, "burst"),
			 "needs a limit or a count of CPUs to burst above");
	else if (cpu->burst_ms.v * 1000 > milli * CPU_PERIOD_MS)
		js_issue(issues, AT(at, "burst"),
			 "%llums is above what the limit gives in a period of %d ms, %llums",
			 (unsigned long long)cpu->burst_ms.v, CPU_PERIOD_MS,
			 (unsigned long long)(milli * CPU_PERIOD_MS / 1000));
}

static void check_gateway_reachable(const struct config_if *ifc, const struct js_where *where,
				    struct js_issues *issues)
{
	for (size_t i = 0; i < ifc->gateways.n; i++) {
		struct net_addr gateway, a;
		bool reachable = false;

		if (!parse_plain_addr(ifc->gateways.v[i], &gateway))
			continue;
		/* A link-local gateway is on every link: RFC 4291 2.5.6. */
		reachable = gateway.family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&gateway.v6);
		for (size_t k = 0; k < ifc->addresses.n; k++) {
			if (!ifc->addresses.v[k] || net_parse_addr(ifc->addresses.v[k], &a) < 0)
				continue;
			reachable |= in_network(&gateway, &a);
			if (same_addr(&gateway, &a))
				js_issue(issues, AT_INDEX(AT(where, "gateways"), i),
					 "%s is the interface's own address", ifc->gateways.v[i]);
		}
		if (!reachable)
			js_issue(issues, AT_INDEX(AT(where, "gateways"), i),
				 "%s is in no network of the interface", ifc->gateways.v[i]);
	}
}

static void check_routed(const struct config_if *ifc, const struct js_where *where,
			 struct js_issues *issues)
{
	if (ifc->bridge)
		js_issue(issues, AT(where, "bridge"), "a routed interface has no bridge");
	if (ifc->gateways.n)
		js_issue(issues, AT(where, "gateways"),
			 "a routed interface has the host as its gateway, leave this out");
	if (ifc->host_gateway.set)
		js_issue(issues, AT(where, "hostGateway"), "a routed interface has no bridge");
	if (ifc->addresses.n == 0)
		js_issue(issues, AT(where, "addresses"), "a routed interface needs an address");
	for (size_t i = 0; i < ifc->addresses.n; i++) {
		struct net_addr a;

		if (ifc->addresses.v[i] && net_parse_addr(ifc->addresses.v[i], &a) == 0 &&
		    a.prefix != addr_bits(&a))
			js_issue(
				issues, AT_INDEX(AT(where, "addresses"), i),
				"found \"%s\", allowed: a single address, so without prefix length",
				ifc->addresses.v[i]);
	}
}

static void check_interface(const struct config_if *ifc, const struct js_where *where,
			    struct js_issues *issues)
{
	if (ifc->mode == NET_ROUTED)
		check_routed(ifc, where, issues);
	else
		check_gateway_reachable(ifc, where, issues);
	for (size_t i = 0; ifc->mtu && ifc->mtu < 1280 && i < ifc->addresses.n; i++) {
		if (!ifc->addresses.v[i] || !strchr(ifc->addresses.v[i], ':'))
			continue;
		js_issue(issues, AT(where, "mtu"), "%u is below the 1280 that IPv6 needs",
			 ifc->mtu);
		break;
	}
}

/* Does @address occur before element @end of interface @last? */
static bool has_addr_before(const struct config_network *net, size_t last, size_t end,
			    const struct net_addr *address)
{
	const struct config_if *ifs = net->interfaces.v;

	for (size_t i = 0; i <= last; i++) {
		size_t n = i == last ? end : ifs[i].addresses.n;

		for (size_t k = 0; k < n; k++) {
			struct net_addr a;

			if (ifs[i].addresses.v[k] &&
			    net_parse_addr(ifs[i].addresses.v[k], &a) == 0 &&
			    same_addr(&a, address))
				return true;
		}
	}
	return false;
}

static void check_network(const struct config_network *net, struct js_issues *issues)
{
	const struct js_where *at = AT(AT(NULL, "network"), "interfaces");
	const struct config_if *ifs = net->interfaces.v;

	if (net->mode != CONFIG_NET_PRIVATE && net->interfaces.n)
		js_issue(issues, at, "need network.mode private");
	for (size_t i = 0; i < net->interfaces.n; i++) {
		const struct js_where *here = AT_INDEX(at, i);

		check_interface(&ifs[i], here, issues);
		for (size_t k = 0; k < i && ifs[i].name; k++)
			if (ifs[k].name && strcmp(ifs[k].name, ifs[i].name) == 0)
				js_issue(issues, AT(here, "name"), "\"%s\" is taken by another",
					 ifs[i].name);
		for (size_t k = 0; k < ifs[i].addresses.n; k++) {
			struct net_addr a;

			if (ifs[i].addresses.v[k] &&
			    net_parse_addr(ifs[i].addresses.v[k], &a) == 0 &&
			    has_addr_before(net, i, k, &a))
				js_issue(issues, AT_INDEX(AT(here, "addresses"), k),
					 "\"%s\" is given twice", ifs[i].addresses.v[k]);
		}
	}
}

/* Options that a partition's owner may ask for; "shared", "dev" and "suid" are not among them. */
static bool is_mount_option(const char *option, bool is_tmpfs)
{
	static const char *const flags[] = {
		"noexec", "exec",  "noatime", "relatime", "nodiratime",
		"nosuid", "nodev", "ro",      "rw",	  "nosymfollow"
	};
	static const char *const bind[] = { "bind",  "rbind",  "private", "rprivate",
					    "slave", "rslave", "idmap",	  "ridmap" };
	static const char *const tmpfs[] = { "size=", "nr_inodes=", "mode=", "uid=", "gid=" };

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (strcmp(option, flags[i]) == 0)
			return true;
	for (size_t i = 0; !is_tmpfs && i < ARRAY_SIZE(bind); i++)
		if (strcmp(option, bind[i]) == 0)
			return true;
	for (size_t i = 0; is_tmpfs && i < ARRAY_SIZE(tmpfs); i++)
		if (strncmp(option, tmpfs[i], strlen(tmpfs[i])) == 0)
			return !strchr(option, ',') && option[strlen(tmpfs[i])];
	return false;
}

static void check_mounts(const struct config *config, struct js_issues *issues)
{
	const struct config_mount *mounts = config->mounts.v;

	for (size_t i = 0; i < config->mounts.n; i++) {
		const struct config_mount *m = &mounts[i];
		const struct js_where *at = AT_INDEX(AT(NULL, "mounts"), i);
		bool is_tmpfs = m->source && strcmp(m->source, "tmpfs") == 0;

		for (size_t k = 0; k < i && m->target; k++)
			if (mounts[k].target && strcmp(mounts[k].target, m->target) == 0)
				js_issue(issues, AT(at, "target"), "\"%s\" is mounted twice",
					 m->target);
		for (size_t k = 0; k < m->options.n; k++)
			if (m->options.v[k] && !is_mount_option(m->options.v[k], is_tmpfs))
				js_issue(issues, AT_INDEX(AT(at, "options"), k),
					 "found \"%s\", which a %s does not take", m->options.v[k],
					 is_tmpfs ? "tmpfs" : "mounted path");
	}
}

static void check_devices(const struct config *config, struct js_issues *issues)
{
	const struct config_device *devices = config->devices.v;

	for (size_t i = 0; i < config->devices.n; i++)
		for (size_t k = 0; k < i && devices[i].path; k++)
			if (devices[k].path && strcmp(devices[k].path, devices[i].path) == 0)
				js_issue(issues, AT(AT_INDEX(AT(NULL, "devices"), i), "path"),
					 "\"%s\" is given twice", devices[i].path);
}

static void check_security(const struct config *config, struct js_issues *issues)
{
	const struct js_where *at = AT(NULL, "security");
	const struct strv *add = &config->capabilities.add, *drop = &config->capabilities.drop;

	if (!config->security.userns && config->profile == PROFILE_SYSTEM)
		js_issue(issues, AT(at, "userns"),
			 "a system needs a user namespace: its root would be the host's");
	if (!config->security.userns && config->security.nesting)
		js_issue(issues, AT(at, "nesting"), "needs security.userns");
	for (size_t i = 0; i < add->n; i++)
		for (size_t k = 0; k < drop->n; k++)
			if (add->v[i] && drop->v[k] && caps_from_name(add->v[i]) >= 0 &&
			    caps_from_name(add->v[i]) == caps_from_name(drop->v[k]))
				js_issue(issues, AT_INDEX(AT(AT(NULL, "capabilities"), "add"), i),
					 "\"%s\" is dropped too", add->v[i]);
	for (size_t i = 0; config->network.mode == CONFIG_NET_HOST && i < config->sysctl.n; i++)
		if (strncmp(config->sysctl.v[i].key, "net.", 4) == 0)
			js_issue(issues, AT(AT(NULL, "sysctl"), config->sysctl.v[i].key),
				 "would change the host: network.mode is host");
}

/* Are the values below @section free of issues? What depends on a bad one cannot be judged. */
static bool is_sound(const struct js_issues *issues, const char *section)
{
	size_t len = strlen(section);

	for (size_t i = 0; i < issues->n; i++)
		if (strncmp(issues->v[i].path, section, len) == 0)
			return false;
	return true;
}

void config_check(const struct config *config, struct js_issues *issues)
{
	if (is_sound(issues, "memory"))
		check_memory(&config->memory, issues);
	if (is_sound(issues, "cpu"))
		check_cpu(&config->cpu, issues);
	check_network(&config->network, issues);
	check_mounts(config, issues);
	check_devices(config, issues);
	check_security(config, issues);
}
