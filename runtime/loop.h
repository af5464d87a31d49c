/* SPDX-License-Identifier: MIT */
/* loop.h - What loop.c and loop_trace.c share. */
#ifndef RUNTIME_LOOP_H
#define RUNTIME_LOOP_H

#include <lastack/runtime.h>

#include <signal.h>

#define LOOP_WATCHES_MAX 16
#define LOOP_TX_BATCH 32
#define LOOP_TRACE_BATCH 128
/* Records of segments sent whose packets are still to come; a power of two. */
#define LOOP_SENT_RECORDS 512u
/* Largest packet of one descriptor: IP allows 65,535 bytes; with gso, headers are beside. */
#define LOOP_PACKET_MAX (65536u + LA_TX_HEADER_MAX)

struct loop_watch {
    bool used;
    int fd;
    void (*on_ready)(void *context, la_time now, uint32_t events);
    void *context;
};

struct loop_host {
    la_time scanned; /* la_findings_scan() */
    struct la_rt_host pub;
    bool readable;
    bool more; /* the device stopped although more may wait */
    bool waits_for_room;
    struct la_tx tx[LOOP_TX_BATCH];
    /* Packets taken from the stack that the device had no room for. */
    uint8_t *held; /* LOOP_TX_BATCH slots of LOOP_PACKET_MAX bytes */
    uint32_t held_first, held_count;
    uint32_t held_len[LOOP_TX_BATCH];
    struct la_tx held_like[LOOP_TX_BATCH];
    /* With a capture: a ring of LOOP_SENT_RECORDS; free-running head and tail. */
    struct la_trace *sent;
    uint32_t sent_head, sent_tail;
};

struct la_rt_loop {
    uint32_t flags;
    int epoll_fd, signal_fd;
    bool stop;
    bool undone;       /* something is left to do: the next turn must not sleep */
    uint32_t unpolled; /* turns since descriptors were last asked for */
    uint32_t cpu_features;
    bool no_pwait2; /* the kernel has no epoll_pwait2() */
    int result;
    la_time now, wake_at;
    void (*before_sleep)(void *context);
    void (*after_sleep)(void *context);
    void *sleep_context;
    uint64_t wall_offset_ns;
    sigset_t old_mask;
    struct la_rt_loop_stats stats;
    uint32_t host_count;
    struct loop_host hosts[LA_RT_HOSTS_MAX];
    struct loop_watch watches[LOOP_WATCHES_MAX];
    uint8_t flat[LOOP_PACKET_MAX]; /* the packet being captured */
};

/* Hand on the trace records that have gathered. */
void loop_read_trace(struct la_rt_loop *l, struct loop_host *h);

/* la_rx() one by one, each packet with its record to the capture. */
void loop_receive_captured(struct la_rt_loop *l, struct loop_host *h, const struct la_frame *frames,
                           uint32_t count);

/* Capture h->tx[0] and make it a flat one, because reading the trace ends its spans. */
void loop_capture_sent(struct la_rt_loop *l, struct loop_host *h);

/* A descriptor like @like whose bytes all lie at @bytes. */
void loop_flat(const struct la_tx *like, const uint8_t *bytes, uint32_t len_bytes,
               struct la_tx *out);

#endif
