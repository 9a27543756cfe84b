/*
 * The swap area's bitmap: every slot is given out once, slot 0 never; neighbours follow each other; a full area says so. On a device in
 * memory.
 */
#include "tests/host/host.h"

#include <string.h>

#include <asm/errno.h>
#include <sanitizer/lsan_interface.h>

#include "mm/counters.h"
#include "mm/swap.h"
#include "tests/host/stub/machine.h"

static struct block_device *device;

static void
begin(u32 pages)
{
    device = host_device_create((u64)pages << PAGE_SHIFT);
    __lsan_disable();       /* the bitmap stays for good, and a case may start many areas */
    check(swap_start(device));
    __lsan_enable();
}

/* Of every size around a word's border: all slots but 0, each once, and then none. */
static void
every_slot_is_given_out_once(void)
{
    for (u32 pages = 2; pages < 140; pages++) {
        bool seen[140] = {false};

        begin(pages);
        check_equal(swap_total(), pages - 1);
        for (u32 i = 0; i < pages - 1; i++) {
            swap_slot_t slot = swap_allocate();

            check(slot.number > 0 && slot.number < pages && !seen[slot.number]);
            seen[slot.number] = true;
            check(swap_is_taken(slot));
            check_equal(swap_free_count(), pages - 2 - i);
        }
        check_equal(swap_allocate().number, 0);
        check_equal(swap_free_count(), 0);
    }
}

static void
a_slot_that_was_freed_is_found_again(void)
{
    begin(100);
    while (swap_allocate().number)
        continue;
    for (u32 slot = 1; slot < 100; slot++) {
        swap_free((swap_slot_t){slot});
        check(!swap_is_taken((swap_slot_t){slot}));
        check_equal(swap_free_count(), 1);
        check_equal(swap_allocate().number, slot);
        check_equal(swap_allocate().number, 0);
    }
}

static void
pages_evicted_together_lie_together(void)
{
    u32 first;

    begin(1000);
    for (u32 i = 1; i <= 300; i++)
        check_equal(swap_allocate().number, i);
    swap_free((swap_slot_t){5});
    first = swap_allocate().number;
    check_equal(first, 301);                    /* goes on where it was */
    for (u32 i = 302; i < 1000; i++)
        check_equal(swap_allocate().number, i);
    check_equal(swap_allocate().number, 5);     /* and begins again at the start */
}

static void
agrees_with_a_model(void)
{
    bool taken[200] = {false};
    u32 count = 0;

    begin(200);
    for (u32 step = 0; step < 20000; step++) {
        u32 slot = 1 + host_below(199);

        if (host_below(2) && count < 199) {
            slot = swap_allocate().number;
            check(slot > 0 && slot < 200 && !taken[slot]);
            taken[slot] = true;
            count++;
        } else if (taken[slot]) {
            swap_free((swap_slot_t){slot});
            taken[slot] = false;
            count--;
        }
        check_equal(swap_is_taken((swap_slot_t){slot}), taken[slot]);
        check_equal(swap_free_count(), 199 - count);
    }
}

static void
each_slot_has_its_own_place_on_the_device(void)
{
    struct cluster cluster = {.count = 1};
    struct frame *frame;

    machine_start(64);
    begin(40);
    frame = cluster.frames[0] = frame_allocate(FRAME_ANONYMOUS);
    for (u32 i = 1; i < 40; i++) {
        memset(frame_data(frame), (int)i, PAGE_SIZE);
        check_equal(swap_write(swap_allocate(), frame), 0);
    }
    check_equal(counters.pswpout, 39);
    for (u32 i = 1; i < 40; i++) {
        memset(frame_data(frame), 0, PAGE_SIZE);
        check_equal(swap_read((swap_slot_t){i}, &cluster), 1);
        for (u32 byte = 0; byte < PAGE_SIZE; byte++)
            check_equal(((u8 *)frame_data(frame))[byte], i);
    }
    check_equal(counters.pswpin, 39);
    check_equal(device->bytes_written, 39 * PAGE_SIZE);
    host_device_fails = true;
    check_equal(swap_read((swap_slot_t){1}, &cluster), 0);
    check_equal(swap_write((swap_slot_t){1}, frame), -EIO);
}

