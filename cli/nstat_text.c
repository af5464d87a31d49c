/* SPDX-License-Identifier: MIT */
/*
 * nstat_text.c - Counters in the forms other programs read: the two-row text of /proc/net/snmp
 * and /proc/net/netstat, /proc/net/sockstat, and Prometheus's with node_exporter's names.
 *
 * The columns are Linux's, in its order (kernel_columns.h); of UDP and MPTCP, which lastack does
 * not have, there are no rows.  "Forwarding: 2" is what Linux says of a host.
 */
#include "cli/kernel_columns.h"
#include "cli/nstat.h"

#include <inttypes.h>
#include <string.h>

/* Columns that are no counters; a value of -1 is written as Linux does. */
static bool fixed(const struct nstat *n, const char *group, const char *column, int64_t *value)
{
    const struct {
        const char *group, *column;
        int64_t value;
    } all[] = {
        { "Ip", "Forwarding", 2 },
        { "Ip", "DefaultTTL", (int64_t)n->ttl },
        { "Tcp", "RtoAlgorithm", 1 },
        { "Tcp", "RtoMin", (int64_t)(n->rto_min_us / 1000) },
        { "Tcp", "RtoMax", (int64_t)n->rto_max_ms },
        { "Tcp", "MaxConn", -1 },
        { "Tcp", "CurrEstab", (int64_t)(n->states[LA_ESTABLISHED] + n->states[LA_CLOSE_WAIT]) },
    };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (strcmp(all[i].group, group) == 0 && strcmp(all[i].column, column) == 0) {
            *value = all[i].value;
            return true;
        }
    }
    return false;
}

static void two_rows(const struct nstat *n, FILE *out, const char *group, const char *columns)
{
    char column[NSTAT_NAME_BYTES];

    fprintf(out, "%s: %s\n%s:", group, columns, group);
    while (*columns != '\0') {
        const size_t len = strcspn(columns, " ");
        int64_t value;
        snprintf(column, sizeof column, "%.*s", (int)len, columns);
        if (fixed(n, group, column, &value))
            fprintf(out, " %" PRId64, value);
        else
            fprintf(out, " %" PRIu64, nstat_value(n, group, column));
        columns += len + (columns[len] == ' ');
    }
    fputc('\n', out);
}

void nstat_snmp(const struct nstat *n, FILE *out)
{
    two_rows(n, out, "Ip", KERNEL_COLUMNS_IP);
    two_rows(n, out, "Icmp", KERNEL_COLUMNS_ICMP);
    two_rows(n, out, "Tcp", KERNEL_COLUMNS_TCP);
}

void nstat_netstat(const struct nstat *n, FILE *out)
{
    two_rows(n, out, "TcpExt", KERNEL_COLUMNS_TCPEXT);
}

/* Sockets in use: all but those in TIME-WAIT, and but the shells of closed connections. */
static uint64_t in_use(const struct nstat *n)
{
    uint64_t sum = n->listeners;

    for (uint32_t i = LA_SYN_SENT; i < LA_TIME_WAIT; i++)
        if (i != LA_FIN_WAIT_2 && i != LA_SYN_RECEIVED)
            sum += n->states[i];
    return sum;
}

void nstat_sockstat(const struct nstat *n, FILE *out)
{
    fprintf(out, "sockets: used %" PRIu64 "\n", n->conns + n->listeners);
    fprintf(out,
            "TCP: inuse %" PRIu64 " orphan %" PRIu64 " tw %" PRIu64 " alloc %" PRIu64
            " mem %" PRIu64 "\n",
            in_use(n), n->orphans, n->shorts, n->conns + n->listeners, n->chunk_pages);
    fputs("UDP: inuse 0 mem 0\nUDPLITE: inuse 0\nRAW: inuse 0\nFRAG: inuse 0 memory 0\n", out);
}

/* Prometheus ------------------------------------------------------------------------ */

static void metric(FILE *out, const char *name, const char *type, uint64_t value)
{
    fprintf(out, "# TYPE %s %s\n%s %" PRIu64 "\n", name, type, name, value);
}

/* node_exporter's words: "time_wait", "established". */
static void state_word(enum la_state state, char word[24])
{
    static const char *const special[LA_STATES] = {
        [LA_CLOSED] = "close",
        [LA_SYN_RECEIVED] = "syn_recv",
        [LA_FIN_WAIT_1] = "fin_wait1",
        [LA_FIN_WAIT_2] = "fin_wait2",
    };
    const char *name = special[state] != NULL ? special[state] : la_state_name(state);

    for (; *name != '\0'; name++)
        *word++ =
            *name == '-' ? '_' : (char)(*name >= 'A' && *name <= 'Z' ? *name + ('a' - 'A') : *name);
    *word = '\0';
}

static void table_metrics(const struct nstat *n, FILE *out)
{
    static const char *const what[] = { "used", "used_max", "limit" };

    for (size_t w = 0; w < sizeof what / sizeof what[0]; w++) {
        fprintf(out, "# TYPE lastack_table_%s gauge\n", what[w]);
        for (uint32_t i = 0; i < n->table_count; i++)
            fprintf(out, "lastack_table_%s{table=\"%s\"} %" PRIu64 "\n", what[w], n->tables[i].name,
                    w == 0   ? n->tables[i].used
                    : w == 1 ? n->tables[i].max
                             : n->tables[i].limit);
    }
}

void nstat_prometheus(const struct nstat *n, FILE *out)
{
    char name[NSTAT_NAME_BYTES + 32], word[24];

    for (uint32_t i = 0; i < n->count; i++) {
        if (strcmp(n->items[i].group, "Drop") == 0)
            continue;
        snprintf(name, sizeof name, "node_netstat_%s_%s", n->items[i].group, n->items[i].name);
        metric(out, name, "counter", n->items[i].value);
    }
    metric(out, "node_netstat_Tcp_CurrEstab", "gauge",
           n->states[LA_ESTABLISHED] + n->states[LA_CLOSE_WAIT]);
    metric(out, "node_sockstat_sockets_used", "gauge", n->conns + n->listeners);
    metric(out, "node_sockstat_TCP_inuse", "gauge", in_use(n));
    metric(out, "node_sockstat_TCP_orphan", "gauge", n->orphans);
    metric(out, "node_sockstat_TCP_tw", "gauge", n->shorts);
    metric(out, "node_sockstat_TCP_alloc", "gauge", n->conns + n->listeners);
    metric(out, "node_sockstat_TCP_mem", "gauge", n->chunk_pages);
    fputs("# TYPE node_tcp_connection_states gauge\n", out);
    for (uint32_t i = 0; i < LA_STATES; i++) {
        state_word((enum la_state)i, word);
        fprintf(out, "node_tcp_connection_states{state=\"%s\"} %" PRIu64 "\n", word, n->states[i]);
    }
    fputs("# TYPE lastack_drops_total counter\n", out);
    for (uint32_t i = 0; i < n->count; i++)
        if (strcmp(n->items[i].group, "Drop") == 0)
            fprintf(out, "lastack_drops_total{reason=\"%s\"} %" PRIu64 "\n", n->items[i].name,
                    n->items[i].value);
    table_metrics(n, out);
}
