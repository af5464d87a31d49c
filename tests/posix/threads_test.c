/* SPDX-License-Identifier: MIT */
/*
 * threads_test.c - Ordinary threaded programs on two stacks, in real time.
 *
 * The last test is a blocking echo server, a thread a connection, that holds 10,000 of them
 * (fewer under a sanitizer, where each thread costs a hundred times as much).
 */
#include "tests/unit/base_test.h"

#include "tests/posix/net.h"
#include "tests/posix/pipe.h"

#include "posix/sockets.h"

#include <pthread.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MANY 500
#else
#define MANY 10000
#endif
#define BATCH 500
#define THREAD_STACK (64 * 1024)

static void config_of(struct la_config *config)
{
    la_config_default(config);
    config->chunk_bytes = 2048;
    config->chunks = 20000;
}

struct pair {
    struct pipe_pair p;
    struct net_addr to;
    int domain;
};

static void pair_new(struct pair *p, bool v6)
{
    struct la_config config;
    char text[LA_ADDR_TEXT_BYTES];

    config_of(&config);
    pipe_pair_new(&p->p, v6, &config, 2 * MANY + 100);
    p->to = net_text(la_addr_format(p->p.addr[1], text), 80);
    p->domain = v6 ? AF_INET6 : AF_INET;
}

