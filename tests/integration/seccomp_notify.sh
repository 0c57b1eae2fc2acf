#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq
# about: seccomp: a listener for an agent, of init and of exec; real calls by action, operator and errno
. "$SOURCE/tests/support/lib.sh"

a=$P-a
payload=$ROOTFS/bin/payload
case $(uname -m) in
x86_64) mkdir=83 getppid=110 ;;
*) skip 'the numbers of system calls here are those of x86_64' ;;
esac
agent() { # agent SOCKET: answers mkdir with ENOMEDIUM
	rm -f "$1"
	"$payload" agent "$1" $mkdir 123 >"$T/agent" &
	AGENT=$!
	eventually 10 grep -q ready "$T/agent"
}
trap 'kill ${AGENT:-} 2>/dev/null || true' TERM
told() { sed -n "$(($1 + 1))p" "$T/agent"; }
# with FILTER: a bundle with that change of the config
with() {
	mkdir -p "$T/one"
	jq ".root.path = \"$T/b/rootfs\" | $1" "$T/b/config.json" >"$T/one/config.json"
}
notify='.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", listenerPath: "'$T'/s", listenerMetadata: "bar",
	architectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_X86_64"], syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_NOTIFY" }] }'

bundle "$T/b" '.annotations = { key: "value" } | .process.args = ["/bin/payload", "call", "'$mkdir'", "0", "0"]'
agent "$T/s"
for nnp in true false; do
	step "run, noNewPrivileges $nnp"
	with "$notify | .process.noNewPrivileges = $nnp"
	: >"$T/agent.mark"
	eq "$(ctr run --bundle "$T/one" "$a" </dev/null)" 123 'the agent answers'
done
told 1 >"$T/told"
eq "$(jq -r '.fds[0], .metadata, .state.id, .state.status, .state.bundle, .state.annotations.key, .ociVersion' "$T/told" | tr '\n' ' ')" \
	"seccompFd bar $a created $T/one value 1.2.0 " 'what the agent was told'
eq "$(jq '.pid == .state.pid and .pid > 1' "$T/told")" true 'pid of init'

step 'calls that we make ourselves on the way'
for nnp in true false; do
	with "$notify | .process.noNewPrivileges = $nnp | .linux.seccomp.syscalls[0].names += [\"execve\", \"openat\", \"open\", \"read\", \"close\",
		\"fcntl\", \"sendmsg\", \"recvmsg\", \"setresuid\", \"setresgid\", \"setgroups\", \"capset\", \"prctl\", \"chdir\", \"getcwd\", \"mmap\", \"futex\"]
		| .process.user.uid = 1000"
	eq "$(ctr run --bundle "$T/one" "$a" </dev/null)" 123 "noNewPrivileges $nnp"
done
step 'create and start, and a further process'
with "$notify | .process.args = [\"/bin/payload\", \"init\"] | .hooks.startContainer = [{ path: \"/bin/sh\", args: [\"sh\", \"-c\", \"ls /proc/self/fd >/fds\"] }]"
ctr create --bundle "$T/one" "$a" </dev/null >/dev/null 2>&1
ctr start "$a"
eq "$(wc -l <"$T/b/rootfs/fds")" 4 'descriptors of a startContainer hook: three, and the folder'
eq "$(inside "$a" payload call $mkdir 0 0)" 123 'exec'
tail -n 1 "$T/agent" >"$T/told"
eq "$(jq -r .state.status "$T/told")" running 'status told by exec'
eq "$(jq -r .state.pid "$T/told")" "$(init_pid "$a")" 'pid of init told by exec'
ne "$(jq -r .pid "$T/told")" "$(init_pid "$a")" 'pid of exec'
step 'an agent that has gone leaves ENOSYS'
kill "$AGENT" && wait "$AGENT" 2>/dev/null || true
refused 'failed to connect with seccomp agent' ctr exec "$a" true
ctr delete -f "$a"
step 'no agent'
refused 'failed to connect with seccomp agent' ctr run --bundle "$T/one" "$a"
with "$notify | .linux.seccomp.listenerPath = \"\" | .linux.seccomp.listenerMetadata = \"\""
refused 'linux.seccomp.listenerPath' ctr run --bundle "$T/one" "$a"
with "$notify | .linux.seccomp.syscalls[0].names = [\"write\"]"
refused 'SCMP_ACT_NOTIFY cannot be used for the write syscall' ctr run --bundle "$T/one" "$a"
with "$notify | .linux.seccomp.defaultAction = \"SCMP_ACT_NOTIFY\""
refused 'SCMP_ACT_NOTIFY cannot be used as default action' ctr run --bundle "$T/one" "$a"
with "$notify | .linux.seccomp.syscalls = []"
eq "$(ctr run --bundle "$T/one" "$a" </dev/null)" 14 'without a rule that notifies, the listener is ignored'
step 'by annotation, and an abstract socket'
agent "@$P"
with "$notify | del(.linux.seccomp.listenerPath, .linux.seccomp.listenerMetadata) | .annotations[\"run.oci.seccomp.receiver\"] = \"@$P\""
eq "$(ctr run --bundle "$T/one" "$a" </dev/null)" 123 'the agent answers'
step 'flags'
with "$notify | .linux.seccomp.listenerPath = \"@$P\" | .linux.seccomp.flags = [\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\", \"SECCOMP_FILTER_FLAG_LOG\", \"SECCOMP_FILTER_FLAG_TSYNC\"]"
if ctr features | jq -e '.linux.seccomp.supportedFlags | index("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV")' >/dev/null; then
	eq "$(ctr run --bundle "$T/one" "$a" </dev/null)" 123 'all flags'
