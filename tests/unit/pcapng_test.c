/* SPDX-License-Identifier: MIT */
/* pcapng_test.c - A capture is read back block by block, by a reader of its own and by tshark. */
#include "drivers/pcapng.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/unit/test.h"

struct block {
    uint32_t type, len;
    const uint8_t *body;
};

struct packet {
    uint64_t unix_ns;
    uint32_t flags, len;
    const uint8_t *bytes;
    char comment[5000];
};

static uint8_t file[1 << 20];
static uint32_t file_len, at;
static char path[64];

static uint32_t word(const uint8_t *p)
{
    uint32_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

static uint32_t half(const uint8_t *p)
{
    uint16_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

static struct pcapng *open_capture(void)
{
    char error[200] = "";
    snprintf(path, sizeof path, "/tmp/lastack-pcapng-XXXXXX");
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    struct pcapng *p = pcapng_open(path, error, sizeof error);
    assert_string_equal(error, "");
    assert_non_null(p);
    return p;
}

static void read_file(void)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    file_len = (uint32_t)fread(file, 1, sizeof file, f);
    fclose(f);
    at = 0;
}

/* The next block; both its lengths agree and keep it inside the file. */
static struct block next_block(void)
{
    assert_true(file_len - at >= 12);
    const struct block b = { word(file + at), word(file + at + 4), file + at + 8 };
    assert_int_equal(b.len % 4, 0);
    assert_true(b.len >= 12 && b.len <= file_len - at);
    assert_int_equal(word(file + at + b.len - 4), b.len);
    at += b.len;
    return b;
}

static struct packet next_packet(void)
{
    const struct block b = next_block();
    assert_int_equal(b.type, 6);
    assert_int_equal(word(b.body), 0);
    struct packet p = { .unix_ns = (uint64_t)word(b.body + 4) << 32 | word(b.body + 8),
                        .len = word(b.body + 12),
                        .bytes = b.body + 20 };
    assert_int_equal(word(b.body + 16), p.len);
    const uint8_t *option = p.bytes + (p.len + 3) / 4 * 4;
    while (half(option) != 0) {
        const uint32_t len = half(option + 2);
        if (half(option) == 2)
            p.flags = word(option + 4);
        else if (half(option) == 1)
            memcpy(p.comment, option + 4, len);
        option += 4 + (len + 3) / 4 * 4;
        assert_true(option < b.body + b.len - 8);
    }
    return p;
}

static void skip_headers(void)
{
    assert_int_equal(next_block().type, 0x0a0d0d0a);
    assert_int_equal(next_block().type, 1);
}

TEST(a_capture_begins_with_a_section_and_an_interface_of_raw_ip)
{
    assert_true(pcapng_close(open_capture()));
    read_file();
    const struct block section = next_block();
    assert_int_equal(section.type, 0x0a0d0d0a);
    assert_int_equal(word(section.body), 0x1a2b3c4d);
    assert_int_equal(half(section.body + 4), 1);
    assert_int_equal(half(section.body + 16), 4);
    assert_memory_equal(section.body + 20, "lastack", 7);
    const struct block interface = next_block();
    assert_int_equal(interface.type, 1);
    assert_int_equal(half(interface.body), 101);
    assert_int_equal(half(interface.body + 20), 9); /* behind the name, which takes 12 bytes */
    assert_int_equal(interface.body[24], 9);
    assert_int_equal(at, file_len);
    unlink(path);
}

TEST(packets_come_back_with_time_direction_and_comment_whatever_their_length)
{
    uint8_t bytes[1600];
    char comment[64];
    struct pcapng *p = open_capture();
    for (uint32_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 31);
    for (uint32_t len = 20; len < 60; len++) {
        memset(comment, 'v', len - 20);
        comment[len - 20] = '\0';
        pcapng_packet(p, UINT64_C(1700000000123456789) + len, len % 2 == 0, bytes, len,
                      len % 3 == 0 ? NULL : comment);
    }
    assert_true(pcapng_close(p));

    read_file();
    skip_headers();
    for (uint32_t len = 20; len < 60; len++) {
        const struct packet got = next_packet();
        assert_int_equal(got.unix_ns, UINT64_C(1700000000123456789) + len);
        assert_int_equal(got.flags, len % 2 == 0 ? 2 : 1);
        assert_int_equal(got.len, len);
        assert_memory_equal(got.bytes, bytes, len);
        assert_int_equal(strlen(got.comment), len % 3 == 0 || len == 20 ? 0 : len - 20);
    }
    assert_int_equal(at, file_len);
    unlink(path);
}

TEST(the_largest_packet_and_an_endless_comment_fit)
{
    static uint8_t bytes[65535];
    static char comment[20000];
    struct pcapng *p = open_capture();
    memset(comment, 'c', sizeof comment - 1);
    pcapng_packet(p, 1, true, bytes, sizeof bytes, comment);
    assert_true(pcapng_close(p));
    read_file();
    skip_headers();
    const struct packet got = next_packet();
    assert_int_equal(got.len, 65535);
    assert_int_equal(strlen(got.comment), 4096);
    unlink(path);
}

TEST(what_is_flushed_can_be_read_while_the_capture_goes_on)
{
    const uint8_t bytes[20] = { 0x45 };
    struct pcapng *p = open_capture();
    pcapng_packet(p, 1, true, bytes, sizeof bytes, NULL);
    assert_true(pcapng_flush(p));
    read_file();
    skip_headers();
    assert_int_equal(next_packet().len, 20);
    assert_true(pcapng_close(p));
    unlink(path);
}

TEST(a_file_that_can_not_be_made_says_so)
{
    char error[200] = "";
    assert_null(pcapng_open("/nonexistent/folder/x.pcapng", error, sizeof error));
    assert_non_null(strstr(error, "/nonexistent/folder/x.pcapng"));
    assert_non_null(strstr(error, "No such file"));
}

TEST(a_full_disk_is_told_at_once)
{
    char error[200] = "";
    assert_null(pcapng_open("/dev/full", error, sizeof error));
    /* the header alone does not fit */
    assert_non_null(strstr(error, "No space"));
}

TEST(a_disk_that_fills_up_later_is_told_when_the_capture_is_closed)
{
    const uint8_t bytes[1500] = { 0x45 };
    struct rlimit old;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    const struct rlimit small = { 10000, old.rlim_max };
    signal(SIGXFSZ, SIG_IGN);

    struct pcapng *p = open_capture();
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (uint32_t i = 0; i < 100; i++)
        pcapng_packet(p, i, true, bytes, sizeof bytes, NULL);
    const bool closed = pcapng_close(p);
    const int error = errno;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_false(closed);
    assert_int_equal(error, EFBIG);
    unlink(path);
}

TEST(no_capture_closes_well)
{
    assert_true(pcapng_close(NULL));
}

TEST(tshark_opens_it_without_a_complaint)
{
    /* An IPv4 header and a TCP SYN to port 80, both checksums right. */
    static const uint8_t syn[] = { 0x45, 0,    0,    40,   0,    0, 0x40, 0,    64, 6,
                                   0xb6, 0xcc, 192,  0,    2,    1, 192,  0,    2,  2,
                                   0x04, 0xd2, 0x00, 0x50, 0,    0, 0,    1,    0,  0,
                                   0,    0,    0x50, 0x02, 0x10, 0, 0x16, 0xbc, 0,  0 };
    char command[300], line[300] = "";
    if (system("command -v tshark >/dev/null 2>&1") != 0) {
        skip();
        return;
    }
    struct pcapng *p = open_capture();
    pcapng_packet(p, UINT64_C(1700000000123456789), false, syn, sizeof syn,
                  "LISTEN -> SYN-RECEIVED");
    pcapng_packet(p, UINT64_C(1700000000123456790), true, syn, sizeof syn, NULL);
    assert_true(pcapng_close(p));

    snprintf(command, sizeof command,
             "tshark -r %s -T fields -e frame.comment -e tcp.flags.syn -e frame.time_epoch "
             "-e frame.packet_flags_direction -E separator=,  2>&1 | grep -v 'as user'",
             path);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    assert_non_null(fgets(line, sizeof line, out));
    assert_string_equal(line, "LISTEN -> SYN-RECEIVED,1,1700000000.123456789,0x00000001\n");
    assert_non_null(fgets(line, sizeof line, out));
    assert_string_equal(line, ",1,1700000000.123456790,0x00000002\n");
    assert_null(fgets(line, sizeof line, out));
    assert_int_equal(pclose(out), 0);
    unlink(path);
}

TEST_MAIN
