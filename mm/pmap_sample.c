/*
 * Sampling references: which pages were used since the last sample.
 *
 * The processor's accessed bits say so, or, where these are not believed
 * (accessed=software), that there is an entry at all: entries are dropped at each
 * clock tick. Of locked pages, whose entries stay, nothing is known then.
 */
#include "mm/pmap_table.h"

/* One table of the last level. Bits that cannot be noted for want of memory stay. */
static void
leaf_sample(struct pmap *pmap, const struct frame *table)
{
    u32 mirrored = in_mirror((page_t){table->index}) ? page_format.mirror_pages : 0;
    void *entries = frame_data(table);

    for (u32 i = table->table.low; i < table->table.high; i++) {
        table_entry_t entry = entry_load(entries, i);

        if (!entry_was_used(entry) || !working_set_note(pmap->working_set, (page_t){table->index + i - mirrored}))
            continue;
        if (is_tracked(entry_descriptor(entry)))
            entry_harvest(entry & ENTRY_ACCESSED, entry_descriptor(entry));
        entry_store(entries, i, entry & ~ENTRY_ACCESSED);
    }
}

void
pmap_sample(struct pmap *pmap)
{
    struct frame *table;

    LIST_FOREACH(table, &pmap->tables, table.link)
        if (table->table.level == page_format.levels - 1)
            leaf_sample(pmap, table);
    pmap_flush(pmap);
    working_set_expire(pmap->working_set);
}
