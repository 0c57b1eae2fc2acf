#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq
# about: files survive stop and start, others do not see them, and cost only themselves
. "$SOURCE/tests/support/lib.sh"

template
a=$P-a b=$P-b
up "$a"
up "$b"

step 'written in one'
inside "$a" sh -c 'echo mine >/etc/mine; echo changed >/etc/origin; mkdir -p /var/x/y; ln -s mine /etc/link; rm /etc/group; chown 1000:1000 /etc/mine; chmod 640 /etc/mine; dd if=/dev/zero of=/var/x/y/mb bs=1k count=1024 2>/dev/null; sync'

step 'not seen in the other, nor in the template'
eq "$(inside "$b" cat /etc/origin)" 'from the template' 'file of the template in the other'
inside "$b" test ! -e /etc/mine || fail 'the other sees the file'
inside "$b" test -e /etc/group || fail 'the other lost a file'
eq "$(cat "$CTR_STORE/templates/tool/rootfs/etc/origin")" 'from the template' 'template'

step 'costs itself, not the template'
used=$(du -sk "$CTR_STORE/partitions/$a" | cut -f1)
[ "$used" -ge 1024 ] && [ "$used" -le 1400 ] || fail "1 MiB written costs $used KiB"
used=$(du -sk "$CTR_STORE/partitions/$b" | cut -f1)
[ "$used" -le 200 ] || fail "nothing written costs $used KiB"

step 'survives stop and start'
ctr stop "$a"
ctr start "$a"
eq "$(inside "$a" cat /etc/link)" mine 'file through its symlink'
eq "$(inside "$a" stat -c '%u:%g %a' /etc/mine)" '1000:1000 640' 'owner and mode'
eq "$(inside "$a" cat /etc/origin)" changed 'changed file'
inside "$a" test ! -e /etc/group || fail 'a removed file came back'
eq "$(inside "$a" stat -c %s /var/x/y/mb)" 1048576 'size'

step 'survives the death of everything that runs (as in a crash)'
kill -KILL "$(init_pid "$a")"
eventually $((10 * $(slower))) sh -c "[ \"\$('$CTR' state '$a' | jq -r .status)\" = stopped ]"
ctr start "$a"
eq "$(inside "$a" cat /etc/mine)" mine 'file after a crash'
gone "$a" "$b"
[ -e "$CTR_STORE/templates/tool/rootfs/etc/origin" ] || fail 'delete took the template with it'
