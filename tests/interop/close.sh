#!/bin/sh
# SPDX-License-Identifier: MIT
#
# close.sh - Every way a connection ends: either side first, half, by reset.  Where TIME-WAIT
# stands is asked of both: ss tells the kernel's states, the events tell ours.
. "$(dirname "$0")/lib.sh"
interop_begin "$@"

mkdir "$work/www"
make_file "$work/www/file" 8

request() {
    printf 'GET /%s HTTP/1.1\r\nHost: %s\r\n%s\r\n' "$1" test "${2:-}"
}

# states PORT: ours for the connection to this port of the kernel's, in order, on one line.
states() {
    grep '"event":"state"' "$work/events" | grep ":$1\"" |
        sed 's/.*"to":"\([^"]*\)".*/\1/' | tr '\n' ' '
}

ours_are() {
    [ "$(states "$1")" = "$2" ] || {
        echo "our states for port $1: $(states "$1")"
        echo "expected:               $2"
        return 1
    }
}

kernel_in() {
    [ -n "$(ss -Htn state "$1" "sport = :$2")" ] || {
        echo "port $2 is not in $1 with the kernel:"
        ss -tan "sport = :$2"
        return 1
    }
}

kernel_has_nothing() {
    [ -z "$(ss -Htan "sport = :$1")" ] || {
        ss -tan "sport = :$1"
        return 1
    }
}

curl_from() {
    curl -gsS --max-time 20 --local-port "$2" -o "$work/got" "$(url "$1" file)" &&
        same_file "$work/www/file" "$work/got"
}

# --- we close first -------------------------------------------------------------------------------

start_server serve --close-first --sysctl net.lastack.tcp_msl_ms=500 "$work/www"
port=20000
for family in 4 6; do
    port=$((port + 1))
    check "the answer comes whole when we close first, IPv$family" curl_from $family $port
    check "the kernel has nothing left of it, IPv$family" within 10 kernel_has_nothing $port
    check "we were in TIME-WAIT and left it after 2MSL, IPv$family" within 10 \
        ours_are $port "SYN-RECEIVED ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT CLOSED "
done
stop_server
check "each TIME-WAIT, shorter than 4 s, was counted once" contains "$work/events" '"TWKilled":2[,}]'

# --- the kernel closes first ----------------------------------------------------------------------

start_server serve "$work/www"
for family in 4 6; do
    port=$((port + 1))
    check "curl closes after the answer, IPv$family" curl_from $family $port
    check "the kernel is in TIME-WAIT, IPv$family" within 10 kernel_in time-wait $port
    check "we went through CLOSE-WAIT and LAST-ACK, IPv$family" within 10 \
        ours_are $port "SYN-RECEIVED ESTABLISHED CLOSE-WAIT LAST-ACK CLOSED "
done

# --- half-close -----------------------------------------------------------------------------------

half_close() {
    request file | nc.openbsd -N -w 20 "$(ours "$1")" 80 >"$work/answer" || return 1
    tail -c 8388608 "$work/answer" >"$work/got"
    same_file "$work/www/file" "$work/got"
}

half_close_twice() {
    {
        request file
        request absent
    } | nc.openbsd -N -w 20 "$(ours "$1")" 80 >"$work/answer" || return 1
    equal "$(grep -ac 'HTTP/1.1 ' "$work/answer")" 2 && contains "$work/answer" "HTTP/1.1 404"
}

for family in 4 6; do
    check "a client that shut down sending gets its answer, IPv$family" half_close $family
    check "and both of two, IPv$family" half_close_twice $family
done

# --- resets ---------------------------------------------------------------------------------------

# A process killed with bytes unread: its kernel sends a reset.
# More than all buffers on the way take.
truncate -s 256M "$work/www/large"
killed_reader() {
    curl -gsS --limit-rate 200k --local-port "$2" -o "$work/got" "$(url "$1" large)" 2>/dev/null &
    pid=$!
    within 5 kernel_in established "$2" || return 1
    sleep 0.5
    kill -9 $pid
    wait $pid 2>/dev/null
    within 5 reset_seen "$2"
}

reset_seen() {
    grep '"event":"end"' "$work/events" | grep ":$1\"" | grep -q '"reason":"RESET"'
}

# SO_LINGER with no time: a reset in the middle of the client's own request.
# shellcheck disable=SC2016
linger_0='use IO::Socket::IP; use Socket;
    my ($addr, $port, $head, $bytes) = @ARGV;
    my $c = IO::Socket::IP->new(PeerHost => $addr, PeerPort => 80, LocalPort => $port) or die $@;
    setsockopt $c, SOL_SOCKET, SO_LINGER, pack "ii", 1, 0 or die;
    $head =~ s/\\r\\n/\r\n/g;
    print $c $head, "x" x $bytes or die;
    $c->flush;
    select undef, undef, undef, 0.2;
    close $c;'

reset_writer() {
    perl -e "$linger_0" "$(ours "$1")" "$2" \
        'PUT /reset HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n' 300000 || return 1
    within 5 reset_seen "$2" && within 5 sh -c "! ls -A '$work/www' | grep -q lastack-put" &&
        [ ! -e "$work/www/reset" ]
}

killed_writer() {
    mkfifo "$work/pipe"
    curl -gsS --local-port "$2" -T - "$(url "$1" upload)" <"$work/pipe" 2>/dev/null &
    pid=$!
    exec 9>"$work/pipe"
    head -c 300000 "$work/www/file" >&9
    within 5 sh -c "ls -A '$work/www' | grep -q lastack-put" || return 1
    kill -9 $pid
    wait $pid 2>/dev/null
    exec 9>&-
    rm "$work/pipe"
    within 5 sh -c "! ls -A '$work/www' | grep -q lastack-put" && [ ! -e "$work/www/upload" ]
}

for family in 4 6; do
    port=$((port + 2))
    check "a client killed while it receives ends in a reset, IPv$family" \
        killed_reader $family $port
    check "an upload cut short leaves no file, IPv$family" killed_writer $family $((port + 1))
    check "an upload reset by its client leaves no file, IPv$family" \
        reset_writer $family $((port + 50))
    check "the server goes on, IPv$family" curl_from $family $((port + 100))
done
# A port nobody listens on: refused at once, not timed out.
refused() {
    curl -gsS --max-time 5 "$(url "$1" "" | sed 's#/$#:81/#')" 2>"$work/err"
    equal $? 7
}
check "a port without a listener is refused, IPv4" refused 4
check "a port without a listener is refused, IPv6" refused 6
check "the server ends in order" stop_server

# --- ending the server with connections open ------------------------------------------------------

start_server serve "$work/www"
ended() {
    # Not slower: it reads all that its kernel has before it sees the reset.
    curl -gsS --limit-rate 1M --max-time 20 -o "$work/got" "$(url 4 large)" 2>"$work/err" &
    pid=$!
    within 5 sh -c "ss -Htn state established | grep -q ." || return 1
    sleep 0.3
    stop_server || return 1
    wait $pid
    equal $? 56 # curl: failure in receiving network data
}
check "a server that is ended resets its clients" ended
interop_end
