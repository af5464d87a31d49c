/* SPDX-License-Identifier: MIT */
/*
 * The file server over a wire in memory, asked byte by byte: whatever the pieces a request
 * comes in, the answer is the same; whatever rubbish comes, the server stays whole.
 */
#include "test.h"

#include "cli/http_server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX 200000u
#define DIR_TEMPLATE "/tmp/lastack-http-XXXXXX"
#define FILE_BYTES 100000u

static struct la_rt_loop *loop;
static struct la_stack *stacks[2];
static struct la_rt_driver *ends[2];
static void *arenas[2];
static uint64_t arena_bytes;
static struct http_server *server;
static char dir[sizeof DIR_TEMPLATE];
static int root;

/* The client: sends @request in pieces of at most @piece bytes, one a turn. */
static la_conn_id conn;
static const char *request;
static size_t request_len, request_at, piece;
static bool keeps_open, over;
static char answer[ANSWER_MAX + 1];
static size_t answer_len;

static void client_turn(void *context, la_time now)
{
    (void)context;
    if (over || (la_ready(stacks[1], conn) & (LA_CONNECTED | LA_ERROR_SET)) == 0)
        return;
    if (request_at < request_len) {
        const size_t left = request_len - request_at;
        const int64_t sent = la_send(stacks[1], now, conn, request + request_at,
                                     (uint32_t)(left < piece ? left : piece), 0);
        request_at = sent > 0            ? request_at + (size_t)sent
                     : sent == LA_EAGAIN ? request_at
                                         : request_len;
        if (request_at == request_len && !keeps_open &&
            la_shutdown(stacks[1], now, conn, LA_SHUT_WR) != LA_OK)
            over = true;
        la_rt_wake_at(loop, (la_time){ now.ns + 1000000 });
    }
    const int64_t got =
        la_recv(stacks[1], now, conn, answer + answer_len, (uint32_t)(ANSWER_MAX - answer_len));
    if (got > 0)
        answer_len += (size_t)got;
    if (got == 0 || (got < 0 && got != LA_EAGAIN))
        over = true;
    if (over)
        (void)la_close(stacks[1], now, conn);
    if (got > 0)
        la_rt_wake_at(loop, now);
}

static void put_file(const char *name, size_t len)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (size_t i = 0; i < len; i++)
        fputc((int)('a' + i % 23), f);
    fclose(f);
}

static bool is_there(const char *name, size_t len)
{
    char path[128];
    struct stat st;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return stat(path, &st) == 0 && (size_t)st.st_size == len;
}

static void make_stack(int i)
{
    static const char *const addrs[] = { "10.0.0.1/24", "10.0.0.2/24" };
    struct la_config config;
    struct la_prefix p;

    la_config_default(&config);
    config.chunks = 1024;
    la_rt_random(config.secret, sizeof config.secret);
    arena_bytes = la_bytes_needed(&config);
    arenas[i] = la_rt_arena_map(arena_bytes);
    assert_non_null(arenas[i]);
    assert_int_equal(la_init(arenas[i], arena_bytes, &config, la_rt_loop_now(loop), &stacks[i]),
                     LA_OK);
    const int iface = la_iface_add(stacks[i], &(struct la_iface_config){ .mtu_bytes = 1500 });
    assert_int_equal(iface, 0);
    assert_true(la_prefix_parse(addrs[i], true, &p));
    assert_int_equal(la_addr_add(stacks[i], iface, p, 0), LA_OK);
}

