/* SPDX-License-Identifier: MIT */
/*
 * runtime.h - What a program on Linux needs around a stack: memory, randomness, a
 * clock, devices and a loop.
 *
 * The core knows none of this; a program that has its own loop may leave all of it
 * out.  With it, a server is
 *
 *     struct la_rt_driver *tun = la_rt_tun_open(&tun_config, error, sizeof error);
 *     void *mem = la_rt_arena_map(la_bytes_needed(&config));
 *     la_rt_random(config.secret, sizeof config.secret);
 *     la_init(mem, bytes, &config, la_rt_now(), &stack);
 *     ... la_iface_add(), la_addr_add(), la_route_add(), la_listen() ...
 *     loop = la_rt_loop_new(&loop_config);
 *     la_rt_loop_add(loop, &(struct la_rt_host){ .stack = stack, .driver = tun, ... });
 *     la_rt_run(loop);
 *
 * One loop runs in one thread and owns the stacks that were added to it.
 */
#ifndef LASTACK_RUNTIME_H
#define LASTACK_RUNTIME_H

#include <lastack/lastack.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Clock and randomness --------------------------------------------------------- */

/* CLOCK_MONOTONIC; never before the last time this thread was told. */
la_time la_rt_now(void);
/* Nanoseconds since 1970, for captures and logs only. */
uint64_t la_rt_wallclock_ns(void);

/*
 * la_rt_random() - Bytes nobody can guess, from the kernel.
 *
 * Waits until the kernel's generator has been seeded.  Where there is no good
 * randomness this ends the program: every defence against forged segments rests
 * on the secret.
 */
void la_rt_random(void *bytes, size_t len_bytes);

/* LA_CPU_* of the processor this runs on, for config.cpu_features. */
uint32_t la_rt_cpu_features(void);

/* Memory ----------------------------------------------------------------------- */

/*
 * la_rt_arena_map() - Reserve address space for an arena.
 *
 * Pages are committed as they are touched, and stay out of core dumps, for the
 * secret lies in them.  Small pages: with huge ones the first touch of each slab
 * would commit megabytes.
 *
 * Return: zeroed, page-aligned memory, or NULL with errno set.
 */
void *la_rt_arena_map(uint64_t bytes);
void la_rt_arena_unmap(void *mem, uint64_t bytes);
/* Give whole pages that hold nothing back to the host.  Return: bytes given back. */
uint64_t la_rt_arena_trim(struct la_stack *s);

/* Devices ---------------------------------------------------------------------- */

/*
 * A device that carries IP packets.  What is not a TUN device may be one too: fill
 * in the four functions.  The loop calls them; none may block.
 */
struct la_rt_driver {
    void *self;
    int fd; /* readable when packets wait, writable when there is room; -1 if none */
    uint32_t mtu_bytes;
    const char *name; /* for messages; the driver's memory */

    /* What the device does for the stack: hand both to la_iface_add(). */
    uint32_t iface_flags;   /* LA_IFACE_* */
    uint32_t gso_max_bytes; /* 0: it takes single segments only */
    /*
     * The frames of one receive() lie one behind the other in memory that may be written: the
     * loop then merges the segments of a flow (generic receive offload), unless it captures.
     */
    bool merges;
    bool more; /* set by receive(): it stopped although more may wait */

    /*
     * Up to @max packets.  They are borrowed until the next call of this function.
     * Return: how many, 0 if none waits, or a negative errno: the device is gone.
     */
    int (*receive)(void *self, struct la_frame *frames, uint32_t max);

    /*
     * One packet, written or copied before this returns.
     * Return: 1; 0 if there is no room now; or a negative errno: this packet is lost.
     */
    int (*send)(void *self, const struct la_tx *tx);

    /* Frees @self and the driver.  May be NULL. */
    void (*close)(void *self);
};

/* Close a device.  NULL is allowed. */
void la_rt_driver_close(struct la_rt_driver *driver);

/* What is moved at once. */
enum la_rt_offload {
    LA_RT_OFFLOAD_ON = 0, /* super-segments both ways if the kernel can, else as MERGE */
    LA_RT_OFFLOAD_MERGE,  /* single segments on the device; those received are merged */
    LA_RT_OFFLOAD_OFF,    /* single segments everywhere */
};

#define LA_RT_TUN_QUEUES_MAX 16

struct la_rt_tun_config {
    const char *name; /* an existing TUN device, or NULL: make one, which goes when it is closed */
    /* For a device made here: the host's own addresses on it.  It is then set up. */
    const struct la_prefix *host_addrs;
    uint32_t host_addr_count;
    uint32_t mtu_bytes; /* of a device made here; 0 = 1500 */
    enum la_rt_offload offload;
    /*
     * Descriptors on the device, 1 (or 0) to LA_RT_TUN_QUEUES_MAX.  The driver drains them in
     * turn and writes to the first.  A device that was made with several queues is attached to
     * as such, also with 1.
     */
    uint32_t queues;
};

/*
 * la_rt_tun_open() - Open a TUN device: packets without a link layer.
 * @error: On failure, a sentence for people: what is wrong and what would help
 *
 * An existing device keeps its name, MTU, owner and addresses.  Attaching to a device
 * one owns needs no privilege; making one needs CAP_NET_ADMIN.  If the device is up, this
 * waits until the kernel has noticed that somebody is there: as a rule some milliseconds,
 * at most two seconds.
 *
 * Offload is used where the kernel has it: checksums are then left unfinished both ways, and
 * up to 64 KB of a flow cross as one frame.  Where it is refused, the device is a plain one.
 *
 * Return: the device, or NULL with errno set: ENODEV (no such device), EPERM or EACCES,
 *         EBUSY (another process has it), ENOENT (no TUN on this host), EINVAL (the device is
 *         no TUN device, or was made with one queue and several are asked for, or @config is
 *         out of range), E2BIG (more queues than the kernel gives), or what the kernel said.
 */
