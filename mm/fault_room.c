/*
 * Room for a page fault: before it begins, and when it ran short all the same.
 */
#include <asm/signal.h>

#include "kernel/assert.h"
#include "mm/fault_stage.h"
#include "mm/reclaim.h"

/* Frames that one fault can need: tables, a page, slabs for anon, chunk, amap and
 * mapping. Below this there is no going on. */
#define FAULT_FRAMES POOL_FAULT_FRAMES
static_assert(PREFETCH_RESERVE >= FAULT_FRAMES - 1, "neighbours leave a fault what it needs beside its page");

int
fault_no_memory(struct fault *fault)
{
    COUNT(fault, fault_no_memory);
    return fault_refuse(fault, SIGKILL, 0);
}

int
fault_starved(struct fault *fault)
{
    if (reclaim_ensure(FAULT_FRAMES) < 0)
        return fault_no_memory(fault);
    COUNT(fault, fault_soft);
    return 0;
}

/* Whether resolving the fault will bring a page into memory: looked at beforehand,
 * and without changing anything. */
static bool
fault_needs_frame(struct fault *fault)
{
    struct frame *frame;
    struct anon *anon;
    bool private;
    u32 index;

    fault->region = region_find(&fault->aspace->regions, fault->page);
    if (!fault->region)
        return false;           /* at worst the stack's next page is one too many */
    anon = fault->region->amap ? amap_lookup(fault->region->amap, fault->page) : NULL;
    if (anon)
        return !anon->frame || (fault->access == FAULT_WRITE && fault_is_shared(fault, anon));
    if (fault->region->object->kind == OBJECT_ZERO)
        return fault->region->protection != 0;
    index = region_object_page(fault->region, fault->page);
    frame = object_resident(fault->region->object, index);
    private = !(fault->region->flags & REGION_SHARED);
    return !frame || (private && (fault->access == FAULT_WRITE || fault_is_tail(fault->region, index)));
}

/* The frame of the fault's page, if it is in memory. */
static struct frame *
fault_frame(const struct fault *fault)
{
    struct region *region = region_find(&fault->aspace->regions, fault->page);
    struct anon *anon = region && region->amap ? amap_lookup(region->amap, fault->page) : NULL;

    if (!region || anon)
        return region ? anon->frame : NULL;
    return object_resident(region->object, region_object_page(region, fault->page));
}

bool
fault_make_room(struct fault *fault)
{
    bool room;

    /* A page that came in for this access may still have to be copied. If it went for
     * the copy's frame, it would come in again, and go again, without end. */
    reclaim_spare(fault_frame(fault));
    while (pool_is_full(pool_current) && fault_needs_frame(fault))
        if (!reclaim_evict_from(pool_current))
            break;
    room = reclaim_ensure_more(FAULT_FRAMES, FAULT_FRAMES + prefetch_pages) == 0;
    reclaim_spare(NULL);
    return room;
}
