/*
 * Pools: quotas, local replacement, and another policy at run time.
 */
#include "tests/kernel/mm_case.h"

#include <asm/errno.h>
#include <linux/mman.h>

#include "kernel/command_line.h"
#include "mm/check.h"
#include "mm/pool.h"
#include "mm/reclaim.h"
#include "mm/swap.h"

#define QUOTA 10u
#define PAGES 40u
#define FEW_FRAMES 160u

/* An address space limited to QUOTA frames, and PAGES of memory in it; 0 if the test cannot run here. */
static u32
begin_limited(struct aspace **aspace)
{
    if (swap_total() < 2 * PAGES || !(*aspace = case_begin()))
        return 0;
    aspace_limit_frames(*aspace, QUOTA);
    return case_memory(*aspace, PAGES);
}

SELFTEST(mm_pool, quota_is_kept, "RLIMIT_RSS: no more frames than the limit stay in memory, and nothing is lost")
{
    struct aspace *aspace;
    u32 address = begin_limited(&aspace);

    if (address) {
        case_fill(aspace, address, PAGES, 1);
        check_true(aspace->pool->frames <= QUOTA);
        check_true(aspace_swapped_pages(aspace) >= PAGES - QUOTA);
        check_true(case_holds(aspace, address, PAGES, 1));
        check_true(aspace->pool->frames <= QUOTA);
    }
    case_end();
}

SELFTEST(mm_pool, victims_are_ones_own, "local replacement: a process over its quota takes no frame from another")
{
    struct aspace *aspace, *other;
    u32 address = begin_limited(&aspace), others;

    if (address && (other = case_another()) && (others = case_memory(other, QUOTA))) {
        case_fill(other, others, QUOTA, 2);
        case_count();
        case_fill(aspace, address, PAGES, 1);
        check_true(COUNTED(pgsteal) >= PAGES - QUOTA);
        check_equal(aspace_swapped_pages(other), 0);
    }
    case_end();
}

SELFTEST(mm_pool, reading_takes_frames_too, "under a quota each page that is read has a frame of its own, and counts")
{
    struct aspace *aspace;
    u32 address = begin_limited(&aspace);

    if (address) {
        for (u32 i = 0; i < PAGES; i++)
            check_equal(case_get(aspace, address + (i << PAGE_SHIFT)), 0);
        check_true(aspace->pool->frames <= QUOTA);
        check_true(aspace_swapped_pages(aspace) >= PAGES - QUOTA);
    }
    case_end();
}

SELFTEST(mm_pool, limit_is_lifted, "without the limit everything may be in memory again")
{
    struct aspace *aspace;
    u32 address = begin_limited(&aspace);

    if (address) {
        case_fill(aspace, address, PAGES, 1);
        aspace_limit_frames(aspace, POOL_UNLIMITED);
        check_true(case_holds(aspace, address, PAGES, 1));
        if (!pool_is_local())
            check_equal(aspace_swapped_pages(aspace), 0);
    }
    case_end();
}

SELFTEST(mm_pool, what_is_in_memory_counts, "a limit that comes late: what the process has in memory by then is charged to it, and goes if it is too much")
{
    struct aspace *aspace = case_begin();
    u32 address = swap_total() < 2 * PAGES ? 0 : case_memory(aspace, PAGES);

    if (address) {
        case_fill(aspace, address, PAGES, 1);
        aspace_limit_frames(aspace, PAGES + QUOTA);
        check_true(aspace->pool->frames + aspace_swapped_pages(aspace) >= PAGES);
        aspace_limit_frames(aspace, QUOTA);
        case_put(aspace, case_memory(aspace, 1), 1);
        check_true(aspace->pool->frames <= QUOTA);
        check_true(case_holds(aspace, address, PAGES, 1));
    }
    case_end();
}

SELFTEST(mm_pool, least_quota, "a limit below what one instruction can need is raised to that")
{
    struct aspace *aspace;

    if (begin_limited(&aspace)) {
        aspace_limit_frames(aspace, 1);
        check_equal(aspace->pool->quota, POOL_MINIMUM);
    }
    case_end();
}

