/* SPDX-License-Identifier: MIT */
/*
 * undo.c - A recovery that was not called for is taken back.
 *
 * It was not if the original text arrived: an ACK echoes a time stamp older than the first
 * retransmission (Eifel, RFC 3522 and 4015), or every retransmission has been reported as a
 * duplicate (RFC 3708), or, after an RTO, text is acknowledged that was not sent again (F-RTO,
 * RFC 5682, in loss.c).
 */
#include "core/tcp/inflight.h"
#include "core/tcp/tcp.h"

void undo_begin(const struct tcp *t, const struct tcp_conn *c, struct flight *f)
{
    f->undo = true;
    f->undo_any = false;
    f->undo_marker = c->snd.una;
    f->undo_end = c->snd.nxt;
    f->undo_bytes = 0;
    cc_save(t, c, &f->saved);
}

void undo_sent_again(struct tcp *t, struct tcp_conn *c, struct flight *f, uint32_t len)
{
    if (!f->undo)
        return;
    if (!f->undo_any)
        f->undo_ts = tcp_ts_now(t, c->ts_offset);
    f->undo_any = true;
    f->undo_bytes += len;
}

bool undo_delayed(const struct flight_ack *k)
{
    return k->f->undo && k->f->undo_any && k->c->timestamps && k->seg->opt.has_timestamps &&
           (int32_t)(k->seg->opt.ts_ecr - k->f->undo_ts) < 0;
}

bool undo_may(const struct flight_ack *k)
{
    const struct flight *f = k->f;

    return f->undo && f->undo_any && (f->undo_bytes == 0 || undo_delayed(k));
}

void undo_now(struct tcp *t, struct tcp_conn *c, struct flight *f)
{
    LA_ASSERT(f->undo);
    cc_undo(t, c, &f->saved);
    f->undo = false;
    f->prr = false;
    trace_recovery(t, c, LA_RECOVERY_UNDO);
}
