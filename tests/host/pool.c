/*
 * Pools and the policy in force: one that misbehaves is a panic that names it, whatever it does wrong; whose frame goes when memory is
 * short; what the clock tick tells; and by which name a page is known.
 */
#include "tests/host/host.h"

#include <linux/mman.h>
#include <sanitizer/lsan_interface.h>

#include "mm/anon.h"
#include "mm/aspace.h"
#include "mm/evictable.h"
#include "mm/mmap.h"
#include "mm/object.h"
#include "mm/pmap.h"
#include "mm/pool.h"
#include "mm/pool_page.h"
#include "mm/reclaim.h"
#include "mm/swap.h"
#include "mm/transfer.h"
#include "tests/host/stub/machine.h"

#define MEMORY_FRAMES 1024u
#define LARGE_MEMORY_FRAMES 65536u  /* so many that the clock looks at them at every second tick ... */
#define MANY_ANONS 16384u           /* ... and at every fourth, if so many of them are known */
#define SWAP_PAGES 64u
#define ANONS 3u

static struct anon *anons[ANONS];

/* The policy under test, "bad", is fifo but for what a case changes. */
static struct policy bad;

/* What it chooses, whatever it was told of. */
static u32 chosen;

static u32
choose(struct policy_state *state)
{
    (void)state;
    return chosen;
}

static u32
number_of(u32 anon)
{
    return frame_number(anons[anon]->frame).number;
}

/* Some pages, all evictable, under the bad policy, which chooses the first of them. */
static void
begin_memory(u32 frames)
{
    machine_start(frames);
    pmap_start(frames);
    object_start();
    __lsan_disable();
    pool_start();
    check(swap_start(host_device_create((u64)SWAP_PAGES << PAGE_SHIFT)));
    check_equal(pool_set_policy("fifo"), 0);
    bad = policy_fifo;
    bad.name = "bad";
    bad.select = choose;
    pool_policy = pool_global.policy = &bad;
    for (u32 i = 0; i < ANONS; i++) {
        anons[i] = anon_create(frame_allocate(FRAME_ANONYMOUS));
        check(anons[i]->frame->evictable);
    }
    chosen = number_of(0);
}

static void
begin(void)
{
    begin_memory(MEMORY_FRAMES);
}

static void
no_fault_is_found_with_one_that_behaves(void)
{
    begin();
    bad.select = policy_fifo.select;
    for (u32 i = 0; i < ANONS; i++)
        check(reclaim_evict_one() && !anons[i]->frame);
    check(!reclaim_evict_one());
}

static void
a_frame_that_does_not_exist(void)
{
    begin();
    chosen = MEMORY_FRAMES;
    reclaim_evict_one();
}

static void
a_free_frame(void)
{
    struct frame *frame;

    begin();
    frame = frame_allocate(FRAME_KERNEL);
    chosen = frame_number(frame).number;
    frame_free(frame);
    reclaim_evict_one();
}

static void
the_kernels_frame(void)
{
    begin();
    chosen = frame_number(frame_allocate(FRAME_KERNEL)).number;
    reclaim_evict_one();
}

static void
a_pinned_frame(void)
{
    begin();
    evictable_pin(anons[0]->frame);
    reclaim_evict_one();
}

static void
a_busy_frame(void)
{
    begin();
    evictable_begin(anons[0]->frame);
    reclaim_evict_one();
}

static void
another_pools_frame(void)
{
    struct pool *other;

    begin();
    other = pool_create(POOL_UNLIMITED, POOL_UNLIMITED);
    pool_adopt(other, anons[0]->frame);
    reclaim_evict_one();
}

static void
the_same_victim_twice(void)
{
    begin();
    check(reclaim_evict_one());
    reclaim_evict_one();
}

static void
none_although_there_are_some(void)
{
    begin();
    chosen = POLICY_NONE;
    reclaim_evict_one();
}

static void
forget(struct policy_state *state, uint32_t frame)
{
    if (frame != chosen)
        policy_fifo.insert(state, frame);
}

static void
a_frame_is_lost_on_the_way_to_another_policy(void)
{
    begin();
    bad.select = policy_fifo.select;
    bad.insert = forget;
    evictable_remove(anons[0]->frame);
    evictable_insert(anons[0]->frame);
    pool_set_policy("clock");
}

