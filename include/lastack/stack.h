/* SPDX-License-Identifier: MIT */
/*
 * stack.h - A stack as a whole: lent memory, packets in and out, time, events,
 * copies.
 *
 * A stack is a function of (state, input, now).  It makes no system call, reads
 * no clock, allocates nothing and has no threads: the caller lends memory once,
 * hands in packets and the time, takes packets out, and asks when to come back.
 * The usual turn of a loop is
 *
 *     la_rx(s, now, frames, n);
 *     la_tick(s, now, 64);
 *     while ((n = la_tx(s, now, descriptors, 64)) > 0) ... send them ...
 *     n = la_events(s, events, 64); ... accept, receive, send ...
 *     sleep until la_deadline(s) or until a packet comes
 *
 * One stack belongs to one thread at a time; entering it twice is asserted.
 */
#ifndef LASTACK_STACK_H
#define LASTACK_STACK_H

#include <lastack/limits.h>
#include <lastack/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct la_stack; /* lives wholly inside the arena the caller lends */

/* Instructions the processor has beyond its family's least. */
#define LA_CPU_AVX2 1u
#define LA_CPU_NEON 2u

/*
 * How much of everything.  Start from la_config_default() or la_config_smallest()
 * and change what you need.  Memory is touched only as it is used, so a large
 * configuration in a reserved mapping costs nothing until connections come.
 */
struct la_config {
    uint8_t secret[16];   /* 128 random bits: ISN, ports, index, timestamps.  Must not be zero */
    uint32_t connections; /* full connections, both families */
    uint32_t listeners;
    uint32_t half_open_v4; /* half-open records: connections in SYN-RECEIVED by passive open */
    uint32_t half_open_v6;
    uint32_t short_v4; /* short records: TIME-WAIT, and FIN-WAIT-2 without an owner */
    uint32_t short_v6;
    uint32_t chunks;         /* buffer pool, in chunks */
    uint32_t chunk_bytes;    /* power of two, LA_CHUNK_BYTES_MIN..MAX */
    uint32_t reserve_chunks; /* of those, kept for next in-order bytes and for replies */
    uint32_t reply_slots;    /* answers at once: resets, challenges, duplicate ACKs, SYN-ACKs */
    uint32_t port_maps;      /* of 8 KiB, one a destination that few ports are left for; 0 = none */
    uint32_t trace_records;  /* ring of trace records; 0 = no tracing */
    uint32_t cause_records;  /* ring of causes: la_causes(); 0 = none are remembered */
    uint32_t cpu_features;   /* LA_CPU_*, filled in by the runtime; 0 = portable */
    uint16_t shards;         /* how many stacks share the local ports */
    uint16_t shard; /* which of them this is: ports with port % shards == shard are its own */
};

/* 65,536 connections, 16 MiB of buffers in 4 KiB chunks; the secret is left zero. */
void la_config_default(struct la_config *config);
/* 2 connections, 1 listener, 2 short records, 4 chunks: at most 16 KiB. */
void la_config_smallest(struct la_config *config);

/*
 * la_bytes_needed() - How large an arena a configuration needs.
 *
 * Return: bytes, or 0 if the configuration is out of range.
 */
uint64_t la_bytes_needed(const struct la_config *config);

/*
 * la_init() - Make a stack in lent memory.
 * @mem:    Zeroed, aligned to 64 bytes; the stack's until the caller stops using it
 * @bytes:  At least la_bytes_needed(@config)
 * @config: Borrowed for this call
 * @now:    The first time
 * @out:    The stack, which is at @mem
 *
 * Touches O(1) pages whatever the configuration.  There is nothing to undo: to
 * destroy a stack, stop using the memory.
 *
 * Return: LA_OK; LA_EINVAL (configuration out of range, secret all zero, memory not
 *         aligned); LA_ENOMEM (@bytes too small).
 */
LA_MUST_CHECK enum la_err la_init(void *mem, uint64_t bytes, const struct la_config *config,
                                  la_time now, struct la_stack **out);

/* Interfaces, addresses, routes ------------------------------------------------ */

