/* SPDX-License-Identifier: MIT */
/*
 * tcp.h - TCP segments: bytes to struct and back, and the one-line notation of the tests.
 * Pure; RFC 9293 3.1, 7323, 2018.
 */
#ifndef CORE_WIRE_TCP_H
#define CORE_WIRE_TCP_H

#include <lastack/types.h>

/* A sequence number.  Never a plain integer: arithmetic lives in core/tcp/seq.h. */
typedef struct {
    uint32_t v;
} tcp_seq;
static inline tcp_seq seq_of(uint32_t raw)
{
    return (tcp_seq){ raw };
}
static inline uint32_t seq_raw(tcp_seq s)
{
    return s.v;
}

#define TCP_FIN 0x01u
#define TCP_SYN 0x02u
#define TCP_RST 0x04u
#define TCP_PSH 0x08u
#define TCP_ACK 0x10u
#define TCP_URG 0x20u
#define TCP_ECE 0x40u
#define TCP_CWR 0x80u

#define TCP_HEADER_BYTES 20
#define TCP_OPTIONS_MAX 40
#define TCP_SACK_BLOCKS_MAX 4

enum tcp_option_kind {
    TCP_OPT_EOL = 0,
    TCP_OPT_NOP = 1,
    TCP_OPT_MSS = 2,
    TCP_OPT_WSCALE = 3,
    TCP_OPT_SACK_OK = 4,
    TCP_OPT_SACK = 5,
    TCP_OPT_TIMESTAMPS = 8,
    TCP_OPT_FASTOPEN = 34,
};

struct tcp_sack_block {
    tcp_seq left, right; /* [left, right) */
};

/* The options this stack knows, as found or to be written. */
struct tcp_options {
    bool has_mss, has_wscale, has_sack_ok, has_timestamps;
    uint8_t wscale; /* as on the wire, 0..255; cut to 14 by whoever uses it */
    uint16_t mss;
    uint32_t ts_val, ts_ecr;
    uint8_t sack_count;
    struct tcp_sack_block sack[TCP_SACK_BLOCKS_MAX];
};

struct tcp_seg {
    uint16_t src_port, dst_port; /* host order */
    tcp_seq seq, ack;
    uint32_t wnd; /* as on the wire, not scaled */
    uint16_t urgent;
    uint8_t flags; /* TCP_*; reserved bits are left out */
    struct tcp_options opt;
    const uint8_t *text;
    uint32_t len; /* SEG.LEN without SYN and FIN: bytes of text */
};

/*
 * tcp_parse() - Read a segment: header, options, text.
 * @bytes, @len_bytes: Exactly the IP payload
 *
 * The checksum is not looked at (see tcp_checksum_ok).  Options of unknown kind are
 * skipped by their length (MUST-6); a length below 2 or beyond the header ends the
 * options there, and what was read stands (MUST-7).  An option of a known kind with a wrong
 * length is ignored.  MSS, window scale and SACK-permitted count only with SYN.
 *
 * Return: LA_DROP_NONE, LA_DROP_TCP_SHORT, LA_DROP_TCP_OFFSET or LA_DROP_TCP_PORT_ZERO.
 * Cost:   at most 40 steps over the options.
 */
enum la_drop tcp_parse(const uint8_t *bytes, uint32_t len_bytes, struct tcp_seg *out);
/* The options alone: @len_bytes 0..40. */
void tcp_options_parse(const uint8_t *bytes, uint32_t len_bytes, bool syn, struct tcp_options *out);
bool tcp_checksum_ok(uint32_t cpu_features, struct la_addr src, struct la_addr dst,
                     const uint8_t *bytes, uint32_t len_bytes);

/* Ports and sequence number alone, of a segment quoted in an ICMP error: 8 bytes suffice. */
bool tcp_parse_quoted(const uint8_t *bytes, uint32_t len_bytes, uint16_t *src_port,
                      uint16_t *dst_port, tcp_seq *seq);

/* Bytes the options will take, padded to 4. */
uint32_t tcp_options_bytes(const struct tcp_options *o);
/*
 * Write header and options (not the text): checksum field zero.  With timestamps, NOP NOP TS; SACK
 * blocks as many as fit.  On a SYN the order is MSS, SACK-permitted, timestamps, NOP, window scale, as Linux sends.
 * Return: the header's length, a multiple of 4.
 */
uint32_t tcp_emit(const struct tcp_seg *seg, uint8_t to[TCP_HEADER_BYTES + TCP_OPTIONS_MAX]);

/*
 * One-line notation, for tests, traces and people.
 *
 *     "SYN snd 0 wnd 65535 mss 1460 wscale 7 sackOK TS 100:0"
 *     "ACK rcv 1 snd 1 len 100 wnd 500"   "PSH ACK ..."   "FIN ACK ..."   "RST rcv 0"
 *     "ACK ... sack 10:20,30:40"  "urg 5"
 *
 * Numbers after "rcv" and "snd" are relative: for an inbound segment seq = rcv_base + rcv and
 * ack = snd_base + snd; for an outbound one seq = snd_base + snd and ack = rcv_base + rcv.
 * Negative numbers are allowed.  "rcv 0" alone on an inbound RST sets only seq.  sack edges are relative to the base
 * of what they acknowledge.  "seq N" and "ack N" are absolute.
 */
struct tcp_text_bases {
    tcp_seq rcv, snd;
    bool outbound;
};
/* Return: NULL, or what is wrong and where (static text).  len N sets seg->len; text stays NULL. */
const char *tcp_text_parse(const char *line, const struct tcp_text_bases *bases,
                           struct tcp_seg *out);
/* Return: length written, without NUL; at most room - 1. */
uint32_t tcp_text_format(const struct tcp_seg *seg, const struct tcp_text_bases *bases, char *to,
                         uint32_t room);

#endif
