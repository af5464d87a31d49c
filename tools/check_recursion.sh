#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check_recursion.sh - Nothing in the core calls itself, directly or in a round.
#
#     tools/check_recursion.sh FILE.c...        (from the root of the tree)
#
# gcc writes who calls whom; tsort finds the rounds.  Calls through pointers are not seen.
set -u
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
for source in "$@"; do
    case $source in # a kernel for another processor
    *_x86.c) [ "$(uname -m)" = x86_64 ] || continue ;;
    *_arm.c) [ "$(uname -m)" = aarch64 ] || continue ;;
    esac
    object=$out/$(echo "$source" | tr / _)
    gcc -std=c17 -O0 -w -DLA_DEBUG=1 -Iinclude -I. -fcallgraph-info -c "$source" -o "$object.o" \
        2>"$out/err" || { sed 1q "$out/err"; exit 1; }
done
cat "$out"/*.ci 2>/dev/null |
    sed -n 's/^edge: { sourcename: "\([^"]*\)" targetname: "\([^"]*\)".*/\1 \2/p' |
    sort -u >"$out/edges"

# tsort is content with a node that points at itself.
awk '$1 == $2 { print $1 }' "$out/edges" >"$out/found"
awk '$1 != $2' "$out/edges" | tsort 2>&1 >/dev/null |
    sed -n '/loop/!s/^tsort: //p' | sort -u >>"$out/found"
[ -s "$out/found" ] || exit 0
while read -r function; do
    name=${function##*:}
    place=$(grep -n -E "^[a-z].*\<$name\(" "$@" /dev/null | grep -v ';' | head -n 1 | cut -d: -f1,2)
    echo "${place:-core:1}: $name() is called from itself, by way of other functions or not"
done <"$out/found"
exit 1
