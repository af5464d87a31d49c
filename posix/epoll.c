/* SPDX-License-Identifier: MIT */
/*
 * epoll.c - epoll: level, edge, one shot, exclusive, nested.
 *
 * An item is a watch on its target. When the target says something that the item asked for,
 * the item goes onto its epoll's list of candidates, once. Waiting walks the candidates,
 * asks each target for its mask now, and drops those that are not ready; a level-triggered
 * one that is ready goes back to the end, so that everybody gets a turn. An item thus costs
 * nothing while nothing happens to it, and an event that was missed by nobody can not be
 * delivered twice to an edge.
 *
 * Nesting is bounded as on Linux: no cycles, and at most four epolls above another.
 */
#include "posix/sockets.h"

#define NESTS_MAX 4u /* EP_MAX_NESTS */
#define EVENTS_MAX (INT32_MAX / (int)sizeof(struct epoll_event))
#define PRIVATE_BITS ((uint32_t)EPOLLWAKEUP | EPOLLONESHOT | (uint32_t)EPOLLET | EPOLLEXCLUSIVE)
#define EXCLUSIVE_OK                                                                               \
    ((uint32_t)EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM | EPOLLERR | EPOLLHUP |              \
     EPOLLWAKEUP | (uint32_t)EPOLLET | EPOLLEXCLUSIVE)
#define BUCKETS_MIN 16u

struct item {
    struct watch w; /* first */
    struct epoll *ep;
    struct desc *target;
    uint32_t events;
    epoll_data_t data;
    bool candidate;
    struct item *prev, *next; /* among the candidates */
    struct item *chain;
};

struct epoll {
    struct desc d; /* first */
    struct item *head, *tail;
    struct item **bucket;
    uint32_t buckets; /* a power of two */
    uint32_t items;
    int sleepers;
};

int la_epoll_create1(struct la_sockets *x, int flags)
{
    struct epoll *ep;
    int fd;

    if (flags & ~EPOLL_CLOEXEC)
        return -EINVAL;
    ep = calloc(1, sizeof *ep);
    if (ep != NULL)
        ep->bucket = calloc(BUCKETS_MIN, sizeof(struct item *));
    if (ep == NULL || ep->bucket == NULL) {
        free(ep);
        return -ENOMEM;
    }
    ep->buckets = BUCKETS_MIN;
    ep->d.kind = DESC_EPOLL;
    ep->d.cloexec = flags != 0;
    fd = desc_add(x, &ep->d);
    if (fd < 0) {
        free(ep->bucket);
        free(ep);
    }
    return fd;
}

/* Items by target ------------------------------------------------------------------------- */

static struct item **slot_of(const struct epoll *ep, const struct desc *target)
{
    struct item **at = &ep->bucket[(uint32_t)target->fd & (ep->buckets - 1)];

    while (*at != NULL && (*at)->target != target)
        at = &(*at)->chain;
    return at;
}

/* Numbers are dense, so their low bits are a hash. Failing to grow is slower, not wrong. */
static void grow(struct epoll *ep)
{
    const uint32_t old = ep->buckets;
    struct item **bucket = calloc(2 * (size_t)old, sizeof *bucket);

    if (bucket == NULL)
        return;
    for (uint32_t i = 0; i < old; i++) {
        struct item *it = ep->bucket[i];

        while (it != NULL) {
            struct item *next = it->chain;
            struct item **head = &bucket[(uint32_t)it->target->fd & (2 * old - 1)];

            it->chain = *head;
            *head = it;
            it = next;
        }
    }
    free(ep->bucket);
    ep->bucket = bucket;
    ep->buckets = 2 * old;
}

/* Candidates --------------------------------------------------------------------------------- */

static void push(struct epoll *ep, struct item *it)
{
    it->candidate = true;
    it->next = NULL;
    it->prev = ep->tail;
    *(ep->tail != NULL ? &ep->tail->next : &ep->head) = it;
    ep->tail = it;
}

static void unlink_candidate(struct epoll *ep, struct item *it)
{
    it->candidate = false;
    *(it->prev != NULL ? &it->prev->next : &ep->head) = it->next;
    *(it->next != NULL ? &it->next->prev : &ep->tail) = it->prev;
}

