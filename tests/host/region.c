/*
 * Region lists against a naive model: one word a page. Find, gaps, insert, cut, join, grow, in any order.
 */
#include "tests/host/host.h"

#include <string.h>

#include "mm/object.h"
#include "mm/region.h"
#include "tests/host/stub/machine.h"

#define PAGES 600u          /* of the model; page 0 is never used */
#define STEPS 8000u

static struct region_list list;

static page_t
page(u32 number)
{
    return (page_t){number};
}

static struct region *
insert(u32 start, u32 end, u8 protection, struct object *object, u32 object_page)
{
    struct region *region = region_create(&(struct region){
        .start = page(start), .end = page(end), .protection = protection, .maximum = 7, .object = object, .object_page = object_page});

    check(region != NULL);
    region_insert(&list, region);
    check_sound(region_check(&list));
    return region;
}

static void
remove_region(struct region *region)
{
    region_unlink(&list, region);
    region_destroy(region);
    check_sound(region_check(&list));
}

static void
remove_all(void)
{
    while (region_first(&list))
        remove_region(region_first(&list));
    check_equal(list.count, 0);
    check_equal(list.pages, 0);
    check_equal(host_objects, 0);
}

/* ---- Finding ----------------------------------------------------------- */

static void
finding_respects_both_bounds(void)
{
    struct region *low = insert(10, 20, 1, object_zero(), 0), *high = insert(20, 25, 2, object_zero(), 0);

    for (u32 round = 0; round < 2; round++) {       /* the second time with a last hit */
        check(!region_find(&list, page(9)));
        check(region_find(&list, page(10)) == low && region_find(&list, page(19)) == low);
        check(region_find(&list, page(20)) == high && region_find(&list, page(24)) == high);
        check(!region_find(&list, page(25)));
    }
    check(region_find_from(&list, page(0)) == low && region_find_from(&list, page(19)) == low);
    check(region_find_from(&list, page(20)) == high && !region_find_from(&list, page(25)));
    check(region_next(low) == high && region_previous(high) == low && !region_previous(low) && !region_next(high));
    check(region_find(&list, page(12)) == low);
    remove_region(low);
    check(!region_find(&list, page(12)));           /* the last hit is gone */
    remove_all();
}

static void
a_range_is_free_only_if_all_of_it_is(void)
{
    insert(10, 20, 1, object_zero(), 0);
    check(region_is_free(&list, page(1), page(10)) && region_is_free(&list, page(20), page(30)));
    check(!region_is_free(&list, page(1), page(11)) && !region_is_free(&list, page(19), page(30)));
    check(!region_is_free(&list, page(12), page(13)) && !region_is_free(&list, page(1), page(30)));
    remove_all();
}

static void
overlapping_starts_are_refused(void)
{
    insert(10, 20, 1, object_zero(), 0);
    insert(10, 12, 1, object_zero(), 0);
}

/* ---- Cutting and joining ----------------------------------------------- */

static void
cutting_keeps_what_each_page_is(void)
{
    struct object *object = object_anonymous_create(1 << 20);
    struct region *lower = insert(100, 200, 3, object, 50), *upper;

    upper = region_split(&list, lower, page(130));
    check_sound(region_check(&list));
    check_equal(lower->start.number, 100);
    check_equal(lower->end.number, 130);
    check_equal(upper->start.number, 130);
    check_equal(upper->end.number, 200);
    check_equal(upper->object_page, 80);
    check_equal(region_object_page(upper, page(131)), 81);
    check_equal(object->references, 3);
    check(upper->protection == 3 && upper->maximum == 7);
    check(region_merge(&list, upper) == lower);
    check_equal(lower->end.number, 200);
    check_equal(object->references, 2);
    check_equal(list.count, 1);
    remove_region(lower);
    object_release(object);
    check_equal(host_objects, 0);
}

static void
joining_needs_every_respect_alike(void)
{
    struct object *object = object_anonymous_create(1 << 20), *other = object_anonymous_create(1 << 20);

    for (u32 difference = 0; difference < 8; difference++) {
        struct region *lower = insert(100, 120, 3, object, 10), *upper = insert(120, 140, 3, object, 30);

        switch (difference) {
        case 1: upper->protection = 1; break;
        case 2: upper->maximum = 1; break;
        case 3: upper->flags = REGION_SHARED; break;
        case 4: upper->object_page = 31; break;
        case 5: upper->data_end = 77; break;
        case 6: object_hold(other), object_release(object), upper->object = other; break;
        case 7: region_unlink(&list, upper), upper->start.number = 121, region_insert(&list, upper); break;
        }
        check(region_merge(&list, lower) == lower);
        check_equal(list.count, difference == 0 ? 1 : 2);
        while (region_first(&list))
            remove_region(region_first(&list));
    }
    object_release(object);
    object_release(other);
    remove_all();
}

