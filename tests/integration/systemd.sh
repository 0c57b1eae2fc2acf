#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq debian
# about: a Debian guest with systemd boots, works, and halts in order
# limit: 300
. "$SOURCE/tests/support/lib.sh"

ctr template import debian "${CTR_TEST_DEBIAN:-$WORK/debian-12.tar}" >/dev/null
a=$P-a
config "$a" '.profile = "system" | .root.template = "debian" | del(.init) | .memory.limit = "512M" | .limits.processes = 300
	| .network = { mode: "private", interfaces: [{ name: "eth0", mode: "bridge", bridge: "ctr0", addresses: ["10.9.0.2/24"], gateways: ["10.9.0.1"] }] }'
ctr create --config "$T/$a.json" >/dev/null
ctr start "$a"
step 'it boots'
state=
for _ in $(seq 1 $((60 * $(slower)))); do
	state=$(inside "$a" systemctl is-system-running 2>/dev/null || true)
	case $state in running | degraded) break ;; esac
	sleep 1
done
units=$(inside "$a" systemctl list-units --failed --plain --no-legend 2>/dev/null | awk '{ print $1 }' | xargs || true)
echo "# $state; failed units: ${units:-none}"
match "$state" '^(running|degraded)$' 'state of the system'
# A degraded system must be so for a reason that is known: these cannot work without their hardware.
for unit in $units; do
	match "$unit" '^(systemd-(udevd?|modules-load|remount-fs|sysctl|networkd-wait|binfmt|journald-audit|logind|firstboot)|sys-kernel|dev-|proc-sys-fs|e2scrub|getty|console-getty)' 'failed unit'
done
eq "$(inside "$a" cat /proc/1/comm)" systemd 'init'
match "$(inside "$a" cat /etc/os-release)" 'bookworm' 'release'
step 'services work'
inside "$a" systemd-run --quiet --wait --pipe sh -c 'echo from a unit' >"$T/unit"
eq "$(cat "$T/unit")" 'from a unit' 'a transient unit'
match "$(inside "$a" systemctl show -p ControlGroup --value init.scope)" '/init.scope' 'its own cgroup tree'
match "$(inside "$a" ip -br addr show eth0)" '10\.9\.0\.2/24' 'address'
step 'it halts in order'
inside "$a" sh -c 'printf "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStop=/bin/sh -c \"echo clean >/var/halted\"\n" >/etc/systemd/system/witness.service; systemctl start witness'
before=$SECONDS
ctr stop -t $((60 * $(slower))) "$a"
took=$((SECONDS - before))
[ $took -lt $((45 * $(slower))) ] || fail "stop took $took s"
ctr set "$a" profile=system >/dev/null 2>&1 || true
eq "$(cat "$CTR_STORE/partitions/$a/upper/var/halted" 2>/dev/null)" clean 'mark of an orderly halt'
step 'and boots again with its files'
ctr start "$a"
eventually $((60 * $(slower))) sh -c "'$CTR' exec '$a' test -e /var/halted </dev/null"
ctr stop -t $((60 * $(slower))) "$a"
gone "$a"
