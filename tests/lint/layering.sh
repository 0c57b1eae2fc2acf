#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Includes may only point along cli -> runtime -> cgroups | namespaces | netsetup -> base, and a
# header named *_internal.h is for its own folder alone.
#
# layering.sh [ROOT]: prints each include that breaks the rule; the exit status says whether any did.
# layering.sh --self-test: proves that it finds a violation of each kind, and nothing in a good tree.
set -u

# The table: a folder, and what it may include beside itself.
declare -A allowed=(
	[base]=''
	[cgroups]='base'
	[namespaces]='base'
	[netsetup]='base'
	[runtime]='cgroups namespaces netsetup base'
	[cli]='runtime cgroups namespaces netsetup base'
)

check() {
	local root=$1 bad=0 file line header from to

	while IFS=: read -r file line header; do
		file=${file#"$root"/}
		from=${file%%/*}
		header=$(sed -E 's/^[^"]*"([^"]*)".*/\1/' <<<"$header")
		to=${header%%/*}
		if [ "$to" = "$header" ] || [ -z "${allowed[$to]+known}" ]; then
			echo "$file:$line: include \"$header\" by its path from the root"
			bad=1
		elif [ "$to" != "$from" ] && ! grep -qw -- "$to" <<<"${allowed[$from]}"; then
			echo "$file:$line: $from/ must not include \"$header\""
			bad=1
		elif [[ $header = *_internal.h && $(dirname "$header") != $(dirname "$file") ]]; then
			echo "$file:$line: \"$header\" is internal to $(dirname "$header")/"
			bad=1
		fi
	done < <(cd "$root" && grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' --include='*.[ch]' \
		"${!allowed[@]}" 2>/dev/null | sed "s|^|$root/|")
	return $bad
}

self_test() {
	local dir bad
	dir=$(mktemp -d) || return 1
	# shellcheck disable=SC2064 # the folder of now
	trap "rm -rf '$dir'" EXIT
	mkdir -p "$dir"/{base,cgroups,namespaces/mount,netsetup,runtime/spec,cli}
	echo '#include "base/err.h"' >"$dir/cgroups/a.c"
	echo '#include "cgroups/a.h"' >"$dir/runtime/a.c"
	echo '#include "runtime/a_internal.h"' >>"$dir/runtime/a.c"
	echo '#include "runtime/a.h"' >"$dir/cli/a.c"
	check "$dir" || { echo 'self-test: a good tree was refused'; return 1; }
	for bad in 'base/x.c cgroups/a.h' 'cgroups/x.c netsetup/a.h' 'namespaces/mount/x.c runtime/a.h' \
		'netsetup/x.h cli/a.h' 'runtime/spec/x.c cli/a.h' 'runtime/spec/x.c runtime/a_internal.h' \
		'runtime/x.c cgroups/a_internal.h' 'runtime/x.c a.h' 'runtime/x.c ../base/a.h'; do
		echo "  #  include \"${bad#* }\"" >"$dir/${bad% *}"
		if check "$dir" >/dev/null; then
			echo "self-test: $bad was not found"
			return 1
		fi
		rm "$dir/${bad% *}"
	done
}

if [ "${1:-}" = --self-test ]; then
	self_test
else
	check "$(realpath "${1:-$(dirname "$0")/../..}")"
fi
