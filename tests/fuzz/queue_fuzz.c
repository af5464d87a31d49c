/* SPDX-License-Identifier: MIT */
/*
 * queue_fuzz.c - Two byte queues on one small pool, under any sequence of changes.
 *
 * The oracle is a flat array for each.
 */
#include "core/base/poison.h"
#include "tests/fuzz/input.h"

#include <string.h>

#include "core/base/chunks.h"

#define CHUNK 512u
#define CHUNKS 12u
#define FLAT (CHUNKS * CHUNK)
#define SPANS 16u

static _Alignas(64) uint8_t arena[FLAT];
static struct chunks pool;

static struct both {
    struct queue q;
    struct queue_hint hint;
    uint32_t len;
    uint8_t flat[FLAT];
} both[2];

static uint8_t text[2048];

/* Bytes nobody has used lately. */
static void fresh_text(void)
{
    static uint8_t next;
    for (uint32_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(next + i * 7);
    next = (uint8_t)(next + 13);
}

static uint32_t compare_range(struct both *x, uint32_t offset, uint32_t len, uint32_t max,
                              struct queue_hint *hint)
{
    struct la_cspan spans[SPANS];
    uint32_t count;
    const uint32_t n = queue_spans(&x->q, &pool, arena, offset, len, spans, max, &count, hint);
    uint32_t at = 0;
    must(count <= max && n <= len);
    for (uint32_t i = 0; i < count; i++) {
        must(offset + at + spans[i].len_bytes <= x->len);
        must(memcmp(spans[i].bytes, x->flat + offset + at, spans[i].len_bytes) == 0);
        at += spans[i].len_bytes;
    }
    must(at == n);
    must(count == max || n == len || offset + n >= x->len);
    return n;
}

static void check(struct both *x)
{
    must_be_sound(queue_check(&x->q, &pool, arena));
    must(x->q.len_bytes == x->len);
    must(compare_range(x, 0, x->len, SPANS, NULL) == x->len);
}

static void reserve_commit(struct both *x, uint32_t want, uint32_t max, uint32_t part)
{
    struct la_span spans[SPANS];
    uint32_t count;
    const uint32_t n = queue_reserve(&x->q, &pool, arena, want, spans, max, &count);
    uint32_t at = x->len;
    must(n <= want && count <= max);
    must(n <= queue_reserved_bytes(&x->q, &pool, arena));
    must_be_sound(queue_check(&x->q, &pool, arena));
    for (uint32_t i = 0; i < count; i++) {
        memcpy(spans[i].bytes, text + (at - x->len), spans[i].len_bytes);
        memcpy(x->flat + at, text + (at - x->len), spans[i].len_bytes);
        at += spans[i].len_bytes;
    }
    must(at == x->len + n);
    if (part == 255) /* left open: the next call finds it */
        return;
    const uint32_t commit = n * part / 254;
    queue_commit(&x->q, &pool, arena, commit);
    x->len += commit;
}

static void drop(struct both *x, uint32_t n)
{
    queue_drop(&x->q, &pool, arena, n);
    x->len -= n;
    memmove(x->flat, x->flat + n, x->len);
    if (x->hint.chunk != SLAB_NONE && x->hint.offset_bytes >= n && x->len > 0)
        x->hint.offset_bytes -= n;
    else
        x->hint.chunk = SLAB_NONE;
}

static void change(struct both *x, struct both *y, struct input *in)
{
    const uint32_t choice = input_u8(in);
    const uint32_t len = input_u16(in) % sizeof text;
    const enum chunks_class class = choice & 8u ? CHUNKS_RESERVE : CHUNKS_ORDINARY;
    const uint32_t part = len < x->len ? len : x->len;
    uint32_t n;
    fresh_text();
    switch (choice % 8) {
    case 0:
    case 1:
        n = queue_append(&x->q, &pool, arena, text, len, choice / 16, class);
        must(n <= len);
        memcpy(x->flat + x->len, text, n);
        x->len += n;
        break;
    case 2:
        n = queue_prepend(&x->q, &pool, arena, text, len, class);
        must(n == 0 || n == len);
        memmove(x->flat + n, x->flat, x->len);
        memcpy(x->flat, text, n);
        x->len += n;
        x->hint.chunk = SLAB_NONE;
        break;
    case 3:
        reserve_commit(x, len, choice / 16, input_u8(in));
        break;
    case 4:
    case 5:
        drop(x, part);
        break;
    case 6:
        queue_drop_tail(&x->q, &pool, arena, part);
        x->len -= part;
        x->hint.chunk = SLAB_NONE;
        break;
    case 7:
        queue_splice(&x->q, &pool, arena, &y->q);
        memcpy(x->flat + x->len, y->flat, y->len);
        x->len += y->len;
        y->len = 0;
        x->hint.chunk = SLAB_NONE;
        y->hint.chunk = SLAB_NONE;
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
    struct input in = { bytes, len_bytes };
    poison_clear(arena, sizeof arena);
    memset(arena, 0, sizeof arena);
    chunks_init(&pool, 0, CHUNK, CHUNKS, input_u8(&in) % CHUNKS);
    for (uint32_t i = 0; i < 2; i++) {
        queue_init(&both[i].q);
        both[i].hint.chunk = SLAB_NONE;
        both[i].len = 0;
    }
    while (in.left > 0) {
        const uint32_t which = input_u8(&in);
        struct both *const x = &both[which % 2];
        change(x, &both[1 - which % 2], &in);
        compare_range(x, which * 16u % (x->len + 1), which * 8u, which / 16, &x->hint);
        check(&both[0]);
        check(&both[1]);
        must(pool.slab.used == both[0].q.chunks + both[1].q.chunks);
    }
    queue_clear(&both[0].q, &pool, arena);
    queue_clear(&both[1].q, &pool, arena);
    must(pool.slab.used == 0);
    must_be_sound(slab_check(&pool.slab, arena));
    return 0;
}
