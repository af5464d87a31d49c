#!/bin/sh
# SPDX-License-Identifier: MIT
# sources.sh - The project's C files, one a line: what formatting and lengths are checked on.
cd "$(dirname "$0")/.." || exit 1
find . -name '*.[ch]' ! -path './build*' ! -path './.*' | sed 's,^\./,,' | sort
