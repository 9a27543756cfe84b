/*
 * Working sets: which pages are in the window, what falls out of it, and that a record never grows much beyond its set.
 */
#include "tests/host/host.h"

#include "mm/frame.h"
#include "mm/working_set.h"
#include "tests/host/stub/machine.h"

#define WINDOW 100u
#define PAGES  4096u

static struct working_set *set;

static void
begin(void)
{
    machine_start(1024);
    working_set_window = WINDOW;
    set = working_set_create(0);
    check(set != NULL && working_set_pages(set) == 0);
}

static void
end(void)
{
    check_sound(working_set_check(set));
    working_set_destroy(set);
    check_equal(host_objects, 0);
    check_equal(working_set_count, 0);
}

/* A page is in the set from its use until a window later, and not a moment longer; each counts once. */
static void
a_use_lasts_one_window(void)
{
    begin();
    check(working_set_note(set, (page_t){5}));
    check(working_set_note(set, (page_t){5}));
    check(working_set_note(set, (page_t){WORKING_SET_SPAN_PAGES}));
    check_equal(working_set_pages(set), 2);
    set->time = WINDOW / 2;
    check(working_set_note(set, (page_t){5}));
    set->time = WINDOW - 1;
    check_equal(working_set_pages(set), 2);
    set->time = WINDOW;
    check_equal(working_set_pages(set), 1);
    set->time = WINDOW / 2 + WINDOW - 1;
    check_equal(working_set_pages(set), 1);
    set->time++;
    check_equal(working_set_pages(set), 0);
    end();
}

/* The window can change at any time, and the next answer goes by it. */
static void
the_window_can_change(void)
{
    begin();
    for (u32 page = 0; page < WINDOW; page++) {
        set->time = page;
        check(working_set_note(set, (page_t){page}));
    }
    for (working_set_window = 1; working_set_window <= WINDOW; working_set_window++)
        check_equal(working_set_pages(set), working_set_window);
    end();
}

/* Random uses, against a plain array of times. */
static void
it_is_as_an_array_says(void)
{
    static u32 used[PAGES];

    begin();
    for (u32 round = 0; round < 2000; round++) {
        u32 page = host_below(PAGES), expected = 0;

        set->time += host_below(4);
        check(working_set_note(set, (page_t){page}));
        used[page] = set->time + 1;
        if (round % 16 == 0)
            working_set_expire(set);
        for (u32 i = 0; i < PAGES; i++)
            expected += used[i] && set->time + 1 - used[i] < WINDOW;
        check_equal(working_set_pages(set), expected);
        check_sound(working_set_check(set));
    }
    end();
}

/* What has left the window is given back at the next sample: a sweep over any number of pages needs little memory. */
static void
what_is_out_of_the_window_is_forgotten(void)
{
    u32 before;

    begin();
    before = host_objects;
    for (u32 page = 0; page < PAGES; page++) {
        set->time++;
        check(working_set_note(set, (page_t){page}));
        working_set_expire(set);
        check(host_objects - before <= WINDOW / WORKING_SET_SPAN_PAGES + 2);
    }
    end();
}

/* Without memory a use is not noted, the caller hears of it, and nothing is lost that was known. */
static void
without_memory_nothing_is_lost(void)
{
    begin();
    check(working_set_note(set, (page_t){1}));
    host_allocations_left = 0;
    check(!working_set_note(set, (page_t){PAGES}));
    check(working_set_note(set, (page_t){2}));
    check_equal(working_set_pages(set), 2);
    check(working_set_create(0) == NULL);
    host_allocations_left = HOST_UNLIMITED;
    end();
}

/* A sample is due an eighth of a window after the last. */
static void
samples_are_eight_in_a_window(void)
{
    u32 samples = 0;

    begin();
    for (u32 round = 0; round < WINDOW; round++) {
        set->time++;
        if (!working_set_is_due(set))
            continue;
        samples++;
        working_set_expire(set);
    }
    check_equal(samples, WORKING_SET_SAMPLES);
    end();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_CASE(a_use_lasts_one_window, ""),
        HOST_CASE(the_window_can_change, ""),
        HOST_CASE(it_is_as_an_array_says, ""),
        HOST_CASE(what_is_out_of_the_window_is_forgotten, ""),
        HOST_CASE(without_memory_nothing_is_lost, ""),
        HOST_CASE(samples_are_eight_in_a_window, ""),
    };

    return host_run(tests);
}
