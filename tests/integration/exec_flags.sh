#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq
# about: exec of an OCI container: every option, the process file, statuses, descriptors over sockets
. "$SOURCE/tests/support/lib.sh"

a=$P-a
payload=$ROOTFS/bin/payload
bundle "$T/b" '.process.user.additionalGids = [7] | .process.env += ["WHO=config"] | .process.rlimits = [{ type: "RLIMIT_CORE", soft: 0, hard: 0 }]
	| .process.user.umask = 63
	| .process.capabilities.inheritable = ["CAP_CHOWN"] | .process.capabilities.ambient = ["CAP_CHOWN"]'
echo 'tester:x:2000:2000:tester:/home/tester:/bin/sh' >>"$T/b/rootfs/etc/passwd"
ctr run -d --bundle "$T/b" "$a" </dev/null >/dev/null 2>&1
status() { local s=0; "$@" >/dev/null 2>&1 </dev/null || s=$?; echo $s; }
field() { awk -v f="$1:" '$1 == f { print $2; exit }'; }

step 'status'
eq "$(status ctr exec "$a" true)" 0 'true'
eq "$(status ctr exec "$a" sh -c 'exit 42')" 42 'its own'
eq "$(status ctr exec "$a" sh -c 'kill -TERM $$')" 143 'a signal'
for bad in '/no/such' /etc /etc/passwd; do
	eq "$(status ctr exec "$a" $bad)" 255 "of $bad"
done
eq "$(status ctr exec --pid-file /no/such/dir/pid "$a" true)" 255 'pid file'
eq "$(status ctr exec "$P-none" true)" 255 'no container'
refused 'executable file not found in \$PATH' ctr exec "$a" no-such-binary

step 'user and groups'
eq "$(inside -u 1000:1000 -g 100 -g 65534 "$a" id -G)" '1000 100 65534' 'additional groups'
eq "$(inside -u 1000 "$a" id -u)" 1000 uid
eq "$(inside "$a" id -G)" '0 7' 'groups of the config'
eq "$(inside -g 9 "$a" id -G)" '0 7 9' 'added to those of the config'
refused 'additional-gids' ctr exec -g many "$a" true
step HOME
eq "$(inside -u 1234 "$a" sh -c 'echo $HOME')" / 'nobody in passwd'
eq "$(inside -u 2000 "$a" sh -c 'echo $HOME')" /home/tester 'in passwd'
eq "$(inside -e HOME=/h -u 2000 "$a" sh -c 'echo $HOME')" /h 'given'
step 'environment and folder'
eq "$(inside -e WHO=exec "$a" sh -c 'echo $WHO')" exec 'over the config'
eq "$(inside -e WHO=1 --env WHO=2 "$a" env | grep -c ^WHO=)" 1 'once'
eq "$(inside --cwd /etc "$a" pwd)" /etc cwd
refused "working directory '/no/such'" ctr exec --cwd /no/such "$a" true
refused 'cwd.*not an absolute path' ctr exec --cwd etc "$a" true
step 'options end at the id'
eq "$(inside "$a" echo -e x --cwd)" "$(echo -e 'x --cwd')" 'arguments of the command'

