/* SPDX-License-Identifier: MIT */
/* data_test.c - Sending and receiving: flags, pieces, ends and errors in Linux's order. */
#include "tests/unit/base_test.h"

#include "tests/posix/net.h"

#define IN (POLLIN | POLLRDNORM)
#define OUT (POLLOUT | POLLWRNORM)

struct duo {
    struct net *n;
    struct la_sockets *a, *b;
    int listener, fd[2];
};

static struct duo duo_new(bool v6)
{
    struct duo d = { .n = net_new(&(struct net_opt){ .v6 = v6 }) };

    d.a = d.n->x[0];
    d.b = d.n->x[1];
    d.listener = net_listen(d.n, 80, 5);
    net_pair(d.n, d.listener, 80, d.fd);
    return d;
}

/* Host 0 sends, and it arrives. */
static void say(struct duo *d, const char *text)
{
    assert_int_equal(la_sock_send(d->a, d->fd[0], text, strlen(text), 0), strlen(text));
    net_turn(d->n);
}

TEST(bytes_arrive_once_and_in_order_through_every_name_of_send_and_receive)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct duo d = duo_new(v6);
        char got[64] = { 0 };
        struct iovec out[3] = { { "ab", 2 }, { "", 0 }, { "cde", 3 } };
        struct iovec in[2] = { { got, 3 }, { got + 3, 60 } };
        struct msghdr sent = { .msg_iov = out, .msg_iovlen = 3 };
        struct sockaddr_storage from;
        struct msghdr received = { .msg_iov = in,
                                   .msg_iovlen = 2,
                                   .msg_name = &from,
                                   .msg_namelen = sizeof from,
                                   .msg_flags = 77 };
        const struct net_addr ignored = net_addr(d.n, 1, 9);
        uint32_t len = sizeof from;

        assert_int_equal(la_sock_write(d.a, d.fd[0], "12", 2), 2);
        assert_int_equal(la_sock_writev(d.a, d.fd[0], out, 3), 5);
        assert_int_equal(la_sock_sendmsg(d.a, d.fd[0], &sent, 0), 5);
        assert_int_equal(la_sock_sendto(d.a, d.fd[0], "z", 1, 0, NET(ignored)), 1);
        net_turn(d.n);
        assert_int_equal(la_sock_read(d.b, d.fd[1], got, 2), 2);
        assert_memory_equal(got, "12", 2);
        assert_int_equal(la_sock_recvfrom(d.b, d.fd[1], got, 5, 0, (struct sockaddr *)&from, &len),
                         5);
        assert_int_equal(len, 0);
        assert_memory_equal(got, "abcde", 5);
        assert_int_equal(la_sock_recvmsg(d.b, d.fd[1], &received, 0), 6);
        assert_memory_equal(got, "abcdez", 6);
        assert_int_equal(received.msg_namelen, 0);
        assert_int_equal(received.msg_flags, 0);
        assert_int_equal(la_sock_readv(d.b, d.fd[1], in, 2), -EAGAIN);
        net_free(d.n);
    }
}

TEST(pieces_of_one_message_share_a_segment)
{
    struct duo d = duo_new(false);
    struct iovec out[3] = { { "ab", 2 }, { "cd", 2 }, { "ef", 2 } };
    const struct msghdr sent = { .msg_iov = out, .msg_iovlen = 3 };
    struct la_conn_info before, after;

    assert_int_equal(la_conn_info(d.n->w->s[0], la_sock_conn(d.a, d.fd[0]), &before), LA_OK);
    assert_int_equal(la_sock_sendmsg(d.a, d.fd[0], &sent, 0), 6);
    net_turn(d.n);
    assert_int_equal(la_conn_info(d.n->w->s[0], la_sock_conn(d.a, d.fd[0]), &after), LA_OK);
    assert_int_equal(after.segs_out, before.segs_out + 1);
    net_free(d.n);
}

