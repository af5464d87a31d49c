#!/bin/sh
# SPDX-License-Identifier: MIT
#
# coverage.sh - Which branches of core/ no test takes, and whether there are new ones.
#
#     tools/coverage.sh          builds build/coverage, runs the tests, compares
#     tools/coverage.sh shrink   also strikes from the list what is covered now
#
# The list is docs/measurements/uncovered.tsv: file, how many branches, the text of the line, and
# why.  A line is known by its text, so moving it changes nothing.  A branch that is not on the list
# fails; the list never grows by itself.  Assertions have a branch that is never taken, and are
# left out.  What counts as a test here: unit, rfc, sim without the thousand seeds, posix, drill, the
# fuzz corpora, and a few seeds of every scenario; not the million connections of memory_test.  Speaks TAP.
set -u
cd "$(dirname "$0")/.." || exit 1
build=build/coverage
list=docs/measurements/uncovered.tsv
tab=$(printf '\t')

mkdir -p $build
# A cache of objects would name their sources from another folder.
{ cmake -G Ninja -S . -B $build -DCMAKE_C_COMPILER_LAUNCHER= -DCMAKE_BUILD_TYPE=Coverage -DLASTACK_DEBUG=ON \
    -DCMAKE_C_FLAGS="--coverage -O0 -g" &&
    cmake --build $build -- -k 0; } >$build/build.log 2>&1 || {
    tail -n 20 $build/build.log >&2
    echo "Bail out! the tree does not build for coverage"
    exit 1
}
find $build -name '*.gcda' -delete

run() {
    timeout 300 "$@" >>$build/run.log 2>&1 || echo "status $?: $*" >>$build/failed
}
: >$build/run.log
: >$build/failed
for kind in unit rfc sim posix drill; do
    for program in $build/tests/$kind/*_test; do
        case ${program##*/} in
        seeds_test | memory_test) ;; # many of the same, and that takes long here
        *) run "$program" ;;
        esac
    done
done
for target in tests/fuzz/*_fuzz.c; do
    name=$(basename "$target" .c)
    run $build/tests/fuzz/"$name" tests/fuzz/corpus/"$name"
done
run $build/lastack drill --quiet tests/drill
tools/seeds.sh $build/lastack 60 >>$build/run.log 2>&1

# Every line of core/ with branches nobody takes, as the list has them; and a summary.
rm -rf $build/gcov
mkdir $build/gcov
ln -s "$PWD/core" "$PWD/include" $build/gcov # objects name their sources from the root
(
    cd $build/gcov || exit 1
    find ../CMakeFiles/lastack_core.dir -name '*.gcda' | while read -r data; do
        gcov -b -c -o "$(dirname "$data")" "$data" >/dev/null 2>&1
        for text in *.c.gcov; do
            [ ! -e "$text" ] || mv "$text" "$(echo "${data#../CMakeFiles/lastack_core.dir/}" |
                sed 's,/,#,g; s,\.gcda$,,').text"
        done
        rm -f ./*.h.gcov
    done
)
awk -v summary=$build/summary '
    FNR == 1 { file = FILENAME; sub(/.*\//, "", file); sub(/\.text$/, "", file); gsub(/#/, "/", file) }
    /^ *[-0-9#=*]+: *[0-9]+:/ {
        text = $0
        sub(/^[^:]*:[^:]*:[ \t]*/, "", text)
        gsub(/\t/, " ", text)
    }
    /^branch / {
        if (text ~ /LA_ASSERT|LA_DCHECK/)
            next
        all++
        if ($0 ~ /never executed/ || $0 ~ /taken 0( |$)/) {
            missed++
            count[file "\t" text]++
        }
    }
    END {
        for (key in count) {
            split(key, k, "\t")
            print k[1] "\t" count[key] "\t" k[2]
        }
        printf "%d of %d branches of core/ are taken: %.1f %%\n", all - missed, all,
            100 * (all - missed) / all >summary
    }' $build/gcov/*.text | LC_ALL=C sort >$build/uncovered

[ -e $list ] || : >$list
awk -F '\t' '
    NR == FNR { if ($0 !~ /^#/) known[$1 "\t" $3] = $2; next }
    $2 > known[$1 "\t" $3] + 0 { print $1 ": " $2 - known[$1 "\t" $3] " branches nobody takes: " $3 }
    ' $list $build/uncovered >$build/new
if [ "${1:-}" = shrink ]; then
    awk -F '\t' -v OFS='\t' '
        NR == FNR { now[$1 "\t" $3] = $2; next }
        /^#/ { print; next }
        now[$1 "\t" $3] + 0 > 0 { if (now[$1 "\t" $3] < $2) $2 = now[$1 "\t" $3]; print }
        ' $build/uncovered $list >$build/shrunk
    cp $build/shrunk $list
fi
echo "1..2"
status=0
if [ -s $build/failed ]; then
    status=1
    echo "not ok 1 - every test passes with coverage"
    sed 's/^/# /' $build/failed
else
    echo "ok 1 - every test passes with coverage"
fi
if grep -q '^0 of 0 ' $build/summary; then
    status=1
    echo "not ok 2 - no branch is missed that $list does not have"
    echo "# gcov tells of no branch at all"
elif [ -s $build/new ]; then
    status=1
    echo "not ok 2 - no branch is missed that $list does not have"
    sed 's/^/# /' $build/new | head -n 50
    echo "# write a test that takes it; only if there can be none, a line in the list with the reason"
else
    echo "ok 2 - no branch is missed that $list does not have"
fi
echo "# size: $(cat $build/summary)"
gone=$(awk -F '\t' 'NR == FNR { now[$1 "\t" $3] = 1; next } !/^#/ && !now[$1 "\t" $3]' \
    $build/uncovered $list | wc -l)
[ "$gone" = 0 ] || echo "# $gone lines of the list are covered now: tools/coverage.sh shrink"
exit $status
