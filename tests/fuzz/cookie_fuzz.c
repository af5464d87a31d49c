/* SPDX-License-Identifier: MIT */
/*
 * cookie_fuzz.c - Forged cookies: a listener that gives one to every SYN, and ACKs that come back
 * changed.
 *
 * Byte 0 chooses family and options of the SYN.  Then each step takes an ACK to the cookie that
 * was given, changes it as the input says, lets time pass, and hands it over.  A connection may
 * come about only if numbers, ports and the time stamp's low bits are those of the cookie and it
 * is younger than 128 s.  la_check() holds after every step, and nothing is remembered of a SYN.
 */
#include "core/stack/stack.h"
#include "tests/fuzz/choices.h"
#include "tests/unit/hand.h"

#define STEPS_MAX 64u
#define START_NS (UINT64_C(3) << 40)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct given {
    struct tcp_seg synack;
    uint16_t rport;
    la_time at;
};

static void knock(struct hand *h, uint8_t how, struct given *out)
{
    struct tcp_seg syn = { .flags = TCP_SYN, .wnd = 1000, .seq = h->irs };

    syn.opt.has_mss = (how & 1) != 0;
    syn.opt.mss = (uint16_t)(200u + 100u * (how >> 4));
    syn.opt.has_timestamps = (how & 2) != 0;
    syn.opt.ts_val = 77;
    syn.opt.has_sack_ok = (how & 4) != 0;
    syn.opt.has_wscale = (how & 8) != 0;
    syn.opt.wscale = how >> 4;
    hand_rx_seg(h, &syn);
    LA_ASSERT(h->t->half4.used + h->t->half6.used == 0);
    const bool answered = hand_tx_seg(h, &out->synack);
    LA_ASSERT(answered);
    out->rport = h->rport;
    out->at = h->now;
}

/* One ACK.  True if it is what the peer of the cookie would send. */
static bool change(struct input *in, struct hand *h, const struct given *g, struct tcp_seg *ack)
{
    uint32_t seq = 0, number = 0, ecr = 0;
    uint16_t port = 0;
    bool stamped = g->synack.opt.has_timestamps;
    const uint8_t what = u8(in);

    if (what & 1)
        number = u32(in);
    if (what & 2)
        seq = u32(in);
    if (what & 4)
        ecr = u32(in);
    if (what & 8)
        port = u16(in);
    if (what & 16)
        stamped = !stamped;
    *ack = (struct tcp_seg){ .flags = TCP_ACK, .wnd = 500 };
    ack->seq = seq_of(seq_raw(g->synack.ack) ^ seq);
    ack->ack = seq_of((seq_raw(g->synack.seq) + 1) ^ number);
    ack->opt.has_timestamps = stamped;
    ack->opt.ts_val = 78;
    ack->opt.ts_ecr = g->synack.opt.ts_val ^ ecr;
    if (what & 32)
        ack->flags = u8(in) & 0x3fu;
    h->rport = g->rport ^ port;
    if (h->rport == 0)
        h->rport = 1;
    return seq == 0 && number == 0 && h->rport == g->rport &&
           stamped == g->synack.opt.has_timestamps && (!stamped || (ecr & 63u) == 0) &&
           (ack->flags & (TCP_ACK | TCP_SYN | TCP_RST)) == TCP_ACK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, (uint32_t)size };
    const uint8_t how = u8(&in);
    struct hand h;
    struct given g;

    hand_new(&h, &(struct hand_opt){
                     .v6 = (u8(&in) & 1) != 0, .irs = 0xffffff00, .start_ns = START_NS });
    hand_listen(&h);
    const enum la_err err = la_sysctl_set(h.s, "net.ipv4.tcp_syncookies", 2);
    LA_ASSERT(err == LA_OK);
    knock(&h, how, &g);
    for (uint32_t i = 0; i < STEPS_MAX && in.left > 0; i++) {
        struct tcp_seg ack;
        struct la_accepted accepted;
        const bool right = change(&in, &h, &g, &ack);
        const uint64_t opened = la_counter(h.s, LA_COUNT_PassiveOpens);

        hand_wait(&h, (uint64_t)u8(&in) * NS_PER_S / 4);
        hand_rx_seg(&h, &ack);
        hand_drain(&h);
        LA_ASSERT(la_check(h.s) == NULL);
        if (la_counter(h.s, LA_COUNT_PassiveOpens) > opened)
            LA_ASSERT(right && time_since(g.at, h.now) < 128 * NS_PER_S);
        else if (right && ack.opt.ts_ecr == g.synack.opt.ts_val)
            LA_ASSERT(time_since(g.at, h.now) >= 64 * NS_PER_S);
        while (la_accept(h.s, h.now, h.listener, 1, &accepted) == LA_OK)
            (void)la_abort(h.s, h.now, accepted.conn);
        hand_drain(&h);
        h.rport = g.rport;
        if (u8(&in) & 1)
            knock(&h, how, &g);
    }
    hand_free(&h);
    return 0;
}