static void begin(void)
{
    snprintf(dir, sizeof dir, DIR_TEMPLATE);
    assert_non_null(mkdtemp(dir));
    put_file("small", 10);
    put_file("file", FILE_BYTES);
    root = open(dir, O_PATH | O_DIRECTORY);
    loop = la_rt_loop_new(LA_RT_VIRTUAL_TIME);
    assert_non_null(loop);
    assert_int_equal(la_rt_memory_pair(1500, 256, ends), 0);
    make_stack(0);
    make_stack(1);
    const struct http_server_config config = { .stack = stacks[0],
                                               .loop = loop,
                                               .root = root,
                                               .upload_max_bytes = 100000,
                                               .idle_ns = 5000000000u };
    server = http_server_new(&config);
    assert_non_null(server);
    assert_int_equal(http_server_listen(server, la_prefix_any(), 80), LA_OK);
    const struct la_rt_host hosts[2] = {
        { .stack = stacks[0],
          .driver = ends[0],
          .context = server,
          .on_event = http_server_event,
          .on_turn = http_server_turn },
        { .stack = stacks[1], .driver = ends[1], .on_turn = client_turn },
    };
    assert_int_equal(la_rt_loop_add(loop, &hosts[0]), 0);
    assert_int_equal(la_rt_loop_add(loop, &hosts[1]), 0);
}

static void end(void)
{
    static const char *const names[] = { "small", "file", "put", "chunked", "big" };
    struct http_server_stats stats;

    http_server_stats(server, &stats);
    assert_int_equal(stats.open, 0);
    http_server_free(server);
    la_rt_flush(loop);
    la_rt_loop_free(loop);
    for (int i = 0; i < 2; i++) {
        assert_null(la_check(stacks[i]));
        assert_int_equal(la_table_use(stacks[i], LA_TABLE_CHUNKS).used, 0);
        la_rt_driver_close(ends[i]);
        la_rt_arena_unmap(arenas[i], arena_bytes);
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        (void)unlink(path);
    }
    close(root);
    assert_int_equal(rmdir(dir), 0); /* nothing else was left in it */
}

/* One connection from its SYN to the end of its TIME-WAIT. */
static void ask_bytes(const char *bytes, size_t len, size_t piece_bytes, bool open_end)
{
    const struct la_endpoint any = { .addr = la_addr_v4(0, 0, 0, 0) };
    const struct la_endpoint to = { la_addr_v4(10, 0, 0, 1), 80 };

    request = bytes;
    request_len = len;
    request_at = answer_len = 0;
    piece = piece_bytes;
    keeps_open = open_end;
    over = false;
    assert_int_equal(la_open(stacks[1], la_rt_loop_now(loop), any, to, 0, &conn), LA_OK);
    assert_int_equal(la_rt_run(loop), -EDEADLK);
    assert_true(over);
    answer[answer_len] = '\0';
}

static void ask(const char *text, size_t piece_bytes)
{
    ask_bytes(text, strlen(text), piece_bytes, false);
}

/* "200 404 ": the status of each answer, in order. */
static const char *statuses(void)
{
    static char text[128];
    size_t len = 0;

    text[0] = '\0';
    for (const char *at = answer; (at = strstr(at, "HTTP/1.1 ")) != NULL; at += 9)
        if (at[9] >= '0' && at[9] <= '9')
            len += (size_t)snprintf(text + len, sizeof text - len, "%.3s ", at + 9);
    return text;
}

#define HEAD " HTTP/1.1\r\nHost: h\r\n"

TEST(an_answer_is_the_same_whatever_pieces_the_request_comes_in)
{
    static const char text[] =
        "GET /small" HEAD "\r\n"
        "HEAD /file" HEAD "\r\n"
        "PUT /put" HEAD "Content-Length: 5\r\n\r\nhello"
        "PUT /chunked" HEAD
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\nX: y\r\n\r\n"
        "GET /absent" HEAD "\r\n"
        "GET /small" HEAD "Connection: close\r\n\r\n";
    static const size_t pieces[] = { 1, 2, 3, 7, 64, 1000 };

    begin();
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        ask(text, pieces[i]);
        assert_string_equal(statuses(),
                            i == 0 ? "200 200 201 201 404 200 " : "200 200 204 204 404 200 ");
        assert_true(is_there("put", 5));
        assert_true(is_there("chunked", 7));
        assert_non_null(strstr(answer, "\r\n\r\nabcdefghij"));
    }
    end();
}

