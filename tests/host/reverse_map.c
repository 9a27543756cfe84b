/*
 * From frames to their entries and back: accessed and dirty bits, the reverse map, flushing, want of memory, and what pmap_check must
 * notice; in both formats on a simulated processor.
 */
#include "tests/host/pmap_case.h"

/* ---- Accessed and dirty ------------------------------------------------ */

static void
a_reference_is_seen_each_time_anew(void)
{
    struct frame *frame;

    begin();
    frame = take_frame();
    enter(3, frame, PMAP_WRITE | PMAP_EXECUTE);
    check(!pmap_frame_test_referenced(frame));
    for (u32 access = FAULT_READ; access <= FAULT_EXECUTE; access++) {
        check(can(3, access, frame));
        check(pmap_frame_test_referenced(frame));
        sound();
        check(!pmap_frame_test_referenced(frame));
    }
}

static void
references_of_all_mappings_count(void)
{
    struct frame *frame;

    begin();
    frame = take_frame();
    for (u32 page = 1; page < 5; page++)
        enter(page * 0x500, frame, PMAP_EXECUTE);
    for (u32 page = 1; page < 5; page++) {
        check(can(page * 0x500, page & 1 ? FAULT_READ : FAULT_EXECUTE, frame));
        check(pmap_frame_test_referenced(frame));
        sound();
        check(!pmap_frame_test_referenced(frame));
    }
}

static void
a_write_is_harvested_wherever_it_went(void)
{
    for (u32 which = 0; which < 3; which++) {
        struct frame *frame;

        if (which == 0)
            begin();
        frame = take_frame();
        for (u32 page = 0; page < 3; page++)
            enter(0x10 + 0x700 * page, frame, PMAP_WRITE);
        check(can(0x10, FAULT_READ, frame));
        pmap_frame_harvest_dirty(frame);
        check(!frame->dirty);
        check(can(0x10 + 0x700 * which, FAULT_WRITE, frame));
        pmap_frame_harvest_dirty(frame);
        sound();
        check(frame->dirty);
        pmap_frame_remove(frame);
    }
}

/* Every way in which an entry goes must bring its bits home. */
static void
an_entry_that_goes_leaves_its_bits_in_the_frame(void)
{
    struct frame *frame, *other;

    begin();
    other = take_frame();
    for (u32 way = 0; way < 4; way++) {
        frame = take_frame();
        enter(0x88, frame, PMAP_WRITE | PMAP_EXECUTE);
        check(can(0x88, way == 3 ? FAULT_EXECUTE : FAULT_WRITE, frame));
        if (way == 0)
            remove_pages(0x88, 0x89);
        else if (way == 1)
            pmap_frame_remove(frame);
        else if (way == 2)
            enter(0x88, other, 0);
        else
            pmap_protect(&space, (page_t){0x88}, (page_t){0x89}, 0);
        sound();
        check(way == 3 || frame->dirty);
        check(way == 3 || frame->referenced);
        check(way != 3 || pmap_frame_test_referenced(frame));
        remove_pages(0x88, 0x89);
    }
}

/* dirty=software: a clean frame is mapped read-only whatever is asked; the processor's bit is not believed. */
static void
software_dirty_withholds_write_until_the_frame_is_dirty(void)
{
    struct frame *frame;

    begin();
    check(pmap_traps_first_write());
    frame = take_frame();
    enter(3, frame, PMAP_WRITE);
    check(can(3, FAULT_READ, frame) && !can(3, FAULT_WRITE, frame));
    frame->dirty = true;
    check_equal(enter(3, frame, PMAP_WRITE), PMAP_FOUND_SAME);
    check(can(3, FAULT_WRITE, frame));
    frame->dirty = false;
    pmap_frame_harvest_dirty(frame);
    remove_pages(3, 4);
    check(!frame->dirty);
}

static void
software_accessed_counts_entering_only(void)
{
    struct frame *frame;

    begin();
    check(pmap_samples_references());
    frame = take_frame();
    enter(3, frame, PMAP_WRITE);
    check(pmap_frame_test_referenced(frame));
    check(can(3, FAULT_READ, frame));
    check(!pmap_frame_test_referenced(frame));
    remove_pages(3, 4);
    check(!frame->referenced);
}

