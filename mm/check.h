/*
 * Whether everything mm believes agrees: frames and their owners, reverse map
 * and page tables, amaps and anons, swap slots, counters.
 */
#pragma once

/* NULL, or one sentence that says what disagrees. Slow: looks at every frame and
 * every page table. Process context, nothing half done. */
const char *check_run(void);

/* With check=N: every N-th fault runs the check and panics if it fails. */
void check_on_fault(void);

/* Panics with what disagrees, if anything. */
void check_assert(void);
