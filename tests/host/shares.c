/*
 * How alloc= divides memory: equally, by size or by priority, and never what is kept free for system calls.
 */
#include "tests/host/reclaim_case.h"

#include <linux/mman.h>

#include "mm/aspace.h"
#include "mm/mmap.h"
#include "mm/pool.h"

enum { SMALL_PAGES = 100, LARGE_PAGES = 300, LOW_WEIGHT = 5, HIGH_WEIGHT = 20 };

/* An address space of that size and priority, with a pool. */
static struct aspace *
aspace_with(u32 pages, u32 weight)
{
    struct mmap_request request = {
        .bytes = pages << PAGE_SHIFT, .protection = PROT_READ | PROT_WRITE, .flags = MAP_PRIVATE | MAP_ANONYMOUS, .maximum = 7};
    struct aspace *aspace = aspace_create();

    check_equal(mmap_map(aspace, &request), 0);
    check(aspace->pool != NULL);
    aspace->weight = weight;
    return aspace;
}

/* Of what there is beyond the frames kept for system calls each process may have its part of so many parts. */
static void
memory_is_divided(u32 small_part, u32 large_part)
{
    struct aspace *small, *large;
    u32 memory, parts = small_part + large_part;

    begin_memory();
    small = aspace_with(SMALL_PAGES, HIGH_WEIGHT);
    large = aspace_with(LARGE_PAGES, LOW_WEIGHT);
    aspace_clock_tick(small);
    memory = frame_free_count() + pool_global.frames + small->pool->frames + large->pool->frames - POOL_SYSCALL_FRAMES;
    check_equal(pool_memory(), memory);
    check_equal(small->pool->quota, memory * small_part / parts);
    check_equal(large->pool->quota, memory * large_part / parts);
}

static void
equal_shares(void)
{
    memory_is_divided(1, 1);
}

static void
shares_by_size(void)
{
    memory_is_divided(SMALL_PAGES, LARGE_PAGES);
}

static void
shares_by_priority(void)
{
    memory_is_divided(HIGH_WEIGHT, LOW_WEIGHT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_CASE(equal_shares, "alloc=equal"),
        HOST_CASE(shares_by_size, "alloc=proportional"),
        HOST_CASE(shares_by_priority, "alloc=priority"),
    };
    return host_run(tests);
}
