/*
 * mremap: shrinks, grows in place, or moves. Moving hands the anons over; no page
 * is copied. Whatever needs memory comes first: without it, both places stay as
 * they were.
 */
#include <asm/errno.h>
#include <linux/mman.h>

#include "mm/mmap_range.h"
#include "mm/swap.h"

/* What is asked for. */
struct remap {
    struct aspace *aspace;
    page_t old, old_end;        /* the pages as they are now: [old, old_end) */
    u32 old_pages;              /* of these; 0: only another mapping of the same is wanted */
    u32 pages;                  /* how many there are to be */
    u32 flags;                  /* MREMAP_* */
    u32 address;                /* with MREMAP_FIXED: where they are to be */
};

/* Pages that are not new. */
static u32
remap_kept(const struct remap *remap)
{
    return remap->old_pages < remap->pages ? remap->old_pages : remap->pages;
}

/* Whether the pages stay where they are, and perhaps fewer of them. */
static bool
remap_stays(const struct remap *remap)
{
    return !(remap->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && remap->old_pages >= remap->pages;
}

/* ---- Checking ---------------------------------------------------------- */

/* What moves or grows must be of one region. What lies behind the new length is unmapped, and may be anything. */
static int
remap_check_old(const struct remap *remap, const struct region *region)
{
    u32 kept = remap_kept(remap);

    if (!region)
        return -EFAULT;
    if (kept < remap->old_pages && remap->old_end.number > page_of(user_top()).number)
        return -EINVAL;
    return remap_stays(remap) || region->end.number - remap->old.number >= kept ? 0 : -EFAULT;
}

static bool
remap_flags_fit(const struct remap *remap)
{
    u32 flags = remap->flags;

    if (flags & ~(u32)(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP))
        return false;
    if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) && !(flags & MREMAP_MAYMOVE))
        return false;
    return !(flags & MREMAP_DONTUNMAP) || remap->pages == remap->old_pages;
}

static int
remap_check(const struct remap *remap)
{
    struct aspace *aspace = remap->aspace;
    struct region *region = region_find(&aspace->regions, remap->old);
    u32 more = remap->pages - remap_kept(remap);
    int error;

    if (remap->pages == 0 || !remap_flags_fit(remap))
        return -EINVAL;
    error = remap_check_old(remap, region);
    if (error)
        return error;
    if (remap->old_pages == 0 && !(region->flags & REGION_SHARED))
        return -EINVAL;
    if (region->flags & REGION_LOCKED && !mmap_may_lock(aspace, more))
        return -EAGAIN;
    if (remap->flags & MREMAP_DONTUNMAP)
        more = remap->pages;
    if (!mmap_may_expand(aspace, more, region_is_data(region)) || remap->pages > frame_total() + swap_total())
        return -ENOMEM;
    return 0;
}

/* ---- Moving ------------------------------------------------------------ */

/* Where the pages are to go: the place asked for, or a gap. */
static int
remap_target(const struct remap *remap, page_t *to)
{
    bool fixed = remap->flags & MREMAP_FIXED;
    const struct mmap_request request = {
        .address = fixed ? remap->address : 0,
        .flags = fixed ? MAP_FIXED : 0,
    };
    int error = mmap_place(remap->aspace, &request, remap->pages, to);

    if (error || !fixed)
        return error == -ENOMEM && fixed ? -EINVAL : error;
    return to->number < remap->old_end.number && to->number + remap->pages > remap->old.number ? -EINVAL : 0;
}

/* The region for the new place, with a second reference to each anon of the old
 * one. NULL if there is no memory. */
static struct region *
remap_create(const struct remap *remap, page_t to)
{
    const struct region *from = region_find(&remap->aspace->regions, remap->old);
    struct region *region = region_create(from);
    page_t kept_end = page_add(remap->old, remap_kept(remap));

    if (!region)
        return NULL;
    region->start = to;
    region->end = page_add(to, remap->pages);
    if (region->object->kind != OBJECT_ZERO)
        region->object_page = region_object_page(from, remap->old);
    if (!from->amap)
        return region;
    region->amap = amap_create(region->start, region->end);
    if (region->amap && amap_copy_range(from->amap, remap->old, kept_end, region->amap, to))
        return region;
    region_destroy(region);
    return NULL;
}

