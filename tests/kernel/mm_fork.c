/*
 * fork, in the way that fork= names: what is shared, what a write copies, what exit gives back, and what want of memory leaves as it was.
 */
#include <asm/errno.h>
#include <linux/mman.h>

#include "mm/fork.h"
#include "mm/reclaim.h"
#include "mm/swap.h"
#include "mm/user.h"
#include "tests/kernel/mm_case.h"

#define RW (PROT_READ | PROT_WRITE)
#define PAGES 100u          /* four chunks at least, the first and the last cut */

enum way { LAZY, COW, COPY };

/* Which way the last fork went, by the counters. */
static enum way
way(void)
{
    return COUNTED(fork_lazy) ? LAZY : COUNTED(fork_cow) ? COW : COPY;
}

SELFTEST(mm_fork, both_see_the_same, "the child sees what the parent had, and neither sees what the other writes afterwards")
{
    struct aspace *parent = case_begin(), *child;
    u32 address = case_memory(parent, PAGES);

    check_true(address != 0);
    case_fill(parent, address, PAGES, 1);
    child = case_fork(parent);
    check_true(child != NULL);
    check_true(case_holds(child, address, PAGES, 1));
    case_fill(parent, address, PAGES / 2, 2);
    case_fill(child, address + (PAGES / 4 << PAGE_SHIFT), PAGES / 2, 3);
    check_true(case_holds(parent, address, PAGES / 2, 2));
    check_equal(case_get(child, address), case_word(0, 1));
    check_true(case_holds(child, address + (PAGES / 4 << PAGE_SHIFT), PAGES / 2, 3));
    check_equal(case_get(parent, address + (60 << PAGE_SHIFT)), case_word(60, 1));
    case_end();
}

SELFTEST(mm_fork, parents_next_write_is_seen, "a page that the parent has just written through the TLB is copied at its next write")
{
    struct aspace *parent = case_begin(), *child;
    u32 address = case_memory(parent, 2), word;

    check_true(address != 0);
    check_equal(user_write_word(address, 10), 0);
    check_equal(user_write_word(address + PAGE_SIZE, 20), 0);
    child = case_fork(parent);
    check_true(child != NULL);
    check_equal(user_write_word(address, 11), 0);
    check_equal(case_get(child, address), 10);
    check_equal(user_read_word(&word, address), 0);
    check_equal(word, 11);
    aspace_activate(child);
    check_equal(user_write_word(address + PAGE_SIZE, 21), 0);
    aspace_activate(parent);
    check_equal(user_read_word(&word, address + PAGE_SIZE), 0);
    check_equal(word, 20);
    case_end();
}

SELFTEST(mm_fork, shares_instead_of_copying, "lazy fork takes no frame for pages and counts each chunk once; cow counts each anon; copy copies each page")
{
    struct aspace *parent = case_begin(), *child;
    u32 address = case_memory(parent, PAGES), anonymous;
    struct anon *anon;

    check_true(address != 0);
    case_fill(parent, address, PAGES, 1);
    anonymous = frame_count(FRAME_ANONYMOUS);
    anon = case_anon(parent, address);
    case_count();
    child = case_fork(parent);
    check_true(child != NULL);
    check_equal(COUNTED(fork_lazy) + COUNTED(fork_cow) + COUNTED(fork_copy), 1);
    check_equal(COUNTED(fork_page_copy), way() == COPY ? PAGES : 0);
    check_equal(frame_count(FRAME_ANONYMOUS) - anonymous, way() == COPY ? PAGES : 0);
    check_equal(case_anon(child, address) == anon, way() != COPY);
    check_equal(anon->references, way() == COW ? 2 : 1);
    check_equal(amap_chunk(region_find(&parent->regions, page_of(address))->amap, page_of(address))->references,
                way() == LAZY ? 2 : 1);
    check_equal(child->pmap.resident, way() == COW ? PAGES : 0);
    case_end();
}

SELFTEST(mm_fork, a_write_copies_one_page, "one write copies one page, and splits one chunk if chunks are shared; reading copies nothing")
{
    struct aspace *parent = case_begin(), *child;
    u32 address = case_memory(parent, PAGES), anonymous;

    check_true(address != 0);
    case_fill(parent, address, PAGES, 1);
    child = case_fork(parent);
    check_true(child != NULL);
    if (way() != COPY) {
        anonymous = frame_count(FRAME_ANONYMOUS);
        case_count();
        check_true(case_holds(child, address, PAGES, 1));
        check_equal(frame_count(FRAME_ANONYMOUS), anonymous);
        check_equal(COUNTED(chunk_split), 0);
        check_text(case_fault(child, address + 40 * PAGE_SIZE, FAULT_WRITE), "fault_cow_copy");
        check_equal(frame_count(FRAME_ANONYMOUS), anonymous + 1);
        check_equal(COUNTED(chunk_split), COUNTED(fork_cow) || case_anon(parent, address)->references > 1 ? 0 : 1);
        check_equal(case_anon(parent, address + 40 * PAGE_SIZE)->references, 1);
        check_true(case_holds(parent, address, PAGES, 1) && case_holds(child, address, PAGES, 1));
    }
    case_end();
}

