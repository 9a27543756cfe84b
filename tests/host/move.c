/*
 * Pages on loan, as pipes hold them, and pages of objects: what is lent stays what it was, wherever it is meanwhile, what cannot be
 * made costs nothing, and whoever wants a page that others take away again and again gets it once it stays, but does not wait
 * without end.
 */
#include "tests/host/reclaim_case.h"

#include <asm/errno.h>
#include <linux/mman.h>

#include "mm/amap.h"
#include "mm/aspace.h"
#include "mm/evictable.h"
#include "mm/fork.h"
#include "mm/mmap.h"
#include "mm/move.h"
#include "mm/pagein.h"
#include "mm/reclaim.h"
#include "mm/transfer.h"

#define WORD 4711u

static struct aspace *sender, *receiver;
static u32 source, target;

/* One page that has been written, so that there is a page to lend. */
static u32
map_page(struct aspace *aspace, u32 protection)
{
    struct mmap_request request = {
        .bytes = PAGE_SIZE, .protection = protection, .flags = MAP_PRIVATE | MAP_ANONYMOUS, .maximum = 7};
    u32 word = WORD;

    check_equal(mmap_map(aspace, &request), 0);
    if (protection & PROT_WRITE)
        check_equal(aspace_write(aspace, request.address, &word, sizeof(word)), 0);
    return request.address;
}

static void
begin(void)
{
    begin_memory();
    sender = aspace_create();
    receiver = aspace_create();
    source = map_page(sender, PROT_READ | PROT_WRITE);
    target = map_page(receiver, PROT_READ | PROT_WRITE);
}

static void
end(void)
{
    aspace_release(sender);
    aspace_release(receiver);
    nothing_is_left();
}

static void
a_lent_page_is_brought_back_from_the_swap_area(void)
{
    struct anon_loan loan;
    struct frame *frame;

    begin();
    check(move_out(sender, source, &loan));
    reclaim_evict(loan.anon->frame);
    check(!loan.anon->frame);
    check_equal(move_pin(&loan, &frame), 0);
    check(frame->pins == 1 && *(u32 *)frame_data(frame) == WORD);
    evictable_unpin(frame);
    move_drop(&loan);
    end();
}

/* Whoever counts references finds those of loans in the list, and nothing else. */
static void
loans_are_in_the_list_until_they_are_given_back(void)
{
    struct anon_loan first, second;

    begin();
    check(move_out(sender, source, &first));
    check(move_out(sender, source, &second));
    check_sound(check_run());
    move_drop(&first);
    check(LIST_FIRST(&anon_loans) == &second && !LIST_NEXT(&second, link));
    check(move_in(receiver, target, &second));
    check(LIST_EMPTY(&anon_loans) && !second.anon);
    check_sound(check_run());
    end();
}

static void
a_page_is_not_moved_to_where_nobody_may_write(void)
{
    struct anon_loan loan;

    begin();
    check(move_out(sender, source, &loan));
    check(!move_in(receiver, map_page(receiver, PROT_READ), &loan));
    check(!move_in(receiver, 0x1000, &loan));
    check(loan.anon);
    move_drop(&loan);
    end();
}

static void
moving_into_a_shared_chunk_splits_it(void)
{
    struct anon_loan loan;
    struct aspace *child;
    u32 word = 0;

    begin();
    child = fork_aspace(receiver);
    check(move_out(sender, source, &loan));
    check(move_in(receiver, target, &loan));
    check_equal(receiver->counters.chunk_split, 1);
    check_equal(receiver->counters.pages_moved, 1);
    check_equal(aspace_read(child, target, &word, sizeof(word)), 0);
    check_equal(word, WORD);
    aspace_release(child);
    end();
}

/* ---- Objects ----------------------------------------------------------- */

