/* SPDX-License-Identifier: MIT */
/*
 * options_info.c - struct tcp_info, as far as lastack measures it; the rest is 0.
 *
 * Counts of segments that the core keeps as bytes are rounded up, as Linux's would be.
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

static uint32_t segments(uint64_t bytes, uint32_t mss)
{
    return mss > 0 ? (uint32_t)((bytes + mss - 1) / mss) : 0;
}

static uint32_t ms_since(la_time then, la_time now)
{
    return now.ns > then.ns ? (uint32_t)((now.ns - then.ns) / NS_PER_MS) : 0;
}

#define CA_OPEN 0
#define CA_RECOVERY 3
#define CA_LOSS 4
#define SSTHRESH_INFINITE 0x7fffffffu

static void put_options(struct tcp_info *o, const struct la_conn_info *c)
{
    if (c->timestamps)
        o->tcpi_options |= TCPI_OPT_TIMESTAMPS;
    if (c->sack)
        o->tcpi_options |= TCPI_OPT_SACK;
    if (c->rcv_wscale > 0)
        o->tcpi_options |= TCPI_OPT_WSCALE;
    o->tcpi_snd_wscale = c->snd_wscale & 15u;
    o->tcpi_rcv_wscale = c->rcv_wscale & 15u;
}

static void put_times(struct tcp_info *o, const struct la_conn_info *c, la_time now)
{
    o->tcpi_rto = c->rto_us;
    o->tcpi_rtt = c->srtt_us;
    o->tcpi_rttvar = c->rttvar_us;
    o->tcpi_last_ack_recv = ms_since(c->last_received, now);
    if (c->bytes_sent > 0)
        o->tcpi_last_data_sent = ms_since(c->last_sent, now);
    o->tcpi_last_data_recv = ms_since(c->last_text_received, now);
}

static void put_amounts(struct tcp_info *o, const struct la_conn_info *c)
{
    const uint32_t flight = c->snd_nxt - c->snd_una;

    o->tcpi_snd_mss = c->snd_mss;
    o->tcpi_rcv_mss = c->rcv_mss;
    o->tcpi_pmtu = c->path_mtu_bytes;
    o->tcpi_advmss = c->adv_mss;
    o->tcpi_unacked = segments(flight, c->snd_mss);
    o->tcpi_snd_cwnd = c->snd_mss > 0 ? c->cwnd_bytes / c->snd_mss : 0;
    o->tcpi_snd_ssthresh = c->ssthresh_bytes >= SSTHRESH_INFINITE
                               ? SSTHRESH_INFINITE
                               : segments(c->ssthresh_bytes, c->snd_mss);
    o->tcpi_total_retrans = (uint32_t)c->segs_retransmitted;
    o->tcpi_bytes_acked = c->bytes_acked;
    o->tcpi_bytes_received = c->bytes_received;
    o->tcpi_segs_out = (uint32_t)c->segs_out;
    o->tcpi_segs_in = (uint32_t)c->segs_in;
    o->tcpi_notsent_bytes = c->snd_queued_bytes > flight ? c->snd_queued_bytes - flight : 0;
    o->tcpi_bytes_sent = c->bytes_sent;
    o->tcpi_snd_wnd = c->snd_wnd;
}

static void from_conn(struct tcp_info *o, const struct la_conn_info *c, la_time now)
{
    o->tcpi_state = state_of(c->state);
    o->tcpi_ca_state = !c->in_recovery ? CA_OPEN : c->backoff > 0 ? CA_LOSS : CA_RECOVERY;
    o->tcpi_retransmits = c->retransmits;
    o->tcpi_probes = c->probes;
    o->tcpi_backoff = c->backoff;
    put_options(o, c);
    put_times(o, c, now);
    put_amounts(o, c);
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
