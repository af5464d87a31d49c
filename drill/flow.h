/* SPDX-License-Identifier: MIT */
/*
 * flow.h - A connection as the script sees it, and as it is on the wire.
 *
 * A script counts sequence numbers from where it likes; the host under test chooses its own.
 * The difference between the two is constant for each direction, and is learned from the first
 * SYN the host sends.  Timestamps of the host are names in the script: the first time a name
 * stands for a value on the wire it is bound to it.  Packets from the host are translated into
 * the script's numbers and compared there, so that messages speak the script's language.
 */
#ifndef DRILL_FLOW_H
#define DRILL_FLOW_H

#include "drill/wire.h"

#define DRILL_STAMPS_MAX 256

struct drill_stamp {
    uint32_t script, live;
};

struct drill_flow {
    uint16_t local_port, remote_port;            /* on the wire; 0 = not known yet */
    bool local_known;                            /* the host's SYN has been seen */
    uint32_t local_offset;                       /* live - script, of what the host counts */
    uint32_t remote_offset;                      /* of what the script's side counts */
    struct drill_stamp stamps[DRILL_STAMPS_MAX]; /* a ring of what the host sent */
    uint32_t stamp_count;
    struct drill_stamp first_stamp;
    uint32_t last_seq; /* live, of the last packet the host sent, for quotes */
    bool has_last;
    bool local_isn_known, remote_isn_known;
    uint32_t local_isn, remote_isn; /* live: where the streams begin, for the pattern */
    bool reopened; /* the script's SYN began at another number than before: so may the host's */
    struct drill_flow *next;
};

/* Where the flow's ends are. */
struct drill_ends {
    struct la_addr local, remote; /* the host under test, and the script's side */
    uint8_t version;              /* on the wire */
};

/*
 * drill_flow_build() - An inbound packet of a script, as bytes.
 *
 * Return: NULL, or what can not be built.
 */
const char *drill_flow_build(struct drill_flow *f, const struct drill_ends *ends,
                             const struct drill_packet *p, uint8_t *to, uint32_t *len);

/*
 * drill_flow_compare() - Does a packet from the host meet an expectation?
 * @s:    As on the wire; translated into the script's numbers, but for what can not be
 * @why:  @room bytes: what differs, expected and actual
 *
 * Learns the host's initial sequence number and timestamps as it goes.
 * Return: true if nothing differs.
 */
bool drill_flow_compare(struct drill_flow *f, const struct drill_ends *ends,
                        const struct drill_packet *p, struct drill_segment *s, char *why,
                        size_t room);

/* Remember what the host sent. */
void drill_flow_learn(struct drill_flow *f, const struct drill_packet *p,
                      const struct drill_segment *live);

/* A packet in the script's notation and numbers; @f may be NULL.  Return: @to. */
char *drill_flow_text(const struct drill_flow *f, const struct drill_segment *live, bool inbound,
                      char *to, size_t room);

/* The byte at that place of every stream: what scripts write and receive as "...". */
static inline uint8_t drill_pattern(uint64_t at)
{
    return (uint8_t)(at * 167 + (at >> 8) * 13 + (at >> 16));
}

#endif
