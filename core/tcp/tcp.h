/* SPDX-License-Identifier: MIT */
/*
 * tcp.h - The functions of core/tcp that cross files, by the file that has them.
 *
 * "conn", "half", "short" and "listener" functions take the shard and a slot number or
 * reference; a pointer to a record is good until the record is given back.
 */
#ifndef CORE_TCP_TCP_H
#define CORE_TCP_TCP_H

#include <lastack/tcp.h>

#include "core/tcp/arrival.h"
#include "core/wire/icmp.h"

/* arrives.c: SEGMENT ARRIVES (3.10.7) ------------------------------------------- */

/*
 * False: the checksum is wrong, and nothing was done.  in->path leads back to the sender.  @a is lent for
 * the call, and says afterwards how the segment was treated.
 */
bool tcp_arrives(struct tcp *t, const struct tcp_input *in, struct tcp_arrival *a);
/*
 * One more segment like the last one, which the fast path took: @a has SEG.SEQ, text and sum of it.
 * False: it is not the common case, or its checksum is wrong; nothing was done.
 */
bool tcp_arrives_more(struct tcp_arrival *a);
/* After a burst: send what the segments of each connection called for, once. */
void tcp_settle(struct tcp *t);
void tcp_touch(struct tcp *t, uint32_t ci);
/* A connection has treated the segment: trace, ACK at once if called for, remember to settle. */
void tcp_treated(struct tcp_arrival *a, uint64_t handle);

/* arrives_*.c */
void tcp_arrives_closed(struct tcp_arrival *a);
void tcp_arrives_listen(struct tcp_arrival *a, uint32_t li);
enum tcp_next tcp_arrives_synsent(struct tcp_arrival *a);
void tcp_arrives_other(struct tcp_arrival *a);
/* The common case of tcp_arrives_other(). */
enum tcp_fast {
    TCP_FAST_TAKEN,
    TCP_FAST_OTHER,   /* it is not that case; nothing was done */
    TCP_FAST_CORRUPT, /* its checksum is wrong; nothing was done */
};
enum tcp_fast tcp_arrives_fast(struct tcp_arrival *a);
void tcp_arrives_after_syn(struct tcp_arrival *a); /* from the sixth step on */
void tcp_arrives_half(struct tcp_arrival *a, uint32_t ref);
/* True if the segment is to be given to a listener: a->reopens then names the record, untouched. */
bool tcp_arrives_short(struct tcp_arrival *a, uint32_t ref);

/* enter.c: states ---------------------------------------------------------------- */

void tcp_enter(struct tcp *t, struct tcp_conn *c, enum la_state to);
/* The connection ends now: gone from index and timers; a holder keeps the shell to read its error. */
void tcp_end(struct tcp *t, uint32_t ci, enum la_err error, enum la_drop reason);
/* Tell the peer with a reset, then end. */
void tcp_reset(struct tcp *t, uint32_t ci, enum la_err error, enum la_drop reason);
/* A full connection with its buffers empty, in CLOSED, in the index. SLAB_NONE if there is no room. */
uint32_t conn_new(struct tcp *t, const struct tcp_flow *flow, uint32_t hash);
void conn_release(struct tcp *t, uint32_t ci);
/* In CLOSED and out of the index: whoever holds it keeps a shell without buffers or timers, else it goes. */
void conn_shell(struct tcp *t, uint32_t ci);
/* The MSS option of our SYN: the interface's, or less if the application asked (MUST-67, SHLD-5). */
uint16_t conn_adv_mss(const struct tcp *t, const struct tcp_settings *set, uint32_t iface, bool v4);
/* Options that the handshake settled, and the sizes that follow from them. */
void conn_set_mss(const struct tcp *t, struct tcp_conn *c, uint32_t path_mtu);
/* Bytes of text in a full segment, if the path took packets of @path_mtu bytes. */
uint32_t conn_mss_at(const struct tcp *t, const struct tcp_conn *c, uint32_t path_mtu);
#define TCP_TIMESTAMPS_BYTES 12u
void conn_take_syn(struct tcp *t, struct tcp_conn *c, const struct tcp_seg *seg);
void conn_established(struct tcp *t, uint32_t ci);
uint32_t conn_index(const struct tcp *t, const struct tcp_conn *c);

/* lookup.c ------------------------------------------------------------------------ */

