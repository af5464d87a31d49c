/* SPDX-License-Identifier: MIT */
/*
 * tun_open.c - Having a TUN device: attaching to one, or making one.
 *
 * By name: the device exists, made by somebody who may, and this process attaches to it, for
 * which owning it is enough; its addresses, MTU and state are taken as found.  Made: without a
 * name, a device is made, gets the host's addresses if any were given, and is gone when it is
 * closed.  A name that does not exist is an error rather than a new device, because it is nearly
 * always a typing error.
 *
 * Offload is tried in this order, each step only if the kernel refused the one before: a
 * virtio-net header with checksum offload and TSO of both families (TUNSETOFFLOAD); a plain
 * device.  With a header alone, without TSO, every packet would only be 10 bytes longer.
 *
 * Whether a device has several queues is decided when it is made, and who attaches must say the
 * same; so a device that refuses one way is asked the other way.
 *
 * The host's queue towards us should be long: with the usual 500 packets a kernel sender
 * overruns it and its loss recovery dominates.  A device made here gets 10,000.
 */
#include "drivers/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TUN_DEVICE "/dev/net/tun"
#define TUN_QUEUE_PACKETS 10000
#define CARRIER_PAUSE_NS 2000000
#define CARRIER_PAUSES 1000 /* two seconds */
#define TUN_MTU_MIN 576
#define TUN_MTU_MAX 65535

/* The kernel's struct in6_ifreq, which no header of the C library has. */
struct ifreq_v6 {
    struct in6_addr addr;
    uint32_t prefix_len;
    int index;
};

/* The host's side ---------------------------------------------------------------- */

static void name_request(struct ifreq *ifr, const char *name)
{
    memset(ifr, 0, sizeof *ifr);
    snprintf(ifr->ifr_name, sizeof ifr->ifr_name, "%s", name);
}

static int add_v4(int sock, const char *name, struct la_prefix p)
{
    struct ifreq ifr;
    struct sockaddr_in sin = { .sin_family = AF_INET };
    const uint32_t bits = p.len < 96 ? 0 : p.len - 96u;
    const uint32_t mask = bits == 0 ? 0 : UINT32_MAX << (32 - bits);

    name_request(&ifr, name);
    memcpy(&sin.sin_addr, p.addr.bytes + 12, 4);
    memcpy(&ifr.ifr_addr, &sin, sizeof sin);
    if (ioctl(sock, SIOCSIFADDR, &ifr) != 0)
        return -errno;
    sin.sin_addr.s_addr = htonl(mask);
    memcpy(&ifr.ifr_netmask, &sin, sizeof sin);
    return ioctl(sock, SIOCSIFNETMASK, &ifr) != 0 ? -errno : 0;
}

static int add_v6(const char *name, struct la_prefix p)
{
    struct ifreq_v6 req = { .prefix_len = p.len, .index = (int)if_nametoindex(name) };
    const int sock = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (sock < 0)
        return -errno;
    memcpy(&req.addr, p.addr.bytes, sizeof req.addr);
    const int result = ioctl(sock, SIOCSIFADDR, &req) != 0 ? -errno : 0;
    close(sock);
    return result;
}

static int set_up(int sock, const char *name, const struct la_rt_tun_config *config)
{
    struct ifreq ifr;

    name_request(&ifr, name);
    ifr.ifr_qlen = TUN_QUEUE_PACKETS;
    if (ioctl(sock, SIOCSIFTXQLEN, &ifr) != 0)
        return -errno;
    if (config->mtu_bytes != 0) {
        name_request(&ifr, name);
        ifr.ifr_mtu = (int)config->mtu_bytes;
        if (ioctl(sock, SIOCSIFMTU, &ifr) != 0)
            return -errno;
    }
    for (uint32_t i = 0; i < config->host_addr_count; i++) {
        const struct la_prefix p = config->host_addrs[i];
        const int err = la_addr_is_v4(p.addr) ? add_v4(sock, name, p) : add_v6(name, p);
        if (err != 0)
            return err;
    }
    if (config->host_addr_count == 0)
        return 0;
    name_request(&ifr, name);
    if (ioctl(sock, SIOCGIFFLAGS, &ifr) != 0)
        return -errno;
    ifr.ifr_flags = (short)(ifr.ifr_flags | IFF_UP);
    return ioctl(sock, SIOCSIFFLAGS, &ifr) != 0 ? -errno : 0;
}

