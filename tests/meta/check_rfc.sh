#!/bin/sh
# SPDX-License-Identifier: MIT
# check_rfc.sh - A label that is missing, a function or a test that does not exist, is seen.
. tests/meta/lib.sh

good_rfc=$(
    for kind in "MUST MUST 69" "SHLD SHOULD 31" "MAY MAY 18" "REC RECOMMENDED 1"; do
        set -- $kind
        i=1
        while [ $i -le "$3" ]; do
            printf '%s-%d\t%s\tit says so\tcore/tcp/x.c:does\ttests/rfc/x_test.c:it_does\t\n' "$1" $i "$2"
            i=$((i + 1))
        done
    done
)
good_catalogue=$(
    for kind in "P 14" "W 5" "B 15" "R 13" "S 13" "F 33" "G 12" "H 7" "I 7"; do
        set -- $kind
        i=1
        while [ $i -le "$2" ]; do
            printf '%s%d\tCVE-0\tcovered\ttests/rfc/x_test.c:it_does\t\n' "$1" $i
            i=$((i + 1))
        done
    done
)
sample core/tcp/x.c 'static int does(void)\n{\n}\n'
sample tests/rfc/x_test.c 'BENCH_TEST(it_does)\nSCENARIO(it_works, 3)\n'
sample tests/interop/x.sh 'case it_runs\n'

# with RFC CATALOGUE: the checker over these two tables; sed scripts make them from the good ones.
with() {
    mkdir -p docs/rfc tests
    printf '# head\n%s\n' "$good_rfc" | sed "$1" >docs/rfc/9293.tsv
    printf '# head\n%s\n' "$good_catalogue" | sed "$2" >tests/catalogue.tsv
    "$root/tools/check_rfc.sh"
}

passes "two tables without a fault" with '' ''
catches "a label that is missing" "MUST-17 is missing" with '/^MUST-17\t/d' ''
catches "a label that stands twice" "MAY-3 stands here twice" with '/^MAY-3\t/{p;}' ''
catches "a label there is not" "MUST-70 is no label" with 's/^MUST-1\t/MUST-70\t/' ''
catches "a level that does not fit" "SHLD-2 has the level MUST" with '/^SHLD-2\t/s/SHOULD/MUST/' ''
passes "a MUST NOT" with '/^MUST-9\t/s/\tMUST\t/\tMUST NOT\t/' ''
catches "a file there is not" "9293.tsv:2: there is no core/tcp/y.c" \
    with '/^MUST-1\t/s/x\.c:does/y.c:does/' ''
catches "a function there is not" "there is no doe in core/tcp/x.c" \
    with '/^MUST-1\t/s/x\.c:does/x.c:doe/' ''
catches "the tail of a function's name" "there is no oes in core/tcp/x.c" \
    with '/^MUST-1\t/s/x\.c:does/x.c:oes/' ''
catches "a test there is not" "there is no it_doe in tests/rfc/x_test.c" \
    with '/^MAY-1\t/s/it_does/it_doe/' ''
catches "the second of two tests" "there is no it_did" \
    with '/^MAY-1\t/s/it_does/it_does, tests\/rfc\/x_test.c:it_did/' ''
catches "an exception without a reason" "REC-1 has no code or no test, and no reason" \
    with '/^REC-1\t/s/core\/tcp\/x.c:does/-/' ''
passes "an exception with its reason" \
    with '/^REC-1\t/s/core\/tcp\/x.c:does\(.*\)/-\1because/' ''
catches "a row with too few columns" "MUST-2 has not six columns" with '/^MUST-2\t/s/\t$//' ''
catches "a row of the catalogue that is missing" "B15 is missing" with '' '/^B15\t/d'
catches "a state there is not" "P1 has the state done" with '' '/^P1\t/s/covered/done/'
catches "a covered row without a test" "P1 is covered by no test" \
    with '' '/^P1\t/s/tests[^\t]*/-/'
catches "a later row without a reason" "P1 gives no reason" with '' '/^P1\t/s/covered/later/'
passes "a later row with its reason" with '' '/^P1\t/s/covered\(.*\)/later\1with cookies/'
passes "a scenario and a script as tests" \
    with '' '/^P1\t/s/it_does/it_works, tests\/interop\/x.sh:it_runs/'
done_testing
