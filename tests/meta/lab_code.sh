#!/bin/bash
# SPDX-License-Identifier: MIT
# lab_code.sh - The programs that `lastack lab --code` shows come in pairs, and compile without a
# warning; those in Go are formatted and vetted where there is a Go.
. tests/meta/lib.sh
cp "$root"/examples/lab/* .
export GOCACHE=${GOCACHE:-$samples/go} GOFLAGS=-mod=mod

pair() { # NAME
    [ -e "$1_wrong.go" ] && [ -e "$1_right.go" ] && ! cmp -s "$1_wrong.c" "$1_right.c"
}
compiled() { # FILE
    gcc -std=c17 -O2 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -o program "$1"
}
formatted() {
    [ -z "$(gofmt -l ./*.go)" ]
}
for right in *_right.c; do
    name=${right%_right.c}
    passes "$name is a pair in C and in Go" pair "$name"
    for file in "$name"_*.c; do
        passes "$file compiles" compiled "$file"
    done
done
if command -v go >/dev/null && command -v gofmt >/dev/null; then
    passes "the programs in Go are formatted" formatted
    for file in *.go; do
        passes "$file is vetted" go vet "$file"
    done
fi
done_testing
