/* SPDX-License-Identifier: MIT */
/*
 * ss_row.c - How ss writes a row; see ss_row.h.
 *
 * Words and their order are iproute2's where Linux has the same thing.  What is not measured
 * is left out rather than shown as 0.
 */
#include "cli/ss_row.h"

#include "cli/control_client.h"
#include "cli/ss_filter.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdarg.h>
#include <string.h>

#define NS_PER_MILLISECOND UINT64_C(1000000)
#define SSTHRESH_SHOWN 0xffffu

static uint64_t number(const struct control_in *in, const char *key)
{
    return control_client_number(in, key);
}

bool ss_row_read(const struct control_in *in, struct ss_row *out)
{
    const char *state = control_get(in, "state");
    const char *local = control_get(in, "local");
    const char *remote = control_get(in, "remote");
    const char *kind = control_get(in, "kind");

    *out = (struct ss_row){ .state = LA_CLOSED };
    if (strcmp(in->word, "row") != 0 || state == NULL || local == NULL || kind == NULL ||
        !control_parse_endpoint(local, &out->local) ||
        (remote != NULL && !control_parse_endpoint(remote, &out->remote)))
        return false;
    for (uint32_t i = 0; i < LA_STATES; i++)
        if (strcmp(state, la_state_name((enum la_state)i)) == 0)
            out->state = (enum la_state)i;
    out->listener = strcmp(kind, "listener") == 0;
    out->v6 = !la_addr_is_v4(out->local.addr);
    out->recv_q = number(in, "recv_q");
    out->send_q = number(in, "send_q");
    out->prefix = number(in, "prefix");
    out->v6_only = number(in, "v6only") != 0;
    return true;
}

/* Addresses ------------------------------------------------------------------------- */

static void put_port(uint16_t port, bool numeric, char to[SS_CELL_BYTES])
{
    const struct servent *service = numeric ? NULL : getservbyport(htons(port), "tcp");

    if (service != NULL)
        snprintf(to, SS_CELL_BYTES, "%s", service->s_name);
    else
        snprintf(to, SS_CELL_BYTES, "%u", port);
}

static void put_addr(struct la_addr addr, char to[SS_CELL_BYTES])
{
    char text[LA_ADDR_TEXT_BYTES];

    snprintf(to, SS_CELL_BYTES, la_addr_is_v4(addr) ? "%s" : "[%s]", la_addr_format(addr, text));
}

/* A listener on everything of both families is "*", as on Linux. */
static bool takes_both(const struct ss_row *r)
{
    return r->listener && r->v6 && la_addr_is_unspecified(r->local.addr) && !r->v6_only;
}

void ss_row_local(const struct ss_row *r, bool numeric, char addr[SS_CELL_BYTES],
                  char port[SS_CELL_BYTES])
{
    put_port(r->local.port, numeric, port);
    put_addr(r->local.addr, addr);
    if (takes_both(r))
        snprintf(addr, SS_CELL_BYTES, "*");
    else if (r->listener && r->prefix < 128 && !la_addr_is_unspecified(r->local.addr))
        snprintf(addr + strlen(addr), SS_CELL_BYTES - strlen(addr), "/%u",
                 (unsigned)(r->v6 || r->prefix < 96 ? r->prefix : r->prefix - 96));
}

void ss_row_remote(const struct ss_row *r, bool numeric, char addr[SS_CELL_BYTES],
                   char port[SS_CELL_BYTES])
{
    if (r->listener) {
        snprintf(addr, SS_CELL_BYTES, "%s", takes_both(r) ? "*" : r->v6 ? "[::]" : "0.0.0.0");
        snprintf(port, SS_CELL_BYTES, "*");
        return;
    }
    put_addr(r->remote.addr, addr);
    put_port(r->remote.port, numeric, port);
}

/* Times and timers ----------------------------------------------------------------------- */

void ss_format_ms(uint64_t ms, char *to, size_t room)
{
    const uint64_t minutes = ms / 60000;
    const uint64_t seconds = ms / 1000 % 60;
    const uint64_t rest = ms % 1000;
    int at = 0;

    to[0] = '\0';
    if (minutes > 0)
        at = snprintf(to, room, "%" PRIu64 "min", minutes);
    if (minutes > 9)
        return;
    if (minutes > 0 || seconds > 9) { /* no finer than a second */
        if (seconds > 0)
            snprintf(to + at, room - (size_t)at, "%" PRIu64 "sec", seconds);
        return;
    }
    if (seconds > 0 && rest > 0)
        snprintf(to, room, "%" PRIu64 ".%03" PRIu64 "ms", seconds, rest);
    else if (seconds > 0)
        snprintf(to, room, "%" PRIu64 "sec", seconds);
    else if (rest > 0)
        snprintf(to, room, "%03" PRIu64 "ms", rest);
}

/* Linux's name of the timer of la_timer_name(). */
static const char *timer_word(const char *timer)
{
    if (strcmp(timer, la_timer_name(LA_TIMER_PERSIST)) == 0)
        return "persist";
    if (strcmp(timer, la_timer_name(LA_TIMER_KEEPALIVE)) == 0)
        return "keepalive";
    if (strcmp(timer, la_timer_name(LA_TIMER_TIME_WAIT)) == 0 ||
        strcmp(timer, la_timer_name(LA_TIMER_FIN_WAIT_2)) == 0)
        return "timewait";
    return "on";
}

