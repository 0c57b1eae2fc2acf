#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root user jq pids
# about: an ordinary user with a delegated cgroup has limits, freezing and accounts; one without is told
# vm: no
. "$SOURCE/tests/support/user.sh"

a=$P-a
v2=/sys/fs/cgroup
[ ! -d $v2/unified ] || v2=$v2/unified
# Where pids is: a hierarchy of its own, or cgroup2.
pids=/sys/fs/cgroup/pids
[ -d $pids ] || pids=$v2
end_of_groups() {
	end_of_user
	for base in $v2 $pids; do
		for _ in $(seq 50); do
			find "$base/$P" -depth -type d -exec rmdir {} + 2>/dev/null || true
			[ -d "$base/$P" ] || break
			sleep 0.1
		done
	done
}
trap 'end_of_test; end_of_groups' EXIT
# The user's group is $P/u, and pids is the only controller that reaches it.
for base in $v2 $pids; do
	mkdir -p "$base/$P"
	[ $pids != $v2 ] || echo +pids | tee $v2/cgroup.subtree_control >"$v2/$P/cgroup.subtree_control"
	mkdir -p "$base/$P/u"
	for file in "" cgroup.procs cgroup.threads cgroup.subtree_control tasks; do
		[ ! -e "$base/$P/u/$file" ] || chown $USER_ID "$base/$P/u/$file"
	done
done
mkdir "$v2/$P/u/shell"
chown $USER_ID "$v2/$P/u/shell" "$v2/$P/u/shell/cgroup.procs"
# inside_group COMMAND...: called by a process that root has put into the user's group, as a login does
inside_group() { (echo $BASHPID >"$v2/$P/u/shell/cgroup.procs" && "$@"); }
limit='.linux.resources.pids.limit = 7'

step 'without a limit and without a group'
bundle
user run -d -b bundle "$a"
eq "$(cat "/proc/$(user_pid "$a")/cgroup")" "$(cat /proc/self/cgroup)" 'cgroups of init'
refused 'it has no cgroup.*delegated' user pause "$a"
user delete -f "$a"
step 'with a limit and without a group'
bundle "$limit"
refused 'process limit: not without a cgroup, and none is delegated.*Delegate=yes' user run -b bundle "$a"
eq "$(user list -q)" '' 'left'
bundle "$limit | .linux.cgroupsPath = \"/$P/u/x\""
refused 'process limit: .*delegated' user run -b bundle "$a"
bundle
refused 'create cgroup' user --rootless=false run -b bundle "$a"
step 'in the group that is delegated'
bundle "$limit"
inside_group user create -b bundle "$a"
pid=$(user_pid "$a")
match "$(cat "/proc/$pid/cgroup")" "^0::/$P/u/$a\$" 'cgroup of init'
eq "$(cat "$pids/$P/u/$a/pids.max")" 7 'limit'
user start "$a"
inside_group user exec -d "$a" sleep 1000 </dev/null
eventually 10 sh -c "[ \$(wc -l <'$v2/$P/u/$a/cgroup.procs') = 2 ]"
eq "$(cat "$pids/$P/u/$a/pids.current")" 2 'a further process counts'
eq "$(user ps --format json "$a" | jq length)" 2 'ps'
user pause "$a"
eq "$(user_status "$a")" paused 'status'
eq "$(cat "$v2/$P/u/$a/cgroup.freeze")" 1 'frozen'
user resume "$a"
step 'from outside of it no process of a user may enter'
status=0
out=$(user exec "$a" true 2>&1 </dev/null) || status=$?
match "$status $out" '^255 .*may not be entered from here' 'exec'
step 'delete'
user delete -f "$a"
[ ! -e "$v2/$P/u/$a" ] && [ ! -e "$pids/$P/u/$a" ] || fail 'the group is left'
step 'a path of its own'
bundle "$limit | .linux.cgroupsPath = \"/$P/u/sub/x\" | .process.args = [\"cat\", \"/proc/self/cgroup\"] | .linux.namespaces |= map(select(.type != \"cgroup\"))"
match "$(inside_group user run -b bundle "$a" </dev/null)" "^0::/$P/u/sub/x\$" 'cgroup'
[ ! -e "$v2/$P/u/sub" ] || fail 'its parent is left'
step 'a controller that is not delegated'
bundle '.linux.resources.cpu.shares = 100'
refused "cpu weight: .*'cpu'.*not delegated" inside_group user run -b bundle "$a"
eventually 10 no_user_process
