#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq net
# about: routed: the host routes each address to its partition
. "$SOURCE/tests/support/lib.sh"

template
a=$P-a b=$P-b
nic() { echo ".network = { mode: \"private\", interfaces: [{ name: \"eth0\", mode: \"routed\", addresses: [\"10.77.0.$1/32\", \"fd77::$1/128\"], reach: [\"host\", \"partitions\", \"outside\"] }] }"; }
up "$a" "$(nic 2)"
up "$b" "$(nic 3)"
match "$(inside "$a" ip route)" '^default' 'IPv4 default route'
match "$(inside "$a" ip -6 route)" '^default' 'IPv6 default route'
match "$(ip route)" '10\.77\.0\.2 dev' 'route of the host'
match "$(ip -6 route)" 'fd77::2 dev' 'IPv6 route of the host'
inside "$a" payload listen :: 80 alpha >/dev/null 2>&1 &
eventually $((15 * $(slower))) "$PAYLOAD" connect 10.77.0.2 80
match "$("$PAYLOAD" connect 10.77.0.2 80)" '^alpha' 'host to partition, IPv4'
eventually $((15 * $(slower))) "$PAYLOAD" connect fd77::2 80
match "$(inside "$b" payload connect 10.77.0.2 80)" 'alpha from (::ffff:)?10\.77\.0\.3' 'partition to partition, IPv4'
match "$(inside "$b" payload connect fd77::2 80)" 'alpha from fd77::3' 'partition to partition, IPv6'
gone "$a" "$b"
match "$(ip route; ip -6 route)" '^' routes
nomatch "$(ip route; ip -6 route)" '10\.77|fd77' 'routes at the end'
