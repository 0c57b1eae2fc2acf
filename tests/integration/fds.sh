#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq
# about: no descriptor of the host is open inside, whatever the caller leaks
. "$SOURCE/tests/support/lib.sh"

template
a=$P-a
leak() { "$PAYLOAD" leak 64 "$CTR" "$@" </dev/null; }
only_stdio() {
	awk '$1 > 2' <<<"$1" | grep . && fail "$2: more than standard input and output is open"
	nomatch "$1" ' /$|socket:\[.*\[' "$2"
}
config "$a" '.init.args = ["/bin/sh", "-c", "payload fds >/fds; exec payload init"]'

step 'into create and start'
leak create --config "$T/$a.json" >/dev/null
leak start "$a"
eventually $((10 * $(slower))) "$CTR" exec "$a" test -s /fds
only_stdio "$(inside "$a" cat /fds)" 'init'
pid=$(init_pid "$a")
for fd in /proc/"$pid"/fd/*; do
	n=${fd##*/}
	[ "$n" -le 2 ] || fail "init holds descriptor $n: $(readlink "$fd")"
done

step 'into exec'
only_stdio "$(leak exec "$a" payload fds)" exec

step 'into restart'
leak restart "$a"
eventually $((10 * $(slower))) "$CTR" exec "$a" test -s /fds
only_stdio "$(inside "$a" cat /fds)" 'init after restart'
gone "$a"

step 'into run'
config "$P-b" '.init.args = ["/bin/payload", "fds"]'
only_stdio "$(leak run --config "$T/$P-b.json")" run
ctr delete -f "$P-b" 2>/dev/null || true
