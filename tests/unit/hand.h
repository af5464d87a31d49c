/* SPDX-License-Identifier: MIT */
/*
 * hand.h - One stack whose peer is the test: segments are made and read by hand.
 *
 * Lines are in the notation of core/wire/tcp.h.  Numbers after "rcv" count from the
 * peer's ISS, those after "snd" from ours, so "rcv 1 snd 1" is the first byte either way.
 * A text byte is a function of its place in the stream.
 */
#ifndef TESTS_UNIT_HAND_H
#define TESTS_UNIT_HAND_H

#include <lastack/lastack.h>

#include "core/stack/stack.h"

struct hand {
    struct la_stack *s;
    struct tcp *t;
    uint8_t *mem;
    uint64_t mem_bytes;
    la_time now;
    bool v6;
    struct la_addr us, peer;
    uint16_t lport, rport;
    tcp_seq iss, irs; /* ours, the peer's */
    la_listener_id listener;
    la_conn_id conn;
    char line[256];
    uint8_t rx_ecn; /* codepoint of what the peer sends from now on */
    uint8_t tx_ecn; /* of what hand_tx_seg() last read */
};

struct hand_opt {
    bool v6;
    const struct la_config *config;
    uint32_t mtu_bytes, iface_flags, gso_max_bytes;
    uint64_t start_ns;
    uint32_t iss, irs; /* both ISS of hand_establish(): ours is forced */
    const char *syn;   /* what follows "SYN" in the peer's SYN; NULL: "wnd 65535 mss 1460" */
};

void hand_config(struct la_config *config);
void hand_new(struct hand *h, const struct hand_opt *opt);
void hand_free(struct hand *h);

/* Listen on lport. */
void hand_listen(struct hand *h);
/* Active open to the peer; our ISS is h->iss whatever the clock says.  The SYN is not yet taken. */
void hand_open(struct hand *h);
/* Active open, handshake done, nothing left to send.  h->conn is ESTABLISHED. */
void hand_establish(struct hand *h, const struct hand_opt *opt);
struct tcp_conn *hand_conn(const struct hand *h);
uint32_t hand_ci(const struct hand *h);

/* Text byte at @offset of the peer's stream (0 is the first after the SYN). */
uint8_t hand_byte(uint64_t offset);

/* Give one segment; ports that are zero are filled in. */
void hand_rx_seg(struct hand *h, struct tcp_seg *seg);
void hand_rx(struct hand *h, const char *line);
/* Several lines as one burst, ended by NULL. */
void hand_burst(struct hand *h, const char *const *lines);
/* The next segment; false if there is none.  @seg->text points into a static buffer. */
bool hand_tx_seg(struct hand *h, struct tcp_seg *seg);
/* The same as a line; "" if there is none. */
const char *hand_tx(struct hand *h);
/* Take and forget everything.  Return: how many segments. */
uint32_t hand_drain(struct hand *h);

/* Let @ns pass, stopping at every deadline, taking nothing. */
void hand_wait(struct hand *h, uint64_t ns);
/* Jump to the next deadline and let it happen.  False if there is none. */
bool hand_next(struct hand *h);
/* Wait until the connection's retransmission or persist timer has fired, whose time must stand. */
void hand_rto(struct hand *h);
enum la_state hand_state(const struct hand *h);

/* A whole packet from (@src) to (@dst): IP header, TCP header, checksums.  Return: its length. */
uint32_t hand_packet(struct la_addr src, struct la_addr dst, const struct tcp_seg *seg,
                     uint8_t *to);

#endif
