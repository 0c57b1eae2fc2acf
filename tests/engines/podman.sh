# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2016
# Podman 4.3 with conmon, netavark and catatonit.
KEEPS='/libpod_parent(/conmon)?$|/var/lib/containers/storage/overlay |^nft: |/run/netns |ip_forward='

setup() {
	snippet /etc/containers/containers.conf
	mkdir -p /etc/containers/containers.conf.d
	# What Podman would ask of systemd, or of a host with all capabilities.
	{
		printf '[engine]\nevents_logger = "file"\n[containers]\nlog_driver = "k8s-file"\n'
		can_raise || echo 'default_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]'
	} >/etc/containers/containers.conf.d/test.conf
	echo '{ "default": [{ "type": "insecureAcceptAnything" }] }' >/etc/containers/policy.json
	printf '[storage]\ndriver = "overlay"\nrunroot = "/run/containers/storage"\ngraphroot = "/var/lib/containers/storage"\n' \
		>/etc/containers/storage.conf
	printf 'root:100000:65536\ncontainers:200000:65536\n' | tee /etc/subuid >/etc/subgid
	eq "$(podman info --format '{{.Host.OCIRuntime.Name}} {{.Host.OCIRuntime.Path}} {{.Host.CgroupManager}}')" \
		"ctr $CTR cgroupfs" 'the runtime of Podman'
	image "$T/tool.tar"
	podman load -qi "$T/tool.tar"
}
cleanup() { podman pod rm -fat0 && podman rm -fat0; }
teardown() {
	cleanup
	podman network prune -f
}

# up NAME [OPTION...]: a container that sleeps, without a network
up() {
	local name=$1
	shift
	podman run -d --network none --name "$name" "$@" tool sleep 1000 >/dev/null
}
run() { podman run --rm --network none "$@"; }
get() { podman inspect --format "{{.$2}}" "$1"; }
pid_of() { get "$1" State.Pid; }
running() { [ "$(get "$1" State.Status)" = running ]; }

# run: exit status, output and errors, environment, arguments, standard input
test_run() {
	eq "$(status run tool sh -c 'echo out; echo err >&2; exit 7')" 7 'exit status'
	eq "$(cat "$T/out")/$(cat "$T/err")" out/err 'output'
	eq "$(run -e A='b c' -w /var tool sh -c 'echo "$A:$PWD:$1:$2:"' sh 'x  y' '')" 'b c:/var:x  y::' 'environment and arguments'
	eq "$(echo typed | run -i tool cat)" typed 'standard input'
	eq "$(status run tool sh -c 'sh -c "kill -9 \$\$"; exit $?')" 137 'ended by a signal'
	eq "$(run --hostname alpha tool hostname)" alpha 'host name'
}

# run: volumes, read-only and writable, and tmpfs
test_volumes() {
	mkdir "$T/data"
	echo kept >"$T/data/file"
	eq "$(run -v "$T/data:/data:ro" tool cat /data/file)" kept 'a volume'
	eq "$(status run -v "$T/data:/data:ro" tool touch /data/new)" 1 'writing into a read-only volume'
	match "$(cat "$T/err")" 'Read-only file system' 'its reason'
	run -v "$T/data:/data" tool sh -c 'echo new >/data/new'
	eq "$(cat "$T/data/new")" new 'a writable volume'
	match "$(run --tmpfs /scratch:rw,size=1m,mode=1777 tool grep ' /scratch ' /proc/mounts)" 'tmpfs .*size=1024k' 'a tmpfs'
	podman volume create v >/dev/null
	run -v v:/v tool sh -c 'echo named >/v/file'
	eq "$(run --mount type=volume,source=v,target=/w,ro=true tool cat /w/file)" named 'a named volume'
	podman volume rm v >/dev/null
}

