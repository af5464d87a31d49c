/* SPDX-License-Identifier: MIT */
/*
 * top_view.c - The page of `lastack top`, made of two samples.
 *
 * Rates are differences divided by the time between the samples.  Connections that closed have no
 * counter: they are those that came to ESTABLISHED meanwhile, less what more there are of them
 * now.  All passive opens came there when they were counted; of the active ones those did that
 * neither failed nor wait in SYN-SENT; and of the failures those of half-open records are not
 * active ones.
 *
 * No line is longer than TOP_COLUMNS; the terminal cuts what is longer than itself.
 */
#include "cli/top.h"

#include "cli/net.h"
#include "cli/ports_budget.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define CELL 28

static void line(struct top_page *page, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void line(struct top_page *page, const char *format, ...)
{
    va_list ap;

    if (page->count == TOP_LINES)
        return;
    va_start(ap, format);
    vsnprintf(page->lines[page->count++], sizeof page->lines[0], format, ap);
    va_end(ap);
}

/* Arithmetic --------------------------------------------------------------------------- */

double top_rate(const struct top_view *v, uint64_t now, uint64_t before)
{
    if (now <= before || v->elapsed_ns == 0)
        return 0;
    return (double)(now - before) * (double)NS_PER_S / (double)v->elapsed_ns;
}

static uint64_t established(const struct top_sample *s)
{
    return s->n.states[LA_ESTABLISHED] + s->n.states[LA_CLOSE_WAIT];
}

/* Of the opens so far, those that came to ESTABLISHED. */
static int64_t came(const struct top_sample *s)
{
    const uint64_t half =
        nstat_value(&s->n, "TcpExt", "EmbryonicRsts") + nstat_value(&s->n, "Drop", "SYN_RETRIES");
    const uint64_t failed = nstat_value(&s->n, "Tcp", "AttemptFails");
    const uint64_t active_failed = failed > half ? failed - half : 0;

    return (int64_t)(nstat_value(&s->n, "Tcp", "PassiveOpens") +
                     nstat_value(&s->n, "Tcp", "ActiveOpens") - active_failed -
                     s->n.states[LA_SYN_SENT]);
}

uint64_t top_closed(const struct top_view *v)
{
    const int64_t closed = came(v->now) - came(v->before) -
                           ((int64_t)established(v->now) - (int64_t)established(v->before));

    return closed > 0 ? (uint64_t)closed : 0;
}

static bool is_drop(enum la_drop reason)
{
    switch (la_cause_kind(reason)) {
    case LA_CAUSE_DROP:
    case LA_CAUSE_ACK:
    case LA_CAUSE_RST:
    case LA_CAUSE_REFUSED:
        return reason != LA_DROP_NONE;
    case LA_CAUSE_ENDED:
    case LA_CAUSE_TIMEOUT:
    case LA_CAUSE_ABORTED:
        return false;
    }
    return false;
}

uint64_t top_drops(const struct top_sample *s)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < LA_DROPS; i++)
        if (is_drop((enum la_drop)i))
            sum += nstat_value(&s->n, "Drop", la_drop_name((enum la_drop)i));
    return sum;
}

static uint64_t resets_received(const struct top_sample *s)
{
    return nstat_value(&s->n, "Drop", "RESET") + nstat_value(&s->n, "Drop", "REFUSED") +
           nstat_value(&s->n, "Drop", "HALF_OPEN_RST");
}

/* Text of numbers ------------------------------------------------------------------------ */

/* "0", "0.4", "1,234" */
static char *rate_text(double rate, char to[CELL])
{
    if (rate > 0 && rate < 9.95)
        snprintf(to, CELL, "%.1f", rate);
    else
        ports_thousands((uint64_t)(rate + 0.5), to);
    return to;
}

/* "817", "1.2 k", "34 M" */
static char *amount(double n, char to[CELL])
{
    static const char units[] = " kMGTP";
    uint32_t unit = 0;

    while (n >= 999.5 && unit < sizeof units - 2) {
        n /= 1000;
        unit++;
    }
    if (unit == 0)
        snprintf(to, CELL, "%.0f", n);
    else
        snprintf(to, CELL, "%.*f %c", n < 9.95 ? 1 : 0, n, units[unit]);
    return to;
}