/* Text that grows, and stops where the room ends. */
struct ext {
    char *to;
    size_t len;
};

static void add(struct ext *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct ext *e, const char *format, ...)
{
    va_list list;

    if (e->len >= SS_EXT_BYTES - 1)
        return;
    va_start(list, format);
    const int len = vsnprintf(e->to + e->len, SS_EXT_BYTES - e->len, format, list);
    va_end(list);
    e->len += len > 0 ? (size_t)len : 0;
}

static void put_timer(struct ext *e, const struct control_in *in)
{
    const char *timer = control_get(in, "timer");
    char text[32];

    if (timer == NULL)
        return;
    ss_format_ms(number(in, "timer_in") / NS_PER_MILLISECOND, text, sizeof text);
    add(e, " timer:(%s,%s,%" PRIu64 ")", timer_word(timer), text, number(in, "retries"));
}

/* Details ---------------------------------------------------------------------------------- */

static void put_memory(struct ext *e, const struct control_in *in)
{
    add(e, " skmem:(r%" PRIu64 ",rb%" PRIu64 ",t0,tb%" PRIu64 ",f0,w%" PRIu64 ",o0,bl0,d0)",
        number(in, "recv_q") + number(in, "rcv_ooo"), number(in, "rcvbuf"), number(in, "sndbuf"),
        number(in, "send_q"));
}

static void put_ms(struct ext *e, const struct control_in *in, const char *word, const char *key)
{
    const uint64_t ms = number(in, key) / NS_PER_MILLISECOND;

    if (control_get(in, key) != NULL && ms > 0)
        add(e, " %s:%" PRIu64, word, ms);
}

static void put_count(struct ext *e, const struct control_in *in, const char *word, const char *key)
{
    if (number(in, key) > 0)
        add(e, " %s:%" PRIu64, word, number(in, key));
}

static void put_sizes(struct ext *e, const struct control_in *in)
{
    const uint64_t mss = number(in, "mss");
    const uint64_t cwnd = mss > 0 ? number(in, "cwnd") / mss : 0;
    const uint64_t ssthresh = mss > 0 ? number(in, "ssthresh") / mss : 0;

    add(e, " mss:%" PRIu64 " pmtu:%" PRIu64 " rcvmss:%" PRIu64 " advmss:%" PRIu64 " cwnd:%" PRIu64,
        mss, number(in, "pmtu"), number(in, "rcvmss"), number(in, "advmss"), cwnd);
    if (ssthresh > 0 && ssthresh < SSTHRESH_SHOWN)
        add(e, " ssthresh:%" PRIu64, ssthresh);
}

static void put_rate(struct ext *e, const struct control_in *in, const char *key)
{
    if (number(in, key) > 0)
        add(e, " %s %" PRIu64 "bps", key, number(in, key) * 8);
}

static void put_rates(struct ext *e, const struct control_in *in)
{
    put_rate(e, in, "pacing_rate");
    if (number(in, "max_pacing_rate") > 0 && number(in, "pacing_rate") > 0)
        add(e, "/%" PRIu64 "bps", number(in, "max_pacing_rate") * 8);
    put_rate(e, in, "delivery_rate");
    if (number(in, "app_limited") > 0)
        add(e, " app_limited");
}

/* What is in flight, and what became of it. */
static void put_flight(struct ext *e, const struct control_in *in)
{
    put_count(e, in, "unacked", "unacked_segs");
    if (number(in, "retrans_out") > 0 || number(in, "retrans_total") > 0)
        add(e, " retrans:%" PRIu64 "/%" PRIu64, number(in, "retrans_out"),
            number(in, "retrans_total"));
    put_count(e, in, "lost", "lost");
    put_count(e, in, "sacked", "sacked");
    put_count(e, in, "dsack_dups", "dsack_dups");
    if (number(in, "reordering") != 3)
        put_count(e, in, "reordering", "reordering");
    put_count(e, in, "reord_seen", "reord_seen");
}

static void put_amounts(struct ext *e, const struct control_in *in)
{
    const uint64_t rtt_us = number(in, "rtt_us");
    const uint64_t queued = number(in, "send_q");
    const uint64_t unacked = number(in, "unacked");

    put_count(e, in, "bytes_sent", "bytes_sent");
    put_count(e, in, "bytes_retrans", "bytes_retrans");
    put_count(e, in, "bytes_acked", "bytes_acked");
    put_count(e, in, "bytes_received", "bytes_received");
    put_count(e, in, "segs_out", "segs_out");
    put_count(e, in, "segs_in", "segs_in");
    put_count(e, in, "data_segs_out", "data_segs_out");
    put_count(e, in, "data_segs_in", "data_segs_in");
    if (rtt_us > 0)
        add(e, " send %" PRIu64 "bps", number(in, "cwnd") * 8 * 1000000 / rtt_us);
    put_ms(e, in, "lastsnd", "lastsnd_ago");
    put_ms(e, in, "lastrcv", "lastrcv_ago");
    put_ms(e, in, "lastack", "lastack_ago");
    put_rates(e, in);
    put_flight(e, in);
    put_count(e, in, "rcv_ooopack_bytes", "rcv_ooo");
    if (queued > unacked)
        add(e, " notsent:%" PRIu64, queued - unacked);
    if (number(in, "minrtt_us") > 0)
        add(e, " minrtt:%g", (double)number(in, "minrtt_us") / 1000);
    put_count(e, in, "snd_wnd", "snd_wnd");
    put_count(e, in, "rcv_wnd", "rcv_wnd");
}

