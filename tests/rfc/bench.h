/* SPDX-License-Identifier: MIT */
/*
 * bench.h - A test bench: one stack, and a peer that is played by the test, segment by segment.
 *
 *     BENCH_TEST(rst_exactly_at_rcv_nxt_resets)
 *     {
 *         bench_established(b, &(struct bench_opt){ .rcv_wnd = 500 });
 *         bench_rx(b, "RST rcv 0");
 *         expect_no_tx(b);
 *         expect_state(b, LA_CLOSED);
 *         expect_error(b, LA_ECONNRESET);
 *     }
 *
 * Numbers are relative: rcv 0 is RCV.NXT and snd 0 is SND.UNA when the bench was brought to its
 * state.  Windows are as on the wire.  Every test runs over IPv4 and IPv6, each at four origins of
 * the sequence numbers of both sides: 0, 2^31-1, 2^32-1, and one drawn from the test's name that
 * lets the first kilobytes of text cross 2^32.  Origins 1 and 3 open actively where a test does
 * not say how.  No number is poked into the stack for this: it is started at the moment at which
 * RFC 6528 gives the wanted ISS.
 *
 * After every step all packets are taken and judged (checksums, lengths, bytes of text, the right
 * edge of our window never moves left, no text beyond the window offered), and la_check() holds.
 * A failure prints the exchange as a ladder, the state before and after the last step, and the
 * command that runs just this.
 */
#ifndef TESTS_RFC_BENCH_H
#define TESTS_RFC_BENCH_H

#include <lastack/lastack.h>

#include "core/stack/stack.h"
#include "core/tcp/seq.h"
#include "tests/unit/test.h"

#define US(n) ((uint64_t)(n)*1000u)
#define MS(n) ((uint64_t)(n)*1000000u)
#define SEC(n) ((uint64_t)(n)*1000000000u)

/* Where a test can begin: the eleven states, and the two that exist in a second size. */
#define BENCH_SIMULTANEOUS 11      /* SYN-RECEIVED as a full connection, by simultaneous open */
#define BENCH_ORPHAN_FIN_WAIT_2 12 /* FIN-WAIT-2 as a short record */
#define BENCH_PLACES 13

enum bench_open { BENCH_EITHER, BENCH_PASSIVE, BENCH_ACTIVE };

struct bench_opt {
    enum bench_open open;
    uint32_t rcv_wnd;  /* our receive buffer; 0 = 10000 */
    uint16_t peer_wnd; /* what the peer offers, as on the wire; 0 = 65535 */
    uint16_t mss;      /* the peer's MSS option; 0 = 1000 */
    bool no_mss;       /* the peer sends none */
    bool timestamps, sack;
    bool scale; /* the peer offers window scaling, by: */
    uint8_t wscale;
    uint64_t rtt_ns;    /* of the handshake */
    bool keep_listener; /* else it is closed once the connection is accepted */
    bool no_accept;     /* leave it in the accept queue */
    const char *synack; /* what more the peer's SYN or SYN-ACK says, in one-line notation */
};

/* A segment the stack has sent. */
struct bench_tx {
    la_time at;
    struct tcp_seg seg; /* text points nowhere */
    uint8_t ttl, tos;
    uint32_t ip_len;
};

#define BENCH_NO_SHIFT 256 /* window scaling was not offered */
#define BENCH_TX_MAX 256
#define BENCH_LOG_LINES 100
#define BENCH_LINE_BYTES 160

struct bench {
    const char *test, *file, *program;
    uint32_t family, origin; /* 4 or 6; 0..3 */
    uint32_t random;         /* state of bench_random() */

    struct la_stack *s;
    la_time now, mark;
    struct la_endpoint local, remote;
    bool active;
    la_listener_id listener;
    bool has_listener;
    la_conn_id conn;
    bool has_conn;
    tcp_seq iss, irs;
    tcp_seq rcv_base, snd_base;

    /* The peer's side of options. */
    bool ts_auto;    /* time stamps were agreed: segments carry them unless told otherwise */
    bool ts_skip;    /* the next one does not */
    uint32_t ts_val; /* the peer's clock, moved by the test */
    uint32_t ts_ecr; /* newest TSval of ours */

    /* What is watched. */
    uint16_t our_shift, peer_shift; /* as the SYNs said */
    bool edge_known, offer_known;
    tcp_seq edge;  /* right edge of the window we advertised */
    tcp_seq offer; /* right edge of the window the peer offered, at the most */
    uint64_t drops_before[LA_DROPS];
    uint32_t events;                /* told so far */
    uint32_t event_mask, seen_mask; /* the last one's; all of them */

    uint32_t sent_bytes, read_bytes; /* through the calls */
    struct bench_tx tx[BENCH_TX_MAX];
    uint32_t tx_first, tx_count, tx_total;

    char log[BENCH_LOG_LINES][BENCH_LINE_BYTES];
    uint32_t log_lines;
    int before; /* state before the last step */
};

