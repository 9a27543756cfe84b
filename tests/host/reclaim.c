/*
 * Eviction and page-in when things go wrong or take time: the device fails, or makes its caller sleep while owners go, sizes change and
 * others fault. Whatever happens, no page is lost, no frame or slot is freed twice or kept.
 */
#include "tests/host/host.h"

#include <signal.h>
#include <string.h>

#include <linux/mman.h>
#include <sanitizer/lsan_interface.h>

#include "mm/aspace.h"
#include "mm/check.h"
#include "mm/evictable.h"
#include "mm/fault.h"
#include "mm/fork.h"
#include "mm/mmap.h"
#include "mm/object.h"
#include "mm/pagein.h"
#include "mm/pool.h"
#include "mm/reclaim.h"
#include "mm/swap.h"
#include "mm/transfer.h"
#include "tests/host/stub/machine.h"

#define MEMORY_FRAMES 1024u
#define SWAP_PAGES 64u
#define FILE_BYTES (4 * PAGE_SIZE + 100)

static struct anon *anon;
static struct object *object;
static struct block_device *disk;
static u32 hook_calls;

static void
begin(void)
{
    machine_start(MEMORY_FRAMES);
    pmap_start(MEMORY_FRAMES);
    object_start();
    __lsan_disable();           /* what lives as long as the system */
    pool_start();
    check(swap_start(host_device_create((u64)SWAP_PAGES << PAGE_SHIFT)));
    disk = host_device_create(FILE_BYTES);
    __lsan_enable();
}

static struct anon *
make_anon(u32 word)
{
    struct frame *frame = frame_allocate(FRAME_ANONYMOUS);
    struct anon *made = anon_create(frame);

    frame->dirty = true;
    *(u32 *)frame_data(frame) = word;
    return made;
}

static u32
word_of(const struct anon *of)
{
    return *(u32 *)frame_data(of->frame);
}

/* Everything has been given back. */
static void
nothing_is_left(void)
{
    check_equal(frame_count(FRAME_ANONYMOUS), 0);
    check_equal(frame_count(FRAME_OBJECT), 0);
    check_equal(anon_count(), 0);
    check_equal(swap_free_count(), swap_total());
    check_sound(check_run());
}

/* ---- The device fails -------------------------------------------------- */

static void
a_page_that_cannot_be_written_stays(void)
{
    begin();
    anon = make_anon(77);
    host_device_fails = true;
    check(!reclaim_evict_one());
    check(anon->frame && anon->frame->dirty && !anon->frame->busy && anon->frame->evictable);
    check_equal(word_of(anon), 77);
    check_equal(counters.pgsteal + counters.pswpout + counters.reclaim_write_back, 0);
    host_device_fails = false;
    check(reclaim_evict_one());
    check(counters.pgsteal == 1 && counters.pswpout == 1 && counters.reclaim_write_back == 1);
    check(!anon->frame && anon->slot.number);
    check_equal(pagein_anon(anon, NULL), PAGEIN_READ);
    check_equal(word_of(anon), 77);
    anon_release(anon);
    nothing_is_left();
}

static void
a_page_that_cannot_be_read_keeps_its_slot(void)
{
    begin();
    anon = make_anon(78);
    check(reclaim_evict_one());
    host_device_fails = true;
    check_equal(pagein_anon(anon, NULL), PAGEIN_ERROR);
    check(!anon->frame && swap_is_taken(anon->slot));
    check_equal(frame_count(FRAME_ANONYMOUS), 0);
    host_device_fails = false;
    check_equal(pagein_anon(anon, NULL), PAGEIN_READ);
    check_equal(word_of(anon), 78);
    anon_release(anon);
    nothing_is_left();
}

static void
a_fault_that_cannot_be_read_is_a_bus_error(void)
{
    struct mmap_request request = {
        .bytes = PAGE_SIZE, .protection = PROT_READ | PROT_WRITE, .flags = MAP_PRIVATE | MAP_ANONYMOUS, .maximum = 7};
    struct fault_verdict verdict;
    struct aspace *aspace;
    u32 word = 5;

    begin();
    aspace = aspace_create();
    check_equal(mmap_map(aspace, &request), 0);
    check_equal(aspace_write(aspace, request.address, &word, sizeof(word)), 0);
    check(reclaim_evict_one());
    host_device_fails = true;
    check(fault_resolve(aspace, request.address + 3, FAULT_READ, &verdict) < 0);
    check(verdict.signal == SIGBUS && verdict.code == BUS_ADRERR && verdict.address == request.address + 3);
    check_equal(counters.fault_bus, 1);
    host_device_fails = false;
    check_equal(aspace_read(aspace, request.address, &word, sizeof(word)), 0);
    check_equal(word, 5);
    aspace_release(aspace);
    nothing_is_left();
}

