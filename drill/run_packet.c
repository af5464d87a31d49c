/* SPDX-License-Identifier: MIT */
/*
 * run_packet.c - Packets of a script: sent to the host, or expected of it.
 *
 * A script speaks of one connection at a time, and names no ports.  A SYN to a listener that has
 * not had one yet begins a connection, as does the SYN of a new connect(); from then on the
 * script speaks of that one.  Scripts of several connections name ports.
 */
#include "drill/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- connections ------------------------------------------------------------------------- */

static struct drill_flow *new_flow(struct drill_run *r, uint16_t local_port, uint16_t remote_port)
{
    struct drill_flow *f = drill_alloc(r->pool, sizeof *f);
    f->local_port = local_port;
    f->remote_port = remote_port;
    f->remote_offset = r->config.remote_isn;
    f->next = r->flows;
    r->flows = f;
    r->flow = f;
    return f;
}

static struct drill_flow *find_flow(struct drill_run *r, uint16_t local_port, uint16_t remote_port)
{
    for (struct drill_flow *f = r->flows; f != NULL; f = f->next)
        if (f->local_port == local_port && f->remote_port == remote_port)
            return f;
    return NULL;
}

static struct drill_flow *flow_to_host(struct drill_run *r, const struct drill_packet *p)
{
    const bool opens =
        p->protocol == DRILL_TCP && (p->flags & (DRILL_SYN | DRILL_ACK)) == DRILL_SYN;
    if (p->has_ports) {
        struct drill_flow *f = find_flow(r, p->dst_port, p->src_port);
        r->flow = f != NULL ? f : new_flow(r, p->dst_port, p->src_port);
    } else if (r->flow == NULL || (opens && r->fresh_listener)) {
        r->fresh_listener = false;
        new_flow(r, r->bound_port, r->next_remote_port++);
    }
    return r->flow;
}

static struct drill_flow *flow_from_host(struct drill_run *r, const struct drill_packet *p,
                                         const struct drill_segment *s)
{
    const bool tcp = s->protocol == DRILL_IP_TCP;
    const bool opens = tcp && (s->flags & (DRILL_SYN | DRILL_ACK)) == DRILL_SYN;
    /* connect() may use the ports of a connection that is over: a SYN at another number says so. */
    const struct drill_flow *before = tcp ? find_flow(r, s->src_port, s->dst_port) : NULL;
    const bool again = opens && r->fresh_connect && before != NULL && before->local_isn_known &&
                       before->local_isn != s->seq;
    if (p->has_ports && !again) {
        struct drill_flow *f = find_flow(r, p->src_port, p->dst_port);
        r->flow = f != NULL ? f : new_flow(r, p->src_port, p->dst_port);
    } else if (again ||
               (opens && r->fresh_connect && s->dst_port == r->connect_port && before == NULL)) {
        r->fresh_connect = false;
        new_flow(r, s->src_port, s->dst_port);
    } else if (r->flow == NULL) {
        new_flow(r, s->src_port, s->dst_port);
    }
    return r->flow;
}

/* --- the ladder ---------------------------------------------------------------------------- */

static void add_rung(struct drill_run *r, const struct drill_segment *s, bool inbound, int64_t at)
{
    char text[256];
    const struct drill_flow *f = s->protocol != DRILL_IP_TCP ? r->flow
                                 : inbound ? find_flow(r, s->dst_port, s->src_port)
                                           : find_flow(r, s->src_port, s->dst_port);
    struct drill_rung *rung = &r->ladder[r->ladder_count++ % DRILL_LADDER_MAX];
    rung->at_ns = at;
    rung->inbound = inbound;
    drill_flow_text(f, s, inbound, text, sizeof text);
    if (f != r->flow && s->protocol == DRILL_IP_TCP)
        rung->text = drill_format(r->pool, "%u > %u %s", s->src_port, s->dst_port, text);
    else
        rung->text = drill_text(r->pool, text, strlen(text));
}

/* --- to the host ----------------------------------------------------------------------------- */

static bool send_packet(struct drill_run *r, const struct drill_packet *p)
{
    uint8_t *bytes = drill_alloc(r->pool, DRILL_PACKET_MAX + 256);
    uint32_t len;
    struct drill_segment s;
    struct drill_flow *f = flow_to_host(r, p);
    const char *wrong = drill_flow_build(f, &r->ends, p, bytes, &len);
    if (wrong != NULL)
        return drill_malformed(r, r->event->line, "a packet that can be sent: %s", wrong);
    if (drill_wire_parse(bytes, len, &s) == NULL)
        add_rung(r, &s, true, r->host.now(r->host.self));
    r->host.inject(r->host.self, bytes, len);
    return true;
}

