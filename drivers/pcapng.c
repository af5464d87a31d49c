/* SPDX-License-Identifier: MIT */
/*
 * pcapng.c - Capture files as draft-ietf-opsawg-pcapng describes them.
 *
 * A file is one section: its header, one interface of raw IP packets with nanosecond
 * time stamps, then an enhanced packet block for each packet.  Blocks are written in the host's byte
 * order, which the section header announces; each carries its length at both ends and
 * is padded to 4 bytes.
 *
 * A capture must never disturb the transfer it watches, so a failed write stops the
 * capture and nothing else; pcapng_close() tells.
 */
#include "drivers/pcapng.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SECTION 0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_PACKET 6u
#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define LINKTYPE_RAW 101u

#define OPT_END 0u
#define OPT_COMMENT 1u
#define OPT_SHB_USERAPPL 4u
#define OPT_IF_NAME 2u
#define OPT_IF_TSRESOL 9u
#define OPT_EPB_FLAGS 2u
#define FLAGS_INBOUND 1u
#define FLAGS_OUTBOUND 2u

#define COMMENT_MAX 4096u
#define SNAP_MAX 65535u /* the largest IP packet */

/* One block is put together here, then written whole. */
#define BLOCK_ROOM (65536u + 2u * COMMENT_MAX)

struct pcapng {
    FILE *file;
    int error; /* errno of the first failure */
    uint32_t snap_bytes;
    uint32_t len;
    uint8_t block[BLOCK_ROOM];
};

static void put(struct pcapng *p, const void *bytes, uint32_t len)
{
    if (len > 0)
        memcpy(p->block + p->len, bytes, len);
    p->len += len;
}

static void put16(struct pcapng *p, uint32_t x)
{
    const uint16_t half = (uint16_t)x;
    put(p, &half, sizeof half);
}

static void put32(struct pcapng *p, uint32_t x)
{
    put(p, &x, sizeof x);
}

static void pad(struct pcapng *p)
{
    static const uint8_t zeros[3];
    put(p, zeros, (4 - p->len % 4) % 4);
}

static void put_option(struct pcapng *p, uint32_t code, const void *bytes, uint32_t len)
{
    put16(p, code);
    put16(p, len);
    put(p, bytes, len);
    pad(p);
}

static void begin(struct pcapng *p, uint32_t type)
{
    p->len = 0;
    put32(p, type);
    put32(p, 0); /* the length, known at the end */
}

static void end(struct pcapng *p)
{
    const uint32_t len = p->len + 4;
    put32(p, len);
    memcpy(p->block + 4, &len, sizeof len);
    if (p->error == 0 && fwrite(p->block, 1, p->len, p->file) != p->len)
        p->error = errno != 0 ? errno : EIO;
}

static void put_headers(struct pcapng *p)
{
    static const char application[] = "lastack";
    static const uint8_t nanoseconds = 9;

    begin(p, BLOCK_SECTION);
    put32(p, BYTE_ORDER_MAGIC);
    put16(p, 1); /* version 1.0 */
    put16(p, 0);
    put32(p, UINT32_MAX); /* the section's length is not known */
    put32(p, UINT32_MAX);
    put_option(p, OPT_SHB_USERAPPL, application, sizeof application - 1);
    put_option(p, OPT_END, NULL, 0);
    end(p);

    begin(p, BLOCK_INTERFACE);
    put16(p, LINKTYPE_RAW);
    put16(p, 0);
    put32(p, 0); /* no snapshot length: it may change, see pcapng_snap() */
    put_option(p, OPT_IF_NAME, application, sizeof application - 1);
    put_option(p, OPT_IF_TSRESOL, &nanoseconds, 1);
    put_option(p, OPT_END, NULL, 0);
    end(p);
}

struct pcapng *pcapng_open(const char *path, char *error, size_t error_bytes)
{
    struct pcapng *p = calloc(1, sizeof *p);
    if (p == NULL) {
        snprintf(error, error_bytes, "no memory for the capture");
        return NULL;
    }
    p->file = fopen(path, "wbe");
    if (p->file == NULL) {
        snprintf(error, error_bytes, "cannot write %s: %s", path, strerror(errno));
        free(p);
        return NULL;
    }
    p->snap_bytes = SNAP_MAX;
    put_headers(p);
    if (!pcapng_flush(p)) {
        snprintf(error, error_bytes, "cannot write %s: %s", path, strerror(p->error));
        (void)fclose(p->file);
        free(p);
        return NULL;
    }
    return p;
}

void pcapng_packet(struct pcapng *p, uint64_t unix_ns, bool outbound, const uint8_t *bytes,
                   uint32_t len, const char *comment)
{
    const uint32_t flags = outbound ? FLAGS_OUTBOUND : FLAGS_INBOUND;
    const uint32_t captured = len < p->snap_bytes ? len : p->snap_bytes;

    begin(p, BLOCK_PACKET);
    put32(p, 0); /* interface */
    put32(p, (uint32_t)(unix_ns >> 32));
    put32(p, (uint32_t)unix_ns);
    put32(p, captured);
    put32(p, len);
    put(p, bytes, captured);
    pad(p);
    put_option(p, OPT_EPB_FLAGS, &flags, sizeof flags);
    if (comment != NULL && comment[0] != '\0')
        put_option(p, OPT_COMMENT, comment, (uint32_t)strnlen(comment, COMMENT_MAX));
    put_option(p, OPT_END, NULL, 0);
    end(p);
}

void pcapng_snap(struct pcapng *p, uint32_t bytes)
{
    p->snap_bytes = bytes < SNAP_MAX ? bytes : SNAP_MAX;
}

bool pcapng_flush(struct pcapng *p)
{
    if (fflush(p->file) != 0 && p->error == 0)
        p->error = errno;
    return p->error == 0;
}

bool pcapng_close(struct pcapng *p)
{
    if (p == NULL)
        return true;
    (void)pcapng_flush(p);
    if (fclose(p->file) != 0 && p->error == 0)
        p->error = errno;
    const int failed = p->error;
    free(p);
    if (failed != 0)
        errno = failed;
    return failed == 0;
}
