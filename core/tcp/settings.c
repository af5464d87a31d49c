/* SPDX-License-Identifier: MIT */
/* settings.c - Options of options.def, on connections and on listeners. */
#include "core/tcp/tcp.h"

struct limits {
    uint64_t min, max;
};
static const struct limits limits[LA_OPTIONS] = {
#define LA_OPTION(name, unit, min, max, text) [LA_OPT_##name] = { min, max },
#include <lastack/options.def>
#undef LA_OPTION
};

/* Rounded up, so that what is not 0 stays so. */
static uint32_t pack_lowat(uint32_t bytes)
{
    if (bytes < TCP_LOWAT_EXACT)
        return bytes;
    if (bytes > TCP_LOWAT_MAX)
        bytes = TCP_LOWAT_MAX;
    return TCP_LOWAT_EXACT | (bytes + TCP_LOWAT_UNIT - 1) / TCP_LOWAT_UNIT;
}

uint32_t setting_lowat(const struct tcp_settings *set)
{
    const uint32_t packed = set->notsent_lowat;

    if (packed == 0)
        return UINT32_MAX;
    return packed < TCP_LOWAT_EXACT ? packed : (packed - TCP_LOWAT_EXACT) * TCP_LOWAT_UNIT;
}

void setting_lowat_default(const struct tcp *t, struct tcp_settings *set)
{
    const uint32_t bytes = t->env.knobs.notsent_lowat;

    set->notsent_lowat = (bytes < UINT32_MAX ? pack_lowat(bytes) : 0) & 0x3ffffu;
}

static void put_flag(struct tcp_settings *set, enum la_option option, uint32_t on)
{
    if (option == LA_OPT_NODELAY)
        set->nodelay = on & 1u;
    else if (option == LA_OPT_CORK)
        set->cork = on & 1u;
    else if (option == LA_OPT_KEEPALIVE)
        set->keepalive = on & 1u;
    else if (option == LA_OPT_QUICKACK)
        set->quickack = on & 1u;
    else if (option == LA_OPT_REUSEADDR)
        set->reuse = on & 1u;
    else
        set->reuse_port = on & 1u;
}

static bool get_flag(const struct tcp_settings *set, enum la_option option)
{
    if (option == LA_OPT_NODELAY)
        return set->nodelay;
    if (option == LA_OPT_CORK)
        return set->cork;
    if (option == LA_OPT_KEEPALIVE)
        return set->keepalive;
    if (option == LA_OPT_QUICKACK)
        return set->quickack;
    if (option == LA_OPT_REUSEADDR)
        return set->reuse;
    return set->reuse_port;
}

static enum la_err put_value(const struct tcp *t, struct tcp_settings *set, enum la_option option,
                             uint64_t value)
{
    switch (option) {
    case LA_OPT_NODELAY:
    case LA_OPT_CORK:
    case LA_OPT_KEEPALIVE:
    case LA_OPT_QUICKACK:
    case LA_OPT_REUSEADDR:
    case LA_OPT_REUSEPORT:
        put_flag(set, option, value != 0);
        break;
    case LA_OPT_TTL:
        set->ttl = (uint8_t)value;
        break;
    case LA_OPT_TOS:
        set->tos6 = (uint32_t)value >> 2 & 63u; /* the ECN bits are TCP's (RFC 3168) */
        break;
    case LA_OPT_MAXSEG:
        set->maxseg = (uint16_t)value;
        break;
    case LA_OPT_SNDBUF:
        set->sndbuf = value & TCP_BUFFER_BITS;
        set->sndbuf_fixed = true;
        break;
    case LA_OPT_RCVBUF:
        set->rcvbuf = value & TCP_BUFFER_BITS;
        set->rcvbuf_fixed = true;
        break;
    case LA_OPT_USER_TIMEOUT:
        set->user_timeout_ms = (uint32_t)value & 0x7ffffffu;
        break;
    case LA_OPT_KEEPIDLE:
        set->keepidle_s = (uint16_t)value & 0x7fffu;
        break;
    case LA_OPT_KEEPINTVL:
        set->keepintvl_s = (uint16_t)value & 0x7fffu;
        break;
    case LA_OPT_KEEPCNT:
        set->keepcnt = (uint8_t)value & 0x7fu;
        break;
    case LA_OPT_LINGER2:
        set->linger2_s = (uint16_t)value & 0xfffu;
        break;
    case LA_OPT_SYNCNT:
        set->syncnt = (uint8_t)value & 0x7fu;
        break;
    case LA_OPT_MSL:
        set->msl_ms1 = ((uint32_t)value + 1) & 0x3ffffu;
        break;
    case LA_OPT_CONGESTION:
        set->congestion = value & 3u;
        break;
    case LA_OPT_NOTSENT_LOWAT:
        if (value == 0)
            setting_lowat_default(t, set);
        else
            set->notsent_lowat = pack_lowat((uint32_t)value) & 0x3ffffu;
        break;
    case LA_OPT_MAX_PACING_RATE:
    case LA_OPT_DEFER_ACCEPT: /* a listener's: listener.c */
    case LA_OPTIONS:
        return LA_ENOPROTOOPT;
    }
    return LA_OK;
}

