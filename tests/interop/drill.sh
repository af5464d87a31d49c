#!/bin/sh
# SPDX-License-Identifier: MIT
#
# drill.sh - The packet scripts of tests/drill against this machine's kernel.
#
# The kernel must agree with every script but those that tests/drill/differences.tsv names, and
# must not agree with those it says are different.  A busy machine may make a script late: what
# does not pass is asked twice more, alone.
set -u
cd "$(dirname "$0")/../.." || exit 1
lastack=${LASTACK:-build/lastack}
table=tests/drill/differences.tsv
work=$(mktemp -d "${TMPDIR:-/tmp}/lastack-interop-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
number=0 status=0

if [ "$(id -u)" != 0 ] || [ ! -c /dev/net/tun ]; then
    echo "1..0 # SKIP not root, or no /dev/net/tun"
    exit 0
fi

say() {
    number=$((number + 1))
    echo "$1 $number - $2"
}

kind_of() {
    awk -F '\t' -v name="$1" '$1 == name { print $2 }' "$table"
}

names=$(cd tests/drill && find . -name '*.pkt' | sed 's,^\./,,; s,\.pkt$,,' | sort)
for name in $names; do
    case $(kind_of "$name") in
    slow) ;;
    differs) echo "tests/drill/$name.pkt" >>"$work/differ" ;;
    *) echo "tests/drill/$name.pkt" >>"$work/same" ;;
    esac
done

# shellcheck disable=SC2046
"$lastack" drill --kernel --jobs 8 --time 30 $(cat "$work/same") >"$work/said" 2>&1
for file in $(cat "$work/same"); do
    if grep -q "^pass  *$file " "$work/said" ||
        "$lastack" drill --kernel "$file" >"$work/again" 2>&1 ||
        "$lastack" drill --kernel "$file" >"$work/again" 2>&1; then
        say ok "the kernel agrees with $file"
    else
        status=1
        say "not ok" "the kernel agrees with $file"
        sed 's/^/# /' "$work/again"
    fi
done
for file in $(cat "$work/differ"); do
    if "$lastack" drill --kernel "$file" >"$work/again" 2>&1; then
        status=1
        say "not ok" "$table says that the kernel differs from $file, and it does not"
    else
        say ok "the kernel differs from $file, as $table says"
    fi
done
while IFS="$(printf '\t')" read -r name kind reason; do
    case $name in
    '#'*) continue ;;
    esac
    if [ -f "tests/drill/$name.pkt" ] && [ -n "$kind" ] && [ -n "$reason" ]; then
        continue
    fi
    status=1
    say "not ok" "the row of $name in $table has a script, a kind and a reason"
done <"$table"
echo "1..$number"
exit $status
