/* SPDX-License-Identifier: MIT */
/*
 * ip_parse_fuzz.c - Any bytes as a packet, outright and as one quoted in an ICMP error.
 *
 * The payload stays inside the packet and the packet inside the bytes; what is accepted
 * outright is accepted as a quote too, and means the same.
 */
#include "core/base/bytes.h"
#include "core/base/checksum.h"
#include "core/wire/ip.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void require_inside(const struct ip_packet *p, const uint8_t *bytes, uint32_t len)
{
    require(p->bytes == bytes && p->len_bytes <= len);
    require(p->payload >= bytes && p->payload + p->payload_len == bytes + p->len_bytes);
    require(p->next_header_at < p->len_bytes);
}

/* A fuzzer hardly finds a checksum, so every input is tried with the right one too. */
static void mend_checksum(uint8_t *bytes, uint32_t len)
{
    if (len < IP4_HEADER_BYTES || bytes[0] >> 4 != 4)
        return;
    const uint32_t header = (bytes[0] & 15u) * 4u;
    if (header < IP4_HEADER_BYTES || header > len)
        return;
    store_be16(bytes + 10, 0);
    store_be16(bytes + 10, checksum_finish(checksum_add(0, 0, bytes, header)));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
    struct ip_packet packet, quoted;
    const uint32_t len = (uint32_t)len_bytes;
    if (len_bytes > 70000)
        return 0;
    uint8_t *exact = calloc(1, len > 0 ? len : 1);
    if (exact == NULL)
        return 0;
    if (len > 0)
        memcpy(exact, bytes, len);
    (void)ip_parse(exact, len, &packet);
    mend_checksum(exact, len);

    const enum la_drop drop = ip_parse(exact, len, &packet);
    const enum la_drop quoted_drop = ip_parse_quoted(exact, len, &quoted);
    if (quoted_drop == LA_DROP_NONE)
        require_inside(&quoted, exact, len);
    if (drop == LA_DROP_NONE) {
        require_inside(&packet, exact, len);
        require(quoted_drop == LA_DROP_NONE);
        require(quoted.payload == packet.payload && quoted.payload_len == packet.payload_len);
        require(quoted.protocol == packet.protocol && quoted.fragment == packet.fragment);
    }
    if (drop == LA_DROP_IP6_OPTION || drop == LA_DROP_IP6_ROUTING)
        require(packet.next_header_at < packet.len_bytes);
    free(exact);
    return 0;
}
