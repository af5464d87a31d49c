/* SPDX-License-Identifier: MIT */
/*
 * arrival.h - One segment on its way through RFC 9293 3.10.7.
 *
 * It lives on the C stack for the length of one la_rx() frame.  @seg is the segment as
 * it arrived and never changes: the RST and SYN checks look at it.  @text is what is
 * left after trimming to the window.  Steps decide and set intents; settling sends.
 */
#ifndef CORE_TCP_ARRIVAL_H
#define CORE_TCP_ARRIVAL_H

#include "core/tcp/conn.h"

/* RFC 3168 5 */
#define ECN_NOT_ECT 0u
#define ECN_ECT0 2u
#define ECN_CE 3u

struct tcp_path {
    uint16_t iface;
    uint32_t mtu_bytes;
};

/* A segment as stack/ hands it over. */
struct tcp_input {
    struct la_addr src, dst; /* as on the wire */
    const struct tcp_seg *seg;
    struct tcp_path path;
    uint32_t segs; /* segments inside: 1 unless the driver merged some */
    bool hashed;   /* @hash is there already: tcp_hash_wire() */
    uint32_t hash;
    uint8_t ecn;     /* codepoint of the IP header, ECN_* */
    bool unverified; /* nobody has looked at the checksum yet */
    uint64_t sum;    /* then: of pseudo-header and TCP header */
    /* Text in pieces: seg->text is NULL, and @room takes it where it must lie in one. */
    const struct la_cspan *spans;
    uint32_t span_count;
    uint8_t *room;
};

struct tcp_arrival {
    struct tcp *t;
    const struct tcp_seg *seg;
    struct tcp_flow flow; /* seen from this side */
    struct tcp_path path; /* back to the sender */
    uint32_t hash;        /* of flow */
    uint32_t segs;        /* see struct tcp_input, as the next two */
    uint8_t ecn;
    bool unverified;
    uint64_t sum;
    struct la_cspan whole;        /* the text, if it came in one piece */
    const struct la_cspan *spans; /* for the fast path: the text, in however many */
    uint32_t span_count;

    struct tcp_conn *c; /* the full connection, if it is one */
    uint32_t ci;

    const uint8_t *text; /* trimmed to the window */
    uint32_t len;
    tcp_seq text_seq; /* of text[0] */
    bool fast;        /* the fast path took it */
    bool fin;         /* the FIN, if any, lies inside the window too */

    uint32_t
        reopens; /* the record in TIME-WAIT that this SYN would take the place of, or TCP_REF_NONE */

    uint8_t from;        /* state before, for the trace */
    enum la_drop reason; /* the verdict */
};

enum tcp_next {
    TCP_GO_ON, /* continue with the next step */
    TCP_DONE,  /* nothing more is to be done with this segment */
};

/* End of processing, with the reason (LA_DROP_NONE: the segment was used). */
static inline enum tcp_next tcp_stop(struct tcp_arrival *a, enum la_drop reason)
{
    a->reason = reason;
    return TCP_DONE;
}

/* SEG.LEN of RFC 9293 3.3.1: text, SYN and FIN. */
static inline uint32_t tcp_seg_len(const struct tcp_seg *seg)
{
    return seg->len + ((seg->flags & TCP_SYN) != 0) + ((seg->flags & TCP_FIN) != 0);
}

/* RCV.WND: from RCV.NXT to the right edge last advertised. */
static inline uint32_t tcp_rcv_wnd(const struct tcp_conn *c)
{
    return seq_diff(c->rcv.nxt, c->rcv.adv);
}

#endif
