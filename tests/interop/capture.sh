#!/bin/sh
# SPDX-License-Identifier: MIT
#
# capture.sh - What --pcap, --ladder and --json show of real traffic.
. "$(dirname "$0")/lib.sh"
command -v tshark >/dev/null || skip_all "no tshark here"
interop_begin "$@"

mkdir "$work/www"
make_file "$work/www/file" 4
start_server serve --pcap "$work/trace.pcapng" "$work/www"
for family in 4 6; do
    check "a download while capturing, IPv$family" \
        curl -gsS --max-time 20 -o "$work/got" "$(url $family file)"
    check "an upload while capturing, IPv$family" \
        curl -gsS --max-time 20 -T "$work/www/file" "$(url $family up)"
    check "a ping while capturing, IPv$family" ping -c 1 "$(ours $family)"
    check "a refused port while capturing, IPv$family" \
        sh -c "! nc.openbsd -z -w 2 $(ours $family) 99"
done
check "the server ends in order" stop_server

opens() {
    tshark -r "$1" >"$work/tshark.out" 2>"$work/tshark.err"
    equal $? 0 || return 1
    grep -v '^Running as user' "$work/tshark.err" >"$work/complaints"
    [ ! -s "$work/complaints" ] || {
        cat "$work/complaints"
        return 1
    }
}
tshark_count() {
    tshark -r "$work/trace.pcapng" -o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE \
        -Y "$1" 2>/dev/null | wc -l
}
bad_checksum='tcp.checksum.status == 0 || ip.checksum.status == 0 ||
    icmp.checksum.status == 0 || icmpv6.checksum.status == 0'
check "tshark opens it without a complaint" opens "$work/trace.pcapng"
check "there is something in it" [ "$(wc -l <"$work/tshark.out")" -gt 300 ]
check "super-segments are whole and say so" \
    [ "$(tshark_count "(ip.len > 9000 || ipv6.plen > 9000) && frame.comment contains \"segments of\"")" -gt 20 ]
check "nothing is malformed" equal "$(tshark_count '_ws.malformed')" 0
check "every checksum is right" \
    equal "$(tshark_count "$bad_checksum")" 0
check "both directions are marked" \
    test "$(tshark_count 'frame.packet_flags_direction == 1')" -gt 100 \
    -a "$(tshark_count 'frame.packet_flags_direction == 2')" -gt 100
check "packets carry the stack's verdict" [ "$(tshark_count 'frame.comment')" -gt 0 ]

start_server serve --pcap "$work/trace.pcapng" --snap 100 --ladder \
    --trace "$work/trace.jsonl" "$work/www"
check "a download while drawing" curl -gsS --max-time 20 -o "$work/got" "$(url 4 file)"
check "its client closed first" within 10 contains "$work/events" '"to":"CLOSE-WAIT"'
check "the server ends in order" stop_server
check "tshark opens a capture cut to 100 bytes a packet" opens "$work/trace.pcapng"
check "the ladder shows the states" contains "$work/events" "CLOSE-WAIT"
check "plot draws what --trace wrote" sh -c \
    "'$lastack' plot '$work/trace.jsonl' >'$work/trace.svg' && grep -q '<path' '$work/trace.svg'"
check "every event line is JSON" sh -c \
    "grep '^{' '$work/events' | { ! command -v python3 >/dev/null || python3 -c 'import json,sys
[json.loads(l) for l in sys.stdin]'; }"
interop_end
