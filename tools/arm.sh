#!/bin/sh
# SPDX-License-Identifier: MIT
#
# arm.sh - What only a build for 64-bit ARM takes compiles: tools/arm.sh [FILE...]
#
# Prints one line a finding.  Without an ARM machine nothing is run here.
set -u
clang=${CLANG:-clang-14}
[ $# != 0 ] || {
    cd "$(dirname "$0")/.." || exit 1
    set -- core/base/target/checksum_arm.c core/base/checksum.c core/base/checksum_portable.c
}
for source in "$@"; do
    "$clang" --target=aarch64-linux-gnu -ffreestanding -std=c17 -O2 -DLA_DEBUG=0 -Iinclude -I. \
        -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wmissing-prototypes -Wvla -Werror \
        -fno-caret-diagnostics -S -o /dev/null "$source" || exit 1
done 2>&1 | sed -n -E 's/^([^:]+:[0-9]+):[0-9]+: (fatal )?(error|warning): /\1: aarch64: /p' |
    { ! grep .; }
