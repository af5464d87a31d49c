/* SPDX-License-Identifier: MIT */
/*
 * router.c - What a router does to a packet: look, count down, pass on, or say why not.
 *
 * Nothing of a stack is used: the ICMP messages are written here byte by byte, so that what lastack
 * makes of them is judged against somebody else's reading of the RFCs.
 */
#include "sim/router.h"

#include <string.h>

#include "sim/memory.h"

#define PROTOCOL_ICMP 1u
#define PROTOCOL_ICMP6 58u
#define QUOTE4_MAX (576u - 28u)  /* RFC 1812 4.3.2.3 */
#define QUOTE6_MAX (1280u - 48u) /* RFC 4443 3.3 */

enum trouble { EXPIRED, TOO_BIG, UNREACHABLE };

struct forwarded {
    struct sim_router *router;
    struct sim_packet *packet;
    struct sim_link *by;
};

static uint32_t sum(const uint8_t *bytes, uint32_t len, uint32_t from)
{
    for (uint32_t i = 0; i < len; i++)
        from += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
    return from;
}

static uint16_t folded(uint32_t value)
{
    while (value >> 16)
        value = (value & 0xffffu) + (value >> 16);
    return (uint16_t)~value;
}

static void put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* The way ------------------------------------------------------------------------------- */

/* The other end of a link that may be used from @from; NULL. */
static struct sim_host *beyond(const struct sim_router *r, const struct sim_link *l,
                               const struct sim_host *from)
{
    if (r->says_down && !l->up)
        return NULL;
    return l->end[0] == from ? l->end[1] : l->end[1] == from ? l->end[0] : NULL;
}

/*
 * The link on which the shortest way to @to begins: from the destination outwards, until the router
 * is met.  Only scripted hosts pass anything on.
 */
static struct sim_link *way_to(const struct sim_router *r, struct la_addr to, bool v6)
{
    const struct sim_world *w = r->host->w;
    struct sim_host *queue[SIM_HOSTS_MAX];
    uint32_t count = 0;
    bool seen[SIM_HOSTS_MAX] = { false };

    for (uint32_t i = 0; i < w->host_count; i++)
        if (w->hosts[i] != r->host && la_addr_equal(sim_host_addr(w->hosts[i], v6), to))
            queue[count++] = w->hosts[i];
    for (uint32_t done = 0; done < count; done++) {
        seen[queue[done]->index] = true;
        for (uint32_t i = 0; i < w->link_count; i++) {
            struct sim_host *h = beyond(r, w->links[i], queue[done]);

            if (h == r->host)
                return w->links[i];
            if (h && h->script && !seen[h->index] && count < SIM_HOSTS_MAX) {
                seen[h->index] = true;
                queue[count++] = h;
            }
        }
    }
    return NULL;
}

/* Answers ------------------------------------------------------------------------------- */

static const uint8_t types4[][2] = {
    [EXPIRED] = { 11, 0 }, [TOO_BIG] = { 3, 4 }, [UNREACHABLE] = { 3, 1 }
};
static const uint8_t types6[][2] = {
    [EXPIRED] = { 3, 0 }, [TOO_BIG] = { 2, 0 }, [UNREACHABLE] = { 1, 0 }
};

static uint32_t icmp4(const struct sim_router *r, const struct sim_packet *p, enum trouble what,
                      uint16_t mtu, uint8_t *out)
{
    const uint32_t quoted = p->len_bytes < QUOTE4_MAX ? p->len_bytes : QUOTE4_MAX;
    const uint32_t len = 28 + quoted;

    memset(out, 0, 28);
    out[0] = 0x45;
    put16(out + 2, (uint16_t)len);
    out[8] = 64;
    out[9] = PROTOCOL_ICMP;
    memcpy(out + 12, r->host->addr4.bytes + 12, 4);
    memcpy(out + 16, p->bytes + 12, 4);
    put16(out + 10, folded(sum(out, 20, 0)));
    memcpy(out + 20, types4[what], 2);
    put16(out + 26, mtu);
    memcpy(out + 28, p->bytes, quoted);
    put16(out + 22, folded(sum(out + 20, len - 20, 0)));
    return len;
}

