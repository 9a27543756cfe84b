/*
 * Moving pages instead of bytes.
 *
 * What is lent has at least two references, so that the fault handler copies it on
 * the sender's next write; only the right to write in the sender's tables has to go.
 */
#include "mm/move.h"

#include <asm/errno.h>

#include "mm/evictable.h"
#include "mm/pagein.h"
#include "mm/reclaim.h"

/* Frames that bringing a page in can need. */
#define PIN_FRAMES 4u

/* The region at page if pages there can come and go, or NULL. */
static struct region *
region_of_movable(struct aspace *aspace, page_t page)
{
    struct region *region = region_find(&aspace->regions, page);

    return region && !(region->flags & (REGION_SHARED | REGION_LOCKED)) && region->protection ? region : NULL;
}

bool
move_out(struct aspace *aspace, u32 address, struct anon_loan *loan)
{
    page_t page = page_of(address);
    struct region *region = region_of_movable(aspace, page);
    struct anon *anon = region ? region_anon(region, page) : NULL;

    if (!anon)
        return false;
    pmap_protect(&aspace->pmap, page, page_add(page, 1), PMAP_EXECUTE);
    anon_hold(anon);
    anon_lend(loan, anon);
    return true;
}

/* The receiver's chunk for page, for changing; NULL if no memory. */
static struct chunk *
region_own_chunk(struct aspace *aspace, struct region *region, page_t page)
{
    struct chunk *chunk;
    bool split = false;

    if (!region->amap)
        region->amap = amap_create(region->start, region->end);
    chunk = region->amap ? amap_own_chunk(region->amap, page, &split) : NULL;
    if (split)
        aspace->counters.chunk_split++;
    return chunk;
}

bool
move_in(struct aspace *aspace, u32 address, struct anon_loan *loan)
{
    page_t page = page_of(address);
    struct region *region = region_of_movable(aspace, page);
    struct chunk *chunk;
    struct anon *old;

    if (!region || !(region->protection & REGION_WRITE))
        return false;
    chunk = region_own_chunk(aspace, region, page);
    if (!chunk)
        return false;
    pmap_remove(&aspace->pmap, page, page_add(page, 1));
    old = amap_replace(chunk, page, anon_take_back(loan));
    if (old)
        anon_release(old);
    ASPACE_COUNT(aspace, pages_moved);
    return true;
}

struct frame *
move_create(struct anon_loan *loan)
{
    struct frame *frame = frame_allocate(FRAME_ANONYMOUS);
    struct anon *anon = frame ? anon_create(frame) : NULL;

    if (!anon) {
        if (frame)
            frame_free(frame);
        return NULL;
    }
    frame->dirty = true;        /* there is no other copy */
    evictable_pin(frame);
    anon_lend(loan, anon);
    return frame;
}

int
move_pin(struct anon_loan *loan, struct frame **frame)
{
    for (u32 turn = 0; turn < PAGEIN_PATIENCE; turn++) {
        /* A page that is here needs no room; making some could take that very page, again and again. */
        if (!loan->anon->frame && reclaim_ensure(PIN_FRAMES) < 0)
            return -ENOMEM;
        switch (pagein_anon(loan->anon, NULL)) {
        case PAGEIN_HERE:
        case PAGEIN_READ:
            *frame = loan->anon->frame;
            prefetch_use(*frame);
            evictable_pin(*frame);
            return 0;
        case PAGEIN_SLEPT:
        case PAGEIN_WAITED:
            continue;
        case PAGEIN_ERROR:
            return -EIO;
        case PAGEIN_NO_MEMORY:
            return -ENOMEM;
        }
    }
    return -ENOMEM;
}

void
move_drop(struct anon_loan *loan)
{
    anon_release(anon_take_back(loan));
}
