#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq
# about: a bundle with the cgroup manager "disabled" has no cgroup, and every verb copes
# vm: no
. "$SOURCE/tests/support/lib.sh"

a=$P-a
mkdir "$T/bundle"
cp -a "$ROOTFS" "$T/bundle/rootfs"
# bundle [FILTER]: writes the bundle's config.json
bundle() {
	jq -n '{ ociVersion: "1.2.0", root: { path: "rootfs" },
		process: { cwd: "/", user: { uid: 0, gid: 0 }, args: ["/bin/payload", "init"],
			env: ["PATH=/bin:/sbin:/usr/bin:/usr/sbin"],
			capabilities: { bounding: ["CAP_KILL"], effective: ["CAP_KILL"], permitted: ["CAP_KILL"] } },
		mounts: [{ destination: "/proc", type: "proc", source: "proc" }, { destination: "/dev", type: "tmpfs", source: "tmpfs" }],
		linux: { namespaces: [{ type: "pid" }, { type: "mount" }, { type: "ipc" }, { type: "uts" }],
			resources: { devices: [{ allow: false, access: "rwm" }] } } }'" | ${1:-.}" >"$T/bundle/config.json"
}
disabled() { ctr --cgroup-manager disabled "$@"; }
groups() { cat "/proc/$1/cgroup"; }

bundle
unchanged host
step 'it stays in the cgroups of its creator'
disabled create --bundle "$T/bundle" "$a"
pid=$(init_pid "$a")
eq "$(groups "$pid")" "$(groups self)" 'cgroups of init'
eq "$(jq -r '.cgroupManager + " " + (.cgroupPath // "none")' "$CTR_ROOT/$a/state.json")" 'disabled none' 'state file'
ctr start "$a"
eq "$(status_of "$a")" running 'status'
step 'exec'
eq "$(ctr exec "$a" cat /proc/self/cgroup </dev/null)" "$(groups self)" 'cgroups of a further process'
ctr exec --detach "$a" sleep 1000 </dev/null
step 'its processes are those of its pid namespace'
eventually 10 sh -c "[ \$('$CTR' ps --format json '$a' | jq length) = 2 ]"
eq "$(ctr ps --format json "$a" | jq -c 'index('"$pid"') != null')" true 'init is among them'
step 'what only a cgroup can do is refused by name'
refused "cannot pause '$a': it has no cgroup" ctr pause "$a"
eq "$(ctr list -q)" "$a" 'list'
step 'kill and delete'
ctr kill --all "$a" TERM
eventually 10 sh -c "[ \"\$('$CTR' state '$a' | jq -r .status)\" = stopped ]"
ctr delete "$a"
unchanged host
disabled create --bundle "$T/bundle" "$a"
ctr delete "$a"
disabled run -d --bundle "$T/bundle" "$a"
ctr exec --detach "$a" sleep 1000 </dev/null
pid=$(init_pid "$a")
ctr delete --force "$a"
! alive "$pid" || fail 'init lives'
unchanged host
step 'without a pid namespace init and its descendants are reached'
bundle '.linux.namespaces |= map(select(.type != "pid")) | .process.args = ["/bin/sh", "-c", "sleep 1000 & exec sleep 1001"] | .mounts = []'
disabled run -d --bundle "$T/bundle" "$a"
eventually 10 sh -c "[ \$('$CTR' ps --format json '$a' | jq length) = 2 ]"
pids=$(ctr ps --format json "$a" | jq -r '.[]')
ctr kill --all "$a" KILL
for pid in $pids; do eventually 10 sh -c "! readlink /proc/$pid/exe"; done
ctr delete "$a"
step run
bundle '.process.args = ["/bin/sh", "-c", "exit 7"]'
status=0
disabled run --bundle "$T/bundle" "$a" || status=$?
eq "$status" 7 'status of run'
step 'a limit needs a cgroup'
bundle '.linux.resources.memory.limit = 67108864'
refused "memory limit: not without a cgroup" disabled create --bundle "$T/bundle" "$a"
bundle '.linux.resources.pids.limit = 10'
refused "process limit: not without a cgroup" disabled create --bundle "$T/bundle" "$a"
bundle '.linux.resources.unified = { "memory.high": "1000000" }'
refused "not without a cgroup" disabled create --bundle "$T/bundle" "$a"
bundle '.linux.resources.memory.limit = -1 | .linux.resources.pids.limit = -1 | .linux.resources.cpu.shares = 1024'
disabled create --bundle "$T/bundle" "$a"
ctr delete --force "$a"
unchanged host
refused 'bundles' ctr --cgroup-manager disabled create --template tool "$a"
unchanged host
