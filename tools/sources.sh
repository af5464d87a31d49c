#!/bin/sh
# SPDX-License-Identifier: MIT
# sources.sh - The project's C files, one a line: what formatting and lengths are checked on.
cd "$(dirname "$0")/.." || exit 1
find include core runtime drivers posix run cli sim lab bench tests tools \
    -name '*.[ch]' 2>/dev/null | sort
