/* SPDX-License-Identifier: MIT */
/* files.c - What files.h says. */
#include "sim/lab/files.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define READY_MAX 16

static la_time now_of(void *context)
{
    const struct lab_files *f = context;

    return sim_host_now(f->host);
}

static void pass(struct sim_world *w, void *context);

static void plan(struct lab_files *f)
{
    if (f->planned)
        return;
    f->planned = true;
    sim_at(&f->l->world, f->l->world.now_ns + sim_us(LAB_PASS_US), pass, f);
}

static void pass(struct sim_world *w, void *context)
{
    struct lab_files *f = context;
    struct epoll_event ready[READY_MAX];

    (void)w;
    f->planned = false;
    if (!f->sockets)
        return;
    const int count = la_epoll_wait(f->sockets, f->epoll, ready, READY_MAX);

    if (count <= 0)
        return;
    f->passes++;
    for (int i = 0; i < count; i++)
        f->ready(f, ready[i].data.fd, ready[i].events);
    sim_host_turn(f->host);
    plan(f);
}

static void event(struct lab *l, struct sim_host *at, const struct la_event *e)
{
    struct lab_files *f = l->user;

    if (f->sockets && at == f->host && la_sockets_event(f->sockets, e))
        plan(f);
}

/* ::, which takes IPv4 too. */
static int listen_on(struct lab_files *f, uint16_t port)
{
    struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    const int fd = la_socket(f->sockets, AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0), on = f->reuse;

    if (fd < 0 ||
        la_sock_setsockopt(f->sockets, fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        la_sock_bind(f->sockets, fd, (struct sockaddr *)&any, sizeof any) != 0 ||
        la_sock_listen(f->sockets, fd, 128) != 0)
        sim_fail(&f->l->world, "the program could not listen");
    return fd;
}

static void ask(struct lab_files *f, int op, int fd)
{
    struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

    if (la_epoll_ctl(f->sockets, f->epoll, op, fd, &e) != 0)
        sim_fail(&f->l->world, "the program could not ask for a descriptor");
}

void lab_files_listen(struct lab_files *f, bool on)
{
    if (on == f->listening)
        return;
    f->listening = on;
    ask(f, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, f->listener);
    plan(f);
}

int lab_files_accept(struct lab_files *f)
{
    const int fd = la_sock_accept4(f->sockets, f->listener, NULL, NULL, SOCK_NONBLOCK);

    if (fd >= 0) {
        f->accepted++;
        ask(f, EPOLL_CTL_ADD, fd);
    } else {
        f->failed++;
    }
    return fd;
}

void lab_files_begin(struct lab *l, struct lab_files *f, struct sim_host *host, uint16_t port,
                     uint32_t nofile)
{
    f->l = l;
    f->host = host;
    f->sockets = la_sockets_new(&(struct la_sockets_config){
        .stack = host->stack, .now = now_of, .context = f, .nofile = nofile });
    if (!f->sockets) {
        sim_fail(&l->world, "no memory for descriptors");
        return;
    }
    l->user = f;
    l->on_event = event;
    f->epoll = la_epoll_create1(f->sockets, 0);
    f->listener = listen_on(f, port);
    f->listening = false;
    lab_files_listen(f, true);
}

void lab_files_end(struct lab_files *f)
{
    lab_note(f->l, f->host, "the program ends");
    if (f->sockets)
        la_sockets_free(f->sockets);
    f->sockets = NULL;
    f->l->user = NULL;
    f->l->on_event = NULL;
    sim_host_turn(f->host);
    lab_run(f->l, sim_ms(50));
}
