/* SPDX-License-Identifier: MIT */
/*
 * arena.c - Address space for a stack, committed page by page as it is used.
 *
 * MAP_NORESERVE lets a 64 GiB reservation stand on a machine with less memory: the stack
 * touches a page only when it needs it, and a trim hands it back.  MADV_DONTDUMP keeps the
 * secret and everybody's data out of core dumps; MADV_NOHUGEPAGE keeps the first touch of
 * each slab from committing 2 MiB.  Both are advice: a kernel that refuses is no error.
 */
#include <lastack/runtime.h>

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * In a program with AddressSanitizer: what the stack poisoned (core/base/poison.h) would stay so for
 * whoever is given these addresses next.
 */
void __asan_unpoison_memory_region(const volatile void *at, size_t len_bytes) __attribute__((weak));

void *la_rt_arena_map(uint64_t bytes)
{
    if (bytes == 0 || bytes > SIZE_MAX) {
        errno = ENOMEM;
        return NULL;
    }
    void *mem = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mem == MAP_FAILED)
        return NULL;
    (void)madvise(mem, (size_t)bytes, MADV_DONTDUMP);
    (void)madvise(mem, (size_t)bytes, MADV_NOHUGEPAGE);
    return mem;
}

void la_rt_arena_unmap(void *mem, uint64_t bytes)
{
    if (mem == NULL)
        return;
    if (__asan_unpoison_memory_region != NULL)
        __asan_unpoison_memory_region(mem, (size_t)bytes);
    (void)munmap(mem, (size_t)bytes);
}

struct trim {
    uint8_t *base;
    uint64_t bytes;
};

static void discard(void *context, struct la_extent extent)
{
    struct trim *t = context;

    if (madvise(t->base + extent.offset_bytes, (size_t)extent.len_bytes, MADV_DONTNEED) == 0)
        t->bytes += extent.len_bytes;
}

uint64_t la_rt_arena_trim(struct la_stack *s)
{
    struct trim t = { .base = (uint8_t *)s };

    la_trim(s, (uint32_t)sysconf(_SC_PAGESIZE), discard, &t);
    return t.bytes;
}
