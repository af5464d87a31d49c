/* SPDX-License-Identifier: MIT */
/*
 * calls_data.c - SEND and RECEIVE (RFC 9293 3.10.2, 3.10.3).
 *
 * Reserve and commit, peek and consume are the primitives; the copying calls are made of
 * the same parts.  Nothing is sent here: the connection is put on the transmit list.
 */
#include "core/tcp/tcp.h"

/* May this connection take bytes to send?  LA_OK, or why not. */
static enum la_err send_refused(const struct tcp_conn *c)
{
    if (c->error != 0)
        return (enum la_err)c->error;
    if (c->state == LA_CLOSED || c->fin_queued)
        return LA_EPIPE;
    return LA_OK;
}

/*
 * Bytes that a send takes.  TCP_NOTSENT_LOWAT, as on Linux: while less than that is unsent, whole
 * super-segments, or whole segments where the interface has none; else nothing.
 */
static uint32_t send_room(const struct tcp *t, const struct tcp_conn *c)
{
    const uint32_t room = c->sndq.len_bytes < c->set.sndbuf ? c->set.sndbuf - c->sndq.len_bytes : 0;

    if (c->set.notsent_lowat == 0)
        return room;
    const uint32_t gso = t->iface_gso[c->iface];
    const uint32_t whole = gso > c->snd_mss ? gso : c->snd_mss;
    const uint32_t lowat = setting_lowat(&c->set);
    const uint32_t unsent = conn_unsent(c);
    /* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): snd_mss > 0 */
    const uint32_t wanted = unsent < lowat ? (lowat - unsent - 1) / whole * whole + whole : 0;

    return wanted < room ? wanted : room;
}

int64_t tcp_send_reserve(struct tcp *t, uint32_t ci, uint32_t want, struct la_span *spans,
                         uint32_t max, uint32_t *count)
{
    struct tcp_conn *c = conn_at(t, ci);
    const enum la_err err = send_refused(c);
    const uint32_t room = err == LA_OK ? send_room(t, c) : 0;
    uint32_t n;

    *count = 0;
    if (err != LA_OK)
        return err;
    if (want == 0 || max == 0)
        return LA_EINVAL;
    if (room == 0) {
        conn_ready(t, ci, false);
        return LA_EAGAIN;
    }
    n = queue_reserve(&c->sndq, &t->env.chunks, t, want < room ? want : room, spans, max, count);
    if (n == 0) {
        conn_starve(t, ci);
        return LA_EAGAIN;
    }
    c->reserved = n;
    return n;
}

/* New bytes stand at the end of sndq. */
static void committed(struct tcp *t, uint32_t ci, uint32_t flags)
{
    struct tcp_conn *c = conn_at(t, ci);

    c->more = (flags & LA_SEND_MORE) != 0;
    conn_filled(c); /* a later event tells when it is writable again */
    if (in(c, S(ESTABLISHED) | S(CLOSE_WAIT)))
        tcp_output_wake(t, ci);
}

enum la_err tcp_send_commit(struct tcp *t, uint32_t ci, uint32_t bytes, uint32_t flags)
{
    struct tcp_conn *c = conn_at(t, ci);

    if (flags & ~LA_SEND_MORE)
        return LA_EINVAL;
    if (bytes > c->reserved) /* the reservation may have gone with the connection */
        return c->error != 0 ? (enum la_err)c->error : LA_EINVAL;
    queue_commit(&c->sndq, &t->env.chunks, t, bytes);
    c->reserved = 0;
    if (bytes > 0)
        committed(t, ci, flags);
    return LA_OK;
}

/* Text is summed on its way in where the sum is ours to compute, with vectors, and there is some of it. */
static uint32_t append(struct tcp *t, struct tcp_conn *c, const void *bytes, uint32_t len_bytes)
{
    struct queue_cuts cuts;

    if (!t->iface_sums[c->iface] || len_bytes < QUEUE_SUM_MIN_BYTES)
        return queue_append(&c->sndq, &t->env.chunks, t, bytes, len_bytes, UINT32_MAX, CHUNKS_SEND);
    /* What waits will go from SND.NXT on in full packets, as far as anybody can tell now. */
    cuts.step_bytes = tcp_most_text(t, c, t->iface_gso[c->iface]);
    /* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): snd_mss >= LA_SEND_MSS_MIN */
    cuts.next_bytes = cuts.step_bytes - conn_unsent(c) % cuts.step_bytes;
    return queue_append_summed(&c->sndq, &t->env.chunks, t, bytes, len_bytes, CHUNKS_SEND, cuts,
                               t->env.cpu_features);
}

int64_t tcp_send(struct tcp *t, uint32_t ci, const void *bytes, uint32_t len_bytes, uint32_t flags)
{
    struct tcp_conn *c = conn_at(t, ci);
    const enum la_err err = send_refused(c);
    const uint32_t room = err == LA_OK ? send_room(t, c) : 0;
    const uint32_t want = len_bytes < room ? len_bytes : room;
    uint32_t n;

    if (flags & ~LA_SEND_MORE)
        return LA_EINVAL;
    if (err != LA_OK)
        return err;
    if (len_bytes == 0)
        return 0;
    if (c->reserved > 0) { /* a copying send ends a reservation */
        queue_commit(&c->sndq, &t->env.chunks, t, 0);
        c->reserved = 0;
    }
    n = append(t, c, bytes, want);
    if (n < want)
        conn_starve(t, ci);
    if (n == 0) {
        conn_filled(c);
        return LA_EAGAIN;
    }
    committed(t, ci, flags);
    return n;
}

int64_t tcp_recv_peek(struct tcp *t, uint32_t ci, struct la_cspan *spans, uint32_t max,
                      uint32_t *count)
{
    struct tcp_conn *c = conn_at(t, ci);

    *count = 0;
    if (max == 0)
        return LA_EINVAL;
    if (c->rcvq.len_bytes > 0)
        return queue_spans(&c->rcvq, &t->env.chunks, t, 0, c->rcvq.len_bytes, spans, max, count,
                           NULL);
    if (c->fin_received || c->rd_shut) {
        finding_eof_read(t, ci);
        return 0;
    }
    if (c->error != 0)
        return c->error;
    if (in(c, S(SYN_SENT) | S(SYN_RECEIVED)))
        return LA_EAGAIN;
    return c->state == LA_CLOSED ? 0 : LA_EAGAIN;
}

enum la_err tcp_recv_consume(struct tcp *t, uint32_t ci, uint32_t bytes)
{
    struct tcp_conn *c = conn_at(t, ci);

    if (bytes > c->rcvq.len_bytes)
        return LA_EINVAL;
    if (bytes == 0)
        return LA_OK;
    queue_drop(&c->rcvq, &t->env.chunks, t, bytes);
    conn_drained(c);
    if (seq_ge(seq_sub(c->rcv.nxt, c->rcvq.len_bytes), c->rcv.edge))
        autotune_round(t, c);
    if (in(c, S(ESTABLISHED) | S(FIN_WAIT_1) | S(FIN_WAIT_2)) && rcv_window_update_due(t, c)) {
        c->want_ack = true;
        tcp_output_wake(t, ci);
    }
    return LA_OK;
}
