#!/bin/sh
# SPDX-License-Identifier: MIT
#
# control.sh - The control socket of a process with real connections: what its tools say is what
# the kernel at the other end says, and no client, whatever it does, holds the process up.
. "$(dirname "$0")/lib.sh"
interop_begin "$@"
[ "$INTEROP_INSIDE" = all ] || skip_all "no mount namespace can be made here"
mount -t tmpfs none /run || skip_all "no file system of its own for /run"

sock=$work/at/control
mkdir "$work/at"
tool() {
    name=$1
    shift
    "$lastack" "$name" --control "$sock" "$@"
}

# start_echo OPTION...: as start_server; it answers when it listens.
start_echo() {
    # shellcheck disable=SC2086
    "$lastack" echo $on_tun -q --control "$sock" "$@" >"$work/events" 2>"$work/server.err" &
    server=$!
    within 10 tool ss -Htl || not_ok "the server starts: $*"
}

# Connections that stay until they are told to end: COUNT to ADDR, each echoed five bytes.
# shellcheck disable=SC2016
holder='use IO::Socket::IP; my ($addr, $count, $ready, $end) = @ARGV; my @all;
    for (1 .. $count) {
        my $c = IO::Socket::IP->new(PeerHost => $addr, PeerPort => 7) or die $@;
        syswrite $c, "hello"; sysread $c, my $echo, 5; $echo eq "hello" or die "no echo";
        push @all, $c;
    }
    open my $f, ">", $ready; close $f;
    for (1 .. 600) { last if -e $end; select undef, undef, undef, 0.05 }'

hold() {
    perl -e "$holder" "$(ours "$1")" "$2" "$work/ready$1" "$work/end$1" &
    within 20 test -e "$work/ready$1"
}

echoes() {
    equal "$(echo still there | nc.openbsd -N -w 10 "$(ours "$1")" 7)" "still there"
}

# --- ss, seen from both ends ----------------------------------------------------------------------

start_echo
mirror() {
    ss -Htan | awk '$1 == "ESTAB" { print $5, $4 }' | sort >"$work/theirs"
    tool ss -Htan | awk '$1 == "ESTAB" { print $4, $5 }' | sort >"$work/ours"
    [ "$(wc -l <"$work/ours")" = "$1" ] || {
        echo "not $1 connections:"
        cat "$work/ours"
        return 1
    }
    diff "$work/theirs" "$work/ours"
}
check "thirty connections of the kernel's, IPv4" hold 4 30
check "and forty, IPv6" hold 6 40
check "ss shows what the kernel's ss shows, local and peer exchanged" mirror 70
families() {
    equal "$(tool ss -Htn4 | wc -l) $(tool ss -Htn6 | wc -l)" "30 40"
}
check "and each family by itself" families
by_port() {
    port=$(ss -Htn4 | awk 'NR == 1 { sub(/.*:/, "", $4); print $4 }')
    equal "$(tool ss -Htn "dport = :$port" | awk '{ print $5 }')" "$kernel4:$port"
}
check "a filter finds one connection by its peer's port" by_port
listens() {
    equal "$(tool ss -Htln | awk '{ print $1, $2, $4 }')" "LISTEN 0 *:7"
}
check "the listener stands where ss shows listeners" listens
page() {
    tool top --once >"$work/page" && contains "$work/page" "^ESTABLISHED  *70$"
}
check "top counts the same" page
json_page() {
    tool top --once --json | grep -q '"pid":'"$server"',.*"ESTABLISHED":70,'
}
check "and says so in JSON, with the process's number" json_page