/* The bytes of a 4-tuple that are hashed: 12 for IPv4, 36 for IPv6.  Return: how many. */
uint32_t flow_bytes(const struct tcp_flow *f, uint8_t out[36]);
uint32_t tcp_hash(const struct tcp *t, const struct tcp_flow *flow);
/* The same of the 4-tuple of an arriving packet as it lies there: source, destination, ports. */
uint32_t tcp_hash_wire(const struct tcp *t, const uint8_t *tuple, uint32_t len_bytes);
/* A segment with this hash will come: first its bucket is fetched, some time later its record. */
void tcp_expect(const struct tcp *t, uint32_t hash);
void tcp_expect_conn(const struct tcp *t, uint32_t hash);
/* The same; a 4-tuple asked for twice running, as those of a burst are, is hashed once. */
uint32_t tcp_hash_recent(struct tcp *t, const struct tcp_flow *flow);
/* The entry of this 4-tuple; type INDEX_FREE if there is none.  A parked record is passed over. */
struct index_entry tcp_lookup(const struct tcp *t, const struct tcp_flow *flow, uint32_t hash);
/* The 4-tuple of a record, written and read. */
void tuple_store(union tcp_tuple *to, const struct tcp_flow *f);
void half_flow(const struct tcp_half *h, uint32_t ref, struct tcp_flow *out);
void short_flow(const struct tcp_short *w, uint32_t ref, struct tcp_flow *out);
bool flow_equal(const struct tcp_flow *a, const struct tcp_flow *b);

/* listener.c ---------------------------------------------------------------------- */

uint32_t listener_lookup(const struct tcp *t, struct la_addr addr, uint16_t port);
bool listener_on_port(const struct tcp *t, uint16_t port);
bool listener_half_full(const struct tcp_listener *l);
bool listener_accept_full(const struct tcp_listener *l);
void listener_accept_push(struct tcp *t, uint32_t li, uint32_t ci);
void listener_ready(struct tcp *t, uint32_t li);
uint32_t listener_mask(const struct tcp_listener *l);
/* L of both queues, cut to net.core.somaxconn. */
void listener_set_backlog(const struct tcp *t, struct tcp_listener *l, uint32_t backlog);
void settings_init(const struct tcp *t, struct tcp_settings *set);
/* Of the group @li belongs to, the member this 4-tuple belongs to. */
uint32_t listener_choose(const struct tcp *t, uint32_t li, uint32_t hash);
/* A SYN or last ACK finds no place: counted, for the stack and the listener. */
void listener_drop(struct tcp *t, uint32_t li, bool overflow);
enum la_err listener_set_option(struct tcp *t, uint32_t li, enum la_option option, uint64_t value);
enum la_err listener_get_option(const struct tcp *t, uint32_t li, enum la_option option,
                                uint64_t *value);
void listener_info(const struct tcp *t, uint32_t li, struct la_listener_info *out);

/* fifo.c: lists of records --------------------------------------------------------- */

void half_link(struct tcp *t, uint32_t class, uint32_t ref);
void half_unlink(struct tcp *t, uint32_t class, uint32_t ref);
void short_link(struct tcp *t, uint32_t class, uint32_t ref);
void short_unlink(struct tcp *t, uint32_t class, uint32_t ref);
/* When the first of all of them is due; LA_TIME_NEVER.  O(1) but after that one has left its list. */
la_time half_deadline(struct tcp *t);
la_time short_deadline(struct tcp *t);
/* The same from the lists themselves. */
la_time half_earliest(const struct tcp *t);
la_time short_earliest(const struct tcp *t);

/* syn_queue.c: half-open records ---------------------------------------------------- */

/* A record, and its SYN-ACK.  False if no record is free. */
bool half_open(struct tcp_arrival *a, uint32_t li);
void half_take_syn(const struct tcp *t, struct tcp_half *h, const struct tcp_arrival *a);
void half_synack(const struct tcp *t, const struct tcp_half *h, uint32_t ts_val, bool v4,
                 struct tcp_seg *seg);
