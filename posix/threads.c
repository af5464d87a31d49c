/* SPDX-License-Identifier: MIT */
/*
 * threads.c - The face for ordinary programs: calls that wait, from any thread.
 *
 * One thread drives the stack with the loop of runtime/, holding the shard's mutex but while
 * it sleeps. A call takes the mutex, does a step, and if it has to wait hangs a watch on
 * what it waits for and sleeps on a condition of its own: an event wakes those it is for,
 * be there ten threads or ten thousand. What a call leaves to be sent, the loop sends: it is
 * woken, once, through an eventfd, if it sleeps.
 *
 * Time: while the loop turns, everything happens at the loop's time; while it sleeps, at the
 * time a call comes. Both are CLOCK_MONOTONIC, and the loop reads it anew when it wakes.
 */
#include "posix/sockets.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct la_mt {
    pthread_mutex_t lock;
    pthread_t thread;
    struct la_rt_loop *loop;
    struct la_sockets *x;
    int kick_fd;
    bool turning; /* the loop has the mutex */
    bool kicked;
    bool stop;
};

static la_time mt_now(void *context)
{
    const struct la_mt *m = context;

    return m->turning ? la_rt_loop_now(m->loop) : la_rt_now();
}

/* The loop's side ------------------------------------------------------------------------ */

static void on_sleep(void *context)
{
    struct la_mt *m = context;

    m->turning = false;
    pthread_mutex_unlock(&m->lock);
}

static void on_wake(void *context)
{
    struct la_mt *m = context;

    pthread_mutex_lock(&m->lock);
    m->turning = true;
}

static void on_kick(void *context, la_time now, uint32_t events)
{
    struct la_mt *m = context;
    uint64_t count;

    (void)now;
    (void)events;
    if (read(m->kick_fd, &count, sizeof count) != (ssize_t)sizeof count)
        return;
    m->kicked = false;
}

static void on_event(void *context, la_time now, const struct la_event *event)
{
    struct la_mt *m = context;

    (void)now;
    (void)la_sockets_event(m->x, event);
}

static void on_turn(void *context, la_time now)
{
    struct la_mt *m = context;

    (void)now;
    la_sockets_turn(m->x);
    la_rt_wake_at(m->loop, la_sockets_deadline(m->x));
    if (m->stop)
        la_rt_stop(m->loop);
}

static void *run(void *context)
{
    struct la_mt *m = context;

    on_wake(m);
    (void)la_rt_run(m->loop);
    on_sleep(m);
    return NULL;
}

static void kick(struct la_mt *m)
{
    const uint64_t one = 1;

    if (m->kicked)
        return;
    m->kicked = write(m->kick_fd, &one, sizeof one) == (ssize_t)sizeof one;
}

static int start(struct la_mt *m, const struct la_mt_config *config)
{
    const struct la_sockets_config sockets = {
        .stack = config->stack,
        .now = mt_now,
        .context = m,
        .nofile = config->nofile,
    };
    const struct la_rt_host host = {
        .stack = config->stack,
        .driver = config->driver,
        .iface = config->iface,
        .context = m,
        .on_event = on_event,
        .on_turn = on_turn,
    };
    int err;

    m->x = la_sockets_new(&sockets);
    m->loop = la_rt_loop_new(0);
    m->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (m->x == NULL || m->loop == NULL || m->kick_fd < 0)
        return -errno;
    err = la_rt_loop_add(m->loop, &host);
    if (err == 0)
        err = la_rt_watch(m->loop, m->kick_fd, EPOLLIN, on_kick, m);
    la_rt_loop_on_sleep(m->loop, on_sleep, on_wake, m);
    return err != 0 ? err : -pthread_create(&m->thread, NULL, run, m);
}

