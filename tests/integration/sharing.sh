#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq fincore memory
# about: the page cache of a template is held once, whoever reads it
. "$SOURCE/tests/support/lib.sh"

# Something large enough to see whose it is.
cp -a "$ROOTFS" "$T/root"
mkdir -p "$T/root/usr/share/data"
head -c 33554432 /dev/urandom >"$T/root/usr/share/data/big"
ctr template import tool "$T/root" >/dev/null
a=$P-a b=$P-b
up "$a"
up "$b"
big=$CTR_STORE/templates/tool/rootfs/usr/share/data/big
sync -f "$big"
dd if="$big" iflag=nocache count=0 2>/dev/null
cached() { fincore -nbo RES "$big" | tr -d ' '; }
[ "$(cached)" -lt 1048576 ] || skip 'this file system does not drop its cache when asked'
file_bytes() {
	awk '$1 == "total_cache" || $1 == "file" { print $2; exit }' "$(group "$1" memory)/memory.stat"
}
a0=$(file_bytes "$a") b0=$(file_bytes "$b")
inside "$a" cat /usr/share/data/big >/dev/null
inside "$b" cat /usr/share/data/big >/dev/null
a1=$(file_bytes "$a") b1=$(file_bytes "$b")
echo "# cached once: $(cached) bytes; charged to the first reader $((a1 - a0)), to the second $((b1 - b0))"
[ "$(cached)" -ge 33000000 ] || fail 'the file is not in the page cache of the template'
[ $((a1 - a0)) -ge 30000000 ] || fail 'the first reader was not charged'
[ $((b1 - b0)) -le 2000000 ] || fail 'the second reader has a copy of its own'
gone "$a" "$b"
