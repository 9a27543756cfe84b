/*
 * Making room: who is chosen, what it costs, what stays, and that nothing is lost on the way.
 */
#include <asm/errno.h>
#include <linux/mman.h>

#include "kernel/lib/string.h"
#include "mm/evictable.h"
#include "mm/reclaim.h"
#include "mm/swap.h"
#include "mm/user.h"
#include "tests/kernel/mm_case.h"

#define RW (PROT_READ | PROT_WRITE)
#define PAGES 20u

/* An active address space with PAGES pages written, which come in one by one, alone among the candidates; 0 without a swap area. */
static u32
begin_alone(struct aspace **aspace)
{
    u32 address;

    *aspace = case_begin();
    if (swap_total() < 4 * PAGES)
        return 0;
    case_evict_all();
    address = case_memory(*aspace, PAGES);
    case_fill(*aspace, address, PAGES, 1);
    case_prefetch(0);
    case_count();
    return address;
}

SELFTEST(mm_reclaim, dirty_is_written_clean_is_dropped, "a dirty victim is written once; read back and only read, it is dropped without a write")
{
    struct aspace *aspace;
    u32 address = begin_alone(&aspace);

    if (address) {
        case_evict_all();
        check_equal(COUNTED(reclaim_write_back), PAGES);
        check_equal(COUNTED(reclaim_clean_drop), 0);
        check_equal(COUNTED(pgsteal), PAGES);
        check_equal(COUNTED(pswpout), PAGES);
        check_equal(aspace->pmap.resident, 0);
        check_equal(aspace_swapped_pages(aspace), PAGES);
        check_true(case_holds(aspace, address, PAGES, 1));
        check_equal(COUNTED(fault_swap_in), PAGES);
        check_equal(COUNTED(pswpin), PAGES);
        check_equal(COUNTED(pgmajfault), PAGES);
        case_evict_all();
        check_equal(COUNTED(reclaim_write_back), PAGES);
        check_equal(COUNTED(reclaim_clean_drop), PAGES);
        check_equal(COUNTED(pgsteal), 2 * PAGES);
        check_true(case_holds(aspace, address, PAGES, 1));
        /* All of it was this process's doing. */
        check_equal(aspace->counters.pswpout, PAGES);
        check_equal(aspace->counters.pswpin, 2 * PAGES);
        check_equal(aspace->counters.pgmajfault, 2 * PAGES);
        check_equal(aspace->counters.reclaim_write_back, PAGES);
        check_equal(aspace->counters.reclaim_clean_drop, PAGES);
    }
    case_end();
}

SELFTEST(mm_reclaim, one_write_costs_one_write, "of pages read back, exactly those written through the processor since are written again")
{
    struct aspace *aspace;
    u32 address = begin_alone(&aspace), word;

    if (address) {
        case_evict_all();
        for (u32 i = 0; i < PAGES; i++)
            check_equal(user_read_word(&word, address + (i << PAGE_SHIFT)), 0);
        for (u32 i = 0; i < PAGES; i += 4)
            check_equal(user_write_word(address + (i << PAGE_SHIFT), 100 + i), 0);
        case_count();
        case_evict_all();
        check_equal(COUNTED(reclaim_write_back), PAGES / 4);
        check_equal(COUNTED(reclaim_clean_drop), PAGES - PAGES / 4);
        for (u32 i = 0; i < PAGES; i++)
            check_equal(case_get(aspace, address + (i << PAGE_SHIFT)), i % 4 == 0 ? 100 + i : case_word(i, 1));
    }
    case_end();
}

SELFTEST(mm_reclaim, write_brings_in_for_writing, "a write to a page that was swapped out brings it in, dirty and writable: one fault, also under dirty=software")
{
    struct aspace *aspace;
    u32 address = begin_alone(&aspace), rights;

    if (address) {
        case_evict_all();
        check_text(case_fault(aspace, address, FAULT_WRITE), "fault_swap_in");
        check_true(pmap_lookup(&aspace->pmap, page_of(address), &rights) != NULL && rights & PMAP_WRITE);
        check_true(case_anon(aspace, address)->frame->dirty);
        check_text(case_fault(aspace, address + PAGE_SIZE, FAULT_READ), "fault_swap_in");
        check_true(!case_anon(aspace, address + PAGE_SIZE)->frame->dirty);
    }
    case_end();
}

