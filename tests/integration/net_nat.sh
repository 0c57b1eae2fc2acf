#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq net
# about: NAT and forwarding to an outside that knows nothing of the partition
. "$SOURCE/tests/support/lib.sh"

template
a=$P-a b=$P-b
# The outside: a network namespace behind a link of this one.
unshare --net sleep 600 &
outside=$!
trap 'kill $outside 2>/dev/null || true' EXIT
eventually 10 sh -c "[ \"\$(readlink /proc/$outside/ns/net)\" != \"\$(readlink /proc/self/ns/net)\" ]"
out() { nsenter --net="/proc/$outside/ns/net" "$@"; }
ip link add up0 type veth peer name up1
ip link set up1 netns $outside
ip addr add 203.0.113.1/24 dev up0
ip addr add 2001:db8:1::1/64 dev up0 nodad
ip link set up0 up
out ip link set lo up
out ip addr add 203.0.113.2/24 dev up1
out ip addr add 2001:db8:1::2/64 dev up1 nodad
out ip link set up1 up
out "$PAYLOAD" listen :: 80 outside >/dev/null &
eventually 15 "$PAYLOAD" connect 203.0.113.2 80
eventually 15 "$PAYLOAD" connect 2001:db8:1::2 80
nic() { echo ".network = { mode: \"private\", interfaces: [{ name: \"eth0\", mode: \"bridge\", bridge: \"ctr0\", addresses: [\"10.9.0.$1/24\", \"fd09::$1/64\"], gateways: [\"10.9.0.1\", \"fd09::1\"], nat: $2, reach: [\"host\", \"partitions\", \"outside\"] }] }"; }
forward=$(cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding | xargs)
up "$a" "$(nic 2 true)"
up "$b" "$(nic 3 false)"
match "$(inside "$a" payload connect 203.0.113.2 80)" 'outside from (::ffff:)?203\.0\.113\.1' 'IPv4 by NAT'
match "$(inside "$a" payload connect 2001:db8:1::2 80)" 'outside from 2001:db8:1::1' 'IPv6 by NAT'
step 'one without NAT needs the outside to know the way back'
nomatch "$(inside "$b" payload connect 203.0.113.2 80 1500 || true)" 'outside' 'without NAT'
out ip route add 10.9.0.0/24 via 203.0.113.1
match "$(inside "$b" payload connect 203.0.113.2 80)" 'outside from (::ffff:)?10\.9\.0\.3' 'routed without NAT'
step 'and the host forwards no more than before, afterwards'
gone "$a" "$b"
eq "$(cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding | xargs)" "$forward" forwarding
kill $(jobs -p) 2>/dev/null || true
wait 2>/dev/null || true
ip link del up0 2>/dev/null || true
