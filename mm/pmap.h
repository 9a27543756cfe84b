/*
 * Page tables: the only code that walks, fills or clears them.
 *
 * A pmap is a cache of what regions, amaps and objects say: any user entry may
 * be dropped at any moment at the price of a soft fault. Each entry that maps an
 * anonymous or object frame is in that frame's reverse map, so that a frame can
 * be taken from everybody who maps it. (The shared frame of zeroes is not: it is
 * never taken.)
 *
 * Two formats differ in a small table of encodings (struct page_format):
 *
 *   2level   10 | 10 | 12 bits, 4-byte entries, execute protection by segment:
 *            an executable page is mapped a second time, read-only, at its
 *            address + 0x60000000, where the user's code segment has its base
 *   pae      2 | 9 | 9 | 12 bits, 8-byte entries, the NX bit
 *
 * Intel SDM volume 3, chapter 4 (paging).
 */
#pragma once

#include "kernel/lib/random.h"
#include "kernel/types.h"
#include "kernel/x86/trap.h"
#include "mm/counters.h"
#include "mm/frame.h"
#include "mm/units.h"
#include "mm/working_set.h"

/*
 * An entry, in the form that this layer works with: the low half is the
 * processor's in both formats, and ENTRY_EXECUTE, a bit that the processor
 * ignores, says what each format then says in its own way: pae by the NX bit in
 * the high half, 2level by a second entry in the mirror.
 */
typedef u32 table_entry_t;

#define ENTRY_PRESENT  0x001u
#define ENTRY_WRITE    0x002u
#define ENTRY_USER     0x004u
#define ENTRY_ACCESSED 0x020u
#define ENTRY_DIRTY    0x040u
#define ENTRY_GLOBAL   0x100u
#define ENTRY_EXECUTE  0x200u       /* ignored by the processor, as are the next two */
#define ENTRY_WITHHELD 0x400u
#define ENTRY_LOCKED   0x800u
#define ENTRY_FRAME    0xFFFFF000u

/* Rights that an entry can have: the same bits. Reading is implied. */
#define PMAP_WRITE    ENTRY_WRITE
#define PMAP_EXECUTE  ENTRY_EXECUTE
/* Not permissions, but noted in the entry: */
#define PMAP_WITHHELD ENTRY_WITHHELD    /* write is withheld only because the page is shared copy-on-write */
#define PMAP_LOCKED   ENTRY_LOCKED      /* mlock: the frame is not evicted while this entry maps it */

#define TABLE_LEVELS_MAXIMUM 3

struct table_level {
    u8 shift;               /* of the index within a virtual address */
    u16 entries;
    table_entry_t flags;    /* of an entry at this level that points to a table */
};

struct page_format {
    const char *name;
    u32 levels;
    struct table_level level[TABLE_LEVELS_MAXIMUM];     /* top level first */
    u32 entry_bytes;
    u32 root_bytes;
    u32 leaf_pages;         /* that one table of the last level maps */
    u32 no_execute;         /* high half of an entry that forbids execution, or 0 */
    u32 mirror_pages;       /* distance of the executable mirror, or 0 */
    u32 user_top;           /* user addresses lie below */
};

extern const struct page_format pt_2level, pt_pae;
extern struct page_format page_format;     /* the one in force */

/* The first address that no user page can have. */
static inline u32
user_top(void)
{
    return page_format.user_top;
}

/* A table of the last level, where pages' entries are. */
struct leaf {
    u32 window;             /* number of the first page that it maps; 1: this is no leaf */
    void *table;
    struct frame *frame;    /* the table's own, for its table_use */
    void *directory;        /* the table one level up, and the index there */
    u32 directory_index;
};

struct pmap {
    void *root;
    physical_t root_physical;       /* for CR3 */
    LIST_HEAD(, frame) tables;      /* all its page tables below the root */
    u32 table_count;                /* these, and the root if it fills a frame */
    u32 resident;                   /* user pages mapped now, the mirror not counted */
    u32 zeroes;                     /* of these, mapped to the shared frame of zeroes */
    struct leaf recent[2];          /* the leaves last found: of pages, of their mirror */
    struct counters *counters;      /* the address space's, which sets it; until then nobody's */
    struct working_set *working_set;        /* the address space's, which sets it; NULL: not measured */
};

/* Counts an event for the system and for the pmap's address space. */
#define PMAP_COUNT(pmap, name) (counters.name++, (pmap)->counters->name++)

/* Chooses the format (paging= and nx=), builds the kernel's half with the direct
 * map of frames [0, limit), loads it and drops the boot tables. Refuses to boot
 * where the processor lacks what the format needs. */
void pmap_start(u32 limit);

