/* SPDX-License-Identifier: MIT */
/*
 * echo_server.c - Sockets and epoll on a stack of one's own, in one thread.
 *
 * The loop of the runtime carries packets between the device and the stack.  Once a turn it
 * lets the program look at its sockets, and there everything is as a program for Linux would
 * have it, but for the names: la_epoll_wait() tells what is ready and never waits.
 *
 *     cc echo_server.c -o echo_server $(pkg-config --cflags --libs lastack)
 *     ./echo_server la0 10.9.0.2/24 7              (on_tun.h says how la0 is made)
 *     nc 10.9.0.2 7                                (in another window)
 *
 * SIGINT or SIGTERM ends it: whoever is connected then gets a reset or an end of file.
 */
#define _GNU_SOURCE
#include "on_tun.h"

#include <lastack/socket.h>

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* What came from a client and has not gone back yet lies in bytes[begin..end). */
struct client {
    int fd;
    size_t begin, end;
    uint32_t waits_for; /* EPOLLIN or EPOLLOUT */
    char bytes[16384];
};

struct server {
    struct on_tun net;
    struct la_rt_loop *loop;
    struct la_sockets *sockets;
    int listener, epoll;
};

static int watch(struct server *s, int op, int fd, uint32_t events, void *who)
{
    return la_epoll_ctl(s->sockets, s->epoll, op, fd,
                        &(struct epoll_event){ .events = events, .data.ptr = who });
}

static void hang_up(struct server *s, struct client *c)
{
    (void)la_sock_close(s->sockets, c->fd); /* leaves the epoll set with it */
    free(c);
}

/*
 * Sends and receives until one of the two would have to wait.  Nothing is read ahead of what can
 * be sent, so a client that does not read finds its own window closed.
 *
 * Return: EPOLLIN or EPOLLOUT, what to wait for; 0 when it is over.
 */
static uint32_t echo(const struct server *s, struct client *c)
{
    int64_t n;

    for (;;) {
        while (c->begin < c->end) {
            n = la_sock_send(s->sockets, c->fd, c->bytes + c->begin, c->end - c->begin, 0);
            if (n < 0)
                return n == -EAGAIN ? EPOLLOUT : 0;
            c->begin += (size_t)n;
        }
        n = la_sock_recv(s->sockets, c->fd, c->bytes, sizeof c->bytes, 0);
        if (n <= 0) /* at the end of what it sends, all of that has gone back */
            return n == -EAGAIN ? EPOLLIN : 0;
        c->begin = 0;
        c->end = (size_t)n;
    }
}

static void serve_client(struct server *s, struct client *c)
{
    const uint32_t events = echo(s, c);

    if (events == c->waits_for)
        return;
    c->waits_for = events;
    if (events == 0 || watch(s, EPOLL_CTL_MOD, c->fd, events, c) != 0)
        hang_up(s, c);
}

static void welcome(struct server *s)
{
    int fd;

    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the epoll set holds it, as data.ptr */
    while ((fd = la_sock_accept4(s->sockets, s->listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct client *c = malloc(sizeof *c);

        if (c == NULL) {
            (void)la_sock_close(s->sockets, fd);
            continue;
        }
        c->fd = fd;
        c->begin = c->end = 0;
        c->waits_for = EPOLLIN;
        if (watch(s, EPOLL_CTL_ADD, fd, EPOLLIN, c) != 0)
            hang_up(s, c);
    }
}

static void on_event(void *context, la_time now, const struct la_event *event)
{
    struct server *s = context;

    (void)now;
    (void)la_sockets_event(s->sockets, event);
}

static void on_turn(void *context, la_time now)
{
    struct server *s = context;
    struct epoll_event ready[64];

    la_sockets_turn(s->sockets);
    const int count = la_epoll_wait(s->sockets, s->epoll, ready, 64);
    for (int i = 0; i < count; i++) {
        if (ready[i].data.ptr == s)
            welcome(s);
        else
            serve_client(s, ready[i].data.ptr);
    }
    if (count == 64) /* perhaps more: another turn, without a sleep */
        la_rt_wake_at(s->loop, now);
    la_rt_wake_at(s->loop, la_sockets_deadline(s->sockets));
}

static la_time time_of_loop(void *context)
{
    const struct server *s = context;

    return la_rt_loop_now(s->loop);
}

static void serve(struct server *s, uint16_t port)
{
    const struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    const struct la_rt_host host = { .stack = s->net.stack,
                                     .driver = s->net.tun,
                                     .iface = s->net.iface,
                                     .context = s,
                                     .on_event = on_event,
                                     .on_turn = on_turn };
    int err;

    /* An IPv6 socket on :: takes IPv4 too, as on Linux. */
    s->listener = la_socket(s->sockets, AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
    s->epoll = la_epoll_create1(s->sockets, 0);
    if (s->listener < 0 || s->epoll < 0)
        die("no descriptors");
    if ((err = la_sock_bind(s->sockets, s->listener, (const struct sockaddr *)&any, sizeof any)) ||
        (err = la_sock_listen(s->sockets, s->listener, 4096)) ||
        (err = watch(s, EPOLL_CTL_ADD, s->listener, EPOLLIN, s)) ||
        (err = la_rt_loop_add(s->loop, &host)))
        die("port %u: %s", port, strerror(-err));
    printf("listening on port %u\n", port);
    (void)fflush(stdout);
    err = la_rt_run(s->loop);
    if (err < 0)
        die("the device: %s", strerror(-err));
}

int main(int argc, char **argv)
{
    static struct server s;

    if (argc != 4)
        die("usage: echo_server DEVICE ADDRESS/PREFIX[,...] PORT");
    s.net = on_tun_open(argv[1], argv[2]);
    s.loop = la_rt_loop_new(LA_RT_SIGNALS);
    if (s.loop == NULL)
        die("the loop: %s", strerror(errno));
    s.sockets = la_sockets_new(&(struct la_sockets_config){
        .stack = s.net.stack, .now = time_of_loop, .context = &s, .nofile = 4096 });
    if (s.sockets == NULL)
        die("the sockets: %s", strerror(errno));
    serve(&s, port_of(argv[3]));

    la_sockets_free(s.sockets); /* closes what is open, as the end of a process does */
    la_rt_flush(s.loop);
    la_rt_loop_free(s.loop);
    on_tun_close(&s.net);
    return 0;
}