/* --- from the host --------------------------------------------------------------------------- */

static bool right_text(struct drill_run *r, const struct drill_flow *f,
                       const struct drill_segment *s)
{
    if (s->protocol != DRILL_IP_TCP || r->own_text || !f->local_isn_known || s->text_len == 0)
        return true;
    const uint32_t at = s->seq + (s->flags & DRILL_SYN ? 1u : 0u) - f->local_isn - 1;
    if (at >= (uint32_t)1 << 31) /* before the stream: a probe */
        return true;
    for (uint32_t i = 0; i < s->text_len; i++)
        if (s->text[i] != drill_pattern(at + i))
            return drill_failf(r,
                               drill_format(r->pool, "byte 0x%02x at %u of the stream",
                                            drill_pattern(at + i), at + i),
                               "0x%02x", s->text[i]);
    return true;
}

static struct drill_waiting *take(struct drill_run *r, struct drill_waiting **at)
{
    struct drill_waiting *w = *at;
    *at = w->next;
    if (*at == NULL)
        r->last = at;
    return w;
}

/*
 * A packet of the script that no link would carry stands for the segments it is cut into, as
 * they would be with segmentation offload: they are put together again.
 */
static bool join(struct drill_run *r, const struct drill_packet *p, struct drill_segment *s,
                 int64_t until_ns)
{
    const uint32_t header = (s->version == 4 ? 20u : 40u) + 20u + s->options_len;
    const uint32_t most = r->config.mss > 0 ? r->config.mss : r->config.mtu - header;
    if (p->protocol != DRILL_TCP || p->seq.len <= most || s->text_len == 0 ||
        r->config.strict_segments)
        return true;
    while (s->text_len < p->seq.len && drill_pass_to_packet(r, until_ns)) {
        struct drill_segment next;
        if (drill_wire_parse(r->first->bytes, r->first->len, &next) != NULL ||
            next.protocol != DRILL_IP_TCP || next.seq != s->seq + s->text_len ||
            next.src_port != s->src_port || next.text_len == 0 ||
            s->text_len + next.text_len > p->seq.len)
            return true;
        add_rung(r, &next, false, r->first->at_ns);
        if (!right_text(r, r->flow, &next))
            return false;
        (void)take(r, &r->first);
        s->text_len += next.text_len;
        s->flags |= next.flags & (DRILL_PSH | DRILL_FIN);
        s->window = next.window;
        s->ack = next.ack;
    }
    return true;
}

static void learn_isn(struct drill_flow *f, const struct drill_segment *s)
{
    if (s->protocol == DRILL_IP_TCP && (s->flags & DRILL_SYN)) {
        f->local_isn = s->seq;
        f->local_isn_known = true;
    }
}

/* Do the host's timestamps run as fast as --tcp_ts_tick_usecs says? */
static bool right_stamp(struct drill_run *r, struct drill_flow *f, const struct drill_packet *p,
                        const struct drill_segment *s)
{
    const struct drill_options *o = &p->options;
    const uint32_t tick_us = r->config.stamp_tick_us;
    if (tick_us == 0 || p->protocol != DRILL_TCP || o->timestamps_at < 0 || o->val_any)
        return true;
    const uint32_t script = drill_get32(o->bytes + o->timestamps_at);
    const uint32_t live = drill_get32(s->options + o->timestamps_at);
    if (f->stamp_count == 0) {
        f->first_stamp = (struct drill_stamp){ script, live };
        return true;
    }
    const int64_t off = (int32_t)((live - f->first_stamp.live) - (script - f->first_stamp.script));
    const int64_t most = 1 + r->config.tolerance_ns / 1000 / tick_us;
    if (off <= most && off >= -most)
        return true;
    return drill_failf(r, drill_format(r->pool, "timestamp %u", script), "%u",
                       live - f->first_stamp.live + f->first_stamp.script);
}

struct expectation {
    const struct drill_packet *p;
    int64_t from_ns, to_ns; /* to_ns INT64_MAX: whenever */
    int64_t until_ns;       /* how long it is waited for */
};

