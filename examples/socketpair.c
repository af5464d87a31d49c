/* SPDX-License-Identifier: MIT */
/*
 * socketpair.c - A device of one's own: two processes, a stack in each, and between them a pair
 * of sockets that carries IP packets.
 *
 * What is no TUN device becomes a device by four functions.  This one would do as well for a
 * virtual machine, a container or a tunnel that hands packets over a descriptor.  Above it the
 * child connects and the parent accepts with sockets that wait (la_mt_*).
 *
 *     cc socketpair.c -o socketpair $(pkg-config --cflags --libs lastack)
 *     ./socketpair
 */
#define _GNU_SOURCE
#include <lastack/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MTU 1500u

__attribute__((noreturn)) static void die(const char *what, int err)
{
    (void)fprintf(stderr, "%s: %s\n", what, strerror(err));
    exit(1);
}

/* The device ----------------------------------------------------------------------------------- */

struct device {
    struct la_rt_driver driver;
    uint8_t in[LA_RX_BURST_MAX][MTU]; /* lent to the stack until the next receive */
    uint8_t out[MTU];
};

static int device_receive(void *self, struct la_frame *frames, uint32_t max)
{
    struct device *d = self;
    uint32_t count = 0;

    while (count < max && count < LA_RX_BURST_MAX) {
        const ssize_t len = recv(d->driver.fd, d->in[count], MTU, MSG_DONTWAIT);

        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0 && errno == EAGAIN)
            break;
        if (len <= 0) /* the other end is gone: what came before it counts first */
            return count > 0 ? (int)count : -ENODEV;
        frames[count] = (struct la_frame){ .bytes = d->in[count], .len_bytes = (uint32_t)len };
        count++;
    }
    return (int)count;
}

static int device_send(void *self, const struct la_tx *tx)
{
    struct device *d = self;

    if (tx->len_bytes > MTU)
        return -EMSGSIZE;
    const uint32_t len = la_tx_copy(tx, d->out, MTU);
    for (;;) {
        if (send(d->driver.fd, d->out, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
            return 1;
        if (errno == EAGAIN)
            return 0; /* no room: the loop waits until the descriptor is writable */
        if (errno != EINTR)
            return -errno;
    }
}

static void device_close(void *self)
{
    struct device *d = self;

    close(d->driver.fd);
    free(d);
}

static struct la_rt_driver *device_new(int fd)
{
    struct device *d = calloc(1, sizeof *d);

    if (d == NULL)
        die("the device", ENOMEM);
    d->driver = (struct la_rt_driver){ .self = d,
                                       .fd = fd,
                                       .mtu_bytes = MTU,
                                       .name = "socketpair",
                                       .receive = device_receive,
                                       .send = device_send,
                                       .close = device_close };
    return &d->driver;
}

/* A stack on it -------------------------------------------------------------------------------- */

struct host {
    struct la_rt_driver *device;
    struct la_mt *sockets;
    void *mem;
    uint64_t bytes;
};

static void host_begin(struct host *h, int fd, struct la_addr addr)
{
    struct la_config config;
    struct la_stack *s = NULL;

    h->device = device_new(fd);
    la_config_default(&config);
    config.cpu_features = la_rt_cpu_features();
    la_rt_random(config.secret, sizeof config.secret);
    h->bytes = la_bytes_needed(&config);
    h->mem = la_rt_arena_map(h->bytes);
    if (h->mem == NULL)
        die("memory", errno);
    enum la_err err = la_init(h->mem, h->bytes, &config, la_rt_now(), &s);
    if (err == LA_OK && la_iface_add(s, &(struct la_iface_config){ .mtu_bytes = MTU }) != 0)
        err = LA_EINVAL;
    if (err == LA_OK)
        err = la_addr_add(s, 0, (struct la_prefix){ addr, 96 + 24 }, 0);
    if (err != LA_OK)
        die("the stack", la_errno(err));
    h->sockets = la_mt_new(
        &(struct la_mt_config){ .stack = s, .driver = h->device, .iface = 0, .nofile = 16 });
    if (h->sockets == NULL)
        die("the sockets", errno);
}

static void host_free(struct host *h)
{
    la_mt_free(h->sockets);
    la_rt_driver_close(h->device);
    la_rt_arena_unmap(h->mem, h->bytes);
}

/* Two programs --------------------------------------------------------------------------------- */

static const char greeting[] = "packets between two processes, and no kernel TCP\n";

static int check(int result, const char *what)
{
    if (result < 0)
        die(what, -result);
    return result;
}

static void server(struct la_mt *m, const struct sockaddr_in *at)
{
    char bytes[4096];
    int64_t n;

    const int listener = check(la_mt_socket(m, AF_INET, SOCK_STREAM, 0), "socket");
    check(la_mt_bind(m, listener, (const struct sockaddr *)at, sizeof *at), "bind");
    check(la_mt_listen(m, listener, 1), "listen");
    const int fd = check(la_mt_accept4(m, listener, NULL, NULL, 0), "accept");
    while ((n = la_mt_recv(m, fd, bytes, sizeof bytes, 0)) > 0)
        (void)fwrite(bytes, 1, (size_t)n, stdout);
    check((int)n, "receive");
    check(la_mt_close(m, fd), "close");
    check(la_mt_close(m, listener), "close");
}

static void client(struct la_mt *m, const struct sockaddr_in *to)
{
    char end;

    const int fd = check(la_mt_socket(m, AF_INET, SOCK_STREAM, 0), "socket");
    int err = -ECONNREFUSED; /* so it is while the server does not listen yet */
    for (int i = 0; i < 500 && err == -ECONNREFUSED; i++) {
        err = la_mt_connect(m, fd, (const struct sockaddr *)to, sizeof *to);
        if (err == -ECONNREFUSED)
            (void)usleep(10000);
    }
    check(err, "connect");
    if (la_mt_send(m, fd, greeting, sizeof greeting - 1, 0) != sizeof greeting - 1)
        die("send", EIO);
    check(la_mt_shutdown(m, fd, SHUT_WR), "shutdown");
    check((int)la_mt_recv(m, fd, &end, 1, 0), "receive"); /* waits for the server's end */
    check(la_mt_close(m, fd), "close");
}

int main(void)
{
    const struct la_addr addr[2] = { la_addr_v4(10, 0, 0, 1), la_addr_v4(10, 0, 0, 2) };
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(80) };
    static struct host h;
    int fds[2], status;

    memcpy(&to.sin_addr, addr[0].bytes + 12, 4);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
        die("socketpair", errno);
    const pid_t child = fork();
    if (child < 0)
        die("fork", errno);
    const int side = child == 0;
    close(fds[!side]);
    host_begin(&h, fds[side], addr[side]);
    if (side == 1)
        client(h.sockets, &to);
    else
        server(h.sockets, &to);
    if (side == 0 && (waitpid(child, &status, 0) != child || status != 0))
        die("the client", ECHILD);
    host_free(&h);
    return fflush(stdout) == 0 ? 0 : 1;
}
