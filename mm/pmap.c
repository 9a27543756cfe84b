/*
 * Page tables: enter, remove, protect. The walk is in pmap_table.h, the kernel's
 * half in pmap_kernel.c, the way from frames to entries in reverse_map.c.
 *
 * Invariants:
 *  - an entry is 0 or present; table_use.used counts the entries of a table that
 *    are not 0, which all lie in [low, high);
 *  - a table that removing a range leaves without entries is given back, cleared
 *    as it is: spare tables and spare roots need no clearing when used again;
 *  - where write_revoked is set, the directory entry forbids writing and the
 *    entries below still say what they said before fork.
 */
#include "mm/pmap.h"

#include "kernel/lib/string.h"
#include "kernel/x86/cpu.h"
#include "mm/failslab.h"
#include "mm/kmem_cache.h"
#include "mm/pmap_table.h"

struct page_format page_format;
struct pmap kernel_pmap;
table_entry_t pmap_harvest_mask = ENTRY_ACCESSED | ENTRY_DIRTY;

/* Empty tables kept for the next process. */
#define SPARES_KEPT 16u
static struct frame *spare_tables[SPARES_KEPT];
static u32 spare_count;
static void *spare_roots[SPARES_KEPT];
static u32 spare_root_count;

static struct kmem_cache root_cache = KMEM_CACHE("pae_root", 4 * 8, 32);

/* Where events of a pmap without an address space are counted. */
static struct counters nobody;

struct pmap *pmap_active;

void
pmap_flush(const struct pmap *pmap)
{
    if (pmap == pmap_active)
        cpu_write_cr3(pmap->root_physical.value);
}

void
pmap_activate(struct pmap *pmap)
{
    if (pmap == pmap_active)
        return;
    pmap_active = pmap;
    cpu_write_cr3((pmap ? pmap : &kernel_pmap)->root_physical.value);
}

u32
pmap_enter_frames(void)
{
    u32 tables = page_format.levels - 1;

    /* One slab for an element of the reverse map besides the tables. */
    return (page_format.mirror_pages ? 2 * tables : tables) + 1;
}

/* ---- Tables ------------------------------------------------------------ */

struct leaf *
leaf_walk(struct pmap *pmap, page_t page, struct leaf *leaf)
{
    void *table = pmap->root;

    for (u32 level = 0;; level++) {
        u32 index = level_index(level, page);
        table_entry_t entry = entry_load(table, index);
        void *next = frame_address(entry_frame(entry));

        if (!(entry & ENTRY_PRESENT))
            return NULL;
        if (level + 2 == page_format.levels) {
            *leaf = (struct leaf){leaf_window(page), next, entry_descriptor(entry), table, index};
            return leaf;
        }
        table = next;
    }
}

/* A cleared frame for a table. */
static struct frame *
table_allocate(void)
{
    struct frame *frame;

    if (failslab_strikes())
        return NULL;
    if (spare_count)
        return spare_tables[--spare_count];
    frame = frame_allocate(FRAME_TABLE);
    if (frame)
        frame_clear(frame);
    return frame;
}

/* Puts a new table where the entry at index of parent is absent. */
static struct frame *
table_create(struct pmap *pmap, page_t page, u32 level, void *parent, u32 index)
{
    const struct table_level *format = &page_format.level[level - 1];
    struct frame *frame = table_allocate();

    if (!frame)
        return NULL;
    frame->owner = pmap;
    frame->index = page.number & ~((1u << (format->shift - PAGE_SHIFT)) - 1);
    frame->table = (struct table_use){.level = (u8)level, .low = 0xFFFF};
    LIST_INSERT_HEAD(&pmap->tables, frame, table.link);
    pmap->table_count++;
    PMAP_COUNT(pmap, table_alloc);
    entry_store(parent, index, physical_of(frame_number(frame)).value | format->flags);
    if (!(format->flags & ENTRY_WRITE))
        pmap_flush(pmap);       /* PAE's top entries are read at loads of CR3 only */
    return frame;
}

static void
table_note_entry(struct frame *frame, u32 index)
{
    struct table_use *use = &frame->table;

    use->used++;
    if (index < use->low)
        use->low = (u16)index;
    if (index >= use->high)
        use->high = (u16)(index + 1);
}

/* Makes the tables that lead to page's entry, where they are missing. Returns the
 * leaf, or NULL if there is no memory. */
static struct leaf *
leaf_make(struct pmap *pmap, page_t page)
{
    void *table = pmap->root;
    struct frame *parent = NULL;

    for (u32 level = 1; level < page_format.levels; level++) {
        u32 index = level_index(level - 1, page);
        table_entry_t entry = entry_load(table, index);
        struct frame *frame = entry_descriptor(entry);

        if (!(entry & ENTRY_PRESENT)) {
            frame = table_create(pmap, page, level, table, index);
            if (!frame)
                return NULL;
            if (parent)
                table_note_entry(parent, index);
        }
        parent = frame;
        table = frame_data(frame);
    }
    return leaf_find(pmap, page);
}

