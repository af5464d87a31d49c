/* SPDX-License-Identifier: MIT */
/*
 * proxy.c - From a stack of one's own into the kernel's: connections that come in over the TUN
 * device go on to a server the kernel can reach, as a tunnel or a sandbox does it.
 *
 * Two threads a connection, one each way, with calls that wait: la_mt_*() beside the kernel's.
 * Flow control needs no code: who can not write does not read.  The end of one direction is
 * handed on by itself (shutdown), so half-closed connections work through it.
 *
 *     cc proxy.c -o proxy $(pkg-config --cflags --libs lastack) -pthread
 *     ./proxy la0 10.9.0.2/24 8080 127.0.0.1 80    (on_tun.h says how la0 is made)
 *     curl http://10.9.0.2:8080/                   (in another window)
 *
 * It ends when it is killed; its peers on the device then time out, as with a host gone down.
 */
#define _GNU_SOURCE
#include "on_tun.h"

#include <lastack/socket.h>

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

struct proxy {
    struct la_mt *sockets;
    struct addrinfo *server;
};

/* One connection: a socket of lastack's and a socket of the kernel's. */
struct link {
    struct proxy *proxy;
    int ours, kernels;
};

static bool send_all_ours(const struct link *l, const char *bytes, size_t len)
{
    while (len > 0) {
        const int64_t n = la_mt_send(l->proxy->sockets, l->ours, bytes, len, 0);

        if (n < 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static bool send_all_kernels(const struct link *l, const char *bytes, size_t len)
{
    while (len > 0) {
        const ssize_t n = send(l->kernels, bytes, len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

/* A direction that failed takes the other one with it; one that ended leaves it alone. */
static void *inwards(void *context)
{
    const struct link *l = context;
    char bytes[65536];
    int64_t n;

    while ((n = la_mt_recv(l->proxy->sockets, l->ours, bytes, sizeof bytes, 0)) > 0)
        if (!send_all_kernels(l, bytes, (size_t)n))
            break;
    (void)shutdown(l->kernels, n == 0 ? SHUT_WR : SHUT_RDWR);
    if (n != 0)
        (void)la_mt_shutdown(l->proxy->sockets, l->ours, SHUT_RDWR);
    return NULL;
}

static void outwards(const struct link *l)
{
    char bytes[65536];
    ssize_t n;

    do {
        n = recv(l->kernels, bytes, sizeof bytes, 0);
    } while ((n < 0 && errno == EINTR) || (n > 0 && send_all_ours(l, bytes, (size_t)n)));
    (void)la_mt_shutdown(l->proxy->sockets, l->ours, n == 0 ? SHUT_WR : SHUT_RDWR);
    if (n != 0)
        (void)shutdown(l->kernels, SHUT_RDWR);
}

static int dial(const struct addrinfo *server)
{
    for (; server != NULL; server = server->ai_next) {
        const int fd = socket(server->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd >= 0 && connect(fd, server->ai_addr, server->ai_addrlen) == 0)
            return fd;
        if (fd >= 0)
            close(fd);
    }
    return -1;
}

static void *carry(void *context)
{
    struct link *l = context;
    pthread_t other;

    l->kernels = dial(l->proxy->server);
    if (l->kernels >= 0 && pthread_create(&other, NULL, inwards, l) == 0) {
        outwards(l);
        (void)pthread_join(other, NULL);
    }
    if (l->kernels >= 0)
        close(l->kernels);
    (void)la_mt_close(l->proxy->sockets, l->ours);
    free(l);
    return NULL;
}

static void begin(struct proxy *p, int fd)
{
    struct link *l = malloc(sizeof *l);
    pthread_t thread;

    if (l != NULL) {
        *l = (struct link){ p, fd, -1 };
        if (pthread_create(&thread, NULL, carry, l) == 0) {
            (void)pthread_detach(thread);
            return;
        }
        free(l);
    }
    (void)la_mt_close(p->sockets, fd);
}

static int listen_on(struct proxy *p, uint16_t port)
{
    const struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    const int fd = la_mt_socket(p->sockets, AF_INET6, SOCK_STREAM, 0);
    int err = fd;

    if (fd >= 0)
        err = la_mt_bind(p->sockets, fd, (const struct sockaddr *)&any, sizeof any);
    if (err >= 0)
        err = la_mt_listen(p->sockets, fd, 4096);
    if (err < 0)
        die("port %u: %s", port, strerror(-err));
    return fd;
}

int main(int argc, char **argv)
{
    const struct addrinfo tcp = { .ai_socktype = SOCK_STREAM };
    static struct proxy p;
    struct on_tun net;

    if (argc != 6)
        die("usage: proxy DEVICE ADDRESS/PREFIX[,...] PORT SERVER SERVER_PORT");
    const int unknown = getaddrinfo(argv[4], argv[5], &tcp, &p.server);
    if (unknown != 0)
        die("%s: %s", argv[4], gai_strerror(unknown));
    net = on_tun_open(argv[1], argv[2]);
    p.sockets = la_mt_new(&(struct la_mt_config){
        .stack = net.stack, .driver = net.tun, .iface = net.iface, .nofile = 4096 });
    if (p.sockets == NULL)
        die("the sockets: %s", strerror(errno));

    const int listener = listen_on(&p, port_of(argv[3]));
    printf("listening on port %s\n", argv[3]);
    (void)fflush(stdout);
    for (;;) {
        const int fd = la_mt_accept4(p.sockets, listener, NULL, NULL, 0);

        if (fd >= 0)
            begin(&p, fd);
        else if (fd == -EMFILE || fd == -ENFILE || fd == -ENOBUFS)
            (void)usleep(10000); /* until somebody leaves */
        else if (fd != -ECONNABORTED)
            die("accept: %s", strerror(-fd));
    }
}
