/*
 * failslab=N: every N-th allocation of the kernel's own memory fails, as if there were none: objects of all
 * kinds, stacks, page tables and the pages in pipes, but not the pages of programs and files. Memory that is
 * really short seldom hits one certain allocation; so every path on which one can fail is walked.
 *
 * What must come of it is what comes of a machine without memory: a call fails with ENOMEM and has changed
 * nothing, a fault that gets nowhere kills its process (mm/fault_room.c).
 */
#pragma once

#include "kernel/types.h"

extern bool failslab_on;

/* For failslab_strikes, while it is on. */
bool failslab_count(void);

/* Whether this allocation is to fail. Counts it. */
static inline bool
failslab_strikes(void)
{
    return failslab_on && failslab_count();
}

/* The first program runs: what came before could not fail. Once, at boot. */
void failslab_start(void);

/* The number has changed: counts from 1 again. Always 0. */
int failslab_apply(void);
