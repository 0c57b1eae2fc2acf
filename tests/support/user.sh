# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the tests of an ordinary user share: a user that exists in this test's own mount namespace
# alone, with a home on $HOME_DIR, and OCI bundles of its own. Sourced in place of lib.sh.
if [ -z "${USER_TEST:-}" ]; then
	USER_TEST=1 exec unshare -m --propagation private bash "$0"
fi
. "$SOURCE/tests/support/lib.sh"

# Nobody else's: what is left of this user's processes in the end is this test's.
USER_ID=$((20000 + 10#${P#t} % 40000))
end_of_user() {
	for pid in $(ps -u $USER_ID -o pid=); do
		kill -KILL "$pid" 2>/dev/null || true
	done
}
trap 'end_of_test; end_of_user' EXIT
SUB_FIRST=300000 SUB_COUNT=65536
HOME_DIR=/mnt
mkdir -p "$T/home/bin" "$T/home/run" "$T/etc"
cp -a /etc/. "$T/etc/"
echo "ctruser:x:$USER_ID:$USER_ID::$HOME_DIR:/bin/sh" >>"$T/etc/passwd"
echo "ctruser:x:$USER_ID:" >>"$T/etc/group"
echo "ctruser:$SUB_FIRST:$SUB_COUNT" | tee "$T/etc/subuid" >"$T/etc/subgid"
mount --bind "$T/etc" /etc
mount --bind "$T/home" $HOME_DIR
cp "$CTR" $HOME_DIR/bin/ctr # root's, as an installed one
mkdir -p $HOME_DIR/bundle
cp -a "$ROOTFS" $HOME_DIR/bundle/rootfs
chmod 755 $HOME_DIR $HOME_DIR/bin
chown $USER_ID:$USER_ID $HOME_DIR
chown -R $USER_ID:$USER_ID $HOME_DIR/run $HOME_DIR/bundle
chmod 700 $HOME_DIR/run
cd $HOME_DIR

# as_user COMMAND...; user ARGUMENT...: the command as that user
AS_USER=(setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups --inh-caps=-all
	env -i PATH="$PATH" T="$T" HOME="$HOME_DIR" XDG_RUNTIME_DIR="$HOME_DIR/run")
as_user() { "${AS_USER[@]}" "$@"; }
user() { as_user $HOME_DIR/bin/ctr "$@"; }
user_status() { user state "$1" | jq -r .status; }
user_pid() { user state "$1" | jq -r .pid; }
no_user_process() { ! ps -u $USER_ID -o pid=,args= | grep -v '<defunct>'; }

# bundle [FILTER]: writes bundle/config.json, what `spec --rootless` asks for, with the changes
bundle() {
	jq -n --argjson id $USER_ID '{ ociVersion: "1.2.0", root: { path: "rootfs" }, hostname: "rootless",
		process: { cwd: "/", user: { uid: 0, gid: 0 }, args: ["/bin/payload", "init"],
			env: ["PATH=/bin:/sbin:/usr/bin:/usr/sbin"],
			capabilities: { bounding: ["CAP_KILL"], effective: ["CAP_KILL"], permitted: ["CAP_KILL"] } },
		mounts: [
			{ destination: "/proc", type: "proc", source: "proc" },
			{ destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "strictatime", "mode=755", "size=65536k"] },
			{ destination: "/dev/pts", type: "devpts", source: "devpts", options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"] },
			{ destination: "/dev/shm", type: "tmpfs", source: "shm", options: ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"] },
			{ destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"] },
			{ destination: "/sys", type: "none", source: "/sys", options: ["rbind", "nosuid", "noexec", "nodev", "ro"] } ],
		linux: { namespaces: [{ type: "pid" }, { type: "mount" }, { type: "ipc" }, { type: "uts" }, { type: "cgroup" }, { type: "user" }],
			uidMappings: [{ containerID: 0, hostID: $id, size: 1 }], gidMappings: [{ containerID: 0, hostID: $id, size: 1 }],
			maskedPaths: ["/proc/kcore", "/proc/timer_list"], readonlyPaths: ["/proc/sys", "/proc/bus"],
			resources: { devices: [{ allow: false, access: "rwm" }] } } }'" | ${1:-.}" >$HOME_DIR/bundle/config.json
}
# many: a filter that maps the ids that /etc/subuid lends
# shellcheck disable=SC2034 # for the tests
many=".linux.uidMappings = [{ containerID: 0, hostID: $USER_ID, size: 1 }, { containerID: 1, hostID: $SUB_FIRST, size: $SUB_COUNT }] | .linux.gidMappings = .linux.uidMappings"
