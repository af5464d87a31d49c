/* SPDX-License-Identifier: MIT */
/*
 * matrix_test.c - Every kind of segment in every state.
 *
 * places (the eleven states, and the two that exist in a second size) x where SEG.SEQ lies x where
 * SEG.ACK lies x with and without text x flags.  Each cell begins from a copy of the same stack, is
 * judged by what holds of all cells (below), and its outcome - the answer, the state, the reason
 * given - is compared with tests/rfc/matrix.golden.  The table is the same for both families and
 * at all origins.  With BENCH_REWRITE=1 the table is written anew; read the difference before you
 * commit it.
 *
 * Of the flags SYN, FIN, RST and ACK decide; that PSH, URG, ECE, CWR and the reserved bits change
 * nothing is tested on all 256 combinations.
 */
#include "tests/rfc/bench.h"

#define ARENA_BYTES (2u << 20)
#define SEQS 6
#define ACKS 6
#define TEXTS 2
#define FLAGS 16
#define OUTCOMES_MAX 400
#define OUTCOME_BYTES 64
#define TABLE_BYTES (256u * 1024u)

static _Alignas(64) uint8_t copy_arena[ARENA_BYTES];

static const char *const place_names[BENCH_PLACES] = {
    "CLOSED",     "LISTEN",       "SYN-SENT",    "SYN-RECEIVED", "ESTABLISHED",
    "FIN-WAIT-1", "FIN-WAIT-2",   "CLOSE-WAIT",  "CLOSING",      "LAST-ACK",
    "TIME-WAIT",  "SIMULTANEOUS", "ORPHAN-FW-2",
};
/* The window is [rcv 0, rcv 500). */
static const char *const seq_names[SEQS] = { "old", "left", "inside", "right", "beyond", "far" };
static const uint32_t seq_at[SEQS] = { 0u - 10u, 0, 100, 499, 500, 0x80000000u };
static const char *const ack_names[ACKS] = { "old", "una", "una+1", "nxt", "nxt+1", "far" };
static const uint32_t text_len[TEXTS] = { 0, 10 };

struct cell {
    int place;
    uint32_t seq, ack, text;
    uint8_t flags;
};
struct outcome {
    int state;
    uint32_t replies;
    struct tcp_seg reply; /* the first */
    enum la_drop reason;
    uint32_t reasons; /* how many were given */
};

/* One place: the stack as it was brought there, and its numbers. */
struct origin {
    struct la_stack *s;
    tcp_seq una, nxt;
    la_time now;
};

static uint8_t flags_of(uint32_t i)
{
    return (uint8_t)((i & 1 ? TCP_SYN : 0) | (i & 2 ? TCP_FIN : 0) | (i & 4 ? TCP_RST : 0) |
                     (i & 8 ? TCP_ACK : 0));
}

static tcp_seq ack_of(const struct origin *o, uint32_t ack)
{
    switch (ack) {
    case 0:
        return seq_sub(o->una, 1);
    case 1:
        return o->una;
    case 2:
        return seq_add(o->una, 1);
    case 3:
        return o->nxt;
    case 4:
        return seq_add(o->nxt, 1);
    default:
        return seq_add(o->una, 0x80000000u);
    }
}

/* Something in flight, where the state has text to send. */
static void bring(struct bench *b, int place, struct origin *o)
{
    const struct bench_opt opt = { .rcv_wnd = 500 };

    bench_again(b);
    bench_state(b, place, &opt);
    if (place == LA_ESTABLISHED || place == LA_CLOSE_WAIT)
        bench_send(b, 10);
    bench_forget_tx(b);
    o->s = b->s;
    o->now = b->now;
    o->una = b->snd_base;
    o->nxt = b->snd_base;
    if (place == LA_SYN_SENT || place == LA_SYN_RECEIVED || place == BENCH_SIMULTANEOUS)
        o->nxt = seq_add(o->una, 1);
    else if (b->has_conn && bench_info(b).state != LA_CLOSED)
        o->nxt = seq_of(bench_info(b).snd_nxt);
}

/* Memory lent to a clone must be zeroed: what the last one used is. */
static void wipe(struct la_stack *s)
{
    struct la_extent used[LA_EXTENTS_MAX];
    const uint32_t n = la_extents(s, used);

    for (uint32_t i = 0; i < n; i++)
        memset(copy_arena + used[i].offset_bytes, 0, used[i].len_bytes);
}

