#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq memory
# about: list, ps, stats, logs, doctor, version, help, template list
# vm: no
. "$SOURCE/tests/support/lib.sh"

template
a=$P-a
up "$a" '.memory.limit = "64M" | .init.args = ["/bin/sh", "-c", "echo hello from init; exec payload init"]'
match "$(ctr list)" "$a +.*running" 'list'
match "$(ctr ps "$a")" 'payload' 'ps'
ctr stats "$a" >"$T/stats"
match "$(cat "$T/stats")" "$a" 'stats'
ctr stats --format json "$a" | jq -e . >/dev/null
ctr list --format json | jq -e --arg a "$a" '.[] | select(.id == $a) | .pid > 1 and .status == "running"' >/dev/null
eventually $((10 * $(slower))) sh -c "'$CTR' logs '$a' | grep -q 'hello from init'"
match "$(ctr doctor)" 'overlay|cgroup' doctor
match "$(ctr version)" '[0-9]+\.[0-9]+' version
match "$(ctr help)" 'create' help
for verb in create start run stop restart kill pause resume exec enter set get list state ps stats top logs console delete validate plan spec schema doctor; do
	ctr help $verb >/dev/null || fail "no help for $verb"
	ctr $verb --help >/dev/null || fail "$verb --help"
done
match "$(ctr template list)" tool 'template list'
jq -e . >/dev/null <<<"$(ctr plan "$a")"
step 'a reader that goes away is no crash'
status=0
(ctr list; echo "status $?" >"$T/status") | head -c 1 >/dev/null
nomatch "$(cat "$T/status")" 'status 1(3[4-9]|29)' 'list into a closed pipe'
step 'a full disk for the output is an error'
status=0
ctr list >/dev/full 2>/dev/null || status=$?
ne $status 0 'status of list into a full disk'
gone "$a"
