#!/bin/sh
# SPDX-License-Identifier: MIT
# examples.sh - The programs of examples/ that need a device, against the kernel.
. "$(dirname "$0")/lib.sh"
interop_begin "$@"
examples=$root/build/examples
both="$ours4/24,$ours6/64"
make_file "$work/file" 8
make_file "$work/other" 2

# example NAME ARGUMENT...: in the background, until it says that it listens.
example() {
    name=$1
    shift
    : >"$work/events"
    "$examples/$name" "$@" >"$work/events" 2>"$work/server.err" &
    server=$!
    within 10 says listening || not_ok "$name starts"
}
says() {
    kill -0 $server 2>/dev/null && grep -q "$1" "$work/events"
}
through() { # 4|6 PORT FILE TO: sends a file, ends, takes what comes back
    timeout 30 nc.openbsd -N "$(ours "$1")" "$2" <"$3" >"$4"
}

# --- echo server ----------------------------------------------------------------------------------

example echo_server $dev "$both" 7
for v in 4 6; do
    check "the echo server gives back 8 MB over IPv$v" through $v 7 "$work/file" "$work/back$v"
    check "... as they were" same_file "$work/file" "$work/back$v"
done
for i in 1 2 3 4 5 6 7 8; do
    through 4 7 "$work/other" "$work/many$i" &
    eval "client$i=$!"
done
for i in 1 2 3 4 5 6 7 8; do
    eval "wait \$client$i"
    check "... and to client $i of eight at a time" same_file "$work/other" "$work/many$i"
done
check "SIGTERM ends it in order" stop_server

# --- proxy ----------------------------------------------------------------------------------------

example proxy $dev "$both" 8080 127.0.0.1 8000
for v in 4 6; do
    timeout 30 nc.openbsd -N -l 127.0.0.1 8000 <"$work/other" >"$work/in$v" &
    behind=$!
    within 5 sh -c "ss -Hltn 'sport = 8000' | grep -q 8000"
    check "the proxy carries a connection over IPv$v" through $v 8080 "$work/file" "$work/out$v"
    wait $behind
    check "... inwards" same_file "$work/file" "$work/in$v"
    check "... and outwards at once" same_file "$work/other" "$work/out$v"
done
through 4 8080 "$work/other" "$work/none"
check "with no server behind it, a connection is closed and has nothing" test ! -s "$work/none"
check "... and the proxy goes on" says listening
kill $server
wait $server
server=

# --- file transfer --------------------------------------------------------------------------------

sent() { # HOST
    timeout 30 "$examples/file_transfer" send $dev "$both" "$1" 9000 "$work/file" >"$work/events" &&
        contains "$work/events" "$(stat -c %s "$work/file") bytes"
}
for v in 4 6; do
    "$examples/file_transfer" receive $dev "$both" 9000 "$work/received$v" \
        >"$work/events" 2>"$work/server.err" &
    receiver=$!
    within 10 through $v 9000 "$work/file" /dev/null
    check "a file is received over IPv$v" wait $receiver
    check "... whole" same_file "$work/file" "$work/received$v"

    timeout 30 nc.openbsd -l "$(kernel $v)" 9000 </dev/null >"$work/sent$v" &
    behind=$!
    within 5 sh -c "ss -Hltn 'sport = 9000' | grep -q 9000"
    check "a file is sent over IPv$v, and its size said" sent "$(kernel $v)"
    wait $behind
    check "... and it is whole" same_file "$work/file" "$work/sent$v"
done
refused() {
    "$examples/file_transfer" send $dev "$both" $kernel4 9001 "$work/file" 2>"$work/why"
    equal $? 1 && contains "$work/why" "Connection refused"
}
check "a port where nobody listens is an error, and named" refused
interop_end
