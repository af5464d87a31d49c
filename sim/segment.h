/* SPDX-License-Identifier: MIT */
/*
 * segment.h - A packet as the wire shows it, read without any help of the stack.
 *
 * The checkers must not believe the code they check, so this is a reader of its own:
 * IPv4 and IPv6 without extension headers (lastack sends none), TCP with the options
 * a checker needs.  It also does what a network card would: complete partial
 * checksums and cut super-segments.
 */
#ifndef SIM_SEGMENT_H
#define SIM_SEGMENT_H

#include <lastack/types.h>

#define SIM_FIN 0x01u
#define SIM_SYN 0x02u
#define SIM_RST 0x04u
#define SIM_PSH 0x08u
#define SIM_ACK 0x10u
#define SIM_URG 0x20u

struct sim_segment {
    bool ip;  /* a whole IP packet, header checksum right */
    bool tcp; /* a whole TCP segment */
    bool checksum_right;
    bool v6;
    struct la_endpoint from, to;
    uint32_t seq, ack;
    uint16_t window;
    uint8_t flags;
    uint32_t ip_header_bytes, header_bytes; /* of IP; of IP and TCP */
    const uint8_t *text;
    uint32_t text_bytes;
    bool has_mss, has_scale, has_timestamp, sack_permitted;
    uint16_t mss;
    uint8_t scale; /* as sent; a receiver uses 14 at most */
    uint32_t sack_blocks;
};

/* Always fills @out: what can not be read is false or zero. */
void sim_segment_read(const uint8_t *bytes, uint32_t len_bytes, struct sim_segment *out);

/* Sequence numbers it occupies: text, SYN, FIN. */
uint32_t sim_segment_span(const struct sim_segment *seg);

/* Complete a checksum whose field holds the pseudo-header sum (LA_TX_CSUM_PARTIAL). */
void sim_checksum_complete(uint8_t *bytes, uint32_t len_bytes, uint32_t start, uint32_t offset);

/* Recompute the IPv4 header checksum and the TCP checksum after a change. */
void sim_checksum_repair(uint8_t *bytes, uint32_t len_bytes);

/*
 * sim_segment_cut() - Take one packet out of a super-segment, as TSO does.
 * @whole:    Header and text together
 * @nth:      Which, from 0
 * @out:      Room for header + @gso_bytes
 *
 * Return: the packet's length; 0 if there is no @nth.
 */
uint32_t sim_segment_cut(const uint8_t *whole, uint32_t len_bytes, uint32_t gso_bytes, uint32_t nth,
                         uint8_t *out);

/* "SYN,ACK" and the like.  Return: @text. */
#define SIM_FLAGS_TEXT_BYTES 32
char *sim_flags_text(uint8_t flags, char text[SIM_FLAGS_TEXT_BYTES]);

#endif
