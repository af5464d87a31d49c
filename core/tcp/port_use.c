/* SPDX-License-Identifier: MIT */
/*
 * port_use.c - What stands on each local port: how many connections and short records, how many of
 * them without SO_REUSEADDR, SO_REUSEPORT or either, and at which address.
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

uint32_t port_share(bool reuse, bool reuse_port)
{
    return (reuse ? TCP_SHARE_ADDR : 0) | (reuse_port ? TCP_SHARE_PORT : 0);
}

/* A record that allows @share comes or goes: it hinders whoever asks for none of that. */
static void count_strict(struct tcp_port_row *r, uint32_t share, bool comes)
{
    for (uint32_t asked = 1; asked <= TCP_SHARE_BOTH; asked++)
        if ((share & asked) == 0)
            r->strict[asked - 1] += comes ? 1u : UINT32_MAX;
}

void port_use_add(struct tcp *t, const struct tcp_flow *flow, uint32_t share)
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
    count_strict(r, share, true);
}

void port_use_sub(struct tcp *t, const struct tcp_flow *flow, uint32_t share)
{
    struct tcp_port_row *r = row_of(t, flow->lport, addr_is_v4(&flow->raddr));

    if (r == NULL)
        return;
    LA_ASSERT(r->records > 0);
    r->records--;
    count_strict(r, share, false);
    LA_ASSERT(r->strict[0] <= r->records && r->strict[1] <= r->records);
}

void port_use_changed(struct tcp *t, const struct tcp_flow *flow, uint32_t from, uint32_t to)
{
    struct tcp_port_row *r = row_of(t, flow->lport, addr_is_v4(&flow->raddr));

    if (r == NULL)
        return;
    LA_ASSERT(r->records > 0);
    count_strict(r, from, false);
    count_strict(r, to, true);
}

enum la_port_answer port_asked(const struct tcp *t, struct la_addr addr, bool v4, uint16_t port,
                               uint32_t share)
{
    const struct tcp_port_row *r = row_of(t, port, v4);

    if (r == NULL)
        return LA_PORT_WALK;
    if (r->records == 0 || (share > 0 && r->strict[share - 1] == 0))
        return LA_PORT_FREE;
    if (la_addr_is_unspecified(addr))
        return LA_PORT_TAKEN;
    if (r->several)
        return LA_PORT_WALK;
    return addr_equal(&r->laddr, &addr) ? LA_PORT_TAKEN : LA_PORT_FREE;
}