fi
with '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", flags: ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"] }'
refused 'WAIT_KILLABLE_RECV needs a rule with SCMP_ACT_NOTIFY' ctr run --bundle "$T/one" "$a"
kill "$AGENT" && wait "$AGENT" 2>/dev/null || true

# says WHAT EXPECTED CALL RULES: what CALL ("NUMBER ARG...") gives under a filter with RULES
says() {
	with ".process.args = ([\"/bin/payload\", \"call\"] + (\"$3\" | split(\" \"))) | .linux.seccomp = ({ defaultAction: \"SCMP_ACT_ALLOW\" } + $4)"
	local status=0 out
	out=$(ctr run --bundle "$T/one" "$a" 2>/dev/null </dev/null) || status=$?
	[ $status -lt 128 ] || out=$status
	eq "$out" "$2" "$1"
}
rule() { echo "{ syscalls: [{ names: [\"getppid\"], action: \"$1\"${2:+, $2} }] }"; }
arg() { # arg OP VALUE [VALUETWO]: getppid takes no argument, and looks at none
	rule SCMP_ACT_ERRNO "errnoRet: 7, args: [{ index: 0, op: \"$1\", value: $2${3:+, valueTwo: $3} }]"
}
step actions
says errno 1 $getppid "$(rule SCMP_ACT_ERRNO)"
says 'errno of its own' 38 $getppid "$(rule SCMP_ACT_ERRNO 'errnoRet: 38')"
says 'errno 0 is success' ok $getppid "$(rule SCMP_ACT_ERRNO 'errnoRet: 0')"
says trace 38 $getppid "$(rule SCMP_ACT_TRACE)"
says log ok $getppid "$(rule SCMP_ACT_LOG)"
says allow ok $getppid "$(rule SCMP_ACT_ALLOW)"
for action in KILL KILL_THREAD KILL_PROCESS TRAP; do
	says $action 159 $getppid "$(rule SCMP_ACT_$action)"
done
says 'default errno' 100 $getppid '{ defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 100, syscalls: [{ action: "SCMP_ACT_ALLOW", names: ["execve", "write", "exit_group", "brk",
	"arch_prctl", "set_tid_address", "set_robust_list", "rseq", "prlimit64", "readlinkat", "readlink", "getrandom", "mprotect", "mmap", "munmap", "newfstatat", "fstat",
	"setgroups", "setresgid", "setresuid", "capset", "prctl", "chdir", "getcwd", "capget", "openat", "close", "read", "sendmsg", "ioctl", "lseek", "exit"] }] }'
step operators
says EQ 7 "$getppid 5" "$(arg SCMP_CMP_EQ 5)"
says 'EQ, another' ok "$getppid 6" "$(arg SCMP_CMP_EQ 5)"
says 'EQ, high word' ok "$getppid 0x100000005" "$(arg SCMP_CMP_EQ 5)"
says NE 7 "$getppid 6" "$(arg SCMP_CMP_NE 5)"
says LT 7 "$getppid 4" "$(arg SCMP_CMP_LT 5)"
says 'LT, equal' ok "$getppid 5" "$(arg SCMP_CMP_LT 5)"
says LE 7 "$getppid 5" "$(arg SCMP_CMP_LE 5)"
says GE 7 "$getppid 5" "$(arg SCMP_CMP_GE 5)"
says GT 7 "$getppid 0x100000000" "$(arg SCMP_CMP_GT 5)"
says 'GT, equal' ok "$getppid 5" "$(arg SCMP_CMP_GT 5)"
says MASKED_EQ 7 "$getppid 0x13" "$(arg SCMP_CMP_MASKED_EQ 15 3)"
says 'MASKED_EQ, another' ok "$getppid 0x14" "$(arg SCMP_CMP_MASKED_EQ 15 3)"
two='errnoRet: 7, args: [{ index: 0, op: "SCMP_CMP_EQ", value: 1 }, { index: 0, op: "SCMP_CMP_EQ", value: 2 }]'
says 'two of one argument are alternatives' 7 "$getppid 2" "$(rule SCMP_ACT_ERRNO "$two")"
says 'neither of them' ok "$getppid 3" "$(rule SCMP_ACT_ERRNO "$two")"
both='errnoRet: 7, args: [{ index: 0, op: "SCMP_CMP_EQ", value: 1 }, { index: 1, op: "SCMP_CMP_EQ", value: 2 }]'
says 'two arguments are both meant' 7 "$getppid 1 2" "$(rule SCMP_ACT_ERRNO "$both")"
says 'one of them' ok "$getppid 1 3" "$(rule SCMP_ACT_ERRNO "$both")"