/* A page of a process, whose frame the policy chooses. */
static void
begin_mapped(struct aspace **aspace, u32 *address)
{
    struct mmap_request request = {
        .bytes = PAGE_SIZE, .protection = PROT_READ | PROT_WRITE, .flags = MAP_PRIVATE | MAP_ANONYMOUS, .maximum = 7};
    u32 word = 1, rights;

    begin();
    *aspace = aspace_create();
    check_equal(mmap_map(*aspace, &request), 0);
    *address = request.address;
    check_equal(aspace_write(*aspace, *address, &word, sizeof(word)), 0);
    chosen = frame_number(pmap_lookup(&(*aspace)->pmap, page_of(*address), &rights)).number;
}

static void
a_locked_frame(void)
{
    struct aspace *aspace;
    u32 address;

    begin_mapped(&aspace, &address);
    check_equal(mmap_lock(aspace, address, PAGE_SIZE), 0);
    reclaim_evict_one();
}

static void
a_mapped_frame_that_it_has_forgotten(void)
{
    struct aspace *aspace;
    u32 address;

    begin_mapped(&aspace, &address);
    evictable_remove(frame_descriptor((frame_t){chosen}));
    reclaim_evict_one();
}

/* ---- Who gives a frame up ---------------------------------------------- */

/* A pool with as many of the pages as it is told, and a quota. */
static struct pool *
pool_with(u32 first, u32 pages, u32 quota)
{
    struct pool *pool = pool_create(POOL_UNLIMITED, POOL_UNLIMITED);

    for (u32 i = first; i < first + pages; i++)
        pool_adopt(pool, anons[i]->frame);
    pool->quota = quota;
    return pool;
}

static void
the_pool_most_above_its_quota_gives_up_a_frame(void)
{
    struct pool *little, *much;

    begin();
    bad.select = policy_fifo.select;
    check(pool_fattest() == &pool_global);
    little = pool_with(0, 1, 1);
    check(pool_fattest() == &pool_global);
    little->quota = 0;
    check(pool_fattest() == little);
    much = pool_with(1, 2, 0);
    check(pool_fattest() == much);
    little->quota = much->quota = POOL_UNLIMITED;
    pool_adopt(&pool_global, anons[0]->frame);
    check(pool_fattest() == &pool_global);
    /* The global pool has none left to give. */
    pool_adopt(little, anons[0]->frame);
    check(pool_fattest()->frames > 0);
    little->quota = 0;
    check(pool_fattest() == little);
    little->quota = POOL_UNLIMITED;
    much->quota = 1;
    check(pool_fattest() == much);
    pool_destroy(little);
    pool_destroy(much);
}

/* Rule: what an instruction under way needs is no victim; if a pool has nothing else, another one gives, and at last none. */
static void
what_is_needed_stays_and_another_pool_gives(void)
{
    struct pool *full;

    begin();
    bad.select = policy_fifo.select;
    full = pool_with(0, 1, 0);
    check(pool_fattest() == full);
    check(frame_need_begin(anons[0]->frame) && frame_need_begin(anons[1]->frame));
    check(reclaim_evict_one());
    check(anons[0]->frame && anons[1]->frame && !anons[2]->frame);
    for (u32 i = 3; i < ANONS; i++)
        check(reclaim_evict_one());
    check(!reclaim_evict_one());
    check(anons[0]->frame && anons[1]->frame);
    /* Needed by two, it stays until both have what they wanted. */
    check(frame_need_begin(anons[0]->frame));
    frame_need_end(anons[0]->frame);
    check(!reclaim_evict_one());
    frame_need_end(anons[0]->frame);
    check(reclaim_evict_one() && !anons[0]->frame && anons[1]->frame);
    frame_need_end(anons[1]->frame);
    pool_destroy(full);
}

/* Too many to be counted: then it is as if nobody needed it more, and every one that was counted takes back one. */
static void
a_frame_is_needed_by_a_limited_number(void)
{
    begin();
    for (u32 i = 0; i < FRAME_NEEDED_MAX; i++)
        check(frame_need_begin(anons[0]->frame));
    check(!frame_need_begin(anons[0]->frame));
    check_equal(anons[0]->frame->needed, FRAME_NEEDED_MAX);
    for (u32 i = 0; i < FRAME_NEEDED_MAX; i++)
        frame_need_end(anons[0]->frame);
    check_equal(anons[0]->frame->needed, 0);
}

