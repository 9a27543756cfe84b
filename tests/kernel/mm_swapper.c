/*
 * Swapping whole address spaces: what they alone have goes out in few transfers and comes back in as few, unchanged; what others share,
 * or a lock holds, stays.
 */
#include <linux/mman.h>

#include "mm/check.h"
#include "mm/counters.h"
#include "mm/swap.h"
#include "mm/swapper.h"
#include "tests/kernel/mm_case.h"

#define PAGES 100u
#define FEW   4u        /* transfers, for PAGES pages */

static u32 left;        /* swapper_put_out may go on so often */

static bool
goes_on(const struct aspace *aspace)
{
    (void)aspace;
    return left-- > 0;
}

static void
put_out(struct aspace *aspace, u32 times)
{
    left = times;
    swapper_put_out(aspace, goes_on);
}

/* An address space with PAGES written pages; 0 if the test cannot run. */
static u32
begin(struct aspace **aspace)
{
    u32 address;

    *aspace = case_begin();
    if (!*aspace || swap_total() < 4 * PAGES || !(address = case_memory(*aspace, PAGES)))
        return 0;
    case_fill(*aspace, address, PAGES, 1);
    case_count();
    return address;
}

static u32
in_memory(struct aspace *aspace, u32 address)
{
    u32 count = 0;

    for (u32 i = 0; i < PAGES; i++)
        count += case_anon(aspace, address + (i << PAGE_SHIFT))->frame != NULL;
    return count;
}

SELFTEST(mm_swapper, out_and_in, "every page goes out and comes back as it was, many in one transfer")
{
    struct aspace *aspace;
    u32 address = begin(&aspace);

    if (address) {
        u32 free = frame_free_count();

        put_out(aspace, UINT32_MAX);
        check_equal(in_memory(aspace, address), 0);
        check_equal(aspace_resident_pages(aspace), 0);
        check_true(frame_free_count() >= free + PAGES);
        check_equal(COUNTED(pswpout), PAGES);
        check_true(check_run() == NULL);
        swapper_take_in(aspace, PAGES);
        check_equal(in_memory(aspace, address), PAGES);
        check_true(COUNTED(device_read) <= FEW);
        check_true(case_holds(aspace, address, PAGES, 1));
        check_true(check_run() == NULL);
    }
    case_end();
}

SELFTEST(mm_swapper, clean_pages_are_not_written_again, "what was not written since it came in has its copy in the swap area")
{
    struct aspace *aspace;
    u32 address = begin(&aspace);

    if (address) {
        put_out(aspace, UINT32_MAX);
        swapper_take_in(aspace, PAGES);
        check_true(case_holds(aspace, address, PAGES, 1));
        case_count();
        put_out(aspace, UINT32_MAX);
        check_equal(COUNTED(pswpout), 0);
        check_equal(in_memory(aspace, address), 0);
        check_true(case_holds(aspace, address, PAGES, 1));
    }
    case_end();
}

SELFTEST(mm_swapper, shared_pages_stay, "what another process has as well does not go, nor what is locked")
{
    struct aspace *aspace, *child;
    u32 address = begin(&aspace), locked;

    if (address && (locked = case_memory(aspace, 1))) {
        check_equal(mmap_lock(aspace, locked, PAGE_SIZE), 0);
        case_put(aspace, locked, 7);
        case_count();
        child = case_fork(aspace);
        put_out(aspace, UINT32_MAX);
        /* With fork=copy they share nothing. */
        check_equal(in_memory(aspace, address), COUNTED(fork_page_copy) > 0 ? 0 : PAGES);
        case_release(child);
        put_out(aspace, UINT32_MAX);
        check_equal(in_memory(aspace, address), 0);
        check_true(case_anon(aspace, locked)->frame != NULL);
        check_equal(case_get(aspace, locked), 7);
    }
    case_end();
}

SELFTEST(mm_swapper, ends_when_told_to, "the swapper stops where it is told to, and leaves nothing half done")
{
    struct aspace *aspace;
    u32 address = begin(&aspace);

    if (address) {
        put_out(aspace, PAGES / 2);
        check_equal(in_memory(aspace, address), PAGES / 2);
        check_true(check_run() == NULL);
        check_true(case_holds(aspace, address, PAGES, 1));
    }
    case_end();
}

SELFTEST(mm_swapper, takes_in_what_is_needed, "only the working set comes back, if it is known, and never more than asked for")
{
    struct aspace *aspace;
    u32 address = begin(&aspace);

    if (address) {
        put_out(aspace, UINT32_MAX);
        swapper_take_in(aspace, 1);
        check_true(in_memory(aspace, address) > 0);
        put_out(aspace, UINT32_MAX);
        check_true(aspace_measure(aspace));
        swapper_take_in(aspace, PAGES);
        check_equal(in_memory(aspace, address), 0);
    }
    case_end();
}

SELFTEST(mm_swapper, full_swap_area, "without a free slot pages stay in memory, and are as they were")
{
    struct aspace *aspace;
    u32 address = begin(&aspace);

    if (address) {
        case_hoard_slots();
        put_out(aspace, UINT32_MAX);
        if (swap_free_count() == 0)
            check_equal(in_memory(aspace, address), PAGES);
        case_unhoard_slots();
        check_true(case_holds(aspace, address, PAGES, 1));
        check_true(check_run() == NULL);
    }
    case_end();
}
