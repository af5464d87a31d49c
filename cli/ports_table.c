/* SPDX-License-Identifier: MIT */
/* ports_table.c - A hash table with open addressing, grown when it is half full. */
#include "cli/ports_table.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 64u

static uint64_t mix(uint64_t hash, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static bool same(const struct ports_use *u, struct la_addr local, struct la_endpoint remote)
{
    return u->remote.port == remote.port && la_addr_equal(u->remote.addr, remote.addr) &&
           la_addr_equal(u->local, local);
}

/* Its place, or the empty one where it belongs. */
static struct ports_use *place(const struct ports_table *t, struct la_addr local,
                               struct la_endpoint remote)
{
    uint64_t hash = mix(UINT64_C(0xcbf29ce484222325), local.bytes, sizeof local.bytes);

    hash = mix(hash, remote.addr.bytes, sizeof remote.addr.bytes);
    hash = mix(hash, &remote.port, sizeof remote.port);
    uint32_t i = (uint32_t)(hash >> 20) & (t->room - 1);
    while (t->places[i].used > 0 && !same(&t->places[i], local, remote))
        i = (i + 1) & (t->room - 1);
    return &t->places[i];
}

static bool grow(struct ports_table *t)
{
    struct ports_table larger = { .count = t->count };

    larger.room = t->room == 0 ? ROOM_FIRST : 2 * t->room;
    larger.places = calloc(larger.room, sizeof *larger.places);
    if (larger.places == NULL)
        return false;
    for (uint32_t i = 0; i < t->room; i++)
        if (t->places[i].used > 0)
            *place(&larger, t->places[i].local, t->places[i].remote) = t->places[i];
    free(t->places);
    *t = larger;
    return true;
}

bool ports_table_add(struct ports_table *t, struct la_addr local, struct la_endpoint remote,
                     bool time_wait)
{
    struct ports_use *u;

    if (2 * t->count >= t->room && !grow(t))
        return false;
    u = place(t, local, remote);
    if (u->used == 0) {
        u->local = local;
        u->remote = remote;
        t->count++;
    }
    u->used++;
    u->time_wait += time_wait;
    return true;
}

static int more_used(const void *a, const void *b)
{
    const struct ports_use *x = a, *y = b;

    if (x->used != y->used)
        return x->used > y->used ? -1 : 1;
    const int addresses = memcmp(&x->remote.addr, &y->remote.addr, sizeof x->remote.addr);
    return addresses != 0 ? addresses : (int)x->remote.port - (int)y->remote.port;
}

void ports_table_sort(struct ports_table *t)
{
    if (t->room > 0)
        qsort(t->places, t->room, sizeof *t->places, more_used);
}

void ports_table_free(struct ports_table *t)
{
    free(t->places);
    *t = (struct ports_table){ .count = 0 };
}
