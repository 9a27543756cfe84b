/* Anons: one page of private memory each, with a frame, a slot in the swap area, or both. */
#include "mm/anon.h"
#include "mm/evictable.h"
#include "mm/pagein.h"
#include "mm/swap.h"
#include "tests/kernel/mm_case.h"

/* An anon in memory whose first word is given. */
static struct anon *
make(u32 word)
{
    struct frame *frame = frame_allocate(FRAME_ANONYMOUS);
    struct anon *anon = frame ? anon_create(frame) : NULL;

    if (!selftest_expect(anon != NULL, "there is memory for an anon", __FILE__, __LINE__))
        return NULL;
    frame->dirty = true;
    *(u32 *)frame_data(frame) = word;
    return anon;
}

SELFTEST(mm_anon, frame_goes_with_the_last_reference, "the frame belongs to the anon, is a candidate for eviction, and goes with its last reference")
{
    struct case_usage before = case_usage();
    struct anon *anon = make(1);
    struct frame *frame;

    check_true(anon != NULL);
    frame = anon->frame;
    check_true(frame->owner == anon && anon->references == 1);
    check_equal(frame->evictable, swap_total() > 0);      /* without a place to go it is no candidate */
    check_equal(anon_count(), before.anons + 1);
    anon_hold(anon);
    anon_release(anon);
    check_true(frame->state == FRAME_ANONYMOUS && anon->references == 1);
    anon_release(anon);
    check_equal(frame->state, FRAME_FREE);
    check_true(!frame->evictable);
    check_true(case_usage_is(&before));
}

SELFTEST(mm_anon, out_and_in_again, "evicted, the anon has a slot and no frame; brought back it has both, the same bytes, and is clean")
{
    struct case_usage before = case_usage();
    struct anon *anon = make(0xABCD);

    check_true(anon != NULL);
    if (swap_total() && case_evict(anon)) {
        swap_slot_t slot = anon->slot;

        check_true(swap_is_taken(slot));
        check_equal(pagein_anon(anon, NULL), PAGEIN_READ);
        check_true(anon->frame && anon->frame->owner == anon && !anon->frame->dirty && anon->frame->evictable);
        check_equal(anon->slot.number, slot.number);
        check_equal(*(u32 *)frame_data(anon->frame), 0xABCD);
        check_equal(pagein_anon(anon, NULL), PAGEIN_HERE);
        /* Changed, it goes to the same slot again. */
        *(u32 *)frame_data(anon->frame) = 0x1234;
        anon->frame->dirty = true;
        check_true(case_evict(anon));
        check_equal(anon->slot.number, slot.number);
        check_equal(pagein_anon(anon, NULL), PAGEIN_READ);
        check_equal(*(u32 *)frame_data(anon->frame), 0x1234);
    }
    anon_release(anon);
    check_true(case_usage_is(&before));
}

SELFTEST(mm_anon, slot_goes_alone_too, "an anon that is out of memory gives its slot back with its last reference")
{
    struct case_usage before = case_usage();
    struct anon *anon = make(5);

    check_true(anon != NULL);
    if (swap_total() && case_evict(anon)) {
        check_equal(swap_total() - swap_free_count(), before.slots + 1);
        anon_release(anon);
    } else {
        anon_release(anon);
    }
    check_true(case_usage_is(&before));
}

SELFTEST(mm_anon, page_in_needs_a_frame, "without a free frame nothing is brought in, and nothing has changed")
{
    struct anon *anon = make(6);

    check_true(anon != NULL);
    if (swap_total() && case_evict(anon)) {
        case_hoard(0);
        check_equal(pagein_anon(anon, NULL), PAGEIN_NO_MEMORY);
        check_true(anon->frame == NULL && swap_is_taken(anon->slot));
        case_unhoard();
        check_equal(pagein_anon(anon, NULL), PAGEIN_READ);
        check_equal(*(u32 *)frame_data(anon->frame), 6);
    }
    anon_release(anon);
}

SELFTEST(mm_anon, dropping_the_slot, "dropping the slot frees it and leaves the frame")
{
    struct anon *anon = make(7);
    u32 free = swap_free_count();

    check_true(anon != NULL);
    if (swap_total() && case_evict(anon)) {
        check_equal(pagein_anon(anon, NULL), PAGEIN_READ);
        anon_drop_slot(anon);
        anon->frame->dirty = true;
        check_equal(swap_free_count(), free);
        check_equal(anon->slot.number, 0);
        check_equal(*(u32 *)frame_data(anon->frame), 7);
    }
    anon_release(anon);
    check_equal(swap_free_count(), free);
}