void half_send_synack(struct tcp *t, uint32_t ref, bool again);
/* The peer asked for it: again, and its timer begins anew. */
void half_synack_again(struct tcp *t, uint32_t ref);
/* Acknowledged, and kept. */
void half_acked(struct tcp *t, uint32_t ref);
/* Modulo 67 s. */
uint32_t half_since_sent_us(const struct tcp *t, const struct tcp_half *h);
void half_free(struct tcp *t, uint32_t ref);
/* The full connection that takes a record's place, in SYN-RECEIVED; SLAB_NONE if there is no room. */
uint32_t half_grow(struct tcp *t, uint32_t ref);
void half_grow_into(struct tcp *t, struct tcp_conn *c, const struct tcp_half *h);
/* In the index by now: it is counted, and waits to be accepted. */
void half_grown(struct tcp *t, uint32_t ci);
void half_drop_listener(struct tcp *t, uint32_t li);
/* One due record; false if none is. */
bool half_tick(struct tcp *t);
uint32_t half_class_of(uint32_t retries);

/* syn_cookie.c: SYN-RECEIVED that is remembered by the peer ---------------------------- */

/* The SYN of @a is answered with a cookie. */
void cookie_answer(struct tcp_arrival *a, uint32_t li);
/* An ACK to a listener: the connection if a good cookie came back; else SLAB_NONE, with the reason. */
uint32_t cookie_open(struct tcp_arrival *a, uint32_t li);
/* May a cookie of this listener still come back? */
bool cookie_recent(const struct tcp *t, const struct tcp_listener *l);

/* time_wait.c: short records --------------------------------------------------------- */

/* The connection becomes a short record in @state; its shell stays if it is held. */
void short_enter(struct tcp *t, uint32_t ci, enum la_state state);
/* TIME-WAIT begins anew, as long as before. */
void short_restart(struct tcp *t, uint32_t ref);
/* From FIN-WAIT-2 to TIME-WAIT.  False if it is over at once: a 2MSL of zero. */
bool short_time_wait(struct tcp *t, uint32_t ref);
/* Does net.ipv4.tcp_tw_reuse let connect() take a TIME-WAIT of this flow over? */
bool short_reuse_allowed(const struct tcp *t, const struct tcp_flow *f);
/* May connect() take the record over?  @bound: the port was asked for by number. */
bool short_reusable(const struct tcp *t, uint32_t ref, bool bound);
/* Behind this moment, if nothing else stands against it. */
la_time short_reusable_after(const struct tcp *t, uint32_t ref);
/* @reason is for the trace: whoever calls counts it. */
void short_free(struct tcp *t, uint32_t ref, enum la_drop reason);
bool short_tick(struct tcp *t);
/* Above everything the old connection sent, and its window: the least ISS of the new one. */
tcp_seq short_iss_floor(const struct tcp *t, uint32_t ref);
/* A new connection begins to take the record's place: it answers nothing, its clock goes on. */
void short_park(struct tcp *t, uint32_t ref);
/* The parked record of this 4-tuple; TCP_REF_NONE if there is none. */
uint32_t short_parked(const struct tcp *t, const struct tcp_flow *flow, uint32_t hash);
/* The new connection is there: the parked record is over. */
void short_replaced(struct tcp *t, const struct tcp_flow *flow, uint32_t hash);
/* The new connection did not come about, and the index has forgotten it: the record is back. */
void short_return(struct tcp *t, const struct tcp_flow *flow, uint32_t hash);

/* reply.c: segments answered at once -------------------------------------------------- */

struct tcp_answer {
    struct tcp_flow flow;
    uint16_t iface;
    uint8_t ttl, tos;
    uint64_t conn;
    uint8_t state;
    bool retransmission;
};
bool reply_room(const struct tcp *t);
/* Queue @seg (ports are filled in from the flow).  False, counted, if no slot is free. */
bool reply_push(struct tcp *t, const struct tcp_answer *to, struct tcp_seg *seg);
/* <SEQ=SEG.ACK><CTL=RST> or <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>: 3.10.7.1 */
void reply_rst_to(struct tcp_arrival *a);
/* A reset on behalf of a connection: <SEQ=SND.NXT><CTL=RST> with ACK where it is known. */
void reply_rst_from(struct tcp *t, const struct tcp_conn *c);
/* An ACK of this moment, at once, with SACK blocks. */
void reply_ack(struct tcp *t, uint32_t ci);
/* @limited: at most one in tcp_invalid_ratelimit. */
void reply_ack_short(struct tcp *t, uint32_t ref, bool limited);
/* The oldest, good until the next is pushed; NULL if none waits. */
const struct tcp_reply *reply_next(struct tcp *t);

