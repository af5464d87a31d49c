/* SPDX-License-Identifier: MIT */
/*
 * index_fuzz.c - The index under any sequence of inserts, removals, replacements and trims.
 *
 * The fuzzer chooses hashes too, so it may build chains that no keyed function would.  The
 * oracle is the list of the entries that are there.
 */
#include "tests/fuzz/input.h"

#include "core/base/index.h"

#define ENTRIES_MAX 300u
#define ARENA_BYTES 16384u

static _Alignas(4096) uint8_t arena[ARENA_BYTES];
static struct index idx;

static struct {
    uint32_t hash;
    struct index_entry e;
} there[ENTRIES_MAX];
static uint32_t count;

/* Every entry with @hash is found once. */
static void look_up(uint32_t hash)
{
    uint32_t want = 0;
    uint32_t found = 0;
    struct index_entry e;
    struct index_cursor c = index_find(&idx, hash);
    for (uint32_t i = 0; i < count; i++)
        want += there[i].hash == hash;
    while (index_next(&idx, arena, &c, &e)) {
        uint32_t i = 0;
        while (i < count && (there[i].hash != hash || there[i].e.value != e.value))
            i++;
        must(i < count && there[i].e.type == e.type);
        must(++found <= want);
    }
    must(found == want);
}

static void discard(void *context, struct la_extent extent)
{
    (void)context;
    must(extent.offset_bytes + extent.len_bytes <= ARENA_BYTES);
    memset(arena + extent.offset_bytes, 0, extent.len_bytes);
}

static enum index_type some_type(uint32_t choice)
{
    return (enum index_type)(1 + choice % 3);
}

/* Values are never used twice, so entries with one hash can be told apart. */
static void insert(uint32_t hash, uint32_t choice, uint32_t value)
{
    const struct index_entry e = { some_type(choice), value };
    if (count == ENTRIES_MAX)
        return;
    if (index_insert(&idx, arena, hash, e)) {
        there[count].hash = hash;
        there[count++].e = e;
    } else {
        must(idx.overflow_used == idx.overflow_max);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
    struct input in = { bytes, len_bytes };
    uint32_t value = 0;
    const uint32_t entries_max = 1 + input_u16(&in) % ENTRIES_MAX;
    must(index_bytes(entries_max) <= ARENA_BYTES);
    memset(arena, 0, sizeof arena);
    index_init(&idx, 0, entries_max);
    count = 0;
    while (in.left > 0 && value < 4096) {
        const uint32_t choice = input_u8(&in);
        const uint32_t hash = (uint32_t)input_scaled(&in);
        const uint32_t i = count > 0 ? hash % count : 0;
        if (choice < 140) {
            insert(hash, choice, value++);
        } else if (choice < 150) { /* a run of neighbours: the table grows */
            for (uint32_t n = 0; n < choice - 120; n++)
                insert(hash + n, choice, value++);
        } else if (choice < 230 && count > 0) {
            index_remove(&idx, arena, there[i].hash, there[i].e);
            there[i] = there[--count];
        } else if (choice < 250 && count > 0) {
            const struct index_entry to = { some_type(choice), value++ };
            index_replace(&idx, arena, there[i].hash, there[i].e, to);
            there[i].e = to;
        } else if (choice >= 250) {
            index_trim(&idx, arena, 64u << choice % 6, discard, NULL);
        }
        look_up(hash);
        if (count > 0)
            look_up(there[i % count].hash);
        must(idx.entries == count);
        must_be_sound(index_check(&idx, arena));
    }
    while (count > 0) {
        count--;
        index_remove(&idx, arena, there[count].hash, there[count].e);
    }
    must_be_sound(index_check(&idx, arena));
    must(idx.overflow_used == 0);
    return 0;
}
