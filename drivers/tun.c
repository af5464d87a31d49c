/* SPDX-License-Identifier: MIT */
/*
 * tun.c - A plain TUN device: one read(2) a packet in, one writev(2) a packet out.
 *
 * Two ways to have one.  By name: the device exists, made by somebody who may, and this
 * process attaches to it, for which owning it is enough; nothing of it is changed, and its
 * MTU is taken as found.  Made: without a name, a device is made, gets the host's addresses
 * if any were given, and is gone when it is closed.  A name that does not exist is an error
 * rather than a new device, because it is nearly always a typing error.
 *
 * The device carries bare IP packets (IFF_NO_PI) without offloads.  Packets are written
 * from where they lie in the arena; the kernel copies them once.
 *
 * The host's queue towards us should be long: with the usual 500 packets a kernel sender
 * overruns it and its loss recovery dominates.  A device made here gets 10,000.
 */
#include <lastack/runtime.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define TUN_DEVICE "/dev/net/tun"
#define TUN_QUEUE_PACKETS 10000
#define CARRIER_PAUSE_NS 2000000
#define CARRIER_PAUSES 1000 /* two seconds */
#define TUN_MTU_MIN 576
#define TUN_MTU_MAX 65535

struct tun {
    struct la_rt_driver driver;
    char name[IFNAMSIZ];
    uint32_t slot_bytes;
    uint8_t *buffer; /* LA_RX_BURST_MAX slots */
};

/* The kernel's struct in6_ifreq, which no header of the C library has. */
struct ifreq_v6 {
    struct in6_addr addr;
    uint32_t prefix_len;
    int index;
};

/* Packets ---------------------------------------------------------------------- */

static int tun_receive(void *self, struct la_frame *frames, uint32_t max)
{
    struct tun *t = self;
    uint32_t count = 0;

    while (count < max && count < LA_RX_BURST_MAX) {
        uint8_t *slot = t->buffer + (size_t)count * t->slot_bytes;
        const ssize_t got = read(t->driver.fd, slot, t->slot_bytes);
        if (got > 0) {
            frames[count++] = (struct la_frame){ .bytes = slot, .len_bytes = (uint32_t)got };
            continue;
        }
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            break;
        /* EBADFD: the device was deleted while this descriptor stayed. */
        return count > 0 ? (int)count : -(got == 0 || errno == EBADFD ? ENODEV : errno);
    }
    return (int)count;
}

static int tun_send(void *self, const struct la_tx *tx)
{
    struct tun *t = self;
    struct iovec iov[1 + LA_TX_SPANS_MAX];
    int count = 0;

    if (tx->header_len > 0)
        iov[count++] = (struct iovec){ (void *)(uintptr_t)tx->header, tx->header_len };
    for (uint32_t i = 0; i < tx->span_count; i++)
        iov[count++] =
            (struct iovec){ (void *)(uintptr_t)tx->spans[i].bytes, tx->spans[i].len_bytes };
    for (;;) {
        if (writev(t->driver.fd, iov, count) >= 0)
            return 1;
        if (errno == EAGAIN)
            return 0;
        if (errno != EINTR)
            return -errno;
    }
}

static void tun_close(void *self)
{
    struct tun *t = self;

    close(t->driver.fd);
    free(t->buffer);
    free(t);
}

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
                 "%s is not a plain TUN device (a TAP or multi-queue device, or no "
                 "tunnel at all)",
                 name);
    else
        snprintf(error, n, "cannot use device %s: %s", name ? name : "(new)", strerror(err));
}

static bool name_is_sane(const char *name)
{
    const size_t len = strlen(name);

    return len > 0 && len < IFNAMSIZ && strchr(name, '/') == NULL && strchr(name, '%') == NULL &&
           strchr(name, ' ') == NULL;
}

/* Return: a descriptor with the device attached, its name in @name; or -errno. */
static int attach(const struct la_rt_tun_config *config, char name[IFNAMSIZ], char *error, size_t n)
{
    struct ifreq ifr;

    if (config->name != NULL && (!name_is_sane(config->name) || !if_nametoindex(config->name))) {
        snprintf(error, n,
                 "no such device: %s; make it with "
                 "'ip tuntap add dev %s mode tun', or leave the name out and one "
                 "is made",
                 config->name, config->name);
        return -ENODEV;
    }
    const int fd = open(TUN_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        const int err = errno;
        say_open(err, error, n);
        return -err;
    }
    name_request(&ifr, config->name != NULL ? config->name : "lastack%d");
    ifr.ifr_flags = IFF_TUN | IFF_NO_PI;
    if (ioctl(fd, TUNSETIFF, &ifr) != 0) {
        const int err = errno;
        say_attach(err, config->name, error, n);
        close(fd);
        return -err;
    }
    (void)ioctl(fd, TUNSETOFFLOAD, 0ul); /* whoever had the device before may have set some */
    memcpy(name, ifr.ifr_name, IFNAMSIZ);
    name[IFNAMSIZ - 1] = '\0';
    return fd;
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

struct la_rt_driver *la_rt_tun_open(const struct la_rt_tun_config *config, char *error,
                                    size_t error_bytes)
{
    struct tun *t = calloc(1, sizeof *t);
    if (t == NULL) {
        snprintf(error, error_bytes, "out of memory");
        return NULL;
    }
    const int fd = attach(config, t->name, error, error_bytes);
    int err = fd < 0 ? fd : 0;
    uint32_t mtu = 0;
    if (err == 0)
        err = configure(config, t->name, &mtu, error, error_bytes);
    /* One byte more than the MTU: what is larger is seen to be, not cut. */
    t->slot_bytes = mtu + 1;
    if (err == 0 && (t->buffer = malloc((size_t)t->slot_bytes * LA_RX_BURST_MAX)) == NULL) {
        err = -ENOMEM;
        snprintf(error, error_bytes, "out of memory");
    }
    if (err != 0) {
        if (fd >= 0)
            close(fd);
        free(t);
        errno = -err;
        return NULL;
    }
    t->driver = (struct la_rt_driver){ .self = t,
                                       .fd = fd,
                                       .mtu_bytes = mtu,
                                       .name = t->name,
                                       .receive = tun_receive,
                                       .send = tun_send,
                                       .close = tun_close };
    return &t->driver;
}
