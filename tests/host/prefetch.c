/*
 * Anticipatory paging where the device is slow: what may happen to a page and its neighbours while they are read together.
 */
#include "tests/host/host.h"

#include <string.h>

#include "mm/amap.h"
#include "mm/check.h"
#include "mm/evictable.h"
#include "mm/object.h"
#include "mm/pagein.h"
#include "mm/swap.h"
#include "tests/host/stub/machine.h"

#define FRAMES 256u
#define PAGES 8u
#define SWAP_PAGES 64u

static struct block_device *device;
static struct amap *amap;
static struct object *file;

static void
begin(void)
{
    machine_start(FRAMES);
    object_start();
    device = host_device_create(SWAP_PAGES << PAGE_SHIFT);
    check(swap_start(device));
    pool_start();
}

static page_t
page(u32 number)
{
    return (page_t){number};
}

/* PAGES anons out of memory, whose slots follow one another and whose bytes are their page's number. */
static void
begin_swapped(void)
{
    bool split;

    begin();
    amap = amap_create(page(0), page(PAGES));
    for (u32 i = 0; i < PAGES; i++) {
        struct frame *frame = frame_allocate(FRAME_ANONYMOUS);
        struct anon *anon = anon_create(frame);

        memset(frame_data(frame), (int)i + 1, PAGE_SIZE);
        amap_replace(amap_own_chunk(amap, page(i), &split), page(i), anon);
        anon->slot = swap_allocate();
        check_equal(swap_write(anon->slot, frame), 0);
        anon->frame = NULL;
        evictable_disown(frame);
    }
}

static enum pagein_result
read_with(u32 neighbours)
{
    struct prefetch prefetch = {.pages = neighbours, .amap = amap, .page = page(0)};

    return pagein_anon(amap_lookup(amap, page(0)), &prefetch);
}

static struct frame *
frame_at(u32 number)
{
    struct anon *anon = amap_lookup(amap, page(number));

    return anon ? anon->frame : NULL;
}

/* All that was read is useful, useless or marked, and all frames come back in the end. */
static void
finish(u32 free)
{
    u32 marked = 0;

    for (u32 number = 1; number < frame_limit; number++)
        marked += frame_table[number].state >= FRAME_ANONYMOUS && frame_table[number].prefetched;
    check_equal(counters.prefetch_read, counters.prefetch_useful + counters.prefetch_useless + marked);
    if (amap)
        amap_destroy(amap);
    check_equal(counters.prefetch_read, counters.prefetch_useful + counters.prefetch_useless);
    check_equal(frame_free_count(), free);
    check_equal(swap_free_count(), swap_total());
}

static void
neighbours_are_busy(void)
{
    for (u32 i = 0; i < 4; i++)
        check(frame_at(i)->busy && !frame_at(i)->prefetched && !frame_at(i)->evictable);
    check(frame_at(4) == NULL);
}

static void
neighbours_are_busy_until_the_transfer_ends(void)
{
    u32 free;

    begin_swapped();
    free = frame_free_count();
    host_before_transfer = neighbours_are_busy;
    check_equal(read_with(3), PAGEIN_SLEPT);
    check_equal(device->transfers_read, 1);
    for (u32 i = 0; i < 4; i++) {
        check(!frame_at(i)->busy && frame_at(i)->prefetched == (i > 0) && frame_at(i)->evictable);
        check_equal(((u8 *)frame_data(frame_at(i)))[PAGE_SIZE - 1], i + 1);
    }
    finish(free);
}

static void
release_one(void)
{
    host_before_transfer = NULL;
    check(amap_remove(amap, page(2), page(3)));
}

static void
a_neighbour_may_go_meanwhile(void)
{
    u32 free;

    begin_swapped();
    free = frame_free_count();
    host_before_transfer = release_one;
    check_equal(read_with(3), PAGEIN_SLEPT);
    check(frame_at(1) && frame_at(2) == NULL && frame_at(3));
    check_equal(counters.prefetch_read, 3);
    check_equal(counters.prefetch_useless, 1);
    finish(free);
}

static void
release_all(void)
{
    host_before_transfer = NULL;
    amap_destroy(amap);
    amap = NULL;
}

static void
all_may_go_meanwhile(void)
{
    u32 free;

    begin_swapped();
    free = frame_free_count();
    host_before_transfer = release_all;
    check_equal(read_with(5), PAGEIN_SLEPT);
    check_equal(counters.prefetch_useless, 5);
    finish(free);
}

static void
fail_and_release_all(void)
{
    release_all();
    host_device_fails = true;
}

static void
all_may_go_and_the_device_fail(void)
{
    u32 free;

    begin_swapped();
    free = frame_free_count();
    host_before_transfer = fail_and_release_all;
    check_equal(read_with(5), PAGEIN_ERROR);
    check_equal(device->transfers_read, 1);     /* not tried again: nobody wants it */
    check_equal(counters.prefetch_read, 0);
    finish(free);
}

static void
fail_once(void)
{
    host_device_fails = !host_device_fails;
}

static void
the_page_alone_is_tried_again(void)
{
    u32 free;

    begin_swapped();
    free = frame_free_count();
    host_before_transfer = fail_once;
    check_equal(read_with(5), PAGEIN_SLEPT);
    check_equal(device->transfers_read, 2);
    check(frame_at(0) && frame_at(1) == NULL && frame_at(5) == NULL);
    check_equal(((u8 *)frame_data(frame_at(0)))[7], 1);
    check_equal(counters.prefetch_read, 0);
    finish(free);
}

static void
a_broken_device_leaves_nothing_behind(void)
{
    u32 free;

    begin_swapped();
    free = frame_free_count();
    host_device_fails = true;
    check_equal(read_with(5), PAGEIN_ERROR);
    for (u32 i = 0; i < PAGES; i++)
        check(frame_at(i) == NULL);
    check_equal(counters.pswpin, 0);
    finish(free);
}

static void
neighbours_leave_the_reserve(void)
{
    begin_swapped();
    while (frame_free_count() > PREFETCH_RESERVE + 3)
        frame_allocate(FRAME_KERNEL);
    check_equal(read_with(5), PAGEIN_READ);
    check_equal(counters.prefetch_read, 2);
    check_equal(frame_free_count(), PREFETCH_RESERVE);
}

static void
release_file(void)
{
    host_before_transfer = NULL;
    object_release(file);
}

static void
a_file_may_go_meanwhile(void)
{
    struct prefetch prefetch = {.pages = 4};
    struct frame *frame;
    u32 free;

    begin();
    file = object_file_create(device, 0, 4 * PAGE_SIZE + 1);
    free = frame_free_count();
    host_before_transfer = release_file;
    check_equal(object_page(file, 1, false, &frame, &prefetch), OBJECT_PAGE_SLEPT);
    check_equal(counters.prefetch_read, 3);
    check_equal(counters.prefetch_useless, 3);
    finish(free);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_CASE(neighbours_are_busy_until_the_transfer_ends, ""),
        HOST_CASE(a_neighbour_may_go_meanwhile, ""),
        HOST_CASE(all_may_go_meanwhile, ""),
        HOST_CASE(all_may_go_and_the_device_fail, ""),
        HOST_CASE(the_page_alone_is_tried_again, ""),
        HOST_CASE(a_broken_device_leaves_nothing_behind, ""),
        HOST_CASE(neighbours_leave_the_reserve, ""),
        HOST_CASE(a_file_may_go_meanwhile, ""),
    };

    return host_run(tests);
}
