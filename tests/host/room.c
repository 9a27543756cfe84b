/*
 * Making room: what one's share of the work is, what is kept from others, who is killed in the end, what a full swap area still has, and
 * what faults that sleep leave each other.
 */
#include "tests/host/reclaim_case.h"

#include <asm/errno.h>
#include <linux/mman.h>

#include "mm/amap.h"
#include "mm/aspace.h"
#include "mm/counters.h"
#include "mm/evictable.h"
#include "mm/fault.h"
#include "mm/fork.h"
#include "mm/mmap.h"
#include "mm/pagein.h"
#include "mm/reclaim.h"
#include "mm/transfer.h"

static u32 hook_calls;

/* ---- Killing ----------------------------------------------------------- */

static u32 kills;
static struct frame *hoarded;
static bool anybody_left;

/* A process whose death gives one frame back. */
static bool
kill_somebody(void)
{
    kills++;
    if (anybody_left)
        frame_free(hoarded);
    return anybody_left;
}

static void
let_it_die(void)
{
    hook_calls++;
}

static void
nobody_is_killed_while_evicting_helps(void)
{
    struct anon *anon;
    struct frame *frame;

    begin_memory();
    reclaim_set_killer(kill_somebody);
    host_on_sleep = let_it_die;
    anon = make_anon(86);
    while ((frame = frame_allocate(FRAME_KERNEL)))
        hoarded = frame;
    check_equal(reclaim_ensure(1), 0);
    check(!anon->frame && kills == 0);
    check_equal(frame_free_count(), 1);
    /* Nothing is left to evict. */
    check(reclaim_try(2) < 0);
    check_equal(kills, 0);
    anybody_left = true;
    check_equal(reclaim_ensure(2), 0);
    check_equal(kills, 1);
    check_equal(hook_calls, 1);             /* and time to die */
    anybody_left = false;
    check(reclaim_ensure(3) < 0);
    check_equal(kills, 2);
    anon_release(anon);
    nothing_is_left();
}

/* ---- Others take what is freed ----------------------------------------- */

/* While a page is written, another process takes a frame. */
static void
take_a_frame(void)
{
    if (frame_free_count() > 0)
        hoarded = frame_allocate(FRAME_KERNEL);
}

/* How many pages make_room evicts that begins with so many free frames, and wants missing more. */
static u32
pages_evicted(void (*make_room)(u32 frames), u32 free, u32 missing, void (*meanwhile)(void))
{
    struct anon *anons[SWAP_PAGES];
    u64 stolen;

    begin_memory();
    for (u32 i = 0; i < SWAP_PAGES; i++)
        anons[i] = make_anon(i);
    while (frame_free_count() > free)
        hoarded = frame_allocate(FRAME_KERNEL);
    stolen = counters.pgsteal;
    host_before_transfer = meanwhile;
    make_room(free + missing);
    host_before_transfer = NULL;
    for (u32 i = 0; i < SWAP_PAGES; i++)
        anon_release(anons[i]);
    nothing_is_left();
    return (u32)(counters.pgsteal - stolen);
}

static u32
share_of(u32 free, u32 missing, void (*meanwhile)(void))
{
    return pages_evicted(reclaim_share, free, missing, meanwhile);
}

static void
a_system_call_frees_what_is_missing(void)
{
    check_equal(share_of(10, 5, NULL), 5);
}

static void
having_done_its_share_it_is_content_with_less(void)
{
    check_equal(share_of(RECLAIM_LOW, 20, take_a_frame), 20);
}

/* Or it would never get to its own work. */
static void
nobody_frees_frames_for_others_without_end(void)
{
    check_equal(share_of(10, 5, take_a_frame), RECLAIM_PATIENCE * 5);
}

static void
make_free(u32 frames)
{
    check_equal(reclaim_try(frames), 0);
    check(frame_free_count() >= frames);
}

/* Rule: who needs frames, and does not just do a share, has them in the end, whatever others take. */
static void
who_needs_frames_gets_them_although_others_take_each(void)
{
    check_equal(pages_evicted(make_free, 10, 5, take_a_frame), RECLAIM_PATIENCE * 5 + 10 + 5);
}

#define FREE_AT_FIRST 60u   /* so many that the victims are used up before others have taken them all */

static void
fail_to_make_free(u32 frames)
{
    check(reclaim_try(frames) < 0);
    /* Each eviction made one free, and another was taken meanwhile: what was kept is free again. */
    check_equal(frame_free_count(), FREE_AT_FIRST);
}