/* ack_policy.c -------------------------------------------------------------------------- */

void ack_text(struct tcp *t, uint32_t ci, uint32_t bytes, uint32_t segs);
void ack_now(struct tcp *t, uint32_t ci);
/* After a segment: the one ACK it called for at once. */
void ack_flush(struct tcp *t, uint32_t ci);
void ack_settle(struct tcp *t, uint32_t ci);
void ack_sent(struct tcp_conn *c);
/* An ACK to something unacceptable, under the per-connection limit (RFC 5961 7). False if withheld. */
bool ack_invalid(struct tcp *t, uint32_t ci, enum la_counter skipped);
bool tcp_challenge(struct tcp_arrival *a);

/* ecn.c ------------------------------------------------------------------------------------ */

bool ecn_syn_asks(const struct tcp *t, const struct tcp_arrival *a);
/* What our SYN carries for it. */
uint8_t ecn_syn_flags(const struct tcp *t, struct tcp_conn *c, bool again);
void ecn_synack(struct tcp_conn *c, const struct tcp_seg *seg);
/* Before SND.UNA moves. */
void ecn_on_ack(struct tcp_arrival *a);
void ecn_on_text(struct tcp_arrival *a);
/* What a segment carries for it, which is sent now. */
uint8_t ecn_flags(struct tcp_conn *c, uint8_t flags, bool new_text);

/* autotune.c ------------------------------------------------------------------------------- */

/* The handshake is complete. */
void autotune_begin(const struct tcp *t, struct tcp_conn *c);
/* Text has been read up to rcv.edge: the receive buffer may grow. */
void autotune_round(struct tcp *t, struct tcp_conn *c);
/* The congestion window is more than half of the send buffer. */
void autotune_send(struct tcp *t, struct tcp_conn *c);

/* rcv_window.c ----------------------------------------------------------------------------- */

/* The window field to send now; moves the right edge, never to the left. */
uint16_t rcv_window_field(struct tcp *t, struct tcp_conn *c, bool syn);
/* After reading: is the window worth an update? */
bool rcv_window_update_due(const struct tcp *t, const struct tcp_conn *c);
uint8_t rcv_window_shift(const struct tcp *t);

/* reassembly.c -------------------------------------------------------------------------------- */

/* Take trimmed text.  Return: the reason if it was dropped. */
enum la_drop reassembly_take(struct tcp_arrival *a);
uint32_t reassembly_blocks(const struct tcp *t, const struct tcp_conn *c,
                           struct tcp_sack_block *out, uint32_t max);
uint32_t reassembly_bytes(const struct tcp *t, const struct tcp_conn *c);
/* The segment in progress brings [left, right) a second time: its ACK says so (RFC 2883 4). */
void reassembly_twice(struct tcp *t, const struct tcp_conn *c, tcp_seq left, tcp_seq right);
/* Chunks held, the table included. */
uint32_t reassembly_chunks(const struct tcp *t, const struct tcp_conn *c);
/* The text of range @i, in ascending order; NULL behind the last. */
const struct queue *reassembly_range(const struct tcp *t, const struct tcp_conn *c, uint32_t i,
                                     tcp_seq *start);
void reassembly_clear(struct tcp *t, struct tcp_conn *c);
const char *reassembly_check(const struct tcp *t, const struct tcp_conn *c);

/* snd_window.c, loss.c, rtt.c; cc.c is in cc.h ---------------------------------------------------------- */