# run -d, logs, wait, and the exit status of what is gone
test_detached() {
	podman run -d --network none --name a tool sh -c 'echo one; echo two >&2; exit 3' >/dev/null
	eq "$(podman wait a)" 3 'podman wait'
	eq "$(podman logs a 2>/dev/null)/$(podman logs a 2>&1 >/dev/null)" one/two 'podman logs'
	eq "$(get a State.ExitCode)" 3 'the exit status'
	podman start a >/dev/null
	eq "$(podman wait a)" 3 'the exit status of a second start'
	eq "$(podman logs a 2>/dev/null | wc -l)" 2 'the log of both'
}

# exec: environment, folder, user, exit status, terminal, detached
test_exec() {
	up a
	eq "$(podman exec -e X=1 -w /etc -u user a sh -c 'echo $X:$PWD:$(id -u):$(id -g)')" 1:/etc:1000:1000 'exec'
	eq "$(status podman exec a sh -c 'exit 9')" 9 'its exit status'
	eq "$(echo typed | podman exec -i a cat)" typed 'its standard input'
	match "$(on_terminal '' podman exec -it a sh -c 'stty size; test -t 0 && test -t 2 && tty; exit')" '/dev/pts/0' 'its terminal'
	podman exec -d a sh -c 'echo done >/tmp/mark'
	eventually 10 podman exec a test -s /tmp/mark
	eq "$(status podman exec a nothing)" 127 'a missing command'
	eq "$(status podman exec a /etc/passwd)" 126 'one that is not executable'
	eq "$(status podman exec --privileged a true)" 0 'privileged'
	eq "$(podman exec a sh -c 'ps | grep -c "sleep 100[0]"')" 1 'the container goes on'
}

# run -it: a terminal of its own, its size and its exit status
test_terminal() {
	match "$(on_terminal '' podman run --rm --network none -it tool sh -c 'stty -a | head -n1; tty; exit 4' && echo 0 || echo "status $?")" \
		'status 4' 'the exit status'
	match "$(on_terminal '' podman run --rm --network none -it tool sh -c 'tty; ls -l /dev/console')" '/dev/pts/0' 'the terminal'
}

# attach: output that is written while it is attached, and the exit status
test_attach() {
	podman run -d -i --network none --name a tool sh -c 'read x; echo "got $x"; exit 6' >/dev/null
	eq "$(podman attach a <<<hello)" 'got hello' 'podman attach'
	eq "$(podman wait a)" 6 'the exit status'
}

# stop: in order with a signal, by force after the time, and kill with a signal
test_stop() {
	podman run -d --network none --name a tool sh -c 'trap "exit 5" TERM; while :; do sleep 0.1; done' >/dev/null
	eventually 10 running a
	podman stop -t 20 a >/dev/null
	eq "$(get a State.ExitCode)" 5 'stopped in order'
	podman run -d --network none --name b tool payload stubborn >/dev/null
	podman stop -t 1 b >/dev/null
	eq "$(get b State.ExitCode)" 137 'stopped by force'
	podman run -d --network none --name c tool sh -c 'trap "exit 11" USR1; while :; do sleep 0.1; done' >/dev/null
	eventually 10 podman exec c true
	podman kill -s USR1 c >/dev/null
	eq "$(podman wait c)" 11 'podman kill -s USR1'
	up d
	podman kill d >/dev/null
	eq "$(podman wait d)" 137 'podman kill'
	match "$(podman kill d 2>&1 || true)" 'can only kill running' 'kill of what has stopped'
}

# rm -f: of what runs and what is paused; nothing of it is left
test_rm() {
	up a
	up b
	podman pause b >/dev/null
	podman rm -f -t0 a b >/dev/null
	eq "$(podman ps -aq)" '' 'no container'
	eq "$(find /run/ctr -mindepth 1 -maxdepth 1 ! -name '.*')" '' 'no state of the runtime'
	up a
	eq "$(status podman rm a)" 2 'rm of what runs'
}

# pause, unpause; a command into what is paused is refused
test_pause() {
	up a
	podman pause a >/dev/null
	eq "$(get a State.Status)" paused 'paused'
	ne "$(status podman exec a true)" 0 'exec into what is paused'
	podman unpause a >/dev/null
	eq "$(podman exec a echo back)" back 'unpaused'
}

