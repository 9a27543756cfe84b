/*
 * Address spaces: creating, unmapping, taking apart.
 */
#include "mm/aspace.h"

#include <asm/errno.h>

#include "kernel/assert.h"
#include "kernel/x86/cpu.h"
#include "mm/kmem_cache.h"

/* Linux's default limit for the stack. */
#define STACK_LIMIT_PAGES ((8u << 20) >> PAGE_SHIFT)

struct aspace_list aspace_all = LIST_HEAD_INITIALIZER(aspace_all);
static struct kmem_cache aspace_cache = KMEM_CACHE("aspace", sizeof(struct aspace), 8);

struct aspace *
aspace_create(void)
{
    struct aspace *aspace = kmem_cache_allocate_zeroed(&aspace_cache);

    if (!aspace)
        return NULL;
    if (!pmap_create(&aspace->pmap)) {
        kmem_cache_free(&aspace_cache, aspace);
        return NULL;
    }
    aspace->pmap.counters = &aspace->counters;
    aspace->references = 1;
    aspace->stack_top = user_top();
    aspace->stack_limit_pages = STACK_LIMIT_PAGES;
    aspace->data_limit_pages = ASPACE_PAGES_UNLIMITED;
    aspace->size_limit_pages = ASPACE_PAGES_UNLIMITED;
    LIST_INSERT_HEAD(&aspace_all, aspace, link);
    return aspace;
}

static void
aspace_end_trace(struct aspace *aspace)
{
    if (aspace->trace)
        trace_end(aspace->trace, aspace->counters.pgfault);
    aspace->trace = NULL;
}

static void
aspace_destroy(struct aspace *aspace)
{
    struct region *region;

    if (cpu()->aspace == aspace)
        aspace_activate(NULL);
    while ((region = region_first(&aspace->regions))) {
        pmap_remove(&aspace->pmap, region->start, region->end);
        region_unlink(&aspace->regions, region);
        region_destroy(region);
    }
    pmap_destroy(&aspace->pmap);
    aspace_end_trace(aspace);
    LIST_REMOVE(aspace, link);
    kmem_cache_free(&aspace_cache, aspace);
}

void
aspace_trace(struct aspace *aspace, u32 process, const char *path)
{
    if (!aspace->trace)
        aspace->trace = trace_start(&aspace->pmap, process, path);
}

void
aspace_end_traces(void)
{
    struct aspace *aspace;

    LIST_FOREACH(aspace, &aspace_all, link)
        aspace_end_trace(aspace);
}

void
aspace_release(struct aspace *aspace)
{
    assert(aspace->references > 0);
    if (--aspace->references == 0)
        aspace_destroy(aspace);
}

void
aspace_activate(struct aspace *aspace)
{
    cpu()->aspace = aspace;
    pmap_activate(aspace ? &aspace->pmap : NULL);
}

/* Cuts regions so that each lies inside [start, end) or outside. */
static bool
aspace_cut(struct aspace *aspace, page_t start, page_t end)
{
    struct region *region = region_find(&aspace->regions, start);

    if (region && region->start.number < start.number
        && !region_split(&aspace->regions, region, start))
        return false;
    region = region_find(&aspace->regions, (page_t){end.number - 1});
    return !region || region->end.number <= end.number
        || region_split(&aspace->regions, region, end);
}

int
aspace_unmap(struct aspace *aspace, page_t start, page_t end)
{
    struct region *region, *next;

    if (!aspace_cut(aspace, start, end))
        return -ENOMEM;
    region = region_find_from(&aspace->regions, start);
    for (; region && region->start.number < end.number; region = next) {
        next = region_next(region);
        pmap_remove(&aspace->pmap, region->start, region->end);
        if (region->flags & REGION_LOCKED)
            aspace->locked_pages -= region->end.number - region->start.number;
        region_unlink(&aspace->regions, region);
        region_destroy(region);
    }
    return 0;
}

/* ---- Figures ----------------------------------------------------------- */

u32
aspace_resident_pages(struct aspace *aspace)
{
    return aspace->pmap.resident;
}

u32
aspace_swapped_pages(struct aspace *aspace)
{
    u32 resident = 0, swapped = 0;
    struct region *region;

    for (region = region_first(&aspace->regions); region; region = region_next(region))
        if (region->amap)
            amap_count(region->amap, region->start, region->end, &resident, &swapped);
    return swapped;
}

void
aspace_clock_tick(struct aspace *aspace)
{
    struct region *region;

    if (!pmap_samples_references())
        return;
    for (region = region_first(&aspace->regions); region; region = region_next(region))
        if (!(region->flags & REGION_LOCKED))
            pmap_remove(&aspace->pmap, region->start, region->end);
}
