#!/bin/bash
# SPDX-License-Identifier: MIT
# examples.sh - Each example is built as its head says, from what was installed, and those that
# need no device run.  tests/interop/examples.sh has the others.
. tests/meta/lib.sh
cmake --install "$root/build" --prefix "$samples/lastack" >/dev/null || exit 1
cp "$root"/examples/*.[ch] .
export PKG_CONFIG_PATH=$samples/lastack/lib/pkgconfig LD_LIBRARY_PATH=$samples/lastack/lib

as_its_head_says() { # NAME
    line=$(sed -n 's/^ \*  *\(cc .*pkg-config.*\)$/\1/p' "$1.c")
    [ -n "$line" ] || { echo "no line with cc in the head"; return 1; }
    CFLAGS="-Wall -Wextra -Wpedantic -Werror"
    eval "${line/cc /cc $CFLAGS }"
}
for source in *.c; do
    name=${source%.c}
    passes "$name builds as its head says" as_its_head_says "$name"
    case $name in
    two_stacks | socketpair) ;;
    *) catches "$name without arguments says how to use it" "usage: $name " ./"$name" ;;
    esac
done

prints "two stacks in one process speak" "THE END OF A CONNECTION IS ITS HARDEST PART" ./two_stacks
prints "... and leave nothing" "nothing is left" ./two_stacks
./two_stacks >first && ./two_stacks >second
passes "... the same each time" cmp first second
prints "two processes speak over a pair of sockets" "packets between two processes" \
    timeout 20 ./socketpair
catches "a device that is not there is named" "nosuch0" ./echo_server nosuch0 10.9.0.2/24 7
catches "an output that is full is an error" "status 1" \
    sh -c './two_stacks >/dev/full || { echo "status $?"; exit 1; }'
done_testing
