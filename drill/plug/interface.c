/* SPDX-License-Identifier: MIT */
/*
 * interface.c - liblastack-packetdrill.so: lastack as packetdrill's stack under test.
 *
 *     packetdrill --so_filename=build/liblastack-packetdrill.so \
 *                 --so_flags=local=192.168.0.1,mtu=1500,sysctl.net.ipv4.tcp_sack=0 script.pkt
 *
 * The numbers handed out are descriptors of /dev/null, so that closing them with libc's close(),
 * as packetdrill does at a script's end, does no harm.
 */
#include "drill/plug/plug.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct plug *lock(void *userdata)
{
    struct plug *p = userdata;
    pthread_mutex_lock(&p->mutex);
    return p;
}

/* The same, at the head of what a script does: its commands may have changed settings. */
static struct plug *enter(void *userdata)
{
    struct plug *p = lock(userdata);
    p->spins = 0;
    plug_host_sysctls(p);
    return p;
}

static int64_t unlock(struct plug *p, int64_t result)
{
    pthread_mutex_unlock(&p->mutex);
    if (result >= 0)
        return result;
    errno = (int)-result;
    return -1;
}

/* --- numbers ------------------------------------------------------------------------------ */

int plug_own(const struct plug *p, int fd)
{
    return fd >= 0 && fd < PLUG_FDS_MAX && p->fds[fd] > 0 ? p->fds[fd] - 1 : -1;
}

static bool is_pipe(const struct plug *p, int fd)
{
    return fd >= 0 && fd < PLUG_FDS_MAX && p->fds[fd] == PLUG_PIPE;
}

/* A number for a new socket; an error is passed on. */
static int64_t hand_out(struct plug *p, int64_t socket)
{
    if (socket < 0)
        return socket;
    const int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd < 0 || fd >= PLUG_FDS_MAX) {
        (void)la_sock_close(p->sockets, (int)socket);
        if (fd >= 0)
            close(fd);
        return -EMFILE;
    }
    p->fds[fd] = (int)socket + 1;
    return fd;
}

/* What a call of the host's returned, as ours return it. */
static int64_t of_host(int64_t result)
{
    return result < 0 ? -errno : result;
}

/* --- calls that do not wait ------------------------------------------------------------------ */

/* Behind a call: what it caused is sent at the time it was made. */
static int64_t settle(struct plug *p, int64_t result)
{
    plug_turn(p);
    return unlock(p, result);
}

static int plug_socket(void *u, int domain, int type, int protocol)
{
    struct plug *p = enter(u);
    return (int)settle(p, hand_out(p, la_socket(p->sockets, domain, type, protocol)));
}

static int plug_bind(void *u, int fd, const struct sockaddr *addr, socklen_t len)
{
    struct plug *p = enter(u);
    return (int)settle(p, la_sock_bind(p->sockets, plug_own(p, fd), addr, len));
}

static int plug_listen(void *u, int fd, int backlog)
{
    struct plug *p = enter(u);
    return (int)settle(p, la_sock_listen(p->sockets, plug_own(p, fd), backlog));
}

static int plug_fcntl(void *u, int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    const long argument = va_arg(arguments, int); /* what the commands of a socket take */
    va_end(arguments);
    struct plug *p = enter(u);
    if (is_pipe(p, fd))
        return (int)unlock(p, of_host(fcntl(fd, command, argument)));
    return (int)settle(p, la_sock_fcntl(p->sockets, plug_own(p, fd), command, argument));
}

static int plug_ioctl(void *u, int fd, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    struct plug *p = enter(u);
    return (int)settle(p, la_sock_ioctl(p->sockets, plug_own(p, fd), request, argument));
}

static int plug_shutdown(void *u, int fd, int how)
{
    struct plug *p = enter(u);
    return (int)settle(p, la_sock_shutdown(p->sockets, plug_own(p, fd), how));
}

static int plug_getsockopt(void *u, int fd, int level, int name, void *value, socklen_t *len)
{
    struct plug *p = enter(u);
    return (int)settle(p, la_sock_getsockopt(p->sockets, plug_own(p, fd), level, name, value, len));
}

static int plug_setsockopt(void *u, int fd, int level, int name, const void *value, socklen_t len)
{
    struct plug *p = enter(u);
    return (int)settle(p, la_sock_setsockopt(p->sockets, plug_own(p, fd), level, name, value, len));
}