static void run(struct bench *b, const struct origin *o, const struct cell *cell, uint8_t reserved,
                struct outcome *out)
{
    struct tcp_seg seg = { .flags = cell->flags, .len = text_len[cell->text], .wnd = 65535 };
    static uint8_t packet[200];
    struct la_frame frame = { .bytes = packet };

    if (la_clone(o->s, copy_arena, sizeof copy_arena, &b->s) != LA_OK)
        bench_fail(b, __FILE__, __LINE__, "la_clone() failed");
    seg.seq = seq_add(b->rcv_base, seq_at[cell->seq]);
    seg.ack = ack_of(o, cell->ack);
    seg.urgent = cell->flags & TCP_URG ? 1 : 0;
    frame.len_bytes = bench_packet(b, &seg, packet);
    if (reserved != 0) {
        packet[(b->family == 4 ? 20 : 40) + 12] |= reserved;
        frame.flags = LA_FRAME_CSUM_OK;
    }
    b->now = o->now;
    b->edge_known = false;
    la_rx(b->s, b->now, &frame, 1);
    out->reasons = 0;
    for (uint32_t i = 0; i < LA_DROPS; i++) {
        const uint64_t n = la_drops(b->s, (enum la_drop)i) - la_drops(o->s, (enum la_drop)i);

        if (n > 0)
            out->reason = (enum la_drop)i;
        out->reasons += (uint32_t)n;
    }
    bench_drain(b); /* la_check() and all */
    out->state = bench_state_now(b);
    out->replies = b->tx_count;
    out->reply = b->tx[b->tx_first].seg;
    bench_forget_tx(b);
    b->log_lines = 0;
    wipe(b->s);
    b->s = o->s;
}

/* What holds of all cells ------------------------------------------------------------------ */

static bool synchronized(int place)
{
    return (place >= LA_ESTABLISHED && place <= LA_TIME_WAIT) || place == BENCH_ORPHAN_FIN_WAIT_2;
}

/* Where one segment can lead. */
static bool legal(int place, int to)
{
    static const uint32_t next[BENCH_PLACES] = {
        [LA_CLOSED] = 0,
        [LA_LISTEN] = S(SYN_RECEIVED),
        [LA_SYN_SENT] = S(SYN_RECEIVED) | S(ESTABLISHED) | S(CLOSE_WAIT) | S(CLOSED),
        [LA_SYN_RECEIVED] = S(ESTABLISHED) | S(CLOSE_WAIT) | S(LISTEN),
        [LA_ESTABLISHED] = S(CLOSE_WAIT) | S(CLOSED),
        [LA_FIN_WAIT_1] = S(FIN_WAIT_2) | S(CLOSING) | S(TIME_WAIT) | S(CLOSED),
        [LA_FIN_WAIT_2] = S(TIME_WAIT) | S(CLOSED),
        [LA_CLOSE_WAIT] = S(CLOSED),
        [LA_CLOSING] = S(TIME_WAIT) | S(CLOSED),
        [LA_LAST_ACK] = S(CLOSED),
        [LA_TIME_WAIT] = 0,
        [BENCH_SIMULTANEOUS] = S(ESTABLISHED) | S(CLOSE_WAIT) | S(CLOSED),
        [BENCH_ORPHAN_FIN_WAIT_2] = S(TIME_WAIT) | S(CLOSED),
    };
    return (next[place] >> to & 1u) != 0;
}

static const char *judge_answer(const struct cell *c, const struct outcome *o)
{
    const bool in_window = c->seq >= 1 && c->seq <= 3;

    if (o->replies > 1)
        return "more than one answer";
    if (o->reasons != 1)
        return "not exactly one reason";
    if (!(c->flags & TCP_RST) || o->replies == 0)
        return NULL;
    if (o->reply.flags != TCP_ACK)
        return "a reset was answered with something else than a challenge ACK";
    if (!in_window || c->seq == 1)
        return "a reset that is exact or outside the window was answered";
    if (c->place == LA_CLOSED || c->place == LA_LISTEN || c->place == LA_SYN_SENT ||
        c->place == LA_TIME_WAIT)
        return "a reset was answered in a state that challenges none";
    return NULL;
}