static void
table_free(struct pmap *pmap, struct frame *frame)
{
    LIST_REMOVE(frame, table.link);
    pmap->table_count--;
    PMAP_COUNT(pmap, table_free);
    frame->owner = NULL;
    if (spare_count < SPARES_KEPT)
        spare_tables[spare_count++] = frame;
    else
        frame_free(frame);
}

/* Gives back a leaf that has no entries left. Tables above it stay until the
 * pmap goes: there are at most four. */
static void
leaf_retire(struct pmap *pmap, struct leaf *leaf)
{
    struct frame *frame = leaf->frame;

    if (frame->table.used > 0)
        return;
    entry_store(leaf->directory, leaf->directory_index, 0);
    if (leaf->directory != pmap->root)
        frame_descriptor(frame_of_address(leaf->directory))->table.used--;
    leaf->window = LEAF_NONE;
    pmap_flush_page(pmap, (page_t){frame->index});
    table_free(pmap, frame);
}

/* fork forbade writing to this table's whole reach: says so in each entry
 * instead, so that the directory entry can permit it again. Returns what page's
 * entry says now. */
static __attribute__((noinline)) table_entry_t
leaf_spread_revocation(struct pmap *pmap, struct leaf *leaf, page_t page)
{
    struct table_use *use = &leaf->frame->table;

    for (u32 i = use->low; i < use->high; i++) {
        table_entry_t entry = entry_load(leaf->table, i);

        if (entry & ENTRY_WRITE)
            entry_store(leaf->table, i, (entry & ~ENTRY_WRITE) | ENTRY_WITHHELD);
    }
    use->write_revoked = false;
    entry_store(leaf->directory, leaf->directory_index,
                entry_load(leaf->directory, leaf->directory_index) | ENTRY_WRITE);
    /* The processor may keep the directory entry that forbade it, and fault once
     * more for nothing: flushing any page makes it read that again. */
    pmap_flush_page(pmap, page);
    return entry_load(leaf->table, leaf_index(page));
}

/* ---- Life -------------------------------------------------------------- */

static void *
root_allocate(void)
{
    struct frame *frame;
    char *root;

    if (failslab_strikes())
        return NULL;
    if (spare_root_count)
        return spare_roots[--spare_root_count];
    if (page_format.root_bytes == PAGE_SIZE) {
        frame = frame_allocate(FRAME_TABLE);
        root = frame ? frame_data(frame) : NULL;
    } else {
        root = kmem_cache_allocate(&root_cache);
    }
    if (root)
        memcpy(root, kernel_pmap.root, page_format.root_bytes);
    return root;
}

static void
root_free(void *root)
{
    if (spare_root_count < SPARES_KEPT)
        spare_roots[spare_root_count++] = root;
    else if (page_format.root_bytes == PAGE_SIZE)
        frame_free(frame_descriptor(frame_of_address(root)));
    else
        kmem_cache_free(&root_cache, root);
}

bool
pmap_create(struct pmap *pmap)
{
    void *root = root_allocate();

    if (!root)
        return false;
    *pmap = (struct pmap){
        .root = root,
        .table_count = 1,
        .recent = {{.window = LEAF_NONE}, {.window = LEAF_NONE}},
        .counters = &nobody,
    };
    pmap->root_physical.value = (u32)((char *)root - direct_map);
    LIST_INIT(&pmap->tables);
    return true;
}

void
pmap_destroy(struct pmap *pmap)
{
    struct frame *frame;

    assert(pmap->resident == 0 && pmap != pmap_active);
    /* A table stands before the one that leads to it, which was there first: so
     * each is empty when its turn comes. */
    while ((frame = LIST_FIRST(&pmap->tables))) {
        page_t page = {frame->index};

        assert(frame->table.used == 0);
        if (table_is_leaf(frame)) {
            leaf_retire(pmap, leaf_find(pmap, page));
        } else {
            entry_store(pmap->root, level_index(0, page), 0);
            table_free(pmap, frame);
        }
    }
    root_free(pmap->root);
}

/* ---- Entries ----------------------------------------------------------- */

struct leaf *
mirror_leaf(struct pmap *pmap, page_t page)
{
    struct leaf *leaf = leaf_find(pmap, page_add(page, page_format.mirror_pages));

    assert(leaf);
    return leaf;
}

/* Forgets the executable mapping of a page, harvesting its accessed bit. */
static void
mirror_remove(struct pmap *pmap, page_t page, struct frame *frame)
{
    struct leaf *leaf = mirror_leaf(pmap, page);

    if (is_tracked(frame))
        entry_harvest(entry_load(leaf->table, leaf_index(page)), frame);
    entry_store(leaf->table, leaf_index(page), 0);
    leaf->frame->table.used--;
    pmap_flush_page(pmap, page_add(page, page_format.mirror_pages));
    leaf_retire(pmap, leaf);
}

