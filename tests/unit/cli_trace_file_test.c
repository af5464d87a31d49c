/* SPDX-License-Identifier: MIT */
/* cli_trace_file_test.c - What --trace writes is what `lastack plot` reads, after the connection's end too. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

#include "cli/plot.h"
#include "cli/trace_file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void add(struct trace_file *f, struct hand *h)
{
    struct la_trace records[64];
    uint64_t lost = 0;
    uint32_t n;

    while ((n = la_trace_read(h->s, records, 64, &lost)) > 0)
        trace_file_add(f, h->s, records, n);
    assert_int_equal(lost, 0);
}

static void hear(struct hand *h, struct trace_file *f, const char *line)
{
    hand_rx(h, line);
    hand_drain(h);
    add(f, h);
}

static size_t of_kind(const struct plot *p, enum plot_kind kind)
{
    size_t n = 0;

    for (size_t i = 0; i < p->count; i++)
        n += p->events[i].kind == kind;
    return n;
}

TEST(a_loss_in_the_file_is_read_back_and_told_in_words)
{
    char path[] = "/tmp/trace_file_XXXXXX", text[16384], error[100];
    const int fd = mkstemp(path);
    struct la_config config;
    struct hand h;
    static const uint8_t bytes[8 * 1460];

    assert_true(fd >= 0);
    hand_config(&config);
    config.trace_records = 4096;
    const struct hand_opt opt = { .config = &config,
                                  .iss = 0xfffffff0,
                                  .syn = "wnd 65535 mss 1460 sackOK" };
    hand_new(&h, &opt);
    struct trace_file *f = trace_file_open(path, h.now);
    assert_non_null(f);
    hand_establish(&h, &opt);
    assert_int_equal(la_send(h.s, h.now, h.conn, bytes, sizeof bytes, 0), sizeof bytes);
    hand_drain(&h);
    add(f, &h);
    h.now.ns += 20 * NS_PER_MS;
    hear(&h, f, "ACK rcv 1 snd 1 wnd 65535 sack 1461:5841");
    h.now.ns += 20 * NS_PER_MS;
    hear(&h, f, "ACK rcv 1 snd 11681 wnd 65535");
    assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
    hand_drain(&h); /* the FIN is sent, and told when the connection has become a short record */
    hear(&h, f, "ACK rcv 1 snd 11682 wnd 65535");
    assert_true(trace_file_close(f));
    hand_free(&h);

    FILE *in = fdopen(fd, "r");
    assert_non_null(in);
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    assert_non_null(strstr(text, "\"what\":\"recovery begins\""));
    assert_non_null(strstr(text, "\"what\":\"recovery ends\""));
    rewind(in);
    struct plot p = { 0 };
    if (!plot_read(&p, in, error, sizeof error))
        fail_msg("%s", error);
    assert_int_equal(of_kind(&p, PLOT_TX), 11); /* SYN, eight, one again, FIN */
    assert_int_equal(p.events[0].seq, 0);       /* relative to the ISN */
    assert_true(of_kind(&p, PLOT_ACK) >= 3);
    assert_true(of_kind(&p, PLOT_METRICS) >= 2);
    plot_free(&p);
    fclose(in);
    unlink(path);
}

TEST(a_file_that_can_not_be_made_is_an_error)
{
    assert_null(trace_file_open("/nowhere/at/all", (la_time){ 0 }));
    assert_true(trace_file_close(NULL));
}

TEST_MAIN
