#!/bin/sh
# SPDX-License-Identifier: MIT
#
# pmtu.sh - A path that is narrower than the ends know.  lastack, this namespace as a router, the
# emulator, and the kernel in a namespace of its own stand in a row.  Where the router knows the
# narrow link it answers with ICMP; where only the emulator does, packets vanish without a word.
. "$(dirname "$0")/lib.sh"
interop_begin "$@"

unshare --net sleep 300 &
right=$!
for _ in $(seq 100); do
    [ "$(readlink /proc/$right/ns/net)" = "$(readlink /proc/$$/ns/net)" ] || break
    sleep 0.02
done
in_right() { nsenter -t "$right" -n "$@"; }

far4=10.99.0.2 far6=fd99::2
path=

stop_path() {
    [ -z "$path" ] || kill "$path"
    [ -z "$path" ] || wait "$path"
    path=
}

# start_path OPTION...: the emulator, and routes through it.
start_path() {
    stop_path
    "$lastack" path --json "$@" tun0 "/proc/$right/ns/net/tun0" >"$work/path.out" \
        2>"$work/path.err" &
    path=$!
    within 10 in_right ip link show tun0 && within 10 ip link show tun0 || not_ok "the path starts"
    sleep 0.1
    ip addr add 10.99.0.1/24 dev tun0
    ip addr add fd99::1/64 dev tun0 nodad
    in_right ip addr add $far4/24 dev tun0
    in_right ip addr add $far6/64 dev tun0 nodad
    in_right ip route add default via 10.99.0.1
    in_right ip route add default via fd99::1
}
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding

mkdir "$work/www"
make_file "$work/www/file" 2
fetch() { # 4|6 SECONDS
    in_right curl -gsS --max-time "$2" -o "$work/fetched" "$(url "$1" file)" &&
        same_file "$work/www/file" "$work/fetched"
}
send() {
    in_right curl -gsS --max-time "$2" -T "$work/www/file" "$(url "$1" sent)" >"$work/answer" &&
        same_file "$work/www/file" "$work/www/sent"
}
fails() { ! "$@"; }
counted() { # NAME: lastack's counter is not zero
    "$lastack" nstat --control "$work/control" >"$work/nstat" 2>&1
    grep "$1" "$work/nstat" | awk '{ if ($2 > 0) found = 1 } END { exit !found }'
}
serve() { # OPTION...
    stop_server
    rm -f "$work/www/sent"
    start_server serve --control "$work/control" "$@" "$work/www"
}

# The router answers.
start_path
ip link set tun0 mtu 1300
serve
for family in 4 6; do
    check "lastack sends through a link of 1300 bytes that is announced, IPv$family" fetch $family 20
done
check "the router was heard" counted IcmpInMsgs
ip link set tun0 mtu 1500
ip link set $dev mtu 1300
for family in 4 6; do
    check "the kernel sends through a link of 1300 bytes that is announced, IPv$family" \
        send $family 20
    rm -f "$work/www/sent"
done
ip link set $dev mtu 1500

# Nobody answers.
start_path --mtu 1300
serve
for family in 4 6; do
    check "without an answer lastack's text does not arrive, IPv$family" fails fetch $family 3
done
serve --sysctl net.ipv4.tcp_mtu_probing=1
for family in 4 6; do
    check "with tcp_mtu_probing=1 it does, IPv$family" fetch $family 40
done
check "and probes were sent that got through" counted TcpExtTCPMTUPSuccess
serve --sysctl net.ipv4.tcp_mtu_probing=2
for family in 4 6; do
    check "with tcp_mtu_probing=2 it does from the beginning, IPv$family" fetch $family 20
done
check "and there too probes got through" counted TcpExtTCPMTUPSuccess
in_right sh -c 'echo 1 >/proc/sys/net/ipv4/tcp_mtu_probing'
for family in 4 6; do
    check "the kernel's does with its tcp_mtu_probing=1, IPv$family" send $family 40
    rm -f "$work/www/sent"
done
stop_path
check "the server ends in order" stop_server
kill "$right"
interop_end