SELFTEST(mm_fork, last_sharer_reuses, "when the other sharer has gone, a write makes the page writable again and copies nothing")
{
    struct aspace *parent = case_begin(), *child;
    u32 address = case_memory(parent, PAGES), anonymous, rights;
    struct frame *frame;

    check_true(address != 0);
    case_fill(parent, address, PAGES, 1);
    child = case_fork(parent);
    check_true(child != NULL);
    if (way() != COPY) {
        check_text(case_fault(parent, address, FAULT_READ), "fault_soft");
        case_release(child);
        anonymous = frame_count(FRAME_ANONYMOUS);
        frame = pmap_lookup(&parent->pmap, page_of(address), &rights);
        check_true(frame != NULL);
        check_text(case_fault(parent, address, FAULT_WRITE), "fault_cow_reuse");
        check_text(case_fault(parent, address + 5 * PAGE_SIZE, FAULT_WRITE), "fault_cow_reuse");
        check_true(pmap_lookup(&parent->pmap, page_of(address), &rights) == frame && rights & PMAP_WRITE);
        check_equal(frame_count(FRAME_ANONYMOUS), anonymous);
        check_text(case_fault(parent, address, FAULT_WRITE), "fault_soft");
    }
    case_end();
}

SELFTEST(mm_fork, child_survives_its_parent, "the child keeps its pages when the parent exits, and becomes their only owner")
{
    struct aspace *parent = case_begin(), *child;
    u32 address = case_memory(parent, PAGES), anons;

    check_true(address != 0);
    case_fill(parent, address, PAGES, 1);
    child = case_fork(parent);
    check_true(child != NULL);
    aspace_activate(NULL);
    case_release(parent);
    anons = anon_count();
    check_true(case_holds(child, address, PAGES, 1));
    check_equal(case_anon(child, address)->references, 1);
    case_fill(child, address, PAGES, 2);
    check_equal(anon_count(), anons);
    case_end();
}

SELFTEST(mm_fork, everything_comes_back, "after three generations have written and gone, no frame, slot or anon is missing, whoever goes first")
{
    struct case_usage before = case_usage();

    for (u32 order = 0; order < 3; order++) {
        struct aspace *generation[3] = {case_begin(), NULL, NULL};
        u32 address = case_memory(generation[0], PAGES);

        check_true(address != 0);
        case_fill(generation[0], address, PAGES, 1);
        for (u32 i = 1; i < 3; i++) {
            generation[i] = case_fork(generation[i - 1]);
            check_true(generation[i] != NULL);
            case_fill(generation[i], address + (i * 20 << PAGE_SHIFT), 30, i + 1);
        }
        aspace_activate(NULL);
        for (u32 i = 0; i < 3; i++)
            case_release(generation[(order + i) % 3]);
        check_true(case_usage_is(&before));
    }
    case_end();
}

SELFTEST(mm_fork, tables_and_objects_come_back, "forking and exiting over and over takes no more memory than once")
{
    u32 free = 0;

    for (u32 round = 0; round < 4; round++) {
        struct aspace *parent = case_begin(), *child;
        u32 address = case_memory(parent, PAGES);

        check_true(address != 0);
        case_fill(parent, address, PAGES, 1);
        child = case_fork(parent);
        check_true(child != NULL);
        case_fill(child, address, PAGES, 2);
        case_end();
        if (round == 1)
            free = frame_free_count();
    }
    check_equal(frame_free_count(), free);
}

SELFTEST(mm_fork, shared_memory_stays_shared, "what is mapped MAP_SHARED is one page for both, before and after fork, and is never copied")
{
    struct aspace *parent = case_begin(), *child;
    u32 address = case_map(parent, 3, RW, MAP_SHARED), anonymous;

    check_true(address != 0);
    check_equal(user_write_word(address, 1), 0);
    child = case_fork(parent);
    check_true(child != NULL);
    anonymous = frame_count(FRAME_ANONYMOUS);
    check_equal(user_write_word(address, 2), 0);
    check_equal(case_get(child, address), 2);
    case_put(child, address, 3);
    check_equal(case_get(parent, address), 3);
    check_equal(frame_count(FRAME_ANONYMOUS), anonymous);
    case_put(child, address + PAGE_SIZE, 4);        /* a page that comes after fork */
    check_equal(case_get(parent, address + PAGE_SIZE), 4);
    check_equal(COUNTED(fault_cow_copy) + COUNTED(fault_cow_reuse), 0);
    case_end();
}

