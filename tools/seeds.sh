#!/bin/sh
# SPDX-License-Identifier: MIT
#
# seeds.sh - Many seeds of the simulator.  Speaks TAP.
#
#     tools/seeds.sh LASTACK COUNT
#
# From 1000 on the simulator shares the seeds out among its scenarios itself, each by its
# weight.  Fewer would reach the first scenarios only, so then each gets an equal part, at
# least one seed.
set -u
lastack=$1 count=$2
workers=$(nproc 2>/dev/null || echo 2)
[ "$workers" -le 16 ] || workers=16

number=0
status=0
seeds() { # SENTENCE ARGUMENT...
    sentence=$1
    shift
    number=$((number + 1))
    if said=$("$lastack" sim --workers "$workers" "$@" 2>&1); then
        echo "ok $number - $sentence"
        echo "$said" | tail -n 1
    else
        status=1
        echo "not ok $number - $sentence"
        echo "$said" | sed 's/^/# /'
    fi
}

if [ "$count" -ge 1000 ]; then
    seeds "$count seeds, shared out among all scenarios" --seeds "$count"
else
    names=$("$lastack" sim --list | awk '{ print $1 }')
    each=$((count / $(echo "$names" | wc -w)))
    [ "$each" -ge 1 ] || each=1
    for name in $names; do
        seeds "$each seeds of $name" --scenario "$name" --seeds "$each"
    done
fi
echo "1..$number"
exit $status
