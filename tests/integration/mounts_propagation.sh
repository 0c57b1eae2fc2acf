#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq unshare
# about: mount propagation: what the host mounts later, what a container mounts, and the root's own
# vm: no
. "$SOURCE/tests/support/lib.sh"

# All mounts of "the host" are shared here, as service managers make them.
if [ -z "${OWN_MOUNTS:-}" ]; then
	OWN_MOUNTS=1 exec unshare -m --propagation private bash "$0"
fi
a=$P-a dir=$T/b
vol=$T/vol
mkdir -p "$vol" "$T/lib"
mount -t tmpfs vol "$vol"
mount --make-rshared /
bundle "$dir"
mkdir -p "$dir/rootfs/vol/later"

# start OPTIONS [FILTER]: a container with the volume bound by OPTIONS
start() {
	bundle "$dir" "${2:-.} | .mounts += [{ destination: \"/vol\", source: \"$vol\", options: ($1 | split(\",\")) }]
		| (.process.capabilities[] |= . + [\"CAP_SYS_ADMIN\"])"
	mkdir -p "$vol/later" "$vol/own"
	ctr run -d --bundle "$dir" "$a" </dev/null >"$T/out" 2>&1 || fail "$(cat "$T/out")"
	pid=$(init_pid "$a")
}
propagation() { awk -v t="$1" '$5 == t { for (i = 7; $i != "-"; i++) printf "%s ", $i }' "/proc/$pid/mountinfo" | sed 's/:[0-9]*//g; s/ $//'; }
# seen: does a mount that the host makes now show inside?
seen() {
	mount -t tmpfs later "$vol/later"
	grep -c ' /vol/later ' "/proc/$pid/mountinfo" || :
	umount "$vol/later"
}
# leaked: does a mount that the container makes now show outside?
leaked() {
	nsenter -t "$pid" -m mount -t tmpfs own /vol/own
	grep -c " $vol/own " /proc/self/mountinfo || :
}
stop() {
	gone "$a"
	if mountpoint -q "$vol/own"; then umount "$vol/own"; fi
	eq "$(grep -c "$vol/" /proc/self/mountinfo || :)" 0 'mounts left on the host'
}

step 'by default the host shows inside, and nothing the other way'
start '"bind"'
eq "$(propagation /vol)" master 'volume'
eq "$(propagation /)" '' 'root'
eq "$(seen) $(leaked)" '1 0' 'host and container'
stop
step 'private'
start '"bind,rprivate"'
eq "$(propagation /vol)" '' 'volume'
eq "$(seen) $(leaked)" '0 0' 'host and container'
stop
start '"bind"' '.linux.rootfsPropagation = "private"'
eq "$(seen) $(leaked)" '0 0' 'by the root'
stop
step 'slave'
start '"rbind,rslave"' '.linux.rootfsPropagation = "rslave"'
eq "$(propagation /vol)" master 'volume'
eq "$(seen) $(leaked)" '1 0' 'host and container'
stop
step 'shared, both ways'
start '"rbind,rshared"' '.linux.rootfsPropagation = "rshared"'
eq "$(propagation /vol)" shared 'volume'
eq "$(propagation /)" shared 'root'
eq "$(seen) $(leaked)" '1 1' 'host and container'
stop
start '"rbind,rshared"' '.linux.rootfsPropagation = "shared"'
eq "$(seen) $(leaked)" '1 1' 'without its r'
eq "$(propagation /proc)" '' 'only the root'
stop
step 'shared within the container only'
start '"rbind,rshared"'
eq "$(propagation /vol)" 'shared master' 'volume'
eq "$(seen) $(leaked)" '1 0' 'host and container'
stop
step 'several words, one after the other'
start '"bind,slave,shared"'
eq "$(propagation /vol)" 'shared master' 'volume'
stop
start '"bind,shared,private,unbindable"'
eq "$(propagation /vol)" unbindable 'volume'
stop
step 'an unbindable root'
start '"bind"' '.linux.rootfsPropagation = "unbindable"'
eq "$(propagation /)" unbindable 'root'
stop
step 'a root that is a shared mount with mounts in it'
mount --bind "$dir/rootfs" "$dir/rootfs"
mount -t tmpfs inner "$dir/rootfs/var"
start '"bind"' '.root.readonly = true'
eq "$(propagation /) $(propagation /var)" ' master' 'root and the mount in it'
match "$(awk '$5 == "/" { print $6 }' "/proc/$pid/mountinfo")" '^ro' 'root'
match "$(awk '$5 == "/var" { print $6 }' "/proc/$pid/mountinfo")" '^rw' 'the mount in it'
eq "$(leaked)" 0 'leaked'
stop
umount "$dir/rootfs/var" "$dir/rootfs"
step 'a value that is none'
bundle "$dir" '.linux.rootfsPropagation = "sideways"'
refused 'linux.rootfsPropagation: found "sideways"' ctr run --bundle "$dir" "$a"
