#!/bin/sh
# SPDX-License-Identifier: MIT
# check_symbols.sh - A core that calls too much, holds data, or shows too much is seen.
. tests/meta/lib.sh

# library CORE HOST HEADER: builds the three texts as the real build does, and checks them.
library() {
    mkdir -p b i/lastack
    rm -f b/*
    printf '%s\n' "$1" >core.c
    printf '%s\n' "$2" >host.c
    printf '%s\n' "$3" >i/lastack/x.h
    gcc -O1 -fPIC -c -o b/lastack_core.o core.c && gcc -O1 -fPIC -c -o b/lastack_host.o host.c &&
        ar rc b/liblastack.a b/lastack_core.o b/lastack_host.o &&
        gcc -shared -o b/liblastack.so b/lastack_core.o b/lastack_host.o || return 2
    "$root/tools/check_symbols.sh" b i
}

passes "a core with constant tables of numbers and of strings" library '
    #include <stddef.h>
    void *memcpy(void *, const void *, size_t);
    void la_panic(const char *);
    static const int table[] = { 1, 2, 3 };
    static const char *const names[] = { "a", "b" };
    const char *la_name(int i) { if (i > 1) la_panic("i"); return names[i]; }
    int la_get(int i, void *a, void *b) { memcpy(a, b, 1000); return table[i]; }' \
    'void la_panic(const char *x) { (void)x; }' \
    'const char *la_name(int i); /* la_nothing() */'
catches "a core that calls the host" "the core calls puts" library '
    int puts(const char *);
    int la_f(void) { return puts("x"); }' '' ''
catches "a core that holds a counter" "data that can change, in .bss: count" library '
    static int count;
    int la_f(void) { return ++count; }' '' ''
catches "a core that holds a table that can change" "data that can change, in .data: table" library '
    static int table[] = { 1, 2, 3 };
    int la_f(int i) { return table[i]++; }' '' ''
catches "a symbol of another name in the archive" \
    "b/liblastack.a:1: shows slab_alloc, which does not begin with la_" \
    library 'int slab_alloc(void) { return 1; }' '' ''
catches "a symbol of another name in the shared library" \
    "b/liblastack.so:1: shows helper, which does not begin with la_" \
    library '' 'int helper(void) { return 1; }' ''
catches "a name of glibc's audit interface" "la_symbind64, a name of glibc or libarchive" \
    library '' 'int la_symbind64(void) { return 1; }' ''
catches "a type of libarchive in a header" "x.h:1: la_ssize_t is a name" \
    library '' '' 'int la_ssize_t(void);'
catches "a function declared and not there" "x.h:2: declares la_gone(), which the library has not" \
    library '' '' '/* head */
int la_gone(int x);'
done_testing
