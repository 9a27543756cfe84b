/*
 * The walk itself, for the files of the pmap layer only: reading and writing
 * entries of either format, and finding the table that holds a page's entry.
 */
#pragma once

#include "kernel/assert.h"
#include "mm/pmap.h"

/* The last level of a walk: where a page's entry is. */
struct leaf {
    void *table;            /* NULL: there is none */
    u32 index;
    struct frame *frame;    /* the table's own, for its table_use; not for the kernel's half */
    void *directory;        /* the table one level up, and the index there */
    u32 directory_index;
};

static inline table_entry_t
entry_load(const void *table, u32 index)
{
    if (page_format.entry_bytes == sizeof(u64))
        return ((const u64 *)table)[index];
    return ((const u32 *)table)[index];
}

/* The half with the present bit is written last when an entry appears, and the
 * processor never reads one in between: it executes this. */
static inline void
entry_store(void *table, u32 index, table_entry_t entry)
{
    if (page_format.entry_bytes == sizeof(u64))
        ((volatile u64 *)table)[index] = entry;
    else
        ((volatile u32 *)table)[index] = (u32)entry;
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

/* Pages that one leaf table maps. */
static inline u32
leaf_span(void)
{
    return page_format.level[page_format.levels - 1].entries;
}

/* Finds the leaf table for page; false when there is none. */
static inline bool
leaf_find(const struct pmap *pmap, page_t page, struct leaf *leaf)
{
    void *table = pmap->root;
    u32 level = 0, index = level_index(0, page);
    table_entry_t entry;

    for (;;) {
        entry = entry_load(table, index);
        if (!(entry & ENTRY_PRESENT))
            return false;
        leaf->directory = table;
        leaf->directory_index = index;
        table = frame_address(entry_frame(entry));
        index = level_index(++level, page);
        if (level == page_format.levels - 1)
            break;
    }
    leaf->table = table;
    leaf->index = index;
    leaf->frame = entry_descriptor(entry);
    return true;
}

/* Frames that are in the reverse map. The shared frame of zeroes is not. */
static inline bool
is_tracked(const struct frame *frame)
{
    return frame->state >= FRAME_ANONYMOUS;
}

/* Flushes what the processor has cached of this page, if the pmap is loaded. */
void pmap_flush_page(const struct pmap *pmap, page_t page);
void pmap_flush(const struct pmap *pmap);

/* The kernel's own tables: all kernel halves are copies of theirs. */
extern struct pmap kernel_pmap;

/* What the processor's bits are believed for: without ENTRY_DIRTY under
 * dirty=software, without ENTRY_ACCESSED under accessed=software. */
extern table_entry_t pmap_harvest_mask;

/* Gathers an entry's accessed and dirty bits into its frame. */
static inline void
entry_harvest(table_entry_t entry, struct frame *frame)
{
    entry &= pmap_harvest_mask;
    frame->referenced |= (entry & ENTRY_ACCESSED) != 0;
    frame->dirty |= (entry & ENTRY_DIRTY) != 0;
}

/* Forgets one entry: tables' use, reverse map, mirror, flush. The leaf's table
 * stays, even if it is empty now. */
void pmap_clear_entry(struct pmap *pmap, const struct leaf *leaf, page_t page, table_entry_t entry);

/* The entry that maps page in the mirror, which an entry marked ENTRY_MIRRORED has. */
void pmap_mirror_leaf(const struct pmap *pmap, page_t page, struct leaf *leaf);

/* The reverse map (reverse_map.c). */
bool mapping_add(struct frame *frame, struct pmap *pmap, page_t page);
void mapping_remove(struct frame *frame, struct pmap *pmap, page_t page);
