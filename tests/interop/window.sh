#!/bin/sh
# SPDX-License-Identifier: MIT
#
# window.sh - Readers that stop: the window closes, is probed, opens again, and no byte is lost.
. "$(dirname "$0")/lib.sh"
interop_begin "$@"

mkdir "$work/www"
make_file "$work/www/file" 40
start_server serve "$work/www"

# Stop the kernel's reader in mid-transfer for some seconds.
stopped_reader() {
    rm -f "$work/got"
    curl -gsS --max-time 50 --limit-rate 20M -o "$work/got" "$(url "$1" file)" &
    pid=$!
    within 10 test -s "$work/got" || return 1
    kill -STOP $pid
    sleep 3
    kill -CONT $pid
    wait $pid || return 1
    same_file "$work/www/file" "$work/got"
}

slow_reader() {
    curl -gsS --max-time 50 --limit-rate 8M -o "$work/got" "$(url "$1" file)" &&
        same_file "$work/www/file" "$work/got"
}

for family in 4 6; do
    check "a reader that stops for three seconds loses nothing, IPv$family" stopped_reader $family
done
check "a slow reader loses nothing, IPv4" slow_reader 4
stop_server
check "we probed the closed window" contains "$work/events" '"TCPWinProbe":'

# A reset while a probe is out: the probe's octet lies beyond the window, the reset must not.
reset_while_probing() {
    start_server serve --sysctl net.ipv4.tcp_rto_min_us=50000 "$work/www"
    # Not slower: it reads all that its kernel has before it sees the reset.
    curl -gsS --max-time 20 --limit-rate 4M -o "$work/got" "$(url "$1" file)" 2>"$work/err" &
    pid=$!
    within 10 sh -c "ss -Htn state established | grep -q ." || return 1
    kill -STOP $pid
    within 20 contains "$work/events" '"timer":"persist"' || return 1
    stop_server
    kill -CONT $pid
    wait $pid
    equal $? 56 # curl: failure in receiving network data
}
check "a server that ends while it probes resets its client, IPv4" reset_while_probing 4
check "a server that ends while it probes resets its client, IPv6" reset_while_probing 6

# Our own reader stops: the kernel must find our window closed, and open again.  (The kernel's
# nc ends when its peer does, so ours is kept from ending by a pipe that stays open.)
our_reader() {
    rm -f "$work/pipe" "$work/got" "$work/read on"
    mkfifo "$work/pipe"
    exec 8<>"$work/pipe"
    "$lastack" nc $on_tun -q -l 9000 <"$work/pipe" 8>&- | {
        exec 8>&-
        within 20 test -e "$work/read on"
        cat >"$work/got"
    } &
    reader=$!
    sleep 0.5
    nc.openbsd -N "$(ours "$1")" 9000 <"$work/www/file" >/dev/null 8>&- &
    writer=$!
    within 15 sh -c "ss -Htno state established | grep -q persist" || return 1
    : >"$work/read on"
    within 20 same_file "$work/www/file" "$work/got" || return 1
    exec 8>&-
    wait $writer && wait $reader
}

for family in 4 6; do
    check "a kernel sender waits for our closed window and loses nothing, IPv$family" \
        our_reader $family
done
interop_end
