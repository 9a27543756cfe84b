/*
 * The walker on malloc'd tables, in both formats: entering, forgetting, rights, and fork's revocation, seen through a simulated
 * processor that caches translations as real ones do. Every helper ends by asking whether the processor believes anything that the
 * tables no longer say.
 */
#include "tests/host/pmap_case.h"

/* ---- Entering and forgetting ------------------------------------------- */

static void
each_page_has_an_entry_of_its_own(void)
{
    /* Each differs from the first in one bit of the page number, or in all. */
    u32 top, count = 0;
    u32 pages[24];
    struct frame *frames[24];

    begin();
    top = user_top() >> PAGE_SHIFT;
    pages[count++] = 1;
    for (u32 bit = 2; 1 + bit < top; bit <<= 1)
        pages[count++] = 1 + bit;
    pages[count++] = top - 1;
    for (u32 i = 0; i < count; i++) {
        frames[i] = take_frame();
        check_equal(enter(pages[i], frames[i], PMAP_WRITE), PMAP_FOUND_NOTHING);
    }
    check_equal(space.resident, count);
    for (u32 i = 0; i < count; i++)
        check(can(pages[i], FAULT_WRITE, frames[i]));
    for (u32 i = 0; i < count; i++) {
        remove_pages(pages[i], pages[i] + 1);
        check(!can(pages[i], FAULT_READ, frames[i]));
        for (u32 j = i + 1; j < count; j++)
            check(can(pages[j], FAULT_READ, frames[j]));
        check(frames[i]->first.pmap == NULL);
    }
    check_equal(space.resident, 0);
}

/*
 * Changes every range between some pages, across the borders of tables in both formats, and looks at all pages: those in
 * the range cannot be written any more, nor read unless `readable`; all others are as they were.
 */
static void
try_ranges(void (*change)(u32 start, u32 end), bool readable)
{
    const u32 low = 500, high = 1060, bounds[] = {500, 501, 511, 512, 513, 1023, 1024, 1025, 1059, 1060};
    struct frame *frame;

    begin();
    frame = take_frame();
    for (u32 i = 0; i < ARRAY_SIZE(bounds); i++)
        for (u32 j = i; j < ARRAY_SIZE(bounds); j++) {
            for (u32 page = low; page < high; page++)
                pmap_enter(&space, (page_t){page}, frame, PMAP_WRITE);
            change(bounds[i], bounds[j]);
            for (u32 page = low; page < high; page++) {
                bool outside = page < bounds[i] || page >= bounds[j];

                check_equal(can(page, FAULT_READ, frame), outside || readable);
                check_equal(can(page, FAULT_WRITE, frame), outside);
            }
        }
}

static void
removing_takes_exactly_the_range(void)
{
    try_ranges(remove_pages, false);
}

static void
make_read_only(u32 start, u32 end)
{
    pmap_protect(&space, (page_t){start}, (page_t){end}, 0);
    sound();
}

static void
protecting_changes_exactly_the_range(void)
{
    try_ranges(make_read_only, true);
}

static void
another_frame_takes_the_place_of_the_first(void)
{
    struct frame *first, *second;

    begin();
    first = take_frame();
    second = take_frame();
    check_equal(enter(7, first, PMAP_WRITE | PMAP_EXECUTE), PMAP_FOUND_NOTHING);
    check(can(7, FAULT_WRITE, first) && can(7, FAULT_EXECUTE, first));
    check_equal(enter(7, second, PMAP_WRITE | PMAP_EXECUTE), PMAP_FOUND_OTHER);
    check(can(7, FAULT_WRITE, second) && can(7, FAULT_EXECUTE, second));
    check(first->first.pmap == NULL && first->dirty && first->referenced);
    check_equal(space.resident, 1);
    check_equal(enter(7, first, 0), PMAP_FOUND_OTHER);
    check(can(7, FAULT_READ, first) && !can(7, FAULT_WRITE, first));
    check(second->first.pmap == NULL && second->dirty);
}

