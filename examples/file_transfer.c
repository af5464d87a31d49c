/* SPDX-License-Identifier: MIT */
/*
 * file_transfer.c - A file over one connection, without a buffer in between: it is read into the
 * memory the stack sends from, and written from the memory the stack received into.
 *
 * The core's own calls: la_send_reserve() and la_send_commit(), la_recv_peek() and
 * la_recv_consume(), and the events of la_rt_host.  The loop runs in this one thread.
 *
 *     cc file_transfer.c -o file_transfer $(pkg-config --cflags --libs lastack)
 *     ./file_transfer receive la0 10.9.0.2/24 9000 FILE          nc -N 10.9.0.2 9000 <OTHER
 *     ./file_transfer send la0 10.9.0.2/24 10.9.0.1 9000 FILE    nc -l 9000 >OTHER
 *
 * (on_tun.h says how la0 is made.)  The sender succeeds when the receiver's TCP has acknowledged
 * every byte and the end of file; the receiver when the whole of it is in the file.  Either says
 * how the connection failed if it did, and ends with status 1.
 */
#define _GNU_SOURCE
#include "on_tun.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/uio.h>
#include <unistd.h>

#define SPANS 16
#define PIECE_BYTES 65536u

struct transfer {
    struct on_tun net;
    struct la_rt_loop *loop;
    la_conn_id conn; /* zero until there is one */
    int file;
    uint64_t bytes;
    bool sends, ended; /* ended: the file's end was sent, or arrived */
};

/* Have both sides closed?  At the latest when tcp_fin_timeout has passed. */
static bool is_settled(const struct transfer *t)
{
    uint32_t count[LA_STATES];

    la_state_counts(t->net.stack, count);
    return count[LA_FIN_WAIT_1] + count[LA_FIN_WAIT_2] + count[LA_CLOSING] + count[LA_LAST_ACK] ==
           0;
}

static void send_some(struct transfer *t, la_time now)
{
    while (!t->ended) {
        struct la_span spans[SPANS];
        struct iovec iov[SPANS];
        uint32_t count = 0;
        const int64_t room =
            la_send_reserve(t->net.stack, now, t->conn, PIECE_BYTES, spans, SPANS, &count);

        if (room == LA_EAGAIN)
            return;
        if (room < 0)
            die("sending: %s", la_err_text((enum la_err)room));
        for (uint32_t i = 0; i < count; i++)
            iov[i] = (struct iovec){ spans[i].bytes, spans[i].len_bytes };
        const ssize_t got = readv(t->file, iov, (int)count);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            die("reading the file: %s", strerror(errno));
        enum la_err err = la_send_commit(t->net.stack, now, t->conn, (uint32_t)got, 0);
        if (err == LA_OK && got == 0)
            err = la_shutdown(t->net.stack, now, t->conn, LA_SHUT_WR);
        if (err != LA_OK)
            die("sending: %s", la_err_text(err));
        t->bytes += (uint64_t)got;
        t->ended = got == 0;
    }
}

static void receive_some(struct transfer *t, la_time now)
{
    while (!t->ended) {
        struct la_cspan spans[SPANS];
        struct iovec iov[SPANS];
        uint32_t count = 0;
        const int64_t there = la_recv_peek(t->net.stack, now, t->conn, spans, SPANS, &count);

        if (there == LA_EAGAIN)
            return;
        if (there < 0)
            die("receiving: %s", la_err_text((enum la_err)there));
        for (uint32_t i = 0; i < count; i++)
            iov[i] = (struct iovec){ (void *)(uintptr_t)spans[i].bytes, spans[i].len_bytes };
        const ssize_t put = there == 0 ? 0 : writev(t->file, iov, (int)count);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0 || (there == 0 && fsync(t->file) != 0 && errno != EINVAL))
            die("writing the file: %s", strerror(errno));
        if (put > 0 && la_recv_consume(t->net.stack, now, t->conn, (uint32_t)put) != LA_OK)
            die("the connection is gone");
        t->bytes += (uint64_t)put;
        t->ended = there == 0;
    }
    (void)la_close(t->net.stack, now, t->conn);
}

static void on_event(void *context, la_time now, const struct la_event *event)
{
    struct transfer *t = context;
    struct la_accepted accepted;

    if (event->kind == LA_EVENT_LISTENER) {
        if (la_accept(t->net.stack, now, event->listener, 0, &accepted) != LA_OK)
            return;
        t->conn = accepted.conn;
        if (la_listener_close(t->net.stack, now, event->listener) != LA_OK) /* one is enough */
            die("the listener is gone");
    }
    if (event->kind == LA_EVENT_CONN && (event->mask & LA_ERROR_SET))
        die("the connection: %s", la_err_text(la_conn_error(t->net.stack, t->conn, NULL)));
    if (t->sends)
        send_some(t, now);
    else
        receive_some(t, now);
    if (t->sends && t->ended && (event->mask & LA_FIN_ACKED))
        (void)la_close(t->net.stack, now, t->conn);
}

/* Leaving earlier would leave the peer to time out. */
static void on_turn(void *context, la_time now)
{
    struct transfer *t = context;

    (void)now;
    if (t->ended && is_settled(t))
        la_rt_stop(t->loop);
}

static void begin(struct transfer *t, char **argv)
{
    struct la_endpoint server = { 0 };
    la_listener_id listener;
    enum la_err err;

    if (t->sends) {
        if (!la_addr_parse(argv[4], &server.addr))
            die("\"%s\" is not an address", argv[4]);
        server.port = port_of(argv[5]);
        err = la_open(t->net.stack, la_rt_loop_now(t->loop), (struct la_endpoint){ 0 }, server, 0,
                      &t->conn);
    } else {
        const struct la_listen_config config = { .local = la_prefix_any(),
                                                 .port = port_of(argv[4]),
                                                 .backlog = 1 };
        err = la_listen(t->net.stack, la_rt_loop_now(t->loop), &config, &listener);
    }
    if (err != LA_OK)
        die("port %s: %s", argv[t->sends ? 5 : 4], la_err_text(err));
}

int main(int argc, char **argv)
{
    static struct transfer t;

    t.sends = argc == 7 && strcmp(argv[1], "send") == 0;
    if (!t.sends && !(argc == 6 && strcmp(argv[1], "receive") == 0))
        die("usage: file_transfer send DEVICE ADDRESS/PREFIX HOST PORT FILE\n"
            "       file_transfer receive DEVICE ADDRESS/PREFIX PORT FILE");
    t.file = open(argv[argc - 1], t.sends ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (t.file < 0)
        die("%s: %s", argv[argc - 1], strerror(errno));
    t.net = on_tun_open(argv[2], argv[3]);
    t.loop = la_rt_loop_new(LA_RT_SIGNALS);
    if (t.loop == NULL)
        die("the loop: %s", strerror(errno));
    const struct la_rt_host host = { .stack = t.net.stack,
                                     .driver = t.net.tun,
                                     .iface = t.net.iface,
                                     .context = &t,
                                     .on_event = on_event,
                                     .on_turn = on_turn };
    const int added = la_rt_loop_add(t.loop, &host);
    if (added != 0)
        die("the device: %s", strerror(-added));
    begin(&t, argv);
    const int ended = la_rt_run(t.loop);
    if (ended != 0)
        die("ended early: %s", ended < 0 ? strerror(-ended) : strsignal(ended));
    la_rt_flush(t.loop);
    printf("%" PRIu64 " bytes\n", t.bytes);
    la_rt_loop_free(t.loop);
    on_tun_close(&t.net);
    return close(t.file) == 0 && fflush(stdout) == 0 ? 0 : 1;
}
