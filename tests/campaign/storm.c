/* SPDX-License-Identifier: MIT */
/*
 * storm.c - Does any one packet set two stacks talking to each other for ever?
 *
 * Two stacks in every pair of states, a forged packet to either of them: every set of flags that
 * matters, sequence and acknowledgment numbers at every edge, with and without text, with and
 * without a window.  No packet is lost, and no time passes.  At most PACKETS_MAX packets follow,
 * and then both are silent (catalogue: ACK storms and loops).
 */
#include "tests/campaign/campaign.h"
#include "tests/campaign/pairs.h"

#define PACKETS_MAX 4u

static const uint8_t flag_sets[] = {
    0,
    TCP_FIN,
    TCP_SYN,
    TCP_RST,
    TCP_ACK,
    TCP_ACK | TCP_PSH,
    TCP_ACK | TCP_URG,
    TCP_FIN | TCP_ACK,
    TCP_SYN | TCP_ACK,
    TCP_RST | TCP_ACK,
    TCP_SYN | TCP_FIN,
    TCP_SYN | TCP_RST,
    TCP_FIN | TCP_RST,
    TCP_SYN | TCP_FIN | TCP_ACK,
    TCP_SYN | TCP_RST | TCP_ACK,
    TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK,
};
static const uint32_t seq_offsets[] = { 0,    1,    (uint32_t)-1, (uint32_t)-2,   999,
                                        1000, 1001, 0x7fffffff,   0x80000000u,    0x80000001u,
                                        2047, 2048, 65535,        (uint32_t)-1000 };
static const uint32_t ack_offsets[] = {
    0, 1, 2, (uint32_t)-1, (uint32_t)-2, 0x7fffffff, 0x80000000u, (uint32_t)-1000
};
static const uint32_t lens[] = { 0, 1, 100 };
static const uint32_t wnds[] = { 0, 65535 };
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Which case this is, as digits of a number. */
struct shot {
    enum pair pair;
    uint32_t v6, side, flags, seq, ack, len, wnd;
};

static uint64_t shots_of_a_pair(void)
{
    return 2 * 2 * COUNT(flag_sets) * COUNT(seq_offsets) * COUNT(ack_offsets) * COUNT(lens) *
           COUNT(wnds);
}

static uint32_t digit(uint64_t *number, uint64_t base)
{
    const uint32_t d = (uint32_t)(*number % base);
    *number /= base;
    return d;
}

static struct shot shot_of(uint64_t number)
{
    struct shot s;

    s.v6 = digit(&number, 2);
    s.side = digit(&number, 2);
    s.flags = digit(&number, COUNT(flag_sets));
    s.seq = digit(&number, COUNT(seq_offsets));
    s.ack = digit(&number, COUNT(ack_offsets));
    s.len = digit(&number, COUNT(lens));
    s.wnd = digit(&number, COUNT(wnds));
    s.pair = (enum pair)number;
    return s;
}

/* Return: how many packets followed. */
static uint32_t shoot(const struct shot *s)
{
    struct pair_numbers numbers[2];
    struct duo *d = pair_bring(s->pair, s->v6 ? DUO_V6 : 0, numbers);
    const int side = (int)s->side;
    struct tcp_seg seg = {
        .src_port = side == 0 ? PAIR_CLIENT_PORT : PAIR_PORT,
        .dst_port = side == 0 ? PAIR_PORT : PAIR_CLIENT_PORT,
        .flags = flag_sets[s->flags],
        .seq = seq_add(numbers[side].seq, seq_offsets[s->seq]),
        .ack = seq_add(numbers[side].ack, ack_offsets[s->ack]),
        /* A window that opens lets go what has been waiting for it, and that is no storm. */
        .wnd = s->pair == PAIR_ZERO_WINDOWS ? 0 : wnds[s->wnd],
        .len = lens[s->len],
    };
    const uint32_t before = d->packets;

    duo_forge(d, side, d->addr[1 - side], &seg);
    duo_turn(d);
    return d->packets - before;
}

int main(int argc, char **argv)
{
    struct campaign c = campaign_begin("storm", argc, argv);
    const uint64_t total = shots_of_a_pair() * PAIRS;
    /* A step that shares no factor with the total visits every case once, and all kinds early. */
    const uint64_t step = 1000003;
    uint32_t most[PAIRS] = { 0 };
    uint64_t worst[PAIRS] = { 0 };

    for (uint64_t i = 0, at = 0; i < total; i++, at = (at + step) % total) {
        if (i % 256 == 0 && !campaign_goes_on(&c, 1, "packets injected"))
            break;
        const struct shot s = shot_of(at);
        const uint32_t followed = shoot(&s);
        if (followed > most[s.pair]) {
            most[s.pair] = followed;
            worst[s.pair] = at;
        }
        c.size++;
    }
    for (int p = 0; p < PAIRS; p++) {
        char sentence[160];
        const struct shot s = shot_of(worst[p]);
        snprintf(sentence, sizeof sentence, "%s: at most %u packets follow, here %u", pair_names[p],
                 PACKETS_MAX, most[p]);
        campaign_result(&c, most[p] <= PACKETS_MAX, sentence);
        if (most[p] > PACKETS_MAX)
            printf("# to side %u: flags 0x%02x, seq %+" PRId32 ", ack %+" PRId32
                   ", %u bytes, window %u, IPv%u\n",
                   s.side, flag_sets[s.flags], (int32_t)seq_offsets[s.seq],
                   (int32_t)ack_offsets[s.ack], lens[s.len], wnds[s.wnd], s.v6 ? 6 : 4);
    }
    printf("# %.1f %% of %" PRIu64 " cases\n", 100.0 * (double)c.size / (double)total, total);
    return campaign_end(&c, "packets injected");
}