static int plug_epoll_create(void *u, int size)
{
    struct plug *p = enter(u);
    return (int)settle(p, size > 0 ? hand_out(p, la_epoll_create1(p->sockets, 0)) : -EINVAL);
}

static int plug_epoll_ctl(void *u, int epfd, int op, int fd, struct epoll_event *event)
{
    struct plug *p = enter(u);
    return (int)settle(p, la_epoll_ctl(p->sockets, plug_own(p, epfd), op, plug_own(p, fd), event));
}

/* --- calls that may ---------------------------------------------------------------------------- */

static int plug_accept(void *u, int fd, struct sockaddr *addr, socklen_t *len)
{
    struct plug *p = enter(u);
    const struct la_sock_call call = {
        .op = LA_SOCK_ACCEPT, .fd = plug_own(p, fd), .addr = addr, .addr_len = len
    };
    return (int)unlock(p, hand_out(p, plug_call(p, &call)));
}

static int plug_connect(void *u, int fd, const struct sockaddr *addr, socklen_t len)
{
    struct plug *p = enter(u);
    const struct la_sock_call call = {
        .op = LA_SOCK_CONNECT, .fd = plug_own(p, fd), .to = addr, .to_len = len
    };
    return (int)unlock(p, plug_call(p, &call));
}

static int plug_close(void *u, int fd)
{
    struct plug *p = enter(u);
    const struct la_sock_call call = { .op = LA_SOCK_CLOSE, .fd = plug_own(p, fd) };
    const int64_t result = is_pipe(p, fd) ? 0 : plug_call(p, &call);
    if (call.fd >= 0 || is_pipe(p, fd)) {
        p->fds[fd] = PLUG_NONE;
        close(fd);
    }
    return (int)unlock(p, result);
}

static ssize_t transfer(void *u, enum la_sock_op op, int fd, struct msghdr *msg, int flags)
{
    struct plug *p = enter(u);
    const struct la_sock_call call = {
        .op = op, .fd = plug_own(p, fd), .msg = msg, .flags = flags
    };
    if (is_pipe(p, fd) && op == LA_SOCK_READV)
        return (ssize_t)unlock(p, of_host(readv(fd, msg->msg_iov, (int)msg->msg_iovlen)));
    if (is_pipe(p, fd) && op == LA_SOCK_WRITEV)
        return (ssize_t)unlock(p, of_host(writev(fd, msg->msg_iov, (int)msg->msg_iovlen)));
    return (ssize_t)unlock(p, plug_call(p, &call));
}

static ssize_t plug_recvmsg(void *u, int fd, struct msghdr *msg, int flags)
{
    return transfer(u, LA_SOCK_RECV, fd, msg, flags);
}

static ssize_t plug_sendmsg(void *u, int fd, const struct msghdr *msg, int flags)
{
    struct msghdr copy = *msg;
    return transfer(u, LA_SOCK_SEND, fd, &copy, flags);
}

static ssize_t plug_readv(void *u, int fd, const struct iovec *iov, int count)
{
    struct msghdr msg = { .msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)count };
    return transfer(u, LA_SOCK_READV, fd, &msg, 0);
}

static ssize_t plug_writev(void *u, int fd, const struct iovec *iov, int count)
{
    struct msghdr msg = { .msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)count };
    return transfer(u, LA_SOCK_WRITEV, fd, &msg, 0);
}

static ssize_t plug_recv(void *u, int fd, void *bytes, size_t len, int flags)
{
    struct iovec iov = { bytes, len };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    return transfer(u, LA_SOCK_RECV, fd, &msg, flags);
}

static ssize_t plug_read(void *u, int fd, void *bytes, size_t len)
{
    const struct iovec iov = { bytes, len };
    return plug_readv(u, fd, &iov, 1);
}

static ssize_t plug_recvfrom(void *u, int fd, void *bytes, size_t len, int flags,
                             struct sockaddr *addr, socklen_t *addr_len)
{
    (void)addr;
    if (addr_len != NULL)
        *addr_len = 0; /* TCP tells no source */
    return plug_recv(u, fd, bytes, len, flags);
}

static ssize_t plug_sendto(void *u, int fd, const void *bytes, size_t len, int flags,
                           const struct sockaddr *addr, socklen_t addr_len)
{
    struct iovec iov = { (void *)(uintptr_t)bytes, len };
    struct msghdr msg = { .msg_iov = &iov,
                          .msg_iovlen = 1,
                          .msg_name = (void *)(uintptr_t)addr,
                          .msg_namelen = addr_len };
    return transfer(u, LA_SOCK_SEND, fd, &msg, flags);
}

