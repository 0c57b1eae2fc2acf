#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# C is laid out as .clang-format says (Debian's clang-format 14; later ones differ in details), and
# no text file has trailing blanks or lacks its last newline.
set -u
cd "$(dirname "$0")/../.." || exit 1
bad=0
tool=clang-format-14
command -v $tool >/dev/null || tool=clang-format
mapfile -t files < <(git ls-files --cached --others --exclude-standard -- '*.c' '*.h')
$tool --dry-run --Werror "${files[@]}" 2>&1 | grep -E 'error:' && bad=1
texts=$(git grep --untracked -I --name-only -e . -- ':!LICENSE' ':!*/data/*' ':!docs/examples/bad/*') || exit 1
while read -r file; do
	[ -f "$file" ] || continue
	if grep -nE '[[:space:]]+$' "$file" | sed "s|^|$file: trailing blank: |" | grep .; then
		bad=1
	fi
	if [ -s "$file" ] && [ -n "$(tail -c1 "$file")" ]; then
		echo "$file: no newline at its end"
		bad=1
	fi
done <<<"$texts"
exit $bad
