#!/bin/sh
# SPDX-License-Identifier: MIT
#
# nofast_traces.sh - The fast path changes no packet, event or state: the traces of every scenario
# are the same, byte for byte, with and without it.  Speaks TAP.
set -u
with=build/lastack
without=build/nofast/lastack
seeds=${NOFAST_SEEDS:-3}

number=0
status=0
bytes=0
judge() { # STATUS SENTENCE
    number=$((number + 1))
    if [ "$1" = 0 ]; then
        echo "ok $number - $2"
    else
        status=1
        echo "not ok $number - $2"
    fi
}

for name in $("$with" sim --list | awk '{ print $1 }'); do
    bad=0
    seed=1
    while [ "$seed" -le "$seeds" ]; do
        set -- sim --scenario "$name" --seed "$seed" --trace
        a=$("$with" "$@" 2>&1 | cksum)
        b=$("$without" "$@" 2>&1 | cksum)
        [ "$a" = "$b" ] || { bad=1 && echo "# differ: lastack $*"; }
        bytes=$((bytes + ${a#* }))
        seed=$((seed + 1))
    done
    judge $bad "$name leaves the same traces without the fast path"
done
# A comparison of nothing with nothing would pass.
judge $((bytes < 100000)) "the traces that were compared are long"
echo "1..$number"
exit $status
