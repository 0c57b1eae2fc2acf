#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq
# about: the command itself cannot be overwritten from inside
# vm: no
. "$SOURCE/tests/support/lib.sh"

template
a=$P-a
cp "$CTR" "$T/ctr"
CTR=$T/ctr
sum=$(sha256sum <"$CTR")
inode=$(stat -c %i "$CTR")
up "$a" '.profile = "system"'
step 'by a program that is the command itself'
inside "$a" sh -c 'ln -s /proc/self/exe /bin/trap; printf "#!/proc/self/exe\n" >/bin/script; chmod 755 /bin/script'
for program in /bin/trap /bin/script /proc/self/exe; do
	timeout 20 "$CTR" exec "$a" $program version >/dev/null 2>&1 </dev/null || true
done
step 'by a watcher of new processes'
inside "$a" payload grab $((6 * $(slower) / ($(slower) > 1 ? 3 : 1))) >"$T/grab" &
watcher=$!
eventually $((20 * $(slower))) grep -q watching "$T/grab"
n=0
while kill -0 $watcher 2>/dev/null; do
	timeout 20 "$CTR" exec "$a" /bin/true </dev/null || true
	n=$((n + 1))
done
wait $watcher || true
echo "# $n execs; $(tail -n1 "$T/grab")"
match "$(cat "$T/grab")" 'opened for writing 0' 'the watcher'
[ $n -ge 3 ] || fail 'too few execs to tell'
eq "$(sha256sum <"$CTR")" "$sum" 'the binary'
eq "$(stat -c %i "$CTR")" "$inode" 'its inode'
gone "$a"
