#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq
# about: no input brings it down: one line, a status, nothing left
# vm: no
# limit: 200
. "$SOURCE/tests/support/lib.sh"

template
a=$P-a
unchanged input
try() { # WHAT PATTERN: the config in $T/bad
	step "$1"
	refused "$2" timeout 20 "$CTR" create --config "$T/bad"
	refused '.' timeout 20 "$CTR" plan "$T/bad"
	status=0
	timeout 20 "$CTR" validate "$T/bad" >"$T/out" 2>&1 || status=$?
	[ $status -ne 0 ] && [ $status -lt 124 ] || fail "validate of '$1' ended with status $status"
	unchanged input
}
config good "$(printf '.name = "%s"' "$a")"
good=$(cat "$T/good.json")
: >"$T/bad"
try 'an empty file' '.'
echo '{' >"$T/bad"
try 'half an object' '.'
for n in 1 2 3 4 5 6 7 8; do
	head -c $((${#good} * n / 9)) <<<"$good" >"$T/bad"
	try "a config cut off after $n ninths" '.'
done
echo '[]' >"$T/bad"
try 'an array' '.'
echo 'null' >"$T/bad"
try 'null' '.'
head -c 100000 /dev/urandom >"$T/bad"
try 'random bytes' '.'
cp "$CTR" "$T/bad"
try 'a program' '.'
awk 'BEGIN { for (i = 0; i < 1000000; i++) printf "["; }' >"$T/bad"
try 'a million brackets' '.'
awk 'BEGIN { for (i = 0; i < 200000; i++) printf "{\"a\":"; }' >"$T/bad"
try 'deep objects' '.'
head -c 104857600 /dev/zero | tr '\0' ' ' >"$T/bad"
try '100 MB of blanks' '.'
{ echo '{"ctrVersion":1,"name":"'; head -c 104857600 /dev/zero | tr '\0' 'x'; echo '"}'; } >"$T/bad"
try '100 MB of name' '.'
rm "$T/bad"
mkfifo "$T/bad"
try 'a FIFO (must not hang)' '.'
rm "$T/bad"
mkdir "$T/bad"
try 'a folder' '.'
rmdir "$T/bad"
ln -s bad "$T/bad"
try 'a symlink to itself' '.'
rm "$T/bad"
try 'no file' 'bad'
jq '.name = "a/b"' <<<"$good" >"$T/bad"
try 'a name with a slash' 'name'
for name in .. . '' -x 'a b' $'a\nb' "$(head -c 200 /dev/zero | tr '\0' x)"; do
	jq --arg n "$name" '.name = $n' <<<"$good" >"$T/bad"
	try "the name '${name:0:10}'" 'name'
done
jq '.ctrVersion = 99' <<<"$good" >"$T/bad"
try 'a version of the future' 'ctrVersion'
jq '.memory.limit = "64 Mega"' <<<"$good" >"$T/bad"
try 'a size that is none' 'memory\.limit'
jq '.memory.limit = -1' <<<"$good" >"$T/bad"
try 'a negative size' 'memory\.limit'
jq '.memory.limits = "64M"' <<<"$good" >"$T/bad"
try 'an unknown key' 'memory\.limits'
sed 's/"name"/"name":"x","name"/' <<<"$good" >"$T/bad"
try 'a key twice' '.'
jq '.root.template = "nosuch"' <<<"$good" >"$T/bad"
step 'a missing template'
refused 'nosuch' ctr create --config "$T/bad"
unchanged input

step 'ids on the command line'
for id in ../x a/b '' . .. "$(head -c 4096 /dev/zero | tr '\0' x)"; do
	for verb in start stop state delete; do
		refused '.' ctr $verb -- "$id"
	done
done
unchanged input
step 'options and verbs that do not exist'
refused 'craete' ctr craete
refused 'nosuch' ctr list --nosuch
refused '.' ctr start
