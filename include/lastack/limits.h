/* SPDX-License-Identifier: MIT */
/* limits.h - Every fixed limit a caller can meet, with its unit and its reason. */
#ifndef LASTACK_LIMITS_H
#define LASTACK_LIMITS_H

/* Frames one la_rx() takes.  Bounds the work before anything is sent. */
#define LA_RX_BURST_MAX 64

/* Spans of one transmit descriptor: a 64 KB super-segment over 4 KiB chunks, misaligned, needs 18. */
#define LA_TX_SPANS_MAX 18

/* Bytes of headers in one transmit descriptor: IPv6 40 + TCP 60, rounded up. */
#define LA_TX_HEADER_MAX 112

/* Interfaces, addresses and routes of one stack: walked linearly, so kept few. */
#define LA_IFACES_MAX 3
#define LA_ADDRS_MAX 16
#define LA_ROUTES_MAX 16

/* Packets under way from a stack to itself, of at most one chunk each; more are dropped, as by a full queue. */
#define LA_LOOPBACK_PACKETS_MAX 256

/* Findings that are remembered, the newest; each is counted. */
#define LA_FINDINGS_KEPT 16

/* IPv6 extension headers walked in one packet (catalogue of past failures: unbounded chains). */
#define LA_IP6_EXTENSIONS_MAX 8

/* Out-of-order ranges kept for one connection; beyond it text that would open another is dropped. */
#define LA_REASSEMBLY_RANGES_MAX 32

/*
 * Ranges in which a connection remembers what is in flight: each ACK with SACK may walk them all.
 * Beyond it neighbours that differ only in when they were sent are joined, then SACKs are forgotten.
 */
#define LA_INFLIGHT_RANGES_MAX 128

/*
 * Smallest MSS this side will send with, whatever the peer or ICMP says, unless net.ipv4.tcp_min_snd_mss
 * says another (CVE-2019-11479).
 */
#define LA_SEND_MSS_MIN 216

/* Destinations whose path MTU is remembered, 32 bytes each; another takes the place of the oldest of four. */
#define LA_PMTU_ROWS 32

/* Ranges in net.ipv4.ip_local_reserved_ports: walked for each 64 ports. */
#define LA_PORT_RANGES_MAX 32

/* Maps of ports in use, 8 KiB each: walked when all are taken and one is wanted. */
#define LA_PORT_MAPS_MAX 1024

/* Chunk size, bytes: a power of two. */
#define LA_CHUNK_BYTES_MIN 512
#define LA_CHUNK_BYTES_MAX 16384

/* Ranges la_extents() and la_trim() can report at most. */
#define LA_EXTENTS_MAX 64

/*
 * Classes of the time a connection waited to be accepted: below 1 ms, 2 ms, 4 ms .. 8,192 ms, and
 * longer.  Doubling, because what matters is the order of magnitude.
 */
#define LA_ACCEPT_WAITS 15

/* Causes a stack remembers at most: few, as a connection's own is looked for among them. */
#define LA_CAUSES_MAX 65536u

/* Slots of any slab: the index keeps 29 bits of slot and one of family. */
#define LA_SLOTS_MAX ((1u << 29) - 1u)

#endif