#define LA_IFACE_CSUM_TX 1u /* the driver completes TCP checksums: see la_tx.csum_start */

struct la_iface_config {
    uint32_t mtu_bytes;     /* largest IP packet, 576 (1280 with IPv6) .. 65535 */
    uint32_t flags;         /* LA_IFACE_* */
    uint32_t gso_max_bytes; /* TCP payload of one descriptor at most; 0 = one segment each */
};

/* Return: the interface's number, 0..; LA_EINVAL; LA_ENOBUFS beyond LA_IFACES_MAX. */
LA_MUST_CHECK int la_iface_add(struct la_stack *s, const struct la_iface_config *config);
/* Change the MTU of what is opened later; connections already open keep theirs.  LA_EINVAL. */
LA_MUST_CHECK enum la_err la_iface_set_mtu(struct la_stack *s, int iface, uint32_t mtu_bytes);

#define LA_ADDR_ANYIP 1u /* every address of the prefix is this stack's (tunnels, sandboxes) */

/*
 * la_addr_add() - Give an interface an address, and a route to its prefix.
 * @prefix: Address with its prefix length; host bits matter unless LA_ADDR_ANYIP
 *
 * Return: LA_OK; LA_EINVAL (multicast, unspecified without ANYIP, no such interface);
 *         LA_EADDRINUSE (already there); LA_ENOBUFS.
 */
LA_MUST_CHECK enum la_err la_addr_add(struct la_stack *s, int iface, struct la_prefix prefix,
                                      uint32_t flags);
/* Packets to it are dropped from now on; connections on it end by their timers.  LA_ENOENT. */
LA_MUST_CHECK enum la_err la_addr_del(struct la_stack *s, int iface, struct la_prefix prefix);
/* Is a packet to @addr for this stack? */
bool la_addr_is_local(const struct la_stack *s, struct la_addr addr);
/* Longest prefix wins.  la_prefix_any() is the default route of both families.  LA_EINVAL, LA_ENOBUFS. */
LA_MUST_CHECK enum la_err la_route_add(struct la_stack *s, struct la_prefix prefix, int iface);
LA_MUST_CHECK enum la_err la_route_del(struct la_stack *s, struct la_prefix prefix, int iface);

/* Packets in ------------------------------------------------------------------- */

#define LA_FRAME_CSUM_OK 1u /* the transport checksum need not be looked at */
/* With CSUM_OK: it is unfinished, the packet never left this host.  csum_start and _offset say where. */
#define LA_FRAME_CSUM_PARTIAL 2u
#define LA_FRAME_MALFORMED 4u /* what the device said of it contradicts itself: dropped, counted */

/*
 * One packet, most often in one piece.  A packet may also come as @bytes and, behind them, @spans:
 * la_tx_frame() makes such a frame of what another stack sends.
 */
struct la_frame {
    const uint8_t *bytes; /* first byte of the IP header */
    uint32_t len_bytes;   /* of @bytes alone */
    uint16_t iface;
    uint16_t flags;                   /* LA_FRAME_* */
    uint16_t gso_size_bytes;          /* payload of each segment inside; 0 if this is one segment */
    uint16_t csum_start, csum_offset; /* with CSUM_PARTIAL, as virtio-net gives them */
    uint16_t span_count;              /* 0: all of the packet is in @bytes */
    const struct la_cspan *spans;
    /* With spans: memory for the whole packet, written if it must lie in one piece.  All frames
     * of a call may share it. */
    uint8_t *room;
};

/*
 * la_rx() - Hand frames that arrived by @now to the stack.
 * @s:      Stack; the caller must be the shard that owns it (asserted)
 * @now:    Not before any time given earlier (asserted)
 * @frames: Borrowed for this call only
 * @count:  At most LA_RX_BURST_MAX (asserted)
 *
 * A frame that is malformed, unwanted or unaffordable is dropped, and the drop
 * is counted by reason: see la_drops().  That is traffic, not an error, so this
 * returns nothing.  In-order acknowledgments the frames call for are merged and
 * wait for la_tx(); those a peer's loss recovery needs are sent one by one.
 *
 * Cost:  O(1) per frame.  Never allocates outside the arena.
 * RFC:   9293 3.10.7; MUST-58, MUST-59 (one ACK for a run of queued segments).
 */
