/* SPDX-License-Identifier: MIT */
/*
 * wire.c - What segments may say, judged from the segments alone.
 *
 * For each connection and each side the checker keeps what that side has sent, what it
 * has acknowledged, the right edge it has offered and the right edge that has reached
 * it.  Numbers are kept relative to each side's ISN, so they do not wrap in a run.
 *
 * A side must not
 *   - send a byte its application did not write, or another byte at the same place;
 *   - leave a gap, move its FIN, send text after it;
 *   - send the same text twice in one instant, with nothing heard in between;
 *   - send beyond the greatest right edge that has reached it, but for one byte into a
 *     window that is full (RFC 9293 3.8.6.1: zero-window probes);
 *   - send more text in a segment than its peer's MSS allows (RFC 9293 3.7.1);
 *   - acknowledge what was never sent, or less than before;
 *   - move the right edge it has offered to the left (RFC 9293 3.8.6, SHLD-14), but by less
 *     than one unit of its scale (RFC 7323 2.4: what the field can not express);
 *   - answer an empty segment with an empty segment for ever (CVE-2005-1184 and kin).
 * Resets are judged by none of this: they may answer segments of a connection that was.
 *
 * A SYN with a new ISN begins a new incarnation.  Until the other side's SYN of that
 * incarnation, what the other side sends belongs to the old one and is not judged;
 * packets of old incarnations are known by their number when they arrive.
 */
#include <string.h>

#include "sim/check/check.h"
#include "sim/memory.h"

#define BUCKETS 256u
#define EMPTY_IN_A_ROW_MAX 4000u
#define SCALE_MAX 14u /* RFC 7323 2.3 */

struct side {
    bool live; /* its SYN of this incarnation was sent */
    uint32_t isn;
    bool scales;
    uint8_t scale;
    uint32_t mss;     /* it announced; what the other may send */
    uint32_t sent;    /* end of what it has sent, SYN and FIN counted */
    uint32_t fin;     /* where its FIN stands, 0 = none yet */
    uint32_t acked;   /* highest acknowledgment it has sent */
    uint32_t offered; /* highest right edge it has offered, 0 = none yet */
    uint32_t allowed; /* highest right edge that has reached it, 0 = none yet */
    uint32_t text;    /* where the last text it sent began, 0 = none yet */
    uint32_t text_bytes;
    uint64_t text_at_ns;
    bool heard; /* something since then */
};

struct conn {
    struct conn *next;
    struct la_endpoint end[2];
    struct side side[2];
    uint32_t incarnation;
    uint32_t empty_in_a_row;
    bool strayed; /* a late copy of a SYN has drawn a SYN-ACK of nobody's stream */
};

struct sim_wire {
    struct conn *bucket[BUCKETS];
};

static bool endpoint_equal(const struct la_endpoint *a, const struct la_endpoint *b)
{
    return a->port == b->port && la_addr_equal(a->addr, b->addr);
}

/* Which end of @c sent the segment; -1 if it belongs to another connection. */
static int side_of(const struct conn *c, const struct sim_segment *seg)
{
    for (int s = 0; s < 2; s++)
        if (endpoint_equal(&c->end[s], &seg->from) && endpoint_equal(&c->end[1 - s], &seg->to))
            return s;
    return -1;
}

static uint32_t bucket_of(const struct sim_segment *seg)
{
    return (seg->from.port ^ seg->to.port ^ seg->from.addr.bytes[15] ^ seg->to.addr.bytes[15]) %
           BUCKETS;
}

static struct conn *find(struct sim_world *w, const struct sim_segment *seg, int *side, bool make)
{
    if (!w->wire)
        w->wire = sim_take(sizeof *w->wire);
    struct conn **head = &w->wire->bucket[bucket_of(seg)];

    for (struct conn *c = *head; c; c = c->next)
        if ((*side = side_of(c, seg)) >= 0)
            return c;
    if (!make)
        return NULL;
    struct conn *c = sim_take(sizeof *c);

    c->end[0] = seg->from;
    c->end[1] = seg->to;
    c->next = *head;
    *head = c;
    *side = 0;
    return c;
}

void sim_wire_free(struct sim_world *w)
{
    for (uint32_t i = 0; w->wire && i < BUCKETS; i++) {
        while (w->wire->bucket[i]) {
            struct conn *c = w->wire->bucket[i];

            w->wire->bucket[i] = c->next;
            sim_release(c);
        }
    }
    sim_release(w->wire);
    w->wire = NULL;
}