/* An empty address space; false if no frame is free. */
bool pmap_create(struct pmap *pmap);

/* Gives the tables back. No user page may be mapped any more, and the pmap must
 * not be loaded. */
void pmap_destroy(struct pmap *pmap);

/* Loads it into CR3; NULL loads the kernel's own tables. Nothing if it is
 * loaded already. */
void pmap_activate(struct pmap *pmap);

/* What pmap_enter found where it put the new entry. */
enum pmap_found {
    PMAP_NO_MEMORY,         /* no frame for a table; the page may have lost its entry */
    PMAP_FOUND_NOTHING,
    PMAP_FOUND_OTHER,       /* another frame, whose mapping is gone now */
    PMAP_FOUND_SAME,        /* the same frame, now with these rights */
    PMAP_FOUND_WITHHELD,    /* the same frame, whose write access was withheld since fork */
};

/* Maps page to frame with the rights given. May take up to pmap_enter_frames()
 * frames, never evicts. */
enum pmap_found pmap_enter(struct pmap *pmap, page_t page, struct frame *frame, u32 rights);

/* Frames that one pmap_enter can need at most. */
u32 pmap_enter_frames(void);

/* Forgets the entries in [start, end), harvesting accessed and dirty. */
void pmap_remove(struct pmap *pmap, page_t start, page_t end);

/* Takes away what rights does not hold, in [start, end). Never adds. */
void pmap_protect(struct pmap *pmap, page_t start, page_t end, u32 rights);

/* Takes write access away from everything, in time proportional to the number
 * of tables: in the directory entries, which the first write in a table's reach
 * turns into entries. For fork. */
void pmap_revoke_write(struct pmap *pmap);

/* Draws a page and drops its entry, if there is one and it is not locked. For chaos=N. */
void pmap_drop_random(struct pmap *pmap, struct random *random);

/* Notes in the pmap's working set, which there must be, the pages used since the last
 * sample. For the replacement policy they count as used all the same. */
void pmap_sample(struct pmap *pmap);

/* Notes there every page that is mapped and not locked, used or not. */
void pmap_presume_used(struct pmap *pmap);

/* The frame that page is mapped to, or NULL; rights tells what the entry permits. */
struct frame *pmap_lookup(struct pmap *pmap, page_t page, u32 *rights);

/* The reverse map: each works on every mapping of the frame. */
void pmap_frame_remove(struct frame *frame);          /* forget, harvesting */
bool pmap_frame_test_referenced(struct frame *frame); /* harvest, and clear the reference bit */
bool pmap_frame_test_dirty(struct frame *frame);      /* harvest, and clear: the next write shows again */
void pmap_frame_harvest_dirty(struct frame *frame);   /* gather into frame->dirty */
bool pmap_frame_is_locked(const struct frame *frame); /* by an entry with PMAP_LOCKED */

/* Whether the access to *address was the fetch of the instruction at eip. If
 * execution is protected by the mirror, *address is turned from the mirror's into
 * the page's own. */
static inline bool
pmap_is_fetch(u32 *address, u32 eip, u32 error_code)
{
    const u32 longest_instruction = 15;
    u32 base = page_format.mirror_pages << PAGE_SHIFT;

    if (!base)
        return page_format.no_execute != 0 && error_code & PAGE_FAULT_FETCH;
    /* The processor reports the fetch only if it has SMEP; the distance from the
     * instruction pointer tells in any case. */
    if (*address - (eip + base) >= longest_instruction)
        return false;
    *address -= base;
    return true;
}

/* Which of the processor's bits are believed, of ENTRY_ACCESSED and ENTRY_DIRTY. */
extern table_entry_t pmap_harvest_mask;

/* Whether accessed=software is in force: that a page is used shows by a fault. */
static inline bool
pmap_samples_references(void)
{
    return !(pmap_harvest_mask & ENTRY_ACCESSED);
}

/* Whether dirty=software is in force: a frame that is not dirty is never mapped writable. */
static inline bool
pmap_traps_first_write(void)
{
    return !(pmap_harvest_mask & ENTRY_DIRTY);
}

/* The kernel's area above the direct map. The page must lie there. */
void pmap_kernel_enter(page_t page, struct frame *frame);
struct frame *pmap_kernel_remove(page_t page);

/* One level of a walk, for /proc and tests: *entry becomes the entry for page in
 * the table at this level, counted from 0, of pmap or, if that is NULL, of the
 * kernel. False if there is no such table. */
bool pmap_walk_level(struct pmap *pmap, page_t page, u32 level, table_entry_t *entry);

/* NULL, or what is wrong: tables' counts, reverse map against entries. */
const char *pmap_check(struct pmap *pmap);
