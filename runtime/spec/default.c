/* SPDX-License-Identifier: Apache-2.0 */
/* The config.json to begin with (`ctr spec`): a shell on a terminal, confined as engines do it. */
#include "runtime/spec/spec.h"

#include "base/own.h"

#include <string.h>

/* clang-format off */
static const char document[] =
"{ \"ociVersion\": \"1.3.0\","
"  \"process\": {"
"    \"terminal\": true,"
"    \"user\": { \"uid\": 0, \"gid\": 0 },"
"    \"args\": [\"sh\"],"
"    \"env\": [\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\", \"TERM=xterm\"],"
"    \"cwd\": \"/\","
"    \"capabilities\": {"
"      \"bounding\":  [\"CAP_AUDIT_WRITE\", \"CAP_KILL\", \"CAP_NET_BIND_SERVICE\"],"
"      \"effective\": [\"CAP_AUDIT_WRITE\", \"CAP_KILL\", \"CAP_NET_BIND_SERVICE\"],"
"      \"permitted\": [\"CAP_AUDIT_WRITE\", \"CAP_KILL\", \"CAP_NET_BIND_SERVICE\"] },"
"    \"rlimits\": [{ \"type\": \"RLIMIT_NOFILE\", \"hard\": 1024, \"soft\": 1024 }],"
"    \"noNewPrivileges\": true },"
"  \"root\": { \"path\": \"rootfs\", \"readonly\": true },"
"  \"hostname\": \"ctr\","
"  \"mounts\": ["
"    { \"destination\": \"/proc\", \"type\": \"proc\", \"source\": \"proc\" },"
"    { \"destination\": \"/dev\", \"type\": \"tmpfs\", \"source\": \"tmpfs\","
"      \"options\": [\"nosuid\", \"strictatime\", \"mode=755\", \"size=65536k\"] },"
"    { \"destination\": \"/dev/pts\", \"type\": \"devpts\", \"source\": \"devpts\","
"      \"options\": [\"nosuid\", \"noexec\", \"newinstance\", \"ptmxmode=0666\", \"mode=0620\", \"gid=5\"] },"
"    { \"destination\": \"/dev/shm\", \"type\": \"tmpfs\", \"source\": \"shm\","
"      \"options\": [\"nosuid\", \"noexec\", \"nodev\", \"mode=1777\", \"size=65536k\"] },"
"    { \"destination\": \"/dev/mqueue\", \"type\": \"mqueue\", \"source\": \"mqueue\","
"      \"options\": [\"nosuid\", \"noexec\", \"nodev\"] },"
"    { \"destination\": \"/sys\", \"type\": \"sysfs\", \"source\": \"sysfs\","
"      \"options\": [\"nosuid\", \"noexec\", \"nodev\", \"ro\"] },"
"    { \"destination\": \"/sys/fs/cgroup\", \"type\": \"cgroup\", \"source\": \"cgroup\","
"      \"options\": [\"nosuid\", \"noexec\", \"nodev\", \"relatime\", \"ro\"] }],"
"  \"linux\": {"
"    \"resources\": { \"devices\": [{ \"allow\": false, \"access\": \"rwm\" }] },"
"    \"namespaces\": [{ \"type\": \"pid\" }, { \"type\": \"network\" }, { \"type\": \"ipc\" },"
"      { \"type\": \"uts\" }, { \"type\": \"mount\" }, { \"type\": \"cgroup\" }],"
"    \"maskedPaths\": [\"/proc/acpi\", \"/proc/asound\", \"/proc/kcore\", \"/proc/keys\","
"      \"/proc/latency_stats\", \"/proc/timer_list\", \"/proc/timer_stats\", \"/proc/sched_debug\","
"      \"/proc/scsi\", \"/sys/firmware\", \"/sys/devices/virtual/powercap\"],"
"    \"readonlyPaths\": [\"/proc/bus\", \"/proc/fs\", \"/proc/irq\", \"/proc/sys\","
"      \"/proc/sysrq-trigger\"] } }";
/* clang-format on */

/* An ordinary user has one id to map, no group 5, and no network namespace that would lead
 * anywhere; the host's sysfs is then the only one that may be seen. */
static int make_rootless(json_t *doc, uint32_t uid, uint32_t gid)
{
	json_t *linux_ = json_object_get(doc, "linux"), *mounts = json_object_get(doc, "mounts");
	json_t *namespaces = json_object_get(linux_, "namespaces"), *one;
	size_t i;
	int r = 0;

	json_array_foreach(namespaces, i, one) {
		json_t *type = json_object_get(one, "type");

		if (strcmp(json_string_value(type), "network") == 0)
			r |= json_string_set(type, "user");
	}
	json_array_foreach(mounts, i, one) {
		json_t *options = json_object_get(one, "options");
		const char *at = json_string_value(json_object_get(one, "destination"));

		if (strcmp(at, "/dev/pts") == 0)
			r |= json_array_remove(options, json_array_size(options) - 1);
		if (strcmp(at, "/sys") == 0)
			r |= json_object_update_new(one, json_pack("{s:s, s:s, s:[s,s,s,s,s]}",
								   "type", "none", "source", "/sys",
								   "options", "rbind", "nosuid",
								   "noexec", "nodev", "ro"));
	}
	r |= json_object_del(linux_, "resources");
	r |= json_object_set_new(linux_, "uidMappings",
				 json_pack("[{s:i, s:I, s:i}]", "containerID", 0, "hostID",
					   (json_int_t)uid, "size", 1));
	r |= json_object_set_new(linux_, "gidMappings",
				 json_pack("[{s:i, s:I, s:i}]", "containerID", 0, "hostID",
					   (json_int_t)gid, "size", 1));
	return r;
}

/* The last of the namespaces, where controllers have hierarchies of their own: what a container is
 * told of those by its paths there would all be "/". */
static int drop_cgroup_namespace(json_t *doc)
{
	json_t *list = json_object_get(json_object_get(doc, "linux"), "namespaces");

	return json_array_remove(list, json_array_size(list) - 1);
}

json_t *spec_default(bool rootless, bool unified, uint32_t uid, uint32_t gid)
{
	own_json json_t *doc = json_loads(document, 0, NULL);

	if (!doc || (!unified && drop_cgroup_namespace(doc) < 0) ||
	    (rootless && make_rootless(doc, uid, gid) < 0))
		return NULL;
	return take_ptr(doc);
}
