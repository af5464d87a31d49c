#!/bin/sh
# SPDX-License-Identifier: MIT
# analyze.sh - What an analyzer finds is a finding, an exception at its place is none, and what passed
# is not asked again.  gcc is the real one; the others are scripts that look for a word.
. tests/meta/lib.sh
mkdir -p small/tools small/include small/core/base bin
cp "$root/tools/analyze.sh" "$root/tools/sources.sh" small/tools/
: >small/tools/cppcheck.txt
: >small/.clang-tidy
cat >bin/clang-tidy-14 <<'END'
#!/bin/sh
[ "$1" != --version ] || exit 0
echo "$2" >>asked
grep -n tidied "$2" | sed "s|^\([0-9]*\):.*|$PWD/$2:\1:5: warning: a taste [misc-taste]|"
END
cat >bin/cppcheck <<'END'
#!/bin/sh
for file; do
    case $file in
    *.c) grep -n checked "$file" | sed "s|^\([0-9]*\):.*|$file:\1: an error [id]|" >&2 ;;
    esac
done
END
chmod +x bin/*
PATH=$samples/bin:$PATH
clean='int f(int a)\n{\n    return a + 1;\n}\n'
leak='#include <stdlib.h>\nint f(int a)\n{\n    int *p = malloc(8);\n    free(p);\n    return a + *p;%s\n}\n'
analyze() { (cd small && tools/analyze.sh "$@"); }

sample small/core/base/x.c "$clean"
passes "a clean file" analyze
sample small/core/base/x.c "$(printf "$leak" '')"
catches "gcc finds a use after free" "core/base/x.c:6: warning: use after" analyze gcc
catches "and again: a finding is not remembered as passed" "core/base/x.c:6: warning: use after" analyze
sample small/core/base/x.c "$(printf "$leak" ' /* NOLINT(-Wanalyzer-use-after-free): a sample */')"
passes "an exception at its place is none" analyze gcc
sample small/core/base/x.c "$(printf "$leak" ' /* NOLINT(-Wanalyzer-malloc-leak): another */')"
catches "an exception from something else is no exception" "core/base/x.c:6: warning: use after" analyze gcc
sample small/core/base/x.c '#include "nowhere.h"\n'
catches "a file that does not compile is a finding" "core/base/x.c:1: fatal error: nowhere.h" analyze gcc

sample small/core/base/x.c 'int tidied;\n'
catches "what clang-tidy finds is told from the root of the tree" "core/base/x.c:1: warning: a taste" \
    analyze tidy
sample small/core/base/x.c 'int g(void);\n'
rm -f small/asked
passes "a mended file passes" analyze tidy
prints "it was asked about" "core/base/x.c" cat small/asked
rm -f small/asked
passes "it passes again" analyze tidy
catches "without being asked about" "No such file" cat small/asked
sample small/core/base/x.c '/* another comment */\nint f(void);\n'
passes "a changed comment, where an exception may stand," analyze tidy
prints "is asked about" "core/base/x.c" cat small/asked
sample small/core/base/x.c 'int checked;\n'
catches "what cppcheck finds" "core/base/x.c:1: an error [id]" analyze cppcheck
catches "as TAP, too" "not ok 1 - cppcheck finds nothing
# core/base/x.c:1: an error [id]" analyze --tap cppcheck
catches "an analyzer that there is not" 'no analyzer "lint"' analyze lint
done_testing
