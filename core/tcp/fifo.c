/* SPDX-License-Identifier: MIT */
/*
 * fifo.c - Lists of records with one duration each, oldest first.
 *
 * All entries of a list live equally long from the moment they enter, so the list is
 * ordered by expiry without sorting, and the earliest deadline is its head: no record
 * needs a node in the timing wheel.
 */
#include "core/tcp/tcp.h"

void half_link(struct tcp *t, uint32_t class, uint32_t ref)
{
    struct tcp_fifo *f = &t->half_class[class];
    struct tcp_half *h = half_at(t, ref);

    LA_ASSERT(class < TCP_HALF_CLASSES);
    h->slot.link = TCP_REF_NONE;
    h->prev = f->tail;
    if (f->tail == TCP_REF_NONE)
        f->head = ref;
    else
        half_at(t, f->tail)->slot.link = ref;
    f->tail = ref;
    f->len++;
}

void half_unlink(struct tcp *t, uint32_t class, uint32_t ref)
{
    struct tcp_fifo *f = &t->half_class[class];
    struct tcp_half *h = half_at(t, ref);

    LA_ASSERT(f->len > 0);
    if (h->prev == TCP_REF_NONE)
        f->head = h->slot.link;
    else
        half_at(t, h->prev)->slot.link = h->slot.link;
    if (h->slot.link == TCP_REF_NONE)
        f->tail = h->prev;
    else
        half_at(t, h->slot.link)->prev = h->prev;
    f->len--;
}

void short_link(struct tcp *t, uint32_t class, uint32_t ref)
{
    struct tcp_fifo *f = &t->short_class[class].fifo;
    struct tcp_short *w = short_at(t, ref);

    LA_ASSERT(class < TCP_SHORT_CLASSES);
    w->slot.link = TCP_REF_NONE;
    w->prev = f->tail;
    if (f->tail == TCP_REF_NONE)
        f->head = ref;
    else
        short_at(t, f->tail)->slot.link = ref;
    f->tail = ref;
    f->len++;
}

void short_unlink(struct tcp *t, uint32_t class, uint32_t ref)
{
    struct tcp_fifo *f = &t->short_class[class].fifo;
    struct tcp_short *w = short_at(t, ref);

    LA_ASSERT(f->len > 0);
    if (w->prev == TCP_REF_NONE)
        f->head = w->slot.link;
    else
        short_at(t, w->prev)->slot.link = w->slot.link;
    if (w->slot.link == TCP_REF_NONE)
        f->tail = w->prev;
    else
        short_at(t, w->slot.link)->prev = w->prev;
    f->len--;
}