static const char *judge_state(const struct cell *c, const struct outcome *o, int before)
{
    const bool exact_reset = c->flags & TCP_RST && c->seq == 1;
    const bool fin_acked =
        c->place == LA_LAST_ACK && c->flags & TCP_ACK && (c->ack == 2 || c->ack == 3);
    const bool refused_text = c->place == BENCH_ORPHAN_FIN_WAIT_2 && text_len[c->text] > 0;

    if (o->state == before)
        return NULL;
    if (!legal(c->place, o->state))
        return "a state was entered that no segment leads to from there";
    if (synchronized(c->place) && o->state == LA_CLOSED && !exact_reset && !fin_acked &&
        !refused_text)
        return "something else than an exact reset killed";
    if (c->place == LA_TIME_WAIT)
        return "TIME-WAIT was ended";
    if (c->flags & TCP_SYN && !(c->flags & TCP_RST) && synchronized(c->place))
        return "a SYN changed a synchronized connection";
    if (c->seq >= 4 && c->place >= LA_SYN_RECEIVED)
        return "a segment beyond the window changed the state";
    if (!(c->flags & (TCP_ACK | TCP_RST)) && c->place >= LA_SYN_RECEIVED)
        return "a segment without ACK changed the state";
    return NULL;
}

static void judge(struct bench *b, const struct cell *c, const struct outcome *o, int before)
{
    const char *broken = judge_answer(c, o);

    if (broken == NULL)
        broken = judge_state(c, o, before);
    if (broken != NULL)
        bench_fail(b, __FILE__, __LINE__,
                   "%s: %s, SEG.SEQ %s, SEG.ACK %s, flags %02x, %u octets: %u answers, %s, %s",
                   broken, place_names[c->place], seq_names[c->seq], ack_names[c->ack], c->flags,
                   text_len[c->text], o->replies, la_state_name((enum la_state)o->state),
                   la_drop_name(o->reason));
}

/* The table --------------------------------------------------------------------------------- */

static char outcomes[OUTCOMES_MAX][OUTCOME_BYTES];
static uint32_t outcome_count;
static char table[TABLE_BYTES], golden[TABLE_BYTES], row[ACKS][FLAGS * 4 + 1];
static size_t table_len;

static const char *answer_name(const struct outcome *o)
{
    const uint8_t f = o->replies == 0 ? 0 : o->reply.flags;

    if (o->replies == 0)
        return "-";
    if (f == TCP_ACK)
        return o->reply.len > 0 ? "text" : "ACK";
    if (f == TCP_RST)
        return "RST";
    if (f == (TCP_RST | TCP_ACK))
        return "RST,ACK";
    return f == (TCP_SYN | TCP_ACK) ? "SYN,ACK" : "other";
}

static uint32_t code_of(struct bench *b, const struct outcome *o)
{
    char text[OUTCOME_BYTES];

    snprintf(text, sizeof text, "%-8s %-12s %s", answer_name(o),
             la_state_name((enum la_state)o->state), la_drop_name(o->reason));
    for (uint32_t i = 0; i < outcome_count; i++)
        if (strcmp(outcomes[i], text) == 0)
            return i;
    if (outcome_count == OUTCOMES_MAX)
        bench_fail(b, __FILE__, __LINE__, "too many different outcomes");
    memcpy(outcomes[outcome_count], text, sizeof text);
    return outcome_count++;
}

