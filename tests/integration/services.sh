#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq
# about: what a service manager gives: NOTIFY_SOCKET is relayed, LISTEN_FDS and --preserve-fds are passed on
. "$SOURCE/tests/support/lib.sh"

a=$P-a
bundle "$T/b" '.process.args = ["/bin/payload", "notify", "STATUS=starting", "STATUS=up\nREADY=1"]'
manager() {
	"$PAYLOAD" dgrams "$T/manager" "$1" >"$T/told" &
	manager=$!
	eventually 5 test -S "$T/manager"
}

step 'start waits until the payload is ready, and tells the manager its pid'
manager 3
NOTIFY_SOCKET=$T/manager ctr create --bundle "$T/b" "$a"
NOTIFY_SOCKET=$T/manager ctr start "$a"
wait $manager
eq "$(cat "$T/told")" "$(printf 'READY=1\nMAINPID=%s\nBARRIER=1' "$(init_pid "$a")")" 'what the manager heard'
eq "$(inside "$a" /bin/sh -c "tr '\\0' '\\n' </proc/1/environ | grep ^NOTIFY")" NOTIFY_SOCKET=/run/notify/notify.sock 'variable inside'
refused 'Read-only|read-only' ctr exec "$a" touch /run/notify/x
gone "$a"
rm -f "$T/manager"

step 'run tells it while it waits for the end'
manager 2
NOTIFY_SOCKET=$T/manager ctr run --bundle "$T/b" "$a" &
run=$!
wait $manager
match "$(cat "$T/told")" "MAINPID=$(init_pid "$a")" 'what the manager heard'
ctr kill "$a" TERM
wait $run || true
rm -f "$T/manager"

step 'a payload that ends without a word does not keep start'
jq '.process.args = ["/bin/true"]' "$T/b/config.json" >"$T/c" && mv "$T/c" "$T/b/config.json"
NOTIFY_SOCKET=$T/manager ctr create --bundle "$T/b" "$a"
NOTIFY_SOCKET=$T/manager ctr start "$a"
gone "$a"

step 'descriptors'
jq '.process.args = ["/bin/sh", "-c", "echo $LISTEN_FDS $LISTEN_PID; exec payload fds"]' "$T/b/config.json" >"$T/c" && mv "$T/c" "$T/b/config.json"
out=$("$PAYLOAD" sockets 2 "$CTR" --root "$CTR_ROOT" run --bundle "$T/b" "$a" </dev/null)
match "$out" '^2 1$' 'variables'
match "$out" '^3 socket' 'first socket'
match "$out" '^4 socket' 'second socket'
nomatch "$out" '^5 ' 'no other descriptor'
out=$("$PAYLOAD" sockets 1 /bin/sh -c "exec 4</dev/zero 6</dev/full; exec env LISTEN_PID=\$\$ '$CTR' --root '$CTR_ROOT' run --preserve-fds 1 --bundle '$T/b' $a" </dev/null)
match "$out" '^1 1$' 'variables with --preserve-fds'
match "$out" '^3 socket' 'socket'
match "$out" '^4 /dev/zero' 'preserved after the sockets'
nomatch "$out" '^[56] ' 'nothing else'
out=$(LISTEN_FDS=1 LISTEN_PID=1 ctr run --bundle "$T/b" "$a" </dev/null)
nomatch "$out" '^1 1$' 'sockets that are meant for another process'
refused '--preserve-fds 2: descriptor [34] is not open' ctr run --preserve-fds 2 --bundle "$T/b" "$a"
