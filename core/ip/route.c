/* SPDX-License-Identifier: MIT */
/*
 * route.c - Interfaces, addresses and routes: what is ours, and where a packet leaves.
 *
 * All three are small arrays walked from end to end (limits.h keeps them small), so that
 * adding and removing are trivial and nothing needs an index.  An address brings the route
 * to its prefix with it: that route is not stored, it is the address.
 *
 * A packet leaves by the longest prefix.  What goes to an address of ours leaves by the loopback,
 * from that address, and never reaches a driver.  The
 * source is the interface's address that is nearest to the destination, in the sense of
 * RFC 6724 5, rules 1, 2 and 8: the same address, the same scope, the longest common prefix.
 *
 * An AnyIP prefix takes in every address a host can have, and no other: never a group, never
 * 0/8, never loopback.
 */
#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/base/mem.h"
#include "core/ip/ip_stack.h"

#define MTU_MIN_V4 576
#define MTU_MIN_V6 1280
#define MTU_MAX 65535
#define V4_BITS 96 /* the prefix of mapped addresses */

void ip_init(struct ip *ip, la_time now, uint32_t loopback_bytes)
{
    *ip = (struct ip){ .errors = { .filled = now, .tokens = UINT32_MAX } };
    ip->ifaces[IP_LOOPBACK].mtu_bytes = loopback_bytes;
    for (uint32_t i = 0; i < IP_REPLIES_MAX; i++)
        ip->replies[i].chunk = SLAB_NONE;
    ip_forget_judged(ip);
}

void ip_forget_judged(struct ip *ip)
{
    for (uint32_t i = 0; i < IP_JUDGED; i++)
        ip->judged[i].iface = IP_NO_IFACE;
}

/* Interfaces ----------------------------------------------------------------------- */

static bool has_iface(const struct ip *ip, int iface)
{
    return iface >= 0 && (uint32_t)iface < ip->iface_count;
}

static bool has_v6_addr(const struct ip *ip, int iface)
{
    for (uint32_t i = 0; i < ip->local_count; i++)
        if (ip->locals[i].iface == iface && !addr_is_v4(&ip->locals[i].prefix.addr))
            return true;
    return false;
}

int ip_iface_add(struct ip *ip, const struct la_iface_config *config)
{
    if (config->mtu_bytes < MTU_MIN_V4 || config->mtu_bytes > MTU_MAX)
        return LA_EINVAL;
    if ((config->flags & ~LA_IFACE_CSUM_TX) != 0 || config->gso_max_bytes > MTU_MAX)
        return LA_EINVAL;
    if (ip->iface_count == LA_IFACES_MAX)
        return LA_ENOBUFS;

    ip->ifaces[ip->iface_count] = (struct ip_iface){
        .mtu_bytes = config->mtu_bytes,
        .flags = config->flags,
        .gso_max_bytes = config->gso_max_bytes,
    };
    return (int)ip->iface_count++;
}

enum la_err ip_iface_set_mtu(struct ip *ip, int iface, uint32_t mtu_bytes)
{
    if (!has_iface(ip, iface) || mtu_bytes > MTU_MAX)
        return LA_EINVAL;
    if (mtu_bytes < (has_v6_addr(ip, iface) ? MTU_MIN_V6 : MTU_MIN_V4))
        return LA_EINVAL;
    ip->ifaces[iface].mtu_bytes = mtu_bytes;
    return LA_OK;
}

/* Addresses ------------------------------------------------------------------------ */

/* Bits of @a beyond the first @len: all zero, or all one. */
static bool host_bits_are(struct la_addr a, uint8_t len, bool ones)
{
    const uint64_t flip = ones ? ~UINT64_C(0) : 0;

    return (((addr_half(a.bytes) ^ flip) & addr_host_mask(len, false)) |
            ((addr_half(a.bytes + 8) ^ flip) & addr_host_mask(len, true))) == 0;
}

