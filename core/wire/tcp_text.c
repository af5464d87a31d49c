/* SPDX-License-Identifier: MIT */
/*
 * tcp_text.c - Segments in one line of text, both ways.
 *
 * A line is words: flags by name, and names followed by numbers.  Reading is strict: a
 * word that is not known, a number out of its range, a segment without a sequence number
 * or an ACK without an acknowledgment number is an error, since a test that
 * means something else than it says is worse than none.  What is not said is zero.
 *
 * "urg 5" is the flag and the pointer together; "urgptr 5" is a pointer without the
 * flag; "none" is a segment without flags.  What tcp_text_format() writes,
 * tcp_text_parse() reads back to the same segment, text and ports apart.
 */
#include "core/base/assert.h"
#include "core/base/mem.h"
#include "core/wire/tcp.h"

/* The order is that of writing: ACK last, as in "SYN ACK". */
static const struct {
    const char *name;
    uint8_t flag;
} flag_names[] = {
    { "SYN", TCP_SYN }, { "FIN", TCP_FIN }, { "RST", TCP_RST }, { "PSH", TCP_PSH },
    { "ECE", TCP_ECE }, { "CWR", TCP_CWR }, { "ACK", TCP_ACK },
};

/* Reading ------------------------------------------------------------------------ */

struct reader {
    const char *at;
    const struct tcp_text_bases *bases;
    struct tcp_seg *seg;
    bool has_seq, has_ack;
    const char *error;
};

static bool is_end(char c)
{
    return c == '\0' || c == ' ' || c == '\t';
}

static void skip_blanks(struct reader *r)
{
    while (*r->at == ' ' || *r->at == '\t')
        r->at++;
}

/* Take the word @word, whole. */
static bool take_word(struct reader *r, const char *word)
{
    const char *at = r->at;
    for (; *word != '\0'; word++, at++)
        if (*at != *word)
            return false;
    if (!is_end(*at))
        return false;
    r->at = at;
    return true;
}

static bool take_char(struct reader *r, char c)
{
    if (*r->at != c)
        return false;
    r->at++;
    return true;
}

/* Decimal digits up to @max; 0 and an error otherwise. */
static uint64_t take_number(struct reader *r, uint64_t max)
{
    skip_blanks(r);
    if (*r->at < '0' || *r->at > '9') {
        r->error = "a number is missing";
        return 0;
    }
    uint64_t n = 0;
    for (; *r->at >= '0' && *r->at <= '9'; r->at++) {
        n = n * 10 + (uint64_t)(*r->at - '0');
        if (n > max) {
            r->error = "a number is too large";
            return 0;
        }
    }
    return n;
}

/* A number, perhaps negative, counted from @base. */
static tcp_seq take_relative(struct reader *r, tcp_seq base)
{
    skip_blanks(r);
    const bool negative = take_char(r, '-');
    const uint32_t n = (uint32_t)take_number(r, negative ? UINT32_C(1) << 31 : UINT32_MAX);
    return seq_of(negative ? seq_raw(base) - n : seq_raw(base) + n);
}

static void set_seq(struct reader *r, tcp_seq seq)
{
    r->seg->seq = seq;
    if (r->has_seq)
        r->error = "two sequence numbers";
    r->has_seq = true;
}

static void set_ack(struct reader *r, tcp_seq ack)
{
    r->seg->ack = ack;
    if (r->has_ack)
        r->error = "two acknowledgment numbers";
    r->has_ack = true;
}

static void take_sack(struct reader *r)
{
    struct tcp_options *opt = &r->seg->opt;
    const tcp_seq base = r->bases->outbound ? r->bases->rcv : r->bases->snd;

    do {
        if (opt->sack_count == TCP_SACK_BLOCKS_MAX) {
            r->error = "more than four SACK blocks";
            return;
        }
        struct tcp_sack_block *block = &opt->sack[opt->sack_count++];
        block->left = take_relative(r, base);
        if (r->error == NULL && !take_char(r, ':'))
            r->error = "a SACK block is left:right";
        if (r->error != NULL)
            return;
        block->right = take_relative(r, base);
    } while (r->error == NULL && take_char(r, ','));
}