TEST(msg_more_holds_back_and_the_next_send_completes)
{
    struct duo d = duo_new(false);
    char got[8];

    assert_int_equal(la_sock_send(d.a, d.fd[0], "ab", 2, MSG_MORE), 2);
    net_turn(d.n);
    assert_int_equal(la_sock_recv(d.b, d.fd[1], got, 8, 0), -EAGAIN);
    assert_int_equal(la_sock_send(d.a, d.fd[0], "cd", 2, MSG_NOSIGNAL), 2);
    net_turn(d.n);
    assert_int_equal(la_sock_recv(d.b, d.fd[1], got, 8, 0), 4);
    net_free(d.n);
}

TEST(msg_peek_takes_nothing_and_shows_more_than_a_few_chunks)
{
    struct duo d = duo_new(false);
    static uint8_t sent[100000], got[200000];
    uint64_t seed = 5;

    for (size_t i = 0; i < sizeof sent; i++)
        sent[i] = (uint8_t)rng_next(&seed);
    assert_int_equal(la_sock_send(d.a, d.fd[0], sent, sizeof sent, 0), sizeof sent);
    net_turn(d.n);
    assert_int_equal(la_sock_recv(d.b, d.fd[1], got, 3, MSG_PEEK), 3);
    assert_int_equal(la_sock_recv(d.b, d.fd[1], got, sizeof got, MSG_PEEK), sizeof sent);
    assert_memory_equal(got, sent, sizeof sent);
    memset(got, 0, sizeof got);
    assert_int_equal(la_sock_recv(d.b, d.fd[1], got, sizeof got, 0), sizeof sent);
    assert_memory_equal(got, sent, sizeof sent);
    net_free(d.n);
}

TEST(msg_trunc_discards_without_copying)
{
    struct duo d = duo_new(false);
    char got[8] = "untouch";

    say(&d, "abcdef");
    assert_int_equal(la_sock_recv(d.b, d.fd[1], got, 4, MSG_TRUNC), 4);
    assert_string_equal(got, "untouch");
    assert_int_equal(la_sock_recv(d.b, d.fd[1], got, 8, MSG_DONTWAIT), 2);
    assert_memory_equal(got, "ef", 2);
    net_free(d.n);
}

TEST(flags_that_are_not_implemented_are_refused)
{
    static const int sends[] = { MSG_OOB,      MSG_EOR,      MSG_DONTROUTE, MSG_CONFIRM,
                                 MSG_FASTOPEN, MSG_ZEROCOPY, 0x40000000 };
    struct duo d = duo_new(false);
    struct msghdr with_control = { .msg_control = &d, .msg_controllen = 16 };
    char byte;

    say(&d, "abc");
    for (size_t i = 0; i < sizeof sends / sizeof sends[0]; i++)
        assert_int_equal(la_sock_send(d.a, d.fd[0], "x", 1, sends[i]), -EOPNOTSUPP);
    assert_int_equal(la_sock_recv(d.b, d.fd[1], &byte, 1, MSG_OOB), -EINVAL);
    assert_int_equal(la_sock_recv(d.b, d.fd[1], &byte, 1, MSG_ERRQUEUE), -EAGAIN);
    assert_int_equal(la_sock_recv(d.b, d.fd[1], &byte, 1, MSG_DONTROUTE), -EOPNOTSUPP);
    assert_int_equal(la_sock_sendmsg(d.a, d.fd[0], &with_control, 0), -EINVAL);
    net_free(d.n);
}

TEST(bad_pieces_are_refused)
{
    struct duo d = duo_new(false);
    struct iovec hole = { NULL, 5 }, huge = { &d, SIZE_MAX };
    struct msghdr many = { .msg_iov = &hole, .msg_iovlen = 1025 };

    say(&d, "abc");
    assert_int_equal(la_sock_send(d.a, d.fd[0], NULL, 5, 0), -EFAULT);
    assert_int_equal(la_sock_readv(d.b, d.fd[1], &hole, 1), -EFAULT);
    assert_int_equal(la_sock_readv(d.b, d.fd[1], &huge, 1), -EINVAL);
    assert_int_equal(la_sock_readv(d.b, d.fd[1], NULL, 1), -EFAULT);
    assert_int_equal(la_sock_writev(d.a, d.fd[0], &hole, 1025), -EINVAL);
    assert_int_equal(la_sock_writev(d.a, d.fd[0], &hole, -1), -EINVAL);
    assert_int_equal(la_sock_recvmsg(d.b, d.fd[1], &many, 0), -EMSGSIZE);
    assert_int_equal(la_sock_recvmsg(d.b, d.fd[1], NULL, 0), -EFAULT);
    net_free(d.n);
}

