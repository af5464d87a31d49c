/* SPDX-License-Identifier: MIT */
/*
 * channel.c - Does what an attacker sees depend on whether its guess was right?
 *
 * Self-composition: every seed runs twice.  A victim and an attacker each have a connection to
 * the same stack; the attacker also sends segments in the victim's name.  In one run those carry
 * sequence numbers that are not in the victim's window, in the other numbers that are; all else
 * - what, when, how much - is the seed's, and the same.  All that the stack sends to the
 * attacker's own address must be the same bits at the same moments (catalogue: challenge ACKs,
 * limits of resets, identifiers, ports, clocks).
 *
 * The attacker's probes of its own: resets and SYNs into its connection, SYNs to open and closed
 * ports, echo requests, text.  ICMP errors are left out: their limit is one for the whole stack,
 * and known to be a channel.
 */
#include "tests/campaign/campaign.h"
#include "tests/fuzz/duo.h"

#define STEPS 40
#define PORT 80
#define VICTIM_PORT 4000
#define ATTACKER_PORT 5000

struct peer {
    struct la_addr addr;
    uint16_t port;
    tcp_seq seq, ack; /* what its next right segment has */
    bool answered;
};

struct world {
    struct duo *d;
    struct peer victim, attacker;
    uint64_t rng, seen; /* a hash of what the attacker sees */
    uint64_t packets;
    bool sees_all; /* the attacker sees the victim's packets too */
    bool over;     /* a reset that kills, if the guess is right, has been sent */
};

