/* SPDX-License-Identifier: MIT */
/* pcapng.h - A capture file of IP packets, each with its direction and a comment. */
#ifndef DRIVERS_PCAPNG_H
#define DRIVERS_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pcapng;

/*
 * pcapng_open() - Create or replace a capture file.
 * @error: On failure, a sentence for people
 *
 * Return: the file, or NULL.
 */
struct pcapng *pcapng_open(const char *path, char *error, size_t error_bytes);

/*
 * pcapng_packet() - Append one packet.
 * @unix_ns:  Nanoseconds since 1970
 * @outbound: This side sent it
 * @bytes:    First byte of the IP header
 * @comment:  Shown with the packet by readers; NULL for none
 *
 * Buffered; a failure is kept until pcapng_close(), and nothing is written after it.
 */
void pcapng_packet(struct pcapng *p, uint64_t unix_ns, bool outbound, const uint8_t *bytes,
                   uint32_t len, const char *comment);

/* Keep only the first @bytes of each packet that follows; its full length is still told. */
void pcapng_snap(struct pcapng *p, uint32_t bytes);

/* Pass on what is buffered, so that a reader sees whole packets.  False after a failure. */
bool pcapng_flush(struct pcapng *p);

/* Return: true if every byte reached the file; else errno is that of the first failure.  NULL is allowed. */
bool pcapng_close(struct pcapng *p);

#endif
