#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq
# about: AppArmor, SELinux and session keyrings: applied where the host has them, refused by name where not
. "$SOURCE/tests/support/lib.sh"

a=$P-a
bundle "$T/b" '.process.args = ["/bin/payload", "init"]'
with() {
	mkdir -p "$T/one"
	jq ".root.path = \"$T/b/rootfs\" | $1" "$T/b/config.json" >"$T/one/config.json"
}
unchanged lsm
step AppArmor
with '.process.apparmorProfile = "unconfined" | .process.args = ["/bin/true"]'
ctr run --bundle "$T/one" "$a" </dev/null
if [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; then
	with '.process.apparmorProfile = "ctr-no-such-profile"'
	refused 'apparmor profile .ctr-no-such-profile.: write `/proc/thread-self/attr/apparmor/exec`' ctr run --bundle "$T/one" "$a"
	if command -v apparmor_parser >/dev/null; then
		profile=$P-profile
		echo "profile $profile flags=(attach_disconnected) { file, capability, network, signal, unix, mount, deny /etc/passwd r, }" >"$T/profile"
		parser() {
			unshare -m sh -c '[ -e /sys/kernel/security/apparmor ] || mount -t securityfs securityfs /sys/kernel/security
				exec apparmor_parser "$@"' - "$@"
		}
		parser -r "$T/profile"
		with ".process.apparmorProfile = \"$profile\" | .process.args = [\"/bin/sh\", \"-c\", \"cat /proc/self/attr/current; cat /etc/passwd\"]"
		out=$(ctr run --bundle "$T/one" "$a" </dev/null 2>&1 || true)
		match "$out" "$profile \\(enforce\\)" 'the profile of init'
		match "$out" 'passwd.*Permission denied' 'what it denies'
		ctr run -d --bundle "$T/b" "$a" </dev/null >/dev/null 2>&1
		match "$(inside --apparmor "$profile" "$a" cat /proc/self/attr/current)" "$profile" 'of exec'
		ctr delete -f "$a"
		parser -R "$T/profile"
	fi
else
	with '.process.apparmorProfile = "docker-default"'
	refused 'process.apparmorProfile .docker-default.: AppArmor is not enabled' ctr run --bundle "$T/one" "$a"
	refused 'process.apparmorProfile' ctr create --bundle "$T/one" "$a"
fi
step SELinux
if [ ! -e /sys/fs/selinux/enforce ]; then
	with '.process.selinuxLabel = "system_u:system_r:container_t:s0:c4,c5"'
	refused 'process.selinuxLabel .system_u:.*selinux is disabled' ctr run --bundle "$T/one" "$a"
fi
unchanged lsm
step 'exec: by option and by file'
ctr run -d --bundle "$T/b" "$a" </dev/null >/dev/null 2>&1
if [ ! -e /sys/module/apparmor/parameters/enabled ]; then
	refused 'process.apparmorProfile .x.' ctr exec --apparmor x "$a" true
	jq -n '{ args: ["true"], cwd: "/", apparmorProfile: "x" }' >"$T/process.json"
	refused 'process.apparmorProfile .x.' ctr exec --process "$T/process.json" "$a"
fi
inside --apparmor unconfined "$a" true
[ -e /sys/fs/selinux/enforce ] || refused 'process.selinuxLabel .y.' ctr exec --process-label y "$a" true
step 'session keyring: its own, the same for exec, and none on demand'
if [ -e /proc/keys ]; then
	match "$(inside "$a" payload keyring)" "^keyring;.*;_ses\\.$a\$" 'exec'
	before=$(awk -v n="_ses.$a:" '$9 == n { print $1 }' /proc/keys | sort -u | wc -l)
	inside "$a" true
	eq "$(awk -v n="_ses.$a:" '$9 == n { print $1 }' /proc/keys | sort -u | wc -l)" "$before" 'no keyring more by exec'
	ctr delete -f "$a"
	ctr run -d --no-new-keyring --bundle "$T/b" "$a" </dev/null >/dev/null 2>&1
	nomatch "$(inside "$a" payload keyring 2>&1)" "_ses\\.$a" '--no-new-keyring'
fi
ctr delete -f "$a"
