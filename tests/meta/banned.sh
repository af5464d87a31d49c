#!/bin/sh
# SPDX-License-Identifier: MIT
# banned.sh - Every rule of tools/banned.c sees a bad sample, and not a good one.
. tests/meta/lib.sh

line() { # PATH LINE-OF-CODE
    sample "$1" '%s' ''
    printf '/* head */\n%s\n' "$2" >"$1"
    "$tools/banned" "$1"
}
text() { # PATH TEXT
    mkdir -p "$(dirname "$1")"
    printf '%s\n' "$2" >"$1"
    "$tools/banned" "$1"
}

for call in malloc calloc realloc free time clock printf snprintf abort assert strlen alloca; do
    catches "core: $call()" "core/tcp/a.c:2: $call is banned here" \
        line core/tcp/a.c "    x = $call(y);"
done
for word in goto float double __int128 static_assert errno _Thread_local volatile; do
    catches "core: $word" "core/tcp/a.c:2: $word is banned here" line core/tcp/a.c "    $word x;"
done
for call in rand strcpy sprintf strcat atoi; do
    catches "everywhere: $call()" "cli/a.c:2: $call is banned here" line cli/a.c "    $call(x);"
done
catches "simulator: double" "sim/a.c:2: double is banned here: virtual time is exact" \
    line sim/a.c "double t;"
catches "simulator: the real clock" "sim/a.c:2: clock_gettime is banned" \
    line sim/a.c "clock_gettime(CLOCK_MONOTONIC, &t);"
catches "drivers: the clock" "drivers/a.c:2: time is banned" line drivers/a.c "t = time (0);"
catches "core: into a sequence number, by value" "core/tcp/a.c:2: looks into a sequence number" \
    line core/tcp/a.c "    x = seg.seq.v + 1;"
catches "core: into a sequence number, by pointer" "core/ip/a.c:2: looks into" \
    line core/ip/a.c "    x = seq->v;"
catches "core: #if" "core/tcp/a.c:2: #if is banned here" line core/tcp/a.c "#if FAST"
catches "core: #ifdef" "core/tcp/a.c:2: #ifdef is banned here" line core/tcp/a.c "#ifdef FAST"
catches "core: #  else" "core/tcp/a.c:2: #else is banned here" line core/tcp/a.c "#  else"
catches "core: #ifndef that guards nothing" "#ifndef is banned here" \
    text core/tcp/a.c "#ifndef SLOW
int x;
#endif"
catches "core: a second guard" "core/tcp/a.h:3: #ifndef is banned here" \
    text core/tcp/a.h "#ifndef A_H
#define A_H
#ifndef B_H
#define B_H
#endif
#endif"
catches "a note of work to do without an issue" "cli/a.c:2: TODO without the number" \
    line cli/a.c "/* TO""DO: later */"
catches "somebody's folder" "has no place in the project" text docs/a.md "see ../sha""red/X.md"
catches "a machine's folder" "README.md:1:" text README.md "cd /wo""rk/main"
catches "a registry" "has no place in the project" text docs/b.md "from py""pi.org"

passes "core: a banned word in a comment" line core/tcp/a.c "/* malloc(x) and goto, no #if */"
passes "core: a banned word in a string" line core/tcp/a.c '    x = "free(y)";'
passes "core: a banned word inside another" line core/tcp/a.c "    slab_free(x); runtime(y);"
passes "core: a word of that name that is not called" line core/tcp/a.c "    la_time time;"
passes "core: a member of that name" line core/tcp/a.c "    x->free(y); z.time(w);"
passes "core: LA_ASSERT" line core/tcp/a.c "    LA_ASSERT(x); _Static_assert(1, \"\");"
passes "core: an include guard" text core/tcp/a.h "/* head */
#ifndef A_H
#define A_H
#endif"
passes "core: a member whose name begins with v" line core/tcp/a.c "    x.version = y->vec;"
passes "seq.h looks into a sequence number" line core/tcp/seq.h "    return a.v;"
passes "cli: malloc" line cli/a.c "    x = malloc(y);"
passes "a note of work to do with its issue" line cli/a.c "/* TO""DO(#12): later */"
passes "tests may have conditions" line tests/unit/a.c "#if 1"
done_testing
