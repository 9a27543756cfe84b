/*
 * Pages on loan, as pipes hold them, and pages of objects: what is lent stays what it was, wherever it is meanwhile, and what cannot be
 * made costs nothing.
 */
#include "tests/host/reclaim_case.h"

#include <linux/mman.h>

#include "mm/aspace.h"
#include "mm/evictable.h"
#include "mm/fork.h"
#include "mm/mmap.h"
#include "mm/move.h"
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_CASE(a_lent_page_is_brought_back_from_the_swap_area, ""),
        HOST_CASE(loans_are_in_the_list_until_they_are_given_back, ""),
        HOST_CASE(a_page_is_not_moved_to_where_nobody_may_write, ""),
        HOST_CASE(moving_into_a_shared_chunk_splits_it, ""),
        HOST_CASE(a_page_that_cannot_be_made_costs_nothing, ""),
    };

    return host_run(tests);
}
