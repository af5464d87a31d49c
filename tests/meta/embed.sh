#!/bin/sh
# SPDX-License-Identifier: MIT
# embed.sh - A program outside the tree takes the headers and a library, and nothing else.
. tests/meta/lib.sh
build=$root/build

cat >plain.c <<'END'
#include <lastack/lastack.h>
#include <stdio.h>
#include <string.h>

/* Names the stack has inside.  They are the program's own here. */
int slab_take(void);
int slab_take(void)
{
    return 1;
}

int main(void)
{
    return strcmp(la_err_name(LA_EAGAIN), "EAGAIN") != 0 || slab_take() != 1;
}
END
cat >panic.c <<'END'
#include <lastack/lastack.h>
#include <stdio.h>
#include <stdlib.h>

void la_panic(const char *file, int line, const char *what)
{
    printf("mine: %s:%d: %s\n", file, line, what);
    exit(0);
}

int main(void)
{
    la_panic(__FILE__, __LINE__, la_err_text(LA_EAGAIN));
}
END

linked() { # SOURCE ARGUMENT...: compiles and runs it
    source=$1
    shift
    gcc -std=c17 -Wall -Wextra -Werror -I"$root/include" "$source" -o program "$@" &&
        LD_LIBRARY_PATH=$build ./program
}
passes "with the archive" linked plain.c "$build/liblastack.a" -pthread
passes "with the shared library" linked plain.c -L"$build" -llastack
prints "with a panic of its own, and the archive" "mine: panic.c:" \
    linked panic.c "$build/liblastack.a" -pthread
prints "with a panic of its own, and the shared library" "mine: panic.c:" \
    linked panic.c -L"$build" -llastack
passes "every member of the archive at once" \
    linked plain.c -Wl,--whole-archive "$build/liblastack.a" -Wl,--no-whole-archive -pthread
done_testing