static void
joining_takes_neighbours_on_both_sides(void)
{
    struct region *first = insert(10, 20, 3, object_zero(), 0), *middle;

    insert(30, 40, 3, object_zero(), 0);
    middle = insert(20, 30, 3, object_zero(), 0);
    check(region_merge(&list, middle) == first);
    check_equal(list.count, 1);
    check_equal(list.pages, 30);
    check_equal(first->end.number, 40);
    remove_all();
}

static void
private_pages_follow_their_region(void)
{
    struct region *lower = insert(40, 120, 3, object_zero(), 0), *upper;
    u32 none = 0, swapped;
    bool split;

    lower->amap = amap_create(lower->start, lower->end);
    for (u32 i = 40; i < 120; i++) {
        struct frame frame = {.pins = 1};
        struct anon *anon = anon_create(&frame);

        anon->frame = NULL;
        amap_replace(amap_own_chunk(lower->amap, page(i), &split), page(i), anon);
    }
    upper = region_split(&list, lower, page(75));
    swapped = 0;
    amap_count(lower->amap, page(40), page(75), &none, &swapped);
    check_equal(swapped, 35);
    amap_count(upper->amap, page(75), page(120), &none, &swapped);
    check_equal(swapped, 80);
    check(region_merge(&list, lower) == lower);
    swapped = 0;
    amap_count(lower->amap, page(40), page(120), &none, &swapped);
    check_equal(swapped, 80);
    remove_all();
    check_equal(anon_count(), 0);
}

static void
cutting_without_memory_changes_nothing(void)
{
    struct region *region = insert(40, 120, 3, object_zero(), 0);
    u32 failures = 0;
    bool split;

    region->amap = amap_create(region->start, region->end);
    amap_own_chunk(region->amap, page(50), &split);
    for (;; failures++) {
        struct region *upper;

        host_allocations_left = failures;
        upper = region_split(&list, region, page(70));
        host_allocations_left = HOST_UNLIMITED;
        if (upper)
            break;
        check_sound(region_check(&list));
        check(region->end.number == 120 && list.count == 1 && list.pages == 80);
    }
    check(failures >= 3);
    remove_all();
}

static void
growing_reaches_both_ways(void)
{
    struct region *region = insert(40, 50, 3, object_zero(), 0);
    bool split;

    region->amap = amap_create(region->start, region->end);
    amap_own_chunk(region->amap, page(45), &split);
    check(region_grow(&list, region, page(10), page(90)));
    check_sound(region_check(&list));
    check_equal(list.pages, 80);
    host_allocations_left = 0;
    check(!region_grow(&list, region, page(10), page(900)));
    host_allocations_left = HOST_UNLIMITED;
    check_sound(region_check(&list));
    check_equal(region->end.number, 90);
    remove_all();
}

/* ---- Gaps -------------------------------------------------------------- */

/* Rule: what a region grew over is free no more, though gaps had been looked for before. */
static void
a_region_grows_into_a_gap(void)
{
    struct region *region = insert(40, 50, 3, object_zero(), 0);

    /* So many that the tree is asked. */
    for (u32 start = 80; start < 90; start += 2)
        insert(start, start + 1, 1, object_zero(), 0);
    check_equal(region_find_gap(&list, 30, page(1), page(90)).number, 50);
    check(region_grow(&list, region, page(40), page(60)));
    check_sound(region_check(&list));
    check_equal(region_find_gap(&list, 30, page(1), page(90)).number, 10);
    check(region_grow(&list, region, page(20), page(60)));
    check_equal(region_find_gap(&list, 30, page(1), page(90)).number, 0);
    check_equal(region_find_gap(&list, 20, page(1), page(90)).number, 60);
    remove_all();
}

static void
a_gap_is_the_highest_that_fits(void)
{
    insert(20, 30, 1, object_zero(), 0);
    insert(40, 50, 1, object_zero(), 0);
    check_equal(region_find_gap(&list, 10, page(1), page(60)).number, 50);
    check_equal(region_find_gap(&list, 11, page(1), page(60)).number, 9);
    check_equal(region_find_gap(&list, 10, page(1), page(59)).number, 30);
    check_equal(region_find_gap(&list, 10, page(1), page(45)).number, 30);
    check_equal(region_find_gap(&list, 10, page(1), page(40)).number, 30);
    check_equal(region_find_gap(&list, 10, page(1), page(39)).number, 10);
    check_equal(region_find_gap(&list, 19, page(1), page(39)).number, 1);
    check_equal(region_find_gap(&list, 20, page(1), page(39)).number, 0);
    check_equal(region_find_gap(&list, 15, page(10), page(39)).number, 0);
    check_equal(region_find_gap(&list, 10, page(10), page(39)).number, 10);
    remove_all();
    check_equal(region_find_gap(&list, 10, page(1), page(39)).number, 29);
    check_equal(region_find_gap(&list, 39, page(1), page(39)).number, 0);
}