SELFTEST(mm_reclaim, write_after_harvest_is_not_lost, "a page written, asked for its reference, and written again comes back with the last word")
{
    struct aspace *aspace;
    u32 address = begin_alone(&aspace), word;

    if (address) {
        case_evict_all();
        for (u32 round = 1; round < 6; round++) {
            struct anon *anon = case_anon(aspace, address);

            check_equal(user_read_word(&word, address), 0);
            check_equal(user_write_word(address, round), 0);
            pmap_frame_test_referenced(anon->frame);
            pmap_frame_harvest_dirty(anon->frame);
            check_equal(user_write_word(address + 4, round), 0);
            check_true(case_evict(anon));
            check_equal(user_read_word(&word, address), 0);
            check_equal(word, round);
            check_equal(user_read_word(&word, address + 4), 0);
            check_equal(word, round);
        }
    }
    case_end();
}

SELFTEST(mm_reclaim, victim_is_gone_at_once, "a page that was touched, evicted, and touched again is the page read back and not the old frame")
{
    struct aspace *aspace;
    u32 address = begin_alone(&aspace), word;

    if (address) {
        struct anon *anon = case_anon(aspace, address);
        struct frame *frame = anon->frame;

        check_equal(user_write_word(address, 5), 0);
        check_true(case_evict(anon));
        /* Whoever gets the frame next writes into it. */
        memset(frame_data(frame), 0x99, PAGE_SIZE);
        check_equal(user_read_word(&word, address), 0);
        check_equal(word, 5);
    }
    case_end();
}

SELFTEST(mm_reclaim, shared_victim_leaves_all, "a victim that two processes map leaves both, and is written once")
{
    struct aspace *aspace, *child;
    u32 address = begin_alone(&aspace);

    if (address) {
        child = case_fork(aspace);
        check_true(child != NULL);
        if (COUNTED(fork_copy) == 0) {
            check_true(case_holds(aspace, address, PAGES, 1) && case_holds(child, address, PAGES, 1));
            check_equal(child->pmap.resident, PAGES);
            case_evict_all();
            check_equal(aspace->pmap.resident + child->pmap.resident, 0);
            check_equal(COUNTED(reclaim_write_back), PAGES);
            check_true(case_holds(aspace, address, PAGES, 1) && case_holds(child, address, PAGES, 1));
            check_equal(COUNTED(pswpin), PAGES);
        }
    }
    case_end();
}

SELFTEST(mm_reclaim, policy_names_the_victim, "fifo takes the oldest page, used or not; clock passes over what was used since")
{
    struct aspace *aspace;
    u32 address = begin_alone(&aspace), word;

    if (address) {
        struct anon *first = case_anon(aspace, address), *second = case_anon(aspace, address + PAGE_SIZE);

        /* Take all reference bits, so that only the next touch counts. */
        for (u32 i = 0; i < PAGES; i++)
            pmap_frame_test_referenced(case_anon(aspace, address + (i << PAGE_SHIFT))->frame);
        pmap_remove(&aspace->pmap, page_of(address), page_add(page_of(address), 1));
        check_equal(user_read_word(&word, address), 0);
        check_true(reclaim_evict_one());
        if (strcmp(pool_policy->name, "fifo") == 0)
            check_true(!first->frame && second->frame);
        if (strcmp(pool_policy->name, "clock") == 0)
            check_true(first->frame && !second->frame);
        check_equal(aspace_swapped_pages(aspace), 1);
        check_equal(COUNTED(pgsteal), 1);
    }
    case_end();
}

SELFTEST(mm_reclaim, locked_pages_stay, "mlock: locked pages are never victims; munlock makes them candidates again")
{
    struct aspace *aspace;
    u32 address = begin_alone(&aspace);

    if (address) {
        check_equal(mmap_lock(aspace, address, 3 * PAGE_SIZE), 0);
        case_evict_all();
        check_equal(aspace_swapped_pages(aspace), PAGES - 3);
        check_equal(aspace->pmap.resident, 3);
        check_equal(mmap_unlock(aspace, address, 3 * PAGE_SIZE), 0);
        case_evict_all();
        check_equal(aspace_swapped_pages(aspace), PAGES);
        check_true(case_holds(aspace, address, PAGES, 1));
    }
    case_end();
}

SELFTEST(mm_reclaim, locked_pages_without_access_go, "mprotect(PROT_NONE): nothing holds locked pages in memory any more, and they come back")
{
    struct aspace *aspace;
    u32 address = begin_alone(&aspace);

    if (address) {
        check_equal(mmap_lock(aspace, address, PAGES * PAGE_SIZE), 0);
        check_equal(mmap_protect(aspace, address, PAGES * PAGE_SIZE, PROT_NONE), 0);
        case_evict_all();
        check_equal(aspace_swapped_pages(aspace), PAGES);
        check_equal(mmap_protect(aspace, address, PAGES * PAGE_SIZE, RW), 0);
        check_true(case_holds(aspace, address, PAGES, 1));
    }
    case_end();
}

