#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq
# about: what cannot be done is said in a line, and leaves nothing
# vm: no
. "$SOURCE/tests/support/lib.sh"

template
a=$P-a
mkdir -p "$T/small/bin"
cp "$ROOTFS/bin/busybox" "$T/small/bin/sh"
config "$a"
unchanged refusals
step 'no root'
chmod 755 "$T" "$T/.." "$T/../.." 2>/dev/null || true
cp "$CTR" /tmp/"$P"-ctr
trap 'rm -rf /tmp/"$P"-*' EXIT
mkdir -m 777 /tmp/"$P"-home
cp "$T/$a.json" /tmp/"$P"-home/config.json
chmod 644 /tmp/"$P"-home/config.json
as_user() { setpriv --reuid 65534 --regid 65534 --clear-groups env CTR_ROOT=/tmp/"$P"-home/run CTR_STORE="$1" /tmp/"$P"-ctr "${@:2}"; }
refused 'root|permi|privilege' as_user "$CTR_STORE" create --config /tmp/"$P"-home/config.json
refused 'root|permi|privilege' as_user /tmp/"$P"-home/store create --config /tmp/"$P"-home/config.json
refused 'root|permi|privilege|not exist' as_user "$CTR_STORE" start "$a"
as_user "$CTR_STORE" help >/dev/null
as_user "$CTR_STORE" version >/dev/null
unchanged refusals
step 'an id in use'
ctr create --config "$T/$a.json" >/dev/null
unchanged inuse
refused "exists|in use" ctr create --config "$T/$a.json"
refused "exists|in use" ctr create --template tool "$a"
unchanged inuse
step 'a state folder that is a file'
echo x >"$T/file"
refused '.' env CTR_ROOT="$T/file" "$CTR" start "$a"
refused '.' env CTR_STORE="$T/file" "$CTR" create --config "$T/$a.json"
step 'a state folder that cannot be written'
mkdir "$T/ro"
mount -t tmpfs -o ro ro "$T/ro"
refused 'Read-only|read-only' env CTR_ROOT="$T/ro/run" "$CTR" start "$a"
refused 'Read-only|read-only' env CTR_STORE="$T/ro/store" "$CTR" create --config "$T/$a.json"
umount "$T/ro"
unchanged inuse
eq "$(status_of "$a")" stopped 'status'
step 'a full disk'
mkdir "$T/full"
truncate -s 24M "$T/image"
mkfs.ext4 -q -m 0 "$T/image"
mount -o loop "$T/image" "$T/full"
env CTR_STORE="$T/full/store" "$CTR" template import small "$T/small" >/dev/null
head -c 30000000 /dev/zero >"$T/full/filler" 2>/dev/null || true
refused 'space|full' env CTR_STORE="$T/full/store" "$CTR" template import tool "$ROOTFS"
eq "$(env CTR_STORE="$T/full/store" "$CTR" template list --format json | jq -r '.[].name')" small 'templates after a full disk'
jq '.root.template = "small" | .name = "'"$P-full"'" | .labels = { x: ("y" * 3000) }' "$T/$a.json" >"$T/full.json"
refused 'space|full' env CTR_STORE="$T/full/store" "$CTR" create --config "$T/full.json"
rm "$T/full/filler"
eq "$(env CTR_STORE="$T/full/store" "$CTR" list -q | grep -c full || true)" 0 'partitions after a full disk'
env CTR_STORE="$T/full/store" "$CTR" create --config "$T/full.json" >/dev/null
env CTR_STORE="$T/full/store" "$CTR" delete -f "$P-full"
umount "$T/full"
unchanged inuse
gone "$a"
