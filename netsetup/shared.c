/* SPDX-License-Identifier: Apache-2.0 */
/* The record of what containers share on the host: bridges, gateway addresses, sysctls, tables. */
#include "netsetup/shared_internal.h"

#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "netsetup/addr_internal.h"
#include "netsetup/link_internal.h"
#include "netsetup/route_internal.h"
#include "netsetup/rules_internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

static const char record_name[] = "net", temp_name[] = "net.new", lock_name[] = "net.lock";

enum { RECORD_MAX = 16 * 1024 * 1024 };

struct item {
	const struct kind *kind;
	const char *name, *value;
	struct strv users;
};

struct shared {
	const struct host *host;
	const char *id;
	int dirfd;
	struct arena arena;
	struct item *items;
	size_t count;
	bool changed;
};

/* A kind of shared thing. Each make and restore works from any state, any number of times. */
struct kind {
	const char *name;
	int (*make)(struct shared *s, const struct item *item, struct err *e);
	int (*restore)(struct shared *s, const struct item *item, struct err *e);
};

/*
 * Sysctls. /proc/sys/net shows those of the reader's network namespace.
 */

struct sysctl_value {
	char old[16], new[16];
};

static int sysctl_path(const char *name, char *buf, size_t size)
{
	if ((size_t)snprintf(buf, size, "/proc/sys/%s", name) >= size)
		return -ENAMETOOLONG;
	return 0;
}

static int sysctl_get(const char *name, char *buf, size_t size)
{
	char path[192];
	int r = sysctl_path(name, path, sizeof(path));
	ssize_t n = r < 0 ? r : file_read(AT_FDCWD, path, buf, size);

	return n < 0 ? (int)n : 0;
}

static int sysctl_set(const char *name, const char *value, struct err *e)
{
	char path[192];
	int r = sysctl_path(name, path, sizeof(path));

	if (r == 0)
		r = file_write(AT_FDCWD, path, value);
	return r < 0 ? err_set(e, r, "set sysctl '%s' to '%s'", name, value) : 0;
}

static int sysctl_value(const struct item *item, struct sysctl_value *ret, struct err *e)
{
	const char *sep = strchr(item->value, '>');

	if (!sep || (size_t)(sep - item->value) >= sizeof(ret->old) ||
	    strlen(sep + 1) >= sizeof(ret->new))
		return err_say(e, -EBADMSG, "the record of sysctl '%s' is damaged", item->name);
	memcpy(ret->old, item->value, (size_t)(sep - item->value));
	ret->old[sep - item->value] = '\0';
	memcpy(ret->new, sep + 1, strlen(sep + 1) + 1);
	return 0;
}

static int sysctl_make(struct shared *s, const struct item *item, struct err *e)
{
	struct sysctl_value value;
	char now[16];
	int r = sysctl_value(item, &value, e);

	(void)s;
	if (r < 0)
		return r;
	if (strcmp(value.old, value.new) == 0)
		return 0; /* the kernel's to change, with the global switch; ours to restore */
	r = sysctl_get(item->name, now, sizeof(now));
	if (r == -ENOENT)
		return 0; /* an interface that has gone since */
	if (r < 0)
		return err_set(e, r, "read sysctl '%s'", item->name);
	return strcmp(now, value.new) == 0 ? 0 : sysctl_set(item->name, value.new, e);
}

static int sysctl_restore(struct shared *s, const struct item *item, struct err *e)
{
	struct sysctl_value value;
	char now[16];
	int r = sysctl_value(item, &value, e);

	(void)s;
	if (r < 0)
		return r;
	r = sysctl_get(item->name, now, sizeof(now));
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_set(e, r, "read sysctl '%s'", item->name);
	if (strcmp(now, value.old) == 0)
		return 0;
	/* Neither old nor ours: somebody else has decided since. A line with old = new is a
	 * value that the kernel changes along with the global switch. */
	if (strcmp(now, value.new) != 0 && strcmp(value.old, value.new) != 0)
		return 0;
	return sysctl_set(item->name, value.old, e);
}

static int bridge_make(struct shared *s, const struct item *item, struct err *e)
{
	struct nl *nl = s->host->route;
	struct net_addr link_local;
	struct link_info link;
	int r;

	link_add_bridge(nl, item->name);
	nl_accept(nl, EEXIST);
	r = nl_run(nl, NULL, NULL, e);
	if (r == 0)
		r = link_get(nl, item->name, &link, e);
	if (r < 0)
		return r == -ENODEV ? err_set(e, r, "bridge '%s'", item->name) : r;
	/* The kernel would form the same one, but first ask the empty bridge for a second whether
	 * anybody has it, and meanwhile not look for the neighbours that it has packets for. */
	link_local = addr_link_local(link.mac);
	route_add_addr(nl, link.index, &link_local);
	nl_accept(nl, EOPNOTSUPP);
	nl_accept(nl, EACCES);
	link_up(nl, item->name);
	return nl_run(nl, NULL, NULL, e);
}