static void put_age(struct ext *e, const struct control_in *in)
{
    char text[32];

    if (control_get(in, "since_ago") == NULL)
        return;
    ss_format_ms(number(in, "since_ago") / NS_PER_MILLISECOND, text, sizeof text);
    add(e, " state_age:%s", text[0] != '\0' ? text : "0ms");
}

static void put_info(struct ext *e, const struct control_in *in, const struct ss_row *r,
                     const struct ss_show *show)
{
    if (r->listener)
        add(e, " synq:%" PRIu64, number(in, "half"));
    if (control_get(in, "mss") != NULL) {
        if (show->timers)
            add(e, "%s%s%s", number(in, "ts") ? " ts" : "", number(in, "sack") ? " sack" : "",
                number(in, "ecn") ? " ecn" : "");
        if (control_get(in, "cong") != NULL)
            add(e, " %s", control_get(in, "cong"));
        if (number(in, "snd_wscale") > 0 || number(in, "rcv_wscale") > 0)
            add(e, " wscale:%" PRIu64 ",%" PRIu64, number(in, "snd_wscale"),
                number(in, "rcv_wscale"));
        add(e, " rto:%g", (double)number(in, "rto_us") / 1000);
        put_count(e, in, "backoff", "backoff");
        if (number(in, "rtt_us") > 0)
            add(e, " rtt:%g/%g", (double)number(in, "rtt_us") / 1000,
                (double)number(in, "rttvar_us") / 1000);
        if (number(in, "ato_us") > 0)
            add(e, " ato:%g", (double)number(in, "ato_us") / 1000);
        put_sizes(e, in);
        put_amounts(e, in);
    }
    put_age(e, in);
}

static void put_why(struct ext *e, const struct control_in *in)
{
    const char *reason = control_get(in, "reason");
    const char *error = control_get(in, "error");

    if (reason != NULL && strcmp(reason, la_drop_name(LA_DROP_NONE)) != 0)
        add(e, " why:(%s,%s)", reason, error != NULL ? error : "OK");
}

void ss_row_ext(const struct control_in *in, const struct ss_row *r, const struct ss_show *show,
                char ext[SS_EXT_BYTES])
{
    struct ext e = { ext, 0 };

    ext[0] = '\0';
    if (show->processes && number(in, "orphan") == 0 && r->state != LA_TIME_WAIT)
        add(&e, " %s", show->process);
    if (show->timers)
        put_timer(&e, in);
    if (show->why)
        put_why(&e, in);
    if ((show->memory || show->info) && !show->oneline)
        add(&e, "\n\t");
    if (show->memory && r->state != LA_TIME_WAIT)
        put_memory(&e, in);
    if (show->info)
        put_info(&e, in, r, show);
}

/* JSON ---------------------------------------------------------------------------------------- */

static bool is_known(const char *key)
{
    static const char *const keys[] = { "state", "local", "remote", "kind" };

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (strcmp(keys[i], key) == 0)
            return true;
    return false;
}

static void put_fields(struct json *j, const struct control_in *in, bool row)
{
    uint64_t value;

    for (uint32_t i = 0; i < in->count; i++) {
        if (in->keys[i][0] == '\0' || (row && is_known(in->keys[i])))
            continue;
        if (control_parse_number(in->values[i], &value))
            json_number(j, in->keys[i], value);
        else
            json_text(j, in->keys[i], in->values[i]);
    }
}

void ss_row_json(const struct control_in *in, const struct ss_row *r, FILE *out)
{
    struct json j = { .out = out, .first = true };
    char addr[SS_CELL_BYTES], port[SS_CELL_BYTES];

    fputc('{', out);
    json_text(&j, "netid", "tcp");
    json_text(&j, "state", ss_state_name(r->state));
    json_text(&j, "kind", control_get(in, "kind"));
    ss_row_local(r, true, addr, port);
    json_text(&j, "local_address", addr);
    json_number(&j, "local_port", r->local.port);
    ss_row_remote(r, true, addr, port);
    json_text(&j, "peer_address", addr);
    if (!r->listener)
        json_number(&j, "peer_port", r->remote.port);
    put_fields(&j, in, true);
    json_end(&j);
}

void ss_cause_json(const struct control_in *in, FILE *out)
{
    struct json j = { .out = out, .first = true };

    fputc('{', out);
    json_text(&j, "event", "cause");
    put_fields(&j, in, false);
    json_end(&j);
}
