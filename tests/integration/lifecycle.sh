#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq
# about: create, start, pause, stop, restart, delete, and what list and state say of each
. "$SOURCE/tests/support/lib.sh"

template
a=$P-a b=$P-b

step create
make "$a"
eq "$(status_of "$a")" stopped 'status after create'
eq "$(init_pid "$a")" 0 'pid of a stopped partition'

step start
ctr start "$a"
eq "$(status_of "$a")" running 'status after start'
pid=$(init_pid "$a")
match "$(cat /proc/"$pid"/cmdline | tr '\0' ' ')" 'payload init' 'init'
eq "$(awk '/^NSpid/ { print $NF }' "/proc/$pid/status")" 1 'pid of init inside'
refused 'already running|is running' ctr start "$a"

step 'pause and resume'
ctr pause "$a"
eq "$(status_of "$a")" paused 'status after pause'
ctr resume "$a"
eq "$(status_of "$a")" running 'status after resume'
inside "$a" true

step restart
ctr restart "$a"
ne "$(init_pid "$a")" "$pid" 'pid after restart'

step 'a second partition, and both at once'
make "$b"
ctr start "$b"
eq "$(ctr list -q | sort | xargs)" "$a $b" 'list -q'
eq "$(ctr list --format json | jq -r '[.[] | select(.status == "running")] | length')" 2 'running ones'
ctr stop "$a" "$b"
eq "$(ctr list --format json | jq -r '[.[] | select(.status == "stopped")] | length')" 2 'stopped ones'
ctr start --all
eq "$(ctr list --format json | jq -r '[.[] | select(.status == "running")] | length')" 2 'running after --all'

step 'delete refuses what runs, -f does not'
refused 'running' ctr delete "$a"
ctr delete -f "$a"
refused 'does not exist|no such|not found' ctr state "$a"
ctr stop --all
ctr delete "$b"
eq "$(ctr list -q)" '' 'list at the end'
