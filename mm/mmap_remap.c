/*
 * mremap: shrinks, grows in place, or moves. Moving hands the anons over; no page
 * is copied. Whatever needs memory comes first: without it, both places stay as
 * they were.
 */
#include <asm/errno.h>
#include <linux/mman.h>

#include "mm/mmap_range.h"
#include "mm/swap.h"

/* Where the pages are to go: the place asked for, or a gap. */
static int
remap_target(struct aspace *aspace, page_t old, u32 old_pages, u32 pages, u32 flags, u32 address, page_t *to)
{
    const struct mmap_request request = {
        .address = flags & MREMAP_FIXED ? address : 0,
        .flags = flags & MREMAP_FIXED ? MAP_FIXED : 0,
    };
    int error = mmap_place(aspace, &request, pages, to);

    if (error || !(flags & MREMAP_FIXED))
        return error == -ENOMEM && flags & MREMAP_FIXED ? -EINVAL : error;
    return to->number < old.number + old_pages && to->number + pages > old.number ? -EINVAL : 0;
}

/* The region for the new place, with a second reference to each anon of the old
 * one. NULL if there is no memory. */
static struct region *
remap_create(const struct region *from, page_t start, u32 kept, page_t to, u32 pages)
{
    struct region *region = region_create(from);

    if (!region)
        return NULL;
    region->start = to;
    region->end = page_add(to, pages);
    if (region->object->kind != OBJECT_ZERO)
        region->object_page = region_object_page(from, start);
    if (!from->amap)
        return region;
    region->amap = amap_create(region->start, region->end);
    if (region->amap && amap_copy_range(from->amap, start, page_add(start, kept), region->amap, to))
        return region;
    region_destroy(region);
    return NULL;
}

/* Takes the pages from the old place, and with them the mapping, unless it is to stay. */
static int
remap_leave(struct aspace *aspace, page_t start, page_t end, bool stay)
{
    struct region *region;

    if (!stay)
        return aspace_unmap(aspace, start, end);
    if (mmap_unlock(aspace, page_address(start), (end.number - start.number) << PAGE_SHIFT) < 0)
        return -ENOMEM;
    region = region_find(&aspace->regions, start);
    pmap_remove(&aspace->pmap, start, end);
    if (region->amap && !amap_remove(region->amap, start, end))
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
remap_clear(struct aspace *aspace, page_t old, page_t old_end, bool stay, page_t to, page_t end)
{
    bool moves = old.number < old_end.number;
    int error = 0;

    if (!aspace_cut(aspace, to, end) || (moves && !aspace_cut(aspace, old, old_end)))
        return -ENOMEM;
    if (moves)
        error = remap_leave(aspace, old, old_end, stay);
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
remap_move(struct aspace *aspace, page_t start, u32 old_pages, u32 pages, u32 flags, u32 address, u32 *result)
{
    u32 kept = old_pages < pages ? old_pages : pages;
    page_t old_end = page_add(start, old_pages), to, end;
    struct region *region;
    int error;

    if (aspace->regions.count + REMAP_MORE_REGIONS >= region_limit)
        return -ENOMEM;
    error = remap_target(aspace, start, old_pages, pages, flags, address, &to);
    if (error)
        return error;
    end = page_add(to, pages);
    region = remap_create(region_find(&aspace->regions, start), start, kept, to, pages);
    if (!region)
        return -ENOMEM;
    error = remap_clear(aspace, start, old_end, flags & MREMAP_DONTUNMAP, to, end);
    if (error) {
        region_destroy(region);
        return error;
    }
    if (region->flags & REGION_LOCKED)
        aspace->locked_pages += pages;
    region_insert(&aspace->regions, region);
    region_merge(&aspace->regions, region);
    *result = page_address(to);
    remap_lock(aspace, to, end);
    return 0;
}

/* Grows the region that ends at end by the pages behind it, if they are free. */
static bool
remap_grow(struct aspace *aspace, struct region *region, page_t old_end, page_t end)
{
    if (region->end.number != old_end.number || end.number > user_top() >> PAGE_SHIFT
        || !region_is_free(&aspace->regions, old_end, end)
        || !region_grow(&aspace->regions, region, region->start, end))
        return false;
    if (region->flags & REGION_LOCKED)
        aspace->locked_pages += end.number - old_end.number;
    region_merge(&aspace->regions, region);
    remap_lock(aspace, old_end, end);
    return true;
}

static bool
remap_stays(u32 old_pages, u32 pages, u32 flags)
{
    return !(flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && old_pages >= pages;
}

/* What moves or grows must be of one region. What lies behind the new length is unmapped, and may be anything. */
static int
remap_check_old(const struct region *region, page_t start, u32 old_pages, u32 pages, u32 flags)
{
    u32 kept = old_pages < pages ? old_pages : pages;

    if (!region)
        return -EFAULT;
    if (kept < old_pages && start.number + old_pages > user_top() >> PAGE_SHIFT)
        return -EINVAL;
    return remap_stays(old_pages, pages, flags) || region->end.number - start.number >= kept ? 0 : -EFAULT;
}

static int
remap_check(struct aspace *aspace, page_t start, u32 old_pages, u32 pages, u32 flags)
{
    struct region *region = region_find(&aspace->regions, start);
    u32 more = pages > old_pages ? pages - old_pages : 0;
    int error;

    if (flags & ~(u32)(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP) || pages == 0
        || (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) && !(flags & MREMAP_MAYMOVE))
        || (flags & MREMAP_DONTUNMAP && pages != old_pages))
        return -EINVAL;
    error = remap_check_old(region, start, old_pages, pages, flags);
    if (error)
        return error;
    if (old_pages == 0 && !(region->flags & REGION_SHARED))
        return -EINVAL;
    if (region->flags & REGION_LOCKED && !mmap_may_lock(aspace, more))
        return -EAGAIN;
    if (flags & MREMAP_DONTUNMAP)
        more = pages;
    return mmap_may_expand(aspace, more, region_is_data(region)) && pages <= frame_total() + swap_total() ? 0 : -ENOMEM;
}

int
mmap_remap(struct aspace *aspace, u32 address, u32 old_bytes, u32 new_bytes, u32 flags, u32 new_address,
           u32 *result)
{
    u32 old_pages = pages_for(old_bytes), pages = pages_for(new_bytes);
    page_t start = page_of(address), old_end = page_add(start, old_pages);
    int error = address & PAGE_MASK ? -EINVAL : remap_check(aspace, start, old_pages, pages, flags);

    if (error)
        return error;
    *result = address;
    if (remap_stays(old_pages, pages, flags))
        return pages == old_pages ? 0 : aspace_unmap(aspace, page_add(start, pages), old_end);
    if (!(flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && old_pages
        && remap_grow(aspace, region_find(&aspace->regions, start), old_end, page_add(start, pages)))
        return 0;
    if (!(flags & MREMAP_MAYMOVE))
        return -ENOMEM;
    return remap_move(aspace, start, old_pages, pages, flags, new_address, result);
}
