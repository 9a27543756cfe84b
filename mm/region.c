/*
 * Regions: ranges of an address space with one protection and one source.
 */
#include "mm/region.h"

#include "kernel/assert.h"
#include "kernel/command_line.h"
#include "mm/kmem_cache.h"

/* Linux's default. The greatest keeps the recursion in region_subtree_gap far from a kernel stack's end. */
u32 region_limit = 65530;
BOOT_NUMBER(max_map_count, region_limit, 1, 1u << 24, "mappings that a process may have");

static struct kmem_cache region_cache = KMEM_CACHE("region", sizeof(struct region), 4);

static int
region_compare(const struct region *left, const struct region *right)
{
    return left->start.number < right->start.number ? -1 : left->start.number > right->start.number;
}

/* ---- What a node knows of its subtree ---------------------------------- */

/*
 * Changes are far more frequent than searches for a gap. So a change only notes, on the
 * way up to the root, that what nodes know is stale, and the next search computes it
 * anew where it is. The ancestors of a stale node are stale.
 */
#define GAP_STALE 0xFFFFFFFFu

struct subtree {
    page_t first, last;
    u32 gap;
};

static u32
larger(u32 left, u32 right)
{
    return left > right ? left : right;
}

/* From the region itself and what its children know. */
static struct subtree
region_subtree(const struct region *region)
{
    const struct region *left = RB_LEFT(region, link), *right = RB_RIGHT(region, link);
    struct subtree subtree = {.first = region->start, .last = region->end};

    if (left) {
        subtree.first = left->first;
        subtree.gap = larger(left->gap, region->start.number - left->last.number);
    }
    if (right) {
        subtree.last = right->last;
        subtree.gap = larger(subtree.gap, larger(right->gap, right->first.number - region->end.number));
    }
    return subtree;
}

/* The bounds or the children of region have changed. */
static inline void
region_changed(struct region *region)
{
    for (; region && region->gap != GAP_STALE; region = RB_PARENT(region, link))
        region->gap = GAP_STALE;
}

static void
region_refresh(struct region *region)
{
    struct subtree subtree;

    if (!region || region->gap != GAP_STALE)
        return;
    region_refresh(RB_LEFT(region, link));
    region_refresh(RB_RIGHT(region, link));
    subtree = region_subtree(region);
    region->first = subtree.first;
    region->last = subtree.last;
    region->gap = subtree.gap;
}

/* The tree calls this on each node whose children have changed. */
#undef RB_AUGMENT
#define RB_AUGMENT(region) region_changed(region)

/* Not RB_GENERATE_STATIC, which relies on an __unused that libbsd does not define. */
RB_GENERATE_INTERNAL(region_tree, region, link, region_compare, static __attribute__((unused)))

struct region *
region_create(const struct region *model)
{
    struct region *region = kmem_cache_allocate(&region_cache);

    if (!region)
        return NULL;
    *region = *model;
    region->amap = NULL;
    object_hold(region->object);
    if (region_may_write(region))
        region->object->writable_regions++;
    return region;
}

void
region_destroy(struct region *region)
{
    if (region->amap)
        amap_destroy(region->amap);
    if (region_may_write(region))
        region->object->writable_regions--;
    object_release(region->object);
    kmem_cache_free(&region_cache, region);
}

/* ---- Finding ----------------------------------------------------------- */

struct region *
region_find_from(struct region_list *list, page_t page)
{
    struct region *region = RB_ROOT(&list->tree), *best = NULL;

    while (region) {
        if (page.number < region->end.number) {
            best = region;
            region = RB_LEFT(region, link);
        } else {
            region = RB_RIGHT(region, link);
        }
    }
    return best;
}

struct region *
region_search(struct region_list *list, page_t page)
{
    struct region *region = region_find_from(list, page);

    if (!region || page.number < region->start.number)
        return NULL;
    return list->last_hit = region;
}

struct region *
region_next(struct region *region)
{
    return RB_NEXT(region_tree, NULL, region);
}

