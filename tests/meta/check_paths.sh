#!/bin/sh
# SPDX-License-Identifier: MIT
# check_paths.sh - What prose names and is not there is seen.
. tests/meta/lib.sh

sample core/tcp/arrives.c 'int step5_ack(void);\n/* only_in_a_comment */\n'
sample docs/decisions/0001-x.md ''
sample README.md 'x\n'
sample tests/a.sh ''
sample tools/a ''

prose() { # TEXT [PATH]
    path=${2:-docs/a.md}
    printf '%s\n' "$1" >"$path"
    "$tools/check_paths" core/tcp/arrives.c -- "$path"
}

catches "a path in backticks" 'docs/a.md:2: `core/tcp/gone.c` does not exist' \
    prose 'first line
second: `core/tcp/gone.c`'
catches "a folder in backticks" '`core/udp/` does not exist' prose '`core/udp/`'
catches "a file of the root in backticks" '`GONE.md` does not exist' prose 'see `GONE.md`'
passes "a file of some folder by its name alone" prose '`arrives.c`'
sample build/made.c ''
catches "a file that is only made" '`made.c` does not exist' prose '`made.c`'
catches "a path in a command" '`tests/gone.sh` does not exist' prose 'run `sh tests/gone.sh -v`'
catches "a program of the root in a command" '`tools/gone` does not exist' prose '`./tools/gone x`'
catches "a function nobody has" '`step9_fin()` stands in no source' prose 'then `step9_fin()`'
catches "a function only a comment has" '`only_in_a_comment()` stands' \
    prose '`only_in_a_comment()`'
catches "a part of a name" '`step5()` stands in no source' prose '`step5()`'
catches "a link" 'the link to docs/decisions/0002.md leads nowhere' prose '[x](decisions/0002.md)'

passes "a path that is there" prose '`core/tcp/arrives.c`, `core/tcp/`, `core/*/arrives.c:12`'
passes "one of two in braces" prose '`core/{tcp,udp}/arrives.c`'
passes "a function that is there" prose '`step5_ack()`'
passes "a link that is there, with an anchor" prose '[x](decisions/0001-x.md#why) [y](#here)'
passes "what another project has, with its name in front" \
    prose '`linux:net/ipv4/tcp_input.c`, `linux:tcp_time_wait()`'
passes "what is made" prose '`build/lastack`, `./build/lastack serve DIR`'
passes "what is no path" prose '`TCP_NODELAY`, `a && b`, `/proc/net/snmp`, `net.ipv4.tcp_sack`'
passes "an option with a path in it" prose '`lastack serve --pcap FILE DIR`'
passes "addresses of the web" prose '[x](https://example.org/a) `http://10.0.0.1/x`'
passes "a block of code" prose '```
`core/gone.c`
```'
done_testing
