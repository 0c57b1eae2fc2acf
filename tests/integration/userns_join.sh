#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq
# about: a container joins the user namespace of another one, alone or with what belongs to it
# vm: no
. "$SOURCE/tests/support/lib.sh"

a=$P-a b=$P-b
mkdir "$T/bundle"
cp -a "$ROOTFS" "$T/bundle/rootfs"
chown -R 700000:800000 "$T/bundle/rootfs"
maps='linux.uidMappings = [{ containerID: 0, hostID: 700000, size: 65536 }] | .linux.gidMappings = [{ containerID: 0, hostID: 800000, size: 65536 }]'
# bundle [FILTER]: writes the bundle's config.json
bundle() {
	jq -n '{ ociVersion: "1.2.0", root: { path: "rootfs" },
		process: { cwd: "/", user: { uid: 0, gid: 0 }, args: ["/bin/payload", "init"],
			env: ["PATH=/bin:/sbin:/usr/bin:/usr/sbin"],
			capabilities: { bounding: ["CAP_KILL"], effective: ["CAP_KILL"], permitted: ["CAP_KILL"] } },
		mounts: [
			{ destination: "/proc", type: "proc", source: "proc" },
			{ destination: "/dev", type: "tmpfs", source: "tmpfs" },
			{ destination: "/dev/mqueue", type: "mqueue", source: "mqueue" },
			{ destination: "/sys", type: "sysfs", source: "sysfs", options: ["ro"] } ],
		linux: { namespaces: [{ type: "pid" }, { type: "mount" }, { type: "ipc" }, { type: "uts" }, { type: "network" }, { type: "user" }],
			resources: { devices: [{ allow: false, access: "rwm" }] } } }'" | .$maps | ${1:-.}" >"$T/bundle/config.json"
}
# join TYPE...: a filter that joins these of the container whose init is $pid
join() {
	printf '.linux.namespaces |= map(if .type as $t | '
	printf '"%s" == $t or ' "$@"
	printf 'false then .path = "/proc/%d/ns/" + (if .type == "network" then "net" else .type end) else . end)' "$pid"
}
no_maps='| del(.linux.uidMappings, .linux.gidMappings)'
# shellcheck disable=SC2016 # the container's shell expands it
show='| .process.args = ["sh", "-c", "cat /proc/self/uid_map; for n in user net ipc; do readlink /proc/self/ns/$n; done; id -u; stat -c %u /bin; echo x >/dev/null"]'

bundle
ctr run -d -b "$T/bundle" "$a"
pid=$(init_pid "$a")
user=$(readlink "/proc/$pid/ns/user") net=$(readlink "/proc/$pid/ns/net") ipc=$(readlink "/proc/$pid/ns/ipc")
step 'the user namespace alone'
bundle "$(join user) $no_maps $show"
out=$(ctr run -b "$T/bundle" "$b" </dev/null | xargs)
eq "${out%% net:*}" "0 700000 65536 $user" 'joined user namespace'
eq "${out##*] }" '0 0' 'root inside, and the owner of its root'
[[ $out != *"$net"* ]] || fail 'it has no network namespace of its own'
step 'with its others, and the mappings given once more'
bundle "$(join user network ipc uts) $show"
eq "$(ctr run -b "$T/bundle" "$b" </dev/null | xargs)" "0 700000 65536 $user $net $ipc 0 0" 'joined namespaces'
step 'with the mapping that stands for none'
bundle "$(join user pid) | .linux.uidMappings = [{ containerID: 0, hostID: 0, size: 1 }] | .linux.gidMappings = .linux.uidMappings | .process.args = [\"cat\", \"/proc/1/comm\"]"
eq "$(ctr run -b "$T/bundle" "$b" </dev/null)" payload 'joined pid namespace'
step 'mappings that are not those of the namespace'
bundle "$(join user) | .linux.uidMappings[0].hostID = 600000"
refused 'linux.uidMappings: is not what .* has' ctr run -b "$T/bundle" "$b"
step 'a network namespace that belongs to another'
bundle "$(join user) $no_maps | .linux.namespaces |= map(if .type == \"network\" then .path = \"/proc/self/ns/net\" else . end)
	| .mounts |= map(select(.type != \"sysfs\")) | .process.args = [\"readlink\", \"/proc/self/ns/net\"]"
eq "$(ctr run -b "$T/bundle" "$b" </dev/null)" "$(readlink /proc/self/ns/net)" "the host's network namespace"
step 'exec'
bundle "$(join user network) $no_maps"
ctr run -d -b "$T/bundle" "$b"
eq "$(ctr exec "$b" readlink /proc/self/ns/user </dev/null)" "$user" 'exec'
eq "$(ctr exec "$b" id -u </dev/null)" 0 'exec'
ctr delete -f "$b" "$a"