/* ---- Reverse map ------------------------------------------------------- */

static void
the_reverse_map_lists_each_mapping_once(void)
{
    struct pmap other;
    struct frame *frame;
    u32 objects = host_objects;

    begin();
    check(pmap_create(&other));
    frame = take_frame();
    for (u32 page = 1; page <= 6; page++) {
        enter(page, frame, PMAP_EXECUTE);
        check_equal(pmap_enter(&other, (page_t){page}, frame, 0), PMAP_FOUND_NOTHING);
        check_equal(mappings_of(frame), 2 * page);
    }
    enter(3, frame, PMAP_WRITE);
    check_equal(mappings_of(frame), 12);
    /* First, last and middle of the list go. */
    remove_pages(1, 2);
    remove_pages(6, 7);
    pmap_remove(&other, (page_t){3}, (page_t){4});
    check_equal(mappings_of(frame), 9);
    check_sound(pmap_check(&other));
    pmap_frame_remove(frame);
    sound();
    check_equal(mappings_of(frame), 0);
    check_equal(space.resident + other.resident, 0);
    pmap_destroy(&other);
    check_equal(host_objects - objects, page_format.root_bytes == PAGE_SIZE ? 0 : 2);
}

static void
frames_outside_the_reverse_map_stay_outside(void)
{
    struct frame *zero;

    begin();
    zero = frame_allocate(FRAME_KERNEL);
    enter(3, zero, PMAP_EXECUTE);
    enter(4, zero, 0);
    check(can(3, FAULT_READ, zero) && can(4, FAULT_READ, zero));
    check(zero->first.pmap == NULL && zero->first.next == NULL);
    remove_pages(3, 5);
    check(!zero->referenced && !zero->dirty);
}

static void
a_locked_entry_is_known_and_never_dropped(void)
{
    struct random random;
    struct frame *locked, *frame;

    begin();
    random_seed(&random, host_random.state);
    locked = take_frame();
    frame = take_frame();
    enter(3, locked, PMAP_WRITE | PMAP_LOCKED);
    check(pmap_frame_is_locked(locked));
    enter(4, frame, PMAP_WRITE);
    check(!pmap_frame_is_locked(frame));
    for (u32 i = 0; i < 200; i++)
        pmap_drop_random(&space, &random);
    sound();
    check(can(3, FAULT_WRITE, locked) && !can(4, FAULT_READ, frame));
    /* One locked entry among several is enough. */
    enter(8, frame, 0);
    enter(9, frame, PMAP_LOCKED);
    enter(10, frame, 0);
    check(pmap_frame_is_locked(frame));
    enter(9, frame, 0);
    check(!pmap_frame_is_locked(frame));
}

static void
dropping_at_random_reaches_every_entry(void)
{
    struct random random;
    struct frame *frame;

    begin();
    random_seed(&random, host_random.state);
    frame = take_frame();
    for (u32 page = 0x3FE; page < 0x403; page++)
        enter(page, frame, PMAP_EXECUTE);
    for (u32 i = 0; i < 2000 && space.resident; i++) {
        pmap_drop_random(&space, &random);
        sound();
    }
    check_equal(space.resident, 0);
}

/* ---- Flushing ---------------------------------------------------------- */

static void
only_the_loaded_space_is_flushed(void)
{
    struct pmap other;
    u32 pages, full;
    struct frame *frame;

    begin();
    check(pmap_create(&other));
    frame = take_frame();
    pages = machine_page_flushes;
    full = machine_full_flushes;
    pmap_activate(&space);
    pmap_enter(&other, (page_t){5}, frame, PMAP_WRITE);
    pmap_enter(&other, (page_t){5}, frame, 0);
    pmap_revoke_write(&other);
    pmap_frame_remove(frame);
    check_equal(machine_page_flushes, pages);
    check_equal(machine_full_flushes, full);
    pmap_activate(&other);
    check_equal(machine_full_flushes, full + 1);
    pmap_activate(NULL);
    check_equal(machine_full_flushes, full + 2);
    pmap_destroy(&other);
}