static bool prefix_ok(struct la_prefix p)
{
    return p.len <= 128 && (!addr_is_v4(&p.addr) || p.len >= V4_BITS);
}

static bool same_prefix(struct la_prefix a, struct la_prefix b)
{
    return a.len == b.len && addr_equal(&a.addr, &b.addr);
}

/* Can it be the address of one host? */
static bool addr_ok(struct la_prefix p)
{
    return !addr_is_bad_source(p.addr, true) && !ip_is_subnet_broadcast(&p, &p.addr);
}

enum la_err ip_addr_add(struct ip *ip, int iface, struct la_prefix prefix, uint32_t flags)
{
    const bool anyip = (flags & LA_ADDR_ANYIP) != 0;

    if (!has_iface(ip, iface) || !prefix_ok(prefix) || (flags & ~LA_ADDR_ANYIP) != 0)
        return LA_EINVAL;
    if (anyip ? addr_is_multicast(prefix.addr) : !addr_ok(prefix))
        return LA_EINVAL;
    if (!addr_is_v4(&prefix.addr) && ip->ifaces[iface].mtu_bytes < MTU_MIN_V6)
        return LA_EINVAL;
    for (uint32_t i = 0; i < ip->local_count; i++) {
        const struct ip_local *l = &ip->locals[i];
        if (l->anyip == anyip &&
            (anyip ? same_prefix(l->prefix, prefix) : addr_equal(&l->prefix.addr, &prefix.addr)))
            return LA_EADDRINUSE;
    }
    if (ip->local_count == LA_ADDRS_MAX)
        return LA_ENOBUFS;
    ip->locals[ip->local_count++] =
        (struct ip_local){ .prefix = prefix, .iface = (uint8_t)iface, .anyip = anyip };
    ip_forget_judged(ip);
    return LA_OK;
}

enum la_err ip_addr_del(struct ip *ip, int iface, struct la_prefix prefix)
{
    for (uint32_t i = 0; i < ip->local_count; i++)
        if (ip->locals[i].iface == iface && same_prefix(ip->locals[i].prefix, prefix)) {
            ip_forget_judged(ip);
            ip->local_count--;
            memmove(&ip->locals[i], &ip->locals[i + 1],
                    (ip->local_count - i) * sizeof ip->locals[0]);
            return LA_OK;
        }
    return LA_ENOENT;
}

bool ip_is_own(const struct ip *ip, struct la_addr a)
{
    for (uint32_t i = 0; i < ip->local_count; i++)
        if (!ip->locals[i].anyip && addr_equal(&ip->locals[i].prefix.addr, &a))
            return true;
    return false;
}

bool ip_is_local(const struct ip *ip, struct la_addr a)
{
    for (uint32_t i = 0; i < ip->local_count; i++) {
        const struct ip_local *l = &ip->locals[i];
        if (l->anyip) {
            if (addr_covered(&l->prefix, &a) && !addr_is_bad_source(a, false))
                return true;
        } else if (addr_equal(&l->prefix.addr, &a)) {
            return true;
        }
    }
    return false;
}

bool ip_is_group(const struct ip *ip, struct la_addr a)
{
    if (addr_is_multicast(a) || addr_is_broadcast(a))
        return true;
    for (uint32_t i = 0; i < ip->local_count; i++)
        if (!ip->locals[i].anyip && ip_is_subnet_broadcast(&ip->locals[i].prefix, &a))
            return true;
    return false;
}

/* Routes --------------------------------------------------------------------------- */

enum la_err ip_route_add(struct ip *ip, struct la_prefix prefix, int iface)
{
    if (!has_iface(ip, iface) || !prefix_ok(prefix) ||
        !host_bits_are(prefix.addr, prefix.len, false))
        return LA_EINVAL;
    for (uint32_t i = 0; i < ip->route_count; i++)
        if (same_prefix(ip->routes[i].prefix, prefix)) {
            ip->routes[i].iface = (uint8_t)iface;
            return LA_OK;
        }
    if (ip->route_count == LA_ROUTES_MAX)
        return LA_ENOBUFS;
    ip->routes[ip->route_count++] =
        (struct ip_route_entry){ .prefix = prefix, .iface = (uint8_t)iface };
    return LA_OK;
}