static int bridge_restore(struct shared *s, const struct item *item, struct err *e)
{
	struct link_info link;
	uint8_t mac[6];
	int r = link_get(s->host->route, item->name, &link, e);

	if (r == -ENODEV)
		return 0;
	if (r < 0)
		return r;
	addr_bridge_mac(item->name, mac);
	/* The line is written before the bridge is made, so another one may have taken the name. */
	if (strcmp(link.kind, "bridge") != 0 || memcmp(link.mac, mac, sizeof(mac)) != 0)
		return 0;
	r = link_has_ports(s->host->route, link.index, e);
	if (r)
		return r < 0 ? r : 0; /* ports that are not ours: the bridge is now theirs */
	link_del(s->host->route, item->name);
	return nl_run(s->host->route, NULL, NULL, e);
}

static int addr_make(struct shared *s, const struct item *item, struct err *e)
{
	struct link_info link;
	struct net_addr a;
	int r = net_parse_addr(item->value, &a);

	if (r == 0)
		r = link_get(s->host->route, item->name, &link, e);
	if (r < 0)
		return err_set(e, r, "add gateway '%s' to bridge '%s'", item->value, item->name);
	route_add_addr(s->host->route, link.index, &a);
	return nl_run(s->host->route, NULL, NULL, e);
}

static int addr_restore(struct shared *s, const struct item *item, struct err *e)
{
	struct link_info link;
	struct net_addr a;
	int r;

	if (net_parse_addr(item->value, &a) < 0)
		return err_say(e, -EBADMSG, "the record of bridge '%s' is damaged", item->name);
	r = link_get(s->host->route, item->name, &link, e);
	if (r < 0)
		return r == -ENODEV ? 0 : r;
	route_del_addr(s->host->route, link.index, &a);
	return nl_run(s->host->route, NULL, NULL, e);
}

static int table_of(const struct item *item, enum rules_table *ret, struct err *e)
{
	for (size_t i = 0; i < RULES_TABLES; i++)
		if (strcmp(item->name, rules_table_name((enum rules_table)i)) == 0) {
			*ret = (enum rules_table)i;
			return 0;
		}
	return err_say(e, -EBADMSG, "the record names an unknown packet table '%s'", item->name);
}

static int table_make(struct shared *s, const struct item *item, struct err *e)
{
	enum rules_table table = RULES_INET;
	int r = table_of(item, &table, e);

	return r < 0 ? r : rules_make(s->host->nft, table, e);
}

static int table_restore(struct shared *s, const struct item *item, struct err *e)
{
	enum rules_table table = RULES_INET;
	int r = table_of(item, &table, e);

	return r < 0 ? r : rules_remove(s->host->nft, table, e);
}

enum { KIND_SYSCTL, KIND_BRIDGE, KIND_ADDR, KIND_TABLE, KINDS };

/* clang-format off */
static const struct kind kinds[] = {
	[KIND_SYSCTL]	= { "sysctl", sysctl_make, sysctl_restore },
	[KIND_BRIDGE]	= { "bridge", bridge_make, bridge_restore },
	[KIND_ADDR]	= { "addr", addr_make, addr_restore },
	[KIND_TABLE]	= { "table", table_make, table_restore },
};
/* clang-format on */
_Static_assert(ARRAY_SIZE(kinds) == KINDS, "each kind has a row");

/*
 * The file.
 */

static int read_line(struct shared *s, char *line)
{
	char *save = NULL, *kind = strtok_r(line, " ", &save), *name = strtok_r(NULL, " ", &save),
	     *value = strtok_r(NULL, " ", &save);
	struct item *item;

	if (!value)
		return -EBADMSG;
	item = arena_grow(&s->arena, &s->items, &s->count, sizeof(*item));
	if (!item)
		return -ENOMEM;
	for (size_t i = 0; i < KINDS; i++)
		if (strcmp(kind, kinds[i].name) == 0)
			item->kind = &kinds[i];
	if (!item->kind)
		return -EBADMSG;
	item->name = name;
	item->value = value;
	for (char *user; (user = strtok_r(NULL, " ", &save));) {
		char **slot = arena_grow(&s->arena, &item->users.v, &item->users.n, sizeof(*slot));

		if (!slot)
			return -ENOMEM;
		*slot = user;
	}
	return 0;
}

