/*
 * Frames: the free list and the counts; and the slab caches on top of them, whose source is compiled into this test.
 */
#include "tests/host/host.h"

#include <string.h>

#include "mm/counters.h"
#include "mm/frame.h"
#include "tests/host/stub/machine.h"

/* The real ones, instead of the host's allocator. */
#include "mm/kmem_cache.c"

#define FRAMES 256u
#define FIRST 16u           /* machine_start keeps those below */

/* ---- Frames ------------------------------------------------------------ */

static void
every_frame_is_given_out_once(void)
{
    bool seen[FRAMES] = {false};
    struct frame *frame;
    u32 count = 0;

    machine_start(FRAMES);
    check_equal(frame_free_count(), FRAMES - FIRST);
    check_equal(frame_total(), FRAMES - FIRST);
    while ((frame = frame_allocate(FRAME_ANONYMOUS))) {
        u32 number = frame_number(frame).number;

        check(number >= FIRST && number < FRAMES && !seen[number]);
        seen[number] = true;
        check(frame_descriptor((frame_t){number}) == frame);
        check_equal(frame_free_count(), FRAMES - FIRST - ++count);
        check_equal(frame_count(FRAME_ANONYMOUS), count);
        check_equal(frame_count(FRAME_FREE), frame_free_count());
    }
    check_equal(count, FRAMES - FIRST);
}

static void
a_new_frame_remembers_nothing(void)
{
    struct frame *frame;

    machine_start(FRAMES);
    frame = frame_allocate(FRAME_ANONYMOUS);
    frame->dirty = frame->referenced = true;
    frame->owner = frame;
    frame_free(frame);
    check(frame->state == FRAME_FREE && frame->owner == NULL);
    check(frame_allocate(FRAME_OBJECT) == frame);       /* freed last, used next */
    check(!frame->dirty && !frame->referenced && !frame->owner && !frame->first.pmap && !frame->pins && !frame->busy);
    check_equal(frame->state, FRAME_OBJECT);
}

static void
clearing_and_copying_reach_the_whole_frame(void)
{
    struct frame *from, *to, *other;
    char zeroes[PAGE_SIZE] = {0}, pattern[PAGE_SIZE];

    machine_start(FRAMES);
    other = frame_allocate(FRAME_KERNEL);
    from = frame_allocate(FRAME_ANONYMOUS);
    to = frame_allocate(FRAME_ANONYMOUS);
    for (u32 i = 0; i < PAGE_SIZE; i++)
        pattern[i] = (char)(i * 7 + i / 256);
    memcpy(frame_data(from), pattern, PAGE_SIZE);
    memset(frame_data(other), 0x11, PAGE_SIZE);
    frame_copy(to, from);
    check(memcmp(frame_data(to), pattern, PAGE_SIZE) == 0);
    frame_clear(from);
    check(memcmp(frame_data(from), zeroes, PAGE_SIZE) == 0);
    check(memcmp(frame_data(to), pattern, PAGE_SIZE) == 0);
    for (u32 i = 0; i < PAGE_SIZE; i++)
        check_equal(((char *)frame_data(other))[i], 0x11);
}

/* A range is contiguous and was free, and what is taken is never given out again. */
static void
a_range_is_taken_whole(void)
{
    struct frame *hole, *frame, *all[FRAMES];
    u32 count = 0;
    frame_t range;

    machine_start(FRAMES);
    while ((frame = frame_allocate(FRAME_KERNEL)))
        all[count++] = frame;
    hole = frame_descriptor((frame_t){100});
    for (u32 i = 0; i < count; i++)
        if (all[i] != hole)
            frame_free(all[i]);
    check_equal(frame_take_range(FRAMES).number, 0);
    check_equal(frame_take_range(FRAMES - 100).number, 0);
    range = frame_take_range(FRAMES - 101);
    check_equal(range.number, 101);
    check_equal(frame_free_count(), 100 - FIRST);
    check_equal(frame_count(FRAME_KERNEL), FRAMES - 100);
    range = frame_take_range(10);
    check_equal(range.number, 90);
    count = 0;
    while ((frame = frame_allocate(FRAME_ANONYMOUS))) {
        check(frame_number(frame).number < 90);
        count++;
    }
    check_equal(count, 90 - FIRST);
}

/* Frames of the pool are free and zero, come first to who needs zeroes and last to who does not, and none is lost. */
static void
the_pool_holds_zeroes(void)
{
    static const char zeroes[PAGE_SIZE];
    struct frame *frame;
    u32 pool = 0, free = FRAMES - FIRST;

    machine_start(FRAMES);
    while (frame_fill_zero_pool())
        check_equal(frame_zeroed_frames, ++pool);
    check(pool > 0 && pool < free / 2);
    check_equal(frame_free_count(), free);
    check_equal(frame_count(FRAME_FREE), free);
    for (u32 i = 0; i < pool; i++) {
        frame = frame_allocate_zeroed(FRAME_ANONYMOUS);
        check(memcmp(frame_data(frame), zeroes, PAGE_SIZE) == 0);
    }
    check_equal(counters.zero_pool_hit, pool);
    check_equal(counters.zero_pool_miss, 0);
    frame = frame_allocate_zeroed(FRAME_ANONYMOUS);
    check(memcmp(frame_data(frame), zeroes, PAGE_SIZE) == 0);
    check_equal(counters.zero_pool_miss, 1);
    check_equal(frame_zeroed_frames, 0);
    check_equal(frame_free_count(), free - pool - 1);
}

