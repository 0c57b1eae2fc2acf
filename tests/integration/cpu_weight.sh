#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq cpu
# about: two that want one CPU get it by their weights
# host: quiet
. "$SOURCE/tests/support/lib.sh"

template
a=$P-a b=$P-b
up "$a" '.cpu.weight = 100 | .cpu.mask = "0"'
up "$b" '.cpu.weight = 300 | .cpu.mask = "0"'
inside "$a" payload burn 5000 >"$T/a" &
inside "$b" payload burn 5000 >"$T/b" &
wait
read -r one _ <"$T/a"
read -r two _ <"$T/b"
echo "# weight 100: $one us, weight 300: $two us"
within $((two * 100 / (one + two))) 75 10 'share of the heavier, in percent'
eq "$(inside "$a" grep Cpus_allowed_list /proc/self/status | awk '{ print $2 }')" 0 'mask'
gone "$a" "$b"
