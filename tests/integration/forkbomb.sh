#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq pids
# about: a fork bomb stops at its limit, and the host and the others go on
. "$SOURCE/tests/support/lib.sh"

template
a=$P-a b=$P-b
up "$a" '.limits.processes = 60'
up "$b"
(inside "$a" payload bomb >/dev/null 2>&1 || true) &
bomb=$!
pids=$(group "$a" pids)
eventually $((20 * $(slower))) sh -c "[ \$(cat '$pids/pids.current') -ge 50 ]"
for _ in 1 2 3 4 5 6 7 8 9 10; do
	[ "$(cat "$pids/pids.current")" -le 60 ] || fail "more than 60: $(cat "$pids/pids.current")"
	inside "$b" true
done
[ "$(awk '$1 == "max" { print $2 }' "$pids/pids.events")" -ge 1 ] || fail 'the limit was never met'
ctr stop -t 0 "$a" || ctr stop -t 1 "$a"
wait $bomb || true
eq "$(status_of "$a")" stopped 'the bomb'
eq "$(status_of "$b")" running 'the other'
gone "$a" "$b"
