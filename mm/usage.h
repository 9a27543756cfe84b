/*
 * What memory an address space uses, page by page: for /proc/PID/smaps, status and the
 * choice of whom to kill when memory is out.
 *
 * A private page is in memory or in the swap area, whether or not an entry maps it just
 * now: entries are a cache. Pages of objects count where an entry maps them, as on
 * Linux. The frame of zeroes is nobody's memory.
 */
#pragma once

#include "kernel/types.h"
#include "mm/aspace.h"

/* In pages, where nothing else is said. Shared: with other address spaces, by fork or
 * through an object. Dirty: neither the file nor the swap area has the same. */
struct usage {
    u32 resident;
    u32 shared_clean, shared_dirty, private_clean, private_dirty;   /* which make up resident */
    u32 anonymous;              /* of the resident ones: private pages */
    u32 shared_memory;          /* of the resident ones: of anonymous objects and files in memory */
    u32 referenced;             /* of the resident ones: used lately */
    u32 swapped;
    u32 proportional;           /* bytes: each resident page divided by the number of its sharers */
    u32 proportional_anonymous, proportional_shared_memory, proportional_dirty;     /* of these bytes */
    u32 proportional_swapped;   /* the same for swapped pages */
    u32 locked;                 /* bytes, proportional, in locked regions */
};

/* Adds a region's pages. May gather dirty bits; nothing else changes. */
void usage_add_region(struct aspace *aspace, struct region *region, struct usage *usage);

/* Of all regions. */
struct usage usage_of(struct aspace *aspace);
