/*
 * Cloning an address space, in the way fork= names:
 *
 *   lazy   regions copied, chunks shared, write access taken from the parent's
 *          tables as a whole; the child's tables are empty. Copies nothing that
 *          is not written later
 *   cow    every page reference and page-table entry copied, as the textbook
 *          draws it: work grows with the pages in memory
 *   copy   every page copied
 *
 * The last two may sleep between pages, and other threads of the parent may
 * change its regions then: what has been cloned so far is thrown away, and the
 * work begins anew.
 */
#include "mm/fork.h"

#include "kernel/command_line.h"
#include "mm/evictable.h"
#include "mm/pagein.h"
#include "mm/reclaim.h"

enum { FORK_LAZY, FORK_COW, FORK_COPY };
static unsigned fork_choice = FORK_LAZY;
BOOT_CHOICE(fork, fork_choice, "what fork does with private pages", "lazy", "cow", "copy");

/* Frames that one page's share of fork can need: tables, chunk, anon, page. */
#define FORK_PAGE_FRAMES 16u

/* One try. */
struct fork {
    struct aspace *parent, *child;
    u32 changes;                /* of the parent's regions when it began */
};

/* After a sleep: no pointer to a region of the parent is good any more. */
static bool
fork_is_stale(const struct fork *fork)
{
    return fork->parent->regions.changes != fork->changes;
}

/* Room for one page's share of fork; false if there is none, or if the regions have
 * changed meanwhile. */
static bool
fork_make_room(const struct fork *fork)
{
    return reclaim_try(FORK_PAGE_FRAMES) == 0 && !fork_is_stale(fork);
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

/* fork=cow: the child refers to the anon at page as well, and maps what the parent maps. */
static bool
fork_page_cow(const struct fork *fork, struct region *from, struct region *to, page_t page)
{
    return fork_make_room(fork) && amap_copy_range(from->amap, page, page_add(page, 1), to->amap, page)
        && fork_copy_entry(fork->parent, fork->child, page);
}

/* Brings the page at page into memory and pins its frame; NULL if that fails, or
 * the regions have changed. */
static struct frame *
fork_pin_page(const struct fork *fork, const struct region *from, page_t page)
{
    for (u32 turn = 0; turn < PAGEIN_PATIENCE && !fork_is_stale(fork); turn++) {
        struct anon *anon = amap_lookup(from->amap, page);

        /* A page that is here needs no room; making some could take that very page, again and again. */
        if (anon && !anon->frame)
            anon = fork_make_room(fork) ? amap_lookup(from->amap, page) : NULL;
        if (!anon)
            return NULL;
        switch (pagein_anon(anon, NULL)) {
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
    return NULL;
}

/* A copy of frame as the child's page. */
static bool
fork_copy_frame(const struct frame *frame, struct region *to, page_t page)
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

/* fork=copy: the child has a copy of the page. */
static bool
fork_page_copy(const struct fork *fork, struct region *from, struct region *to, page_t page)
{
    struct frame *frame = fork_pin_page(fork, from, page);
    bool copied = frame && fork_make_room(fork) && fork_copy_frame(frame, to, page);

    if (frame)
        evictable_unpin(frame);
    return copied;
}

/* ---- The whole --------------------------------------------------------- */

/* fork=lazy: shares the region's chunks. */
static bool
fork_region_lazy(struct region *from, struct region *to)
{
    to->amap = amap_share(from->amap);
    return to->amap != NULL;
}

/* The other two: page by page, those that are anons. */
static bool
fork_region_by_page(const struct fork *fork, struct region *from, struct region *to)
{
    bool (*fork_page)(const struct fork *, struct region *, struct region *, page_t) =
        fork_choice == FORK_COW ? fork_page_cow : fork_page_copy;

    to->amap = amap_create(to->start, to->end);
    if (!to->amap)
        return false;
    for (page_t page = from->start; page.number < from->end.number; page = page_add(page, 1)) {
        if (!amap_chunk(from->amap, page))
            page.number |= CHUNK_PAGES - 1;
        else if (amap_lookup(from->amap, page) && !fork_page(fork, from, to, page))
            return false;
    }
    return true;
}

static bool
fork_clone_region(const struct fork *fork, struct region *from)
{
    struct region *to;

    if (from->flags & REGION_NO_FORK)
        return true;
    to = region_create(from);
    if (!to)
        return false;
    to->flags &= (u8)~REGION_LOCK_FLAGS;
    region_insert(&fork->child->regions, to);
    if (!from->amap || from->flags & REGION_WIPE_FORK)
        return true;
    return fork_choice == FORK_LAZY ? fork_region_lazy(from, to) : fork_region_by_page(fork, from, to);
}

/* Frames that the child's regions and amaps can take at most, before any page. */
static u32
fork_frames(struct aspace *parent)
{
    u32 frames = RECLAIM_LOW + parent->regions.count / (PAGE_SIZE / sizeof(struct region));
    struct region *region;

    for (region = region_first(&parent->regions); region; region = region_next(region))
        if (region->amap)
            frames += 1 + region->amap->count / (PAGE_SIZE / sizeof(void *));
    return frames;
}

/* What the child's address space has like its parent's, beside the regions: bounds and limits. */
static void
fork_copy_bounds(const struct aspace *parent, struct aspace *child)
{
    child->heap_start = parent->heap_start;
    child->heap_end = parent->heap_end;
    child->stack_top = parent->stack_top;
    child->signal_return = parent->signal_return;
    child->stack_limit_pages = parent->stack_limit_pages;
    child->data_limit_pages = parent->data_limit_pages;
    child->size_limit_pages = parent->size_limit_pages;
    child->code_start = parent->code_start;
    child->code_end = parent->code_end;
    child->arguments_start = parent->arguments_start;
    child->arguments_end = parent->arguments_end;
    child->environment_end = parent->environment_end;
    child->auxiliary_start = parent->auxiliary_start;
    child->auxiliary_end = parent->auxiliary_end;
}

/* Every region of the parent for the child. False without memory, or if they changed. */
static bool
fork_clone(const struct fork *fork)
{
    struct region *region = region_first(&fork->parent->regions);

    fork_copy_bounds(fork->parent, fork->child);
    for (; region; region = region_next(region))
        if (!fork_clone_region(fork, region))
            return false;
    return true;
}

static struct aspace *
fork_create(struct aspace *parent)
{
    struct fork fork = {.parent = parent};

    for (;;) {
        fork.child = aspace_create();
        if (!fork.child)
            return NULL;
        fork.changes = parent->regions.changes;
        if (fork_clone(&fork))
            return fork.child;
        aspace_release(fork.child);
        if (!fork_is_stale(&fork))
            return NULL;
    }
}

struct aspace *
fork_aspace(struct aspace *parent)
{
    struct aspace *child;

    if (frame_free_count() < RECLAIM_LOW + parent->regions.count
        && reclaim_try(fork_frames(parent)) < 0)
        return NULL;
    child = fork_create(parent);
    if (!child)
        return NULL;
    if (fork_choice != FORK_COPY)
        pmap_revoke_write(&parent->pmap);
    counters.fork_lazy += fork_choice == FORK_LAZY;
    counters.fork_cow += fork_choice == FORK_COW;
    counters.fork_copy += fork_choice == FORK_COPY;
    return child;
}
