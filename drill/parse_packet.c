/* SPDX-License-Identifier: MIT */
/*
 * parse_packet.c - One packet of a script.
 *
 *     < [ip] [ports] FLAGS first:last(len) [ack N] [win N] [urg N] [<options>]
 *     > the same, as expected
 *     < icmp TYPE [CODE] [mtu N] [quoted]      > udp (len)
 */
#include "drill/reader.h"

#include <string.h>

/* --- IP fields: [ect0], [tos 0x10, ttl 64] ------------------------------------- */

static bool read_ip_number(struct drill_reader *r, const char *word, struct drill_packet *p)
{
    uint64_t n;
    if (strcmp(word, "tos") == 0 || strcmp(word, "tclass") == 0) {
        p->has_tos = drill_unsigned(r, "a TOS octet", 255, &n);
        p->tos = (uint8_t)n;
    } else if (strcmp(word, "ttl") == 0 || strcmp(word, "hlim") == 0) {
        p->has_ttl = drill_unsigned(r, "a TTL", 255, &n);
        p->ttl = (uint8_t)n;
    } else if (strcmp(word, "flowlabel") == 0) {
        p->has_flow_label = drill_unsigned(r, "a flow label", 0xfffff, &n);
        p->flow_label = (uint32_t)n;
    } else if (strcmp(word, "id") == 0) {
        p->has_id = drill_unsigned(r, "an IP identification", 65535, &n);
        p->id = (uint16_t)n;
    } else {
        return drill_expected(r, "an IP field: ect0 ect1 ect01 ce noecn tos ttl flowlabel id df");
    }
    return !r->failed;
}

static bool read_ip_field(struct drill_reader *r, struct drill_packet *p)
{
    static const struct {
        const char *word;
        enum drill_ecn ecn;
    } codepoints[] = {
        { "ect0", DRILL_ECN_ECT0 },  { "ect1", DRILL_ECN_ECT1 }, { "ect01", DRILL_ECN_ECT01 },
        { "ect", DRILL_ECN_ECT01 },  { "ce", DRILL_ECN_CE },     { "noecn", DRILL_ECN_NO },
        { "anyecn", DRILL_ECN_ANY },
    };
    const char *word = drill_word(r);
    if (word == NULL)
        return drill_expected(r, "an IP field: ect0 ect1 ect01 ce noecn tos ttl flowlabel id df");
    for (size_t i = 0; i < sizeof codepoints / sizeof codepoints[0]; i++)
        if (strcmp(word, codepoints[i].word) == 0) {
            p->ecn = codepoints[i].ecn;
            return true;
        }
    if (strcmp(word, "df") == 0 || strcmp(word, "nodf") == 0) {
        p->has_df = true;
        p->df = word[0] == 'd';
        return true;
    }
    return read_ip_number(r, word, p);
}

static bool read_ip(struct drill_reader *r, struct drill_packet *p)
{
    if (!drill_take(r, "["))
        return true;
    do {
        if (!read_ip_field(r, p))
            return false;
    } while (drill_take(r, ",") || drill_peek(r) != ']');
    return drill_need(r, "]");
}

/* --- sequence numbers ------------------------------------------------------------ */

static bool read_seq(struct drill_reader *r, struct drill_seq *s)
{
    uint64_t first, last, len;
    s->absolute = drill_take(r, "abs");
    if (!drill_unsigned(r, "a sequence number", UINT32_MAX, &first) || !drill_need(r, ":") ||
        !drill_unsigned(r, "the sequence number behind the text", UINT32_MAX, &last) ||
        !drill_need(r, "(") || !drill_unsigned(r, "the length of the text", 65535, &len) ||
        !drill_need(r, ")"))
        return false;
    s->said = true;
    s->first = (uint32_t)first;
    s->last = (uint32_t)last;
    s->len = (uint32_t)len;
    if (s->last - s->first != s->len)
        return drill_expected(r, "a length that agrees with %u:%u", s->first, s->last);
    return true;
}

static bool read_flags(struct drill_reader *r, struct drill_packet *p)
{
    static const struct {
        char letter;
        uint8_t flag;
    } letters[] = {
        { 'F', 0x01 }, { 'S', 0x02 }, { 'R', 0x04 }, { 'P', 0x08 },
        { '.', 0x10 }, { 'U', 0x20 }, { 'E', 0x40 }, { 'W', 0x80 },
    };
    size_t len;
    const char *at = drill_run(r, "", &len);
    if (len == 0)
        return drill_expected(r, "TCP flags: of F S R P . U E W, or - for none");
    for (size_t i = 0; i < len; i++) {
        size_t k = 0;
        while (k < 8 && letters[k].letter != at[i])
            k++;
        if (k < 8) {
            p->flags |= letters[k].flag;
        } else if (at[i] == 'p' && !p->inbound) {
            p->flags_any_push = true;
        } else if (at[i] == 'A') {
            p->reserved |= 1;
        } else if (at[i] >= '0' && at[i] <= '7') {
            const unsigned ace = (unsigned)(at[i] - '0');
            p->reserved |= (uint8_t)(ace >> 2);
            p->flags |= (uint8_t)((ace & 2) << 6 | (ace & 1) << 6);
        } else if (at[i] != '-' || len > 1) {
            r->at = at;
            return drill_expected(r, "TCP flags: of F S R P . U E W, or - for none");
        }
    }
    return true;
}

