/* SPDX-License-Identifier: MIT */
/*
 * on_tun.h - A stack on a TUN device, as several examples begin.
 *
 * The device is made first, by who may, and given to who runs the example:
 *
 *     sudo ip tuntap add dev la0 mode tun user $USER
 *     sudo ip addr add 10.9.0.1/24 dev la0
 *     sudo ip link set la0 txqueuelen 10000 up
 *
 * The kernel is then 10.9.0.1 and the example what it is told to be, such as 10.9.0.2/24.
 */
#ifndef EXAMPLES_ON_TUN_H
#define EXAMPLES_ON_TUN_H

#include <lastack/runtime.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Says what went wrong and ends the program. */
__attribute__((noreturn, format(printf, 1, 2))) static inline void die(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
    exit(1);
}

struct on_tun {
    struct la_stack *stack;
    struct la_rt_driver *tun;
    int iface;
    void *mem;
    uint64_t bytes;
};

static inline uint16_t port_of(const char *text)
{
    char *end;
    const unsigned long port = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || port == 0 || port > 65535)
        die("\"%s\" is not a port: it takes a number from 1 to 65535", text);
    return (uint16_t)port;
}

/* Gives the stack its addresses: "10.9.0.2/24", or several with a comma between them. */
static inline void on_tun_addresses(const struct on_tun *t, const char *list)
{
    char copy[256], *rest = copy, *text;

    if (strlen(list) >= sizeof copy)
        die("the list of addresses is too long");
    memcpy(copy, list, strlen(list) + 1);
    while ((text = strsep(&rest, ",")) != NULL) {
        struct la_prefix prefix;

        if (!la_prefix_parse(text, true, &prefix))
            die("\"%s\" is not an address with its prefix, such as 10.9.0.2/24", text);
        const enum la_err err = la_addr_add(t->stack, t->iface, prefix, 0);
        if (err != LA_OK)
            die("%s: %s", text, la_err_text(err));
    }
}

static inline struct on_tun on_tun_open(const char *device, const char *addresses)
{
    struct on_tun t = { 0 };
    struct la_config config;
    char why[256];

    t.tun = la_rt_tun_open(&(struct la_rt_tun_config){ .name = device }, why, sizeof why);
    if (t.tun == NULL)
        die("%s", why);

    la_config_default(&config);
    config.cpu_features = la_rt_cpu_features();
    la_rt_random(config.secret, sizeof config.secret);
    t.bytes = la_bytes_needed(&config);
    t.mem = la_rt_arena_map(t.bytes);
    if (t.mem == NULL)
        die("memory for the stack: %s", strerror(errno));
    const enum la_err made = la_init(t.mem, t.bytes, &config, la_rt_now(), &t.stack);
    if (made != LA_OK)
        die("the stack: %s", la_err_text(made));

    t.iface = la_iface_add(t.stack, &(struct la_iface_config){ .mtu_bytes = t.tun->mtu_bytes });
    if (t.iface < 0)
        die("the interface: %s", la_err_text((enum la_err)t.iface));
    on_tun_addresses(&t, addresses);
    const enum la_err routed = la_route_add(t.stack, la_prefix_any(), t.iface);
    if (routed != LA_OK)
        die("the default route: %s", la_err_text(routed));
    return t;
}

static inline void on_tun_close(struct on_tun *t)
{
    la_rt_driver_close(t->tun);
    la_rt_arena_unmap(t->mem, t->bytes);
}

#endif
