/* SPDX-License-Identifier: MIT */
/* Request targets, and the wall around the served directory. */
#include "test.h"

#include "cli/http_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void expect_path(const char *target, const char *want, bool directory)
{
    struct http_path p;

    assert_true(http_path_decode(target, &p));
    assert_string_equal(p.text, want);
    assert_int_equal(p.directory, directory);
}

static void expect_refused(const char *target)
{
    struct http_path p;

    assert_false(http_path_decode(target, &p));
}

TEST(plain_targets_lose_their_leading_slash)
{
    expect_path("/", "", true);
    expect_path("/a", "a", false);
    expect_path("/a/b.txt", "a/b.txt", false);
    expect_path("/a/b/", "a/b", true);
    expect_path("//a///b", "a/b", false);
}

TEST(queries_and_fragments_are_dropped)
{
    expect_path("/a?x=/../../etc", "a", false);
    expect_path("/a#b", "a", false);
    expect_path("/?", "", true);
}

TEST(an_absolute_form_target_is_its_path)
{
    expect_path("http://10.0.0.1:80/a/b", "a/b", false);
    expect_path("HTTP://h", "", true);
    expect_path("http://h?x", "", true);
}

TEST(escapes_are_decoded_once)
{
    expect_path("/a%20b", "a b", false);
    expect_path("/%2541", "%41", false);
    expect_path("/a%2Fb", "a/b", false);
    expect_path("/%c3%a4", "\xc3\xa4", false);
}

TEST(bad_escapes_and_nul_are_refused)
{
    expect_refused("/%");
    expect_refused("/%4");
    expect_refused("/%zz");
    expect_refused("/a%00b");
    expect_refused("/a%0");
}

TEST(dots_are_resolved_and_never_leave_the_top)
{
    expect_path("/a/../b", "b", false);
    expect_path("/a/b/../../c", "c", false);
    expect_path("/a/./b/.", "a/b", true);
    expect_path("/a/..", "", true);
    expect_path("/..a/...", "..a/...", false);
    expect_refused("/..");
    expect_refused("/../etc/passwd");
    expect_refused("/a/../../etc/passwd");
    expect_refused("/%2e%2e/etc/passwd");
    expect_refused("/a/..%2f..%2fetc");
}

TEST(what_is_no_path_is_refused)
{
    expect_refused("");
    expect_refused("*");
    expect_refused("a/b");
}

TEST(splitting_yields_a_parent_and_a_name)
{
    char parent[HTTP_TARGET_MAX + 1], name[HTTP_NAME_MAX + 1];

    assert_true(http_path_split("a/b/c", parent, name));
    assert_string_equal(parent, "a/b");
    assert_string_equal(name, "c");
    assert_true(http_path_split("c", parent, name));
    assert_string_equal(parent, "");
    assert_false(http_path_split("", parent, name));
    assert_false(http_path_split("a/" HTTP_TEMP_PREFIX "1-2", parent, name));
}

TEST(a_name_longer_than_a_file_may_have_is_refused)
{
    char path[HTTP_NAME_MAX + 2];
    char parent[HTTP_TARGET_MAX + 1], name[HTTP_NAME_MAX + 1];

    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_false(http_path_split(path, parent, name));
    path[HTTP_NAME_MAX] = '\0';
    assert_true(http_path_split(path, parent, name));
}

/* A directory with files inside and outside of what is served. */
struct yard {
    char base[64];
    int root;
};

static void put(const char *base, const char *name, const char *text)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", base, name);
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void link_to(const char *base, const char *name, const char *to)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", base, name);
    assert_int_equal(symlink(to, path), 0);
}

static void make_yard(struct yard *y)
{
    char path[256];

    snprintf(y->base, sizeof y->base, "/tmp/lastack-path-XXXXXX");
    assert_non_null(mkdtemp(y->base));
    put(y->base, "secret", "secret");
    snprintf(path, sizeof path, "%s/www", y->base);
    assert_int_equal(mkdir(path, 0700), 0);
    y->root = open(path, O_PATH | O_DIRECTORY);
    assert_true(y->root >= 0);
    snprintf(path, sizeof path, "%s/www/sub", y->base);
    assert_int_equal(mkdir(path, 0700), 0);
    put(y->base, "www/file", "file");
    put(y->base, "www/sub/deep", "deep");
    link_to(y->base, "www/out", "../secret");
    link_to(y->base, "www/up", "..");
    link_to(y->base, "www/root", "/etc");
    link_to(y->base, "www/in", "sub/deep");
}

static void drop_yard(struct yard *y)
{
    static const char *const files[] = { "secret", "www/file", "www/sub/deep", "www/out",
                                         "www/up", "www/root", "www/in",       "www/sub",
                                         "www",    "" };
    char path[256];

    close(y->root);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", y->base, files[i]);
        assert_int_equal(remove(path), 0);
    }
}

typedef int opener(int root, const char *path, int flags, unsigned mode);

static void expect_open(opener *open_it, const struct yard *y, const char *path, const char *text)
{
    char got[32] = "";
    const int fd = open_it(y->root, path, O_RDONLY, 0);

    assert_true(fd >= 0);
    assert_int_equal(read(fd, got, sizeof got - 1), (ssize_t)strlen(text));
    assert_string_equal(got, text);
    close(fd);
}

static void walls(opener *open_it)
{
    static const char *const outside[] = { "out",       "up/secret", "root/passwd",
                                           "../secret", "up",        "sub/../../secret",
                                           "root",      "absent",    "sub/no" };
    struct yard y;

    make_yard(&y);
    expect_open(open_it, &y, "file", "file");
    expect_open(open_it, &y, "sub/deep", "deep");
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        const int fd = open_it(y.root, outside[i], O_RDONLY, 0);
        const char *last = strrchr(outside[i], '/');
        /* Decoding has removed dots before; without openat2 they are not the wall. */
        if (last != NULL && strstr(outside[i], "..") != NULL && open_it != http_path_open)
            close(fd);
        else
            assert_in_set((unsigned long)-fd, ((unsigned long[]){ ENOENT, ENOTDIR }), 2);
    }
    const int top = open_it(y.root, "", O_RDONLY | O_DIRECTORY, 0);
    assert_true(top >= 0);
    close(top);
    drop_yard(&y);
}

TEST(nothing_outside_opens)
{
    walls(http_path_open);
}

TEST(nothing_outside_opens_without_openat2)
{
    walls(http_path_open_walking);
}

TEST(a_symbolic_link_inside_is_followed_only_where_the_kernel_guards_it)
{
    struct yard y;

    make_yard(&y);
    const int fd = http_path_open(y.root, "in", O_RDONLY, 0);
    if (fd >= 0)
        close(fd); /* openat2 is there */
    else
        assert_int_equal(fd, -ENOENT);
    assert_int_equal(http_path_open_walking(y.root, "in", O_RDONLY, 0), -ENOENT);
    drop_yard(&y);
}

TEST(types_go_by_the_ending_in_any_case)
{
    assert_string_equal(http_path_type("a/b.HTML"), "text/html; charset=utf-8");
    assert_string_equal(http_path_type("x.tar.gz"), "application/gzip");
    assert_string_equal(http_path_type("a.html/b"), "application/octet-stream");
    assert_string_equal(http_path_type("README"), "application/octet-stream");
    assert_string_equal(http_path_type("odd."), "application/octet-stream");
}

TEST_MAIN
