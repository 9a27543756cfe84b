/*
 * Swapping in the old sense: a whole process leaves memory, and comes back.
 *
 *     memory   [ a | b | - | d | e ]         swap area   ... [ a | b | d | e ] ...
 *                └───┴───────┴───┴── one transfer ────────────┘
 *
 * Its pages are written in the order of their addresses to slots that follow each
 * other, many in one transfer, and read in the same way: so the disk's latency is
 * paid once for all, which paging on demand pays for each.
 */
#pragma once

#include "mm/aspace.h"

/* Evicts every page that only this address space has. Pages that others map as well
 * stay, and so do locked ones. The caller holds the address space. Asks go_on before
 * each page, and ends when that says no. May sleep. */
void swapper_put_out(struct aspace *aspace, bool (*go_on)(const struct aspace *));

/* Brings its private pages back: those of its working set, if that is measured, else
 * all; as far as there is room in its quota and in memory, but no more than pages.
 * For the running address space. May sleep and evict. */
void swapper_take_in(struct aspace *aspace, u32 pages);