static inline uint32_t conn_flight(const struct tcp_conn *c)
{
    return seq_diff(c->snd.una, c->snd.nxt);
}
/* Is our FIN acknowledged? */
static inline bool conn_fin_acked(const struct tcp_conn *c)
{
    return c->fin_sent && seq_eq(c->snd.una, c->snd.nxt);
}
/* A segment has come, or so many in one. */
static inline void conn_count_in(const struct tcp_arrival *a)
{
    a->c->segs_in += a->segs;
    if (a->seg->len > 0)
        a->c->data_segs_in += a->segs;
}
/* Text was sent again. */
#define BYTES_RETRANS_MAX ((UINT64_C(1) << 40) - 1) /* of a field of 40 bits */
static inline void conn_count_again(struct tcp_conn *c, uint32_t len)
{
    const uint64_t sum = c->bytes_retrans + (uint64_t)len;

    c->bytes_retrans = (sum < BYTES_RETRANS_MAX ? sum : BYTES_RETRANS_MAX) & BYTES_RETRANS_MAX;
}
/* Where the text ends that has been sent: a FIN that went out is the last before SND.NXT. */
static inline tcp_seq conn_text_end_sent(const struct tcp_conn *c)
{
    return c->fin_sent ? seq_sub(c->snd.nxt, 1) : c->snd.nxt;
}
/* ISS and IRS are not kept: they lie before all that was acknowledged, and all that has come. */
static inline tcp_seq conn_iss(const struct tcp_conn *c)
{
    if (!c->established)
        return c->snd.una;
    return seq_sub(c->snd.una, (uint32_t)c->bytes_acked + 1u + conn_fin_acked(c));
}
static inline tcp_seq conn_irs(const struct tcp_conn *c)
{
    return seq_sub(c->rcv.nxt, (uint32_t)c->bytes_received + 1u + c->fin_received);
}
/* Of that, what is thought to be in the network: RFC 6675 4, Pipe. */
uint32_t flight_pipe(const struct tcp *t, const struct tcp_conn *c);
static inline uint32_t conn_pipe(const struct tcp *t, const struct tcp_conn *c)
{
    return c->dubious ? flight_pipe(t, c) : conn_flight(c);
}
/* Bytes the window still takes beyond SND.NXT; a window that shrank takes none (MUST-34). */
static inline uint32_t snd_usable(const struct tcp_conn *c)
{
    const uint32_t flight = conn_flight(c);
    return c->snd.wnd > flight ? c->snd.wnd - flight : 0;
}
/*
 * SEG.SEQ of a segment without text.  SND.NXT, unless the peer's window ends before it - a probe of
 * a closed window is out, or the window shrank: there it would lie outside and be dropped, with its ACK
 * or RST.  Less than a unit of scale is the peer's rounding, not its edge.
 */
static inline tcp_seq conn_bare_seq(const struct tcp_conn *c)
{
    const tcp_seq edge = seq_add(c->snd.una, c->snd.wnd);

    if (!seq_lt(edge, c->snd.nxt))
        return c->snd.nxt;
    if (c->snd.wnd > 0 && seq_diff(edge, c->snd.nxt) < 1u << c->snd_shift)
        return c->snd.nxt;
    return edge;
}
/* Bytes of sndq not yet sent. */
static inline uint32_t conn_unsent(const struct tcp_conn *c)
{
    if (in(c, S(SYN_SENT) | S(SYN_RECEIVED)))
        return c->sndq.len_bytes; /* what is in flight is the SYN */
    if (c->fin_sent)
        return 0;
    LA_ASSERT(conn_flight(c) <= c->sndq.len_bytes);
    return c->sndq.len_bytes - conn_flight(c);
}
static inline bool conn_fin_unsent(const struct tcp_conn *c)
{
    return c->fin_queued && !c->fin_sent;
}
/* Is there something to say, windows and Nagle apart? */
static inline bool conn_wants_tx(const struct tcp_conn *c)
{
    return c->want_ack || c->want_rtx || c->want_probe || c->want_keepalive || c->want_syn ||
           c->resend || c->want_tlp || conn_unsent(c) > 0 || conn_fin_unsent(c) ||
           seq_lt(c->snd.rtx, c->snd.nxt);
}
/* @advanced: the segment moved SND.UNA. */
void snd_window_update(struct tcp_arrival *a, bool advanced);
/* An acceptable ACK arrived: everything that follows from it (step 5, ESTABLISHED). */
void tcp_ack_advance(struct tcp_arrival *a, tcp_seq ack);
void loss_dupack(struct tcp_arrival *a);
/* SND.UNA was @before, @acked less. */
void loss_on_ack(struct tcp *t, uint32_t ci, const struct tcp_seg *seg, tcp_seq before,
                 uint32_t acked);
void loss_on_rack_timer(struct tcp *t, uint32_t ci);
/*
 * All that is in flight and may be larger than a segment is now goes again, as far as the window permits:
 * it was refused, not lost.
 */
