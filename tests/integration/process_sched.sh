#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq
# about: scheduler, I/O priority, personality, memory policy and CPUs of init and of exec
. "$SOURCE/tests/support/lib.sh"

a=$P-a
bundle "$T/b" '.process.args = ["/bin/payload", "sched"]'
change() { jq "$1" "$T/b/config.json" >"$T/config" && cp "$T/config" "$T/b/config.json"; }
# one JQ-FILTER: what a container with that change says of itself
one() {
	mkdir -p "$T/one"
	jq ".root.path = \"$T/b/rootfs\" | $1" "$T/b/config.json" >"$T/one/config.json"
	ctr run --bundle "$T/one" "$a" </dev/null
}
bad() {
	local pattern=$1
	mkdir -p "$T/one"
	jq ".root.path = \"$T/b/rootfs\" | $2" "$T/b/config.json" >"$T/one/config.json"
	refused "$pattern" ctr run --bundle "$T/one" "$a"
}

step 'nothing asked for'
one . >"$T/plain"
match "$(cat "$T/plain")" '^policy 0 nice 0 priority 0' 'policy'
match "$(cat "$T/plain")" '^personality 0$' 'personality'

step 'scheduler'
match "$(one '.process.scheduler = { policy: "SCHED_BATCH", nice: 19 }')" '^policy 3 nice 19 ' batch
fifo='.process.scheduler = { policy: "SCHED_FIFO", priority: 5, flags: ["SCHED_FLAG_RESET_ON_FORK"] }'
if [ -e /sys/fs/cgroup/cpu/cpu.rt_runtime_us ]; then # a v1 group starts with none of it
	bad 'process.scheduler: SCHED_FIFO: Operation not permitted' "$fifo"
else
	match "$(one "$fifo")" '^policy 1 .*priority 5 flags 1 ' fifo
	match "$(one '.process.scheduler = { policy: "SCHED_RR", priority: 1 }')" '^policy 2 .*priority 1 ' rr
fi
match "$(one '.process.scheduler = { policy: "SCHED_IDLE" }')" '^policy 5 ' idle
match "$(one '.process.scheduler = { policy: "SCHED_DEADLINE", nice: 19, runtime: 42000, deadline: 1000000, period: 1000000 }')" \
	'^policy 6 .* 42000/1000000/1000000' deadline
bad 'process.scheduler.priority' '.process.scheduler = { policy: "SCHED_OTHER", priority: 1 }'
bad 'process.scheduler.nice' '.process.scheduler = { policy: "SCHED_OTHER", nice: 20 }'
bad 'process.scheduler.*SCHED_ISO' '.process.scheduler = { policy: "SCHED_ISO" }'
if [ "$(nproc)" -gt 1 ]; then
	step 'a deadline in a cpuset is refused by the kernel, and we say so'
	bad "process scheduler can't be used together with AllowedCPUs" '.linux.resources.cpu.cpus = "0" |
		.process.scheduler = { policy: "SCHED_DEADLINE", runtime: 42000, deadline: 1000000, period: 1000000 }'
fi

step 'I/O priority'
match "$(one '.process.ioPriority = { class: "IOPRIO_CLASS_BE", priority: 4 }')" '^io class 2 level 4' 'best effort'
match "$(one '.process.ioPriority = { class: "IOPRIO_CLASS_IDLE" }')" '^io class 3 ' idle
match "$(one '.process.ioPriority = { class: "IOPRIO_CLASS_RT", priority: 7 }')" '^io class 1 level 7' 'real time'
bad 'process.ioPriority.priority' '.process.ioPriority = { class: "IOPRIO_CLASS_BE", priority: 8 }'

step 'personality'
match "$(one '.linux.personality.domain = "LINUX32"')" '^personality 8$' LINUX32
match "$(one '.linux.personality.domain = "LINUX"')" '^personality 0$' LINUX
match "$(one '.linux.personality.domain = "LINUX32" | .linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW",
	syscalls: [{ names: ["set_mempolicy", "sched_setattr", "ioprio_set"], action: "SCMP_ACT_KILL_PROCESS" }] }
	| .process.ioPriority = { class: "IOPRIO_CLASS_IDLE" } | .process.scheduler = { policy: "SCHED_BATCH" }')" \
	'^policy 3 ' 'calls that the filter forbids to the payload'

