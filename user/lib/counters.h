/*
 * The kernel's counters, by the textbook's names: taken before and after, and
 * compared. They come from /proc/self/vmstat (this process) or /proc/vmstat
 * (the whole system), one `name value` a line.
 *
 * Linux has no /proc/self/vmstat and none of the fault_* names. What is not
 * there has the difference COUNTER_MISSING, and the checks that need it are
 * skipped (see expect_counter in story.h).
 */
#pragma once

#include <stddef.h>

#define COUNTERS_OF_PROCESS "/proc/self/vmstat"
#define COUNTERS_OF_SYSTEM  "/proc/vmstat"

#define COUNTER_MISSING (-1LL)

struct counters {
    char *text;      /* the file as it was read, zero-terminated; "" where there is none */
    size_t capacity; /* bytes at `text` */
};

/*
 * Makes room for a reading of `path` and touches it, so that taking the reading
 * later needs no memory and causes no faults of its own.
 */
void counters_prepare(struct counters *counters, const char *path);

/* Takes the reading now. Only after counters_prepare with the same path. */
void counters_take(struct counters *counters, const char *path);

/* A counter's value in a reading, or COUNTER_MISSING. */
long long counter_value(const struct counters *counters, const char *name);

/* How far a counter went from one reading to another, or COUNTER_MISSING. */
long long counter_difference(const struct counters *before, const struct counters *after, const char *name);

/* Which counters: faults belong to the process that had them, the rest to the system. */
enum counters_kind { COUNTERS_FAULTS = 1, COUNTERS_OTHERS = 2, COUNTERS_ALL = 3 };

enum counters_kind counter_kind(const char *name);

/*
 * Prints each counter of this kind that changed between the two, with what it counts; gauges are left
 * out. Without `before`, prints what they have come to since boot.
 */
void counters_print(const struct counters *before, const struct counters *after, enum counters_kind kinds);
