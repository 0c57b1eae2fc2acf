#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq
# about: spec, features, version, checkpoint and restore, the log, kill and delete as an OCI runtime has them
. "$SOURCE/tests/support/lib.sh"

a=$P-a

step 'spec writes a bundle that runs'
mkdir "$T/b"
cp -a "$ROOTFS" "$T/b/rootfs"
ctr spec -b "$T/b"
refused "'config.json' exists in '$T/b'" ctr spec -b "$T/b"
jq '.process.terminal = false | .process.args = ["/bin/sh", "-c", "hostname; id -u; exit 3"] | .process.capabilities[] -= ["CAP_AUDIT_WRITE"]' \
	"$T/b/config.json" >"$T/c" && mv "$T/c" "$T/b/config.json"
status=0
out=$(ctr run -b "$T/b" "$a" </dev/null) || status=$?
eq "$status $out" "3 $(printf 'ctr\n0')" 'run of the default config'
mkdir "$T/r"
(cd "$T/r" && ctr spec --rootless)
# A cgroup namespace only where cgroup v2 is alone.
kinds='["cgroup","ipc","mount","pid","user","uts"]'
[ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ] || kinds=${kinds/\"cgroup\",/}
eq "$(jq -c '[.linux.namespaces[].type] | sort' "$T/r/config.json")" "$kinds" 'namespaces of --rootless'
eq "$(jq -c .linux.uidMappings "$T/r/config.json")" '[{"containerID":0,"hostID":0,"size":1}]' 'map of --rootless'

step 'features and version'
ctr features >"$T/features"
eq "$(jq -r '.ociVersionMax' "$T/features")" 1.3.0 'ociVersionMax'
eq "$(jq -c '.hooks' "$T/features")" '["prestart","createRuntime","createContainer","startContainer","poststart","poststop"]' 'hooks'
eq "$(jq '.mountOptions | index("rro") != null' "$T/features")" true 'rro'
match "$(ctr --version)" '^ctr version [0-9]+\.[0-9]+\.[0-9]+$' 'version'
match "$(ctr --version)" '^spec: 1\.3\.0$' 'spec version'

step 'checkpoint and restore answer probes and refuse by name'
ctr checkpoint --help >/dev/null
refused 'flag needs an argument: --lsm-mount-context' ctr restore --lsm-mount-context
refused 'does not exist' ctr checkpoint --image-path "$T/i" --work-path "$T/w" --leave-running --leave-running "$a"
refused 'must be relative' ctr checkpoint --parent-path /x "$a"
refused "is not one of" ctr checkpoint --manage-cgroups-mode loose "$a"
refused 'restore: this version does not implement it' ctr restore --image-path "$T/i" --work-path "$T/w" \
	--tcp-established --ext-unix-sk --shell-job --file-locks --manage-cgroups-mode soft --empty-ns network \
	--detach --pid-file "$T/pid" --no-pivot -no-subreaper --bundle "$T/b" "$a"

step 'states and what they refuse'
jq '.process.args = ["/bin/sleep", "100"]' "$T/b/config.json" >"$T/c" && mv "$T/c" "$T/b/config.json"
ctr create -b "$T/b" "$a"
refused 'already exists' ctr create -b "$T/b" "$a"
refused 'container not running' ctr checkpoint "$a"
ctr kill "$a" 0
ctr start "$a"
refused 'already running' ctr start "$a"
refused 'checkpoint: this version does not implement it' ctr checkpoint "$a"
refused "cannot delete container $a that is not stopped: running" ctr delete "$a"
ctr kill "$a" SIGKILL
eventually $((10 * $(slower))) sh -c "[ \"\$('$CTR' state '$a' | jq -r .status)\" = stopped ]"
refused 'container not running' ctr kill "$a" KILL
ctr kill --all "$a" KILL
refused 'cannot start a container that has stopped' ctr start "$a"
ctr delete "$a"
refused 'does not exist' ctr delete "$a"
ctr delete --force "$a"

step 'regular expressions'
for n in 1 2; do
	ctr create -b "$T/b" "$a-$n"
	ctr start "$a-$n"
done
ctr kill --regex "^$a-[12]\$" KILL
eventually $((10 * $(slower))) sh -c "! '$CTR' list --format json | jq -e '.[] | select(.status == \"running\")'"
refused 'is not a regular expression' ctr delete --regex '('
ctr delete --regex "^$a-"
eq "$(ctr list -q)" '' 'list'

step 'the log'
refused 'does not exist' ctr --log "file:$T/log" --log-format json state "$a"
refused 'does not exist' ctr --log "$T/log" --log-format json state "$a"
eq "$(jq -r '.level' "$T/log" | tr '\n' ' ')" 'error error ' 'records'
refused 'does not exist; cannot write the log: No such file' ctr --log "journald:x" state "$a"
ctr --log "$T/quiet" --log-level error --debug list >/dev/null
[ ! -e "$T/quiet" ] || fail 'a debug record at level error'
ctr --log "$T/loud" --log-level debug list >/dev/null
match "$(cat "$T/loud")" 'level=debug' 'debug record'
