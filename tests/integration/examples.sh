#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: jq
# about: examples are valid, and what they become can be read by programs
# vm: no
. "$SOURCE/tests/support/lib.sh"

n=0
for file in "$SOURCE"/docs/examples/*.json; do
	step "$(basename "$file")"
	ctr validate "$file"
	n=$((n + 1))
	ctr spec "$file" 2>"$T/err" >"$T/spec.json" || { match "$(cat "$T/err")" template 'spec of an example'; continue; }
	jq -e '.ociVersion and .process.args and .root.path and .linux.namespaces' "$T/spec.json" >/dev/null
	ctr plan "$file" >"$T/plan.json" 2>"$T/err" || match "$(cat "$T/err")" template 'plan of an example'
	[ ! -s "$T/plan.json" ] || jq -e 'type == "object"' "$T/plan.json" >/dev/null
done
[ $n -ge 3 ] || fail "only $n examples"
step schema
ctr schema >"$T/schema.json"
jq -e '."$schema" and .properties.memory' "$T/schema.json" >/dev/null