static bool in_time(struct drill_run *r, const struct expectation *x, int64_t at_ns)
{
    if (x->to_ns == INT64_MAX || drill_in_time(r, x->from_ns, x->to_ns, at_ns))
        return true;
    return drill_failf(
        r,
        x->from_ns == x->to_ns
            ? drill_format(r->pool, "this packet at %s", drill_time_text(r, x->from_ns))
            : drill_format(r->pool, "this packet between %s and %s", drill_time_text(r, x->from_ns),
                           drill_time_text(r, x->to_ns)),
        "it came at %s", drill_time_text(r, at_ns));
}

/* One packet from the host, taken off the queue, against the expectation. */
static bool judge(struct drill_run *r, const struct expectation *x, struct drill_waiting *w)
{
    struct drill_segment s, translated;
    char why[512], text[256];
    const char *broken = drill_wire_parse(w->bytes, w->len, &s);
    if (broken != NULL)
        return drill_failf(r, "a whole packet", "one of %u bytes; %s", w->len, broken);
    struct drill_flow *f = flow_from_host(r, x->p, &s);
    learn_isn(f, &s);
    add_rung(r, &s, false, w->at_ns);
    if (!right_text(r, f, &s) || !join(r, x->p, &s, x->until_ns))
        return false;
    translated = s;
    if (!drill_flow_compare(f, &r->ends, x->p, &translated, why, sizeof why)) {
        drill_flow_text(f, &s, false, text, sizeof text);
        return drill_failf(r, r->event->source, "%s at %s: %s", text, drill_time_text(r, w->at_ns),
                           why);
    }
    /* The ladder had no numbers to show before the first SYN was understood. */
    if (s.flags & DRILL_SYN) {
        r->ladder_count--;
        add_rung(r, &s, false, w->at_ns);
    }
    if (!right_stamp(r, f, x->p, &s))
        return false;
    drill_flow_learn(f, x->p, &s);
    r->event_ns = x->from_ns == x->to_ns ? x->from_ns : w->at_ns;
    return in_time(r, x, w->at_ns);
}

/* The first packet waiting that meets the expectation, without changing anything. */
static struct drill_waiting **find_match(struct drill_run *r, const struct drill_packet *p)
{
    for (struct drill_waiting **at = &r->first; *at != NULL; at = &(*at)->next) {
        struct drill_segment s;
        char why[512];
        if (r->flow == NULL || drill_wire_parse((*at)->bytes, (*at)->len, &s) != NULL)
            continue;
        struct drill_flow trial = *r->flow;
        if (drill_flow_compare(&trial, &r->ends, p, &s, why, sizeof why))
            return at;
    }
    return NULL;
}

static bool nothing_came(struct drill_run *r, const struct expectation *x)
{
    const char *until = drill_time_text(r, r->host.now(r->host.self));
    if (x->p->unordered && r->first != NULL)
        return drill_failf(r, r->event->source, "other packets, until %s", until);
    return drill_failf(r, r->event->source, "nothing, until %s", until);
}

static bool expect_packet(struct drill_run *r, const struct drill_packet *p)
{
    const struct drill_when *w = &r->event->when;
    const int64_t now = r->host.now(r->host.self);
    const int64_t grace = r->host.real_time ? 1000000000 : (int64_t)3600 * 1000000000;
    struct expectation x = { .p = p, .from_ns = r->event_ns, .to_ns = r->event_ns };
    if (w->kind == DRILL_BETWEEN || w->kind == DRILL_AFTER_BETWEEN)
        x.to_ns = r->event_ns + (w->to_ns - w->from_ns);
    x.until_ns = x.to_ns + r->config.tolerance_ns + grace;
    if (w->kind == DRILL_WHENEVER) {
        x.from_ns = 0;
        x.to_ns = INT64_MAX;
        x.until_ns = now + r->config.patience_ns;
    }
    if (!p->unordered) {
        if (!drill_pass_to_packet(r, x.until_ns))
            return nothing_came(r, &x);
        return judge(r, &x, take(r, &r->first));
    }
    for (;;) {
        struct drill_waiting **at = find_match(r, p);
        if (at != NULL)
            return judge(r, &x, take(r, at));
        if (!drill_pass_one(r, x.until_ns))
            return nothing_came(r, &x);
    }
}

bool drill_run_packet(struct drill_run *r, const struct drill_packet *p)
{
    if (p->protocol == DRILL_UDP)
        return drill_unsupported(r, "udp");
    return p->inbound ? send_packet(r, p) : expect_packet(r, p);
}