static void
a_clean_page_without_a_copy_is_written(void)
{
    begin();
    anon = make_anon(79);
    anon->frame->dirty = false;
    check(reclaim_evict_one());
    check_equal(counters.reclaim_write_back, 1);
    check_equal(pagein_anon(anon, NULL), PAGEIN_READ);
    check_equal(word_of(anon), 79);
    anon_release(anon);
    nothing_is_left();
}

/* ---- The device takes time --------------------------------------------- */

/* The frame is busy, and nobody's candidate; who needs the page would wait. */
static void
look_at_busy_anon(void)
{
    hook_calls++;
    check(anon->frame && anon->frame->busy && !anon->frame->evictable);
    check(!reclaim_evict_one());
    check_sound(check_run());
}

static void
a_page_on_its_way_is_nobodys_candidate(void)
{
    bool split;

    begin();
    host_before_transfer = look_at_busy_anon;
    anon = make_anon(80);
    /* Held by an object, so that check_run finds it. */
    object = object_anonymous_create(PAGE_SIZE);
    object->amap = amap_create((page_t){0}, (page_t){1});
    amap_replace(amap_own_chunk(object->amap, (page_t){0}, &split), (page_t){0}, anon);
    check(reclaim_evict_one());
    check_equal(pagein_anon(anon, NULL), PAGEIN_SLEPT);
    check_equal(hook_calls, 2);
    check(!anon->frame->busy && anon->frame->evictable);
    check_equal(word_of(anon), 80);
    host_before_transfer = NULL;
    object_release(object);
    nothing_is_left();
}

static void
release_anon(void)
{
    hook_calls++;
    anon_release(anon);
}

static void
an_anon_may_go_while_it_is_written(void)
{
    u32 free;

    begin();
    free = frame_free_count();
    anon = make_anon(81);
    host_before_transfer = release_anon;
    check(reclaim_evict_one());
    check_equal(hook_calls, 1);
    check_equal(frame_free_count(), free);
    nothing_is_left();
}

static void
an_anon_may_go_while_it_is_read(void)
{
    begin();
    anon = make_anon(82);
    check(reclaim_evict_one());
    host_before_transfer = release_anon;
    check_equal(pagein_anon(anon, NULL), PAGEIN_SLEPT);
    check_equal(hook_calls, 1);
    nothing_is_left();
}

static void
release_object(void)
{
    hook_calls++;
    object_release(object);
}

static void
a_file_may_go_while_it_is_read(void)
{
    struct frame *frame;

    begin();
    object = object_file_create(disk, 0, FILE_BYTES);
    host_before_transfer = release_object;
    check_equal(object_page(object, 1, false, &frame, NULL), OBJECT_PAGE_SLEPT);
    check_equal(hook_calls, 1);
    nothing_is_left();
}

/* What a waiter sees: the transfer ends while it sleeps. */
static void
end_transfer(void)
{
    hook_calls++;
    check(evictable_end(anon->frame));
}

static void
who_needs_a_busy_page_waits_for_it(void)
{
    u32 read = counters.pswpin, wakes;

    begin();
    anon = make_anon(83);
    check(reclaim_evict_one());
    check_equal(pagein_anon(anon, NULL), PAGEIN_READ);
    evictable_begin(anon->frame);
    host_on_sleep = end_transfer;
    wakes = host_wakes;
    check_equal(pagein_anon(anon, NULL), PAGEIN_WAITED);
    check_equal(hook_calls, 1);
    check_equal(host_wakes, wakes + 1);
    check_equal(counters.pswpin, read + 1);
    anon_release(anon);
    nothing_is_left();
}

/* ---- Pins -------------------------------------------------------------- */

