/* SPDX-License-Identifier: MIT */
/*
 * prr.c - How much may be sent in a recovery, or while ECN's echo lowers the window: Proportional
 * Rate Reduction, RFC 9937.
 *
 * cwnd is computed with every ACK so that what is in flight comes down to ssthresh over one round
 * trip, a segment for every so many that arrive; below ssthresh it is rebuilt, a segment for a
 * segment, and one more for an ACK that moves SND.UNA and tells of no further loss.
 */
#include "core/tcp/inflight.h"
#include "core/tcp/tcp.h"

/*
 * 6.1, on entering: RecoverFS is FlightSize without what had been SACKed before this ACK.  Of what
 * the ACK takes off, text that a SACK had reported was delivered before and does not count either.
 */
void prr_begin(struct flight_ack *k)
{
    struct flight *f = k->f;
    const uint32_t left = conn_flight(k->c) - f->sacked + k->delivered;

    LA_ASSERT(f->sacked <= conn_flight(k->c));
    f->prr = true;
    f->recover_fs = left > 0 ? left : 1;
    f->prr_delivered = 0;
    f->prr_out = 0;
}

void prr_reduce(struct tcp *t, struct tcp_conn *c)
{
    struct flight *f = flight_of(t, c);
    const uint32_t flight = conn_flight(c);

    f->prr = true;
    f->recover_fs = flight > f->sacked ? flight - f->sacked : 1;
    f->prr_delivered = 0;
    f->prr_out = 0;
    c->dubious = true;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* 6.2, on every ACK that begins or continues the recovery. */
void prr_on_ack(struct flight_ack *k)
{
    struct tcp_conn *c = k->c;
    struct flight *f = k->f;
    const uint32_t pipe = conn_pipe(k->t, c);
    const bool safe = k->acked > 0 && k->lost == 0;
    uint32_t snd_cnt;

    if (k->delivered == 0)
        return;
    f->prr_delivered += k->delivered;
    if (pipe > c->ssthresh) { /* CEIL(prr_delivered * ssthresh / RecoverFS) - prr_out */
        const uint64_t product = (uint64_t)f->prr_delivered * c->ssthresh;
        const uint64_t share = (product + f->recover_fs - 1) / f->recover_fs;

        snd_cnt = share > f->prr_out ? (uint32_t)(share - f->prr_out) : 0;
    } else { /* PRR-CRB, and PRR-SSRB where the ACK is safe */
        const uint32_t owed = f->prr_delivered > f->prr_out ? f->prr_delivered - f->prr_out : 0;

        snd_cnt = owed > k->delivered ? owed : k->delivered;
        if (safe)
            snd_cnt += c->snd_mss;
        snd_cnt = least(c->ssthresh - pipe, snd_cnt);
    }
    if (c->in_recovery && f->prr_out == 0 && snd_cnt < c->snd_mss)
        snd_cnt = c->snd_mss; /* the fast retransmit goes at once */
    c->cwnd = pipe + snd_cnt;
    if (c->cwnd < c->snd_mss)
        c->cwnd = c->snd_mss;
}