/* One entry more that maps the frame, and one less: a frame that is not in the reverse
 * map is the one of zeroes. False if there is no memory. */
static inline bool
frame_join(struct pmap *pmap, page_t page, struct frame *frame)
{
    if (is_tracked(frame))
        return mapping_add(frame, pmap, page);
    pmap->zeroes++;
    return true;
}

static inline void
frame_leave(struct pmap *pmap, page_t page, struct frame *frame)
{
    if (is_tracked(frame))
        mapping_remove(frame, pmap, page);
    else
        pmap->zeroes--;
}

/* What leaves with an entry, besides the entry itself. */
static void
entry_detach(struct pmap *pmap, page_t page, table_entry_t entry)
{
    struct frame *frame = entry_descriptor(entry);

    if (is_mirrored(entry))
        mirror_remove(pmap, page, frame);
    if (is_tracked(frame))
        entry_harvest(entry, frame);
    frame_leave(pmap, page, frame);
}

void
pmap_clear_entry(struct pmap *pmap, struct leaf *leaf, page_t page, table_entry_t entry)
{
    entry_store(leaf->table, leaf_index(page), 0);
    leaf->frame->table.used--;
    pmap->resident--;
    pmap_flush_page(pmap, page);
    entry_detach(pmap, page, entry);
}

/* The entry for a frame with these rights. Under dirty=software a clean frame
 * is not writable yet. */
static table_entry_t
entry_make(const struct frame *frame, u32 rights)
{
    if (pmap_traps_first_write() && !frame->dirty)
        rights &= ~PMAP_WRITE;
    return physical_of(frame_number(frame)).value | ENTRY_PRESENT | ENTRY_USER | rights;
}

/* Maps page for execution in the mirror. False if there is no memory. */
static bool
mirror_enter(struct pmap *pmap, page_t page, const struct frame *frame)
{
    page_t mirror = page_add(page, page_format.mirror_pages);
    struct leaf *leaf = leaf_find(pmap, mirror);

    if (!leaf)
        leaf = leaf_make(pmap, mirror);
    if (!leaf)
        return false;
    if (!entry_load(leaf->table, leaf_index(page)))
        table_note_entry(leaf->frame, leaf_index(page));
    entry_store(leaf->table, leaf_index(page), entry_make(frame, PMAP_EXECUTE));
    return true;
}

/* Puts entry where nothing is. False if there is no memory. */
static bool
entry_add(struct pmap *pmap, struct leaf *leaf, page_t page, struct frame *frame, table_entry_t entry)
{
    u32 index = leaf_index(page);

    if (!frame_join(pmap, page, frame))
        return false;
    if (is_mirrored(entry) && !mirror_enter(pmap, page, frame)) {
        frame_leave(pmap, page, frame);
        return false;
    }
    table_note_entry(leaf->frame, index);
    pmap->resident++;
    entry_store(leaf->table, index, entry);
    return true;
}

/* Gives the entry of the same frame other rights; it keeps what the processor
 * noted in it. */
static enum pmap_found
entry_change(struct pmap *pmap, struct leaf *leaf, page_t page, table_entry_t old, table_entry_t entry)
{
    struct frame *frame = entry_descriptor(entry);
    bool withheld = old & ENTRY_WITHHELD || (old & ENTRY_WRITE && leaf->frame->table.write_revoked);

    if (is_mirrored(entry) && !is_mirrored(old) && !mirror_enter(pmap, page, frame))
        return PMAP_NO_MEMORY;
    if (is_mirrored(old) && !is_mirrored(entry))
        mirror_remove(pmap, page, frame);
    entry |= old & (ENTRY_ACCESSED | ENTRY_DIRTY);
    entry_store(leaf->table, leaf_index(page), entry);
    pmap_flush_page(pmap, page);
    return withheld ? PMAP_FOUND_WITHHELD : PMAP_FOUND_SAME;
}

enum pmap_found
pmap_enter(struct pmap *pmap, page_t page, struct frame *frame, u32 rights)
{
    enum pmap_found found = PMAP_FOUND_NOTHING;
    table_entry_t entry = entry_make(frame, rights), old;
    struct leaf *leaf = leaf_find_own(pmap, page);

    if (!leaf)
        leaf = leaf_make(pmap, page);
    if (!leaf)
        return PMAP_NO_MEMORY;
    old = entry_load(leaf->table, leaf_index(page));
    if (entry & ENTRY_WRITE && leaf->frame->table.write_revoked)
        old = leaf_spread_revocation(pmap, leaf, page);
    if (pmap_samples_references())
        frame->referenced = true;
    if (old && entry_frame(old).number == entry_frame(entry).number)
        return entry_change(pmap, leaf, page, old, entry);
    if (old) {
        pmap_clear_entry(pmap, leaf, page, old);
        found = PMAP_FOUND_OTHER;
    }
    return entry_add(pmap, leaf, page, frame, entry) ? found : PMAP_NO_MEMORY;
}

