/*
 * The walk itself, for the files of the pmap layer only: reading and writing
 * entries of either format, and finding the table that holds a page's entry.
 */
#pragma once

#include "kernel/assert.h"
#include "kernel/x86/cpu.h"
#include "mm/pmap.h"

/* The word of an entry that says all but NX. */
static inline volatile u32 *
entry_word(const void *table, u32 index)
{
    return (u32 *)((u8 *)table + index * page_format.entry_bytes);
}

static inline table_entry_t
entry_load(const void *table, u32 index)
{
    return *entry_word(table, index);
}

/* The processor never sees half an entry: it is busy here, and there is one. */
static inline void
entry_store(void *table, u32 index, table_entry_t entry)
{
    volatile u32 *word = entry_word(table, index);

    if (page_format.entry_bytes == sizeof(u64))
        word[1] = (entry & (ENTRY_PRESENT | ENTRY_EXECUTE)) == ENTRY_PRESENT ? page_format.no_execute : 0;
    *word = entry;
}

static inline frame_t
entry_frame(table_entry_t entry)
{
    return (frame_t){(u32)(entry & ENTRY_FRAME) >> PAGE_SHIFT};
}

static inline struct frame *
entry_descriptor(table_entry_t entry)
{
    return frame_descriptor(entry_frame(entry));
}

static inline u32
level_index(u32 level, page_t page)
{
    const struct table_level *format = &page_format.level[level];

    return page.number >> (format->shift - PAGE_SHIFT) & (format->entries - 1u);
}

/* The mirror, where there is one, lies behind what user pages have. */
static inline bool
in_mirror(page_t page)
{
    return page.number >= page_format.user_top >> PAGE_SHIFT;
}

/* Whether an entry has a second one in the mirror. */
static inline bool
is_mirrored(table_entry_t entry)
{
    return entry & ENTRY_EXECUTE && page_format.mirror_pages;
}

/* Whether the table in this frame is of the last level. */
static inline bool
table_is_leaf(const struct frame *frame)
{
    return frame->table.level == page_format.levels - 1;
}

#define LEAF_NONE 0x80000000u   /* not a window: no page is near it */

static inline u32
leaf_window(page_t page)
{
    return page.number & ~(page_format.leaf_pages - 1);
}

static inline u32
leaf_index(page_t page)
{
    return page.number & (page_format.leaf_pages - 1);
}

/* Whether the leaf's table holds the page's entry; then that has the number page - window.
 * Of those that a pmap remembers it does nearly always. */
static inline bool
leaf_reaches(const struct leaf *leaf, page_t page)
{
    return __builtin_expect(page.number - leaf->window < page_format.leaf_pages, true);
}

/* Walks to the leaf for page and puts it into *leaf; NULL when there is none. */
struct leaf *leaf_walk(struct pmap *pmap, page_t page, struct leaf *leaf);

/* The leaf for page, which is not in the mirror, or NULL. Most calls ask for the same one
 * as the last: the pmap remembers it, and one of the mirror. What is returned holds until
 * the next call for the same pmap and side. */
static inline struct leaf *
leaf_find_own(struct pmap *pmap, page_t page)
{
    struct leaf *leaf = &pmap->recent[0];

    return leaf_reaches(leaf, page) ? leaf : leaf_walk(pmap, page, leaf);
}

/* The same for any page. */
static inline struct leaf *
leaf_find(struct pmap *pmap, page_t page)
{
    struct leaf *leaf = &pmap->recent[in_mirror(page)];

    return leaf_reaches(leaf, page) ? leaf : leaf_walk(pmap, page, leaf);
}

/* Frames that are in the reverse map. The shared frame of zeroes is not. */
static inline bool
is_tracked(const struct frame *frame)
{
    return frame->state >= FRAME_ANONYMOUS;
}

/* Loaded into CR3; NULL: the kernel's. pmap_activate changes it. */
extern struct pmap *pmap_active;

/* Flushes what the processor has cached of this page, or of all, if the pmap is loaded. */
static inline void
pmap_flush_page(const struct pmap *pmap, page_t page)
{
    if (pmap == pmap_active)
        cpu_flush_page(page_address(page));
}

void pmap_flush(const struct pmap *pmap);

/* The kernel's own tables: all kernel halves are copies of theirs. */
extern struct pmap kernel_pmap;

/* Gathers an entry's accessed and dirty bits into its frame. */
static inline void
entry_harvest(table_entry_t entry, struct frame *frame)
{
    entry &= pmap_harvest_mask;
    frame->referenced |= (entry & ENTRY_ACCESSED) != 0;
    frame->dirty |= (entry & ENTRY_DIRTY) != 0;
}

/* Whether the page has been used through this entry since the last sample: by the
 * processor's bit, or, where that is not believed, because entries are dropped at each
 * tick and this one has come back. A locked one stays, and nothing is known of it. */
static inline bool
entry_was_used(table_entry_t entry)
{
    return pmap_samples_references() ? entry && !(entry & ENTRY_LOCKED) : entry & ENTRY_ACCESSED;
}

/* For a pmap with a working set: page, whose entry is about to go against the
 * program's will, was used if the entry says so. */
void entry_note_use(struct pmap *pmap, page_t page, table_entry_t entry);

/* Forgets the entry of page, which is there: tables' use, reverse map, mirror,
 * flush. The leaf stays, even if it is empty now. */
void pmap_clear_entry(struct pmap *pmap, struct leaf *leaf, page_t page, table_entry_t entry);

/* The leaf of the mirror that a page whose entry is_mirrored has. */
struct leaf *mirror_leaf(struct pmap *pmap, page_t page);

/* The reverse map (reverse_map.c). False if there is no memory. */
bool mapping_add_more(struct frame *frame, struct pmap *pmap, page_t page);
void mapping_remove_more(struct frame *frame, struct pmap *pmap, page_t page);

static inline bool
mapping_add(struct frame *frame, struct pmap *pmap, page_t page)
{
    if (frame->first.pmap)
        return mapping_add_more(frame, pmap, page);
    frame->first.pmap = pmap;
    frame->first.page = page;
    return true;
}

static inline void
mapping_remove(struct frame *frame, struct pmap *pmap, page_t page)
{
    if (frame->first.next) {
        mapping_remove_more(frame, pmap, page);
        return;
    }
    assert(frame->first.pmap == pmap && frame->first.page.number == page.number);
    frame->first.pmap = NULL;
}