static void
an_empty_pool_gives_up_nothing(void)
{
    struct pool *empty;

    begin();
    bad.select = policy_fifo.select;
    while (reclaim_evict_one())
        continue;
    empty = pool_create(POOL_UNLIMITED, POOL_UNLIMITED);
    check(pool_fattest() == &pool_global);
    pool_destroy(empty);
}

static void
a_pool_that_goes_is_in_use_no_more(void)
{
    struct pool *pool;

    begin();
    bad.select = policy_fifo.select;
    pool = pool_with(0, 1, POOL_UNLIMITED);
    pool_current = pool;
    pool_destroy(pool);
    check(pool_current == &pool_global);
    check_equal(pool_global.frames, ANONS);
}

/* ---- Time -------------------------------------------------------------- */

static u32 ticks, references;

static void
count_tick(struct policy_state *state)
{
    (void)state;
    ticks++;
}

static void
count_reference(struct policy_state *state, u32 number)
{
    (void)state;
    (void)number;
    references++;
}

static void
begin_with(u32 frames)
{
    begin_memory(frames);
    bad.select = policy_fifo.select;
    bad.tick = count_tick;
    bad.reference = count_reference;
    ticks = references = 0;
}

static void
a_small_memory_is_looked_at_each_tick(void)
{
    begin_with(MEMORY_FRAMES);
    for (u32 i = 0; i < 6; i++)
        pool_tick();
    check_equal(ticks, 6);
}

static void
a_large_memory_is_looked_at_less_often(void)
{
    begin_with(LARGE_MEMORY_FRAMES);
    for (u32 i = 0; i < 6; i++)
        pool_tick();
    check_equal(ticks, 3);
}

static void
known_frames_cost_more(void)
{
    begin_with(LARGE_MEMORY_FRAMES);
    for (u32 i = 0; i < MANY_ANONS; i++)
        anon_create(frame_allocate(FRAME_ANONYMOUS));
    for (u32 i = 0; i < 8; i++)
        pool_tick();
    check_equal(ticks, 2);
}

static void
a_tick_reports_each_page_that_was_used(void)
{
    struct trace trace = {0};
    struct pool *pool;

    begin_with(MEMORY_FRAMES);
    pool = pool_with(0, 1, POOL_UNLIMITED);
    for (u32 i = 0; i < ANONS - 1; i++)
        anons[i]->frame->referenced = true;
    pool_tick();
    check_equal(references, ANONS - 1);
    pool_tick();
    check_equal(references, ANONS - 1);
    /* A traced process's references are reported as they happen, and not once more. */
    anons[0]->frame->referenced = true;
    pool->trace = &trace;
    pool_tick();
    check_equal(references, ANONS - 1);
    pool->trace = NULL;
    pool_destroy(pool);
}

/* ---- Names ------------------------------------------------------------- */

#define OWNER 7u
#define PAGE 5u

/* A fault of process OWNER is about to bring its page in. */
static void
begin_arrival(void)
{
    begin();
    bad.select = policy_fifo.select;
    check(pool_keep_names());
    pool_watchful = true;
    pool_announce(&(struct pool_arrival){.owner = OWNER, .page = PAGE});
}

static bool
has_name(const struct frame *frame, u32 owner, u32 page)
{
    return pool_frame_owner(frame) == owner && pool_frame_page(frame) == page;
}

/* Rule: what was announced is the page of the frame that comes next, and of no other. */
static void
one_frame_takes_the_name_that_was_announced(void)
{
    struct anon *announced, *next;

    begin_arrival();
    announced = anon_create(frame_allocate(FRAME_ANONYMOUS));
    next = anon_create(frame_allocate(FRAME_ANONYMOUS));
    check(has_name(announced->frame, OWNER, PAGE));
    check_equal(pool_frame_owner(next->frame), POOL_NAMELESS);
    pool_rename(next->frame, OWNER, PAGE + 1);
    check(has_name(next->frame, OWNER, PAGE + 1) && next->frame->evictable);
}

