/*
 * Whether everything mm believes agrees: frames and their owners, reverse map
 * and page tables, amaps and anons, swap slots, counters.
 */
#pragma once

#include "mm/counters.h"

/* NULL, or one sentence that says what disagrees. Slow: looks at every frame and
 * every page table. Process context, nothing half done. */
const char *check_run(void);

/* Panics with what disagrees, if anything. */
void check_assert(void);

extern u32 check_interval;      /* check=N; 0: never */

/* Every N-th fault runs the check, and panics if it fails. */
static inline void
check_on_fault(void)
{
    if (check_interval && counters.pgfault % check_interval == 0)
        check_assert();
}