/* ---- Model ------------------------------------------------------------- */

static u8 model[PAGES];     /* protection of each page; 0: free */

static u32
model_find_gap(u32 pages, u32 floor, u32 limit)
{
    for (u32 start = limit - pages + 1; start-- > floor;) {
        u32 free = 0;

        while (free < pages && !model[start + free])
            free++;
        if (free == pages)
            return start;
    }
    return 0;
}

static void
compare(void)
{
    u32 pages = 0;

    check_sound(region_check(&list));
    for (u32 i = 0; i < PAGES; i++) {
        struct region *region = region_find(&list, page(i)), *from = region_find_from(&list, page(i));
        u32 above = i;

        check_equal(region ? region->protection : 0, model[i]);
        while (above < PAGES && !model[above])
            above++;
        check(above == PAGES ? !from : from && from->start.number <= above && from->end.number > above);
        pages += model[i] != 0;
    }
    check_equal(list.pages, pages);
}

static void
step_insert(u32 start, u32 end)
{
    u8 protection = (u8)(1 + host_below(2));
    bool free = true;

    for (u32 i = start; i < end; i++)
        free &= !model[i];
    check_equal(region_is_free(&list, page(start), page(end)), free);
    if (!free)
        return;
    region_merge(&list, insert(start, end, protection, object_zero(), 0));
    memset(model + start, protection, end - start);
}

static void
step_cut(u32 at)
{
    struct region *region = region_find(&list, page(at));

    if (region && region->start.number < at)
        region_split(&list, region, page(at));
}

static void
step_remove(u32 start, u32 end)
{
    struct region *region, *next;

    step_cut(start);
    step_cut(end);
    for (region = region_find_from(&list, page(start)); region && region->start.number < end; region = next) {
        next = region_next(region);
        remove_region(region);
    }
    memset(model + start, 0, end - start);
}

static void
step_merge(u32 at)
{
    struct region *region = region_find(&list, page(at));

    if (region)
        check(region_merge(&list, region) == region_find(&list, page(at)));
}

static void
agrees_with_the_model(void)
{
    for (u32 step = 0; step < STEPS; step++) {
        u32 start = 1 + host_below(PAGES - 2), end = start + 1 + host_below(PAGES - start < 60 ? PAGES - start - 1 : 60);
        u32 floor = 1 + host_below(PAGES - 2), limit = floor + 1 + host_below(PAGES - floor - 1), pages = 1 + host_below(40);

        switch (host_below(4)) {
        case 0: step_remove(start, end); break;
        case 1: step_cut(start); break;
        case 2: step_merge(start); break;
        default: step_insert(start, end); break;
        }
        if (limit >= pages)
            check_equal(region_find_gap(&list, pages, page(floor), page(limit)).number, model_find_gap(pages, floor, limit));
        if (step % 16 == 0)
            compare();
    }
    remove_all();
}

/* By which fork sees that the list is not what it was when it fell asleep. */
static void
each_change_is_counted(void)
{
    u32 before;
    struct region *region;

    before = list.changes;
    region = insert(10, 20, 3, object_zero(), 0);
    check_equal(list.changes, ++before);
    check(region_grow(&list, region, page(9), page(21)));
    check_equal(list.changes, ++before);
    remove_region(region);
    check_equal(list.changes, ++before);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_CASE(finding_respects_both_bounds, ""),
        HOST_CASE(a_range_is_free_only_if_all_of_it_is, ""),
        HOST_ASSERTS(overlapping_starts_are_refused),
        HOST_CASE(cutting_keeps_what_each_page_is, ""),
        HOST_CASE(joining_needs_every_respect_alike, ""),
        HOST_CASE(joining_takes_neighbours_on_both_sides, ""),
        HOST_CASE(private_pages_follow_their_region, ""),
        HOST_CASE(cutting_without_memory_changes_nothing, ""),
        HOST_CASE(growing_reaches_both_ways, ""),
        HOST_CASE(a_region_grows_into_a_gap, ""),
        HOST_CASE(a_gap_is_the_highest_that_fits, ""),
        HOST_CASE(each_change_is_counted, ""),
        HOST_CASE(agrees_with_the_model, ""),
    };

    return host_run(tests);
}
