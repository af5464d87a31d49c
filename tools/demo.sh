#!/bin/sh
# SPDX-License-Identifier: MIT
#
# demo.sh - The main job in one command: real programs of this host against a server on
# lastack, and the life of a connection drawn from both ends of its close.
#
#     ./dev demo [--real-time] [--size MEGABYTES] [--memory]
#
# It works in a network namespace of its own, which goes when it ends, with the device and every
# process in it.  Where no TUN device can be had it says so, and does the same between two stacks
# on a wire in memory.  What stays is build/demo: the captures.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
lastack=${LASTACK:-$root/build/lastack}
out=$root/build/demo
dev=lademo0
host4=10.77.0.1 host6=fd77::1 ours4=10.77.0.2 ours6=fd77::2
size_mb=256 msl_ms=1000 how=auto work= server=

usage() {
    cat <<'END'
usage: ./dev demo [OPTION]...

  --real-time   2MSL is 60 s, as it is by default, not 2 s
  --size MB     of the file sent each way (256)
  --memory      two stacks on a wire in memory, even where TUN can be had
END
}

die() {
    echo "demo: $*" >&2
    exit 1
}

while [ $# -gt 0 ]; do
    case $1 in
    --real-time) msl_ms=30000 ;;
    --size)
        [ $# -ge 2 ] || die "--size needs a number of megabytes"
        shift
        size_mb=$1
        case $size_mb in
        '' | *[!0-9]* | 0*) die "--size: not a number of megabytes: $size_mb" ;;
        esac
        ;;
    --memory) how=memory ;;
    --inside) how=inside ;; # only from below
    --help | -h)
        usage
        exit 0
        ;;
    *)
        usage >&2
        die "unknown option: $1"
        ;;
    esac
    shift
done
[ -x "$lastack" ] || die "no $lastack; run ./dev build"

# --- words and checks -----------------------------------------------------------------------------

say() {
    printf '%s\n' "$*"
}

headline() {
    say ""
    say "== $*"
}

clean() {
    trap - EXIT
    [ -z "$server" ] || kill "$server" 2>/dev/null
    [ -z "$work" ] || rm -rf "$work"
}

