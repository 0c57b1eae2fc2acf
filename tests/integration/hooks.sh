#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq
# about: the six hooks: order, namespaces, state on stdin, failures, timeouts
# vm: no
. "$SOURCE/tests/support/lib.sh"

bundle "$T/b" '.process.args = ["/bin/sh", "-c", "echo payload >>/log; exec payload init"]'
a=$P-a
log=$T/b/rootfs/log

# A hook of the host's side: notes its name, its namespaces and the state that it was told.
cat >"$T/hook" <<END
#!/bin/bash
state=\$(cat)
{
	echo "\$1 status=\$(jq -r .status <<<"\$state") pid=\$(jq -r .pid <<<"\$state") id=\$(jq -r .id <<<"\$state")"
	echo "\$1 bundle=\$(jq -r .bundle <<<"\$state") note=\$(jq -r .annotations.note <<<"\$state") cwd=\$PWD"
	echo "\$1 mnt=\$(readlink /proc/self/ns/mnt) pidns=\$(readlink /proc/self/ns/pid) env=\$MARK"
	[ ! -e "$T/b/rootfs/proc/uptime" ] || echo "\$1 sees the mounts"
	[ ! -e "/proc/\$(jq -r .pid <<<"\$state")/root" ] || echo "\$1 sees the process"
} >>"$T/b/rootfs/log"
END
chmod 755 "$T/hook"
cat >"$T/b/rootfs/hook" <<'END'
#!/bin/sh
echo "startContainer $(/bin/cat) env=$MARK root=$(/bin/ls -d /hook)" >>/log
END
chmod 755 "$T/b/rootfs/hook"
hook() { jq -n --arg h "$T/hook" --arg p "$1" --arg path "$PATH" '[{ path: $h, args: ["hook", $p], env: ["MARK=" + $p, "PATH=" + $path] }]'; }
jq --argjson a "$(hook prestart)" --argjson b "$(hook createRuntime)" --argjson c "$(hook createContainer)" \
	--argjson d "$(hook poststart)" --argjson e "$(hook poststop)" '.annotations.note = "n1"
	| .process.env += ["MARK=of the process"]
	| .hooks = { prestart: $a, createRuntime: $b, createContainer: $c, startContainer: [{ path: "/hook" }], poststart: $d, poststop: $e }' \
	"$T/b/config.json" >"$T/config" && mv "$T/config" "$T/b/config.json"

step 'order, state and namespaces'
ctr create --bundle "$T/b" "$a"
pid=$(init_pid "$a")
eq "$(sed 's/ .*//' "$log" | uniq)" "$(printf 'prestart\ncreateRuntime\ncreateContainer')" 'hooks of create'
host_mnt=$(readlink /proc/self/ns/mnt)
for at in prestart createRuntime; do
	match "$(cat "$log")" "^$at status=creating pid=$pid id=$a\$" "$at state"
	match "$(cat "$log")" "^$at bundle=$T/b note=n1 cwd=$T/b\$" "$at bundle"
	match "$(cat "$log")" "^$at mnt=${host_mnt//[/\\[} .*env=$at\$" "$at namespace"
	match "$(cat "$log")" "^$at sees the process\$" "$at process"
	nomatch "$(cat "$log")" "^$at sees the mounts" "$at mounts"
done
match "$(cat "$log")" '^createContainer status=creating pid=1 ' 'createContainer state'
match "$(cat "$log")" "^createContainer mnt=$(readlink "/proc/$pid/ns/mnt" | sed 's/\[/\\[/') pidns=$(readlink "/proc/$pid/ns/pid" | sed 's/\[/\\[/')" 'createContainer namespaces'
match "$(cat "$log")" '^createContainer sees the mounts' 'createContainer mounts'
ctr start "$a"
eventually $((10 * $(slower))) grep -q ^payload "$log"
eq "$(sed 's/ .*//' "$log" | grep -v ^payload | uniq | tail -n 2)" "$(printf 'startContainer\npoststart')" 'hooks of start'
match "$(cat "$log")" '^startContainer .*"status":"created".*env=of the process root=/hook' 'startContainer'
match "$(cat "$log")" "^poststart status=running pid=$pid id=$a" 'poststart state'
ctr kill "$a" KILL
eventually $((10 * $(slower))) sh -c "[ \"\$('$CTR' state '$a' | jq -r .status)\" = stopped ]"
nomatch "$(cat "$log")" '^poststop' 'before delete'
ctr delete "$a"
match "$(cat "$log")" "^poststop status=stopped pid=0 id=$a" 'poststop state'

