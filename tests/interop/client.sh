#!/bin/sh
# SPDX-License-Identifier: MIT
#
# client.sh - lastack as the client of the kernel's servers, and the small commands.
. "$(dirname "$0")/lib.sh"
interop_begin "$@"

make_file "$work/file" 20
size=$(stat -c %s "$work/file")

# listen 4|6 PORT FILE: a server of the kernel's that answers one request with a file.
listen() {
    {
        printf 'HTTP/1.1 200 OK\r\nContent-Length: %s\r\nConnection: close\r\n\r\n' "$size"
        cat "$3"
    } | nc.openbsd -"$1" -N -l "$(kernel "$1")" "$2" >"$work/request" &
    listener=$!
    within 5 listening "$2"
}

listening() {
    ss -Hltn "sport = :$1" | grep -q LISTEN
}

host() {
    if [ "$1" = 4 ]; then echo $kernel4; else echo "[$kernel6]"; fi
}

gets() {
    listen "$1" 8001 "$work/file" || return 1
    "$lastack" get $on_tun -q -o "$work/got" "http://$(host "$1"):8001/some/file" || return 1
    wait $listener
    same_file "$work/file" "$work/got" &&
        contains "$work/request" "GET /some/file HTTP/1.1" &&
        contains "$work/request" "Host: $(host "$1" | sed 's/\[/\\[/; s/\]/\\]/'):8001"
}

# A peer that ends early must not look like success.
cut_short() {
    head -c 1000 "$work/file" >"$work/short"
    listen "$1" 8002 "$work/short" || return 1
    "$lastack" get $on_tun -q -o "$work/got" "http://$(host "$1"):8002/" 2>"$work/err"
    equal $? 1 && contains "$work/err" "before its answer was complete"
}

refused() {
    "$lastack" get $on_tun -q "http://$(host "$1"):8003/" 2>"$work/err"
    equal $? 1 && contains "$work/err" "Connection refused"
}

# Bytes both ways on one connection, each side ending by itself.
# A peer that sends while it reads, and goes on sending when it has read our FIN, which nc does not.
# shellcheck disable=SC2016
while_reading='use IO::Socket::IP;
    my ($addr, $port, $file) = @ARGV;
    my $l = IO::Socket::IP->new(LocalHost => $addr, LocalPort => $port, Listen => 1, ReuseAddr => 1)
        or die "$addr $port: $@";
    my $c = $l->accept or die;
    my $piece = "";
    defined(my $sender = fork) or die;
    if (!$sender) {
        open my $f, "<", $file or die;
        while (sysread $f, $piece, 65536) { print $c $piece or die }
        $c->flush;
        shutdown $c, 1;
        exit 0;
    }
    while (sysread $c, $piece, 65536) { print $piece }
    waitpid $sender, 0;
    exit($? != 0);'

both_ways() {
    perl -e "$while_reading" "$(kernel "$1")" 8004 "$work/file" >"$work/heard" &
    listener=$!
    within 5 listening 8004 || return 1
    "$lastack" nc $on_tun -q "$(kernel "$1")" 8004 <"$work/file" >"$work/got" || return 1
    wait $listener || return 1
    same_file "$work/file" "$work/got" && same_file "$work/file" "$work/heard"
}

# Half-close: a server of the kernel's that reads up to our FIN before it sends anything.
# shellcheck disable=SC2016
after_fin='use IO::Socket::IP;
    my ($addr, $port, $file) = @ARGV;
    my $l = IO::Socket::IP->new(LocalHost => $addr, LocalPort => $port, Listen => 1, ReuseAddr => 1)
        or die "$addr $port: $@";
    my $c = $l->accept or die;
    my ($heard, $piece) = (0, "");
    $heard += length $piece while sysread $c, $piece, 65536;
    open my $f, "<", $file or die;
    while (sysread $f, $piece, 65536) { print $c $piece or die }
    close $c or die;
    print "$heard\n";'

answers_after_fin() {
    perl -e "$after_fin" "$(kernel "$1")" 8005 "$work/file" >"$work/heard" &
    listener=$!
    within 5 listening 8005 || return 1
    "$lastack" nc $on_tun -q "$(kernel "$1")" 8005 <"$work/file" >"$work/got" || return 1
    wait $listener || return 1
    same_file "$work/file" "$work/got" && equal "$(cat "$work/heard")" "$size"
}

nc_listens() {
    "$lastack" nc $on_tun -q -l 9000 <"$work/file" >"$work/got" &
    server=$!
    within 5 connects "$1" 9000 "$work/heard" || return 1
    wait $server
    status=$?
    server=
    equal $status 0 && same_file "$work/file" "$work/got" && same_file "$work/file" "$work/heard"
}

connects() {
    nc.openbsd -N -w 20 "$(ours "$1")" "$2" <"$work/file" >"$3"
}

echoes() {
    "$lastack" echo $on_tun -q --port 7 &
    server=$!
    within 5 connects "$1" 7 "$work/heard" || return 1
    stop_server && same_file "$work/file" "$work/heard"
}

for family in 4 6; do
    check "get fetches 20 MiB from a kernel server over IPv$family" gets $family
    check "get says when an answer was cut short, over IPv$family" cut_short $family
    check "get says that a connection was refused, over IPv$family" refused $family
    check "nc sends and receives 20 MiB at once over IPv$family" both_ways $family
    check "nc's half-close leaves the other direction open, over IPv$family" \
        answers_after_fin $family
    check "nc -l serves a kernel client over IPv$family" nc_listens $family
    check "echo returns 20 MiB over IPv$family" echoes $family
done

names() {
    listen 4 8006 "$work/file" || return 1
    "$lastack" get $on_tun -q -o "$work/got" "http://peer.example:8006/" || return 1
    wait $listener
    same_file "$work/file" "$work/got"
}
# Without a mount namespace of our own /etc/hosts is not ours to change.
if [ "$INTEROP_INSIDE" = all ] && echo "$kernel4 peer.example" >"$work/hosts" &&
    mount --bind "$work/hosts" /etc/hosts 2>"$work/said"; then
    check "a name is looked up by the host's resolver" names
    umount /etc/hosts
fi
interop_end