static int load(struct shared *s, struct err *e)
{
	own_free char *data = NULL;
	char *copy, *save = NULL;
	ssize_t n = file_load(s->dirfd, record_name, RECORD_MAX, &data);

	if (n == -ENOENT)
		return 0;
	if (n < 0)
		return err_set(e, (int)n, "read the record of shared network parts");
	copy = arena_strdup(&s->arena, data);
	if (!copy)
		return err_set(e, -ENOMEM, "read the record of shared network parts");
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		int r = read_line(s, line);

		if (r < 0)
			return err_set(e, r, "read the record of shared network parts");
	}
	return 0;
}

static int store(struct shared *s, struct err *e)
{
	own_text struct text t = { 0 };
	int r = 0;

	if (!s->changed)
		return 0;
	for (size_t i = 0; i < s->count; i++) {
		const struct item *item = &s->items[i];

		if (!item->users.n)
			continue;
		text_addf(&t, "%s %s %s", item->kind->name, item->name, item->value);
		for (size_t u = 0; u < item->users.n; u++)
			text_addf(&t, " %s", item->users.v[u]);
		text_add(&t, "\n");
	}
	if (text_failed(&t))
		r = -ENOMEM;
	else if (t.len)
		r = file_replace(s->dirfd, record_name, t.data, t.len, 0600, FILE_NOSYNC);
	else if (unlinkat(s->dirfd, record_name, 0) < 0 && errno != ENOENT)
		r = -errno;
	if (r < 0)
		return err_set(e, r, "write the record of shared network parts");
	s->changed = false;
	return 0;
}

static struct item *find(struct shared *s, const struct kind *kind, const char *name,
			 const char *value)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->items[i].kind == kind && strcmp(s->items[i].name, name) == 0 &&
		    (!value || strcmp(s->items[i].value, value) == 0))
			return &s->items[i];
	return NULL;
}

static ssize_t user_index(const struct item *item, const char *id)
{
	for (size_t i = 0; i < item->users.n; i++)
		if (strcmp(item->users.v[i], id) == 0)
			return (ssize_t)i;
	return -1;
}

