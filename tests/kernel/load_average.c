/* The load averages: what they come to after a time. */
#include "kernel/load_average.h"

#include "kernel/selftest.h"

/* 1 - 1/e: as much of a new load an average has after its own time. */
#define AFTER_ITS_TIME (LOAD_ONE * 632 / 1000)
#define TOLERANCE (LOAD_ONE / 100)

static u32
average_after(u32 average, u32 index, u32 seconds, u32 threads)
{
    for (u32 i = 0; i < seconds / LOAD_SAMPLE_SECONDS; i++)
        average = load_average_next(average, index, threads);
    return average;
}

static bool
is_about(u32 average, u32 expected)
{
    return average <= expected + TOLERANCE && average + TOLERANCE >= expected;
}

SELFTEST(load_average, rises_by_its_own_time, "after one, five and fifteen minutes an average has come 1 - 1/e of the way")
{
    check_true(is_about(average_after(0, 0, 60, 1), AFTER_ITS_TIME));
    check_true(is_about(average_after(0, 1, 300, 1), AFTER_ITS_TIME));
    check_true(is_about(average_after(0, 2, 900, 1), AFTER_ITS_TIME));
}

SELFTEST(load_average, comes_to_the_load, "an average comes to what the load is and stays there, for many threads, too, and back to nothing")
{
    for (u32 i = 0; i < LOAD_AVERAGES; i++) {
        check_true(average_after(1000 * LOAD_ONE, i, 600, 1000) == 1000 * LOAD_ONE);
        check_true(is_about(average_after(0, i, 3600 * 10, 1), LOAD_ONE));
        check_true(average_after(LOAD_ONE, i, 3600 * 10, 0) < TOLERANCE);
    }
}
