/* SPDX-License-Identifier: MIT */
/* linger.c - SO_LINGER, and a server that is started again. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "sim/lab/files.h"

#define STEP sim_ms(50)
#define PORT 80u
#define BYTES 60000u

static struct lab_sock *connect_to(struct lab *l)
{
    return lab_connect_from(l, l->client, 0, sim_host_addr(l->server, l->options.v6), PORT);
}

/* Connections are taken and left alone. */
static void take(struct lab_files *f, int fd, uint32_t events)
{
    (void)events;
    if (fd == f->listener) {
        const int taken = lab_files_accept(f);

        if (taken >= 0)
            la_epoll_ctl(f->sockets, f->epoll, EPOLL_CTL_DEL, taken, &(struct epoll_event){ 0 });
    }
}

/* An accepted connection with BYTES to send, SO_LINGER set to @seconds, and closed. */
static int send_and_close(struct lab *l, struct lab_files *f, int fd, int seconds)
{
    static const char bytes[BYTES];
    const struct linger linger = { .l_onoff = 1, .l_linger = seconds };

    if (la_sock_setsockopt(f->sockets, fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) != 0)
        sim_fail(&l->world, "SO_LINGER was refused");
    lab_note(l, l->server, "SO_LINGER %d s; send(%lld bytes)", seconds,
             (long long)la_sock_write(f->sockets, fd, bytes, sizeof bytes));
    sim_host_turn(l->server);
    const int result = la_sock_close(f->sockets, fd);

    lab_note(l, l->server, "close(): %s", result == -EINPROGRESS ? "in progress" : "done");
    sim_host_turn(l->server);
    return result;
}

static uint64_t read_all(struct lab *l, struct lab_sock *c, enum la_err *error)
{
    lab_quiet(l, true);
    const uint64_t bytes = lab_recv_all(c, error);

    lab_run(l, STEP);
    lab_quiet(l, false);
    return bytes;
}

/* The one accepted connection; the lowest descriptor after the epoll and the listener. */
static int accepted_by(struct lab *l, struct lab_files *f, const char *title, struct lab_sock **c)
{
    const bool reuse = f->reuse;

    lab_begin(l, title, NULL);
    *f = (struct lab_files){ .ready = take, .reuse = reuse };
    lab_files_begin(l, f, l->server, PORT, 0);
    *c = connect_to(l);
    lab_run(l, STEP);
    return (f->epoll > f->listener ? f->epoll : f->listener) + 1;
}

static void linger_zero(struct lab *l)
{
    struct lab_files f = { 0 };
    struct lab_sock *c;
    enum la_err error;
    int fd = accepted_by(l, &f, "SO_LINGER with a time of 0", &c);

    send_and_close(l, &f, fd, 0);
    lab_run(l, STEP);
    const uint64_t got = read_all(l, c, &error);

    lab_claim(l, got < BYTES && error == LA_ECONNRESET,
              "time 0: of %u bytes the client reads %llu, then %s", BYTES, (unsigned long long)got,
              la_err_name(error));
    lab_must(l,
             lab_count_state(l->server, LA_TIME_WAIT) == 0 &&
                 lab_count_state(l->client, LA_TIME_WAIT) == 0,
             "time 0: nobody is in TIME_WAIT");
    lab_files_end(&f);
}

static void linger_time(struct lab *l)
{
    struct lab_files f = { 0 };
    struct lab_sock *c;
    enum la_err error;
    int fd = accepted_by(l, &f, "SO_LINGER with a time of 5 s, the client reads", &c);
    const int result = send_and_close(l, &f, fd, 5);

    lab_must(l, result == -EINPROGRESS, "time 5: close() has to wait");
    const uint64_t got = read_all(l, c, &error);

    lab_must(l, got == BYTES && error == LA_OK, "time 5: the client reads all %llu bytes",
             (unsigned long long)got);
    la_sockets_turn(f.sockets);
    lab_must(l, la_sock_close(f.sockets, fd) == 0, "time 5: and close() is done");
    lab_files_end(&f);

    fd = accepted_by(l, &f, "SO_LINGER with a time of 5 s, the client's power fails", &c);
    lab_note(l, l->client, "power fails");
    lab_lose(l, (struct lab_which){ 0 });
    send_and_close(l, &f, fd, 5);
    const uint64_t from_ns = l->world.now_ns;

    while (la_sockets_deadline(f.sockets).ns != UINT64_MAX &&
           l->world.now_ns < from_ns + sim_s(60)) {
        lab_run(l, sim_ms(100));
        la_sockets_turn(f.sockets);
    }
    const uint64_t waited_s = (l->world.now_ns - from_ns + sim_ms(50)) / sim_s(1);

    lab_note(l, l->server, "close(): the time is up");
    lab_must(l, waited_s == 5 && lab_moved(l, l->server, LA_COUNT_OutRsts) == 0,
             "dead peer: after %llu s close() gives up waiting, without a reset",
             (unsigned long long)waited_s);
    lab_must(l, lab_count_state(l->server, LA_FIN_WAIT_1) == 1,
             "dead peer: the connection goes on as an orphan in FIN_WAIT_1");
    lab_files_end(&f);
}

