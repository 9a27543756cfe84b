/*
 * chaos=N: page tables are a cache, and this proves it.
 */
#pragma once

#include "mm/aspace.h"

/* Counts the fault; at every N-th, drops some entries of the address space. */
void chaos_on_fault(struct aspace *aspace);
