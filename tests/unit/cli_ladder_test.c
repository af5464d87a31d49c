/* SPDX-License-Identifier: MIT */
/*
 * cli_ladder_test.c - Ladders drawn from records that are written here, compared with golden text.
 *
 * The drawings are in tests/unit/golden/; a test that differs prints what it drew.  With
 * LASTACK_GOLDEN=write in the environment the drawings are written instead, for review.
 */
#include "cli/ladder_lines.h"

#include <stdlib.h>

#include "tests/unit/test.h"

#define ISS 0xfffffff0u /* both sides' numbers wrap early */
#define IRS 0x7ffffff0u

#define SYN FLAG_SYN
#define ACK FLAG_ACK
#define FIN FLAG_FIN
#define RST FLAG_RST
#define PSH FLAG_PSH

static struct ladder *ladder;
static uint64_t now_us;
static enum la_state here;
static char drawn[1 << 20], wanted[1 << 20];

static void begin(const struct ladder_options *options)
{
    ladder = ladder_new(options);
    assert_non_null(ladder);
    now_us = 1000000;
    here = LA_CLOSED;
}

static void begin_plain(void)
{
    const struct ladder_options options = { .ascii = true, .two_msl_ms = 2000 };
    begin(&options);
}

static struct la_trace record(enum la_trace_kind kind)
{
    return (struct la_trace){
        .at = { now_us * 1000 },
        .kind = (uint8_t)kind,
        .local = { la_addr_v4(10, 9, 0, 1), 80 },
        .remote = { la_addr_v4(10, 9, 0, 2), 41234 },
        .from = (uint8_t)here,
        .to = (uint8_t)here,
    };
}

static struct la_trace segment(enum la_trace_kind kind, uint8_t flags, uint32_t seq, uint32_t ack,
                               uint32_t wnd, uint32_t len)
{
    struct la_trace t = record(kind);
    const bool out = kind == LA_TRACE_TX;
    t.flags = flags;
    t.seq = seq + (out ? ISS : IRS);
    t.ack = (flags & ACK) != 0 ? ack + (out ? IRS : ISS) : 0;
    t.wnd = wnd;
    t.len_bytes = len;
    return t;
}

/* A segment from the peer, after which this side is in @to. */
static void rx(enum la_state to, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    now_us += 100;
    struct la_trace t = segment(LA_TRACE_RX, flags, seq, ack, 502, len);
    t.to = (uint8_t)to;
    here = to;
    ladder_add(ladder, &t);
}

static void rx_wnd(uint32_t ack, uint32_t wnd)
{
    now_us += 100;
    const struct la_trace t = segment(LA_TRACE_RX, ACK, 81, ack, wnd, 0);
    ladder_add(ladder, &t);
}

static void rx_dropped(uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len, enum la_drop reason)
{
    now_us += 100;
    struct la_trace t = segment(LA_TRACE_RX, flags, seq, ack, 502, len);
    t.reason = (uint16_t)reason;
    ladder_add(ladder, &t);
}

static void tx_as(bool again, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    now_us += 7;
    struct la_trace t = segment(LA_TRACE_TX, flags, seq, ack, 512, len);
    t.retransmission = again;
    ladder_add(ladder, &t);
}

static void tx(enum la_state to, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    here = to;
    tx_as(false, flags, seq, ack, len);
}

static void enter(enum la_state to, enum la_drop reason)
{
    struct la_trace t = record(LA_TRACE_STATE);
    t.to = (uint8_t)to;
    t.reason = (uint16_t)reason;
    here = to;
    ladder_add(ladder, &t);
}

static void timeout(enum la_timer timer)
{
    struct la_trace t = record(LA_TRACE_TIMEOUT);
    t.timer = (uint8_t)timer;
    ladder_add(ladder, &t);
}

static void accept_from_peer(void)
{
    here = LA_LISTEN;
    rx(LA_SYN_RECEIVED, SYN, 0, 0, 0);
    tx(LA_SYN_RECEIVED, SYN | ACK, 0, 1, 0);
    rx(LA_ESTABLISHED, ACK, 1, 1, 0);
    ladder_scale(ladder, 7, 7);
}

/* A request of 80 bytes and a response of @segments of 1000 bytes, each acknowledged. */
static void transfer(uint32_t segments)
{
    rx(here, PSH | ACK, 1, 1, 80);
    tx(here, ACK, 1, 81, 0);
    for (uint32_t i = 0; i < segments; i++) {
        tx(here, ACK, 1 + i * 1000, 81, 1000);
        rx(here, ACK, 81, 1001 + i * 1000, 0);
    }
}