/* "12 ms", "3.4 s", "2 min 5 s", "2 h 11 min" */
static char *age(uint64_t ns, char to[CELL])
{
    const uint64_t s = ns / NS_PER_S;

    if (ns < NS_PER_S)
        snprintf(to, CELL, "%" PRIu64 " ms", ns / NS_PER_MS);
    else if (s < 60)
        snprintf(to, CELL, "%" PRIu64 ".%" PRIu64 " s", s, ns / (NS_PER_S / 10) % 10);
    else if (s < 3600)
        snprintf(to, CELL, "%" PRIu64 " min %" PRIu64 " s", s / 60, s % 60);
    else
        snprintf(to, CELL, "%" PRIu64 " h %" PRIu64 " min", s / 3600, s / 60 % 60);
    return to;
}

/* "60 s", "0.5 s": exactly. */
static char *span(uint64_t ms, char to[CELL])
{
    snprintf(to, CELL, "%g s", (double)ms / 1000);
    return to;
}

/* Of how many a hundred @n are; empty if of none. */
static char *share(uint64_t n, uint64_t of, char to[CELL])
{
    to[0] = '\0';
    if (of > 0)
        snprintf(to, CELL, "%.0f %%", (double)n * 100 / (double)of);
    return to;
}

/* Within what time @hundredths of a hundred were accepted: "<8 ms". */
static char *within(const struct top_listener *l, uint64_t hundredths, char to[CELL])
{
    uint64_t all = 0, seen = 0;
    uint32_t i = 0;

    for (uint32_t k = 0; k < LA_ACCEPT_WAITS; k++)
        all += l->waits[k];
    if (all == 0)
        return memcpy(to, "-", 2);
    for (; i < LA_ACCEPT_WAITS - 1; i++) {
        seen += l->waits[i];
        if (seen * 100 >= all * hundredths)
            break;
    }
    if (i == LA_ACCEPT_WAITS - 1)
        snprintf(to, CELL, ">%u ms", 1u << (i - 1));
    else
        snprintf(to, CELL, "<%u ms", 1u << i);
    return to;
}

/* Parts of the page ------------------------------------------------------------------------ */

static void put_head(const struct top_view *v, struct top_page *page)
{
    char up[CELL], since[CELL];

    line(page, "%s[%" PRIu64 "]  up %s  rates: %s%s", v->now->name, v->now->pid,
         age(v->uptime_ns, up), v->before->now_ns == 0 ? "since it began" : "of the last ",
         v->before->now_ns == 0 ? "" : age(v->elapsed_ns, since));
    line(page, "%s", "");
}

static void put_states(const struct top_view *v, struct top_page *page)
{
    static const enum la_state shown[][3] = {
        { LA_LISTEN, LA_FIN_WAIT_1, LA_CLOSE_WAIT },
        { LA_SYN_SENT, LA_FIN_WAIT_2, LA_LAST_ACK },
        { LA_SYN_RECEIVED, LA_CLOSING, LA_TIME_WAIT },
    };
    char n[3][CELL];

    line(page, "%-12s %12s", la_state_name(LA_ESTABLISHED),
         ports_thousands(v->now->n.states[LA_ESTABLISHED], n[0]));
    for (uint32_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        for (uint32_t k = 0; k < 3; k++)
            ports_thousands(v->now->n.states[shown[i][k]], n[k]);
        line(page, "%-12s %12s  %-12s %12s  %-12s %12s", la_state_name(shown[i][0]), n[0],
             la_state_name(shown[i][1]), n[1], la_state_name(shown[i][2]), n[2]);
    }
    line(page, "%s", "");
}

static double counted(const struct top_view *v, const char *group, const char *name)
{
    return top_rate(v, nstat_value(&v->now->n, group, name),
                    nstat_value(&v->before->n, group, name));
}

