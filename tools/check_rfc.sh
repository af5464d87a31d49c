#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check_rfc.sh - What docs/rfc/9293.tsv and tests/catalogue.tsv say is there, is there.
#
#     tools/check_rfc.sh        (from the root of the tree)
#
# 9293.tsv: every label of RFC 9293 (MUST-1..69, SHLD-1..31, MAY-1..18, REC-1) stands there once,
# with a level that fits it; the files and functions it names as code exist, and so do its
# tests; where there is no code or no test, a note says why.
#
# catalogue.tsv: every id stands there once; a row is "covered", and names tests that exist, or
# it is "not applicable" or "later" and says why.
#
# A function exists if its file holds "NAME(", a test if its file holds "(NAME)" or "(NAME,", or,
# if it is a shell script, the name.
set -u

# check FILE PROGRAM: awk over FILE, with what both tables have in common.
check() {
    [ -e "$1" ] || {
        echo "$1:1: is missing"
        return 1
    }
    awk -F '\t' "$common$2" "$1"
}

common='
function bad(what) {
    printf "%s:%d: %s\n", FILENAME, FNR, what
    status = 1
}
function slurp(path,    line, text) {
    if (path in texts)
        return texts[path]
    text = ""
    while ((getline line <path) > 0)
        text = text line "\n"
    close(path)
    return texts[path] = text
}
function holds(text, name, kind, script) {
    if (kind == "code")
        return text ~ "[^A-Za-z0-9_]" name "[(]"
    return text ~ "[(]" name "[),]" || (script && index(text, name))
}
# "file:name, file:name": each file is there and holds the name.
function exists(items, kind,    n, i, part, at, text, name) {
    n = split(items, part, / *, */)
    for (i = 1; i <= n; i++) {
        at = index(part[i], ":")
        if (at == 0) {
            if (slurp(part[i]) == "")
                bad("there is no " part[i])
            continue
        }
        text = slurp(substr(part[i], 1, at - 1))
        name = substr(part[i], at + 1)
        if (text == "")
            bad("there is no " substr(part[i], 1, at - 1))
        else if (!holds(text, name, kind, part[i] ~ /\.sh:/))
            bad("there is no " name " in " substr(part[i], 1, at - 1))
    }
}
/^#/ || /^$/ { next }
seen[$1]++ { bad($1 " stands here twice") }
'

rfc='
BEGIN {
    most["MUST"] = 69; most["SHLD"] = 31; most["MAY"] = 18; most["REC"] = 1
    word["MUST"] = "MUST"; word["SHLD"] = "SHOULD"; word["MAY"] = "MAY"; word["REC"] = "RECOMMENDED"
}
{
    split($1, part, "-")
    if (NF != 6)
        bad($1 " has not six columns")
    if (!(part[1] in most) || part[2] < 1 || part[2] > most[part[1]] || $1 != part[1] "-" part[2] + 0)
        bad($1 " is no label of RFC 9293")
    else if ($2 != word[part[1]] && $2 != word[part[1]] " NOT")
        bad($1 " has the level " $2)
    if ($3 == "")
        bad($1 " does not say what it says")
    if ($4 != "-")
        exists($4, "code")
    if ($5 != "-")
        exists($5, "test")
    if (($4 == "-" || $5 == "-") && $6 == "")
        bad($1 " has no code or no test, and no reason")
}
END {
    for (kind in most)
        for (i = 1; i <= most[kind]; i++)
            if (!((kind "-" i) in seen))
                bad(kind "-" i " is missing")
    exit status
}
'

catalogue='
{
    if (NF != 5)
        bad($1 " has not five columns")
    if ($3 != "covered" && $3 != "later" && $3 != "not applicable")
        bad($1 " has the state " $3)
    if ($3 == "covered" && $4 == "-")
        bad($1 " is covered by no test")
    if ($4 != "-")
        exists($4, "test")
    if ($3 != "covered" && $5 == "")
        bad($1 " gives no reason")
}
END {
    split("P 14 W 5 B 15 R 13 S 13 F 33 G 12 H 7 I 7", range, " ")
    for (k = 1; k in range; k += 2)
        for (i = 1; i <= range[k + 1]; i++)
            if (!((range[k] i) in seen))
                bad(range[k] i " is missing")
    exit status
}
'

status=0
check docs/rfc/9293.tsv "$rfc" || status=1
check tests/catalogue.tsv "$catalogue" || status=1
exit $status
