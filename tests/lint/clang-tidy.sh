#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# clang-tidy over all product code, by the compile commands of the dev preset. A file that has not
# changed, nor any header, nor the rules, since it was last found clean is not read again.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build/dev}
if [ ! -f "$build/compile_commands.json" ]; then
	echo "no $build/compile_commands.json: run cmake --preset dev"
	exit 1
fi
cache=build/lint/clang-tidy
mkdir -p "$cache"
mapfile -t files < <(jq -r '.[].file' "$build/compile_commands.json" | sed "s|^$PWD/||" | grep -v '^tests/' | sort -u)
common=$(cat .clang-tidy "$(command -v clang-tidy)" | sha256sum; git ls-files --cached --others --exclude-standard -- '*.h' tests/lint/clang-tidy.sh | xargs cat | sha256sum)
export build cache common
one() {
	local sum
	sum=$({ echo "$common"; cat "$1"; } | sha256sum | cut -d' ' -f1)
	[ ! -e "$cache/$sum" ] || return 0
	if clang-tidy --quiet -p "$build" --warnings-as-errors='*' "$1" >"$cache/$sum.out" 2>/dev/null; then
		rm "$cache/$sum.out"
		touch "$cache/$sum"
		return 0
	fi
	cat "$cache/$sum.out"
	rm "$cache/$sum.out"
	return 1
}
export -f one
printf '%s\n' "${files[@]}" | xargs -P "$(nproc)" -I{} bash -c 'one {}'
