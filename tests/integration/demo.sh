#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root internet mmdebstrap
# about: the first command of the README works here and leaves the host as it was
# host: alone
# limit: 900
# vm: no
. "$SOURCE/tests/support/lib.sh"

"$SOURCE/tests/support/snapshot" >"$T/before"
CTR_DEMO_PREPARED=1 bash "$SOURCE/docs/demo.sh" </dev/null >"$T/demo.out" 2>&1 || { cat "$T/demo.out"; fail 'the demonstration failed'; }
tail -n 3 "$T/demo.out"
"$SOURCE/tests/support/snapshot" >"$T/after"
diff -u "$T/before" "$T/after" || fail 'the host changed'
