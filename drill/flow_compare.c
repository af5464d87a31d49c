/* SPDX-License-Identifier: MIT */
/*
 * flow_compare.c - What the host sent against what the script expects.
 *
 * Everything the script says is compared, and what it does not say as packetdrill has it: no
 * "ack" means no ACK bit is asked for by number, no "win" means any window, no option list means
 * no options, no ECN word means not ECN-capable.
 */
#include "drill/flow.h"

#include <stdio.h>
#include <string.h>

struct verdict {
    char *why;
    size_t room, used;
};

static void differ(struct verdict *v, const char *what, const char *expected, const char *came)
{
    if (v->used + 1 >= v->room)
        return;
    const int len = snprintf(v->why + v->used, v->room - v->used, "%s%s: expected %s, came %s",
                             v->used > 0 ? "; " : "", what, expected, came);
    v->used += len > 0 ? (size_t)len : 0;
}

static void number(struct verdict *v, const char *what, uint32_t expected, uint32_t came)
{
    char a[16], b[16];
    if (expected == came)
        return;
    snprintf(a, sizeof a, "%u", expected);
    snprintf(b, sizeof b, "%u", came);
    differ(v, what, a, b);
}

static const char *ecn_name(uint8_t tos)
{
    static const char *const names[] = { "noecn", "ect1", "ect0", "ce" };
    return names[tos & 3];
}

static void compare_ecn(struct verdict *v, const struct drill_packet *p, uint8_t tos)
{
    const uint8_t bits = tos & 3;
    switch (p->ecn) {
    case DRILL_ECN_ANY:
        return;
    case DRILL_ECN_UNSAID:
    case DRILL_ECN_NO:
        if (bits != 0 && !p->has_tos)
            differ(v, "ECN", "noecn", ecn_name(tos));
        return;
    case DRILL_ECN_ECT0:
        if (bits != 2)
            differ(v, "ECN", "ect0", ecn_name(tos));
        return;
    case DRILL_ECN_ECT1:
        if (bits != 1)
            differ(v, "ECN", "ect1", ecn_name(tos));
        return;
    case DRILL_ECN_ECT01:
        if (bits != 1 && bits != 2)
            differ(v, "ECN", "ect01", ecn_name(tos));
        return;
    case DRILL_ECN_CE:
        if (bits != 3)
            differ(v, "ECN", "ce", ecn_name(tos));
        return;
    }
}

static void compare_ip(struct verdict *v, const struct drill_ends *ends,
                       const struct drill_packet *p, const struct drill_segment *s)
{
    char a[LA_ADDR_TEXT_BYTES], b[LA_ADDR_TEXT_BYTES];
    number(v, "IP version", ends->version, s->version);
    if (!la_addr_equal(ends->local, s->src))
        differ(v, "source", la_addr_format(ends->local, a), la_addr_format(s->src, b));
    if (!la_addr_equal(ends->remote, s->dst))
        differ(v, "destination", la_addr_format(ends->remote, a), la_addr_format(s->dst, b));
    compare_ecn(v, p, s->tos);
    if (p->has_tos)
        number(v, "tos", p->tos, s->tos);
    if (p->has_ttl)
        number(v, "ttl", p->ttl, s->ttl);
    if (p->has_flow_label)
        number(v, "flowlabel", p->flow_label, s->flow_label);
    if (p->has_id)
        number(v, "id", p->id, s->id);
    if (p->has_df)
        number(v, "df", p->df, s->df);
}

/* The segment with the script's numbers, as far as the flow knows them. */
static void translate(const struct drill_flow *f, const struct drill_packet *p,
                      struct drill_segment *s)
{
    if (p == NULL || !p->seq.absolute)
        s->seq -= f->local_offset;
    if ((s->flags & DRILL_ACK) && (p == NULL || !p->ack_absolute))
        s->ack -= f->remote_offset;
    for (uint32_t at = 0; at + 1 < s->options_len;) {
        const uint8_t kind = s->options[at];
        const uint8_t len = kind <= 1 ? 1 : s->options[at + 1];
        if (kind == 0 || len == 0 || at + len > s->options_len)
            return;
        for (uint32_t edge = at + 2; kind == 5 && edge + 4 <= at + len; edge += 4)
            drill_put32(s->options + edge, drill_get32(s->options + edge) - f->remote_offset);
        at += len;
    }
}

