#!/bin/sh
# SPDX-License-Identifier: MIT
# top_length.sh - A function of 71 lines and a file of 601 are seen; 70 and 600 are not.
. tests/meta/lib.sh

body() { # COUNT lines
    yes '    x++;' | head -n "$1"
}
function_of() { # NAME LINES, declaration and braces included
    printf 'int %s(int x)\n{\n' "$1"
    body $(($2 - 4))
    printf '    return x;\n}\n'
}

{ printf '#define M(x) \\\n    { x }\nstruct s {\n    int a;\n};\n'; function_of long_one 71; } >long.c
{ function_of fits 70; function_of fits_too 70; } >fits.c
{ printf 'static const int table[] = {\n'; yes '    1,' | head -n 100; printf '};\n'; } >table.c
{ printf 'TEST(a_long_sentence)\n{\n'; body 69; printf '}\n'; } >test.c
{ printf '#ifdef __cplusplus\nextern "C" {\n#endif\n'; function_of inner 71; printf '}\n'; } >extern.h
{ printf 'int f(char c)\n{\n    /* } */\n    g("}", %s);\n' "'}'"; body 70; printf '}\n'; } >braces.c
yes '/* a line */' | head -n 601 >file601.c
yes '/* a line */' | head -n 600 >file600.c

catches "a function of 71 lines" "long.c:6: long_one() has 71 lines, 70 are allowed" \
    "$tools/top_length" long.c
passes "functions of 70 lines pass" "$tools/top_length" fits.c
passes "a table of any length is no function" "$tools/top_length" table.c
catches "a test of 72 lines, by its name" "test.c:1: a_long_sentence() has 72 lines" \
    "$tools/top_length" test.c
catches 'a function inside extern "C"' "extern.h:4: inner() has 71 lines" \
    "$tools/top_length" extern.h
catches "braces in comments, strings and characters do not end a function" "f() has 75 lines" \
    "$tools/top_length" braces.c
catches "a file of 601 lines" "file601.c:1: 601 lines, 600 are allowed" \
    "$tools/top_length" file601.c
passes "a file of 600 lines passes" "$tools/top_length" file600.c
catches "one bad file among good ones" "long.c:6:" "$tools/top_length" fits.c long.c file600.c
done_testing
