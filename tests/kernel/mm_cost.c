/*
 * What an eviction costs beyond what it cannot do without: revoking the mapping, finding a slot and copying the page to it.
 * The policy's part of it is the choice: naming the victim and forgetting it. In executed instructions where QEMU counts
 * them (-icount), as tools/bench.py has it; elsewhere the figures mean nothing, and only the way is tested.
 */
#include "tests/kernel/mm_case.h"

#include "kernel/printk.h"
#include "mm/anon.h"
#include "mm/evictable.h"
#include "mm/pmap.h"
#include "mm/pool.h"
#include "mm/reclaim.h"
#include "mm/swap.h"

#define PAGES 512u

static u64
instructions(void)
{
    return __builtin_ia32_rdtsc();
}

static struct frame *
frame_at(struct aspace *aspace, u32 address, u32 page)
{
    return case_anon(aspace, address + (page << PAGE_SHIFT))->frame;
}

/* The policy's part alone; then it knows the pages again, as if they had just come in. */
static u32
cost_of_choice(struct aspace *aspace, u32 address)
{
    u64 start = instructions(), end;

    for (u32 i = 0; i < PAGES; i++)
        pool_evict(frame_descriptor((frame_t){pool_select(&pool_global)}));
    end = instructions();
    for (u32 i = 0; i < PAGES; i++)
        evictable_insert(frame_at(aspace, address, i));
    return (u32)(end - start) / PAGES;
}

static u32
cost_of_eviction(void)
{
    u64 start = instructions();

    for (u32 i = 0; i < PAGES; i++)
        reclaim_evict_one();
    return (u32)(instructions() - start) / PAGES;
}

/* What cannot be done without, for pages that are in memory. */
static u32
cost_of_revoking_and_copying(struct aspace *aspace, u32 address)
{
    u64 total = 0;

    for (u32 i = 0; i < PAGES; i++) {
        struct frame *frame = frame_at(aspace, address, i);
        u64 start = instructions();
        swap_slot_t slot = swap_allocate();

        pmap_frame_remove(frame);
        swap_write(slot, frame);
        total += instructions() - start;
        swap_free(slot);
    }
    return (u32)total / PAGES;
}

SELFTEST(mm_cost, eviction, "to choose a victim takes at most 200 instructions under fifo and clock, in the mean")
{
    struct aspace *aspace = case_begin();
    u32 address = swap_free_count() > 3 * PAGES ? case_memory(aspace, PAGES) : 0, choice, whole, needed;

    case_evict_all();
    if (address && !pool_is_local()) {
        case_fill(aspace, address, PAGES, 1);
        choice = cost_of_choice(aspace, address);
        case_fill(aspace, address, PAGES, 2);
        case_count();
        whole = cost_of_eviction();
        check_equal(COUNTED(reclaim_write_back), PAGES);
        check_equal(aspace_swapped_pages(aspace), PAGES);
        case_fill(aspace, address, PAGES, 3);
        needed = cost_of_revoking_and_copying(aspace, address);
        check_true(case_holds(aspace, address, PAGES, 3));
        log_info("row\tchoice_%s\t%u", pool_policy->name, choice);
        log_info("row\teviction_%s\t%u", pool_policy->name, whole > needed ? whole - needed : 0);
    }
    case_end();
}
