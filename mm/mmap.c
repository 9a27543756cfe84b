/*
 * mmap, munmap, mprotect and brk on any address space. Each checks everything
 * first and changes regions afterwards; page-table entries only ever lose rights
 * here, and gain them by faults.
 */
#include "mm/mmap.h"

#include <asm/errno.h>
#include <linux/mman.h>

#include "kernel/assert.h"
#include "mm/mmap_range.h"
#include "mm/swap.h"

/* Linux's protection bits are the regions' own. */
static_assert(PROT_READ == REGION_READ && PROT_WRITE == REGION_WRITE && PROT_EXEC == REGION_EXECUTE,
              "regions use Linux's PROT_*");
#define PROTECTION_BITS (PROT_READ | PROT_WRITE | PROT_EXEC)

/* Mappings lie below the room that the stack may grow into, which is at most this. */
#define STACK_ROOM_MAXIMUM_PAGES ((64u << 20) >> PAGE_SHIFT)

int
mmap_range(u32 address, u32 bytes, page_t *start, page_t *end)
{
    u32 pages = pages_for(bytes);

    if (address & PAGE_MASK)
        return -EINVAL;
    *start = page_of(address);
    *end = page_add(*start, pages);
    return end->number > page_of(user_top()).number ? -ENOMEM : 0;
}

/* ---- mmap -------------------------------------------------------------- */

/* The highest page that a mapping without an address of its own may reach. */
static page_t
mmap_ceiling(const struct aspace *aspace)
{
    u32 room = aspace->stack_limit_pages, top = aspace->stack_top >> PAGE_SHIFT;

    room = room < STACK_ROOM_MAXIMUM_PAGES ? room : STACK_ROOM_MAXIMUM_PAGES;
    room += (1u << 20) >> PAGE_SHIFT;
    return (page_t){top - room};
}

int
mmap_place(struct aspace *aspace, const struct mmap_request *request, u32 pages, page_t *start)
{
    u32 top = page_of(user_top()).number;
    bool fixed = request->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);

    if (fixed && request->address & PAGE_MASK)
        return -EINVAL;
    *start = page_of(request->address);
    if (fixed && start->number < page_of(USER_BOTTOM).number)
        return -EPERM;
    if (pages > top || (fixed && start->number > top - pages))
        return -ENOMEM;
    if (request->flags & MAP_FIXED_NOREPLACE
        && !region_is_free(&aspace->regions, *start, page_add(*start, pages)))
        return -EEXIST;
    if (fixed)
        return 0;
    if (start->number >= page_of(USER_BOTTOM).number && start->number <= top - pages
        && region_is_free(&aspace->regions, *start, page_add(*start, pages)))
        return 0;
    *start = region_find_gap(&aspace->regions, pages, page_of(USER_BOTTOM), mmap_ceiling(aspace));
    return start->number ? 0 : -ENOMEM;
}

/* Private and writable memory must fit into what there is in all: what cannot
 * possibly be kept is refused at once. */
static bool
mmap_is_hopeless(const struct mmap_request *request, u32 pages)
{
    bool counts = request->protection & PROT_WRITE || request->flags & MAP_SHARED;

    return counts && !(request->flags & MAP_NORESERVE) && (!request->object || !(request->flags & MAP_SHARED))
        && pages > frame_total() + swap_total();
}

bool
mmap_data_may_expand(struct aspace *aspace, u32 pages)
{
    u32 data = region_count_pages(&aspace->regions, page_of(0), page_of(user_top()), region_is_data);

    return pages <= aspace->data_limit_pages && data <= aspace->data_limit_pages - pages;
}

/* Whether with MAP_FIXED what is replaced makes room enough. */
static __attribute__((noinline)) bool
mmap_replaces_enough(struct aspace *aspace, const struct mmap_request *request, u32 pages, bool data)
{
    page_t start = page_of(request->address), end = page_add(start, pages);

    if (!(request->flags & MAP_FIXED) || end.number > page_of(user_top()).number)
        return false;
    return mmap_may_expand(aspace, pages - region_count_pages(&aspace->regions, start, end, NULL), data);
}

static inline bool
mmap_fits(struct aspace *aspace, const struct mmap_request *request, u32 pages)
{
    bool data = request->protection & PROT_WRITE && (request->flags & (MAP_TYPE | MAP_GROWSDOWN)) == MAP_PRIVATE;

    return mmap_may_expand(aspace, pages, data) || mmap_replaces_enough(aspace, request, pages, data);
}

/* What MAP_SHARED_VALIDATE, which is for files only, does not refuse. */
#define FLAGS_VALID (MAP_TYPE | MAP_FIXED | MAP_FIXED_NOREPLACE | MAP_GROWSDOWN | MAP_LOCKED | MAP_NORESERVE   \
                     | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK | MAP_DENYWRITE | MAP_EXECUTABLE | MAP_32BIT \
                     | MAP_HUGE_2MB | MAP_HUGE_1GB)

