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

TEST_MAIN
