/* SPDX-License-Identifier: MIT */
/* cube_root_test.c - cube_root() against its definition, on both sides of every cube. */
#include "core/base/cube_root.h"

#include "tests/unit/base_test.h"

__extension__ typedef unsigned __int128 wide;

static bool is_root(uint64_t r, uint64_t a)
{
    const wide next = (wide)(r + 1) * (r + 1) * (r + 1);

    return (wide)r * r * r <= a && next > a;
}

TEST(small_numbers_have_the_roots_they_should)
{
    for (uint64_t a = 0; a < 100000; a++)
        assert_true(is_root(cube_root(a), a));
}

TEST(a_cube_and_its_neighbours_are_told_apart)
{
    for (uint64_t r = 1; r <= 2642245; r += r < 5000 ? 1 : 997) {
        const uint64_t cube = r * r * r;

        assert_int_equal(cube_root(cube), r);
        assert_int_equal(cube_root(cube - 1), r - 1);
        assert_int_equal(cube_root(cube + 1), r);
    }
}

TEST(the_largest_number_has_a_root)
{
    assert_int_equal(cube_root(UINT64_MAX), 2642245);
    for (uint32_t bit = 0; bit < 64; bit++) {
        assert_true(is_root(cube_root(UINT64_C(1) << bit), UINT64_C(1) << bit));
        assert_true(is_root(cube_root(UINT64_MAX >> bit), UINT64_MAX >> bit));
    }
}

TEST_MAIN
