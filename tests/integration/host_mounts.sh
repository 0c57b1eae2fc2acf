#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq
# about: a container without a mount namespace of its own: the host keeps its root and its mounts
# vm: no
. "$SOURCE/tests/support/lib.sh"

# Whatever goes wrong in here goes wrong in a copy of the host's mounts.
if [ -z "${COPY:-}" ]; then
	COPY=1 exec unshare --mount --propagation private -- bash "$0"
fi
a=$P-a
mkdir "$T/bundle"
cp -a "$ROOTFS" "$T/bundle/rootfs"
jq -n '{ ociVersion: "1.3.0", root: { path: "rootfs" },
	process: { cwd: "/", args: ["payload", "init"], user: { uid: 0, gid: 0 }, env: ["PATH=/bin"] },
	mounts: [{ destination: "/proc", type: "proc", source: "proc" },
		{ destination: "/dev", type: "tmpfs", source: "tmpfs" }],
	linux: { namespaces: [{ type: "pid" }, { type: "ipc" }, { type: "uts" }] } }' >"$T/bundle/config.json"
mounts() { awk '{ print $1, $5, $7 }' /proc/self/mountinfo | sort; }
root=$(stat -c %d:%i /)
before=$(mounts)

step 'it inherits the namespace, and its root is the bundle'
ctr create --bundle "$T/bundle" "$a"
ctr start "$a"
pid=$(init_pid "$a")
eq "$(readlink "/proc/$pid/ns/mnt")" "$(readlink /proc/self/ns/mnt)" 'mount namespace'
eq "$(stat -c %d:%i /)" "$root" 'root of the host'
eq "$(stat -c %d:%i "/proc/$pid/root/")" "$(stat -c %d:%i "$T/bundle/rootfs")" 'root of the container'
eq "$(inside "$a" payload cat /proc/1/comm 2>/dev/null || inside "$a" cat /proc/1/comm)" payload 'exec'
[ "$(inside "$a" ls / | sort | xargs)" = "$(ls "$T/bundle/rootfs" | sort | xargs)" ] || fail 'exec sees another root'

step 'delete takes all of its mounts away'
ctr kill "$a" KILL
ctr delete --force "$a"
eq "$(mounts)" "$before" 'mounts'

step 'so does a start that fails'
jq '.process.args = ["/no/such"]' "$T/bundle/config.json" >"$T/config" && mv "$T/config" "$T/bundle/config.json"
refused 'no such file|not found' ctr create --bundle "$T/bundle" "$a"
eq "$(mounts)" "$before" 'mounts after a failure'
