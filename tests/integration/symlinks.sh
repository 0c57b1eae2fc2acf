#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq
# about: a symbolic link of the guest is never followed on the host
# vm: no
. "$SOURCE/tests/support/lib.sh"

template
a=$P-a
mkdir -p "$T/canary/dir"
echo untouched >"$T/canary/file"
state() { find "$T/canary" -printf '%P %y %m %U %s %T@\n' | sort; cat "$T/canary/file"; }
before=$(state)
mkdir "$T/shared"
echo data >"$T/shared/x"
make "$a" '.network = { mode: "private", dns: { servers: ["192.0.2.53"] } }
	| .mounts = [{ source: ($t + "/shared"), target: "/data" }, { source: ($t + "/shared"), target: "/deep/er" }]'
upper=$(find "$CTR_STORE/partitions/$a" -maxdepth 1 -name upper)
try() { # what the guest has made of its root
	step "$1"
	if ctr start "$a" 2>"$T/err"; then
		[ "$(inside "$a" cat /proc/1/comm)" != '' ] || true
		ctr stop -t 1 "$a" >/dev/null
	else
		[ -s "$T/err" ] || fail 'refused without a message'
		ctr stop -t 1 "$a" >/dev/null 2>&1 || true
	fi
	eq "$(state)" "$before" "the host's files after: $1"
}
plant() { rm -rf "${upper:?}/$1"; mkdir -p "$(dirname "$upper/$1")"; ln -s "$2" "$upper/$1"; }
for target in "$T/canary/file" "../../../../../../../../../../$T/canary/file" /proc/1/root/"$T"/canary/file; do
	plant etc/resolv.conf "$target"
	try "/etc/resolv.conf -> $target"
	plant etc/hostname "$target"
	plant etc/hosts "$target"
	try "/etc/hostname, /etc/hosts -> $target"
done
rm -rf "${upper:?}/etc"
for path in data deep etc dev proc sys run tmp; do
	plant "$path" "$T/canary/dir"
	try "/$path -> $T/canary/dir"
	rm -f "${upper:?}/$path"
done
mkdir -p "$upper/dev"
for path in dev/null dev/pts dev/shm dev/console dev/ptmx dev/mqueue; do
	plant $path "$T/canary/dir"
	try "/$path -> $T/canary/dir"
	rm -f "${upper:?}/$path"
done
mkdir -p "$upper/etc"
rm -f "$upper/etc/resolv.conf"
mkfifo "$upper/etc/resolv.conf"
try '/etc/resolv.conf is a FIFO (must not hang)'
gone "$a"