void loss_resend_all(struct tcp *t, uint32_t ci);
void loss_on_rto(struct tcp *t, uint32_t ci);
void rtt_sample(struct tcp *t, struct tcp_conn *c, uint64_t rtt_ns);
void rtt_on_ack(struct tcp *t, struct tcp_conn *c, const struct tcp_seg *seg, tcp_seq ack);
uint64_t rtt_rto_ns(const struct tcp *t, const struct tcp_conn *c);

/* output.c ---------------------------------------------------------------------------------------- */

/* What stack/ needs to put the IP header in front. */
struct tcp_out {
    struct ip_header ip;
    uint16_t iface;
    uint32_t train; /* connection whose next segments tcp_output_train() may make, or SLAB_NONE */
};
/* Text of one descriptor at most, in whole segments; @gso as an interface has it. */
uint32_t tcp_most_text(const struct tcp *t, const struct tcp_conn *c, uint32_t gso);
/*
 * The next segment of any connection: fills @tx but for the IP header, with the TCP header at
 * tx->header + the IP header's length.
 */
bool tcp_output_next(struct tcp *t, struct la_tx *tx, struct tcp_out *out);
/*
 * Up to @max descriptors that follow @first, made at once from it; all but the checksum, where the
 * driver does not complete it.  @tcp_at: where the TCP header begins.  Return: how many.
 */
uint32_t tcp_output_train(struct tcp *t, uint32_t ci, uint32_t tcp_at, const struct la_tx *first,
                          struct la_tx *out, uint32_t max);
void tcp_output_wake(struct tcp *t, uint32_t ci); /* stand on the transmit list */
void tcp_output_sleep(struct tcp *t, uint32_t ci);
uint32_t tcp_ts_now(const struct tcp *t, uint32_t ts_offset);

/* pacing.c ---------------------------------------------------------------------------------------- */

/* Bytes a second: what the congestion window and SO_MAX_PACING_RATE say; PACE_UNLIMITED. */
#define PACE_UNLIMITED UINT64_MAX
uint64_t pace_rate(const struct tcp *t, const struct tcp_conn *c);
/* net.lastack.tcp_pacing */
enum { PACE_ASKED, PACE_SLOW_START, PACE_ALWAYS };
/* Is this connection paced? */
static inline bool pace_wanted(const struct tcp *t, const struct tcp_conn *c)
{
    return c->set.max_pacing_rate > 0 || t->env.knobs.pacing == PACE_ALWAYS ||
           (t->env.knobs.pacing == PACE_SLOW_START && c->cwnd < c->ssthresh);
}
/* Of a connection that is paced: bytes that may still go now. */
uint32_t pace_room(const struct tcp *t, const struct tcp_conn *c);
static inline uint32_t pace_cap(const struct tcp *t, const struct tcp_conn *c, uint32_t bytes)
{
    const uint32_t room = pace_wanted(t, c) ? pace_room(t, c) : UINT32_MAX;

    return bytes < room ? bytes : room;
}
/* @len bytes go out now, and LAST_TX is still that of those before. */
void pace_sent(struct tcp *t, struct tcp_conn *c, uint32_t len);
/* With pace_hold: must it wait?  Then its timer is armed. */
bool pace_waits(struct tcp *t, uint32_t ci);
la_time pace_time(const struct tcp *t, const struct tcp_conn *c);
/* The limit was changed. */
void pace_changed(struct tcp *t, uint32_t ci);

/* timers.c, timeouts.c ----------------------------------------------------------------------------- */

void tcp_timer_arm(struct tcp *t, uint32_t ci, enum tcp_deadline which, la_time at);
void tcp_timer_stop(struct tcp_conn *c, enum tcp_deadline which);
/* The wheel looks at the connection at @at, or before. */
void tcp_timer_look(struct tcp *t, uint32_t ci, la_time at);
/*
 * Some have been stopped.  If @spoke, when the connection last did what it does now, is long ago, the
 * node goes to the earliest of the others, or out of the wheel.
 */
