#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq net
# about: bridge: IPv4 and IPv6, default route, names, and partitions among themselves
. "$SOURCE/tests/support/lib.sh"

template
a=$P-a b=$P-b
nic() { echo ".network = { mode: \"private\", interfaces: [{ name: \"eth0\", mode: \"bridge\", bridge: \"ctr0\", addresses: [\"10.9.0.$1/24\", \"fd09::$1/64\"], gateways: [\"10.9.0.1\", \"fd09::1\"], hostGateway: true, reach: [\"host\", \"partitions\", \"outside\"] }], dns: { servers: [\"10.9.0.1\", \"fd09::1\"], search: [\"example.test\"] } }"; }
up "$a" "$(nic 2)"
up "$b" "$(nic 3)"

step 'addresses, routes and names inside'
out=$(inside "$a" ip addr show eth0)
match "$out" 'inet 10\.9\.0\.2/24' 'IPv4 address'
match "$out" 'inet6 fd09::2/64' 'IPv6 address'
match "$out" 'UP' 'state of the link'
match "$(inside "$a" ip addr show lo)" '127\.0\.0\.1' loopback
match "$(inside "$a" ip route)" 'default via 10\.9\.0\.1' 'IPv4 default route'
match "$(inside "$a" ip -6 route)" 'default via fd09::1' 'IPv6 default route'
eq "$(inside "$a" grep -c '^nameserver' /etc/resolv.conf)" 2 'name servers'
match "$(inside "$a" cat /etc/resolv.conf)" 'search example\.test' 'search list'
match "$(ctr list --format json)" '10\.9\.0\.2' 'addresses in list'

step 'host to partition, partition to host, partition to partition'
inside "$a" payload listen :: 80 alpha >/dev/null 2>&1 &
"$PAYLOAD" listen :: 8080 host >/dev/null &
listener=$!
eventually $((15 * $(slower))) "$PAYLOAD" connect 10.9.0.2 80
match "$("$PAYLOAD" connect 10.9.0.2 80)" '^alpha' 'host to partition, IPv4'
eventually $((15 * $(slower))) "$PAYLOAD" connect fd09::2 80
match "$("$PAYLOAD" connect fd09::2 80)" '^alpha' 'host to partition, IPv6'
match "$(inside "$b" payload connect 10.9.0.2 80)" 'alpha from (::ffff:)?10\.9\.0\.3' 'partition to partition, IPv4'
match "$(inside "$b" payload connect fd09::2 80)" 'alpha from fd09::3' 'partition to partition, IPv6'
match "$(inside "$b" payload connect 10.9.0.1 8080)" 'host from' 'partition to host, IPv4'
match "$(inside "$b" payload connect fd09::1 8080)" 'host from' 'partition to host, IPv6'

step 'a partition cannot take the address of another'
inside "$b" ip addr add 10.9.0.77/24 dev eth0 2>/dev/null || true
inside "$b" ip route replace 10.9.0.1 dev eth0 src 10.9.0.77 2>/dev/null || true
nomatch "$(inside "$b" payload connect 10.9.0.1 8080 1500 || true)" 'from (::ffff:)?10\.9\.0\.77' 'traffic from a forged address'

kill $listener
gone "$a"
step 'the bridge stays for the other, and goes with it'
ip link show ctr0 >/dev/null || fail 'the bridge went with its first port'
gone "$b"
ip link show ctr0 >/dev/null 2>&1 && fail 'the bridge is still there'
true