/* Neighbouring slots in one transfer, each to its own frame; a bad neighbour leaves the first page unharmed. */
static void
neighbours_come_in_one_transfer(void)
{
    struct cluster cluster = {.count = 5};

    machine_start(64);
    begin(40);
    for (u32 i = 0; i < 5; i++) {
        cluster.frames[i] = frame_allocate(FRAME_ANONYMOUS);
        memset(frame_data(cluster.frames[i]), (int)i + 1, PAGE_SIZE);
        check_equal(swap_write(swap_allocate(), cluster.frames[i]), 0);
        memset(frame_data(cluster.frames[i]), 0, PAGE_SIZE);
    }
    check_equal(swap_read((swap_slot_t){1}, &cluster), 5);
    check_equal(device->transfers_read, 1);
    check_equal(counters.device_read, 1);
    check_equal(counters.pswpin, 5);
    check_equal(counters.prefetch_read, 4);
    for (u32 i = 0; i < 5; i++) {
        check_equal(((u8 *)frame_data(cluster.frames[i]))[PAGE_SIZE - 1], i + 1);
        check_equal(cluster.frames[i]->prefetched, i > 0);
    }
    /* The last slot and one behind the device's end. */
    device->bytes = 6 * PAGE_SIZE;
    cluster.count = 2;
    swap_allocate();
    check_equal(swap_read((swap_slot_t){5}, &cluster), 1);
    check_equal(((u8 *)frame_data(cluster.frames[0]))[0], 5);
    check_equal(counters.prefetch_read, 4);
}

static void
too_small_a_device_is_refused(void)
{
    check(!swap_start(host_device_create(PAGE_SIZE)));
    check(!swap_start(host_device_create(2 * PAGE_SIZE - 1)));
    host_allocations_left = 0;
    check(!swap_start(host_device_create(8 * PAGE_SIZE)));
    host_allocations_left = HOST_UNLIMITED;
    check_equal(swap_total(), 0);
    check(swap_device_name() == NULL);
    check_equal(swap_allocate().number, 0);
    check(swap_start(host_device_create(2 * PAGE_SIZE)));
    check(swap_device_name() != NULL);
    check_equal(swap_total(), 1);
    check_equal(swap_allocate().number, 1);
    check_equal(swap_allocate().number, 0);
}

static void
freeing_a_free_slot_is_refused(void)
{
    begin(40);
    swap_free((swap_slot_t){7});
}

static void
freeing_a_slot_twice_is_refused(void)
{
    swap_slot_t slot;

    begin(40);
    slot = swap_allocate();
    swap_free(slot);
    swap_free(slot);
}

static void
freeing_slot_0_is_refused(void)
{
    begin(40);
    swap_free(SWAP_SLOT_NONE);
}

static void
freeing_a_slot_beyond_the_end_is_refused(void)
{
    begin(40);
    swap_free((swap_slot_t){40});
}

static void
writing_to_a_free_slot_is_refused(void)
{
    begin(40);
    swap_write((swap_slot_t){3}, NULL);
}

static void
reading_a_free_slot_is_refused(void)
{
    begin(40);
    swap_read((swap_slot_t){3}, &(struct cluster){.count = 1});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_CASE(every_slot_is_given_out_once, ""),
        HOST_CASE(a_slot_that_was_freed_is_found_again, ""),
        HOST_CASE(pages_evicted_together_lie_together, ""),
        HOST_CASE(agrees_with_a_model, ""),
        HOST_CASE(each_slot_has_its_own_place_on_the_device, ""),
        HOST_CASE(neighbours_come_in_one_transfer, ""),
        HOST_CASE(too_small_a_device_is_refused, ""),
        HOST_ASSERTS(freeing_a_free_slot_is_refused),
        HOST_ASSERTS(freeing_a_slot_twice_is_refused),
        HOST_ASSERTS(freeing_slot_0_is_refused),
        HOST_ASSERTS(freeing_a_slot_beyond_the_end_is_refused),
        HOST_ASSERTS(writing_to_a_free_slot_is_refused),
        HOST_ASSERTS(reading_a_free_slot_is_refused),
    };

    return host_run(tests);
}