void tcp_timers_settle(struct tcp *t, uint32_t ci, la_time spoke);
#define TCP_SPARSE_NS (4 * NS_PER_MS) /* a turn of the wheel's lowest level */
void tcp_timers_off(struct tcp *t, uint32_t ci);
void tcp_timers_fire(struct tcp *t, uint32_t ci);
enum tcp_next tcp_on_timeout(struct tcp *t, uint32_t ci, enum tcp_deadline which);
/* RTO or persist, whichever the state calls for; or nothing. */
void tcp_rtx_rearm(struct tcp *t, uint32_t ci);
/* The retransmission timer never stands behind the end the user timeout sets. */
void tcp_user_timeout_changed(struct tcp *t, uint32_t ci);
bool conn_in_persist(const struct tcp_conn *c);
void keepalive_rearm(struct tcp *t, uint32_t ci);
uint64_t keepalive_idle_ns(const struct tcp *t, const struct tcp_conn *c);

/* ready.c ------------------------------------------------------------------------------------------- */

uint32_t conn_mask(const struct tcp *t, const struct tcp_conn *c);
void conn_ready(struct tcp *t, uint32_t ci, bool news); /* readiness may have changed */
/* Text was read, or is there to be sent: what is over is not told, and its next beginning is. */
void conn_drained(struct tcp_conn *c);
void conn_filled(struct tcp_conn *c);
void conn_unready(struct tcp *t, uint32_t ci);
uint32_t tcp_events(struct tcp *t, struct la_event *out, uint32_t max);
void conn_starve(struct tcp *t, uint32_t ci);
void conn_unstarve(struct tcp *t, uint32_t ci);
void tcp_feed_starved(struct tcp *t);

/* isn.c, ports.c -------------------------------------------------------------------------------------- */

/* Both at once, from one keyed hash. */
void tcp_begin_numbers(const struct tcp *t, const struct tcp_flow *flow, tcp_seq *iss,
                       uint32_t *ts_offset);
tcp_seq tcp_isn(const struct tcp *t, const struct tcp_flow *flow);
uint32_t tcp_ts_offset(const struct tcp *t, const struct tcp_flow *flow);
/* Ports to choose from. */
struct tcp_port_range {
    uint32_t min, max;
};
struct tcp_port_range tcp_port_range(const struct tcp *t);
/*
 * LA_OK with flow->lport chosen, or LA_EADDRNOTAVAIL.  *@takes: the record in TIME-WAIT that has to
 * be taken over for it, or TCP_REF_NONE.  @avoid: a bit for each of 65,536 ports that are left
 * alone, or NULL.
 */
enum la_err tcp_choose_port(struct tcp *t, struct tcp_port_range range, const uint64_t *avoid,
                            struct tcp_flow *flow, uint32_t *takes);
bool tcp_port_reserved(const struct tcp *t, uint32_t port);
/* The index has forgotten this 4-tuple. */
void port_freed(struct tcp *t, const struct tcp_flow *flow);
/* A record of this 4-tuple is in TIME-WAIT again. */
void port_returned(struct tcp *t, const struct tcp_flow *flow);
const char *port_check(const struct tcp *t);

/* port_use.c: what stands on a local port ------------------------------------------------------------- */

/* TCP_SHARE_*: with whom a port is shared. */
uint32_t port_share(bool reuse, bool reuse_port);
void port_use_add(struct tcp *t, const struct tcp_flow *flow, uint32_t share);
void port_use_sub(struct tcp *t, const struct tcp_flow *flow, uint32_t share);
void port_use_changed(struct tcp *t, const struct tcp_flow *flow, uint32_t from, uint32_t to);
enum la_port_answer port_asked(const struct tcp *t, struct la_addr addr, bool v4, uint16_t port,
                               uint32_t share);

/* trace.c ----------------------------------------------------------------------------------------------- */

void trace_rx(const struct tcp_arrival *a, uint8_t to, uint64_t conn);
void trace_tx(struct tcp *t, const struct tcp_flow *flow, uint64_t conn, uint8_t state,
              const struct tcp_seg *seg, bool retransmission);
void trace_state(struct tcp *t, const struct tcp_flow *flow, uint64_t conn, uint8_t from,
                 uint8_t to, enum la_drop reason);
void trace_timeout(struct tcp *t, const struct tcp_flow *flow, uint64_t conn, uint8_t state,
                   enum la_timer timer);
void trace_end(struct tcp *t, const struct tcp_conn *c, enum la_drop reason);
void trace_recovery(struct tcp *t, const struct tcp_conn *c, enum la_recovery event);

/* cause.c: what went wrong, remembered ------------------------------------------------------------ */

