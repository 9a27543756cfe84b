/*
 * Amaps and anons: what is held where, what fork shares, what a write splits, reference counts.
 */
#include "tests/host/amap_case.h"

/* ---- One amap ---------------------------------------------------------- */

static void
holds_what_was_put_where_it_was_put(void)
{
    struct amap *amap;
    struct anon *anons[100];

    begin();
    amap = create(1000, 1100);
    for (u32 i = 0; i < 100; i++)
        check(!at(amap, 1000 + i));
    for (u32 i = 0; i < 100; i += 3)
        anons[i] = put(amap, 1000 + i);
    for (u32 i = 0; i < 100; i++)
        check(at(amap, 1000 + i) == (i % 3 ? NULL : anons[i]));
    check_equal(anon_count(), 34);
    amap_destroy(amap);
    nothing_is_left();
}

static void
replacing_hands_back_what_was_there(void)
{
    struct amap *amap;
    struct anon *first, *second;
    struct chunk *chunk;
    bool split;

    begin();
    amap = create(64, 96);
    first = put(amap, 70);
    second = new_anon();
    chunk = amap_own_chunk(amap, (page_t){70}, &split);
    check(!split && chunk->used == 1);
    check(amap_replace(chunk, (page_t){70}, second) == first);
    check_equal(chunk->used, 1);
    check_equal(first->references, 1);
    check(at(amap, 70) == second);
    anon_release(first);
    amap_destroy(amap);
    nothing_is_left();
}

static void
no_chunk_is_made_before_a_write(void)
{
    struct amap *amap;

    begin();
    amap = create(0, 320);
    check_equal(amap->used, 0);
    put(amap, 33);
    put(amap, 63);
    check_equal(amap->used, 1);
    put(amap, 64);
    check_equal(amap->used, 2);
    amap_destroy(amap);
    nothing_is_left();
}

/* ---- Sharing ----------------------------------------------------------- */

static void
sharing_counts_chunks_and_not_anons(void)
{
    struct amap *amap, *copy;
    struct anon *anon;

    begin();
    amap = create(100, 400);
    anon = put(amap, 100);
    put(amap, 399);
    copy = amap_share(amap);
    check(at(copy, 100) == anon && at(copy, 399) == at(amap, 399));
    check(amap_chunk(copy, (page_t){100}) == amap_chunk(amap, (page_t){100}));
    check_equal(amap_chunk(amap, (page_t){100})->references, 2);
    check_equal(anon->references, 1);
    check_equal(anon_count(), 2);
    amap_destroy(amap);
    check(at(copy, 100) == anon);
    check_equal(amap_chunk(copy, (page_t){100})->references, 1);
    amap_destroy(copy);
    nothing_is_left();
}

static void
sharing_without_memory_costs_nothing(void)
{
    struct amap *amap;
    u32 objects;

    begin();
    amap = create(1000, 1100);
    put(amap, 1000);
    objects = host_objects;
    for (u32 failures = 0; failures < 2; failures++) {
        host_allocations_left = failures;
        check(!amap_share(amap));
        check_equal(host_objects, objects);
    }
    host_allocations_left = HOST_UNLIMITED;
    amap_destroy(amap);
    nothing_is_left();
}

static void
a_write_splits_its_own_chunk_alone(void)
{
    struct amap *amap, *copy;
    struct anon *kept, *replaced;
    u32 splits = counters.chunk_split;

    begin();
    amap = create(96, 160);
    kept = put(amap, 97);
    replaced = put(amap, 98);
    put(amap, 130);
    copy = amap_share(amap);
    put(copy, 98);
    check_equal(counters.chunk_split, splits + 1);
    check(at(amap, 98) == replaced && at(copy, 98) != replaced);
    check(at(amap, 97) == kept && at(copy, 97) == kept);
    check_equal(kept->references, 2);
    check_equal(replaced->references, 1);
    check_equal(amap_chunk(amap, (page_t){96})->references, 1);
    check_equal(amap_chunk(copy, (page_t){96})->references, 1);
    check_equal(amap_chunk(copy, (page_t){96})->used, 2);
    check(amap_chunk(amap, (page_t){130}) == amap_chunk(copy, (page_t){130}));
    amap_destroy(amap);
    check_equal(kept->references, 1);
    amap_destroy(copy);
    nothing_is_left();
}

static void
owning_an_own_chunk_changes_nothing(void)
{
    struct amap *amap;
    struct chunk *chunk;
    bool split = true;

    begin();
    amap = create(0, 32);
    put(amap, 5);
    chunk = amap_chunk(amap, (page_t){5});
    check(amap_own_chunk(amap, (page_t){9}, &split) == chunk && !split);
    check_equal(chunk->used, 1);
    amap_destroy(amap);
    nothing_is_left();
}

static void
changing_a_shared_chunk_is_refused(void)
{
    struct amap *amap;

    begin();
    amap = create(0, 32);
    put(amap, 5);
    amap_share(amap);
    amap_replace(amap_chunk(amap, (page_t){5}), (page_t){6}, new_anon());
}

static void
releasing_an_anon_too_often_is_refused(void)
{
    struct anon anon = {.references = 0};

    anon_release(&anon);
}

/* ---- Anons ------------------------------------------------------------- */

static void
the_slot_goes_with_the_last_reference(void)
{
    struct anon *anon;
    swap_slot_t slot;

    begin();
    anon = new_anon();
    slot = anon->slot;
    anon_hold(anon);
    anon_release(anon);
    check(swap_is_taken(slot));
    anon_release(anon);
    check(!swap_is_taken(slot));
    nothing_is_left();
}

static void
dropping_the_slot_frees_it_once(void)
{
    struct anon *anon;

    begin();
    anon = new_anon();
    anon_drop_slot(anon);
    check_equal(swap_free_count(), swap_total());
    check_equal(anon->slot.number, 0);
    anon_drop_slot(anon);
    anon_release(anon);
    nothing_is_left();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_CASE(holds_what_was_put_where_it_was_put, ""),
        HOST_CASE(replacing_hands_back_what_was_there, ""),
        HOST_CASE(no_chunk_is_made_before_a_write, ""),
        HOST_CASE(sharing_counts_chunks_and_not_anons, ""),
        HOST_CASE(sharing_without_memory_costs_nothing, ""),
        HOST_CASE(a_write_splits_its_own_chunk_alone, ""),
        HOST_CASE(owning_an_own_chunk_changes_nothing, ""),
        HOST_ASSERTS(changing_a_shared_chunk_is_refused),
        HOST_ASSERTS(releasing_an_anon_too_often_is_refused),
        HOST_CASE(the_slot_goes_with_the_last_reference, ""),
        HOST_CASE(dropping_the_slot_frees_it_once, ""),
    };

    return host_run(tests);
}
