#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every source file and script starts with its licence line, and every C file then says in a
# sentence what it is for.
set -u
cd "$(dirname "$0")/../.." || exit 1
bad=0
complain() { echo "$1: $2"; bad=1; }

while read -r file; do
	case $file in
	*.[ch])
		[ "$(sed -n 1p "$file")" = '/* SPDX-License-Identifier: Apache-2.0 */' ] ||
			complain "$file" 'the first line is not the licence'
		sed -n 2p "$file" | grep -q '^/\*' || complain "$file" 'no comment with its purpose on line 2'
		;;
	*.sh | *.cmake | CMakeLists.txt | */CMakeLists.txt)
		head -n2 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' ||
			complain "$file" 'no licence line'
		;;
	*)
		if head -n1 "$file" | grep -q '^#!'; then
			sed -n 2p "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' ||
				complain "$file" 'no licence line after the interpreter'
		fi
		;;
	esac
done < <(git ls-files --cached --others --exclude-standard | grep -vE '^docs/.*\.md$|/data/' | while read -r f; do [ -f "$f" ] && echo "$f"; done)
exit $bad
