/* SPDX-License-Identifier: MIT */
/*
 * icmp_error.c - ICMP errors about our segments (RFC 9293 3.9.2.2, RFC 5927).
 *
 * An error must quote a sequence number in flight, else anyone could forge it.  In SYN-SENT
 * a hard error ends the opening; on a synchronized connection every error is soft, as on
 * Linux (an exception to SHLD-26): remembered, told, and reported if the connection dies
 * of silence; an ACK of something new refutes and forgets it.  "Too big" is pmtu.c's.
 */
#include "core/tcp/pmtu.h"
#include "core/tcp/tcp.h"

/* What the application is told; LA_OK for what it is not. */
static enum la_err error_of(enum icmp_class class, uint8_t version, uint8_t code)
{
    if (class == ICMP_TIME_EXCEEDED)
        return LA_EHOSTUNREACH;
    if (class != ICMP_UNREACHABLE)
        return LA_OK;
    if (version == 4)
        return code == 2 || code == 3 ? LA_ECONNREFUSED
               : code == 0            ? LA_ENETUNREACH
                                      : LA_EHOSTUNREACH;
    return code == 4 ? LA_ECONNREFUSED : code == 0 ? LA_ENETUNREACH : LA_EHOSTUNREACH;
}

/* Hard: v4 unreachable 2, 3; v6 unreachable 1, 4. */
static bool is_hard(enum icmp_class class, uint8_t version, uint8_t code)
{
    if (class != ICMP_UNREACHABLE)
        return false;
    return version == 4 ? code == 2 || code == 3 : code == 1 || code == 4;
}

void tcp_icmp_error(struct tcp *t, const struct tcp_flow *flow, tcp_seq quoted,
                    enum icmp_class class, uint8_t version, uint8_t code, uint32_t mtu_bytes)
{
    const struct index_entry e = tcp_lookup(t, flow, tcp_hash(t, flow));
    const enum la_err err = error_of(class, version, code);
    struct tcp_conn *c;

    if (e.type != INDEX_CONN) { /* half-open and short records live by their own clocks */
        env_drop(&t->env, LA_DROP_ICMP_NO_MATCH);
        return;
    }
    c = conn_at(t, e.value);
    if (!seq_in(quoted, c->snd.una, conn_flight(c))) {
        env_count(&t->env, LA_COUNT_OutOfWindowIcmps);
        env_drop(&t->env, LA_DROP_ICMP_SEQUENCE);
        return;
    }
    if (class == ICMP_TOO_BIG) {
        const enum la_drop drop = pmtu_too_big(t, e.value, mtu_bytes);

        if (drop != LA_DROP_NONE)
            env_drop(&t->env, drop);
        return;
    }
    if (err == LA_OK)
        return;
    if (c->state == LA_SYN_SENT && is_hard(class, version, code)) {
        tcp_end(t, e.value, err, LA_DROP_ICMP_HARD);
        return;
    }
    c->soft_error = (int8_t)err;
    conn_ready(t, e.value, true);
}
