/* SPDX-License-Identifier: MIT */
/* bench_expect.c - Looking at the stack on the bench: its state, and what it has sent. */
#include "tests/rfc/bench.h"

static bool same_endpoint(const struct la_endpoint *x, const struct la_endpoint *y)
{
    return x->port == y->port && la_addr_equal(x->addr, y->addr);
}

/*
 * Whatever stands under the 4-tuple; then the shell of a connection that has ended; then a
 * listener; then nothing.
 */
int bench_state_now(const struct bench *b)
{
    struct la_row rows[16];
    uint64_t cursor = 0;
    bool listening = false;
    uint32_t n;

    while ((n = la_rows(b->s, &cursor, rows, 16)) > 0)
        for (uint32_t i = 0; i < n; i++) {
            if (rows[i].kind == LA_ROW_LISTENER)
                listening = true;
            else if (rows[i].state != LA_CLOSED && same_endpoint(&rows[i].local, &b->local) &&
                     same_endpoint(&rows[i].remote, &b->remote))
                return (int)rows[i].state;
        }
    if (b->has_conn || !listening)
        return LA_CLOSED;
    return LA_LISTEN;
}

struct la_conn_info bench_info(struct bench *b)
{
    struct la_conn_info info;

    if (la_conn_info(b->s, b->conn, &info) != LA_OK)
        bench_fail(b, __FILE__, __LINE__, "there is no connection");
    return info;
}

uint32_t bench_forget_tx(struct bench *b)
{
    const uint32_t n = b->tx_count;

    b->tx_count = 0;
    return n;
}

const struct bench_tx *bench_next_tx(struct bench *b)
{
    const struct bench_tx *t = &b->tx[b->tx_first];

    if (b->tx_count == 0)
        return NULL;
    b->tx_first = (b->tx_first + 1) % BENCH_TX_MAX;
    b->tx_count--;
    return t;
}

/* Segments ----------------------------------------------------------------------------- */