/* Opening ------------------------------------------------------------------------ */

static void say_open(int err, char *error, size_t n)
{
    if (err == ENOENT || err == ENODEV)
        snprintf(error, n,
                 "no TUN on this host: %s is missing (modprobe tun; in a container, "
                 "pass the device in)",
                 TUN_DEVICE);
    else if (err == EACCES || err == EPERM)
        snprintf(error, n, "no permission to open %s; run as root", TUN_DEVICE);
    else
        snprintf(error, n, "cannot open %s: %s", TUN_DEVICE, strerror(err));
}

static void say_attach(int err, const char *name, char *error, size_t n)
{
    if (err == EPERM && name != NULL)
        snprintf(error, n,
                 "no permission to use device %s: make it yours with "
                 "'sudo ip tuntap add dev %s mode tun user %s', or run as root",
                 name, name, "$USER");
    else if (err == EPERM)
        snprintf(error, n,
                 "no permission to make a TUN device: run as root, or name one that "
                 "is yours with --tun NAME");
    else if (err == EBUSY)
        snprintf(error, n, "device %s is busy: another process has it open", name ? name : "");
    else if (err == EINVAL && name != NULL)
        snprintf(error, n,
                 "%s is not a TUN device, or was not made for so many queues (for several: "
                 "'ip tuntap add dev %s mode tun multi_queue')",
                 name, name);
    else if (err == E2BIG)
        snprintf(error, n, "device %s has no queue left", name ? name : "(new)");
    else
        snprintf(error, n, "cannot use device %s: %s", name ? name : "(new)", strerror(err));
}

static bool name_is_sane(const char *name)
{
    const size_t len = strlen(name);

    return len > 0 && len < IFNAMSIZ && strchr(name, '/') == NULL && strchr(name, '%') == NULL &&
           strchr(name, ' ') == NULL;
}