static void
spaces_do_not_see_each_other(void)
{
    struct pmap other;
    struct frame *frame, *hidden;

    begin();
    check(pmap_create(&other));
    frame = take_frame();
    hidden = take_frame();
    enter(5, frame, PMAP_WRITE);
    pmap_enter(&other, (page_t){5}, hidden, PMAP_WRITE);
    pmap_enter(&other, (page_t){6}, hidden, PMAP_WRITE);
    check(can(5, FAULT_WRITE, frame) && !can(6, FAULT_READ, hidden));
    pmap_activate(&other);
    check(can(5, FAULT_WRITE, hidden) && can(6, FAULT_READ, hidden));
    pmap_frame_harvest_dirty(frame);
    check(frame->dirty);
}

static void
the_kernels_area_is_the_same_in_all(void)
{
    struct pmap other;
    u32 address = KERNEL_AREA_START + (77 << PAGE_SHIFT), physical;
    struct machine_fault fault;
    struct frame *frame;

    begin();
    check(pmap_create(&other));
    frame = frame_allocate(FRAME_KERNEL);
    pmap_kernel_enter(page_of(address), frame);
    check(machine_access(address, FAULT_WRITE, false, &physical, &fault));
    check(!machine_access(address, FAULT_READ, true, &physical, &fault));
    pmap_activate(&other);
    check(machine_access(address, FAULT_WRITE, false, &physical, &fault));
    check_equal(physical, physical_of(frame_number(frame)).value);
    check(pmap_kernel_remove(page_of(address)) == frame);
    check_sound(machine_stale());
    check(!machine_access(address, FAULT_READ, false, &physical, &fault));
    /* The last page that can be mapped has its table, too. */
    pmap_kernel_enter(page_of(KERNEL_AREA_END - 1), frame);
    check(machine_access(KERNEL_AREA_END - 1, FAULT_READ, false, &physical, &fault));
}

/* ---- Want of memory ---------------------------------------------------- */

static void
entering_takes_no_more_frames_than_promised(void)
{
    u32 before;
    struct frame *frame;

    begin();
    frame = take_frame();
    before = frame_free_count();
    enter(0x12345, frame, PMAP_WRITE | PMAP_EXECUTE);
    check(before - frame_free_count() <= pmap_enter_frames());
}

/* With each number of free frames that is too small: refused, and everything as it was. */
static void
entering_without_memory_changes_nothing(void)
{
    struct frame *frame, *hoard[MEMORY_FRAMES];
    u32 count = 0, rights, free = 0;
    enum pmap_found found;

    begin();
    frame = take_frame();
    enter(5, frame, 0);
    while ((hoard[count] = frame_allocate(FRAME_KERNEL)))
        count++;
    do {
        for (u32 i = 0; i < free; i++)
            frame_free(hoard[--count]);
        found = enter(0x12345, frame, PMAP_WRITE | PMAP_EXECUTE);
        if (found == PMAP_NO_MEMORY) {
            check(pmap_lookup(&space, (page_t){0x12345}, &rights) == NULL);
            check(pmap_lookup(&space, (page_t){5}, &rights) == frame);
            check_equal(space.resident, 1);
            check_equal(mappings_of(frame), 1);
        }
        free = 1;
    } while (found == PMAP_NO_MEMORY && count > MEMORY_FRAMES / 2);
    check_equal(found, PMAP_FOUND_NOTHING);
    check(can(0x12345, FAULT_EXECUTE, frame));
    /* No memory for an element of the reverse map. */
    host_allocations_left = 0;
    check_equal(enter(6, frame, PMAP_EXECUTE), PMAP_NO_MEMORY);
    host_allocations_left = HOST_UNLIMITED;
    check(!can(6, FAULT_READ, frame));
    check_equal(mappings_of(frame), 2);
}

static void
creating_without_memory_fails(void)
{
    struct pmap other;

    begin();
    while (frame_allocate(FRAME_KERNEL))
        continue;
    check(!pmap_create(&other));
}

/* ---- What the check must notice ---------------------------------------- */