static void
a_page_that_cannot_be_made_costs_nothing(void)
{
    struct object *object;
    struct frame *frame;

    begin_memory();
    object = object_anonymous_create(2 * PAGE_SIZE);
    check_equal(object_page(object, 0, true, &frame, NULL), OBJECT_PAGE_CREATED);
    host_allocations_left = 0;
    check_equal(object_page(object, 1, true, &frame, NULL), OBJECT_PAGE_NO_MEMORY);
    host_allocations_left = HOST_UNLIMITED;
    check_equal(frame_count(FRAME_ANONYMOUS), 1);
    object_release(object);
    nothing_is_left();
}

/* ---- Pages that others take away --------------------------------------- */

static u32 hook_calls, turns_until_it_stays;
static struct anon *awaited;
static struct object *awaited_file;

/* The page has been written out; it comes in again, and is written out again, before who waits for it runs. */
static void
come_in_and_go_again(void)
{
    struct frame *left = awaited->frame;

    evictable_end_leaving(left);
    awaited->frame = NULL;
    check_equal(pagein_anon(awaited, NULL), PAGEIN_READ);
    evictable_disown(left);
    if (++hook_calls < turns_until_it_stays)
        evictable_begin(awaited->frame);
}

/* The same of a file's first page. */
static void
file_page_comes_in_and_goes_again(void)
{
    struct frame *left = awaited_file->file.frames[0], *frame;

    evictable_end_leaving(left);
    awaited_file->file.frames[0] = NULL;
    awaited_file->file.resident--;
    check_equal(object_page(awaited_file, 0, false, &frame, NULL), OBJECT_PAGE_READ);
    evictable_disown(left);
    if (++hook_calls < turns_until_it_stays)
        evictable_begin(frame);
}

/* From now on the page, which is in memory, goes so many times while somebody waits for it. */
static void
take_away(struct frame *frame, u32 turns, void (*again)(void))
{
    evictable_begin(frame);
    hook_calls = 0;
    turns_until_it_stays = turns;
    host_on_sleep = again;
}

static void
take_anon_away(struct anon *anon, u32 turns)
{
    awaited = anon;
    reclaim_evict(anon->frame);
    check_equal(pagein_anon(anon, NULL), PAGEIN_READ);
    take_away(anon->frame, turns, come_in_and_go_again);
}

static void
let_stay(struct frame *frame)
{
    if (frame->busy)
        evictable_end(frame);
}

static struct object *
make_object(void)
{
    struct object *object = object_anonymous_create(PAGE_SIZE);
    u32 word = WORD;

    check_equal(object_write_kernel(object, 0, &word, sizeof(word)), sizeof(word));
    return object;
}

/* Each of these wants a page that goes so many times: 0 if it gets it, or an error, and then nothing has changed. */
static int
read_after(u32 turns)
{
    struct object *object;
    u32 word = 0;
    int done;

    begin_memory();
    object = make_object();
    take_anon_away(amap_lookup(object->amap, (page_t){0}), turns);
    done = object_read_kernel(object, 0, &word, sizeof(word));
    check_equal(word, done > 0 ? WORD : 0);
    let_stay(awaited->frame);
    object_release(object);
    nothing_is_left();
    return done > 0 ? 0 : done;
}

static int
shorten_after(u32 turns)
{
    struct object *object;
    int error;

    begin_memory();
    object = make_object();
    take_anon_away(amap_lookup(object->amap, (page_t){0}), turns);
    error = object_resize(object, 1);
    check_equal(object->bytes, error ? PAGE_SIZE : 1);
    check_equal(word_of(awaited), error ? WORD : (u8)WORD);
    let_stay(awaited->frame);
    object_release(object);
    nothing_is_left();
    return error;
}

/* Its last page is to become one that is not on the device. */
static int
lengthen_file_after(u32 turns)
{
    struct frame *frame;
    int error;

    begin_memory();
    __lsan_disable();
    awaited_file = object_file_create(host_device_create(PAGE_SIZE), 0, 100);
    __lsan_enable();
    check_equal(object_page(awaited_file, 0, false, &frame, NULL), OBJECT_PAGE_READ);
    take_away(frame, turns, file_page_comes_in_and_goes_again);
    error = object_resize(awaited_file, PAGE_SIZE);
    check_equal(awaited_file->bytes, error ? 100 : PAGE_SIZE);
    check_equal(object_is_on_device(awaited_file, 0), error != 0);
    if (error)
        let_stay(awaited_file->file.frames[0]);
    object_release(awaited_file);
    nothing_is_left();
    return error;
}

