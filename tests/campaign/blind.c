/* SPDX-License-Identifier: MIT */
/*
 * blind.c - Somebody who knows the 4-tuple and guesses the numbers, all 2^32 of them.
 *
 * First through the predicates, each with every number: how many numbers reset, how many are
 * acceptable, how many acknowledgments are believed.  Then through a real connection, or a
 * half-open record, in six states: resets, SYNs, FINs and text with every sequence number and an
 * acknowledgment nobody could believe; exactly one number kills with a reset, nothing else moves
 * anything, and no time passes, so hardly anything is answered.  At last text that is in the window
 * with every acknowledgment number: believed are those of bytes that were sent, and no older than
 * the largest window.
 *
 * Numbers are visited in steps of an odd constant, which comes by all of them in 2^32 steps: a
 * sweep that time cuts short has sampled the whole circle.  What lies near an edge is tried first.
 */
#include "core/tcp/predicates.h"
#include "tests/campaign/campaign.h"
#include "tests/campaign/pairs.h"

#define ALL (UINT64_C(1) << 32)
#define STEP 0x9e3779b1u
#define EDGE 4096u
#define ANSWERS_MAX 8u

static struct campaign c;

/* Predicates -------------------------------------------------------------------------------- */

static void predicate_sweep(uint32_t nxt, uint32_t wnd, double share)
{
    const tcp_seq left = { nxt };
    uint64_t exact = 0, inside = 0, empty_ok = 0, text_ok = 0, i = 0;
    char sentence[160];

    for (; i < ALL; i++) {
        const tcp_seq seq = { (uint32_t)i };
        const enum tcp_rst_kind kind = tcp_rst_kind(seq, left, wnd);
        exact += kind == TCP_RST_EXACT;
        inside += kind == TCP_RST_INSIDE;
        empty_ok += tcp_acceptable(seq, 0, left, wnd);
        text_ok += tcp_acceptable(seq, 100, left, wnd);
        if (i % (1u << 24) == 0 && !campaign_goes_on(&c, share, "numbers through the predicates"))
            break;
    }
    c.size += i;
    snprintf(sentence, sizeof sentence, "RCV.NXT %#x, window %u: one of 2^32 numbers resets", nxt,
             wnd);
    if (i < ALL) {
        printf("# time was up after %" PRIu64 " numbers\n", i);
        campaign_result(&c, exact <= 1 && inside < wnd + 1u, sentence);
        return;
    }
    campaign_result(&c,
                    exact == 1 && inside == (wnd > 0 ? wnd - 1 : 0) &&
                        empty_ok == (wnd > 0 ? wnd : 1) && text_ok == (wnd > 0 ? wnd + 99u : 0),
                    sentence);
}

/* Through a connection ------------------------------------------------------------------------ */

/* One packet, whose numbers are changed in place: the checksum is said to have been verified. */
struct shot {
    uint8_t bytes[128];
    uint32_t len_bytes, tcp_at;
};

static void shot_make(struct shot *s, const struct duo *d, int side, uint8_t flags, uint32_t len)
{
    const struct tcp_seg seg = { .src_port = side == 0 ? PAIR_CLIENT_PORT : PAIR_PORT,
                                 .dst_port = side == 0 ? PAIR_PORT : PAIR_CLIENT_PORT,
                                 .flags = flags,
                                 .wnd = 65535 };

    memset(s, 0, sizeof *s);
    s->tcp_at = ip_header_bytes(d->addr[0]);
    const uint32_t header = tcp_emit(&seg, s->bytes + s->tcp_at);
    const struct ip_header ip = { .src = d->addr[1 - side],
                                  .dst = d->addr[side],
                                  .payload_len = header + len,
                                  .protocol = IP_PROTO_TCP,
                                  .ttl = 64 };
    (void)ip_emit(&ip, s->bytes);
    s->len_bytes = s->tcp_at + header + len;
}

static void shoot(struct shot *s, const struct duo *d, int side, uint32_t seq, uint32_t ack)
{
    const struct la_frame frame = { .bytes = s->bytes,
                                    .len_bytes = s->len_bytes,
                                    .flags = LA_FRAME_CSUM_OK };
    uint8_t *at = s->bytes + s->tcp_at + 4;

    for (int i = 0; i < 4; i++) {
        at[i] = (uint8_t)(seq >> (24 - 8 * i));
        at[4 + i] = (uint8_t)(ack >> (24 - 8 * i));
    }
    la_rx(d->s[side], d->now, &frame, 1);
}

