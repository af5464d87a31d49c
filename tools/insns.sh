#!/bin/sh
# SPDX-License-Identifier: MIT
#
# insns.sh - Instructions a unit of work costs, counted by callgrind: a gate that does not drift
# with the load of the machine.
#
#     tools/insns.sh PROGRAM TABLE [--tap | --write]
#
# PROGRAM --list names what it can do; PROGRAM WHAT does it inside of count_measured() and prints
# how many units it was (bench/count/count.c).  TABLE has a line for each: what, instructions a
# unit, and the reason of the last rise, with tabs between them.  More than 5 % above the table
# is a failure; more than 5 % below it is said, so that the table is lowered.  --write sets the
# table to what is counted now and leaves the reasons to be written.
set -u
program=$1
table=$2
mode=${3:-}
percent=5
number=0
status=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# The string functions of libc differ by processor: all take those for any x86-64.
export GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX512VL,-ERMS,-FSRM,-AVX2_Usable,-ERMS_Usable

say() { # 0|1 SENTENCE
    number=$((number + 1))
    [ "$1" = 0 ] || status=1
    if [ "$1" = 0 ]; then echo "ok $number - $2"; else echo "not ok $number - $2"; fi
}

# Sets count to the instructions of one unit of $1.
count_of() {
    units=$(valgrind --tool=callgrind --toggle-collect=count_measured \
        --callgrind-out-file=/dev/null "$program" "$1" 2>"$out") || return 1
    total=$(sed -n 's/^.*Collected : \([0-9]*\)$/\1/p' "$out")
    case "$units$total" in
    '' | *[!0-9]*) return 1 ;;
    esac
    [ -n "$total" ] && [ "$total" -gt 0 ] && [ "$units" -gt 0 ] && count=$((total / units))
}

if ! names=$("$program" --list) || [ -z "$names" ]; then
    say 1 "$program --list names what it can do"
    echo "1..$number"
    exit 1
fi
new=
for name in $names; do
    if ! count_of "$name"; then
        say 1 "$name: callgrind counts it"
        tail -n 5 "$out" | sed 's/^/# /'
        continue
    fi
    was=$(awk -F '\t' -v name="$name" '$1 == name { print $2 }' "$table")
    reason=$(awk -F '\t' -v name="$name" '$1 == name { print $3 }' "$table")
    new="$new$name	$count	${reason:-new}
"
    case $was in
    '' | *[!0-9]*)
        [ "$mode" = --write ] || say 1 "$name: $count instructions, and $table has no figure for it"
        continue
        ;;
    esac
    if [ $((count * 100)) -gt $((was * (100 + percent))) ]; then
        [ "$mode" = --write ] || {
            say 1 "$name: $count instructions, more than $percent % above the $was of $table"
            echo "# lower it, or commit the new figure with its reason: ./dev insns --write"
        }
    elif [ $((count * 100)) -lt $((was * (100 - percent))) ]; then
        say 0 "$name: $count instructions, fewer than the $was of $table: lower the figure there"
    else
        say 0 "$name: $count instructions, $was committed"
    fi
done
if [ "$mode" = --write ]; then
    [ $status = 0 ] || exit 1
    {
        sed -n '/^#/p' "$table"
        printf '%s' "$new"
    } >"$out" && cp "$out" "$table"
    cat "$table"
    exit
fi
echo "1..$number"
exit $status
