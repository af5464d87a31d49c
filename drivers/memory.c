/* SPDX-License-Identifier: MIT */
/*
 * memory.c - A wire in memory between two stacks of one thread.
 *
 * Each direction is a ring of fixed slots.  Sending copies a packet's pieces into a slot,
 * once, as a network would; receiving lends the slots out as they lie and frees them at
 * the next call.  A full ring says so, and the sender's loop holds back: nothing is ever
 * lost here, so whatever a stack retransmits over it was its own doing.
 */
#include <lastack/runtime.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct ring {
    uint32_t slots, slot_bytes;
    uint32_t head, tail; /* free-running; head is written next, tail read next */
    uint32_t lent;       /* slots from tail on that the receiver still looks at */
    uint32_t users;      /* ends that are open */
    uint32_t *len;
    uint8_t *bytes;
};

struct end {
    struct la_rt_driver driver;
    struct ring *in, *out;
};

static struct ring *ring_new(uint32_t slot_bytes, uint32_t slots)
{
    struct ring *r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    r->slots = slots;
    r->slot_bytes = slot_bytes;
    r->users = 2;
    r->len = calloc(slots, sizeof *r->len);
    r->bytes = malloc((size_t)slots * slot_bytes);
    if (r->len == NULL || r->bytes == NULL) {
        free(r->len);
        free(r->bytes);
        free(r);
        return NULL;
    }
    return r;
}

static void ring_release(struct ring *r)
{
    if (r == NULL || --r->users > 0)
        return;
    free(r->len);
    free(r->bytes);
    free(r);
}

static int memory_receive(void *self, struct la_frame *frames, uint32_t max)
{
    struct ring *r = ((struct end *)self)->in;
    uint32_t count = 0;

    r->tail += r->lent;
    while (count < max && r->tail + count != r->head) {
        const uint32_t slot = (r->tail + count) & (r->slots - 1);
        frames[count] = (struct la_frame){
            .bytes = r->bytes + (size_t)slot * r->slot_bytes,
            .len_bytes = r->len[slot],
        };
        count++;
    }
    r->lent = count;
    return (int)count;
}

static int memory_send(void *self, const struct la_tx *tx)
{
    struct ring *r = ((struct end *)self)->out;
    const uint32_t slot = r->head & (r->slots - 1);

    if (tx->len_bytes > r->slot_bytes)
        return -EMSGSIZE;
    if (r->head - r->tail == r->slots)
        return 0;
    r->len[slot] = la_tx_copy(tx, r->bytes + (size_t)slot * r->slot_bytes, r->slot_bytes);
    r->head++;
    return 1;
}

static void memory_close(void *self)
{
    struct end *e = self;

    ring_release(e->in);
    ring_release(e->out);
    free(e);
}

int la_rt_memory_pair(uint32_t mtu_bytes, uint32_t slots, struct la_rt_driver *ends[2])
{
    if (mtu_bytes == 0 || slots == 0 || (slots & (slots - 1)) != 0)
        return -EINVAL;
    struct ring *ring[2] = { ring_new(mtu_bytes, slots), ring_new(mtu_bytes, slots) };
    struct end *end[2] = { calloc(1, sizeof *end[0]), calloc(1, sizeof *end[1]) };
    if (ring[0] == NULL || ring[1] == NULL || end[0] == NULL || end[1] == NULL) {
        for (int i = 0; i < 2; i++) {
            if (ring[i] != NULL)
                ring[i]->users = 1;
            ring_release(ring[i]);
            free(end[i]);
        }
        return -ENOMEM;
    }
    for (int i = 0; i < 2; i++) {
        end[i]->in = ring[i];
        end[i]->out = ring[1 - i];
        end[i]->driver = (struct la_rt_driver){
            .self = end[i],
            .fd = -1,
            .mtu_bytes = mtu_bytes,
            .name = i == 0 ? "memory0" : "memory1",
            .receive = memory_receive,
            .send = memory_send,
            .close = memory_close,
        };
        ends[i] = &end[i]->driver;
    }
    return 0;
}
