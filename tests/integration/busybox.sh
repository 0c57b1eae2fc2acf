#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq busybox
# about: the embedded default: busybox with its own init
. "$SOURCE/tests/support/lib.sh"

ctr template build busybox >/dev/null
a=$P-a
eq "$(ctr template list --format json | jq -r '.[].name')" busybox 'template list'
match "$(ctr template show busybox)" 'busybox' 'template show'
ctr create --template busybox "$a" >/dev/null
ctr start "$a"
eventually $((20 * $(slower))) "$CTR" exec "$a" true
inside "$a" ps -o pid,comm >"$T/ps"
match "$(cat "$T/ps")" '^ *1 ' 'process 1'
eventually $((20 * $(slower))) "$CTR" exec "$a" test -S /dev/log
inside "$a" logger noted
eventually $((20 * $(slower))) "$CTR" exec "$a" sh -c 'logread | grep -q noted'
eq "$(ctr logs "$a")" '' 'complaints on the console'
inside "$a" sh -c 'echo kept >/root/file'
before=$SECONDS
ctr stop -t 20 "$a"
[ $((SECONDS - before)) -lt $((10 * $(slower))) ] || fail "its init did not halt when asked"
ctr start "$a"
eq "$(inside "$a" cat /root/file)" kept 'file after a restart'
step 'a template in use stays'
refused "in use|$a" ctr template remove busybox
gone "$a"
ctr template remove busybox
eq "$(ctr template list --format json | jq length)" 0 'templates at the end'
