/*
 * Swapping in the old sense.
 *
 * Each transfer may sleep, and the address space may change meanwhile: so the search
 * goes on after it from an address, and holds nothing else.
 */
#include "mm/swapper.h"

#include "mm/pagein.h"
#include "mm/reclaim.h"

/* Frames for one transfer, and what its neighbours leave free. */
#define TAKE_IN_FRAMES (CLUSTER_FRAMES + PREFETCH_RESERVE)

/* The page after page; or after its chunk, if the region has nothing there. */
static page_t
next_page(const struct region *region, page_t page)
{
    u32 next = page.number + 1;

    if (region->object->kind == OBJECT_ZERO && (!region->amap || !amap_chunk(region->amap, page)))
        next = (page.number | (CHUNK_PAGES - 1)) + 1;
    return (page_t){next < region->end.number ? next : region->end.number};
}

/* The first page from page on that wanted says yes to, and *found is its region, or
 * NULL. */
static page_t
find_page(struct aspace *aspace, page_t page, bool (*wanted)(struct aspace *, struct region *, page_t),
          struct region **found)
{
    while ((*found = region_find_from(&aspace->regions, page))) {
        if (page.number < (*found)->start.number)
            page = (*found)->start;
        for (; page.number < (*found)->end.number; page = next_page(*found, page))
            if (wanted(aspace, *found, page))
                return page;
    }
    return page;
}

/* ---- Out --------------------------------------------------------------- */

/* The page's frame, if nobody else has it, or NULL. */
static struct frame *
own_frame(struct aspace *aspace, const struct region *region, page_t page)
{
    struct anon *anon = region_anon(region, page);
    struct frame *frame = region_frame(region, page);

    if (anon && amap_is_shared(region->amap, page, anon))
        return NULL;
    if (!frame || (frame->first.pmap && (frame->first.pmap != &aspace->pmap || frame->first.next)))
        return NULL;
    /* A file's page that nobody maps is anybody's. */
    return anon || frame->first.pmap ? frame : NULL;
}

static bool
is_to_go(struct aspace *aspace, struct region *region, page_t page)
{
    struct frame *frame = own_frame(aspace, region, page);

    return frame && frame->evictable;
}

void
swapper_put_out(struct aspace *aspace, bool (*go_on)(const struct aspace *))
{
    struct reclaim_batch batch = {.cluster = {.count = 0}};
    struct region *region;
    page_t page = {0};

    while (go_on(aspace)) {
        page = find_page(aspace, page, is_to_go, &region);
        if (!region)
            break;
        if (reclaim_gather(&batch, own_frame(aspace, region, page)))
            page = page_add(page, 1);
        else
            reclaim_write(&batch);
    }
    reclaim_write(&batch);
}

/* ---- In ---------------------------------------------------------------- */

static bool
is_to_come(struct aspace *aspace, struct region *region, page_t page)
{
    struct anon *anon = region_anon(region, page);

    return anon && !anon->frame && (!aspace->pmap.working_set || working_set_has(aspace->pmap.working_set, page));
}

void
swapper_take_in(struct aspace *aspace, u32 pages)
{
    struct region *region;
    page_t page = {0};

    for (u32 taken = 0; taken < pages;) {
        struct prefetch prefetch = {.pages = CLUSTER_FRAMES - 1};
        enum pagein_result result;

        if (pool_is_full(pool_current) || reclaim_try(TAKE_IN_FRAMES) < 0)
            return;
        page = find_page(aspace, page, is_to_come, &region);
        if (!region)
            return;
        prefetch.amap = region->amap;
        prefetch.page = page;
        if (region->end.number - page.number <= prefetch.pages)
            prefetch.pages = region->end.number - page.number - 1;
        result = pagein_anon(region_anon(region, page), &prefetch);
        if (result == PAGEIN_ERROR || result == PAGEIN_NO_MEMORY)
            return;
        taken += 1 + prefetch.read;
        page = page_add(page, 1);
    }
}
