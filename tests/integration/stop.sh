#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq
# about: stop asks first, waits, then kills; a guest that ends by itself is stopped
. "$SOURCE/tests/support/lib.sh"

template
a=$P-a
step 'a guest that listens ends at once'
up "$a"
before=$(date +%s%N)
ctr stop -t 30 "$a"
[ $((($(date +%s%N) - before) / 1000000)) -lt $((5000 * $(slower))) ] || fail 'stop waited for its timeout'
eq "$(status_of "$a")" stopped status

step 'one that ignores every signal is killed after the timeout'
ctr set "$a" 'init.args=["/bin/payload","stubborn"]' >/dev/null
ctr start "$a"
eventually $((10 * $(slower))) sh -c "'$CTR' logs '$a' | grep -q 'stubborn ready'"
pid=$(init_pid "$a")
before=$(date +%s%N)
ctr stop -t 2 "$a"
took=$((($(date +%s%N) - before) / 1000000))
[ $took -ge 1900 ] || fail "stop killed after $took ms, before its timeout"
[ $took -lt $((6000 * $(slower))) ] || fail "stop took $took ms"
alive "$pid" && fail 'init is still there'

step 'an init that ends by itself leaves a stopped partition that starts again'
ctr set "$a" 'init.args=["/bin/sh","-c","exit 7"]' >/dev/null
ctr start "$a"
eventually $((10 * $(slower))) sh -c "[ \"\$('$CTR' state '$a' | jq -r .status)\" = stopped ]"
ctr start "$a"
eventually $((10 * $(slower))) sh -c "[ \"\$('$CTR' state '$a' | jq -r .status)\" = stopped ]"
gone "$a"
