/*
 * What an eviction costs beyond revoking and copying, in executed instructions, where QEMU counts them (-icount), as
 * tools/bench.py has it; elsewhere the figures mean nothing, and only the way is tested.
 *
 *     choice      the policy's part: it names the victim, and forgets it
 *     revoking    pmap_frame_remove: the page is taken out of every table that maps it, out of the reverse map and the TLB
 *     copying     swap_allocate finds a slot, swap_write writes the page there
 *     the rest    the choice, whose page, may it go, what is counted, the anon forgets the frame, and the frame is freed
 *
 * Every page has been used through its entry, as pages are: so the clock looks at each twice, the first time to clear its bit.
 */
#include "tests/kernel/mm_case.h"

#include "kernel/log.h"
#include "mm/anon.h"
#include "mm/evictable.h"
#include "mm/pmap.h"
#include "mm/pool.h"
#include "mm/reclaim.h"
#include "mm/swap.h"
#include "mm/user.h"

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
        pool_evict(&pool_global, pool_select(&pool_global));
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

/* PAGES pages in memory, each written through its entry. */
static void
use_pages(u32 address, u32 seed)
{
    for (u32 i = 0; i < PAGES; i++)
        check_equal(user_write_word(address + (i << PAGE_SHIFT), seed + i), 0);
}

static bool
pages_hold(u32 address, u32 seed)
{
    u32 word;

    for (u32 i = 0; i < PAGES; i++)
        if (user_read_word(&word, address + (i << PAGE_SHIFT)) != 0 || word != seed + i)
            return false;
    return true;
}

SELFTEST(mm_cost, eviction, "what an eviction costs, in the mean: its rows are for make bench; pages go and come unharmed")
{
    struct aspace *aspace = case_begin();
    u32 address = swap_free_count() > 3 * PAGES ? case_memory(aspace, PAGES) : 0, choice, whole, needed;

    case_evict_all();
    if (address && !pool_is_local()) {
        use_pages(address, 1);
        choice = cost_of_choice(aspace, address);
        use_pages(address, 2);
        case_count();
        whole = cost_of_eviction();
        check_equal(COUNTED(reclaim_write_back), PAGES);
        check_equal(aspace_swapped_pages(aspace), PAGES);
        use_pages(address, 3);
        needed = cost_of_revoking_and_copying(aspace, address);
        check_true(pages_hold(address, 3));
        log_info("row\tchoice_%s\t%u", pool_policy->name, choice);
        log_info("row\teviction_%s\t%u", pool_policy->name, whole > needed ? whole - needed : 0);
    }
    case_end();
}