/* ep_poll_callback(). */
static bool item_wake(struct watch *w, uint32_t key)
{
    struct item *it = (struct item *)w;
    struct epoll *ep = it->ep;
    const uint32_t both = (uint32_t)EPOLLIN | EPOLLOUT;

    if (!(it->events & ~PRIVATE_BITS)) /* a one-shot that has fired */
        return false;
    if (key != 0 && !(key & it->events))
        return false;
    if (!it->candidate)
        push(ep, it);
    desc_wake(&ep->d, WAKE_IN);
    /* An exclusive wake-up is used up if a sleeper wanted just this. */
    return ep->sleepers > 0 && (!it->w.exclusive || (key & both) == 0 || (key & it->events & both));
}

void epoll_item_drop(struct watch *w)
{
    struct item *it = (struct item *)w;
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): its bucket does not hold what is freed below */
    struct epoll *ep = it->ep;
    struct item **at = slot_of(ep, it->target);

    *at = it->chain;
    if (it->candidate)
        unlink_candidate(ep, it);
    watch_del(w);
    ep->items--;
    free(it);
}

void epoll_free(struct la_sockets *x, struct desc *d)
{
    struct epoll *ep = (struct epoll *)d;

    (void)x;
    for (uint32_t i = 0; i < ep->buckets; i++)
        while (ep->bucket[i] != NULL)
            epoll_item_drop(&ep->bucket[i]->w);
    free(ep->bucket);
    free(ep);
}

void epoll_sleepers(struct desc *d, int change)
{
    if (d->kind == DESC_EPOLL)
        ((struct epoll *)d)->sleepers += change;
}

/* Is anything ready?  What is no longer ready leaves the candidates. */
uint32_t epoll_poll_mask(struct la_sockets *x, struct desc *d, uint32_t depth)
{
    struct epoll *ep = (struct epoll *)d;

    if (depth > NESTS_MAX)
        return 0;
    for (struct item *it = ep->head, *next; it != NULL; it = next) {
        next = it->next;
        if (desc_poll_mask(x, it->target, depth + 1) & it->events)
            return WAKE_IN;
        unlink_candidate(ep, it);
    }
    return 0;
}

/* Control -------------------------------------------------------------------------------------- */

/* How many epolls stand below @d, itself included; more than the bound if @d reaches @top. */
static uint32_t depth_below(const struct desc *d, const struct desc *top, uint32_t so_far)
{
    const struct epoll *ep = (const struct epoll *)d;
    uint32_t deepest = so_far;

    if (d == top)
        return NESTS_MAX + 2;
    if (so_far > NESTS_MAX)
        return so_far;
    for (uint32_t i = 0; i < ep->buckets; i++)
        for (const struct item *it = ep->bucket[i]; it != NULL; it = it->chain)
            if (it->target->kind == DESC_EPOLL) {
                const uint32_t depth = depth_below(it->target, top, so_far + 1);

                deepest = depth > deepest ? depth : deepest;
            }
    return deepest;
}

/* How many epolls stand above @d, itself included. */
static uint32_t height_above(const struct desc *d, uint32_t so_far)
{
    uint32_t highest = so_far;

    if (so_far > NESTS_MAX)
        return so_far;
    for (const struct watch *w = d->first; w != NULL; w = w->next)
        if (w->is_item) {
            const uint32_t height =
                height_above(&((const struct item *)(const void *)w)->ep->d, so_far + 1);

            highest = height > highest ? height : highest;
        }
    return highest;
}

static int nest_check(const struct epoll *ep, const struct desc *target)
{
    if (target->kind != DESC_EPOLL)
        return 0;
    if (height_above(&ep->d, 0) + depth_below(target, &ep->d, 1) > NESTS_MAX)
        return -ELOOP;
    return 0;
}

/* Events asked for may be there already. */
static void look(struct la_sockets *x, struct epoll *ep, struct item *it)
{
    if (!it->candidate && desc_poll_mask(x, it->target, 1) & it->events) {
        push(ep, it);
        desc_wake(&ep->d, WAKE_IN);
    }
}

