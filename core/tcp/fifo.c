/* SPDX-License-Identifier: MIT */
/*
 * fifo.c - Lists of records with one duration each, oldest first.
 *
 * All entries of a list live equally long from the moment they enter, so the list is
 * ordered by expiry without sorting, and the earliest deadline is its head: no record
 * needs a node in the timing wheel.
 *
 * The earliest of all lists is kept, so that asking for it - each turn of a loop does - looks at
 * none of them.  A list that was empty can only make it earlier; when the record it is of leaves,
 * the heads are looked at once, by whoever asks next.
 *
 * Invariant (la_check): what is kept is the earliest, or it is stale and not later.
 */
#include "core/tcp/tcp.h"

static void due_linked(struct tcp_due *d, la_time expires, bool alone)
{
    if (alone)
        d->at = time_min(d->at, expires);
}

static void due_unlinked(struct tcp_due *d, la_time expires)
{
    if (time_le(expires, d->at))
        d->stale = true;
}

la_time half_earliest(const struct tcp *t)
{
    la_time earliest = LA_TIME_NEVER;

    for (uint32_t class = 0; class < TCP_HALF_CLASSES; class ++)
        if (t->half_class[class].head != TCP_REF_NONE)
            earliest = time_min(earliest, half_at(t, t->half_class[class].head)->expires);
    return earliest;
}

la_time short_earliest(const struct tcp *t)
{
    la_time earliest = LA_TIME_NEVER;

    for (uint32_t k = 0; k < TCP_SHORT_CLASSES; k++)
        if (t->short_class[k].fifo.head != TCP_REF_NONE)
            earliest = time_min(earliest, short_at(t, t->short_class[k].fifo.head)->expires);
    return earliest;
}

la_time half_deadline(struct tcp *t)
{
    if (t->half_due.stale)
        t->half_due = (struct tcp_due){ .at = half_earliest(t) };
    return t->half_due.at;
}

la_time short_deadline(struct tcp *t)
{
    if (t->short_due.stale)
        t->short_due = (struct tcp_due){ .at = short_earliest(t) };
    return t->short_due.at;
}

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
    due_linked(&t->half_due, h->expires, f->len == 1);
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
    due_unlinked(&t->half_due, h->expires);
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
    due_linked(&t->short_due, w->expires, f->len == 1);
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
    due_unlinked(&t->short_due, w->expires);
}