/* The reasons given most often, in what room there is. */
static void put_drops(const struct top_view *v, struct top_page *page)
{
    char text[TOP_COLUMNS / 2] = "", cell[CELL];
    bool said[LA_DROPS] = { false };
    size_t len = 0;

    for (uint32_t n = 0; n < 3; n++) {
        double most = 0;
        uint32_t which = LA_DROP_NONE;
        for (uint32_t i = 0; i < LA_DROPS; i++) {
            const double rate = counted(v, "Drop", la_drop_name((enum la_drop)i));
            if (is_drop((enum la_drop)i) && !said[i] && rate > most) {
                most = rate;
                which = i;
            }
        }
        if (which == LA_DROP_NONE)
            break;
        said[which] = true;
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s %s", n > 0 ? "  " : "",
                                la_drop_name((enum la_drop)which), rate_text(most, cell));
        if (len >= sizeof text)
            break;
    }
    line(page, "%-12s %12s%s%s", "drops",
         rate_text(top_rate(v, top_drops(v->now), top_drops(v->before)), cell),
         text[0] != '\0' ? "              " : "", text);
}

static void put_rates(const struct top_view *v, struct top_page *page)
{
    char a[CELL], b[CELL], c[CELL], d[CELL], e[CELL];
    const double out = counted(v, "Tcp", "OutSegs");
    const double again = counted(v, "Tcp", "RetransSegs");

    line(page, "%-12s %12s %12s", "PER SECOND", "in", "out");
    line(page, "%-12s %12s %12s", "packets",
         rate_text(top_rate(v, v->now->packets_in, v->before->packets_in), a),
         rate_text(top_rate(v, v->now->packets_out, v->before->packets_out), b));
    line(page, "%-12s %12s %12s", "bytes",
         amount(top_rate(v, v->now->bytes_in, v->before->bytes_in), a),
         amount(top_rate(v, v->now->bytes_out, v->before->bytes_out), b));
    line(page, "%-12s %12s %12s  resent %s (%.2f %%)  timeouts %s  fast %s", "segments",
         rate_text(counted(v, "Tcp", "InSegs"), a), rate_text(out, b), rate_text(again, c),
         out + again > 0 ? again * 100 / (out + again) : 0.0,
         rate_text(counted(v, "TcpExt", "TCPTimeouts"), d),
         rate_text(counted(v, "TcpExt", "TCPFastRetrans"), e));
    line(page, "%-12s %12s %12s  failed %s  closed %s", "opens",
         rate_text(counted(v, "Tcp", "PassiveOpens"), a),
         rate_text(counted(v, "Tcp", "ActiveOpens"), b),
         rate_text(counted(v, "Tcp", "AttemptFails"), c),
         rate_text(top_rate(v, top_closed(v), 0), d));
    line(page, "%-12s %12s %12s", "resets",
         rate_text(top_rate(v, resets_received(v->now), resets_received(v->before)), a),
         rate_text(counted(v, "Tcp", "OutRsts"), b));
    put_drops(v, page);
    line(page, "%s", "");
}

static void put_tables(const struct top_view *v, struct top_page *page)
{
    const struct nstat *n = &v->now->n;
    char used[CELL], max[CELL], limit[CELL], part[CELL], bytes[CELL];

    line(page, "%-15s %12s %12s %12s %7s %12s", "MEMORY", "used", "most", "limit", "used",
         "bytes used");
    for (uint32_t i = 0; i < n->table_count; i++)
        line(page, "%-15s %12s %12s %12s %7s %12s", n->tables[i].name,
             ports_thousands(n->tables[i].used, used), ports_thousands(n->tables[i].max, max),
             ports_thousands(n->tables[i].limit, limit),
             share(n->tables[i].used, n->tables[i].limit, part),
             amount((double)n->tables[i].used * (double)n->tables[i].item_bytes, bytes));
    line(page, "%s", "");
}

static void put_closing(const struct top_view *v, struct top_page *page)
{
    const struct top_sample *s = v->now;
    char a[CELL], b[CELL], c[CELL], d[CELL];
    char local[NET_ENDPOINT_TEXT_BYTES], remote[NET_ENDPOINT_TEXT_BYTES];

    line(page, "TIME-WAIT    %s of %s (%s)  2MSL %s  without a record %s/s",
         ports_thousands(s->n.states[LA_TIME_WAIT], a), ports_thousands(s->time_wait_max, b),
         share(s->n.states[LA_TIME_WAIT], s->time_wait_max, c), span(s->ports.two_msl_ms, d),
         rate_text(counted(v, "TcpExt", "TCPTimeWaitOverflow"), (char[CELL]){ 0 }));
    if (s->ports.two_msl_ms > 0)
        line(page, "ports        %s to each destination / %s = %s connections/s",
             ports_thousands(s->ports.ports, a), span(s->ports.two_msl_ms, d),
             ports_thousands(s->ports.ports * UINT64_C(1000) / s->ports.two_msl_ms, b));
    else
        line(page, "ports        %s to each destination, no TIME-WAIT",
             ports_thousands(s->ports.ports, a));
    if (s->close_wait)
        line(page, "CLOSE-WAIT   %s, the oldest for %s: %s from %s",
             ports_thousands(s->n.states[LA_CLOSE_WAIT], a), age(s->close_wait_age_ns, b),
             net_format(s->close_wait_local, local), net_format(s->close_wait_remote, remote));
    else
        line(page, "CLOSE-WAIT   none");
    line(page, "%s", "");
}