static void put(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void put(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    table_len += (size_t)vsnprintf(table + table_len, sizeof table - table_len, format, args);
    va_end(args);
    assert_true(table_len < sizeof table);
}

/* Rows that are equal for neighbouring ack classes become one. */
static void put_rows(int place, uint32_t text, uint32_t seq)
{
    for (uint32_t from = 0; from < ACKS;) {
        char names[64];
        uint32_t to = from + 1;
        size_t len = 0;

        while (to < ACKS && strcmp(row[from], row[to]) == 0)
            to++;
        if (to - from == ACKS)
            len = (size_t)snprintf(names, sizeof names, "any");
        else
            for (uint32_t i = from; i < to; i++)
                len += (size_t)snprintf(names + len, sizeof names - len, "%s%s",
                                        i > from ? "," : "", ack_names[i]);
        put("%-12s %-2u %-6s %-26s%s\n", place_names[place], text_len[text], seq_names[seq], names,
            row[from]);
        from = to;
    }
}

static void fill_place(struct bench *b, int place)
{
    struct origin o;

    bring(b, place, &o);
    const int before = bench_state_now(b);
    for (uint32_t text = 0; text < TEXTS; text++)
        for (uint32_t seq = 0; seq < SEQS; seq++) {
            for (uint32_t ack = 0; ack < ACKS; ack++)
                for (uint32_t i = 0; i < FLAGS; i++) {
                    const struct cell c = { place, seq, ack, text, flags_of(i) };
                    struct outcome out;

                    run(b, &o, &c, 0, &out);
                    judge(b, &c, &out, before);
                    snprintf(row[ack] + 4 * i, 5, " %03u", code_of(b, &out));
                }
            put_rows(place, text, seq);
        }
}

static void make_table(struct bench *b)
{
    static char body[TABLE_BYTES];
    size_t body_len;

    table_len = outcome_count = 0;
    for (int place = 0; place < BENCH_PLACES; place++)
        fill_place(b, place);
    body_len = table_len;
    memcpy(body, table, body_len + 1);
    table_len = 0;
    put("# What every kind of segment does in every state: answer, state after it, reason.\n"
        "# Made and compared by tests/rfc/matrix_test.c, which says what the columns mean.\n"
        "# A row: place, octets of text, where SEG.SEQ lies, where SEG.ACK lies, and an outcome "
        "for\n"
        "# the flags none, S, F, SF, R, SR, FR, SFR, A, SA, FA, SFA, RA, SRA, FRA, SFRA.\n");
    for (uint32_t i = 0; i < outcome_count; i++)
        put("%03u  %s\n", i, outcomes[i]);
    put("\n%s", body);
}

static void compare(struct bench *b)
{
    static const char path[] = TEST_SOURCE_DIR "/tests/rfc/matrix.golden";
    /* Written by the first run, compared by the seven others. */
    const bool rewrite = getenv("BENCH_REWRITE") != NULL && b->family == 4 && b->origin == 0;
    FILE *f = fopen(path, rewrite ? "w" : "r");
    uint32_t line = 1;
    size_t n, i = 0;

    if (f == NULL)
        bench_fail(b, __FILE__, __LINE__, "can not open %s", path);
    if (rewrite) {
        n = fwrite(table, 1, table_len, f);
        assert_int_equal(fclose(f), 0);
        assert_int_equal(n, table_len);
        return;
    }
    n = fread(golden, 1, sizeof golden - 1, f);
    golden[n] = '\0';
    fclose(f);
    while (table[i] == golden[i] && table[i] != '\0')
        line += table[i++] == '\n';
    if (table[i] == golden[i])
        return;
    while (i > 0 && table[i - 1] != '\n')
        i--;
    bench_fail(b, path, (int)line, "wanted\n  %.*s\ngot\n  %.*s", (int)strcspn(golden + i, "\n"),
               golden + i, (int)strcspn(table + i, "\n"), table + i);
}

BENCH_TEST(every_kind_of_segment_does_in_every_state_what_the_table_says)
{
    make_table(b);
    compare(b);
}

static bool equal(const struct outcome *x, const struct outcome *y)
{
    return x->state == y->state && x->replies == y->replies && x->reason == y->reason &&
           (x->replies == 0 || ((x->reply.flags | TCP_ECE) == (y->reply.flags | TCP_ECE) &&
                                /* which agrees on ECN */ seq_eq(x->reply.seq, y->reply.seq) &&
                                seq_eq(x->reply.ack, y->reply.ack)));
}

/* All combinations of the other flags with these four, at one place. */
static void other_flags(struct bench *b, const struct origin *o, struct cell c, int before)
{
    const uint8_t base = c.flags;
    struct outcome plain, out;

    run(b, o, &c, 0, &plain);
    for (uint32_t more = 1; more < 17; more++) {
        const uint8_t reserved = more == 16 ? 0x0f : 0;

        c.flags = (uint8_t)(base | (more & 1 ? TCP_PSH : 0) | (more & 2 ? TCP_URG : 0) |
                            (more & 4 ? TCP_ECE : 0) | (more & 8 ? TCP_CWR : 0));
        run(b, o, &c, reserved, &out);
        judge(b, &c, &out, before);
        if (!equal(&plain, &out))
            bench_fail(b, __FILE__, __LINE__,
                       "flags %02x (reserved %x) differ from %02x in %s, %s, %s", c.flags, reserved,
                       base, place_names[c.place], seq_names[c.seq], ack_names[c.ack]);
    }
}

BENCH_TEST(psh_urg_ece_cwr_and_reserved_bits_change_nothing)
{
    if (b->origin != 3 || b->family != 4)
        return; /* two hundred thousand cells are enough */
    for (int place = 0; place < BENCH_PLACES; place++) {
        struct origin o;

        bring(b, place, &o);
        const int before = bench_state_now(b);
        for (uint32_t i = 0; i < FLAGS * TEXTS * SEQS * ACKS; i++) {
            const struct cell c = { place, i / FLAGS % SEQS, i / FLAGS / SEQS % ACKS,
                                    i / FLAGS / SEQS / ACKS, flags_of(i % FLAGS) };

            other_flags(b, &o, c, before);
        }
    }
}

TEST_MAIN
