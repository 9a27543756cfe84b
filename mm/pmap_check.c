/*
 * Looking at page tables from outside: one level of a walk, and whether tables,
 * their counts and the reverse map agree. Changes nothing.
 */
#include "mm/pmap.h"
#include "mm/pmap_table.h"

bool
pmap_walk_level(struct pmap *pmap, page_t page, u32 level, table_entry_t *entry)
{
    void *table = (pmap ? pmap : &kernel_pmap)->root;

    if (level >= page_format.levels)
        return false;
    for (u32 above = 0; above < level; above++) {
        table_entry_t pointer = entry_load(table, level_index(above, page));

        if (!(pointer & ENTRY_PRESENT))
            return false;
        table = frame_address(entry_frame(pointer));
    }
    *entry = entry_load(table, level_index(level, page));
    return true;
}

static bool
mapping_is_listed(const struct frame *frame, const struct pmap *pmap, page_t page)
{
    for (const struct mapping *mapping = &frame->first; mapping && mapping->pmap; mapping = mapping->next)
        if (mapping->pmap == pmap && mapping->page.number == page.number)
            return true;
    return false;
}

/* An entry of the mirror needs its page's own entry, marked, for the same frame. */
static const char *
mirror_check(struct pmap *pmap, page_t page, table_entry_t entry)
{
    struct leaf *leaf = leaf_find(pmap, (page_t){page.number - page_format.mirror_pages});
    table_entry_t own;

    if (!leaf)
        return "the mirror maps a page for execution whose own table is gone";
    own = entry_load(leaf->table, leaf_index(page));
    if (!(own & ENTRY_EXECUTE) || entry_descriptor(own) != entry_descriptor(entry))
        return "the mirror maps a page for execution that has no such entry of its own";
    if (entry & ENTRY_WRITE)
        return "the mirror permits writing";
    return NULL;
}

static const char *
entry_check(struct pmap *pmap, page_t page, table_entry_t entry)
{
    struct frame *frame = entry_descriptor(entry);

    if (!(entry & ENTRY_PRESENT) || !(entry & ENTRY_USER))
        return "a user entry is neither empty nor present for the user";
    if (frame->state == FRAME_FREE || frame->state == FRAME_TABLE || frame->state == FRAME_ABSENT)
        return "a user entry maps a frame that is free, absent or a page table";
    if (in_mirror(page))
        return mirror_check(pmap, page, entry);
    if (is_tracked(frame) && !mapping_is_listed(frame, pmap, page))
        return "a user entry is missing in the reverse map";
    if (!is_tracked(frame) && entry & ENTRY_WRITE)
        return "the shared frame of zeroes is mapped writable";
    return NULL;
}

/* One table: counts its entries, and at the last level looks at each. */
static const char *
table_check(struct pmap *pmap, struct frame *table, u32 *resident, u32 *zeroes)
{
    u32 level = table->table.level, used = 0;
    bool leaf = table_is_leaf(table);

    if (table->state != FRAME_TABLE || table->owner != pmap)
        return "a page table's frame does not belong to its address space";
    for (u32 i = 0; i < page_format.level[level].entries; i++) {
        table_entry_t entry = entry_load(frame_data(table), i);
        page_t page = {table->index + (i << (page_format.level[level].shift - PAGE_SHIFT))};
        const char *wrong = entry && leaf ? entry_check(pmap, page, entry) : NULL;

        if (wrong)
            return wrong;
        if (entry && (i < table->table.low || i >= table->table.high))
            return "a page table has an entry outside its noted range";
        used += entry != 0;
        if (entry && leaf && !in_mirror(page)) {
            ++*resident;
            *zeroes += !is_tracked(entry_descriptor(entry));
        }
    }
    return used == table->table.used ? NULL : "a page table's count of entries is wrong";
}

const char *
pmap_check(struct pmap *pmap)
{
    struct frame *table;
    u32 tables = 1, resident = 0, zeroes = 0;

    LIST_FOREACH(table, &pmap->tables, table.link) {
        const char *wrong = table_check(pmap, table, &resident, &zeroes);

        if (wrong)
            return wrong;
        tables++;
    }
    if (tables != pmap->table_count)
        return "an address space's count of page tables is wrong";
    if (resident != pmap->resident || zeroes != pmap->zeroes)
        return "an address space's count of mapped pages is wrong";
    return NULL;
}
