/*
 * fork=cow and fork=copy, as the textbook draws them: page by page.
 */
#include "mm/fork.h"

#include "mm/evictable.h"
#include "mm/pagein.h"
#include "mm/reclaim.h"

/* Frames that one page's share of fork can need: tables, chunk, anon, page. */
#define FORK_PAGE_FRAMES 16u

/* An amap for the child's region that reaches over it. */
static bool
fork_create_amap(struct region *to)
{
    to->amap = amap_create(to->start, to->end);
    return to->amap != NULL;
}

/* Copies the parent's entry for page, without write access. */
static bool
fork_copy_entry(struct aspace *parent, struct aspace *child, page_t page)
{
    u32 rights;
    struct frame *frame = pmap_lookup(&parent->pmap, page, &rights);

    if (!frame)
        return true;
    rights = (rights & PMAP_EXECUTE) | PMAP_WITHHELD;
    return pmap_enter(&child->pmap, page, frame, rights) != PMAP_NO_MEMORY;
}

bool
fork_region_cow(struct aspace *parent, struct region *from, struct aspace *child, struct region *to)
{
    if (!fork_create_amap(to))
        return false;
    for (u32 number = from->start.number; number < from->end.number; number++) {
        page_t page = {number};

        if (!amap_chunk(from->amap, page)) {
            number |= CHUNK_PAGES - 1;
            continue;
        }
        if (!amap_lookup(from->amap, page))
            continue;
        if (reclaim_try(FORK_PAGE_FRAMES) < 0
            || !amap_copy_range(from->amap, page, page_add(page, 1), to->amap, page)
            || !fork_copy_entry(parent, child, page))
            return false;
    }
    return true;
}

/* Brings the page at page into memory and pins its frame; NULL if that fails. */
static struct frame *
fork_pin_page(const struct region *from, page_t page)
{
    for (;;) {
        struct anon *anon;

        if (reclaim_try(FORK_PAGE_FRAMES) < 0)
            return NULL;
        anon = amap_lookup(from->amap, page);
        switch (pagein_anon(anon)) {
        case PAGEIN_HERE:
        case PAGEIN_READ:
            evictable_pin(anon->frame);
            return anon->frame;
        case PAGEIN_SLEPT:
        case PAGEIN_WAITED:
            continue;
        default:
            return NULL;
        }
    }
}

/* A copy of frame as the child's page. */
static bool
fork_copy_page(const struct frame *frame, struct region *to, page_t page)
{
    struct frame *copy = frame_allocate(FRAME_ANONYMOUS);
    struct anon *anon = copy ? anon_create(copy) : NULL;
    struct chunk *chunk;
    bool split;

    if (!anon) {
        if (copy)
            frame_free(copy);
        return false;
    }
    frame_copy(copy, frame);
    copy->dirty = true;
    chunk = amap_own_chunk(to->amap, page, &split);
    if (!chunk) {
        anon_release(anon);
        return false;
    }
    amap_replace(chunk, page, anon);
    counters.fork_page_copy++;
    return true;
}

bool
fork_region_copy(struct aspace *parent, struct region *from, struct aspace *child, struct region *to)
{
    (void)parent;
    (void)child;
    if (!fork_create_amap(to))
        return false;
    for (u32 number = from->start.number; number < from->end.number; number++) {
        page_t page = {number};
        struct frame *frame;
        bool copied;

        if (!amap_chunk(from->amap, page)) {
            number |= CHUNK_PAGES - 1;
            continue;
        }
        if (!amap_lookup(from->amap, page))
            continue;
        frame = fork_pin_page(from, page);
        if (!frame)
            return false;
        copied = fork_copy_page(frame, to, page);
        evictable_unpin(frame);
        if (!copied)
            return false;
    }
    return true;
}
