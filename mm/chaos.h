/*
 * chaos=N: page tables are a cache, and this proves it.
 */
#pragma once

#include "mm/aspace.h"

extern u32 chaos_interval;      /* N; 0: never */

/* Counts the fault; at every N-th, drops some entries of the address space. */
void chaos_drop(struct aspace *aspace);

static inline void
chaos_on_fault(struct aspace *aspace)
{
    if (chaos_interval)
        chaos_drop(aspace);
}
