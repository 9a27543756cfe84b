/*
 * Regions: ranges of an address space with one protection and one source.
 *
 * An address space's regions are disjoint, in address order, and neighbours that
 * could be one are one. They are a red-black tree by first page, in which each node
 * also knows the widest gap between the regions below it: so a region is found, and
 * so is room for a new one, in steps that grow with the logarithm of their count.
 * "Introduction to Algorithms" calls that augmenting a data structure.
 *
 *                   [40, 50)        subtree 10 to 90, gap 20: below it or beside it
 *                  /        \
 *          [10, 20)          [60, 70)           subtree 60 to 90, gap 10
 *          subtree 10 to 20          \
 *          gap 0                      [80, 90)
 *
 * The source is an object, never NULL: plain anonymous memory sits on the zero
 * object. A private region's pages that were written are anons in its amap,
 * which it has from its first write on.
 */
#pragma once

#include <bsd/sys/tree.h>

#include "kernel/types.h"
#include "mm/amap.h"
#include "mm/object.h"
#include "mm/units.h"

/* Protection bits, with Linux's PROT_* values. */
#define REGION_READ    1u
#define REGION_WRITE   2u
#define REGION_EXECUTE 4u

/* Flags. */
#define REGION_SHARED  1u       /* writes go to the object */
#define REGION_STACK   2u       /* grows downwards on a fault below it */
#define REGION_LOCKED  4u       /* mlock: its pages are pinned */
#define REGION_HEAP    8u       /* brk's, for /proc/PID/maps */
#define REGION_NO_FORK 16u      /* madvise(MADV_DONTFORK) */
#define REGION_WIPE_FORK 32u    /* madvise(MADV_WIPEONFORK): the child has it empty */
#define REGION_LOCK_ON_FAULT 64u    /* MLOCK_ONFAULT, if it is locked: its pages come in when they are touched */
#define REGION_LOCK_FLAGS (REGION_LOCKED | REGION_LOCK_ON_FAULT)

struct region {
    RB_ENTRY(region) link;
    page_t start, end;          /* [start, end) */
    u32 gap;                    /* pages of the widest gap in the subtree below here, or a mark that this
                                 * and the next two must be computed anew; region.c only */
    page_t first, last;         /* the subtree reaches over [first, last); region.c only */
    u8 protection;
    u8 maximum;                 /* what mprotect may ask for */
    u8 flags;
    struct object *object;      /* one reference held */
    u32 object_page;            /* page of the object at start */
    u64 data_end;               /* 0, or the object's byte from which on pages read as zero */
    struct amap *amap;          /* NULL until the first private write */
};

RB_HEAD(region_tree, region);

/* How many regions a process may have (/proc/sys/vm/max_map_count): mmap and its kin
 * answer ENOMEM then, while fork copies what there is. The callers of region_insert
 * and region_split see to it. */
extern u32 region_limit;

struct region_list {
    struct region_tree tree;
    struct region *last_hit;    /* found last, or newer; or NULL */
    u32 count;
    u32 pages;                  /* in all regions */
    u32 changes;                /* counts them, so that who slept can see whether there was one */
};

/* A region like model, but without an amap and in no list; it holds the object. NULL if
 * there is no memory. */
struct region *region_create(const struct region *model);

/* Releases amap and object. The region must be in no list, its pages unmapped. */
void region_destroy(struct region *region);

/* The first region that ends above page, or NULL. */
struct region *region_find_from(struct region_list *list, page_t page);

/* The region that holds page, or NULL, from the tree; the list remembers it. */
struct region *region_search(struct region_list *list, page_t page);

/* The region that holds page, or NULL. Most calls ask for the same one as the last. */
static inline struct region *
region_find(struct region_list *list, page_t page)
{
    struct region *region = list->last_hit;

    if (region && page.number >= region->start.number && page.number < region->end.number)
        return region;
    return region_search(list, page);
}

struct region *region_next(struct region *region);
struct region *region_previous(struct region *region);
struct region *region_first(struct region_list *list);

/* Puts it into the list; it must overlap no other. */
void region_insert(struct region_list *list, struct region *region);
void region_unlink(struct region_list *list, struct region *region);

/* Cuts region at page, strictly inside: region keeps what is below. Returns the
 * upper part, in the list; NULL if there is no memory, nothing changed. */
struct region *region_split(struct region_list *list, struct region *region, page_t cut);

/* Joins region with its neighbours where the two could be one. Returns the
 * region that holds what region held. Never fails: what cannot be joined for
 * want of memory stays apart. */
struct region *region_merge(struct region_list *list, struct region *region);

/* Moves the bounds outwards, for the heap and the stack; the room must be free.
 * False if there is no memory, nothing changed. Object pages do not move: only for
 * regions on the zero object. */
bool region_grow(struct region_list *list, struct region *region, page_t start, page_t end);

/* A free range of pages below limit and not below floor, as high as possible,
 * or page 0 if there is none. floor is not 0. */
page_t region_find_gap(struct region_list *list, u32 pages, page_t floor, page_t limit);

/* True if [start, end) meets no region. */
bool region_is_free(struct region_list *list, page_t start, page_t end);

/* Whether it counts as data, for RLIMIT_DATA and VmData: private, writable, and no stack. */
static inline bool
region_is_data(const struct region *region)
{
    return region->protection & REGION_WRITE && !(region->flags & (REGION_SHARED | REGION_STACK));
}

/* Pages of [start, end) that lie in regions of a kind; NULL: of any. */
u32 region_count_pages(struct region_list *list, page_t start, page_t end, bool (*is_kind)(const struct region *));

/* The object's page at page. */
static inline u32
region_object_page(const struct region *region, page_t page)
{
    return region->object_page + (page.number - region->start.number);
}

/* The anon at page, or NULL: the region has no private page there. */
static inline struct anon *
region_anon(const struct region *region, page_t page)
{
    return region->amap ? amap_lookup(region->amap, page) : NULL;
}

/* The frame of the anon at page, or else of the object's page there; NULL if that is not in
 * memory. The frame may be busy. */
static inline struct frame *
region_frame(const struct region *region, page_t page)
{
    struct anon *anon = region_anon(region, page);

    return anon ? anon->frame : object_resident(region->object, region_object_page(region, page));
}

/* The neighbours that may come with page when it is read: the region's next ones. */
static inline struct prefetch
region_prefetch(const struct region *region, page_t page)
{
    u32 rest = region->end.number - page.number - 1;

    return (struct prefetch){
        .pages = prefetch_pages < rest ? prefetch_pages : rest,
        .amap = region->amap,
        .page = page,
    };
}

/* Whether writing to the region's memory writes to its object, or could after an mprotect. */
static inline bool
region_may_write(const struct region *region)
{
    return region->flags & REGION_SHARED && region->maximum & REGION_WRITE;
}

/* The same for a file that has its place on a device. */
static inline bool
region_writes_file(const struct region *region)
{
    return region_may_write(region) && region->object->file.frame_count > 0;
}

/* Writes what is dirty of the file's pages [start, end) of such a region to the device.
 * 0 or -EIO. May sleep, and the region be gone afterwards if it is in a list. */
int region_write_back(const struct region *region, page_t start, page_t end);

/* NULL, or what is wrong with the list. */
const char *region_check(struct region_list *list);
