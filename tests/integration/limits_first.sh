#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq memory pids
# about: limits hold before the first instruction of the guest
. "$SOURCE/tests/support/lib.sh"

template
a=$P-a b=$P-b
step 'an init that eats memory at once'
make "$a" '.memory.limit = "48M" | .memory.swap = 0 | .init.args = ["/bin/payload", "eat", "400"]' 2>/dev/null ||
	make "$a" '.memory.limit = "48M" | .init.args = ["/bin/payload", "eat", "400"]'
ctr start "$a" || true
eventually $((20 * $(slower))) sh -c "[ \"\$('$CTR' state '$a' | jq -r .status)\" = stopped ]"
nomatch "$(ctr logs "$a")" 'ate 400' 'what it says'

step 'an init that forks at once'
up "$b" '.limits.processes = 20 | .init.args = ["/bin/sh", "-c", "payload forks 100 >/forks; exec payload init"]'
eventually $((20 * $(slower))) "$CTR" exec "$b" test -s /forks
said=$(inside "$b" cat /forks)
match "$said" 'refused with EAGAIN' 'forks'
n=$(grep -oE 'forked [0-9]+' <<<"$said" | cut -d' ' -f2)
[ "$n" -ge 10 ] && [ "$n" -le 20 ] || fail "$n processes beside init with a limit of 20"

gone "$a" "$b"
