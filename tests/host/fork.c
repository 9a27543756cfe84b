/*
 * Fork while others run: where memory is short it evicts between two pages, and sleeps; meanwhile another thread changes the memory that
 * is being copied.
 */
#include "tests/host/reclaim_case.h"

#include <linux/mman.h>

#include "mm/aspace.h"
#include "mm/counters.h"
#include "mm/fork.h"
#include "mm/mmap.h"
#include "mm/reclaim.h"
#include "mm/transfer.h"

#define PAGES 60u           /* of the larger region */
#define OTHERS 40u          /* that can be evicted for it */
#define FREE_FRAMES 70u     /* enough to begin a fork without evicting, and not to end it */

static struct aspace *parent;
static u32 large, small;    /* addresses of its regions */
static struct anon *others[OTHERS];
static u32 hook_calls;

static u32
map_and_write(u32 pages, u32 word)
{
    struct mmap_request request = {
        .bytes = pages * PAGE_SIZE, .protection = PROT_READ | PROT_WRITE, .flags = MAP_PRIVATE | MAP_ANONYMOUS, .maximum = 7};

    check_equal(mmap_map(parent, &request), 0);
    for (u32 i = 0; i < pages; i++)
        check_equal(aspace_write(parent, request.address + i * PAGE_SIZE, &word, sizeof(word)), 0);
    return request.address;
}

static void
begin(void)
{
    begin_memory();
    for (u32 i = 0; i < OTHERS; i++)
        others[i] = make_anon(i);
    parent = aspace_create();
    small = map_and_write(1, 11);
    check_equal(mmap_protect(parent, small, PAGE_SIZE, PROT_READ), 0);     /* or both would be one region */
    large = map_and_write(PAGES, 22);
    while (frame_free_count() > FREE_FRAMES)
        check(frame_allocate(FRAME_KERNEL));
}

static void
unmap_large(void)
{
    host_before_transfer = NULL;
    hook_calls++;
    check_equal(mmap_unmap(parent, large, PAGES * PAGE_SIZE), 0);
}

/* Rule: the child has the memory that its parent has when fork ends; what went while fork slept is looked at no more. */
static void
memory_that_goes_meanwhile_is_not_in_the_child(void)
{
    struct aspace *child;
    u32 word = 0;

    begin();
    host_before_transfer = unmap_large;
    child = fork_aspace(parent);
    check(child && hook_calls == 1);
    check_equal(aspace_read(child, small, &word, sizeof(word)), 0);
    check_equal(word, 11);
    check(!region_find(&child->regions, page_of(large)));
    check_equal(child->regions.count, parent->regions.count);
    aspace_release(child);
    aspace_release(parent);
    for (u32 i = 0; i < OTHERS; i++)
        anon_release(others[i]);
    nothing_is_left();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_CASE(memory_that_goes_meanwhile_is_not_in_the_child, "fork=copy"),
    };

    return host_run(tests);
}
