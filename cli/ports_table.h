/* SPDX-License-Identifier: MIT */
/* ports_table.h - Connections and records gathered by destination. */
#ifndef CLI_PORTS_TABLE_H
#define CLI_PORTS_TABLE_H

#include <lastack/types.h>

struct ports_use {
    struct la_addr local;
    struct la_endpoint remote;
    uint32_t used, time_wait; /* used 0: an empty place */
};

/* Begin with all zero. */
struct ports_table {
    struct ports_use *places; /* a hash table, half empty; after ports_table_sort() a list */
    uint32_t count, room;
};

/* Return: false if memory is short. */
bool ports_table_add(struct ports_table *t, struct la_addr local, struct la_endpoint remote,
                     bool time_wait);
/* The most used first; nothing can be added from then on. */
void ports_table_sort(struct ports_table *t);
void ports_table_free(struct ports_table *t);

#endif
