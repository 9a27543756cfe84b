/*
 * Anticipatory paging: prefetch=N.
 *
 *   fault on page p:   [ p | p+1 | p+2 | ... | p+N ]     one transfer
 *                        |     \_______________/
 *                      mapped   in memory, not mapped, marked in their frames
 *
 * The first fault on a marked page finds it in memory: it has cost nothing but
 * this fault, counts as fault_file or fault_soft like any page in memory, and as
 * prefetch_useful besides. A marked page that is evicted or released before it was
 * used counts as prefetch_useless. What has been read is useful, useless, or still
 * marked: mm/check.c verifies that.
 */
#pragma once

#include "kernel/types.h"
#include "mm/cluster.h"
#include "mm/counters.h"
#include "mm/units.h"

struct amap;

/* Frames that neighbours leave free: what the fault itself may still need. */
#define PREFETCH_RESERVE 15u

/* N of prefetch=N: neighbours that come with a page; 0: none. */
extern u32 prefetch_pages;

/* What a fault would like to come with its page, and what did. */
struct prefetch {
    u32 pages;                  /* at most so many of the pages that follow */
    const struct amap *amap;    /* anons: the layer where the neighbours are ... */
    page_t page;                /* ... and the wanted page's place in it */
    u32 read;                   /* so many came */
};

/* Adds a frame for one page to the cluster, and makes it busy and the owner's.
 * NULL, and nothing has changed, if none is free, or a neighbour would take one of
 * the reserve or exceed the quota. */
struct frame *prefetch_claim(struct cluster *cluster, enum frame_state state, void *owner, u32 index);

/* The cluster's transfer is over. False if the owner of the first frame has gone
 * meanwhile. */
bool prefetch_end(struct cluster *cluster);

/* Somebody uses the page in frame, but not by a fault: that counts it itself. */
static inline void
prefetch_use(struct frame *frame)
{
    counters.prefetch_useful += frame->prefetched;
    frame->prefetched = false;
}
