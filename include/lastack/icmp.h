/* SPDX-License-Identifier: MIT */
/*
 * icmp.h - Echo requests of our own, for ping.
 *
 * Echo requests of others are answered by the stack itself; nothing needs to be done.
 */
#ifndef LASTACK_ICMP_H
#define LASTACK_ICMP_H

#include <lastack/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * la_ping_send() - Queue one echo request.
 * @id, @seq: Come back in the reply
 * @bytes:    Payload; copied.  With its headers it must fit the MTU and one chunk
 *
 * Return: LA_OK; LA_EMSGSIZE; LA_ENETUNREACH; LA_EADDRNOTAVAIL; LA_ENOBUFS.
 * RFC:    792, 4443 4.1.
 */
LA_MUST_CHECK enum la_err la_ping_send(struct la_stack *s, la_time now, struct la_addr to,
                                       uint16_t id, uint16_t seq, const void *bytes,
                                       uint32_t len_bytes);

struct la_ping_reply {
    struct la_addr from;
    uint16_t id, seq;
    uint32_t len_bytes;   /* of payload */
    uint64_t first_bytes; /* the payload's first 8 bytes, as they lay; a time stamp fits */
    uint8_t ttl;          /* as it arrived */
    uint8_t type, code;   /* 0 or 129: a reply; else the ICMP error that came instead */
    la_time at;
};

/* Take replies and errors for our requests.  Return: how many; the newest 8 are kept. */
uint32_t la_ping_read(struct la_stack *s, struct la_ping_reply *out, uint32_t max);

#ifdef __cplusplus
}
#endif
#endif