static void
who_cannot_have_enough_keeps_nothing(void)
{
    check_equal(pages_evicted(fail_to_make_free, FREE_AT_FIRST, 2, take_a_frame), SWAP_PAGES - 1);
}

/* ---- The swap area is full --------------------------------------------- */

static void
a_full_swap_area_takes_slots_back_from_pages_in_memory(void)
{
    struct anon *in_swap[SWAP_PAGES];
    struct anon *more;
    u32 count = 0;

    begin_memory();
    while (swap_free_count() > 0) {
        in_swap[count] = make_anon(count);
        check(reclaim_evict_one());
        count++;
    }
    more = make_anon(88);
    check(!reclaim_evict_one() && more->frame);
    check(!anon_slots_to_take);             /* all have been looked at: nobody looks again */
    check_equal(pagein_anon(in_swap[0], NULL), PAGEIN_READ);
    check(anon_slots_to_take);
    check_equal(anon_slot_hand, frame_number(in_swap[0]->frame).number);     /* found at the first look */
    reclaim_evict(more->frame);
    check(!more->frame && more->slot.number);
    check(in_swap[0]->frame && in_swap[0]->frame->dirty && !in_swap[0]->slot.number);
    check_equal(word_of(in_swap[0]), 0);
    while (count > 0)
        anon_release(in_swap[--count]);
    anon_release(more);
    nothing_is_left();
}

/* ---- A transfer that others wait for ----------------------------------- */

static struct anon *awaited;

/* The transfer ends, and before who waits for it runs another process is short of memory. */
static void
come_in_and_be_wanted_away(void)
{
    hook_calls++;
    check(evictable_end(awaited->frame));
    check(!reclaim_evict_one());
    reclaim_evict(awaited->frame);
}

static void
what_is_waited_for_stays_until_the_waiter_runs(void)
{
    begin_memory();
    awaited = make_anon(7);
    reclaim_evict(awaited->frame);
    check_equal(pagein_anon(awaited, NULL), PAGEIN_READ);
    evictable_begin(awaited->frame);
    host_on_sleep = come_in_and_be_wanted_away;
    check_equal(pagein_anon(awaited, NULL), PAGEIN_WAITED);
    check_equal(hook_calls, 1);
    check_equal(pagein_anon(awaited, NULL), PAGEIN_HERE);
    check(reclaim_evict_one());             /* and then it may go */
    anon_release(awaited);
    nothing_is_left();
}

/* The anon goes while its page is on its way, and its frame is busy for somebody else at once. */
static void
go_and_leave_the_frame_busy(void)
{
    struct frame *frame = awaited->frame;

    check_equal(++hook_calls, 1);
    anon_release(awaited);
    check(!evictable_end_leaving(frame));
    check(frame_allocate(FRAME_ANONYMOUS) == frame);
    evictable_begin(frame);
}

static void
nobody_waits_for_the_next_owner_of_a_frame(void)
{
    struct frame *frame;

    begin_memory();
    awaited = make_anon(7);
    frame = awaited->frame;
    evictable_insert(frame);
    evictable_begin(frame);
    host_on_sleep = go_and_leave_the_frame_busy;
    check_equal(pagein_anon(awaited, NULL), PAGEIN_WAITED);
    check(frame->busy && !frame->needed);
    evictable_end_leaving(frame);
    frame_free(frame);
    nothing_is_left();
}

#define OWN 128u            /* pages of a process that has a pool of its own */
#define PART 2u             /* of them, and one: by so many more it is searched again */

static const struct policy *counted;
static u32 selections;

static u32
count_selection(struct policy_state *state)
{
    selections++;
    return counted->select(state);
}

/* How many pages are looked at for one that may go, and there is none. */
static u32
search_in_vain(void)
{
    selections = 0;
    check(!reclaim_evict_own());
    return selections;
}

