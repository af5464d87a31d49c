/* SPDX-License-Identifier: MIT */
/*
 * check_arrows.c - Who may include whom.
 *
 *     check_arrows FILE...        (paths from the root of the tree, which is the current folder)
 *
 * An arrow is an #include.  The table below says for each folder which folders it may include
 * beside itself; a folder that is not named there may not hold C files at all.  System headers
 * are free but in core/ and include/, where only the freestanding ones are.  A quoted include
 * names its file from the root of the tree, or a file of the same folder.
 */
#include "tools/source.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct arrows {
    const char *from;
    const char *to[12]; /* NULL ends them */
    bool freestanding;
};

/* The first entry whose folder is a prefix of the path decides. */
static const struct arrows table[] = {
    { "include/", { "include/", NULL }, true },
    { "core/base/", { "include/", "core/base/", NULL }, true },
    { "core/wire/", { "include/", "core/base/", "core/wire/", NULL }, true },
    { "core/ip/", { "include/", "core/base/", "core/wire/", "core/ip/", NULL }, true },
    { "core/tcp/", { "include/", "core/base/", "core/wire/", "core/tcp/", NULL }, true },
    { "core/stack/", { "include/", "core/", NULL }, true },
    { "runtime/", { "include/", "runtime/", "drivers/", NULL }, false },
    { "drivers/", { "include/", "runtime/", "drivers/", NULL }, false },
    { "posix/", { "include/", "runtime/", "drivers/", "posix/", NULL }, false },
    { "run/", { "include/", "runtime/", "drivers/", "posix/", "run/", NULL }, false },
    { "cli/",
      { "include/", "runtime/", "drivers/", "posix/", "run/", "cli/", "sim/", "drill/", NULL },
      false },
    { "sim/check/", { "include/", "core/", "sim/", NULL }, false },
    { "sim/", { "include/", "sim/", NULL }, false },
    { "drill/", { "include/", "runtime/", "drivers/", "posix/", "sim/", "drill/", NULL }, false },
    { "lab/", { "include/", "sim/", "lab/", NULL }, false },
    { "bench/",
      { "include/", "core/base/", "runtime/", "drivers/", "posix/", "bench/", NULL },
      false },
    { "examples/", { "include/", "examples/", NULL }, false },
    { "tests/",
      { "include/", "core/", "runtime/", "drivers/", "posix/", "cli/", "sim/", "drill/", "tests/",
        NULL },
      false },
    { "tools/", { "tools/", NULL }, false },
    { NULL, { NULL }, false },
};

static const char *const freestanding[] = {
    "stdint.h", "stddef.h", "stdbool.h", "stdalign.h", "stdnoreturn.h", "limits.h", NULL,
};

static const struct arrows *arrows_of(const char *path)
{
    for (const struct arrows *a = table; a->from; a++)
        if (starts_with(path, a->from))
            return a;
    return NULL;
}

static bool may_include(const struct arrows *a, const char *target)
{
    for (int i = 0; a->to[i]; i++)
        if (starts_with(target, a->to[i]))
            return true;
    return false;
}

/* The compiler's own headers of vector instructions serve the kernels for one processor. */
static bool is_freestanding(const char *path, const char *name)
{
    if (starts_with(path, "core/base/target/") &&
        (strcmp(name, "immintrin.h") == 0 || strcmp(name, "arm_neon.h") == 0))
        return true;
    for (int i = 0; freestanding[i]; i++)
        if (strcmp(freestanding[i], name) == 0)
            return true;
    return false;
}

/* Turns the name in a quoted include into a path from the root; false if there is no such file. */
static bool resolve(const char *includer, const char *name, char path[512])
{
    snprintf(path, 512, "%s", name);
    if (access(path, F_OK) == 0)
        return true;
    const char *slash = strrchr(includer, '/');
    snprintf(path, 512, "%.*s%s", slash ? (int)(slash - includer + 1) : 0, includer, name);
    return access(path, F_OK) == 0;
}

static void check_include(const struct arrows *a, const char *path, size_t line, const char *name,
                          bool quoted)
{
    char target[512];
    if (strstr(name, "..")) {
        finding(path, line, "includes \"%s\": name it from the root", name);
    } else if (!quoted && !starts_with(name, "lastack/")) {
        if (a->freestanding && !is_freestanding(path, name))
            finding(path, line, "%s includes <%s>, which is not freestanding", a->from, name);
    } else if (!quoted) {
        snprintf(target, sizeof target, "include/%s", name);
        if (!may_include(a, target))
            finding(path, line, "%s must not include %s", a->from, target);
    } else if (!resolve(path, name, target)) {
        finding(path, line, "includes \"%s\", which does not exist", name);
    } else if (!may_include(a, target)) {
        finding(path, line, "%s must not include %s", a->from, target);
    }
}

static void check(const char *path)
{
    const struct arrows *a = arrows_of(path);
    if (!a) {
        finding(path, 1, "its folder has no place among the arrows of tools/check_arrows.c");
        return;
    }
    struct source s = source_read(path);
    size_t line = 1;
    for (char *p = s.text; *p != '\0'; line++) {
        char *end = strchr(p, '\n');
        if (end)
            *end = '\0';
        char name[256];
        const bool is_code = s.code[p - s.text] == '#';
        if (is_code && sscanf(p, "# include <%255[^>]>", name) == 1)
            check_include(a, path, line, name, false);
        else if (is_code && sscanf(p, "# include \"%255[^\"]\"", name) == 1)
            check_include(a, path, line, name, true);
        if (!end)
            break;
        p = end + 1;
    }
    source_free(&s);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        check(argv[i]);
    return findings_status();
}
