# SPDX-License-Identifier: MIT
#
# lib.sh - How a test of a tool looks.  Read by the scripts of this folder:
#
#     . tests/meta/lib.sh
#     sample core/tcp/x.c 'text of a bad file'
#     catches "a goto in the core" 'core/tcp/x.c:3: goto is banned' "$tools/banned" core/tcp/x.c
#     passes "a clean file" "$tools/banned" core/tcp/y.c
#     done_testing
#
# Samples are written below a folder that goes away; commands run in it.
set -u
root=$PWD
tools=$root/build/tools
samples=$(mktemp -d)
trap 'rm -rf "$samples"' EXIT
trap 'exit 1' INT TERM
cd "$samples" || exit 1
number=0
failures=0

# sample PATH TEXT: writes a file.  printf's escapes hold in TEXT.
sample() {
    mkdir -p "$(dirname "$1")"
    printf "$2" >"$1"
}

report() {
    number=$((number + 1))
    if [ "$1" = 0 ]; then
        echo "ok $number - $2"
    else
        failures=$((failures + 1))
        echo "not ok $number - $2"
        echo "# status $status, printed:"
        echo "$printed" | head -n 10 | sed 's/^/#   /'
    fi
}

# catches SENTENCE TEXT COMMAND...: the command ends with a status other than 0 and prints TEXT.
catches() {
    sentence=$1 text=$2
    shift 2
    printed=$("$@" 2>&1)
    status=$?
    bad=1
    case $printed in
    *"$text"*) [ $status = 0 ] || bad=0 ;;
    esac
    report $bad "$sentence"
}

# passes SENTENCE COMMAND...: it ends with status 0.
passes() {
    sentence=$1
    shift
    printed=$("$@" 2>&1)
    status=$?
    report $status "$sentence"
}

# prints SENTENCE TEXT COMMAND...: it ends with status 0 and prints TEXT.
prints() {
    sentence=$1 text=$2
    shift 2
    printed=$("$@" 2>&1)
    status=$?
    bad=1
    case $printed in
    *"$text"*) [ $status != 0 ] || bad=0 ;;
    esac
    report $bad "$sentence"
}

done_testing() {
    echo "1..$number"
    [ $failures = 0 ] || exit 1
    exit 0
}
