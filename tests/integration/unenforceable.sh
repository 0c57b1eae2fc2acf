#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq noquota
# about: a limit that the host cannot enforce is refused by its name, and nothing is made
. "$SOURCE/tests/support/lib.sh"

template
a=$P-a
unchanged refusal
config "$a" '.disk.size = "100M"'
if ctr create --config "$T/$a.json" >/dev/null 2>"$T/err"; then
	mv "$T/err" "$T/err.create"
	refused 'disk\.?size|disk' ctr start "$a"
	gone "$a"
else
	match "$(cat "$T/err")" 'disk' 'message of create'
fi
unchanged refusal
if [ "$CTR_TEST_HOST" = hybrid ]; then
	step 'a memory guarantee needs cgroup v2'
	config "$a" '.memory.guarantee = "32M"'
	if ctr create --config "$T/$a.json" >/dev/null 2>"$T/err"; then
		refused 'guarantee|memory\.(low|min)' ctr start "$a"
		gone "$a"
	else
		match "$(cat "$T/err")" 'guarantee|memory\.(low|min)' 'message of create'
	fi
	unchanged refusal
fi
