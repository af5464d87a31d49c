/* SPDX-License-Identifier: MIT */
/*
 * tlp.c - Tail loss probes, RFC 8985 7: when nothing comes back for two round trips, one segment
 * asks for an ACK, so that the loss of the last ones is repaired without an RTO.
 *
 * The probe is the next segment of new text, or the last one again.  One is out at a time; tlp_out
 * and tlp_again stand in the connection, TLP.end_seq in the block.  Once all is acknowledged the
 * block is gone and SND.UNA is TLP.end_seq.
 */
#include "core/tcp/inflight.h"
#include "core/tcp/tcp.h"

#define DELACK_MAX_US 200000u /* TLP.max_ack_delay, as on Linux */

/* 7.2: SACK, no loss and nothing SACKed, no probe out. */
bool tlp_possible(const struct tcp *t, const struct tcp_conn *c)
{
    return t->env.knobs.early_retrans >= 3 && flight_known(c) && !c->dubious && !c->tlp_out &&
           !c->want_tlp && !c->in_recovery && !c->rto_recovery && c->backoff == 0;
}

uint64_t flight_rto_ns(const struct tcp *t, const struct tcp_conn *c)
{
    const uint64_t rto_ns = rtt_rto_ns(t, c);

    if (!flight_known(c))
        return rto_ns;
    const struct flight *f = flight_of(t, c);
    const uint64_t sent_ns = (tcp_now_us(t) - f->r[f->first].sent_us) * NS_PER_US;
    const uint64_t since_ns = time_since(c->rtx_since, t->env.now); /* progress began it anew */
    const uint64_t passed_ns = sent_ns < since_ns ? sent_ns : since_ns;
    return passed_ns < rto_ns ? rto_ns - passed_ns : 0;
}

/* TLP_calc_PTO(): 2 * SRTT, and an ACK's delay if one segment is out; the RTO's time at the latest. */
uint64_t tlp_pto_ns(const struct tcp *t, const struct tcp_conn *c)
{
    const uint64_t rto_ns = flight_rto_ns(t, c);
    uint64_t pto_ns = NS_PER_S;

    if (c->srtt_us8 > 0) {
        pto_ns = (c->srtt_us8 / 4) * NS_PER_US;
        /* Where an ACK may be delayed; else a tick of Linux's clock. */
        pto_ns += conn_flight(c) <= c->snd_mss ? DELACK_MAX_US * NS_PER_US : 2 * NS_PER_MS;
    }
    return rto_ns > 0 && rto_ns < pto_ns ? rto_ns : pto_ns;
}

void tlp_fire(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);

    env_count(&t->env, LA_COUNT_TCPLossProbes);
    c->want_tlp = true;
    trace_recovery(t, c, LA_RECOVERY_PROBE);
    tcp_output_wake(t, ci);
}

/* 7.3, TLP_send_probe(): new text if there is some and the peer's window takes it, else the end again. */
bool tlp_choose(const struct tcp_conn *c, struct tlp_choice *out)
{
    const uint32_t unsent = conn_unsent(c);
    const tcp_seq end = conn_text_end_sent(c);
    uint32_t last = seq_lt(c->snd.una, end) ? seq_diff(c->snd.una, end) : 0;

    if (!flight_known(c) || conn_flight(c) == 0)
        return false;
    if (unsent > 0 && snd_usable(c) >= (unsent < c->snd_mss ? unsent : c->snd_mss)) {
        *out = (struct tlp_choice){ .seq = c->snd.nxt,
                                    .len = unsent < c->snd_mss ? unsent : c->snd_mss };
        return true;
    }
    if (last > c->snd_mss)
        last = c->snd_mss;
    *out = (struct tlp_choice){
        .seq = seq_le(c->snd.una, end) ? seq_sub(end, last) : c->snd.una,
        .len = last,
        .again = true,
    };
    return true;
}

static void repaired(struct flight_ack *k)
{
    struct tcp_conn *c = k->c;

    env_count(&k->t->env, LA_COUNT_TCPLossProbeRecovery);
    trace_recovery(k->t, c, LA_RECOVERY_PROBE_REPAIRED);
    if (c->in_recovery || c->rto_recovery)
        return;
    const uint32_t flight = conn_flight(c) + k->acked;
    cc_on_congestion(k->t, c, CC_LOSS, flight < c->cwnd ? flight : c->cwnd);
    if (c->cwnd > c->ssthresh)
        c->cwnd = c->ssthresh;
}

/* 7.4.2, TLP_process_ack() */
void tlp_on_ack(struct flight_ack *k)
{
    struct tcp_conn *c = k->c;
    const tcp_seq end = k->f != NULL ? k->f->tlp_end : c->snd.una;

    if (!c->tlp_out || seq_lt(k->seg->ack, end))
        return;
    if (!c->tlp_again) {
        c->tlp_out = false;
    } else if (k->dsack && seq_eq(k->dsack_right, end)) {
        c->tlp_out = false; /* case 1: both copies arrived */
    } else if (seq_gt(k->seg->ack, end)) {
        c->tlp_out = false; /* case 2: a loss that the probe has repaired */
        repaired(k);
    } else if (k->acked == 0 && k->seg->opt.sack_count == 0 && k->seg->len == 0) {
        c->tlp_out = false; /* case 3: a duplicate ACK from a peer without D-SACK */
    }
}
