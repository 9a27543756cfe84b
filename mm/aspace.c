/*
 * Address spaces: creating, cloning, taking apart.
 *
 * fork shares whatever it can and copies nothing that is not written:
 *
 *   lazy   regions copied, chunks shared, write access taken from the parent's
 *          tables as a whole; the child's tables are empty
 *   cow    every page reference and page-table entry copied, as the textbook
 *          draws it; work grows with the pages in memory
 *   copy   every page copied
 */
#include "mm/aspace.h"

#include <asm/errno.h>

#include "kernel/assert.h"
#include "kernel/command_line.h"
#include "kernel/x86/cpu.h"
#include "mm/fork.h"
#include "mm/kmem_cache.h"
#include "mm/reclaim.h"

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
    LIST_REMOVE(aspace, link);
    kmem_cache_free(&aspace_cache, aspace);
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

/* ---- fork -------------------------------------------------------------- */

enum { FORK_LAZY, FORK_COW, FORK_COPY };
static unsigned fork_choice = FORK_LAZY;
BOOT_CHOICE(fork, fork_choice, "what fork does with private pages", "lazy", "cow", "copy");

/* Shares the chunks of a private region. */
static bool
fork_region_lazy(struct aspace *parent, struct region *from, struct aspace *child, struct region *to)
{
    (void)parent;
    (void)child;
    to->amap = amap_share(from->amap);
    return to->amap != NULL;
}

static bool (*const fork_region[])(struct aspace *, struct region *, struct aspace *, struct region *) = {
    [FORK_LAZY] = fork_region_lazy,
    [FORK_COW] = fork_region_cow,
    [FORK_COPY] = fork_region_copy,
};

static bool
aspace_fork_region(struct aspace *parent, struct region *from, struct aspace *child)
{
    struct region *to;

    if (from->flags & REGION_NO_FORK)
        return true;
    to = region_create(from);
    if (!to)
        return false;
    to->flags &= (u8)~REGION_LOCKED;
    region_insert(&child->regions, to);
    return !from->amap || fork_region[fork_choice](parent, from, child, to);
}

/* Frames that the child's regions and amaps can take at most, before any page. */
static u32
aspace_fork_frames(struct aspace *parent)
{
    u32 frames = RECLAIM_LOW + parent->regions.count / (PAGE_SIZE / sizeof(struct region));
    struct region *region;

    for (region = region_first(&parent->regions); region; region = region_next(region))
        if (region->amap)
            frames += 1 + region->amap->count / (PAGE_SIZE / sizeof(void *));
    return frames;
}

static void
aspace_fork_limits(const struct aspace *parent, struct aspace *child)
{
    child->heap_start = parent->heap_start;
    child->heap_end = parent->heap_end;
    child->stack_top = parent->stack_top;
    child->stack_limit_pages = parent->stack_limit_pages;
    child->data_limit_pages = parent->data_limit_pages;
    child->size_limit_pages = parent->size_limit_pages;
    child->arguments_start = parent->arguments_start;
    child->arguments_end = parent->arguments_end;
}

struct aspace *
aspace_fork(struct aspace *parent)
{
    struct aspace *child;
    struct region *region;

    if (frame_free_count() < RECLAIM_LOW + parent->regions.count
        && reclaim_try(aspace_fork_frames(parent)) < 0)
        return NULL;
    child = aspace_create();
    if (!child)
        return NULL;
    aspace_fork_limits(parent, child);
    for (region = region_first(&parent->regions); region; region = region_next(region))
        if (!aspace_fork_region(parent, region, child)) {
            aspace_release(child);
            return NULL;
        }
    if (fork_choice != FORK_COPY)
        pmap_revoke_write(&parent->pmap);
    counters.fork_lazy += fork_choice == FORK_LAZY;
    counters.fork_cow += fork_choice == FORK_COW;
    counters.fork_copy += fork_choice == FORK_COPY;
    return child;
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
