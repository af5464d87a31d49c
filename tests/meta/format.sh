#!/bin/sh
# SPDX-License-Identifier: MIT
# format.sh - A line .clang-format would write otherwise is seen.
. tests/meta/lib.sh
cp "$root/.clang-format" .

file() {
    sample x.c "$1"
    "$root/tools/format.sh" x.c
}
passes "a file as it should be" file 'int f(int x)\n{\n    return x;\n}\n'
catches "two spaces where four belong" "x.c:2: not formatted" \
    file 'int f(int x)\n{\n  return x;\n}\n'
catches "a brace on the wrong line" "x.c:1: not formatted" file 'int f(int x) {\n    return x;\n}\n'
passes "includes keep the order of their blocks" \
    file '#include "z.h"\n\n#include <stdio.h>\n\n#include "a.h"\n'
done_testing
