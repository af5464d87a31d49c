#!/bin/sh
# SPDX-License-Identifier: MIT
#
# lint.sh - All checkers over the whole tree.
#
#     tools/lint.sh [--tap]
#
# Prints one line a finding, "file:line: what", and ends with status 1 if there was one.  Needs
# the default build.
set -u
cd "$(dirname "$0")/.." || exit 1
tap=no
[ "${1:-}" != --tap ] || tap=yes
sources=$(tools/sources.sh)
scripts=$(ls dev .ci/run tools/*.sh tests/*/*.sh 2>/dev/null)
texts=$(ls README.md ARCHITECTURE.md HACKING.md SECURITY.md CHANGELOG.md 2>/dev/null
    find docs -name '*.md' 2>/dev/null | sort)
others=$(ls CMakeLists.txt CMakePresets.json .clang-format .gitignore 2>/dev/null
    find docs include core -type f ! -name '*.md' ! -name '*.[ch]' 2>/dev/null | sort)

number=0
status=0
check() {
    sentence=$1
    shift
    number=$((number + 1))
    if found=$("$@" 2>&1); then
        [ $tap = no ] || echo "ok $number - $sentence"
        return
    fi
    status=1
    if [ $tap = yes ]; then
        echo "not ok $number - $sentence"
        echo "${found:-it failed without a word}" | sed 's/^/# /'
    else
        echo "${found:-tools/lint.sh:1: \"$*\" failed without a word}"
    fi
}

shell_syntax() {
    bad=0
    for script in "$@"; do
        case $(head -n 1 "$script") in
        *bash*) bash -n "$script" || bad=1 ;;
        *) sh -n "$script" || bad=1 ;;
        esac
    done
    return $bad
}

[ $tap = no ] || echo "1..14"
# The lists are split into words on purpose: no file of the tree has a space in its name.
# shellcheck disable=SC2086
{
    check "the sources are formatted" tools/format.sh $sources
    check "functions and files are short" build/tools/top_length $sources
    check "includes follow the arrows" build/tools/check_arrows $sources
    check "every header stands alone" tools/check_headers.sh $(echo "$sources" | grep '\.h$')
    check "no banned words" build/tools/banned $sources $scripts $texts $others
    check "paths and names in prose exist" build/tools/check_paths $sources dev -- $texts
    check "what the lists promise, the core does" tools/check_defs.sh
    check "what the tables of requirements say is there, is there" tools/check_rfc.sh
    check "the core calls five functions, the libraries show la_* only" tools/check_symbols.sh
    check "nothing in the core is recursive" tools/check_recursion.sh $(ls core/*/*.c core/*/*/*.c 2>/dev/null)
    check "the core compiles to wasm32 and imports five functions" tools/wasm.sh
    check "the kernels for 64-bit ARM compile" tools/arm.sh
    check "the manual and --help say the same" tools/check_man.sh
    check "the scripts parse" shell_syntax $scripts
}
exit $status
