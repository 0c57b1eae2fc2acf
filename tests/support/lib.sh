# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the integration tests share. A test sources this first; any command that fails ends it, and
# the last step printed says where. Ids start with $P, files live in $T.
set -eEu -o pipefail
LINE='?' COMMAND=
trap 'LINE=$LINENO COMMAND=$BASH_COMMAND' ERR
end_of_test() {
	status=$?
	[ $status -eq 0 ] || [ $status -eq 77 ] ||
		echo "FAIL: line $LINE (${COMMAND:-exit}, status $status), in: ${STEP:-the beginning}"
}
trap end_of_test EXIT

ctr() { "$CTR" "$@"; }
step() { STEP=$*; echo "# $*"; }
fail() { echo "FAIL: $*"; exit 1; }
skip() { echo "SKIP: $*"; exit 77; }

# eq ACTUAL EXPECTED WHAT
eq() { [ "$1" = "$2" ] || fail "$3: got '$1', expected '$2'"; }
# ne ACTUAL OTHER WHAT
ne() { [ "$1" != "$2" ] || fail "$3: both are '$1'"; }
# match TEXT PATTERN WHAT: an extended regular expression, anywhere in the text
match() { grep -qE -- "$2" <<<"$1" || fail "$3: '$1' does not match '$2'"; }
nomatch() { ! grep -qE -- "$2" <<<"$1" || fail "$3: '$1' matches '$2'"; }
# within ACTUAL EXPECTED PERCENT WHAT
within() {
	awk -v a="$1" -v e="$2" -v p="$3" 'BEGIN { d = a - e; if (d < 0) d = -d; exit !(d * 100 <= e * p) }' ||
		fail "$4: $1 is not within $3 % of $2"
}

# refused PATTERN COMMAND...: it fails, prints nothing on stdout, and exactly one line on stderr
# (and a hint on a second, if it has one) that matches.
refused() {
	local pattern=$1 out err status=0
	shift
	"$@" >"$T/out" 2>"$T/err" </dev/null || status=$?
	out=$(head -c 2000 "$T/out") err=$(head -c 4000 "$T/err")
	[ $status -ne 0 ] || fail "'$*' was accepted: $out"
	[ $status -lt 128 ] || [ $status -eq 255 ] || fail "'$*' died with status $status: $err"
	[ -z "$out" ] || fail "'$*' failed, but printed on stdout: $out"
	[ "$(grep -cvE '^( |hint: |ctr: hint: )' "$T/err")" -eq 1 ] ||
		fail "'$*' printed $(wc -l <"$T/err") lines on stderr: $err"
	match "$err" "$pattern" "message of '$*'"
}

# unchanged NAME: remembers what exists of ctr under NAME; a second call compares.
unchanged() {
	local now
	now=$({ find "$CTR_ROOT" "$CTR_STORE" -mindepth 1 \( -path '*/rootfs/*' -prune -o -print \) |
		grep -vE '/\.(cache|net)(/|$)|/\.[a-z]*\.?lock$|/(partitions|ranges|addresses|templates|net)$' || true
		"$SOURCE/tests/support/snapshot" "$P"; } | sort)
	if [ -f "$T/unchanged.$1" ]; then
		diff -u "$T/unchanged.$1" - <<<"$now" || fail "$1: something was left behind"
	else
		echo "$now" >"$T/unchanged.$1"
	fi
}

# template: the small test root as the template "tool"
template() { ctr template import tool "$ROOTFS" >/dev/null; }

# config ID [JQ-FILTER]: writes $T/ID.json, the least partition with the filter's changes
config() {
	jq -n --arg id "$1" --arg t "$T" '{ ctrVersion: 1, name: $id, profile: "app",
		root: { template: "tool" }, init: { args: ["/bin/payload", "init"] } }'" | ${2:-.}" >"$T/$1.json"
}

# make ID [JQ-FILTER]: creates it; up ID [JQ-FILTER]: creates and starts it
make() { config "$@" && ctr create --config "$T/$1.json" >/dev/null; }
up() { make "$@" && ctr start "$1" >/dev/null; }
# inside ID COMMAND...
inside() { ctr exec "$@" </dev/null; }
gone() { ctr delete -f "$@" >/dev/null; }

# bundle DIR [JQ-FILTER]: an OCI bundle with a copy of the small test root, and the least config that
# runs it with namespaces of its own, with the filter's changes
bundle() {
	mkdir -p "$1"
	[ -e "$1/rootfs" ] || cp -a "$ROOTFS" "$1/rootfs"
	jq -n '{ ociVersion: "1.2.0", root: { path: "rootfs" },
		process: { user: { uid: 0, gid: 0 }, args: ["/bin/payload", "init"], cwd: "/",
			env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
			capabilities: (["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL", "CAP_SETGID",
				"CAP_SETUID", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT"]
				| { bounding: ., effective: ., permitted: . }) },
		mounts: [
			{ destination: "/proc", type: "proc", source: "proc" },
			{ destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "strictatime", "mode=755", "size=65536k"] },
			{ destination: "/dev/pts", type: "devpts", source: "devpts", options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"] },
			{ destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"] }],
		linux: { namespaces: [{ type: "pid" }, { type: "network" }, { type: "ipc" }, { type: "uts" }, { type: "mount" }, { type: "cgroup" }] } }'" | ${2:-.}" >"$1/config.json"
}

status_of() { ctr state "$1" | jq -r .status; }
init_pid() { ctr state "$1" | jq -r .pid; }
# alive PID: a zombie, which its parent has yet to collect, is not
alive() { readlink "/proc/$1/exe" >/dev/null 2>&1; }
# eventually SECONDS COMMAND...: until it succeeds; for what another process does in its own time
eventually() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || fail "never became true: $*"
		sleep 0.1
	done
}
# slower: how many times slower than hardware this host is, for time limits
slower() { case $CTR_TEST_HOST in vm | systemd) echo 10 ;; *) echo 1 ;; esac; }

# on_terminal INPUT COMMAND...: on a pseudo terminal that stays open, with this typed at once; prints
# what it shows
on_terminal() {
	local input=$1
	shift
	[ -p "$T/typed" ] || mkfifo "$T/typed"
	exec 8<>"$T/typed"
	printf '%s' "$input" >&8
	script -qec "$(printf '%q ' "$@")" /dev/null <&8
}
# group ID CONTROLLER: the cgroup folder of a partition that holds the controller
group() {
	local path
	path=$(ctr state "$1" | jq -r '.cgroupPath // .cgroup_path // empty')
	[ -n "$path" ] || path=$(sed -n 's/^0:://p' "/proc/$(init_pid "$1")/cgroup")
	for base in "/sys/fs/cgroup/$2" /sys/fs/cgroup/unified /sys/fs/cgroup; do
		if [ -d "$base$path" ]; then
			echo "$base$path"
			return
		fi
	done
	fail "no cgroup of '$1' for $2"
}