/* Return: a descriptor with one queue of the device attached, its name in @ifr; or -errno. */
static int attach_queue(struct ifreq *ifr, const char *name, short flags)
{
    const int fd = open(TUN_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    name_request(ifr, name);
    ifr->ifr_flags = flags;
    if (ioctl(fd, TUNSETIFF, ifr) != 0) {
        const int err = errno;
        close(fd);
        return -err;
    }
    return fd;
}

/* The first queue, with several queues or not as the device has them. */
static int attach_first(struct ifreq *ifr, const struct la_rt_tun_config *config, short *flags)
{
    const char *name = config->name != NULL ? config->name : "lastack%d";
    const bool several = config->queues > 1;
    int fd = attach_queue(ifr, name, (short)(*flags | (several ? IFF_MULTI_QUEUE : 0)));

    if (several) {
        *flags = (short)(*flags | IFF_MULTI_QUEUE);
    } else if (fd == -EINVAL && config->name != NULL) {
        *flags = (short)(*flags | IFF_MULTI_QUEUE);
        fd = attach_queue(ifr, name, *flags);
    }
    return fd;
}

static bool config_is_sane(const struct la_rt_tun_config *config, char *error, size_t n)
{
    if (config->queues > LA_RT_TUN_QUEUES_MAX || config->offload > LA_RT_OFFLOAD_OFF) {
        snprintf(error, n, "a TUN device has 1 to %d queues here", LA_RT_TUN_QUEUES_MAX);
        return false;
    }
    return true;
}

/* Attach all queues, with this kind of offload.  Return: 0 or -errno; nothing is left open then. */
static int attach(const struct la_rt_tun_config *config, bool vnet, struct tun_device *out)
{
    struct ifreq ifr;
    short flags = (short)(IFF_TUN | IFF_NO_PI | (vnet ? IFF_VNET_HDR : 0));
    const uint32_t wanted = config->queues > 1 ? config->queues : 1;
    int fd = attach_first(&ifr, config, &flags);

    out->queues = 0;
    if (fd < 0)
        return fd;
    out->fds[out->queues++] = fd;
    out->vnet = vnet;
    memcpy(out->name, ifr.ifr_name, IFNAMSIZ);
    out->name[IFNAMSIZ - 1] = '\0';
    /* Without offload too: whoever had the device before may have set some. */
    const unsigned long offload = vnet ? TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 : 0;
    int err = ioctl(fd, TUNSETOFFLOAD, offload) != 0 && vnet ? -errno : 0;
    while (err == 0 && out->queues < wanted) {
        fd = attach_queue(&ifr, out->name, flags);
        if (fd < 0)
            err = fd;
        else
            out->fds[out->queues++] = fd;
    }
    if (err != 0)
        tun_detach(out);
    return err;
}

void tun_detach(struct tun_device *device)
{
    /* A device that stays is left as a plain one, for whoever comes next and knows of no offload. */
    if (device->queues > 0 && device->vnet)
        (void)ioctl(device->fds[0], TUNSETOFFLOAD, 0ul);
    while (device->queues > 0)
        close(device->fds[--device->queues]);
}

/*
 * Opening the device is what plugs its cable in.  The kernel notices with some delay, up to a
 * second, and drops what it would send us until then: so wait for it, or the first packet of
 * every program would get no answer.  A device that is not up is not waited for.
 */
static void wait_for_carrier(int sock, const char *name)
{
    const struct timespec pause = { .tv_nsec = CARRIER_PAUSE_NS };
    struct ifreq ifr;

    for (int i = 0; i < CARRIER_PAUSES; i++) {
        name_request(&ifr, name);
        if (ioctl(sock, SIOCGIFFLAGS, &ifr) != 0 || !(ifr.ifr_flags & IFF_UP) ||
            (ifr.ifr_flags & IFF_RUNNING))
            return;
        nanosleep(&pause, NULL);
    }
}

/* Configure what was made and read the MTU.  Return: 0 or -errno. */
static int configure(const struct la_rt_tun_config *config, const char *name, uint32_t *mtu,
                     char *error, size_t n)
{
    struct ifreq ifr;
    const int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int err = sock < 0 ? -errno : 0;

    if (err == 0 && config->name == NULL) {
        err = set_up(sock, name, config);
        if (err != 0)
            snprintf(error, n, "cannot configure device %s: %s", name, strerror(-err));
    }
    if (err == 0) {
        name_request(&ifr, name);
        if (ioctl(sock, SIOCGIFMTU, &ifr) != 0)
            err = -errno;
        else if (ifr.ifr_mtu < TUN_MTU_MIN)
            err = -EMSGSIZE;
        else
            *mtu = ifr.ifr_mtu > TUN_MTU_MAX ? TUN_MTU_MAX : (uint32_t)ifr.ifr_mtu;
        if (err != 0)
            snprintf(error, n, "cannot use the MTU of device %s: %s", name, strerror(-err));
        else
            wait_for_carrier(sock, name);
    }
    if (sock >= 0)
        close(sock);
    return err;
}

int tun_attach(const struct la_rt_tun_config *config, struct tun_device *out, char *error,
               size_t error_bytes)
{
    const char *name = config->name;

    out->queues = 0;
    if (!config_is_sane(config, error, error_bytes))
        return -EINVAL;
    if (name != NULL && (!name_is_sane(name) || !if_nametoindex(name))) {
        snprintf(error, error_bytes,
                 "no such device: %s; make it with "
                 "'ip tuntap add dev %s mode tun', or leave the name out and one "
                 "is made",
                 name, name);
        return -ENODEV;
    }
    const int probe = open(TUN_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (probe < 0) {
        const int err = errno;
        say_open(err, error, error_bytes);
        return -err;
    }
    close(probe);
    int err = -EINVAL;
    if (config->offload == LA_RT_OFFLOAD_ON)
        err = attach(config, true, out);
    if (err == -EINVAL)
        err = attach(config, false, out);
    if (err != 0) {
        say_attach(-err, name, error, error_bytes);
        return err;
    }
    err = configure(config, out->name, &out->mtu_bytes, error, error_bytes);
    if (err != 0)
        tun_detach(out);
    return err;
}