# limits of memory, swap, processors, processes and weight, and update of them
test_limits() {
	up a --memory 64m --cpus 0.5 --pids-limit 50 --cpu-shares 512 --cpuset-cpus 0
	local pid
	pid=$(pid_of a)
	eq "$(knob "$pid" memory memory.limit_in_bytes memory.max)" 67108864 'memory'
	eq "$(knob "$pid" pids pids.max pids.max)" 50 'processes'
	eq "$(knob "$pid" cpuset cpuset.cpus cpuset.cpus)" 0 'the processors'
	match "$(knob "$pid" cpu cpu.cfs_quota_us cpu.max)" '^50000( 100000)?$' 'processor time'
	match "$(knob "$pid" cpu cpu.shares cpu.weight)" '^(512|59)$' 'weight'
	podman update --memory 96m --cpus 0.25 --cpu-shares 1024 a >/dev/null
	eq "$(knob "$pid" memory memory.limit_in_bytes memory.max)" 100663296 'memory after update'
	match "$(knob "$pid" cpu cpu.cfs_quota_us cpu.max)" '^25000( 100000)?$' 'processor time after update'
	match "$(knob "$pid" cpu cpu.shares cpu.weight)" '^(1024|100)$' 'weight after update'
	podman update --cpus 0.75 a >/dev/null
	eq "$(knob "$pid" memory memory.limit_in_bytes memory.max)" 100663296 'memory after another update'
	eq "$(knob "$pid" pids pids.max pids.max)" 50 'processes after it'
}

# a container that eats more than its memory is ended, and Podman says so
test_oom() {
	# conmon notes it in the folder where Podman 4.3 was started, and Podman looks into the container's.
	podman create --network none --name a --memory 32m --memory-swap 32m tool sh -c 'payload eat 200; exit $?' >/dev/null
	cd "$(get a StaticDir)" || fail "no folder of the container"
	eq "$(status podman start -a a)" 137 'exit status'
	eq "$(get a State.OOMKilled)" true 'OOMKilled'
}

# stats, top, ps, inspect: what Podman reads of the container
test_stats() {
	up a --memory 64m
	match "$(podman stats --no-stream --format '{{.MemUsage}} {{.PIDs}}' a)" '/ 67\.11MB [0-9]+$' 'podman stats'
	match "$(podman top a pid args)" '^1 +sleep 1000' 'podman top'
	match "$(podman top a -o pid,args 2>&1)" 'sleep 1000' 'podman top with the options of ps'
	match "$(podman ps --format '{{.Names}} {{.Status}}')" '^a Up ' 'podman ps'
	eq "$(get a OCIRuntime)" ctr 'the runtime'
}

# pods: containers that share network, host name and IPC with the pod's own
test_pods() {
	# Podman would build the container that holds the namespaces from a file of its own.
	podman pod create --name p --network none --infra-command 'sleep 1000' --infra-image localhost/tool --hostname pod >/dev/null
	podman run -d --pod p --name a tool sh -c 'echo hi >/dev/shm/x; nc -l -p 7 -e echo served' >/dev/null
	podman run -d --pod p --name b tool sleep 1000 >/dev/null
	eq "$(podman exec b hostname)" pod 'the host name of the pod'
	for ns in net uts ipc; do
		eq "$(readlink "/proc/$(pid_of a)/ns/$ns")" "$(readlink "/proc/$(pid_of b)/ns/$ns")" "namespace $ns"
	done
	ne "$(readlink "/proc/$(pid_of a)/ns/mnt")" "$(readlink "/proc/$(pid_of b)/ns/mnt")" 'namespace mnt'
	eventually 10 podman exec b sh -c 'nc 127.0.0.1 7 </dev/null | grep served'
	podman pod stop -t0 p >/dev/null
	podman pod rm p >/dev/null
	up c
	eq "$(run --pid container:c tool sh -c 'ps | grep -c "sleep 100[0]"')" 1 'processes of another container'
}

