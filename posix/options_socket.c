/* SPDX-License-Identifier: MIT */
/* options_socket.c - The level SOL_SOCKET. */
#include "posix/options.h"

#include <linux/sock_diag.h>
#include <sys/time.h>

/* The least a buffer can be: SOCK_MIN_SNDBUF and SOCK_MIN_RCVBUF. */
#define SNDBUF_MIN 4608u
#define RCVBUF_MIN 2304u

#define GET(name, value)                                                                           \
    int opt_get_##name(struct la_sockets *x, struct sock *s, struct optbuf *b)                     \
    {                                                                                              \
        (void)x;                                                                                   \
        (void)s;                                                                                   \
        return opt_put_int(b, value);                                                              \
    }

GET(acceptconn, s->what == WHAT_LISTEN)
GET(broadcast, s->set.broadcast)
GET(domain, s->v6 ? AF_INET6 : AF_INET)
GET(keepalive, (int)sock_option(x, s, LA_OPT_KEEPALIVE))
GET(protocol, IPPROTO_TCP)
GET(rcvbuf, (int)sock_option(x, s, LA_OPT_RCVBUF))
GET(sndbuf, (int)sock_option(x, s, LA_OPT_SNDBUF))
GET(rcvlowat, s->set.rcvlowat)
GET(sndlowat, 1)
GET(reuseaddr, (int)sock_option(x, s, LA_OPT_REUSEADDR))
GET(reuseport, (int)sock_option(x, s, LA_OPT_REUSEPORT))
GET(type, SOCK_STREAM)

int opt_get_cookie(struct la_sockets *x, struct sock *s, struct optbuf *b)
{
    (void)x;
    if (b->len < sizeof s->cookie)
        return -EINVAL;
    return opt_put(b, &s->cookie, sizeof s->cookie);
}

int opt_get_error(struct la_sockets *x, struct sock *s, struct optbuf *b)
{
    int error = -sock_error_take(x, s);

    if (error == 0 && s->what == WHAT_CONN)
        error = la_errno(la_conn_soft_error(x->stack, s->conn));
    return opt_put_int(b, error);
}

int opt_get_meminfo(struct la_sockets *x, struct sock *s, struct optbuf *b)
{
    uint32_t info[SK_MEMINFO_VARS] = {
        [SK_MEMINFO_RCVBUF] = sock_option(x, s, LA_OPT_RCVBUF),
        [SK_MEMINFO_SNDBUF] = sock_option(x, s, LA_OPT_SNDBUF),
    };
    struct la_conn_info conn;

    if (s->what == WHAT_CONN && la_conn_info(x->stack, s->conn, &conn) == LA_OK) {
        info[SK_MEMINFO_RMEM_ALLOC] = conn.rcv_queued_bytes + conn.rcv_ooo_bytes;
        info[SK_MEMINFO_WMEM_QUEUED] = conn.snd_queued_bytes;
    }
    return opt_put(b, info, sizeof info);
}

static int set_flag(struct la_sockets *x, struct sock *s, const struct optbuf *b,
                    enum la_option option)
{
    int value;
    const int err = opt_int(b, &value);

    return err != 0 ? err : sock_option_set(x, s, option, value != 0);
}

int opt_set_keepalive(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    return set_flag(x, s, b, LA_OPT_KEEPALIVE);
}

int opt_set_reuseaddr(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    return set_flag(x, s, b, LA_OPT_REUSEADDR);
}

int opt_set_reuseport(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    return set_flag(x, s, b, LA_OPT_REUSEPORT);
}

int opt_set_broadcast(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    int value;
    const int err = opt_int(b, &value);

    (void)x;
    if (err == 0)
        s->set.broadcast = value != 0;
    return err;
}

/* Half of what is kept is taken to be overhead, so what was asked for is doubled. */
static int set_buffer(struct la_sockets *x, struct sock *s, const struct optbuf *b,
                      enum la_option option, uint32_t most, uint32_t least)
{
    int value;
    const int err = opt_int(b, &value);
    uint32_t bytes;

    if (err != 0)
        return err;
    bytes = (uint32_t)value < most ? (uint32_t)value : most;
    bytes = bytes * 2 > least ? bytes * 2 : least;
    return sock_option_set(x, s, option, bytes);
}