/* There are stacks of private memory only, and no huge pages. */
static int
mmap_check_flags(u32 flags)
{
    u32 type = flags & MAP_TYPE;
    bool named = !(flags & MAP_ANONYMOUS);

    if (type != MAP_SHARED && type != MAP_PRIVATE && !(named && type == MAP_SHARED_VALIDATE))
        return -EINVAL;
    if (flags & MAP_GROWSDOWN && (named || type != MAP_PRIVATE))
        return -EINVAL;
    if (flags & MAP_HUGETLB)
        return named ? -EINVAL : -ENOMEM;
    return type == MAP_SHARED_VALIDATE && flags & ~(u32)FLAGS_VALID ? -EOPNOTSUPP : 0;
}

static int
mmap_check(struct aspace *aspace, const struct mmap_request *request, u32 pages)
{
    int error = mmap_check_flags(request->flags);

    if (error)
        return error;
    if (request->bytes == 0)
        return -EINVAL;
    if (request->protection & ~request->maximum & PROTECTION_BITS)
        return -EACCES;
    if (request->object_page > UINT32_MAX - pages)
        return -EOVERFLOW;
    if (aspace->regions.count > region_limit || !mmap_fits(aspace, request, pages) || mmap_is_hopeless(request, pages))
        return -ENOMEM;
    return 0;
}

/* The region that the request describes, in no list yet. */
static struct region *
mmap_create_region(struct mmap_request *request, page_t start, u32 pages)
{
    bool shared = (request->flags & MAP_TYPE) != MAP_PRIVATE;
    struct object *object = request->object, *own = NULL;
    struct region *region;

    if (!object && shared)
        object = own = object_anonymous_create((u64)pages << PAGE_SHIFT);
    else if (!object)
        object = object_zero();
    if (!object)
        return NULL;
    region = region_create(&(struct region){
        .start = start,
        .end = page_add(start, pages),
        .protection = (u8)(request->protection & PROTECTION_BITS),
        .maximum = (u8)(request->maximum & PROTECTION_BITS),
        .flags = (u8)((shared ? REGION_SHARED : 0) | (request->flags & MAP_GROWSDOWN ? REGION_STACK : 0)),
        .object = object,
        .object_page = request->object ? request->object_page : 0,
        .data_end = request->data_end,
    });
    if (own)
        object_release(own);
    return region;
}

