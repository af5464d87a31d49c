#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check_man.sh - Do the pages of the manual and --help say the same?
#
#     tools/check_man.sh [PROGRAM [FOLDER]]        (build/lastack, docs/man)
#
# Every sub-command has a page; a page has every option of its command and no other, with the
# same letter, name of its value and default, which a page gives as a line "The default is X.".
# Options that several commands have are compared with lastack.1.  Every command stands in
# lastack.1, and mandoc has no objection.
set -u
cd "$(dirname "$0")/.." || exit 1
lastack=${1:-build/lastack}
man=${2:-docs/man}
status=0
bad() {
    echo "$*"
    status=1
}

# One line an option: "common|own -l --name VALUE = default".
help_options() {
    "$lastack" "$1" --help | awk '
        /^What all commands on the stack take:/ { common = 1 }
        match($0, /^  (-.,|   ) --[^ ]+( [^ ]+)?/) {
            flags = substr($0, 1, RLENGTH)
            rest = substr($0, RLENGTH + 1)
            if (rest == "") # the help stands in the next line
                getline rest
            gsub(/,/, " ", flags)
            gsub(/ +/, " ", flags)
            out = (common ? "common" : "own") flags
            if (match(rest, / \([^() ]+\)$/))
                out = out " = " substr(rest, RSTART + 2, RLENGTH - 3)
            print out
        }'
}

# page_options FILE KIND SECTION
page_options() {
    awk -v kind="$2" -v section="$3" '
        function flush() {
            if (out != "")
                print out
            out = ""
        }
        /^\.Sh / { flush(); on = $0 == ".Sh " section }
        !on { next }
        /^\.It Fl / {
            flush()
            out = kind
            for (i = 2; i <= NF; i++)
                if ($i == "Fl")
                    out = out " -" $(i + 1)
                else if ($i == "Ar")
                    out = out " " $(i + 1)
        }
        /^The default is .*\.$/ { sub(/^The default is /, ""); sub(/\.$/, ""); out = out " = " $0 }
        END { flush() }' "$1"
}

# compare FILE WHAT HELP PAGE: the lines that only one of them has.
compare() {
    only=$(printf '%s\n' "$3" "$4" | grep . | sort | uniq -u)
    [ -n "$only" ] || return 0
    printf '%s\n' "$only" | while read -r kind words; do
        if printf '%s\n' "$3" | grep -qxF -- "$kind $words"; then
            echo "$1:1: lacks or gives otherwise what $2 --help has: $words"
        else
            echo "$1:1: $2 --help has no such option, or another default: $words"
        fi
    done
    status=1
}

subs=$("$lastack" help | sed -n 's/^  \([a-z][a-z0-9-]*\) .*/\1/p')
[ -n "$subs" ] || bad "$lastack:1: help lists no commands"
common=
for sub in $subs; do
    page=$man/lastack-$sub.1
    if [ ! -e "$page" ]; then
        bad "$page:1: lastack $sub has no page; begin with: tools/man_page.sh $sub >$page"
        continue
    fi
    said=$(help_options "$sub")
    common=$(printf '%s\n' "$said" "$common" | grep '^common ' | sort -u)
    compare "$page" "lastack $sub" "$(printf '%s\n' "$said" | grep '^own ')" \
        "$(page_options "$page" own OPTIONS)"
    grep -q "^\\.Xr lastack-$sub 1" "$man/lastack.1" ||
        bad "$man/lastack.1:1: does not refer to lastack-$sub(1)"
    "$lastack" "$sub" --help | sed '1,/^Examples:$/d' | grep -q '^    [^ ]' ||
        bad "cli/$sub.c:1: its --help has no example"
done
compare "$man/lastack.1" "a command on the stack" "$common" \
    "$(page_options "$man/lastack.1" common "COMMON OPTIONS")"
for page in "$man"/lastack-*.1; do
    sub=${page#"$man"/lastack-}
    printf '%s\n' $subs | grep -qx "${sub%.1}" || bad "$page:1: lastack has no such sub-command"
done
# Which other pages this machine has does not matter.
objections=$(mandoc -T lint -W warning "$man"/*.[0-9] 2>&1 |
    grep -v -e 'referenced manual not found' -e 'outdated mandoc.db')
[ -z "$objections" ] || bad "$(printf '%s\n' "$objections" | sed 's/^mandoc: //')"
exit $status