static int add(struct la_sockets *x, struct epoll *ep, struct desc *target,
               const struct epoll_event *event)
{
    struct item *it;
    struct item **at;
    const int err = nest_check(ep, target);

    if (err != 0)
        return err;
    if (*slot_of(ep, target) != NULL)
        return -EEXIST;
    it = calloc(1, sizeof *it);
    if (it == NULL)
        return -ENOMEM;
    if (ep->items >= ep->buckets)
        grow(ep);
    at = slot_of(ep, target);
    it->ep = ep;
    it->target = target;
    it->events = (event->events & ~(uint32_t)EPOLLWAKEUP) | EPOLLERR | EPOLLHUP;
    it->data = event->data;
    it->w.wake = item_wake;
    it->w.is_item = true;
    it->w.exclusive = (event->events & EPOLLEXCLUSIVE) != 0;
    *at = it;
    ep->items++;
    watch_add(target, &it->w);
    look(x, ep, it);
    return 0;
}

static int modify(struct la_sockets *x, struct epoll *ep, struct item *it,
                  const struct epoll_event *event)
{
    if (it == NULL)
        return -ENOENT;
    if (it->w.exclusive)
        return -EINVAL;
    it->events = (event->events & ~(uint32_t)EPOLLWAKEUP) | EPOLLERR | EPOLLHUP;
    it->data = event->data;
    look(x, ep, it);
    return 0;
}

static int exclusive_check(int op, const struct desc *target, const struct epoll_event *event)
{
    if (op == EPOLL_CTL_DEL || !(event->events & EPOLLEXCLUSIVE))
        return 0;
    if (op == EPOLL_CTL_MOD || target->kind == DESC_EPOLL || event->events & ~EXCLUSIVE_OK)
        return -EINVAL;
    return 0;
}

int la_epoll_ctl(struct la_sockets *x, int epfd, int op, int fd, struct epoll_event *event)
{
    struct desc *d = desc_at(x, epfd);
    struct desc *target = desc_closing_at(x, fd);
    struct epoll *ep = (struct epoll *)d;
    struct item *it;
    int err;

    if (event == NULL && op != EPOLL_CTL_DEL)
        return -EFAULT;
    if (d == NULL || target == NULL)
        return -EBADF;
    if (d == target || d->kind != DESC_EPOLL)
        return -EINVAL;
    err = exclusive_check(op, target, event);
    if (err != 0)
        return err;
    it = *slot_of(ep, target);
    if (op == EPOLL_CTL_ADD)
        return add(x, ep, target, event);
    if (op == EPOLL_CTL_MOD)
        return modify(x, ep, it, event);
    if (op != EPOLL_CTL_DEL)
        return -EINVAL;
    if (it == NULL)
        return -ENOENT;
    epoll_item_drop(&it->w);
    return 0;
}

/* Waiting ---------------------------------------------------------------------------------------- */

static int harvest(struct la_sockets *x, struct epoll *ep, struct epoll_event *events, int max)
{
    struct item *last = ep->tail;
    int n = 0;

    while (n < max && ep->head != NULL) {
        struct item *it = ep->head;
        const uint32_t mask = desc_poll_mask(x, it->target, 1) & it->events;
        const bool end = it == last;

        unlink_candidate(ep, it);
        if (mask != 0) {
            events[n].events = mask;
            events[n].data = it->data;
            n++;
            if (it->events & EPOLLONESHOT)
                it->events &= PRIVATE_BITS;
            else if (!(it->events & (uint32_t)EPOLLET))
                push(ep, it);
        }
        if (end)
            break;
    }
    return n;
}

int la_epoll_wait(struct la_sockets *x, int epfd, struct epoll_event *events, int max)
{
    struct desc *d = desc_at(x, epfd);

    if (d == NULL)
        return -EBADF;
    if (max <= 0 || max > EVENTS_MAX)
        return -EINVAL;
    if (events == NULL)
        return -EFAULT;
    if (d->kind != DESC_EPOLL)
        return -EINVAL;
    la_sockets_turn(x);
    return harvest(x, (struct epoll *)d, events, max);
}