int
mmap_map(struct aspace *aspace, struct mmap_request *request)
{
    u32 pages = pages_for(request->bytes);
    struct region *region;
    page_t start, end;
    bool lock = request->flags & MAP_LOCKED || aspace->lock_future;
    int error = mmap_check(aspace, request, pages);

    if (!error && lock && !mmap_may_lock(aspace, pages))
        error = request->flags & MAP_LOCKED && aspace->lock_limit_pages == 0 ? -EPERM : -EAGAIN;
    if (!error)
        error = mmap_place(aspace, request, pages, &start);
    if (error)
        return error;
    end = page_add(start, pages);
    region = mmap_create_region(request, start, pages);
    if (!region)
        return -ENOMEM;
    if (request->flags & MAP_FIXED && aspace_unmap(aspace, start, end) < 0) {
        region_destroy(region);
        return -ENOMEM;
    }
    region_insert(&aspace->regions, region);
    region_merge(&aspace->regions, region);
    request->address = page_address(start);
    if (lock)
        mmap_lock_new(aspace, start, end, !aspace->lock_on_fault);
    else if ((request->flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE)
        mmap_populate(aspace, start, end);
    return 0;
}

int
mmap_unmap(struct aspace *aspace, u32 address, u32 bytes)
{
    page_t start, end;

    if (bytes == 0 || mmap_range(address, bytes, &start, &end) < 0)
        return -EINVAL;
    return aspace_unmap(aspace, start, end);
}

/* ---- Changing what is mapped ------------------------------------------- */

/* Cuts a region in two, if there may be one more: the upper part, or NULL. */
static struct region *
mmap_split(struct region_list *regions, struct region *region, page_t cut)
{
    return regions->count < region_limit ? region_split(regions, region, cut) : NULL;
}

int
mmap_change(struct aspace *aspace, page_t start, page_t end, mmap_change_t *change, u32 argument)
{
    struct region_list *regions = &aspace->regions;

    while (start.number < end.number) {
        struct region *region = region_find(regions, start);
        int error;

        if (!region)
            return -ENOMEM;
        error = change(aspace, region, argument, true);
        if (error)
            return error;
        if (region->start.number < start.number && !(region = mmap_split(regions, region, start)))
            return -ENOMEM;
        if (region->end.number > end.number && !mmap_split(regions, region, end)) {
            region_merge(regions, region);
            return -ENOMEM;
        }
        change(aspace, region, argument, false);
        start = region->end;
        region_merge(regions, region);
    }
    return 0;
}

int
mmap_change_mapped(struct aspace *aspace, page_t start, page_t end, mmap_change_t *change, u32 argument)
{
    bool hole = false;

    while (start.number < end.number) {
        struct region *region = region_find_from(&aspace->regions, start);
        page_t stop = end;
        int error;

        if (!region || region->start.number >= end.number)
            return -ENOMEM;
        if (region->start.number > start.number) {
            hole = true;
            start = region->start;
        }
        stop = region->end.number < end.number ? region->end : end;
        error = mmap_change(aspace, start, stop, change, argument);
        if (error)
            return error;
        start = stop;
    }
    return hole ? -ENOMEM : 0;
}

static int
region_change_protection(struct aspace *aspace, struct region *region, u32 protection, bool only_check)
{
    u32 rights = (protection & PROT_WRITE ? PMAP_WRITE : 0) | (protection & PROT_EXEC ? PMAP_EXECUTE : 0);

    if (only_check)
        return protection & ~region->maximum ? -EACCES : 0;
    region->protection = (u8)protection;
    if (protection)
        pmap_protect(&aspace->pmap, region->start, region->end, rights);
    else
        aspace_forget_entries(aspace, region, region->start, region->end);
    return 0;
}

/* PROT_GROWSDOWN: the change is to begin where the stack does that is the first thing mapped in [*start, end). */
static int
protect_from_bottom(struct aspace *aspace, page_t *start, page_t end)
{
    struct region *stack = region_find_from(&aspace->regions, *start);

    if (!stack || stack->start.number >= end.number)
        return -ENOMEM;
    if (!(stack->flags & REGION_STACK))
        return -EINVAL;
    *start = stack->start;
    return 0;
}

static bool
region_may_become_data(const struct region *region)
{
    return !(region->protection & REGION_WRITE) && !(region->flags & (REGION_SHARED | REGION_STACK));
}

/* Whether RLIMIT_DATA lets what was not writable become so. */
static bool
protect_fits(struct aspace *aspace, page_t start, page_t end, u32 protection)
{
    u32 pages;

    if (!(protection & PROT_WRITE) || aspace->data_limit_pages == ASPACE_PAGES_UNLIMITED)
        return true;
    pages = region_count_pages(&aspace->regions, start, end, region_may_become_data);
    return pages == 0 || mmap_may_expand(aspace, pages, true);
}

int
mmap_protect(struct aspace *aspace, u32 address, u32 bytes, u32 protection)
{
    page_t start, end;
    int error = mmap_range(address, bytes, &start, &end);

    if (!error && bytes == 0)
        return 0;
    if (!error && protection & ~(PROTECTION_BITS | PROT_SEM | PROT_GROWSDOWN))
        error = -EINVAL;
    if (!error && protection & PROT_GROWSDOWN)
        error = protect_from_bottom(aspace, &start, end);
    if (!error && !protect_fits(aspace, start, end, protection))
        error = -ENOMEM;
    return error ? error : mmap_change(aspace, start, end, region_change_protection, protection & PROTECTION_BITS);
}

/* ---- brk --------------------------------------------------------------- */

/* Extends the heap's region, which may have been cut since, or makes one. */
static bool
heap_extend(struct aspace *aspace, page_t start, page_t end)
{
    struct region *below = region_find(&aspace->regions, (page_t){start.number - 1}), *region;
    const struct region heap = {
        .start = start,
        .end = end,
        .protection = REGION_READ | REGION_WRITE,
        .maximum = PROTECTION_BITS,
        .flags = REGION_HEAP,
        .object = object_zero(),
    };

    if (below && below->flags == REGION_HEAP && below->protection == heap.protection)
        return region_grow(&aspace->regions, below, below->start, end);
    region = region_create(&heap);
    if (!region)
        return false;
    region_insert(&aspace->regions, region);
    return true;
}

/* A page stays free between the heap and what lies above it. */
static bool
heap_may_grow(struct aspace *aspace, page_t start, page_t end)
{
    u32 pages = end.number - start.number;

    return aspace->regions.count <= region_limit && (!aspace->lock_future || mmap_may_lock(aspace, pages))
        && mmap_may_expand(aspace, pages, true)
        && pages <= frame_total() + swap_total() && end.number <= mmap_ceiling(aspace).number
        && region_is_free(&aspace->regions, start, page_add(end, 1));
}

u32
mmap_brk(struct aspace *aspace, u32 address)
{
    page_t old = {pages_for(aspace->heap_end)}, new = {pages_for(address)};

    if (address < aspace->heap_start || address > user_top())
        return aspace->heap_end;
    if (new.number > old.number) {
        if (!heap_may_grow(aspace, old, new) || !heap_extend(aspace, old, new))
            return aspace->heap_end;
    } else if (new.number < old.number && aspace_unmap(aspace, new, old) < 0) {
        return aspace->heap_end;
    }
    aspace->heap_end = address;
    if (new.number > old.number && aspace->lock_future)
        mmap_lock_new(aspace, old, new, !aspace->lock_on_fault);
    return address;
}