static uint64_t found_count(const struct top_sample *s, uint32_t i)
{
    return nstat_value(&s->n, "Finding", la_finding_name((enum la_finding)i));
}

/* What applications do wrong: nothing is shown of what never happened. */
static void put_findings(const struct top_view *v, struct top_page *page)
{
    const struct top_sample *s = v->now;
    char count[CELL], rate[CELL], ago[CELL];
    char local[NET_ENDPOINT_TEXT_BYTES], remote[NET_ENDPOINT_TEXT_BYTES];
    bool any = false;

    for (uint32_t i = 0; i < LA_FINDINGS; i++) {
        const struct top_found *f = &s->found[i];

        if (found_count(s, i) == 0)
            continue;
        if (!any)
            line(page, "%-16s %9s %7s  %s", "FINDINGS", "count", "per s",
                 "the last of them (ss --why says what it means)");
        any = true;
        rate_text(top_rate(v, found_count(s, i), found_count(v->before, i)), rate);
        if (f->told)
            line(page, "%-16s %9s %7s  %s ago, %s from %s", la_finding_name((enum la_finding)i),
                 ports_thousands(found_count(s, i), count), rate, age(f->ago_ns, ago),
                 net_format(f->local, local), net_format(f->remote, remote));
        else
            line(page, "%-16s %9s %7s", la_finding_name((enum la_finding)i),
                 ports_thousands(found_count(s, i), count), rate);
    }
    if (any)
        line(page, "%s", "");
}

static const struct top_listener *listener_before(const struct top_view *v, uint64_t id)
{
    for (uint32_t i = 0; i < v->before->listener_count; i++)
        if (v->before->listeners[i].id == id)
            return &v->before->listeners[i];
    return NULL;
}

static void put_listeners(const struct top_view *v, struct top_page *page)
{
    const struct top_sample *s = v->now;
    char local[NET_ENDPOINT_TEXT_BYTES], accept[2 * CELL];
    char rate[CELL], oldest[CELL], half[CELL], most[CELL];

    line(page, "%-22s %9s %6s %9s %6s %7s %7s %7s %8s %6s", "LISTENERS", "accept q", "SYN q",
         "overflows", "per s", "drops", "oldest", "half in", "99% in", "most");
    for (uint32_t i = 0; i < s->listener_count; i++) {
        const struct top_listener *l = &s->listeners[i];
        const struct top_listener *b = listener_before(v, l->id);
        const bool known = b != NULL || v->before->now_ns == 0;
        snprintf(accept, sizeof accept, "%" PRIu64 "/%" PRIu64, l->accept_len, l->limit);
        line(page, "%-22s %9s %6" PRIu64 " %9" PRIu64 " %6s %7" PRIu64 " %7s %7s %8s %6" PRIu64,
             net_format(l->local, local), accept, l->half_len, l->overflows,
             known ? rate_text(top_rate(v, l->overflows, b != NULL ? b->overflows : 0), rate) : "-",
             l->drops, l->accept_len > 0 ? age(l->oldest_wait_ns, oldest) : "-",
             within(l, 50, half), within(l, 99, most), l->accept_max);
    }
    if (s->listener_count < s->n.states[LA_LISTEN])
        line(page, "and %" PRIu64 " more", s->n.states[LA_LISTEN] - s->listener_count);
}

void top_render(const struct top_view *v, struct top_page *page)
{
    page->count = 0;
    put_head(v, page);
    put_states(v, page);
    put_rates(v, page);
    put_closing(v, page);
    put_findings(v, page);
    put_listeners(v, page);
    line(page, "%s", "");
    put_tables(v, page);
}
