/* SPDX-License-Identifier: MIT */
/*
 * queue.c - Byte queues made of chunks.
 *
 * Every chunk from head to tail holds at least one byte; chunks behind the tail are a
 * reservation and hold none.  There is one exception: a queue without data that has a
 * reservation keeps it from head on, and its tail is its head.  A chunk's text may begin
 * and end anywhere in it: dropping moves the beginning, appending uses what is free behind
 * the end, prepending what is free before the beginning.
 *
 * Cost: each call is bounded by the bytes it copies and the chunks it takes, gives back or
 * passes.  Only queue_drop_tail(), and queue_spans() without a hint, pass chunks they do
 * not change.
 */
#include "core/base/checksum.h"
#include "core/base/chunks.h"

static uint32_t end_room(const struct chunks *p, const struct chunk *c)
{
    return chunks_payload(p) - c->start - c->len;
}
static uint32_t chunk_next(const struct chunks *p, const void *arena, uint32_t i)
{
    return chunk_at(p, arena, i)->slot.link;
}
static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

void queue_init(struct queue *q)
{
    *q = (struct queue){ .head = SLAB_NONE, .tail = SLAB_NONE };
}

/* Give back @i and all behind it. */
static void give_from(struct queue *q, struct chunks *p, void *arena, uint32_t i)
{
    while (i != SLAB_NONE) {
        const uint32_t next = chunk_next(p, arena, i);
        LA_ASSERT(q->chunks > 0);
        chunks_give(p, arena, i);
        q->chunks--;
        i = next;
    }
}

/* End the reservation, if there is one. */
static void settle(struct queue *q, struct chunks *p, void *arena)
{
    if (q->tail == SLAB_NONE)
        return;
    if (q->len_bytes == 0) {
        give_from(q, p, arena, q->head);
        LA_ASSERT(q->chunks == 0);
        queue_init(q);
    } else {
        struct chunk *const tail = chunk_at(p, arena, q->tail);
        give_from(q, p, arena, tail->slot.link);
        tail->slot.link = SLAB_NONE;
    }
}

/* One more chunk behind @last, which is the end of the list; SLAB_NONE if there is none. */
static uint32_t extend(struct queue *q, struct chunks *p, void *arena, uint32_t last,
                       enum chunks_class class)
{
    const uint32_t i = chunks_take(p, arena, class);
    if (i == SLAB_NONE)
        return SLAB_NONE;
    if (last == SLAB_NONE) {
        q->head = i;
        q->tail = i;
    } else {
        chunk_at(p, arena, last)->slot.link = i;
    }
    q->chunks++;
    return i;
}

/* At the end ------------------------------------------------------------------- */

/* Text goes to the end of a chunk. */
static void fill(struct chunk *c, const uint8_t *bytes, uint32_t len_bytes)
{
    memcpy(c->bytes + c->start + c->len, bytes, len_bytes);
    c->len = (uint16_t)(c->len + len_bytes);
}

static struct chunk_mark *marks_of(const struct chunks *p, const struct chunk *c)
{
    return (struct chunk_mark *)(uintptr_t)(c->bytes + p->payload_bytes);
}

/* A packet ends here. */
static void mark(const struct chunks *p, struct chunk *c, uint32_t end, uint32_t sum)
{
    struct chunk_mark *m = marks_of(p, c);

    if (p->marks > 0 && m->end + 1u < p->marks) {
        m->end++;
        m[m->end].end = (uint16_t)end;
        m[m->end].sum = (uint16_t)sum;
    }
}

/*
 * Text goes to the end of a chunk, and if all that stands before was summed, the sum goes on.
 * Return: where the next cut is, from the end.
 */
static uint32_t fill_summed(const struct chunks *p, struct chunk *c, const uint8_t *bytes,
                            uint32_t len_bytes, struct queue_cuts cuts, uint32_t features)
{
    uint32_t next = cuts.next_bytes, end = c->summed, sum = c->sum;

    if (end != (uint32_t)c->start + c->len) {
        fill(c, bytes, len_bytes);
        return len_bytes < next ? next - len_bytes
                                : cuts.step_bytes - (len_bytes - next) % cuts.step_bytes;
    }
    if (end == 0 && p->marks > 0)
        marks_of(p, c)->end = 0;
    while (len_bytes > 0) {
        const uint32_t n = least(len_bytes, next);
        const uint64_t piece = checksum_copy(features, 0, c->bytes + end, bytes, n);

        sum = checksum_fold(checksum_combine(sum, piece, end));
        end += n;
        bytes += n;
        len_bytes -= n;
        next -= n;
        if (next == 0) {
            mark(p, c, end, sum);
            next = cuts.step_bytes;
        }
    }
    c->len = (uint16_t)(end - c->start);
    c->summed = (uint16_t)end;
    c->sum = (uint16_t)sum;
    return next;
}