/* --- TCP ------------------------------------------------------------------------- */

static bool read_ports(struct drill_reader *r, struct drill_packet *p)
{
    uint64_t from, to;
    const struct drill_reader before = *r;
    while (r->at < r->end && drill_is_digit(*r->at))
        r->at++;
    const bool ports = r->at > before.at && drill_peek(r) == '>';
    *r = before;
    if (!ports)
        return true;
    if (!drill_unsigned(r, "a port", 65535, &from) || !drill_need(r, ">") ||
        !drill_unsigned(r, "a port", 65535, &to))
        return false;
    p->has_ports = true;
    p->src_port = (uint16_t)from;
    p->dst_port = (uint16_t)to;
    return true;
}

static bool read_window(struct drill_reader *r, struct drill_packet *p)
{
    p->has_window = true;
    if (drill_take(r, "*") || drill_take(r, "any") || drill_take(r, "...")) {
        p->window_any = true;
        return p->inbound ? drill_expected(r, "a window for a packet that is to be sent") : true;
    }
    uint64_t window;
    if (!drill_unsigned(r, "a window as it stands in the header", 65535, &window))
        return false;
    p->window = (uint32_t)window;
    return true;
}

static bool read_tcp(struct drill_reader *r, struct drill_packet *p)
{
    uint64_t n;
    if (!read_ports(r, p) || !read_flags(r, p) || !read_seq(r, &p->seq))
        return false;
    if (drill_take(r, "ack")) {
        p->ack_absolute = drill_take(r, "abs");
        if (!drill_unsigned(r, "an acknowledgment number", UINT32_MAX, &n))
            return false;
        p->has_ack = true;
        p->ack = (uint32_t)n;
    }
    if (drill_take(r, "win") && !read_window(r, p))
        return false;
    if (drill_take(r, "urg")) {
        if (!drill_unsigned(r, "an urgent pointer", 65535, &n))
            return false;
        p->has_urgent = true;
        p->urgent = (uint16_t)n;
    }
    p->options.timestamps_at = p->options.sack_at = -1;
    if (drill_take(r, "<"))
        return drill_read_tcp_options(r, &p->options);
    return !r->failed;
}

/* --- the others ------------------------------------------------------------------ */

static bool read_quote(struct drill_reader *r, struct drill_packet *p)
{
    uint64_t len;
    if (drill_take(r, "udp")) {
        p->quote = DRILL_QUOTE_UDP;
        if (!drill_need(r, "(") || !drill_unsigned(r, "a length", 65535, &len) ||
            !drill_need(r, ")"))
            return false;
        p->quoted_len = (uint32_t)len;
        return drill_need(r, "]");
    }
    p->quote = DRILL_QUOTE_TCP;
    return read_seq(r, &p->quoted) && drill_need(r, "]");
}

static bool read_icmp(struct drill_reader *r, struct drill_packet *p)
{
    uint64_t n;
    p->protocol = DRILL_ICMP;
    p->icmp_type = drill_word(r);
    if (p->icmp_type == NULL)
        return drill_expected(r, "an ICMP type: unreachable, packet_too_big, time_exceeded, ...");
    for (;;) {
        if (drill_take(r, "mtu")) {
            if (!drill_unsigned(r, "an MTU", UINT32_MAX, &n))
                return false;
            p->has_icmp_mtu = true;
            p->icmp_mtu = (uint32_t)n;
        } else if (drill_take(r, "[")) {
            if (!read_quote(r, p))
                return false;
        } else if (drill_take(r, "(")) {
            if (!drill_unsigned(r, "a length", 65535, &n) || !drill_need(r, ")"))
                return false;
            p->payload_len = (uint32_t)n;
        } else if (drill_is_letter(drill_peek(r)) && p->icmp_code == NULL) {
            p->icmp_code = drill_word(r);
        } else {
            return !r->failed;
        }
    }
}

static bool read_udp(struct drill_reader *r, struct drill_packet *p)
{
    uint64_t len;
    p->protocol = DRILL_UDP;
    if (!drill_need(r, "(") || !drill_unsigned(r, "the length of a datagram", 65535, &len) ||
        !drill_need(r, ")"))
        return false;
    p->payload_len = (uint32_t)len;
    return true;
}

bool drill_read_packet(struct drill_reader *r, struct drill_packet *p)
{
    if (drill_take(r, "<")) {
        p->inbound = true;
        p->unordered = false;
    } else if (drill_take(r, ">")) {
        if (r->at < r->end && *r->at == '~') {
            r->at++;
            p->unordered = true;
        }
    } else {
        return drill_expected(r, "< (a packet to the host) or > (a packet from it)");
    }
    if (drill_take(r, "sctp"))
        return drill_refused(r, "sctp");
    if (drill_take(r, "ipv4") || drill_take(r, "ipv6") || drill_take(r, "gre") ||
        drill_take(r, "mpls"))
        return drill_refused(r, "packets in packets");
    if (drill_take(r, "udplite"))
        return drill_refused(r, "udplite");
    if (!read_ip(r, p))
        return false;
    if (drill_take(r, "icmp") || drill_take(r, "icmpv4") || drill_take(r, "icmpv6") ||
        drill_take(r, "icmp6"))
        return read_icmp(r, p);
    if (drill_take(r, "udp"))
        return read_udp(r, p);
    if (drill_take(r, "sctp"))
        return drill_refused(r, "sctp");
    return read_tcp(r, p);
}
