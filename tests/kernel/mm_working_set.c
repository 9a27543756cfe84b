/*
 * Working sets on live page tables: what a process uses is noted, whoever takes the accessed bits; and the replacement policy hears of
 * what the sampler took. Time is set by hand.
 */
#include <linux/mman.h>

#include "mm/check.h"
#include "mm/swap.h"
#include "mm/user.h"
#include "tests/kernel/mm_case.h"

#define PAGES  40u
#define PHASE  10u
#define WINDOW 100u
#define MILLISECOND 1000000u

static u32 window_before;

/* An address space whose working set is measured, with PAGES of memory in it that are not in the set; 0 if the test cannot run. */
static u32
begin(struct aspace **aspace)
{
    u32 address;

    window_before = working_set_window;
    working_set_window = WINDOW;
    *aspace = case_begin();
    if (!*aspace || !(address = case_memory(*aspace, PAGES)))
        return 0;
    case_fill(*aspace, address, PAGES, 1);
    if (!aspace_measure(*aspace))
        return 0;
    aspace_working_set(*aspace);
    aspace_charge_time(*aspace, WINDOW * MILLISECOND);
    aspace_clock_tick(*aspace);
    return address;
}

static void
end(void)
{
    working_set_window = window_before;
    case_end();
}

/* As the program does: the processor sets the accessed bits. */
static void
use(u32 address, u32 first, u32 count)
{
    for (u32 i = first; i < first + count; i++) {
        u32 word;

        check_equal(user_read_word(&word, address + (i << PAGE_SHIFT)), 0);
    }
}

SELFTEST(mm_working_set, follows_phases, "the set is what was used in the last window of the process's own time, and nothing else")
{
    struct aspace *aspace;
    u32 address = begin(&aspace);

    check_equal(address ? aspace_working_set(aspace) : 0, 0);
    for (u32 phase = 0; address && phase < PAGES / PHASE; phase++) {
        for (u32 time = 0; time < WINDOW; time += WINDOW / 4) {
            use(address, phase * PHASE, PHASE);
            aspace_clock_tick(aspace);
            aspace_charge_time(aspace, WINDOW / 4 * MILLISECOND);
        }
        use(address, phase * PHASE, PHASE);
        check_equal(aspace_working_set(aspace), PHASE);
        check_true(check_run() == NULL);
    }
    /* Two phases within one window are one set. */
    if (address) {
        use(address, 0, PHASE);
        check_equal(aspace_working_set(aspace), 2 * PHASE);
        aspace_charge_time(aspace, WINDOW * MILLISECOND);
        check_equal(aspace_working_set(aspace), 0);
    }
    end();
}

SELFTEST(mm_working_set, time_is_ones_own, "while a process does not run, its set stays as it is")
{
    struct aspace *aspace, *other;
    u32 address = begin(&aspace);

    if (address && (other = case_another())) {
        use(address, 0, PHASE);
        check_equal(aspace_working_set(aspace), PHASE);
        aspace_charge_time(other, 100 * WINDOW * MILLISECOND);
        check_equal(aspace_working_set(aspace), PHASE);
        aspace_charge_time(aspace, WINDOW * MILLISECOND - 1);
        check_equal(aspace_working_set(aspace), PHASE);
        aspace_charge_time(aspace, 1);
        check_equal(aspace_working_set(aspace), 0);
    }
    end();
}

SELFTEST(mm_working_set, policy_still_sees, "a bit that the sampler took counts as a reference for the replacement policy")
{
    struct aspace *aspace;
    u32 address = begin(&aspace);

    if (address) {
        for (u32 i = 0; i < PAGES; i++)
            pmap_frame_test_referenced(case_anon(aspace, address + (i << PAGE_SHIFT))->frame);
        use(address, 0, PHASE);
        check_equal(aspace_working_set(aspace), PHASE);
        for (u32 i = 0; i < PAGES; i++)
            check_equal(pmap_frame_test_referenced(case_anon(aspace, address + (i << PAGE_SHIFT))->frame), i < PHASE);
    }
    end();
}

SELFTEST(mm_working_set, policy_takes_nothing_away, "a bit that the policy took before the sample is in the set all the same")
{
    struct aspace *aspace;
    u32 address = begin(&aspace);

    if (address) {
        use(address, 0, PHASE);
        for (u32 i = 0; i < PAGES; i++)
            pmap_frame_test_referenced(case_anon(aspace, address + (i << PAGE_SHIFT))->frame);
        check_equal(aspace_working_set(aspace), PHASE);
    }
    end();
}

SELFTEST(mm_working_set, evicted_pages_belong_to_it, "what a process needs is in the set whether or not it is in memory")
{
    struct aspace *aspace;
    u32 address = begin(&aspace);

    if (address && swap_total() >= 2 * PAGES) {
        use(address, 0, PHASE);
        case_evict_all();
        check_true(aspace_resident_pages(aspace) < PHASE);
        check_equal(aspace_working_set(aspace), PHASE);
    }
    end();
}

SELFTEST(mm_working_set, idle_when_nobody_asks, "without a question there is no record, and with the address space the record goes")
{
    u32 before = working_set_count;
    struct aspace *aspace = case_begin();
    u32 address = aspace ? case_memory(aspace, PAGES) : 0;

    if (address) {
        case_fill(aspace, address, PAGES, 1);
        aspace_clock_tick(aspace);
        check_equal(working_set_count, before);
        check_equal(aspace_working_set(aspace), 0);
        check_true(aspace_measure(aspace) && aspace_measure(aspace));
        check_equal(working_set_count, before + 1);
    }
    case_end();
    check_equal(working_set_count, before);
}

/* Entries can be missing (chaos=). */
static u32
mapped_count(struct aspace *aspace, u32 address, u32 first, u32 end)
{
    u32 count = 0, rights;

    for (u32 i = first; i < end; i++)
        count += pmap_lookup(&aspace->pmap, page_add(page_of(address), i), &rights) != NULL;
    return count;
}

SELFTEST(mm_working_set, begins_with_what_is_in_memory, "for load control the set is at first what is in memory and not locked, used lately or not")
{
    struct aspace *aspace = case_begin();
    u32 address = aspace ? case_memory(aspace, PAGES) : 0;

    window_before = working_set_window;
    if (address) {
        case_fill(aspace, address, PAGES, 1);
        check_equal(mmap_lock(aspace, address, PHASE << PAGE_SHIFT), 0);
        for (u32 i = 0; i < PAGES; i++)
            pmap_frame_test_referenced(case_anon(aspace, address + (i << PAGE_SHIFT))->frame);
        check_true(aspace_measure_resident(aspace));
        check_equal(working_set_pages(aspace->pmap.working_set), mapped_count(aspace, address, PHASE, PAGES));
    }
    end();
}
