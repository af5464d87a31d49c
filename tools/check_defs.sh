#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check_defs.sh - What the lists promise, the core does.
#
#     tools/check_defs.sh        (from the root of the tree)
#
# Every drop reason is given somewhere, every counter counted, every error returned, every option
# and every sysctl read, every limit kept: a name that stands only in its list is a promise
# nobody keeps.  Reading goes by words; that a counter counts the right thing is for tests.
set -u
status=0

# used FILE LISTING PATTERN: FILE's names, as LISTING (sed) prints them with their lines, each
# looked for in core/ as PATTERN with @ for the name.
used() {
    file=include/lastack/$1
    [ -e "$file" ] || return 0
    sed -n -E "/^ *(LA_[A-Z]+\(|#define )/{=;p;}" "$file" | paste - - |
        sed -n -E "s/^([0-9]+)\t *$2.*/\1 \3/p" | while read -r line name; do
        pattern=$(echo "$3" | sed "s/@/$name/")
        grep -r -q -E "$pattern" core --include='*.c' --include='*.h' 2>/dev/null ||
            echo "$file:$line: $name is listed, and nothing in core/ uses it"
    done
}

found=$(
    used drops.def '(LA_DROP)\(([A-Z0-9_]+),' '\<LA_DROP_@\>'
    used counters.def '(LA_COUNTER)\([A-Za-z0-9]+, *([A-Za-z0-9]+),' '\<LA_COUNT_@\>'
    used errors.def '(LA_ERROR)\(([A-Z0-9_]+),' '\<LA_@\>'
    used options.def '(LA_OPTION)\(([A-Z0-9_]+),' '\<LA_OPT_@\>'
    used knobs.def '(LA_KNOB)\(([a-z0-9_]+),' '(\.|->)@\>'
    used limits.h '(#define) (LA_[A-Z0-9_]+) ' '\<@\>'
)
# Every reason has its row in causes.def, and no row another reason.
names() {
    sed -n -E "s/^$1\(([A-Z0-9_]+),.*/\1/p" "include/lastack/$2" 2>/dev/null | sort
}
if [ -e include/lastack/causes.def ]; then
    work=$(mktemp -d) || exit 1
    names LA_DROP drops.def >"$work/drops"
    names LA_CAUSE causes.def >"$work/causes"
    rows=$(comm -23 "$work/drops" "$work/causes" |
        sed 's|.*|include/lastack/causes.def:1: & of drops.def has no row: clause, knob, counter|'
        comm -13 "$work/drops" "$work/causes" |
        sed 's|.*|include/lastack/causes.def:1: & is no reason of drops.def, or has two rows|')
    rm -r "$work"
    if [ -n "$rows" ]; then
        echo "$rows"
        status=1
    fi
fi
if [ -n "$found" ]; then
    echo "$found"
    status=1
fi
exit $status
