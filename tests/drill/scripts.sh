#!/bin/sh
# SPDX-License-Identifier: MIT
#
# scripts.sh - Every packet script of this folder, on lastack, in virtual time.
#
# What names no version of IP runs over IPv4, over IPv6 and with mapped addresses; everything
# runs with sequence numbers that begin at 0 and that pass 2^31 and 2^32 on the way.  TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
lastack=${LASTACK:-build/lastack}
status=0

drill() {
    "$lastack" drill --tap "$@" || status=1
}

own=$(grep -rl --include='*.pkt' '^--ip_version' tests/drill | sort)
any=$(grep -rL --include='*.pkt' '^--ip_version' tests/drill | sort)
seed=1
for isn in 0 2147483600 4294967250 305419896; do
    for version in ipv4 ipv6 ipv4-mapped-ipv6; do
        # shellcheck disable=SC2086
        drill --ip_version=$version --remote_isn=$isn --seed=$seed $any
        seed=$((seed + 1))
    done
    # shellcheck disable=SC2086
    drill --remote_isn=$isn --seed=$seed $own
done
exit $status
