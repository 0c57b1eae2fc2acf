#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the command says of itself in several places agrees: the list of verbs, the help of each,
# the manual and the completions; documents name only verbs that exist; examples are valid.
#
# sync.sh [CTR]: default build/dev/ctr
set -u
cd "$(dirname "$0")/../.." || exit 1
ctr=${1:-build/dev/ctr}
bad=0
complain() { echo "$*"; bad=1; }

# The list of verbs: the indented lines of the help, whose first word or two are the name.
names=$("$ctr" help | sed -nE 's/^  ((template )?[a-z]+)( .*)?$/\1/p' | sort -u)
[ "$(wc -l <<<"$names")" -ge 20 ] || complain "ctr help lists only: $(xargs <<<"$names")"
manual=$("$ctr" man) || complain 'ctr man failed'
while read -r name; do
	# shellcheck disable=SC2086 # "template list" is two words
	"$ctr" help $name >/dev/null 2>&1 || complain "ctr help $name fails"
	grep -qw -- "$name" <<<"$manual" || complain "the manual does not name '$name'"
done <<<"$names"
for shell in bash zsh fish; do
	text=$("$ctr" completions $shell) || complain "ctr completions $shell failed"
	while read -r name; do
		grep -qw -- "${name##* }" <<<"$text" || complain "the $shell completion does not name '$name'"
	done <<<"$names"
done
bash -n <("$ctr" completions bash) || complain 'the bash completion does not parse'
if command -v mandoc >/dev/null; then
	mandoc -T lint -W error <(cat <<<"$manual") || complain 'the manual does not parse'
fi
# Commands in documents: "$ ctr VERB" and `ctr VERB`.
while IFS=: read -r file verb; do
	"$ctr" help "$verb" >/dev/null 2>&1 || grep -q "^$verb " <<<"$names" || complain "$file: there is no verb '$verb'"
done < <(git ls-files --cached --others --exclude-standard -- '*.md' docs/demo.sh |
	xargs grep -oHE '(^|[`$#] ?)ctr [a-z]+' | sed -E 's/^([^:]+):.*ctr ([a-z]+)$/\1:\2/' | sort -u)
for file in docs/examples/*.json; do
	"$ctr" validate "$file" >/dev/null || complain "$file is not valid"
done
# The packages that the README lists are those that are installed.
while read -r package kind _; do
	[[ $package != \#* ]] || continue
	[[ $kind == @(test|engine) ]] || grep -q "\`$package\`" README.md || complain "README.md does not say what $package is for"
done <.ci/packages
exit $bad