static ssize_t plug_send(void *u, int fd, const void *bytes, size_t len, int flags)
{
    return plug_sendto(u, fd, bytes, len, flags, NULL, 0);
}

static ssize_t plug_write(void *u, int fd, const void *bytes, size_t len)
{
    const struct iovec iov = { (void *)(uintptr_t)bytes, len };
    return plug_writev(u, fd, &iov, 1);
}

static int plug_pipe(void *u, int fds[2])
{
    struct plug *p = enter(u);
    return (int)unlock(p, plug_pipe_make(p, fds));
}

static int plug_splice_call(void *u, int in, loff_t *in_at, int out, loff_t *out_at, size_t len,
                            unsigned flags)
{
    struct plug *p = enter(u);
    return (int)unlock(p, plug_splice(p, in, in_at, out, out_at, len, flags));
}

static int plug_poll(void *u, struct pollfd *fds, nfds_t count, int timeout)
{
    struct plug *p = enter(u);
    struct pollfd *ours = calloc(count + 1, sizeof *ours);
    if (ours == NULL)
        return (int)unlock(p, -ENOMEM);
    for (nfds_t i = 0; i < count; i++)
        ours[i] = (struct pollfd){
            .fd = fds[i].fd < 0                ? fds[i].fd
                  : plug_own(p, fds[i].fd) < 0 ? PLUG_FDS_MAX
                                               : plug_own(p, fds[i].fd),
            .events = fds[i].events,
        };
    const struct la_sock_call call = {
        .op = LA_SOCK_POLL, .fds = ours, .count = count, .timeout_ms = timeout
    };
    const int64_t result = plug_call(p, &call);
    for (nfds_t i = 0; i < count; i++)
        fds[i].revents = ours[i].revents;
    free(ours);
    return (int)unlock(p, result);
}

static int plug_epoll_wait(void *u, int epfd, struct epoll_event *events, int max, int timeout)
{
    struct plug *p = enter(u);
    const struct la_sock_call call = { .op = LA_SOCK_EPOLL_WAIT,
                                       .fd = plug_own(p, epfd),
                                       .events = events,
                                       .max = max,
                                       .timeout_ms = timeout };
    return (int)unlock(p, plug_call(p, &call));
}

/* --- packets and time ---------------------------------------------------------------------------- */

static int plug_netdev_send(void *u, const void *bytes, size_t count)
{
    struct plug *p = enter(u);
    const struct la_frame frame = { .bytes = bytes,
                                    .len_bytes = (uint32_t)count,
                                    .iface = (uint16_t)p->iface };
    la_rx(p->stack, (la_time){ p->now_ns }, &frame, 1);
    return (int)settle(p, 0);
}

static long long usecs_of(uint64_t ns)
{
    return PLUG_START_US + (long long)(ns / 1000);
}

static int plug_netdev_receive(void *u, void *bytes, size_t *count, long long *time_usecs)
{
    struct plug *p = lock(u);
    if (p->first == NULL)
        plug_pass(p, UINT64_MAX, true);
    struct plug_packet *q = p->first;
    if (q == NULL) { /* and there never will be one */
        *count = 0;
        *time_usecs = usecs_of(p->now_ns);
        return (int)unlock(p, 0);
    }
    if (q->len > *count) { /* -1 would be asked again for ever */
        fprintf(stderr, "liblastack-packetdrill: a packet of %u bytes, and room for %zu\n", q->len,
                *count);
        *count = 0;
        return (int)unlock(p, 0);
    }
    p->first = q->next;
    if (p->first == NULL)
        p->last = &p->first;
    memcpy(bytes, q->bytes, q->len);
    *count = q->len;
    *time_usecs = usecs_of(q->at_ns);
    free(q);
    return (int)unlock(p, 0);
}

static int plug_usleep(void *u, useconds_t usecs)
{
    struct plug *p = lock(u);
    p->spins = 0;
    plug_pass(p, p->now_ns + (uint64_t)usecs * 1000, false);
    return (int)unlock(p, 0);
}

static int plug_gettimeofday(void *u, struct timeval *tv, struct timezone *zone)
{
    struct plug *p = lock(u);
    const long long us = usecs_of(plug_clock(p));
    (void)zone;
    tv->tv_sec = us / 1000000;
    tv->tv_usec = us % 1000000;
    return (int)unlock(p, 0);
}

/* --- birth and death ------------------------------------------------------------------------------- */

