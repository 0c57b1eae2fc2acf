#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq net
# about: a command disturbed at any system call, by a kill or an error, leaves nothing that the next does not heal
# limit: 400
# vm: no
. "$SOURCE/tests/support/lib.sh"

# A seeded sample of all points, so that a failure can be repeated: SEED=n POINTS=n tests/run faults
SEED=${SEED:-1} POINTS=${POINTS:-6}
step "a sample of $POINTS points for each verb, seed $SEED"
"$SOURCE/tests/fault/sweep" -s "$SEED" -n "$POINTS" -o "$T/failures" || {
	cat "$T/failures"
	fail 'see above'
}

step 'two commands on one partition at once'
template
a=$P-a
config "$a"
# both VERBS...: two commands, each a word list, at the same time; their statuses in $first, $second
both() {
	local pid1 pid2
	first=0 second=0
	$1 >/dev/null 2>>"$T/err" </dev/null & pid1=$!
	$2 >/dev/null 2>>"$T/err" </dev/null & pid2=$!
	wait $pid1 || first=$?
	wait $pid2 || second=$?
}
for round in $(seq "${ROUNDS:-4}"); do
	STEP="round $round"
	both "$CTR create --config $T/$a.json" "$CTR create --config $T/$a.json"
	eq $(((first == 0) + (second == 0))) 1 'creates that won'
	both "$CTR start $a" "$CTR start $a"
	eq $(((first == 0) + (second == 0))) 1 'starts that won'
	inside "$a" true
	both "$CTR stop -t 5 $a" "$CTR start $a"
	match "$(status_of "$a")" 'running|stopped' 'status after stop and start'
	[ "$(status_of "$a")" = running ] || ctr start "$a"
	inside "$a" true
	both "$CTR stop -t 5 $a" "$CTR delete -f $a"
	eq $second 0 'delete beside stop'
	refused 'does not exist|not found|no such' ctr state "$a"
	make "$a"
	both "$CTR start $a" "$CTR delete -f $a"
	eq $second 0 'delete beside start'
	ctr delete -f "$a" 2>/dev/null || true
	refused 'does not exist|not found|no such' ctr state "$a"
done

step 'the monitor is killed'
# The monitor has no name of its own on disk: it is found by its run root.
monitors() {
	local dir
	for dir in $(grep -lF "CTR_ROOT=$CTR_ROOT" /proc/[0-9]*/environ 2>/dev/null); do
		[ "$(cat "${dir%environ}comm" 2>/dev/null)" != ctr-monitor ] || basename "${dir%/environ}"
	done
}
up "$a"
monitor=$(monitors)
match "$monitor" '^[0-9]+$' 'one monitor'
kill -KILL "$monitor"
inside "$a" true
up "$P-b"
inside "$a" true
match "$(monitors)" '^[0-9]+$' 'a new monitor'
ne "$(monitors)" "$monitor" 'the new monitor'
start=$SECONDS
ctr stop -t 5 "$a"
[ $((SECONDS - start)) -le $((6 * $(slower))) ] || fail "stop took $((SECONDS - start)) s"
ctr start "$a"
inside "$a" true
gone "$a"
gone "$P-b"
