/* SPDX-License-Identifier: MIT */
/*
 * gro.c - Receive offload for devices that have none: neighbours in a burst that are
 * consecutive segments of one flow become one frame with gso_size_bytes, so that the stack
 * does its work once for them.
 *
 * Nothing that TCP could see may be lost by it.  So two segments are merged only if
 *
 *   - the IP headers are equal in all but length, identification and checksum: same addresses,
 *     TOS with its ECN bits, TTL, DF; no IPv4 options, no fragments, no IPv6 extension headers;
 *   - ports, acknowledgment number, window, data offset and every byte of the options are equal
 *     (so the same timestamps, and no SACK block is swallowed);
 *   - the first has ACK alone set, the second ACK or ACK and PSH: PSH ends a run, and SYN, FIN,
 *     RST, URG, ECE, CWR and the reserved bits keep a segment by itself;
 *   - the second's SEG.SEQ is where the first ends, and both have text;
 *   - the first is as long as all before it in the run, so that the number of segments is
 *     length / gso_size rounded up, which is how the stack counts them; a shorter one ends it;
 *   - both checksums of each are right.  A wrong one stays a frame by itself, for the stack to
 *     drop and to count.
 *
 * Only neighbours are looked at, so the order of frames never changes.
 */
#include "drivers/gro.h"

#include <string.h>

#define IP4_BYTES 20u
#define IP6_BYTES 40u
#define TCP_BYTES 20u
#define PROTO_TCP 6u
#define FLAG_PSH 0x08u
#define FLAG_ACK 0x10u
#define LENGTH_MAX 65535u

/* A TCP segment that may be part of a run. */
struct piece {
    uint32_t tcp_at, text_at, text_len; /* offsets in the frame */
    uint32_t seq;
    uint8_t flags;
};

/* The run that is being built; it lies in frames[kept - 1]. */
struct run {
    struct piece first;
    uint32_t text_len; /* of all */
    bool open;         /* may another piece be added? */
    bool verified;     /* the first piece's checksums have been looked at */
};

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t get16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static void put16(uint8_t *p, uint32_t x)
{
    p[0] = (uint8_t)(x >> 8);
    p[1] = (uint8_t)x;
}

/* Where TCP begins, or 0 for what is not a plain packet of TCP. */
static uint32_t tcp_offset(const uint8_t *p, uint32_t len)
{
    if (len >= IP4_BYTES + TCP_BYTES && p[0] == 0x45)
        return get16(p + 2) == len && (get16(p + 6) & 0xbfff) == 0 && p[9] == PROTO_TCP ? IP4_BYTES
                                                                                        : 0;
    if (len >= IP6_BYTES + TCP_BYTES && p[0] >> 4 == 6)
        return get16(p + 4) == len - IP6_BYTES && p[6] == PROTO_TCP ? IP6_BYTES : 0;
    return 0;
}

/* Is the frame text with ACK, and perhaps PSH, and nothing else? */
static bool look(const struct la_frame *f, struct piece *out)
{
    const uint8_t *p = f->bytes;
    const uint32_t at = f->flags != 0 || f->gso_size_bytes != 0 ? 0 : tcp_offset(p, f->len_bytes);

    if (at == 0)
        return false;
    const uint32_t header = (p[at + 12] >> 4) * 4u;
    if (header < TCP_BYTES || at + header >= f->len_bytes || (p[at + 12] & 0x0f) != 0)
        return false;
    if ((p[at + 13] & ~FLAG_PSH) != FLAG_ACK)
        return false;
    *out = (struct piece){
        .tcp_at = at,
        .text_at = at + header,
        .text_len = f->len_bytes - at - header,
        .seq = get32(p + at + 4),
        .flags = p[at + 13],
    };
    return true;
}

/* Both checksums, as the stack would verify them. */
static bool is_right(uint32_t features, const struct la_frame *f, const struct piece *x)
{
    const uint8_t *p = f->bytes;
    const uint32_t len = f->len_bytes - x->tcp_at;
    const bool v4 = x->tcp_at == IP4_BYTES;

    if (v4 && la_checksum(features, 0, p, IP4_BYTES) != 0xffff)
        return false;
    const uint16_t pseudo = la_checksum(features, 0, v4 ? p + 12 : p + 8, v4 ? 8 : 32);
    const uint32_t start = (uint32_t)pseudo + PROTO_TCP + len;
    const uint16_t folded = (uint16_t)((start & 0xffff) + (start >> 16));
    return la_checksum(features, folded, p + x->tcp_at, len) == 0xffff;
}

