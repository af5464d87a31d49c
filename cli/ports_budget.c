/* SPDX-License-Identifier: MIT */
/* ports_budget.c - The arithmetic of ports, in one line for people. */
#include "cli/ports_budget.h"

#include <inttypes.h>
#include <stdio.h>

char *ports_thousands(uint64_t n, char to[28])
{
    char plain[21];
    const int len = snprintf(plain, sizeof plain, "%" PRIu64, n);
    int at = 0;

    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            to[at++] = ',';
        to[at++] = plain[i];
    }
    to[at] = '\0';
    return to;
}

/* Seconds with as many decimals as they need. */
static void seconds(uint64_t ms, char to[32])
{
    int len = snprintf(to, 32, "%" PRIu64 ".%03u", ms / 1000, (unsigned)(ms % 1000));

    while (to[len - 1] == '0')
        len--;
    if (to[len - 1] == '.')
        len--;
    to[len] = '\0';
}

char *ports_budget(const struct la_ports_info *info, char to[PORTS_BUDGET_BYTES])
{
    char ports[28], rate[28], use[28], span[32];

    ports_thousands(info->ports, ports);
    if (info->two_msl_ms == 0) {
        snprintf(to, PORTS_BUDGET_BYTES, "%s ports, no TIME-WAIT: %s at a time; you use %s", ports,
                 ports, ports_thousands(info->used, use));
        return to;
    }
    seconds(info->two_msl_ms, span);
    ports_thousands(info->ports * UINT64_C(1000) / info->two_msl_ms, rate);
    ports_thousands(info->time_wait * UINT64_C(1000) / info->two_msl_ms, use);
    snprintf(to, PORTS_BUDGET_BYTES, "%s ports / %s s = %s connections/s; you use %s%s", ports,
             span, rate, use, info->used >= info->ports ? "; no port is left" : "");
    return to;
}
