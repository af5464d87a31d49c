/* SPDX-License-Identifier: MIT */
/*
 * ports.c - Who may bind what: Linux's rules (inet_csk_get_port()), with SO_REUSEADDR.
 *
 * Two sockets meet on a port if some address belongs to both.  They may share it if both have
 * SO_REUSEADDR and neither listens, or if both have SO_REUSEPORT; a port that was not asked for by number is shared with
 * nobody.  What has no descriptor counts too: connections in accept queues, orphans and
 * TIME-WAIT, each with the setting its socket had.  Those stand only in the core, which counts
 * them by port and tells with la_port_asked().  Only where it can not - a small stack, or one
 * address of a port that has had connections at several - are its rows walked.
 */
#include "posix/sockets.h"

#define ROWS 64u

static uint32_t bucket_of(uint16_t port)
{
    return port % PORT_BUCKETS;
}

void port_hold(struct la_sockets *x, struct sock *s)
{
    struct sock **head = &x->port[bucket_of(s->local.port)];

    if (s->on_port)
        return;
    s->port_next = *head;
    *head = s;
    s->on_port = true;
    x->ports_held[s->local.port / 64] |= UINT64_C(1) << s->local.port % 64;
}

static bool port_held(const struct la_sockets *x, uint16_t port)
{
    const struct sock *s = x->port[bucket_of(port)];

    while (s != NULL && s->local.port != port)
        s = s->port_next;
    return s != NULL;
}

void port_drop(struct la_sockets *x, struct sock *s)
{
    struct sock **at = &x->port[bucket_of(s->local.port)];

    s->port_locked = false;
    if (!s->on_port)
        return;
    while (*at != s)
        at = &(*at)->port_next;
    *at = s->port_next;
    s->on_port = false;
    if (!port_held(x, s->local.port))
        x->ports_held[s->local.port / 64] &= ~(UINT64_C(1) << s->local.port % 64);
}

/* A connection that is over has given back a port that was not asked for by number. */
bool port_bound(const struct la_sockets *x, const struct sock *s)
{
    if (s->what == WHAT_CLOSE)
        return s->on_port;
    return s->port_locked || (s->bound_again && s->on_port) || !sock_view(x, s).closed;
}

/* What a socket is bound to, as a set of addresses. */
struct span {
    struct la_addr addr;
    bool v6, v6only;
};

static struct span span_of(const struct sock *s)
{
    return (struct span){
        .addr = s->local.addr,
        .v6 = s->v6 && !la_addr_is_v4(s->local.addr), /* ::ffff:0.0.0.0 is all of IPv4 */
        .v6only = s->set.v6only,
    };
}

/* Does a wildcard cover a specific address? */
static bool covers(const struct span *wild, struct la_addr addr)
{
    if (!la_addr_is_v4(addr))
        return wild->v6;
    return !wild->v6 || !wild->v6only;
}

static bool overlap(struct span a, struct span b)
{
    const bool wild_a = la_addr_is_unspecified(a.addr);
    const bool wild_b = la_addr_is_unspecified(b.addr);

    if (!wild_a && !wild_b)
        return la_addr_equal(a.addr, b.addr);
    if (wild_a && wild_b)
        return a.v6 == b.v6 || !(a.v6 ? a.v6only : b.v6only);
    return wild_a ? covers(&a, b.addr) : covers(&b, a.addr);
}

static bool reuse_of(const struct la_sockets *x, const struct sock *s)
{
    return sock_option(x, s, LA_OPT_REUSEADDR) != 0;
}

static bool reuse_port_of(const struct la_sockets *x, const struct sock *s)
{
    return sock_option(x, s, LA_OPT_REUSEPORT) != 0;
}

static bool sock_conflict(const struct la_sockets *x, const struct sock *s, uint16_t port,
                          bool relax)
{
    for (const struct sock *t = x->port[bucket_of(port)]; t != NULL; t = t->port_next) {
        if (t == s || t->local.port != port || !port_bound(x, t) ||
            !overlap(span_of(s), span_of(t)))
            continue;
        if (relax && reuse_port_of(x, s) && reuse_port_of(x, t))
            continue;
        if (!relax || t->what == WHAT_LISTEN || !reuse_of(x, s) || !reuse_of(x, t))
            return true;
    }
    return false;
}

/* Rows that hold a port although no bind() of ours knows of them. */
static bool row_counts(const struct sock *s, const struct la_row *row)
{
    const struct span at = { .addr = row->local.addr, .v6 = !la_addr_is_v4(row->local.addr) };

    if (row->kind != LA_ROW_CONN && row->kind != LA_ROW_SHORT)
        return false;
    return row->state != LA_CLOSED && overlap(span_of(s), at);
}

