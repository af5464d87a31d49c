/* SPDX-License-Identifier: MIT */
/*
 * icmp_parse_fuzz.c - Any bytes as an ICMP message for a host, both versions, through its IP layer.
 *
 * The first byte chooses version and address, the others are the message; its checksum is put right.
 * At most one answer comes of it, only an echo request draws one, it is no longer than the
 * request, and no chunk stays behind.
 */
#include "core/base/bytes.h"
#include "core/base/checksum.h"
#include "core/base/poison.h"
#include "core/ip/ip_stack.h"

#include <stdlib.h>
#include <string.h>

#define CHUNKS 8u
#define CHUNK_BYTES 2048u
#define MESSAGE_MAX 3000u

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes);

struct host {
    struct env env;
    _Alignas(64) uint8_t pool[CHUNKS * CHUNK_BYTES];
    struct ip ip;
};
static struct host host;

static const struct la_addr ours6 = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } };
static const struct la_addr theirs6 = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 9 } };

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void start(void)
{
    const struct la_iface_config config = { .mtu_bytes = 1500 };
    const struct la_prefix v4 = { la_addr_v4(192, 0, 2, 1), 120 };
    const struct la_prefix v6 = { ours6, 64 };

    poison_clear(&host, sizeof host);
    memset(&host, 0, sizeof host);
    host.env.now = (la_time){ 1000000000 };
    host.env.knobs.default_ttl = 64;
    host.env.knobs.icmp_msgs_per_sec = 1000;
    host.env.knobs.icmp_msgs_burst = 50;
    chunks_init(&host.env.chunks, offsetof(struct host, pool), CHUNK_BYTES, CHUNKS, 1);
    ip_init(&host.ip, host.env.now, 4080);
    require(ip_iface_add(&host.ip, &config) == 0);
    require(ip_addr_add(&host.ip, 0, v4, 0) == LA_OK);
    require(ip_addr_add(&host.ip, 0, v6, 0) == LA_OK);
}

static uint32_t make_frame(uint8_t choice, const uint8_t *message, uint32_t len, uint8_t *frame)
{
    const bool v4 = (choice & 1) == 0;
    const struct ip_header h = {
        .src = v4 ? la_addr_v4(192, 0, 2, 9) : theirs6,
        .dst = v4 ? la_addr_v4(192, 0, 2, (choice & 2) != 0 ? 255 : 1) : ours6,
        .payload_len = len,
        .protocol = v4 ? IP_PROTO_ICMP : IP_PROTO_ICMP6,
        .ttl = 64,
    };
    const uint32_t header = ip_emit(&h, frame);
    if (len > 0)
        memcpy(frame + header, message, len);
    if (len >= 4) {
        const uint64_t pseudo = v4 ? 0 : ip_pseudo_sum(h.src, h.dst, IP_PROTO_ICMP6, len);
        store_be16(frame + header + 2, 0);
        store_be16(frame + header + 2,
                   checksum_finish(checksum_add(0, pseudo, frame + header, len)));
    }
    return header + len;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
    static uint8_t frame[MESSAGE_MAX + 64];
    struct ip_packet packet;
    struct ip_error error;
    enum la_drop reason = LA_DROP_NONE;
    struct la_tx tx;

    if (len_bytes < 1 || len_bytes > MESSAGE_MAX)
        return 0;
    start();
    const uint32_t len = make_frame(bytes[0], bytes + 1, (uint32_t)len_bytes - 1, frame);
    uint8_t *exact = malloc(len);
    if (exact == NULL)
        return 0;
    memcpy(exact, frame, len);
    const struct la_frame in = { .bytes = exact, .len_bytes = len };
    const enum ip_verdict verdict = ip_receive(&host.ip, &host.env, &in, &packet, &error, &reason);

    require((verdict == IP_DROP) == (reason != LA_DROP_NONE));
    require(verdict != IP_TCP);
    const bool answered = ip_next(&host.ip, &host.env, &tx);
    if (answered) {
        require(verdict == IP_HANDLED && tx.len_bytes <= len);
        const uint8_t type = packet.payload[0];
        require(type == (packet.version == 4 ? 8 : 128));
    }
    require(!ip_next(&host.ip, &host.env, &tx));
    ip_sent(&host.ip, &host.env);
    require(host.env.chunks.slab.used == 0);
    free(exact);
    return 0;
}
