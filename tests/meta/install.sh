#!/bin/bash
# SPDX-License-Identifier: MIT
# install.sh - What is installed is whole: it builds programs out of tree, wherever it is moved.
. tests/meta/lib.sh

installed() { # PREFIX
    cmake --install "$root/build" --prefix "$1"
}
passes "it installs below any prefix" installed "$samples/first"

# --- what is there ------------------------------------------------------------------------------

soname() {
    readelf -d "$1" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p'
}
prints "the shared library has a soname" "liblastack.so.0" soname first/lib/liblastack.so
needed_by_name() {
    [ "$(readlink first/lib/liblastack.so)" = liblastack.so.0 ] && [ -e first/lib/liblastack.so.0 ]
}
passes "the name for the linker leads to the soname" needed_by_name

only_ours() { # PATTERN COMMAND...
    pattern=$1
    shift
    names=$("$@" | awk 'NF == 3 && $2 != "A" { print $3 }')
    [ -n "$names" ] || { echo "no symbols at all"; return 1; }
    ! echo "$names" | grep -v "$pattern"
}
passes "the shared library shows la_* alone" \
    only_ours '^la_' nm -D --defined-only first/lib/liblastack.so
passes "the archive shows la_* alone" only_ours '^la_' nm -g --defined-only first/lib/liblastack.a
passes "the plug-in for packetdrill shows what packetdrill looks for" \
    only_ours '^packetdrill_interface_init$' nm -D --defined-only \
    first/lib/lastack/liblastack-packetdrill.so

foreign_paths() {
    ! grep -r -l -F -e "$root" first/lib/*.so* first/lib/*.a first/lib/cmake first/lib/lastack \
        first/include first/bin ${HOME:+-e "$HOME/"}
}
passes "no file names a path of the machine that built it" foreign_paths

each_header() { # COMPILER LANGUAGE STANDARD
    for header in first/include/lastack/*.h; do
        printf '#include <lastack/%s>\nextern int more;\n' "${header##*/}" |
            "$1" -std="$3" -Wall -Wextra -Wpedantic -Werror -Ifirst/include -fsyntax-only \
                -x "$2" - || return 1
    done
}
passes "every header stands alone in C11" each_header gcc c c11
passes "every header stands alone in C++11" each_header g++ c++ c++11

prints "the command runs from there" "lastack " first/bin/lastack --version

# --- programs out of tree, after a move ---------------------------------------------------------

cat >hello.c <<'END'
#include <lastack/socket.h>

#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    struct la_config config;
    struct la_stack *s = NULL;

    la_config_smallest(&config);
    la_rt_random(config.secret, sizeof config.secret);
    const uint64_t bytes = la_bytes_needed(&config);
    void *mem = la_rt_arena_map(bytes);
    if (mem == NULL || la_init(mem, bytes, &config, la_rt_now(), &s) != LA_OK)
        return 1;
    printf("C: %s, %d\n", la_check(s) == NULL ? "holds" : "broken",
           la_deadline(s).ns == LA_TIME_NEVER.ns);
    la_rt_arena_unmap(mem, bytes);
    return 0;
}
END
cat >hello.cc <<'END'
#include <lastack/socket.h>

#include <cstdio>
#include <vector>

int main()
{
    la_config config;
    la_stack *s = nullptr;

    la_config_smallest(&config);
    la_rt_random(config.secret, sizeof config.secret);
    std::vector<unsigned char> mem(la_bytes_needed(&config) + 64);
    unsigned char *at = mem.data() + (64 - reinterpret_cast<uintptr_t>(mem.data()) % 64);
    if (la_init(at, la_bytes_needed(&config), &config, la_rt_now(), &s) != LA_OK)
        return 1;
    std::printf("C++: %s, %d\n", la_check(s) == nullptr ? "holds" : "broken",
                la_deadline(s).ns == LA_TIME_NEVER.ns);
    return 0;
}
END
cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.13)
project(out_of_tree C CXX)
find_package(lastack 0.1 REQUIRED)
foreach(kind lastack lastack-static)
    foreach(language c cc)
        add_executable(hello-${kind}-${language} hello.${language})
        target_link_libraries(hello-${kind}-${language} PRIVATE lastack::${kind})
    endforeach()
endforeach()
END
mv first second
export PKG_CONFIG_PATH=$samples/second/lib/pkgconfig

with_pkg_config() { # COMPILER SOURCE FLAG...
    compiler=$1 source=$2
    shift 2
    # shellcheck disable=SC2046
    "$compiler" -Wall -Wextra -Wpedantic -Werror "$source" -o program "$@" \
        $(pkg-config --define-prefix --cflags --libs ${1:+--static} lastack) || return 1
    LD_LIBRARY_PATH=$samples/second/lib ./program
}
shared_or_not() { # WANT
    found=shared
    readelf -d "$2" 2>/dev/null | grep -q 'NEEDED.*liblastack.so.0' || found=static
    [ $found = "$1" ] || { echo "$2 is $found"; return 1; }
}
for word in "gcc hello.c C" "g++ hello.cc C++"; do
    set -- $word
    prints "$3 with pkg-config, shared" "$3: holds, 1" with_pkg_config "$1" "$2"
    passes "... and it is" shared_or_not shared program
    prints "$3 with pkg-config, static" "$3: holds, 1" with_pkg_config "$1" "$2" -static
    passes "... and that is, too" shared_or_not static program
done

spaced() { # FLAG...
    compile=$(PKG_CONFIG_PATH="$samples/with a space/lib/pkgconfig" pkg-config "$@" --cflags --libs \
        lastack) || return 1
    eval "gcc hello.c -o program $compile" || return 1
    LD_LIBRARY_PATH="$samples/with a space/lib" ./program
}
passes "it installs below a prefix with spaces" installed "$samples/with a space"
prints "... where pkg-config finds it by that prefix" "C: holds, 1" spaced --dont-define-prefix
prints "... and by its own place" "C: holds, 1" spaced --define-prefix

with_cmake() {
    cmake -S . -B out -G Ninja -DCMAKE_PREFIX_PATH="$samples/second" && cmake --build out
}
passes "find_package(lastack) finds it" with_cmake
for kind in lastack lastack-static; do
    prints "C with find_package, $kind" "C: holds, 1" out/hello-$kind-c
    prints "C++ with find_package, $kind" "C++: holds, 1" out/hello-$kind-cc
    want=shared
    [ $kind = lastack ] || want=static
    passes "... and is $want" shared_or_not $want out/hello-$kind-cc
done
other_version() {
    sed -i 's/lastack 0.1 /lastack 0.2 /' CMakeLists.txt
    cmake -S . -B other -G Ninja -DCMAKE_PREFIX_PATH="$samples/second"
}
catches "another minor version is not taken for this one" '"0.2"' other_version

# --- staging --------------------------------------------------------------------------------------

staged() {
    DESTDIR=$samples/stage installed /usr && grep -x 'prefix=/usr' stage/usr/lib*/pkgconfig/lastack.pc
}
passes "DESTDIR stages it, and lastack.pc names the prefix alone" staged
prints "a system root of pkg-config is honoured" "-I$samples/stage/usr/include" \
    env PKG_CONFIG_PATH= PKG_CONFIG_LIBDIR="$samples/stage/usr/lib/pkgconfig" \
    PKG_CONFIG_SYSROOT_DIR="$samples/stage" PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 \
    pkg-config --cflags lastack
done_testing
