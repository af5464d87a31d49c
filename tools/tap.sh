#!/bin/sh
# SPDX-License-Identifier: MIT
#
# tap.sh - Run one test program that speaks TAP, and judge it.
#
#     tools/tap.sh DIR SECONDS NAME PROGRAM [ARGUMENT]...
#
# Writes DIR/NAME.log (what it printed), DIR/NAME.err (its stderr) and DIR/NAME.res, one line
# "passed failed skipped".  Prints one line, and on failure what failed.
#
# Besides each "not ok" it is a failure if the program dies, runs longer than SECONDS, ends with
# a status other than 0 though every test passed, prints no plan, or runs another number of tests
# than its plan says.  "1..0 # SKIP reason" skips the whole program; a plan of 0 without that is
# a failure.  cmocka writes a skipped test as "not ok N # SKIP name"; that is a skip.
set -u

dir=$1 seconds=$2 name=$3
shift 3
base=$dir/$(printf %s "$name" | tr / _)
begun=$(date +%s%N)
CMOCKA_MESSAGE_OUTPUT=tap timeout -k 5 "$seconds" "$@" >"$base.log" 2>"$base.err" </dev/null
status=$?
took_ms=$((($(date +%s%N) - begun) / 1000000))

awk -v status="$status" -v seconds="$seconds" '
    /^1\.\.[0-9]+/ {
        plans++
        plan += substr($1, 4)
        if ($1 == "1..0" && /# *(SKIP|skip)/) { whole = 1; skipped++ }
    }
    /^not ok [0-9]+ # SKIP/ { ran++; skipped++; next }
    /^ok [0-9]+.*# *(SKIP|skip)/ { ran++; skipped++; next }
    /^ok [0-9]+/ { ran++; passed++ }
    /^not ok [0-9]+/ { ran++; failed++; print $0 > "/dev/stderr" }
    function wrong(what) { failed++; print what > "/dev/stderr" }
    END {
        if (status == 124 || status == 137)
            wrong("ran longer than " seconds " seconds, or was killed")
        else if (status >= 128)
            wrong("died of signal " (status - 128))
        else if (status != 0 && failed == 0)
            wrong("ended with status " status " though no test failed")
        else if (!plans)
            wrong("printed no plan (1..N)")
        else if (plan == 0 && !whole)
            wrong("has no tests")
        if (plans && plan != ran && status < 124)
            wrong("planned " plan " tests and ran " ran + 0)
        print passed + 0, failed + 0, skipped + 0
    }' "$base.log" >"$base.res" 2>"$base.why"

read -r passed failed skipped <"$base.res"
text="$passed passed"
[ "$skipped" = 0 ] || text="$text, $skipped SKIPPED"
[ "$failed" = 0 ] || text="$text, $failed FAILED"
printf '  %-44s %s (%d.%d s)\n' "$name" "$text" $((took_ms / 1000)) $((took_ms % 1000 / 100))
if [ "$skipped" != 0 ]; then
    sed -n 's/^.*# *\(SKIP\|skip\) */      skipped: /p' "$base.log" | head -n 5
fi
[ "$failed" = 0 ] && exit 0
sed 's/^/      /' "$base.why" | head -n 20
grep '^#' "$base.log" | grep -v '^# \(not \)\?ok' | head -n 20 | sed 's/^/      /'
tail -n 20 "$base.err" | sed 's/^/      stderr: /'
echo "      again: CMOCKA_MESSAGE_OUTPUT=tap $*"
echo "      log:   $base.log"
exit 1
