/*
 * Sampling references: which pages were used since the last sample.
 *
 * The processor's accessed bits say so, or, where these are not believed
 * (accessed=software), that there is an entry at all: entries are dropped at each
 * clock tick. Of locked pages, whose entries stay, nothing is known then.
 */
#include "mm/pmap_table.h"

/* The page that an entry of a table of the last level is for, or mirrors. */
static page_t
leaf_page(const struct frame *table, u32 i)
{
    return (page_t){table->index + i - (in_mirror((page_t){table->index}) ? page_format.mirror_pages : 0)};
}

/* One table of the last level. Bits that cannot be noted for want of memory stay. */
static void
leaf_sample(struct pmap *pmap, const struct frame *table)
{
    void *entries = frame_data(table);

    for (u32 i = table->table.low; i < table->table.high; i++) {
        table_entry_t entry = entry_load(entries, i);

        if (!entry_was_used(entry) || !working_set_note(pmap->working_set, leaf_page(table, i)))
            continue;
        if (is_tracked(entry_descriptor(entry)))
            entry_harvest(entry & ENTRY_ACCESSED, entry_descriptor(entry));
        entry_store(entries, i, entry & ~ENTRY_ACCESSED);
    }
}

/* Of locked pages it does not matter, and there may be very many. */
static void
leaf_presume_used(struct pmap *pmap, const struct frame *table)
{
    for (u32 i = table->table.low; i < table->table.high; i++) {
        table_entry_t entry = entry_load(frame_data(table), i);

        if (entry && !(entry & ENTRY_LOCKED))
            working_set_note(pmap->working_set, leaf_page(table, i));
    }
}

void
pmap_presume_used(struct pmap *pmap)
{
    struct frame *table;

    LIST_FOREACH(table, &pmap->tables, table.link)
        if (table_is_leaf(table))
            leaf_presume_used(pmap, table);
}

void
pmap_sample(struct pmap *pmap)
{
    struct frame *table;

    LIST_FOREACH(table, &pmap->tables, table.link)
        if (table_is_leaf(table))
            leaf_sample(pmap, table);
    pmap_flush(pmap);
    working_set_expire(pmap->working_set);
}