static void
entering_again_gives_exactly_the_new_rights(void)
{
    struct frame *frame;

    begin();
    frame = take_frame();
    enter(7, frame, 0);
    for (u32 from = 0; from < RIGHTS_COUNT; from++)
        for (u32 i = 0; i < RIGHTS_COUNT; i++) {
            u32 to = rights_of[i];

            enter(7, frame, rights_of[from]);
            check_equal(enter(7, frame, to), PMAP_FOUND_SAME);
            check(can(7, FAULT_READ, frame));
            check_equal(can(7, FAULT_WRITE, frame), (to & PMAP_WRITE) != 0);
            check_equal(can(7, FAULT_EXECUTE, frame), (to & PMAP_EXECUTE) != 0 || (!page_format.no_execute && !page_format.mirror_pages));
        }
    check_equal(space.resident, 1);
    check(frame->first.pmap == &space && frame->first.next == NULL);
}

static void
entering_again_forgets_no_write(void)
{
    struct frame *frame;

    begin();
    frame = take_frame();
    enter(7, frame, PMAP_WRITE);
    check(can(7, FAULT_WRITE, frame));
    enter(7, frame, 0);
    pmap_frame_harvest_dirty(frame);
    check(frame->dirty);
    check(pmap_frame_test_referenced(frame));
}

static void
an_empty_table_is_given_back(void)
{
    u32 leaf = page_format.levels, tables, window;
    table_entry_t entry;

    begin();
    leaf = page_format.levels - 1;
    window = page_format.leaf_pages;
    enter(3 * window - 1, take_frame(), 0);
    enter(3 * window, take_frame(), 0);
    enter(3 * window + 5, take_frame(), 0);
    tables = space.table_count;
    remove_pages(3 * window, 3 * window + 1);
    check_equal(space.table_count, tables);
    check(pmap_walk_level(&space, (page_t){3 * window}, leaf, &entry));
    remove_pages(3 * window, 4 * window);
    check_equal(space.table_count, tables - 1);
    check(!pmap_walk_level(&space, (page_t){3 * window}, leaf, &entry));
    check(pmap_walk_level(&space, (page_t){3 * window - 1}, leaf, &entry) && entry);
    check_equal(counters.table_alloc - counters.table_free, space.table_count - 1);
}

static void
a_table_used_again_is_empty(void)
{
    struct frame *frame;

    begin();
    frame = take_frame();
    for (u32 round = 0; round < 40; round++) {
        u32 window = host_below(user_top() >> PAGE_SHIFT >> 10) << 10, page = window + host_below(512);

        enter(page, frame, PMAP_WRITE | PMAP_EXECUTE);
        for (u32 other = window; other < window + 512; other++)
            check_equal(can(other, FAULT_READ, frame), other == page && other > 0);
        remove_pages(page, page + 1);
    }
}

static void
an_address_space_gives_all_its_frames_back(void)
{
    struct pmap many[20];
    u32 before = 0;
    struct frame *frame;

    begin();
    frame = take_frame();
    /* Fill the stocks of spare tables and roots first. */
    for (u32 round = 0; round < 3; round++) {
        if (round == 1)
            before = frame_free_count();
        for (u32 i = 0; i < ARRAY_SIZE(many); i++) {
            check(pmap_create(&many[i]));
            for (u32 page = 100; page < (user_top() >> PAGE_SHIFT); page += 0x11111)
                pmap_enter(&many[i], (page_t){page}, frame, PMAP_EXECUTE);
            check_sound(pmap_check(&many[i]));
        }
        for (u32 i = 0; i < ARRAY_SIZE(many); i++) {
            pmap_remove(&many[i], (page_t){0}, page_of(user_top()));
            pmap_destroy(&many[i]);
        }
        if (round > 0)
            check_equal(frame_free_count(), before);
    }
    check(frame->first.pmap == NULL);
}

/* ---- Rights ------------------------------------------------------------ */