struct region *
region_previous(struct region *region)
{
    return RB_PREV(region_tree, NULL, region);
}

struct region *
region_first(struct region_list *list)
{
    return RB_MIN(region_tree, &list->tree);
}

bool
region_is_free(struct region_list *list, page_t start, page_t end)
{
    struct region *region = region_find_from(list, start);

    return !region || region->start.number >= end.number;
}

u32
region_count_pages(struct region_list *list, page_t start, page_t end, bool (*is_kind)(const struct region *))
{
    struct region *region = region_find_from(list, start);
    u32 pages = 0;

    for (; region && region->start.number < end.number; region = region_next(region)) {
        u32 low = region->start.number > start.number ? region->start.number : start.number;
        u32 high = region->end.number < end.number ? region->end.number : end.number;

        if (!is_kind || is_kind(region))
            pages += high - low;
    }
    return pages;
}

/*
 * The highest gap of so many pages in [low, high), where no regions are but those of
 * a subtree; or page 0. A subtree that knows of no such gap is passed over, unless
 * low or high cuts through it, which they do on one path each: the depth of the tree
 * bounds the steps.
 */
static page_t
region_subtree_gap(const struct region *region, u32 pages, u32 low, u32 high)
{
    page_t found;

    if (low >= high || high - low < pages)
        return (page_t){0};
    if (!region)
        return (page_t){high - pages};
    if (region->gap < pages && region->first.number < low + pages && region->last.number > high - pages)
        return (page_t){0};
    found = region_subtree_gap(RB_RIGHT(region, link), pages, larger(low, region->end.number), high);
    if (found.number)
        return found;
    return region_subtree_gap(RB_LEFT(region, link), pages, low,
                              high < region->start.number ? high : region->start.number);
}

/* Most often there is room below one of the highest regions, and the tree is not asked. */
#define REGION_HIGHEST 4u

page_t
region_find_gap(struct region_list *list, u32 pages, page_t floor, page_t limit)
{
    struct region *region = region_find_from(list, limit);
    u32 top = limit.number, bottom;

    /* region ends above top, so what is below it is what counts. */
    if (region && region->start.number < top)
        top = region->start.number;
    region = region ? region_previous(region) : RB_MAX(region_tree, &list->tree);
    for (u32 i = 0; i < REGION_HIGHEST && top > floor.number; i++) {
        bottom = region ? larger(region->end.number, floor.number) : floor.number;
        if (top >= bottom && top - bottom >= pages)
            return (page_t){top - pages};
        if (!region)
            return (page_t){0};
        top = region->start.number;
        region = region_previous(region);
    }
    region_refresh(RB_ROOT(&list->tree));
    return region_subtree_gap(RB_ROOT(&list->tree), pages, floor.number, top);
}

/* ---- Changing ---------------------------------------------------------- */

void
region_insert(struct region_list *list, struct region *region)
{
    struct region *clash;

    region->gap = GAP_STALE;
    clash = RB_INSERT(region_tree, &list->tree, region);
    assert(!clash && region->start.number < region->end.number);
    list->last_hit = region;    /* what is new is used next */
    list->count++;
    list->changes++;
    list->pages += region->end.number - region->start.number;
}

void
region_unlink(struct region_list *list, struct region *region)
{
    RB_REMOVE(region_tree, &list->tree, region);
    if (list->last_hit == region)
        list->last_hit = NULL;
    list->count--;
    list->changes++;
    list->pages -= region->end.number - region->start.number;
}

struct region *
region_split(struct region_list *list, struct region *region, page_t cut)
{
    struct region *upper = region_create(region);

    assert(cut.number > region->start.number && cut.number < region->end.number);
    if (!upper)
        return NULL;
    if (region->amap && !amap_split(region->amap, cut, region->end, &upper->amap)) {
        region_destroy(upper);
        return NULL;
    }
    upper->start = cut;
    if (upper->object->kind != OBJECT_ZERO)
        upper->object_page = region_object_page(region, cut);
    list->pages -= region->end.number - cut.number;
    region->end = cut;
    region_insert(list, upper);         /* below region, which it makes stale */
    return upper;
}

