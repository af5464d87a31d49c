/* SPDX-License-Identifier: MIT */
/*
 * vnet.h - The virtio-net header that stands in front of a packet on a device with offload:
 * what is left to do to the packet, as 10 bytes (virtio 1.1, 5.1.6, in its legacy layout).
 */
#ifndef DRIVERS_VNET_H
#define DRIVERS_VNET_H

#include <lastack/stack.h>

#define VNET_HEADER_BYTES 10u

/* Text of one super-segment: with all headers IPv4's total length is not above 65,535. */
#define VNET_GSO_MAX_BYTES 65400u

/*
 * vnet_parse() - Say in @frame what a header says of the packet behind it.
 * @header: VNET_HEADER_BYTES
 * @frame:  Its bytes and len_bytes are set; flags, gso and csum are written
 *
 * What contradicts itself, or asks for what was not agreed, is handed on marked
 * LA_FRAME_MALFORMED, so that the stack drops and counts it.
 */
void vnet_parse(const uint8_t *header, struct la_frame *frame);

/* The header for a descriptor. */
void vnet_emit(const struct la_tx *tx, uint8_t header[VNET_HEADER_BYTES]);

#endif
