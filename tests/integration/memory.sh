#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq memory
# about: one that runs into its memory limit is hurt alone
. "$SOURCE/tests/support/lib.sh"

template
a=$P-a b=$P-b
up "$a" '.memory.limit = "64M"'
up "$b" '.memory.limit = "64M"'
pid=$(init_pid "$b")
inside "$b" payload eat 30 stay >"$T/neighbour" &
eventually $((20 * $(slower))) grep -q 'ate 30' "$T/neighbour"

step 'within the limit it works, above it does not'
eq "$(inside "$a" payload eat 40)" 'ate 40' 'within'
status=0
inside "$a" payload eat 300 >"$T/out" 2>/dev/null || status=$?
[ $status -ge 128 ] || fail "eating 300 MiB ended with status $status"
eq "$(cat "$T/out")" '' 'output of the killed one'

step 'the neighbours did not notice'
eq "$(init_pid "$b")" "$pid" 'init of the neighbour'
eq "$(inside "$b" pidof payload | wc -w)" 2 'processes of the neighbour'
eq "$(inside "$b" payload eat 20)" 'ate 20' 'the neighbour at work'
eq "$(status_of "$a")" running 'the hurt one'

step 'it is counted'
[ "$(ctr stats --format json "$a" | jq '[.. | objects | .oomKills? // .oom_kills? // empty] | add')" -ge 1 ] ||
	fail "stats do not tell of the kill: $(ctr stats --format json "$a")"
kill "$!" 2>/dev/null || true
wait || true
gone "$a" "$b"

step 'a limit that is too small to start says what a start needs, and that is enough'
small() { bundle "$T/small" ".linux.resources.memory.limit = $1 | .process.args = [\"true\"]"; }
small 65536
refused 'memory limit .*a start needs [0-9]+K' ctr run -b "$T/small" "$P-c"
need=$(grep -oE 'needs [0-9]+K' "$T/err" | tr -dc 0-9)
small $((need * 1024))
ctr run -b "$T/small" "$P-c" </dev/null >"$T/out" || fail "it does not start with ${need}K"
