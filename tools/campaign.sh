#!/bin/sh
# SPDX-License-Identifier: MIT
#
# campaign.sh - What takes longer than a test may, and the ledger of it.
#
#     tools/campaign.sh                    list the campaigns, and when each was run last
#     tools/campaign.sh NAME [SIZE]        run one; a line is added to the ledger
#
# SIZE is in seconds, but for "seeds" (seeds of the simulator), "fuzz" (seconds a target),
# "determinism" (seeds a scenario) and "goodput" (pairs of transfers a cell).  The ledger is docs/measurements/campaigns.tsv.
# Needs the default build; "fuzz" and "determinism" build what they need besides.
set -u
cd "$(dirname "$0")/.." || exit 1
ledger=docs/measurements/campaigns.tsv

# NAME, default SIZE, what it is.
campaigns() {
    cat <<'END'
seeds 50000 seeds of the simulator, shared out among its scenarios
fuzz 300 every fuzz target, from the corpus and what was found before
blind 3600 all 2^32 sequence and acknowledgment numbers, against six states
channel 1800 whether what an attacker sees depends on its guess
storm 300 any forged packet to two stacks in any pair of states
allocations 300 every allocation in turn fails, once or for ever
goodput 3 48 bad paths, kernel to kernel and lastack to kernel, as root; SIZE pairs of each
determinism 100 the same seeds with gcc, with clang and without optimisation
END
}

list() {
    echo "./dev campaign NAME [SIZE]"
    echo
    campaigns | while read -r name size what; do
        last=$(cat "$ledger" 2>/dev/null | awk -F '\t' -v name="$name" '
            $3 == name { row = $2 ", " $4 ": " $5 }
            END { print row == "" ? "never" : row }')
        printf '  %-12s %6s  %s\n%22slast: %s\n' "$name" "$size" "$what" "" "$last"
    done
}

# The build "NAME" in build/NAME, of the command alone.
build_lastack() { # NAME ARGUMENT...
    where=build/$1
    shift
    { cmake -G Ninja -S . -B "$where" -DLASTACK_TESTS=OFF "$@" &&
        cmake --build "$where" --target lastack; } >"build/campaign.log" 2>&1 || {
        tail -n 20 build/campaign.log >&2
        return 1
    }
}

# Hashes of the first N seeds of every scenario.
hashes() { # LASTACK N
    "$1" sim --list | awk '{ print $1 }' | while read -r scenario; do
        for seed in $(seq "$2"); do
            "$1" sim --scenario "$scenario" --seed "$seed" || echo "$scenario, seed $seed failed"
        done
    done
}

determinism() { # N
    build_lastack campaign-clang -DCMAKE_C_COMPILER=clang-14 &&
        build_lastack campaign-O0 -DCMAKE_BUILD_TYPE=Debug || return 1
    hashes build/lastack "$1" >build/hashes.gcc
    hashes build/campaign-clang/lastack "$1" >build/hashes.clang
    hashes build/campaign-O0/lastack "$1" >build/hashes.O0
    echo "1..2"
    status=0
    number=0
    for other in clang O0; do
        number=$((number + 1))
        if cmp -s build/hashes.gcc build/hashes.$other; then
            echo "ok $number - every seed runs with $other as with gcc -O2"
        else
            echo "not ok $number - every seed runs with $other as with gcc -O2"
            diff build/hashes.gcc build/hashes.$other | head -n 6 | sed 's/^/# /'
            status=1
        fi
    done
    echo "# size: $(wc -l <build/hashes.gcc) seeds, each run three times"
    return $status
}

fuzz() { # SECONDS
    { CC=clang-14 cmake --preset fuzz && cmake --build build/fuzz; } >build/campaign.log 2>&1 ||
        return 1
    status=0
    number=0
    runs=0
    for target in tests/fuzz/*_fuzz.c; do
        number=$((number + 1))
        said=$(tools/fuzz.sh "$1" "$(basename "$target" .c)") || status=1
        echo "$said" | sed -n "s/^\(ok\|not ok\) 1 /\1 $number /p; /^#/p"
        runs=$((runs + $(echo "$said" | sed -n 's/.* \([0-9]*\) runs$/\1/p' | grep . || echo 0)))
    done
    echo "# size: $runs runs, $number targets, $1 s each"
    echo "1..$number"
    return $status
}

# The figures are in build/goodput.json; what failed is a transfer, not a ratio.
goodput() { # PAIRS
    cmake --build build --target bench_goodput >build/campaign.log 2>&1 || return 1
    if build/bench_goodput --full --repeat "$1" --json build/goodput.json; then
        echo "ok 1 - every transfer was made"
        status=0
    else
        echo "not ok 1 - every transfer was made"
        status=1
    fi
    echo "# size: 48 cells in both directions, $1 pairs each"
    echo "1..1"
    return $status
}

run() { # NAME SIZE
    case $1 in
    seeds)
        tools/seeds.sh build/lastack "$2"
        status=$?
        echo "# size: $2 seeds"
        return $status
        ;;
    fuzz | determinism | goodput) "$1" "$2" ;;
    *) build/tests/campaign/"$1" "$2" ;;
    esac
}

[ $# -gt 0 ] || {
    list
    exit 0
}
name=$1
size=${2:-$(campaigns | awk -v name="$name" '$1 == name { print $2 }')}
campaigns | grep -q "^$name " || {
    echo "campaign.sh: there is no campaign \"$name\"; these there are:" >&2
    list >&2
    exit 2
}
case $size in
*[!0-9]* | 0* | "")
    echo "campaign.sh: \"$size\" is not a size" >&2
    exit 2
    ;;
esac
commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
[ -z "$(git status --porcelain -uno -- . ":!$ledger" 2>/dev/null)" ] || commit=$commit+
begun=$(date +%s)
run "$name" "$size" >build/campaign.tap
status=$?
cat build/campaign.tap
said=$(sed -n 's/^# size: //p' build/campaign.tap | tail -n 1)
result=passed
if [ $status != 0 ]; then
    result="FAILED: $(grep -c '^not ok' build/campaign.tap) of $(grep -c '^\(not \)\?ok' build/campaign.tap)"
fi
[ -e "$ledger" ] || printf '# What ./dev campaign has run.  A + behind a commit: with changes on top.\n# commit\tdate\tcampaign\tsize\tresult\tseconds\n' >"$ledger"
printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$commit" "$(date -u +%Y-%m-%d)" "$name" "${said:-$size}" "$result" \
    $(($(date +%s) - begun)) >>"$ledger"
exit $status
