/* SPDX-License-Identifier: MIT */
/* options_tcp.c - The level IPPROTO_TCP. */
#include "posix/options.h"

#include <linux/tcp.h>

#define MSS_MIN 88
#define MSS_MAX 32767
#define MSS_DEFAULT 536
#define LINGER2_MAX_S 120
#define LOWAT_MAX 1073733632u
#define CC_NAME_MAX 16u

#define GET(name, value)                                                                           \
    int opt_get_##name(struct la_sockets *x, struct sock *s, struct optbuf *b)                     \
    {                                                                                              \
        return opt_put_int(b, value);                                                              \
    }

GET(cork, (int)sock_option(x, s, LA_OPT_CORK))
GET(nodelay, (int)sock_option(x, s, LA_OPT_NODELAY))
GET(keepcnt, (int)sock_option(x, s, LA_OPT_KEEPCNT))
GET(keepidle, (int)sock_option(x, s, LA_OPT_KEEPIDLE))
GET(keepintvl, (int)sock_option(x, s, LA_OPT_KEEPINTVL))
GET(quickack, (int)sock_option(x, s, LA_OPT_QUICKACK))
GET(usertimeout, (int)sock_option(x, s, LA_OPT_USER_TIMEOUT))

static int set_flag(struct la_sockets *x, struct sock *s, const struct optbuf *b,
                    enum la_option option)
{
    int value;
    const int err = opt_int(b, &value);

    return err != 0 ? err : sock_option_set(x, s, option, value != 0);
}

/* The core refuses what is out of range. */
static int set_number(struct la_sockets *x, struct sock *s, const struct optbuf *b,
                      enum la_option option, int least, int most)
{
    int value;
    const int err = opt_int(b, &value);

    if (err != 0)
        return err;
    if (value < least || value > most)
        return -EINVAL;
    return sock_option_set(x, s, option, (uint32_t)value);
}

int opt_set_cork(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    return set_flag(x, s, b, LA_OPT_CORK);
}

int opt_set_nodelay(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    return set_flag(x, s, b, LA_OPT_NODELAY);
}

int opt_set_quickack(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    return set_flag(x, s, b, LA_OPT_QUICKACK);
}

int opt_set_keepcnt(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    return set_number(x, s, b, LA_OPT_KEEPCNT, 1, 127);
}

int opt_set_keepidle(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    return set_number(x, s, b, LA_OPT_KEEPIDLE, 1, 32767);
}

int opt_set_keepintvl(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    return set_number(x, s, b, LA_OPT_KEEPINTVL, 1, 32767);
}

int opt_set_usertimeout(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    return set_number(x, s, b, LA_OPT_USER_TIMEOUT, 0, 86400000);
}

/* Kept as it was set; the core rounds what is larger than any buffer. */
int opt_get_notsentlowat(struct la_sockets *x, struct sock *s, struct optbuf *b)
{
    (void)x;
    return opt_put_int(b, (int)s->set.notsent_lowat);
}

int opt_set_notsentlowat(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    int value;
    int err = opt_int(b, &value);

    if (err != 0)
        return err;
    const uint32_t bytes = (uint32_t)value;
    err = sock_option_set(x, s, LA_OPT_NOTSENT_LOWAT, bytes < LOWAT_MAX ? bytes : LOWAT_MAX);
    if (err == 0)
        s->set.notsent_lowat = bytes;
    return err;
}

int opt_get_msl(struct la_sockets *x, struct sock *s, struct optbuf *b)
{
    return opt_put_int(b, (int)sock_option(x, s, LA_OPT_MSL));
}

int opt_set_msl(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    return set_number(x, s, b, LA_OPT_MSL, 0, 240000);
}

int opt_get_linger2(struct la_sockets *x, struct sock *s, struct optbuf *b)
{
    const uint32_t value = sock_option(x, s, LA_OPT_LINGER2);

    return opt_put_int(b, value == LA_LINGER2_NONE ? -1 : (int)value);
}