# build: RUN steps are run with the runtime; their result is in the image
test_build() {
	printf 'FROM localhost/tool\nENV A=b\nRUN echo "$A" >/made && id -u >>/made\nUSER user\nRUN id -u >/tmp/who\nCMD cat /made /tmp/who\n' \
		>"$T/Containerfile"
	podman build -q --network none --runtime "$CTR" -t made -f "$T/Containerfile" "$T/tmp" >/dev/null
	eq "$(run made | tr '\n' ' ')" 'b 0 1000 ' 'what the steps made'
	printf 'FROM localhost/tool\nRUN exit 5\n' >"$T/Containerfile"
	ne "$(status podman build --network none --runtime "$CTR" -f "$T/Containerfile" "$T/tmp")" 0 'a step that fails'
	match "$(cat "$T/err")" 'exit status 5' 'its reason'
	podman rmi made >/dev/null
}

# user namespaces: --uidmap, --userns=auto, and files on volumes of their owners
test_userns() {
	match "$(run --uidmap 0:100000:5000 --gidmap 0:100000:5000 tool cat /proc/self/uid_map)" '^ *0 +100000 +5000$' 'the map'
	up a --uidmap 0:100000:5000
	eq "$(stat -c %u "/proc/$(pid_of a)")" 100000 'its user on the host'
	eq "$(podman exec a id -u)" 0 'and inside'
	match "$(run --userns auto tool cat /proc/self/uid_map)" '^ *0 +200000 ' 'a range by itself'
	eq "$(run --uidmap 0:100000:5000 tool stat -c %u /etc/passwd)" 0 'the owner of the image'
}

# --cap-add, --cap-drop, --privileged, --security-opt no-new-privileges, seccomp
test_capabilities() {
	capabilities() { run "$@" tool sed -n 's/^CapEff:\t//p' /proc/self/status; }
	eq "$(capabilities --cap-drop all)" 0000000000000000 'none'
	eq "$(capabilities --cap-drop all --cap-add net_admin)" 0000000000001000 'one'
	eq "$(capabilities --privileged)" "$(sed -n 's/^CapBnd:\t//p' /proc/self/status)" 'all that the host has'
	eq "$(run --security-opt no-new-privileges tool sed -n 's/^NoNewPrivs:\t//p' /proc/self/status)" 1 'no new privileges'
	eq "$(run tool sed -n 's/^Seccomp:\t//p' /proc/self/status)" 2 'the filter'
	eq "$(run --security-opt seccomp=unconfined tool sed -n 's/^Seccomp:\t//p' /proc/self/status)" 0 'and none'
	eq "$(run -u user:root --group-add 7 tool id -G)" '0 7' 'groups'
	eq "$(run -u 1000 tool sed -n 's/^CapEff:\t//p' /proc/self/status)" 0000000000000000 'those of a user'
}

# --read-only with its tmpfs, masked and read-only paths, --security-opt unmask
test_readonly() {
	eq "$(status run --read-only tool touch /x)" 1 'the root'
	eq "$(status run --read-only tool touch /tmp/x)" 0 'and /tmp'
	eq "$(status run tool sh -c 'echo 1 >/proc/sysrq-trigger')" 1 'a read-only path'
	eq "$(run tool wc -c /proc/keys)" '0 /proc/keys' 'a masked path'
	ne "$(run --security-opt unmask=/proc/keys tool wc -c /proc/keys)" '0 /proc/keys' 'and one that is not'
}

# --device, and the device rules of the cgroup
test_devices() {
	eq "$(status run --device /dev/fuse tool sh -c ': </dev/fuse')" 0 'a device'
	eq "$(run --device /dev/fuse:/dev/other:r tool stat -c '%F %t:%T' /dev/other)" 'character special file a:e5' 'by another name'
	eq "$(status run tool sh -c 'mknod /tmp/f c 10 229 && cat </tmp/f')" 1 'one that was not asked for'
	match "$(cat "$T/err")" 'Operation not permitted' 'its reason'
	eq "$(run tool sh -c 'echo x >/dev/null; head -c 3 /dev/zero | wc -c')" 3 'those of every container'
}

