#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq
# about: an OCI bundle: create, start, state, kill, delete, as engines call it
# vm: no
. "$SOURCE/tests/support/lib.sh"

template
a=$P-a
config "$a"
mkdir "$T/bundle"
ctr create --config "$T/$a.json" >/dev/null
ctr spec "$T/$a.json" >"$T/spec.json"
gone "$a"
cp -a "$ROOTFS" "$T/bundle/rootfs"
jq '.root.path = "rootfs" | .process.args = ["/bin/sh", "-c", "echo started >/out; exec payload init"] | .linux.uidMappings = null | .linux.gidMappings = null
	| .linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings) | .root.readonly = false' "$T/spec.json" >"$T/bundle/config.json"
ctr create --bundle "$T/bundle" --pid-file "$T/pid" "$a"
eq "$(status_of "$a")" created 'status after create'
eq "$(cat "$T/pid")" "$(init_pid "$a")" 'pid file'
[ ! -e "$T/bundle/rootfs/out" ] || fail 'the program ran before start'
ctr start "$a"
eventually $((10 * $(slower))) test -s "$T/bundle/rootfs/out"
eq "$(status_of "$a")" running 'status after start'
eq "$(ctr state "$a" | jq -r .bundle)" "$T/bundle" 'bundle'
eq "$(ctr exec "$a" cat /out </dev/null)" started 'exec'
ctr kill "$a" TERM
eventually $((10 * $(slower))) sh -c "[ \"\$('$CTR' state '$a' | jq -r .status)\" = stopped ]"
ctr delete "$a"
refused 'does not exist|not found' ctr state "$a"
step 'run gives the status of the program'
jq '.process.args = ["/bin/sh", "-c", "echo out; exit 9"]' "$T/bundle/config.json" >"$T/config" && mv "$T/config" "$T/bundle/config.json"
status=0
out=$(ctr run --bundle "$T/bundle" "$a" </dev/null) || status=$?
eq "$status $out" '9 out' 'run'
eq "$(ctr list -q)" '' 'list after run'
step 'a bundle that cannot work leaves nothing'
unchanged bundle
for change in '.process.args = ["/no/such"]' '.mounts += [{ destination: "/x", source: "/no/such", type: "bind", options: ["bind"] }]' '.ociVersion = "9.9"' 'del(.root)' '.process.user.uid = -1' '.hooks.createRuntime = [{ path: "/bin/false" }]'; do
	mkdir -p "$T/bad"
	jq "$change | .root.path = (\"$T/bundle/rootfs\")" "$T/bundle/config.json" >"$T/bad/config.json"
	[ "$change" != 'del(.root)' ] || jq 'del(.root)' "$T/bundle/config.json" >"$T/bad/config.json"
	refused '.' ctr run --bundle "$T/bad" "$a"
	unchanged bundle
done