#define BENCH_TEST(name)                                                                           \
    static void bench_body_##name(struct bench *b);                                                \
    TEST(name)                                                                                     \
    {                                                                                              \
        bench_run(#name, __FILE__, bench_body_##name);                                             \
    }                                                                                              \
    static void bench_body_##name(struct bench *b)

void bench_run(const char *name, const char *file, void (*body)(struct bench *b));

/* Forget the stack and begin again, within one test. */
void bench_again(struct bench *b);

/* Bringing it to a state ------------------------------------------------------------- */

/* A stack with addresses and routes, started so that an opening of this kind gets the ISS wanted. */
void bench_begin(struct bench *b, enum bench_open open, const struct bench_opt *opt);
void bench_sysctl(struct bench *b, const char *name, uint64_t value);
/* LISTEN: "SYN rcv 0" begins a handshake, its answer is "SYN ACK snd 0 rcv 1". */
void bench_listen(struct bench *b, uint32_t backlog);
/* SYN-SENT: the SYN is waiting in expect_tx as "SYN snd 0", the answer is "SYN ACK rcv 0 snd 1". */
void bench_connect(struct bench *b);
void bench_established(struct bench *b, const struct bench_opt *opt);
/* Any state, by real exchanges; @place is one of LA_CLOSED..LA_TIME_WAIT or BENCH_*. */
void bench_state(struct bench *b, int place, const struct bench_opt *opt);
void bench_accept(struct bench *b);
/* Numbers count from the connection as it is now; what was sent is forgotten. */
void bench_rebase(struct bench *b);
/* The first 16 segments are acknowledged at once: receive and read that many. */
void bench_quick_over(struct bench *b);

/* Steps -------------------------------------------------------------------------------- */

/* A segment arrives.  Text is filled in. */
void bench_rx(struct bench *b, const char *line);
/* Several in one la_rx(). */
void bench_rx_burst(struct bench *b, const char *const *lines, uint32_t count);
/* From and to other addresses than the bench's, in text; NULL keeps the bench's. */
void bench_rx_between(struct bench *b, const char *line, const char *from, const char *to);
void bench_rx_seg(struct bench *b, const struct tcp_seg *seg);
/* The same with these bytes in place of the options. */
void bench_rx_options(struct bench *b, const char *line, const uint8_t *options, uint32_t len);
/* As given: first byte of the IP header, checksums and all. */
void bench_rx_raw(struct bench *b, const uint8_t *bytes, uint32_t len_bytes);
/* An ICMP error that quotes a segment of ours at @snd. */
void bench_rx_icmp(struct bench *b, uint8_t type, uint8_t code, uint32_t mtu_bytes, int64_t snd);
/* Bytes of a whole packet with this segment.  Return: its length. */
uint32_t bench_packet(struct bench *b, const struct tcp_seg *seg, uint8_t *to);
void bench_parse(struct bench *b, const char *line, bool outbound, struct tcp_seg *out);

void bench_sleep(struct bench *b, uint64_t ns);
void bench_mark(struct bench *b);
void bench_send(struct bench *b, uint32_t len_bytes);
void bench_send_more(struct bench *b, uint32_t len_bytes);
void bench_recv(struct bench *b, uint32_t len_bytes);
void bench_shutdown(struct bench *b, uint32_t how);
void bench_close(struct bench *b);
void bench_abort(struct bench *b);
void bench_option(struct bench *b, enum la_option option, uint64_t value);
/* Take what is to be sent; every step does it. */
void bench_drain(struct bench *b);
uint32_t bench_random(struct bench *b);

/* Looking -------------------------------------------------------------------------------- */

/* State of the 4-tuple: of a connection or a record; LISTEN or CLOSED if there is none. */
int bench_state_now(const struct bench *b);
struct la_conn_info bench_info(struct bench *b);
/* Drop what was sent.  Return: how many segments. */
uint32_t bench_forget_tx(struct bench *b);
/* The next segment sent, without expectations; NULL if there is none. */
const struct bench_tx *bench_next_tx(struct bench *b);

/* Expectations ------------------------------------------------------------------------------ */

#define expect_tx(b, line) bench_expect_tx((b), (line), __FILE__, __LINE__)
#define expect_no_tx(b) bench_expect_no_tx((b), __FILE__, __LINE__)
/* Sleep until @ns after the mark: nothing is sent before, and this then. */
#define expect_tx_at(b, ns, line) bench_expect_tx_at((b), (ns), (line), __FILE__, __LINE__)
#define expect_quiet(b, ns) bench_expect_quiet((b), (ns), __FILE__, __LINE__)
#define expect_state(b, state) bench_expect_state((b), (state), __FILE__, __LINE__)
#define expect_error(b, err) bench_expect_error((b), (err), __FILE__, __LINE__)
#define expect_drop(b, reason) bench_expect_drop((b), (reason), __FILE__, __LINE__)
/* What la_recv() returns when asked for one byte. */
#define expect_recv(b, value) bench_expect_recv((b), (value), __FILE__, __LINE__)
#define expect_send(b, value) bench_expect_send((b), (value), __FILE__, __LINE__)
#define expect_equal(b, value, wanted)                                                             \
    bench_expect_equal((b), (int64_t)(value), (int64_t)(wanted), #value, __FILE__, __LINE__)
#define expect_true(b, what) bench_expect_true((b), (what), #what, __FILE__, __LINE__)

const struct bench_tx *bench_expect_tx(struct bench *b, const char *line, const char *file, int at);
void bench_expect_no_tx(struct bench *b, const char *file, int at);
const struct bench_tx *bench_expect_tx_at(struct bench *b, uint64_t ns, const char *line,
                                          const char *file, int at);
void bench_expect_quiet(struct bench *b, uint64_t ns, const char *file, int at);
void bench_expect_state(struct bench *b, int state, const char *file, int at);
void bench_expect_error(struct bench *b, enum la_err err, const char *file, int at);
void bench_expect_drop(struct bench *b, enum la_drop reason, const char *file, int at);
void bench_expect_recv(struct bench *b, int64_t value, const char *file, int at);
void bench_expect_send(struct bench *b, int64_t value, const char *file, int at);
void bench_expect_equal(struct bench *b, int64_t value, int64_t wanted, const char *what,
                        const char *file, int at);
void bench_expect_true(struct bench *b, bool value, const char *what, const char *file, int at);

/* End the test: ladder, states, command. */
_Noreturn void bench_fail(struct bench *b, const char *file, int at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void bench_log(struct bench *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
