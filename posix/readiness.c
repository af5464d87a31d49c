/* SPDX-License-Identifier: MIT */
/*
 * readiness.c - What poll() says, and who is told when it may have changed.
 *
 * The mask is a pure function of state, Linux's tcp_poll() word for word; nothing is
 * remembered, so nothing can be stale. Being told is separate: a watch hears of every
 * change, perhaps once too often, and looks again.
 */
#include "posix/sockets.h"

static bool enough_to_read(struct la_sockets *x, struct sock *s, const struct conn_view *v)
{
    const uint32_t rcvbuf = sock_option(x, s, LA_OPT_RCVBUF);
    uint32_t target = s->set.rcvlowat > 1 ? (uint32_t)s->set.rcvlowat : 1;
    struct la_conn_info info;

    if (!(v->mask & LA_READABLE))
        return false;
    if (target > rcvbuf / 2)
        target = rcvbuf / 2; /* never wait for more than the window lets in */
    if (target == 1 && !v->rcv_shut)
        return true;
    return la_conn_info(x->stack, s->conn, &info) == LA_OK && info.rcv_queued_bytes >= target;
}

static uint32_t listen_mask(const struct la_sockets *x, const struct sock *s)
{
    struct la_listener_info info;

    if (la_listener_info(x->stack, s->listener, &info) != LA_OK)
        return 0;
    return info.accept_len > 0 ? WAKE_IN : 0;
}

uint32_t sock_poll_mask(struct la_sockets *x, struct sock *s)
{
    const struct conn_view v = sock_view(x, s);
    uint32_t mask = 0;

    if (s->lingering)
        return s->what == WHAT_CONN ? 0 : (uint32_t)EPOLLHUP;
    if (s->what == WHAT_LISTEN)
        return listen_mask(x, s);
    if (v.closed || (v.rcv_shut && v.snd_shut))
        mask |= (uint32_t)EPOLLHUP;
    if (v.rcv_shut)
        mask |= WAKE_IN | (uint32_t)EPOLLRDHUP;
    if (!v.opening) {
        if (s->what == WHAT_CONN && !v.rcv_shut && enough_to_read(x, s, &v))
            mask |= WAKE_IN;
        if (s->what != WHAT_CONN || v.snd_shut || v.mask & LA_WRITABLE)
            mask |= WAKE_OUT;
        else
            s->nospace = true; /* somebody looks for room */
    }
    if (sock_error_peek(x, s) != 0)
        mask |= (uint32_t)EPOLLERR;
    return mask;
}

uint32_t desc_poll_mask(struct la_sockets *x, struct desc *d, uint32_t depth)
{
    return d->kind == DESC_SOCKET ? sock_poll_mask(x, (struct sock *)d)
                                  : epoll_poll_mask(x, d, depth);
}

/* Those that want to be the only one woken stand behind the others. */
void watch_add(struct desc *d, struct watch *w)
{
    w->on = d;
    if (w->exclusive) {
        w->prev = d->last;
        w->next = NULL;
    } else {
        w->prev = NULL;
        w->next = d->first;
    }
    *(w->prev != NULL ? &w->prev->next : &d->first) = w;
    *(w->next != NULL ? &w->next->prev : &d->last) = w;
}

void watch_del(struct watch *w)
{
    struct desc *d = w->on;

    *(w->prev != NULL ? &w->prev->next : &d->first) = w->next;
    *(w->next != NULL ? &w->next->prev : &d->last) = w->prev;
    w->on = NULL;
}

void desc_wake(struct desc *d, uint32_t key)
{
    for (struct watch *w = d->first, *next; w != NULL; w = next) {
        next = w->next;
        if (w->wake(w, key) && w->exclusive)
            break;
    }
}

static uint32_t revents_of(struct la_sockets *x, const struct pollfd *p)
{
    const uint32_t wanted = (uint16_t)p->events | (uint32_t)(POLLERR | POLLHUP);
    struct desc *d = desc_closing_at(x, p->fd);

    if (p->fd < 0)
        return 0;
    return d == NULL ? (uint32_t)POLLNVAL : desc_poll_mask(x, d, 0) & wanted;
}

int poll_now(struct la_sockets *x, struct pollfd *fds, uint64_t count)
{
    int ready = 0;

    for (uint64_t i = 0; i < count; i++) {
        fds[i].revents = (short)revents_of(x, &fds[i]);
        ready += fds[i].revents != 0;
    }
    return ready;
}

int la_sock_poll(struct la_sockets *x, struct pollfd *fds, uint64_t count)
{
    if (count > x->use.nofile)
        return -EINVAL;
    if (fds == NULL && count > 0)
        return -EFAULT;
    la_sockets_turn(x);
    return poll_now(x, fds, count);
}
