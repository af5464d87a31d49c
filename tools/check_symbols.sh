#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check_symbols.sh - What the binaries call, hold and show.
#
#     tools/check_symbols.sh [BUILD [INCLUDE [MORE]]]     (build and include, if not given)
#
#   core      the objects of core/ call memcpy memmove memset memcmp la_panic, nothing else but
#             MORE (in a hardened build __stack_chk_fail), and hold no data that can change;
#   libraries every global symbol begins with la_, and is none of the names that glibc's audit
#             interface and libarchive have;
#   headers   every function they declare is in the library.
set -u
build=${1:-build}
include=${2:-include}
more=${3:-la_panic}
findings=$(mktemp)
trap 'rm -f "$findings"' EXIT
core=$build/lastack_core.o

# Addresses of its own data the compiler may take through the global offset table.
nm -u "$core" | awk '{ print $NF }' |
    grep -v -x -e memcpy -e memmove -e memset -e memcmp -e la_panic -e "$more" -e _GLOBAL_OFFSET_TABLE_ |
    while read -r name; do
        echo "$core:1: the core calls $name" >>"$findings"
    done

# Constant tables of pointers stand in .data.rel.ro until they are relocated: constant all the same.
objdump -h "$core" | awk '$1 ~ /^[0-9]+$/ { print $2, $3 }' |
    while read -r section size; do
        case $section in
        .data.rel.ro*) ;;
        .data | .data.* | .bss | .bss.* | .tdata* | .tbss* | COMMON)
            case $size in
            *[!0]*)
                names=$(objdump -t "$core" |
                    awk -v s="$section" '$0 ~ " O " && index($0, " " s "\t") { print $NF }' |
                    tr '\n' ' ')
                echo "$core:1: the core holds data that can change, in $section: $names" \
                    >>"$findings"
                ;;
            esac
            ;;
        esac
    done

forbidden='^la_(version|activity|objopen|objclose|objsearch|preinit|symbind.*|pltenter|pltexit|int64_t|ssize_t)$'

public() {
    file=$1
    shift
    "$@" "$file" | awk 'NF == 3 && $2 != "A" { print $3 }' | sort -u | while read -r name; do
        case $name in
        la_*) ;;
        *) echo "$file:1: shows $name, which does not begin with la_" >>"$findings" ;;
        esac
        if echo "$name" | grep -q -E "$forbidden"; then
            echo "$file:1: shows $name, a name of glibc or libarchive" >>"$findings"
        fi
    done
}
public "$build/liblastack.a" nm -g --defined-only
public "$build/liblastack.so" nm -D --defined-only

defined=$(nm -g --defined-only "$build/liblastack.a" | awk 'NF == 3 { print $3 }' | sort -u)
for header in "$include"/lastack/*.h; do
    # A declaration: a name and a parenthesis outside comments and macros.
    sed -e 's,/\*.*\*/,,' "$header" | awk '/\/\*/ { c = 1 } !c && !/^ *#/ { print FNR ":" $0 } /\*\// { c = 0 }' |
        grep -o -E '^[0-9]+:|\<la_[a-z0-9_]+\(' | awk '/^[0-9]+:$/ { n = $0; next } { print n $0 }' |
        tr -d '(' |
        while IFS=: read -r line name; do
            echo "$defined" | grep -q -x "$name" ||
                echo "$header:$line: declares $name(), which the library has not" >>"$findings"
            if echo "$name" | grep -q -E "$forbidden"; then
                echo "$header:$line: $name is a name of glibc or libarchive" >>"$findings"
            fi
        done
done

cat "$findings"
[ ! -s "$findings" ]
