/* SPDX-License-Identifier: MIT */
/*
 * poison_test.c - A record or a chunk that is touched after it was given back ends the program, where a
 * sanitizer watches; and nothing changes where none does.
 *
 * Each fault is planted in a child.  The same test runs in both builds: whether the sanitizer's runtime
 * library is there says what must become of the child.
 */
#include "tests/unit/hand.h"
#include "tests/unit/test.h"

#include "core/base/poison.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

void *__asan_region_is_poisoned(void *at, size_t len_bytes) __attribute__((weak));

static bool watched(void)
{
    return LA_DEBUG && __asan_region_is_poisoned != NULL;
}

/* Does a program that does this go on? */
static bool survives(void (*act)(void *context), void *context)
{
    int status;
    const pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

        if (null < 0 || dup2(null, STDERR_FILENO) < 0)
            _exit(3);
        act(context);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static volatile uint8_t seen;

static void read_byte(void *at)
{
    seen = *(volatile uint8_t *)at;
}

static void write_byte(void *at)
{
    *(volatile uint8_t *)at = 1;
}

static void connection(struct hand *h, bool v6)
{
    const struct hand_opt opt = { .v6 = v6 };

    hand_new(h, &opt);
    hand_establish(h, &opt);
}

TEST(what_is_in_use_may_be_touched)
{
    struct hand h;

    connection(&h, false);
    assert_true(survives(read_byte, &hand_conn(&h)->state));
    assert_true(survives(write_byte, &hand_conn(&h)->state));
    hand_free(&h);
}

TEST(a_connection_that_is_used_after_it_was_given_back_is_seen)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h;

        connection(&h, v6);
        struct tcp_conn *const c = hand_conn(&h);
        assert_int_equal(la_abort(h.s, h.now, h.conn), LA_OK);
        (void)hand_drain(&h);
        assert_false(slab_live(&h.t->conns, h.t, 0));
        assert_int_equal(survives(read_byte, &c->state), !watched());
        assert_int_equal(survives(write_byte, &c->state), !watched());
        assert_true(
            survives(read_byte, c)); /* its generation is asked for by whoever has a handle */
        hand_free(&h);
    }
}

TEST(text_that_a_driver_reads_after_it_was_acknowledged_is_seen)
{
    struct hand h;
    struct la_tx out[4];

    connection(&h, false);
    assert_int_equal(la_send(h.s, h.now, h.conn, "text", 4, 0), 4);
    assert_int_equal(la_tx(h.s, h.now, out, 4), 1);
    uint8_t *const text = (uint8_t *)(uintptr_t)out[0].spans[0].bytes;
    assert_true(survives(read_byte, text));
    hand_rx(&h, "ACK rcv 1 snd 5 wnd 65535");
    assert_int_equal(survives(read_byte, text), !watched());
    hand_free(&h);
}

TEST(a_copy_of_a_stack_is_watched_as_the_stack_is)
{
    struct hand h;
    struct la_stack *twin;

    connection(&h, false);
    const uint64_t at = (uint64_t)((uint8_t *)hand_conn(&h) - h.mem);
    assert_int_equal(la_abort(h.s, h.now, h.conn), LA_OK);
    (void)hand_drain(&h);
    uint8_t *const mem =
        mmap(NULL, h.mem_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(mem != MAP_FAILED);
    assert_int_equal(la_clone(h.s, mem, h.mem_bytes, &twin), LA_OK);
    assert_int_equal(survives(read_byte, mem + at + sizeof(struct slot)), !watched());
    assert_int_equal(survives(read_byte, h.mem + at + sizeof(struct slot)), !watched());

    /* Who asks for the ranges in use means to read them whole. */
    struct la_extent used[LA_EXTENTS_MAX];
    assert_true(la_extents(twin, used) > 0);
    assert_true(survives(read_byte, mem + at + sizeof(struct slot)));
    poison_clear(mem, h.mem_bytes);
    munmap(mem, h.mem_bytes);
    hand_free(&h);
}

TEST(a_slot_that_is_taken_again_is_clean)
{
    struct hand h;

    connection(&h, false);
    assert_int_equal(la_abort(h.s, h.now, h.conn), LA_OK);
    (void)hand_drain(&h);
    hand_open(&h);
    assert_true(survives(write_byte, &hand_conn(&h)->state));
    assert_null(la_check(h.s));
    hand_free(&h);
}

TEST_MAIN
