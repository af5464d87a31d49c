/* SPDX-License-Identifier: MIT */
/*
 * host_kernel.c - This machine's kernel as the host under test, in real time.
 *
 * The process enters a network namespace of its own, makes a TUN device there, gives it the
 * script's local address and plays everything behind it.  The kernel takes the namespace and the
 * device away when the process ends.
 *
 * Every call runs on a second thread, so that one that waits, whether the script expects that or
 * not, never stops the wire.
 */
#include "drill/host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lastack/runtime.h>

/* A call that is not back by then is taken to wait; one that is to wait has that long to begin. */
#define AT_ONCE_MS 100
#define TO_BEGIN_MS 1

struct host {
    struct la_rt_driver *tun;
    uint64_t begin_ns;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t asked;
    int returned; /* an eventfd: the call is back */
    struct drill_op *op;
    struct la_frame frames[64];
    int frame_count, frame_at;
    int64_t frames_at_ns;
    struct la_addr remote;
    const char *folder;
};

static int64_t kernel_now(void *self)
{
    const struct host *h = self;
    return (int64_t)(la_rt_now().ns - h->begin_ns);
}

/* --- calls, on a thread of their own --------------------------------------------- */

static int64_t transfer(const struct drill_op *op)
{
    const intptr_t *a = op->args;
    const int fd = (int)a[0];
    switch ((int)op->kind) {
    case DRILL_OP_READ:
        return read(fd, (void *)a[1], (size_t)a[2]);
    case DRILL_OP_READV:
        return readv(fd, (const struct iovec *)a[1], (int)a[2]);
    case DRILL_OP_RECV:
        return recv(fd, (void *)a[1], (size_t)a[2], (int)a[3]);
    case DRILL_OP_RECVFROM:
        return recvfrom(fd, (void *)a[1], (size_t)a[2], (int)a[3], (struct sockaddr *)a[4],
                        (socklen_t *)a[5]);
    case DRILL_OP_RECVMSG:
        return recvmsg(fd, (struct msghdr *)a[1], (int)a[2]);
    case DRILL_OP_WRITE:
        return write(fd, (const void *)a[1], (size_t)a[2]);
    case DRILL_OP_WRITEV:
        return writev(fd, (const struct iovec *)a[1], (int)a[2]);
    case DRILL_OP_SEND:
        return send(fd, (const void *)a[1], (size_t)a[2], (int)a[3]);
    case DRILL_OP_SENDTO:
        return sendto(fd, (const void *)a[1], (size_t)a[2], (int)a[3],
                      (const struct sockaddr *)a[4], (socklen_t)a[5]);
    default:
        return sendmsg(fd, (const struct msghdr *)a[1], (int)a[2]);
    }
}

static int64_t call(const struct drill_op *op)
{
    const intptr_t *a = op->args;
    const int fd = (int)a[0];
    struct sockaddr *addr = (struct sockaddr *)a[1];
    if (op->kind >= DRILL_OP_READ && op->kind <= DRILL_OP_SENDMSG)
        return transfer(op);
    switch ((int)op->kind) {
    case DRILL_OP_SOCKET:
        return socket((int)a[0], (int)a[1], (int)a[2]);
    case DRILL_OP_BIND:
        return bind(fd, addr, (socklen_t)a[2]);
    case DRILL_OP_LISTEN:
        return listen(fd, (int)a[1]);
    case DRILL_OP_ACCEPT:
        return accept(fd, addr, (socklen_t *)a[2]);
    case DRILL_OP_ACCEPT4:
        return accept4(fd, addr, (socklen_t *)a[2], (int)a[3]);
    case DRILL_OP_CONNECT:
        return connect(fd, addr, (socklen_t)a[2]);
    case DRILL_OP_FCNTL:
        return fcntl(fd, (int)a[1], (long)a[2]);
    case DRILL_OP_IOCTL:
        return ioctl(fd, (unsigned long)a[1], (void *)a[2]);
    case DRILL_OP_CLOSE:
        return close(fd);
    case DRILL_OP_SHUTDOWN:
        return shutdown(fd, (int)a[1]);
    case DRILL_OP_GETSOCKOPT:
        return getsockopt(fd, (int)a[1], (int)a[2], (void *)a[3], (socklen_t *)a[4]);
    case DRILL_OP_SETSOCKOPT:
        return setsockopt(fd, (int)a[1], (int)a[2], (const void *)a[3], (socklen_t)a[4]);
    case DRILL_OP_GETSOCKNAME:
        return getsockname(fd, addr, (socklen_t *)a[2]);
    case DRILL_OP_GETPEERNAME:
        return getpeername(fd, addr, (socklen_t *)a[2]);
    case DRILL_OP_POLL:
        return poll((struct pollfd *)a[0], (nfds_t)a[1], (int)a[2]);
    case DRILL_OP_EPOLL_CREATE:
        return epoll_create((int)a[0]);
    case DRILL_OP_EPOLL_CREATE1:
        return epoll_create1((int)a[0]);
    case DRILL_OP_EPOLL_CTL:
        return epoll_ctl(fd, (int)a[1], (int)a[2], (struct epoll_event *)a[3]);
    default:
        return epoll_wait(fd, (struct epoll_event *)a[1], (int)a[2], (int)a[3]);
    }
}

