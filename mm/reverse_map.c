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
 * mapping is not listed: the first, being executable, says that it is there.
 */
#include "mm/kmem_cache.h"
#include "mm/pmap_table.h"

static struct kmem_cache mapping_cache = KMEM_CACHE("mapping", sizeof(struct mapping), 4);

bool
mapping_add_more(struct frame *frame, struct pmap *pmap, page_t page)
{
    struct mapping *mapping = kmem_cache_allocate(&mapping_cache);

    if (!mapping)
        return false;
    *mapping = (struct mapping){pmap, page, frame->first.next};
    frame->first.next = mapping;
    return true;
}

void
mapping_remove_more(struct frame *frame, struct pmap *pmap, page_t page)
{
    struct mapping *mapping = &frame->first, *next = mapping->next, **link = &mapping->next;

    if (mapping->pmap == pmap && mapping->page.number == page.number) {
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

/* The leaf with the entry behind a mapping, which the invariant promises. */
static inline struct leaf *
mapping_leaf(const struct mapping *mapping)
{
    struct leaf *leaf = leaf_find_own(mapping->pmap, mapping->page);

    assert(leaf);
    return leaf;
}

void
entry_note_use(struct pmap *pmap, page_t page, table_entry_t entry)
{
    /* What was executed only shows in the mirror. */
    if (is_mirrored(entry))
        entry |= entry_load(mirror_leaf(pmap, page)->table, leaf_index(page));
    if (entry_was_used(entry))
        working_set_note(pmap->working_set, page);
}

void
pmap_frame_remove(struct frame *frame)
{
    while (frame->first.pmap) {
        struct mapping mapping = frame->first;
        struct leaf *leaf = mapping_leaf(&mapping);
        table_entry_t entry = entry_load(leaf->table, leaf_index(mapping.page));

        assert(entry_descriptor(entry) == frame);
        if (mapping.pmap->working_set)
            entry_note_use(mapping.pmap, mapping.page, entry);
        pmap_clear_entry(mapping.pmap, leaf, mapping.page, entry);
    }
}

bool
pmap_frame_is_locked(const struct frame *frame)
{
    for (const struct mapping *mapping = &frame->first; mapping && mapping->pmap; mapping = mapping->next)
        if (entry_load(mapping_leaf(mapping)->table, leaf_index(mapping->page)) & ENTRY_LOCKED)
            return true;
    return false;
}

/* The working set hears of a use of the page, or of its second entry in the mirror. */
static __attribute__((noinline)) void
entry_note(struct pmap *pmap, page_t page)
{
    working_set_note(pmap->working_set, in_mirror(page) ? (page_t){page.number - page_format.mirror_pages} : page);
}

/* Clears bits in one entry, after gathering them into the frame: bits that NX does not depend on. Inline,
 * as those that call it, since the clock asks each frame that it passes, and always for the same bits. */
static inline __attribute__((always_inline)) table_entry_t
entry_take_bits(struct pmap *pmap, struct leaf *leaf, page_t page, struct frame *frame, table_entry_t bits)
{
    volatile u32 *word = entry_word(leaf->table, page.number - leaf->window);
    table_entry_t entry = *word;

    if (entry & bits) {
        if (pmap->working_set)
            entry_note(pmap, page);
        entry_harvest(entry & bits, frame);
        *word = entry & ~bits;
        pmap_flush_page(pmap, page);
    }
    return entry;
}

/* The same in the second entry that an executable page has. */
static __attribute__((noinline)) void
mirror_take_bits(const struct mapping *mapping, struct frame *frame, table_entry_t bits)
{
    page_t page = page_add(mapping->page, page_format.mirror_pages);

    entry_take_bits(mapping->pmap, mirror_leaf(mapping->pmap, mapping->page), page, frame, bits);
}

/* And in every entry that maps the frame. */
static inline __attribute__((always_inline)) void
frame_take_bits(struct frame *frame, table_entry_t bits)
{
    for (struct mapping *mapping = &frame->first; mapping && mapping->pmap; mapping = mapping->next)
        if (is_mirrored(entry_take_bits(mapping->pmap, mapping_leaf(mapping), mapping->page, frame, bits)))
            mirror_take_bits(mapping, frame, bits);
}

bool
pmap_frame_test_referenced(struct frame *frame)
{
    bool referenced;

    frame_take_bits(frame, ENTRY_ACCESSED);
    referenced = frame->referenced;
    frame->referenced = false;
    return referenced;
}

bool
pmap_frame_test_dirty(struct frame *frame)
{
    bool dirty;

    frame_take_bits(frame, pmap_traps_first_write() ? ENTRY_DIRTY | ENTRY_WRITE : ENTRY_DIRTY);
    dirty = frame->dirty;
    frame->dirty = false;
    return dirty;
}

void
pmap_frame_harvest_dirty(struct frame *frame)
{
    for (struct mapping *mapping = &frame->first; mapping && mapping->pmap; mapping = mapping->next)
        entry_harvest(entry_load(mapping_leaf(mapping)->table, leaf_index(mapping->page)) & ENTRY_DIRTY, frame);
}
