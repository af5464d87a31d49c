#!/bin/sh
# SPDX-License-Identifier: MIT
#
# analyze.sh - Three analyzers over the sources; nothing found is the only good result.
#
#     tools/analyze.sh [--tap] [cppcheck | tidy | gcc]...      (all three)
#
#   cppcheck   warnings, performance, portability; exceptions and reasons in tools/cppcheck.txt
#   tidy       clang-tidy 14; what is left out and why stands in .clang-tidy
#   gcc        gcc -fanalyzer
#
# Over what is installed, what makes packets (sim/, drill/), the tools and the examples.  Tests and
# benchmarks are run instead.  An exception for one place stands there, with its reason:
# NOLINT(check): reason.
#
# A file whose text after preprocessing has passed before is not looked at again: build/analyze/
# remembers that.  From nothing all three take about four minutes of one processor.
set -u
cd "$(dirname "$0")/.." || exit 1
cache=build/analyze

flags_of() {
    printf %s "-std=c17 -DLA_DEBUG=0 -Iinclude -I."
    case $1 in # of another processor: clang alone can read it
    *_arm.c) printf %s " --target=aarch64-linux-gnu -ffreestanding" ;;
    esac
    case $1 in
    core/* | examples/*) ;;
    *) printf %s " -D_GNU_SOURCE -DLASTACK_VERSION=\"0\"" ;;
    esac
}

# What gcc finds, without the lines that name it as an exception: clang-tidy does that itself.
not_excepted() {
    while IFS= read -r finding; do
        [ -n "$finding" ] || continue
        at=${finding%%: *}
        at=${at%:*}
        kind=$(echo "$finding" | sed -n 's/.*\[\(-Wanalyzer[^]]*\)\]$/\1/p')
        sed -n "${at##*:}p" "${at%:*}" | grep -q "NOLINT(${kind:-none})" || echo "$finding"
    done
}

# one TOOL FILE: prints what it finds.
one() {
    tool=$1 file=$2
    case $tool$(uname -m)$file in
    gcc*aarch64*_x86.c | gccx86_64*_arm.c) return 0 ;;
    esac
    flags=$(flags_of "$file")
    # shellcheck disable=SC2086
    name=$({
        cat "$cache/$tool.key"
        gcc ${flags%% --target*} -E -C "$file" 2>&1
    } | sha256sum | cut -c1-40)
    [ ! -e "$cache/$tool-$name" ] || return 0
    # shellcheck disable=SC2086
    case $tool in
    tidy) found=$(clang-tidy-14 --quiet "$file" -- $flags 2>/dev/null |
        grep -E '^[^ ]*:[0-9]+:[0-9]+: (warning|error):') ;;
    gcc) found=$(gcc $flags -O1 -fanalyzer -Wno-psabi -fno-diagnostics-show-caret \
        -fdiagnostics-path-format=none -c "$file" -o /dev/null 2>&1 | grep -E ': (warning|(fatal )?error):') ;;
    esac
    [ "$tool" = tidy ] || found=$(echo "$found" | not_excepted)
    if [ -z "$found" ]; then
        : >"$cache/$tool-$name"
    else
        echo "$found" | sed -E "s|^$PWD/||; s|^([^:]+:[0-9]+):[0-9]+:|\1:|"
    fi
}
if [ "${1:-}" = --one ]; then
    one "$2" "$3"
    exit 0
fi

tap=no
if [ "${1:-}" = --tap ]; then
    tap=yes
    shift
fi
[ $# != 0 ] || set -- cppcheck tidy gcc
files=$(tools/sources.sh | grep '\.c$' |
    grep -E '^(core|runtime|drivers|posix|cli|sim|drill|tools|examples)/')
mkdir -p "$cache/cppcheck"
{
    clang-tidy-14 --version
    cat .clang-tidy
} >"$cache/tidy.key" 2>/dev/null
gcc --version >"$cache/gcc.key"

run() {
    case $1 in
    # shellcheck disable=SC2086
    cppcheck) cppcheck --quiet --std=c11 --enable=warning,performance,portability -Iinclude -I. \
        -D_GNU_SOURCE -DLA_DEBUG=0 --inline-suppr --suppressions-list=tools/cppcheck.txt \
        --cppcheck-build-dir="$cache/cppcheck" -j "$(nproc)" \
        --template='{file}:{line}: {message} [{id}]' $files 2>&1 ;;
    tidy | gcc) echo "$files" | xargs -P "$(nproc)" -n 1 tools/analyze.sh --one "$1" | sort -u ;;
    *) echo "tools/analyze.sh:1: no analyzer \"$1\": there are cppcheck, tidy, gcc" ;;
    esac
}

status=0 number=0
[ $tap = no ] || echo "1..$#"
for tool in "$@"; do
    number=$((number + 1))
    found=$(run "$tool")
    if [ -z "$found" ]; then
        [ $tap = no ] || echo "ok $number - $tool finds nothing"
        continue
    fi
    status=1
    if [ $tap = no ]; then
        echo "$found"
    else
        echo "not ok $number - $tool finds nothing"
        echo "$found" | sed 's/^/# /'
    fi
done
exit $status
