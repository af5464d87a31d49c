#!/bin/sh
# SPDX-License-Identifier: MIT
# dev.sh - The front door lists what is behind it, and refuses the rest.
. tests/meta/lib.sh

catches "an unknown verb is an error" 'unknown verb "frobnicate"' "$root/dev" frobnicate
catches "an unknown verb that looks like an option is an error" 'unknown verb "--test"' \
    "$root/dev" --test
catches "too many arguments are an error" "build takes no arguments" "$root/dev" build now
catches "a number that is none is an error" '"many" is not a number' "$root/dev" seeds many
catches "a number of zero is an error" '"0" is not a number' "$root/dev" fuzz 0
prints "without a verb it helps" "usage: ./dev VERB" "$root/dev"
for verb in build test unit seeds asan fuzz interop lint fmt wasm clean help; do
    prints "help lists $verb" "
  $verb" "$root/dev" help
done

# Every verb that help lists is one that the front door knows.
known() {
    "$root/dev" help | sed -n 's/^  \([a-z]*\) .*/\1/p' | while read -r verb; do
        grep -q -E "(^|[ |])$verb( \||\))" "$root/dev" || { echo "$verb"; return 1; }
    done
}
passes "help lists nothing that is not there" known
done_testing