static int listening(struct pair *p)
{
    const int fd = la_mt_socket(p->p.mt[1], p->domain, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(la_mt_bind(p->p.mt[1], fd, NET(p->to)), 0);
    assert_int_equal(la_mt_listen(p->p.mt[1], fd, 4096), 0);
    return fd;
}

static int connected(struct pair *p)
{
    const int fd = la_mt_socket(p->p.mt[0], p->domain, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(la_mt_connect(p->p.mt[0], fd, NET(p->to)), 0);
    return fd;
}

/* Threads: what each does, and what came of it ------------------------------------------------- */

struct job {
    pthread_t thread;
    struct la_mt *m;
    int fd;
    int64_t result;
    uint64_t bytes;
};

static void *sink(void *context)
{
    struct job *j = context;
    uint8_t buffer[10000];

    while ((j->result = la_mt_recv(j->m, j->fd, buffer, sizeof buffer, 0)) > 0)
        for (int64_t i = 0; i < j->result; i++, j->bytes++)
            if (buffer[i] != (uint8_t)(j->bytes * 7 + (j->bytes >> 8)))
                return NULL; /* result stays positive: seen by the test */
    return NULL;
}

static void *one_recv(void *context)
{
    struct job *j = context;
    uint8_t byte;

    j->result = la_mt_recv(j->m, j->fd, &byte, 1, 0);
    return NULL;
}

static void *one_accept(void *context)
{
    struct job *j = context;

    j->result = la_mt_accept4(j->m, j->fd, NULL, NULL, 0);
    return NULL;
}

static void *one_epoll_wait(void *context)
{
    struct job *j = context;
    struct epoll_event e;

    j->result = la_mt_epoll_wait(j->m, j->fd, &e, 1, -1);
    return NULL;
}

static void begin(struct job *j, void *(*what)(void *))
{
    assert_int_equal(pthread_create(&j->thread, NULL, what, j), 0);
}

static void finish(struct job *j)
{
    assert_int_equal(pthread_join(j->thread, NULL), 0);
}

TEST(a_megabyte_goes_through_blocking_calls_whole)
{
    for (int v6 = 0; v6 < 2; v6++) {
        static uint8_t bytes[1 << 20];
        struct pair p;
        int listener, a;
        struct job job;

        for (uint64_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)(i * 7 + (i >> 8));
        pair_new(&p, v6);
        listener = listening(&p);
        a = connected(&p);
        job = (struct job){ .m = p.p.mt[1] };
        job.fd = la_mt_accept4(p.p.mt[1], listener, NULL, NULL, 0);
        assert_true(job.fd >= 0);
        begin(&job, sink);
        assert_int_equal(la_mt_send(p.p.mt[0], a, bytes, sizeof bytes, 0), sizeof bytes);
        assert_int_equal(la_mt_shutdown(p.p.mt[0], a, SHUT_WR), 0);
        finish(&job);
        assert_int_equal(job.result, 0);
        assert_int_equal(job.bytes, sizeof bytes);
        pipe_pair_free(&p.p);
    }
}

TEST(a_call_with_a_time_limit_ends_without_anything_happening)
{
    struct pair p;
    const struct timeval little = { .tv_usec = 20000 };
    struct pollfd fds[2];
    struct epoll_event e;
    int listener, a, ep;
    char byte;

    pair_new(&p, false);
    listener = listening(&p);
    a = connected(&p);
    ep = la_mt_epoll_create1(p.p.mt[1], 0);
    assert_int_equal(
        la_mt_setsockopt(p.p.mt[0], a, SOL_SOCKET, SO_RCVTIMEO, &little, sizeof little), 0);
    assert_int_equal(la_mt_recv(p.p.mt[0], a, &byte, 1, 0), -EAGAIN);
    assert_int_equal(la_mt_recv(p.p.mt[0], a, &byte, 1, MSG_DONTWAIT), -EAGAIN);
    fds[0] = (struct pollfd){ .fd = a, .events = POLLIN };
    fds[1] = (struct pollfd){ .fd = -1 };
    assert_int_equal(la_mt_poll(p.p.mt[0], fds, 2, 20), 0);
    assert_int_equal(la_mt_epoll_wait(p.p.mt[1], ep, &e, 1, 20), 0);
    assert_int_equal(la_mt_read(p.p.mt[0], a, &byte, 0), 0);
    (void)listener;
    pipe_pair_free(&p.p);
}

TEST(threads_that_wait_are_woken_by_what_they_wait_for)
{
    struct pair p;
    struct epoll_event e = { .events = EPOLLIN };
    struct job accepting, reading, polling;
    int listener, a, b;

    pair_new(&p, false);
    listener = listening(&p);
    accepting = (struct job){ .m = p.p.mt[1], .fd = listener };
    begin(&accepting, one_accept);
    a = connected(&p);
    finish(&accepting);
    b = (int)accepting.result;
    assert_true(b >= 0);
    reading = (struct job){ .m = p.p.mt[0], .fd = a };
    polling = (struct job){ .m = p.p.mt[0], .fd = la_mt_epoll_create1(p.p.mt[0], 0) };
    assert_int_equal(la_mt_epoll_ctl(p.p.mt[0], polling.fd, EPOLL_CTL_ADD, a, &e), 0);
    begin(&reading, one_recv);
    begin(&polling, one_epoll_wait);
    assert_int_equal(la_mt_write(p.p.mt[1], b, "xy", 2), 2);
    finish(&reading);
    finish(&polling);
    assert_int_equal(reading.result, 1);
    assert_int_equal(polling.result, 1);
    pipe_pair_free(&p.p);
}

struct watched {
    int fd;
    bool is;
};

static void wait_until_watched(void *context, struct la_stack *s, struct la_sockets *x)
{
    struct watched *w = context;

    (void)s;
    w->is = desc_at(x, w->fd)->first != NULL;
}

struct sleepers {
    int ep[3];
    uint32_t asleep;
};

static void count_sleepers(void *context, struct la_stack *s, struct la_sockets *x)
{
    struct sleepers *z = context;

    (void)s;
    z->asleep = 0;
    for (int i = 0; i < 3; i++)
        z->asleep += desc_at(x, z->ep[i])->first != NULL;
}

TEST(of_threads_asleep_on_an_exclusive_listener_one_is_woken)
{
    struct pair p;
    struct sleepers z;
    struct job jobs[3];
    struct epoll_event e = { .events = EPOLLIN | EPOLLEXCLUSIVE };
    int listener;

    pair_new(&p, false);
    listener = listening(&p);
    for (int i = 0; i < 3; i++) {
        z.ep[i] = la_mt_epoll_create1(p.p.mt[1], 0);
        assert_int_equal(la_mt_epoll_ctl(p.p.mt[1], z.ep[i], EPOLL_CTL_ADD, listener, &e), 0);
        jobs[i] = (struct job){ .m = p.p.mt[1], .fd = z.ep[i] };
        begin(&jobs[i], one_epoll_wait);
    }
    do
        la_mt_with(p.p.mt[1], count_sleepers, &z);
    while (z.asleep < 3);
    (void)connected(&p);
    do
        la_mt_with(p.p.mt[1], count_sleepers, &z);
    while (z.asleep == 3);
    assert_int_equal(z.asleep, 2); /* the others sleep on */
    for (int i = 0; i < 3; i++)
        assert_int_equal(la_mt_close(p.p.mt[1], z.ep[i]), 0);
    for (int i = 0; i < 3; i++)
        finish(&jobs[i]);
    assert_int_equal((jobs[0].result == 1) + (jobs[1].result == 1) + (jobs[2].result == 1), 1);
    pipe_pair_free(&p.p);
}

TEST(close_by_another_thread_ends_a_call_that_waits)
{
    struct pair p;
    struct job reading;
    struct watched w = { .is = false };

    pair_new(&p, false);
    (void)listening(&p);
    reading = (struct job){ .m = p.p.mt[0], .fd = connected(&p) };
    begin(&reading, one_recv);
    w.fd = reading.fd;
    while (!w.is)
        la_mt_with(p.p.mt[0], wait_until_watched, &w);
    assert_int_equal(la_mt_close(p.p.mt[0], reading.fd), 0);
    finish(&reading);
    assert_int_equal(reading.result, -EBADF);
    pipe_pair_free(&p.p);
}

TEST(close_with_linger_waits_until_all_is_acknowledged)
{
    struct pair p;
    const struct linger soft = { .l_onoff = 1, .l_linger = 60 };
    char got[3];
    int listener, a, b;

    pair_new(&p, false);
    listener = listening(&p);
    a = connected(&p);
    b = la_mt_accept4(p.p.mt[1], listener, NULL, NULL, 0);
    assert_int_equal(la_mt_setsockopt(p.p.mt[0], a, SOL_SOCKET, SO_LINGER, &soft, sizeof soft), 0);
    assert_int_equal(la_mt_send(p.p.mt[0], a, "bye", 3, 0), 3);
    assert_int_equal(la_mt_close(p.p.mt[0], a), 0);
    assert_int_equal(la_mt_close(p.p.mt[0], a), -EBADF);
    assert_int_equal(la_mt_recv(p.p.mt[1], b, got, 3, MSG_DONTWAIT), 3);
    pipe_pair_free(&p.p);
}

/* The blocking echo server ------------------------------------------------------------------- */

struct server {
    struct la_mt *m;
    int listener;
    pthread_t acceptor;
    struct job *jobs;
    int count;
};

static void *echo(void *context)
{
    struct job *j = context;
    uint8_t buffer[512];
    int64_t n;

    while ((n = la_mt_recv(j->m, j->fd, buffer, sizeof buffer, 0)) > 0) {
        j->result = la_mt_send(j->m, j->fd, buffer, (size_t)n, 0);
        if (j->result != n)
            break;
        j->bytes += (uint64_t)n;
    }
    j->result = n;
    (void)la_mt_close(j->m, j->fd);
    return NULL;
}

static void *serve(void *context)
{
    struct server *s = context;
    pthread_attr_t attr;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, THREAD_STACK);
    while (s->count < MANY) {
        struct job *j = &s->jobs[s->count];

        j->m = s->m;
        j->fd = la_mt_accept4(s->m, s->listener, NULL, NULL, 0);
        if (j->fd < 0 || pthread_create(&j->thread, &attr, echo, j) != 0)
            break;
        s->count++;
    }
    pthread_attr_destroy(&attr);
    return NULL;
}

static void count_established(void *context, struct la_stack *s, struct la_sockets *x)
{
    uint32_t states[LA_STATES];

    (void)x;
    la_state_counts(s, states);
    *(uint32_t *)context = states[LA_ESTABLISHED];
}

static uint32_t established(struct la_mt *m)
{
    uint32_t n;

    la_mt_with(m, count_established, &n);
    return n;
}

TEST(a_blocking_echo_server_holds_ten_thousand_connections_each_with_its_thread)
{
    struct pair p;
    struct server s = { .jobs = calloc(MANY, sizeof(struct job)) };
    static int fd[MANY];

    pair_new(&p, false);
    s.m = p.p.mt[1];
    s.listener = listening(&p);
    assert_int_equal(pthread_create(&s.acceptor, NULL, serve, &s), 0);
    for (int i = 0; i < MANY; i++)
        fd[i] = connected(&p);
    pthread_join(s.acceptor, NULL);
    assert_int_equal(s.count, MANY);
    assert_int_equal(established(p.p.mt[0]), MANY);
    assert_int_equal(established(p.p.mt[1]), MANY);
    for (int first = 0; first < MANY; first += BATCH) {
        for (int i = first; i < first + BATCH; i++)
            assert_int_equal(la_mt_send(p.p.mt[0], fd[i], &i, sizeof i, 0), sizeof i);
        for (int i = first; i < first + BATCH; i++) {
            int got = -1;

            assert_int_equal(la_mt_recv(p.p.mt[0], fd[i], &got, sizeof got, MSG_WAITALL),
                             sizeof got);
            assert_int_equal(got, i);
        }
    }
    for (int i = 0; i < MANY; i++)
        assert_int_equal(la_mt_close(p.p.mt[0], fd[i]), 0);
    for (int i = 0; i < MANY; i++) {
        finish(&s.jobs[i]);
        assert_int_equal(s.jobs[i].result, 0);
        assert_int_equal(s.jobs[i].bytes, sizeof(int));
    }
    assert_int_equal(established(p.p.mt[1]), 0);
    pipe_pair_free(&p.p);
    free(s.jobs);
}

TEST_MAIN
