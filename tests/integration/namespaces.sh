#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq
# about: every namespace is its own, names and processes too
. "$SOURCE/tests/support/lib.sh"

template
a=$P-a b=$P-b
hostname=$(hostname)
up "$a" '.hostname = "alpha"'
up "$b"
for ns in cgroup ipc mnt net pid user uts; do
	host=$(readlink /proc/self/ns/$ns)
	one=$(readlink "/proc/$(init_pid "$a")/ns/$ns")
	two=$(readlink "/proc/$(init_pid "$b")/ns/$ns")
	[ -n "$one" ] || fail "no $ns namespace"
	ne "$one" "$host" "$ns of a partition and of the host"
	ne "$one" "$two" "$ns of two partitions"
	# What exec starts is in the same ones.
	eq "$(inside "$a" readlink "/proc/self/ns/$ns")" "$one" "$ns of exec"
done
step names
eq "$(inside "$a" hostname)" alpha 'hostname'
eq "$(inside "$b" hostname)" "$b" 'default hostname'
inside "$a" hostname other 2>/dev/null || true
eq "$(hostname)" "$hostname" 'hostname of the host'
step processes
match "$(inside "$a" ps -o pid,args)" '1 .*payload init' 'ps'
inside "$a" sh -c '[ "$(ls -d /proc/[0-9]* | wc -l)" -le 5 ]' || fail 'processes of others are seen'
step 'System V objects and cgroups'
ipcmk -M 4096 >"$T/shm"
id=$(grep -oE '[0-9]+$' "$T/shm")
inside "$a" sh -c 'ipcs -m 2>/dev/null' >"$T/inside" || true
ipcrm -m "$id"
nomatch "$(cat "$T/inside")" "(^| )$id " 'shared memory of the host'
nomatch "$(inside "$a" cat /proc/self/cgroup)" "ctr" 'cgroup path inside'
gone "$a" "$b"
