/* SPDX-License-Identifier: MIT */
/*
 * control_many_test.c - 100,000 connections told through the control socket while segments go on.
 *
 * What a request costs is counted, not timed: how many rows it gives and how many slots it can
 * have passed.
 */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

#include "runtime/control.h"

#include <stdio.h>

#define MANY 100000u
#define ROWS_A_PIECE 256u
#define SLOTS_A_PIECE 8192u

static char answer[CONTROL_ANSWER_MAX + 1];
static uint8_t seen[MANY + 2];

static void ask(const struct hand *h, const char *what, uint64_t from)
{
    const struct control_context c = { .stack = h->s, .now = h->now, .name = "test" };
    char request[96];
    const int len =
        snprintf(request, sizeof request, "lastack/1 %s from=%llu", what, (unsigned long long)from);

    answer[control_answer(&c, request, (uint32_t)len, answer)] = '\0';
}

/* Connection @n has its own peer: its number is in the address and the port. */
static void peer_of(struct hand *h, uint32_t n)
{
    h->peer.bytes[15] = (uint8_t)(2 + n / 50000);
    h->rport = (uint16_t)(1 + n % 50000);
}

static uint32_t number_of(struct la_endpoint remote)
{
    return (remote.addr.bytes[15] - 2u) * 50000 + remote.port - 1;
}

/* All have sent their SYN; the last is established. */
static void open_many(struct hand *h, bool v6)
{
    struct la_config config;

    hand_config(&config);
    config.connections = MANY + 2;
    config.chunks = 4096;
    hand_new(h, &(struct hand_opt){ .v6 = v6, .config = &config });
    for (uint32_t n = 0; n < MANY - 1; n++) {
        peer_of(h, n);
        hand_open(h);
        hand_drain(h);
    }
    peer_of(h, MANY - 1);
    hand_establish(h, NULL);
}

/* The rows of a piece.  Return: where the next begins, 0 at the end. */
static uint64_t take_piece(uint32_t *rows)
{
    uint64_t next = 0;

    *rows = 0;
    for (char *line = answer, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        struct control_in in;
        struct la_endpoint remote;
        assert_true(control_parse(line, &in));
        if (strcmp(in.word, "next") == 0)
            assert_true(control_parse_number(in.values[0], &next));
        if (strcmp(in.word, "row") != 0)
            continue;
        assert_true(control_parse_endpoint(control_get(&in, "remote"), &remote));
        seen[number_of(remote)]++;
        ++*rows;
    }
    return next;
}

/* Text for the connection that is established is taken.  No shadow looks on: it would copy all. */
static void one_segment(struct hand *h, uint32_t k)
{
    static const uint8_t text[10];
    static uint8_t packet[256];
    const struct tcp_seg seg = {
        .src_port = h->rport,
        .dst_port = h->lport,
        .seq = seq_add(h->irs, 1 + 10 * k),
        .ack = hand_conn(h)->snd.nxt,
        .wnd = 1000,
        .flags = TCP_ACK,
        .text = text,
        .len = sizeof text,
    };
    const struct la_frame frame = { .bytes = packet,
                                    .len_bytes = hand_packet(h->peer, h->us, &seg, packet) };

    la_rx(h->s, h->now, &frame, 1);
    hand_drain(h);
    assert_int_equal(seq_diff(h->irs, hand_conn(h)->rcv.nxt), 1 + 10 * (k + 1));
}

/* A connection comes, and at the next piece it goes. */
static void come_or_go(struct hand *h, la_conn_id *guest, uint32_t k)
{
    const la_conn_id host = h->conn;

    if (k % 2 == 0) {
        peer_of(h, MANY);
        hand_open(h);
        *guest = h->conn;
        h->conn = host;
        peer_of(h, MANY - 1);
    } else {
        assert_int_equal(la_abort(h->s, h->now, *guest), LA_OK);
    }
    hand_drain(h);
}

static void assert_nothing_is_found_in_bounded_pieces(struct hand *h)
{
    uint64_t from = 0;
    uint32_t pieces = 0, rows;
    char what[40];

    snprintf(what, sizeof what, "rows states=%u", 1u << LA_TIME_WAIT);
    do {
        ask(h, what, from);
        from = take_piece(&rows);
        assert_int_equal(rows, 0);
        pieces++;
    } while (from != 0 && pieces <= MANY);
    assert_int_equal(pieces, (h->t->conns.high + SLOTS_A_PIECE - 1) / SLOTS_A_PIECE);
}

TEST(each_of_100000_connections_is_told_once_in_small_pieces_while_others_come_go_and_receive)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h;
        la_conn_id guest = { 0 };
        uint64_t from = 0;
        uint32_t pieces = 0, rows;

        open_many(&h, v6 != 0);
        memset(seen, 0, sizeof seen);
        do {
            ask(&h, "rows", from);
            from = take_piece(&rows);
            assert_in_range(rows, from != 0, ROWS_A_PIECE);
            one_segment(&h, pieces);
            come_or_go(&h, &guest, pieces++);
        } while (from != 0 && pieces <= MANY);
        for (uint32_t n = 0; n < MANY; n++)
            assert_int_equal(seen[n], 1);
        assert_in_range(pieces, MANY / ROWS_A_PIECE, MANY / ROWS_A_PIECE * 4);
        assert_nothing_is_found_in_bounded_pieces(&h);
        hand_free(&h);
    }
}

TEST_MAIN