/* Whether upper goes on where lower ends, in every respect. */
static bool
region_continues(const struct region *lower, const struct region *upper)
{
    return lower->end.number == upper->start.number && lower->object == upper->object
        && lower->protection == upper->protection && lower->maximum == upper->maximum
        && lower->flags == upper->flags && lower->data_end == upper->data_end
        && (lower->object->kind == OBJECT_ZERO
            || region_object_page(lower, lower->end) == upper->object_page);
}

/* Gives lower an amap for both, if either has one. */
static bool
region_join_amaps(struct region *lower, struct region *upper)
{
    if (lower->amap && upper->amap) {
        if (!amap_merge(lower->amap, upper->amap, upper->end))
            return false;
    } else if (upper->amap) {
        if (!amap_extend(upper->amap, lower->start, upper->end))
            return false;
        lower->amap = upper->amap;
    } else if (lower->amap && !amap_extend(lower->amap, lower->start, upper->end)) {
        return false;
    }
    upper->amap = NULL;
    return true;
}

/* Joins the two if they can be one; true if upper is gone. */
static bool
region_join(struct region_list *list, struct region *lower, struct region *upper)
{
    page_t end;

    if (!lower || !upper || !region_continues(lower, upper) || !region_join_amaps(lower, upper))
        return false;
    end = upper->end;
    region_unlink(list, upper);
    list->pages += end.number - lower->end.number;
    lower->end = end;
    region_changed(lower);
    region_destroy(upper);
    return true;
}

struct region *
region_merge(struct region_list *list, struct region *region)
{
    struct region *previous = region_previous(region);

    region_join(list, region, region_next(region));
    return region_join(list, previous, region) ? previous : region;
}

bool
region_grow(struct region_list *list, struct region *region, page_t start, page_t end)
{
    if (region->amap && !amap_extend(region->amap, start, end))
        return false;
    list->pages += region->start.number - start.number;
    list->pages += end.number - region->end.number;
    region->start = start;
    region->end = end;
    region_changed(region);
    list->changes++;
    return true;
}

int
region_write_back(const struct region *region, page_t start, page_t end)
{
    struct object *object = region->object;
    u32 first = region_object_page(region, start);
    int error;

    object_hold(object);
    error = object_write_back(object, first, first + (end.number - start.number));
    object_release(object);
    return error;
}

/* A stale node need only have stale ones above it; any other knows what is below it. */
static bool
region_is_known(const struct region *region)
{
    const struct region *parent = RB_PARENT(region, link);
    struct subtree subtree;

    if (region->gap == GAP_STALE)
        return !parent || parent->gap == GAP_STALE;
    subtree = region_subtree(region);
    return region->first.number == subtree.first.number && region->last.number == subtree.last.number
        && region->gap == subtree.gap;
}

const char *
region_check(struct region_list *list)
{
    struct region *region, *previous = NULL;
    u32 count = 0, pages = 0;

    RB_FOREACH(region, region_tree, &list->tree) {
        if (region->start.number >= region->end.number)
            return "a region is empty";
        if (previous && previous->end.number > region->start.number)
            return "two regions overlap";
        if (region->amap
            && (region->amap->first > region->start.number >> CHUNK_SHIFT
                || region->amap->first + region->amap->count
                       < ((region->end.number - 1) >> CHUNK_SHIFT) + 1))
            return "an amap does not reach over its region";
        if (region->flags & REGION_SHARED && region->amap)
            return "a shared region has private pages";
        if (!region_is_known(region))
            return "a region does not know its subtree";
        count++;
        pages += region->end.number - region->start.number;
        previous = region;
    }
    return count == list->count && pages == list->pages ? NULL : "a region list's counts are wrong";
}
