/* SPDX-License-Identifier: MIT */
/*
 * options_info.c - struct tcp_info, as far as lastack measures it; the rest is 0.
 *
 * docs/options.md says of each field what is told, and of those that are 0 why.
 */
#include "posix/options.h"

#include <linux/tcp.h>

/* Linux's numbers of the states (net/tcp_states.h). */
static uint8_t state_of(enum la_state state)
{
    static const uint8_t numbers[LA_STATES] = {
        [LA_CLOSED] = 7,      [LA_LISTEN] = 10,    [LA_SYN_SENT] = 2,   [LA_SYN_RECEIVED] = 3,
        [LA_ESTABLISHED] = 1, [LA_FIN_WAIT_1] = 4, [LA_FIN_WAIT_2] = 5, [LA_CLOSE_WAIT] = 8,
        [LA_CLOSING] = 11,    [LA_LAST_ACK] = 9,   [LA_TIME_WAIT] = 6,
    };

    return numbers[state];
}

/* A window: what is not a whole segment does not count. */
static uint32_t in_segments(uint32_t bytes, uint32_t mss)
{
    return mss > 0 ? bytes / mss : 0;
}

static uint32_t ms_since(la_time then, la_time now)
{
    return now.ns > then.ns ? (uint32_t)((now.ns - then.ns) / NS_PER_MS) : 0;
}

#define CA_OPEN 0
#define CA_DISORDER 1
#define CA_RECOVERY 3
#define CA_LOSS 4
#define SSTHRESH_INFINITE 0x7fffffffu
#define SSTHRESH_UNSET (UINT32_C(1) << 30) /* bytes: what the core begins with */

static void put_options(struct tcp_info *o, const struct la_conn_info *c)
{
    if (c->timestamps)
        o->tcpi_options |= TCPI_OPT_TIMESTAMPS;
    if (c->sack)
        o->tcpi_options |= TCPI_OPT_SACK;
    if (c->rcv_wscale > 0)
        o->tcpi_options |= TCPI_OPT_WSCALE;
    if (c->ecn)
        o->tcpi_options |= TCPI_OPT_ECN;
    o->tcpi_snd_wscale = c->snd_wscale & 15u;
    o->tcpi_rcv_wscale = c->rcv_wscale & 15u;
}

static void put_times(struct tcp_info *o, const struct la_conn_info *c, la_time now)
{
    o->tcpi_rto = c->rto_us;
    o->tcpi_ato = c->ato_us;
    o->tcpi_rtt = c->srtt_us;
    o->tcpi_rttvar = c->rttvar_us;
    o->tcpi_last_ack_recv = ms_since(c->last_received, now);
    if (c->bytes_sent > 0)
        o->tcpi_last_data_sent = ms_since(c->last_sent, now);
    o->tcpi_last_data_recv = ms_since(c->last_text_received, now);
    o->tcpi_min_rtt = c->min_rtt_us > 0 ? c->min_rtt_us : UINT32_MAX;
}

static void put_amounts(struct tcp_info *o, const struct la_conn_info *c)
{
    const uint32_t flight = c->snd_nxt - c->snd_una;

    o->tcpi_snd_mss = c->snd_mss;
    o->tcpi_rcv_mss = c->rcv_mss;
    o->tcpi_pmtu = c->path_mtu_bytes;
    o->tcpi_advmss = c->adv_mss;
    o->tcpi_unacked = c->flight_segs;
    o->tcpi_snd_cwnd = in_segments(c->cwnd_bytes, c->snd_mss);
    o->tcpi_snd_ssthresh = c->ssthresh_bytes >= SSTHRESH_UNSET
                               ? SSTHRESH_INFINITE
                               : in_segments(c->ssthresh_bytes, c->snd_mss);
    o->tcpi_reordering = c->reordering;
    o->tcpi_total_retrans = (uint32_t)c->segs_retransmitted;
    /* Linux counts sequence numbers: our FIN, a SYN that was acknowledged to us, the peer's FIN. */
    o->tcpi_bytes_acked = c->bytes_acked;
    o->tcpi_bytes_received = c->bytes_received;
    if (c->snd_una != c->iss)
        o->tcpi_bytes_acked += c->snd_una - c->iss - (uint32_t)c->bytes_acked - !c->active;
    if (c->state != LA_SYN_SENT)
        o->tcpi_bytes_received += c->rcv_nxt - c->irs - 1u - (uint32_t)c->bytes_received;
    o->tcpi_segs_out = (uint32_t)c->segs_out;
    o->tcpi_segs_in = (uint32_t)c->segs_in;
    o->tcpi_notsent_bytes = c->snd_queued_bytes > flight ? c->snd_queued_bytes - flight : 0;
    o->tcpi_bytes_sent = c->bytes_sent;
    o->tcpi_snd_wnd = c->snd_wnd;
    o->tcpi_rcv_ssthresh = c->rcv_wnd;
}

