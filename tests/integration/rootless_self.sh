#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root user jq readelf cc
# about: a runtime that a user keeps at home cannot be overwritten by the user's containers
# vm: no
. "$SOURCE/tests/support/user.sh"

a=$P-a
own=$HOME_DIR/own-ctr
as_user cp bin/ctr $own
sum=$(sha256sum <$own)
own() { as_user $own "$@"; }
bundle
own run -d -b bundle "$a"
eq "$(stat -c %u $own)" $USER_ID 'owner of the binary'
step 'by a program that is the command itself, run by a loader of the container'
# The trap lives as the command, as seen in /proc, until it is killed; the watcher writes then.
loader=bundle/rootfs$(readelf -l $own | sed -n 's/.*interpreter: \(.*\)]/\1/p')
as_user mkdir -p "$(dirname "$loader")"
# It does nothing, for ever: pause(2) by its number, without a C library.
echo 'void _start(void) { for (;;) __asm__ volatile("syscall" : : "a"(34) : "rcx", "r11", "memory"); }' |
	cc -O1 -nostdlib -static -o "$loader" -x c -
as_user ln -s /proc/self/exe bundle/rootfs/bin/trap
user exec "$a" payload grab 5 >"$T/grab" </dev/null &
watcher=$!
eventually 10 grep -q watching "$T/grab"
own exec -d --pid-file run/trap "$a" /bin/trap init </dev/null >/dev/null
for _ in 1 2 3; do
	own exec "$a" /bin/true </dev/null
done
kill -KILL "$(cat run/trap)"
wait $watcher
echo "# $(tail -n1 "$T/grab")"
nomatch "$(cat "$T/grab")" 'seen 0,' 'the watcher'
match "$(cat "$T/grab")" 'opened for writing 0' 'the watcher'
eq "$(sha256sum <$own)" "$sum" 'the binary'
own delete -f "$a"
eventually 10 no_user_process
