/* SPDX-License-Identifier: MIT */
/* A cause in words, and the cause that a trace record tells of. */
#include "cli/cause_text.h"

#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

static struct hand new_hand(bool v6)
{
    struct la_config config;
    struct hand h;

    hand_config(&config);
    config.cause_records = 8;
    hand_new(&h, &(struct hand_opt){ .v6 = v6, .config = &config });
    return h;
}

TEST(words_have_clause_knob_counter_and_the_queues_that_there_are)
{
    char text[CAUSE_TEXT_BYTES];
    struct la_cause c = { .reason = LA_DROP_SYN_BACKLOG };

    cause_text(&c, text);
    assert_string_equal(text,
                        "RFC 4987 3.1; knob net.ipv4.tcp_max_syn_backlog; counter ListenDrops");
    c.accept_len = 3;
    c.half_len = 1;
    c.limit = 2;
    cause_text(&c, text);
    assert_non_null(strstr(text, "; accept queue 3, SYN queue 1, limit 2"));
    c = (struct la_cause){ .reason = LA_DROP_RESET, .conn = { 9 }, .snd_queued_bytes = 17 };
    c.state = LA_CLOSE_WAIT;
    c.retransmits = 4;
    cause_text(&c, text);
    assert_non_null(strstr(text, "; no knob; counter EstabResets; 17 bytes to send, 0 to read, "
                                 "4 sent in vain"));
    c.state = LA_LAST_ACK; /* EstabResets counts those of open connections */
    cause_text(&c, text);
    assert_non_null(strstr(text, "; no counter of Linux's; 17 bytes"));
    c = (struct la_cause){ .reason = LA_DROP_FRAME_OFFLOAD };
    cause_text(&c, text);
    assert_string_equal(text, "no RFC's clause; no knob; no counter of Linux's");
}

static struct la_trace told(const struct hand *h, enum la_drop reason)
{
    return (struct la_trace){
        .at = h->now,
        .kind = LA_TRACE_RX,
        .reason = (uint16_t)reason,
        .local = { h->us, h->lport },
        .remote = { h->peer, h->rport },
    };
}

TEST(the_cause_of_a_record_is_the_one_of_its_reason_place_and_time)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h = new_hand(v6);
        struct la_cause c;
        uint64_t newest = 0;

        hand_establish(&h, NULL);
        assert_int_equal(la_send(h.s, h.now, h.conn, "abc", 3, 0), 3);
        hand_drain(&h);
        struct la_trace reset = told(&h, LA_DROP_RESET);
        assert_false(cause_of(h.s, &reset, &newest, &c));
        hand_rx(&h, "RST rcv 1");
        reset.at = h.now;
        struct la_trace other = reset;
        other.remote.port++;
        for (uint16_t port = 1; port <= 3; port++) { /* others come after it */
            h.lport = (uint16_t)(6000 + port);
            hand_rx(&h, "SYN rcv 0 wnd 1000");
            hand_drain(&h);
        }
        assert_true(cause_of(h.s, &reset, &newest, &c));
        assert_int_equal(c.snd_queued_bytes, 3);
        assert_int_equal(newest, 4);
        assert_false(cause_of(h.s, &other, &newest, &c));
        other = reset;
        other.reason = LA_DROP_NO_SOCKET;
        assert_false(cause_of(h.s, &other, &newest, &c));
        hand_free(&h);
    }
}

TEST_MAIN
