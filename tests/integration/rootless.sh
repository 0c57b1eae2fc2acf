#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root user jq newuidmap
# about: an ordinary user runs a bundle, with its own id and with those of /etc/subuid
# vm: no
. "$SOURCE/tests/support/user.sh"

a=$P-a
step 'one id: life cycle'
bundle
user create -b bundle --pid-file run/pid "$a"
eq "$(user_status "$a")" created 'status after create'
eq "$(cat run/pid)" "$(user_pid "$a")" 'pid file'
eq "$(user exec "$a" id -u </dev/null)" 0 'exec before start'
user start "$a"
eq "$(user_status "$a")" running 'status after start'
pid=$(user_pid "$a")
eq "$(stat -c %u "/proc/$pid")" $USER_ID 'owner of init'
eq "$(awk '{ print $1, $2, $3 }' "/proc/$pid/uid_map")" "0 $USER_ID 1" 'uid map'
eq "$(cat "/proc/$pid/setgroups")" deny 'setgroups'
eq "$(user exec "$a" sh -c 'id -u; hostname; cat /proc/1/comm' </dev/null)" $'0\nrootless\npayload' 'exec'
eq "$(user list -q)" "$a" 'list'
eq "$(user ps --format json "$a" | jq -c .)" "[$pid]" 'ps'
step 'what is inside is confined'
eq "$(user exec "$a" sh -c 'echo x >/dev/null && head -c 4 /dev/zero | wc -c' </dev/null)" 4 'devices'
refused . user exec "$a" sh -c 'echo 1 >/proc/sys/kernel/panic'
refused . user exec "$a" sh -c 'mkdir /sys/kernel/x'
eq "$(user exec "$a" stat -c %t:%T /proc/timer_list </dev/null)" 1:3 "masked path"
refused . user exec "$a" mknod /tmp/disk b 8 0
step 'its state is its own'
eq "$(stat -c '%a %u' run/ctr)" "700 $USER_ID" 'run directory'
eq "$(ctr list -q)" '' "root's list"
step 'kill and delete'
refused 'cannot delete container' user delete "$a"
user kill "$a" KILL
eventually $((10 * $(slower))) sh -c "[ ! -e /proc/$pid/root/bin ]"
is_stopped() { [ "$(user_status "$a")" = stopped ]; }
eventually $((10 * $(slower))) is_stopped
user delete "$a"
refused 'does not exist' user state "$a"
eq "$(find run/ctr -mindepth 1 -not -path '*/.cache*')" '' 'left in the run directory'

step 'run'
bundle '.process.args = ["/bin/sh", "-c", "id -u; exit 7"]'
status=0
out=$(user run -b bundle "$a" </dev/null) || status=$?
eq "$out $status" '0 7' 'run'
step 'a terminal'
bundle '.process.args = ["/bin/sh", "-c", "tty; stty size"] | .process.terminal = true | .process.consoleSize = { height: 33, width: 99 }'
out=$(on_terminal '' "${AS_USER[@]}" $HOME_DIR/bin/ctr run -b bundle $a | tr -d '\r')
match "$out" '/dev/pts/0' 'terminal'
step 'a network of its own, whose loopback is up'
bundle '.linux.namespaces += [{ type: "network" }] | .process.args = ["cat", "/sys/class/net/lo/operstate", "/proc/net/dev"]
	| .mounts[-1] = { destination: "/sys", type: "sysfs", source: "sysfs", options: ["ro"] }'
match "$(user run -b bundle "$a" </dev/null)" '^unknown$' 'loopback'
step 'its clock'
if [ -e /proc/self/ns/time ]; then
	bundle '.linux.namespaces += [{ type: "time" }] | .linux.timeOffsets.boottime = { secs: 1000000 } | .process.args = ["cat", "/proc/uptime"]'
	[ "$(user run -b bundle "$a" </dev/null | cut -d. -f1)" -gt 1000000 ] || fail 'the boot time has no offset'
fi
step 'its oom score'
bundle '.process.oomScoreAdj = 500 | .process.args = ["cat", "/proc/self/oom_score_adj"]'
eq "$(user run -b bundle "$a" </dev/null)" 500 'oom score'
bundle '.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 100, hard: 200 }] | .process.args = ["/bin/sh", "-c", "ulimit -n; ulimit -Hn"]'
eq "$(user run -b bundle "$a" </dev/null | xargs)" '100 200' 'rlimit'

step 'many ids'
bundle "$many"' | .process.user = { uid: 1000, gid: 1000, additionalGids: [5] } | .process.args = ["/bin/sh", "-c", "id -u; id -G; cat /proc/self/setgroups"]'
eq "$(user run -b bundle "$a" </dev/null | xargs)" '1000 1000 5 allow' 'many ids'
bundle "$many"
user run -d -b bundle "$a"
pid=$(user_pid "$a")
eq "$(awk '{ print $1, $2, $3 }' "/proc/$pid/gid_map" | xargs)" "0 $USER_ID 1 1 $SUB_FIRST $SUB_COUNT" 'gid map'
eq "$(user exec --user 1000 "$a" id -u </dev/null)" 1000 'exec as another id'
user exec --cap CAP_CHOWN "$a" sh -c 'mkdir /mine && touch /mine/f && chown 1000:1000 /mine/f' </dev/null
eq "$(stat -c %u bundle/rootfs/mine/f)" $((SUB_FIRST + 999)) 'owner on disk'
user exec "$a" rm -r /mine </dev/null

step 'a user namespace of another container'
b=$P-b
bundle ".linux.namespaces |= map(if .type == \"user\" then .path = \"/proc/$pid/ns/user\" elif .type == \"pid\" then .path = \"/proc/$pid/ns/pid\" else . end)
	| del(.linux.uidMappings, .linux.gidMappings) | .process.args = [\"/bin/sh\", \"-c\", \"readlink /proc/self/ns/user; cat /proc/1/comm\"]"
eq "$(user run -b bundle "$b" </dev/null | xargs)" "$(readlink "/proc/$pid/ns/user") payload" 'joined namespaces'
user delete -f "$a"
! alive "$pid" || fail 'init lives after delete --force'

step 'what cannot be is refused with what to do'
bundle '.linux.netDevices = { eth0: {} } | .linux.namespaces += [{ type: "network" }]'
refused 'netDevices: needs root' user run -b bundle "$a"
bundle '.linux.namespaces |= map(select(.type != "mount"))'
refused 'requires a mount namespace' user run -b bundle "$a"
bundle '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings)'
refused 'requires a user namespace.*spec --rootless' user run -b bundle "$a"
bundle '.linux.uidMappings[0].hostID = 0'
refused 'newuidmap: uid range .* not allowed.*/etc/subuid' user run -b bundle "$a"
: >/etc/subuid
bundle "$many"
refused '/etc/subuid' user run -b bundle "$a"
bundle '.process.user.additionalGids = [7]'
refused 'additionalGids: cannot set any additional groups' user run -b bundle "$a"
bundle
refused 'XDG_RUNTIME_DIR is not set.*--root' as_user env -u XDG_RUNTIME_DIR $HOME_DIR/bin/ctr run -b bundle "$a"
as_user mkdir run/deep
eq "$(as_user env -u XDG_RUNTIME_DIR $HOME_DIR/bin/ctr --root run/deep/er/ctr list -q; ls -d run/deep/er/ctr)" run/deep/er/ctr 'root given'
refused 'needs root' user template list
refused 'needs root' user create --template tool "$a"
eq "$(user list -q)" '' 'left'
eventually 10 no_user_process