static int
pin_loan_after(u32 turns)
{
    struct anon_loan loan;
    struct frame *frame;
    int error;

    begin();
    check(move_out(sender, source, &loan));
    take_anon_away(loan.anon, turns);
    error = move_pin(&loan, &frame);
    if (!error)
        evictable_unpin(frame);
    let_stay(awaited->frame);
    move_drop(&loan);
    end();
    return error;
}

static int
fork_after(u32 turns)
{
    struct aspace *child;

    begin();
    take_anon_away(region_anon(region_find(&sender->regions, page_of(source)), page_of(source)), turns);
    child = fork_aspace(sender);
    if (child)
        aspace_release(child);
    let_stay(awaited->frame);
    end();
    return child ? 0 : -ENOMEM;
}

static void
check_gets_it(int (*after)(u32 turns))
{
    check_equal(after(PAGEIN_PATIENCE - 1), 0);
    check_equal(hook_calls, PAGEIN_PATIENCE - 1);
}

static void
check_goes_without(int (*after)(u32 turns))
{
    check_equal(after(2 * PAGEIN_PATIENCE), -ENOMEM);
    check_equal(hook_calls, PAGEIN_PATIENCE);
}

static void
reading_gets_a_page_once_it_stays(void)
{
    check_gets_it(read_after);
}

static void
reading_goes_without_a_page_that_never_stays(void)
{
    check_goes_without(read_after);
}

static void
shortening_gets_a_page_once_it_stays(void)
{
    check_gets_it(shorten_after);
}

static void
shortening_goes_without_a_page_that_never_stays(void)
{
    check_goes_without(shorten_after);
}

static void
lengthening_gets_a_page_once_it_stays(void)
{
    check_gets_it(lengthen_file_after);
}

static void
lengthening_goes_without_a_page_that_never_stays(void)
{
    check_goes_without(lengthen_file_after);
}

static void
pinning_gets_a_page_once_it_stays(void)
{
    check_gets_it(pin_loan_after);
}

static void
pinning_goes_without_a_page_that_never_stays(void)
{
    check_goes_without(pin_loan_after);
}

static void
fork_gets_a_page_once_it_stays(void)
{
    check_gets_it(fork_after);
}

static void
fork_goes_without_a_page_that_never_stays(void)
{
    check_goes_without(fork_after);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_CASE(a_lent_page_is_brought_back_from_the_swap_area, ""),
        HOST_CASE(loans_are_in_the_list_until_they_are_given_back, ""),
        HOST_CASE(a_page_is_not_moved_to_where_nobody_may_write, ""),
        HOST_CASE(moving_into_a_shared_chunk_splits_it, ""),
        HOST_CASE(a_page_that_cannot_be_made_costs_nothing, ""),
        HOST_CASE(reading_gets_a_page_once_it_stays, ""),
        HOST_CASE(reading_goes_without_a_page_that_never_stays, ""),
        HOST_CASE(shortening_gets_a_page_once_it_stays, ""),
        HOST_CASE(shortening_goes_without_a_page_that_never_stays, ""),
        HOST_CASE(lengthening_gets_a_page_once_it_stays, ""),
        HOST_CASE(lengthening_goes_without_a_page_that_never_stays, ""),
        HOST_CASE(pinning_gets_a_page_once_it_stays, ""),
        HOST_CASE(pinning_goes_without_a_page_that_never_stays, ""),
        HOST_CASE(fork_gets_a_page_once_it_stays, "fork=copy"),
        HOST_CASE(fork_goes_without_a_page_that_never_stays, "fork=copy"),
    };

    return host_run(tests);
}