static bool walk_conflict(struct la_sockets *x, const struct sock *s, uint16_t port, bool relax)
{
    struct la_row rows[ROWS];
    uint64_t cursor = 0;
    uint32_t n;

    x->use.port_walks++;
    while ((n = la_rows(x->stack, &cursor, rows, ROWS)) > 0)
        for (uint32_t i = 0; i < n; i++)
            if (rows[i].local.port == port && row_counts(s, &rows[i]) &&
                !(relax && rows[i].reuse && reuse_of(x, s)) &&
                !(relax && rows[i].reuse_port && reuse_port_of(x, s)))
                return true;
    return false;
}

/* The records of one family that stand on the port, as far as their addresses are @s's. */
static enum la_port_answer family_conflict(const struct la_sockets *x, const struct sock *s,
                                           bool v4, uint16_t port, bool relax)
{
    const struct span at = span_of(s);

    if (la_addr_is_unspecified(at.addr) ? !(v4 ? covers(&at, la_addr_v4(0, 0, 0, 0)) : at.v6)
                                        : la_addr_is_v4(at.addr) != v4)
        return LA_PORT_FREE;
    return la_port_asked(x->stack, s->local.addr, v4, port, relax && reuse_of(x, s),
                         relax && reuse_port_of(x, s));
}

static bool row_conflict(struct la_sockets *x, const struct sock *s, uint16_t port, bool relax)
{
    const enum la_port_answer v4 = family_conflict(x, s, true, port, relax);
    const enum la_port_answer v6 = family_conflict(x, s, false, port, relax);

    if (v4 == LA_PORT_FREE && v6 == LA_PORT_FREE)
        return false;
    if (v4 == LA_PORT_TAKEN || v6 == LA_PORT_TAKEN)
        return true;
    return walk_conflict(x, s, port, relax);
}

bool port_conflict(struct la_sockets *x, const struct sock *s, uint16_t port, bool relax)
{
    return sock_conflict(x, s, port, relax) || row_conflict(x, s, port, relax);
}

/*
 * Where the core has no table, one walk marks every port that overlaps: candidates cost O(1) each.
 * Return: whether it was walked.
 */
static bool mark_taken(struct la_sockets *x, const struct sock *s, uint64_t taken[1024])
{
    struct la_row rows[ROWS];
    uint64_t cursor = 0;
    uint32_t n;

    memset(taken, 0, 1024 * sizeof taken[0]);
    if (la_port_asked(x->stack, s->local.addr, true, 1, false, false) != LA_PORT_WALK)
        return false;
    x->use.port_walks++;
    while ((n = la_rows(x->stack, &cursor, rows, ROWS)) > 0)
        for (uint32_t i = 0; i < n; i++)
            if (row_counts(s, &rows[i]))
                taken[rows[i].local.port / 64] |= UINT64_C(1) << rows[i].local.port % 64;
    return true;
}

/* Is it one that connect() leaves to us as long as it can?  See core/tcp/ports.c. */
static bool left_to_bind(const struct la_sockets *x, const struct sock *s, uint16_t port)
{
    uint64_t min = 0;

    if (la_sysctl_get(x->stack, "net.lastack.ip_local_port_min", &min) != LA_OK)
        la_panic(__FILE__, __LINE__, "a sysctl that every stack has");
    if (s->set.port_min > min)
        min = s->set.port_min;
    return (port - min) % 2 != 0;
}

int port_for_bind(struct la_sockets *x, const struct sock *s, uint16_t *port)
{
    const struct la_port_wish wish = { .min = s->set.port_min, .max = s->set.port_max };
    const struct la_endpoint none = { .port = 0 };
    uint64_t taken[1024];
    const bool walked = mark_taken(x, s, taken);

    for (uint32_t tried = 0; tried < 2 * UINT16_MAX; tried++) {
        if (la_port_choose_between(x->stack, now_of(x), s->local.addr, none, &wish, port) != LA_OK)
            return -EADDRINUSE;
        if (tried < UINT16_MAX && !left_to_bind(x, s, *port))
            continue;
        if ((taken[*port / 64] >> *port % 64 & 1) == 0 && !sock_conflict(x, s, *port, false) &&
            (walked || !row_conflict(x, s, *port, false)))
            return 0;
    }
    return -EADDRINUSE;
}

int port_for_connect(struct la_sockets *x, const struct sock *s, struct la_endpoint remote,
                     uint16_t *port)
{
    const struct la_port_wish wish = {
        .min = s->set.port_min,
        .max = s->set.port_max,
        .avoid = x->ports_held, /* ports that somebody asked for are left alone */
    };
    const enum la_err err =
        la_port_choose_between(x->stack, now_of(x), s->local.addr, remote, &wish, port);

    return error_of(err == LA_EACCES ? LA_ENETUNREACH : err);
}