static void
a_pool_that_has_nothing_to_give_is_not_searched_for_each_page(void)
{
    struct anon *anons[OWN + PART + 1];
    swap_slot_t slots[SWAP_PAGES];
    struct policy counting;
    struct pool *own;
    u32 taken = 0;

    begin_memory();
    while (swap_free_count() > 0)
        slots[taken++] = swap_allocate();
    own = pool_create(OWN, OWN);
    counted = own->policy;
    counting = *counted;
    counting.select = count_selection;
    own->policy = &counting;
    pool_current = own;
    for (u32 i = 0; i < OWN; i++)
        anons[i] = make_anon(i);
    check_equal(search_in_vain(), OWN + 1);
    check_equal(search_in_vain(), 0);
    for (u32 i = OWN; i < OWN + PART; i++)
        anons[i] = make_anon(i);
    check_equal(search_in_vain(), 0);
    anons[OWN + PART] = make_anon(0);
    check_equal(search_in_vain(), OWN + PART + 1 + 1);
    check_equal(search_in_vain(), 0);
    anon_release(anons[0]);
    swap_free(slots[0]);                    /* now one may */
    check(reclaim_evict_own());
    for (u32 i = 1; i < OWN + PART + 1; i++)
        anon_release(anons[i]);
    while (taken > 1)
        swap_free(slots[--taken]);
    own->policy = counted;
    pool_current = &pool_global;
    pool_destroy(own);
    nothing_is_left();
}

/* ---- Two faults at once ------------------------------------------------ */

#define FREE_FRAMES 10u     /* fewer than a fault needs */
#define OTHERS_FIRST 8u
#define OTHERS 46u

/* Processes with a page of memory each that they share with a child of theirs, and one more. */
static struct {
    struct aspace *aspace, *child;
    u32 address;
} pair[2];

static struct frame *
frame_behind(u32 which, u32 page)
{
    struct region *region = region_find(&pair[which].aspace->regions, page_of(pair[which].address));
    struct anon *behind = amap_lookup(region->amap, page_add(page_of(pair[which].address), page));

    return behind ? behind->frame : NULL;
}

static void
begin_mapping(u32 which, u32 pages)
{
    struct mmap_request request = {
        .bytes = pages * PAGE_SIZE, .protection = PROT_READ | PROT_WRITE, .flags = MAP_PRIVATE | MAP_ANONYMOUS, .maximum = 7};

    pair[which].aspace = aspace_create();
    check_equal(mmap_map(pair[which].aspace, &request), 0);
    pair[which].address = request.address;
}

static void
begin_process(u32 which)
{
    u32 word = which;

    begin_mapping(which, 2);
    check_equal(aspace_write(pair[which].aspace, pair[which].address, &word, sizeof(word)), 0);
    pair[which].child = fork_aspace(pair[which].aspace);
    check(pair[which].child);
}

/* One instruction of the process, the same each time, writes to one of its pages. */
static void
write_page(u32 which, u32 page)
{
    struct trap_frame frame = {.eip = 0x1000 + which, .cs = SELECTOR_PRIVILEGE_MASK, .error = 0x6};
    struct fault_verdict verdict;

    aspace_activate(pair[which].aspace);
    check_equal(fault_handle(pair[which].aspace, pair[which].address + page * PAGE_SIZE, &frame, true, &verdict), 0);
}

static void
hoard(u32 leave)
{
    while (frame_free_count() > leave)
        frame_allocate(FRAME_KERNEL);
}

/* While the first one sleeps, the second has its fault, and somebody takes what was freed: so the first one goes on evicting. */
static void
second_faults(void)
{
    host_before_transfer = NULL;
    hook_calls++;
    write_page(1, 0);
    check_equal(counters.fault_cow_copy, 1);
    check(frame_behind(0, 0) && frame_behind(0, 1));
    hoard(0);
    aspace_activate(pair[0].aspace);
}

/* Rule: a fault that makes room takes no page that another one's instruction needs, be it the one that is to be copied or one that
 * the same instruction asked for before, however often they sleep. */
