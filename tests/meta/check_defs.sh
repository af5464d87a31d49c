#!/bin/sh
# SPDX-License-Identifier: MIT
# check_defs.sh - A name that stands only in its list is seen.
. tests/meta/lib.sh

sample core/tcp/x.c 'int x = LA_DROP_RESET + LA_COUNT_OutRsts + LA_EINVAL + LA_OPT_TTL + k->sack + LA_ADDRS_MAX;\n'
both() { # LIST USED UNUSED
    sample "include/lastack/$1" '/* head */\n%s\n%s\n' ''
    printf '/* head */\n%s\n%s\n' "$2" "$3" >"include/lastack/$1"
    "$root/tools/check_defs.sh"
    result=$?
    rm "include/lastack/$1"
    return $result
}
alone() {
    both "$1" "$2" ""
}

catches "a drop reason nobody gives" "include/lastack/drops.def:3: RES is listed" \
    both drops.def 'LA_DROP(RESET, INFO, "x")' 'LA_DROP(RES, INFO, "y")'
catches "a counter nobody counts" "include/lastack/counters.def:3: InSegs is listed" \
    both counters.def 'LA_COUNTER(Tcp, OutRsts, "x")' 'LA_COUNTER(Tcp, InSegs, "y")'
catches "an error nobody returns" "include/lastack/errors.def:3: ENOMEM is listed" \
    both errors.def 'LA_ERROR(EINVAL, -1, "x")' 'LA_ERROR(ENOMEM, -2, "y")'
catches "an option nobody reads" "include/lastack/options.def:3: TOS is listed" \
    both options.def 'LA_OPTION(TTL, "hops", 1, 255, "x")' 'LA_OPTION(TOS, "bits", 0, 255, "y")'
catches "a sysctl nobody reads" "include/lastack/knobs.def:3: fack is listed" \
    both knobs.def 'LA_KNOB(sack, "net.ipv4.tcp_sack", 1, 0, 1, "x")' \
    'LA_KNOB(fack, "net.ipv4.tcp_fack", 1, 0, 1, "y")'
catches "a limit nobody keeps" "include/lastack/limits.h:3: LA_ROUTES_MAX is listed" \
    both limits.h '#define LA_ADDRS_MAX 16' '#define LA_ROUTES_MAX 16'
passes "a drop reason that is given" alone drops.def 'LA_DROP(RESET, INFO, "x")'
passes "a counter that is counted" alone counters.def 'LA_COUNTER(Tcp, OutRsts, "x")'
passes "a sysctl that is read" alone knobs.def 'LA_KNOB(sack, "net.ipv4.tcp_sack", 1, 0, 1, "x")'
passes "a limit that is kept" alone limits.h '#define LA_ADDRS_MAX 16'
done_testing