step 'a hook that fails ends it, and poststop hooks still run'
unchanged failed
for at in prestart createRuntime createContainer startContainer poststart; do
	jq --arg at "$at" '.process.args = ["/bin/sleep", "100"] | .hooks[$at] += [{ path: "/bin/sh", args: ["sh", "-c", "echo its own words >&2; exit 7"] }]' \
		"$T/b/config.json" >"$T/bad.json"
	mkdir -p "$T/bad"
	jq --arg r "$T/b/rootfs" '.root.path = $r' "$T/bad.json" >"$T/bad/config.json"
	: >"$log"
	refused "error running $at hook #1: .*exit status 7: its own words" ctr run --bundle "$T/bad" "$a"
	match "$(cat "$log")" '^poststop status=stopped' "poststop after $at"
	unchanged failed
done

step 'a poststop hook that fails is a warning'
jq '.hooks = { poststop: [{ path: "/bin/false" }, { path: "/bin/sh", args: ["sh", "-c", "echo second >>\"'"$T"'/second\""] }] } | .process.args = ["/bin/true"]' \
	"$T/b/config.json" >"$T/bad.json"
jq --arg r "$T/b/rootfs" '.root.path = $r' "$T/bad.json" >"$T/bad/config.json"
status=0
ctr run --bundle "$T/bad" "$a" 2>"$T/err" || status=$?
eq "$status" 0 'status'
match "$(cat "$T/err")" 'warning: error running poststop hook #0' 'warning'
eq "$(cat "$T/second")" second 'the next hook ran'
ctr --log "$T/log" --log-format json run --bundle "$T/bad" "$a" 2>"$T/err"
eq "$(cat "$T/err")" '' 'stderr beside a log'
eq "$(jq -r .level "$T/log")" warning 'log record'

step 'timeout'
jq '.hooks = { createRuntime: [{ path: "/bin/sleep", args: ["sleep", "100"], timeout: 1 }] }' "$T/b/config.json" |
	jq --arg r "$T/b/rootfs" '.root.path = $r' >"$T/bad/config.json"
refused "error running createRuntime hook #0: '/bin/sleep' was killed after its timeout of 1 s" ctr run --bundle "$T/bad" "$a"
unchanged failed

step 'a hook that leaves something running does not hold us up'
jq '.hooks = { createRuntime: [{ path: "/bin/sh", args: ["sh", "-c", "sleep 30 & echo $! >'"$T"'/bg"] }] } | .process.args = ["/bin/true"]' "$T/b/config.json" |
	jq --arg r "$T/b/rootfs" '.root.path = $r' >"$T/bad/config.json"
ctr run --bundle "$T/bad" "$a"
kill "$(cat "$T/bg")"

step 'annotations keep what hooks print'
jq '.annotations = { "run.oci.hooks.stdout": "'"$T"'/hooks.out", "run.oci.hooks.stderr": "'"$T"'/hooks.err" }
	| .hooks = { createRuntime: [{ path: "/bin/sh", args: ["sh", "-c", "echo out; echo err >&2"] }] } | .process.args = ["/bin/true"]' "$T/b/config.json" |
	jq --arg r "$T/b/rootfs" '.root.path = $r' >"$T/bad/config.json"
ctr run --bundle "$T/bad" "$a"
eq "$(cat "$T/hooks.out") $(cat "$T/hooks.err")" 'out err' 'kept output'