static FILE *open_golden(const char *name, const char *mode)
{
    char path[512];
    snprintf(path, sizeof path, "%s/tests/unit/golden/ladder_%s.txt", TEST_SOURCE_DIR, name);
    FILE *f = fopen(path, mode);
    if (f == NULL)
        fail_msg("%s can not be opened", path);
    return f;
}

static void draw(void (*how)(const struct ladder *, FILE *))
{
    drawn[0] = '\0';
    FILE *f = fmemopen(drawn, sizeof drawn, "w");
    assert_non_null(f);
    how(ladder, f);
    fclose(f);
}

static void assert_golden(const char *name)
{
    const char *mode = getenv("LASTACK_GOLDEN");
    draw(ladder_print);
    if (mode != NULL && strcmp(mode, "write") == 0) {
        FILE *out = open_golden(name, "w");
        fputs(drawn, out);
        fclose(out);
    }
    FILE *f = open_golden(name, "r");
    wanted[fread(wanted, 1, sizeof wanted - 1, f)] = '\0';
    fclose(f);
    if (strcmp(drawn, wanted) != 0) {
        fprintf(stderr, "%s:\n%s", name, drawn);
        fail_msg("the drawing differs from golden/ladder_%s.txt", name);
    }
    ladder_free(ladder);
}

static void assert_says(const char *words)
{
    draw(ladder_json);
    if (strstr(drawn, words) == NULL)
        fail_msg("nowhere says \"%s\":\n%s", words, drawn);
}

static void assert_silent(const char *words)
{
    draw(ladder_json);
    if (strstr(drawn, words) != NULL)
        fail_msg("says \"%s\":\n%s", words, drawn);
}

TEST(a_close_in_four_segments_explains_each_step)
{
    begin_plain();
    accept_from_peer();
    transfer(100);
    tx(LA_FIN_WAIT_1, FIN | ACK, 100001, 81, 0);
    rx(LA_FIN_WAIT_2, ACK, 81, 100002, 0);
    rx(LA_TIME_WAIT, FIN | ACK, 81, 100002, 0);
    tx(LA_TIME_WAIT, ACK, 100002, 82, 0);
    now_us += 2000000;
    enter(LA_CLOSED, LA_DROP_TIME_WAIT_END);
    assert_golden("close_in_four");
}

TEST(a_close_in_three_segments_says_why)
{
    begin_plain();
    accept_from_peer();
    transfer(1);
    tx(LA_FIN_WAIT_1, FIN | ACK, 1001, 81, 0);
    rx(LA_TIME_WAIT, FIN | ACK, 81, 1002, 0);
    tx(LA_TIME_WAIT, ACK, 1002, 82, 0);
    assert_golden("close_in_three");
}

TEST(when_the_peer_closes_first_the_waiting_is_its)
{
    const struct ladder_options options = {
        .ascii = true, .two_msl_ms = 2000, .peer_two_msl_ms = 60000, .peer = "the kernel"
    };
    begin(&options);
    accept_from_peer();
    transfer(2);
    rx(LA_CLOSE_WAIT, FIN | ACK, 81, 2001, 0);
    tx(LA_CLOSE_WAIT, ACK, 2001, 82, 0);
    tx(LA_LAST_ACK, FIN | ACK, 2001, 82, 0);
    rx(LA_CLOSED, ACK, 82, 2002, 0);
    assert_golden("peer_closes_first");
}

TEST(an_active_open_and_a_simultaneous_close)
{
    const struct ladder_options options = { .two_msl_ms = 2000 };
    begin(&options);
    tx(LA_SYN_SENT, SYN, 0, 0, 0);
    rx(LA_ESTABLISHED, SYN | ACK, 0, 1, 0);
    tx(LA_ESTABLISHED, ACK, 1, 1, 0);
    tx(LA_FIN_WAIT_1, FIN | ACK, 1, 1, 0);
    rx(LA_CLOSING, FIN | ACK, 1, 1, 0); /* sent before ours arrived */
    tx(LA_CLOSING, ACK, 2, 2, 0);
    rx(LA_TIME_WAIT, ACK, 2, 2, 0);
    assert_golden("simultaneous_close");
}

