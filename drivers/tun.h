/* SPDX-License-Identifier: MIT */
/* tun.h - What tun.c (packets) and tun_open.c (making and attaching) share. */
#ifndef DRIVERS_TUN_H
#define DRIVERS_TUN_H

#include <lastack/runtime.h>

#include <net/if.h>

/* What an open device is. */
struct tun_device {
    char name[IFNAMSIZ];
    uint32_t mtu_bytes;
    bool vnet; /* a virtio-net header stands in front of each packet */
    uint32_t queues;
    int fds[LA_RT_TUN_QUEUES_MAX];
};

/* Return: 0 with @out filled in; or a negative errno with a sentence in @error. */
int tun_attach(const struct la_rt_tun_config *config, struct tun_device *out, char *error,
               size_t error_bytes);

void tun_detach(struct tun_device *device);

#endif