step capabilities
inside --cap CAP_SYSLOG --cap cap_chown "$a" cat /proc/self/status >"$T/status"
bnd=$((16#$(field CapBnd <"$T/status")))
eq $((bnd >> 34 & 1)) 1 'CAP_SYSLOG in bounding'
eq "$(field CapAmb <"$T/status")" 0000000000000001 'ambient is what is inheritable'
eq "$(inside "$a" cat /proc/self/status | field NoNewPrivs)" 0 'no_new_privs of the config'
eq "$(inside --no-new-privs "$a" cat /proc/self/status | field NoNewPrivs)" 1 '--no-new-privs'
eq "$(inside "$a" cat /proc/self/status | field Umask)" 0077 umask
eq "$(inside "$a" cat /proc/1/status | field Umask)" 0077 'umask of init'

step 'a capability that is unknown, or that the host lacks, is told and left out'
ctr --log "$T/log" --log-format json exec --cap CAP_FLY "$a" true </dev/null >"$T/out" 2>&1
eq "$(cat "$T/out")" '' 'nothing is printed'
match "$(jq -r 'select(.level == "warning") | .msg' "$T/log")" "unknown capability 'CAP_FLY'" 'the log'

step 'the process file says all, and what it does not say is as for init'
jq -n '{ args: ["/bin/cat", "/proc/self/status", "/proc/self/limits"], cwd: "/", user: { uid: 0, gid: 6, additionalGids: [8, 9] },
	env: ["PATH=/bin"], noNewPrivileges: true, capabilities: { bounding: ["CAP_KILL"], permitted: ["CAP_KILL"], effective: ["CAP_KILL"] },
	rlimits: [{ type: "RLIMIT_NOFILE", soft: 100, hard: 200 }] }' >"$T/process.json"
ctr exec --process "$T/process.json" "$a" </dev/null >"$T/status"
eq "$(field CapBnd <"$T/status") $(field CapEff <"$T/status") $(field Uid <"$T/status") $(field NoNewPrivs <"$T/status")" \
	'0000000000000020 0000000000000020 0 1' 'sets, user, no_new_privs'
match "$(cat "$T/status")" '^Groups:	8 9 ?$' groups
match "$(cat "$T/status")" '^Max open files +100 +200' rlimit
jq -n '{ args: ["cat", "/proc/self/status", "/proc/self/limits"], cwd: "/" }' >"$T/process.json"
ctr exec -p "$T/process.json" "$a" </dev/null >"$T/status"
eq "$(field CapBnd <"$T/status") $(field Umask <"$T/status")" "$(inside "$a" cat /proc/self/status | field CapBnd) 0077" 'sets and umask of init'
match "$(cat "$T/status")" '^Max core file size +0 +0' 'rlimits of init'
echo '{ "args": [], "cwd": "/" }' >"$T/process.json"
refused 'process.args' ctr exec -p "$T/process.json" "$a"
echo '{ "args": ["true"]' >"$T/process.json"
refused 'process.json' ctr exec -p "$T/process.json" "$a"

step 'pid file, and a detached one'
ctr exec -d --pid-file "$T/pid" "$a" sleep 1000 </dev/null
pid=$(cat "$T/pid")
eq "$(wc -l <"$T/pid")" 0 'no newline'
eq "$(tr '\0' ' ' <"/proc/$pid/cmdline")" 'sleep 1000 ' 'the process'
eq "$(readlink "/proc/$pid/ns/pid")" "$(readlink "/proc/$(init_pid "$a")/ns/pid")" 'its pid namespace'

step 'pidfd socket'
"$payload" recvfd "$T/s" >"$T/got" &
eventually 10 test -S "$T/s"
ctr exec -d --pid-file "$T/pid" --pidfd-socket "$T/s" "$a" sleep 1000 </dev/null
wait $!
eq "$(cat "$T/got")" "$(printf 'message setns\nfd %s\npidfd of %s\nrest 0' "$(sed -n 's/^fd //p' "$T/got")" "$(cat "$T/pid")")" 'pidfd of exec'
match "$(cat "$T/got")" '^fd .*pidfd' 'kind'
refused 'connect' ctr exec --pidfd-socket "$T/none" "$a" true

step 'console socket'
rm "$T/s"
"$payload" recvfd "$T/s" hold >"$T/got" &
receiver=$!
eventually 10 test -S "$T/s"
jq -n '{ args: ["/bin/sh", "-c", "stty size >/tty; tty >>/tty; stat -c %u /proc/self/fd/0 >>/tty; sleep 1000"], cwd: "/", terminal: true,
	consoleSize: { height: 10, width: 110 }, user: { uid: 0, gid: 0 } }' >"$T/process.json"
ctr exec -d --process "$T/process.json" --console-socket "$T/s" "$a" </dev/null
eventually 10 grep -q ^rest "$T/got"
match "$(cat "$T/got")" '^message /dev/pts/[0-9]+$' 'name of the pty'
match "$(cat "$T/got")" '^fd .*ptmx' 'master'
match "$(cat "$T/got")" '^rest 0$' 'closed'
eventually $((10 * $(slower))) sh -c "[ \"\$(wc -l <'$T/b/rootfs/tty')\" = 3 ]"
eq "$(head -n 1 "$T/b/rootfs/tty")" '10 110' 'consoleSize'
match "$(sed -n 2p "$T/b/rootfs/tty")" '^/dev/pts/' 'ttyname'
kill $receiver
refused 'console-socket|nothing will hold' ctr exec -d -t "$a" true
refused 'console-socket' ctr exec --console-socket "$T/s" "$a" true

