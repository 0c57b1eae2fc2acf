# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the engines' tests share beyond tests/support/lib.sh. An engine's file has the functions
#   setup      configures and starts the engine, and gives it the image "tool"
#   cleanup    after each test: removes the containers that it left
#   teardown   stops what setup started
#   test_NAME  one test each, below a comment of one line that says what it is about
. "$SOURCE/tests/support/lib.sh"

# snippet FILE: installs a file of the host as docs/engines.md shows it
snippet() {
	mkdir -p "$(dirname "$1")"
	awk -v file="$1" '/^```/ { on = $2 == file; next } on' "$SOURCE/docs/engines.md" >"$1"
	[ -s "$1" ] || fail "docs/engines.md does not show $1"
}

# image FILE: the small test root as an image archive of Docker's form, which all engines load
image() {
	local dir=$T/image layer
	mkdir -p "$dir"
	tar -C "$ROOTFS" --owner=0 --group=0 --exclude ./.done -cf "$dir/layer.tar" .
	layer=$(sha256sum "$dir/layer.tar" | cut -d' ' -f1)
	jq -n --arg layer "sha256:$layer" --arg arch "$(dpkg --print-architecture)" '{ architecture: $arch, os: "linux",
		config: { Env: ["PATH=/bin"], Cmd: ["sh"] }, rootfs: { type: "layers", diff_ids: [$layer] },
		history: [{ created_by: "the test root" }] }' >"$dir/config.json"
	jq -n '[{ Config: "config.json", RepoTags: ["localhost/tool:latest"], Layers: ["layer.tar"] }]' >"$dir/manifest.json"
	tar -C "$dir" -cf "$1" manifest.json config.json layer.tar
	rm -r "$dir"
}

# daemon NAME COMMAND...: starts it in the background; its output goes to $T/NAME.log
daemon() {
	local name=$1
	shift
	setsid "$@" >"$T/$name.log" 2>&1 </dev/null &
	echo $! >"$T/$name.pid"
}
# undaemon NAME [SIGNAL]: ends it, and waits until it is gone
undaemon() {
	local pid
	pid=$(cat "$T/$1.pid")
	kill "-${2:-TERM}" "$pid"
	eventually 20 gone_pid "$pid"
	rm "$T/$1.pid"
}
gone_pid() { ! alive "$1"; }

# status COMMAND...: runs it and prints its exit status; its output is in $T/out and $T/err
status() {
	local status=0
	"$@" >"$T/out" 2>"$T/err" </dev/null || status=$?
	echo $status
}
# knob PID CONTROLLER FILE-OF-V1 FILE-OF-V2: what the cgroup of a process says
knob() {
	local path
	path=$(awk -F: -v c="$2" '$2 == c { print $3 }' "/proc/$1/cgroup")
	if [ -n "$path" ] && [ -e "/sys/fs/cgroup/$2$path/$3" ]; then
		cat "/sys/fs/cgroup/$2$path/$3"
	else
		cat "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$1/cgroup")/$4"
	fi
}
can_raise() { grep -q 'CapEff:.*[13579bdf].\{6\}$' /proc/self/status; }
