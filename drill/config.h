/* SPDX-License-Identifier: MIT */
/* config.h - How a script is run: addresses, ports, tolerances; from options in it or beside it. */
#ifndef DRILL_CONFIG_H
#define DRILL_CONFIG_H

#include "drill/script.h"

#include <lastack/types.h>

enum drill_mode { DRILL_IPV4, DRILL_IPV6, DRILL_MAPPED };

#define DRILL_OVERRIDES_MAX 32

struct drill_config {
    enum drill_mode mode;
    struct la_addr local, remote;
    bool has_local, has_remote;
    uint32_t local_prefix; /* bits */
    uint16_t bind_port, connect_port;
    uint32_t mtu;
    uint32_t mss; /* a longer outbound packet of the script may come in pieces of this; 0 = not */
    int64_t tolerance_ns;
    uint32_t tolerance_percent;
    uint32_t stamp_tick_us; /* how fast the host's timestamps run; 0 = not looked at */
    uint32_t remote_isn;    /* added to what the script's side sends */
    uint64_t seed;          /* lastack's secret */
    int64_t patience_ns;    /* how long a packet without a time is waited for */
    bool strict_segments;   /* no putting together */
    bool kernel;
    bool verbose;
    const char *folder; /* of the script */
    /* Options beside the script, which are worth more than those in it. */
    struct {
        const char *name, *value;
    } overrides[DRILL_OVERRIDES_MAX];
    size_t override_count;
};

void drill_config_default(struct drill_config *c);

/*
 * drill_config_set() - One option, by its name without dashes.
 * @value: NULL for a bare --name
 * @why:   What is wrong with it, or what is not supported
 *
 * Return: 0; 1 = wrong; 77 = understood and not supported.
 */
int drill_config_set(struct drill_config *c, const char *name, const char *value, char *why,
                     size_t room);
/* Fill in the addresses that were not given. */
void drill_config_complete(struct drill_config *c);

#endif
