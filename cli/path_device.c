/* SPDX-License-Identifier: MIT */
/*
 * path_device.c - TUN devices in namespaces, for `lastack path`.
 *
 * They are plain devices, without a virtio-net header: so the kernel cuts what a sender built large
 * and completes its checksum before the packet comes here, and chance meets single packets, as it
 * would on a wire.
 */
#include "cli/path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUEUE_PACKETS 10000 /* towards us: the emulated queue is the one that drops */

/* Enter the namespace that stands before the last '/' of @name, if one does.  Return: 0 or -errno. */
static int enter(const char *name, size_t len)
{
    char path[512];

    snprintf(path, sizeof path, "%s%.*s", name[0] == '/' ? "" : "/run/netns/", (int)len, name);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    const int result = setns(fd, CLONE_NEWNET) != 0 ? -errno : 0;
    close(fd);
    return result;
}

static int bring_up(int sock, struct ifreq *ifr)
{
    ifr->ifr_qlen = QUEUE_PACKETS;
    if (ioctl(sock, SIOCSIFTXQLEN, ifr) != 0 || ioctl(sock, SIOCGIFFLAGS, ifr) != 0)
        return -errno;
    ifr->ifr_flags = (short)(ifr->ifr_flags | IFF_UP);
    return ioctl(sock, SIOCSIFFLAGS, ifr) != 0 ? -errno : 0;
}

/* In the namespace the device is or will be in.  Return: a descriptor, or -errno. */
static int attach(const char *device, uint32_t *mtu_bytes)
{
    struct ifreq ifr = { 0 };
    const bool made = if_nametoindex(device) == 0;
    const int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    int err = sock < 0 || fd < 0 ? -errno : 0;

    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", device);
    ifr.ifr_flags = IFF_TUN | IFF_NO_PI;
    /* Whoever had the device before may have left offloads set: none of them here. */
    if (err == 0 && (ioctl(fd, TUNSETIFF, &ifr) != 0 || ioctl(fd, TUNSETOFFLOAD, 0ul) != 0))
        err = -errno;
    if (err == 0 && made)
        err = bring_up(sock, &ifr);
    if (err == 0 && ioctl(sock, SIOCGIFMTU, &ifr) != 0)
        err = -errno;
    if (err == 0)
        *mtu_bytes = (uint32_t)ifr.ifr_mtu;
    if (sock >= 0)
        close(sock);
    if (err != 0 && fd >= 0)
        close(fd);
    return err != 0 ? err : fd;
}

int path_device(const char *name, uint32_t *mtu_bytes, char *error, size_t error_bytes)
{
    const char *slash = strrchr(name, '/');
    const char *device = slash != NULL ? slash + 1 : name;
    const int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

    if (device[0] == '\0' || strlen(device) >= IFNAMSIZ || strchr(device, '%') != NULL) {
        snprintf(error, error_bytes, "\"%s\" is no name of a device", device);
        return -1;
    }
    int fd = own < 0 ? -errno : slash != NULL ? enter(name, (size_t)(slash - name)) : 0;
    if (fd != 0) {
        snprintf(error, error_bytes, "cannot enter the namespace of %s: %s", name, strerror(-fd));
        if (own >= 0)
            close(own);
        return -1;
    }
    fd = attach(device, mtu_bytes);
    if (fd < 0)
        snprintf(error, error_bytes, "cannot use the TUN device %s: %s", name, strerror(-fd));
    if (slash != NULL && setns(own, CLONE_NEWNET) != 0) {
        snprintf(error, error_bytes, "cannot return from the namespace of %s: %s", name,
                 strerror(errno));
        fd = -1;
    }
    close(own);
    return fd < 0 ? -1 : fd;
}
