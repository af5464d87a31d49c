/* SPDX-License-Identifier: MIT */
/*
 * port_use.c - What stands on each local port: how many connections and short records, how many of
 * them without SO_REUSEADDR, and at which address.
 *
 * bind() asks this (posix/ports.c), and must not walk a million connections for the answer.  The
 * table has one row a port and family; a stack too small for it has none, and is small enough to
 * be walked.  A row remembers the local address its records have in common, which is all there is
 * to know of nearly every port; once there were two, it says so until the port is empty again.
 *
 * Cost: one row touched when a connection begins to hold its port and when its last record goes.
 */
#include "core/tcp/tcp.h"

static struct tcp_port_row *row_of(const struct tcp *t, uint16_t port, bool v4)
{
    struct tcp_port_row *rows =
        (struct tcp_port_row *)(void *)((uint8_t *)tcp_arena(t) + t->port_rows.offset);

    return t->port_rows.count == 0 ? NULL : &rows[2u * port + (v4 ? 0 : 1)];
}

void port_use_add(struct tcp *t, const struct tcp_flow *flow, bool reuse)
{
    struct tcp_port_row *r = row_of(t, flow->lport, addr_is_v4(&flow->raddr));

    if (r == NULL)
        return;
    if (r->records == 0) {
        r->laddr = flow->laddr;
        r->several = 0;
    } else if (!addr_equal(&r->laddr, &flow->laddr)) {
        r->several = 1;
    }
    r->records++;
    r->strict += !reuse;
}

void port_use_sub(struct tcp *t, const struct tcp_flow *flow, bool reuse)
{
    struct tcp_port_row *r = row_of(t, flow->lport, addr_is_v4(&flow->raddr));

    if (r == NULL)
        return;
    LA_ASSERT(r->records > 0 && r->strict >= !reuse);
    r->records--;
    r->strict -= !reuse;
}

void port_use_changed(struct tcp *t, const struct tcp_flow *flow, bool reuse)
{
    struct tcp_port_row *r = row_of(t, flow->lport, addr_is_v4(&flow->raddr));

    if (r == NULL)
        return;
    LA_ASSERT(r->records > 0);
    if (reuse)
        r->strict--;
    else
        r->strict++;
}

enum la_port_answer port_asked(const struct tcp *t, struct la_addr addr, bool v4, uint16_t port,
                               bool reuse)
{
    const struct tcp_port_row *r = row_of(t, port, v4);

    if (r == NULL)
        return LA_PORT_WALK;
    if (r->records == 0 || (reuse && r->strict == 0))
        return LA_PORT_FREE;
    if (la_addr_is_unspecified(addr))
        return LA_PORT_TAKEN;
    if (r->several)
        return LA_PORT_WALK;
    return addr_equal(&r->laddr, &addr) ? LA_PORT_TAKEN : LA_PORT_FREE;
}
