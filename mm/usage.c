/*
 * What memory an address space uses, page by page.
 */
#include "mm/usage.h"

/* Address spaces that have this private page, as far as its chunk and its anon tell. */
static u32
anon_sharers(const struct region *region, page_t page, const struct anon *anon)
{
    return anon->references + amap_chunk(region->amap, page)->references - 1;
}

/* Entries that map a frame, and at least one. */
static u32
frame_sharers(const struct frame *frame)
{
    u32 count = 0;

    for (const struct mapping *mapping = &frame->first; mapping && mapping->pmap; mapping = mapping->next)
        count++;
    return count ? count : 1;
}

static bool
page_is_referenced(struct aspace *aspace, page_t page, const struct frame *frame)
{
    table_entry_t entry = 0;

    pmap_walk_level(&aspace->pmap, page, page_format.levels - 1, &entry);
    return frame->referenced || entry & ENTRY_ACCESSED;
}

static void
usage_add_frame(struct usage *usage, struct frame *frame, u32 sharers)
{
    u32 share = PAGE_SIZE / sharers;

    pmap_frame_harvest_dirty(frame);
    usage->resident++;
    usage->proportional += share;
    if (frame->dirty)
        usage->proportional_dirty += share;
    if (sharers > 1)
        *(frame->dirty ? &usage->shared_dirty : &usage->shared_clean) += 1;
    else
        *(frame->dirty ? &usage->private_dirty : &usage->private_clean) += 1;
}

static void
usage_add_page(struct aspace *aspace, struct region *region, page_t page, struct usage *usage)
{
    struct anon *own = region_anon(region, page);
    bool in_memory_only = region->object->kind == OBJECT_ANONYMOUS;
    struct anon *anon = own || !in_memory_only ? own
                                               : object_anon(region->object, region_object_page(region, page));
    u32 sharers = own ? anon_sharers(region, page, own) : 1, rights;
    struct frame *frame;

    if (anon && !anon->frame) {
        usage->swapped++;
        usage->proportional_swapped += PAGE_SIZE / sharers;
        return;
    }
    frame = own ? own->frame : pmap_lookup(&aspace->pmap, page, &rights);
    if (!frame || frame == object_zero_frame)
        return;
    sharers = own ? sharers : frame_sharers(frame);
    usage_add_frame(usage, frame, sharers);
    usage->referenced += page_is_referenced(aspace, page, frame);
    if (own) {
        usage->anonymous++;
        usage->proportional_anonymous += PAGE_SIZE / sharers;
    } else if (in_memory_only) {
        usage->shared_memory++;
        usage->proportional_shared_memory += PAGE_SIZE / sharers;
    }
}

void
usage_add_region(struct aspace *aspace, struct region *region, struct usage *usage)
{
    bool only_private = region->object->kind == OBJECT_ZERO;
    u32 before = usage->proportional;

    if (only_private && !region->amap)
        return;
    for (u32 number = region->start.number; number < region->end.number; number++) {
        if (only_private && !amap_chunk(region->amap, (page_t){number}))
            number |= CHUNK_PAGES - 1;
        else
            usage_add_page(aspace, region, (page_t){number}, usage);
    }
    if (region->flags & REGION_LOCKED)
        usage->locked += usage->proportional - before;
}

struct usage
usage_of(struct aspace *aspace)
{
    struct usage usage = {0};
    struct region *region;

    for (region = region_first(&aspace->regions); region; region = region_next(region))
        usage_add_region(aspace, region, &usage);
    return usage;
}
