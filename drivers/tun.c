/* SPDX-License-Identifier: MIT */
/*
 * tun.c - Packets over a TUN device: one read(2) a frame in, one writev(2) a frame out.
 *
 * With offload each frame has a virtio-net header (drivers/vnet.c) and may be a super-segment:
 * up to 64 KB of one flow, with an unfinished checksum.  That is where the speed is: a read or a
 * write costs the same microsecond or two for 1,500 bytes and for 65,000.  The kernel cuts what
 * we write, or does not if the receiver is on this host; nobody then computes a checksum.  Without it the
 * frames are single packets, and the loop merges what it can (drivers/gro.c).
 *
 * Frames are written from where they lie in the arena; the kernel copies them once.  Frames read
 * stand one behind the other in one buffer, so that many small ones share few cache lines and
 * pages.  A burst ends at BURST_BYTES, or a full queue of super-segments, 4 MB, would push each
 * other out of the second-level cache before the stack has seen them.
 *
 * Several queues: the kernel spreads flows over them.  One thread owns the stack, so it drains
 * them in turn, a burst from each, and writes to the first; order is kept within a flow as long
 * as the kernel keeps the flow on a queue.  Their descriptors stand in an epoll instance, which
 * is readable when one of them is.
 */
#include "drivers/tun.h"

#include "drivers/vnet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

#define BURST_BYTES (64u * 1024u)
/* The largest frame: IPv6's header and 65,535 bytes behind it. */
#define FRAME_BYTES_MAX (65535u + 40u)
#define ALIGN_BYTES 64u
/* So that behind a virtio-net header the IP header is aligned. */
#define LEAD_BYTES 16u

struct tun {
    struct la_rt_driver driver;
    struct tun_device device;
    uint32_t header_bytes; /* of virtio-net; 0 without it */
    uint32_t
        frame_bytes;     /* the largest frame that can come, and one byte: what is larger is seen */
    uint32_t queue;      /* whose turn it is */
    bool waits_for_room; /* with several queues: the first is watched for EPOLLOUT */
    uint8_t *buffer;     /* BURST_BYTES, and room for one frame more */
};

/* Receive ------------------------------------------------------------------------ */

/* What was read with one call, at @at: a frame. */
static bool take(const struct tun *t, const uint8_t *at, size_t got, struct la_frame *frame)
{
    if (got <= t->header_bytes)
        return false;
    *frame = (struct la_frame){
        .bytes = at + t->header_bytes,
        .len_bytes = (uint32_t)got - t->header_bytes,
    };
    if (t->header_bytes > 0)
        vnet_parse(at, frame);
    return true;
}

/*
 * From one queue.  @used: Bytes of the buffer that are taken; moved on.
 * Return: 0 if it is empty, 1 if there may be more, or a negative errno.
 */
static int drain(struct tun *t, int fd, uint32_t *used, struct la_frame *frames, uint32_t max,
                 uint32_t *count)
{
    while (*count < max && *used < BURST_BYTES) {
        uint8_t *at = t->buffer + *used + LEAD_BYTES - t->header_bytes;
        const ssize_t got = read(fd, at, t->header_bytes + t->frame_bytes);
        if (got > 0) {
            if (take(t, at, (size_t)got, &frames[*count])) {
                const uint32_t end = *used + LEAD_BYTES + frames[*count].len_bytes;
                *used = (end + ALIGN_BYTES - 1) & ~(ALIGN_BYTES - 1);
                (*count)++;
            }
            continue;
        }
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return 0;
        /* EBADFD: the device was deleted while this descriptor stayed. */
        return -(got == 0 || errno == EBADFD ? ENODEV : errno);
    }
    return 1;
}

static int tun_receive(void *self, struct la_frame *frames, uint32_t max)
{
    struct tun *t = self;
    uint32_t used = 0, count = 0;

    t->driver.more = false;
    for (uint32_t i = 0; i < t->device.queues; i++) {
        const int result = drain(t, t->device.fds[t->queue], &used, frames, max, &count);
        if (result < 0)
            return count > 0 ? (int)count : result;
        t->driver.more |= result > 0;
        t->queue = t->queue + 1 == t->device.queues ? 0 : t->queue + 1;
    }
    return (int)count;
}

/* Send --------------------------------------------------------------------------- */

