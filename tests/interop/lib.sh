# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# lib.sh - What the interop tests share; read by them, not run.
#
#     . "$(dirname "$0")/lib.sh"
#     interop_begin "$@"
#     ... check "a sentence that is true" command arguments ...
#     interop_end
#
# Each script runs itself again in a network and process namespace of its own.  When it ends,
# however it ends, the kernel takes away the device, the addresses and every process in it, so
# nothing can be left behind and two scripts never meet.
set -u

dev=la0
kernel4=10.9.0.1 kernel6=fd09::1
ours4=10.9.0.2 ours6=fd09::2
number=0 failures=0
server=

# --- begin and end --------------------------------------------------------------------------------

skip_all() {
    echo "1..0 # SKIP $*"
    echo "interop: NOT TESTED: $*" >&2
    exit 0
}

interop_begin() {
    root=$(cd "$(dirname "$0")/../.." && pwd)
    lastack=${LASTACK:-$root/build/lastack}
    [ "$(id -u)" = 0 ] || skip_all "not root, so no namespace and no TUN device can be made"
    [ -c /dev/net/tun ] || skip_all "no /dev/net/tun here"
    [ -x "$lastack" ] || {
        echo "Bail out! no $lastack; run ./dev build"
        exit 1
    }
    if [ -z "${INTEROP_INSIDE:-}" ]; then
        export INTEROP_INSIDE=net
        unshare --net true 2>/dev/null || skip_all "no network namespace can be made here"
        if unshare --net --pid --fork --kill-child --mount-proc true 2>/dev/null; then
            INTEROP_INSIDE=all
            exec unshare --net --pid --fork --kill-child --mount-proc sh "$0" "$@"
        fi
        exec unshare --net sh "$0" "$@"
    fi
    work=$(mktemp -d "${TMPDIR:-/tmp}/lastack-interop-XXXXXX") || exit 1
    trap interop_clean EXIT
    trap 'exit 1' INT TERM HUP
    ip link set lo up
    make_device
}

make_device() {
    ip tuntap add dev $dev mode tun &&
        ip addr add $kernel4/24 dev $dev &&
        ip addr add $kernel6/64 dev $dev nodad &&
        ip link set $dev txqueuelen 10000 up || {
        echo "Bail out! cannot set up a TUN device"
        exit 1
    }
}

# Where a gigabyte may lie: memory if there is enough of it, else the work directory.
big_dir() {
    free_kb=$(df -k /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')
    if [ "${free_kb:-0}" -gt 3500000 ]; then
        big=$(mktemp -d "/dev/shm/lastack-interop${LASTACK_TAG:-}-XXXXXX")
    else
        big=$work
    fi
}

interop_clean() {
    trap - EXIT
    # shellcheck disable=SC2046
    kill $(jobs -p) 2>/dev/null
    rm -rf "$work" "${big:-$work}"
}

interop_end() {
    stop_server
    echo "1..$number"
    [ $failures = 0 ]
    exit
}

# --- results --------------------------------------------------------------------------------------

ok() {
    number=$((number + 1))
    echo "ok $number - $*"
}

not_ok() {
    number=$((number + 1))
    failures=$((failures + 1))
    echo "not ok $number - $*"
    if [ -s "$work/said" ]; then
        tail -n 20 "$work/said" | sed 's/^/#   /'
    fi
    if [ -s "$work/server.err" ]; then
        tail -n 5 "$work/server.err" | sed 's/^/#   server: /'
    fi
}

# check SENTENCE COMMAND...: passes if the command succeeds; what it says is shown if not.
check() {
    sentence=$1
    shift
    if "$@" >"$work/said" 2>&1; then
        ok "$sentence"
    else
        echo "status $? of: $*" >>"$work/said"
        not_ok "$sentence"
    fi
}

equal() {
    [ "$1" = "$2" ] || {
        echo "\"$1\" is not \"$2\""
        return 1
    }
}

same_file() {
    sum1=$(sha256sum <"$1") && sum2=$(sha256sum <"$2") && equal "$sum1" "$sum2"
}

# contains FILE WORDS...: a line of the file has the words, in this order.
contains() {
    file=$1
    shift
    grep -q -- "$*" "$file" || {
        echo "no \"$*\" in:"
        tail -n 20 "$file"
        return 1
    }
}

# within SECONDS COMMAND...: waits until the command succeeds.
within() {
    tries=$(($1 * 20))
    shift
    while ! "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || {
            echo "not within its time: $*"
            "$@"
            return 1
        }
        sleep 0.05
    done
}

# --- lastack and its peers ------------------------------------------------------------------------

# What puts lastack on the device, with both addresses: "$lastack" serve $on_tun ...
on_tun="--tun $dev --addr $ours4/24 --addr $ours6/64"

# start_server COMMAND ARGUMENT...: in the background, its events in $work/events.
start_server() {
    command=$1
    shift
    : >"$work/events"
    # shellcheck disable=SC2086
    "$lastack" "$command" $on_tun --json -q "$@" >"$work/events" 2>"$work/server.err" &
    server=$!
    within 10 server_listens || not_ok "the server starts: $*"
}

server_listens() {
    kill -0 $server 2>/dev/null && grep -q '"event":"listening"' "$work/events"
}

# Ends it in order; its last event is a summary.
stop_server() {
    [ -n "$server" ] || return 0
    kill -TERM "$server" 2>/dev/null
    wait "$server"
    server_status=$?
    server=
    return $server_status
}

# url 4|6 PATH
url() {
    if [ "$1" = 4 ]; then
        echo "http://$ours4/$2"
    else
        echo "http://[$ours6]/$2"
    fi
}

ours() {
    if [ "$1" = 4 ]; then echo $ours4; else echo $ours6; fi
}

kernel() {
    if [ "$1" = 4 ]; then echo $kernel4; else echo $kernel6; fi
}

# make_file FILE MEGABYTES: bytes that repeat nowhere near a segment's or a window's length.
make_file() {
    head -c 1000003 /dev/urandom >"$work/seed"
    : >"$1"
    for _ in $(seq $(($2 / 8 + 1))); do
        cat "$work/seed" "$work/seed" "$work/seed" "$work/seed" \
            "$work/seed" "$work/seed" "$work/seed" "$work/seed" "$work/seed"
    done | head -c $(($2 * 1048576)) >"$1"
}

# How many connections of the kernel's are in a state, to or from our address.
kernel_count() {
    ss -Htn state "$1" | wc -l
}
