#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: jq
# about: validate tells of every mistake, with its place and the nearest key
# vm: no
. "$SOURCE/tests/support/lib.sh"

config x '.memori = {} | .memory = { limit: "a lot", swop: 1 } | .cpu.weight = 999999 | .limits.processes = "many" | .profile = "sytem"
	| .network.interfaces = [{ name: "eth0", mode: "bridge", addresses: ["10.9.0.300/24"] }]'
status=0
ctr validate "$T/x.json" >"$T/out" 2>"$T/err" || status=$?
ne $status 0 'status'
text=$(cat "$T/out" "$T/err")
for place in memori 'memory\.limit' 'memory\.swop' 'cpu\.weight' 'limits\.processes' 'profile' 'network\.interfaces\[0\]\.addresses\[0\]'; do
	match "$text" "$place" "what validate says"
done
match "$text" "memori.*memory" 'nearest key'
match "$text" "swop.*swap" 'nearest key'
match "$text" "sytem.*system" 'nearest value'
config x
ctr validate "$T/x.json"