static void
the_pool_is_taken_when_nothing_else_is_left(void)
{
    u32 pool;

    machine_start(FRAMES);
    while (frame_fill_zero_pool())
        continue;
    pool = frame_zeroed_frames;
    for (u32 left = FRAMES - FIRST; left-- > 0;) {
        check(frame_allocate(FRAME_KERNEL) != NULL);
        check_equal(frame_zeroed_frames, left < pool ? left : pool);
    }
    check(frame_allocate(FRAME_KERNEL) == NULL && frame_allocate_zeroed(FRAME_KERNEL) == NULL && !frame_fill_zero_pool());
}

static void
a_range_may_lie_in_the_pool(void)
{
    machine_start(FRAMES);
    while (frame_fill_zero_pool())
        continue;
    check_equal(frame_take_range(FRAMES - FIRST).number, FIRST);
    check_equal(frame_free_count(), 0);
    check_equal(frame_zeroed_frames, 0);
    check(frame_allocate(FRAME_KERNEL) == NULL);
}

static void
freeing_a_free_frame_is_refused(void)
{
    struct frame *frame;

    machine_start(FRAMES);
    frame = frame_allocate(FRAME_KERNEL);
    frame_free(frame);
    frame_free(frame);
}

static void
freeing_a_mapped_frame_is_refused(void)
{
    struct frame *frame;

    machine_start(FRAMES);
    frame = frame_allocate(FRAME_ANONYMOUS);
    frame->first.pmap = (struct pmap *)frame;
    frame_free(frame);
}

static void
freeing_a_pinned_frame_is_refused(void)
{
    struct frame *frame;

    machine_start(FRAMES);
    frame = frame_allocate(FRAME_ANONYMOUS);
    frame->pins = 1;
    frame_free(frame);
}

static void
freeing_a_busy_frame_is_refused(void)
{
    struct frame *frame;

    machine_start(FRAMES);
    frame = frame_allocate(FRAME_ANONYMOUS);
    frame->busy = true;
    frame_free(frame);
}

static void
freeing_a_frame_that_the_policy_knows_is_refused(void)
{
    struct frame *frame;

    machine_start(FRAMES);
    frame = frame_allocate(FRAME_ANONYMOUS);
    frame->evictable = true;
    frame_free(frame);
}

static void
adding_memory_twice_is_refused(void)
{
    machine_start(FRAMES);
    frame_add((struct frame_range){{FIRST + 3}, 1});
}

/* ---- Slab caches ------------------------------------------------------- */

static struct kmem_cache cache = KMEM_CACHE("test", 72, 8), odd = KMEM_CACHE("odd", 100, 64);

static void
objects_do_not_overlap(void)
{
    struct {
        char *object;
        char mark;
    } live[600];
    u32 count = 0;

    machine_start(FRAMES);
    for (u32 step = 0; step < 20000; step++) {
        if (count < ARRAY_SIZE(live) && host_below(5) < 3) {
            char *object = kmem_cache_allocate(&cache);

            check(object != NULL && (uintptr_t)object % 8 == 0);
            check((uintptr_t)object / PAGE_SIZE == ((uintptr_t)object + 71) / PAGE_SIZE);
            live[count].mark = (char)step;
            memset(object, live[count].mark, 72);
            live[count++].object = object;
        } else if (count) {
            u32 i = host_below(count);

            for (u32 byte = 0; byte < 72; byte++)
                check_equal(live[i].object[byte], live[i].mark);
            check(kmem_cache_of(live[i].object) == &cache);
            kmem_cache_free(&cache, live[i].object);
            live[i] = live[--count];
        }
        check_equal(cache.objects, count);
        if (step % 100 == 0)
            check_sound(kmem_cache_check());
    }
    while (count)
        kmem_cache_free(&cache, live[--count].object);
    check_sound(kmem_cache_check());
    check(cache.slabs <= 1);
    check_equal(frame_free_count(), FRAMES - FIRST - cache.slabs);
    check_equal(kmem_cache_frames(), cache.slabs);
}

static void
alignment_is_kept(void)
{
    machine_start(FRAMES);
    for (u32 i = 0; i < 100; i++)
        check_equal((uintptr_t)kmem_cache_allocate(&odd) % 64, 0);
    check_equal(odd.object_bytes, 128);
}