/* The tail if it has room, else a fresh chunk behind it, of @left at most; NULL if there is none. */
static struct chunk *fillable(struct queue *q, struct chunks *p, void *arena, uint32_t *left,
                              enum chunks_class class)
{
    if (q->tail == SLAB_NONE || end_room(p, chunk_at(p, arena, q->tail)) == 0) {
        const uint32_t i = *left > 0 ? extend(q, p, arena, q->tail, class) : SLAB_NONE;

        if (i == SLAB_NONE)
            return NULL;
        (*left)--;
        q->tail = i;
    }
    return chunk_at(p, arena, q->tail);
}

uint32_t queue_append(struct queue *q, struct chunks *p, void *arena, const uint8_t *bytes,
                      uint32_t len_bytes, uint32_t max_chunks, enum chunks_class class)
{
    uint32_t done = 0;
    struct chunk *c;

    settle(q, p, arena);
    while (done < len_bytes && (c = fillable(q, p, arena, &max_chunks, class)) != NULL) {
        const uint32_t n = least(end_room(p, c), len_bytes - done);

        fill(c, bytes + done, n);
        done += n;
    }
    LA_ASSERT(q->len_bytes <= UINT32_MAX - done);
    q->len_bytes += done;
    return done;
}

uint32_t queue_append_summed(struct queue *q, struct chunks *p, void *arena, const uint8_t *bytes,
                             uint32_t len_bytes, enum chunks_class class, struct queue_cuts cuts,
                             uint32_t features)
{
    uint32_t done = 0, max_chunks = UINT32_MAX;
    struct chunk *c;

    LA_ASSERT(cuts.next_bytes > 0 && cuts.step_bytes > 0);
    settle(q, p, arena);
    while (done < len_bytes && (c = fillable(q, p, arena, &max_chunks, class)) != NULL) {
        const uint32_t n = least(end_room(p, c), len_bytes - done);

        cuts.next_bytes = fill_summed(p, c, bytes + done, n, cuts, features);
        done += n;
    }
    LA_ASSERT(q->len_bytes <= UINT32_MAX - done);
    q->len_bytes += done;
    return done;
}

/* Is it known what bytes[] up to @at come to? */
static bool sum_known(const struct chunks *p, const struct chunk *c, uint32_t at, uint32_t *sum)
{
    const struct chunk_mark *m = marks_of(p, c);

    *sum = at == 0 ? 0 : c->sum;
    if (at == 0 || at == c->summed)
        return true;
    for (uint32_t i = p->marks > 0 ? m->end : 0; i > 0; i--) {
        if (m[i].end == at) {
            *sum = m[i].sum;
            return true;
        }
    }
    return false;
}

uint64_t queue_sum(const struct chunks *p, const void *arena, const struct la_cspan *span,
                   uint32_t features)
{
    const uint8_t *pool = slab_at(&p->slab, arena, 0);
    const uint64_t into = (uint64_t)(span->bytes - pool) & (p->slab.item_bytes - 1u);
    const struct chunk *c = (const struct chunk *)(const void *)(span->bytes - into);
    const uint32_t from = (uint32_t)(into - offsetof(struct chunk, bytes));
    const uint32_t to = from + span->len_bytes;
    uint32_t before, sum;

    LA_ASSERT(into >= offsetof(struct chunk, bytes) && to <= chunks_payload(p));
    if (to > c->summed)
        return checksum_add(features, 0, span->bytes, span->len_bytes);
    /* What is not of the span is taken away: its complement is added (RFC 1071 1). */
    if (sum_known(p, c, from, &before) && sum_known(p, c, to, &sum))
        return checksum_combine(0, (uint64_t)sum + (UINT16_MAX - before), from);
    if (from + (c->summed - to) >= span->len_bytes)
        return checksum_add(features, 0, span->bytes, span->len_bytes);
    sum = c->sum;
    if (from > 0)
        sum += checksum_finish(checksum_add(features, 0, c->bytes, from));
    if (to < c->summed)
        sum = checksum_fold(checksum_combine(
            sum, checksum_finish(checksum_add(features, 0, c->bytes + to, c->summed - to)), to));
    return checksum_combine(0, sum, from);
}

uint32_t queue_reserve(struct queue *q, struct chunks *p, void *arena, uint32_t want_bytes,
                       struct la_span *spans, uint32_t max, uint32_t *count)
{
    uint32_t done = 0;
    uint32_t last = SLAB_NONE;
    uint32_t i = q->tail;
    *count = 0;
    while (done < want_bytes && *count < max) {
        if (i == SLAB_NONE) {
            i = extend(q, p, arena, last, CHUNKS_SEND);
            if (i == SLAB_NONE)
                break;
        }
        struct chunk *const c = chunk_at(p, arena, i);
        const uint32_t n = least(end_room(p, c), want_bytes - done);
        if (n > 0) {
            spans[*count] = (struct la_span){ c->bytes + c->start + c->len, n };
            (*count)++;
            done += n;
        }
        last = i;
        i = c->slot.link;
    }
    return done;
}