static void
the_check_notices(void)
{
    struct frame *frame, *table;
    struct leaf *leaf;
    void *place;

    begin();
    frame = take_frame();
    enter(5, frame, PMAP_WRITE);
    leaf = leaf_find(&space, (page_t){5});
    table = leaf->frame;
    place = leaf->table;

    table->table.used++;
    check(pmap_check(&space) != NULL);
    table->table.used--;
    table->table.high = 5;
    check(pmap_check(&space) != NULL);
    table->table.high = 6;
    space.resident++;
    check(pmap_check(&space) != NULL);
    space.resident--;
    space.table_count++;
    check(pmap_check(&space) != NULL);
    space.table_count--;
    frame->first.page.number = 6;
    check(pmap_check(&space) != NULL);
    frame->first.page.number = 5;
    table->owner = NULL;
    check(pmap_check(&space) != NULL);
    table->owner = &space;
    entry_store(place, 5, entry_load(place, 5) & ~ENTRY_USER);
    check(pmap_check(&space) != NULL);
    entry_store(place, 5, entry_load(place, 5) | ENTRY_USER);
    frame->state = FRAME_KERNEL;    /* writable, and not in the reverse map */
    check(pmap_check(&space) != NULL);
    frame->state = FRAME_FREE;
    check(pmap_check(&space) != NULL);
    frame->state = FRAME_ANONYMOUS;
    check_sound(pmap_check(&space));
}

static void
the_check_notices_a_stray_mirror(void)
{
    struct leaf *leaf;
    struct frame *frame;
    table_entry_t entry;

    begin();
    frame = take_frame();
    enter(5, frame, PMAP_EXECUTE);
    leaf = mirror_leaf(&space, (page_t){5});
    entry = entry_load(leaf->table, 5);
    entry_store(leaf->table, 5, entry | ENTRY_WRITE);
    check(pmap_check(&space) != NULL);
    entry_store(leaf->table, 5, (entry & ~ENTRY_FRAME) | 0x7000);
    check(pmap_check(&space) != NULL);
    entry_store(leaf->table, 5, entry);
    check_sound(pmap_check(&space));
    leaf = leaf_find(&space, (page_t){5});
    entry_store(leaf->table, 5, entry_load(leaf->table, 5) & ~ENTRY_EXECUTE);
    check(pmap_check(&space) != NULL);
}

static void
destroying_a_space_in_use_is_refused(void)
{
    begin();
    enter(5, take_frame(), 0);
    pmap_activate(NULL);
    pmap_destroy(&space);
}

static void
destroying_the_loaded_space_is_refused(void)
{
    begin();
    pmap_destroy(&space);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_BOTH(a_reference_is_seen_each_time_anew),
        HOST_BOTH(references_of_all_mappings_count),
        HOST_BOTH(a_write_is_harvested_wherever_it_went),
        HOST_BOTH(an_entry_that_goes_leaves_its_bits_in_the_frame),
        HOST_CASE(software_dirty_withholds_write_until_the_frame_is_dirty, "paging=2level dirty=software"),
        HOST_CASE(software_dirty_withholds_write_until_the_frame_is_dirty, "paging=pae dirty=software"),
        HOST_CASE(software_accessed_counts_entering_only, "paging=2level accessed=software"),
        HOST_CASE(software_accessed_counts_entering_only, "paging=pae accessed=software"),
        HOST_BOTH(the_reverse_map_lists_each_mapping_once),
        HOST_BOTH(frames_outside_the_reverse_map_stay_outside),
        HOST_BOTH(a_locked_entry_is_known_and_never_dropped),
        HOST_BOTH(dropping_at_random_reaches_every_entry),
        HOST_BOTH(only_the_loaded_space_is_flushed),
        HOST_BOTH(spaces_do_not_see_each_other),
        HOST_BOTH(the_kernels_area_is_the_same_in_all),
        HOST_BOTH(entering_takes_no_more_frames_than_promised),
        HOST_BOTH(entering_without_memory_changes_nothing),
        HOST_BOTH(creating_without_memory_fails),
        HOST_BOTH(the_check_notices),
        HOST_CASE(the_check_notices_a_stray_mirror, "paging=2level"),
        HOST_ASSERTS(destroying_a_space_in_use_is_refused),
        HOST_ASSERTS(destroying_the_loaded_space_is_refused),
    };

    return host_run(tests);
}
