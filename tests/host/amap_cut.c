/*
 * Amaps cut and joined with their regions: what moves, what stays, what the other sharer sees, and that nothing is lost when memory is.
 */
#include "tests/host/amap_case.h"

/* ---- Cutting and joining ----------------------------------------------- */

/* Every cut of three chunks, shared or not: below stays, above moves, and the other sharer notices nothing. */
static void
splitting_moves_exactly_what_is_above_the_cut(void)
{
    begin();
    for (u32 shared = 0; shared < 2; shared++)
        for (u32 cut = 41; cut < 128; cut++) {
            struct amap *amap = create(40, 128), *upper, *copy = NULL;
            struct anon *anons[128] = {NULL};

            for (u32 page = 40; page < 128; page += 1 + page % 3)
                anons[page] = put(amap, page);
            if (shared)
                copy = amap_share(amap);
            check(amap_split(amap, (page_t){cut}, (page_t){128}, &upper));
            for (u32 page = 40; page < 128; page++) {
                check(at(page < cut ? amap : upper, page) == anons[page]);
                check(!copy || at(copy, page) == anons[page]);
                if (page >> CHUNK_SHIFT == cut >> CHUNK_SHIFT)
                    check(at(page < cut ? upper : amap, page) == NULL || cut % CHUNK_PAGES == 0);
            }
            if (copy)
                amap_destroy(copy);
            for (u32 page = 40; page < 128; page++)
                check(!anons[page] || anons[page]->references == 1);
            amap_destroy(amap);
            amap_destroy(upper);
            nothing_is_left();
        }
}

static void
joining_brings_both_halves_together(void)
{
    begin();
    for (u32 shared = 0; shared < 4; shared++)
        for (u32 cut = 41; cut < 128; cut++) {
            struct amap *lower = create(40, cut), *upper = create(cut, 128), *copies[2] = {NULL};
            struct anon *anons[128] = {NULL};

            for (u32 page = 40; page < 128; page += 1 + host_below(6))
                anons[page] = put(page < cut ? lower : upper, page);
            if (shared & 1)
                copies[0] = amap_share(lower);
            if (shared & 2)
                copies[1] = amap_share(upper);
            check(amap_merge(lower, upper, (page_t){128}));
            for (u32 page = 40; page < 128; page++) {
                struct amap *copy = copies[page >= cut];

                check(at(lower, page) == anons[page]);
                check(!copy || at(copy, page) == anons[page]);
            }
            for (u32 i = 0; i < 2; i++)
                if (copies[i])
                    amap_destroy(copies[i]);
            for (u32 page = 40; page < 128; page++)
                check(!anons[page] || anons[page]->references == 1);
            amap_destroy(lower);
            nothing_is_left();
        }
}

static void
removing_takes_exactly_the_range(void)
{
    begin();
    for (u32 shared = 0; shared < 2; shared++)
        for (u32 start = 40; start < 128; start += 5)
            for (u32 end = start + 1; end <= 128; end += 3) {
                struct amap *amap = create(40, 128), *copy = NULL;
                struct anon *anons[128] = {NULL};

                for (u32 page = 40; page < 128; page += 1 + page % 2)
                    anons[page] = put(amap, page);
                if (shared)
                    copy = amap_share(amap);
                check(amap_remove(amap, (page_t){start}, (page_t){end}));
                for (u32 page = 40; page < 128; page++) {
                    check(at(amap, page) == (page >= start && page < end ? NULL : anons[page]));
                    check(!copy || at(copy, page) == anons[page]);
                }
                if (copy)
                    amap_destroy(copy);
                amap_destroy(amap);
                nothing_is_left();
            }
}

/* As when a file is cut: each sharer is asked in turn, and the first one takes the anons from all. */
static void
cutting_takes_the_range_from_all_who_share(void)
{
    begin();
    for (u32 start = 40; start < 128; start += 5)
        for (u32 end = start + 1; end <= 128; end += 3) {
            struct amap *amap = create(40, 128), *copy;
            struct anon *anons[128] = {NULL};

            for (u32 page = 40; page < 128; page += 1 + page % 2)
                anons[page] = put(amap, page);
            copy = amap_share(amap);
            amap_cut(amap, (page_t){start}, (page_t){end});
            amap_cut(copy, (page_t){start}, (page_t){end});
            for (u32 page = 40; page < 128; page++) {
                struct anon *kept = page >= start && page < end ? NULL : anons[page];

                check(at(amap, page) == kept && at(copy, page) == kept);
                check(!kept || kept->references == 1);
            }
            amap_destroy(amap);
            amap_destroy(copy);
            nothing_is_left();
        }
}