static int use(struct shared *s, struct item *item)
{
	char **slot;

	if (user_index(item, s->id) >= 0)
		return 0;
	slot = arena_grow(&s->arena, &item->users.v, &item->users.n, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	*slot = arena_strdup(&s->arena, s->id);
	s->changed = true;
	return *slot ? 0 : -ENOMEM;
}

static int want(struct shared *s, const struct kind *kind, const char *name, const char *value)
{
	struct item *item = find(s, kind, name, kind == &kinds[KIND_ADDR] ? value : NULL);

	if (!item) {
		item = arena_grow(&s->arena, &s->items, &s->count, sizeof(*item));
		if (!item)
			return -ENOMEM;
		*item = (struct item){ .kind = kind,
				       .name = arena_strdup(&s->arena, name),
				       .value = arena_strdup(&s->arena, value) };
		if (!item->name || !item->value)
			return -ENOMEM;
	}
	return use(s, item);
}

/*
 * What a container shares.
 */

static int want_sysctl(struct shared *s, const char *name, const char *old, const char *new)
{
	char value[40];

	(void)snprintf(value, sizeof(value), "%s>%s", old, new); /* short by sysctl_get */
	return want(s, &kinds[KIND_SYSCTL], name, value);
}

struct forwarding {
	const char *prefix, *global, *interfaces;
};

/* clang-format off */
static const struct forwarding forwardings[] = {
	{ "net/ipv4/", "net/ipv4/ip_forward", "net/ipv4/conf" },
	{ "net/ipv6/", "net/ipv6/conf/all/forwarding", "net/ipv6/conf" },
};
/* clang-format on */

/*
 * The global IPv6 switch makes the host a router on every link: it drops the default routes that
 * it had by router advertisements, and ignores new ones, except where accept_ra is 2. Links with 1
 * get 2, so that the host keeps its uplink. Both global switches write the forwarding of every
 * link, off as well as on, so those that were on by themselves are recorded too.
 */
static int want_interface(struct shared *s, const struct forwarding *f, const char *ifname)
{
	char name[128], now[16];
	bool forwards;
	int r;

	(void)snprintf(name, sizeof(name), "%s/%.64s/forwarding", f->interfaces, ifname);
	if (sysctl_get(name, now, sizeof(now)) < 0)
		return 0; /* gone in this moment */
	forwards = strcmp(now, "1") == 0;
	if (forwards) {
		r = want_sysctl(s, name, "1", "1");
		if (r < 0)
			return r;
	}
	if (f != &forwardings[1] || forwards || strcmp(ifname, "default") == 0 ||
	    strcmp(ifname, "lo") == 0)
		return 0;
	(void)snprintf(name, sizeof(name), "%s/%.64s/accept_ra", f->interfaces, ifname);
	if (sysctl_get(name, now, sizeof(now)) < 0 || strcmp(now, "1") != 0)
		return 0;
	return want_sysctl(s, name, "1", "2");
}

static int want_forwarding(struct shared *s, const struct forwarding *f, struct err *e)
{
	char path[64], now[16];
	own_dir DIR *dir = NULL;
	const struct dirent *entry;
	int r;

	if (find(s, &kinds[KIND_SYSCTL], f->global, NULL)) {
		for (size_t i = 0; i < s->count; i++) {
			struct item *item = &s->items[i];

			if (item->kind != &kinds[KIND_SYSCTL] ||
			    strncmp(item->name, f->prefix, strlen(f->prefix)) != 0)
				continue;
			r = use(s, item);
			if (r < 0)
				return err_set(e, r, "record the use of '%s'", item->name);
		}
		return 0;
	}
	r = sysctl_get(f->global, now, sizeof(now));
	if (r < 0)
		return err_set(e, r, "read sysctl '%s'", f->global);
	if (strcmp(now, "1") == 0)
		return 0; /* the host was a router before us */
	(void)snprintf(path, sizeof(path), "/proc/sys/%s", f->interfaces);
	dir = opendir(path);
	if (!dir)
		return err_set(e, -errno, "open '%s'", path);
	while (r == 0 && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, "all") != 0)
			r = want_interface(s, f, entry->d_name);
	/* The IPv4 switch also sets accept_redirects to its contrary, and would leave it on. */
	if (r == 0 && f == &forwardings[0]) {
		char redirects[16];

		r = sysctl_get("net/ipv4/conf/all/accept_redirects", redirects, sizeof(redirects));
		if (r == 0)
			r = want_sysctl(s, "net/ipv4/conf/all/accept_redirects", redirects,
					redirects);
	}
	/* Last: they are made in this order and restored in reverse. */
	if (r == 0)
		r = want_sysctl(s, f->global, now, "1");
	return r < 0 ? err_set(e, r, "record sysctl '%s'", f->global) : 0;
}

static bool has_family(const struct net_if *nif, int family)
{
	for (size_t i = 0; i < nif->addr_count; i++)
		if (nif->addrs[i].family == family)
			return true;
	return false;
}

/* Does the host have to route for it? A bridge whose gateway is another machine needs it not. */
static bool needs_forwarding(const struct net_if *nif, int family)
{
	if (!has_family(nif, family))
		return false;
	if (nif->mode == NET_ROUTED)
		return nif->reach_peers || nif->reach_outside || nif->nat;
	return nif->nat || (nif->host_owns_gateway && nif->reach_outside);
}

struct net_addr shared_gateway(const struct net_if *nif, const struct net_addr *gateway)
{
	struct net_addr a = *gateway;

	if (a.prefix < addr_len(a.family) * 8)
		return a;
	for (size_t i = 0; i < nif->addr_count; i++)
		if (addr_in_network(gateway, &nif->addrs[i]))
			a.prefix = nif->addrs[i].prefix;
	return a;
}

static int want_gateway(struct shared *s, const struct net_if *nif, const struct net_addr *gateway,
			int bridge_index, struct err *e)
{
	struct net_addr a;
	char text[64];
	int r;

	if (!gateway->family)
		return 0;
	a = shared_gateway(nif, gateway);
	(void)net_format_addr(&a, true, text, sizeof(text));
	/* An address that was on the bridge before any of ours is not ours to remove. */
	if (bridge_index && !find(s, &kinds[KIND_ADDR], nif->bridge, text)) {
		r = route_has_addr(s->host->route, bridge_index, &a, e);
		if (r)
			return r < 0 ? r : 0;
	}
	r = want(s, &kinds[KIND_ADDR], nif->bridge, text);
	return r < 0 ? err_set(e, r, "record gateway '%s'", text) : 0;
}