TEST(losses_and_windows_stay_and_say_what_happened)
{
    begin_plain();
    accept_from_peer();
    transfer(20);
    tx(here, ACK, 20001, 81, 1000);
    tx_as(true, ACK, 20001, 81, 1000);
    now_us += 200000;
    timeout(LA_TIMER_RTO);
    tx_as(true, ACK, 20001, 81, 1000);
    rx_wnd(21001, 0);
    now_us += 300000;
    timeout(LA_TIMER_PERSIST);
    tx_as(false, ACK, 21001, 81, 1);
    rx_wnd(21001, 0);
    rx_wnd(21001, 600);
    rx(here, ACK, 1081, 21002, 500);
    rx(here, ACK, 81, 21002, 1000);
    rx_dropped(ACK, 81, 21002, 1000, LA_DROP_OLD_DUPLICATE);
    rx_dropped(RST, 900, 0, 0, LA_DROP_RST_CHALLENGED);
    for (uint32_t i = 0; i < 30; i++)
        tx(here, ACK, 21002 + i * 1000, 1581, 1000);
    assert_golden("losses_and_windows");
}

TEST(a_reset_ends_the_drawing)
{
    begin_plain();
    accept_from_peer();
    transfer(1);
    rx(LA_CLOSED, RST | ACK, 81, 1001, 0);
    enter(LA_CLOSED, LA_DROP_RESET);
    assert_says("A reset by the peer ends the connection at once.");
    assert_says("\"peer_state\":\"CLOSED\"");
    ladder_free(ladder);
}

TEST(a_reset_of_ours_gives_its_reason)
{
    begin_plain();
    accept_from_peer();
    now_us += 10;
    struct la_trace t = segment(LA_TRACE_TX, RST | ACK, 1, 1, 0, 0);
    t.reason = LA_DROP_CLOSED_UNREAD;
    t.to = LA_CLOSED;
    ladder_add(ladder, &t);
    assert_says("A reset by lastack ends the connection at once: closed with unread data");
    ladder_free(ladder);
}

static bool queues_then(void *context, const struct la_trace *t, struct la_cause *out)
{
    (*(uint32_t *)context)++;
    *out = (struct la_cause){ .reason = (enum la_drop)t->reason,
                              .conn = { 7 },
                              .snd_queued_bytes = 1000,
                              .rcv_queued_bytes = 24 };
    return true;
}

TEST(a_reason_has_one_footnote_with_clause_knob_counter_and_the_queues_then)
{
    uint32_t asked = 0;
    const struct ladder_options options = { .ascii = true,
                                            .cause = queues_then,
                                            .context = &asked };
    begin(&options);
    accept_from_peer();
    now_us += 10;
    rx_dropped(RST, 500, 0, 0, LA_DROP_RST_CHALLENGED);
    now_us += 10;
    rx_dropped(RST, 600, 0, 0, LA_DROP_RST_CHALLENGED);
    assert_int_equal(asked, 1);
    draw(ladder_print);
    assert_non_null(strstr(drawn, "challenge ACK. [1]"));
    assert_non_null(strstr(drawn, "[1] RST_CHALLENGED, 2 times: RFC 5961 3.2; knob "));
    assert_non_null(strstr(drawn, "1000 bytes to send, 24 to read"));
    assert_null(strstr(drawn, "[2]"));
    draw(ladder_json);
    assert_non_null(strstr(drawn, "\"reasons\":[{\"reason\":\"RST_CHALLENGED\",\"times\":2,"));
    assert_non_null(strstr(drawn, "\"snd_queued\":1000"));
    ladder_free(ladder);
}

TEST(a_simultaneous_open_is_recognised)
{
    begin_plain();
    tx(LA_SYN_SENT, SYN, 0, 0, 0);
    rx(LA_SYN_RECEIVED, SYN, 0, 0, 0);
    tx(LA_SYN_RECEIVED, SYN | ACK, 0, 1, 0);
    rx(LA_ESTABLISHED, SYN | ACK, 0, 1, 0);
    assert_says("Both opened at the same time");
    assert_says("the connection is open");
    ladder_free(ladder);
}

TEST(a_repeated_fin_in_time_wait_shows_what_time_wait_is_for)
{
    begin_plain();
    accept_from_peer();
    tx(LA_FIN_WAIT_1, FIN | ACK, 1, 1, 0);
    rx(LA_TIME_WAIT, FIN | ACK, 1, 2, 0);
    tx(LA_TIME_WAIT, ACK, 2, 2, 0);
    rx_dropped(FIN | ACK, 1, 2, 0, LA_DROP_TIME_WAIT_ACKED);
    tx(LA_TIME_WAIT, ACK, 2, 2, 0);
    assert_says("The FIN comes again: the last ACK was lost.");
    ladder_free(ladder);
}