step 'groups beneath its own'
refused 'bad sub cgroup path' ctr exec --cgroup ../x "$a" true
refused 'such file' ctr exec --cgroup nonexistent "$a" true
refused 'unknown controller' ctr exec --cgroup whaaat:/ "$a" true
own=$(inside "$a" cat /proc/self/cgroup)
eq "$(inside --cgroup / "$a" cat /proc/self/cgroup)" "$own" 'its own, said'
group=$(sed -n 's/^0:://p' "/proc/$(init_pid "$a")/cgroup")
for base in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/*/; do
	[ ! -d "$base$group" ] || mkdir -p "$base$group/sub"
done
cpuset=/sys/fs/cgroup/cpuset$group
if [ -d "$cpuset" ]; then # a new one is empty in v1
	cat "$cpuset/cpuset.cpus" >"$cpuset/sub/cpuset.cpus"
	cat "$cpuset/cpuset.mems" >"$cpuset/sub/cpuset.mems"
fi
match "$(inside --cgroup sub "$a" cat /proc/self/cgroup)" '^0::/sub$' 'a group below'
if [ -d "/sys/fs/cgroup/memory$group" ]; then
	out=$(inside --cgroup memory:sub "$a" cat /proc/self/cgroup)
	match "$out" ':memory:.*/sub$' 'one of v1'
	match "$out" '^0::/$' 'the rest as ever'
	match "$(inside --cgroup cpu,memory:sub/ --cgroup pids:/ "$a" cat /proc/self/cgroup)" ':pids:/$' 'several'
fi

step paused
ctr pause "$a"
refused 'paused' ctr exec "$a" true
ctr exec --ignore-paused "$a" echo late </dev/null >"$T/late" &
late=$!
ctr resume "$a"
wait $late
eq "$(cat "$T/late")" late '--ignore-paused'

step 'descriptors'
exec 4<"$T/process.json"
eq "$(ctr exec --preserve-fds 2 "$a" cat /proc/self/fd/4 </dev/null 3</dev/null | jq -r .terminal)" true '--preserve-fds'
exec 4<&-
refused 'descriptor .* is not open' ctr exec --preserve-fds 20 "$a" true
step 'stdio belongs to the user, but not what is the host s'
eq "$(ctr exec -u 1000 "$a" sh -c 'echo through the name >/dev/stderr' 2>&1 </dev/null | cat)" 'through the name' 'a pipe by name'
eq "$(stat -c %u /dev/null)" 0 '/dev/null of the host'

# The kernel keeps an init until what was executed beside it has been collected by its own parent,
# for detached ones the host's process 1, which takes its time on some hosts.
collected() { ! ps -o stat= -p "$1" | grep -qv ^Z; }
first=$(init_pid "$a")
step created and stopped
ctr delete -f "$a"
ctr create --bundle "$T/b" "$a" </dev/null >/dev/null 2>&1
eq "$(inside "$a" echo hello)" hello 'in a created one'
ctr start "$a"
ctr kill "$a" KILL
eventually $((10 * $(slower))) sh -c "[ \"\$('$CTR' state '$a' | jq -r .status)\" = stopped ]"
refused 'container not running' ctr exec "$a" true
ctr delete "$a"
step 'pidfd of init: by option and by annotation'
for way in --pidfd-socket annotation; do
	rm -f "$T/s"
	"$payload" recvfd "$T/s" >"$T/got" &
	eventually 10 test -S "$T/s"
	if [ $way = annotation ]; then
		jq --arg s "$T/s" '.annotations["run.oci.pidfd_receiver"] = $s' "$T/b/config.json" >"$T/config" && cp "$T/config" "$T/b/config.json"
		ctr create --bundle "$T/b" "$a" </dev/null >/dev/null 2>&1
	else
		ctr create --bundle "$T/b" --pidfd-socket "$T/s" "$a" </dev/null >/dev/null 2>&1
	fi
	wait $!
	match "$(cat "$T/got")" '^message standard$' "$way"
	match "$(cat "$T/got")" "^pidfd of $(init_pid "$a")\$" "$way: init"
	ctr delete -f "$a"
done
eventually 60 collected "$first"
