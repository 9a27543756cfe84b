/*
 * The reverse map: from a frame to every place that maps it.
 *
 * Most frames are mapped once, so the first mapping lives in the frame's
 * descriptor; the others hang from it.
 *
 *   frame { first: (pmap A, page 5) } -> (pmap B, page 5) -> (pmap C, page 9)
 *
 * Invariant: (pmap, page) is in the list of an anonymous or object frame exactly
 * when that pmap's entry for the page maps the frame. The mirror's second
 * mapping is not listed: ENTRY_MIRRORED in the first says that it is there.
 */
#include "mm/kmem_cache.h"
#include "mm/pmap_table.h"

static struct kmem_cache mapping_cache = KMEM_CACHE("mapping", sizeof(struct mapping), 4);

bool
mapping_add(struct frame *frame, struct pmap *pmap, page_t page)
{
    struct mapping *mapping;

    if (!frame->first.pmap) {
        frame->first = (struct mapping){.pmap = pmap, .page = page};
        return true;
    }
    mapping = kmem_cache_allocate(&mapping_cache);
    if (!mapping)
        return false;
    *mapping = (struct mapping){pmap, page, frame->first.next};
    frame->first.next = mapping;
    return true;
}

void
mapping_remove(struct frame *frame, struct pmap *pmap, page_t page)
{
    struct mapping *mapping = &frame->first, *next = mapping->next, **link = &mapping->next;

    if (mapping->pmap == pmap && mapping->page.number == page.number) {
        if (!next) {
            mapping->pmap = NULL;
            return;
        }
        *mapping = *next;
        kmem_cache_free(&mapping_cache, next);
        return;
    }
    while ((mapping = *link) && (mapping->pmap != pmap || mapping->page.number != page.number))
        link = &mapping->next;
    assert(mapping);
    *link = mapping->next;
    kmem_cache_free(&mapping_cache, mapping);
}

/* The entry behind a mapping, which the invariant promises. */
static table_entry_t
mapping_entry(const struct mapping *mapping, struct leaf *leaf)
{
    bool found = leaf_find(mapping->pmap, mapping->page, leaf);

    assert(found);
    return entry_load(leaf->table, leaf->index);
}

void
pmap_frame_remove(struct frame *frame)
{
    while (frame->first.pmap) {
        struct leaf leaf;
        struct mapping mapping = frame->first;
        table_entry_t entry = mapping_entry(&mapping, &leaf);

        assert(entry_descriptor(entry) == frame);
        pmap_clear_entry(mapping.pmap, &leaf, mapping.page, entry);
    }
}

void
pmap_frame_write_protect(struct frame *frame)
{
    for (struct mapping *mapping = &frame->first; mapping && mapping->pmap; mapping = mapping->next) {
        struct leaf leaf;
        table_entry_t entry = mapping_entry(mapping, &leaf);

        entry_store(leaf.table, leaf.index, entry & ~ENTRY_WRITE);
        pmap_flush_page(mapping->pmap, mapping->page);
    }
}

bool
pmap_frame_is_locked(const struct frame *frame)
{
    for (const struct mapping *mapping = &frame->first; mapping && mapping->pmap; mapping = mapping->next) {
        struct leaf leaf;

        if (mapping_entry(mapping, &leaf) & ENTRY_LOCKED)
            return true;
    }
    return false;
}

/* Clears bits in every entry that maps the frame, after gathering them into it. */
static void
frame_harvest(struct frame *frame, table_entry_t bits)
{
    for (struct mapping *mapping = &frame->first; mapping && mapping->pmap; mapping = mapping->next) {
        struct leaf leaf, mirror;
        table_entry_t entry = mapping_entry(mapping, &leaf);

        if (entry & ENTRY_MIRRORED) {
            table_entry_t fetched;

            pmap_mirror_leaf(mapping->pmap, mapping->page, &mirror);
            fetched = entry_load(mirror.table, mirror.index);
            if (fetched & bits) {
                entry_harvest(fetched & bits, frame);
                entry_store(mirror.table, mirror.index, fetched & ~bits);
                pmap_flush_page(mapping->pmap, page_add(mapping->page, page_format.mirror_pages));
            }
        }
        if (entry & bits) {
            entry_harvest(entry & bits, frame);
            entry_store(leaf.table, leaf.index, entry & ~bits);
            pmap_flush_page(mapping->pmap, mapping->page);
        }
    }
}

bool
pmap_frame_test_referenced(struct frame *frame)
{
    bool referenced;

    frame_harvest(frame, ENTRY_ACCESSED);
    referenced = frame->referenced;
    frame->referenced = false;
    return referenced;
}

void
pmap_frame_harvest_dirty(struct frame *frame)
{
    frame_harvest(frame, ENTRY_DIRTY);
}

void
pmap_frame_clear_dirty(struct frame *frame)
{
    frame_harvest(frame, ENTRY_DIRTY);
    if (!(pmap_harvest_mask & ENTRY_DIRTY))
        pmap_frame_write_protect(frame);
    frame->dirty = false;
}
