#!/bin/sh
# SPDX-License-Identifier: MIT
#
# man_page.sh - Write the page of a sub-command, as its --help has it.
#
#     tools/man_page.sh SUB >docs/man/lastack-SUB.1
#
# A page to begin with: it has every option, default and example, and passes lint; what the
# commands leave unsaid is for its author.  Needs the default build.
set -u
cd "$(dirname "$0")/.." || exit 1
lastack=build/lastack
sub=${1:?usage: tools/man_page.sh SUB}
what=$($lastack help | awk -v sub_="$sub" '$1 == sub_ { $1 = ""; sub(/^ /, ""); print }')
[ -n "$what" ] || {
    echo "man_page.sh: lastack has no sub-command \"$sub\"" >&2
    exit 1
}
cat <<END
.\\" SPDX-License-Identifier: MIT
.Dd $(LC_ALL=C date '+%B %e, %Y' | tr -s ' ')
.Dt LASTACK-$(echo "$sub" | tr a-z A-Z) 1
.Os
.Sh NAME
.Nm lastack-$sub
.Nd $what
END
$lastack "$sub" --help | awk -v name="$sub" '
    function line(text) {
        gsub(/\\/, "\\e", text)
        if (text ~ /^[.\x27]/)
            text = "\\&" text
        return text
    }
    function hold(text) { examples = examples text "\n" } # they stand behind the exit status
    function token(t) {
        if (t == "[OPTION]...")
            return ".Op Ar option ..."
        if (t ~ /^\[/) {
            dots = t ~ /\.\.\.$/ ? " ..." : ""
            sub(/\.\.\.$/, "", t)
            t = substr(t, 2, length(t) - 2)
            return ".Op " (t ~ /^--/ ? "Fl " substr(t, 2) : t ~ /^-/ ? "Fl " substr(t, 2) : "Ar " t) dots
        }
        if (t ~ /^-/)
            return ".Fl " substr(t, 2)
        if (t ~ /\.\.\.$/)
            return ".Ar " substr(t, 1, length(t) - 3) " ..."
        return ".Ar " t
    }
    function synopsis(words, i, n, t) {
        if (!begun++)
            print ".Sh SYNOPSIS"
        print ".Nm lastack " name
        n = split(words, t, " ")
        for (i = 1; i <= n; i++) {
            if (t[i] ~ /^\[-/ && t[i] !~ /\]$/) { # "[--scenario" "NAME]"
                print ".Op Fl " substr(t[i], 3) " Ar " substr(t[i + 1], 1, length(t[i + 1]) - 1)
                i++
                continue
            }
            print token(t[i])
        }
    }
    function option(    flags, value, help, standard) {
        match($0, /^  (-.,|   ) --[^ ]+( [^ ]+)?/)
        flags = substr($0, 1, RLENGTH)
        help = substr($0, RLENGTH + 1)
        sub(/^ +/, "", help)
        standard = ""
        if (match(help, / \([^() ]+\)$/)) {
            standard = substr(help, RSTART + 2, RLENGTH - 3)
            help = substr(help, 1, RSTART - 1)
        }
        n = split(flags, w, " ")
        out = ".It "
        i = 1
        if (w[1] ~ /^-.,$/) {
            out = out "Fl " substr(w[1], 2, 1) " , "
            i = 2
        }
        out = out "Fl " substr(w[i], 2)
        if (i < n)
            out = out " Ar " w[i + 1]
        print out
        print line(toupper(substr(help, 1, 1)) substr(help, 2)) "."
        if (standard != "")
            print "The default is " standard "."
    }
    part == "" && (/^usage: lastack / || /^       lastack /) {
        sub(/^(usage:|      ) lastack [^ ]+ ?/, "")
        synopsis($0)
        next
    }
    part == "" && /^$/ { part = "about"; print ".Sh DESCRIPTION"; next }
    part == "about" && /^$/ { part = "options"; print ".Sh OPTIONS"; print ".Bl -tag -width Ds"; next }
    part == "about" { print line($0); next }
    part == "options" && /^  (-.,|   ) --/ { option(); next }
    part == "options" { part = "rest"; print ".El" }
    /^What all commands on the stack take:/ {
        print ".Pp"
        print "The options that all commands on the stack take are in"
        print ".Xr lastack 1 ."
        common = 1
        next
    }
    /^Examples:$/ { part = "examples"; hold(".Sh EXAMPLES"); getline; next }
    /^Exit status:/ { part = "status"; print ".Sh EXIT STATUS"; sub(/^Exit status: /, "") }
    part == "examples" && /^    / {
        if (!literal)
            hold(".Bd -literal -offset indent")
        literal = 1
        hold(line(substr($0, 5)))
        next
    }
    part == "examples" {
        if (literal)
            hold(".Ed")
        literal = 0
        blank = blank || $0 == ""
        if ($0 != "") {
            if (texts++ && blank)
                hold(".Pp")
            hold(line($0))
            blank = 0
        }
        next
    }
    part == "status" { print line($0); next }
    END {
        printf "%s", examples
        print ".Sh SEE ALSO"
        print ".Xr lastack 1"
    }' | awk '
    /^\.Bd/ { literal = 1 }
    /^\.Ed/ { literal = 0 }
    literal || /^\./ { print; next }
    { # a sentence begins a line, and a line ends before column 80
        gsub(/[.]  /, ".\n")
        n = split($0, lines, "\n")
        for (i = 1; i <= n; i++) {
            text = lines[i]
            while (length(text) > 79) {
                for (cut = 79; substr(text, cut, 1) != " " && cut > 1; cut--)
                    ;
                print substr(text, 1, cut - 1)
                text = substr(text, cut + 1)
            }
            print text
        }
    }'
