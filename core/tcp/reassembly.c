/* SPDX-License-Identifier: MIT */
/*
 * reassembly.c - Text in any order becomes a stream (SHLD-31).
 *
 * Text in order goes to the receive queue.  Text above a hole is stored in ranges, each
 * a chunk queue of its own, sorted; filling the hole splices them on without copying.  The
 * table of ranges lives in one chunk, taken when the first hole opens and given back with
 * the last.
 *
 * Bounds: at most LA_REASSEMBLY_RANGES_MAX ranges (fewer if a chunk holds fewer), so a
 * segment costs at most that many steps; chunks counted whole against twice the receive
 * buffer.  With the pool empty the text is dropped and counted, but the next byte in order
 * always finds a chunk: the connection's own ranges are given up first, then the reserve
 * is used (catalogue of past failures: a full out-of-order queue that refuses offset 0).
 */
#include "core/tcp/tcp.h"

struct range {
    tcp_seq start, end;
    uint32_t stamp; /* newest change has the highest: the order of SACK blocks */
    struct queue q;
};
struct ranges {
    uint32_t count, chunks, bytes, stamp;
    struct range r[];
};

static struct ranges *ranges_of(const struct tcp *t, const struct tcp_conn *c)
{
    return (struct ranges *)(void *)chunk_at(&t->env.chunks, t, c->rcv.ooo)->bytes;
}

static uint32_t ranges_max(const struct tcp *t)
{
    const uint32_t room = chunks_payload(&t->env.chunks) - (uint32_t)sizeof(struct ranges);
    const uint32_t fit = room / (uint32_t)sizeof(struct range);

    return fit < LA_REASSEMBLY_RANGES_MAX ? fit : LA_REASSEMBLY_RANGES_MAX;
}

/* Chunks this connection may hold for receiving. */
static bool over_budget(const struct tcp *t, const struct tcp_conn *c)
{
    const uint32_t held = c->rcvq.chunks + reassembly_chunks(t, c);
    const uint32_t promised = c->rcvq.len_bytes + tcp_rcv_wnd(c); /* a buffer may be lowered */
    const uint32_t bytes = c->set.rcvbuf > promised ? c->set.rcvbuf : promised;
    const uint32_t budget = 2 * (bytes / chunks_payload(&t->env.chunks)) + 8;

    return held > budget;
}

static void ranges_remove(struct ranges *rs, uint32_t i)
{
    LA_ASSERT(i < rs->count);
    memmove(&rs->r[i], &rs->r[i + 1], (rs->count - i - 1) * sizeof(rs->r[0]));
    rs->count--;
}

void reassembly_clear(struct tcp *t, struct tcp_conn *c)
{
    if (c->rcv.ooo == SLAB_NONE)
        return;
    struct ranges *rs = ranges_of(t, c);
    for (uint32_t i = 0; i < rs->count; i++)
        queue_clear(&rs->r[i].q, &t->env.chunks, t);
    chunks_give(&t->env.chunks, t, c->rcv.ooo);
    c->rcv.ooo = SLAB_NONE;
}

uint32_t reassembly_bytes(const struct tcp *t, const struct tcp_conn *c)
{
    return c->rcv.ooo == SLAB_NONE ? 0 : ranges_of(t, c)->bytes;
}

uint32_t reassembly_chunks(const struct tcp *t, const struct tcp_conn *c)
{
    return c->rcv.ooo == SLAB_NONE ? 0 : ranges_of(t, c)->chunks + 1;
}

const struct queue *reassembly_range(const struct tcp *t, const struct tcp_conn *c, uint32_t i,
                                     tcp_seq *start)
{
    if (c->rcv.ooo == SLAB_NONE || i >= ranges_of(t, c)->count)
        return NULL;
    *start = ranges_of(t, c)->r[i].start;
    return &ranges_of(t, c)->r[i].q;
}