uint32_t queue_reserved_bytes(const struct queue *q, const struct chunks *p, const void *arena)
{
    uint32_t bytes = 0;
    for (uint32_t i = q->tail; i != SLAB_NONE; i = chunk_next(p, arena, i))
        bytes += end_room(p, chunk_at(p, arena, i));
    return bytes;
}

void queue_commit(struct queue *q, struct chunks *p, void *arena, uint32_t len_bytes)
{
    uint32_t left = len_bytes;
    LA_ASSERT(q->len_bytes <= UINT32_MAX - len_bytes);
    for (uint32_t i = q->tail; left > 0; i = chunk_next(p, arena, i)) {
        LA_ASSERT(i != SLAB_NONE);
        struct chunk *const c = chunk_at(p, arena, i);
        const uint32_t n = least(end_room(p, c), left);
        c->len = (uint16_t)(c->len + n);
        left -= n;
        q->tail = i;
    }
    q->len_bytes += len_bytes;
    settle(q, p, arena);
}

void queue_drop_tail(struct queue *q, struct chunks *p, void *arena, uint32_t len_bytes)
{
    LA_ASSERT(len_bytes <= q->len_bytes);
    uint32_t keep = q->len_bytes - len_bytes;
    settle(q, p, arena);
    if (len_bytes == 0)
        return;
    if (keep == 0) {
        queue_clear(q, p, arena);
        return;
    }
    q->len_bytes = keep;
    uint32_t i = q->head;
    while (keep > chunk_at(p, arena, i)->len) {
        keep -= chunk_at(p, arena, i)->len;
        i = chunk_next(p, arena, i);
    }
    struct chunk *const c = chunk_at(p, arena, i);
    c->len = (uint16_t)keep;
    if (c->summed > c->start + c->len)
        c->summed = c->sum = 0; /* what is appended overwrites some of it */
    q->tail = i;
    settle(q, p, arena); /* what is behind the tail goes */
}

/* At the front ----------------------------------------------------------------- */

uint32_t queue_prepend(struct queue *q, struct chunks *p, void *arena, const uint8_t *bytes,
                       uint32_t len_bytes, enum chunks_class class)
{
    const uint32_t payload = chunks_payload(p);
    settle(q, p, arena);
    const uint32_t room = q->head == SLAB_NONE ? 0 : chunk_at(p, arena, q->head)->start;
    const uint32_t more = len_bytes > room ? len_bytes - room : 0;
    const uint32_t free = chunks_room_for(p, class);
    LA_ASSERT(q->len_bytes <= UINT32_MAX - len_bytes);
    if (more / payload + (more % payload != 0) > free)
        return 0;
    for (uint32_t left = len_bytes; left > 0;) {
        if (q->head == SLAB_NONE || chunk_at(p, arena, q->head)->start == 0) {
            const uint32_t i = chunks_take(p, arena, class);
            LA_ASSERT(i != SLAB_NONE);
            chunk_at(p, arena, i)->start = (uint16_t)payload;
            chunk_at(p, arena, i)->slot.link = q->head;
            if (q->head == SLAB_NONE)
                q->tail = i;
            q->head = i;
            q->chunks++;
        }
        struct chunk *const c = chunk_at(p, arena, q->head);
        const uint32_t n = least(c->start, left);
        left -= n;
        c->summed = c->sum = 0; /* its first bytes change */
        c->start = (uint16_t)(c->start - n);
        c->len = (uint16_t)(c->len + n);
        memcpy(c->bytes + c->start, bytes + left, n);
    }
    q->len_bytes += len_bytes;
    return len_bytes;
}

void queue_drop(struct queue *q, struct chunks *p, void *arena, uint32_t len_bytes)
{
    LA_ASSERT(len_bytes <= q->len_bytes);
    if (len_bytes == 0)
        return;
    q->len_bytes -= len_bytes;
    if (q->len_bytes == 0) {
        queue_clear(q, p, arena);
        return;
    }
    while (len_bytes > 0) {
        struct chunk *const c = chunk_at(p, arena, q->head);
        const uint32_t n = least(c->len, len_bytes);
        len_bytes -= n;
        c->start = (uint16_t)(c->start + n);
        c->len = (uint16_t)(c->len - n);
        if (c->len > 0)
            continue;
        const uint32_t next = c->slot.link;
        LA_ASSERT(q->head != q->tail);
        chunks_give(p, arena, q->head);
        q->head = next;
        q->chunks--;
    }
}