begin() {
    work=$out/work
    rm -rf "$work" # of a run that was killed
    trap clean EXIT
    trap 'say ""; say "demo: interrupted; nothing is left behind"; exit 130' INT TERM HUP
    mkdir -p "$work/www" || die "cannot write to $out"
    rm -f "$out"/*.pcapng
    say "making a file of $size_mb MB"
    head -c 1000003 /dev/urandom >"$work/seed"
    # A prime length, repeated: no byte can be at a wrong place unnoticed.
    for _ in $(seq $((size_mb + 1))); do cat "$work/seed"; done |
        head -c $((size_mb * 1000000)) >"$work/www/file"
    # Under sudo, lastack becomes the user who called it.
    [ -z "${SUDO_UID:-}" ] || chown -R "$SUDO_UID" "$out"
    sum=$(sha256sum <"$work/www/file")
    say "SHA-256 ${sum%% *}"
}

# same FILE: has the sum of the original.
same() {
    got=$(sha256sum <"$1")
    [ "$got" = "$sum" ] || die "$1 differs: SHA-256 ${got%% *}"
    say "  SHA-256 equal"
    rm -f "$1"
}

# A server's end: SIGTERM, and what it prints then.
stop_server() {
    kill -TERM "$server"
    wait "$server" || die "the server failed: $(cat "$work/server.err")"
    server=
}

# Opens the capture with tshark and tells what it thinks of it.
check_capture() {
    [ -s "$1" ] || die "$1 is empty"
    if ! command -v tshark >/dev/null; then
        say "capture: $1 (tshark is not here to check it)"
        return
    fi
    tshark -r "$1" -q -z io,phs >"$work/tshark.out" 2>"$work/tshark.err" ||
        die "tshark cannot read $1: $(cat "$work/tshark.err")"
    grep -v '^Running as user' "$work/tshark.err" >"$work/complaints"
    [ ! -s "$work/complaints" ] || die "tshark complains: $(cat "$work/complaints")"
    ! grep -q malformed "$work/tshark.out" || die "tshark finds malformed packets in $1"
    packets=$(awk '/^[a-z_]+ +frames:/ { sub("frames:", "", $2); sum += $2 } END { print sum }' \
        "$work/tshark.out")
    say "capture: $1"
    say "  $packets packets; tshark opens it without a complaint"
}

ladder() {
    say ""
    cat "$1"
    say ""
}

# --- against this host's kernel -------------------------------------------------------------------

make_device() {
    ip link set lo up && ip tuntap add dev $dev mode tun && ip addr add $host4/24 dev $dev &&
        ip addr add $host6/64 dev $dev nodad && ip link set $dev txqueuelen 10000 up
}

# start_server ARGUMENT...: `lastack serve` on the device, its standard output in $work/ladder.
# The buffers are larger than usual: on a busy machine a process may wait some milliseconds for
# its turn, and with a window of less than that the kernel soon takes silence for loss.
start_server() {
    "$lastack" serve --tun $dev --addr $ours4/24 --addr $ours6/64 \
        --sysctl net.lastack.tcp_msl_ms=$msl_ms \
        --sysctl net.lastack.tcp_rcvbuf=1048576 --sysctl net.lastack.tcp_sndbuf=1048576 \
        "$@" "$work/www" \
        >"$work/ladder" 2>"$work/server.err" &
    server=$!
    tries=200
    until grep -q 'http://' "$work/server.err"; do
        kill -0 $server 2>/dev/null || die "the server failed: $(cat "$work/server.err")"
        tries=$((tries - 1))
        [ $tries -gt 0 ] || die "the server does not start"
        sleep 0.05
    done
}

url() {
    if [ "$1" = 4 ]; then echo "http://$ours4/$2"; else echo "http://[$ours6]/$2"; fi
}

mbit() {
    awk -v bytes="$1" 'BEGIN { printf "%.0f Mbit/s", bytes * 8 / 1e6 }'
}

# download 4|6 [PORT], upload 4|6 [PORT]: by this host's curl, from that port of its own.
download() {
    say "curl downloads $size_mb MB over IPv$1"
    speed=$(curl -gsS --max-time 300 --local-port "${2:-32768-60999}" -o "$work/got" \
        -w '%{speed_download}' "$(url "$1" file)") || die "curl failed"
    say "  $(mbit "$speed")"
    same "$work/got"
}

upload() {
    say "curl uploads $size_mb MB over IPv$1"
    speed=$(curl -gsS --max-time 300 --local-port "${2:-32768-60999}" -T "$work/www/file" \
        -o "$work/answer" -w '%{speed_upload}' "$(url "$1" sent)") || die "curl failed"
    say "  $(mbit "$speed")"
    same "$work/www/sent"
}

kernel_says() {
    ss -Htan "sport = :$1" | awk '{ print $1 }'
}

expect_kernel() {
    state=$(kernel_says "$1")
    [ "$state" = "$2" ] || die "ss says the kernel is in \"$state\", not \"$2\""
}

lastack_closes_first() {
    headline "The life of a connection that lastack closes first (IPv4)"
    start_server --close-first --ladder --pcap "$out/lastack-closes-first.pcapng" --snap 128
    download 4 40001
    expect_kernel 40001 ""
    say "  ss: the kernel has nothing left of it; TIME-WAIT is ours"
    say "waiting $((2 * msl_ms / 1000)) s, which is 2MSL here, for its end"
    sleep $((2 * msl_ms / 1000 + 1))
    stop_server
    ladder "$work/ladder"
    check_capture "$out/lastack-closes-first.pcapng"
}

kernel_closes_first() {
    headline "The life of a connection that the kernel closes first (IPv6)"
    start_server --ladder --pcap "$out/kernel-closes-first.pcapng" --snap 128
    upload 6 40002
    expect_kernel 40002 TIME-WAIT
    say "  ss: the kernel is in TIME-WAIT, as inferred below"
    stop_server
    ladder "$work/ladder"
    check_capture "$out/kernel-closes-first.pcapng"
}

with_kernel() {
    say "lastack is $ours4 and $ours6, this host's kernel is $host4 and $host6"
    if [ $msl_ms = 1000 ]; then
        say "2MSL is 2 s in this demonstration, not 60 s (--real-time waits the 60 s)"
    fi
    begin
    headline "curl and lastack: $size_mb MB each way"
    start_server
    upload 4
    download 6
    stop_server
    lastack_closes_first
    kernel_closes_first
}

# --- in memory ------------------------------------------------------------------------------------

# wire ARGUMENT...: `lastack wire`; its ladder in $work/ladder.
wire() {
    "$lastack" wire "$@" >"$work/ladder" 2>"$work/err" || die "$(cat "$work/err")"
    sed 's/^lastack wire: /  /' "$work/err"
}

in_memory() {
    say "Two stacks in one process, on a wire in memory: one serves, one fetches."
    begin
    headline "$size_mb MB each way"
    for family in 4 6; do
        flag=
        [ $family = 4 ] || flag=-6
        say "download over IPv$family"
        wire $flag -o "$work/got" "$work/www" file
        same "$work/got"
        say "upload over IPv$family"
        wire $flag -T "$work/www/file" -o "$work/answer" "$work/www" sent
        same "$work/www/sent"
    done
    say ""
    say "The rest is in virtual time: 2MSL is 60 s, and takes none."
    headline "The life of a connection that the server closes first (IPv4)"
    wire --virtual-time --ladder --pcap "$out/server-closes-first.pcapng" --snap 128 \
        -o "$work/got" "$work/www" file
    same "$work/got"
    ladder "$work/ladder"
    check_capture "$out/server-closes-first.pcapng"
    headline "The life of a connection that the client closes first (IPv6)"
    wire --virtual-time -6 --client-closes-first --ladder \
        --pcap "$out/client-closes-first.pcapng" --snap 128 \
        -T "$work/www/file" -o "$work/answer" "$work/www" sent
    same "$work/www/sent"
    ladder "$work/ladder"
    check_capture "$out/client-closes-first.pcapng"
}

# --- which of the two -----------------------------------------------------------------------------

options="--size $size_mb"
[ $msl_ms = 1000 ] || options="$options --real-time"

# enter UNSHARE-OPTION...: goes on in new namespaces, if a TUN device can be had in them.
enter() {
    unshare "$@" sh -c "ip tuntap add dev $dev mode tun" 2>/dev/null || return
    # shellcheck disable=SC2086
    exec unshare "$@" sh "$0" --inside $options
}

if [ $how = auto ]; then
    why="no /dev/net/tun here"
    if [ -c /dev/net/tun ]; then
        why="no namespace with a TUN device can be made here"
        enter --net --pid --fork --kill-child --mount-proc
        enter --net
        unset SUDO_UID # it has no meaning in a user namespace
        [ "$(id -u)" = 0 ] || enter --user --map-root-user --net --pid --fork --kill-child --mount-proc
    fi
    say "demo: NO TUN: $why."
    say "demo: so this is not shown against this host's kernel and its curl."
    how=memory
fi
if [ $how = inside ]; then
    make_device || die "cannot set up the device"
    with_kernel
else
    in_memory
fi
headline "Done"
say "everything is gone again but the captures in ${out#"$root"/}:"
ls "$out"/*.pcapng
