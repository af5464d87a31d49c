/* SPDX-License-Identifier: MIT */
/*
 * options.c - getsockopt() and setsockopt(): find the row, do what it says.
 *
 * What was set is kept with the socket and handed to the core whenever there is something in
 * the core to hand it to: options outlive connections, and what is set before connect() or
 * listen() holds for the first segment.
 */
#include "posix/options.h"

/* Before the headers of the kernel take names of the C library's. */
#include <linux/in6.h>
#include <linux/tcp.h>

#include <asm/socket.h>

#define OPT(level, name, get, set, text)                                                           \
    { level, name, OPTION_IMPLEMENTED, opt_get_##get, opt_set_##set, 0, ENOPROTOOPT, #level,       \
      #name, text },
#define FIXED(level, name, value, error, text)                                                     \
    { level, name, OPTION_FIXED, NULL, NULL, value, error, #level, #name, text },
#define REFUSED(level, name, error, text)                                                          \
    { level, name, OPTION_REFUSED, NULL, NULL, 0, error, #level, #name, text },
static const struct option table[] = {
#include "posix/options.def"
};
#undef OPT
#undef FIXED
#undef REFUSED

const struct option *option_table(size_t *count)
{
    *count = sizeof table / sizeof table[0];
    return table;
}

int opt_set_none(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    (void)x;
    (void)s;
    (void)b;
    return -ENOPROTOOPT;
}

int opt_get_nothing(struct la_sockets *x, struct sock *s, struct optbuf *b)
{
    (void)x;
    (void)s;
    b->len = 0;
    return 0;
}

int opt_put(struct optbuf *b, const void *value, uint32_t len)
{
    if (b->len > len)
        b->len = len;
    if (b->len > 0)
        memcpy(b->out, value, b->len);
    return 0;
}

int opt_put_int(struct optbuf *b, int value)
{
    return opt_put(b, &value, sizeof value);
}

int opt_int(const struct optbuf *b, int *value)
{
    if (b->len < sizeof *value)
        return -EINVAL;
    memcpy(value, b->in, sizeof *value);
    return 0;
}

int opt_int_or_byte(const struct optbuf *b, int *value)
{
    *value = 0;
    if (b->len >= sizeof *value)
        memcpy(value, b->in, sizeof *value);
    else if (b->len > 0)
        *value = *(const uint8_t *)b->in;
    return 0;
}

static const struct option *find(const struct sock *s, int level, int name)
{
    if (level == IPPROTO_IPV6 && !s->v6)
        return NULL;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].level == level && table[i].name == name)
            return &table[i];
    return NULL;
}

int la_sock_getsockopt(struct la_sockets *x, int fd, int level, int name, void *value,
                       uint32_t *len)
{
    struct optbuf b = { .out = value };
    const struct option *o;
    struct sock *s;
    int err = sock_at(x, fd, &s);

    if (err != 0)
        return err;
    if (len == NULL || (value == NULL && *len > 0))
        return -EFAULT;
    if (*len > INT32_MAX)
        return -EINVAL;
    o = find(s, level, name);
    if (o == NULL && !s->v6 && level != SOL_SOCKET && level != IPPROTO_TCP && level != IPPROTO_IP)
        return -EOPNOTSUPP; /* so Linux says of levels that IPv4 has not, when reading */
    if (o == NULL)
        return -ENOPROTOOPT;
    b.len = *len;
    if (o->state == OPTION_REFUSED)
        err = -o->error;
    else if (o->state == OPTION_FIXED)
        err = opt_put_int(&b, o->value);
    else
        err = o->get(x, s, &b);
    if (err == 0)
        *len = b.len;
    return err;
}

int la_sock_setsockopt(struct la_sockets *x, int fd, int level, int name, const void *value,
                       uint32_t len)
{
    const struct optbuf b = { .in = value, .len = len };
    const struct option *o;
    struct sock *s;
    int err = sock_at(x, fd, &s), wanted;

    if (err != 0)
        return err;
    if (len > INT32_MAX)
        return -EINVAL;
    if (value == NULL && len > 0)
        return -EFAULT;
    o = find(s, level, name);
    if (o == NULL)
        return -ENOPROTOOPT;
    if (o->state == OPTION_REFUSED)
        return -o->error;
    if (o->state == OPTION_IMPLEMENTED)
        return o->set(x, s, &b);
    err = opt_int(&b, &wanted);
    if (err != 0)
        return err;
    return wanted == o->value ? 0 : -o->error;
}

/* The core's options --------------------------------------------------------------------------- */

void sock_settings_init(struct settings *set)
{
    *set = (struct settings){ .ttl = -1, .hops = -1, .rcvlowat = 1 };
}

static uint32_t congestion_of(const struct la_sockets *x)
{
    char name[LA_SYSCTL_TEXT_MAX];

    if (la_sysctl_read(x->stack, "net.ipv4.tcp_congestion_control", name, sizeof name) == LA_OK)
        for (uint32_t i = LA_CONGESTION_DEFAULT + 1; la_congestion_name(i) != NULL; i++)
            if (strcmp(name, la_congestion_name(i)) == 0)
                return i;
    la_panic(__FILE__, __LINE__, "a sysctl that every stack has");
}

static uint32_t default_of(const struct la_sockets *x, enum la_option option)
{
    static const char *const knobs[LA_OPTIONS] = {
        [LA_OPT_SNDBUF] = "net.lastack.tcp_sndbuf",
        [LA_OPT_RCVBUF] = "net.lastack.tcp_rcvbuf",
        [LA_OPT_KEEPIDLE] = "net.ipv4.tcp_keepalive_time",
        [LA_OPT_KEEPINTVL] = "net.ipv4.tcp_keepalive_intvl",
        [LA_OPT_KEEPCNT] = "net.ipv4.tcp_keepalive_probes",
        [LA_OPT_MSL] = "net.lastack.tcp_msl_ms",
        [LA_OPT_LINGER2] = "net.ipv4.tcp_fin_timeout",
        [LA_OPT_SYNCNT] = "net.ipv4.tcp_syn_retries",
        [LA_OPT_TTL] = "net.ipv4.ip_default_ttl",
    };
    uint64_t value = 0;

    if (option == LA_OPT_CONGESTION)
        return congestion_of(x);
    if (option == LA_OPT_MAX_PACING_RATE)
        return LA_PACING_RATE_NONE;
    if (knobs[option] != NULL && la_sysctl_get(x->stack, knobs[option], &value) != LA_OK)
        la_panic(__FILE__, __LINE__, "a sysctl that every stack has");
    return (uint32_t)value;
}

uint32_t sock_option(const struct la_sockets *x, const struct sock *s, enum la_option option)
{
    return s->set.core_set >> option & 1 ? s->set.core[option] : default_of(x, option);
}

static enum la_err hand_over(struct la_sockets *x, struct sock *s, enum la_option option,
                             uint32_t value)
{
    if (s->what == WHAT_CONN)
        return la_set_option(x->stack, now_of(x), s->conn, option, value);
    if (s->what == WHAT_LISTEN)
        return la_listener_set_option(x->stack, s->listener, option, value);
    return LA_OK;
}

int sock_option_set(struct la_sockets *x, struct sock *s, enum la_option option, uint32_t value)
{
    const enum la_err err = hand_over(x, s, option, value);

    if (err != LA_OK)
        return error_of(err);
    s->set.core[option] = value;
    s->set.core_set |= 1u << option;
    return 0;
}

/* TTL and TOS have a value for each family; what a connection speaks decides. */
static int apply_ip(struct la_sockets *x, struct sock *s)
{
    const bool v4 = s->what == WHAT_CONN ? la_addr_is_v4(s->remote.addr) : !s->v6;
    const int ttl = v4 ? s->set.ttl : s->set.hops;
    const int tos = v4 ? s->set.tos : s->set.tclass;
    const uint32_t hops = ttl >= 0 ? (uint32_t)ttl : default_of(x, LA_OPT_TTL);
    enum la_err err = LA_OK;

    if (ttl >= 0 || s->set.core_set >> LA_OPT_TTL & 1)
        err = hand_over(x, s, LA_OPT_TTL, hops);
    if (err == LA_OK && (tos != 0 || s->set.core_set >> LA_OPT_TOS & 1))
        err = hand_over(x, s, LA_OPT_TOS, (uint32_t)tos);
    return error_of(err);
}

int sock_options_apply(struct la_sockets *x, struct sock *s)
{
    const uint32_t ip = 1u << LA_OPT_TTL | 1u << LA_OPT_TOS;
    const bool accepted = s->what == WHAT_CONN && s->phase == PHASE_CONNECTED;

    for (uint32_t i = 0; i < LA_OPTIONS; i++) {
        enum la_err err = LA_OK;

        if (!(s->set.core_set >> i & 1) || ip >> i & 1 || (accepted && i == LA_OPT_MAXSEG))
            continue; /* an accepted connection has its listener's segment size */
        err = hand_over(x, s, (enum la_option)i, s->set.core[i]);
        if (err != LA_OK)
            return error_of(err);
    }
    return apply_ip(x, s);
}

int opt_ip_changed(struct la_sockets *x, struct sock *s)
{
    s->set.core_set |= 1u << LA_OPT_TTL | 1u << LA_OPT_TOS;
    return apply_ip(x, s);
}