/* What a shot could have moved. */
struct look {
    unsigned type;
    uint8_t state;
    tcp_seq rcv_nxt, una, nxt;
};

static struct look look_at(const struct duo *d, int side)
{
    const struct tcp *t = &d->s[side]->tcp;
    const struct tcp_flow flow = { .laddr = d->addr[side],
                                   .raddr = d->addr[1 - side],
                                   .lport = side == 0 ? PAIR_PORT : PAIR_CLIENT_PORT,
                                   .rport = side == 0 ? PAIR_CLIENT_PORT : PAIR_PORT };
    const struct index_entry e = tcp_lookup(t, &flow, tcp_hash(t, &flow));
    struct look l = { .type = e.type };

    if (e.type == INDEX_CONN) {
        const struct tcp_conn *k = conn_at(t, e.value);
        l = (struct look){ e.type, k->state, k->rcv.nxt, k->snd.una, k->snd.nxt };
    }
    return l;
}

static bool same(struct look a, struct look b)
{
    return a.type == b.type && a.state == b.state && seq_eq(a.rcv_nxt, b.rcv_nxt) &&
           seq_eq(a.una, b.una) && seq_eq(a.nxt, b.nxt);
}

static uint32_t drain(const struct duo *d, int side)
{
    struct la_tx tx;
    uint32_t n = 0;

    while (la_tx(d->s[side], d->now, &tx, 1) == 1)
        n++;
    return n;
}

struct target {
    enum pair pair;
    int side;
    const char *name;
};
static const struct target targets[] = {
    { PAIR_ESTABLISHED, 0, "ESTABLISHED" },
    { PAIR_SYN_SENT_SYN_RECEIVED, 0, "SYN-RECEIVED" },
    { PAIR_FIN_WAIT_1_ESTABLISHED, 1, "FIN-WAIT-1" },
    { PAIR_FIN_WAIT_2_CLOSE_WAIT, 1, "FIN-WAIT-2" },
    { PAIR_FIN_WAIT_2_CLOSE_WAIT, 0, "CLOSE-WAIT" },
    { PAIR_FIN_WAIT_2_LAST_ACK, 0, "LAST-ACK" },
};
static const struct {
    uint8_t flags;
    uint32_t len;
    bool kills;
    bool limited; /* text is answered whenever it comes, as Linux does; a bad ACK may draw a RST */
    const char *name;
} kinds[] = {
    { TCP_RST, 0, true, true, "RST" },
    { TCP_RST | TCP_ACK, 0, true, true, "RST,ACK" },
    { TCP_SYN, 0, false, true, "SYN" },
    { TCP_SYN | TCP_ACK, 0, false, true, "SYN,ACK" },
    { TCP_FIN | TCP_ACK, 0, false, false, "FIN,ACK" },
    { TCP_ACK | TCP_PSH, 1, false, false, "text" },
};
#define TARGETS (sizeof targets / sizeof targets[0])
#define KINDS (sizeof kinds / sizeof kinds[0])

/* One kind of segment to one state. */
struct sweep {
    const struct target *target;
    struct duo *d;
    struct shot shot;
    struct pair_numbers numbers[2];
    struct look before;
    uint64_t exact, kills, moves, answers;
};

static void again(struct sweep *w)
{
    if (w->d != NULL)
        w->answers += drain(w->d, w->target->side);
    w->d = pair_bring(w->target->pair, 0, w->numbers);
    w->before = look_at(w->d, w->target->side);
}

static void one(struct sweep *w, uint32_t offset)
{
    const int side = w->target->side;

    shoot(&w->shot, w->d, side, w->numbers[side].seq.v + offset,
          w->numbers[side].ack.v + 0x40000000u);
    w->exact += offset == 0;
    c.size++;
    const struct look now = look_at(w->d, side);
    if (same(now, w->before))
        return;
    *(now.type == w->before.type ? &w->moves : &w->kills) += 1;
    again(w);
}