TEST(a_file_comes_whole)
{
    begin();
    ask("GET /file" HEAD "\r\n", 1000);
    const char *body = strstr(answer, "\r\n\r\n");
    assert_non_null(body);
    assert_int_equal(answer + answer_len - (body + 4), FILE_BYTES);
    for (size_t i = 0; i < FILE_BYTES; i++)
        assert_int_equal(body[4 + i], 'a' + i % 23);
    end();
}

TEST(errors_answer_once_and_close)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "GET /" HEAD "Host: i\r\n\r\nGET /small" HEAD "\r\n", "400 " },
        { "GET / HTTP/1.1\r\n\r\n", "400 " },
        { "GET / HTTP/2.5\r\nHost: h\r\n\r\n", "505 " },
        { "FROB /" HEAD "\r\n", "501 " },
        { "POST /" HEAD "Content-Length: 3\r\n\r\nabc", "405 " },
        { "PUT /put" HEAD "\r\n", "411 " },
        { "PUT /put" HEAD "Content-Length: 100001\r\n\r\n", "413 " },
        { "PUT /put" HEAD "Content-Range: bytes 0-1/2\r\nContent-Length: 2\r\n\r\nab", "400 " },
        { "PUT /a/b" HEAD "Content-Length: 2\r\n\r\nab", "404 " },
        { "GET /small" HEAD "Content-Length: 3\r\n\r\nabc", "413 " },
        { "GET /../x" HEAD "\r\n", "400 " },
    };

    begin();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ask(cases[i].text, 11);
        assert_string_equal(statuses(), cases[i].want);
    }
    assert_false(is_there("put", 2));
    end();
}

TEST(an_upload_that_outgrows_its_limit_in_chunks_leaves_nothing)
{
    static char text[140000];
    size_t len = (size_t)snprintf(text, sizeof text,
                                  "PUT /big" HEAD "Transfer-Encoding: chunked\r\n\r\n1e848\r\n");

    memset(text + len, 'x', 0x1e848);
    len += 0x1e848;
    len += (size_t)snprintf(text + len, sizeof text - len, "\r\n0\r\n\r\n");
    begin();
    ask_bytes(text, len, 1400, false);
    assert_string_equal(statuses(), "413 ");
    assert_false(is_there("big", 0x1e848));
    end();
}

TEST(a_request_that_ends_early_leaves_nothing)
{
    static const char *const cuts[] = { "G", "GET /small HTTP/1.1\r\nHo",
                                        "PUT /put" HEAD "Content-Length: 5\r\n\r\nhel",
                                        "PUT /put" HEAD
                                        "Transfer-Encoding: chunked\r\n\r\n5\r\nhe" };

    begin();
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        ask(cuts[i], 5);
        assert_int_equal(answer_len, 0);
    }
    assert_false(is_there("put", 3));
    end();
}

TEST(a_client_that_goes_silent_is_dropped)
{
    begin();
    const la_time before = la_rt_loop_now(loop);
    ask_bytes("GET /small HTTP/1.1\r\n", 21, 21, true);
    assert_true(la_rt_loop_now(loop).ns >= before.ns + 5000000000u);
    assert_int_equal(answer_len, 0);
    static const char whole[] = "GET /small" HEAD "\r\n";
    ask_bytes(whole, sizeof whole - 1, 100, true);
    assert_string_equal(statuses(), "200 ");
    end();
}

/* What a file holds at an offset. */
static char byte_at(size_t offset)
{
    return (char)('a' + offset % 23);
}

static const char *header(const char *name)
{
    static char value[256];
    const char *at = strstr(answer, name);
    const char *end = strstr(answer, "\r\n\r\n");

    if (at == NULL || end == NULL || at > end)
        return "";
    snprintf(value, sizeof value, "%.*s", (int)strcspn(at + strlen(name), "\r"), at + strlen(name));
    return value;
}

static const char *body(void)
{
    const char *at = strstr(answer, "\r\n\r\n");

    return at != NULL ? at + 4 : "";
}