static uint64_t draw(struct world *w)
{
    w->rng += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = w->rng;
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void note(struct world *w, const void *bytes, size_t len_bytes)
{
    const uint8_t *b = bytes;

    for (size_t i = 0; i < len_bytes; i++)
        w->seen = (w->seen ^ b[i]) * UINT64_C(0x100000001b3);
}

/* Take all there is to send; the attacker looks at what is addressed to it. */
static void collect(struct world *w)
{
    static uint8_t bytes[DUO_PACKET_MAX];
    struct la_tx tx;
    struct ip_packet ip;
    struct tcp_seg seg;

    while (la_tx(w->d->s[0], w->d->now, &tx, 1) == 1) {
        (void)la_tx_copy(&tx, bytes, sizeof bytes);
        if (ip_parse(bytes, tx.len_bytes, &ip) != LA_DROP_NONE)
            abort();
        if (w->sees_all || la_addr_equal(ip.dst, w->attacker.addr)) {
            note(w, &w->d->now.ns, sizeof w->d->now.ns);
            note(w, bytes, tx.len_bytes);
            w->packets++;
        }
        if (ip.protocol != IP_PROTO_TCP ||
            tcp_parse(ip.payload, ip.payload_len, &seg) != LA_DROP_NONE)
            continue;
        struct peer *p = la_addr_equal(ip.dst, w->victim.addr) ? &w->victim : &w->attacker;
        if (seg.dst_port == p->port && (seg.flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK)) {
            p->ack = seq_add(seg.seq, 1);
            p->answered = true;
        }
    }
}

static void send_seg(struct world *w, const struct peer *p, uint8_t flags, uint16_t to, tcp_seq seq,
                     tcp_seq ack, uint32_t len)
{
    struct tcp_seg seg = {
        .src_port = p->port,
        .dst_port = to,
        .flags = flags,
        .seq = seq,
        .ack = ack,
        .wnd = 30000,
        .len = len,
    };

    duo_forge(w->d, 0, p->addr, &seg);
    collect(w);
}

static void connect_peer(struct world *w, struct peer *p)
{
    struct la_accepted accepted;

    send_seg(w, p, TCP_SYN, PORT, p->seq, p->ack, 0);
    p->seq = seq_add(p->seq, 1);
    if (!p->answered)
        abort();
    send_seg(w, p, TCP_ACK, PORT, p->seq, p->ack, 0);
    if (la_accept(w->d->s[0], w->d->now, w->d->listener[0][0], 0, &accepted) != LA_OK)
        abort();
    duo_hold(w->d, 0, accepted.conn, 0);
}

/* In the victim's name. */
static void spoof(struct world *w, bool right)
{
    static const uint8_t flags[] = { TCP_RST,           TCP_RST | TCP_ACK, TCP_SYN,
                                     TCP_SYN | TCP_ACK, TCP_ACK,           TCP_FIN | TCP_ACK,
                                     TCP_ACK | TCP_PSH };
    uint8_t f = flags[draw(w) % sizeof flags];
    const uint32_t inside = (uint32_t)(draw(w) % 3 == 0 ? 0 : draw(w) % 30000);
    const bool good_ack = draw(w) % 2 == 0;

    /* A SYN behind it would open a new connection, which takes a place in the listener's queue. */
    if (w->over && f & TCP_SYN)
        f = TCP_ACK;
    w->over = w->over || (f & TCP_RST && inside == 0);
    const tcp_seq seq = seq_add(w->victim.seq, right ? inside : inside + 0x40000000u);
    const tcp_seq ack = good_ack ? w->victim.ack : seq_add(w->victim.ack, 0x20000000u);

    send_seg(w, &w->victim, f, PORT, seq, ack, f & TCP_PSH ? 1 + (uint32_t)(draw(w) % 100) : 0);
}

static void echo_request(struct world *w)
{
    uint8_t bytes[64] = { 0 };
    const uint32_t at = ip_header_bytes(w->attacker.addr);
    const struct ip_header ip = { .src = w->attacker.addr,
                                  .dst = w->d->addr[0],
                                  .payload_len = 16,
                                  .protocol = la_addr_is_v4(w->attacker.addr) ? 1 : 58,
                                  .ttl = 64 };

    bytes[at] = la_addr_is_v4(w->attacker.addr) ? 8 : 128;
    bytes[at + 5] = (uint8_t)draw(w);
    (void)ip_emit(&ip, bytes);
    duo_frame(w->d, 0, bytes, at + 16, LA_FRAME_CSUM_OK);
    collect(w);
}

/* In its own. */
static void probe(struct world *w)
{
    struct peer *a = &w->attacker;
    struct peer other = *a;

    other.port = (uint16_t)(6000 + draw(w) % 1000);
    switch (draw(w) % 7) {
    case 0:
        send_seg(w, a, TCP_RST, PORT, seq_add(a->seq, 7), a->ack, 0);
        return;
    case 1:
        send_seg(w, a, TCP_SYN, PORT, seq_add(a->seq, (uint32_t)draw(w)), a->ack, 0);
        return;
    case 2:
        send_seg(w, &other, TCP_SYN, PORT, (tcp_seq){ (uint32_t)draw(w) }, a->ack, 0);
        return;
    case 3:
        send_seg(w, &other, TCP_SYN, 81, (tcp_seq){ (uint32_t)draw(w) }, a->ack, 0);
        return;
    case 4:
        echo_request(w);
        return;
    case 5:
        send_seg(w, a, TCP_ACK | TCP_PSH, PORT, a->seq, a->ack, 1);
        a->seq = seq_add(a->seq, 1);
        return;
    default:
        send_seg(w, a, TCP_ACK, PORT, seq_sub(a->seq, 1), a->ack, 0);
        return;
    }
}

static void wait_a_little(struct world *w)
{
    const uint64_t ns[] = { 0, 1000, 1000000, 100000000, 600000000, 5000000000u };

    w->d->now.ns += ns[draw(w) % 6];
    duo_tick(w->d, 0, 64);
    collect(w);
}

static void read_all(struct world *w)
{
    for (uint32_t i = 0; i < DUO_HELD; i++) {
        char bytes[512];
        if (w->d->held[0][i].id.bits != 0)
            while (la_recv(w->d->s[0], w->d->now, w->d->held[0][i].id, bytes, sizeof bytes) > 0)
                ;
    }
    collect(w);
}

/* Return: a hash of what the attacker saw. */
static uint64_t run(uint64_t seed, bool right, bool sees_all, uint64_t *packets)
{
    struct duo *d = duo_new(seed % 2 ? DUO_V6 : 0);
    const struct la_listen_config config = { .local = la_prefix_any(), .port = PORT, .backlog = 4 };
    struct world w = {
        .d = d, .rng = seed, .seen = UINT64_C(0xcbf29ce484222325), .sees_all = sees_all
    };

    w.victim = (struct peer){ .addr = d->ghost,
                              .port = VICTIM_PORT,
                              .seq = (tcp_seq){ (uint32_t)draw(&w) } };
    w.attacker = (struct peer){ .addr = d->addr[1],
                                .port = ATTACKER_PORT,
                                .seq = (tcp_seq){ (uint32_t)draw(&w) } };
    if (la_listen(d->s[0], d->now, &config, &d->listener[0][0]) != LA_OK)
        abort();
    connect_peer(&w, &w.victim);
    connect_peer(&w, &w.attacker);
    for (int step = 0; step < STEPS; step++) {
        const uint64_t what = draw(&w) % 8;
        if (what < 3)
            spoof(&w, right);
        else if (what < 6)
            probe(&w);
        else if (what < 7)
            wait_a_little(&w);
        else
            read_all(&w);
    }
    *packets += w.packets;
    return w.seen;
}

int main(int argc, char **argv)
{
    struct campaign c = campaign_begin("channel", argc, argv);
    uint64_t first_bad = 0, packets = 0, again = 0, told = 0;

    for (uint64_t seed = 1; campaign_goes_on(&c, 1, "seeds"); seed++) {
        if (run(seed, false, false, &packets) != run(seed, true, false, &again) && first_bad == 0)
            first_bad = seed;
        c.size++;
    }
    campaign_result(&c, first_bad == 0, "what the attacker sees does not depend on its guess");
    if (first_bad != 0)
        printf("# the first seed of which it does: %" PRIu64 "\n", first_bad);
    campaign_result(&c, packets > c.size, "and it does see something");
    for (uint64_t seed = 1; seed <= 200; seed++)
        told += run(seed, false, true, &packets) != run(seed, true, true, &again);
    campaign_result(&c, told > 100, "who sees the victim's packets knows: the test has teeth");
    return campaign_end(&c, "seeds, each run twice");
}
