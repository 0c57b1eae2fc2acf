#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq net
# about: what a partition may reach is what its config says
# vm: no
. "$SOURCE/tests/support/lib.sh"

template
unshare --net sleep 600 &
outside=$!
trap 'kill $outside 2>/dev/null || true' EXIT
eventually 10 sh -c "[ \"\$(readlink /proc/$outside/ns/net)\" != \"\$(readlink /proc/self/ns/net)\" ]"
out() { nsenter --net="/proc/$outside/ns/net" "$@"; }
ip link add up0 type veth peer name up1
ip link set up1 netns $outside
ip addr add 203.0.113.1/24 dev up0
ip link set up0 up
out ip addr add 203.0.113.2/24 dev up1
out ip link set up1 up
out ip route add default via 203.0.113.1
out "$PAYLOAD" listen 0.0.0.0 80 outside >/dev/null &
"$PAYLOAD" listen 0.0.0.0 8080 host >/dev/null &
eventually 15 "$PAYLOAD" connect 203.0.113.2 80

nic() { echo ".network = { mode: \"private\", interfaces: [{ name: \"eth0\", mode: \"$3\", addresses: [\"10.9.0.$1/$4\"], nat: true, reach: $2 } + (if \"$3\" == \"bridge\" then { bridge: \"ctr0\", gateways: [\"10.9.0.1\"] } else {} end)] }"; }
probe() { # ID -> what it reaches
	local got=
	inside "$1" payload connect "$2" 8080 800 2>/dev/null | grep -q host && got="$got host"
	inside "$1" payload connect 10.9.0.9 80 800 2>/dev/null | grep -q peer && got="$got partitions"
	inside "$1" payload connect 203.0.113.2 80 800 2>/dev/null | grep -q outside && got="$got outside"
	echo "${got# }"
}
for mode in bridge routed; do
	prefix=24 gate=10.9.0.1
	[ $mode = bridge ] || prefix=32 gate=203.0.113.1
	up "$P-peer" "$(nic 9 '["host","partitions","outside"]' $mode $prefix)"
	inside "$P-peer" payload listen 0.0.0.0 80 peer >/dev/null 2>&1 &
	eventually $((15 * $(slower))) "$PAYLOAD" connect 10.9.0.9 80
	n=10
	while IFS=';' read -r reach want; do
		n=$((n + 1))
		step "$mode, reach $reach"
		up "$P-$n" "$(nic $n "$reach" $mode $prefix)"
		eq "$(probe "$P-$n" $gate)" "$want" "reached with $reach ($mode)"
		gone "$P-$n"
	done <<-'END'
		[];
		["host"];host
		["partitions"];partitions
		["outside"];outside
		["host","partitions","outside"];host partitions outside
	END
	gone "$P-peer"
done
kill $(jobs -p) 2>/dev/null || true
wait 2>/dev/null || true
ip link del up0 2>/dev/null || true