static void take_timestamps(struct reader *r)
{
    struct tcp_options *opt = &r->seg->opt;

    opt->has_timestamps = true;
    opt->ts_val = (uint32_t)take_number(r, UINT32_MAX);
    if (r->error == NULL && !take_char(r, ':')) {
        r->error = "timestamps are value:echo";
        return;
    }
    if (r->error == NULL)
        opt->ts_ecr = (uint32_t)take_number(r, UINT32_MAX);
}

static bool take_flag(struct reader *r)
{
    if (take_word(r, "none"))
        return true;
    if (take_word(r, "URG")) {
        r->seg->flags |= TCP_URG;
        return true;
    }
    for (uint32_t i = 0; i < LA_COUNT_OF(flag_names); i++)
        if (take_word(r, flag_names[i].name)) {
            r->seg->flags |= flag_names[i].flag;
            return true;
        }
    return false;
}

/* "rcv 1", "snd 1", "seq 7", "ack 7", "len 100", "wnd 500", "urg 5". */
static bool take_field(struct reader *r)
{
    struct tcp_seg *seg = r->seg;

    if (take_word(r, "rcv")) {
        const tcp_seq at = take_relative(r, r->bases->rcv);
        (r->bases->outbound ? set_ack : set_seq)(r, at);
    } else if (take_word(r, "snd")) {
        const tcp_seq at = take_relative(r, r->bases->snd);
        (r->bases->outbound ? set_seq : set_ack)(r, at);
    } else if (take_word(r, "seq")) {
        set_seq(r, seq_of((uint32_t)take_number(r, UINT32_MAX)));
    } else if (take_word(r, "ack")) {
        set_ack(r, seq_of((uint32_t)take_number(r, UINT32_MAX)));
    } else if (take_word(r, "len")) {
        seg->len = (uint32_t)take_number(r, UINT32_MAX);
    } else if (take_word(r, "wnd")) {
        seg->wnd = (uint32_t)take_number(r, UINT16_MAX);
    } else if (take_word(r, "urg")) {
        seg->flags |= TCP_URG;
        seg->urgent = (uint16_t)take_number(r, UINT16_MAX);
    } else if (take_word(r, "urgptr")) {
        seg->urgent = (uint16_t)take_number(r, UINT16_MAX);
    } else {
        return false;
    }
    return true;
}

static bool take_option(struct reader *r)
{
    struct tcp_options *opt = &r->seg->opt;

    if (take_word(r, "mss")) {
        opt->has_mss = true;
        opt->mss = (uint16_t)take_number(r, UINT16_MAX);
    } else if (take_word(r, "wscale")) {
        opt->has_wscale = true;
        opt->wscale = (uint8_t)take_number(r, UINT8_MAX);
    } else if (take_word(r, "sackOK")) {
        opt->has_sack_ok = true;
    } else if (take_word(r, "TS")) {
        take_timestamps(r);
    } else if (take_word(r, "sack")) {
        take_sack(r);
    } else {
        return false;
    }
    return true;
}

const char *tcp_text_parse(const char *line, const struct tcp_text_bases *bases,
                           struct tcp_seg *out)
{
    struct reader r = { .at = line, .bases = bases, .seg = out };

    *out = (struct tcp_seg){ 0 };
    for (skip_blanks(&r); *r.at != '\0'; skip_blanks(&r)) {
        if (!take_flag(&r) && !take_field(&r) && !take_option(&r))
            r.error = "a word is not known";
        else if (r.error == NULL && !is_end(*r.at))
            r.error = "something stands behind a number";
        if (r.error != NULL)
            return r.error;
    }
    if (!r.has_seq)
        return "the sequence number is missing";
    if ((out->flags & TCP_ACK) != 0 && !r.has_ack)
        return "ACK without an acknowledgment number";
    return NULL;
}