/* Takes the pages from the old place, and with them the mapping, unless that is to stay. */
static int
remap_leave(const struct remap *remap)
{
    struct aspace *aspace = remap->aspace;
    struct region *region;

    if (!(remap->flags & MREMAP_DONTUNMAP))
        return aspace_unmap(aspace, remap->old, remap->old_end);
    if (mmap_unlock(aspace, page_address(remap->old), remap->old_pages << PAGE_SHIFT) < 0)
        return -ENOMEM;
    region = region_find(&aspace->regions, remap->old);
    pmap_remove(&aspace->pmap, remap->old, remap->old_end);
    if (region->amap && !amap_remove(region->amap, remap->old, remap->old_end))
        return -ENOMEM;
    aspace->regions.changes++;
    return 0;
}

/* Moving cuts the old region at both ends, and the one at the new place. */
#define REMAP_MORE_REGIONS 3u

/* Both places are cleared, the new one last, so that it is free when this returns.
 * -ENOMEM, and nothing has changed, if regions cannot be cut; later only if another
 * thread maps something there meanwhile. */
static int
remap_clear(const struct remap *remap, page_t to, page_t end)
{
    struct aspace *aspace = remap->aspace;
    int error = 0;

    if (!aspace_cut(aspace, to, end))
        return -ENOMEM;
    if (remap->old_pages && !aspace_cut(aspace, remap->old, remap->old_end)) {
        aspace_mend(aspace, to, end);
        return -ENOMEM;
    }
    if (remap->old_pages)
        error = remap_leave(remap);
    return error ? error : aspace_unmap(aspace, to, end);
}

/* Locked pages that are new at their place are mapped at once. What cannot be is passed over, as on Linux. */
static void
remap_lock(struct aspace *aspace, page_t start, page_t end)
{
    if ((region_find(&aspace->regions, start)->flags & REGION_LOCK_FLAGS) == REGION_LOCKED)
        mmap_populate(aspace, start, end);
}

static int
remap_move(const struct remap *remap, u32 *result)
{
    struct aspace *aspace = remap->aspace;
    struct region *region;
    page_t to, end;
    int error;

    if (aspace->regions.count + REMAP_MORE_REGIONS >= region_limit)
        return -ENOMEM;
    error = remap_target(remap, &to);
    if (error)
        return error;
    end = page_add(to, remap->pages);
    region = remap_create(remap, to);
    if (!region)
        return -ENOMEM;
    error = remap_clear(remap, to, end);
    if (error) {
        region_destroy(region);
        return error;
    }
    if (region->flags & REGION_LOCKED)
        aspace->locked_pages += remap->pages;
    region_insert(&aspace->regions, region);
    region_merge(&aspace->regions, region);
    *result = page_address(to);
    remap_lock(aspace, to, end);
    return 0;
}

/* ---- Staying ----------------------------------------------------------- */

/* Grows the region, which must end where the pages do, by those behind it, if they are free. */
static bool
remap_grow(const struct remap *remap)
{
    struct aspace *aspace = remap->aspace;
    struct region *region = region_find(&aspace->regions, remap->old);
    page_t end = page_add(remap->old, remap->pages);

    if (region->end.number != remap->old_end.number || end.number > page_of(user_top()).number
        || !region_is_free(&aspace->regions, remap->old_end, end)
        || !region_grow(&aspace->regions, region, region->start, end))
        return false;
    if (region->flags & REGION_LOCKED)
        aspace->locked_pages += remap->pages - remap->old_pages;
    region_merge(&aspace->regions, region);
    remap_lock(aspace, remap->old_end, end);
    return true;
}

static int
remap_shrink(const struct remap *remap)
{
    page_t end = page_add(remap->old, remap->pages);

    return remap->pages == remap->old_pages ? 0 : aspace_unmap(remap->aspace, end, remap->old_end);
}

int
mmap_remap(struct aspace *aspace, u32 address, u32 old_bytes, u32 new_bytes, u32 flags, u32 new_address,
           u32 *result)
{
    u32 old_pages = pages_for(old_bytes);
    const struct remap remap = {
        .aspace = aspace,
        .old = page_of(address),
        .old_end = page_add(page_of(address), old_pages),
        .old_pages = old_pages,
        .pages = pages_for(new_bytes),
        .flags = flags,
        .address = new_address,
    };
    int error = address & PAGE_MASK ? -EINVAL : remap_check(&remap);

    if (error)
        return error;
    *result = address;
    if (remap_stays(&remap))
        return remap_shrink(&remap);
    if (!(flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && old_pages && remap_grow(&remap))
        return 0;
    return flags & MREMAP_MAYMOVE ? remap_move(&remap, result) : -ENOMEM;
}