enum la_err tcp_setting_set(struct tcp *t, struct tcp_settings *set, enum la_option option,
                            uint64_t value)
{
    if ((uint32_t)option >= LA_OPTIONS)
        return LA_ENOPROTOOPT;
    if (value < limits[option].min || value > limits[option].max)
        return LA_EINVAL;
    if (option == LA_OPT_MAX_PACING_RATE) {
        set->max_pacing_rate = value == LA_PACING_RATE_NONE ? 0 : (uint32_t)value;
        return LA_OK;
    }
    return put_value(t, set, option, value);
}

static enum la_err get_value(const struct tcp *t, const struct tcp_settings *set,
                             enum la_option option, uint64_t *value)
{
    const struct env_knobs *k = &t->env.knobs;

    switch (option) {
    case LA_OPT_NODELAY:
    case LA_OPT_CORK:
    case LA_OPT_KEEPALIVE:
    case LA_OPT_QUICKACK:
    case LA_OPT_REUSEADDR:
    case LA_OPT_REUSEPORT:
        *value = get_flag(set, option);
        break;
    case LA_OPT_TTL:
        *value = set->ttl;
        break;
    case LA_OPT_TOS:
        *value = (uint64_t)set->tos6 << 2;
        break;
    case LA_OPT_MAXSEG:
        *value = set->maxseg;
        break;
    case LA_OPT_SNDBUF:
        *value = set->sndbuf;
        break;
    case LA_OPT_RCVBUF:
        *value = set->rcvbuf;
        break;
    case LA_OPT_USER_TIMEOUT:
        *value = set->user_timeout_ms;
        break;
    case LA_OPT_KEEPIDLE:
        *value = set->keepidle_s > 0 ? set->keepidle_s : k->keepalive_time;
        break;
    case LA_OPT_KEEPINTVL:
        *value = set->keepintvl_s > 0 ? set->keepintvl_s : k->keepalive_intvl;
        break;
    case LA_OPT_KEEPCNT:
        *value = set->keepcnt > 0 ? set->keepcnt : k->keepalive_probes;
        break;
    case LA_OPT_LINGER2:
        *value = set->linger2_s > 0 ? set->linger2_s : k->fin_timeout;
        break;
    case LA_OPT_SYNCNT:
        *value = set->syncnt > 0 ? set->syncnt : k->syn_retries;
        break;
    case LA_OPT_MSL:
        *value = set->msl_ms1 > 0 ? set->msl_ms1 - 1u : k->msl_ms;
        break;
    case LA_OPT_CONGESTION:
        *value = set->congestion != CC_DEFAULT ? (uint32_t)set->congestion : t->congestion;
        break;
    case LA_OPT_NOTSENT_LOWAT:
        *value = set->notsent_lowat > 0 ? setting_lowat(set) : 0;
        break;
    case LA_OPT_MAX_PACING_RATE:
    case LA_OPT_DEFER_ACCEPT:
    case LA_OPTIONS:
        return LA_ENOPROTOOPT;
    }
    return (uint32_t)option < LA_OPTIONS ? LA_OK : LA_ENOPROTOOPT;
}

enum la_err tcp_setting_get(const struct tcp *t, const struct tcp_settings *set,
                            enum la_option option, uint64_t *value)
{
    if (option != LA_OPT_MAX_PACING_RATE)
        return get_value(t, set, option, value);
    *value = set->max_pacing_rate > 0 ? set->max_pacing_rate : LA_PACING_RATE_NONE;
    return LA_OK;
}

/* What a changed option does to a connection that is already there. */
void tcp_setting_changed(struct tcp *t, uint32_t ci, enum la_option option)
{
    struct tcp_conn *c = conn_at(t, ci);

    if (option == LA_OPT_MAXSEG) { /* before the SYN, which tells it */
        c->adv_mss = conn_adv_mss(t, &c->set, c->iface, addr_is_v4(&c->flow.raddr));
        conn_set_mss(t, c, c->path_mtu);
        cc_init(t, c);
    }
    if (option == LA_OPT_CONGESTION)
        cc_chosen(t, c);
    if (option == LA_OPT_MAX_PACING_RATE)
        pace_changed(t, ci);
    if (option == LA_OPT_KEEPALIVE || option == LA_OPT_KEEPIDLE)
        keepalive_rearm(t, ci);
    if (option == LA_OPT_NODELAY || option == LA_OPT_CORK) {
        if (!c->set.cork)
            tcp_timer_stop(c, TCP_DL_CORK);
        tcp_output_wake(t, ci);
    }
    if (option == LA_OPT_RCVBUF && rcv_window_update_due(t, c) &&
        in(c, S(ESTABLISHED) | S(FIN_WAIT_1) | S(FIN_WAIT_2))) {
        c->want_ack = true;
        tcp_output_wake(t, ci);
    }
    if (option == LA_OPT_QUICKACK && !c->set.quickack)
        c->quick = 0; /* ACKs may wait from now on, also at the beginning: as on Linux */
    if (option == LA_OPT_USER_TIMEOUT)
        tcp_user_timeout_changed(t, ci);
    if (option == LA_OPT_SNDBUF || option == LA_OPT_NOTSENT_LOWAT)
        conn_ready(t, ci, false);
}