# --ulimit, --sysctl, --shm-size, --oom-score-adj, --umask, --tz, --hostname
test_settings() {
	eq "$(run --ulimit nofile=100:200 --ulimit nproc=4096:4096 tool sh -c 'ulimit -Sn; ulimit -Hn' | tr '\n' ' ')" '100 200 ' 'ulimit'
	eq "$(run --sysctl net.ipv4.ip_forward=1 --sysctl kernel.msgmax=5000 tool cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax | tr '\n' ' ')" \
		'1 5000 ' 'sysctl'
	match "$(run --shm-size 2m tool grep /dev/shm /proc/mounts)" 'size=2048k' 'shm-size'
	eq "$(run --oom-score-adj 500 tool cat /proc/self/oom_score_adj)" 500 'oom-score-adj'
	eq "$(run --umask 027 tool sh -c umask)" 0027 'umask'
	ne "$(status run --sysctl kernel.pid_max=100 tool true)" 0 'a sysctl of the host'
}

# --init reaps, --pid=host shows and kill reaches every process of the container
test_init() {
	up a --init
	match "$(podman top a pid args)" '^1 +/run/podman-init -- sleep' 'init is process 1'
	podman exec a sh -c '(sleep 0.01 &) ; true'
	podman stop -t 10 a >/dev/null
	eq "$(get a State.ExitCode)" 143 'it passes signals on'
	podman run -d --network none --pid host --name h tool sh -c 'sleep 2000 & sleep 2001 & wait' >/dev/null
	eventually 10 sh -c 'ps -eo args | grep -q "^sleep 2001"'
	podman rm -f -t0 h >/dev/null
	eq "$(ps -eo args | grep -c '^sleep 200')" 0 'no process is left'
}

# --cgroups=disabled: a container in the cgroup of its caller
test_no_cgroup() {
	up a --cgroups disabled
	eq "$(podman exec a echo in)" in 'exec'
	nomatch "$(cat "/proc/$(pid_of a)/cgroup")" "$(podman inspect --format '{{.Id}}' a)" 'its cgroup'
	podman stop -t0 a >/dev/null
	eq "$(get a State.ExitCode)" 137 'stop'
}

# --cgroupns, --cgroup-parent, and the cgroup file system inside
test_cgroup() {
	up a --cgroup-parent /engine-test
	match "$(cat "/proc/$(pid_of a)/cgroup")" '/engine-test/libpod-' 'the parent'
	eq "$(run --cgroupns private tool sh -c 'cut -d: -f3 /proc/self/cgroup | sort -u')" / 'a cgroup namespace of its own'
	match "$(run tool ls /sys/fs/cgroup)" 'memory' 'the cgroup file system'
	podman rm -ft0 a >/dev/null
	find /sys/fs/cgroup -depth -type d -path '*/engine-test*' -exec rmdir {} +
}

# a bridge of netavark: names, containers that reach each other, published ports
test_network() {
	podman network create n >/dev/null
	podman run -d --network n --name web -p 127.0.0.1:8080:80 tool sh -c 'mkdir /www; echo page >/www/index.html; exec httpd -f -p 80 -h /www' >/dev/null
	eventually 10 podman exec web wget -qO- http://127.0.0.1/
	eq "$(podman run --rm --network n tool wget -qO- "http://$(get web NetworkSettings.Networks.n.IPAddress)/")" page 'from another container'
	eq "$(podman run --rm --network n tool wget -qO- http://web/)" page 'by name'
	eq "$(busybox wget -qO- http://127.0.0.1:8080/)" page 'at the published port'
	podman rm -ft0 web >/dev/null
	podman network rm n >/dev/null
	eq "$(podman run --rm --network host tool readlink /proc/self/ns/net)" "$(readlink /proc/self/ns/net)" 'the network of the host'
}

