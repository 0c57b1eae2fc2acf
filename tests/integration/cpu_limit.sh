#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq cpu
# about: a limit of half a CPU is half a CPU
# host: quiet
. "$SOURCE/tests/support/lib.sh"

template
a=$P-a
up "$a" '.cpu.limit = "50%"'
read -r cpu wall <<<"$(inside "$a" payload burn 4000)"
share=$((cpu * 1000 / wall))
echo "# $cpu us of CPU in $wall us: $((share / 10)).$((share % 10)) %"
within $share 500 $((10 * ($(slower) > 1 ? 2 : 1))) 'share of a CPU, in thousandths'
step 'and live: 20 %'
ctr set "$a" cpu.limit=20% >/dev/null
read -r cpu wall <<<"$(inside "$a" payload burn 4000)"
within $((cpu * 1000 / wall)) 200 $((10 * ($(slower) > 1 ? 2 : 1))) 'share of a CPU after set'
gone "$a"
