/* SPDX-License-Identifier: MIT */
/*
 * descriptors.c - Numbers for sockets: the lowest that is free, as POSIX wants it.
 *
 * Which numbers are taken stands in a tree of bits, 64 to a word: bit i of a level says that
 * word i of the level below is full.  Taking and giving cost one word a level, four of them
 * for a million descriptors.  The memory is address space until it is used.
 */
#include "posix/sockets.h"

static uint64_t words_at(uint32_t count, uint32_t level)
{
    uint64_t n = count;

    for (uint32_t i = 0; i <= level; i++)
        n = (n + 63) / 64;
    return n;
}

bool fdmap_init(struct fdmap *map, uint32_t count)
{
    for (uint32_t i = 0; i < FDMAP_LEVELS; i++) {
        map->level[i] = calloc(words_at(count, i), sizeof(uint64_t));
        if (map->level[i] == NULL) {
            fdmap_free(map);
            return false;
        }
    }
    for (uint32_t i = 0; i < FDMAP_LEVELS;
         i++) { /* what the last word has beyond the end is taken */
        const uint64_t bits = i == 0 ? count : words_at(count, i - 1);

        if (bits % 64 != 0)
            map->level[i][bits / 64] = UINT64_MAX << bits % 64;
    }
    return true;
}

void fdmap_free(struct fdmap *map)
{
    for (uint32_t i = 0; i < FDMAP_LEVELS; i++) {
        free(map->level[i]);
        map->level[i] = NULL;
    }
}

/* The lowest free number, whatever the limit; UINT64_MAX if the tree is full. */
static uint64_t lowest(const struct fdmap *map)
{
    uint64_t at = 0;

    for (uint32_t i = FDMAP_LEVELS; i-- > 0;) {
        const uint64_t word = map->level[i][at];

        if (word == UINT64_MAX)
            return UINT64_MAX;
        at = at * 64 + (uint32_t)__builtin_ctzll(~word);
    }
    return at;
}

bool fdmap_full(const struct fdmap *map, uint32_t limit)
{
    return lowest(map) >= limit;
}

uint32_t fdmap_take(struct fdmap *map, uint32_t limit)
{
    const uint64_t number = lowest(map);
    uint64_t at = number;

    if (number >= limit)
        return UINT32_MAX;
    for (uint32_t i = 0; i < FDMAP_LEVELS; i++) {
        uint64_t *word = &map->level[i][at / 64];

        *word |= UINT64_C(1) << at % 64;
        if (*word != UINT64_MAX)
            break;
        at /= 64;
    }
    return (uint32_t)number;
}

void fdmap_give(struct fdmap *map, uint32_t number)
{
    uint64_t at = number;

    for (uint32_t i = 0; i < FDMAP_LEVELS; i++) {
        uint64_t *word = &map->level[i][at / 64];
        const bool was_full = *word == UINT64_MAX;

        *word &= ~(UINT64_C(1) << at % 64);
        if (!was_full)
            break;
        at /= 64;
    }
}

struct desc *desc_closing_at(const struct la_sockets *x, int fd)
{
    const int64_t i = (int64_t)fd - x->config.fd_first;

    return i >= 0 && i < (int64_t)LA_NOFILE_MAX ? x->table[i] : NULL;
}

struct desc *desc_at(const struct la_sockets *x, int fd)
{
    struct desc *d = desc_closing_at(x, fd);

    if (d != NULL && d->kind == DESC_SOCKET && ((struct sock *)d)->lingering)
        return NULL;
    return d;
}

int sock_at(const struct la_sockets *x, int fd, struct sock **out)
{
    struct desc *d = desc_at(x, fd);

    if (d == NULL)
        return -EBADF;
    if (d->kind != DESC_SOCKET)
        return -ENOTSOCK;
    *out = (struct sock *)d;
    return 0;
}

int desc_add(struct la_sockets *x, struct desc *d)
{
    const uint32_t i = fdmap_take(&x->map, x->use.nofile);

    if (i == UINT32_MAX) {
        x->use.refused++;
        return -EMFILE;
    }
    d->fd = (int)(x->config.fd_first + i);
    x->table[i] = d;
    x->use.open++;
    if (x->use.open > x->use.open_max)
        x->use.open_max = x->use.open;
    return d->fd;
}

void desc_remove(struct la_sockets *x, struct desc *d)
{
    const uint32_t i = (uint32_t)d->fd - x->config.fd_first;

    while (d->first != NULL) {
        struct watch *w = d->first;

        if (w->is_item) {
            epoll_item_drop(w);
        } else {
            watch_del(w);
            (void)w->wake(w, 0);
        }
    }
    x->table[i] = NULL;
    fdmap_give(&x->map, i);
    x->use.open--;
}
