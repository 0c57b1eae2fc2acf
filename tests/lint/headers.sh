#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Each header compiles alone: it includes what its declarations need.
set -u
cd "$(dirname "$0")/../.." || exit 1
one() {
	echo "#include \"$1\"" | ${CC:-cc} -std=gnu11 -D_GNU_SOURCE -I. -Wall -Wextra -Werror -Wno-unused-function \
		-fsyntax-only -x c - 2>&1 | sed "s|^|$1: |"
	return "${PIPESTATUS[1]}"
}
export -f one
git ls-files --cached --others --exclude-standard -- 'base/*.h' 'cgroups/*.h' 'namespaces/*.h' 'netsetup/*.h' 'runtime/*.h' 'cli/*.h' |
	xargs -P "$(nproc)" -I{} bash -c 'one {}'