TEST(one_range_comes_as_it_is)
{
    begin();
    ask("GET /file" HEAD "Range: bytes=1000-50999\r\n\r\n", 1000);
    assert_string_equal(statuses(), "206 ");
    assert_string_equal(header("Content-Range: "), "bytes 1000-50999/100000");
    assert_string_equal(header("Content-Length: "), "50000");
    assert_int_equal(strlen(body()), 50000);
    for (size_t i = 0; i < 50000; i++)
        assert_int_equal(body()[i], byte_at(1000 + i));
    ask("GET /file" HEAD "Range: bytes=-3\r\n\r\n", 1000);
    assert_string_equal(header("Content-Range: "), "bytes 99997-99999/100000");
    assert_int_equal(strlen(body()), 3);
    end();
}

TEST(several_ranges_come_as_parts_and_as_long_as_was_said)
{
    begin();
    ask("GET /file" HEAD "Range: bytes=0-9,-5,50000-59999\r\n\r\nGET /small" HEAD "\r\n", 1000);
    assert_string_equal(statuses(), "206 200 ");
    char boundary[64];
    snprintf(boundary, sizeof boundary, "\r\n--%s",
             header("Content-Type: multipart/byteranges; "
                    "boundary="));
    assert_int_equal(strlen(boundary), 4 + 16);
    static const struct {
        const char *range;
        size_t first, len;
    } parts[] = { { "bytes 0-9/100000", 0, 10 },
                  { "bytes 99995-99999/100000", 99995, 5 },
                  { "bytes 50000-59999/100000", 50000, 10000 } };
    const char *at = body();
    for (size_t p = 0; p < 3; p++) {
        assert_memory_equal(at, boundary, strlen(boundary));
        const char *range = strstr(at, "Content-Range: ");
        assert_non_null(range);
        assert_memory_equal(range + 15, parts[p].range, strlen(parts[p].range));
        at = strstr(at, "\r\n\r\n") + 4;
        for (size_t i = 0; i < parts[p].len; i++)
            assert_int_equal(*at++, byte_at(parts[p].first + i));
    }
    assert_memory_equal(at, boundary, strlen(boundary));
    assert_memory_equal(at + strlen(boundary), "--\r\n", 4);
    at += strlen(boundary) + 4;
    assert_int_equal(at - body(), strtol(header("Content-Length: "), NULL, 10));
    assert_memory_equal(at, "HTTP/1.1 200", 12);
    end();
}

TEST(a_range_behind_the_end_is_refused_with_the_length)
{
    begin();
    ask("GET /file" HEAD "Range: bytes=100000-\r\n\r\nGET /small" HEAD "\r\n", 1000);
    assert_string_equal(statuses(), "416 200 ");
    assert_string_equal(header("Content-Range: "), "bytes */100000");
    end();
}

TEST(a_range_is_for_get_alone_and_for_what_can_be_read_as_one)
{
    begin();
    ask("HEAD /file" HEAD "Range: bytes=0-9\r\n\r\n", 1000);
    assert_string_equal(statuses(), "200 ");
    assert_string_equal(header("Content-Length: "), "100000");
    assert_string_equal(header("Accept-Ranges: "), "bytes");
    ask("GET /small" HEAD "Range: bytes=0-1\r\nRange: bytes=4-5\r\n\r\n", 1000);
    assert_string_equal(statuses(), "200 ");
    ask("GET /small" HEAD "Range: lines=0-1\r\n\r\n", 1000);
    assert_string_equal(statuses(), "200 ");
    end();
}

/* The file was last changed a minute ago. */
static void make_older(const char *name)
{
    struct timespec times[2] = { { 0, UTIME_OMIT }, { 0, 0 } };

    clock_gettime(CLOCK_REALTIME, &times[1]);
    times[1].tv_sec -= 60;
    assert_int_equal(utimensat(root, name, times, 0), 0);
}

static void ask_if(const char *condition, const char *value, const char *more)
{
    static char text[600];

    snprintf(text, sizeof text, "GET /small" HEAD "%s: %s\r\n%s\r\n", condition, value, more);
    ask(text, 1000);
}