struct la_rt_driver *la_rt_tun_open(const struct la_rt_tun_config *config, char *error,
                                    size_t error_bytes);

/*
 * la_rt_memory_pair() - A wire in memory: what one end sends, the other receives.
 * @slots: Packets that may lie on the wire each way; a power of two
 *
 * Both ends belong to one thread.  Each end is closed by itself.
 *
 * Return: 0, or a negative errno.
 */
int la_rt_memory_pair(uint32_t mtu_bytes, uint32_t slots, struct la_rt_driver *ends[2]);

/* Loop ------------------------------------------------------------------------- */

struct la_rt_loop;

#define LA_RT_VIRTUAL_TIME 1u /* time jumps to the next deadline when there is nothing to do */
#define LA_RT_SIGNALS 2u      /* SIGINT and SIGTERM end la_rt_run() */

/* A packet as it crosses between a stack and its device. */
struct la_rt_packet {
    uint64_t wallclock_ns;
    const uint8_t *bytes;
    uint32_t len_bytes;
    uint32_t
        gso_size_bytes; /* text of each segment inside; 0 if this is one.  Its checksum is of the whole */
    bool outbound;                /* the stack sent it */
    const struct la_trace *trace; /* what the stack recorded for it, or NULL */
};

/*
 * One stack, its device and the application on it.  Every function may be NULL; each
 * gets @context.  They are called from la_rt_run() and may call the stack.
 */
struct la_rt_host {
    struct la_stack *stack;
    struct la_rt_driver *driver;
    int iface; /* what la_iface_add() gave for this device */
    void *context;

    void (*on_event)(void *context, la_time now, const struct la_event *event);
    /* Once a turn, after the events. */
    void (*on_turn)(void *context, la_time now);

    /* What watches, with a context of its own.  It may look at the stack, never change it. */
    void *observer;
    /* Trace records in order; @lost were overwritten unread. */
    void (*on_trace)(void *observer, const struct la_trace *records, uint32_t count, uint64_t lost);
    /*
     * Every packet, for a capture.  Packets then enter and leave one by one, so that
     * the record with the stack's verdict is known.
     */
    void (*on_packet)(void *observer, const struct la_rt_packet *packet);
};

/* Return: NULL with errno set on failure. */
struct la_rt_loop *la_rt_loop_new(uint32_t flags);
/* The stacks and devices stay the caller's. */
void la_rt_loop_free(struct la_rt_loop *loop);

#define LA_RT_HOSTS_MAX 4

/* @host is copied.  Return: 0, or a negative errno (ENOSPC beyond LA_RT_HOSTS_MAX). */
LA_MUST_CHECK int la_rt_loop_add(struct la_rt_loop *loop, const struct la_rt_host *host);

/*
 * la_rt_watch() - Have a function called while a descriptor of the program is ready.
 * @events: EPOLLIN, EPOLLOUT, ...: level-triggered.  0 keeps the entry and sleeps
 *
 * A second call for the same @fd changes it.  Return: 0, or a negative errno; EPERM for
 * what is always ready, such as a regular file; ENOSPC.
 */
LA_MUST_CHECK int la_rt_watch(struct la_rt_loop *loop, int fd, uint32_t events,
                              void (*on_ready)(void *context, la_time now, uint32_t events),
                              void *context);
void la_rt_unwatch(struct la_rt_loop *loop, int fd);

/* Take a turn at @at at the latest: on_turn() is called then.  The earliest of several counts. */
void la_rt_wake_at(struct la_rt_loop *loop, la_time at);

/*
 * la_rt_loop_on_sleep() - Have functions called around each sleep of the loop, for who shares
 * the stacks with other threads: @before gives them free, @after takes them back.
 *
 * Between the two the loop touches nothing; the time is read after @after.
 */
void la_rt_loop_on_sleep(struct la_rt_loop *loop, void (*before)(void *context),
                         void (*after)(void *context), void *context);

/* The time of this turn: what every call on the stack should be given. */
la_time la_rt_loop_now(const struct la_rt_loop *loop);

/*
 * la_rt_run() - Turn until something ends it.
 *
 * Return: 0 after la_rt_stop(); the signal's number after SIGINT or SIGTERM, if
 *         LA_RT_SIGNALS; -EDEADLK in virtual time when nothing can ever happen again;
 *         another negative errno when a device is gone.
 */
int la_rt_run(struct la_rt_loop *loop);
/* End la_rt_run() after this turn. */
void la_rt_stop(struct la_rt_loop *loop);

/* Take what the stacks have to send and hand it to the devices, as before leaving. */
void la_rt_flush(struct la_rt_loop *loop);

struct la_rt_loop_stats {
    uint64_t turns, sleeps;
    uint64_t packets_in, packets_out; /* on the device */
    uint64_t bytes_in, bytes_out;     /* of those */
    uint64_t packets_merged;          /* of those that came in, made part of another frame */
    uint64_t device_calls;            /* receive() and send(), each at least one system call */
    uint64_t packets_lost;            /* the device refused them: as if the network had lost them */
    uint64_t device_full;             /* times the device had no room and the stack had to wait */
    uint64_t traces_lost;
};
void la_rt_loop_stats(const struct la_rt_loop *loop, struct la_rt_loop_stats *out);

#ifdef __cplusplus
}
#endif
#endif
