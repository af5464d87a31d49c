/* SPDX-License-Identifier: MIT */
/* fifo_test.c - Lists of records: order of entry, and removal at every place. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

#define N 5u

struct kind {
    void (*link)(struct tcp *t, uint32_t class, uint32_t ref);
    void (*unlink)(struct tcp *t, uint32_t class, uint32_t ref);
    bool half, v6;
};
static const struct kind kinds[] = {
    { half_link, half_unlink, true, false },
    { half_link, half_unlink, true, true },
    { short_link, short_unlink, false, false },
    { short_link, short_unlink, false, true },
};

static const struct tcp_fifo *list(const struct hand *h, const struct kind *k)
{
    return k->half ? &h->t->half_class[2] : &h->t->short_class[2].fifo;
}

static uint32_t record(struct hand *h, const struct kind *k)
{
    struct slab *b =
        k->half ? (k->v6 ? &h->t->half6 : &h->t->half4) : (k->v6 ? &h->t->short6 : &h->t->short4);
    const uint32_t i = slab_take(b, h->t);

    assert_int_not_equal(i, SLAB_NONE);
    return k->v6 ? i | TCP_REF_V6 : i;
}

static uint32_t next(const struct hand *h, const struct kind *k, uint32_t ref)
{
    return k->half ? half_at(h->t, ref)->slot.link : short_at(h->t, ref)->slot.link;
}

static uint32_t prev(const struct hand *h, const struct kind *k, uint32_t ref)
{
    return k->half ? half_at(h->t, ref)->prev : short_at(h->t, ref)->prev;
}

static void expect(const struct hand *h, const struct kind *k, const uint32_t *refs, uint32_t n)
{
    const struct tcp_fifo *f = list(h, k);
    uint32_t before = TCP_REF_NONE, at = f->head;

    assert_int_equal(f->len, n);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(at, refs[i]);
        assert_int_equal(prev(h, k, at), before);
        before = at;
        at = next(h, k, at);
    }
    assert_int_equal(at, TCP_REF_NONE);
    assert_int_equal(f->tail, before);
}

TEST(records_stand_in_the_order_they_came)
{
    for (uint32_t i = 0; i < LA_COUNT_OF(kinds); i++) {
        struct hand h;
        uint32_t refs[N];

        hand_new(&h, NULL);
        expect(&h, &kinds[i], refs, 0);
        for (uint32_t k = 0; k < N; k++) {
            refs[k] = record(&h, &kinds[i]);
            kinds[i].link(h.t, 2, refs[k]);
            expect(&h, &kinds[i], refs, k + 1);
        }
        hand_free(&h);
    }
}

TEST(a_record_leaves_from_any_place_and_the_others_keep_their_order)
{
    for (uint32_t i = 0; i < LA_COUNT_OF(kinds); i++)
        for (uint32_t gone = 0; gone < N; gone++) {
            struct hand h;
            uint32_t refs[N], left[N], n = 0;

            hand_new(&h, NULL);
            for (uint32_t k = 0; k < N; k++) {
                refs[k] = record(&h, &kinds[i]);
                kinds[i].link(h.t, 2, refs[k]);
                if (k != gone)
                    left[n++] = refs[k];
            }
            kinds[i].unlink(h.t, 2, refs[gone]);
            expect(&h, &kinds[i], left, n);
            kinds[i].link(h.t, 2, refs[gone]); /* behind all */
            left[n++] = refs[gone];
            expect(&h, &kinds[i], left, n);
            for (uint32_t k = 0; k < N; k++) {
                kinds[i].unlink(h.t, 2, left[k]);
                expect(&h, &kinds[i], left + k + 1, N - k - 1);
            }
            hand_free(&h);
        }
}

TEST(taking_from_an_empty_list_is_a_programming_error)
{
    struct hand h;

    hand_new(&h, NULL);
    const uint32_t ref = record(&h, &kinds[0]);
    expect_assert_failure(half_unlink(h.t, 2, ref));
    const uint32_t w = record(&h, &kinds[2]);
    expect_assert_failure(short_unlink(h.t, 2, w));
    hand_free(&h);
}

static void set_expires(struct hand *h, const struct kind *k, uint32_t ref, uint64_t ns)
{
    if (k->half)
        half_at(h->t, ref)->expires.ns = ns;
    else
        short_at(h->t, ref)->expires.ns = ns;
}

static uint64_t deadline(struct hand *h, const struct kind *k)
{
    return k->half ? half_deadline(h->t).ns : short_deadline(h->t).ns;
}

static bool stale(const struct hand *h, const struct kind *k)
{
    return k->half ? h->t->half_due.stale : h->t->short_due.stale;
}

TEST(the_earliest_of_all_lists_is_kept_and_looked_for_only_when_it_has_gone)
{
    for (uint32_t i = 0; i < LA_COUNT_OF(kinds); i++) {
        const struct kind *k = &kinds[i];
        uint32_t ref[4];
        struct hand h;

        hand_new(&h, NULL);
        assert_int_equal(deadline(&h, k), UINT64_MAX);
        for (uint32_t n = 0; n < 4; n++) {
            ref[n] = record(&h, k);
            set_expires(&h, k, ref[n], 400 - 100 * (n % 2) + n);
            k->link(h.t, n % 2, ref[n]); /* 400 and 402; 301 and 303 */
        }
        assert_false(stale(&h, k));
        assert_int_equal(deadline(&h, k), 301);
        k->unlink(h.t, 0, ref[2]); /* another list, and later */
        k->unlink(h.t, 1, ref[3]); /* not the first */
        assert_false(stale(&h, k));
        k->unlink(h.t, 1, ref[1]);
        assert_true(stale(&h, k));
        assert_int_equal(deadline(&h, k), 400);
        assert_false(stale(&h, k));
        k->unlink(h.t, 0, ref[0]);
        assert_int_equal(deadline(&h, k), UINT64_MAX);
        hand_free(&h);
    }
}

TEST_MAIN