static void release(struct la_mt *m)
{
    la_sockets_free(m->x);
    if (m->loop != NULL)
        la_rt_loop_free(m->loop);
    if (m->kick_fd >= 0)
        close(m->kick_fd);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

struct la_mt *la_mt_new(const struct la_mt_config *config)
{
    struct la_mt *m = calloc(1, sizeof *m);
    int err;

    if (m == NULL)
        return NULL;
    m->kick_fd = -1;
    pthread_mutex_init(&m->lock, NULL);
    err = start(m, config);
    if (err == 0)
        return m;
    release(m);
    errno = -err;
    return NULL;
}

void la_mt_free(struct la_mt *m)
{
    if (m == NULL)
        return;
    pthread_mutex_lock(&m->lock);
    m->stop = true;
    kick(m);
    pthread_mutex_unlock(&m->lock);
    pthread_join(m->thread, NULL);
    la_sockets_free(m->x);
    m->x = NULL;
    la_rt_flush(m->loop); /* the last FINs and resets */
    release(m);
}

void la_mt_with(struct la_mt *m,
                void (*function)(void *context, struct la_stack *s, struct la_sockets *x),
                void *context)
{
    pthread_mutex_lock(&m->lock);
    function(context, m->x->stack, m->x);
    kick(m);
    pthread_mutex_unlock(&m->lock);
}

/* Waiting ------------------------------------------------------------------------------------ */

struct waiter {
    pthread_cond_t cond;
    bool woken;
};

struct hook {
    struct watch w; /* first */
    struct waiter *waiter;
};

static bool hook_wake(struct watch *w, uint32_t key)
{
    struct waiter *waiter = ((struct hook *)w)->waiter;

    (void)key; /* a step looks for itself */
    waiter->woken = true;
    pthread_cond_signal(&waiter->cond);
    return true;
}

static void hang(struct la_mt *m, struct hook *h, struct waiter *waiter, int fd)
{
    struct desc *d = desc_closing_at(m->x, fd);

    h->waiter = waiter;
    h->w = (struct watch){ .wake = hook_wake };
    if (d == NULL)
        return;
    watch_add(d, &h->w);
    epoll_sleepers(d, 1);
}

static void unhang(struct hook *h)
{
    h->waiter = NULL;
    if (h->w.on == NULL)
        return; /* its descriptor has gone */
    epoll_sleepers(h->w.on, -1);
    watch_del(&h->w);
}

static void sleep_until(struct la_mt *m, struct waiter *waiter, la_time deadline)
{
    const struct timespec at = {
        .tv_sec = (time_t)(deadline.ns / NS_PER_S),
        .tv_nsec = (long)(deadline.ns % NS_PER_S),
    };

    while (!waiter->woken) {
        if (deadline.ns == UINT64_MAX)
            pthread_cond_wait(&waiter->cond, &m->lock);
        else if (pthread_cond_timedwait(&waiter->cond, &m->lock, &at) == ETIMEDOUT)
            break;
    }
    waiter->woken = false;
}

/* One step after another, asleep in between. The mutex is held. */
static int64_t wait_for(struct la_mt *m, struct la_sock_call *call, struct hook *hooks,
                        uint64_t count)
{
    struct waiter waiter = { .woken = false };
    pthread_condattr_t attr;
    int64_t r;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&waiter.cond, &attr);
    for (uint64_t i = 0; i < count; i++)
        hang(m, &hooks[i], &waiter, call->op == LA_SOCK_POLL ? call->fds[i].fd : call->fd);
    for (;;) {
        r = la_sock_step(m->x, call);
        if (r != LA_SOCK_PENDING)
            break;
        kick(m);
        sleep_until(m, &waiter, call->deadline);
    }
    for (uint64_t i = 0; i < count; i++)
        unhang(&hooks[i]);
    pthread_cond_destroy(&waiter.cond);
    pthread_condattr_destroy(&attr);
    return r;
}

#define HOOKS_ON_STACK 16u

static int64_t call_and_wait(struct la_mt *m, struct la_sock_call *call)
{
    const uint64_t count = call->op == LA_SOCK_POLL ? call->count : 1;
    struct hook few[HOOKS_ON_STACK], *hooks = few;
    int64_t r;

    pthread_mutex_lock(&m->lock);
    r = la_sock_step(m->x, call);
    if (r == LA_SOCK_PENDING) {
        if (count > HOOKS_ON_STACK)
            hooks = malloc(count * sizeof *hooks);
        r = hooks == NULL ? -ENOMEM : wait_for(m, call, hooks, count);
        if (hooks != few)
            free(hooks);
    }
    kick(m);
    pthread_mutex_unlock(&m->lock);
    return r;
}

int la_mt_accept4(struct la_mt *m, int fd, struct sockaddr *addr, uint32_t *len, int flags)
{
    struct la_sock_call call = {
        .op = LA_SOCK_ACCEPT, .fd = fd, .addr = addr, .addr_len = len, .flags = flags
    };

    return (int)call_and_wait(m, &call);
}

int la_mt_connect(struct la_mt *m, int fd, const struct sockaddr *addr, uint32_t len)
{
    struct la_sock_call call = { .op = LA_SOCK_CONNECT, .fd = fd, .to = addr, .to_len = len };

    return (int)call_and_wait(m, &call);
}

int la_mt_close(struct la_mt *m, int fd)
{
    struct la_sock_call call = { .op = LA_SOCK_CLOSE, .fd = fd };

    return (int)call_and_wait(m, &call);
}

int64_t la_mt_recvmsg(struct la_mt *m, int fd, struct msghdr *msg, int flags)
{
    struct la_sock_call call = { .op = LA_SOCK_RECV, .fd = fd, .msg = msg, .flags = flags };

    return call_and_wait(m, &call);
}

int64_t la_mt_sendmsg(struct la_mt *m, int fd, const struct msghdr *msg, int flags)
{
    struct la_sock_call call = {
        .op = LA_SOCK_SEND, .fd = fd, .msg = (struct msghdr *)(uintptr_t)msg, .flags = flags
    };

    return call_and_wait(m, &call);
}

