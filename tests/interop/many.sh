#!/bin/sh
# SPDX-License-Identifier: MIT
#
# many.sh - Many clients at once, and clients other than curl.
. "$(dirname "$0")/lib.sh"
interop_begin "$@"

clients=200
mkdir "$work/www" "$work/got"
make_file "$work/www/file" 1
echo '<p>index' >"$work/www/index.html"
start_server serve "$work/www"

# transfers 4|6 COUNT: as a configuration of curl's.
transfers() {
    for i in $(seq "$2"); do
        echo "url = \"$(url "$1" "file?$i")\""
        echo "output = \"$work/got/$i\""
    done >"$work/config"
}

at_once() {
    pids=
    for i in $(seq $clients); do
        curl -gsS --max-time 60 -o "$work/got/$i" "$(url "$1" "file?$i")" &
        pids="$pids $!"
    done
    bad=0
    for pid in $pids; do
        wait "$pid" || bad=$((bad + 1))
    done
    equal "$bad clients failed" "0 clients failed" || return 1
    sums=$(cat "$work/got"/* | sha256sum)
    want=$(for _ in $(seq $clients); do cat "$work/www/file"; done | sha256sum)
    rm -f "$work/got"/*
    equal "$sums" "$want"
}

put_at_once() {
    pids=
    for i in $(seq 50); do
        curl -gsS --max-time 60 -T "$work/www/file" "$(url "$1" "put$i")" >"$work/answer" &
        pids="$pids $!"
    done
    for pid in $pids; do
        wait "$pid" || return 1
    done
    for i in $(seq 50); do
        same_file "$work/www/file" "$work/www/put$i" || return 1
        rm "$work/www/put$i"
    done
}

keep_alive() {
    before=$(grep -c '"to":"ESTABLISHED"' "$work/events")
    transfers "$1" 50
    curl -gsS --max-time 30 -K "$work/config" || return 1
    after=$(grep -c '"to":"ESTABLISHED"' "$work/events")
    equal "$((after - before)) connections" "1 connections" &&
        equal "$(find "$work/got" -size 1024k | wc -l)" 50 && rm -f "$work/got"/*
}

parallel() {
    transfers "$1" 100
    curl -gsS --max-time 60 --parallel --parallel-max 100 --parallel-immediate \
        -K "$work/config" || return 1
    equal "$(find "$work/got" -size 1024k | wc -l)" 100 && rm -f "$work/got"/*
}

wget_gets() {
    wget -q -T 20 -O "$work/got/w" "$(url "$1" file)" && same_file "$work/www/file" "$work/got/w" &&
        wget -q -T 20 -O "$work/got/i" "$(url "$1" "")" &&
        same_file "$work/www/index.html" "$work/got/i" && rm -f "$work/got"/*
}

for family in 4 6; do
    check "$clients curls at once over IPv$family" at_once $family
    check "50 uploads at once over IPv$family" put_at_once $family
    check "50 requests on one connection over IPv$family" keep_alive $family
    check "100 parallel transfers of one curl over IPv$family" parallel $family
    check "wget over IPv$family" wget_gets $family
done
none_open() {
    equal "$(kernel_count established)$(kernel_count close-wait)" 00
}
check "every connection of the kernel's is gone or in TIME-WAIT" within 10 none_open
check "the server ends in order" stop_server
check "no connection was left in the stack" sh -c \
    "grep '\"event\":\"summary\"' '$work/events' | grep -q '\"connections\":{\"used\":0,'"
interop_end