SELFTEST(mm_fork, what_is_not_written_costs_nothing, "regions without private pages, and pages never touched, are there in the child, too")
{
    struct aspace *parent = case_begin(), *child;
    u32 address = case_memory(parent, 10), anons = anon_count();

    check_true(address != 0);
    check_equal(case_get(parent, address), 0);
    child = case_fork(parent);
    check_true(child != NULL);
    check_equal(child->regions.pages, parent->regions.pages);
    check_equal(anon_count(), anons);
    case_put(child, address, 5);
    check_equal(case_get(parent, address), 0);
    check_equal(case_get(child, address + PAGE_SIZE), 0);
    case_end();
}

SELFTEST(mm_fork, advice_keeps_a_region_out, "madvise(MADV_DONTFORK) keeps a region from the child, MADV_DOFORK takes that back")
{
    struct aspace *parent = case_begin(), *child;
    u32 address = case_memory(parent, 3);

    check_true(address != 0);
    case_fill(parent, address, 3, 1);
    check_equal(mmap_advise(parent, address + PAGE_SIZE, PAGE_SIZE, MADV_DONTFORK), 0);
    child = case_fork(parent);
    check_true(child != NULL);
    check_equal(child->regions.pages, 2);
    check_text(case_fault(child, address + PAGE_SIZE, FAULT_READ), "fault_unmapped");
    check_true(case_holds(parent, address, 3, 1));
    check_equal(mmap_advise(parent, address + PAGE_SIZE, PAGE_SIZE, MADV_DOFORK), 0);
    child = case_fork(parent);
    check_true(child != NULL);
    check_true(case_holds(child, address, 3, 1));
    case_end();
}

SELFTEST(mm_fork, limits_are_inherited, "the child has the parent's heap, stack and limits; locks are not inherited")
{
    struct aspace *parent = case_begin(), *child;
    u32 address = case_memory(parent, 2);

    check_true(address != 0);
    parent->heap_start = 0x5000;
    parent->heap_end = 0x5678;
    parent->stack_limit_pages = 77;
    parent->data_limit_pages = 78;
    parent->size_limit_pages = 79000;
    check_equal(mmap_lock(parent, address, PAGE_SIZE), 0);
    child = case_fork(parent);
    check_true(child != NULL);
    check_true(child->heap_start == 0x5000 && child->heap_end == 0x5678 && child->stack_limit_pages == 77);
    check_true(child->data_limit_pages == 78 && child->size_limit_pages == 79000 && child->stack_top == parent->stack_top);
    check_equal(child->locked_pages, 0);
    check_equal(parent->locked_pages, 1);
    check_true(!(region_find(&child->regions, page_of(address))->flags & REGION_LOCKED));
    case_end();
}

SELFTEST(mm_fork, swapped_pages_are_shared, "pages out of memory are shared by their slot: one read serves each, and the slot goes with the last")
{
    struct aspace *parent = case_begin(), *child;
    u32 address = case_memory(parent, 2), taken;

    check_true(address != 0);
    case_fill(parent, address, 2, 1);
    if (swap_total() && case_evict(case_anon(parent, address))) {
        child = case_fork(parent);
        check_true(child != NULL);
        taken = swap_free_count();
        check_true(case_holds(child, address, 2, 1));
        case_put(child, address, 9);
        check_true(case_holds(parent, address, 2, 1));
        check_equal(case_get(child, address), 9);
        check_true(swap_free_count() <= taken);
        case_release(child);
        check_true(case_holds(parent, address, 2, 1));
    }
    case_end();
}

SELFTEST(mm_fork, want_of_memory, "fork that fails for want of memory leaves the parent as it was, and everything else too")
{
    struct aspace *parent = case_begin();
    u32 address = case_memory(parent, PAGES), failures = 0;
    struct case_usage before;

    check_true(address != 0);
    case_fill(parent, address, PAGES, 1);
    if (swap_total() == 0) {
        case_evict_all();
        before = case_usage();
        for (u32 leave = 0; leave < 12; leave += 3) {
            struct aspace *child;

            case_hoard(leave);
            child = fork_aspace(parent);
            case_unhoard();
            if (child)
                aspace_release(child);
            failures += child == NULL;
            check_true(case_usage_is(&before));
            check_equal(case_anon(parent, address)->references, 1);
        }
        check_true(failures > 0);
        case_count();
        check_equal(user_write_word(address, 7), 0);
        check_equal(COUNTED(fault_cow_copy), 0);
    }
    case_end();
}