step 'memory policy'
if ! ctr run --bundle "$T/b" "$a" 2>&1 </dev/null | grep -q 'get_mempolicy'; then
	match "$(one '.linux.memoryPolicy = { mode: "MPOL_INTERLEAVE", nodes: "0" }')" '^memory mode 3 nodes 1$' interleave
	match "$(one '.linux.memoryPolicy = { mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"] }')" '^memory mode 32770 nodes 1$' 'bind static'
	match "$(one '.linux.memoryPolicy = { mode: "MPOL_PREFERRED", nodes: "0", flags: ["MPOL_F_RELATIVE_NODES"] }')" '^memory mode 16385 nodes 1$' 'preferred relative'
	match "$(one '.linux.memoryPolicy = { mode: "MPOL_PREFERRED" }')" '^memory mode [14] nodes 0$' 'preferred, no nodes'
	match "$(one '.linux.memoryPolicy = { mode: "MPOL_PREFERRED_MANY", nodes: "0" }')" '^memory mode 5 nodes 1$' 'preferred many'
	match "$(one '.linux.memoryPolicy = { mode: "MPOL_LOCAL" }')" '^memory mode 4 nodes 0$' local
	match "$(one '.linux.memoryPolicy = { mode: "MPOL_DEFAULT", nodes: "" }')" '^memory mode 0 nodes 0$' default
	bad 'linux.memoryPolicy' '.linux.memoryPolicy = { mode: "MPOL_BIND", nodes: "1000" }'
fi
bad 'linux.memoryPolicy.mode' '.linux.memoryPolicy = { nodes: "0" }'
bad 'linux.memoryPolicy.nodes.*requires 0 nodes but got 8' '.linux.memoryPolicy = { mode: "MPOL_DEFAULT", nodes: "0-7" }'
bad 'linux.memoryPolicy.nodes' '.linux.memoryPolicy = { mode: "MPOL_BIND", nodes: "0-9876543210" }'

step 'exec is scheduled as its container is, and a process file says otherwise'
change '.process.args = ["/bin/payload", "init"] | .process.ioPriority = { class: "IOPRIO_CLASS_BE", priority: 1 }
	| .process.scheduler = { policy: "SCHED_BATCH", nice: 5 } | .linux.personality.domain = "LINUX32"'
ctr run -d --bundle "$T/b" "$a" </dev/null >/dev/null 2>&1
out=$(inside "$a" payload sched)
match "$out" '^policy 3 nice 5 ' 'policy of exec'
match "$out" '^io class 2 level 1' 'I/O priority of exec'
match "$out" '^personality 8$' 'personality of exec'
jq -n '{ args: ["/bin/payload", "sched"], cwd: "/", ioPriority: { class: "IOPRIO_CLASS_IDLE" } }' >"$T/process.json"
out=$(ctr exec --process "$T/process.json" "$a" </dev/null)
match "$out" '^policy 3 nice 5 ' 'policy of exec by file'
match "$out" '^io class 3 ' 'I/O priority of exec by file'

step 'CPUs: the ones of the caller are not handed on'
all=$(inside "$a" sed -n 's/^Cpus_allowed_list:\t//p' /proc/self/status)
first=${all%%[-,]*}
eq "$(taskset -c "$first" "$CTR" exec "$a" sed -n 's/^Cpus_allowed_list:\t//p' /proc/self/status </dev/null)" "$all" 'exec by a bound caller'
eq "$(taskset -c "$first" "$CTR" exec "$a" sed -n 's/^Cpus_allowed_list:\t//p' /proc/1/status </dev/null)" "$all" 'init'
ctr delete -f "$a"
change '.process.args = ["/bin/sed", "-n", "s/^Cpus_allowed_list:\t//p", "/proc/self/status"]'
eq "$(taskset -c "$first" "$CTR" run --bundle "$T/b" "$a" </dev/null)" "$all" 'run by a bound caller'

step 'CPUs of exec'
change '.process.args = ["/bin/payload", "init"] | .process.execCPUAffinity = { initial: "'"$first"'", final: "'"$first"'" }'
ctr run -d --bundle "$T/b" "$a" </dev/null >/dev/null 2>&1
eq "$(inside "$a" sed -n 's/^Cpus_allowed_list:\t//p' /proc/self/status)" "$first" 'final'
eq "$(inside "$a" sed -n 's/^Cpus_allowed_list:\t//p' /proc/1/status)" "$all" 'init has all'
jq -n --arg c "$all" '{ args: ["/bin/sed", "-n", "s/^Cpus_allowed_list:\t//p", "/proc/self/status"], cwd: "/",
	execCPUAffinity: { initial: "0", final: $c } }' >"$T/process.json"
eq "$(ctr exec --process "$T/process.json" "$a" </dev/null)" "$all" 'of a process file'
jq '.execCPUAffinity.final = "x"' "$T/process.json" >"$T/bad.json"
refused 'execCPUAffinity.final' ctr exec --process "$T/bad.json" "$a"
ctr delete -f "$a"
