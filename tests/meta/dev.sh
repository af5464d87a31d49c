#!/bin/sh
# SPDX-License-Identifier: MIT
# dev.sh - The front door lists what is behind it, and refuses the rest.
. tests/meta/lib.sh

catches "an unknown verb is an error" 'unknown verb "frobnicate"' "$root/dev" frobnicate
catches "an unknown verb that looks like an option is an error" 'unknown verb "--test"' \
    "$root/dev" --test
catches "too many arguments are an error" "build takes no arguments" "$root/dev" build now
catches "a number that is none is an error" '"many" is not a number' "$root/dev" seeds many
catches "a number of zero is an error" '"0" is not a number' "$root/dev" fuzz 0
catches "a prefix that is no path from the root is an error" '"here" is not a path' \
    "$root/dev" install here
prints "without a verb it helps" "usage: ./dev VERB" "$root/dev"
for verb in build test unit seeds asan hardened analyze fuzz interop lint fmt install bench insns wasm clean help; do
    prints "help lists $verb" "
  $verb" "$root/dev" help
done

# Every verb that help lists is one that the front door knows.
known() {
    "$root/dev" help | sed -n 's/^  \([a-z]*\) .*/\1/p' | while read -r verb; do
        grep -q -E "(^|[ |])$verb( \||\))" "$root/dev" || { echo "$verb"; return 1; }
    done
}
passes "help lists nothing that is not there" known

# The same front door over a small tree, whose compiler does nothing and whose tests are scripts.
mkdir -p small/tools small/tests/unit small/build/tests/unit bin
cp "$root/dev" small/
cp "$root/tools/tap.sh" small/tools/
printf '#!/bin/sh\nexit 0\n' >bin/cmake
chmod +x bin/cmake
PATH=$samples/bin:$PATH

program() { # NAME LINES
    : >small/tests/unit/"$1"_test.c
    printf '#!/bin/sh\n%s\n' "$2" >small/build/tests/unit/"$1"_test
    chmod +x small/build/tests/unit/"$1"_test
}
program good 'echo 1..2; echo ok 1 - a; echo ok 2 - b'
prints "tests that pass are counted, and the build as one" "
3 passed, 0 failed" small/dev unit
program other 'echo "1..0 # SKIP no device"'
prints "a test skipped is said at the end" "
3 passed, 0 failed, 1 skipped" small/dev unit
program bad 'echo 1..2; echo ok 1 - a; echo not ok 2 - b; exit 1'
catches "a test that fails fails the whole" "
4 passed, 1 failed, 1 skipped" small/dev unit
catches "what failed is named" "not ok 2 - b" small/dev unit
program bad 'kill -SEGV $$'
catches "a program that crashes fails the whole" "3 passed, 1 failed" small/dev unit
rm small/build/tests/unit/bad_test
catches "a program that was not built fails the whole" "3 passed, 1 failed" small/dev unit

# A machine without ninja, whose apt-get brings one.
mkdir poor
ln -s /usr/bin/* poor/ 2>/dev/null
ln -s /bin/* poor/ 2>/dev/null
rm -f poor/ninja poor/apt-get poor/cmake poor/sudo
cp bin/cmake poor/
printf '#!/bin/sh\nexec "$@"\n' >poor/sudo
sed -i '2s/exec/shift; exec/' poor/sudo
printf '#!/bin/sh\necho "$*" >>%s/apt.log\nexit 1\n' "$samples" >poor/apt-get
chmod +x poor/apt-get poor/sudo
catches "a package that cannot be had is named" "apt-get could not install: ninja-build" \
    env PATH="$samples/poor" small/dev unit
printf '#!/bin/sh\necho "$*" >>%s/apt.log\nln -sf /bin/true %s/poor/ninja\n' \
    "$samples" "$samples" >poor/apt-get
program bad 'echo 1..1; echo ok 1 - a'
prints "what is missing is installed, and said" "dev: installing with apt-get: ninja-build" \
    env PATH="$samples/poor" small/dev unit
prints "only what is missing is asked for" "install -y --no-install-recommends ninja-build" \
    cat apt.log
printf '#!/bin/sh\nexit 1\n' >bin/cmake
catches "a build that fails fails the whole" "
0 passed, 1 failed" small/dev unit
done_testing