uint32_t reassembly_blocks(const struct tcp *t, const struct tcp_conn *c,
                           struct tcp_sack_block *out, uint32_t max)
{
    uint32_t below = UINT32_MAX;
    uint32_t n = 0;

    if (c->rcv.ooo == SLAB_NONE)
        return 0;
    const struct ranges *rs = ranges_of(t, c);
    while (n < max && n < rs->count) { /* newest first (RFC 2018 4) */
        const struct range *best = NULL;

        for (uint32_t i = 0; i < rs->count; i++)
            if (rs->r[i].stamp < below && (best == NULL || rs->r[i].stamp > best->stamp))
                best = &rs->r[i];
        if (best == NULL)
            break;
        out[n++] = (struct tcp_sack_block){ .left = best->start, .right = best->end };
        below = best->stamp;
    }
    return n;
}

/* Of several the lowest is told: the ACK has room for one (RFC 2883 4, 4.2). */
void reassembly_twice(struct tcp *t, const struct tcp_conn *c, tcp_seq left, tcp_seq right)
{
    if (!c->sack || !t->env.knobs.dsack || t->dsack.set || !seq_lt(left, right))
        return;
    t->dsack.set = true;
    t->dsack.old = seq_lt(left, c->rcv.nxt);
    t->dsack.block = (struct tcp_sack_block){ .left = left, .right = right };
}

/* Text at RCV.NXT.  Return: bytes taken. */
static uint32_t append_in_order(struct tcp *t, struct tcp_conn *c, const uint8_t *bytes,
                                uint32_t len)
{
    uint32_t n;

    if (c->rd_shut)
        return len; /* acknowledged and discarded */
    n = queue_append(&c->rcvq, &t->env.chunks, t, bytes, len, UINT32_MAX, CHUNKS_ORDINARY);
    if (n == 0 && c->rcvq.len_bytes == 0) {
        reassembly_clear(t, c);
        n = queue_append(&c->rcvq, &t->env.chunks, t, bytes, len, 1, CHUNKS_RESERVE);
    }
    return n;
}

/* Ranges that RCV.NXT has reached become part of the stream. */
static void pull_up(struct tcp *t, struct tcp_conn *c)
{
    while (c->rcv.ooo != SLAB_NONE) {
        struct ranges *rs = ranges_of(t, c);
        struct range *first = &rs->r[0];

        LA_ASSERT(rs->count > 0);
        if (!seq_eq(first->start, c->rcv.nxt))
            return;
        c->rcv.nxt = first->end;
        c->bytes_received += first->q.len_bytes;
        rs->bytes -= first->q.len_bytes;
        rs->chunks -= first->q.chunks;
        if (c->rd_shut)
            queue_clear(&first->q, &t->env.chunks, t);
        else
            queue_splice(&c->rcvq, &t->env.chunks, t, &first->q);
        ranges_remove(rs, 0);
        if (rs->count == 0)
            reassembly_clear(t, c);
    }
}

/* Put a gap's text behind range @i; join it with the next if they meet. */
static bool extend(struct tcp *t, struct ranges *rs, uint32_t i, const uint8_t *bytes, uint32_t len)
{
    struct range *r = &rs->r[i];
    const uint32_t before = r->q.chunks;
    const uint32_t n =
        queue_append(&r->q, &t->env.chunks, t, bytes, len, UINT32_MAX, CHUNKS_ORDINARY);

    rs->chunks += r->q.chunks - before;
    rs->bytes += n;
    r->end = seq_add(r->end, n);
    r->stamp = ++rs->stamp;
    if (i + 1 < rs->count && seq_eq(r->end, rs->r[i + 1].start)) {
        const uint32_t both = r->q.chunks + rs->r[i + 1].q.chunks;

        queue_splice(&r->q, &t->env.chunks, t, &rs->r[i + 1].q);
        rs->chunks -= both - r->q.chunks;
        r->end = rs->r[i + 1].end;
        ranges_remove(rs, i + 1);
    }
    return n == len;
}

