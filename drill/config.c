/* SPDX-License-Identifier: MIT */
/* config.c - Options of a script, by packetdrill's names, and their defaults. */
#include "drill/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void drill_config_default(struct drill_config *c)
{
    memset(c, 0, sizeof *c);
    c->mode = DRILL_IPV4;
    c->bind_port = 8080;
    c->connect_port = 8080;
    c->mtu = 1500;
    c->tolerance_ns = 4000000;
    c->seed = 1;
    c->patience_ns = (int64_t)7 * 24 * 3600 * 1000000000;
}

void drill_config_complete(struct drill_config *c)
{
    if (!c->has_local) {
        (void)la_addr_parse(c->mode == DRILL_IPV6 ? "fd3d:a0b:17d6::1" : "192.168.0.1", &c->local);
        c->local_prefix = c->mode == DRILL_IPV6 ? 64 : 16;
    }
    if (!c->has_remote)
        (void)la_addr_parse(c->mode == DRILL_IPV6 ? "fd3d:fa7b:d17d::1" : "192.0.2.1", &c->remote);
}

static bool number(const char *value, uint64_t min, uint64_t max, uint64_t *out)
{
    if (value == NULL || value[0] < '0' || value[0] > '9')
        return false;
    char *end;
    *out = strtoull(value, &end, 0);
    return *end == '\0' && *out >= min && *out <= max;
}

static int wrong(char *why, size_t room, const char *name, const char *expected, const char *value)
{
    snprintf(why, room, "--%s takes %s, not \"%s\"", name, expected, value != NULL ? value : "");
    return 1;
}

static int set_mode(struct drill_config *c, const char *value, char *why, size_t room)
{
    if (value != NULL && strcmp(value, "ipv4") == 0)
        c->mode = DRILL_IPV4;
    else if (value != NULL && strcmp(value, "ipv6") == 0)
        c->mode = DRILL_IPV6;
    else if (value != NULL && strcmp(value, "ipv4-mapped-ipv6") == 0)
        c->mode = DRILL_MAPPED;
    else
        return wrong(why, room, "ip_version", "ipv4, ipv6 or ipv4-mapped-ipv6", value);
    return 0;
}

static int set_address(struct drill_config *c, const char *name, const char *value, char *why,
                       size_t room)
{
    struct la_addr a;
    char text[LA_ADDR_TEXT_BYTES];
    snprintf(text, sizeof text, "%s", value != NULL ? value : "");
    char *slash = strchr(text, '/');
    if (slash != NULL)
        *slash = '\0';
    if (!la_addr_parse(text, &a))
        return wrong(why, room, name, "an address", value);
    if (strcmp(name, "local_ip") == 0) {
        c->local = a;
        c->has_local = true;
        c->local_prefix = la_addr_is_v4(a) ? 16 : 64;
    } else {
        c->remote = a;
        c->has_remote = true;
    }
    return 0;
}

/* Options with a number. */
struct numeric {
    const char *name;
    uint64_t min, max;
};
static const struct numeric numerics[] = {
    { "bind_port", 1, 65535 },
    { "connect_port", 1, 65535 },
    { "mtu", 576, 65535 },
    { "mss", 0, 65535 },
    { "tolerance_usecs", 0, 1000000000 },
    { "tolerance_percent", 0, 100 },
    { "tcp_ts_tick_usecs", 0, 1000000 },
    { "remote_isn", 0, UINT32_MAX },
    { "seed", 1, UINT64_MAX },
};

static void set_number(struct drill_config *c, size_t i, uint64_t n)
{
    switch (i) {
    case 0:
        c->bind_port = (uint16_t)n;
        break;
    case 1:
        c->connect_port = (uint16_t)n;
        break;
    case 2:
        c->mtu = (uint32_t)n;
        break;
    case 3:
        c->mss = (uint32_t)n;
        break;
    case 4:
        c->tolerance_ns = (int64_t)n * 1000;
        break;
    case 5:
        c->tolerance_percent = (uint32_t)n;
        break;
    case 6:
        c->stamp_tick_us = (uint32_t)n;
        break;
    case 7:
        c->remote_isn = (uint32_t)n;
        break;
    default:
        c->seed = n;
        break;
    }
}

/* What concerns packetdrill's own machinery, and changes nothing that a script can see. */
static bool without_effect(const char *name)
{
    static const char *const names[] = {
        "netmask_ip",         "gateway_ip",  "speed",    "debug",   "local_linkaddr",
        "send_omit_free",     "so_filename", "so_flags", "verbose", "init_scripts_timeout",
        "persistent_tun_dev",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

int drill_config_set(struct drill_config *c, const char *name, const char *value, char *why,
                     size_t room)
{
    if (strcmp(name, "ip_version") == 0)
        return set_mode(c, value, why, room);
    if (strcmp(name, "local_ip") == 0 || strcmp(name, "remote_ip") == 0)
        return set_address(c, name, value, why, room);
    for (size_t i = 0; i < sizeof numerics / sizeof numerics[0]; i++) {
        uint64_t n;
        if (strcmp(name, numerics[i].name) != 0)
            continue;
        if (!number(value, numerics[i].min, numerics[i].max, &n))
            return wrong(why, room, name, "a number in its range", value);
        set_number(c, i, n);
        return 0;
    }
    if (strcmp(name, "strict_segments") == 0) {
        c->strict_segments = true;
        return 0;
    }
    if (strcmp(name, "define") == 0 || without_effect(name)) /* words are replaced before */
        return 0;
    snprintf(why, room, "option --%s", name);
    return 77;
}