static uint32_t icmp6(const struct sim_router *r, const struct sim_packet *p, enum trouble what,
                      uint16_t mtu, uint8_t *out)
{
    const uint32_t quoted = p->len_bytes < QUOTE6_MAX ? p->len_bytes : QUOTE6_MAX;
    const uint32_t len = 48 + quoted;

    memset(out, 0, 48);
    out[0] = 0x60;
    put16(out + 4, (uint16_t)(len - 40));
    out[6] = PROTOCOL_ICMP6;
    out[7] = 64;
    memcpy(out + 8, r->host->addr6.bytes, 16);
    memcpy(out + 24, p->bytes + 8, 16);
    memcpy(out + 40, types6[what], 2);
    put16(out + 46, mtu);
    memcpy(out + 48, p->bytes, quoted);
    put16(out + 42, folded(sum(out + 40, len - 40, sum(out + 8, 32, PROTOCOL_ICMP6 + len - 40))));
    return len;
}

/* Of an error nobody is told (RFC 1122 3.2.2). */
static bool is_error(const struct sim_packet *p, bool v6)
{
    const uint32_t at = v6 ? 40 : (p->bytes[0] & 15u) * 4u;

    if (p->bytes[v6 ? 6 : 9] != (v6 ? PROTOCOL_ICMP6 : PROTOCOL_ICMP) || p->len_bytes <= at)
        return false;
    return v6 ? p->bytes[at] < 128 : p->bytes[at] != 0 && p->bytes[at] != 8;
}

/* @p as it came: its TTL was not touched. */
static void answer(struct sim_router *r, const struct sim_packet *p, bool v6, enum trouble what,
                   uint32_t mtu)
{
    uint8_t bytes[1280];
    struct sim_segment seg;

    sim_segment_read(p->bytes, p->len_bytes, &seg);
    const struct sim_link *by = way_to(r, seg.from.addr, v6);

    if (r->silent || by == NULL || is_error(p, v6))
        return;
    r->host->gateway = by->end[by->end[0] == r->host];
    r->answers++;
    sim_send(r->host, bytes,
             v6 ? icmp6(r, p, what, (uint16_t)mtu, bytes)
                : icmp4(r, p, what, (uint16_t)mtu, bytes));
}

/* Onwards --------------------------------------------------------------------------------- */

static void pass(struct sim_world *w, void *context)
{
    struct forwarded *f = context;

    (void)w;
    f->router->forwarded++;
    sim_forward(f->router->host, f->by, f->packet);
    sim_release(f->packet);
    sim_release(f);
}

static void pass_on(struct sim_router *r, const struct sim_packet *p, struct sim_link *by, bool v6)
{
    struct forwarded *f = sim_take(sizeof *f);
    struct sim_packet *copy = sim_packet_copy(p);

    *f = (struct forwarded){ r, copy, by };
    r->last_ttl = --copy->bytes[v6 ? 7 : 8];
    if (!v6) {
        put16(copy->bytes + 10, 0);
        put16(copy->bytes + 10, folded(sum(copy->bytes, (copy->bytes[0] & 15u) * 4u, 0)));
    }
    if (r->hold_ns == 0) {
        pass(r->host->w, f);
        return;
    }
    sim_at(r->host->w, r->host->w->now_ns + r->hold_ns, pass, f);
    r->hold_ns = 0;
}

static void route(struct sim_host *h, void *context, const struct sim_packet *p)
{
    struct sim_router *r = context;
    const bool v6 = p->bytes[0] >> 4 == 6;
    struct sim_segment seg;

    sim_segment_read(p->bytes, p->len_bytes, &seg);
    if (!seg.ip) {
        r->damaged++;
        return;
    }
    struct sim_link *by = way_to(r, seg.to.addr, v6);

    if (la_addr_equal(seg.to.addr, sim_host_addr(h, v6)))
        return; /* nobody is at home */
    if (p->bytes[v6 ? 7 : 8] <= 1) {
        r->expired++;
        answer(r, p, v6, EXPIRED, 0);
    } else if (by == NULL) {
        r->unreachable++;
        answer(r, p, v6, UNREACHABLE, 0);
    } else if (by->opt.mtu_bytes && p->len_bytes > by->opt.mtu_bytes) {
        r->too_big++;
        answer(r, p, v6, TOO_BIG, by->opt.mtu_bytes);
    } else {
        pass_on(r, p, by, v6);
    }
}

struct sim_router *sim_router(struct sim_world *w)
{
    struct sim_router *r = sim_take(sizeof *r);

    r->host = sim_host(w, NULL);
    r->host->script = route;
    r->host->script_context = r;
    r->host->script_owned = true;
    return r;
}