SELFTEST(mm_reclaim, pinned_frames_stay, "a pinned frame is no victim until its last pin goes")
{
    struct aspace *aspace;
    u32 address = begin_alone(&aspace);

    if (address) {
        struct anon *anon = case_anon(aspace, address);
        struct frame *frame = anon->frame;

        evictable_pin(frame);
        evictable_pin(frame);
        case_evict_all();
        check_true(anon->frame == frame);
        evictable_unpin(frame);
        case_evict_all();
        check_true(anon->frame == frame);
        evictable_unpin(frame);
        case_evict_all();
        check_true(anon->frame == NULL);
    }
    case_end();
}

SELFTEST(mm_reclaim, pinned_frame_outlives_its_owner, "a frame whose owner goes while it is pinned is freed with the last pin")
{
    struct aspace *aspace = case_begin();
    u32 address = case_memory(aspace, 1), anonymous = frame_count(FRAME_ANONYMOUS);
    struct frame *frame;

    check_true(address != 0);
    case_put(aspace, address, 1);
    frame = case_anon(aspace, address)->frame;
    evictable_pin(frame);
    check_equal(mmap_unmap(aspace, address, PAGE_SIZE), 0);
    check_equal(frame->state, FRAME_ANONYMOUS);
    evictable_unpin(frame);
    check_equal(frame->state, FRAME_FREE);
    check_equal(frame_count(FRAME_ANONYMOUS), anonymous);
    case_end();
}

SELFTEST(mm_reclaim, files_are_dropped, "a file's page is dropped without a write from every mapping, and read again when it is needed")
{
    struct aspace *aspace = case_begin();
    struct object *file = object_file_create(&case_device, 0, 4 * PAGE_SIZE);
    u32 address = case_map_object(aspace, file, 0, 4, PROT_READ, MAP_PRIVATE), before;
    u64 transfers;

    check_true(file != NULL && address != 0);
    before = case_get(aspace, address + 2 * PAGE_SIZE);
    transfers = case_device.transfers_read;
    case_evict_all();
    check_equal(file->file.resident, 0);
    check_equal(aspace->pmap.resident, 0);
    check_true(COUNTED(reclaim_clean_drop) >= 1);
    check_equal(COUNTED(pswpout), COUNTED(reclaim_write_back));
    check_equal(case_get(aspace, address + 2 * PAGE_SIZE), before);
    check_equal(case_device.transfers_read - transfers, 1);
    object_release(file);
    case_end();
}

SELFTEST(mm_reclaim, ensures_what_is_asked, "reclaim_ensure makes at least so many frames free, and evicts nothing when they are")
{
    struct aspace *aspace;
    u32 address = begin_alone(&aspace);

    if (address) {
        check_equal(reclaim_ensure(1), 0);
        check_equal(COUNTED(pgsteal), 0);
        case_hoard(4);
        check_equal(reclaim_ensure(10), 0);
        check_true(frame_free_count() >= 10);
        check_equal(COUNTED(pgsteal), 6);
        case_unhoard();
        check_true(case_holds(aspace, address, PAGES, 1));
    }
    case_end();
}

SELFTEST(mm_reclaim, without_a_place_nothing_goes, "with no room in the swap area a private page stays; nothing is lost, and reclaim says so")
{
    struct aspace *aspace = case_begin();
    u32 address = case_memory(aspace, 3);

    check_true(address != 0);
    case_evict_all();
    case_fill(aspace, address, 3, 1);
    case_hoard_slots();
    check_true(!case_evict(case_anon(aspace, address)));
    check_true(case_anon(aspace, address)->frame != NULL);
    check_equal(reclaim_try(frame_free_count() + 1), -ENOMEM);
    case_unhoard_slots();
    check_true(case_holds(aspace, address, 3, 1));
    case_end();
}

SELFTEST(mm_reclaim, faults_make_room, "with few frames free and many pages to touch, faults evict and every page keeps its word")
{
    struct aspace *aspace = case_begin();
    const u32 pages = 300;
    u32 address = case_memory(aspace, pages);

    check_true(address != 0);
    if (swap_total() > 2 * pages) {
        case_hoard(2 * RECLAIM_LOW);
        case_fill(aspace, address, pages, 7);
        check_true(COUNTED(pswpout) > pages / 3);
        check_true(case_holds(aspace, address, pages, 7));
        check_true(case_holds(aspace, address, pages, 7));
        check_equal(COUNTED(pgsteal), COUNTED(reclaim_clean_drop) + COUNTED(reclaim_write_back));
        case_unhoard();
    }
    case_end();
}
