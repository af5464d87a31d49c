#!/bin/sh
# SPDX-License-Identifier: MIT
#
# wasm.sh - The core is freestanding: it compiles to wasm32 with no library at all.
#
#     tools/wasm.sh [FILE.c]...      (all of core/, if none is given)
#
# The second compiler sees here what gcc does not say: a default: beside a full set of enum
# cases, which would hide the next case to come.  The link lets five imports pass.  What is
# made goes to build/wasm.
set -u
cd "$(dirname "$0")/.." || exit 1
clang=${CLANG:-clang-14}
out=build/wasm
[ $# != 0 ] || set -- core/*/*.c $(ls core/*/*/*.c | grep -v -e _x86.c -e _arm.c -e _asan.c -e _nofast.c)
rm -rf "$out"
mkdir -p "$out"
status=0
made=
for source in "$@"; do
    [ -e "$source" ] || continue
    object=$out/$(echo "$source" | tr / _).o
    "$clang" --target=wasm32 -ffreestanding -nostdlib -std=c17 -O2 -DLA_DEBUG=0 -Iinclude -I. \
        -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wswitch-enum -Wcovered-switch-default \
        -Wmissing-prototypes -Wvla -Werror -fno-strict-aliasing \
        -fno-caret-diagnostics -c "$source" -o "$object" 2>"$object.err" || status=1
    grep -E '^[^ ]+:[0-9]+:[0-9]+: (error|fatal|warning)' "$object.err" |
        sed -E 's/^([^:]+:[0-9]+):[0-9]+: [a-z ]+: /\1: wasm32: /'
    made="$made $object"
done
[ $status = 0 ] || exit 1
[ -n "$made" ] || exit 0

printf '%s\n' memcpy memmove memset memcmp la_panic >"$out/imports"
# shellcheck disable=SC2086
if ! wasm-ld-14 --error-limit=0 --no-entry --no-gc-sections --allow-undefined-file="$out/imports" \
    -o "$out/lastack.wasm" $made 2>"$out/link.err"; then
    sed -E 's/^wasm-ld-14: error: ([^:]+): /\1:1: wasm32: /' "$out/link.err" | sort -u
    exit 1
fi
