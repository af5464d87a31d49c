#!/bin/sh
# SPDX-License-Identifier: MIT
# check_hardened.sh - A build that lacks one of its protections is seen to.
. tests/meta/lib.sh
mkdir -p tools include/lastack b
cp "$root/tools/check_symbols.sh" tools/
echo 'int la_f(const char *text);' >include/lastack/x.h
cat >core.c <<'END'
void la_panic(const char *what);
int la_f(const char *text);
int la_g(int (*call)(char *), const char *text);
int la_g(int (*call)(char *), const char *text)
{
    char copy[100];
    for (int i = 0; i < 100; i++)
        copy[i] = text[i];
    return call(copy);
}
int la_f(const char *text)
{
    if (text == 0)
        la_panic("text");
    return text[0];
}
END
cat >host.c <<'END'
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int la_h(const char *text);
void la_panic(const char *what)
{
    (void)what;
    abort();
}
int la_h(const char *text)
{
    char copy[100];
    strcpy(copy, text);
    return (int)read(0, copy + copy[0], (size_t)copy[1]);
}
END
echo 'int la_h(const char *text); int main(int argc, char **argv) { return la_h(argv[argc - 1]); }' >main.c
all='-O2 -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fcf-protection=full'
[ "$(uname -m)" = x86_64 ] || all='-O2 -D_FORTIFY_SOURCE=3 -fstack-protector-strong'
bind=-Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code

# built COMPILE LINK PIE: as the real build, of three files; then the check.
built() {
    rm -f b/*
    # shellcheck disable=SC2086
    gcc $1 -fPIC -c -o b/lastack_core.o core.c && gcc $1 -fPIC -c -o b/host.o host.c &&
        gcc $1 -fPIC -c -o b/main.o main.c && ar rc b/liblastack.a b/lastack_core.o b/host.o &&
        gcc -shared $2 -o b/liblastack.so b/lastack_core.o b/host.o &&
        gcc $3 $2 -o b/lastack b/main.o b/liblastack.a || return 2
    "$root/tools/check_hardened.sh" b
}

passes "a build with all of them" built "$all" "$bind" -pie
catches "a core whose frames are not guarded" "no function guards its stack frame" \
    built "$all -fno-stack-protector" "$bind" -pie
catches "copies whose lengths nobody checks" "no function checks the lengths of a copy" \
    built "$all -U_FORTIFY_SOURCE" "$bind" -pie
catches "late binding" "liblastack.so:1: symbols are bound late" built "$all" \
    -Wl,-z,relro,-z,lazy,-z,noexecstack -pie
catches "writable relocations" "what is relocated stays writable" built "$all" \
    -Wl,-z,norelro,-z,now,-z,noexecstack -pie
catches "an executable stack" "the stack is executable" built "$all" \
    -Wl,-z,relro,-z,now,-z,execstack -pie
writable() {
    built "$all" "$bind" -pie || return
    gcc -shared $bind -Wl,--omagic,-Bdynamic -o b/liblastack.so b/lastack_core.o b/host.o &&
        "$root/tools/check_hardened.sh" b
}
catches "a segment that is writable and executable" "both writable and executable" writable
catches "a command at a fixed address" "it is not position-independent" built "$all" "$bind" -no-pie
if [ "$(uname -m)" = x86_64 ]; then
    catches "indirect calls without marked targets" "indirect calls have no marked targets" \
        built "$all -fcf-protection=none" "$bind" -pie
fi
catches "a core that calls more than its six functions" "the core calls puts" \
    sh -c "sed 's/la_panic(\"text\")/puts(\"text\")/; 1i int puts(const char *s);' core.c >core2.c && mv core2.c core.c
        gcc $all -fPIC -c -o b/lastack_core.o core.c && '$root/tools/check_hardened.sh' b"
done_testing
