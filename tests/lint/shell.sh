#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs shellcheck over every script, found by its name or its first line.
set -u
cd "$(dirname "$0")/../.." || exit 1
mapfile -t files < <(git ls-files --cached --others --exclude-standard | while read -r file; do
	[ -f "$file" ] || continue
	case $file in
	*.sh) echo "$file" ;;
	*.fish | *.zsh) ;;
	*) head -c 64 "$file" | head -n1 | tr -d '\0' | grep -qE '^#!.*\b(sh|bash)\b' && echo "$file" ;;
	esac
done)
# Excluded everywhere: SC1091 (sourced by a path that is known at run time), SC2015 (A && B || C is
# used where B cannot fail), SC2046 and SC2086 (a header's words are meant to split), SC2310-2312
# are optional and off.
printf '%s\n' "${files[@]}" | xargs -P "$(nproc)" -n 8 shellcheck -x -s bash -S warning -e SC1091,SC2015,SC2046,SC2086
