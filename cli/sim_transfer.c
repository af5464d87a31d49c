/* SPDX-License-Identifier: MIT */
/*
 * sim_transfer.c - `lastack sim --transfer`: one connection through one path, as events for
 * `lastack plot`.
 */
#include "cli/sim_transfer.h"

#include "cli/args.h"
#include "sim/goodput.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "10/40/1%" or "10/40/1%/4": Mbit/s, ms, lost, in bursts of. */
static bool parse(const char *text, struct sim_goodput_opt *o)
{
    char end = 0;
    unsigned whole = 0;
    char decimals[5] = "";
    int used = 0;

    o->burst = 1;
    /* The widths keep every number in its range.  NOLINTNEXTLINE(cert-err34-c) */
    if (sscanf(text, "%5u/%4u/%3u%n", &o->rate_mbps, &o->rtt_ms, &whole, &used) != 3)
        return false;
    text += used;
    if (*text == '.') {
        if (sscanf(text, ".%4[0-9]%n", decimals, &used) != 1)
            return false;
        text += used;
    }
    for (size_t i = strlen(decimals); i < 4; i++)
        decimals[i] = '0';
    decimals[4] = '\0';
    o->loss_ppm = whole * 10000u + (uint32_t)strtoul(decimals, NULL, 10);
    if (*text++ != '%')
        return false;
    /* NOLINTNEXTLINE(cert-err34-c): as above */
    if (*text != '\0' && (sscanf(text, "/%4u%c", &o->burst, &end) != 1 || o->burst == 0))
        return false;
    return o->rate_mbps >= 1 && o->rate_mbps <= 1000 && o->rtt_ms <= 1000 && o->loss_ppm <= 500000;
}

int sim_transfer(const char *path, uint64_t seed)
{
    struct sim_goodput_opt o = { .seed = seed, .events = stdout };
    struct sim_goodput out;

    if (!parse(path, &o))
        return args_wrong("sim", "--transfer: \"%s\" is not like 10/40/1%% or 100/20/0.1%%/4",
                          path);
    o.ns = 1000000000u + o.rtt_ms * UINT64_C(30000000);
    sim_goodput(&o, &out);
    if (!out.ok)
        return args_failed("sim", "%s", out.message);
    fprintf(stderr, "%" PRIu64 " kbit/s, %" PRIu64 " segments sent again\n",
            out.bytes[0] * 8000000u / o.ns, out.segs_retransmitted);
    return fflush(stdout) == 0 ? CLI_OK : args_failed("sim", "cannot write the events");
}
