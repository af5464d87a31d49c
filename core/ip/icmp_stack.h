/* SPDX-License-Identifier: MIT */
/* icmp_stack.h - Between the files of the IP layer: ICMP in, ICMP out. */
#ifndef CORE_IP_ICMP_STACK_H
#define CORE_IP_ICMP_STACK_H

#include "core/ip/ip_stack.h"

/* Judge an ICMP or ICMPv6 message for us.  *@reason is set, and not counted, for IP_DROP. */
enum ip_verdict icmp_receive(struct ip *ip, struct env *env, const struct ip_packet *p,
                             struct ip_error *error, enum la_drop *reason);

/*
 * Queue the answer to an echo request / an error about @p.  Both packets are for us and from
 * a host.  @m: type, code and what the class needs; @m->data of an error is not looked at.
 *
 * Return: LA_DROP_NONE; LA_DROP_IP_NO_ROUTE, LA_DROP_REPLIES_FULL, LA_DROP_REPLY_NO_CHUNK,
 *         for an error also LA_DROP_ICMP_RATE.
 */
enum la_drop icmp_send_reply(struct ip *ip, struct env *env, const struct ip_packet *p,
                             const struct icmp_message *request);
enum la_drop icmp_send_error(struct ip *ip, struct env *env, const struct ip_packet *p,
                             const struct icmp_message *m);

/*
 * Queue a message with @len_bytes of data from @data, copied into a chunk.
 * Return: LA_DROP_NONE, LA_DROP_REPLIES_FULL or LA_DROP_REPLY_NO_CHUNK (also if it is
 *         larger than a chunk).
 */
enum la_drop send_queue(struct ip *ip, struct env *env, const struct ip_reply *reply,
                        const uint8_t *data, uint32_t len_bytes);

#endif
