#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq
# about: a device that is not given cannot be opened, one that is can
. "$SOURCE/tests/support/lib.sh"

template
a=$P-a
up "$a"
step 'the usual ones'
for dev in null zero full random urandom; do
	eq "$(inside "$a" payload open /dev/$dev r)" ok "/dev/$dev"
done
step 'the dangerous ones'
i=0
for node in 'c 1 1' 'c 1 2' 'c 1 4' 'c 10 237' 'c 10 232' 'c 10 223' 'b 254 0' 'b 8 0' 'b 7 0' 'c 5 3'; do
	i=$((i + 1))
	# shellcheck disable=SC2086
	out=$(inside "$a" payload mknod /dev/x$i $node)
	nomatch "$out" 'open ok' "device $node"
done
# Without a user namespace to stop it first, the cgroup's own device program has to.
step 'the rules hold without a user namespace as well'
make "$P-b" '.security.userns = false'
if ctr start "$P-b" 2>"$T/err"; then
	eq "$(inside "$P-b" payload open /dev/null rw)" ok '/dev/null'
	for node in 'c 1 1' 'c 10 237' 'b 7 0'; do
		# shellcheck disable=SC2086
		nomatch "$(inside "$P-b" payload mknod /dev/y"${node##* }" $node)" 'open ok' "device $node"
	done
fi
step 'one that is given'
make "$P-c" '.devices = [{ path: "/dev/fuse", access: "rw" }]'
ctr start "$P-c"
eq "$(inside "$P-c" payload open /dev/fuse rw)" ok 'given device'
gone "$a" "$P-b" "$P-c"
