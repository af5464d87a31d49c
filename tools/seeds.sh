#!/bin/sh
# SPDX-License-Identifier: MIT
#
# seeds.sh - Many seeds of every simulator scenario.  Speaks TAP.
#
#     tools/seeds.sh LASTACK COUNT
set -u
lastack=$1 count=$2
echo "1..1"
if "$lastack" sim --seeds "$count"; then
    echo "ok 1 - $count seeds of every scenario"
    exit 0
fi
echo "not ok 1 - $count seeds of every scenario"
exit 1