/* Writing ------------------------------------------------------------------------ */

struct writer {
    char *to;
    uint32_t room; /* without the NUL */
    uint32_t len;
};

static void put_char(struct writer *w, char c)
{
    if (w->len < w->room)
        w->to[w->len++] = c;
}

static void put_text(struct writer *w, const char *text)
{
    for (; *text != '\0'; text++)
        put_char(w, *text);
}

static void put_number(struct writer *w, uint64_t n)
{
    char digits[20];
    uint32_t count = 0;
    do {
        digits[count++] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    while (count > 0)
        put_char(w, digits[--count]);
}

/* " name" or, at the start of the line, "name". */
static void put_word(struct writer *w, const char *word)
{
    if (w->len > 0)
        put_char(w, ' ');
    put_text(w, word);
}

static void put_named(struct writer *w, const char *name, uint64_t n)
{
    put_word(w, name);
    put_char(w, ' ');
    put_number(w, n);
}

/* Distance from @base, nearest way round. */
static void put_relative(struct writer *w, tcp_seq at, tcp_seq base)
{
    const uint32_t forward = seq_raw(at) - seq_raw(base);
    if (forward <= INT32_MAX) {
        put_number(w, forward);
        return;
    }
    put_char(w, '-');
    put_number(w, seq_raw(base) - seq_raw(at));
}

static void put_position(struct writer *w, const char *name, tcp_seq at, tcp_seq base)
{
    put_word(w, name);
    put_char(w, ' ');
    put_relative(w, at, base);
}

static void put_options(struct writer *w, const struct tcp_options *o, tcp_seq sack_base)
{
    if (o->has_mss)
        put_named(w, "mss", o->mss);
    if (o->has_wscale)
        put_named(w, "wscale", o->wscale);
    if (o->has_sack_ok)
        put_word(w, "sackOK");
    if (o->has_timestamps) {
        put_named(w, "TS", o->ts_val);
        put_char(w, ':');
        put_number(w, o->ts_ecr);
    }
    for (uint32_t i = 0; i < o->sack_count; i++) {
        if (i == 0)
            put_word(w, "sack ");
        else
            put_char(w, ',');
        put_relative(w, o->sack[i].left, sack_base);
        put_char(w, ':');
        put_relative(w, o->sack[i].right, sack_base);
    }
}

static void put_flags(struct writer *w, uint8_t flags)
{
    for (uint32_t i = 0; i < LA_COUNT_OF(flag_names); i++)
        if ((flags & flag_names[i].flag) != 0)
            put_word(w, flag_names[i].name);
    if ((flags & ~TCP_URG) == 0)
        put_word(w, "none");
}

uint32_t tcp_text_format(const struct tcp_seg *seg, const struct tcp_text_bases *bases, char *to,
                         uint32_t room)
{
    LA_ASSERT(room > 0);
    LA_ASSERT(seg->opt.sack_count <= TCP_SACK_BLOCKS_MAX);

    struct writer w = { .to = to, .room = room - 1 };
    const bool out = bases->outbound;
    put_flags(&w, seg->flags);
    put_position(&w, out ? "snd" : "rcv", seg->seq, out ? bases->snd : bases->rcv);
    if ((seg->flags & TCP_ACK) != 0 || seq_raw(seg->ack) != 0)
        put_position(&w, out ? "rcv" : "snd", seg->ack, out ? bases->rcv : bases->snd);
    if (seg->len > 0)
        put_named(&w, "len", seg->len);
    put_named(&w, "wnd", seg->wnd);
    if ((seg->flags & TCP_URG) != 0)
        put_named(&w, "urg", seg->urgent);
    else if (seg->urgent != 0)
        put_named(&w, "urgptr", seg->urgent);
    put_options(&w, &seg->opt, out ? bases->rcv : bases->snd);
    to[w.len] = '\0';
    return w.len;
}
