#!/bin/sh
# SPDX-License-Identifier: MIT
#
# bulk.sh - A gigabyte each way between lastack and the kernel's TCP, over both families, and
# the same bytes at the end.
. "$(dirname "$0")/lib.sh"
interop_begin "$@"

size_mb=${INTEROP_BULK_MB:-1024}
big_dir
mkdir "$big/www"
make_file "$big/www/file" "$size_mb"
start_server serve "$big/www"

fetch() {
    curl -gsS --max-time 110 -o "$big/fetched" "$(url "$1" file)" &&
        same_file "$big/www/file" "$big/fetched"
}

send() {
    curl -gsS --max-time 110 -T "$big/www/file" "$(url "$1" sent)" >"$work/answer" &&
        same_file "$big/www/file" "$big/www/sent"
}

check "curl downloads $size_mb MiB over IPv4" fetch 4
check "curl uploads $size_mb MiB over IPv4" send 4
rm -f "$big/fetched" "$big/www/sent"
check "curl downloads $size_mb MiB over IPv6" fetch 6
check "curl uploads $size_mb MiB over IPv6" send 6
check "the server ends in order" stop_server
check "no packet was lost on the device" contains "$work/events" '"packets_lost":0,'
interop_end