void la_rx(struct la_stack *s, la_time now, const struct la_frame *frames, uint32_t count);

/*
 * la_checksum() - The Internet checksum's sum (RFC 1071), for drivers.
 * @features: LA_CPU_*
 * @start:    What it begins with: the sum of what stands before, of even length
 *
 * Return: the folded sum, not complemented; 0xffff over bytes whose checksum is right.
 */
uint16_t la_checksum(uint32_t features, uint16_t start, const void *bytes, uint32_t len_bytes);

/* Packets out ------------------------------------------------------------------ */

/* The field holds the pseudo-header sum: complete it from csum_start. */
#define LA_TX_CSUM_PARTIAL 1u

/*
 * One packet to send: @header_len bytes of headers, then the bytes of @spans.
 * Spans point into the arena and are valid until the next call on this stack.
 */
struct la_tx {
    la_conn_id conn;    /* zero if no connection sent it */
    uint32_t len_bytes; /* headers and spans together */
    uint16_t iface;
    uint16_t flags;          /* LA_TX_* */
    uint16_t gso_size_bytes; /* payload of each segment inside; 0 if this is one segment */
    uint16_t csum_start, csum_offset;
    uint16_t header_len;
    uint16_t span_count;
    uint8_t header[LA_TX_HEADER_MAX];
    struct la_cspan spans[LA_TX_SPANS_MAX];
};

/*
 * la_tx() - Take packets that are due.
 * @out: Written by the stack; the caller's memory
 * @max: Room in @out, descriptors
 *
 * What is taken counts as sent: retransmission will repeat what the network or the
 * driver loses.  Call until it returns 0.
 *
 * Return: how many descriptors were written.
 * Cost:   O(1) per descriptor; nothing to send costs O(1) whatever the connections.
 */
uint32_t la_tx(struct la_stack *s, la_time now, struct la_tx *out, uint32_t max);

/* Copy a descriptor's bytes in order.  @room >= len_bytes (asserted).  Return: len_bytes. */
uint32_t la_tx_copy(const struct la_tx *tx, uint8_t *to, uint32_t room);
/*
 * The same, and an LA_TX_CSUM_PARTIAL checksum is completed on the way: one pass over the text
 * instead of two.  For drivers of devices that complete none, one segment a descriptor.
 * @cpu_features: LA_CPU_*, as in la_config
 */
uint32_t la_tx_copy_sum(const struct la_tx *tx, uint32_t cpu_features, uint8_t *to, uint32_t room);
/*
 * la_tx_frame() - The descriptor as a frame for another stack of this process: nothing is copied.
 * @tx:    Stays as it is while the frame is used
 * @iface: Where the other stack is to receive it
 * @room:  Of tx->len_bytes: see la_frame
 *
 * The frame is good until the next call on the stack that sent it.  Its checksum is verified by the
 * receiver if the sender's interface has it computed, and trusted if LA_IFACE_CSUM_TX leaves it
 * to a driver: the packet never left this host.
 */
void la_tx_frame(const struct la_tx *tx, uint16_t iface, uint8_t *room, struct la_frame *out);

/* Time ------------------------------------------------------------------------- */

/*
 * la_tick() - Let what is due by @now happen.
 * @budget: At most so many timers fire
 *
 * Its work is bounded by the budget, however many connections there are.  Return: true if more may be
 * due: call again; la_deadline() says so too.
 */
bool la_tick(struct la_stack *s, la_time now, uint32_t budget);

/*
 * la_deadline() - When the stack next needs la_tick(), if nothing arrives.
 * @s: Stack; its wheel may be tidied, nothing that can be observed changes
 *
 * Return: never later than the earliest deadline, perhaps one wheel slot earlier;
 *         LA_TIME_NEVER if none.  Calling la_tick() sooner is harmless.
 */
la_time la_deadline(struct la_stack *s);

/* Events ----------------------------------------------------------------------- */

