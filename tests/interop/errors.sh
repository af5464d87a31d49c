#!/bin/sh
# SPDX-License-Identifier: MIT
#
# errors.sh - What the command says when it can not do what it is asked, and with what status:
# 2 for what was not understood, 1 for what did not work.
. "$(dirname "$0")/lib.sh"
interop_begin "$@"

mkdir "$work/www"

# says STATUS WORDS COMMAND...: ends with the status and has the words on standard error.
says() {
    want=$1 words=$2
    shift 2
    timeout 10 "$@" >"$work/out" 2>"$work/err"
    status=$?
    [ $status = "$want" ] || {
        echo "status $status, not $want"
        cat "$work/err"
        return 1
    }
    contains "$work/err" "$words"
}

serve() {
    "$lastack" serve --addr 10.9.0.2/24 "$@"
}

check "no command" says 2 "usage: lastack COMMAND" "$lastack"
check "an unknown command" says 2 'unknown command "sevre"' "$lastack" sevre
check "an unknown option before a command" says 2 "unknown option --tun" "$lastack" --tun
check "an unknown option" says 2 "unknown option --prot" "$lastack" serve --prot 80 .
check "an unknown letter" says 2 "unknown option -z" "$lastack" serve -z .
check "an option without its value" says 2 "option --port needs a value" "$lastack" serve --port
check "a port out of range" says 2 "not a value" "$lastack" serve --port 65536 .
check "no directory" says 2 "which directory" "$lastack" serve
check "an address that is none" says 2 "not an address" "$lastack" serve --addr 10.0.0.256/24 .
check "a prefix longer than the family has" says 2 "not an address" \
    "$lastack" serve --addr 10.0.0.1/33 .
check "a sysctl that does not exist" says 2 "no such sysctl: net.ipv4.tcp_tw_recycle" \
    "$lastack" serve --sysctl net.ipv4.tcp_tw_recycle=1 .
check "a sysctl out of range" says 2 "net.lastack.tcp_msl_ms: An argument is out of its range" \
    "$lastack" serve --tun $dev --addr 10.9.0.2/24 --sysctl net.lastack.tcp_msl_ms=99999999 .
check "a sysctl without a number" says 2 "not NAME=NUMBER" "$lastack" serve --sysctl net.ipv4.tcp_sack=y .
check "a device without an address for us" says 2 "needs --addr" "$lastack" serve --tun $dev .
check "a device that does not exist" says 1 "no such device: nosuch" \
    "$lastack" serve --tun nosuch --addr 10.9.0.2/24 .
check "a device name that is too long" says 1 "no such device" \
    "$lastack" serve --tun a123456789012345 --addr 10.9.0.2/24 .
check "a device that is no TUN device" says 1 "is not a TUN device" \
    "$lastack" serve --tun lo --addr 10.9.0.2/24 .
ip tuntap add dev tap0 mode tap
check "a TAP device" says 1 "is not a TUN device" \
    "$lastack" serve --tun tap0 --addr 10.9.0.2/24 .
check "a directory that does not exist" says 1 "No such file or directory" \
    "$lastack" serve --tun $dev --addr 10.9.0.2/24 "$work/absent"
check "a user that does not exist" says 1 "no such user: nobody-here" \
    "$lastack" serve --tun $dev --addr 10.9.0.2/24 --user nobody-here .
check "a capture that can not be written" says 1 "No such file or directory" \
    "$lastack" serve --tun $dev --addr 10.9.0.2/24 --pcap "$work/absent/x" .
check "a URL that is none" says 2 "not a URL" "$lastack" get 10.0.0.1/x
check "a URL of another scheme" says 2 "only http" "$lastack" get https://10.0.0.1/
check "nc without a port" says 2 "which host and port" "$lastack" nc 10.0.0.1
check "a name that does not exist" says 1 "no-such-host.invalid" \
    "$lastack" ping --tun $dev --addr 10.9.0.2/24 -c 1 no-such-host.invalid
check "a family we have no address of" says 1 "no IPv6 address" \
    "$lastack" ping --tun $dev --addr 10.9.0.2/24 -c 1 fd09::1

down() {
    ip tuntap add dev la1 mode tun
    "$lastack" serve --tun la1 --addr 10.8.0.2/24 "$work/www" 2>"$work/err" &
    server=$!
    within 10 contains "$work/err" "device la1 is down" && stop_server
}
check "a device that is down is said to be" down

start_server serve "$work/www"
check "a device that is busy" says 1 "device $dev is busy" \
    "$lastack" serve --tun $dev --addr 10.9.0.3/24 "$work/www"
stop_server

if command -v setpriv >/dev/null; then
    cp "$lastack" "$work/lastack"
    chmod 755 "$work" "$work/lastack"
    check "no permission" says 1 "no permission" \
        setpriv --reuid 65534 --regid 65534 --clear-groups "$work/lastack" serve "$work/www"
fi

# Running as somebody else once the device is open.
as_nobody() {
    start_server serve --user nobody "$work/www"
    equal "$(stat -c %U "/proc/$server")" nobody &&
        contains "/proc/$server/status" "CapEff:	0000000000000000"
}
if [ "$INTEROP_INSIDE" = all ]; then
    check "privileges are dropped when asked" as_nobody
    stop_server
fi

# A device taken away under a running server.
taken_away() {
    start_server serve "$work/www"
    ip link del $dev
    wait $server
    status=$?
    server=
    equal $status 1 && contains "$work/server.err" "device $dev: No such device"
}
check "a device that is taken away ends the server, status 1" taken_away

# A device of our own making: one command is enough.
made() {
    : >"$work/events" # or the last server's words would be taken for this one's
    "$lastack" serve --json "$work/www" >"$work/events" 2>"$work/err" &
    server=$!
    within 5 server_listens || return 1
    echo hello >"$work/www/hello"
    equal "$(curl -gsS --max-time 5 http://10.108.97.2/hello)" hello || return 1
    equal "$(curl -gsS --max-time 5 'http://[fd6c:6173:7461:636b::2]/hello')" hello || return 1
    stop_server && equal "$(ip -br link | grep -c lastack)" 0
}
check "without a device one is made, works, and is gone afterwards" made
for command in serve get echo nc ping wire; do
    check "$command --help" "$lastack" $command --help
done
check "--version" "$lastack" --version
interop_end
