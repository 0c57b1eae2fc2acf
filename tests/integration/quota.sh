#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq quota
# about: disk.size holds, by project quota, and only for the one that has it
. "$SOURCE/tests/support/lib.sh"

template
a=$P-a b=$P-b
up "$a" '.disk.size = "20M"'
up "$b"
inside "$a" dd if=/dev/zero of=/small bs=1M count=10 2>/dev/null
inside "$a" dd if=/dev/zero of=/large bs=1M count=30 2>"$T/err" && fail 'more than its size was written'
match "$(cat "$T/err")" 'quota|No space' 'message inside'
inside "$b" dd if=/dev/zero of=/large bs=1M count=30 2>/dev/null
step 'live'
ctr set "$a" disk.size=60M >/dev/null
inside "$a" dd if=/dev/zero of=/large bs=1M count=30 2>/dev/null
gone "$a" "$b"
