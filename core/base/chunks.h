/* SPDX-License-Identifier: MIT */
/*
 * chunks.h - A pool of equal chunks, and byte queues made of them.
 *
 * A queue is a list of chunks, each with its own used range, so queues can be joined by
 * a splice, text can be put in front or behind, and acknowledged text is given back chunk
 * by chunk.  Memory follows data: an empty queue holds no chunk.
 *
 * The pool keeps a reserve and grants by class: see enum chunks_class.
 */
#ifndef CORE_BASE_CHUNKS_H
#define CORE_BASE_CHUNKS_H

#include "core/base/slab.h"

struct chunk {
    struct slot slot; /* slot.link is free for the queue: the next chunk, or SLAB_NONE */
    uint16_t start;   /* of the used range, from bytes[] */
    uint16_t len;     /* of the used range */
    uint16_t summed;  /* bytes[] up to here come to: */
    uint16_t sum;     /* folded; see queue_append_summed() */
    uint8_t bytes[];  /* chunks_payload() of them, and behind them the marks */
};

/*
 * What bytes[] up to a place within the summed ones come to: a segment may end there.  In chunks too small
 * to hold several segments there are none; else the first says in `end` how many are behind it.
 */
struct chunk_mark {
    uint16_t end, sum;
};
#define CHUNK_MARKS_MIN_BYTES 8192u /* of a chunk that has marks */
#define CHUNK_MARKS_MAX 16u
#define QUEUE_SUM_MIN_BYTES 256u /* less is read as soon as looked up */

struct chunks {
    struct slab slab;       /* item_bytes = chunk_bytes, a power of two */
    uint32_t reserve;       /* chunks kept back from CHUNKS_ORDINARY */
    uint16_t payload_bytes; /* of one chunk */
    uint16_t marks;         /* struct chunk_mark in a chunk, the first included */
};

/*
 * Who takes.  What is to be sent leaves the last quarter to what arrives, and both leave the
 * reserve to a connection's next byte in order: buffers full of unsent text must not stop the
 * acknowledgments that would empty them.
 */
enum chunks_class { CHUNKS_SEND, CHUNKS_ORDINARY, CHUNKS_RESERVE };

struct queue {
    uint32_t head;   /* SLAB_NONE when empty */
    uint32_t tail;   /* the last that holds data; chunks behind it are reserved */
    uint32_t chunks; /* how many, with the reserved: memory held = chunks * item_bytes */
    uint32_t len_bytes;
};

void chunks_init(struct chunks *p, uint64_t offset, uint32_t chunk_bytes, uint32_t count,
                 uint32_t reserve);
/* Payload bytes of one chunk. */
static inline uint32_t chunks_payload(const struct chunks *p)
{
    return p->payload_bytes;
}
static inline struct chunk *chunk_at(const struct chunks *p, const void *arena, uint32_t i)
{
    return (struct chunk *)slab_at(&p->slab, arena, i);
}
/* An empty chunk (start 0, len 0, next none), or SLAB_NONE. */
uint32_t chunks_take(struct chunks *p, void *arena, enum chunks_class class);
void chunks_give(struct chunks *p, void *arena, uint32_t i);
/* Chunks an ordinary taker may still have. */
static inline uint32_t chunks_room(const struct chunks *p)
{
    const uint32_t room = slab_room(&p->slab);
    return room > p->reserve ? room - p->reserve : 0;
}

/* Chunks a sender may still have: the last quarter is left to what arrives. */
static inline uint32_t chunks_room_to_send(const struct chunks *p)
{
    const uint32_t room = chunks_room(p);
    const uint32_t quarter = (p->slab.cap - p->reserve) / 4;
    return room > quarter ? room - quarter : 0;
}

/* Chunks a taker of this class may still have. */
static inline uint32_t chunks_room_for(const struct chunks *p, enum chunks_class class)
{
    switch (class) {
    case CHUNKS_SEND:
        return chunks_room_to_send(p);
    case CHUNKS_ORDINARY:
        return chunks_room(p);
    case CHUNKS_RESERVE:
        break;
    }
    return slab_room(&p->slab);
}

/* Queues ----------------------------------------------------------------------- */

void queue_init(struct queue *q);
/*
 * Append by copying: fills the tail chunk first, then takes up to @max_chunks more.  Bytes
 * that are there do not move, so spans over them stay good.  Return: bytes taken.
 */
uint32_t queue_append(struct queue *q, struct chunks *p, void *arena, const uint8_t *bytes,
                      uint32_t len_bytes, uint32_t max_chunks, enum chunks_class class);