static void *run_calls(void *context)
{
    struct host *h = context;
    for (;;) {
        pthread_mutex_lock(&h->mutex);
        while (h->op == NULL)
            pthread_cond_wait(&h->asked, &h->mutex);
        struct drill_op *op = h->op;
        h->op = NULL;
        pthread_mutex_unlock(&h->mutex);
        const int64_t result = call(op);
        const int64_t err = errno;
        const uint64_t one = 1;
        op->done_ns = kernel_now(h);
        op->result = result < 0 ? -err : result;
        pthread_mutex_lock(&h->mutex);
        op->done = true;
        pthread_mutex_unlock(&h->mutex);
        if (write(h->returned, &one, sizeof one) != (ssize_t)sizeof one)
            abort();
    }
    return NULL;
}

static bool call_is_back(struct host *h)
{
    uint64_t count;
    return read(h->returned, &count, sizeof count) == (ssize_t)sizeof count;
}

static void kernel_begin(void *self, struct drill_op *op)
{
    struct host *h = self;
    struct pollfd back = { .fd = h->returned, .events = POLLIN };
    op->began_ns = kernel_now(h);
    op->done = false;
    pthread_mutex_lock(&h->mutex);
    h->op = op;
    pthread_cond_signal(&h->asked);
    pthread_mutex_unlock(&h->mutex);
    if (poll(&back, 1, op->waits ? TO_BEGIN_MS : AT_ONCE_MS) == 1)
        (void)call_is_back(h);
}

/* --- the wire -------------------------------------------------------------------- */

/* Only what is for the script's side: a kernel also looks for routers and neighbours. */
static bool concerns(const struct host *h, const struct la_frame *f)
{
    const uint8_t *p = f->bytes;
    if (f->len_bytes >= 20 && p[0] >> 4 == 4)
        return la_addr_is_v4(h->remote) && memcmp(p + 16, h->remote.bytes + 12, 4) == 0;
    return f->len_bytes >= 40 && p[0] >> 4 == 6 && memcmp(p + 24, h->remote.bytes, 16) == 0;
}

static bool next_frame(struct host *h, struct drill_capture *out)
{
    for (;;) {
        if (h->frame_at == h->frame_count) {
            h->frame_count = h->tun->receive(h->tun->self, h->frames, 64);
            h->frame_at = 0;
            h->frames_at_ns = kernel_now(h);
            if (h->frame_count <= 0) {
                h->frame_count = 0;
                return false;
            }
        }
        const struct la_frame *f = &h->frames[h->frame_at++];
        if (!concerns(h, f))
            continue;
        *out =
            (struct drill_capture){ h->frames_at_ns, f->len_bytes, (uint8_t *)(uintptr_t)f->bytes };
        return true;
    }
}

static enum drill_waited kernel_wait(void *self, int64_t until_ns, struct drill_capture *out)
{
    struct host *h = self;
    for (;;) {
        if (next_frame(h, out))
            return DRILL_WAITED_PACKET;
        if (call_is_back(h))
            return DRILL_WAITED_CALL;
        const int64_t left = until_ns - kernel_now(h);
        if (left <= 0)
            return DRILL_WAITED_TIME;
        struct pollfd fds[] = { { .fd = h->tun->fd, .events = POLLIN },
                                { .fd = h->returned, .events = POLLIN } };
        const struct timespec time = { left / 1000000000, left % 1000000000 };
        (void)ppoll(fds, 2, &time, NULL);
    }
}

static void kernel_inject(void *self, const uint8_t *bytes, uint32_t len)
{
    struct host *h = self;
    if (write(h->tun->fd, bytes, len) != (ssize_t)len)
        perror("lastack drill: the TUN device");
}

/* --- commands -------------------------------------------------------------------- */

/* So many descriptors are free below the limit; the process has others, which no script knows. */
static enum drill_said limit_descriptors(long free_wanted, char *why, size_t room)
{
    struct rlimit limit;
    int fd = 0;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        for (long left = free_wanted; left > 0 || fcntl(fd, F_GETFD) >= 0; fd++)
            left -= fcntl(fd, F_GETFD) < 0;
        limit.rlim_cur = (rlim_t)fd;
        if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
            return DRILL_SAID_OK;
    }
    snprintf(why, room, "setrlimit: %s", strerror(errno));
    return DRILL_SAID_FAILED;
}

static enum drill_said kernel_command(void *self, const char *text, char *why, size_t room)
{
    const struct host *h = self;
    if (strncmp(text, DRILL_NOFILE " ", sizeof DRILL_NOFILE) == 0) {
        const long n = strtol(text + sizeof DRILL_NOFILE, NULL, 10);
        if (n >= 0 && n <= DRILL_NOFILE_MAX)
            return limit_descriptors(n, why, room);
    }
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        if (h->folder != NULL && chdir(h->folder) != 0)
            _exit(126);
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execl("/bin/sh", "sh", "-c", text, (char *)NULL);
        _exit(127);
    }
    int status = -1;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
        snprintf(why, room, "the command ended with status %d",
                 WIFEXITED(status) ? WEXITSTATUS(status) : -1);
        return DRILL_SAID_FAILED;
    }
    return DRILL_SAID_OK;
}

