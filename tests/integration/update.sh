#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq memory pids
# about: update changes limits of a container, keeps what is not named, and refuses as a whole
# vm: no
. "$SOURCE/tests/support/lib.sh"

template
a=$P-a
# says FILE...: the first of them that exists, of the container
says() {
	for file in "$@"; do
		local dir
		dir=$(group "$a" "${file%%.*}")
		if [ -e "$dir/$file" ]; then
			cat "$dir/$file"
			return
		fi
	done
	fail "none of these exists: $*"
}
memory() { says memory.max memory.limit_in_bytes; }
# quota: "QUOTA PERIOD", whatever the version
quota() {
	if [ -e "$(group "$a" cpu)/cpu.max" ]; then
		says cpu.max
	else
		echo "$(says cpu.cfs_quota_us | sed 's/^-1$/max/') $(says cpu.cfs_period_us)"
	fi
}
saved() { jq -c ".linux.resources$1" "$CTR_ROOT/$a/config.json"; }

bundle "$T/b" '.linux.resources = { memory: { limit: 33554432, reservation: 25165824 },
	cpu: { shares: 100, quota: 500000, period: 1000000 }, pids: { limit: 20 },
	devices: [{ allow: false, access: "rwm" }] }'
ctr create --bundle "$T/b" "$a" </dev/null >/dev/null 2>&1

step 'while it is created'
ctr update --pids-limit 21 "$a" >"$T/out" 2>&1
eq "$(cat "$T/out")" '' 'output'
eq "$(says pids.max)" 21 'pids.max'
ctr start "$a"

step 'options'
ctr update "$a" --memory 50M
eq "$(memory)" $((50 << 20)) 'memory'
ctr update "$a" --memory-reservation 33554432
eq "$(says memory.low memory.soft_limit_in_bytes)" 33554432 'reservation'
eq "$(memory)" $((50 << 20)) 'memory after another limit'
ctr update "$a" --cpu-period 900000
eq "$(quota)" '500000 900000' 'a period keeps the quota'
ctr update "$a" --cpu-quota 600000
eq "$(quota)" '600000 900000' 'a quota keeps the period'
ctr update "$a" --cpu-quota -1
eq "$(quota)" 'max 900000' 'no quota'
ctr update "$a" --cpu-quota 600000 --cpu-burst 500000
eq "$(says cpu.max.burst cpu.cfs_burst_us)" 500000 'burst'
ctr update "$a" --cpu-share 200
match "$(says cpu.weight cpu.shares)" '^(29|200)$' 'shares'
ctr update "$a" --kernel-memory 5M --kernel-memory-tcp 5M
ctr update "$a" --cpuset-cpus 0 --blkio-weight 0
eq "$(says cpuset.cpus)" 0 'cpus'
ctr update "$a" --cpu-idle 1
eq "$(says cpu.idle)" 1 'idle'
refused 'idle class' ctr update "$a" --cpu-shares 300
ctr update "$a" --cpu-idle 0
refused 'cpu\.idle' ctr update "$a" --cpu-idle 2
ctr update "$a" --memory -1
match "$(memory)" '^(max|9223372036854771712)$' 'no memory limit'
ctr update "$a" --pids-limit -1
eq "$(says pids.max)" max 'no limit of processes'
refused "invalid value for memory: 'much'" ctr update "$a" --memory much
refused "invalid value for pids-limit" ctr update "$a" --pids-limit 1x

step 'JSON, by standard input and by file; devices are passed over, null is not given'
jq -n '{ memory: { limit: 33554432, reservation: 25165824, swap: null }, pids: { limit: 20 },
	cpu: { shares: 100, quota: 500000, period: 1000000, cpus: "0" },
	devices: [{ allow: true, type: "a", access: "rwm" }] }' >"$T/r.json"
ctr update -r - "$a" <"$T/r.json"
eq "$(memory)" 33554432 'memory by standard input'
eq "$(quota)" '500000 1000000' 'cpu by standard input'
ctr update "$a" --memory 60M --pids-limit 30
ctr update --resources="$T/r.json" "$a"
eq "$(memory)" 33554432 'memory by file'
eq "$(says pids.max)" 20 'processes by file'
eq "$(saved '.devices')" '[{"allow":false,"access":"rwm"}]' 'devices of the start'
refused 'resources' ctr update -r - "$a"
refused 'resources\.cpu|cpu\.shares' ctr update -r <(echo '{ "cpu": { "shares": "many" } }') "$a"

step 'saved, for what comes later'
eq "$(saved '.memory.limit')" 33554432 'saved memory'
eq "$(saved '.cpu.period')" 1000000 'saved period'
inside "$a" true

step 'all or nothing'
before=$(saved '')
ctr update "$a" --pids-limit 40
refused 'cpu set' ctr update "$a" --pids-limit 50 --memory 70M --cpu-shares 500 --cpuset-cpus 4095
eq "$(says pids.max)" 40 'processes after a refused change'
eq "$(memory)" 33554432 'memory after a refused change'
match "$(says cpu.weight cpu.shares)" '^(17|100)$' 'shares after a refused change'
ctr update "$a" --pids-limit 20
eq "$(saved '')" "$before" 'saved limits after a refused change'

step 'memory in use'
inside "$a" payload eat 20 stay >"$T/eat" &
eventually $((20 * $(slower))) grep -q ate "$T/eat"
refused 'rejecting memory limit 10M' ctr update -r <(echo '{ "memory": { "limit": 10485760, "checkBeforeUpdate": true } }') "$a"
eq "$(memory)" 33554432 'memory after a refused limit'
if [ "$(says memory.swap.max memory.memsw.limit_in_bytes 2>/dev/null || true)" ]; then
	ctr update "$a" --memory 40M --memory-swap 60M
	match "$(says memory.swap.max memory.memsw.limit_in_bytes)" "^($((20 << 20))|$((60 << 20)))\$" 'swap'
	refused 'memory\.swap' ctr update "$a" --memory 80M
	ctr update "$a" --memory 80M --memory-swap 100M
	match "$(says memory.swap.max memory.memsw.limit_in_bytes)" "^($((20 << 20))|$((100 << 20)))\$" 'swap'
fi

step 'paused, stopped, unknown, a partition'
ctr pause "$a"
ctr update "$a" --pids-limit 33
eq "$(status_of "$a")" paused 'status'
eq "$(says pids.max)" 33 'processes while paused'
ctr resume "$a"
ctr kill "$a" KILL
wait || true
is_stopped() { [ "$(status_of "$a")" = stopped ]; }
eventually 10 is_stopped
refused 'not running' ctr update "$a" --pids-limit 20
gone "$a"
refused 'does not exist' ctr update "$a" --pids-limit 20
up "$P-p"
refused 'is a partition' ctr update "$P-p" --pids-limit 20
gone "$P-p"
