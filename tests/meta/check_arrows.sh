#!/bin/sh
# SPDX-License-Identifier: MIT
# check_arrows.sh - Includes against the arrows are seen, those along them are not.
. tests/meta/lib.sh

sample include/lastack/stack.h '#include <stdint.h>\n'
sample core/base/slab.h ''
sample core/wire/tcp.h ''
sample core/ip/route.h ''
sample core/tcp/conn.h ''
sample core/stack/stack_state.h ''
sample sim/world.h ''
sample tests/rfc/bench.h ''
sample runtime/loop.h ''

arrow() { # FROM INCLUDE
    sample "$1" "/* head */\n#include $2\n"
    "$tools/check_arrows" "$1"
}

catches "tcp includes ip" "core/tcp/a.c:2: core/tcp/ must not include core/ip/route.h" \
    arrow core/tcp/a.c '"core/ip/route.h"'
catches "ip includes tcp" "core/ip/a.c:2: core/ip/ must not include core/tcp/conn.h" \
    arrow core/ip/a.c '"core/tcp/conn.h"'
catches "base includes wire" "must not include core/wire/tcp.h" \
    arrow core/base/a.c '"core/wire/tcp.h"'
catches "tcp includes stack" "must not include core/stack/stack_state.h" \
    arrow core/tcp/b.c '"core/stack/stack_state.h"'
catches "a driver reads the core" "drivers/ must not include core/base/slab.h" \
    arrow drivers/a.c '"core/base/slab.h"'
catches "the command reads the core" "cli/ must not include core/tcp/conn.h" \
    arrow cli/a.c '"core/tcp/conn.h"'
catches "the simulator, checkers aside, reads the core" "sim/ must not include core/tcp/conn.h" \
    arrow sim/a.c '"core/tcp/conn.h"'
catches "something includes the tests" "must not include tests/rfc/bench.h" \
    arrow sim/b.c '"tests/rfc/bench.h"'
catches "the core includes a system header" "<string.h>, which is not freestanding" \
    arrow core/tcp/c.c '<string.h>'
catches "a public header includes a system header" "<stdio.h>, which is not freestanding" \
    arrow include/lastack/x.h '<stdio.h>'
catches "a public header includes the core" "include/ must not include core/base/slab.h" \
    arrow include/lastack/y.h '"core/base/slab.h"'
catches "a name through .. is no name" "name it from the root" \
    arrow core/tcp/d.c '"../base/slab.h"'
catches "a file that is not there" "which does not exist" arrow core/tcp/e.c '"core/tcp/gone.h"'
catches "a folder nobody knows" "has no place among the arrows" arrow misc/a.c '<stdint.h>'
catches "a file of the same folder is judged as well" "core/stack/ must not include tests" \
    arrow core/stack/a.c '"tests/rfc/bench.h"'

passes "tcp includes wire" arrow core/tcp/f.c '"core/wire/tcp.h"'
passes "stack includes tcp" arrow core/stack/b.c '"core/tcp/conn.h"'
passes "stack includes ip" arrow core/stack/c.c '"core/ip/route.h"'
passes "the core includes the public headers" arrow core/tcp/g.c '<lastack/stack.h>'
passes "the checkers read the core" arrow sim/check/a.c '"core/tcp/conn.h"'
passes "a kernel includes vector instructions" arrow core/base/target/x.c '<immintrin.h>'
catches "the rest of the core does not" "<immintrin.h>, which is not freestanding" \
    arrow core/base/x.c '<immintrin.h>'
passes "tests read the core" arrow tests/unit/a.c '"core/tcp/conn.h"'
passes "a driver includes a system header" arrow drivers/b.c '<linux/if_tun.h>'
passes "a file of the same folder" arrow sim/c.c '"world.h"'
sample core/tcp/h.c '/*\n#include "core/ip/route.h"\n*/\n'
passes "an include in a comment is none" "$tools/check_arrows" core/tcp/h.c
done_testing