int opt_set_sndbuf(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    return set_buffer(x, s, b, LA_OPT_SNDBUF, x->config.sndbuf_max, SNDBUF_MIN);
}

int opt_set_rcvbuf(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    return set_buffer(x, s, b, LA_OPT_RCVBUF, x->config.rcvbuf_max, RCVBUF_MIN);
}

int opt_set_rcvlowat(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    int value;
    const int err = opt_int(b, &value);

    (void)x;
    if (err != 0)
        return err;
    if (value < 0)
        value = INT32_MAX;
    s->set.rcvlowat = value > 0 ? value : 1;
    desc_wake(&s->d, WAKE_IN);
    return 0;
}

int opt_get_linger(struct la_sockets *x, struct sock *s, struct optbuf *b)
{
    const struct linger value = { .l_onoff = s->set.linger, .l_linger = (int)s->set.linger_s };

    (void)x;
    return opt_put(b, &value, sizeof value);
}

int opt_set_linger(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    struct linger value;

    (void)x;
    if (b->len < sizeof value)
        return -EINVAL;
    memcpy(&value, b->in, sizeof value);
    s->set.linger = value.l_onoff != 0;
    if (s->set.linger)
        s->set.linger_s = (uint32_t)value.l_linger & INT32_MAX;
    return 0;
}

static int get_time(struct optbuf *b, uint64_t ns)
{
    const struct timeval value = {
        .tv_sec = (time_t)(ns / NS_PER_S),
        .tv_usec = (suseconds_t)(ns % NS_PER_S / 1000),
    };

    return opt_put(b, &value, sizeof value);
}

static int set_time(const struct optbuf *b, uint64_t *ns)
{
    struct timeval value;

    if (b->len < sizeof value)
        return -EINVAL;
    memcpy(&value, b->in, sizeof value);
    if (value.tv_usec < 0 || value.tv_usec >= 1000000)
        return -EDOM;
    if (value.tv_sec < 0)
        *ns = 1; /* do not wait, but say so: 0 would be for ever */
    else if ((uint64_t)value.tv_sec > UINT32_MAX)
        *ns = 0;
    else
        *ns = (uint64_t)value.tv_sec * NS_PER_S + (uint64_t)value.tv_usec * 1000;
    return 0;
}

int opt_get_rcvtimeo(struct la_sockets *x, struct sock *s, struct optbuf *b)
{
    (void)x;
    return get_time(b, s->set.rcvtimeo_ns);
}

int opt_set_rcvtimeo(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    (void)x;
    return set_time(b, &s->set.rcvtimeo_ns);
}

int opt_get_sndtimeo(struct la_sockets *x, struct sock *s, struct optbuf *b)
{
    (void)x;
    return get_time(b, s->set.sndtimeo_ns);
}

int opt_set_sndtimeo(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    (void)x;
    return set_time(b, &s->set.sndtimeo_ns);
}

/* Octets of an unsigned long, or of an unsigned int as before there was more. */
int opt_get_maxpacingrate(struct la_sockets *x, struct sock *s, struct optbuf *b)
{
    const uint32_t rate = sock_option(x, s, LA_OPT_MAX_PACING_RATE);
    const uint64_t wide = rate == LA_PACING_RATE_NONE ? UINT64_MAX : rate;

    return b->len >= sizeof wide ? opt_put(b, &wide, sizeof wide) : opt_put(b, &rate, sizeof rate);
}

int opt_set_maxpacingrate(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    uint64_t rate = 0;
    int narrow;

    if (b->len >= sizeof rate) {
        memcpy(&rate, b->in, sizeof rate);
    } else {
        const int err = opt_int(b, &narrow);

        if (err != 0)
            return err;
        rate = (uint32_t)narrow;
    }
    if (rate == UINT64_MAX)
        rate = LA_PACING_RATE_NONE;
    if (rate < LA_PACING_RATE_MIN || rate > LA_PACING_RATE_NONE) /* no room is kept for it */
        return -EINVAL;
    return sock_option_set(x, s, LA_OPT_MAX_PACING_RATE, (uint32_t)rate);
}