static int want_bridge(struct shared *s, const struct net_if *nif, struct err *e)
{
	struct link_info link = { 0 };
	int r = link_get(s->host->route, nif->bridge, &link, e);

	if (r < 0 && r != -ENODEV)
		return r;
	if (r == -ENODEV || find(s, &kinds[KIND_BRIDGE], nif->bridge, NULL)) {
		r = want(s, &kinds[KIND_BRIDGE], nif->bridge, "-");
		if (r < 0)
			return err_set(e, r, "record bridge '%s'", nif->bridge);
	}
	if (!nif->host_owns_gateway)
		return 0;
	r = want_gateway(s, nif, &nif->gateway4, link.index, e);
	return r < 0 ? r : want_gateway(s, nif, &nif->gateway6, link.index, e);
}

static int want_all(struct shared *s, const struct net_config *net, struct err *e)
{
	static const int families[] = { AF_INET, AF_INET6 };
	int r = 0;

	/* Forwarding first, so that it is also restored last: the kernel adds the anycast address
	 * of a router twice when the switch and a new IPv6 address come together, and removes it
	 * once. */
	for (size_t i = 0; i < net->if_count; i++)
		for (size_t f = 0; f < ARRAY_SIZE(families) && r == 0; f++)
			if (needs_forwarding(&net->ifs[i], families[f]))
				r = want_forwarding(s, &forwardings[f], e);
	for (size_t i = 0; i < RULES_TABLES && r == 0; i++) {
		if (!rules_need(net, (enum rules_table)i))
			continue;
		r = want(s, &kinds[KIND_TABLE], rules_table_name((enum rules_table)i), "-");
		if (r < 0)
			return err_set(e, r, "record the packet tables");
	}
	for (size_t i = 0; i < net->if_count && r == 0; i++)
		if (net->ifs[i].mode == NET_BRIDGE)
			r = want_bridge(s, &net->ifs[i], e);
	return r;
}

static int open_shared(struct shared *s, int *ret_lock, struct err *e)
{
	int lock = file_lock(s->dirfd, lock_name, true);

	if (lock < 0)
		return err_set(e, lock, "lock the record of shared network parts");
	*ret_lock = lock;
	return load(s, e);
}

static void shared_done(struct shared *s)
{
	arena_done(&s->arena);
}

int shared_apply(const struct host *host, const struct net_config *net, int dirfd, struct err *e)
{
	__attribute__((cleanup(shared_done))) struct shared s = { .host = host,
								  .id = net->id,
								  .dirfd = dirfd };
	own_fd int lock = -EBADF;
	int r;

	if (!net->if_count)
		return 0;
	r = open_shared(&s, &lock, e);
	if (r == 0)
		r = want_all(&s, net, e);
	if (r == 0)
		r = store(&s, e);
	for (size_t i = 0; i < s.count && r == 0; i++)
		if (user_index(&s.items[i], s.id) >= 0)
			r = s.items[i].kind->make(&s, &s.items[i], e);
	return r < 0 ? r : rules_add(host->nft, net, e);
}

/* Let go of one thing: as its last user restore it, else take out what is ours alone. */
static int release(struct shared *s, const struct net_config *net, struct item *item, struct err *e)
{
	ssize_t at = user_index(item, s->id);
	enum rules_table table = RULES_INET;
	int r = 0;

	if (at < 0)
		return 0;
	if (item->users.n == 1)
		r = item->kind->restore(s, item, e);
	else if (item->kind == &kinds[KIND_TABLE] && table_of(item, &table, e) == 0)
		r = rules_del(s->host->nft, net, table, e);
	if (r < 0)
		return r;
	item->users.n--;
	memmove(&item->users.v[at], &item->users.v[at + 1],
		(item->users.n - (size_t)at) * sizeof(*item->users.v));
	s->changed = true;
	return 0;
}

int shared_undo(const struct host *host, const struct net_config *net, int dirfd, struct err *e)
{
	__attribute__((cleanup(shared_done))) struct shared s = { .host = host,
								  .id = net->id,
								  .dirfd = dirfd };
	own_fd int lock = -EBADF;
	int result, r;

	if (!net->if_count)
		return 0;
	result = open_shared(&s, &lock, e);
	if (result < 0)
		return result;
	for (size_t i = s.count; i-- > 0;) {
		r = release(&s, net, &s.items[i], result ? NULL : e);
		if (r < 0 && !result)
			result = r;
	}
	r = store(&s, result ? NULL : e);
	(void)unlinkat(dirfd, temp_name, 0); /* what a killed writer left; mostly there is none */
	return result ? result : r;
}
