#!/bin/sh
# SPDX-License-Identifier: MIT
# format.sh FILE... - Says which lines .clang-format would write otherwise; `./dev fmt` does it.
set -u
clang-format-14 --dry-run -Werror --ferror-limit=0 "$@" 2>&1 |
    sed -n -E 's/^([^:]+:[0-9]+):[0-9]+: error: code should be clang-formatted.*/\1: not formatted (.\/dev fmt)/p' |
    sort -u -t: -k1,1 -k2,2n >"${TMPDIR:-/tmp}/format.$$"
status=0
[ ! -s "${TMPDIR:-/tmp}/format.$$" ] || status=1
cat "${TMPDIR:-/tmp}/format.$$"
rm -f "${TMPDIR:-/tmp}/format.$$"
exit $status
