#!/bin/sh
# SPDX-License-Identifier: MIT
#
# examples.sh - Every example of every --help and of every page of the manual works as it stands.
#
# An example is a block of lines: what --help indents by four, or what stands in a literal
# display in the EXAMPLES of a page.  Its lines are run one after the other, in a folder with a
# README.md; one that ends in "&" goes on, and is waited for until it says its first word.
# "sudo" means nothing here: the test is root already, in a namespace of its own.
. "$(dirname "$0")/lib.sh"
interop_begin "$@"

seen_sums=
blocks=$work/blocks
mkdir "$blocks"
PATH=$(dirname "$lastack"):$PATH
export PATH USER="${USER:-root}" PYTHONUNBUFFERED=1
unset LASTACK

# Blocks of standard input, in files NAME.1, NAME.2, ...
split_blocks() {
    awk -v base="$blocks/$1" '
        /^Examples:$/ { on = 1 }
        !on { next }
        /^    / { if (!open) n++; open = 1; print substr($0, 5) >(base "." n); next }
        { open = 0 }'
}

# The literal displays of a page's examples, as --help would have them.
page_blocks() {
    awk '
        BEGIN { print "Examples:" }
        /^\.Sh / { on = $2 == "EXAMPLES" }
        on && /^\.Bd -literal/ { literal = 1; next }
        /^\.Ed/ { literal = 0; print "" }
        on && literal { gsub(/\\e/, "\\"); sub(/^\\&/, ""); print "    " $0 }' "$1"
}

# The script that runs a block.
script_of() {
    cat <<'END'
sudo() { "$@"; }
set -o pipefail
first_word() { # of a job, which may also end
    for _ in $(seq 200); do
        [ ! -s "$1" ] || return 0
        kill -0 "$2" 2>/dev/null || break
        sleep 0.05
    done
    [ -s "$1" ] || { echo "a job in the background says nothing"; exit 1; }
}
END
    awk '
        / &$/ {
            sub(/ &$/, "")
            printf "{ %s\n} >said.%d 2>&1 &\nfirst_word said.%d $!\n", $0, NR, NR
            next
        }
        { print $0 " || exit" }' "$1"
}

# Whatever it ends with, nothing of it is left for the next.
works() {
    rm -rf "$work/here"
    mkdir "$work/here"
    cp "$root/README.md" "$work/here"
    (
        cd "$work/here" || exit 1
        script_of "$1" >../script
        timeout -k 1 60 bash ../script >../output 2>&1 </dev/null
        status=$?
        cat ../output
        exit $status
    )
    status=$?
    for pid in $(ps -o pid= -C lastack,python3,nc); do
        kill "$pid" 2>/dev/null
    done
    within 5 no_lastack
    ip link del tun0 2>/dev/null
    return $status
}

no_lastack() {
    ! ps -C lastack >/dev/null
}

for sub in $("$lastack" help | sed -n 's/^  \([a-z][a-z0-9-]*\) .*/\1/p'); do
    "$lastack" "$sub" --help | split_blocks "help.$sub"
done
"$lastack" help | split_blocks help
for page in "$root"/docs/man/*.1; do
    page_blocks "$page" | split_blocks "page.$(basename "$page" .1)"
done

if [ "$INTEROP_INSIDE" != all ]; then
    skip_all "no process namespace can be made here"
fi
for block in "$blocks"/*; do
    # A page begins with what its --help has; that has been run already.
    sum=$(sha256sum <"$block")
    case " $seen_sums " in
    *" $sum "*) continue ;;
    esac
    seen_sums="$seen_sums $sum"
    check "$(basename "$block"): $(tail -n 1 "$block" | cut -c 1-60)" works "$block"
done

# The example in C of lastack(3) compiles with warnings as errors, and does what it says.
c_example() {
    page_blocks "$root/docs/man/lastack.3" | awk '/^    #include/ { on = 1 } /^$/ && on && ended { exit }
        on { print substr($0, 5); ended = /^    }$/ }' >"$work/hello.c"
    grep -q 'int main' "$work/hello.c" || return 1
    cc -std=c17 -Wall -Wextra -Werror -I"$root/include" "$work/hello.c" -o "$work/hello" \
        "$(dirname "$lastack")/liblastack.a" -pthread && equal "$("$work/hello")" hello
}
check "the example of lastack(3) compiles and runs" c_example
interop_end