# A terminal of its own for top, which is ended by a key or a signal.
# shellcheck disable=SC2016
terminal='my ($how, @command) = @ARGV; my ($out, $sent) = ("", 0);
    open my $master, "+<", "/dev/ptmx" or die "ptmx: $!"; my $n = pack "i", 0;
    ioctl $master, 0x40045431, $n or die "unlock: $!"; ioctl $master, 0x80045430, $n or die $!;
    my $name = "/dev/pts/" . unpack "i", $n; my $size = pack "SSSS", 12, 40, 0, 0;
    ioctl $master, 0x5414, $size or die "size: $!";
    open my $keep, "+<", $name or die "$name: $!"; my $before = `stty -g <$name`;
    my $pid = fork // die $!;
    if (!$pid) { require POSIX; POSIX::setsid(); open STDIN, "+<", $name or die $!;
        open STDOUT, ">&STDIN"; open STDERR, ">&STDIN"; close $master; close $keep;
        exec @command or die $! }
    my $status;
    for (1 .. 200) { my $r = ""; vec($r, fileno $master, 1) = 1;
        if (select $r, undef, undef, 0.05) { sysread $master, my $piece, 65536 or last; $out .= $piece; next }
        if (defined $status) { last }
        if (!$sent && $out =~ /ESTABLISHED/) { $sent = 1;
            if ($how eq "key") { syswrite $master, "q" } else { kill $how, $pid } }
        $status = $? if waitpid($pid, 1) == $pid }
    $out =~ /\e\[\?1049h/ && $out =~ /\e\[\?25h\e\[\?1049l$/ or die "the screen is not put back";
    `stty -g <$name` eq $before or die "the terminal is not put back";
    for (split /\r+\n/, $out) { s/\e\[[?0-9]*[A-Za-z]//g; length($_) <= 40 or die "too wide: " . unpack "H*", $_ }
    my $wanted = $how eq "key" ? 0 : $how; $status == $wanted or die "status $status"'
live() {
    perl -e "$terminal" "$1" "$lastack" top --control "$sock"
}
check "top in a terminal ends with q, and puts the terminal back" live key
check "so it does when it is ended by SIGTERM" live 15
check "and by SIGINT" live 2

# --- the texts of /proc -----------------------------------------------------------------------------

# The names of a line as the kernel has them.  $1: snmp or netstat, $2: "Tcp:"
same_names() {
    equal "$(tool nstat "--$1" | awk -v w="$2" '$1 == w { print; exit }')" \
        "$(awk -v w="$2" '$1 == w { print; exit }' "/proc/net/$1")"
}
check "--snmp has the names of /proc/net/snmp for Tcp" same_names snmp Tcp:
# Kernels differ in what they count: names that both have come in one order.
same_order() {
    names 1 <"/proc/net/netstat" >"$work/theirs"
    tool nstat --netstat | names 1 >"$work/ours"
    grep -Fxf "$work/ours" "$work/theirs" >"$work/a"
    grep -Fxf "$work/theirs" "$work/ours" >"$work/b"
    [ "$(wc -l <"$work/a")" -gt 80 ] && diff "$work/a" "$work/b"
}
names() {
    awk -v nth="$1" '$1 == "TcpExt:" && ++n == nth' | tr ' ' '\n'
}
check "--netstat has the names of /proc/net/netstat in its order" same_order
as_many_values() {
    tool nstat "--$1" | awk 'NR % 2 { n = NF; name = $1; next }
        NF != n || $1 != name { print; bad = 1 } END { exit bad || NR == 0 }'
}
check "--snmp has a value for every name" as_many_values snmp
check "--netstat has a value for every name" as_many_values netstat
number_of() { # in the text of /proc/net/snmp: LINE NAME
    awk -v w="$1" -v name="$2" '$1 == w && !n { for (i = 2; i <= NF; i++) if ($i == name) n = i; next }
        $1 == w { print $n; exit }'
}
counts() {
    equal "$(tool nstat --snmp | number_of Tcp: PassiveOpens)" 70 &&
        equal "$(tool nstat --snmp | number_of Tcp: CurrEstab)" 70
}
check "what it counts is what happened" counts
sockstat() {
    tool nstat --sockstat | grep -q '^TCP: inuse 71 orphan 0 tw 0 alloc 71 mem [0-9]*$'
}
check "--sockstat counts connections and the listener" sockstat

# --- sysctl -----------------------------------------------------------------------------------------

keepalive=net.ipv4.tcp_keepalive_time
check "a sysctl is read" equal "$(tool sysctl $keepalive)" "$keepalive = 7200"
refused() {
    tool sysctl -w $keepalive=600 2>"$work/err" && return 1
    contains "$work/err" "for reading only" && equal "$(tool sysctl -n $keepalive)" 7200
}
check "and not set without --control-write" refused
not_killed() {
    tool ss -K "dport = :$(ss -Htn4 | awk 'NR == 1 { sub(/.*:/, "", $4); print $4 }')" \
        >"$work/got" 2>&1
    equal "$(tool ss -Htn4 | wc -l)" 30
}
check "nor is a connection ended" not_killed

# --- clients that mean no good ------------------------------------------------------------------------

# shellcheck disable=SC2016
hostile='use Socket; use Fcntl; my ($path, $how) = @ARGV; $SIG{PIPE} = "IGNORE";
    sub client { socket my $c, AF_UNIX, SOCK_SEQPACKET, 0 or die $!;
        connect $c, sockaddr_un($path) or die "connect: $!"; $c }
    sub answer { my $c = shift; my $r = ""; vec($r, fileno $c, 1) = 1;
        select($r, undef, undef, 10) or die "no answer"; sysread $c, my $a, 65536; $a }
    if ($how eq "deaf") { # asks and never reads
        my $c = client; fcntl $c, F_SETFL, O_NONBLOCK; my $n = 0;
        $n++ while $n < 100000 && defined syswrite $c, "lastack/1 counters";
        $n < 100000 or die "it never stopped reading"; $| = 1; print "$n\n"; sleep 20;
    } elsif ($how eq "gone") { # leaves before the answer
        for (1 .. 300) { my $c = client; syswrite $c, "lastack/1 rows"; close $c }
    } elsif ($how eq "oversize") {
        my $c = client; syswrite $c, "lastack/1 " . "x" x 60000;
        my $a = answer($c); $a =~ /^lastack\/1 error EMSGSIZE / or die $a;
    } elsif ($how eq "garbage") {
        srand 7; my $c = client;
        for (1 .. 500) { syswrite $c, join "", map { chr rand 256 } 1 .. 1 + rand 3000;
            my $a = answer($c); $a =~ /^lastack\/1 error / or die $a }
    } elsif ($how eq "many") { # one more than there are places, all silent, and then some
        my @all = map { client } 1 .. 40;
        my $c = client; syswrite $c, "lastack/1 states";
        my $a = answer($c); $a =~ /\nend\n$/ or die $a;
        answer($all[0]) eq "" or die "the first was not sent away";
    }'
bad_client() {
    timeout 60 perl -e "$hostile" "$sock" "$1" && echoes 4 && mirror 70
}
check "clients that leave in the middle of a request harm nobody" bad_client gone
check "nor do requests that are too long" bad_client oversize
check "nor requests of random bytes" bad_client garbage
check "nor more clients than there are places" bad_client many
deaf_client() {
    perl -e "$hostile" "$sock" deaf >"$work/deaf" 2>&1 &
    deaf=$!
    within 10 grep -q '^[0-9]*$' "$work/deaf" && echoes 6 && mirror 70 && kill $deaf
}
check "a client that never reads harms nobody" deaf_client
touch "$work/end4" "$work/end6"
check "the connections end" within 10 sh -c "! '$lastack' ss --control '$sock' -Htn | grep -q ."
check "the server ends in order" stop_server
check "and takes its socket away" test ! -e "$sock"

# --- set where it is allowed --------------------------------------------------------------------------

start_echo --control-write --sysctl net.lastack.finding_idle=1
# An idle connection that nobody watches is a mistake of the application's.
findings() {
    sleep 10 | nc.openbsd -w 10 "$(ours 4)" 7 &
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
        sleep 0.5
        tool top --once >"$work/page" || return 1
        grep -q "^IDLE_UNWATCHED  .* ago, .*:7 from " "$work/page" && return
    done
    cat "$work/page"
    return 1
}
check "top shows what applications do wrong, and where it was seen last" findings
check "with --control-write a sysctl is set" equal \
    "$(tool sysctl -w $keepalive=600 && tool sysctl -n $keepalive)" "$keepalive = 600
600"
files() {
    printf '%s = 900\nnet.ipv4.tcp_no_such_thing = 1\n' $keepalive >"$work/wrong.conf"
    tool sysctl -p "$work/wrong.conf" 2>"$work/err" && return 1
    contains "$work/err" "wrong.conf:2: " && equal "$(tool sysctl -n $keepalive)" 600
}
check "a file with an unknown name sets nothing" files
range=net.ipv4.ip_local_port_range
lists() {
    tool sysctl -w "$range=40000 40099" net.ipv4.ip_local_reserved_ports=40001,40010-40019 &&
        equal "$(tool sysctl -n $range)" "40000	40099" &&
        tool sysctl -a | grep -q '^net.ipv4.ip_local_reserved_ports = 40001,40010-40019$' || return 1
    tool sysctl -w "$range=9 5" 2>"$work/err" && return 1
    contains "$work/err" "out of range" && equal "$(tool sysctl -n $range)" "40000	40099"
}
check "lists are set and read in the text of /proc/sys" lists
rm -f "$work"/ready* "$work"/end*
check "three connections" hold 4 3
ends_one() {
    port=$(ss -Htn4 | awk 'NR == 1 { sub(/.*:/, "", $4); print $4 }')
    tool ss -K "dport = :$port" >"$work/got" && mirror 2
}
check "one of them is ended, and the kernel knows" within 5 ends_one
touch "$work/end4"

# --- sockets that were left, and more than one process -------------------------------------------------

no_socket() {
    echo text >"$work/at/file"
    "$lastack" echo --tun la9 --addr 10.77.0.1/24 --control "$work/at/file" 2>"$work/err" &&
        return 1
    contains "$work/err" "no socket" && equal "$(cat "$work/at/file")" text
}
ip tuntap add dev la9 mode tun && ip link set la9 up
check "a file that is no socket is left alone" no_socket
second_of() {
    "$lastack" echo --tun la9 --addr 10.77.0.1/24 --control "$sock" 2>"$work/err" && return 1
    contains "$work/err" "another process answers there"
}
check "a socket on which somebody answers is not taken" second_of
check "and its owner goes on" echoes 4
kill -9 "$server"
wait "$server" 2>/dev/null
gone() {
    tool ss 2>"$work/err" && return 1
    [ -e "$sock" ] && contains "$work/err" "its process is gone"
}
check "the socket of a killed process says so" gone
start_echo
check "and the next process takes its place" echoes 6
stop_server

# shellcheck disable=SC2086
"$lastack" echo $on_tun -q >"$work/events" 2>"$work/server.err" &
server=$!
check "one process is found without its path" within 5 "$lastack" ss -Htl
"$lastack" echo --tun la9 --addr 10.77.0.1/24 -q >"$work/second" 2>&1 &
second=$!
two() {
    "$lastack" ss -Htl >/dev/null 2>"$work/err"
    equal "$(grep -c -- --control "$work/err")" 2 && contains "$work/err" "/echo.$server$" &&
        contains "$work/err" "/echo.$second$"
}
check "of two, both are named" within 5 two
kill "$second"
wait "$second"
check "of the one that is left, it is asked" within 5 "$lastack" ss -Htl
interop_end