# health checks, run by hand
test_health() {
	up a --health-cmd 'test -e /tmp/well' --health-interval disable --health-retries 1
	eq "$(status podman healthcheck run a)" 1 'unwell'
	eq "$(get a State.Health.Status)" unhealthy 'its status'
	podman exec a touch /tmp/well
	eq "$(status podman healthcheck run a)" 0 'well'
	eq "$(get a State.Health.Status)" healthy 'its status'
}

# --restart: what fails is started again, as often as asked; podman restart
test_restart() {
	podman run -d --network none --restart on-failure:2 --name a tool sh -c 'echo again; exit 1' >/dev/null
	eventually 20 sh -c '[ "$(podman logs a | wc -l)" = 3 ]'
	eq "$(get a RestartCount)" 2 'how often'
	up b
	local before
	before=$(pid_of b)
	podman restart -t0 b >/dev/null
	ne "$(pid_of b)" "$before" 'podman restart'
	eq "$(podman exec b echo up)" up 'it runs'
}

# failures: the exit status that says which, and the words of the runtime
test_failures() {
	eq "$(status run tool nothing)" 127 'a missing command'
	match "$(cat "$T/err")" 'nothing.*(not found|No such file)' 'its reason'
	eq "$(status run tool /no/such)" 127 'a missing path'
	eq "$(status run tool /etc/passwd)" 126 'not executable'
	match "$(cat "$T/err")" '[Pp]ermission denied' 'its reason'
	eq "$(status run tool /etc)" 126 'a folder'
	ne "$(status run --security-opt apparmor=nowhere tool true)" 0 'a profile that cannot be'
	ne "$(status run -w /etc/passwd/x tool true)" 0 'no folder to work in'
	eq "$(podman ps -aq)" '' 'nothing is left of any'
	eq "$(find /run/ctr -mindepth 1 -maxdepth 1 ! -name '.*')" '' 'nor of the runtime'
}

# create, start, rename, cp, commit, diff, export
test_images() {
	podman create --network none --name a tool sh -c 'echo run >>/log; cat /log' >/dev/null
	eq "$(podman start -a a)" run 'create and start'
	podman cp a:/log "$T/log.copy"
	eq "$(cat "$T/log.copy")" run 'cp of what has stopped'
	match "$(podman diff a)" '^A /log' 'diff'
	podman commit -q a committed >/dev/null
	eq "$(run committed cat /log)" run 'commit'
	up b
	echo in >"$T/file"
	podman cp "$T/file" b:/tmp/file
	eq "$(podman exec b cat /tmp/file)" in 'cp into what runs'
	podman rmi -f committed >/dev/null
}

# hooks of a hooks folder see the state and the container
test_hooks() {
	mkdir -p "$T/hooks.d"
	printf '#!/bin/sh\ncat >%s\n' "$T/hook.state" >"$T/hook"
	chmod +x "$T/hook"
	jq -n --arg path "$T/hook" '{ version: "1.0.0", hook: { path: $path }, when: { always: true }, stages: ["createRuntime"] }' \
		>"$T/hooks.d/hook.json"
	podman --hooks-dir "$T/hooks.d" run -d --network none --name a tool sleep 1000 >/dev/null
	eq "$(jq -r '.id, .pid' "$T/hook.state" | tr '\n' ' ')" "$(get a Id) $(pid_of a) " 'the state that the hook saw'
}

# checkpoint: refused with a reason where the host cannot, and the container goes on
test_checkpoint() {
	up a
	if podman container checkpoint a >"$T/out" 2>"$T/err" </dev/null; then
		podman container restore a >/dev/null
		eq "$(podman exec a echo back)" back 'restored'
	else
		[ -s "$T/err" ] || fail 'no reason was given'
		eq "$(podman exec a echo on)" on 'it goes on'
	fi
}

# system migrate, events, and a second Podman process see the same
test_prune() {
	up a
	podman kill a >/dev/null
	podman wait a >/dev/null
	podman container prune -f >/dev/null
	eq "$(podman ps -aq)" '' 'pruned'
	match "$(podman events --stream=false --format '{{.Status}}' | tr '\n' ' ')" 'start .*died .*remove ' 'events'
}