#define LA_READABLE 0x001u    /* bytes to read, or EOF, or an error to fetch */
#define LA_WRITABLE 0x002u    /* room to send */
#define LA_ACCEPTABLE 0x004u  /* a listener has a connection to accept */
#define LA_CONNECTED 0x008u   /* the handshake is complete */
#define LA_PEER_CLOSED 0x010u /* the peer's FIN has come: EOF follows the bytes */
#define LA_ERROR_SET 0x020u   /* the connection ended with an error: la_conn_error() */
#define LA_HANGUP 0x040u      /* both directions are over */
#define LA_URGENT 0x080u      /* the peer announced urgent data (in band) */
#define LA_FIN_ACKED 0x100u   /* FIN-WAIT-2: the peer has acknowledged all we sent, and our FIN */

enum la_event_kind {
    LA_EVENT_CONN = 1,
    LA_EVENT_LISTENER = 2,
    LA_EVENT_FINDING = 3, /* la_findings_subscribe(); mask: a bit for each enum la_finding told */
};

struct la_event {
    enum la_event_kind kind;
    uint32_t mask; /* readiness now: a pure function of state */
    union {
        la_conn_id conn;
        la_listener_id listener;
    };
    uint64_t user;       /* the word given with la_conn_set_user() or la_listen() */
    enum la_drop reason; /* why it ended; LA_DROP_NONE while it lives */
};

/*
 * la_events() - Take the connections and listeners whose readiness has changed.
 *
 * Each stands at most once on the list.  A connection that the application has
 * released (la_close(), la_abort()) gives no more events.
 *
 * Return: how many were written to @out.  Cost: O(events).
 */
uint32_t la_events(struct la_stack *s, struct la_event *out, uint32_t max);

/* Memory ----------------------------------------------------------------------- */

struct la_extent {
    uint64_t offset_bytes; /* from the start of the arena */
    uint64_t len_bytes;
};

/* The used ranges of the arena, ascending.  Return: how many (at most LA_EXTENTS_MAX). */
uint32_t la_extents(const struct la_stack *s, struct la_extent out[LA_EXTENTS_MAX]);

/*
 * la_trim() - Find whole pages that hold nothing, for the host to take back.
 * @page_bytes: The host's page size, a power of two
 * @each:       Called for each range; the host may discard it (it must then read as
 *              zero) or leave it.  May not enter the stack.
 *
 * Cost: O(slots ever used).  Handles stay safe: a generation never repeats.
 */
void la_trim(struct la_stack *s, uint32_t page_bytes,
             void (*each)(void *context, struct la_extent extent), void *context);

/*
 * la_clone() - Copy a stack into other lent memory, within this process.
 * @mem, @bytes: As for la_init()
 *
 * The copy goes on exactly as the original would: same handles, same future.
 *
 * Return: LA_OK; LA_ENOMEM; LA_EINVAL (not aligned); LA_EBUSY (memory is pinned).
 */
LA_MUST_CHECK enum la_err la_clone(const struct la_stack *s, void *mem, uint64_t bytes,
                                   struct la_stack **out);

/*
 * la_hash() - 64 bits that are equal for stacks in the same logical state.
 *
 * Generations, wheel positions, unobservable order and statistics are left out;
 * times count relative to the stack's now.  Cost: O(connections and their bytes).
 */
uint64_t la_hash(const struct la_stack *s);

/*
 * la_check() - Test every invariant of the stack.
 *
 * Return: NULL if all hold, else a sentence (static) that names the broken one.
 * Cost:   O(everything).  For tests and the simulator.
 */
const char *la_check(const struct la_stack *s);

/* The time of the last call that gave one. */
la_time la_now(const struct la_stack *s);

/*
 * la_panic() - The one function lastack calls and does not define: what to do when
 * an assertion fails.  liblastack defines one that prints and aborts; a host that
 * links the bare core defines its own.  It must not return.
 */
#if defined(__GNUC__)
__attribute__((noreturn))
#endif
void la_panic(const char *file, int line, const char *what);

#ifdef __cplusplus
}
#endif
#endif
