/* SPDX-License-Identifier: MIT */
/*
 * watch.c - The ladder: each packet between the two ends becomes a row when it is sent, and learns
 * the receiver's state when it arrives.
 *
 * Sequence numbers are shown from each side's ISN.  A stream is an endpoint and its peer; a SYN
 * begins it anew.  States are asked for at the moment: the sender's after it has decided to send, the
 * receiver's after its stack has taken the packet and before it answers.
 */
#include <string.h>

#include "sim/lab/lab.h"
#include "sim/memory.h"

#define ROWS_LOOKED_AT 16u

struct lab_stream {
    struct la_endpoint from, to;
    uint32_t isn;
};

static bool same(const struct la_endpoint *a, const struct la_endpoint *b)
{
    return a->port == b->port && la_addr_equal(a->addr, b->addr);
}

static struct lab_stream *stream_of(struct lab *l, const struct la_endpoint *from,
                                    const struct la_endpoint *to)
{
    for (uint32_t i = 0; i < l->stream_count; i++)
        if (same(&l->streams[i].from, from) && same(&l->streams[i].to, to))
            return &l->streams[i];
    return NULL;
}

static void learn(struct lab *l, const struct sim_segment *seg)
{
    struct lab_stream *s = stream_of(l, &seg->from, &seg->to);

    if (!(seg->flags & SIM_SYN))
        return;
    if (!s) {
        l->streams = sim_resize(l->streams, (l->stream_count + 1) * sizeof *l->streams);
        s = &l->streams[l->stream_count++];
        s->from = seg->from;
        s->to = seg->to;
    }
    s->isn = seg->seq;
}

/* Numbers long before the ISN are those of the connection before. */
#define FAR 1000000

static const char *relative(struct lab *l, const char *name, const struct lab_stream *s,
                            uint32_t number)
{
    if (!s)
        return "";
    const int32_t from_isn = (int32_t)(number - s->isn);

    if (from_isn < -FAR)
        return lab_text(l, "  %s of the old connection", name);
    return lab_text(l, "  %s %d", name, from_isn);
}

static const char *describe(struct lab *l, const struct sim_segment *seg)
{
    char flags[SIM_FLAGS_TEXT_BYTES];
    const bool has_ack = seg->flags & SIM_ACK;

    if (!seg->tcp)
        return "not TCP";
    sim_flags_text(seg->flags & (uint8_t)~SIM_PSH, flags);
    for (char *p = flags; *p; p++)
        *p = *p == ',' ? ' ' : *p;
    /* <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>: this zero stands for no number of the stream. */
    const bool no_seq = seg->flags & SIM_RST && has_ack && seg->seq == 0;
    const char *seq =
        no_seq ? "" : relative(l, "seq", stream_of(l, &seg->from, &seg->to), seg->seq);
    const char *ack =
        has_ack ? relative(l, "ack", stream_of(l, &seg->to, &seg->from), seg->ack) : "";

    if (seg->text_bytes > 0)
        return lab_text(l, "%s%s%s  len %u", flags, seq, ack, seg->text_bytes);
    return lab_text(l, "%s%s%s%s", flags, seq, ack,
                    seg->window == 0 && !(seg->flags & SIM_RST) ? "  win 0" : "");
}

const char *lab_state_name(const struct sim_host *h, const struct la_endpoint *local,
                           const struct la_endpoint *remote)
{
    struct la_row rows[32];
    uint64_t cursor = 0;
    uint32_t count;
    const char *found = NULL;

    while ((count = la_rows(h->stack, &cursor, rows, 32)) > 0) {
        for (uint32_t i = 0; i < count; i++) {
            if (rows[i].kind == LA_ROW_LISTENER || !same(&rows[i].local, local) ||
                !same(&rows[i].remote, remote))
                continue;
            /* Beside TIME-WAIT may stand its successor, or what its holder has not read yet. */
            if (rows[i].state != LA_CLOSED && (!found || rows[i].state != LA_TIME_WAIT))
                found = la_state_name(rows[i].state);
        }
    }
    return found;
}

/* As its IP header says, whatever is inside. */
static uint32_t packet_bytes(const uint8_t *ip)
{
    return ip[0] >> 4 == 4 ? (uint32_t)(ip[2] << 8 | ip[3]) : 40u + (uint32_t)(ip[4] << 8 | ip[5]);
}

static void sent(void *context, struct sim_host *from, struct sim_host *to, uint64_t number,
                 const uint8_t *bytes, const struct sim_segment *seg, uint32_t fate)
{
    struct lab *l = context;

    (void)to;
    if (l->options.packet && (from == l->client || from == l->server))
        l->options.packet(l->options.context, l->section_count - 1, l->world.now_ns,
                          from == l->client, bytes, packet_bytes(bytes), fate);
    if (!lab_drawn(l, from))
        return;
    const uint32_t side = lab_side(l, from);
    const char *state =
        from->script ? l->script_state[side] : lab_state_name(from, &seg->from, &seg->to);

    if (seg->tcp && (!state || strncmp(state, "SYN", 3) == 0)) /* a SYN elsewhere begins nothing */
        learn(l, seg);
    struct lab_row row = {
        .kind = LAB_ROW_SEGMENT,
        .side = side,
        .fate = fate,
        .at_ns = l->world.now_ns,
        .number = number,
        .text = describe(l, seg),
    };

    row.state[side] = state || from->script ? state : "CLOSED";
    lab_row_add(l, &row);
}

static void arrived(void *context, struct sim_host *at, const struct sim_packet *packet)
{
    struct lab *l = context;
    struct lab_section *s = &l->sections[l->section_count - 1];
    const uint32_t why = lab_why(l, at);
    struct sim_segment seg;

    if (!lab_drawn(l, at))
        return;
    sim_segment_read(packet->bytes, packet->len_bytes, &seg);
    for (uint32_t i = s->row_count; i-- > 0 && s->row_count - i <= ROWS_LOOKED_AT;) {
        struct lab_row *row = &s->rows[i];

        if (row->kind != LAB_ROW_SEGMENT || row->number != packet->number)
            continue;
        const char *state = at->script ? l->script_state[lab_side(l, at)]
                            : seg.tcp  ? lab_state_name(at, &seg.to, &seg.from)
                                       : NULL;

        row->state[lab_side(l, at)] = state || at->script ? state : "CLOSED";
        row->why = why;
        return;
    }
}

static bool event(void *context, struct sim_host *at, const struct la_event *e)
{
    struct lab *l = context;

    if (l->on_event) {
        l->in_event = true;
        l->on_event(l, at, e);
        l->in_event = false;
    }
    return true;
}

void lab_watch_begin(struct lab *l)
{
    l->watch = (struct sim_watch){ l, sent, arrived, event };
    l->world.watch = &l->watch;
}

void lab_watch_end(struct lab *l)
{
    l->stream_count = 0;
    l->script_state[0] = l->script_state[1] = NULL;
}
