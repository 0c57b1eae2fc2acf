#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq booted
# about: an ordinary user's container in a scope of that user's own systemd
# limit: 400
. "$SOURCE/tests/support/lib.sh"

uid=4321 a=$P-a
useradd -u $uid -M -d "$T/home" -s /bin/sh "u$uid" 2>/dev/null || [ "$(id -u "u$uid")" = $uid ]
mkdir -p "$T/home" "$T/bundle"
cp -a "$ROOTFS" "$T/bundle/rootfs"
jq -n '{ ociVersion: "1.2.0", root: { path: "rootfs" },
	process: { cwd: "/", user: { uid: 0, gid: 0 }, args: ["/bin/payload", "init"], env: ["PATH=/bin:/sbin"] },
	mounts: [{ destination: "/proc", type: "proc", source: "proc" }],
	linux: { cgroupsPath: "", namespaces: [{ type: "pid" }, { type: "mount" }, { type: "user" }, { type: "cgroup" }],
		uidMappings: [{ containerID: 0, hostID: 4321, size: 1 }], gidMappings: [{ containerID: 0, hostID: 4321, size: 1 }],
		resources: { memory: { limit: 67108864 }, pids: { limit: 20 } } } }' >"$T/bundle/config.json"
chown -R $uid:$uid "$T/home" "$T/bundle"
for dir in "$T" "$T"/.. "$T"/../..; do chmod o+x "$dir"; done
export XDG_RUNTIME_DIR=/run/user/$uid
# user COMMAND...: with the runtime directory alone, as engines call a runtime
user() { setpriv --reuid $uid --regid $uid --clear-groups env -i PATH="$PATH" XDG_RUNTIME_DIR=$XDG_RUNTIME_DIR "$@"; }
ctru() { user "$CTR" --root "$T/home/run" "$@"; }

step 'without that systemd it says so in one line'
refused "no systemd of this user" ctru --systemd-cgroup create -b "$T/bundle" "$a"
step 'with it'
systemctl start dbus.socket # which makes the runtime directory, by way of logind
systemctl start "user@$uid.service"
ctru --systemd-cgroup create -b "$T/bundle" "$a"
group=$(ctru state "$a" | jq -r .pid | sed 's|.*|/proc/&/cgroup|' | xargs sed -n 's/^0:://p')
match "$group" "^/user.slice/user-$uid.slice/user@$uid.service/user.slice/ctr-$a.scope\$" 'cgroup of init'
eq "$(cat "/sys/fs/cgroup$group"/{memory.max,pids.max} | xargs)" '67108864 20' 'limits'
eq "$(user systemctl --user show -p MemoryMax --value "ctr-$a.scope")" 67108864 'a property'
ctru start "$a"
eq "$(ctru exec "$a" cat /proc/self/cgroup </dev/null)" '0::/' 'a further process, from outside of the user tree'
eventually 60 sh -c "[ \"\$(cat '/sys/fs/cgroup$group/cgroup.procs' | wc -l)\" = 1 ]"
ctru pause "$a"
ctru resume "$a"
ctru kill "$a" KILL
eventually 60 test ! -e "/sys/fs/cgroup$group"
ctru delete "$a"
step 'delete --force'
ctru --systemd-cgroup run -d -b "$T/bundle" "$a"
ctru delete --force "$a"
[ ! -e "/sys/fs/cgroup$group" ] || fail 'the scope is still there'
step 'by way of the bus'
user env DBUS_SESSION_BUS_ADDRESS="unix:path=$XDG_RUNTIME_DIR/bus" "$CTR" --root "$T/home/run" --systemd-cgroup create -b "$T/bundle" "$a"
ctru delete --force "$a"
systemctl stop "user@$uid.service"
userdel "u$uid"