TEST(nothing_sent_or_received_has_its_own_answers)
{
    struct duo d = duo_new(false);
    const int idle = la_socket(d.a, AF_INET, SOCK_STREAM, 0);

    assert_int_equal(la_sock_send(d.a, d.fd[0], "", 0, 0), 0);
    assert_int_equal(la_sock_recv(d.b, d.fd[1], NULL, 0, 0), -EAGAIN);
    assert_int_equal(la_sock_read(d.b, d.fd[1], NULL, 0), 0);
    say(&d, "abc");
    assert_int_equal(la_sock_recv(d.b, d.fd[1], NULL, 0, 0), 0);
    assert_int_equal(la_sock_send(d.a, idle, "", 0, 0), -EPIPE);
    assert_int_equal(la_sock_recv(d.a, idle, NULL, 0, 0), -ENOTCONN);
    assert_int_equal(la_sock_recv(d.b, d.listener, NULL, 0, 0), -ENOTCONN);
    assert_int_equal(la_sock_send(d.b, d.listener, "x", 1, 0), -EPIPE);
    net_free(d.n);
}

TEST(a_full_buffer_takes_what_fits_and_is_writable_again_at_two_thirds)
{
    struct duo d = duo_new(false);
    static uint8_t bytes[1 << 20];
    const int small = 10000;
    int64_t taken, got = 0, n;

    assert_int_equal(la_sock_setsockopt(d.a, d.fd[0], SOL_SOCKET, SO_SNDBUF, &small, 4), 0);
    d.n->w->dead[1] = true;
    taken = la_sock_send(d.a, d.fd[0], bytes, sizeof bytes, 0);
    assert_int_equal(taken, 20000);
    assert_int_equal(la_sock_send(d.a, d.fd[0], bytes, 1, 0), -EAGAIN);
    assert_int_equal(net_poll(d.n, 0, d.fd[0]), 0);
    d.n->w->dead[1] = false;
    net_run(d.n, 2000000000);
    assert_int_equal(net_poll(d.n, 0, d.fd[0]), OUT);
    while ((n = la_sock_recv(d.b, d.fd[1], bytes, sizeof bytes, 0)) > 0)
        got += n;
    assert_int_equal(got, taken);
    net_free(d.n);
}

TEST(what_was_queued_is_read_before_the_error_and_the_error_once)
{
    struct duo d = duo_new(false);
    const struct linger hard = { .l_onoff = 1 };
    char got[8];

    say(&d, "last words");
    assert_int_equal(la_sock_setsockopt(d.a, d.fd[0], SOL_SOCKET, SO_LINGER, &hard, sizeof hard),
                     0);
    assert_int_equal(la_sock_close(d.a, d.fd[0]), 0);
    net_turn(d.n);
    assert_int_equal(la_sock_recv(d.b, d.fd[1], got, 4, 0), 4);
    assert_int_equal(net_poll(d.n, 1, d.fd[1]), IN | OUT | POLLERR | POLLHUP | POLLRDHUP);
    assert_int_equal(la_sock_recv(d.b, d.fd[1], got, 8, 0), 6);
    assert_int_equal(la_sock_recv(d.b, d.fd[1], got, 8, 0), -ECONNRESET);
    assert_int_equal(la_sock_recv(d.b, d.fd[1], got, 8, 0), 0);
    assert_int_equal(net_poll(d.n, 1, d.fd[1]), IN | OUT | POLLHUP | POLLRDHUP);
    net_free(d.n);
}

