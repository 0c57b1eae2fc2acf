#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq
# about: many commands on one id at once are safe
. "$SOURCE/tests/support/lib.sh"

template
a=$P-a
config "$a" '.limits.processes = 200'
for round in $(seq 1 $((8 / ($(slower) > 1 ? 4 : 1)))); do
	step "round $round"
	jobs=()
	for _ in 1 2 3; do
		ctr create --config "$T/$a.json" >/dev/null 2>>"$T/err" &
		jobs+=($!)
	done
	won=0
	for job in "${jobs[@]}"; do
		if wait "$job"; then won=$((won + 1)); fi
	done
	eq $won 1 'creates that succeeded'
	jobs=()
	for _ in 1 2 3; do
		ctr start "$a" 2>>"$T/err" &
		jobs+=($!)
	done
	won=0
	for job in "${jobs[@]}"; do
		if wait "$job"; then won=$((won + 1)); fi
	done
	eq $won 1 'starts that succeeded'
	eq "$(status_of "$a")" running 'status'
	ctr stop -t 5 "$a" 2>>"$T/err" &
	ctr restart "$a" 2>>"$T/err" &
	ctr exec "$a" true 2>>"$T/err" </dev/null &
	ctr set "$a" limits.processes=100 >/dev/null 2>>"$T/err" &
	ctr list >/dev/null 2>>"$T/err" &
	wait
	match "$(status_of "$a")" 'running|stopped' 'status after the storm'
	ctr start "$a" 2>/dev/null || true
	inside "$a" true
	jobs=()
	for _ in 1 2 3; do
		ctr delete -f "$a" 2>>"$T/err" &
		jobs+=($!)
	done
	won=0
	for job in "${jobs[@]}"; do
		if wait "$job"; then won=$((won + 1)); fi
	done
	[ $won -ge 1 ] || fail 'no delete succeeded'
	refused 'does not exist|not found|no such' ctr state "$a"
done
nomatch "$(cat "$T/err")" 'signal|core dumped|Segmentation|ERROR: AddressSanitizer' 'messages'