static void kernel_close(void *self)
{
    (void)self; /* the process ends, and everything with it */
}

/* --- the namespace --------------------------------------------------------------- */

static bool write_file(const char *path, const char *text)
{
    const int fd = open(path, O_WRONLY);
    if (fd < 0)
        return false;
    const bool ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return ok;
}

static bool route_everything(const char *device, bool v6)
{
    const int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
    bool ok = false;
    if (fd < 0)
        return false;
    if (v6) {
        struct in6_rtmsg route = { .rtmsg_flags = RTF_UP, .rtmsg_metric = 1 };
        route.rtmsg_ifindex = (int)if_nametoindex(device);
        ok = ioctl(fd, SIOCADDRT, &route) == 0;
    } else {
        struct rtentry route = { .rt_flags = RTF_UP, .rt_dev = (char *)(uintptr_t)device };
        route.rt_dst.sa_family = route.rt_genmask.sa_family = AF_INET;
        ok = ioctl(fd, SIOCADDRT, &route) == 0;
    }
    close(fd);
    return ok;
}

static bool loopback_up(void)
{
    struct ifreq lo = { .ifr_name = "lo" };
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0)
        return false;
    bool ok = ioctl(fd, SIOCGIFFLAGS, &lo) == 0;
    lo.ifr_flags |= IFF_UP;
    ok = ok && ioctl(fd, SIOCSIFFLAGS, &lo) == 0;
    close(fd);
    return ok;
}

/*
 * A device that is up is not yet one that works: routes come to life on the kernel's own time.
 * So it is asked with echo requests until one is answered.
 */
static bool answers(struct host *h, const struct drill_config *config)
{
    const bool v6 = config->mode == DRILL_IPV6;
    struct drill_segment echo = { .src = config->remote, .dst = config->local, .ttl = 64 };
    struct drill_capture reply;
    uint8_t bytes[128];
    echo.version = v6 ? 6 : 4;
    echo.protocol = v6 ? DRILL_IP_ICMP6 : DRILL_IP_ICMP;
    echo.icmp_type = v6 ? 128 : 8;
    const uint32_t len = drill_wire_build(&echo, bytes);
    for (int tries = 0; tries < 200; tries++) {
        struct pollfd readable = { .fd = h->tun->fd, .events = POLLIN };
        kernel_inject(h, bytes, len);
        (void)poll(&readable, 1, 10);
        if (!next_frame(h, &reply))
            continue;
        while (poll(&readable, 1, 10) == 1) /* late answers to earlier questions */
            (void)next_frame(h, &reply);
        h->frame_at = h->frame_count = 0;
        return true;
    }
    return false;
}

bool drill_kernel_open(const struct drill_config *config, struct drill_host *host, char *error,
                       size_t error_bytes)
{
    struct host *h = calloc(1, sizeof *h);
    const bool v6 = config->mode == DRILL_IPV6;
    const struct la_prefix own = { config->local, (uint8_t)(config->local_prefix + (v6 ? 0 : 96)) };
    const struct la_rt_tun_config tun = { .host_addrs = &own,
                                          .host_addr_count = 1,
                                          .mtu_bytes = config->mtu,
                                          .offload = LA_RT_OFFLOAD_OFF }; /* bare packets */
    if (h == NULL)
        return false;
    if (unshare(CLONE_NEWNET) != 0) {
        snprintf(error, error_bytes, "a network namespace: %s (--kernel needs root)",
                 strerror(errno));
        free(h);
        return false;
    }
    if (v6) /* an address that is to be used at once */
        (void)write_file("/proc/sys/net/ipv6/conf/default/accept_dad", "0");
    if (!loopback_up() || (h->tun = la_rt_tun_open(&tun, error, error_bytes)) == NULL) {
        free(h);
        return false;
    }
    if (!route_everything(h->tun->name, v6)) {
        snprintf(error, error_bytes, "a route: %s", strerror(errno));
        la_rt_driver_close(h->tun);
        free(h);
        return false;
    }
    signal(SIGPIPE, SIG_IGN);
    h->returned = eventfd(0, EFD_NONBLOCK);
    h->remote = config->remote;
    h->folder = config->folder;
    pthread_mutex_init(&h->mutex, NULL);
    pthread_cond_init(&h->asked, NULL);
    if (h->returned < 0 || pthread_create(&h->thread, NULL, run_calls, h) != 0) {
        snprintf(error, error_bytes, "a thread for system calls: %s", strerror(errno));
        return false;
    }
    if (!answers(h, config)) {
        snprintf(error, error_bytes, "the kernel does not answer on its TUN device");
        return false;
    }
    h->begin_ns = la_rt_now().ns;
    *host = (struct drill_host){ .self = h,
                                 .real_time = true,
                                 .now = kernel_now,
                                 .wait = kernel_wait,
                                 .inject = kernel_inject,
                                 .begin = kernel_begin,
                                 .command = kernel_command,
                                 .close = kernel_close };
    return true;
}
