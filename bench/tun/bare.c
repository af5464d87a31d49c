/* SPDX-License-Identifier: MIT */
/*
 * bare.c - The limit: a program on the same TUN device that does next to nothing.
 *
 * It answers the kernel's TCP without being one.  Every reply follows from the segment that
 * came: a SYN draws a SYN-ACK, text an ACK (or, on the echo port, itself), a FIN a FIN.  It keeps
 * no connections, no timers and nothing to send again, which works because nothing is lost between a
 * kernel and a TUN device whose queue is long.  It touches the bytes as a program must that wants
 * them: text received is copied once, out of the frame, into the application's buffer.  Text sent
 * is written from where it lies.  So what it costs is the device, the kernel's TCP at the other
 * end, and that copy.
 *
 * For bulk out it keeps three numbers of one connection: what was sent, what was acknowledged,
 * and the window.  A kernel short of buffers may drop what it had offered to take; silence of
 * STALL_MS then makes it begin again at what was acknowledged.  Frames are as large as lastack's.
 */
#include "bench/tun/tun.h"

#include <lastack/runtime.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define VNET_BYTES 10u
#define FRAME_MAX 66000u
#define READS_MAX 64
#define MSS 1460u
#define SEGMENTS 44u /* in a frame sent: 64,240 bytes */
#define ISS 1000u
#define WINDOW_SHIFT 10u
#define STALL_MS 10

#define FIN 0x01u
#define SYN 0x02u
#define RST 0x04u
#define PSH 0x08u
#define ACK 0x10u

/* A segment as it came, numbers in host order; and the one that is sent. */
struct seg {
    uint32_t seq, ack, wnd;
    uint16_t sport, dport;
    uint8_t flags;
    const uint8_t *text;
    uint32_t len;
};

struct bare {
    int fd;
    uint32_t cpu_features;
    bool offload;
    uint8_t frame[FRAME_MAX];
    uint8_t app[PIECE_BYTES]; /* the application's buffer */
    uint32_t app_at;
    /* The connection on the source port. */
    bool sending;
    uint32_t nxt, una, wnd, ack;
    uint32_t shift; /* of the peer's window */
    uint32_t
        most_in_flight; /* as much as lastack's buffer would hold: more only leaves the cache */
    uint16_t peer_port;
};

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put16(uint8_t *p, uint32_t x)
{
    p[0] = (uint8_t)(x >> 8);
    p[1] = (uint8_t)x;
}

static void put32(uint8_t *p, uint32_t x)
{
    put16(p, x >> 16);
    put16(p + 2, x);
}

static bool parse(const uint8_t *p, uint32_t len, struct seg *out)
{
    if (len < 40 || p[0] != 0x45 || p[9] != 6)
        return false;
    const uint8_t *t = p + 20;
    const uint32_t header = (t[12] >> 4) * 4u;
    *out = (struct seg){ .sport = (uint16_t)(get32(t) >> 16),
                         .dport = (uint16_t)get32(t),
                         .seq = get32(t + 4),
                         .ack = get32(t + 8),
                         .wnd = get32(t + 12) & 0xffff,
                         .flags = t[13],
                         .text = t + header,
                         .len = len - 20 - header };
    return true;
}

/* The window scale of a SYN. */
static uint32_t scale_of(const uint8_t *options, const uint8_t *end)
{
    while (options < end && *options != 0) {
        if (*options == 3)
            return options[2];
        options += *options == 1 ? 1 : options[1];
    }
    return 0;
}

/* One frame out: headers made here, text from where it lies. */
static void emit(struct bare *b, const struct seg *s)
{
    uint8_t head[VNET_BYTES + 40 + 8] = { 0 };
    uint8_t *ip = head + VNET_BYTES, *t = ip + 20;
    const uint32_t options = s->flags & SYN ? 8 : 0;
    const uint32_t tcp_len = 20 + options + s->len;
    const uint16_t fields[4] = { (uint16_t)(40 + options), MSS, 20, 16 };

    head[0] = 1; /* NEEDS_CSUM */
    head[1] = s->len > MSS ? 1 : 0;
    memcpy(head + 2, fields, sizeof fields);
    ip[0] = 0x45;
    put16(ip + 2, 20 + tcp_len);
    ip[6] = 0x40;
    ip[8] = 64;
    ip[9] = 6;
    inet_pton(AF_INET, SERVER_ADDR, ip + 12);
    memcpy(ip + 16, ip + 12, 4);
    ip[19] = 1;
    put16(ip + 10, (uint16_t)~la_checksum(0, 0, ip, 20));
    put16(t, s->sport);
    put16(t + 2, s->dport);
    put32(t + 4, s->seq);
    put32(t + 8, s->ack);
    t[12] = (uint8_t)((20 + options) / 4 << 4);
    t[13] = s->flags;
    put16(t + 14, 65535);
    if (options) {
        put32(t + 20, 0x02040000u | MSS);
        put32(t + 24, 0x03030001u | WINDOW_SHIFT << 8);
    }
    const uint16_t pseudo = la_checksum(0, (uint16_t)(6 + tcp_len), ip + 12, 8);
    put16(t + 16, pseudo);
    if (!b->offload) {
        const uint16_t sum = la_checksum(b->cpu_features, 0, t, 20 + options);
        put16(t + 16, (uint16_t)~la_checksum(b->cpu_features, sum, s->text, s->len));
    }
    const struct iovec iov[2] = {
        { b->offload ? head : ip, (b->offload ? VNET_BYTES : 0u) + 40 + options },
        { (void *)(uintptr_t)s->text, s->len },
    };
    if (writev(b->fd, iov, s->len > 0 ? 2 : 1) < 0 && errno != EAGAIN)
        perror("bench: limit: writev");
}

