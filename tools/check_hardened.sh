#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check_hardened.sh - What a hardened build must show in its files.
#
#     tools/check_hardened.sh [BUILD]     (build/hardened, if not given)
#
# The core calls __stack_chk_fail beside the five functions it always calls, and no more; the
# command and the library are relocated before they run and read-only afterwards, their stack
# is not executable, nothing in them is both writable and executable, and the C library's
# functions are called in the form that checks lengths.
set -u
build=${1:-build/hardened}
status=0

tools/check_symbols.sh "$build" include __stack_chk_fail || status=1

expect() { # FILE WHAT PATTERN COMMAND...
    file=$1 what=$2 pattern=$3
    shift 3
    "$@" "$file" 2>/dev/null | grep -q -E "$pattern" || {
        echo "$file:1: $what"
        status=1
    }
}
for file in "$build/liblastack.so" "$build/lastack"; do
    expect "$file" "what is relocated stays writable" 'GNU_RELRO' readelf -lW
    expect "$file" "symbols are bound late" 'FLAGS.*(BIND_)?NOW' readelf -dW
    expect "$file" "the stack is executable" 'GNU_STACK.* RW +0x' readelf -lW
    expect "$file" "no function checks the lengths of a copy" ' U __[a-z]+_chk(@|$)' nm -D
    expect "$file" "no function guards its stack frame" ' U __stack_chk_fail' nm -D
    if readelf -lW "$file" | grep -q 'LOAD.* RWE '; then
        echo "$file:1: a segment is both writable and executable"
        status=1
    fi
done
expect "$build/lastack" "it is not position-independent" 'FLAGS_1.*PIE' readelf -dW
if objdump -f "$build/liblastack.so" | grep -q x86-64; then
    # Of our own: the C library's first and last functions are marked in any case.
    expect "$build/lastack_core.o" "indirect calls have no marked targets" endbr64 objdump -d
    expect "$build/lastack" "indirect calls have no marked targets" endbr64 \
        objdump --disassemble=main
fi
exit $status
