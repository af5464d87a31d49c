#!/bin/sh
# SPDX-License-Identifier: MIT
# wasm.sh - What gcc lets pass and a freestanding second compiler does not.
. tests/meta/lib.sh
cp -r "$root/tools" . # the tool works on the tree it stands in
mkdir -p include

core() { # TEXT
    sample core/base/x.c "$1"
    tools/wasm.sh
}

passes "plain arithmetic" core 'int f(int);\nint f(int x)\n{\n    return x + 1;\n}\n'
passes "an assertion's panic" \
    core 'void la_panic(int);\nvoid f(int);\nvoid f(int x)\n{\n    la_panic(x);\n}\n'
catches "a call of the host" "undefined symbol: puts" \
    core 'int puts(const char *);\nint f(void);\nint f(void)\n{\n    return puts("x");\n}\n'
catches "a header of the host" "core/base/x.c:1: wasm32: 'string.h' file not found" \
    core '#include <string.h>\n'
catches "default: beside a full set of enum cases" "core/base/x.c:7: wasm32: default label" \
    core 'enum e { A, B };\nint f(enum e e);\nint f(enum e e)\n{\n    switch (e) {\n    case A: return 1; case B: return 2;\n    default: return 3;\n    }\n}\n'
catches "a conversion that narrows on 32 bits only" "core/base/x.c:5: wasm32:" \
    core '#include <stdint.h>\n#include <stddef.h>\nsize_t f(uint64_t x);\nsize_t f(uint64_t x) {\n    return x;\n}\n'
done_testing
