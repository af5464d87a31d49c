#!/bin/sh
# SPDX-License-Identifier: MIT
#
# fuzz.sh - Fuzz one target for a while, from its corpus.
#
#     tools/fuzz.sh SECONDS TARGET
#
# Needs the build "fuzz".  New inputs stay in build/fuzz/corpus/TARGET; an input that fails
# stays in build/fuzz/TARGET-* and its name is printed.  Speaks TAP.
set -u
cd "$(dirname "$0")/.." || exit 1
seconds=$1 target=$2
found=build/fuzz/corpus/$target
mkdir -p "$found"
known=tests/fuzz/corpus/$target
[ -d "$known" ] || known=

echo "1..1"
# shellcheck disable=SC2086
if build/fuzz/tests/fuzz/"$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
    -print_final_stats=1 -artifact_prefix="build/fuzz/$target-" "$found" $known \
    >"build/fuzz/$target.log" 2>&1; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$target.log")
    echo "ok 1 - $target survives $seconds s of fuzzing, $runs runs"
    exit 0
fi
echo "not ok 1 - $target survives $seconds s of fuzzing"
grep -a -E 'ERROR|SUMMARY|Test unit written|panic|runtime error' "build/fuzz/$target.log" |
    head -n 20 | sed 's/^/# /'
exit 1