static void sweep(const struct target *target, unsigned kind, double share)
{
    static const uint32_t edges[] = { 0, 0x7fffffffu, 131072, 65535 };
    struct sweep w = { .target = target };
    char sentence[160];
    uint64_t i = 0;

    again(&w);
    shot_make(&w.shot, w.d, target->side, kinds[kind].flags, kinds[kind].len);
    for (unsigned e = 0; e < 4; e++)
        for (uint32_t k = 0; k < 2 * EDGE; k++)
            one(&w, edges[e] + k - EDGE);
    for (; i < ALL; i++) {
        one(&w, (uint32_t)i * STEP);
        if (i % 4096 == 0) {
            w.answers += drain(w.d, target->side);
            if (!campaign_goes_on(&c, share, "numbers"))
                break;
        }
    }
    const bool whole = la_check(w.d->s[target->side]) == NULL;
    w.answers += drain(w.d, target->side);
    snprintf(sentence, sizeof sentence,
             "%s in %s: %" PRIu64 " of %" PRIu64 " shots kill, all of them exact", kinds[kind].name,
             target->name, w.kills, i + 8 * (uint64_t)EDGE);
    campaign_result(&c,
                    whole && w.moves == 0 && w.kills == (kinds[kind].kills ? w.exact : 0) &&
                        w.exact > 0 && (!kinds[kind].limited || w.answers <= ANSWERS_MAX),
                    sentence);
    if (w.moves > 0 || (kinds[kind].limited && w.answers > ANSWERS_MAX))
        printf("# %" PRIu64 " moved something, %" PRIu64 " answers\n", w.moves, w.answers);
}

/* Acknowledgments -------------------------------------------------------------------------------- */

/* The connection has sent @acked bytes that were acknowledged, and @flying that are not yet. */
static struct duo *bring_sent(uint32_t acked, uint32_t flying, struct pair_numbers numbers[2])
{
    struct duo *d = pair_bring(PAIR_ESTABLISHED, 0, numbers);

    (void)duo_send(d, 0, &d->held[0][0], acked, 0);
    duo_turn(d);
    d->now.ns += NS_PER_S;
    duo_tick(d, 1, 64);
    duo_turn(d);
    (void)duo_send(d, 0, &d->held[0][0], flying, 0);
    while (duo_take(d, 0, false))
        ;
    return d;
}

static void sweep_acks(uint32_t acked, uint32_t flying, double share)
{
    struct pair_numbers numbers[2];
    struct duo *d = bring_sent(acked, flying, numbers);
    struct look before = look_at(d, 0);
    struct shot shot;
    uint64_t wrong = 0, believed = 0, i = 0;
    char sentence[160];

    shot_make(&shot, d, 0, TCP_ACK | TCP_PSH, 1);
    for (; i < ALL + 2 * EDGE; i++) {
        /* Near the edges first. */
        const uint32_t offset = i < 2 * EDGE ? (uint32_t)i - EDGE : (uint32_t)(i - 2 * EDGE) * STEP;
        /* Of acked bytes and the SYN, all in the peer's window; and of what is in flight. */
        const bool plausible = offset + acked + 1 <= acked + 1 + flying;
        shoot(&shot, d, 0, before.rcv_nxt.v, before.una.v + offset);
        const bool moved = !same(look_at(d, 0), before);
        wrong += moved != plausible;
        believed += moved;
        c.size++;
        if (moved) {
            d = bring_sent(acked, flying, numbers);
            before = look_at(d, 0);
        }
        if (i % 4096 == 0) {
            (void)drain(d, 0);
            if (!campaign_goes_on(&c, share, "acknowledgments"))
                break;
        }
    }
    snprintf(sentence, sizeof sentence,
             "of %" PRIu64 " acknowledgments %" PRIu64 " are believed: of bytes that were sent", i,
             believed);
    campaign_result(&c, wrong == 0 && believed > 0, sentence);
    if (wrong > 0)
        printf("# %" PRIu64 " were judged wrongly\n", wrong);
}

int main(int argc, char **argv)
{
    static const struct {
        uint32_t nxt, wnd;
    } windows[] = { { 0, 500 }, { 0xffffff00u, 65535 }, { 0x7fffffff, 0 }, { 12345, 1u << 30 } };
    unsigned part = 0;

    c = campaign_begin("blind", argc, argv);
    for (unsigned i = 0; i < 4; i++)
        predicate_sweep(windows[i].nxt, windows[i].wnd, 0.2 * (i + 1) / 4);
    sweep_acks(100, 50, 0.25);
    sweep_acks(3000, 0, 0.3);
    for (unsigned t = 0; t < TARGETS; t++)
        for (unsigned k = 0; k < KINDS; k++)
            sweep(&targets[t], k, 0.3 + 0.7 * ++part / (TARGETS * KINDS));
    return campaign_end(&c, "numbers tried");
}
