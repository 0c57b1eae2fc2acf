#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq unshare
# about: mounts of the kernel's own views: cgroup, proc, sysfs, mqueue, and what may lie on /proc
# vm: no
. "$SOURCE/tests/support/lib.sh"

if [ -z "${OWN_MOUNTS:-}" ]; then
	OWN_MOUNTS=1 exec unshare -m --propagation private bash "$0"
fi
a=$P-a dir=$T/b
run() {
	local filter=$1
	shift
	bundle "$dir" "$filter"
	jq --arg line "$*" '.process.args = ["sh", "-c", $line]' "$dir/config.json" >"$T/config" && mv "$T/config" "$dir/config.json"
	ctr run "${FLAGS[@]}" --bundle "$dir" "$a" </dev/null
}
FLAGS=()
no() { echo ".linux.namespaces |= map(select(.type != \"$1\"))"; }
user='.linux.namespaces += [{ type: "user" }]
	| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'
cgroup='.mounts += [{ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["nosuid", "noexec", "nodev", "relatime", "ro"] }]'
rw=${cgroup/, \"ro\"/}
v1=$(stat -fc %T /sys/fs/cgroup | grep -vx cgroup2fs || :)
lines="grep ' /sys/fs/cgroup' /proc/self/mounts"

step 'cgroup, read-only, with and without a namespace of its own'
for filter in "$cgroup" "$cgroup | $(no cgroup)" "$cgroup | $user" "$cgroup | $user | $(no cgroup)"; do
	out=$(run "$filter" "$lines")
	ne "$out" '' "mounts with $filter"
	nomatch "$out" ' rw,' "$filter"
done
step "the container's own group, and nobody else's"
if [ -n "$v1" ]; then
	for filter in "$rw" "$rw | $(no cgroup)" "$rw | $user"; do
		eq "$(run "$filter" 'grep -cx $$ /sys/fs/cgroup/pids/cgroup.procs /sys/fs/cgroup/memory/cgroup.procs | xargs')" \
			'/sys/fs/cgroup/pids/cgroup.procs:1 /sys/fs/cgroup/memory/cgroup.procs:1' "$filter" || :
	done
	out=$(run "$rw | $(no cgroup)" "$lines")
	match "$out" '/sys/fs/cgroup/pids cgroup rw' 'a group of its own'
	for name in $(awk '$3 == "cgroup" { print $2 }' /proc/self/mounts | xargs -n1 basename); do
		match "$out" "/sys/fs/cgroup/$name " 'hierarchies'
	done
	# Such a container is in the groups of this script.
	if grep -q ':pids:/$' /proc/self/cgroup; then
		FLAGS=(--cgroup-manager disabled)
		for filter in "$rw" "$rw | $(no cgroup)"; do
			match "$(run "$filter" "$lines")" '/sys/fs/cgroup/pids cgroup ro' "where it has no group it cannot write: $filter"
		done
		FLAGS=()
	fi
else
	eq "$(run "$rw" "cat /sys/fs/cgroup/cgroup.procs | wc -l; ls -d /sys/fs/cgroup/ctr 2>/dev/null")" 2 'cgroup2'
	match "$(run "$cgroup | $(no cgroup)" 'ls -d /sys/fs/cgroup/ctr')" ctr 'the tree of all'
	match "$(run "$cgroup | $user | $(no cgroup)" "$lines")" 'cgroup2 ro,' 'bound'
fi

step "the host's sysfs, where the network is the host's"
out=$(run "$user | $(no network) | $(no cgroup)" 'grep " /sys" /proc/self/mounts; ls /sys/fs/cgroup | wc -l')
nomatch "$out" ' rw,' 'still read-only'
match "$out" '^sysfs /sys ' 'sysfs'
eq "$(tail -n1 <<<"$out")" 0 'its cgroups are covered'
step "the host's proc, where the processes are the host's"
bundle "$dir"
mkdir -p "$T/cover"
out=$(run "$user | $(no pid) | .linux.maskedPaths = [\"/proc/keys\"]" 'grep " /proc " /proc/self/mounts; [ -d /proc/2 ] && echo others')
match "$out" '^proc /proc proc' 'proc'
match "$out" others 'processes of the host'
step "the host's message queues"
mkdir -p /dev/mqueue 2>/dev/null || :
if mountpoint -q /dev/mqueue || mount -t mqueue mqueue /dev/mqueue 2>/dev/null; then
	mq='.mounts += [{ destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"] }]'
	match "$(run "$mq | $user | $(no ipc)" 'grep mqueue /proc/self/mounts')" 'mqueue.*nosuid,nodev,noexec' 'bound'
	match "$(run "$mq" 'grep mqueue /proc/self/mounts')" 'mqueue.*nosuid,nodev,noexec' 'new'
fi
step 'a group of terminals that the user namespace does not have'
eq "$(run ".linux.namespaces += [{ type: \"user\" }] | .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 1 }] | .linux.gidMappings = .linux.uidMappings
	| (.mounts[] | select(.destination == \"/dev/pts\") | .options) += [\"gid=5\"]" 'ls -d /dev/pts/ptmx')" /dev/pts/ptmx 'devpts'

step 'what may lie on /proc'
echo mine >"$T/cpuinfo"
bind() { echo ".mounts += [{ destination: \"$1\", source: \"$2\", options: [\"bind\"] }]"; }
eq "$(run "$(bind /proc/cpuinfo "$T/cpuinfo")" 'cat /proc/cpuinfo')" mine 'cpuinfo'
for target in /proc/version /proc/self/status /proc/sys/kernel/hostname; do
	bundle "$dir" "$(bind $target "$T/cpuinfo")"
	refused "mount '$target': .*inside /proc" ctr run --bundle "$dir" "$a"
done
ln -s /proc "$dir/rootfs/way"
bundle "$dir" "$(bind /way/version "$T/cpuinfo")"
refused "mount '/way/version': .*inside /proc" ctr run --bundle "$dir" "$a"
mkdir -p "$T/dir"
bundle "$dir" "$(bind /proc "$T/dir")"
refused 'cannot be mounted because it is not of type proc' ctr run --bundle "$dir" "$a"
bundle "$dir" "$(bind / "$T/dir")"
refused "the container's root" ctr run --bundle "$dir" "$a"
match "$(run "$(bind /proc /proc) | $(no pid)" 'grep -c " /proc proc" /proc/self/mounts')" 2 'proc on proc'
for name in proc sys; do
	mv "$dir/rootfs/$name" "$dir/rootfs/real-$name"
	ln -s "real-$name" "$dir/rootfs/$name"
	bundle "$dir"
	refused "mount '/$name': .*must be mounted on ordinary directory" ctr run --bundle "$dir" "$a"
	rm "$dir/rootfs/$name"
	mv "$dir/rootfs/real-$name" "$dir/rootfs/$name"
done

step 'without pivot_root nothing of the host can be reached'
FLAGS=(--no-pivot)
eq "$(run . 'ls / | grep -cx -e boot -e home; payload chroot-break | grep -c "still inside"')" $'0\n1' 'root'
out=$(run '.process.capabilities[] |= . + ["CAP_SYS_ADMIN", "CAP_SETFCAP"] | .linux.maskedPaths = ["/proc/keys"]' \
	'unshare -m true; unshare -mrpf mount -t proc none /proc && echo mounted; :' 2>&1)
nomatch "$out" '^mounted' 'a whole proc'
FLAGS=()

step 'masked and read-only paths'
mkdir -p "$dir/rootfs/d1" "$dir/rootfs/d2"
echo secret >"$dir/rootfs/f1"
ln -s ../../../../f1 "$dir/rootfs/link"
out=$(run '.linux.maskedPaths = ["/d1", "/d2", "/d1/", "/link", "/f1", "/no/such", "/f1/none"] | .linux.readonlyPaths = ["/tmp", "/none"] | .root.readonly = false' \
	'stat -c %d /d1 /d2 | sort -u | wc -l; wc -c </f1; grep -c -e " /d1 " -e " /d2 " -e " /f1 " /proc/self/mounts; touch /d1/x /tmp/x 2>&1 | grep -c Read-only; touch /x')
eq "$(xargs <<<"$out")" '1 0 3 2' 'masks'
eq "$(cat "$dir/rootfs/f1")" secret 'the file below'
