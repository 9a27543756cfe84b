/*
 * The reserve: what counts as left for programs, and the very frame at which the rest stops growing.
 */
#include "tests/host/host.h"

#include "kernel/reserve.c"
#include "mm/swap.h"
#include "tests/host/stub/machine.h"

#define MEMORY_FRAMES 1024u
#define SWAP_PAGES 32u
#define SWAP_SLOTS (SWAP_PAGES - 1)     /* slot 0 is never given out */

static void
begin(void)
{
    machine_start(MEMORY_FRAMES);
    check(swap_start(host_device_create((u64)SWAP_PAGES << PAGE_SHIFT)));
}

static void
take(enum frame_state state, u32 frames)
{
    while (frames-- > 0)
        check(frame_allocate(state));
}

/* The cheap question and the exact one. */
static bool
is_reached(void)
{
    check_equal(reserve_is_reached(), reserve_is_reached_exactly());
    return reserve_is_reached();
}

/* Leaves as many frames as the reserve has, all free. */
static void
begin_at_the_edge(void)
{
    begin();
    take(FRAME_KERNEL, frame_free_count() - frame_total() / RESERVE_PART);
}

static void
one_part_of_memory_is_left(void)
{
    begin_at_the_edge();
    check(!is_reached());
    take(FRAME_KERNEL, 1);
    check(is_reached());
}

/* Files' pages can be dropped: they are as good as free. */
static void
files_pages_are_left(void)
{
    begin_at_the_edge();
    take(FRAME_OBJECT, frame_free_count());
    check(!is_reached());
}

/* Programs' pages are as good as free while the swap area has a slot for each. */
static void
programs_pages_are_left_as_far_as_they_can_be_swapped_out(void)
{
    begin_at_the_edge();
    take(FRAME_ANONYMOUS, SWAP_SLOTS);
    check(!is_reached());
    take(FRAME_ANONYMOUS, 1);
    check(is_reached());
}

static void
a_slot_in_use_is_room_for_nobody(void)
{
    begin_at_the_edge();
    take(FRAME_ANONYMOUS, SWAP_SLOTS);
    check(swap_allocate().number);
    check(is_reached());
}

/* Free slots are no memory: without a page that could go there they help nobody. */
static void
a_free_slot_alone_is_no_memory(void)
{
    begin_at_the_edge();
    take(FRAME_KERNEL, 1);
    take(FRAME_ANONYMOUS, 1);
    check(is_reached());
}

/* ---- Files ------------------------------------------------------------- */

#define FILE_RESERVE ((frame_total() + SWAP_SLOTS) / RESERVE_PART)

static void
files_may_have_what_is_beyond_a_part_of_memory_and_swap_area(void)
{
    begin();
    check_equal(reserve_file_pages(), frame_free_count() + SWAP_SLOTS - FILE_RESERVE);
    take(FRAME_KERNEL, 100);
    check_equal(reserve_file_pages(), frame_free_count() + SWAP_SLOTS - FILE_RESERVE);
    check(swap_allocate().number);
    check_equal(reserve_file_pages(), frame_free_count() + SWAP_SLOTS - 1 - FILE_RESERVE);
}

/* What files have in memory can be dropped or written out to make room for more. */
static void
files_pages_do_not_count_against_files(void)
{
    u32 before;

    begin();
    before = reserve_file_pages();
    take(FRAME_OBJECT, 100);
    check_equal(reserve_file_pages(), before);
}

/* A program's page moves to the swap area at best, and takes a slot there from the files. */
static void
programs_pages_count_against_files(void)
{
    u32 before;

    begin();
    before = reserve_file_pages();
    take(FRAME_ANONYMOUS, SWAP_SLOTS / 2);
    check_equal(reserve_file_pages(), before - SWAP_SLOTS / 2);
}

static void
files_stop_at_their_reserve(void)
{
    begin();
    take(FRAME_KERNEL, reserve_file_pages() - 1);
    check_equal(reserve_file_pages(), 1);
    take(FRAME_KERNEL, 1);
    check_equal(reserve_file_pages(), 0);
    take(FRAME_KERNEL, 1);
    check_equal(reserve_file_pages(), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_CASE(one_part_of_memory_is_left, ""),
        HOST_CASE(files_pages_are_left, ""),
        HOST_CASE(programs_pages_are_left_as_far_as_they_can_be_swapped_out, ""),
        HOST_CASE(a_slot_in_use_is_room_for_nobody, ""),
        HOST_CASE(a_free_slot_alone_is_no_memory, ""),
        HOST_CASE(files_may_have_what_is_beyond_a_part_of_memory_and_swap_area, ""),
        HOST_CASE(files_pages_do_not_count_against_files, ""),
        HOST_CASE(programs_pages_count_against_files, ""),
        HOST_CASE(files_stop_at_their_reserve, ""),
    };

    return host_run(tests);
}