/* A new range before @i, empty as yet. */
static bool open_range(const struct tcp *t, struct ranges *rs, uint32_t i, tcp_seq start)
{
    if (rs->count == ranges_max(t))
        return false;
    memmove(&rs->r[i + 1], &rs->r[i], (rs->count - i) * sizeof(rs->r[0]));
    rs->count++;
    rs->r[i].start = rs->r[i].end = start;
    rs->r[i].stamp = ++rs->stamp;
    queue_init(&rs->r[i].q);
    return true;
}

/* Text [seq, seq+len) that lies in one gap, before range @i. */
static enum la_drop fill_gap(struct tcp *t, struct ranges *rs, uint32_t i, tcp_seq seq,
                             const uint8_t *bytes, uint32_t len)
{
    if (i > 0 && seq_eq(rs->r[i - 1].end, seq))
        return extend(t, rs, i - 1, bytes, len) ? LA_DROP_NONE : LA_DROP_POOL_EMPTY;
    if (i < rs->count && seq_eq(seq_add(seq, len), rs->r[i].start)) {
        struct range *r = &rs->r[i];
        const uint32_t before = r->q.chunks;

        if (queue_prepend(&r->q, &t->env.chunks, t, bytes, len, CHUNKS_ORDINARY) != len)
            return LA_DROP_POOL_EMPTY;
        rs->chunks += r->q.chunks - before;
        rs->bytes += len;
        r->start = seq;
        r->stamp = ++rs->stamp;
        return LA_DROP_NONE;
    }
    if (!open_range(t, rs, i, seq))
        return LA_DROP_REASSEMBLY_FULL;
    if (extend(t, rs, i, bytes, len))
        return LA_DROP_NONE;
    if (rs->r[i].q.len_bytes == 0)
        ranges_remove(rs, i);
    return LA_DROP_POOL_EMPTY;
}

/* Text above a hole: gap by gap, what is there already stays. */
static enum la_drop take_out_of_order(struct tcp *t, struct tcp_conn *c, tcp_seq seq,
                                      const uint8_t *bytes, uint32_t len)
{
    const tcp_seq end = seq_add(seq, len);
    enum la_drop reason = LA_DROP_NONE;
    bool stored = false;

    if (over_budget(t, c))
        return LA_DROP_RCV_BUFFER_FULL;
    if (c->rcv.ooo == SLAB_NONE) {
        const uint32_t table = chunks_take(&t->env.chunks, t, CHUNKS_ORDINARY);

        if (table == SLAB_NONE)
            return LA_DROP_POOL_EMPTY;
        c->rcv.ooo = table;
        memset(ranges_of(t, c), 0, sizeof(struct ranges));
    }
    struct ranges *rs = ranges_of(t, c);
    uint32_t i = 0;
    while (seq_lt(seq, end) && reason == LA_DROP_NONE) {
        while (i < rs->count && seq_lt(rs->r[i].end, seq))
            i++;
        if (i < rs->count && seq_le(rs->r[i].start, seq) && seq_lt(seq, rs->r[i].end)) {
            const tcp_seq stop = seq_min(end, rs->r[i].end); /* here already */

            rs->r[i].stamp = ++rs->stamp; /* the block that holds it follows: RFC 2883 4 (4) */
            reassembly_twice(t, c, seq, stop);
            bytes += seq_diff(seq, stop);
            seq = stop;
            continue;
        }
        if (i < rs->count && seq_eq(rs->r[i].end, seq))
            i++; /* fill_gap extends the one before */
        const tcp_seq stop = i < rs->count ? seq_min(end, rs->r[i].start) : end;
        const uint32_t n = seq_diff(seq, stop);

        reason = fill_gap(t, rs, i, seq, bytes, n);
        stored = stored || reason == LA_DROP_NONE;
        bytes += n;
        seq = stop;
        i = i > 0 ? i - 1 : 0;
    }
    if (rs->count == 0)
        reassembly_clear(t, c);
    env_count(&t->env, reason != LA_DROP_NONE ? LA_COUNT_TCPOFODrop
                       : stored               ? LA_COUNT_TCPOFOQueue
                                              : LA_COUNT_TCPOFOMerge);
    return reason;
}

