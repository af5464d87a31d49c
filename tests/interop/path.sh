#!/bin/sh
# SPDX-License-Identifier: MIT
#
# path.sh - The path emulator between two namespaces of the kernel: packets get through in both
# directions, their fates follow from the seed, and the capture tells them.
. "$(dirname "$0")/lib.sh"
interop_begin "$@"

# A namespace without a name, for as long as its holder sleeps.
hold() {
    unshare --net sleep 300 &
    holder=$!
    for _ in $(seq 100); do
        [ "$(readlink /proc/$holder/ns/net)" = "$(readlink /proc/$$/ns/net)" ] || break
        sleep 0.02
    done
}
hold
left=$holder
hold
right=$holder
in_left() { nsenter -t "$left" -n "$@"; }
in_right() { nsenter -t "$right" -n "$@"; }
# The kernel says nothing of its own accord, so that the Nth packet is always the same.
in_left sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
in_right sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'

start_path() { # OPTION...
    : >"$work/path.out"
    "$lastack" path --json --pcap "$work/path.pcapng" "$@" \
        "/proc/$left/ns/net/tun0" "/proc/$right/ns/net/tun0" >"$work/path.out" 2>"$work/path.err" &
    path=$!
    for _ in $(seq 200); do
        in_right ip link show tun0 >"$work/link" 2>&1 && break
        sleep 0.02
    done
    sleep 0.1
    in_left ip addr add 10.99.0.1/24 dev tun0 && in_right ip addr add 10.99.0.2/24 dev tun0
}
stop_path() {
    kill "$path" && wait "$path"
}
count_of() { # DIRECTION NAME
    sed -n "s/.*\"event\":\"$1\".*\"$2\":\([0-9]*\).*/\1/p" "$work/path.out"
}
pings() {
    in_left ping -q -n -c 100 -i 0.01 -W 10 10.99.0.2 >"$work/ping" 2>&1
    grep -o '[0-9]* received' "$work/ping"
}

start_path
check "a perfect path loses nothing" test "$(pings)" = "100 received"
check "the emulator ends in order" stop_path
check "it counted the requests" test "$(count_of forth delivered)" = 100
check "it counted the replies" test "$(count_of back delivered)" = 100

start_path --loss 30% --seed 5
first=$(pings)
stop_path
lost=$(count_of forth lost)
check "three of ten requests are lost" test "$lost" -ge 10 -a "$lost" -le 50
check "the capture tells which were lost" test "$(strings "$work/path.pcapng" | grep -c '^lost')" \
    -ge "$lost"
start_path --loss 30% --seed 5
check "the same seed loses the same" test "$(pings)" = "$first"
stop_path
start_path --mtu 500
check "what fits the path's MTU arrives" in_left ping -q -c 1 -W 10 -s 400 10.99.0.2
in_left ping -q -c 1 -W 1 -s 600 10.99.0.2 >"$work/ping"
stop_path
check "what does not vanishes" test "$(count_of forth too_big)" = 1
kill "$left" "$right"
interop_end