void sim_wire_relative(struct sim_world *w, const struct sim_segment *seg, uint32_t *seq,
                       uint32_t *ack)
{
    int s = 0;
    const struct conn *c = find(w, seg, &s, false);

    *seq = seg->seq - (c && c->side[s].live ? c->side[s].isn : 0);
    *ack = seg->ack - (c && c->side[1 - s].live ? c->side[1 - s].isn : 0);
    if (!(seg->flags & SIM_ACK))
        *ack = 0;
}

/* A SYN: perhaps the first of an incarnation. */
static void take_syn(struct conn *c, int s, const struct sim_segment *seg)
{
    struct side *me = &c->side[s], *peer = &c->side[1 - s];

    if (me->live && me->isn == seg->seq)
        return;
    if (me->live || !peer->live)
        c->incarnation++;
    c->strayed = me->live && seg->flags & SIM_ACK;
    if (me->live && !(seg->flags & SIM_ACK))
        *peer = (struct side){ 0 };
    *me = (struct side){
        .live = true,
        .isn = seg->seq,
        .scales = seg->has_scale,
        .scale = seg->scale > SCALE_MAX ? SCALE_MAX : seg->scale,
        .mss = seg->has_mss ? seg->mss
               : seg->v6    ? 1220
                            : 536,
    };
    peer->acked = peer->offered = 0; /* these spoke of the old stream */
}

static uint32_t window_bytes(const struct conn *c, int s, const struct sim_segment *seg)
{
    const bool scaled = c->side[0].scales && c->side[1].scales && !(seg->flags & SIM_SYN);

    return (uint32_t)seg->window << (scaled ? c->side[s].scale : 0);
}

/* Text must be what the application wrote, and must not be repeated at once. */
static const char *judge_text(struct sim_host *from, const struct sim_segment *seg, uint32_t seq,
                              struct side *me)
{
    /* Less of it was too big for a link, whose router has said so at once. */
    const bool at_once = me->text == seq && me->text_at_ns == from->w->now_ns && !me->heard &&
                         seg->text_bytes >= me->text_bytes;
    uint32_t side = 0;
    const struct sim_flow *f = sim_flow_find(from->w, &seg->from, &seg->to, &side);

    me->text = seq;
    me->text_bytes = seg->text_bytes;
    me->text_at_ns = from->w->now_ns;
    me->heard = false;
    if (at_once)
        return "sends the same text twice in one instant";
    if (!f)
        return NULL;
    const uint64_t offset = (uint64_t)seq - 1 + ((seg->flags & SIM_SYN) != 0);

    if (offset + seg->text_bytes > f->app[side].sent)
        return "sends bytes that were never written";
    for (uint32_t i = 0; i < seg->text_bytes; i++)
        if (seg->text[i] != sim_pattern(f->index, side, offset + i))
            return "sends another byte than was written there";
    return NULL;
}

/* @seq, @end: relative, of this segment. */
static const char *judge_place(struct side *me, const struct side *peer,
                               const struct sim_segment *seg, uint32_t seq, uint32_t end)
{
    const bool fin = seg->flags & SIM_FIN;

    if (seq > me->sent && me->sent > 0)
        return "leaves a gap in its sequence numbers";
    if (me->fin && fin && end - 1 != me->fin)
        return "moves its FIN";
    if (me->fin && seg->text_bytes > 0 && end - fin > me->fin)
        return "sends text after its FIN";
    if (fin)
        me->fin = end - 1;
    if (peer->mss && seg->text_bytes > peer->mss)
        return "sends more text in a segment than its peer's MSS allows";
    if (end > seq && !(seg->flags & SIM_SYN) && end > me->allowed &&
        !(end == me->allowed + 1 && end == seq + 1))
        return "sends beyond the window it was offered";
    if (end > me->sent)
        me->sent = end;
    return NULL;
}

