#!/bin/sh
# SPDX-License-Identifier: MIT
#
# ping.sh - Echo requests both ways, up to the MTU.
. "$(dirname "$0")/lib.sh"
interop_begin "$@"

mkdir "$work/www"
start_server serve "$work/www"

# Payloads around every edge: none, a time stamp's, odd, the usual, one below the MTU, the MTU.
for size in 0 1 7 8 9 15 16 17 55 56 57 63 64 65 511 512 513 1023 1024 1025 1471 1472; do
    check "the kernel pings $ours4 with $size bytes" \
        ping -c 1 -W 10 -M do -s $size $ours4
done
for size in 0 1 8 56 57 512 1025 1451 1452; do
    check "the kernel pings $ours6 with $size bytes" \
        ping -c 1 -W 10 -M do -s $size $ours6
done
check "a hundred pings, none lost" ping -q -c 100 -i 0.01 -W 10 $ours4
check "the payload comes back unchanged" ping -c 2 -W 10 -p 00ff55aa -s 600 $ours6
check "a hop limit of one is enough here" ping -c 1 -W 10 -t 1 $ours4
check "the server ends in order" stop_server

pings() {
    "$lastack" ping $on_tun "$@" >"$work/out" 2>&1 || {
        cat "$work/out"
        return 1
    }
}

for size in 0 1 7 8 56 1472; do
    check "lastack pings the kernel with $size bytes over IPv4" \
        pings -c 1 -s $size $kernel4
done
for size in 0 8 1452; do
    check "lastack pings the kernel with $size bytes over IPv6" \
        pings -c 1 -s $size $kernel6
done
check "three pings, three replies" pings -c 3 -i 20 $kernel4
check "the report counts them" contains "$work/out" "3 packets transmitted, 3 received, 0% packet loss"

too_long() {
    "$lastack" ping $on_tun -c 1 -s "$1" "$2" >"$work/out" 2>&1
    equal $? 2 && contains "$work/out" "does not fit"
}
check "one byte more than the MTU is refused over IPv4" too_long 1473 $kernel4
check "one byte more than the MTU is refused over IPv6" too_long 1453 $kernel6

nobody() {
    "$lastack" ping $on_tun -c 1 10.9.0.77 >"$work/out" 2>&1
    equal $? 1
}
check "a host that is not there is no reply, status 1" nobody
interop_end
