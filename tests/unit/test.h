/* SPDX-License-Identifier: MIT */
/*
 * test.h - How a test looks here: a sentence, registered by itself.
 *
 *     TEST(a_full_slab_says_so)
 *     {
 *         assert_int_equal(slab_take(&slab, arena), SLAB_NONE);
 *     }
 *     TEST_MAIN
 *
 * Tests of one program run in the order they are written.  With an argument only the tests
 * whose names match it run: a pattern as the shell knows it, `slab_test '*full*'`.
 * CMOCKA_MESSAGE_OUTPUT=tap makes the program speak TAP.
 */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TESTS_MAX 512

static struct CMUnitTest test_table[TESTS_MAX];
static size_t test_count;

static inline void test_register(const char *name, CMUnitTestFunction function)
{
    if (test_count == TESTS_MAX) {
        fprintf(stderr, "test.h: more than %d tests in one program\n", TESTS_MAX);
        abort();
    }
    test_table[test_count].name = name;
    test_table[test_count].test_func = function;
    test_count++;
}

#define TEST(name)                                                                                 \
    static void name(void **state);                                                                \
    __attribute__((constructor)) static void register_##name(void)                                 \
    {                                                                                              \
        test_register(#name, name);                                                                \
    }                                                                                              \
    static void name(__attribute__((unused)) void **state)

#define TEST_MAIN                                                                                  \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        if (argc > 1)                                                                              \
            cmocka_set_test_filter(argv[1]);                                                       \
        return _cmocka_run_group_tests(argv[0], test_table, test_count, NULL, NULL);               \
    }

#endif