static void
a_chunk_left_empty_is_not_kept(void)
{
    struct amap *amap, *upper;

    begin();
    amap = create(32, 96);
    put(amap, 40);
    put(amap, 70);
    check(amap_remove(amap, (page_t){36}, (page_t){50}));
    check(amap_chunk(amap, (page_t){40}) == NULL);
    check_equal(amap->used, 1);
    check(amap_split(amap, (page_t){66}, (page_t){96}, &upper));
    check(amap_chunk(amap, (page_t){65}) == NULL);
    check_equal(amap->used, 0);
    check_equal(upper->used, 1);
    amap_destroy(amap);
    amap_destroy(upper);
    amap = create(32, 96);
    put(amap, 40);
    check(amap_split(amap, (page_t){50}, (page_t){96}, &upper));
    check(amap_chunk(upper, (page_t){50}) == NULL);
    check_equal(upper->used, 0);
    amap_destroy(amap);
    amap_destroy(upper);
    nothing_is_left();
}

static void
extending_keeps_everything_and_reaches_both_ways(void)
{
    struct amap *amap;
    struct anon *anons[3];

    begin();
    amap = create(1000, 1010);
    anons[0] = put(amap, 1005);
    check(amap_extend(amap, (page_t){1000}, (page_t){1300}));
    anons[1] = put(amap, 1299);
    check(amap_extend(amap, (page_t){700}, (page_t){1010}));
    anons[2] = put(amap, 700);
    check(at(amap, 1005) == anons[0] && at(amap, 1299) == anons[1] && at(amap, 700) == anons[2]);
    check(amap->first == 700 >> CHUNK_SHIFT);
    check(amap_extend(amap, (page_t){800}, (page_t){900}));
    check(at(amap, 700) == anons[2]);
    check_equal(amap->used, 3);
    amap_destroy(amap);
    nothing_is_left();
}

/* A heap that grows page by page is copied a logarithmic number of times. */
static void
growing_upwards_copies_seldom(void)
{
    struct amap *amap;
    struct chunk **chunks;
    u32 moves = 0;

    begin();
    amap = create(0, 1);
    for (u32 end = 2; end < 100000; end++) {
        chunks = amap->chunks;
        check(amap_extend(amap, (page_t){0}, (page_t){end}));
        moves += amap->chunks != chunks;
    }
    check(moves < 20);
    amap_destroy(amap);
    nothing_is_left();
}

static void
copying_gives_each_anon_a_second_reference(void)
{
    struct amap *amap, *to;
    struct anon *anons[100] = {NULL};

    begin();
    amap = create(0, 100);
    to = create(5000, 5100);
    for (u32 page = 0; page < 100; page += 7)
        anons[page] = put(amap, page);
    check(amap_copy_range(amap, (page_t){10}, (page_t){90}, to, (page_t){5003}));
    for (u32 page = 0; page < 100; page++) {
        bool inside = page >= 10 && page < 90;

        check(at(amap, page) == anons[page]);
        if (inside)
            check(at(to, 5003 + page - 10) == anons[page]);
        if (anons[page])
            check_equal(anons[page]->references, inside ? 2 : 1);
    }
    amap_destroy(amap);
    check_equal(anon_count(), 12 - 1);
    amap_destroy(to);
    nothing_is_left();
}

static void
counting_tells_memory_from_swap(void)
{
    struct amap *amap;
    struct frame frame = {.pins = 1};
    u32 resident = 10, swapped = 20;

    begin();
    amap = create(0, 200);
    for (u32 page = 30; page < 190; page += 10)
        put(amap, page);
    at(amap, 40)->frame = at(amap, 100)->frame = &frame;
    amap_count(amap, (page_t){31}, (page_t){101}, &resident, &swapped);
    check_equal(resident, 12);
    check_equal(swapped, 25);
    at(amap, 40)->frame = at(amap, 100)->frame = NULL;
    amap_destroy(amap);
    nothing_is_left();
}

/* ---- Want of memory ---------------------------------------------------- */

static struct anon *before[128], *copied[128];

static void
remember(const struct amap *amap, const struct amap *copy)
{
    for (u32 page = 40; page < 128; page++) {
        before[page] = at(amap, page);
        copied[page] = at(copy, page);
    }
}