static const char *judge_ack(struct conn *c, int s, const struct sim_segment *seg, bool strays)
{
    struct side *me = &c->side[s];
    const struct side *peer = &c->side[1 - s];
    const uint32_t ack = seg->ack - peer->isn;

    if (!(seg->flags & SIM_ACK) || !peer->live)
        return NULL;
    if (ack > peer->sent) /* an old packet that was let in again may have drawn it */
        return strays ? NULL : "acknowledges what was never sent";
    if (ack < me->acked)
        return "acknowledges less than before";
    me->acked = ack;
    if (peer->fin && ack > peer->fin)
        return NULL; /* the stream is complete: the window means nothing more */
    const uint32_t edge = ack + window_bytes(c, s, seg);
    const uint32_t unit = c->side[0].scales && c->side[1].scales ? 1u << me->scale : 1;

    if (edge + unit <= me->offered)
        return "moves the right edge of its window to the left";
    if (edge > me->offered)
        me->offered = edge;
    return NULL;
}

static const char *judge_storm(struct conn *c, const struct sim_segment *seg)
{
    if (sim_segment_span(seg) > 0 || (seg->flags & SIM_RST))
        c->empty_in_a_row = 0;
    else if (++c->empty_in_a_row > EMPTY_IN_A_ROW_MAX)
        return "and its peer send each other nothing but ACKs";
    return NULL;
}

static const char *judge(struct sim_host *from, const struct sim_segment *seg,
                         uint32_t *incarnation)
{
    int s = 0;
    struct conn *c = find(from->w, seg, &s, true);
    struct side *me = &c->side[s];
    const char *wrong = judge_storm(c, seg);

    if (seg->flags & SIM_RST)
        return NULL;
    if (seg->flags & SIM_SYN)
        take_syn(c, s, seg);
    if (!me->live)
        return wrong;
    *incarnation = c->incarnation;
    const uint32_t seq = seg->seq - me->isn, end = seq + sim_segment_span(seg);

    if ((int32_t)seq < 0)
        return "sends numbers from before its ISN";
    if (!wrong)
        wrong = judge_place(me, &c->side[1 - s], seg, seq, end);
    if (!wrong && seg->text_bytes)
        wrong = judge_text(from, seg, seq, me);
    if (!wrong)
        wrong = judge_ack(c, s, seg, c->strayed || from->w->strays);
    return wrong;
}

uint32_t sim_wire_sent(struct sim_host *from, const struct sim_segment *seg, uint32_t len_bytes)
{
    uint32_t incarnation = 0;
    const char *wrong = NULL;

    if (!seg->ip)
        wrong = "sends something that is no IP packet";
    else if (len_bytes > from->opt.mtu_bytes)
        wrong = "sends a packet larger than its MTU";
    else if (seg->tcp && !seg->checksum_right)
        wrong = "sends a wrong TCP checksum";
    else if (seg->tcp)
        wrong = judge(from, seg, &incarnation);
    if (wrong)
        sim_fail(from->w, "wire: host %s port %u %s (packet %llu)", from->name, seg->from.port,
                 wrong, (unsigned long long)from->w->packets);
    return incarnation;
}

/* What is no TCP may be an ICMP error about any connection of the host: "too big" asks for the text again. */
static void heard_icmp(struct sim_world *w, const struct la_addr *at)
{
    for (uint32_t i = 0; w->wire && i < BUCKETS; i++)
        for (struct conn *c = w->wire->bucket[i]; c; c = c->next)
            for (int s = 0; s < 2; s++)
                if (la_addr_equal(c->end[s].addr, *at))
                    c->side[s].heard = true;
}

void sim_wire_arrived(struct sim_world *w, const struct sim_packet *packet)
{
    struct sim_segment seg;
    int s = 0;

    sim_segment_read(packet->bytes, packet->len_bytes, &seg);
    if (seg.ip && !seg.tcp)
        heard_icmp(w, &seg.to.addr);
    if (packet->incarnation == 0)
        return;
    /* A bit that flipped in an IPv6 header may do no harm: what counts is the checksum. */
    if (!seg.tcp || !seg.checksum_right || (seg.flags & SIM_RST))
        return;
    struct conn *c = find(w, &seg, &s, false);

    if (!c || c->incarnation != packet->incarnation)
        return;
    struct side *peer = &c->side[1 - s];

    peer->heard = true;
    const uint32_t left = seg.flags & SIM_ACK ? seg.ack - peer->isn : 1;
    const uint32_t edge = left + window_bytes(c, s, &seg);

    if (!peer->live || edge <= peer->allowed)
        return;
    peer->allowed = edge;
}