/* Whole queues ----------------------------------------------------------------- */

void queue_splice(struct queue *q, struct chunks *p, void *arena, struct queue *from)
{
    LA_ASSERT(q != from);
    LA_ASSERT(q->len_bytes <= UINT32_MAX - from->len_bytes);
    settle(q, p, arena);
    settle(from, p, arena);
    if (q->head != SLAB_NONE && from->head != SLAB_NONE) {
        struct chunk *const tail = chunk_at(p, arena, q->tail);
        const struct chunk *const head = chunk_at(p, arena, from->head);
        const uint32_t len = head->len;
        if (tail->len + len <= chunks_payload(p)) {
            if (len > end_room(p, tail)) {
                memmove(tail->bytes, tail->bytes + tail->start, tail->len);
                tail->start = 0;
                tail->summed = tail->sum = 0;
            }
            memcpy(tail->bytes + tail->start + tail->len, head->bytes + head->start, len);
            tail->len = (uint16_t)(tail->len + len);
            q->len_bytes += len;
            queue_drop(from, p, arena, len);
        }
    }
    if (from->head == SLAB_NONE)
        return;
    if (q->head == SLAB_NONE)
        q->head = from->head;
    else
        chunk_at(p, arena, q->tail)->slot.link = from->head;
    q->tail = from->tail;
    q->chunks += from->chunks;
    q->len_bytes += from->len_bytes;
    queue_init(from);
}

void queue_clear(struct queue *q, struct chunks *p, void *arena)
{
    give_from(q, p, arena, q->head);
    LA_ASSERT(q->chunks == 0);
    queue_init(q);
}

/* Looking ---------------------------------------------------------------------- */

uint32_t queue_spans(const struct queue *q, const struct chunks *p, const void *arena,
                     uint32_t offset_bytes, uint32_t len_bytes, struct la_cspan *spans,
                     uint32_t max, uint32_t *count, struct queue_hint *hint)
{
    struct queue_hint at = { q->head, 0 };
    uint32_t done = 0;
    *count = 0;
    if (offset_bytes >= q->len_bytes)
        return 0;
    if (hint && hint->chunk != SLAB_NONE && hint->offset_bytes <= offset_bytes)
        at = *hint;
    len_bytes = least(len_bytes, q->len_bytes - offset_bytes);
    if (max > 0 && len_bytes > 0) { /* most often all of it lies where we begin to look */
        const struct chunk *const c = chunk_at(p, arena, at.chunk);
        const uint32_t skip = offset_bytes - at.offset_bytes;
        if (skip + len_bytes <= c->len) {
            spans[0] = (struct la_cspan){ c->bytes + c->start + skip, len_bytes };
            *count = 1;
            if (hint)
                *hint = at;
            return len_bytes;
        }
    }
    while (done < len_bytes && *count < max) {
        LA_ASSERT(at.chunk != SLAB_NONE);
        const struct chunk *const c = chunk_at(p, arena, at.chunk);
        const uint32_t skip = offset_bytes + done - at.offset_bytes;
        if (skip < c->len) {
            const uint32_t n = least(c->len - skip, len_bytes - done);
            spans[*count] = (struct la_cspan){ c->bytes + c->start + skip, n };
            (*count)++;
            done += n;
            if (hint)
                *hint = at;
        }
        at.chunk = c->slot.link;
        at.offset_bytes += c->len;
    }
    return done;
}

const char *queue_check(const struct queue *q, const struct chunks *p, const void *arena)
{
    uint32_t chunks = 0;
    uint32_t len_bytes = 0;
    bool reserved = q->len_bytes == 0; /* past the data */
    bool tail_seen = q->tail == SLAB_NONE;

    if ((q->head == SLAB_NONE) != (q->tail == SLAB_NONE))
        return "queue: head and tail are both there, or neither";
    for (uint32_t i = q->head; i != SLAB_NONE; i = chunk_next(p, arena, i)) {
        if (chunks == q->chunks)
            return "queue: as many chunks as counted";
        if (!slab_live(&p->slab, arena, i))
            return "queue: its chunks are live";
        const struct chunk *const c = chunk_at(p, arena, i);
        if ((uint32_t)c->start + c->len > chunks_payload(p))
            return "queue: a chunk's text lies within it";
        if (reserved != (c->len == 0))
            return "queue: chunks up to the tail hold data, those behind it none";
        if (i == q->tail) {
            tail_seen = true;
            reserved = true;
        }
        chunks++;
        len_bytes += c->len;
    }
    if (!tail_seen || (q->len_bytes == 0 && q->head != q->tail))
        return "queue: the tail is in the list, and the head of an empty one";
    if (chunks != q->chunks || len_bytes != q->len_bytes)
        return "queue: as many chunks and bytes as counted";
    return NULL;
}