/* Segments that have arrived: what was sent for the first time, but for what is under way; and the SYN. */
static uint32_t delivered(const struct la_conn_info *c)
{
    const uint64_t first =
        c->data_segs_out > c->segs_retransmitted ? c->data_segs_out - c->segs_retransmitted : 0;
    const uint64_t under_way = c->flight_segs - c->sacked_segs;

    return (uint32_t)(first > under_way ? first - under_way : 0) + 1;
}

static void put_recovery(struct tcp_info *o, const struct la_conn_info *c)
{
    o->tcpi_sacked = c->sacked_segs;
    o->tcpi_lost = c->lost_segs;
    o->tcpi_retrans = c->again_segs;
    o->tcpi_bytes_retrans = c->bytes_retrans;
    o->tcpi_dsack_dups = c->dsack_dups;
    o->tcpi_reord_seen = c->reord_seen;
}

static void put_rates(struct tcp_info *o, const struct la_conn_info *c)
{
    o->tcpi_pacing_rate = c->pacing_rate;
    o->tcpi_max_pacing_rate = c->max_pacing_rate;
    o->tcpi_delivery_rate = c->delivery_rate;
    o->tcpi_delivery_rate_app_limited = c->delivery_app_limited;
    o->tcpi_data_segs_out = (uint32_t)c->data_segs_out;
    o->tcpi_data_segs_in = (uint32_t)c->data_segs_in;
    o->tcpi_delivered = c->state == LA_SYN_SENT ? 0 : delivered(c);
}

static uint8_t ca_state(const struct la_conn_info *c)
{
    if (!c->in_recovery)
        return c->sacked_segs > 0 ? CA_DISORDER : CA_OPEN;
    return c->rto_recovery ? CA_LOSS : CA_RECOVERY;
}

static void from_conn(struct tcp_info *o, const struct la_conn_info *c, la_time now)
{
    o->tcpi_state = state_of(c->state);
    o->tcpi_ca_state = ca_state(c);
    o->tcpi_retransmits = c->retransmits;
    o->tcpi_probes = c->probes;
    o->tcpi_backoff = c->backoff;
    put_options(o, c);
    put_times(o, c, now);
    put_amounts(o, c);
    put_recovery(o, c);
    put_rates(o, c);
}

int opt_get_info(struct la_sockets *x, struct sock *s, struct optbuf *b)
{
    struct tcp_info info = { .tcpi_state = state_of(LA_CLOSED) };
    struct la_listener_info listener;
    struct la_conn_info conn;

    if (s->what == WHAT_CONN && la_conn_info(x->stack, s->conn, &conn) == LA_OK) {
        from_conn(&info, &conn, now_of(x));
    } else if (s->what == WHAT_LISTEN &&
               la_listener_info(x->stack, s->listener, &listener) == LA_OK) {
        info.tcpi_state = state_of(LA_LISTEN);
        info.tcpi_unacked = listener.accept_len;
        info.tcpi_sacked = listener.limit;
    }
    return opt_put(b, &info, sizeof info);
}
