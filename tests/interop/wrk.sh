#!/bin/sh
# SPDX-License-Identifier: MIT
#
# wrk.sh - An HTTP load generator that reports every error of a socket reports none.
. "$(dirname "$0")/lib.sh"
command -v wrk >/dev/null || skip_all "no wrk here"
interop_begin "$@"

mkdir "$work/www"
head -c 64 /dev/urandom >"$work/www/small"
head -c 200000 /dev/urandom >"$work/www/large"
start_server serve "$work/www"

# load 4|6 FILE: two seconds over 32 connections.
load() {
    timeout 20 wrk -t 1 -c 32 -d 2s --timeout 15s "$(url "$1" "$2")" >"$work/wrk" 2>&1
    equal $? 0 || return 1
    cat "$work/wrk"
    ! grep -E 'Socket errors|Non-2xx' "$work/wrk" >/dev/null &&
        [ "$(sed -n 's/^ *\([0-9]*\) requests in .*/\1/p' "$work/wrk")" -ge 1 ]
}

for family in 4 6; do
    check "answers of 64 bytes without a socket error, IPv$family" load $family small
    check "answers of 200,000 bytes without a socket error, IPv$family" load $family large
done
check "the server ends in order" stop_server
interop_end