static void
each_right_permits_one_kind_of_access(void)
{
    begin();
    for (u32 i = 0; i < RIGHTS_COUNT; i++) {
        struct frame *frame = take_frame();
        u32 page = 0x2345 + i, rights = rights_of[i], seen;

        enter(page, frame, rights);
        check(can(page, FAULT_READ, frame));
        check_equal(can(page, FAULT_WRITE, frame), (rights & PMAP_WRITE) != 0);
        check_equal(can(page, FAULT_EXECUTE, frame), (rights & PMAP_EXECUTE) != 0);
        check(pmap_lookup(&space, (page_t){page}, &seen) == frame);
        check_equal(seen, rights);
    }
}

static void
without_nx_everything_can_be_executed(void)
{
    struct frame *frame;

    begin();
    check_equal(user_top(), KERNEL_BASE);
    frame = take_frame();
    enter(0x2345, frame, PMAP_WRITE);
    check(can(0x2345, FAULT_EXECUTE, frame));
    enter(0x90000, frame, 0);       /* where the mirror would be */
    check(can(0x90000, FAULT_READ, frame));
}

/* A fetch that is refused must be recognised, and lead back to the page's own address. */
static void
a_refused_fetch_is_known_as_one(void)
{
    u32 eip = 0x02345FFE, physical;
    struct machine_fault fault;

    begin();
    enter(eip >> PAGE_SHIFT, take_frame(), PMAP_WRITE);
    for (u32 offset = 0; offset < 4; offset++) {
        check(!machine_access(eip + offset, FAULT_EXECUTE, true, &physical, &fault));
        check(pmap_is_fetch(&fault.address, eip, fault.error));
        check_equal(fault.address, eip + offset);
    }
    /* Reading the mirror, or far from eip, is no fetch. */
    fault.address = eip + 0x60000000 + 15;
    check(!pmap_is_fetch(&fault.address, eip, 4));
    fault.address = eip + 0x60000000 - 1;
    check(!pmap_is_fetch(&fault.address, eip, 4));
    fault.address = eip;
    check(!pmap_is_fetch(&fault.address, eip, 4));
}

static void
user_code_reaches_neither_kernel_nor_mirror(void)
{
    u32 physical, mirror = 0x60000000 + (5 << PAGE_SHIFT);
    struct machine_fault fault;

    begin();
    enter(5, take_frame(), PMAP_WRITE | PMAP_EXECUTE);
    check(machine_access(KERNEL_BASE + 0x5000, FAULT_READ, false, &physical, &fault));
    check_equal(physical, 0x5000);
    check(!machine_access(KERNEL_BASE + 0x5000, FAULT_READ, true, &physical, &fault));
    check(!machine_access(mirror, FAULT_WRITE, true, &physical, &fault));
}

static void
protecting_never_adds_a_right(void)
{
    struct frame *frame;

    begin();
    frame = take_frame();
    enter(9, frame, 0);
    pmap_protect(&space, (page_t){9}, (page_t){10}, PMAP_WRITE | PMAP_EXECUTE);
    sound();
    check(!can(9, FAULT_WRITE, frame) && !can(9, FAULT_EXECUTE, frame));
    enter(9, frame, PMAP_WRITE | PMAP_EXECUTE);
    pmap_protect(&space, (page_t){9}, (page_t){10}, PMAP_WRITE);
    sound();
    check(can(9, FAULT_WRITE, frame) && !can(9, FAULT_EXECUTE, frame));
}

/* ---- Revoking for fork ------------------------------------------------- */