int la_mt_poll(struct la_mt *m, struct pollfd *fds, uint64_t count, int timeout_ms)
{
    struct la_sock_call call = {
        .op = LA_SOCK_POLL, .fds = fds, .count = count, .timeout_ms = timeout_ms
    };

    return (int)call_and_wait(m, &call);
}

int la_mt_epoll_wait(struct la_mt *m, int epfd, struct epoll_event *events, int max, int timeout_ms)
{
    struct la_sock_call call = {
        .op = LA_SOCK_EPOLL_WAIT, .fd = epfd, .events = events, .max = max, .timeout_ms = timeout_ms
    };

    return (int)call_and_wait(m, &call);
}

/* Calls that do not wait --------------------------------------------------------------------- */

#define WITHOUT_WAITING(call)                                                                      \
    do {                                                                                           \
        pthread_mutex_lock(&m->lock);                                                              \
        const int result = (call);                                                                 \
        kick(m);                                                                                   \
        pthread_mutex_unlock(&m->lock);                                                            \
        return result;                                                                             \
    } while (0)

int la_mt_socket(struct la_mt *m, int domain, int type, int protocol)
{
    WITHOUT_WAITING(la_socket(m->x, domain, type, protocol));
}

int la_mt_bind(struct la_mt *m, int fd, const struct sockaddr *addr, uint32_t len)
{
    WITHOUT_WAITING(la_sock_bind(m->x, fd, addr, len));
}

int la_mt_listen(struct la_mt *m, int fd, int backlog)
{
    WITHOUT_WAITING(la_sock_listen(m->x, fd, backlog));
}

int la_mt_shutdown(struct la_mt *m, int fd, int how)
{
    WITHOUT_WAITING(la_sock_shutdown(m->x, fd, how));
}

int la_mt_getsockname(struct la_mt *m, int fd, struct sockaddr *addr, uint32_t *len)
{
    WITHOUT_WAITING(la_sock_getsockname(m->x, fd, addr, len));
}

int la_mt_getpeername(struct la_mt *m, int fd, struct sockaddr *addr, uint32_t *len)
{
    WITHOUT_WAITING(la_sock_getpeername(m->x, fd, addr, len));
}

int la_mt_setsockopt(struct la_mt *m, int fd, int level, int name, const void *value, uint32_t len)
{
    WITHOUT_WAITING(la_sock_setsockopt(m->x, fd, level, name, value, len));
}

int la_mt_getsockopt(struct la_mt *m, int fd, int level, int name, void *value, uint32_t *len)
{
    WITHOUT_WAITING(la_sock_getsockopt(m->x, fd, level, name, value, len));
}

int la_mt_fcntl(struct la_mt *m, int fd, int command, long argument)
{
    WITHOUT_WAITING(la_sock_fcntl(m->x, fd, command, argument));
}

int la_mt_ioctl(struct la_mt *m, int fd, unsigned long request, void *argument)
{
    WITHOUT_WAITING(la_sock_ioctl(m->x, fd, request, argument));
}

int la_mt_epoll_create1(struct la_mt *m, int flags)
{
    WITHOUT_WAITING(la_epoll_create1(m->x, flags));
}

int la_mt_epoll_ctl(struct la_mt *m, int epfd, int op, int fd, struct epoll_event *event)
{
    WITHOUT_WAITING(la_epoll_ctl(m->x, epfd, op, fd, event));
}

/* The other names of sending and receiving ---------------------------------------------------- */

int64_t la_mt_recv(struct la_mt *m, int fd, void *bytes, size_t len, int flags)
{
    struct iovec iov = { .iov_base = bytes, .iov_len = len };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

    return la_mt_recvmsg(m, fd, &msg, flags);
}

int64_t la_mt_send(struct la_mt *m, int fd, const void *bytes, size_t len, int flags)
{
    struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = len };
    const struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

    return la_mt_sendmsg(m, fd, &msg, flags);
}

static int64_t vector(struct la_mt *m, enum la_sock_op op, int fd, const struct iovec *iov,
                      int count)
{
    struct msghdr msg = { .msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)count };
    struct la_sock_call call = { .op = op, .fd = fd, .msg = &msg };

    return call_and_wait(m, &call);
}

int64_t la_mt_readv(struct la_mt *m, int fd, const struct iovec *iov, int count)
{
    return vector(m, LA_SOCK_READV, fd, iov, count);
}

int64_t la_mt_writev(struct la_mt *m, int fd, const struct iovec *iov, int count)
{
    return vector(m, LA_SOCK_WRITEV, fd, iov, count);
}

int64_t la_mt_read(struct la_mt *m, int fd, void *bytes, size_t len)
{
    const struct iovec iov = { .iov_base = bytes, .iov_len = len };

    return la_mt_readv(m, fd, &iov, 1);
}

int64_t la_mt_write(struct la_mt *m, int fd, const void *bytes, size_t len)
{
    const struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = len };

    return la_mt_writev(m, fd, &iov, 1);
}