static void
a_pin_outlasts_owner_and_transfer(void)
{
    struct frame *frame;

    begin();
    anon = make_anon(84);
    frame = anon->frame;
    evictable_pin(frame);
    evictable_begin(frame);
    anon_release(anon);
    check(frame->orphan && frame->state == FRAME_ANONYMOUS);
    check(!evictable_end(frame));
    check_equal(frame->state, FRAME_ANONYMOUS);     /* still pinned */
    evictable_unpin(frame);
    check_equal(frame->state, FRAME_FREE);
    nothing_is_left();
}

static void
telling_the_policy_twice_does_no_harm(void)
{
    begin();
    anon = make_anon(85);
    evictable_insert(anon->frame);
    evictable_insert(anon->frame);
    evictable_remove(anon->frame);
    evictable_remove(anon->frame);
    check(!reclaim_evict_one());
    evictable_insert(anon->frame);
    check(reclaim_evict_one());
    anon_release(anon);
    nothing_is_left();
}

static void
unpinning_what_is_not_pinned_is_refused(void)
{
    begin();
    evictable_unpin(make_anon(1)->frame);
}

static void
a_second_transfer_of_a_busy_frame_is_refused(void)
{
    begin();
    anon = make_anon(1);
    evictable_begin(anon->frame);
    evictable_begin(anon->frame);
}

/* ---- Room -------------------------------------------------------------- */

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
    struct frame *frame;

    begin();
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

    begin();
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

    begin();
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
    reclaim_evict(more->frame);
    check(!more->frame && more->slot.number);
    check(in_swap[0]->frame && in_swap[0]->frame->dirty && !in_swap[0]->slot.number);
    check_equal(word_of(in_swap[0]), 0);
    while (count > 0)
        anon_release(in_swap[--count]);
    anon_release(more);
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
begin_process(u32 which)
{
    struct mmap_request request = {
        .bytes = 2 * PAGE_SIZE, .protection = PROT_READ | PROT_WRITE, .flags = MAP_PRIVATE | MAP_ANONYMOUS, .maximum = 7};
    u32 word = which;

    pair[which].aspace = aspace_create();
    check_equal(mmap_map(pair[which].aspace, &request), 0);
    pair[which].address = request.address;
    check_equal(aspace_write(pair[which].aspace, request.address, &word, sizeof(word)), 0);
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

    begin();
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_CASE(a_page_that_cannot_be_written_stays, "policy=fifo"),
        HOST_CASE(a_page_that_cannot_be_written_stays, "policy=random"),
        HOST_CASE(a_page_that_cannot_be_read_keeps_its_slot, ""),
        HOST_CASE(a_fault_that_cannot_be_read_is_a_bus_error, ""),
        HOST_CASE(a_clean_page_without_a_copy_is_written, ""),
        HOST_CASE(a_page_on_its_way_is_nobodys_candidate, ""),
        HOST_CASE(an_anon_may_go_while_it_is_written, ""),
        HOST_CASE(an_anon_may_go_while_it_is_read, ""),
        HOST_CASE(a_file_may_go_while_it_is_read, ""),
        HOST_CASE(who_needs_a_busy_page_waits_for_it, ""),
        HOST_CASE(a_pin_outlasts_owner_and_transfer, ""),
        HOST_CASE(telling_the_policy_twice_does_no_harm, ""),
        HOST_ASSERTS(unpinning_what_is_not_pinned_is_refused),
        HOST_ASSERTS(a_second_transfer_of_a_busy_frame_is_refused),
        HOST_CASE(nobody_is_killed_while_evicting_helps, ""),
        HOST_CASE(a_system_call_frees_what_is_missing, ""),
        HOST_CASE(having_done_its_share_it_is_content_with_less, ""),
        HOST_CASE(nobody_frees_frames_for_others_without_end, ""),
        HOST_CASE(who_needs_frames_gets_them_although_others_take_each, ""),
        HOST_CASE(who_cannot_have_enough_keeps_nothing, ""),
        HOST_CASE(a_full_swap_area_takes_slots_back_from_pages_in_memory, "policy=fifo"),
        HOST_CASE(faults_that_sleep_take_nothing_from_each_other, "policy=fifo"),
        HOST_CASE(faults_that_sleep_take_nothing_from_each_other, "policy=lru"),
    };

    return host_run(tests);
}
