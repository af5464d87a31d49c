/* SPDX-License-Identifier: MIT */
/*
 * kill.c - Ending a connection from outside, whatever its size: what `ss -K` asks for.
 *
 * As on Linux the peer of a full connection gets a reset, whoever holds it ECONNABORTED, and a
 * half-open or short record goes without a word.
 */
#include "core/stack/stack.h"

enum la_err la_kill(struct la_stack *s, la_time now, struct la_endpoint local,
                    struct la_endpoint remote)
{
    struct tcp *t = &s->tcp;
    const struct tcp_flow flow = {
        .laddr = local.addr, .raddr = remote.addr, .lport = local.port, .rport = remote.port
    };
    const struct index_entry e = tcp_lookup(t, &flow, tcp_hash(t, &flow));

    if (e.type == INDEX_FREE)
        return LA_ENOENT;
    stack_enter(s, now);
    env_drop(&t->env, LA_DROP_KILLED);
    if (e.type == INDEX_CONN) {
        tcp_reset(t, e.value, LA_ECONNABORTED, LA_DROP_KILLED);
    } else if (e.type == INDEX_HALF_OPEN) {
        half_free(t, e.value);
    } else {
        short_free(t, e.value, LA_DROP_KILLED);
    }
    stack_leave(s);
    return LA_OK;
}
