/* SPDX-License-Identifier: MIT */
/*
 * sysctls.c - A setting by its name in /proc/sys, for scripts: set where lastack has it, accepted
 * where it names what lastack does anyway, else refused.
 */
#include "drill/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* docs/drill.md has this table too, with the reasons. */
static const char *always(const char *name)
{
    static const struct {
        const char *name, *value; /* no value: any, for a script can not see it */
    } table[] = {
        { "net.ipv4.tcp_fastopen", "0" },
        { "net.ipv4.tcp_fack", "0" },
        { "net.ipv4.tcp_thin_linear_timeouts", "0" },
        { "net.ipv4.ip_no_pmtu_disc", "0" },
        { "net.ipv4.tcp_autocorking", "0" },
        { "net.ipv4.tcp_no_metrics_save", "1" },
        { "net.ipv4.tcp_no_ssthresh_metrics_save", "1" },
        { "net.ipv4.tcp_rfc1337", "1" },
        { "net.ipv4.tcp_stdurg", "0" },
        { "net.ipv4.tcp_shrink_window", "0" },
        { "net.ipv4.tcp_reflect_tos", "0" },
        { "net.ipv4.tcp_migrate_req", "0" },
        { "net.ipv4.tcp_plb_enabled", "0" },
        { "net.ipv4.tcp_comp_sack_nr", "0" },
        { "net.ipv4.tcp_comp_sack_delay_ns", "" },
        { "net.ipv4.tcp_comp_sack_slack_ns", "" },
        { "net.ipv4.tcp_min_tso_segs", "" },
        { "net.ipv4.tcp_tso_win_divisor", "" },
        { "net.ipv4.tcp_tso_rtt_log", "" },
        { "net.ipv4.tcp_limit_output_bytes", "" },
        { "net.ipv4.tcp_low_latency", "" },
        { "net.ipv4.tcp_challenge_ack_limit", "2147483647" },
        { "net.core.default_qdisc", "" },
        { "net.core.netdev_max_backlog", "" },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(table[i].name, name) == 0)
            return table[i].value;
    return NULL;
}

/* What may be chosen is chosen from what there is. */
static bool only_known_controls(const char *names)
{
    for (const char *p = names; *p != '\0';) {
        const size_t len = strcspn(p, " ");
        bool known = len == 0;
        for (uint32_t i = 1; la_congestion_name(i) != NULL; i++)
            known = known || (strlen(la_congestion_name(i)) == len &&
                              strncmp(la_congestion_name(i), p, len) == 0);
        if (!known)
            return false;
        p += len + (p[len] == ' ');
    }
    return true;
}

static enum drill_said set_again(void *stack, const char *name, const char *value, char *why,
                                 size_t room)
{
    return drill_sysctl(stack, name, value, why, room);
}

bool drill_socket_sysctl(struct la_sockets *x, const char *name, const char *value)
{
    const bool rmem = strcmp(name, "net.core.rmem_max") == 0;
    char *end;
    const unsigned long n = strtoul(value, &end, 10);
    if ((!rmem && strcmp(name, "net.core.wmem_max") != 0) || end == value || *end != '\0' ||
        n < 4096 || n > INT32_MAX)
        return false;
    la_sockets_set_buffer_max(x, rmem ? 0 : (uint32_t)n, rmem ? (uint32_t)n : 0);
    return true;
}

enum drill_said drill_sysctl(struct la_stack *s, const char *name, const char *value, char *why,
                             size_t room)
{
    if (strncmp(name, "net.inet.", 9) == 0 || strncmp(name, "kern.", 5) == 0)
        return drill_freebsd_sysctl(name, value, set_again, s, why, room);
    if (strcmp(name, "net.ipv4.tcp_allowed_congestion_control") == 0 && only_known_controls(value))
        return DRILL_SAID_OK;
    const char *fixed = always(name);
    const enum la_err err = la_sysctl_write(s, name, value);
    if (err == LA_OK)
        return DRILL_SAID_OK;
    if (err != LA_ENOENT) {
        snprintf(why, room, "sysctl %s=%s: out of range here", name, value);
        return DRILL_SAID_UNSUPPORTED;
    }
    if (fixed != NULL && (fixed[0] == '\0' || strcmp(fixed, value) == 0))
        return DRILL_SAID_OK;
    snprintf(why, room, fixed != NULL ? "sysctl %s=%s: here it is always %s" : "sysctl %s=%s", name,
             value, fixed);
    return DRILL_SAID_UNSUPPORTED;
}