/* As much as the window takes. */
static void send_more(struct bare *b)
{
    while (b->sending) {
        const uint32_t flight = b->nxt - b->una;
        const uint32_t room = b->wnd > flight ? b->wnd - flight : 0;
        uint32_t most = b->offload ? SEGMENTS * MSS : MSS;
        if (room < most && flight > 0)
            return;
        if (room < most)
            most = room - room % MSS;
        if (most == 0)
            return;
        const struct seg s = { .sport = PORT_SOURCE,
                               .dport = b->peer_port,
                               .seq = b->nxt,
                               .ack = b->ack,
                               .flags = ACK,
                               .text = b->app,
                               .len = most };
        emit(b, &s);
        b->nxt += most;
    }
}

static void take_text(struct bare *b, const struct seg *s)
{
    if (b->app_at + s->len > sizeof b->app)
        b->app_at = 0;
    memcpy(b->app + b->app_at, s->text, s->len);
    b->app_at += s->len;
}

static void on_source(struct bare *b, const struct seg *s)
{
    if (s->flags & (FIN | RST)) {
        b->sending = false;
        return;
    }
    if (!b->sending) {
        b->sending = true;
        b->nxt = s->ack;
        b->ack = s->seq;
    }
    b->una = s->ack;
    b->wnd = s->wnd << b->shift;
    if (b->wnd > b->most_in_flight)
        b->wnd = b->most_in_flight;
}

static void answer(struct bare *b, const uint8_t *packet, uint32_t len)
{
    struct seg s;

    if (!parse(packet, len, &s) || (s.flags & RST && s.dport != PORT_SOURCE))
        return;
    struct seg r = { .sport = s.dport,
                     .dport = s.sport,
                     .seq = s.ack,
                     .ack = s.seq + s.len + ((s.flags & (SYN | FIN)) != 0),
                     .flags = ACK };
    if (s.flags & SYN) {
        r.seq = ISS;
        r.flags |= SYN;
        if (s.dport == PORT_SOURCE) {
            b->shift = scale_of(packet + 40, s.text);
            b->sending = false;
            b->peer_port = s.sport;
        }
    } else if (s.dport == PORT_SOURCE) {
        if (s.sport == b->peer_port) /* else the end of a connection of the run before */
            on_source(b, &s);
        return;
    } else if (s.flags & FIN) {
        r.flags |= FIN;
    } else if (s.len == 0) {
        return;
    }
    if (s.dport == PORT_SINK)
        take_text(b, &s);
    if (s.dport == PORT_ECHO && s.len > 0) {
        r.flags |= PSH;
        r.text = s.text;
        r.len = s.len;
    }
    emit(b, &r);
}

static bool read_some(struct bare *b)
{
    const uint32_t lead = b->offload ? VNET_BYTES : 0;

    for (int i = 0; i < READS_MAX; i++) {
        const ssize_t got = read(b->fd, b->frame, sizeof b->frame);
        if (got < 0)
            return errno == EAGAIN || errno == EINTR;
        if ((uint32_t)got > lead)
            answer(b, b->frame + lead, (uint32_t)got - lead);
    }
    return true;
}

int serve_bare(const struct serve_options *o, int ready_fd)
{
    static struct bare b;
    char error[256];
    struct la_prefix client;
    struct la_rt_tun_config config = {
        .host_addrs = &client,
        .host_addr_count = 1,
        .offload = o->offload ? LA_RT_OFFLOAD_ON : LA_RT_OFFLOAD_OFF,
    };

    if (!la_prefix_parse(CLIENT_CIDR, true, &client))
        return 1;
    struct la_rt_driver *d = la_rt_tun_open(&config, error, sizeof error);
    if (d == NULL || (o->offload && d->gso_max_bytes == 0)) {
        fprintf(stderr, "bench: limit: %s\n", d == NULL ? error : "no offload here");
        return 1;
    }
    memset(b.app, 0x5a, sizeof b.app);
    b.fd = d->fd; /* from here on without the driver */
    b.offload = o->offload;
    b.most_in_flight = o->buffer_bytes;
    b.cpu_features = la_rt_cpu_features();
    if (write(ready_fd, "", 1) != 1)
        return 1;
    for (;;) {
        struct pollfd p = { .fd = b.fd, .events = POLLIN };
        const int n = poll(&p, 1, b.sending ? STALL_MS : -1);
        if (n < 0 || !read_some(&b)) {
            perror("bench: limit");
            return 1;
        }
        if (n == 0)
            b.nxt = b.una;
        send_more(&b);
    }
}
