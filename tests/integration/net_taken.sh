#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq net
# about: an address that is taken is refused before anything is made
# vm: no
. "$SOURCE/tests/support/lib.sh"

template
a=$P-a b=$P-b
nic() { echo ".network = { mode: \"private\", interfaces: [{ name: \"eth0\", mode: \"bridge\", bridge: \"ctr0\", addresses: [\"$1\"], gateways: [\"10.9.0.1\"] }] }"; }
make "$a" "$(nic 10.9.0.2/24)"
unchanged taken
step 'by another partition, running or not'
config "$b" "$(nic 10.9.0.2/24)"
refused "10\.9\.0\.2.*$a|$a.*10\.9\.0\.2" ctr create --config "$T/$b.json"
unchanged taken
ctr start "$a"
refused "10\.9\.0\.2" ctr create --config "$T/$b.json"
ctr stop "$a"
step 'by the host itself'
unchanged used
ip link add host0 type veth peer name host1
ip addr add 10.9.0.5/24 dev host0
config "$b" "$(nic 10.9.0.5/24)"
if ctr create --config "$T/$b.json" >/dev/null 2>"$T/err"; then
	refused '10\.9\.0\.5' ctr start "$b"
	gone "$b"
else
	match "$(cat "$T/err")" '10\.9\.0\.5' 'message'
fi
ip link del host0
unchanged used
step 'freed by delete, and by set'
ctr set "$a" 'network.interfaces=[]' >/dev/null
config "$b" "$(nic 10.9.0.2/24)"
ctr create --config "$T/$b.json" >/dev/null
gone "$a" "$b"