SELFTEST(mm_pool, frames_outlive_their_pool, "what others still use of an ended process's frames becomes everybody's")
{
    struct object *object = object_file_create(&case_device, 0, CASE_DEVICE_BYTES);
    struct aspace *aspace = case_begin(), *other = case_another();

    if (object && aspace && other) {
        u32 address = case_map_object(aspace, object, 0, 1, REGION_READ, MAP_PRIVATE);

        aspace_limit_frames(aspace, QUOTA);
        case_get(aspace, address);
        check_true(object_resident(object, 0) != NULL);
        check_true(pool_table[frame_number(object_resident(object, 0)).number] == aspace->pool);
        aspace_activate(other);
        case_release(aspace);
        check_true(pool_table[frame_number(object_resident(object, 0)).number] == &pool_global);
        check_true(check_run() == NULL);
    }
    case_end();
    if (object)
        object_release(object);
}

SELFTEST(mm_pool, any_policy_takes_over, "another policy at run time: every frame is handed over, no page is lost")
{
    const char *before = pool_policy->name;
    struct aspace *aspace;
    u32 address = begin_limited(&aspace);

    for (u32 i = 0; address && i < policy_count; i++) {
        if (pool_set_policy(policy_list[i]->name) != 0)
            continue;           /* opt, which wants a recorded future */
        check_true(pool_policy == policy_list[i]);
        case_fill(aspace, address, PAGES, i);
        check_true(aspace->pool->frames <= QUOTA);
        check_true(case_holds(aspace, address, PAGES, i));
        check_true(check_run() == NULL);
    }
    check_equal(pool_set_policy("nonsense"), -EINVAL);
    check_equal(pool_set_policy(before), 0);
    case_end();
}

SELFTEST(mm_pool, room_for_a_policy, "a policy that remembers much is taken up where memory is full: pages go to make room for it")
{
    const char *before = pool_policy->name;
    struct aspace *aspace = case_begin();
    u32 pages = frame_limit / 16, address = swap_free_count() > pages ? case_memory(aspace, pages) : 0;

    if (address && pool_set_policy("fifo") == 0) {
        case_fill(aspace, address, pages, 5);
        case_hoard(0);
        check_equal(pool_set_policy("arc"), -ENOMEM);
        check_true(pool_policy == &policy_fifo);
        check_equal(command_line_set("policy", "arc"), 0);
        check_equal(reclaim_switch_policy(), 0);
        check_true(pool_policy == &policy_arc);
        case_unhoard();
        check_true(case_holds(aspace, address, pages, 5));
        check_true(check_run() == NULL);
    }
    check_equal(pool_set_policy(before), 0);
    case_end();
}

SELFTEST(mm_pool, grant_is_kept, "control=pff: no more frames than granted stay in memory, never fewer than an instruction needs")
{
    struct aspace *aspace = case_begin();
    u32 address = aspace && swap_total() >= 2 * PAGES ? case_memory(aspace, PAGES) : 0;

    /* What it has already. */
    check_true(!aspace || aspace_grant_frames(aspace, POOL_UNLIMITED));
    if (address && aspace_grant_frames(aspace, QUOTA)) {
        case_fill(aspace, address, PAGES, 1);
        check_true(aspace->pool->frames <= QUOTA);
        check_true(case_holds(aspace, address, PAGES, 1));
        aspace_limit_frames(aspace, QUOTA + 1);
        check_true(aspace->pool->quota <= QUOTA);
        check_true(aspace_grant_frames(aspace, QUOTA + 2));
        check_true(aspace->pool->quota <= QUOTA + 1);
        check_true(aspace_grant_frames(aspace, 0));
        check_equal(aspace->pool->quota, POOL_MINIMUM);
        check_true(case_holds(aspace, address, PAGES, 1));
        check_true(aspace_grant_frames(aspace, POOL_UNLIMITED));
        check_true(check_run() == NULL);
    }
    case_end();
}

SELFTEST(mm_pool, least_share, "more processes than memory has shares for: each quota is what one instruction can need all the same")
{
    struct pool *pools[FEW_FRAMES / POOL_MINIMUM * 2];
    u32 count = 0;

    case_begin();
    case_evict_all();
    case_hoard(FEW_FRAMES);
    while (count < ARRAY_SIZE(pools) && (pools[count] = pool_create(POOL_UNLIMITED, POOL_UNLIMITED)))
        count++;
    pool_divide();
    for (u32 i = 0; i < count; i++)
        check_true(pools[i]->quota >= POOL_MINIMUM);
    while (count > 0)
        pool_destroy(pools[--count]);
    case_end();
    pool_divide();
}
