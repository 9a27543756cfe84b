/* The swap area under processes: every page comes back with its bytes, every slot has one owner, and goes with it. */
#include <linux/mman.h>

#include "kernel/lib/string.h"
#include "mm/evictable.h"
#include "mm/reclaim.h"
#include "mm/swap.h"
#include "mm/transfer.h"
#include "tests/kernel/mm_case.h"

#define PAGES 200u

SELFTEST(mm_swap, every_byte_comes_back, "a page that was out has each of its 4096 bytes as before")
{
    struct aspace *aspace = case_begin();
    u32 address = case_memory(aspace, 1);
    static u8 written[PAGE_SIZE], read[PAGE_SIZE];

    check_true(address != 0);
    for (u32 i = 0; i < PAGE_SIZE; i++)
        written[i] = (u8)(i * 13 + i / 256);
    check_equal(aspace_write(aspace, address, written, PAGE_SIZE), 0);
    if (swap_total() && case_evict(case_anon(aspace, address))) {
        case_soil_frames();
        check_equal(aspace_read(aspace, address, read, PAGE_SIZE), 0);
        check_true(memcmp(written, read, PAGE_SIZE) == 0);
    }
    case_end();
}

SELFTEST(mm_swap, many_pages_keep_apart, "many pages out and in again, in another order, are each their own")
{
    struct case_usage before = case_usage();
    struct aspace *aspace = case_begin();
    u32 address = case_memory(aspace, PAGES);

    check_true(address != 0);
    if (swap_total() > 2 * PAGES) {
        case_fill(aspace, address, PAGES, 1);
        case_evict_all();
        check_equal(swap_total() - swap_free_count(), before.slots + PAGES);
        for (u32 i = PAGES; i-- > 0;)
            check_equal(case_get(aspace, address + i * PAGE_SIZE), case_word(i, 1));
        case_fill(aspace, address, PAGES, 2);
        case_evict_all();
        check_true(case_holds(aspace, address, PAGES, 2));
        check_equal(swap_total() - swap_free_count(), before.slots + PAGES);
    }
    case_end();
    check_equal(swap_total() - swap_free_count(), before.slots);
}

SELFTEST(mm_swap, unmapping_frees_the_slot, "unmapping pages that are out frees exactly their slots, without reading them")
{
    struct aspace *aspace = case_begin();
    u32 address = case_memory(aspace, PAGES), slots;

    check_true(address != 0);
    if (swap_total() > 2 * PAGES) {
        case_fill(aspace, address, PAGES, 1);
        case_evict_all();
        slots = swap_free_count();
        check_equal(mmap_unmap(aspace, address + 10 * PAGE_SIZE, 20 * PAGE_SIZE), 0);
        check_equal(swap_free_count(), slots + 20);
        check_equal(COUNTED(pswpin), 0);
        check_equal(case_get(aspace, address + 9 * PAGE_SIZE), case_word(9, 1));
        check_equal(case_get(aspace, address + 30 * PAGE_SIZE), case_word(30, 1));
    }
    case_end();
}

SELFTEST(mm_swap, full_area_takes_copies_back, "when no slot is free, a page in memory gives up the copy it has there, and no page is lost")
{
    struct aspace *aspace = case_begin();
    u32 address = case_memory(aspace, 8), others;

    check_true(address != 0);
    case_evict_all();
    if (swap_free_count() > 100) {
        others = address + 4 * PAGE_SIZE;
        case_fill(aspace, address, 4, 1);
        case_evict_all();
        check_true(case_holds(aspace, address, 4, 1));      /* in memory, with a copy each in the area */
        case_fill(aspace, others, 4, 2);
        case_hoard_slots();
        for (u32 i = 0; i < 4; i++)
            evictable_pin(case_anon(aspace, address + i * PAGE_SIZE)->frame);
        for (u32 i = 0; i < 4; i++)
            check_true(reclaim_evict_one());
        check_true(!reclaim_evict_one());
        for (u32 i = 0; i < 4; i++) {
            struct anon *anon = case_anon(aspace, address + i * PAGE_SIZE);

            check_true(anon->frame->dirty && anon->slot.number == 0);
            evictable_unpin(anon->frame);
        }
        check_true(case_holds(aspace, address, 4, 1) && case_holds(aspace, others, 4, 2));
        case_unhoard_slots();
        case_evict_all();
        check_true(case_holds(aspace, address, 4, 1) && case_holds(aspace, others, 4, 2));
    }
    case_end();
}

SELFTEST(mm_swap, shared_memory_swaps_too, "a shared page that is out comes back for whoever asks first, once for all")
{
    struct aspace *aspace = case_begin(), *child;
    u32 address = case_map(aspace, 4, PROT_READ | PROT_WRITE, MAP_SHARED);

    check_true(address != 0);
    case_fill(aspace, address, 4, 1);
    child = case_fork(aspace);
    check_true(child != NULL);
    if (swap_total() > 10) {
        case_evict_all();
        check_equal(aspace->pmap.resident, 0);
        case_prefetch(0);
        case_count();
        check_text(case_fault(child, address, FAULT_READ), "fault_swap_in");
        check_text(case_fault(aspace, address, FAULT_READ), "fault_file");
        check_equal(COUNTED(pswpin), 1);
        case_put(child, address, 9);
        case_evict_all();
        check_equal(case_get(aspace, address), 9);
        check_equal(case_get(aspace, address + PAGE_SIZE), case_word(1, 1));
    }
    case_end();
}
