/* SPDX-License-Identifier: MIT */
/*
 * tcp_options.c - TCP options: kinds and lengths of RFC 9293 3.1, 7323, 2018, both ways.
 *
 * Reading.  The walk moves forward by at least one byte a step, so it ends after 40 steps
 * whatever the bytes say.  It ends early at a length that is below 2, is missing or
 * leads past the header: nothing behind such a length can be trusted, and all before it
 * can (MUST-7).  A known kind with a length that is not its own is stepped over like an
 * unknown one.  Of an option given twice the last counts.
 *
 * Options that only make sense on a SYN are heard only on a SYN, and SACK blocks only
 * elsewhere: a stray window scale in mid-connection changes nothing.
 *
 * Writing.  Every option is laid so that 32-bit values lie on 32-bit borders, padded
 * with NOPs in front.  The order is Linux's, and so is the sharing of the pad: SACK-permitted
 * takes the place of the two NOPs before timestamps.
 */
#include "core/wire/tcp_options.h"
#include "core/base/bytes.h"

#define MSS_BYTES 4
#define WSCALE_BYTES 3
#define SACK_OK_BYTES 2
#define TIMESTAMPS_BYTES 10
#define SACK_BLOCK_BYTES 8

static void read_sack(const uint8_t *at, uint32_t len_bytes, struct tcp_options *out)
{
    const uint32_t blocks_bytes = len_bytes - 2;
    if (blocks_bytes == 0 || blocks_bytes % SACK_BLOCK_BYTES != 0)
        return;
    /* 40 bytes of options hold at most four blocks. */
    const uint32_t count = blocks_bytes / SACK_BLOCK_BYTES;
    for (uint32_t i = 0; i < count && i < TCP_SACK_BLOCKS_MAX; i++) {
        const uint8_t *block = at + 2 + (size_t)i * SACK_BLOCK_BYTES;
        out->sack[i].left = seq_of(load_be32(block));
        out->sack[i].right = seq_of(load_be32(block + 4));
    }
    out->sack_count = (uint8_t)count;
}

/* One option that has a length: @at points to its kind, @len_bytes are there. */
static void read_option(const uint8_t *at, uint32_t len_bytes, bool syn, struct tcp_options *out)
{
    const uint8_t kind = at[0];

    if (kind == TCP_OPT_MSS && len_bytes == MSS_BYTES && syn) {
        out->has_mss = true;
        out->mss = load_be16(at + 2);
    } else if (kind == TCP_OPT_WSCALE && len_bytes == WSCALE_BYTES && syn) {
        out->has_wscale = true;
        out->wscale = at[2];
    } else if (kind == TCP_OPT_SACK_OK && len_bytes == SACK_OK_BYTES && syn) {
        out->has_sack_ok = true;
    } else if (kind == TCP_OPT_TIMESTAMPS && len_bytes == TIMESTAMPS_BYTES) {
        out->has_timestamps = true;
        out->ts_val = load_be32(at + 2);
        out->ts_ecr = load_be32(at + 6);
    } else if (kind == TCP_OPT_SACK && !syn) {
        read_sack(at, len_bytes, out);
    }
}

void tcp_options_parse(const uint8_t *bytes, uint32_t len_bytes, bool syn, struct tcp_options *out)
{
    *out = (struct tcp_options){ 0 };

    uint32_t i = 0;
    while (i < len_bytes) {
        const uint8_t kind = bytes[i];
        if (kind == TCP_OPT_EOL)
            return;
        if (kind == TCP_OPT_NOP) {
            i++;
            continue;
        }
        if (len_bytes - i < 2)
            return;
        const uint32_t option_bytes = bytes[i + 1];
        if (option_bytes < 2 || option_bytes > len_bytes - i)
            return;
        read_option(bytes + i, option_bytes, syn, out);
        i += option_bytes;
    }
}

/* Bytes of everything but SACK blocks. */
static uint32_t fixed_bytes(const struct tcp_options *o)
{
    uint32_t n = 0;
    if (o->has_mss)
        n += MSS_BYTES;
    if (o->has_timestamps)
        n += 2 + TIMESTAMPS_BYTES;
    else if (o->has_sack_ok)
        n += 2 + SACK_OK_BYTES;
    if (o->has_wscale)
        n += 1 + WSCALE_BYTES;
    return n;
}

/* Blocks that fit behind the other options.  Those take at most 20 bytes, so two always do. */
static uint32_t sack_fits(const struct tcp_options *o)
{
    const uint32_t room = (TCP_OPTIONS_MAX - fixed_bytes(o) - 4) / SACK_BLOCK_BYTES;
    return o->sack_count < room ? o->sack_count : room;
}

uint32_t tcp_options_bytes(const struct tcp_options *o)
{
    const uint32_t blocks = sack_fits(o);
    return fixed_bytes(o) + (blocks > 0 ? 4 + blocks * SACK_BLOCK_BYTES : 0);
}

static uint8_t *put4(uint8_t *to, uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    to[0] = a;
    to[1] = b;
    to[2] = c;
    to[3] = d;
    return to + 4;
}

static uint8_t *put_word(uint8_t *to, uint32_t word)
{
    store_be32(to, word);
    return to + 4;
}

uint32_t tcp_options_emit(const struct tcp_options *o, uint8_t to[TCP_OPTIONS_MAX])
{
    uint8_t *at = to;

    if (o->has_timestamps && !o->has_mss && !o->has_wscale && !o->has_sack_ok &&
        o->sack_count == 0) { /* as in nearly every segment */
        put_word(put_word(put4(to, TCP_OPT_NOP, TCP_OPT_NOP, TCP_OPT_TIMESTAMPS, TIMESTAMPS_BYTES),
                          o->ts_val),
                 o->ts_ecr);
        return 2 + TIMESTAMPS_BYTES;
    }
    if (o->has_mss)
        at = put4(at, TCP_OPT_MSS, MSS_BYTES, (uint8_t)(o->mss >> 8), (uint8_t)o->mss);
    if (o->has_timestamps) {
        if (o->has_sack_ok)
            at = put4(at, TCP_OPT_SACK_OK, SACK_OK_BYTES, TCP_OPT_TIMESTAMPS, TIMESTAMPS_BYTES);
        else
            at = put4(at, TCP_OPT_NOP, TCP_OPT_NOP, TCP_OPT_TIMESTAMPS, TIMESTAMPS_BYTES);
        at = put_word(at, o->ts_val);
        at = put_word(at, o->ts_ecr);
    } else if (o->has_sack_ok) {
        at = put4(at, TCP_OPT_NOP, TCP_OPT_NOP, TCP_OPT_SACK_OK, SACK_OK_BYTES);
    }
    if (o->has_wscale)
        at = put4(at, TCP_OPT_NOP, TCP_OPT_WSCALE, WSCALE_BYTES, o->wscale);

    const uint32_t blocks = sack_fits(o);
    if (blocks > 0) {
        at = put4(at, TCP_OPT_NOP, TCP_OPT_NOP, TCP_OPT_SACK,
                  (uint8_t)(2 + blocks * SACK_BLOCK_BYTES));
        for (uint32_t i = 0; i < blocks; i++) {
            at = put_word(at, seq_raw(o->sack[i].left));
            at = put_word(at, seq_raw(o->sack[i].right));
        }
    }
    return (uint32_t)(at - to);
}