/* Calls visit for each present entry in [start, end). */
static void
pmap_visit(struct pmap *pmap, page_t start, page_t end,
           void (*visit)(struct pmap *, struct leaf *, page_t, table_entry_t, u32), u32 argument)
{
    u32 span = page_format.leaf_pages;

    for (u32 page = start.number, next; page < end.number; page = next) {
        struct leaf *leaf = leaf_find(pmap, (page_t){page});
        u32 window = page & ~(span - 1), index = page - window, stop;

        next = end.number - window < span ? end.number : window + span;
        if (!leaf)
            continue;
        stop = next - window < leaf->frame->table.high ? next - window : leaf->frame->table.high;
        index = index < leaf->frame->table.low ? leaf->frame->table.low : index;
        for (; index < stop; index++) {
            table_entry_t entry = entry_load(leaf->table, index);

            if (entry)
                visit(pmap, leaf, (page_t){window + index}, entry, argument);
        }
        leaf_retire(pmap, leaf);
    }
}

static void
entry_remove(struct pmap *pmap, struct leaf *leaf, page_t page, table_entry_t entry, u32 unused)
{
    (void)unused;
    pmap_clear_entry(pmap, leaf, page, entry);
}

void
pmap_remove(struct pmap *pmap, page_t start, page_t end)
{
    if (pmap->resident)
        pmap_visit(pmap, start, end, entry_remove, 0);
}

static void
entry_protect(struct pmap *pmap, struct leaf *leaf, page_t page, table_entry_t entry, u32 rights)
{
    table_entry_t kept = entry;

    if (!(rights & PMAP_WRITE))
        kept &= ~(ENTRY_WRITE | ENTRY_WITHHELD);
    if (!(rights & PMAP_EXECUTE))
        kept &= ~ENTRY_EXECUTE;
    if (kept == entry)
        return;
    if (is_mirrored(entry) && !is_mirrored(kept))
        mirror_remove(pmap, page, entry_descriptor(entry));
    entry_store(leaf->table, leaf_index(page), kept);
    pmap_flush_page(pmap, page);
}

void
pmap_protect(struct pmap *pmap, page_t start, page_t end, u32 rights)
{
    if (pmap->resident)
        pmap_visit(pmap, start, end, entry_protect, rights);
}

void
pmap_revoke_write(struct pmap *pmap)
{
    struct frame *frame;

    LIST_FOREACH(frame, &pmap->tables, table.link) {
        struct leaf *leaf;

        if (!table_is_leaf(frame) || frame->table.write_revoked)
            continue;
        leaf = leaf_find(pmap, (page_t){frame->index});
        entry_store(leaf->directory, leaf->directory_index,
                    entry_load(leaf->directory, leaf->directory_index) & ~ENTRY_WRITE);
        frame->table.write_revoked = true;
    }
    pmap_flush(pmap);
}

struct frame *
pmap_lookup(struct pmap *pmap, page_t page, u32 *rights)
{
    struct leaf *leaf = leaf_find(pmap, page);
    table_entry_t entry = leaf ? entry_load(leaf->table, leaf_index(page)) : 0;

    *rights = 0;
    if (!entry)
        return NULL;
    if (entry & ENTRY_WRITE && !leaf->frame->table.write_revoked)
        *rights |= PMAP_WRITE;
    if (entry & ENTRY_EXECUTE)
        *rights |= PMAP_EXECUTE;
    return entry_descriptor(entry);
}

/* The n-th leaf table outside the mirror, or NULL. */
static struct frame *
table_nth(struct pmap *pmap, u32 n)
{
    struct frame *frame;

    LIST_FOREACH(frame, &pmap->tables, table.link) {
        if (table_is_leaf(frame) && !in_mirror((page_t){frame->index}) && n-- == 0)
            return frame;
    }
    return NULL;
}

void
pmap_drop_random(struct pmap *pmap, struct random *random)
{
    struct frame *frame = table_nth(pmap, random_below(random, pmap->table_count));
    table_entry_t entry;
    page_t page;

    if (!frame || frame->table.high <= frame->table.low)
        return;
    page.number = frame->index + frame->table.low
                  + random_below(random, (u32)(frame->table.high - frame->table.low));
    entry = entry_load(leaf_find(pmap, page)->table, leaf_index(page));
    if (entry & ENTRY_LOCKED)
        return;
    if (pmap->working_set)
        entry_note_use(pmap, page, entry);
    pmap_remove(pmap, page, page_add(page, 1));
}
