/* SPDX-License-Identifier: MIT */
/*
 * context.c - A table of descriptors over one stack: made, turned, taken down.
 *
 * Events of the core carry the index of their descriptor in the user word.  A number may have
 * been given to somebody else since, so the handle is compared as well.
 */
#include "posix/sockets.h"

#define NOFILE_DEFAULT 1024u
#define BUFFER_MAX_DEFAULT 212992u

la_time now_of(const struct la_sockets *x)
{
    const la_time now = x->config.now(x->config.context);
    const la_time last = la_now(x->stack);

    return now.ns > last.ns ? now : last;
}

struct la_sockets *la_sockets_new(const struct la_sockets_config *config)
{
    struct la_sockets *x;

    if (config->stack == NULL || config->now == NULL || config->nofile > LA_NOFILE_MAX ||
        config->fd_first > INT32_MAX - LA_NOFILE_MAX) {
        errno = EINVAL;
        return NULL;
    }
    x = calloc(1, sizeof *x);
    if (x == NULL)
        return NULL;
    x->config = *config;
    x->stack = config->stack;
    x->use.nofile = config->nofile > 0 ? config->nofile : NOFILE_DEFAULT;
    if (x->config.sndbuf_max == 0)
        x->config.sndbuf_max = BUFFER_MAX_DEFAULT;
    if (x->config.rcvbuf_max == 0)
        x->config.rcvbuf_max = BUFFER_MAX_DEFAULT;
    x->table = calloc(LA_NOFILE_MAX, sizeof(struct desc *));
    if (x->table == NULL || !fdmap_init(&x->map, LA_NOFILE_MAX)) {
        free(x->table);
        free(x);
        errno = ENOMEM;
        return NULL;
    }
    return x;
}

static void release(struct la_sockets *x, struct desc *d)
{
    desc_remove(x, d);
    if (d->kind == DESC_EPOLL)
        epoll_free(x, d);
    else
        sock_free(x, (struct sock *)d);
}

void la_sockets_free(struct la_sockets *x)
{
    if (x == NULL)
        return;
    for (uint32_t i = 0; i < LA_NOFILE_MAX && x->use.open > 0; i++)
        if (x->table[i] != NULL)
            release(x, x->table[i]);
    fdmap_free(&x->map);
    free(x->table);
    free(x);
}

void la_sockets_set_buffer_max(struct la_sockets *x, uint32_t sndbuf_max, uint32_t rcvbuf_max)
{
    if (sndbuf_max != 0)
        x->config.sndbuf_max = sndbuf_max;
    if (rcvbuf_max != 0)
        x->config.rcvbuf_max = rcvbuf_max;
}

int la_sockets_set_nofile(struct la_sockets *x, uint32_t nofile)
{
    if (nofile > LA_NOFILE_MAX)
        return -EINVAL;
    x->use.nofile = nofile;
    return 0;
}

struct la_sockets_use la_sockets_use(const struct la_sockets *x)
{
    return x->use;
}

/* Have bytes come since the last event? */
static bool received(const struct la_sockets *x, struct sock *s)
{
    const uint64_t before = s->received;
    struct la_conn_info info;

    if (la_conn_info(x->stack, s->conn, &info) != LA_OK)
        return false;
    s->received = info.bytes_received;
    return info.bytes_received > before;
}

/* What is news about a connection, as wake-up keys of Linux. */
static uint32_t news(const struct la_sockets *x, struct sock *s, uint32_t mask)
{
    const uint32_t states = LA_CONNECTED | LA_PEER_CLOSED | LA_ERROR_SET | LA_HANGUP | LA_FIN_ACKED;
    const uint32_t risen = mask & ~s->told;
    const bool more = (mask & LA_READABLE) && received(x, s);
    uint32_t key = 0;

    s->told = mask;
    if (risen & states)
        return 0; /* sk_state_change() tells everybody */
    if (mask & LA_WRITABLE && s->nospace) {
        s->nospace = false;
        key |= WAKE_OUT;
    }
    if (more)
        key |= WAKE_IN;
    return key != 0 ? key : (uint32_t)EPOLLMSG; /* nobody can ask for it: nobody is told */
}

/* Has the accept queue grown?  An accept is an event of the core too, but no edge. */
static bool arrived(const struct la_sockets *x, struct sock *s)
{
    struct la_listener_info info;
    const uint32_t before = s->told;

    if (la_listener_info(x->stack, s->listener, &info) != LA_OK)
        return false;
    s->told = info.accept_len;
    return info.accept_len > before;
}

bool la_sockets_event(struct la_sockets *x, const struct la_event *event)
{
    const uint64_t i = event->user;
    struct sock *s;

    if (i >= LA_NOFILE_MAX || x->table[i] == NULL || x->table[i]->kind != DESC_SOCKET)
        return false;
    s = (struct sock *)x->table[i];
    if (event->kind == LA_EVENT_CONN
            ? s->what != WHAT_CONN || s->conn.bits != event->conn.bits
            : s->what != WHAT_LISTEN || s->listener.bits != event->listener.bits)
        return false;
    if (event->kind == LA_EVENT_CONN)
        desc_wake(&s->d, news(x, s, event->mask));
    else if (arrived(x, s))
        desc_wake(&s->d, WAKE_IN);
    return true;
}

static void linger_turn(struct la_sockets *x)
{
    const la_time now = now_of(x);
    struct sock *s = x->lingering;

    while (s != NULL) {
        struct sock *next = s->linger_next;

        if (now.ns >= s->linger_until.ns || !sock_stream_closing(x, s)) {
            sock_linger_end(x, s);
            desc_wake(&s->d, 0);
        }
        s = next;
    }
}

void la_sockets_turn(struct la_sockets *x)
{
    struct la_event events[64];
    uint32_t n;

    while ((n = la_events(x->stack, events, 64)) > 0)
        for (uint32_t i = 0; i < n; i++)
            if (!la_sockets_event(x, &events[i]) && x->config.on_foreign != NULL)
                x->config.on_foreign(x->config.context, &events[i]);
    if (x->lingering != NULL)
        linger_turn(x);
}

la_time la_sockets_deadline(const struct la_sockets *x)
{
    la_time at = LA_TIME_NEVER;

    for (const struct sock *s = x->lingering; s != NULL; s = s->linger_next)
        if (s->linger_until.ns < at.ns)
            at = s->linger_until;
    return at;
}

la_conn_id la_sock_conn(const struct la_sockets *x, int fd)
{
    const struct desc *d = desc_closing_at(x, fd);

    if (d == NULL || d->kind != DESC_SOCKET || ((const struct sock *)d)->what != WHAT_CONN)
        return (la_conn_id){ 0 };
    return ((const struct sock *)d)->conn;
}

la_listener_id la_sock_listener(const struct la_sockets *x, int fd)
{
    const struct desc *d = desc_closing_at(x, fd);

    if (d == NULL || d->kind != DESC_SOCKET || ((const struct sock *)d)->what != WHAT_LISTEN)
        return (la_listener_id){ 0 };
    return ((const struct sock *)d)->listener;
}