/* Memory is short: what is held above a hole can be sent again (RFC 2018 8). */
static void prune(struct tcp *t, struct tcp_conn *c)
{
    env_count(&t->env, LA_COUNT_PruneCalled);
    env_count(&t->env, LA_COUNT_TCPOFODrop);
    if (c->rcv.ooo == SLAB_NONE)
        return;
    env_count(&t->env, LA_COUNT_OfoPruned);
    reassembly_clear(t, c);
}

enum la_drop reassembly_take(struct tcp_arrival *a)
{
    struct tcp *t = a->t;
    struct tcp_conn *c = a->c;
    const tcp_seq end = seq_add(a->text_seq, a->len);
    const uint8_t *bytes = a->text;
    const tcp_seq before = c->rcv.nxt;
    const bool had_hole = c->rcv.ooo != SLAB_NONE;

    if (!seq_eq(a->text_seq, c->rcv.nxt)) {
        LA_ASSERT(seq_gt(a->text_seq, c->rcv.nxt)); /* trimmed */
        ack_now(t, a->ci);
        if (memory_over(t)) {
            prune(t, c);
            return LA_DROP_MEMORY;
        }
        return take_out_of_order(t, c, a->text_seq, bytes, a->len);
    }
    while (seq_lt(c->rcv.nxt, end)) {
        const tcp_seq gap_end =
            c->rcv.ooo == SLAB_NONE ? end : seq_min(end, ranges_of(t, c)->r[0].start);
        const uint32_t want = seq_diff(c->rcv.nxt, gap_end);
        const uint8_t *from = bytes + seq_diff(before, c->rcv.nxt);
        const uint32_t n = append_in_order(t, c, from, want);

        c->rcv.nxt = seq_add(c->rcv.nxt, n);
        c->bytes_received += n;
        if (n < want) {
            env_count(&t->env, LA_COUNT_TCPRcvQDrop);
            break;
        }
        pull_up(t, c);
    }
    if (had_hole)
        ack_now(t, a->ci);
    if (!seq_eq(before, c->rcv.nxt)) {
        ack_text(t, a->ci, seq_diff(before, c->rcv.nxt), a->segs);
        conn_ready(t, a->ci, true);
    }
    return seq_lt(c->rcv.nxt, end) ? LA_DROP_POOL_EMPTY : LA_DROP_NONE;
}

const char *reassembly_check(const struct tcp *t, const struct tcp_conn *c)
{
    uint32_t chunks = 0, bytes = 0;

    if (c->rcv.ooo == SLAB_NONE)
        return NULL;
    const struct ranges *rs = ranges_of(t, c);
    if (rs->count == 0 || rs->count > ranges_max(t))
        return "the table of out-of-order ranges is empty or overfull";
    for (uint32_t i = 0; i < rs->count; i++) {
        const struct range *r = &rs->r[i];
        const tcp_seq left = i == 0 ? c->rcv.nxt : rs->r[i - 1].end;

        if (!seq_lt(left, r->start))
            return "out-of-order ranges touch, overlap or are unsorted";
        if (seq_diff(r->start, r->end) != r->q.len_bytes || r->q.len_bytes == 0)
            return "an out-of-order range is not as long as its text";
        if (queue_check(&r->q, &t->env.chunks, t) != NULL)
            return "the queue of an out-of-order range is broken";
        chunks += r->q.chunks;
        bytes += r->q.len_bytes;
    }
    if (chunks != rs->chunks || bytes != rs->bytes)
        return "out-of-order chunks or bytes are miscounted";
    return NULL;
}