static void linger(struct lab *l)
{
    linger_zero(l);
    linger_time(l);
}

const struct lab_scenario lab_linger = {
    .name = "linger",
    .title = "SO_LINGER: what close() waits for, and what a time of 0 throws away",
    .said = "SO_LINGER with 0 is how one gets rid of TIME_WAIT. With a time it makes sure that the "
            "data "
            "arrive.",
    .happens =
        "Without SO_LINGER close() returns at once and the stack goes on sending: that is right "
        "nearly "
        "always. With a time close() waits until the peer's stack has acknowledged everything, FIN "
        "included, or the time is up; then it returns and the connection goes on without its "
        "owner. Even "
        "an acknowledgment only says that the bytes are in the peer's buffer, not that its "
        "application read them.\n\n"
        "With a time of 0 close() sends a reset and forgets the connection: there is no TIME_WAIT, "
        "and no "
        "rest of the answer either, for whatever was not delivered is thrown away.",
    .todo = "To know that the other application has got everything, have it say so: "
            "shutdown(SHUT_WR) and wait "
            "for its end of file, or an answer of your protocol. Use a time of 0 to abort, "
            "never to save TIME_WAITs. In a non-blocking loop lastack's close() says EINPROGRESS "
            "and an "
            "event tells the end; Linux blocks even then.",
    .see = "SO_LINGER in socket(7); RFC 9293 3.10.4, 3.10.5; TCPAbortOnLinger",
    .run = linger,
};

static int bind_again(struct lab_files *f, bool reuse)
{
    const struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(PORT) };
    const int fd = la_socket(f->sockets, AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0), on = reuse;
    int result = la_sock_setsockopt(f->sockets, fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);

    if (result == 0)
        result = la_sock_bind(f->sockets, fd, (const struct sockaddr *)&any, sizeof any);
    if (result == 0)
        result = la_sock_listen(f->sockets, fd, 128);
    la_sock_close(f->sockets, fd);
    return result;
}

/* The server closes its connection and its listener; then the client closes. */
static void stop_server(struct lab *l, struct lab_files *f, const char *title)
{
    struct lab_sock *c;
    const int fd = accepted_by(l, f, title, &c);

    lab_note(l, l->server, "stops: closes its connection and its listener");
    la_sock_close(f->sockets, fd);
    la_epoll_ctl(f->sockets, f->epoll, EPOLL_CTL_DEL, f->listener, &(struct epoll_event){ 0 });
    la_sock_close(f->sockets, f->listener);
    sim_host_turn(l->server);
    lab_run(l, STEP);
    lab_close(c);
    lab_run(l, STEP);
}

static int start_again(struct lab *l, struct lab_files *f, bool reuse)
{
    const int result = bind_again(f, reuse);

    lab_note(l, l->server, "%sbind(): %s", reuse ? "SO_REUSEADDR, " : "",
             result == 0             ? "success"
             : result == -EADDRINUSE ? "EADDRINUSE"
                                     : "an error");
    return result;
}

static void restart(struct lab *l)
{
    struct lab_files f = { 0 };

    stop_server(l, &f, "a server without SO_REUSEADDR");
    lab_claim(l, lab_count_state(l->server, LA_TIME_WAIT) == 1,
              "the server closed first, so the server is in TIME_WAIT");
    lab_claim(l, start_again(l, &f, false) == -EADDRINUSE, "started again it fails: EADDRINUSE");
    lab_claim(l, start_again(l, &f, true) == -EADDRINUSE,
              "SO_REUSEADDR comes too late now: the old socket had to have it too");
    lab_run(l, sim_s(61));
    lab_claim(l, start_again(l, &f, false) == 0, "when TIME_WAIT is over, after 60 s, it succeeds");
    lab_files_end(&f);

    f = (struct lab_files){ .reuse = true };
    stop_server(l, &f, "a server with SO_REUSEADDR");
    lab_claim(l, lab_count_state(l->server, LA_TIME_WAIT) == 1,
              "with SO_REUSEADDR the server is in TIME_WAIT all the same");
    lab_must(l, start_again(l, &f, true) == 0, "and started again it listens at once");
    lab_files_end(&f);
}

const struct lab_scenario lab_restart = {
    .name = "restart",
    .title = "\"address already in use\" after a restart, and SO_REUSEADDR",
    .said =
        "SO_REUSEADDR is dangerous: two servers might share the port, or old packets reach the new "
        "one.",
    .happens =
        "The server that stops closes its connections first, so its side is in TIME_WAIT for 60 s. "
        "bind() to the same port then fails: a new connection from the same client and port could "
        "be confused with the old one. But a listener is no connection: each SYN it gets is "
        "checked against the TIME_WAIT of its own 4-tuple all the same. SO_REUSEADDR says that "
        "this "
        "is enough; the socket that waits must have said so too, and a connection has it from its "
        "listener. It does not let two listeners share a port (that is SO_REUSEPORT): while "
        "another socket listens, bind() still fails.",
    .todo =
        "Set SO_REUSEADDR on every listening socket before bind(). Go, Java, Node and nginx do.",
    .see = "SO_REUSEADDR in socket(7); RFC 9293 3.6.1; net.lastack.tcp_msl_ms",
    .code = "restart",
    .run = restart,
};