static void
faults_that_sleep_take_nothing_from_each_other(void)
{
    struct anon *others[OTHERS];
    struct frame *reserve[OTHERS];

    begin_memory();
    begin_process(0);
    begin_process(1);
    for (u32 i = 0; i < OTHERS_FIRST; i++)
        others[i] = make_anon(i);
    for (u32 i = OTHERS_FIRST; i < OTHERS; i++)
        reserve[i] = frame_allocate(FRAME_KERNEL);
    hoard(FREE_FRAMES);
    evictable_pin(frame_behind(0, 0));
    evictable_pin(frame_behind(1, 0));
    write_page(0, 1);
    for (u32 i = OTHERS_FIRST; i < OTHERS; i++)
        frame_free(reserve[i]);
    for (u32 i = OTHERS_FIRST; i < OTHERS; i++)
        others[i] = make_anon(i);
    evictable_unpin(frame_behind(0, 0));
    evictable_unpin(frame_behind(1, 0));
    hoard(FREE_FRAMES);
    host_before_transfer = second_faults;
    write_page(0, 0);
    check_equal(hook_calls, 1);
    check(frame_behind(0, 0) && frame_behind(0, 1));
    check_equal(counters.fault_cow_copy, 2);
    check_equal(counters.pgmajfault, 0);
    for (u32 number = 0; number < frame_limit; number++)
        check_equal(frame_descriptor((frame_t){number})->needed, 0);
    aspace_activate(NULL);
    for (u32 i = 0; i < 2; i++) {
        aspace_release(pair[i].aspace);
        aspace_release(pair[i].child);
    }
    for (u32 i = 0; i < OTHERS; i++)
        anon_release(others[i]);
    nothing_is_left();
}

/* ---- A pool that others fill as fast as it gives up frames ---------------- */

static u32 next_page;

static void
write_next_page(void)
{
    write_page(0, next_page++);
}

/* While a page is written out, another thread of the process brings one in. */
static void
another_thread_fills_the_place(void)
{
    hook_calls++;
    check(hook_calls <= RECLAIM_PATIENCE);
    host_before_transfer = NULL;
    write_next_page();
    host_before_transfer = another_thread_fills_the_place;
}

static void
a_fault_does_not_make_room_in_its_pool_without_end(void)
{
    begin_memory();
    begin_mapping(0, SWAP_PAGES);
    aspace_limit_frames(pair[0].aspace, POOL_MINIMUM);
    while (next_page < POOL_MINIMUM)
        write_next_page();
    check_equal(pair[0].aspace->pool->frames, POOL_MINIMUM);
    host_before_transfer = another_thread_fills_the_place;
    write_next_page();
    check_equal(hook_calls, RECLAIM_PATIENCE);
    check_equal(pair[0].aspace->pool->frames, POOL_MINIMUM + 1);
    host_before_transfer = NULL;
    write_next_page();                      /* takes back what was too much */
    check_equal(pair[0].aspace->pool->frames, POOL_MINIMUM);
    aspace_activate(NULL);
    aspace_release(pair[0].aspace);
    nothing_is_left();
}

/* What the kernel brings in for another address space is charged there, and only that. */
static void
a_fault_for_another_process_is_charged_to_it(void)
{
    begin_memory();
    begin_mapping(0, 4);
    begin_mapping(1, 4);
    aspace_limit_frames(pair[0].aspace, POOL_MINIMUM);
    aspace_limit_frames(pair[1].aspace, POOL_MINIMUM);
    aspace_activate(pair[0].aspace);
    check_equal(aspace_write(pair[1].aspace, pair[1].address, &hook_calls, sizeof(hook_calls)), 0);
    check_equal(pair[1].aspace->pool->frames, 1);
    check(pool_current == pair[0].aspace->pool);
    aspace_activate(NULL);
    aspace_release(pair[0].aspace);
    aspace_release(pair[1].aspace);
    nothing_is_left();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_CASE(nobody_is_killed_while_evicting_helps, ""),
        HOST_CASE(a_system_call_frees_what_is_missing, ""),
        HOST_CASE(having_done_its_share_it_is_content_with_less, ""),
        HOST_CASE(nobody_frees_frames_for_others_without_end, ""),
        HOST_CASE(who_needs_frames_gets_them_although_others_take_each, ""),
        HOST_CASE(who_cannot_have_enough_keeps_nothing, ""),
        HOST_CASE(a_full_swap_area_takes_slots_back_from_pages_in_memory, "policy=fifo"),
        HOST_CASE(what_is_waited_for_stays_until_the_waiter_runs, ""),
        HOST_CASE(nobody_waits_for_the_next_owner_of_a_frame, ""),
        HOST_CASE(a_pool_that_has_nothing_to_give_is_not_searched_for_each_page, "policy=fifo"),
        HOST_CASE(faults_that_sleep_take_nothing_from_each_other, "policy=fifo"),
        HOST_CASE(faults_that_sleep_take_nothing_from_each_other, "policy=lru"),
        HOST_CASE(a_fault_does_not_make_room_in_its_pool_without_end, ""),
        HOST_CASE(a_fault_for_another_process_is_charged_to_it, ""),
    };

    return host_run(tests);
}
