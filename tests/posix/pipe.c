/* SPDX-License-Identifier: MIT */
/* pipe.c - Two stacks in two threads, joined by a socket pair that carries IP packets. */
#include "tests/posix/pipe.h"

#include "core/base/assert.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MTU 1500u
#define BURST LA_RX_BURST_MAX

struct end {
    struct la_rt_driver driver;
    uint8_t in[BURST][MTU];
    uint8_t out[MTU];
};

static int end_receive(void *self, struct la_frame *frames, uint32_t max)
{
    struct end *e = self;
    uint32_t n = 0;

    for (; n < max && n < BURST; n++) {
        const ssize_t len = recv(e->driver.fd, e->in[n], MTU, MSG_DONTWAIT);

        if (len <= 0)
            break;
        frames[n] = (struct la_frame){ .bytes = e->in[n], .len_bytes = (uint32_t)len };
    }
    return (int)n;
}

static int end_send(void *self, const struct la_tx *tx)
{
    struct end *e = self;
    const uint32_t len = la_tx_copy(tx, e->out, MTU);

    if (send(e->driver.fd, e->out, len, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)len)
        return 1;
    return errno == EAGAIN ? 0 : -errno;
}

static void end_close(void *self)
{
    struct end *e = self;

    close(e->driver.fd);
    free(e);
}

static struct la_rt_driver *end_new(int fd)
{
    struct end *e = calloc(1, sizeof *e);
    const int room = 1 << 20;

    LA_ASSERT(e != NULL);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    e->driver = (struct la_rt_driver){
        .self = e,
        .fd = fd,
        .mtu_bytes = MTU,
        .name = "pipe",
        .receive = end_receive,
        .send = end_send,
        .close = end_close,
    };
    return &e->driver;
}

static void host_new(struct pipe_pair *p, int side, bool v6, const struct la_config *config,
                     uint32_t nofile)
{
    const struct la_iface_config iface = { .mtu_bytes = MTU };
    struct la_config own = *config;
    struct la_prefix prefix = { .len = v6 ? 64 : 120 };

    la_rt_random(own.secret, sizeof own.secret);
    p->mem_bytes = la_bytes_needed(&own);
    p->mem[side] = la_rt_arena_map(p->mem_bytes);
    LA_ASSERT(p->mem[side] != NULL);
    enum la_err err = la_init(p->mem[side], p->mem_bytes, &own, la_rt_now(), &p->stack[side]);
    LA_ASSERT(err == LA_OK);
    const int number = la_iface_add(p->stack[side], &iface);
    LA_ASSERT(number == 0);
    prefix.addr = p->addr[side];
    err = la_addr_add(p->stack[side], 0, prefix, 0);
    LA_ASSERT(err == LA_OK);
    p->mt[side] = la_mt_new(&(struct la_mt_config){
        .stack = p->stack[side], .driver = p->driver[side], .iface = 0, .nofile = nofile });
    LA_ASSERT(p->mt[side] != NULL);
}

void pipe_pair_new(struct pipe_pair *p, bool v6, const struct la_config *config, uint32_t nofile)
{
    int fds[2];
    const int made = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds);

    LA_ASSERT(made == 0);
    for (int side = 0; side < 2; side++) {
        bool ok = true;

        p->addr[side] = la_addr_v4(10, 0, 0, (uint8_t)(side + 1));
        if (v6)
            ok = la_addr_parse(side ? "2001:db8::2" : "2001:db8::1", &p->addr[side]);
        LA_ASSERT(ok);
        p->driver[side] = end_new(fds[side]);
    }
    for (int side = 0; side < 2; side++)
        host_new(p, side, v6, config, nofile);
}

void pipe_pair_free(struct pipe_pair *p)
{
    for (int side = 0; side < 2; side++)
        la_mt_free(p->mt[side]);
    for (int side = 0; side < 2; side++) {
        la_rt_driver_close(p->driver[side]);
        la_rt_arena_unmap(p->mem[side], p->mem_bytes);
    }
}