/* Rule: a page that a device brings in is charged, and named, when its transfer begins: while that lasts others run. */
static void
a_frame_is_charged_when_its_transfer_begins(void)
{
    struct frame *frame;
    struct pool *pool;

    begin_arrival();
    pool = pool_create(POOL_UNLIMITED, POOL_UNLIMITED);
    pool_current = pool;
    frame = frame_allocate(FRAME_ANONYMOUS);
    frame->owner = anons[0];
    evictable_begin(frame);
    check(pool_charges(pool, frame) && has_name(frame, OWNER, PAGE));
    check_equal(pool->loads, 1);
    pool_current = &pool_global;
    check(evictable_end(frame));
    check(pool_charges(pool, frame) && has_name(frame, OWNER, PAGE));
    check(pool->loads == 1 && pool->frames == 1);
    /* On its way out it stays whose it was. */
    evictable_begin(frame);
    check(pool_charges(pool, frame) && pool->loads == 1);
}

/* What came in before anybody wanted to know: each such page is another one. */
static void
frames_from_before_names_were_kept_have_no_page(void)
{
    begin();
    check(pool_keep_names());
    for (u32 i = 0; i < ANONS; i++) {
        check_equal(pool_frame_owner(anons[i]->frame), POOL_NAMELESS);
        check_equal(pool_frame_page(anons[i]->frame), POOL_NAMELESS_PAGE + i);
    }
    check_equal(pool_frame_page(anons[0]->frame), POOL_NAMELESS_PAGE);
}

/* ---- The policy in force ----------------------------------------------- */

static void
without_a_recorded_future_clock_takes_the_place_of_opt(void)
{
    machine_start(MEMORY_FRAMES);
    __lsan_disable();
    pool_start();
    check(pool_policy == &policy_clock && pool_global.policy == &policy_clock);
    /* And policy= names it. */
    check_equal(pool_apply_choice(), 0);
    check(pool_policy == &policy_clock);
}

static void
a_policy_that_goes_leaves_nothing_behind(void)
{
    u32 objects;

    begin();
    bad.select = policy_fifo.select;
    check_equal(pool_set_policy("lru"), 0);
    objects = host_objects;
    check_equal(pool_set_policy("random"), 0);
    check_equal(pool_set_policy("lru"), 0);
    check_equal(host_objects, objects);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_CASE(no_fault_is_found_with_one_that_behaves, ""),
        HOST_CASE(the_pool_most_above_its_quota_gives_up_a_frame, ""),
        HOST_CASE(what_is_needed_stays_and_another_pool_gives, ""),
        HOST_CASE(a_frame_is_needed_by_a_limited_number, ""),
        HOST_CASE(an_empty_pool_gives_up_nothing, ""),
        HOST_CASE(a_pool_that_goes_is_in_use_no_more, ""),
        HOST_CASE(a_small_memory_is_looked_at_each_tick, ""),
        HOST_CASE(a_large_memory_is_looked_at_less_often, ""),
        HOST_CASE(known_frames_cost_more, ""),
        HOST_CASE(a_tick_reports_each_page_that_was_used, ""),
        HOST_CASE(one_frame_takes_the_name_that_was_announced, ""),
        HOST_CASE(a_frame_is_charged_when_its_transfer_begins, ""),
        HOST_CASE(frames_from_before_names_were_kept_have_no_page, ""),
        HOST_CASE(without_a_recorded_future_clock_takes_the_place_of_opt, "policy=opt"),
        HOST_CASE(a_policy_that_goes_leaves_nothing_behind, ""),
        HOST_PANICS(a_frame_that_does_not_exist, "policy bad chose frame 1024, which does not exist"),
        HOST_PANICS(a_free_frame, ", which is free"),
        HOST_PANICS(the_kernels_frame, ", which it was not told of"),
        HOST_PANICS(a_pinned_frame, ", which is pinned"),
        HOST_PANICS(a_busy_frame, ", which is busy"),
        HOST_PANICS(a_locked_frame, ", which is locked"),
        HOST_PANICS(a_mapped_frame_that_it_has_forgotten, ", which it was not told of"),
        HOST_PANICS(another_pools_frame, ", which is another pool's"),
        HOST_PANICS(the_same_victim_twice, ", which was its last victim, and has gone"),
        HOST_PANICS(a_frame_is_lost_on_the_way_to_another_policy, "policy bad handed over 2 frames, and was told of 3"),
        HOST_PANICS(none_although_there_are_some, "policy bad chose no frame, although it was told of 3"),
    };

    return host_run(tests);
}
