#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq booted
# about: bundles whose cgroup is a scope of systemd: its properties, every verb, and what heals
# limit: 400
. "$SOURCE/tests/support/lib.sh"

systemctl --version | head -n1
a=$P-a unit=t-$P-a.scope
mkdir "$T/bundle"
cp -a "$ROOTFS" "$T/bundle/rootfs"
bundle() {
	jq -n --arg path "tests.slice:t:$a" '{ ociVersion: "1.2.0", root: { path: "rootfs" },
		process: { cwd: "/", user: { uid: 0, gid: 0 }, args: ["/bin/payload", "init"],
			env: ["PATH=/bin:/sbin:/usr/bin:/usr/sbin"],
			capabilities: { bounding: ["CAP_KILL"], effective: ["CAP_KILL"], permitted: ["CAP_KILL"] } },
		mounts: [{ destination: "/proc", type: "proc", source: "proc" }, { destination: "/dev", type: "tmpfs", source: "tmpfs" }],
		annotations: { "org.systemd.property.TimeoutStopSec": "uint64 7", "org.systemd.property.CollectMode": "\u0027inactive-or-failed\u0027" },
		linux: { cgroupsPath: $path, namespaces: [{ type: "pid" }, { type: "mount" }, { type: "cgroup" }],
			resources: { devices: [{ allow: false, access: "rwm" }],
				memory: { limit: 67108864, reservation: 33554432 }, pids: { limit: 20 },
				cpu: { shares: 512, quota: 50000, period: 100000, cpus: "0" } } } }'" | ${1:-.}" >"$T/bundle/config.json"
}
sd() { ctr --systemd-cgroup "$@"; }
shows() { systemctl show -p "$1" --value "$unit"; }
group=/sys/fs/cgroup/tests.slice/$unit
no_unit() { [ "$(systemctl show -p ActiveState --value "$unit")" = inactive ] && [ ! -e "$group" ]; }

step 'create makes the scope, with the limits as properties and in its files'
bundle
sd create --bundle "$T/bundle" "$a"
eq "$(jq -r '.cgroupManager + " " + .unit + " " + .cgroupPath' "$CTR_ROOT/$a/state.json")" \
	"systemd $unit /tests.slice/$unit" 'state file'
eq "$(sed -n 's/^0:://p' "/proc/$(init_pid "$a")/cgroup")" "/tests.slice/$unit" 'cgroup of init'
eq "$(shows ActiveState)" active 'the unit'
eq "$(shows Delegate)" yes Delegate
eq "$(shows Slice)" tests.slice Slice
eq "$(shows Description)" "ctr container $a" Description
eq "$(shows MemoryMax) $(shows MemoryLow) $(shows TasksMax)" '67108864 33554432 20' 'memory and tasks'
eq "$(shows CPUQuotaPerSecUSec) $(shows AllowedCPUs) $(shows CPUWeight)" "500ms 0 $(cat "$group/cpu.weight")" 'cpu'
eq "$(shows TimeoutStopUSec) $(shows CollectMode)" '7s inactive-or-failed' 'annotations'
eq "$(cat "$group"/{memory.max,pids.max,cpu.max,cpuset.cpus} | xargs)" '67108864 20 50000 100000 0' 'files'
ctr start "$a"
eq "$(status_of "$a")" running status

step 'daemon-reload keeps limits and devices'
allowed() { ctr exec "$a" sh -c 'head -c1 /dev/null && echo null' </dev/null; ! ctr exec "$a" sh -c 'mknod /x c 1 8' </dev/null 2>/dev/null; }
[ "$(allowed)" = null ] || fail 'devices before'
systemctl daemon-reload
eq "$(cat "$group"/{memory.max,pids.max,cpu.max} | xargs)" '67108864 20 50000 100000' 'files after daemon-reload'
[ "$(allowed)" = null ] || fail 'devices after'

step 'every other verb without the flag'
eq "$(ctr exec "$a" cat /proc/self/cgroup </dev/null)" '0::/' 'exec is in the scope'
ctr exec --detach "$a" sleep 1000 </dev/null
eventually 60 sh -c "[ \$('$CTR' ps --format json '$a' | jq length) = 2 ]"
ctr pause "$a"
eq "$(status_of "$a")" paused 'paused'
ctr resume "$a"
refused 'is in use' sd create --bundle "$T/bundle" "$P-b"
ctr kill "$a" KILL
eventually 60 no_unit
eq "$(status_of "$a")" stopped 'stopped'
ctr delete "$a"

step 'the crash path: delete --force of what runs'
sd run -d --bundle "$T/bundle" "$a"
eq "$(shows ActiveState)" active 'the unit'
ctr delete --force "$a"
no_unit || fail 'the unit is still there'
sd create --bundle "$T/bundle" "$a"
ctr delete --force "$a"
no_unit || fail 'the unit is still there'

step 'run, and a scope that fails'
bundle '.process.args = ["/bin/sh", "-c", "exit 7"]'
status=0
sd run --bundle "$T/bundle" "$a" </dev/null || status=$?
eq "$status" 7 'status of run'
eventually 60 no_unit
bundle '.process.args = ["/no/such"]'
refused '/no/such' sd run --bundle "$T/bundle" "$a"
no_unit || fail 'the unit of a failed run is still there'

step 'names'
bundle 'del(.linux.cgroupsPath)'
sd create --bundle "$T/bundle" "$a"
eq "$(jq -r .cgroupPath "$CTR_ROOT/$a/state.json")" "/system.slice/ctr-$a.scope" 'the default'
ctr delete -f "$a"
bundle '.linux.cgroupsPath = "tests-more.slice::'"$a"'"'
sd create --bundle "$T/bundle" "$a"
eq "$(jq -r .cgroupPath "$CTR_ROOT/$a/state.json")" "/tests.slice/tests-more.slice/$a.scope" 'a slice below another'
ctr delete -f "$a"
bundle '.linux.cgroupsPath = "/tests/x"'
refused 'slice:prefix:name' sd create --bundle "$T/bundle" "$a"
bundle '.annotations["org.systemd.property.NoSuch"] = "1"'
refused 'systemd says' sd create --bundle "$T/bundle" "$a"
[ ! -e "$CTR_ROOT/$a" ] || fail 'a refused create left its state'

step 'a create that is disturbed anywhere is healed, its scope too'
INJECT=${CTR_TEST_INJECT:-} "$SOURCE/tests/fault/sweep" -s "${SEED:-1}" -n "${POINTS:-8}" -o "$T/failures" oci-create-systemd || {
	cat "$T/failures"
	fail 'see above'
}
