/* SPDX-License-Identifier: MIT */
/*
 * freebsd.c - sysctls of FreeBSD in scripts, by what they mean here.
 *
 * Scripts written for FreeBSD set its sysctls.  Those that have a counterpart set that; those
 * that name what lastack does anyway are accepted with that value; all others are not supported,
 * like any name that is not known.
 */
#include "drill/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *here;
    uint32_t divide; /* FreeBSD's unit in ours; 0 = there is no counterpart, only this value */
} table[] = {
    { "net.inet.tcp.rfc1323", "net.ipv4.tcp_timestamps", 1 },
    { "net.inet.tcp.sack.enable", "net.ipv4.tcp_sack", 1 },
    { "net.inet.tcp.keepidle", "net.ipv4.tcp_keepalive_time", 1000 },
    { "net.inet.tcp.keepintvl", "net.ipv4.tcp_keepalive_intvl", 1000 },
    { "net.inet.tcp.keepcnt", "net.ipv4.tcp_keepalive_probes", 1 },
    { "net.inet.tcp.msl", "net.lastack.tcp_msl_ms", 1 },
    { "net.inet.tcp.finwait2_timeout", "net.ipv4.tcp_fin_timeout", 1000 },
    { "net.inet.tcp.delacktime", "net.lastack.tcp_delack_ms", 1 },
    { "net.inet.tcp.syncache.rexmtlimit", "net.ipv4.tcp_synack_retries", 1 },
    { "net.inet.tcp.initcwnd_segments", "net.lastack.tcp_initial_cwnd", 1 },
    { "net.inet.ip.ttl", "net.ipv4.ip_default_ttl", 1 },
    { "kern.ipc.somaxconn", "net.core.somaxconn", 1 },
    { "kern.ipc.soacceptqueue", "net.core.somaxconn", 1 },
    { "net.inet.tcp.syncookies", "net.ipv4.tcp_syncookies", 1 },
    { "net.inet.tcp.ecn.enable", "net.ipv4.tcp_ecn", 1 }, /* the same three numbers */
    { "net.inet.tcp.maxtcptw", "net.ipv4.tcp_max_tw_buckets", 1 },
    { "net.inet.ip.portrange.first", "net.lastack.ip_local_port_min", 1 },
    { "net.inet.ip.portrange.last", "net.lastack.ip_local_port_max", 1 },
    { "net.inet.tcp.fastopen.server_enable", "0", 0 },
    { "net.inet.tcp.fastopen.client_enable", "0", 0 },
    { "net.inet.tcp.blackhole", "0", 0 },
    { "net.inet.tcp.hostcache.purgenow", "1", 0 },
    { "kern.timecounter.alloweddeviation", "0", 0 },
};

enum drill_said drill_freebsd_sysctl(const char *name, const char *value, drill_set *set,
                                     void *context, char *why, size_t room)
{
    if (strcmp(name, "net.inet.tcp.cc.algorithm") == 0)
        return set(context, "net.ipv4.tcp_congestion_control",
                   strcmp(value, "newreno") == 0 ? "reno" : value, why, room);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(table[i].name, name) != 0)
            continue;
        if (table[i].divide == 0) {
            if (strcmp(value, table[i].here) == 0)
                return DRILL_SAID_OK;
            snprintf(why, room, "sysctl %s=%s: here it is always %s", name, value, table[i].here);
            return DRILL_SAID_UNSUPPORTED;
        }
        char *end, text[32];
        const unsigned long long n = strtoull(value, &end, 10);
        if (*end != '\0' || end == value || n % table[i].divide != 0)
            break;
        snprintf(text, sizeof text, "%llu", n / table[i].divide);
        const enum drill_said said = set(context, table[i].here, text, why, room);
        if (said != DRILL_SAID_OK || i != 0)
            return said;
        return set(context, "net.ipv4.tcp_window_scaling", text, why, room); /* RFC 1323 is both */
    }
    snprintf(why, room, "sysctl %s=%s", name, value);
    return DRILL_SAID_UNSUPPORTED;
}
