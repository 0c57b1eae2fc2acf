#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq memory pids
# about: set changes a running partition, saves, and refuses as a whole
. "$SOURCE/tests/support/lib.sh"

template
a=$P-a
up "$a" '.memory.limit = "100M" | .limits.processes = 100'
eq "$(ctr get "$a" limits.processes)" 100 'get'
ctr set "$a" memory.limit=80M limits.processes=60 >"$T/out"
pids=$(group "$a" pids)
eq "$(cat "$pids/pids.max")" 60 'limit in the kernel'
memory=$(group "$a" memory)
eq "$(cat "$memory/memory.max" "$memory/memory.limit_in_bytes" 2>/dev/null | head -n1)" $((80 << 20)) 'memory limit in the kernel'
match "$(ctr get "$a" memory.limit)" '^("?80M"?|83886080)$' 'get after set'
step 'below what is in use: refused, and nothing changes'
inside "$a" payload eat 60 stay >"$T/eat" &
eventually $((20 * $(slower))) grep -q ate "$T/eat"
refused 'memory' ctr set "$a" limits.processes=50 memory.limit=20M
eq "$(cat "$pids/pids.max")" 60 'limit after a refused set'
eq "$(ctr get "$a" limits.processes)" 60 'saved limit after a refused set'
eq "$(cat "$memory/memory.max" "$memory/memory.limit_in_bytes" 2>/dev/null | head -n1)" $((80 << 20)) 'memory limit after a refused set'
inside "$a" true
step 'a wrong key, a wrong value'
refused 'limits\.processes|did you mean' ctr set "$a" limits.proceses=5
refused 'limits\.processes' ctr set "$a" limits.processes=many
step 'what needs a restart says so'
match "$(ctr set "$a" hostname=other)" 'restart' 'output of set'
ctr stop -t 1 "$a"
wait || true
ctr start "$a"
eq "$(inside "$a" hostname)" other 'hostname after a restart'
eq "$(cat "$(group "$a" pids)/pids.max")" 60 'limit after a restart'
gone "$a"
