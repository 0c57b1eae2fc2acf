#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq
# about: exec: status, output, input, environment, user, folder
. "$SOURCE/tests/support/lib.sh"

template
a=$P-a
up "$a"
status() { local s=0; "$@" >/dev/null 2>&1 </dev/null || s=$?; echo $s; }
eq "$(status ctr exec "$a" true)" 0 'status of true'
eq "$(status ctr exec "$a" sh -c 'exit 42')" 42 'status'
eq "$(status ctr exec "$a" sh -c 'kill -KILL $$')" 137 'status of a killed one'
eq "$(status ctr exec "$a" /no/such)" 127 'status when not found'
eq "$(status ctr exec "$a" /etc/passwd)" 126 'status when not executable'
eq "$(status ctr exec "$P-none" true)" 255 'status when there is no partition'
eq "$(echo input | ctr exec "$a" cat)" input 'input'
eq "$(head -c 3000000 /dev/zero | ctr exec "$a" wc -c)" 3000000 'much input'
eq "$(ctr exec "$a" head -c 3000000 /dev/zero </dev/null | wc -c)" 3000000 'much output'
eq "$(ctr exec "$a" sh -c 'echo out; echo err >&2' 2>/dev/null </dev/null)" out 'standard output alone'
eq "$(ctr exec --env A=b "$a" sh -c 'echo $A' </dev/null)" b environment
eq "$(ctr exec --cwd /var "$a" pwd </dev/null)" /var folder
eq "$(ctr exec --user 1000:1000 "$a" id -u </dev/null)" 1000 user
eq "$(ctr exec "$a" sh -c 'echo "$1"' - 'two  words; $HOME `id`' </dev/null)" 'two  words; $HOME `id`' 'arguments as they are'
nomatch "$(ctr exec "$a" env </dev/null)" "CTR_STORE|SOURCE=" 'environment of the caller'
step 'it is in the cgroup of the partition'
eq "$(ctr exec "$a" cat /proc/self/cgroup </dev/null | grep '^0:' )" '0::/' 'cgroup'
step 'with a terminal'
match "$(on_terminal '' "$CTR" exec -t "$a" sh -c 'test -t 0 && test -t 1 && echo on a terminal')" 'on a terminal' terminal
step 'a stopped one'
ctr stop "$a"
refused 'not running|stopped' ctr exec "$a" true
gone "$a"
