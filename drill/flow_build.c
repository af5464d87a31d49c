/* SPDX-License-Identifier: MIT */
/* flow_build.c - From the script's numbers to bytes on the wire. */
#include "drill/flow.h"

#include <string.h>

static uint8_t ecn_bits(enum drill_ecn ecn)
{
    switch (ecn) {
    case DRILL_ECN_ECT1:
        return 1;
    case DRILL_ECN_ECT0:
    case DRILL_ECN_ECT01:
        return 2;
    case DRILL_ECN_CE:
        return 3;
    case DRILL_ECN_UNSAID:
    case DRILL_ECN_ANY:
    case DRILL_ECN_NO:
        return 0;
    }
    return 0;
}

static void build_ip_fields(const struct drill_packet *p, const struct drill_ends *ends,
                            struct drill_segment *s)
{
    s->version = ends->version;
    s->src = ends->remote;
    s->dst = ends->local;
    s->tos = p->has_tos ? p->tos : ecn_bits(p->ecn);
    s->ttl = p->has_ttl ? p->ttl : 255;
    s->flow_label = p->flow_label;
    s->id = p->id;
    s->df = p->has_df && p->df;
}

/* A timestamp the host sent, for it to be echoed: the newest that bears this name. */
static uint32_t live_stamp(const struct drill_flow *f, uint32_t script)
{
    const uint32_t count = f->stamp_count;
    for (uint32_t i = 0; i < count && i < DRILL_STAMPS_MAX; i++) {
        const struct drill_stamp *t = &f->stamps[(count - 1 - i) % DRILL_STAMPS_MAX];
        if (t->script == script)
            return t->live;
    }
    if (count == 0)
        return script;
    /* Never seen: as far from the last one as the script says. */
    const struct drill_stamp *last = &f->stamps[(count - 1) % DRILL_STAMPS_MAX];
    return last->live + (script - last->script);
}

static void build_options(const struct drill_flow *f, const struct drill_options *o,
                          struct drill_segment *s)
{
    memcpy(s->options, o->bytes, o->len);
    s->options_len = o->len;
    for (int i = 0; i < o->sack_blocks * 2; i++) {
        uint8_t *edge = s->options + o->sack_at + (ptrdiff_t)4 * i;
        drill_put32(edge, drill_get32(edge) + f->local_offset);
    }
    if (o->timestamps_at >= 0 && !o->ecr_absolute) {
        uint8_t *ecr = s->options + o->timestamps_at + 4;
        if (drill_get32(ecr) != 0)
            drill_put32(ecr, live_stamp(f, drill_get32(ecr)));
    }
}

static const char *build_tcp(struct drill_flow *f, const struct drill_packet *p,
                             struct drill_segment *s)
{
    static uint8_t text[DRILL_PACKET_MAX];
    s->protocol = DRILL_IP_TCP;
    s->src_port = f->remote_port;
    s->dst_port = f->local_port;
    s->flags = p->flags;
    s->reserved = p->reserved;
    s->seq = p->seq.first + (p->seq.absolute ? 0 : f->remote_offset);
    s->ack = p->has_ack ? p->ack + (p->ack_absolute ? 0 : f->local_offset) : 0;
    s->window = (uint16_t)p->window;
    s->urgent = p->urgent;
    if (p->options.any)
        return "options of a packet that is to be sent must be written out";
    if (p->options.val_any || p->options.ecr_any)
        return "timestamps of a packet that is to be sent must be written out";
    build_options(f, &p->options, s);
    if (p->flags & DRILL_SYN) {
        if (!(p->flags & DRILL_ACK) && f->remote_isn_known && s->seq != f->remote_isn)
            f->reopened = true;
        f->remote_isn = s->seq;
        f->remote_isn_known = true;
    }
    const uint32_t at = s->seq + (p->flags & DRILL_SYN ? 1u : 0u) - f->remote_isn - 1;
    for (uint32_t i = 0; i < p->seq.len; i++)
        text[i] = f->remote_isn_known ? drill_pattern((uint32_t)(at + i)) : 0;
    s->text = text;
    s->text_len = p->seq.len;
    return NULL;
}

/* The start of the packet an ICMP error is about: IP header and eight octets, from the host. */
static uint32_t build_quote(const struct drill_flow *f, const struct drill_ends *ends,
                            const struct drill_packet *p, uint8_t *to)
{
    struct drill_segment about = {
        .version = ends->version,
        .src = ends->local,
        .dst = ends->remote,
        .protocol = DRILL_IP_TCP,
        .ttl = 62,
        .df = true,
        .src_port = f->local_port,
        .dst_port = f->remote_port,
        .flags = DRILL_ACK,
    };
    about.seq = f->has_last ? f->last_seq : f->local_offset;
    if (p->quote == DRILL_QUOTE_TCP) {
        about.seq = p->quoted.first + (p->quoted.absolute ? 0 : f->local_offset);
        about.text_len = p->quoted.len;
    }
    static uint8_t whole[DRILL_PACKET_MAX + 128];
    static const uint8_t zeros[DRILL_PACKET_MAX];
    about.text = zeros;
    drill_wire_build(&about, whole);
    const uint32_t len = (ends->version == 4 ? 20 : 40) + 8;
    memcpy(to, whole, len);
    return len;
}

static const char *build_icmp(struct drill_flow *f, const struct drill_ends *ends,
                              const struct drill_packet *p, struct drill_segment *s,
                              uint8_t quote[128])
{
    const bool v6 = ends->version == 6;
    const char *code = p->icmp_code;
    s->protocol = v6 ? DRILL_IP_ICMP6 : DRILL_IP_ICMP;
    if (!drill_icmp_numbers(v6, p->icmp_type, code, &s->icmp_type, &s->icmp_code))
        return "no such ICMP type or code in this version of IP";
    if (p->quote == DRILL_QUOTE_UDP)
        return "a datagram is quoted, and there is no UDP here";
    const bool echo =
        v6 ? s->icmp_type >= 128 && s->icmp_type <= 129 : s->icmp_type == 0 || s->icmp_type == 8;
    s->icmp_rest = p->icmp_mtu;
    s->text = quote;
    if (echo) {
        memset(quote, 0, 128);
        s->text_len = p->payload_len < 128 ? p->payload_len : 128;
    } else {
        s->text_len = build_quote(f, ends, p, quote);
    }
    return NULL;
}

const char *drill_flow_build(struct drill_flow *f, const struct drill_ends *ends,
                             const struct drill_packet *p, uint8_t *to, uint32_t *len)
{
    struct drill_segment s = { 0 };
    uint8_t quote[128];
    build_ip_fields(p, ends, &s);
    const char *wrong =
        p->protocol == DRILL_TCP ? build_tcp(f, p, &s) : build_icmp(f, ends, p, &s, quote);
    if (wrong != NULL)
        return wrong;
    if (s.text_len + 128 > DRILL_PACKET_MAX)
        return "the packet would be longer than IP allows";
    *len = drill_wire_build(&s, to);
    return NULL;
}
