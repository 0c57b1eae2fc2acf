#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq net
# about: linux.netDevices: moved with their addresses, renamed, returned when a creation fails
. "$SOURCE/tests/support/lib.sh"

a=$P-a
bundle "$T/b" '.process.args = ["/bin/sleep", "100"]'
change() { jq "$1" "$T/b/config.json" >"$T/c" && mv "$T/c" "$T/b/config.json"; }
# device NAME: one end of a veth pair, up, with addresses of which one is not of global scope
device() {
	ip link add "$1" mtu 1400 type veth peer name "$1-peer"
	ip addr add 10.77.0.5/24 dev "$1"
	ip addr add 169.254.7.7/16 scope link dev "$1"
	ip -6 addr add 2001:db8:7::5/64 dev "$1" nodad
	ip link set "$1" up
}
within_ns() { nsenter -t "$(init_pid "$a")" -n ip "$@"; }

step 'into a new namespace, under another name'
device tdev0
change '.linux.netDevices = { tdev0: { name: "data0" } }'
mac=$(ip -o link show tdev0 | sed "s/.*ether //; s/ .*//")
ctr create --bundle "$T/b" "$a"
! ip link show tdev0 >/dev/null 2>&1 || fail 'the device is still on the host'
match "$(within_ns -d link show data0)" 'mtu 1400' 'mtu'
match "$(within_ns link show data0)" "$mac" 'mac'
match "$(within_ns link show data0)" '[<,]UP[,>]' 'state'
match "$(within_ns addr show data0)" 'inet 10.77.0.5/24' 'IPv4 address'
match "$(within_ns addr show data0)" 'inet6 2001:db8:7::5/64 scope global' 'IPv6 address'
nomatch "$(within_ns addr show data0)" '169\.254\.7\.7' 'address of link scope'
gone "$a"

step 'a name that the kernel chooses'
device tdev1
change '.linux.netDevices = { tdev1: { name: "net%d" } }'
ctr create --bundle "$T/b" "$a"
match "$(within_ns addr show net0)" '10.77.0.5/24' 'numbered'
gone "$a"

step 'into a namespace that exists, where it stays'
device tdev2
unshare -n sleep 300 &
owner=$!
eventually 5 sh -c "[ \$(readlink /proc/$owner/ns/net) != $(readlink /proc/self/ns/net) ]"
change '.linux.netDevices = { tdev2: {} } | (.linux.namespaces[] | select(.type == "network")).path = "/proc/'"$owner"'/ns/net"'
ctr create --bundle "$T/b" "$a"
gone "$a"
match "$(nsenter -t $owner -n ip addr show tdev2)" '10.77.0.5/24' 'kept by the namespace'

step 'a name that is taken there'
nsenter -t $owner -n ip link add taken type veth peer name taken-peer
device tdev3
change '.linux.netDevices = { tdev3: { name: "taken" } }'
before=$(ip addr show tdev3 | sort)
refused "network device 'tdev3': the network namespace has a 'taken' already" ctr create --bundle "$T/b" "$a"
eq "$(ip addr show tdev3 | sort)" "$before" 'the device after a refusal'

step 'a creation that fails gives it back'
change '.linux.netDevices = { tdev3: { name: "other" } } | .hooks.createRuntime = [{ path: "/bin/false" }]'
refused 'createRuntime hook #0' ctr create --bundle "$T/b" "$a"
eq "$(ip -o addr show tdev3 | grep -c 'scope global')" 2 'addresses after the return'
match "$(ip link show tdev3)" '[<,]UP[,>]' 'state after the return'
ip link del tdev3
ip link del tdev2-peer
kill $owner

step 'one that does not exist'
refused "network device 'tdev3' does not exist" ctr create --bundle "$T/b" "$a"
