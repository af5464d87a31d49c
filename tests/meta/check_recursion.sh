#!/bin/sh
# SPDX-License-Identifier: MIT
# check_recursion.sh - A function that calls itself, or is called back, is seen.
. tests/meta/lib.sh
sample a.c 'int f(int x);\nint f(int x)\n{\n    return x ? f(x - 1) : 0;\n}\n'
sample b.c 'int g(int x);\nint h(int x);\nint g(int x)\n{\n    return h(x);\n}\n'
sample c.c 'int g(int x);\nint h(int x);\nstatic int s(int x)\n{\n    return g(x);\n}\nint h(int x)\n{\n    return s(x);\n}\n'
sample d.c 'int h(int x);\nstatic int s(int x)\n{\n    return x;\n}\nint k(int x);\nint k(int x)\n{\n    return s(x) + h(x);\n}\n'

catches "a function that calls itself" "a.c:2: f() is called from itself" \
    "$root/tools/check_recursion.sh" a.c
catches "a round through two files and a static function" "b.c:3: g() is called from itself" \
    "$root/tools/check_recursion.sh" b.c c.c
passes "calls that lead down only" "$root/tools/check_recursion.sh" b.c d.c
passes "two static functions of one name are two" "$root/tools/check_recursion.sh" c.c d.c
done_testing