/* Where packets are going to end: @next_bytes behind the end of the queue, then every @step_bytes. */
struct queue_cuts {
    uint32_t next_bytes, step_bytes; /* none is 0 */
};
/*
 * The same, and the text is summed on the way, so that queue_sum() need not read it again.  A chunk knows
 * the sum of a range that begins with its first byte: of what was appended so since it was taken, without
 * anything else between; and what it was at the cuts.
 */
uint32_t queue_append_summed(struct queue *q, struct chunks *p, void *arena, const uint8_t *bytes,
                             uint32_t len_bytes, enum chunks_class class, struct queue_cuts cuts,
                             uint32_t features);
/*
 * The sum of a span within one chunk, as if it began at an even offset.  Of what was summed when it was
 * appended nothing is read if the span ends at cuts or the borders of the chunk, else at most half.
 */
uint64_t queue_sum(const struct chunks *p, const void *arena, const struct la_cspan *span,
                   uint32_t features);
/*
 * queue_place() - Copy text to where queue_append() would, and sum it, but change nothing.
 * @spans: the text, in one piece or more
 * @sum:   what to begin with
 *
 * The queue has no reservation, and chunks_room() suffices (both asserted).  Return: @sum with the
 * text's, as if it began at an even offset.
 */
uint64_t queue_place(const struct queue *q, const struct chunks *p, void *arena,
                     const struct la_cspan *spans, uint32_t count, uint32_t features, uint64_t sum);
/* What was placed becomes part of the queue; the pool was not used meanwhile. */
void queue_keep(struct queue *q, struct chunks *p, void *arena, uint32_t len_bytes);
/*
 * Room to write at the end: fills @spans with the free space of the tail chunk and of new
 * chunks, which are linked but count nothing until queue_commit().  @max spans, at most
 * @want bytes.  A second reservation replaces the first; any other change of the queue ends
 * it, but not a queue_drop() that leaves something.  Return: bytes in the spans.
 */
uint32_t queue_reserve(struct queue *q, struct chunks *p, void *arena, uint32_t want_bytes,
                       struct la_span *spans, uint32_t max, uint32_t *count);
/* The most that queue_commit() would take now. */
uint32_t queue_reserved_bytes(const struct queue *q, const struct chunks *p, const void *arena);
/*
 * The first @len bytes reserved become part of the queue (at most queue_reserved_bytes(),
 * asserted); unused chunks of the reservation are given back.
 */
void queue_commit(struct queue *q, struct chunks *p, void *arena, uint32_t len_bytes);
/*
 * Put text in front: fills the room before the first chunk's text, then takes chunks and
 * copies to their end.  Return: bytes taken (all or 0).
 */
uint32_t queue_prepend(struct queue *q, struct chunks *p, void *arena, const uint8_t *bytes,
                       uint32_t len_bytes, enum chunks_class class);
/* Drop the first / last @len bytes (at most len_bytes, asserted), giving empty chunks back. */
void queue_drop(struct queue *q, struct chunks *p, void *arena, uint32_t len_bytes);
/* Cost: O(chunks of the queue). */
void queue_drop_tail(struct queue *q, struct chunks *p, void *arena, uint32_t len_bytes);
/*
 * Move all of @from behind @q; @from is left empty.  Where they meet, two neighbours that
 * fit one chunk are put together: at most one chunk's bytes are copied.
 */
void queue_splice(struct queue *q, struct chunks *p, void *arena, struct queue *from);
void queue_clear(struct queue *q, struct chunks *p, void *arena);

/*
 * A place in a queue, to walk on from.  Good while the head does not move past it:
 * queue_drop() shifts offsets (the caller subtracts, or resets chunk to SLAB_NONE), as
 * queue_prepend() does; after queue_drop_tail() and queue_splice() reset it.
 */
struct queue_hint {
    uint32_t chunk;
    uint32_t offset_bytes; /* of that chunk's first byte, from the queue's first byte */
};
/*
 * Spans over bytes [offset, offset+len).  @hint may be NULL; else it speeds up increasing
 * offsets and is moved to the chunk that holds the last byte covered.
 * Return: bytes covered (less than len if @max spans do not reach, or the queue ends).
 */
uint32_t queue_spans(const struct queue *q, const struct chunks *p, const void *arena,
                     uint32_t offset_bytes, uint32_t len_bytes, struct la_cspan *spans,
                     uint32_t max, uint32_t *count, struct queue_hint *hint);
const char *queue_check(const struct queue *q, const struct chunks *p, const void *arena);

#endif