/* One write after fork brings back one page's right, and the others' are withheld one by one. */
static void
revoking_is_undone_page_by_page(void)
{
    struct frame *frames[4];
    const u32 pages[] = {0x400, 0x401, 0x7FF, 0x5000};
    u32 rights;

    begin();
    for (u32 i = 0; i < 4; i++)
        enter(pages[i], frames[i] = take_frame(), i == 2 ? PMAP_EXECUTE : PMAP_WRITE);
    for (u32 i = 0; i < 4; i++)
        check_equal(can(pages[i], FAULT_WRITE, frames[i]), i != 2);
    pmap_revoke_write(&space);
    sound();
    for (u32 i = 0; i < 4; i++) {
        check(can(pages[i], FAULT_READ, frames[i]) && !can(pages[i], FAULT_WRITE, frames[i]));
        check(pmap_lookup(&space, (page_t){pages[i]}, &rights) == frames[i] && !(rights & PMAP_WRITE));
    }
    check_equal(enter(pages[0], frames[0], PMAP_WRITE), PMAP_FOUND_WITHHELD);
    check(can(pages[0], FAULT_WRITE, frames[0]));
    check(!can(pages[1], FAULT_WRITE, frames[1]));
    check(!can(pages[2], FAULT_WRITE, frames[2]) && can(pages[2], FAULT_EXECUTE, frames[2]));
    check(!can(pages[3], FAULT_WRITE, frames[3]));
    check_equal(enter(pages[1], frames[1], PMAP_WRITE), PMAP_FOUND_WITHHELD);
    check_equal(enter(pages[1], frames[1], PMAP_WRITE), PMAP_FOUND_SAME);
    check_equal(enter(pages[2], frames[2], PMAP_EXECUTE), PMAP_FOUND_SAME);
    check_equal(enter(pages[3], frames[3], PMAP_WRITE), PMAP_FOUND_WITHHELD);
}

static void
revoking_touches_directory_entries_only(void)
{
    table_entry_t entry;

    begin();
    enter(0x400, take_frame(), PMAP_WRITE);
    pmap_revoke_write(&space);
    check(pmap_walk_level(&space, (page_t){0x400}, page_format.levels - 1, &entry) && entry & ENTRY_WRITE);
    check(pmap_walk_level(&space, (page_t){0x400}, page_format.levels - 2, &entry) && !(entry & ENTRY_WRITE));
}

static void
reading_after_revoking_gives_no_write_back(void)
{
    struct frame *frame, *other;

    begin();
    frame = take_frame();
    other = take_frame();
    enter(0x400, frame, PMAP_WRITE);
    pmap_revoke_write(&space);
    enter(0x401, other, 0);
    check(!can(0x400, FAULT_WRITE, frame) && !can(0x401, FAULT_WRITE, other));
    pmap_revoke_write(&space);      /* twice does no harm */
    sound();
    enter(0x401, other, PMAP_WRITE);
    check(!can(0x400, FAULT_WRITE, frame) && can(0x401, FAULT_WRITE, other));
}

static void
a_table_made_after_revoking_is_writable(void)
{
    struct frame *frame;

    begin();
    frame = take_frame();
    enter(0x400, frame, PMAP_WRITE);
    pmap_revoke_write(&space);
    remove_pages(0x400, 0x401);
    check_equal(enter(0x400, frame, PMAP_WRITE), PMAP_FOUND_NOTHING);
    check(can(0x400, FAULT_WRITE, frame));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_BOTH(each_page_has_an_entry_of_its_own),
        HOST_BOTH(removing_takes_exactly_the_range),
        HOST_BOTH(protecting_changes_exactly_the_range),
        HOST_BOTH(another_frame_takes_the_place_of_the_first),
        HOST_BOTH(entering_again_gives_exactly_the_new_rights),
        HOST_BOTH(entering_again_forgets_no_write),
        HOST_BOTH(an_empty_table_is_given_back),
        HOST_BOTH(a_table_used_again_is_empty),
        HOST_BOTH(an_address_space_gives_all_its_frames_back),
        HOST_BOTH(each_right_permits_one_kind_of_access),
        HOST_CASE(without_nx_everything_can_be_executed, "paging=2level nx=off"),
        HOST_CASE(without_nx_everything_can_be_executed, "paging=pae nx=off"),
        HOST_CASE(each_page_has_an_entry_of_its_own, "paging=2level nx=off"),
        HOST_CASE(entering_again_gives_exactly_the_new_rights, "paging=pae nx=off"),
        HOST_BOTH(a_refused_fetch_is_known_as_one),
        HOST_BOTH(user_code_reaches_neither_kernel_nor_mirror),
        HOST_BOTH(protecting_never_adds_a_right),
        HOST_BOTH(revoking_is_undone_page_by_page),
        HOST_BOTH(revoking_touches_directory_entries_only),
        HOST_BOTH(reading_after_revoking_gives_no_write_back),
        HOST_BOTH(a_table_made_after_revoking_is_writable),
    };

    return host_run(tests);
}
