/* Frames on the real machine: the free list, the counts, the direct map. */
#include "drivers/timer.h"
#include "kernel/lib/string.h"
#include "kernel/wait.h"
#include "mm/counters.h"
#include "tests/kernel/mm_case.h"

#define NAPS 20

SELFTEST(mm_frame, counts_follow, "the count of each state follows every frame taken and given back")
{
    u32 free = frame_free_count(), kernel = frame_count(FRAME_KERNEL);
    struct frame *frames[20];

    for (u32 i = 0; i < ARRAY_SIZE(frames); i++) {
        frames[i] = frame_allocate(FRAME_KERNEL);
        check_true(frames[i] != NULL);
        check_equal(frame_free_count(), free - i - 1);
        check_equal(frame_count(FRAME_KERNEL), kernel + i + 1);
    }
    for (u32 i = 0; i < ARRAY_SIZE(frames); i++)
        frame_free(frames[i]);
    check_equal(frame_free_count(), free);
    check_equal(frame_count(FRAME_FREE), free);
    check_equal(frame_count(FRAME_KERNEL), kernel);
}

SELFTEST(mm_frame, given_out_once, "all free frames can be had, each once; then none, and all come back")
{
    u32 free = frame_free_count();

    case_hoard(0);
    check_true(frame_allocate(FRAME_KERNEL) == NULL);
    check_equal(frame_free_count(), 0);
    case_unhoard();
    check_equal(frame_free_count(), free);
}

SELFTEST(mm_frame, hold_their_bytes, "each frame has bytes of its own, seen through the direct map")
{
    struct frame *frames[20];

    for (u32 i = 0; i < ARRAY_SIZE(frames); i++) {
        frames[i] = frame_allocate(FRAME_KERNEL);
        check_true(frames[i] != NULL);
        memset(frame_data(frames[i]), (int)i + 1, PAGE_SIZE);
    }
    frame_copy(frames[3], frames[7]);
    frame_clear(frames[4]);
    for (u32 i = 0; i < ARRAY_SIZE(frames); i++) {
        u32 expected = i == 3 ? 8 : i == 4 ? 0 : i + 1;
        const u8 *bytes = frame_data(frames[i]);

        check_equal(bytes[0], expected);
        check_equal(bytes[PAGE_SIZE / 2], expected);
        check_equal(bytes[PAGE_SIZE - 1], expected);
        check_true(frame_of_address(bytes).number == frame_number(frames[i]).number);
    }
    for (u32 i = 0; i < ARRAY_SIZE(frames); i++)
        frame_free(frames[i]);
}

SELFTEST(mm_frame, descriptors_agree, "number and descriptor lead to each other, and no frame given out is frame 0")
{
    struct frame *frame = frame_allocate(FRAME_KERNEL);

    check_true(frame != NULL);
    check_true(frame_number(frame).number > 0 && frame_number(frame).number < frame_limit);
    check_true(frame_descriptor(frame_number(frame)) == frame);
    check_equal(frame->state, FRAME_KERNEL);
    frame_free(frame);
    check_equal(frame->state, FRAME_FREE);
}

SELFTEST(mm_frame, the_idle_fill_the_pool, "while all sleep, free frames are cleared for those who will need zeroes, and none is lost")
{
    struct frame *frame;
    u32 free;

    case_soil_frames();
    case_count();
    free = frame_free_count();
    /* A busy host may take a nap's whole time for falling asleep. */
    for (int nap = 0; nap < NAPS && frame_zeroed_frames == 0; nap++)
        wait_timeout(NULL, timer_nanoseconds() + 2 * (u64)TIMER_TICK_NANOSECONDS);
    check_true(frame_zeroed_frames > 0);
    check_equal(frame_free_count(), free);
    frame = frame_allocate_zeroed(FRAME_ANONYMOUS);
    check_equal(COUNTED(zero_pool_hit), 1);
    check_equal(COUNTED(zero_pool_miss), 0);
    for (u32 i = 0; i < PAGE_SIZE / sizeof(u32); i++)
        check_equal(((const u32 *)frame_data(frame))[i], 0);
    frame_free(frame);
    check_equal(frame_free_count(), free);
}