static void compare_options(struct verdict *v, const struct drill_packet *p,
                            struct drill_segment *s)
{
    const struct drill_options *o = &p->options;
    if (o->any)
        return;
    /* The value is the host's to choose; its name in the script is bound to it afterwards. */
    if (o->timestamps_at >= 2 && o->timestamps_at + 8 <= s->options_len &&
        s->options[o->timestamps_at - 2] == 8) {
        memcpy(s->options + o->timestamps_at, o->bytes + o->timestamps_at, 4);
        if (o->ecr_any)
            memcpy(s->options + o->timestamps_at + 4, o->bytes + o->timestamps_at + 4, 4);
    }
    if (o->len == s->options_len && memcmp(o->bytes, s->options, o->len) == 0)
        return;
    struct drill_segment expected = *s;
    char a[256], b[256];
    memcpy(expected.options, o->bytes, o->len);
    expected.options_len = o->len;
    drill_flow_text(NULL, &expected, false, a, sizeof a);
    drill_flow_text(NULL, s, false, b, sizeof b);
    const char *from = strchr(a, '<');
    const char *to = strchr(b, '<');
    differ(v, "options", from != NULL ? from : "none", to != NULL ? to : "none");
}

static void flags_text(uint8_t flags, uint8_t reserved, char to[16])
{
    static const char letters[] = "FSRP.UEW";
    size_t at = 0;
    for (int i = 0; i < 8; i++)
        if (letters[i] != '.' && (flags >> i & 1))
            to[at++] = letters[i];
    if (reserved & 1)
        to[at++] = 'A';
    if (flags & DRILL_ACK)
        to[at++] = '.';
    if (at == 0)
        to[at++] = '-';
    to[at] = '\0';
}

static void compare_tcp(struct verdict *v, struct drill_flow *f, const struct drill_packet *p,
                        struct drill_segment *s)
{
    char a[16], b[16];
    number(v, "source port", p->has_ports ? p->src_port : f->local_port, s->src_port);
    number(v, "destination port", p->has_ports ? p->dst_port : f->remote_port, s->dst_port);
    if ((p->flags & DRILL_SYN) && (s->flags & DRILL_SYN) && (!f->local_known || f->reopened)) {
        if (!f->reopened || p->seq.first == 0)
            f->local_offset = s->seq - (p->seq.absolute ? s->seq : p->seq.first);
        f->local_known = true;
        f->reopened = false;
    }
    translate(f, p, s);
    const uint8_t ignored = p->flags_any_push ? DRILL_PSH : 0;
    if (((p->flags ^ s->flags) & (uint8_t)~ignored) != 0 || p->reserved != s->reserved) {
        flags_text(p->flags, p->reserved, a);
        flags_text(s->flags, s->reserved, b);
        differ(v, "flags", a, b);
    }
    number(v, "sequence number", p->seq.first, s->seq);
    number(v, "length of text", p->seq.len, s->text_len);
    if (p->has_ack)
        number(v, "acknowledgment number", p->ack, s->ack);
    else if (!(s->flags & DRILL_ACK))
        number(v, "acknowledgment number without ACK", 0, s->ack);
    if (p->has_window && !p->window_any)
        number(v, "window", p->window, s->window);
    if (p->has_urgent || (s->flags & DRILL_URG))
        number(v, "urgent pointer", p->urgent, s->urgent);
    compare_options(v, p, s);
}

static void compare_icmp(struct verdict *v, const struct drill_packet *p,
                         const struct drill_segment *s)
{
    uint8_t type, code;
    if (!drill_icmp_numbers(s->version == 6, p->icmp_type, p->icmp_code, &type, &code)) {
        differ(v, "ICMP", p->icmp_type, "no such type or code in this version of IP");
        return;
    }
    number(v, "ICMP type", type, s->icmp_type);
    number(v, "ICMP code", code, s->icmp_code);
    if (p->has_icmp_mtu)
        number(v, "MTU", p->icmp_mtu, s->icmp_rest);
    if (p->payload_len > 0)
        number(v, "length of payload", p->payload_len, s->text_len);
}

bool drill_flow_compare(struct drill_flow *f, const struct drill_ends *ends,
                        const struct drill_packet *p, struct drill_segment *s, char *why,
                        size_t room)
{
    struct verdict v = { .why = why, .room = room };
    why[0] = '\0';
    const bool tcp = s->protocol == DRILL_IP_TCP;
    const bool icmp = s->protocol == DRILL_IP_ICMP || s->protocol == DRILL_IP_ICMP6;
    const char *came = tcp ? "TCP" : icmp ? "ICMP" : "another";
    if (p->protocol == DRILL_TCP && !tcp)
        differ(&v, "protocol", "TCP", came);
    else if (p->protocol == DRILL_ICMP && !icmp)
        differ(&v, "protocol", "ICMP", came);
    if (v.used > 0)
        return false;
    compare_ip(&v, ends, p, s);
    if (tcp)
        compare_tcp(&v, f, p, s);
    else
        compare_icmp(&v, p, s);
    return v.used == 0;
}