/* The loop watches the epoll instance, which only says "readable": so be that when there is room. */
static void watch_room(struct tun *t, bool wanted)
{
    if (t->device.queues == 1 || t->waits_for_room == wanted)
        return;
    struct epoll_event ev = { .events = EPOLLIN | (wanted ? (uint32_t)EPOLLOUT : 0u) };
    t->waits_for_room =
        epoll_ctl(t->driver.fd, EPOLL_CTL_MOD, t->device.fds[0], &ev) == 0 && wanted;
}

static int tun_send(void *self, const struct la_tx *tx)
{
    struct tun *t = self;
    struct iovec iov[2 + LA_TX_SPANS_MAX];
    uint8_t header[VNET_HEADER_BYTES];
    int count = 0;

    if (t->header_bytes > 0) {
        vnet_emit(tx, header);
        iov[count++] = (struct iovec){ header, sizeof header };
    }
    if (tx->header_len > 0)
        iov[count++] = (struct iovec){ (void *)(uintptr_t)tx->header, tx->header_len };
    for (uint32_t i = 0; i < tx->span_count; i++)
        iov[count++] =
            (struct iovec){ (void *)(uintptr_t)tx->spans[i].bytes, tx->spans[i].len_bytes };
    for (;;) {
        if (writev(t->device.fds[0], iov, count) >= 0) {
            watch_room(t, false);
            return 1;
        }
        if (errno == EAGAIN) {
            watch_room(t, true);
            return 0;
        }
        if (errno != EINTR)
            return -errno;
    }
}

/* Opening and closing ------------------------------------------------------------- */

static void tun_close(void *self)
{
    struct tun *t = self;

    if (t->device.queues > 1 && t->driver.fd >= 0)
        close(t->driver.fd);
    tun_detach(&t->device);
    free(t->buffer);
    free(t);
}

/* One descriptor for all queues.  Return: it, or a negative errno. */
static int join_queues(const struct tun_device *d)
{
    if (d->queues == 1)
        return d->fds[0];
    const int fd = epoll_create1(EPOLL_CLOEXEC);
    for (uint32_t i = 0; fd >= 0 && i < d->queues; i++) {
        struct epoll_event ev = { .events = EPOLLIN };
        if (epoll_ctl(fd, EPOLL_CTL_ADD, d->fds[i], &ev) != 0) {
            const int err = errno;
            close(fd);
            return -err;
        }
    }
    return fd >= 0 ? fd : -errno;
}

static void describe(struct tun *t, enum la_rt_offload offload)
{
    t->header_bytes = t->device.vnet ? VNET_HEADER_BYTES : 0;
    t->frame_bytes = (t->device.vnet ? FRAME_BYTES_MAX : t->device.mtu_bytes) + 1;
    t->driver.self = t;
    t->driver.mtu_bytes = t->device.mtu_bytes;
    t->driver.name = t->device.name;
    t->driver.iface_flags = t->device.vnet ? LA_IFACE_CSUM_TX : 0;
    t->driver.gso_max_bytes = t->device.vnet ? VNET_GSO_MAX_BYTES : 0;
    t->driver.merges = !t->device.vnet && offload != LA_RT_OFFLOAD_OFF;
    t->driver.receive = tun_receive;
    t->driver.send = tun_send;
    t->driver.close = tun_close;
}

struct la_rt_driver *la_rt_tun_open(const struct la_rt_tun_config *config, char *error,
                                    size_t error_bytes)
{
    struct tun *t = calloc(1, sizeof *t);
    if (t == NULL) {
        snprintf(error, error_bytes, "out of memory");
        return NULL;
    }
    int err = tun_attach(config, &t->device, error, error_bytes);
    t->driver.fd = -1;
    if (err == 0) {
        describe(t, config->offload);
        t->driver.fd = join_queues(&t->device);
        t->buffer = malloc(BURST_BYTES + LEAD_BYTES + ALIGN_BYTES + t->frame_bytes);
        if (t->driver.fd < 0 || t->buffer == NULL) {
            err = t->driver.fd < 0 ? t->driver.fd : -ENOMEM;
            snprintf(error, error_bytes, "cannot use device %s: %s", t->device.name,
                     strerror(-err));
        }
    }
    if (err != 0) {
        tun_close(t);
        errno = -err;
        return NULL;
    }
    return &t->driver;
}
