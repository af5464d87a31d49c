#!/bin/sh
# SPDX-License-Identifier: MIT
# tap.sh - The judge of test programs is not fooled.
. tests/meta/lib.sh

# judged "PASSED FAILED SKIPPED" SCRIPT: runs the script as a test program.
judged() {
    printf '%s\n' "$2" >program
    "$root/tools/tap.sh" "$samples" 2 name sh program
    [ "$(cat name.res)" = "$1" ] || { echo "counted $(cat name.res)"; return 1; }
}

passes "two that pass" judged "2 0 0" 'echo 1..2; echo ok 1 - a; echo ok 2 - b'
passes "the plan may come last" judged "1 0 0" 'echo ok 1 - a; echo 1..1'
passes "one that fails" judged "1 1 0" 'echo 1..2; echo ok 1 - a; echo not ok 2 - b; exit 1'
passes "one that fails, with status 0" judged "0 1 0" 'echo 1..1; echo not ok 1 - b'
passes "a crash after the last test" judged "1 1 0" 'echo 1..1; echo ok 1 - a; kill -SEGV $$'
passes "a crash in the middle" judged "1 1 0" 'echo 1..2; echo ok 1 - a; kill -ABRT $$'
passes "a status without a failed test" judged "1 1 0" 'echo 1..1; echo ok 1 - a; exit 3'
passes "no plan" judged "1 1 0" 'echo ok 1 - a'
passes "no words at all" judged "0 1 0" 'true'
passes "fewer tests than planned" judged "1 1 0" 'echo 1..2; echo ok 1 - a'
passes "more tests than planned" judged "2 1 0" 'echo 1..1; echo ok 1 - a; echo ok 2 - b'
passes "no tests" judged "0 1 0" 'echo 1..0'
passes "too slow" judged "0 1 0" 'sleep 10'
passes "a whole program skipped" judged "0 0 1" 'echo "1..0 # SKIP no device"'
passes "one test skipped" judged "1 0 1" 'echo 1..2; echo ok 1 - a; echo "ok 2 - b # SKIP x"'
passes "one test skipped as cmocka says it" judged "0 0 1" 'echo 1..1; echo "not ok 1 # SKIP b"'
passes "two groups in one program" judged "2 0 0" \
    'echo 1..1; echo ok 1 - a; echo 1..1; echo ok 1 - b'
passes "ok inside other words is no test" judged "1 0 0" 'echo book 1; echo 1..1; echo ok 1 - a'
done_testing