TEST(a_file_that_did_not_change_is_not_sent_again)
{
    char etag[128], date[128];

    begin();
    make_older("small");
    ask("GET /small" HEAD "\r\n", 1000);
    snprintf(etag, sizeof etag, "%s", header("ETag: "));
    snprintf(date, sizeof date, "%s", header("Last-Modified: "));
    assert_int_equal(etag[0], '"');
    ask_if("If-None-Match", etag, "");
    assert_string_equal(statuses(), "304 ");
    assert_string_equal(body(), "");
    assert_string_equal(header("ETag: "), etag);
    ask_if("If-Modified-Since", date, "");
    assert_string_equal(statuses(), "304 ");
    ask_if("If-None-Match", "\"other\"", "");
    assert_string_equal(statuses(), "200 ");
    ask_if("If-Range", etag, "Range: bytes=2-3\r\n");
    assert_string_equal(statuses(), "206 ");
    assert_string_equal(body(), "cd");
    ask_if("If-Range", date, "Range: bytes=2-3\r\n");
    assert_string_equal(statuses(), "206 ");
    ask_if("If-Range", "\"other\"", "Range: bytes=2-3\r\n");
    assert_string_equal(statuses(), "200 ");
    ask_if("If-Match", "\"other\"", "");
    assert_string_equal(statuses(), "412 ");
    put_file("small", 11);
    ask_if("If-Range", etag, "Range: bytes=2-3\r\n");
    assert_string_equal(statuses(), "200 ");
    end();
}

TEST(a_put_can_depend_on_what_is_there)
{
    begin();
    ask("PUT /put" HEAD "If-None-Match: *\r\nContent-Length: 2\r\n\r\nab", 1000);
    assert_string_equal(statuses(), "201 ");
    ask("PUT /put" HEAD "If-None-Match: *\r\nContent-Length: 3\r\n\r\nabc", 1000);
    assert_string_equal(statuses(), "412 ");
    assert_true(is_there("put", 2));
    ask("PUT /big" HEAD "If-Match: *\r\nContent-Length: 2\r\n\r\nab", 1000);
    assert_string_equal(statuses(), "412 ");
    assert_false(is_there("big", 2));
    end();
}

TEST(a_condition_that_is_too_long_to_keep_is_refused)
{
    static char long_one[300], text[600];

    memset(long_one, 'x', sizeof long_one - 1);
    snprintf(text, sizeof text, "GET /small" HEAD "If-Match: \"%s\"\r\n\r\n", long_one);
    begin();
    ask(text, 1000);
    assert_string_equal(statuses(), "431 ");
    end();
}

TEST(a_directory_without_an_index_is_listed)
{
    begin();
    ask("GET /" HEAD "\r\nHEAD /" HEAD "\r\n", 1000);
    assert_string_equal(statuses(), "200 200 ");
    assert_non_null(strstr(body(), "<a href=\"file\">file</a></td><td>100000</td>"));
    assert_non_null(strstr(body(), "<a href=\"small\">small</a></td><td>10</td>"));
    end();
}

TEST(rubbish_never_harms_the_server)
{
    static const char seeds[] = "GET /small HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
                                "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
                                "PUT /put%2f..%00 HTTP/1.0\r\n5\r\nabc\r\n0\r\n\r\n";
    uint32_t random = 1;
    char text[600];

    begin();
    for (int round = 0; round < 300; round++) {
        size_t len = 0;
        while (len < sizeof text - 40) {
            random = random * 1664525u + 1013904223u;
            const size_t from = (random >> 8) % (sizeof seeds - 1);
            const size_t most = sizeof seeds - 1 - from;
            const size_t n = 1 + (random >> 20) % 40 < most ? 1 + (random >> 20) % 40 : most;
            memcpy(text + len, seeds + from, n);
            if ((random >> 4) % 8 == 0)
                text[len] = (char)(random >> 16);
            len += n;
        }
        ask_bytes(text, len, 1 + (size_t)round % 97, false);
    }
    ask("GET /small" HEAD "\r\n", 100);
    assert_string_equal(statuses(), "200 ");
    end();
}

TEST_MAIN
