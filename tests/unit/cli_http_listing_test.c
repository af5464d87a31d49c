/* SPDX-License-Identifier: MIT */
/* A directory as a page: what is on it, in which order, and how names are escaped. */
#include "test.h"

#include "cli/http_listing.h"
#include "cli/http_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOP_TEMPLATE "/tmp/lastack-listing-XXXXXX"

static char top[sizeof TOP_TEMPLATE];
static int root;
static char page[100000];

static void begin(void)
{
    snprintf(top, sizeof top, TOP_TEMPLATE);
    assert_non_null(mkdtemp(top));
    root = open(top, O_PATH | O_DIRECTORY);
    assert_true(root >= 0);
}

static void put(const char *name, size_t len)
{
    const int fd = openat(root, name, O_WRONLY | O_CREAT, 0666);
    const struct timespec times[2] = { { 0, 0 }, { 784111777, 0 } };

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)len), 0);
    assert_int_equal(futimens(fd, times), 0);
    close(fd);
}

static void list(const char *path)
{
    uint64_t size = 0;
    const int fd = http_listing_make(root, path, &size);

    assert_true(fd >= 0);
    assert_true(size < sizeof page);
    assert_int_equal(pread(fd, page, sizeof page, 0), (ssize_t)size);
    page[size] = '\0';
    close(fd);
}

/* The names given, in this order and no others. */
static void expect_rows(const char *wanted)
{
    char got[1000] = "";
    size_t len = 0;

    for (const char *at = page; (at = strstr(at, "<a href=\"")) != NULL;) {
        at += strlen("<a href=\"");
        len += (size_t)snprintf(got + len, sizeof got - len, "%.*s ", (int)strcspn(at, "\""), at);
    }
    assert_string_equal(got, wanted);
}

static void end(const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_true(unlinkat(root, names[i], 0) == 0 ||
                    unlinkat(root, names[i], AT_REMOVEDIR) == 0);
    close(root);
    assert_int_equal(rmdir(top), 0);
}
#define END(...)                                                                                   \
    do {                                                                                           \
        const char *const names_[] = { __VA_ARGS__ };                                              \
        end(names_, sizeof names_ / sizeof names_[0]);                                             \
    } while (0)

TEST(names_stand_in_the_order_of_their_bytes)
{
    begin();
    put("b", 1);
    put("a", 2);
    put("B", 3);
    put("\xc3\xa4", 4);
    assert_int_equal(mkdirat(root, "dir", 0777), 0);
    list("");
    expect_rows("B a b dir/ %C3%A4 ");
    END("b", "a", "B", "\xc3\xa4", "dir");
}

TEST(a_file_has_its_length_and_its_time_in_utc)
{
    begin();
    put("file", 12345);
    list("");
    assert_non_null(strstr(page, "file</a></td><td>12345</td><td>1994-11-06 08:49:37 UTC</td>"));
    END("file");
}

TEST(a_name_can_not_become_markup)
{
    static const char evil[] = "<script>&\"'%00?#\n";

    begin();
    put(evil, 1);
    list("");
    expect_rows("%3Cscript%3E%26%22%27%2500%3F%23%0A ");
    assert_non_null(strstr(page, ">&lt;script&gt;&amp;&quot;'%00?#\xef\xbf\xbd</a>"));
    END(evil);
}

TEST(what_a_get_would_not_find_is_not_listed)
{
    begin();
    put("kept", 1);
    put(HTTP_TEMP_PREFIX "1-2", 1);
    assert_int_equal(mkfifoat(root, "fifo", 0666), 0);
    assert_int_equal(symlinkat("/etc/passwd", root, "out"), 0);
    assert_int_equal(symlinkat("nowhere", root, "dangling"), 0);
    assert_int_equal(symlinkat("kept", root, "within"), 0);
    list("");
    expect_rows("kept within ");
    END("kept", HTTP_TEMP_PREFIX "1-2", "fifo", "out", "dangling", "within");
}

TEST(below_the_top_there_is_a_way_up)
{
    begin();
    put("x", 1);
    assert_int_equal(mkdirat(root, "sub", 0777), 0);
    assert_int_equal(symlinkat("../x", root, "sub/up"), 0);
    list("sub");
    expect_rows("../ up ");
    assert_non_null(strstr(page, "<title>/sub</title>"));
    END("sub/up", "sub", "x");
}

TEST(what_is_no_directory_has_no_page)
{
    uint64_t size;

    begin();
    put("file", 1);
    assert_int_equal(http_listing_make(root, "absent", &size), -ENOENT);
    assert_int_equal(http_listing_make(root, "file", &size), -ENOTDIR);
    END("file");
}

TEST(a_directory_with_too_many_names_says_so)
{
    char name[16];
    uint64_t size = 0;
    static char large[4000000];

    begin();
    for (int i = 0; i <= HTTP_LISTING_MAX; i++) {
        snprintf(name, sizeof name, "%d", i);
        const int fd = openat(root, name, O_WRONLY | O_CREAT, 0666);
        assert_true(fd >= 0);
        close(fd);
    }
    const int fd = http_listing_make(root, "", &size);
    assert_true(fd >= 0 && size < sizeof large);
    assert_int_equal(pread(fd, large, sizeof large - 1, 0), (ssize_t)size);
    assert_non_null(strstr(large, "There are more than these 10000."));
    close(fd);
    for (int i = 0; i <= HTTP_LISTING_MAX; i++) {
        snprintf(name, sizeof name, "%d", i);
        assert_int_equal(unlinkat(root, name, 0), 0);
    }
    end(NULL, 0);
}

TEST_MAIN