void drill_flow_learn(struct drill_flow *f, const struct drill_packet *p,
                      const struct drill_segment *live)
{
    if (live->protocol != DRILL_IP_TCP)
        return;
    f->last_seq = live->seq;
    f->has_last = true;
    if (p == NULL || p->options.any || p->options.timestamps_at < 0)
        return;
    const int at = p->options.timestamps_at;
    if (at + 8 > live->options_len)
        return;
    struct drill_stamp *t = &f->stamps[f->stamp_count++ % DRILL_STAMPS_MAX];
    t->script = drill_get32(p->options.bytes + at);
    t->live = drill_get32(live->options + at);
}

/* --- text ---------------------------------------------------------------------- */

struct line {
    char *to;
    size_t room, used;
};

static void say(struct line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct line *l, const char *format, ...)
{
    if (l->used + 1 >= l->room)
        return;
    va_list arguments;
    va_start(arguments, format);
    const int len = vsnprintf(l->to + l->used, l->room - l->used, format, arguments);
    va_end(arguments);
    l->used += len > 0 ? (size_t)len : 0;
    if (l->used >= l->room)
        l->used = l->room - 1;
}

static void say_option(struct line *l, const uint8_t *o, uint32_t len)
{
    switch (o[0]) {
    case 2:
        if (len == 4)
            say(l, "mss %u", drill_get16(o + 2));
        return;
    case 3:
        if (len == 3)
            say(l, "wscale %u", o[2]);
        return;
    case 4:
        say(l, "sackOK");
        return;
    case 5:
        say(l, "sack");
        for (uint32_t at = 2; at + 8 <= len; at += 8)
            say(l, " %u:%u", drill_get32(o + at), drill_get32(o + at + 4));
        return;
    case 8:
        if (len == 10)
            say(l, "TS val %u ecr %u", drill_get32(o + 2), drill_get32(o + 6));
        return;
    default:
        say(l, o[0] == 34 ? "FO " : "kind %u ", o[0]);
        for (uint32_t at = 2; at < len; at++)
            say(l, "%02x", o[at]);
        return;
    }
}

static void say_options(struct line *l, const struct drill_segment *s)
{
    if (s->options_len == 0)
        return;
    say(l, " <");
    for (uint32_t at = 0; at < s->options_len;) {
        const uint8_t *o = s->options + at;
        const uint32_t len = o[0] <= 1 ? 1 : at + 1 < s->options_len ? o[1] : 0;
        if (len == 0 || (o[0] > 1 && len < 2) || at + len > s->options_len)
            break;
        if (o[0] <= 1)
            say(l, o[0] == 1 ? "nop" : "eol");
        else
            say_option(l, o, len);
        at += len;
        if (at < s->options_len)
            say(l, ",");
    }
    say(l, ">");
}

char *drill_flow_text(const struct drill_flow *f, const struct drill_segment *live, bool inbound,
                      char *to, size_t room)
{
    static const struct drill_flow unknown;
    struct line l = { .to = to, .room = room };
    struct drill_segment s = *live;
    struct drill_flow turned = f != NULL ? *f : unknown;
    to[0] = '\0';
    if (inbound) { /* the peer's sequence numbers are its own */
        turned.local_offset = f != NULL ? f->remote_offset : 0;
        turned.remote_offset = f != NULL ? f->local_offset : 0;
    }
    if ((s.tos & 3) != 0)
        say(&l, "[%s] ", ecn_name(s.tos));
    if (s.protocol == DRILL_IP_ICMP || s.protocol == DRILL_IP_ICMP6) {
        const char *type = drill_icmp_type_name(s.version == 6, s.icmp_type);
        const char *code = drill_icmp_code_name(s.version == 6, s.icmp_type, s.icmp_code);
        say(&l, "icmp %s %s", type != NULL ? type : "?", code != NULL ? code : "");
        if (s.icmp_rest != 0)
            say(&l, " mtu %u", s.icmp_rest);
        return to;
    }
    if (s.protocol != DRILL_IP_TCP) {
        say(&l, "protocol %u, %u bytes", s.protocol, s.text_len);
        return to;
    }
    translate(&turned, NULL, &s);
    char flags[16];
    flags_text(s.flags, s.reserved, flags);
    say(&l, "%s %u:%u(%u)", flags, s.seq, s.seq + s.text_len, s.text_len);
    if (s.flags & DRILL_ACK)
        say(&l, " ack %u", s.ack);
    say(&l, " win %u", s.window);
    if (s.flags & DRILL_URG)
        say(&l, " urg %u", s.urgent);
    say_options(&l, &s);
    return to;
}