static bool says(const char *line, const char *word)
{
    const size_t len = strlen(word);

    for (const char *at = strstr(line, word); at != NULL; at = strstr(at + 1, word))
        if ((at == line || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
            return true;
    return false;
}

static bool same_sack(const struct tcp_options *x, const struct tcp_options *y)
{
    if (x->sack_count != y->sack_count)
        return false;
    for (uint32_t i = 0; i < x->sack_count; i++)
        if (!seq_eq(x->sack[i].left, y->sack[i].left) ||
            !seq_eq(x->sack[i].right, y->sack[i].right))
            return false;
    return true;
}

/* Flags, numbers and length always; window and options where the line speaks of them. */
static bool matches(const char *line, const struct tcp_seg *want, const struct tcp_seg *got)
{
    const struct tcp_options *w = &want->opt;
    const struct tcp_options *g = &got->opt;

    if (want->flags != got->flags || !seq_eq(want->seq, got->seq) || want->len != got->len)
        return false;
    if (want->flags & TCP_ACK && !seq_eq(want->ack, got->ack))
        return false;
    if (says(line, "wnd") && want->wnd != got->wnd)
        return false;
    if (w->has_mss && (!g->has_mss || g->mss != w->mss))
        return false;
    if (w->has_wscale && (!g->has_wscale || g->wscale != w->wscale))
        return false;
    if (w->has_sack_ok && !g->has_sack_ok)
        return false;
    if (w->has_timestamps &&
        (!g->has_timestamps || g->ts_val != w->ts_val || g->ts_ecr != w->ts_ecr))
        return false;
    return !says(line, "sack") || same_sack(w, g);
}

const struct bench_tx *bench_expect_tx(struct bench *b, const char *line, const char *file, int at)
{
    const struct bench_tx *t = bench_next_tx(b);
    const struct tcp_text_bases out = { .rcv = b->rcv_base, .snd = b->snd_base, .outbound = true };
    struct tcp_seg want;
    char got[BENCH_LINE_BYTES];

    bench_parse(b, line, true, &want);
    if (t == NULL)
        bench_fail(b, file, at, "wanted \"%s\", and nothing was sent", line);
    if (!matches(line, &want, &t->seg)) {
        tcp_text_format(&t->seg, &out, got, sizeof got);
        bench_fail(b, file, at, "wanted \"%s\", and \"%s\" was sent", line, got);
    }
    return t;
}

void bench_expect_no_tx(struct bench *b, const char *file, int at)
{
    const struct bench_tx *t = bench_next_tx(b);
    const struct tcp_text_bases out = { .rcv = b->rcv_base, .snd = b->snd_base, .outbound = true };
    char got[BENCH_LINE_BYTES];

    if (t == NULL)
        return;
    tcp_text_format(&t->seg, &out, got, sizeof got);
    bench_fail(b, file, at, "nothing should be sent, and \"%s\" was", got);
}

const struct bench_tx *bench_expect_tx_at(struct bench *b, uint64_t ns, const char *line,
                                          const char *file, int at)
{
    const la_time due = { b->mark.ns + ns };
    const struct bench_tx *t;

    if (b->tx_count == 0) {
        if (due.ns < b->now.ns)
            bench_fail(b, file, at, "wanted \"%s\" at a time that is past", line);
        bench_sleep(b, due.ns - b->now.ns);
    }
    t = bench_expect_tx(b, line, file, at);
    if (t->at.ns != due.ns)
        bench_fail(b, file, at, "\"%s\" was sent at %llu us, wanted at %llu us", line,
                   (unsigned long long)((t->at.ns - b->mark.ns) / 1000u),
                   (unsigned long long)(ns / 1000u));
    return t;
}

void bench_expect_quiet(struct bench *b, uint64_t ns, const char *file, int at)
{
    bench_expect_no_tx(b, file, at);
    bench_sleep(b, ns);
    bench_expect_no_tx(b, file, at);
}

/* Everything else -------------------------------------------------------------------------- */

void bench_expect_state(struct bench *b, int state, const char *file, int at)
{
    const int now = bench_state_now(b);

    if (now != state)
        bench_fail(b, file, at, "the state is %s, wanted %s", la_state_name((enum la_state)now),
                   la_state_name((enum la_state)state));
}

void bench_expect_error(struct bench *b, enum la_err err, const char *file, int at)
{
    const enum la_err now = la_conn_error(b->s, b->conn, NULL);

    if (now != err)
        bench_fail(b, file, at, "the error is %s, wanted %s", la_err_name(now), la_err_name(err));
}

void bench_expect_drop(struct bench *b, enum la_drop reason, const char *file, int at)
{
    if (la_drops(b->s, reason) > b->drops_before[reason])
        return;
    for (uint32_t i = 0; i < LA_DROPS; i++)
        if (la_drops(b->s, (enum la_drop)i) > b->drops_before[i])
            bench_fail(b, file, at, "the reason given was %s, wanted %s",
                       la_drop_name((enum la_drop)i), la_drop_name(reason));
    bench_fail(b, file, at, "no reason was given, wanted %s", la_drop_name(reason));
}

void bench_expect_recv(struct bench *b, int64_t value, const char *file, int at)
{
    uint8_t byte;
    const int64_t n = la_recv(b->s, b->now, b->conn, &byte, 1);

    if (n != value)
        bench_fail(b, file, at, "la_recv() gave %lld (%s), wanted %lld", (long long)n,
                   n < 0 ? la_err_name((enum la_err)n) : "bytes", (long long)value);
}

void bench_expect_send(struct bench *b, int64_t value, const char *file, int at)
{
    const uint8_t byte = 0;
    const int64_t n = la_send(b->s, b->now, b->conn, &byte, 1, 0);

    if (n != value)
        bench_fail(b, file, at, "la_send() gave %lld (%s), wanted %lld", (long long)n,
                   n < 0 ? la_err_name((enum la_err)n) : "bytes", (long long)value);
}

void bench_expect_equal(struct bench *b, int64_t value, int64_t wanted, const char *what,
                        const char *file, int at)
{
    if (value != wanted)
        bench_fail(b, file, at, "%s is %lld, wanted %lld", what, (long long)value,
                   (long long)wanted);
}

void bench_expect_true(struct bench *b, bool value, const char *what, const char *file, int at)
{
    if (!value)
        bench_fail(b, file, at, "it does not hold that %s", what);
}