int opt_set_linger2(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    int value;
    int err = opt_int(b, &value);

    if (err != 0)
        return err;
    if (value < 0)
        return sock_option_set(x, s, LA_OPT_LINGER2, LA_LINGER2_NONE);
    err = sock_option_set(x, s, LA_OPT_LINGER2,
                          (uint32_t)(value > LINGER2_MAX_S ? LINGER2_MAX_S : value));
    if (err == 0 && value == 0)
        s->set.core_set &= ~(1u << LA_OPT_LINGER2); /* it reads as the sysctl */
    return err;
}

/* What some number of SYN-ACKs take, each twice as long as the last one, 120 s at the most. */
static uint32_t defer_rounded(uint32_t seconds)
{
    uint32_t sum = 0, step = 1;

    for (uint32_t n = 0; n < UINT8_MAX && sum < seconds; n++) {
        sum += step;
        step = 2 * step < 120 ? 2 * step : 120;
    }
    return sum;
}

int opt_get_deferaccept(struct la_sockets *x, struct sock *s, struct optbuf *b)
{
    (void)x;
    return opt_put_int(b, (int)s->set.defer_accept_s);
}

int opt_set_deferaccept(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    int value;
    int err = opt_int(b, &value);

    if (err != 0)
        return err;
    s->set.defer_accept_s = value > 0 ? defer_rounded((uint32_t)value) : 0;
    if (s->what == WHAT_LISTEN)
        err = error_of(la_listener_set_option(x->stack, s->listener, LA_OPT_DEFER_ACCEPT,
                                              s->set.defer_accept_s));
    return err;
}

int opt_get_maxseg(struct la_sockets *x, struct sock *s, struct optbuf *b)
{
    const uint32_t asked = sock_option(x, s, LA_OPT_MAXSEG);
    struct la_conn_info info;

    if (s->what == WHAT_CONN && la_conn_info(x->stack, s->conn, &info) == LA_OK &&
        info.state != LA_CLOSED)
        return opt_put_int(b, (int)info.snd_mss);
    return opt_put_int(b, asked != 0 ? (int)asked : MSS_DEFAULT);
}

int opt_set_maxseg(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    int value;
    const int err = opt_int(b, &value);

    if (err != 0)
        return err;
    if (value != 0 && (value < MSS_MIN || value > MSS_MAX))
        return -EINVAL;
    if (s->what == WHAT_CONN) /* its SYN has told the peer, and no other follows: as on Linux */
        return 0;
    if (value != 0)
        return sock_option_set(x, s, LA_OPT_MAXSEG, (uint32_t)value);
    if (s->what == WHAT_LISTEN && s->set.core_set >> LA_OPT_MAXSEG & 1)
        return -EINVAL; /* a listener's can not be unset */
    s->set.core_set &= ~(1u << LA_OPT_MAXSEG);
    return 0;
}

int opt_get_inq(struct la_sockets *x, struct sock *s, struct optbuf *b)
{
    (void)x;
    return opt_put_int(b, s->set.inq);
}

int opt_set_inq(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    int value;
    const int err = opt_int(b, &value);

    (void)x;
    if (err != 0)
        return err;
    if (value < 0 || value > 1)
        return -EINVAL;
    s->set.inq = value != 0;
    return 0;
}

int opt_get_syncnt(struct la_sockets *x, struct sock *s, struct optbuf *b)
{
    return opt_put_int(b, (int)sock_option(x, s, LA_OPT_SYNCNT));
}

int opt_set_syncnt(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    return set_number(x, s, b, LA_OPT_SYNCNT, 1, 127);
}

int opt_get_congestion(struct la_sockets *x, struct sock *s, struct optbuf *b)
{
    char name[CC_NAME_MAX] = { 0 };

    strncpy(name, la_congestion_name((uint32_t)sock_option(x, s, LA_OPT_CONGESTION)),
            sizeof name - 1);
    return opt_put(b, name, sizeof name);
}

int opt_set_congestion(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    char name[CC_NAME_MAX] = { 0 };

    if (b->len < 1)
        return -EINVAL;
    memcpy(name, b->in, b->len < CC_NAME_MAX - 1 ? b->len : CC_NAME_MAX - 1);
    for (uint32_t i = LA_CONGESTION_DEFAULT + 1; la_congestion_name(i) != NULL; i++)
        if (strcmp(name, la_congestion_name(i)) == 0)
            return sock_option_set(x, s, LA_OPT_CONGESTION, i);
    return -ENOENT;
}