static void
zeroed_objects_are_zero(void)
{
    machine_start(FRAMES);
    for (u32 i = 0; i < 100; i++) {
        char *object = kmem_cache_allocate_zeroed(&cache);

        for (u32 byte = 0; byte < 72; byte++)
            check_equal(object[byte], 0);
        memset(object, 0x5A, 72);
        if (i % 2)
            kmem_cache_free(&cache, object);
    }
}

static void
no_more_frames_are_held_than_needed(void)
{
    char *objects[1000];
    u32 slabs;

    machine_start(FRAMES);
    for (u32 i = 0; i < ARRAY_SIZE(objects); i++)
        objects[i] = kmem_cache_allocate(&cache);
    slabs = (ARRAY_SIZE(objects) + cache.objects_per_slab - 1) / cache.objects_per_slab;
    check_equal(cache.slabs, slabs);
    for (u32 i = 0; i < ARRAY_SIZE(objects); i++)
        kmem_cache_free(&cache, objects[i]);
    check_equal(cache.slabs, 1);        /* one stays in reserve */
    check_equal(frame_free_count(), FRAMES - FIRST - 1);
}

static void
without_frames_there_are_no_objects(void)
{
    struct frame *frame;

    machine_start(FRAMES);
    while ((frame = frame_allocate(FRAME_KERNEL)))
        continue;
    check(kmem_cache_allocate(&cache) == NULL);
    check(kmem_cache_allocate_zeroed(&cache) == NULL);
    check_equal(cache.objects, 0);
    check_sound(kmem_cache_check());
}

static void
the_check_notices(void)
{
    char *first, *second;
    u32 word;

    machine_start(FRAMES);
    first = kmem_cache_allocate(&cache);
    second = kmem_cache_allocate(&cache);
    cache.objects++;
    check(kmem_cache_check() != NULL);
    cache.objects--;
    kmem_cache_free(&cache, second);
    memcpy(&word, second, sizeof(word));
    memset(second, 0x77, sizeof(word));         /* written after it was freed */
    check(kmem_cache_check() != NULL);
    memcpy(second, &word, sizeof(word));
    slab_of(first)->used++;
    check(kmem_cache_check() != NULL);
    slab_of(first)->used--;
    slab_of(first)->magic++;
    check(kmem_cache_check() != NULL);
    slab_of(first)->magic--;
    check_sound(kmem_cache_check());
}

static void
freeing_an_object_twice_is_refused(void)
{
    void *object;

    machine_start(FRAMES);
    kmem_cache_allocate(&cache);
    object = kmem_cache_allocate(&cache);
    kmem_cache_free(&cache, object);
    kmem_cache_free(&cache, object);
}

static void
freeing_to_another_cache_is_refused(void)
{
    machine_start(FRAMES);
    kmem_cache_free(&odd, kmem_cache_allocate(&cache));
}

static void
an_address_inside_an_object_is_refused(void)
{
    machine_start(FRAMES);
    kmem_cache_of((char *)kmem_cache_allocate(&cache) + 8);
}

static void
an_address_of_no_cache_is_refused(void)
{
    machine_start(FRAMES);
    kmem_cache_of((char *)frame_data(frame_allocate(FRAME_KERNEL)) + 64);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_CASE(every_frame_is_given_out_once, ""),
        HOST_CASE(a_new_frame_remembers_nothing, ""),
        HOST_CASE(clearing_and_copying_reach_the_whole_frame, ""),
        HOST_CASE(a_range_is_taken_whole, ""),
        HOST_CASE(the_pool_holds_zeroes, ""),
        HOST_CASE(the_pool_is_taken_when_nothing_else_is_left, ""),
        HOST_CASE(a_range_may_lie_in_the_pool, ""),
        HOST_ASSERTS(freeing_a_free_frame_is_refused),
        HOST_ASSERTS(freeing_a_mapped_frame_is_refused),
        HOST_ASSERTS(freeing_a_pinned_frame_is_refused),
        HOST_ASSERTS(freeing_a_busy_frame_is_refused),
        HOST_ASSERTS(freeing_a_frame_that_the_policy_knows_is_refused),
        HOST_ASSERTS(adding_memory_twice_is_refused),
        HOST_CASE(objects_do_not_overlap, ""),
        HOST_CASE(alignment_is_kept, ""),
        HOST_CASE(zeroed_objects_are_zero, ""),
        HOST_CASE(no_more_frames_are_held_than_needed, ""),
        HOST_CASE(without_frames_there_are_no_objects, ""),
        HOST_CASE(the_check_notices, ""),
        HOST_ASSERTS(freeing_an_object_twice_is_refused),
        HOST_ASSERTS(freeing_to_another_cache_is_refused),
        HOST_ASSERTS(an_address_inside_an_object_is_refused),
        HOST_ASSERTS(an_address_of_no_cache_is_refused),
    };

    return host_run(tests);
}
