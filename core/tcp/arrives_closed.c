/* SPDX-License-Identifier: MIT */
/*
 * arrives_closed.c - RFC 9293 3.10.7.1, CLOSED STATE: nobody is there.
 *
 * All text is discarded.  A reset is never answered; everything else draws one.
 */
#include "core/tcp/tcp.h"

void tcp_arrives_closed(struct tcp_arrival *a)
{
    if (a->seg->flags & TCP_RST) {
        a->reason = LA_DROP_NO_SOCKET_RST;
        return;
    }
    a->reason = LA_DROP_NO_SOCKET;
    reply_rst_to(a);
}
