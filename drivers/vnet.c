/* SPDX-License-Identifier: MIT */
/*
 * vnet.c - The virtio-net header: bytes to a frame's offload fields and back.
 *
 * Inwards it is the kernel's word about a packet and still judged, because a frame that says it
 * is many segments, or that its checksum need not be looked at, is believed by everything above.
 * A packet with an unfinished checksum (NEEDS_CSUM) never left this host's memory: nobody has
 * computed the sum, and there is nothing to verify.  DATA_VALID: the kernel has verified it.
 * Either makes LA_FRAME_CSUM_OK, for this frame alone.
 *
 * A super-segment must have an unfinished checksum, must be TCP of the family its type says, and
 * its segments must have a size.  UDP's types are never asked for, so they are malformed here.
 *
 * Numbers are in the host's byte order: the layout TUN has unless it is told otherwise.
 */
#include "drivers/vnet.h"

#include <string.h>

/* <linux/virtio_net.h> is not everywhere; these are the specification's. */
#define FLAG_NEEDS_CSUM 1u
#define FLAG_DATA_VALID 2u
#define GSO_NONE 0u
#define GSO_TCPV4 1u
#define GSO_TCPV6 4u
#define GSO_ECN 0x80u

enum {
    AT_FLAGS = 0,
    AT_GSO_TYPE = 1,
    AT_HDR_LEN = 2,
    AT_GSO_SIZE = 4,
    AT_START = 6,
    AT_OFFSET = 8
};

static uint16_t get16(const uint8_t *p)
{
    uint16_t x;

    memcpy(&x, p, sizeof x);
    return x;
}

static void put16(uint8_t *p, uint16_t x)
{
    memcpy(p, &x, sizeof x);
}

static bool gso_is_sane(uint32_t type, uint32_t flags, uint32_t size, const struct la_frame *frame)
{
    if (type == GSO_NONE)
        return true;
    if (!(flags & FLAG_NEEDS_CSUM) || size == 0 || frame->len_bytes == 0)
        return false;
    const uint32_t version = frame->bytes[0] >> 4;
    return (type == GSO_TCPV4 && version == 4) || (type == GSO_TCPV6 && version == 6);
}

void vnet_parse(const uint8_t *header, struct la_frame *frame)
{
    const uint32_t flags = header[AT_FLAGS];
    const uint32_t type = header[AT_GSO_TYPE] & ~GSO_ECN;
    const uint32_t start = get16(header + AT_START);
    const uint32_t offset = get16(header + AT_OFFSET);

    frame->flags = 0;
    frame->gso_size_bytes = 0;
    frame->csum_start = frame->csum_offset = 0;
    if (!gso_is_sane(type, flags, get16(header + AT_GSO_SIZE), frame)) {
        frame->flags = LA_FRAME_MALFORMED;
        return;
    }
    if (flags & FLAG_NEEDS_CSUM) {
        if (start == 0 || start + offset + 2 > frame->len_bytes) {
            frame->flags = LA_FRAME_MALFORMED;
            return;
        }
        frame->flags = LA_FRAME_CSUM_OK | LA_FRAME_CSUM_PARTIAL;
        frame->csum_start = (uint16_t)start;
        frame->csum_offset = (uint16_t)offset;
    } else if (flags & FLAG_DATA_VALID) {
        frame->flags = LA_FRAME_CSUM_OK;
    }
    if (type != GSO_NONE)
        frame->gso_size_bytes = get16(header + AT_GSO_SIZE);
}

void vnet_emit(const struct la_tx *tx, uint8_t header[VNET_HEADER_BYTES])
{
    memset(header, 0, VNET_HEADER_BYTES);
    if (!(tx->flags & LA_TX_CSUM_PARTIAL))
        return;
    header[AT_FLAGS] = FLAG_NEEDS_CSUM;
    put16(header + AT_START, tx->csum_start);
    put16(header + AT_OFFSET, tx->csum_offset);
    if (tx->gso_size_bytes == 0)
        return;
    /* A packet that the loop held back is flat: all of it lies in its one span. */
    const uint8_t *packet = tx->header_len > 0 ? tx->header : tx->spans[0].bytes;
    const uint32_t tcp_bytes = (packet[tx->csum_start + 12] >> 4) * 4u;
    header[AT_GSO_TYPE] = packet[0] >> 4 == 4 ? GSO_TCPV4 : GSO_TCPV6;
    put16(header + AT_HDR_LEN, (uint16_t)(tx->csum_start + tcp_bytes));
    put16(header + AT_GSO_SIZE, tx->gso_size_bytes);
}