enum la_err ip_route_del(struct ip *ip, struct la_prefix prefix, int iface)
{
    for (uint32_t i = 0; i < ip->route_count; i++)
        if (ip->routes[i].iface == iface && same_prefix(ip->routes[i].prefix, prefix)) {
            ip->route_count--;
            memmove(&ip->routes[i], &ip->routes[i + 1],
                    (ip->route_count - i) * sizeof ip->routes[0]);
            return LA_OK;
        }
    return LA_ENOENT;
}

/* The interface of the longest prefix that covers @dst, or -1. */
static int find_iface(const struct ip *ip, struct la_addr dst)
{
    int iface = -1;
    int longest = -1;
    for (uint32_t i = 0; i < ip->local_count; i++) {
        const struct ip_local *l = &ip->locals[i];
        if (l->prefix.len > longest && addr_covered(&l->prefix, &dst)) {
            longest = l->prefix.len;
            iface = l->iface;
        }
    }
    for (uint32_t i = 0; i < ip->route_count; i++) {
        const struct ip_route_entry *r = &ip->routes[i];
        if (r->prefix.len > longest && addr_covered(&r->prefix, &dst)) {
            longest = r->prefix.len;
            iface = r->iface;
        }
    }
    return iface;
}

static uint32_t common_bits(struct la_addr a, struct la_addr b)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < 16; i += 4) {
        uint32_t differs = load_be32(a.bytes + i) ^ load_be32(b.bytes + i);
        bits += 32;
        for (; differs != 0; differs >>= 1)
            bits--;
        if (bits != 8 * (i + 4))
            break;
    }
    return bits;
}

/* 169.254/16 and fe80::/10 (RFC 3927, 4291). */
static bool is_link_local(struct la_addr a)
{
    if (addr_is_v4(&a))
        return a.bytes[12] == 169 && a.bytes[13] == 254;
    return a.bytes[0] == 0xfe && a.bytes[1] >> 6 == 2;
}

static struct la_addr choose_source(const struct ip *ip, int iface, struct la_addr dst)
{
    struct la_addr best = { { 0 } };
    uint32_t best_score = 0;
    for (uint32_t i = 0; i < ip->local_count; i++) {
        const struct ip_local *l = &ip->locals[i];
        const struct la_addr a = l->prefix.addr;
        if (l->iface != iface || l->anyip || addr_is_v4(&a) != addr_is_v4(&dst))
            continue;
        const bool same_scope = is_link_local(a) == is_link_local(dst);
        const uint32_t score = 1u + (same_scope ? 256u : 0u) + common_bits(a, dst);
        if (score > best_score) {
            best_score = score;
            best = a;
        }
    }
    return best;
}

enum la_err ip_path(const struct ip *ip, struct la_addr dst, struct ip_path *out)
{
    const int iface = la_addr_is_unspecified(dst) ? -1 : find_iface(ip, dst);

    *out = (struct ip_path){ 0 };
    if (ip_is_own(ip, dst)) {
        *out = (struct ip_path){ .iface = IP_LOOPBACK,
                                 .mtu_bytes = ip->ifaces[IP_LOOPBACK].mtu_bytes,
                                 .src = dst };
        return LA_OK;
    }
    if (iface < 0)
        return LA_ENETUNREACH;
    LA_ASSERT(has_iface(ip, iface));
    out->iface = (uint16_t)iface;
    out->mtu_bytes = ip->ifaces[iface].mtu_bytes;
    out->gso_max_bytes = ip->ifaces[iface].gso_max_bytes;
    out->csum_tx = (ip->ifaces[iface].flags & LA_IFACE_CSUM_TX) != 0;
    out->src = choose_source(ip, iface, dst);
    return LA_OK;
}