static la_time plug_time(void *context)
{
    return (la_time){ ((struct plug *)context)->now_ns };
}

static void make_stack(struct plug *p)
{
    struct la_config sizes;
    la_config_default(&sizes);
    sizes.connections = 4096;
    sizes.secret[0] = 1;
    p->arena_bytes = la_bytes_needed(&sizes);
    p->arena = la_rt_arena_map(p->arena_bytes);
    const struct la_sockets_config table = { .now = plug_time, .context = p };
    struct la_sockets_config own_table = table;
    if (p->arena == NULL ||
        la_init(p->arena, p->arena_bytes, &sizes, (la_time){ p->now_ns }, &p->stack) != LA_OK)
        plug_wrong("no memory", "for a stack");
    own_table.stack = p->stack;
    p->sockets = la_sockets_new(&own_table);
    if (p->sockets == NULL)
        plug_wrong("no memory", "for sockets");
}

static void make_network(struct plug *p, const struct plug_wishes *w)
{
    const struct la_iface_config config = { .mtu_bytes = w->mtu };
    const struct la_prefix own4 = { w->local4, 96 + 16 }, own6 = { w->local6, 64 };
    p->iface = la_iface_add(p->stack, &config);
    if (p->iface < 0 || la_addr_add(p->stack, p->iface, own4, 0) != LA_OK ||
        (w->mtu >= 1280 && la_addr_add(p->stack, p->iface, own6, 0) != LA_OK) ||
        la_route_add(p->stack, la_prefix_any(), p->iface) != LA_OK)
        plug_wrong("these addresses or this MTU can not be had", "--so_flags");
}

static void plug_free(void *userdata)
{
    struct plug *p = userdata;
    la_sockets_free(p->sockets);
    la_rt_arena_unmap(p->arena, p->arena_bytes);
    while (p->first != NULL) {
        struct plug_packet *q = p->first;
        p->first = q->next;
        free(q);
    }
    for (int fd = 0; fd < PLUG_FDS_MAX; fd++)
        if (p->fds[fd] != PLUG_NONE)
            close(fd);
    pthread_mutex_destroy(&p->mutex);
    pthread_cond_destroy(&p->changed);
    free(p);
}

static struct plug *new_plug(const char *flags)
{
    struct plug *p = calloc(1, sizeof *p);
    struct plug_wishes w = { .local4 = la_addr_v4(192, 168, 0, 1), .mtu = 1500 };
    char *text = strdup(flags != NULL ? flags : "");
    if (p == NULL || text == NULL || !la_addr_parse("fd3d:a0b:17d6::1", &w.local6))
        plug_wrong("no memory", "");
    pthread_mutex_init(&p->mutex, NULL);
    pthread_cond_init(&p->changed, NULL);
    p->now_ns = 1000000000;
    p->script = pthread_self();
    p->last = &p->first;
    make_stack(p);
    for (char *at = text, *next; *at != '\0'; at = next) {
        next = at + strcspn(at, ",");
        if (*next == ',')
            *next++ = '\0';
        plug_flag(p, &w, at);
    }
    make_network(p, &w);
    plug_host_sysctls(p);
    free(text);
    return p;
}

void packetdrill_interface_init(const char *flags, struct packetdrill_interface *out)
{
    *out = (struct packetdrill_interface){
        .userdata = new_plug(flags),
        .free = plug_free,
        .socket = plug_socket,
        .bind = plug_bind,
        .listen = plug_listen,
        .accept = plug_accept,
        .connect = plug_connect,
        .read = plug_read,
        .readv = plug_readv,
        .recv = plug_recv,
        .recvfrom = plug_recvfrom,
        .recvmsg = plug_recvmsg,
        .write = plug_write,
        .writev = plug_writev,
        .send = plug_send,
        .sendto = plug_sendto,
        .sendmsg = plug_sendmsg,
        .fcntl = plug_fcntl,
        .ioctl = plug_ioctl,
        .close = plug_close,
        .shutdown = plug_shutdown,
        .getsockopt = plug_getsockopt,
        .setsockopt = plug_setsockopt,
        .poll = plug_poll,
        .netdev_send = plug_netdev_send,
        .netdev_receive = plug_netdev_receive,
        .usleep = plug_usleep,
        .gettimeofday = plug_gettimeofday,
        .epoll_create = plug_epoll_create,
        .epoll_ctl = plug_epoll_ctl,
        .epoll_wait = plug_epoll_wait,
        .pipe = plug_pipe,
        .splice = plug_splice_call,
    };
}
