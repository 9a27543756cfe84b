/*
 * Eviction and page-in when things go wrong or take time: the device fails, or makes its caller sleep while owners go. Whatever happens, no
 * page is lost, no frame or slot is freed twice or kept.
 */
#include "tests/host/reclaim_case.h"

#include <signal.h>
#include <string.h>

#include <asm/errno.h>
#include <linux/mman.h>

#include "mm/amap.h"
#include "mm/aspace.h"
#include "mm/counters.h"
#include "mm/evictable.h"
#include "mm/fault.h"
#include "mm/mmap.h"
#include "mm/pagein.h"
#include "mm/reclaim.h"
#include "mm/transfer.h"

#define FILE_BYTES (4 * PAGE_SIZE + 100)

static struct anon *anon;
static struct object *object;
static struct block_device *disk;
static u32 hook_calls;

static void
begin(void)
{
    begin_memory();
    __lsan_disable();
    disk = host_device_create(FILE_BYTES);
    __lsan_enable();
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
    /* Its slot holds nothing: others may have it. */
    check(anon->slot.number && anon_slots_to_take);
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

/* A page of memory with a word in it; its address. */
static u32
map_word(struct aspace *aspace, u32 word)
{
    struct mmap_request request = {
        .bytes = PAGE_SIZE, .protection = PROT_READ | PROT_WRITE, .flags = MAP_PRIVATE | MAP_ANONYMOUS, .maximum = 7};

    check_equal(mmap_map(aspace, &request), 0);
    check_equal(aspace_write(aspace, request.address, &word, sizeof(word)), 0);
    return request.address;
}

static void
a_fault_that_cannot_be_read_is_a_bus_error(void)
{
    struct fault_verdict verdict;
    struct aspace *aspace;
    u32 word, address;

    begin();
    aspace = aspace_create();
    address = map_word(aspace, 5);
    check(reclaim_evict_one());
    host_device_fails = true;
    check(fault_resolve(aspace, address + 3, FAULT_READ, &verdict) < 0);
    check(verdict.signal == SIGBUS && verdict.code == BUS_ADRERR && verdict.address == address + 3);
    check_equal(counters.fault_bus, 1);
    host_device_fails = false;
    check_equal(aspace_read(aspace, address, &word, sizeof(word)), 0);
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
    object->anonymous_pages = 1;
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

/* ---- Many at once ------------------------------------------------------ */

static struct anon *batch_anons[2];
static struct reclaim_batch batch;

static void
begin_batch(void)
{
    begin();
    for (u32 i = 0; i < 2; i++) {
        batch_anons[i] = make_anon(90 + i);
        check(reclaim_gather(&batch, batch_anons[i]->frame));
        check(batch_anons[i]->frame->busy && !batch_anons[i]->frame->evictable);
    }
    check_equal(batch.cluster.count, 2);
}

static void
release_first(void)
{
    hook_calls++;
    anon_release(batch_anons[0]);
}

/* Whatever becomes of one page, the other one is not lost. */
static void
a_batch_that_cannot_be_written_stays(void)
{
    begin_batch();
    host_device_fails = true;
    host_before_transfer = release_first;
    reclaim_write(&batch);
    host_before_transfer = NULL;
    check(hook_calls == 1 && batch.cluster.count == 0);
    check_equal(frame_count(FRAME_ANONYMOUS), 1);
    check(batch_anons[1]->frame && batch_anons[1]->frame->dirty && batch_anons[1]->frame->evictable);
    check_equal(word_of(batch_anons[1]), 91);
    /* The one that went is a victim as any other, the one that stays is none. */
    check(counters.pgsteal == 1 && counters.pswpout == 0);
    host_device_fails = false;
    check(reclaim_evict_one() && !batch_anons[1]->frame);
    anon_release(batch_anons[1]);
    nothing_is_left();
}

static void
a_page_of_a_batch_may_go_while_it_is_written(void)
{
    begin_batch();
    host_before_transfer = release_first;
    reclaim_write(&batch);
    host_before_transfer = NULL;
    check(!batch_anons[1]->frame && batch_anons[1]->slot.number);
    check_equal(counters.pgsteal, 2);
    check_equal(pagein_anon(batch_anons[1], NULL), PAGEIN_READ);
    check_equal(word_of(batch_anons[1]), 91);
    anon_release(batch_anons[1]);
    nothing_is_left();
}

/* ---- Pins -------------------------------------------------------------- */

/* Rule: each fault counts as one of a kind; one that found its page on its way, as a soft one. */
static void
a_fault_that_waits_is_a_soft_one(void)
{
    struct fault_verdict verdict;
    struct aspace *aspace;
    u32 address, soft;

    begin();
    aspace = aspace_create();
    address = map_word(aspace, 5);
    anon = region_anon(region_find(&aspace->regions, page_of(address)), page_of(address));
    check(reclaim_evict_one());
    check_equal(pagein_anon(anon, NULL), PAGEIN_READ);
    evictable_begin(anon->frame);
    host_on_sleep = end_transfer;
    soft = counters.fault_soft;
    check_equal(fault_resolve(aspace, address, FAULT_READ, &verdict), 0);
    check_equal(hook_calls, 1);
    check_equal(counters.fault_soft, soft + 1);
    aspace_release(aspace);
    nothing_is_left();
}

/* Rule: a fault for which there is no memory, nor anybody to kill, is counted, and ends its process. */
static void
a_fault_without_memory_is_counted(void)
{
    struct frame *hoarded = NULL, *frame;
    struct fault_verdict verdict;
    struct aspace *aspace;
    u32 address;

    begin();
    aspace = aspace_create();
    address = map_word(aspace, 5);
    check(reclaim_evict_one());
    while ((frame = frame_allocate(FRAME_KERNEL))) {
        frame->owner = hoarded;
        hoarded = frame;
    }
    check(fault_resolve(aspace, address, FAULT_READ, &verdict) < 0);
    check_equal(verdict.signal, SIGKILL);
    check_equal(counters.fault_no_memory, 1);
    while ((frame = hoarded)) {
        hoarded = frame->owner;
        frame->owner = NULL;
        frame_free(frame);
    }
    aspace_release(aspace);
    nothing_is_left();
}

/* Rule: a policy for whose state there is no memory does not come into force, and who wanted it is told. */
static void
a_policy_without_memory_is_refused(void)
{
    begin();
    check_equal(pool_set_policy("lru"), 0);
    host_allocations_left = 0;
    check_equal(reclaim_switch_policy(), -ENOMEM);
    host_allocations_left = HOST_UNLIMITED;
    check(strcmp(pool_policy->name, "lru") == 0);
    host_switches("policy=fifo");
    check_equal(reclaim_switch_policy(), 0);
    check(strcmp(pool_policy->name, "fifo") == 0);
    nothing_is_left();
}

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
        HOST_CASE(a_batch_that_cannot_be_written_stays, ""),
        HOST_CASE(a_page_of_a_batch_may_go_while_it_is_written, ""),
        HOST_CASE(a_fault_that_waits_is_a_soft_one, ""),
        HOST_CASE(a_fault_without_memory_is_counted, ""),
        HOST_CASE(a_policy_without_memory_is_refused, "policy=fifo"),
        HOST_CASE(a_pin_outlasts_owner_and_transfer, ""),
        HOST_CASE(telling_the_policy_twice_does_no_harm, ""),
        HOST_ASSERTS(unpinning_what_is_not_pinned_is_refused),
        HOST_ASSERTS(a_second_transfer_of_a_busy_frame_is_refused),
    };

    return host_run(tests);
}