/* A segment that was not used; a connection that ends; a record that ends. */
void cause_segment(const struct tcp_arrival *a);
void cause_conn(struct tcp *t, uint32_t ci, enum la_drop reason);
void cause_record(struct tcp *t, const struct tcp_flow *flow, uint8_t state, enum la_drop reason);

/* memory.c ------------------------------------------------------------------------------------------------ */

void memory_init(struct tcp *t);
/* net.ipv4.tcp_mem, in pages of 4096 bytes.  False if they do not ascend. */
bool memory_set(struct tcp *t, const uint64_t pages[3]);
uint64_t memory_pages(const struct tcp *t, uint32_t i);
/* Does pressure begin or end? */
void memory_look(struct tcp *t);
/* Memory is short: a few records are passed, and once all were, the longest stalled may be reset. */
void memory_relieve(struct tcp *t);
static inline bool memory_over(const struct tcp *t)
{
    return t->env.chunks.slab.used > t->mem.limit[2];
}

/* findings.c ---------------------------------------------------------------------------------------------- */

void finding_conn(struct tcp *t, uint32_t ci, enum la_finding finding, uint64_t value);
void finding_listener(struct tcp *t, uint32_t li, enum la_finding finding, uint64_t value);
void finding_eof_read(struct tcp *t, uint32_t ci);
/* True if the round is not complete. */
bool tcp_findings_scan(struct tcp *t, uint32_t slots);

/* icmp_error.c -------------------------------------------------------------------------------------------- */

void tcp_icmp_error(struct tcp *t, const struct tcp_flow *flow, tcp_seq quoted,
                    enum icmp_class class, uint8_t version, uint8_t code, uint32_t mtu_bytes);

/* calls.c, calls_data.c, calls_close.c, settings.c: behind the public calls --------------------------------- */

/* The path is found by stack/; its source fills an unspecified local address. */
enum la_err tcp_open(struct tcp *t, struct tcp_flow flow, struct tcp_path path, uint64_t user,
                     la_conn_id *out);
enum la_err tcp_listen(struct tcp *t, const struct la_listen_config *config, la_listener_id *out);
enum la_err tcp_listener_close(struct tcp *t, la_listener_id id);
enum la_err tcp_accept(struct tcp *t, la_listener_id id, uint64_t user, struct la_accepted *out);
int64_t tcp_send_reserve(struct tcp *t, uint32_t ci, uint32_t want, struct la_span *spans,
                         uint32_t max, uint32_t *count);
enum la_err tcp_send_commit(struct tcp *t, uint32_t ci, uint32_t bytes, uint32_t flags);
int64_t tcp_send(struct tcp *t, uint32_t ci, const void *bytes, uint32_t len_bytes, uint32_t flags);
int64_t tcp_recv_peek(struct tcp *t, uint32_t ci, struct la_cspan *spans, uint32_t max,
                      uint32_t *count);
enum la_err tcp_recv_consume(struct tcp *t, uint32_t ci, uint32_t bytes);
enum la_err tcp_shutdown(struct tcp *t, uint32_t ci, uint32_t how);
void tcp_close(struct tcp *t, uint32_t ci);
void tcp_abort(struct tcp *t, uint32_t ci);
/*
 * An orphan that there is no room for is reset: more of them than tcp_max_orphans, or one that holds text
 * while the pool is above tcp_mem.  @penalty
 * doublings of their number count against one that is suspect.  True if it is gone.
 */
bool tcp_orphan_ended(struct tcp *t, uint32_t ci, uint32_t penalty);
enum la_err tcp_setting_set(struct tcp *t, struct tcp_settings *set, enum la_option option,
                            uint64_t value);
enum la_err tcp_setting_get(const struct tcp *t, const struct tcp_settings *set,
                            enum la_option option, uint64_t *value);
void tcp_setting_changed(struct tcp *t, uint32_t ci, enum la_option option);
/* TCP_NOTSENT_LOWAT, bytes; UINT32_MAX: there is no limit. */
uint32_t setting_lowat(const struct tcp_settings *set);
/* As net.ipv4.tcp_notsent_lowat says. */
void setting_lowat_default(const struct tcp *t, struct tcp_settings *set);

/* setup.c */
void tcp_init(struct tcp *t, const struct la_config *config);
bool tcp_tick(struct tcp *t, uint32_t budget);
la_time tcp_deadline(struct tcp *t);

#endif
