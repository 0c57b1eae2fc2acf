#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Shows ctr at its work on this machine: 30 partitions from JSON configs on two templates. It
# installs the Debian 12 packages that it needs and builds a release; all else that it makes is in
# temporary folders and is gone at the end, also after a failure or an interrupt.
#
# Usage: docs/demo.sh, as root. CTR_DEMO_COUNT: how many partitions (default 30).
set -eu -o pipefail
cd "$(dirname "$0")/.."
SOURCE=$PWD
COUNT=${CTR_DEMO_COUNT:-30}
NET=10.213.7 BRIDGE=ctrdemo0

if [ "$(id -u)" != 0 ]; then
	echo 'docs/demo.sh: run it as root: it makes namespaces, cgroups and links' >&2
	exit 1
fi

if [ -t 1 ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); else bold='' plain=''; fi
title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
# Shows a command as one would type it, then runs it.
show() { echo "\$ ctr $*"; ctr "$@"; }
ctr() { "$SOURCE/build/release/ctr" "$@"; }
seconds() { awk -v a="$1" -v b="$(date +%s%N)" 'BEGIN { printf "%.1f s", (b - a) / 1e9 }'; }

title 'Packages and a release build'
[ -n "${CTR_DEMO_PREPARED:-}" ] || .ci/install run build demo
cmake --preset release >/dev/null
cmake --build --preset release >/dev/null
ls -l build/release/ctr | awk '{ printf "build/release/ctr, %d kB\n", $5 / 1024 }'

WORK=$(mktemp -d "${TMPDIR:-/var/tmp}/ctr-demo.XXXXXX")
export CTR_ROOT=$WORK/run CTR_STORE=$WORK/store
tests/support/snapshot >"$WORK/before"
end() {
	local status=$?
	trap - EXIT INT TERM
	ctr delete -f --all >/dev/null 2>&1 || true
	rm -rf --one-file-system "$WORK"
	if [ $status -ne 0 ]; then
		echo "docs/demo.sh: stopped with status $status; everything that it made is removed" >&2
	fi
	exit $status
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

title 'Two templates: the embedded default, and Debian 12'
begin=$(date +%s%N)
show template build busybox 2>/dev/null
echo "  ($(seconds "$begin"))"
begin=$(date +%s%N)
show template build debian-12 --suite bookworm >"$WORK/build.log" 2>&1 || { cat "$WORK/build.log"; exit 1; }
head -n1 "$WORK/build.log"
echo "  ($(seconds "$begin"))"
show template list

title "$COUNT partitions from JSON configs"
# The last two are Debian with systemd, the others busybox.
for n in $(seq 1 "$COUNT"); do
	name=$(printf 'web%02d' "$n") template=busybox memory=32M
	if [ "$n" -gt $((COUNT - 2)) ]; then
		name=$(printf 'deb%02d' "$n") template=debian-12 memory=256M
	fi
	cat >"$WORK/$name.json" <<-END
		{
		  "ctrVersion": 1,
		  "name": "$name",
		  "root": { "template": "$template" },
		  "memory": { "limit": "$memory" },
		  "cpu": { "limit": "50%", "weight": 100 },
		  "limits": { "processes": 100 },
		  "network": {
		    "interfaces": [{
		      "name": "eth0", "mode": "bridge", "bridge": "$BRIDGE",
		      "addresses": ["$NET.$((n + 1))/24"], "gateways": ["$NET.1"], "hostGateway": true,
		      "reach": ["host", "partitions"]
		    }]
		  }
		}
	END
done
cat "$WORK/web01.json"
begin=$(date +%s%N)
for file in "$WORK"/{web,deb}*.json; do
	ctr create --config "$file" >/dev/null
done
echo "created: $(ctr list -q | wc -l) in $(seconds "$begin"), $(du -sk --exclude=templates "$CTR_STORE" | cut -f1) kB on disk beside the templates"
begin=$(date +%s%N)
show start --all >/dev/null
echo "started: $(ctr list --format json | grep -c '"status": *"running"') in $(seconds "$begin")"
show list

title 'One runs into its memory limit of 32 MiB; it alone is hurt'
echo '$ ctr exec web02 sh -c '\''x=a; while :; do x=$x$x; done'\'
status=0
ctr exec web02 sh -c 'x=aaaaaaaa; while :; do x=$x$x; done' >/dev/null 2>&1 </dev/null || status=$?
echo "its greedy process ended with status $status (137: killed)"
show stats web01 web02 web03
echo "processes killed for memory in web02: $(ctr stats --format json web02 | sed -nE 's/.*"oomKills": *([0-9]+).*/\1/p'), in web01: $(ctr stats --format json web01 | sed -nE 's/.*"oomKills": *([0-9]+).*/\1/p')"
echo "still running: $(ctr list --format json | grep -c '"status": *"running"') of $COUNT"

title 'A command in one'
show exec web03 sh -c 'hostname; id -un; ps -o pid,comm' </dev/null

title 'Files survive stop and start'
ctr exec web04 sh -c 'echo "written before the stop" >/root/note' </dev/null
show stop web04
show start web04
show exec web04 cat /root/note </dev/null

title 'One over the network, from the host'
ctr exec web05 sh -c 'mkdir -p /srv; echo "hello from $(hostname)" >/srv/index.html; httpd -p 80 -h /srv' </dev/null
echo "\$ GET http://$NET.6/"
answer=''
for _ in $(seq 1 50); do
	if exec 3<>"/dev/tcp/$NET.6/80"; then
		printf 'GET / HTTP/1.0\r\n\r\n' >&3
		answer=$(timeout 5 cat <&3 | tail -n1)
		exec 3>&-
		break
	fi 2>/dev/null
	sleep 0.1
done
echo "$answer"
[ -n "$answer" ] || { echo 'no answer from web05' >&2; exit 1; }

title 'Debian with systemd'
debian=$(printf 'deb%02d' "$COUNT")
for _ in $(seq 1 60); do
	state=$(ctr exec "$debian" systemctl is-system-running 2>/dev/null </dev/null || true)
	case $state in running | degraded) break ;; esac
	sleep 1
done
echo "\$ ctr exec $debian systemctl is-system-running"
echo "$state"
show ps "$debian" | head -n 12

title 'Destroy all'
begin=$(date +%s%N)
show delete -f --all >/dev/null
echo "deleted in $(seconds "$begin"); partitions left: $(ctr list -q | wc -l)"
# The monitor that kept the console logs leaves in its own time.
for _ in $(seq 1 50); do
	tests/support/snapshot >"$WORK/after"
	! cmp -s "$WORK/before" "$WORK/after" || break
	sleep 0.1
done
if diff "$WORK/before" "$WORK/after"; then
	echo 'The host is as it was: mounts, links, routes, packet rules, cgroups, processes, sysctls.'
else
	echo 'docs/demo.sh: the host is not as it was (see above)' >&2
	exit 1
fi
