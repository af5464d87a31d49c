#!/bin/sh
# SPDX-License-Identifier: MIT
# arm.sh - A file that is no C for ARM is seen.
. tests/meta/lib.sh
sample bad.c '#include <arm_neon.h>\nuint64x2_t f(void);\nuint64x2_t f(void)\n{\n    return vdupq_n(1);\n}\n'
catches "an intrinsic that is not there" "bad.c:5: aarch64: " "$root/tools/arm.sh" bad.c
sample good.c '#include <arm_neon.h>\nuint64x2_t f(void);\nuint64x2_t f(void)\n{\n    return vdupq_n_u64(1);\n}\n'
passes "a file that compiles" "$root/tools/arm.sh" good.c
done_testing
