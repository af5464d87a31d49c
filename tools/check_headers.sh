#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check_headers.sh - Every header stands alone.
#
#     tools/check_headers.sh FILE.h...        (from the root of the tree)
#
# It is compiled with nothing before it, twice, so that its include guard is tried too.  The
# public ones are C++ as well.
set -u
clang=${CLANG:-clang-14}
status=0
found=$(
    for header in "$@"; do
        printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
            gcc -std=c17 -D_GNU_SOURCE -DLA_DEBUG=0 -Wall -Wextra -Wno-unused-function \
                -Wno-unused-variable -Iinclude -I. -fno-diagnostics-show-caret -fsyntax-only \
                -x c - 2>&1 |
            grep -E 'error|warning' | head -n 3 | sed "s|^<stdin>:[0-9:]*|$header:1:|"
        case $header in
        include/*)
            printf '#include "%s"\n' "$header" |
                "$clang" -std=c++11 -Wall -Wextra -Iinclude -I. -fno-caret-diagnostics \
                    -fsyntax-only -x c++ - 2>&1 |
                grep -E 'error|warning' | head -n 3 | sed 's|: |: as C++: |'
            ;;
        esac
    done
)
if [ -n "$found" ]; then
    echo "$found" | sed -E 's/^([^:]+:[0-9]+):[0-9]+:/\1:/'
    status=1
fi
exit $status
