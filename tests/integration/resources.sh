#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq memory pids
# about: linux.resources of an OCI container: each limit in its file, or refused by name
# vm: no
. "$SOURCE/tests/support/lib.sh"

a=$P-a
# with FILTER: a created container whose linux.resources are FILTER's
with() {
	bundle "$T/b" ".linux.resources = $1"
	ctr create --bundle "$T/b" "$a" </dev/null >/dev/null 2>&1
}
# without PATTERN FILTER: create refuses, and nothing is left
without() {
	bundle "$T/b" ".linux.resources = $2"
	refused "$1" ctr create --bundle "$T/b" "$a"
	refused 'does not exist' ctr state "$a"
}
# says FILE...: the first of them that exists, of the container
says() {
	for file in "$@"; do
		local dir
		dir=$(group "$a" "$(case $file in blkio*) echo blkio ;; *) echo "${file%%.*}" ;; esac)")
		if [ -e "$dir/$file" ]; then
			cat "$dir/$file"
			return
		fi
	done
	fail "none of these exists: $*"
}
held() { [ -d "/sys/fs/cgroup/$1" ] && [ -e "/sys/fs/cgroup/$1/cgroup.procs" ]; }

step 'memory'
with '{ memory: { limit: 67108864, reservation: 33554432, kernel: 5, kernelTCP: 5 } }'
eq "$(says memory.max memory.limit_in_bytes)" 67108864 'limit'
eq "$(says memory.low memory.soft_limit_in_bytes)" 33554432 'reservation'
gone "$a"
without 'memory\.swap' '{ memory: { limit: 100000000, swap: 90000000 } }'
without 'memory\.swap' '{ memory: { swap: 90000000 } }'
if held memory; then
	with '{ memory: { swappiness: 7, disableOOMKiller: true } }'
	eq "$(says memory.swappiness)" 7 'swappiness'
	match "$(says memory.oom_control)" 'oom_kill_disable 1' 'oom killer'
	gone "$a"
	without "unified limit 'memory.high'" '{ unified: { "memory.high": "67108864" } }'
else
	without 'swappiness' '{ memory: { swappiness: 7 } }'
	without 'oom killer' '{ memory: { disableOOMKiller: true } }'
	with '{ memory: { limit: 67108864 }, unified: { "memory.max": "134217728", "memory.high": "33554432" } }'
	eq "$(says memory.max)" 134217728 'unified comes last'
	eq "$(says memory.high)" 33554432 'unified'
	gone "$a"
	without "no 'no_such'|'no_such.max'" '{ unified: { "no_such.max": "1" } }'
fi
without 'linux\.resources\.unified' '{ unified: { "cgroup.procs": "1" } }'

step 'processes'
with '{ pids: { limit: 0 } }'
eq "$(says pids.max)" 1 'a limit of 0'
gone "$a"
with '{ pids: { limit: -1 } }'
eq "$(says pids.max)" max 'no limit'
gone "$a"

step 'cpu'
with '{ cpu: { shares: 1024, quota: 50000, period: 200000, burst: 1000 } }'
match "$(says cpu.weight cpu.shares)" '^(100|1024)$' 'shares'
match "$(says cpu.max cpu.cfs_quota_us)" '^50000( 200000)?$' 'quota'
eq "$(says cpu.max.burst cpu.cfs_burst_us)" 1000 'burst'
gone "$a"
with '{ cpu: { idle: 1, shares: 512, cpus: "0", mems: "0" } }'
eq "$(says cpu.idle)" 1 'idle'
eq "$(says cpuset.cpus)" 0 'cpus'
gone "$a"
if held cpu && [ -e /sys/fs/cgroup/cpu/cpu.rt_period_us ]; then
	with '{ cpu: { realtimePeriod: 500000 } }'
	eq "$(says cpu.rt_period_us)" 500000 'real-time period'
	gone "$a"
else
	without 'real-time period' '{ cpu: { realtimePeriod: 500000 } }'
fi

step 'huge pages'
size=$(find /sys/kernel/mm/hugepages -name 'hugepages-2048kB' 2>/dev/null)
if [ -n "$size" ]; then
	with '{ hugepageLimits: [{ pageSize: "2MB", limit: 4194304 }] }'
	eq "$(says hugetlb.2MB.max hugetlb.2MB.limit_in_bytes)" 4194304 'usage'
	eq "$(says hugetlb.2MB.rsvd.max hugetlb.2MB.rsvd.limit_in_bytes)" 4194304 'reservations'
	gone "$a"
fi
without 'pageSize' '{ hugepageLimits: [{ pageSize: "3XB", limit: 4194304 }] }'

step 'what this host lacks is refused by name'
held net_cls || without "network class: this host has no 'net_cls'" '{ network: { classID: 1048577 } }'
held net_prio || without "network priority: this host has no 'net_prio'" '{ network: { priorities: [{ name: "lo", priority: 5 }] } }'
if held rdma || grep -qw rdma /sys/fs/cgroup/cgroup.controllers 2>/dev/null; then
	# The controller is there, such a device is not.
	without 'rdma limit: write' '{ rdma: { none0: { hcaHandles: 3 } } }'
else
	without "rdma limit: this host has no 'rdma'" '{ rdma: { mlx5_0: { hcaHandles: 3 } } }'
fi
without 'linux\.resources\.blockIO\.leafWeight' '{ blockIO: { leafWeight: 300 } }'
