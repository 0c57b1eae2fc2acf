#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq
# about: a read-only root, and bind mounts of host folders
# vm: no
. "$SOURCE/tests/support/lib.sh"

template
a=$P-a
mkdir "$T/shared"
echo hello >"$T/shared/file"
chmod 777 "$T/shared"
up "$a" '.root.readonly = true | .mounts = [
	{ source: ($t + "/shared"), target: "/mnt/rw" }, { source: ($t + "/shared"), target: "/mnt/ro", readonly: true }]'
step 'the root'
match "$(inside "$a" sh -c 'echo x >/etc/x' 2>&1 || true)" 'Read-only file system' 'write to the root'
step 'mounts'
eq "$(inside "$a" cat /mnt/ro/file)" hello 'file of the host'
match "$(inside "$a" sh -c 'echo x >/mnt/ro/x' 2>&1 || true)" 'Read-only file system' 'write to a read-only mount'
inside "$a" sh -c 'echo back >/mnt/rw/answer'
eq "$(cat "$T/shared/answer")" back 'file from inside'
gone "$a"