TEST(a_close_with_text_still_waiting_is_told_before_the_fin)
{
    begin_plain();
    accept_from_peer();
    enter(LA_FIN_WAIT_1, LA_DROP_NONE);
    tx(LA_FIN_WAIT_1, ACK, 1, 1, 1000);
    tx(LA_FIN_WAIT_1, FIN | ACK, 1001, 1, 10);
    assert_says("lastack closes. Its FIN will follow the bytes that still wait.");
    assert_says("FIN-WAIT-1: lastack has nothing more to send");
    ladder_free(ladder);
}

TEST(an_answer_recorded_before_its_question_is_drawn_behind_it)
{
    begin_plain();
    here = LA_LISTEN;
    now_us += 5;
    struct la_trace answer = segment(LA_TRACE_TX, SYN | ACK, 0, 1, 512, 0);
    struct la_trace question = segment(LA_TRACE_RX, SYN, 0, 0, 502, 0);
    answer.to = question.to = LA_SYN_RECEIVED;
    ladder_add(ladder, &answer);
    enter(LA_SYN_RECEIVED, LA_DROP_NONE);
    ladder_add(ladder, &question);
    draw(ladder_print);
    const char *opens = strstr(drawn, "<--- SYN      seq 0");
    const char *agrees = strstr(drawn, "---- SYN ACK  seq 0");
    assert_non_null(opens);
    assert_non_null(agrees);
    assert_true(opens < agrees);
    ladder_free(ladder);
}

TEST(a_state_that_only_a_state_record_knows_is_shown)
{
    begin_plain();
    accept_from_peer();
    tx(LA_FIN_WAIT_1, FIN | ACK, 1, 1, 0);
    rx(LA_FIN_WAIT_2, ACK, 1, 2, 0);
    now_us += 100;
    enter(LA_TIME_WAIT, LA_DROP_NONE);
    struct la_trace t = segment(LA_TRACE_RX, FIN | ACK, 1, 2, 502, 0);
    t.to = LA_CLOSED; /* the full record is gone, a short one has taken over */
    ladder_add(ladder, &t);
    assert_says("TIME-WAIT: both directions are closed.");
    ladder_free(ladder);
}

TEST(the_peers_own_trace_replaces_the_inference)
{
    begin_plain();
    accept_from_peer();
    tx(LA_FIN_WAIT_1, FIN | ACK, 1, 1, 0);
    enter(LA_FIN_WAIT_1, LA_DROP_NONE);
    struct la_trace t = segment(LA_TRACE_TX, FIN | ACK, 1, 1, 512, 0);
    t.kind = LA_TRACE_RX;
    t.to = LA_CLOSING; /* it had closed as well */
    ladder_add_peer(ladder, &t);
    assert_says("\"peer_inferred\":false");
    assert_says("\"peer_state\":\"CLOSING\"");
    ladder_free(ladder);
}

TEST(a_conversation_is_folded_after_some_turns)
{
    begin_plain();
    accept_from_peer();
    for (uint32_t i = 0; i < 10000; i++) {
        rx(here, ACK, 1 + i * 10, 1 + i * 20, 10);
        tx(here, ACK, 1 + i * 20, 11 + i * 10, 20);
    }
    assert_true(ladder->line_count < 40);
    draw(ladder_print);
    assert_non_null(strstr(drawn, "; received "));
    ladder_free(ladder);
}

TEST(a_transfer_with_endless_losses_takes_bounded_memory_and_counts_them)
{
    begin_plain();
    accept_from_peer();
    for (uint32_t i = 0; i < 300000; i++)
        tx_as(i % 10 == 0, ACK, 1 + i * 1448, 1, 1448);
    assert_true(ladder->line_count < 200);
    assert_int_equal(ladder->side[LOCAL].again, 30000);
    draw(ladder_print);
    assert_non_null(strstr(drawn, " sent again."));
    ladder_free(ladder);
}

TEST(more_than_four_gigabytes_count_on)
{
    begin_plain();
    accept_from_peer();
    for (uint64_t at = 1; at < UINT64_C(10000000000); at += 60000)
        tx(here, ACK, (uint32_t)at, 1, 60000);
    draw(ladder_print);
    assert_non_null(strstr(drawn, "10.0 GB"));
    assert_non_null(strstr(drawn, "seq 9999960001"));
    ladder_free(ladder);
}

TEST(nothing_is_drawn_of_nothing)
{
    begin_plain();
    draw(ladder_print);
    assert_string_equal(drawn, "");
    assert_silent("segment\",");
    ladder_free(ladder);
}

TEST(printing_uses_nothing_up)
{
    begin_plain();
    accept_from_peer();
    transfer(30);
    draw(ladder_print);
    memcpy(wanted, drawn, sizeof drawn);
    draw(ladder_print);
    assert_string_equal(drawn, wanted);
    ladder_free(ladder);
}

TEST_MAIN
