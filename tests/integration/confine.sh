#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq
# about: capabilities, system calls and no-new-privileges are as configured
. "$SOURCE/tests/support/lib.sh"

template
field() { inside "$1" grep "^$2:" /proc/self/status | awk '{ print $2 }'; }
a=$P-a b=$P-b c=$P-c
up "$a"
up "$b" '.profile = "system"'
up "$c" '.capabilities.drop = ["CAP_NET_RAW", "CAP_CHOWN"]'

step 'a seccomp filter everywhere'
for id in "$a" "$b" "$c"; do
	eq "$(field "$id" Seccomp)" 2 "Seccomp of $id"
	eq "$(awk '/^Seccomp:/ { print $2 }' "/proc/$(init_pid "$id")/status")" 2 "Seccomp of the init of $id"
done
step 'no new privileges for an application, not for a system'
eq "$(field "$a" NoNewPrivs)" 1 'application'
eq "$(field "$b" NoNewPrivs)" 0 'system'
step 'capability sets'
for id in "$a" "$b"; do
	eq "$(field "$id" CapInh)" 0000000000000000 'inheritable'
	eq "$(field "$id" CapAmb)" 0000000000000000 'ambient'
	eq "$(field "$id" CapEff)" "$(awk '/^CapEff/ { print $2 }' "/proc/$(init_pid "$id")/status")" 'effective of exec and of init'
done
bnd=$((16#$(field "$c" CapBnd)))
eq $((bnd >> 13 & 1)) 0 CAP_NET_RAW
eq $((bnd & 1)) 0 CAP_CHOWN
bnd=$((16#$(field "$a" CapBnd)))
eq $((bnd & 1)) 1 'CAP_CHOWN of another'
for cap in 16 17 22; do
	eq $((bnd >> cap & 1)) 0 "capability $cap (module, rawio, boot) of an application"
done
step 'calls that no guest may make'
for id in "$a" "$b"; do
	inside "$id" payload syscalls >"$T/calls"
	nomatch "$(cat "$T/calls")" ' ok$' 'calls'
	nomatch "$(grep -E '^(kexec_load|init_module|finit_module|delete_module|swapon|bpf|open_by_handle_at|iopl) ' "$T/calls")" 'EFAULT|EINVAL|ENOENT|EBADF' 'calls that reached the kernel'
done
step 'a set-user-id file gains nothing under no-new-privileges'
inside "$a" sh -c 'mkdir /suid; cp /bin/busybox /suid/id; chmod 4755 /suid/id'
eq "$(ctr exec --user 1000:1000 "$a" /suid/id -u </dev/null)" 1000 'user'
step 'an unknown capability is refused by name'
config "$P-d" '.capabilities.drop = ["CAP_FLY"]'
refused 'CAP_FLY' ctr create --config "$T/$P-d.json"
gone "$a" "$b" "$c"
step 'a filter that refuses a call which the runtime needs, and the program does not'
for nnp in true false; do
	bundle "$T/$nnp" ".process.args = [\"/bin/echo\", \"made\"] | .process.noNewPrivileges = $nnp |
		.linux.seccomp = { defaultAction: \"SCMP_ACT_ALLOW\", syscalls: [{ names: [\"getcwd\"], action: \"SCMP_ACT_ERRNO\" }] }"
	eq "$(ctr run --bundle "$T/$nnp" "$P-e")" made "noNewPrivileges $nnp"
done