TEST(a_reset_is_told_to_the_first_who_asks_by_send_or_by_so_error)
{
    for (int by_send = 0; by_send < 2; by_send++) {
        struct duo d = duo_new(false);
        const struct linger hard = { .l_onoff = 1 };

        assert_int_equal(
            la_sock_setsockopt(d.a, d.fd[0], SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
        assert_int_equal(la_sock_close(d.a, d.fd[0]), 0);
        net_turn(d.n);
        if (by_send)
            assert_int_equal(la_sock_send(d.b, d.fd[1], "x", 1, 0), -ECONNRESET);
        else
            assert_int_equal(net_option(d.n, 1, d.fd[1], SOL_SOCKET, SO_ERROR), ECONNRESET);
        assert_int_equal(la_sock_send(d.b, d.fd[1], "x", 1, 0), -EPIPE);
        assert_int_equal(net_option(d.n, 1, d.fd[1], SOL_SOCKET, SO_ERROR), 0);
        net_free(d.n);
    }
}

TEST(a_reset_after_the_peers_fin_reads_as_eof_and_writes_as_epipe)
{
    struct duo d = duo_new(false);
    char byte;

    assert_int_equal(la_sock_close(d.a, d.fd[0]), 0);
    net_turn(d.n);
    assert_int_equal(la_sock_send(d.b, d.fd[1], "x", 1, 0), 1); /* draws a reset */
    net_turn(d.n);
    assert_int_equal(net_poll(d.n, 1, d.fd[1]), IN | OUT | POLLERR | POLLHUP | POLLRDHUP);
    assert_int_equal(la_sock_recv(d.b, d.fd[1], &byte, 1, 0), 0);
    assert_int_equal(la_sock_send(d.b, d.fd[1], "x", 1, 0), -EPIPE);
    net_free(d.n);
}

TEST(a_connection_that_was_reset_in_the_queue_can_be_accepted)
{
    struct duo d = duo_new(false);
    const struct linger hard = { .l_onoff = 1 };
    const struct net_addr to = net_addr(d.n, 1, 80);
    const int client = la_socket(d.a, AF_INET, SOCK_STREAM, 0);
    char byte;
    int fd;

    assert_int_equal(la_sock_connect(d.a, client, NET(to)), -EINPROGRESS);
    net_turn(d.n);
    assert_int_equal(la_sock_setsockopt(d.a, client, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
    assert_int_equal(la_sock_close(d.a, client), 0);
    net_turn(d.n);
    fd = la_sock_accept4(d.b, d.listener, NULL, NULL, 0);
    assert_true(fd >= 0);
    assert_int_equal(la_sock_recv(d.b, fd, &byte, 1, 0), -ECONNRESET);
    net_free(d.n);
}

TEST(close_with_unread_bytes_resets_the_peer)
{
    struct duo d = duo_new(false);
    char byte;

    say(&d, "never read");
    assert_int_equal(la_sock_close(d.b, d.fd[1]), 0);
    net_turn(d.n);
    assert_int_equal(la_sock_recv(d.a, d.fd[0], &byte, 1, 0), -ECONNRESET);
    net_free(d.n);
}

/* Calls that wait ------------------------------------------------------------------------ */

TEST(a_waiting_read_ends_with_bytes_with_all_of_them_or_with_time)
{
    struct duo d = duo_new(false);
    char got[8];
    struct iovec iov = { got, sizeof got };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    struct la_sock_call some = { .op = LA_SOCK_RECV, .fd = d.fd[1], .msg = &msg };
    struct la_sock_call all = some, timed = some;
    const struct timeval half = { .tv_usec = 500000 };

    all.flags = MSG_WAITALL;
    assert_true(la_sock_step(d.b, &some) == LA_SOCK_PENDING);
    assert_true(some.deadline.ns == UINT64_MAX);
    say(&d, "abc");
    assert_int_equal(la_sock_step(d.b, &some), 3);
    assert_true(la_sock_step(d.b, &all) == LA_SOCK_PENDING);
    say(&d, "12345");
    assert_true(la_sock_step(d.b, &all) == LA_SOCK_PENDING);
    say(&d, "6789");
    assert_int_equal(la_sock_step(d.b, &all), 8);
    assert_memory_equal(got, "12345678", 8);
    assert_int_equal(la_sock_recv(d.b, d.fd[1], got, 8, 0), 1);
    assert_int_equal(la_sock_setsockopt(d.b, d.fd[1], SOL_SOCKET, SO_RCVTIMEO, &half, sizeof half),
                     0);
    assert_true(la_sock_step(d.b, &timed) == LA_SOCK_PENDING);
    net_run(d.n, 499999999);
    assert_true(la_sock_step(d.b, &timed) == LA_SOCK_PENDING);
    net_run(d.n, 1);
    assert_int_equal(la_sock_step(d.b, &timed), -EAGAIN);
    net_free(d.n);
}

TEST(a_waiting_read_gives_what_it_has_before_the_end_and_leaves_the_error)
{
    struct duo d = duo_new(false);
    const struct linger hard = { .l_onoff = 1 };
    char got[8];
    struct iovec iov = { got, sizeof got };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    struct la_sock_call all = {
        .op = LA_SOCK_RECV, .fd = d.fd[1], .msg = &msg, .flags = MSG_WAITALL
    };

    say(&d, "abc");
    assert_true(la_sock_step(d.b, &all) == LA_SOCK_PENDING);
    assert_int_equal(la_sock_setsockopt(d.a, d.fd[0], SOL_SOCKET, SO_LINGER, &hard, sizeof hard),
                     0);
    assert_int_equal(la_sock_close(d.a, d.fd[0]), 0);
    net_turn(d.n);
    assert_int_equal(la_sock_step(d.b, &all), 3);
    assert_int_equal(la_sock_recv(d.b, d.fd[1], got, 8, 0), -ECONNRESET);
    net_free(d.n);
}

TEST(a_waiting_write_ends_when_all_is_taken)
{
    struct duo d = duo_new(false);
    static uint8_t bytes[1 << 20];
    struct iovec iov = { bytes, sizeof bytes };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    struct la_sock_call call = { .op = LA_SOCK_SEND, .fd = d.fd[0], .msg = &msg };
    static uint8_t got[1 << 16];
    int64_t r, n;
    uint64_t total = 0;

    while ((r = la_sock_step(d.a, &call)) == LA_SOCK_PENDING) {
        net_run(d.n, 1000000);
        while ((n = la_sock_recv(d.b, d.fd[1], got, sizeof got, 0)) > 0)
            total += (uint64_t)n;
    }
    assert_int_equal(r, sizeof bytes);
    assert_true(total > sizeof bytes / 2);
    net_free(d.n);
}

TEST(waiting_connect_accept_poll_and_close_end_with_what_they_wait_for)
{
    struct duo d = duo_new(false);
    const struct net_addr to = net_addr(d.n, 1, 80);
    const struct linger soft = { .l_onoff = 1, .l_linger = 5 };
    const int client = la_socket(d.a, AF_INET, SOCK_STREAM, 0);
    struct la_sock_call connect = {
        .op = LA_SOCK_CONNECT, .fd = client, .to = (const struct sockaddr *)&to.sa, .to_len = to.len
    };
    struct la_sock_call accept = { .op = LA_SOCK_ACCEPT, .fd = d.listener };
    struct pollfd p = { .fd = d.listener, .events = POLLIN };
    struct la_sock_call poll = { .op = LA_SOCK_POLL, .fds = &p, .count = 1, .timeout_ms = 10 };
    struct la_sock_call again = poll;
    struct la_sock_call close = { .op = LA_SOCK_CLOSE, .fd = client };

    assert_true(la_sock_step(d.b, &poll) == LA_SOCK_PENDING);
    net_run(d.n, 10000000);
    assert_int_equal(la_sock_step(d.b, &poll), 0);
    assert_true(la_sock_step(d.b, &again) == LA_SOCK_PENDING);
    assert_true(la_sock_step(d.b, &accept) == LA_SOCK_PENDING);
    assert_true(la_sock_step(d.a, &connect) == LA_SOCK_PENDING);
    net_turn(d.n);
    assert_int_equal(la_sock_step(d.a, &connect), 0);
    assert_int_equal(la_sock_step(d.b, &again), 1);
    assert_true(la_sock_step(d.b, &accept) >= 0);
    assert_int_equal(la_sock_setsockopt(d.a, client, SOL_SOCKET, SO_LINGER, &soft, sizeof soft), 0);
    assert_true(la_sock_step(d.a, &close) == LA_SOCK_PENDING);
    assert_int_equal(close.deadline.ns, d.n->w->now.ns + 5000000000u);
    net_turn(d.n);
    assert_int_equal(la_sock_step(d.a, &close), 0);
    net_free(d.n);
}

TEST_MAIN