static void
unchanged(const struct amap *amap, const struct amap *copy)
{
    for (u32 page = 40; page < 128; page++) {
        check(at(amap, page) == before[page]);
        check(at(copy, page) == copied[page]);
    }
}

/* Runs the operation with 0, 1, 2 … allocations left until it succeeds; each failure must leave all as it was. */
static void
fails_cleanly(bool (*operation)(struct amap *, struct amap **), u32 least_failures)
{
    struct amap *amap, *copy, *result = NULL;
    u32 failures = 0;

    amap = create(40, 128);
    for (u32 page = 40; page < 128; page += 2)
        put(amap, page);
    copy = amap_share(amap);
    remember(amap, copy);
    for (;; failures++) {
        bool done;
        u32 objects = host_objects;

        host_allocations_left = failures;
        done = operation(amap, &result);
        host_allocations_left = HOST_UNLIMITED;
        if (done)
            break;
        unchanged(amap, copy);
        check(host_objects <= objects + 1);     /* a chunk split early is no harm */
    }
    check(failures >= least_failures);
    if (result)
        amap_destroy(result);
    amap_destroy(amap);
    amap_destroy(copy);
    nothing_is_left();
}

static bool
operation_split(struct amap *amap, struct amap **result)
{
    return amap_split(amap, (page_t){70}, (page_t){128}, result);
}

static bool
operation_remove(struct amap *amap, struct amap **result)
{
    (void)result;
    return amap_remove(amap, (page_t){45}, (page_t){120});
}

static bool
operation_share(struct amap *amap, struct amap **result)
{
    return (*result = amap_share(amap)) != NULL;
}

static bool
operation_extend(struct amap *amap, struct amap **result)
{
    (void)result;
    return amap_extend(amap, (page_t){0}, (page_t){300});
}

static bool
operation_own(struct amap *amap, struct amap **result)
{
    bool split;

    (void)result;
    return amap_own_chunk(amap, (page_t){50}, &split) != NULL;
}

static bool
operation_create(struct amap *amap, struct amap **result)
{
    (void)amap;
    return (*result = amap_create((page_t){7}, (page_t){9})) != NULL;
}

static void
want_of_memory_changes_nothing(void)
{
    begin();
    fails_cleanly(operation_split, 3);
    fails_cleanly(operation_remove, 2);
    fails_cleanly(operation_share, 2);
    fails_cleanly(operation_extend, 1);
    fails_cleanly(operation_own, 1);
    fails_cleanly(operation_create, 2);
}

static void
joining_without_memory_changes_nothing(void)
{
    struct amap *lower, *upper, *copies[2];
    struct anon *anons[128] = {NULL};
    u32 failures = 0;

    begin();
    lower = create(40, 75);
    upper = create(75, 128);
    for (u32 page = 40; page < 128; page++)
        anons[page] = put(page < 75 ? lower : upper, page);
    copies[0] = amap_share(lower);
    copies[1] = amap_share(upper);
    for (;; failures++) {
        bool done;

        host_allocations_left = failures;
        done = amap_merge(lower, upper, (page_t){128});
        host_allocations_left = HOST_UNLIMITED;
        if (done)
            break;
        for (u32 page = 40; page < 128; page++)
            check(at(page < 75 ? lower : upper, page) == anons[page]);
    }
    check(failures >= 2);
    amap_destroy(lower);
    amap_destroy(copies[0]);
    amap_destroy(copies[1]);
    nothing_is_left();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_CASE(splitting_moves_exactly_what_is_above_the_cut, ""),
        HOST_CASE(joining_brings_both_halves_together, ""),
        HOST_CASE(removing_takes_exactly_the_range, ""),
        HOST_CASE(cutting_takes_the_range_from_all_who_share, ""),
        HOST_CASE(a_chunk_left_empty_is_not_kept, ""),
        HOST_CASE(extending_keeps_everything_and_reaches_both_ways, ""),
        HOST_CASE(growing_upwards_copies_seldom, ""),
        HOST_CASE(copying_gives_each_anon_a_second_reference, ""),
        HOST_CASE(counting_tells_memory_from_swap, ""),
        HOST_CASE(want_of_memory_changes_nothing, ""),
        HOST_CASE(joining_without_memory_changes_nothing, ""),
    };

    return host_run(tests);
}
