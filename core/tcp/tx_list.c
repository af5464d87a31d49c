/* SPDX-License-Identifier: MIT */
/* tx_list.c - The list of connections that have something to send: output.c takes them in turn. */
#include "core/tcp/tcp.h"

void tcp_output_wake(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);

    if (c->on_tx)
        return;
    c->on_tx = true;
    c->tx_next = SLAB_NONE;
    c->tx_prev = t->tx_tail;
    if (t->tx_tail == SLAB_NONE)
        t->tx_head = ci;
    else
        conn_at(t, t->tx_tail)->tx_next = ci;
    t->tx_tail = ci;
}

void tcp_output_sleep(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);

    if (!c->on_tx)
        return;
    c->on_tx = false;
    if (c->tx_prev == SLAB_NONE)
        t->tx_head = c->tx_next;
    else
        conn_at(t, c->tx_prev)->tx_next = c->tx_next;
    if (c->tx_next == SLAB_NONE)
        t->tx_tail = c->tx_prev;
    else
        conn_at(t, c->tx_next)->tx_prev = c->tx_prev;
}
