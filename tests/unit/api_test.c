/* SPDX-License-Identifier: MIT */
/* api_test.c - The public calls: two stacks speak with each other through nothing else. */
#include "tests/unit/base_test.h"
#include "tests/unit/wire2.h"

#include "core/base/time.h"

static struct w2 *both(bool v6, uint32_t i)
{
    static const uint32_t gso[] = { 0, 65535, 20000 };
    const struct w2_opt opt = { .v6 = v6, .gso_max_bytes = gso[i % 3], .csum_partial = i == 1 };

    return w2_new(&opt);
}

TEST(two_stacks_connect_transfer_both_ways_and_close)
{
    for (uint32_t i = 0; i < 6; i++) {
        struct w2 *w = both(i & 1, i / 2);

        w2_connect(w);
        w2_sound(w);
        w2_transfer(w, 0, 300000);
        w2_sound(w);
        w2_transfer(w, 1, 1000000);
        w2_transfer(w, 0, 1);
        assert_int_equal(w->received[1], 300001);
        assert_int_equal(w->received[0], 1000000);
        w2_sound(w);
        w2_close(w, (int)(i & 1));
        w2_sound(w);
        assert_int_equal(w2_held(w, 0), 0);
        assert_int_equal(w2_held(w, 1), 0);
        assert_true(la_deadline(w->s[0]).ns == UINT64_MAX);
        assert_true(la_deadline(w->s[1]).ns == UINT64_MAX);
        w2_free(w);
    }
}

static bool lose_all(void *context, int from, uint8_t *bytes, uint32_t len_bytes)
{
    (void)context;
    (void)from;
    (void)bytes;
    (void)len_bytes;
    return false;
}

/* Both sides fill one another's buffer of @rcvbuf bytes, read all, and the news is lost. */
static void reopen_after_loss(bool v6, uint32_t rcvbuf)
{
    struct w2 *w = both(v6, 0);

    for (int side = 0; side < 2; side++)
        assert_int_equal(la_sysctl_set(w->s[side], "net.lastack.tcp_rcvbuf", rcvbuf), LA_OK);
    w2_connect(w);
    for (int side = 0; side < 2; side++)
        assert_int_equal(w2_send(w, side, 20000), 20000);
    w2_run(w, 10 * NS_PER_S);
    w->pass = lose_all;
    (void)w2_recv(w, 0);
    (void)w2_recv(w, 1);
    w2_turn(w);
    w->pass = NULL;
    for (uint32_t i = 0; i < 400 && w->received[0] + w->received[1] < 40000; i++) {
        const la_time at[2] = { la_deadline(w->s[0]), la_deadline(w->s[1]) };
        const la_time later = at[0].ns < at[1].ns ? at[1] : at[0];

        if (later.ns != UINT64_MAX && later.ns > w->now.ns)
            w->now = later; /* both timers are due: what they send crosses */
        w2_turn(w);
        (void)w2_recv(w, 0);
        (void)w2_recv(w, 1);
    }
    if (w->received[0] + w->received[1] < 40000)
        fail_msg("a buffer of %u bytes: it stands still", rcvbuf);
    w2_sound(w);
    w2_free(w);
}

TEST(two_closed_windows_whose_reopening_was_lost_open_though_the_probes_cross)
{
    for (uint32_t rcvbuf = 1024; rcvbuf < 5000; rcvbuf += 41)
        reopen_after_loss(rcvbuf & 1, rcvbuf);
}

TEST_MAIN
