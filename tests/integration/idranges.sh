#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq
# about: each partition has 65536 host ids of its own, and root inside is none of the host
. "$SOURCE/tests/support/lib.sh"

template
bases=
for n in 1 2 3 4; do
	up "$P-$n"
	pid=$(init_pid "$P-$n")
	read -r inside_id base size <"/proc/$pid/uid_map"
	eq "$inside_id $size" '0 65536' 'uid_map'
	eq "$(cat "/proc/$pid/gid_map")" "$(cat "/proc/$pid/uid_map")" 'gid_map against uid_map'
	eq "$(wc -l <"/proc/$pid/uid_map")" 1 'lines of uid_map'
	[ "$base" -ge 65536 ] || fail "ids begin at $base, among the host's own"
	eq "$(awk '/^Uid:/ { print $2 }' "/proc/$pid/status")" "$base" 'host uid of root inside'
	eq "$(cat "/proc/$pid/setgroups" 2>/dev/null || echo allow)" allow setgroups
	bases="$bases $base"
done
step 'ranges do not touch'
prev=0
for base in $(tr ' ' '\n' <<<"$bases" | sort -n); do
	[ "$base" -ge "$prev" ] || fail "ranges overlap: $bases"
	prev=$((base + 65536))
done
step 'a range stays with its partition over stop and start, and comes back after delete'
first=$(awk '{ print $2 }' "/proc/$(init_pid "$P-1")/uid_map")
ctr restart "$P-1"
eq "$(awk '{ print $2 }' "/proc/$(init_pid "$P-1")/uid_map")" "$first" 'range after a restart'
step 'files of root inside belong to root inside, and are useless outside'
inside "$P-1" sh -c 'echo x >/root/f; cp /bin/busybox /root/su; chmod 4755 /root/su'
eq "$(inside "$P-1" stat -c %u:%g /root/f)" 0:0 'owner inside'
eq "$(stat -c %a "$CTR_STORE")" 700 'mode of the store'
match "$(setpriv --reuid 65534 --clear-groups sh -c "ls '$CTR_STORE' 2>&1" || true)" 'denied' 'the store for other users'
gone "$P-1" "$P-2" "$P-3" "$P-4"
