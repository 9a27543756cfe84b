/*
 * mremap to a place that is taken: either it happens as a whole, or, for want of memory anywhere on the way, nothing is lost at
 * either place. And how far mappings may grow.
 */
#include "tests/host/host.h"

#include <asm/errno.h>
#include <linux/mman.h>
#include <sanitizer/lsan_interface.h>

#include "mm/aspace.h"
#include "mm/check.h"
#include "mm/mmap.h"
#include "mm/object.h"
#include "mm/pool.h"
#include "mm/swap.h"
#include "mm/transfer.h"
#include "tests/host/stub/machine.h"

#define MEMORY_FRAMES 1024u
#define PAGES 8u
#define OFFSET 3u           /* of the pages in question, in both places */
#define MOVED 2u

static struct aspace *aspace;
static u32 source, target;

static u32
map_filled(u32 seed)
{
    struct mmap_request request = {
        .bytes = PAGES << PAGE_SHIFT, .protection = PROT_READ | PROT_WRITE, .flags = MAP_PRIVATE | MAP_ANONYMOUS, .maximum = 7};

    check_equal(mmap_map(aspace, &request), 0);
    for (u32 i = 0; i < PAGES; i++) {
        u32 word = seed + i;

        check_equal(aspace_write(aspace, request.address + (i << PAGE_SHIFT), &word, sizeof(word)), 0);
    }
    return request.address;
}

static u32
word_at(u32 address, u32 page)
{
    u32 word = 0;

    check_equal(aspace_read(aspace, address + (page << PAGE_SHIFT), &word, sizeof(word)), 0);
    return word;
}

static void
begin(void)
{
    machine_start(MEMORY_FRAMES);
    pmap_start(MEMORY_FRAMES);
    object_start();
    __lsan_disable();           /* what lives as long as the system */
    pool_start();
    __lsan_enable();
    aspace = aspace_create();
    source = map_filled(100);
    /* A gap between the two keeps them from being one region. */
    check_equal(mmap_unmap(aspace, source, PAGE_SIZE), 0);
    target = map_filled(200);
}

/* Moves pages from the middle of one place to the middle of the other, while only so many allocations succeed. */
static int
move(u32 allocations)
{
    u32 result;
    int error;

    host_allocations_left = allocations;
    error = mmap_remap(aspace, source + (OFFSET << PAGE_SHIFT), MOVED << PAGE_SHIFT, MOVED << PAGE_SHIFT,
                       MREMAP_MAYMOVE | MREMAP_FIXED, target + (OFFSET << PAGE_SHIFT), &result);
    host_allocations_left = HOST_UNLIMITED;
    return error;
}

static void
without_memory_nothing_is_lost(void)
{
    u32 enough = 0;

    begin();
    for (; move(enough) == -ENOMEM; enough++) {
        check_sound(check_run());
        for (u32 i = 1; i < PAGES; i++)
            check_equal(word_at(source, i), 100 + i);
        for (u32 i = 0; i < PAGES; i++)
            check_equal(word_at(target, i), 200 + i);
    }
    check(enough > 2);          /* a region, an amap, and what the cuts take */
    check_sound(check_run());
    for (u32 i = 0; i < PAGES; i++)
        check_equal(word_at(target, i), i - OFFSET < MOVED ? 100 + i : 200 + i);
    check(!region_find(&aspace->regions, page_of(source + (OFFSET << PAGE_SHIFT))));
    check_equal(word_at(source, OFFSET + MOVED), 100 + OFFSET + MOVED);
    aspace_release(aspace);
}

/* Growing takes from what may be locked only if the mapping is. */
static void
only_locked_mappings_need_leave_to_lock(void)
{
    u32 result;

    begin();
    aspace->lock_limit_pages = 0;
    check_equal(mmap_remap(aspace, target, PAGES << PAGE_SHIFT, 2 * PAGES << PAGE_SHIFT, MREMAP_MAYMOVE, 0, &result), 0);
    check_equal(word_at(result, 1), 201);
    aspace_release(aspace);
}

/* As much as memory and swap area hold, to the page. */
static void
the_heap_can_have_all_memory_and_no_more(void)
{
    u32 start = 0x08000000, most;

    begin();
    most = start + ((frame_total() + swap_total()) << PAGE_SHIFT);
    aspace->heap_start = aspace->heap_end = start;
    check_equal(mmap_brk(aspace, most + PAGE_SIZE), start);
    check_equal(mmap_brk(aspace, most), most);
    aspace_release(aspace);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_CASE(without_memory_nothing_is_lost, ""),
        HOST_CASE(only_locked_mappings_need_leave_to_lock, ""),
        HOST_CASE(the_heap_can_have_all_memory_and_no_more, ""),
    };

    return host_run(tests);
}
