#!/bin/sh
# SPDX-License-Identifier: MIT
# check_headers.sh - A header that leans on what stood before it is seen.
. tests/meta/lib.sh
sample include/lastack/good.h '#ifndef G\n#define G\n#include <stdint.h>\nuint32_t la_f(void);\n#endif\n'
sample include/lastack/lazy.h '#ifndef L\n#define L\nuint32_t la_f(void);\n#endif\n'
sample include/lastack/c_only.h '#ifndef C\n#define C\nint la_f(int *restrict new);\n#endif\n'
sample core/base/twice.h 'struct s {\n    int a;\n};\n'
sample core/base/c_only.h '#ifndef C\n#define C\nint f(int *restrict new);\n#endif\n'

passes "one that includes what it needs" "$root/tools/check_headers.sh" include/lastack/good.h
catches "one that does not" "include/lastack/lazy.h:3: error: unknown type name" \
    "$root/tools/check_headers.sh" include/lastack/lazy.h
catches "one without a guard" "core/base/twice.h:1: error: redefinition" \
    "$root/tools/check_headers.sh" core/base/twice.h
catches "a public one that C++ does not take" "include/lastack/c_only.h:3: as C++: error" \
    "$root/tools/check_headers.sh" include/lastack/c_only.h
passes "an internal one need not be C++" "$root/tools/check_headers.sh" core/base/c_only.h
done_testing
