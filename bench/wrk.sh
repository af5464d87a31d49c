#!/bin/sh
# SPDX-License-Identifier: MIT
#
# wrk.sh - `lastack serve` under wrk, over TUN, in a namespace of its own.
#
#     ./dev bench wrk [--json FILE] [--seconds N] [--connections N]
#
# wrk keeps its connections and asks for one file again and again; it counts requests, and every
# error of a socket: connect, read, write, timeout.  One such error fails the bench.  Client and
# server are free to use two cores, as in life, so the figures vary with what else runs.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
json='' seconds=10 connections=64

usage() {
    cat <<'END'
usage: ./dev bench wrk [--json FILE] [--seconds N] [--connections N]

lastack serve under wrk, over TUN: requests a second for answers of 64 bytes and of 64 KiB, with
offload and without.  Any socket error fails it.  Root only.

  --json FILE        the figures, for programs
  --seconds N        of each run (10)
  --connections N    kept open (64)

example: ./dev bench wrk --seconds 2 --json build/wrk.json
END
}

while [ $# -gt 0 ]; do
    case $1 in
    --help) usage && exit 0 ;;
    --json) json=${2:?} ;;
    --seconds) seconds=${2:?} ;;
    --connections) connections=${2:?} ;;
    *) usage >&2 && exit 2 ;;
    esac
    shift 2
done
if [ -z "${LASTACK_BENCH_INSIDE:-}" ]; then
    export LASTACK_BENCH_INSIDE=1
    exec unshare --net --pid --fork --kill-child --mount-proc sh "$0" --seconds "$seconds" \
        --connections "$connections" ${json:+--json "$json"}
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/lastack-wrk-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
mkdir "$work/www"
head -c 64 /dev/urandom >"$work/www/64"
head -c 65536 /dev/urandom >"$work/www/65536"
ip link set lo up
ip tuntap add dev la0 mode tun && ip addr add 10.9.0.1/24 dev la0 &&
    ip link set la0 txqueuelen 10000 up || exit 1

listening() {
    for _ in $(seq 100); do
        grep -q '"event":"listening"' "$work/events" && return 0
        sleep 0.05
    done
    echo "wrk.sh: the server does not listen" >&2
    return 1
}

result=0 separator=''
: >"$work/json"

# one OFFLOAD BYTES
one() {
    "$root/build/lastack" serve --tun la0 --addr 10.9.0.2/24 --offload "$1" --json -q \
        "$work/www" >"$work/events" 2>&1 &
    server=$!
    listening || return 1
    wrk -t 1 -c "$connections" -d "${seconds}s" --latency "http://10.9.0.2/$2" >"$work/out" 2>&1 ||
        return 1
    kill -TERM $server
    wait $server
    rate=$(sed -n 's/^Requests\/sec: *//p' "$work/out")
    errors=$(sed -n 's/^ *Socket errors: *//p' "$work/out")
    other=$(sed -n 's/^ *Non-2xx[^:]*: *//p' "$work/out")
    p99=$(sed -n 's/^ *99% *//p' "$work/out")
    printf 'offload %-5s %6s bytes %10s requests/s, 99 %% within %s; socket errors: %s\n' \
        "$1" "$2" "$rate" "$p99" "${errors:-0}"
    printf '%s\n  "offload_%s_%s": {"requests_per_s": %s, "socket_errors": %s}' "$separator" \
        "$1" "$2" "$rate" "$([ -z "$errors$other" ] && echo 0 || echo "\"$errors $other\"")" \
        >>"$work/json"
    separator=,
    [ -n "$rate" ] && [ -z "$errors$other" ]
}

for offload in on off; do
    for bytes in 64 65536; do
        one $offload $bytes || {
            result=1
            cat "$work/out"
        }
    done
done
[ -z "$json" ] || { echo "{$(cat "$work/json")" && echo "}"; } >"$json" || result=1
exit $result