/* Are the IP headers equal in all that matters?  The same version is certain. */
static bool same_ip(const uint8_t *a, const uint8_t *b, uint32_t header)
{
    if (header == IP4_BYTES) /* not: length, identification, checksum */
        return a[1] == b[1] && a[6] == b[6] && a[8] == b[8] && memcmp(a + 12, b + 12, 8) == 0;
    return memcmp(a, b, 4) == 0 && a[7] == b[7] && memcmp(a + 8, b + 8, 32) == 0;
}

/* May @y, in @next, be added to the run that begins with @head? */
static bool follows(const struct la_frame *head, const struct run *r, const struct la_frame *next,
                    const struct piece *y)
{
    const uint8_t *a = head->bytes, *b = next->bytes;
    const uint32_t at = r->first.tcp_at;

    if (y->tcp_at != at || y->text_at != r->first.text_at || y->text_len > r->first.text_len ||
        y->seq != (uint32_t)(r->first.seq + r->text_len) ||
        head->len_bytes + y->text_len > LENGTH_MAX)
        return false;
    /* Ports; acknowledgment; offset; window; options: all but SEQ, flags, checksum, urgent. */
    return same_ip(a, b, at) && memcmp(a + at, b + at, 4) == 0 &&
           memcmp(a + at + 8, b + at + 8, 5) == 0 && memcmp(a + at + 14, b + at + 14, 2) == 0 &&
           memcmp(a + at + TCP_BYTES, b + at + TCP_BYTES, y->text_at - at - TCP_BYTES) == 0;
}

/* Make @head a frame of its new length; what it says of itself must be true again. */
static void close_run(uint32_t features, struct la_frame *head, const struct run *r)
{
    uint8_t *p = (uint8_t *)(uintptr_t)head->bytes; /* the driver's, which lets us */

    if (r->text_len == r->first.text_len)
        return;
    if (r->first.tcp_at == IP4_BYTES) {
        put16(p + 2, head->len_bytes);
        put16(p + 10, 0);
        put16(p + 10, (uint16_t)~la_checksum(features, 0, p, IP4_BYTES));
    } else {
        put16(p + 4, head->len_bytes - IP6_BYTES);
    }
    head->flags = LA_FRAME_CSUM_OK;
    head->gso_size_bytes = (uint16_t)r->first.text_len;
}

static void add(struct la_frame *head, struct run *r, const struct la_frame *next,
                const struct piece *y)
{
    uint8_t *p = (uint8_t *)(uintptr_t)head->bytes;

    memmove(p + head->len_bytes, next->bytes + y->text_at, y->text_len);
    p[r->first.tcp_at + 13] |= y->flags & FLAG_PSH;
    head->len_bytes += y->text_len;
    r->text_len += y->text_len;
    r->open = y->text_len == r->first.text_len && !(y->flags & FLAG_PSH);
}

uint32_t gro_merge(uint32_t features, struct la_frame *frames, uint32_t count)
{
    struct run r = { .open = false };
    uint32_t kept = 0;

    for (uint32_t i = 0; i < count; i++) {
        struct piece y = { 0 };
        const bool fits = look(&frames[i], &y);

        if (fits && r.open && follows(&frames[kept - 1], &r, &frames[i], &y) &&
            (r.verified || is_right(features, &frames[kept - 1], &r.first)) &&
            is_right(features, &frames[i], &y)) {
            r.verified = true;
            add(&frames[kept - 1], &r, &frames[i], &y);
            continue;
        }
        if (kept > 0)
            close_run(features, &frames[kept - 1], &r);
        frames[kept++] = frames[i];
        r = (struct run){ .first = y,
                          .text_len = y.text_len,
                          .open = fits && !(y.flags & FLAG_PSH) };
    }
    if (kept > 0)
        close_run(features, &frames[kept - 1], &r);
    return kept;
}
