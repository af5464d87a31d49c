#!/bin/sh
# SPDX-License-Identifier: MIT
#
# offload.sh - The same bytes, whatever is moved at once: offload on, segments merged when
# received, neither, several queues, and with frames that are lost on the device.
. "$(dirname "$0")/lib.sh"
interop_begin "$@"

mkdir "$work/www"
make_file "$work/www/big" 64
for size in 0 1 1447 1448 1449 65399 65400 65401 1048575; do
    head -c $size "$work/www/big" >"$work/www/odd$size"
done

# moves 4|6 NAME: down and up, and equal.
moves() {
    curl -gsS --max-time 60 -o "$work/got" "$(url "$1" "$2")" &&
        same_file "$work/www/$2" "$work/got" &&
        curl -gsS --max-time 60 -T "$work/www/$2" "$(url "$1" sent)" >"$work/answer" &&
        same_file "$work/www/$2" "$work/www/sent"
}

odd_sizes() {
    for name in "$work"/www/odd*; do
        moves "$1" "${name##*/}" || return 1
    done
}

# A number from the summary's counters, drops or loop; 0 if it is not there.
told() {
    number_told=$(sed -n "s/.*\"event\":\"summary\".*\"$1\":\([0-9]*\).*/\1/p" "$work/events")
    echo "${number_told:-0}"
}

# A counter of the kernel's in this namespace, from /proc/net/snmp or /proc/net/netstat.
kernel_told() {
    awk -v name="$1" '{
        if (!(($1, "names") in row)) { row[$1, "names"] = $0; next }
        split(row[$1, "names"], names)
        for (i = 2; i <= NF; i++) if (names[i] == name) sum += $i
    } END { print sum + 0 }' /proc/net/snmp /proc/net/netstat
}

# What the device lost or refused in either direction.
device_lost() {
    awk -v name="$dev:" '$1 == name { print $4 + $5 + $12 + $13 }' /proc/net/dev
}

# Nobody found a loss or a fault.  A probe is neither: on a busy machine an ACK comes later than a
# probe expects it, so the tail may be sent once more, and never anything else.
no_more_than_probes() {
    [ "$1" -le "$2" ] || {
        echo "$3: $1 segments sent again, and $2 probes"
        return 1
    }
}

nothing_went_wrong() {
    equal "lost $(told packets_lost)" "lost 0" &&
        equal "lost by the device $(($(device_lost) - lost_before))" "lost by the device 0" &&
        equal "malformed $(told FRAME_OFFLOAD)" "malformed 0" &&
        equal "wrong checksums $(told InCsumErrors)" "wrong checksums 0" &&
        equal "wrong to the kernel $(kernel_told InErrs)" "wrong to the kernel 0" &&
        equal "recoveries $(told TCPSackRecovery) $(told TCPRenoRecovery)" "recoveries 0 0" &&
        no_more_than_probes "$(told RetransSegs)" "$(told TCPLossProbes)" lastack &&
        no_more_than_probes $(($(kernel_told RetransSegs) - again_before)) \
            $(($(kernel_told TCPLossProbes) - probes_before)) "the kernel"
}

for how in on merge off; do
    lost_before=$(device_lost)
    again_before=$(kernel_told RetransSegs) probes_before=$(kernel_told TCPLossProbes)
    start_server serve --offload $how "$work/www"
    for family in 4 6; do
        check "64 MiB each way over IPv$family, --offload $how" moves $family big
        check "odd sizes over IPv$family, --offload $how" odd_sizes $family
    done
    check "the server ends in order, --offload $how" stop_server
    check "no frame was malformed, lost or repeated, --offload $how" nothing_went_wrong
    segments=$(told InSegs) frames=$(told packets_in) merged=$(told packets_merged)
    case $how in
    on) check "segments came many at once" [ "$segments" -gt $((frames * 8)) ] ;;
    merge) check "segments came one by one and were merged" \
        [ "$merged" -gt 20000 -a "$frames" -ge "$segments" ] ;;
    off) check "segments came one by one and stayed so" \
        [ "$merged" = 0 -a "$frames" -ge "$segments" ] ;;
    esac
done

# Each 100th frame is lost on its way, whole: super-segments are sent again, by us and by the kernel.
lossy() {
    nft add table inet lossy && nft add chain inet lossy on_device '{ type filter hook '"$1"' priority 0; }' &&
        nft add rule inet lossy on_device meta l4proto tcp numgen inc mod 100 == 0 counter drop
}

was_lost() {
    [ "$(nft list table inet lossy | sed -n 's/.*counter packets \([0-9]*\) .*/\1/p')" -gt 3 ]
}

head -c 33554433 "$work/www/big" >"$work/www/some"
if command -v nft >/dev/null && nft list tables >/dev/null 2>&1; then
    for hook in prerouting output; do
        start_server serve "$work/www"
        check "frames are lost in $hook" lossy $hook
        for family in 4 6; do
            check "32 MiB and a byte each way, each 100th frame lost in $hook, IPv$family" moves $family some
        done
        check "frames were lost in $hook" was_lost
        nft delete table inet lossy
        check "the server ends in order after losses in $hook" stop_server
        if [ $hook = prerouting ]; then
            check "what was lost was sent again" [ "$(told RetransSegs)" -gt 0 ]
        fi
    done
else
    echo "# no nft here: losses are not tested"
fi

closed_udp_port() {
    start_server serve "$work/www"
    # The kernel leaves the checksum of what it sends us unfinished; that is no reason for silence.
    perl -MIO::Socket::IP -e 'my $s = IO::Socket::IP->new(PeerHost => $ARGV[0], PeerPort => 9, Proto => "udp") or die;
        $s->send("x"); $s->timeout(5); my $in = ""; vec($in, fileno($s), 1) = 1;
        select($in, undef, undef, 5) or die "no answer"; defined $s->recv(my $b, 10) and die "data?"; print "$!\n"' \
        "$(ours "$1")" >"$work/udp" 2>&1
    stop_server
    contains "$work/udp" "Connection refused"
}
for family in 4 6; do
    check "a closed UDP port is told of over IPv$family" closed_udp_port $family
done

# A device made with several queues; then one that was not.
ip link del $dev
ip tuntap add dev $dev mode tun multi_queue
ip addr add $kernel4/24 dev $dev
ip addr add $kernel6/64 dev $dev nodad
ip link set $dev txqueuelen 10000 up
for queues in 1 4; do
    start_server serve --queues $queues "$work/www"
    check "64 MiB each way over $queues of a device's queues, IPv4" moves 4 big
    check "64 MiB each way over $queues of a device's queues, IPv6" moves 6 big
    check "the server ends in order, $queues queues" stop_server
done
ip link del $dev
make_device
several_on_one() {
    "$lastack" serve $on_tun --queues 2 "$work/www" 2>"$work/err"
    equal $? 1 && contains "$work/err" "was not made for so many queues"
}
check "several queues of a device that has one are refused" several_on_one
interop_end
