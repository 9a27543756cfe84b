/*
 * madvise, mincore, msync and the mlock family.
 */
#include <asm/errno.h>
#include <asm/signal.h>
#include <linux/mman.h>

#include "mm/fault.h"
#include "mm/mmap_range.h"
#include "mm/reclaim.h"
#include "mm/transfer.h"
#include "mm/user.h"

#define SYNC_FLAGS (MS_ASYNC | MS_INVALIDATE | MS_SYNC)

/* Of 32-bit addresses, the kernel's included. */
#define PAGES_OF_ADDRESSES (1u << (32 - PAGE_SHIFT))

/* ---- Ranges ------------------------------------------------------------ */

/* Does something to the pages [start, stop) of a region. May sleep, and the region be gone afterwards. */
typedef int region_visit_t(const struct region *region, page_t start, page_t stop, u32 argument);

/* Visits all that is mapped of a range, up to the first error. A hole is -ENOMEM in the end. */
static int
range_visit(struct aspace *aspace, page_t start, page_t end, region_visit_t *visit, u32 argument)
{
    bool hole = false;
    int error = 0;
    page_t stop;

    for (; !error && start.number < end.number; start = stop) {
        const struct region *region = region_find_from(&aspace->regions, start);

        if (!region || region->start.number >= end.number)
            return -ENOMEM;
        hole |= region->start.number > start.number;
        start = region->start.number > start.number ? region->start : start;
        stop = region->end.number < end.number ? region->end : end;
        error = visit(region, start, stop, argument);
    }
    return !error && hole ? -ENOMEM : error;
}

/* ---- Filling ----------------------------------------------------------- */

/* Faults one page in, as often as it takes: each fault may have slept. -EAGAIN where
 * there is no memory, as mlock has it: perhaps the process is to die for that. */
static int
populate_page(struct aspace *aspace, page_t page, u32 access)
{
    struct fault_verdict verdict;
    u32 rights;

    do {
        if (fault_resolve(aspace, page_address(page), access, &verdict) < 0)
            return verdict.signal == SIGKILL ? -EAGAIN : -ENOMEM;
    } while (!pmap_lookup(&aspace->pmap, page, &rights));
    return 0;
}

int
mmap_populate(struct aspace *aspace, page_t start, page_t end)
{
    for (page_t page = start; page.number < end.number; page = page_add(page, 1)) {
        struct region *region = region_find(&aspace->regions, page);
        bool write;
        int error;

        if (!region || region->protection == 0)
            return -ENOMEM;
        /* Private writable memory is wanted as its own pages, not as shared ones. */
        write = region->protection & REGION_WRITE;
        error = populate_page(aspace, page, write ? FAULT_WRITE : FAULT_READ);
        if (error)
            return error;
    }
    return 0;
}

/* MADV_POPULATE_READ and _WRITE: as if the program touched each page, but that what
 * would be a signal is an error. */
static int
range_populate(struct aspace *aspace, page_t start, page_t end, bool write)
{
    u32 needed = write ? REGION_WRITE : REGION_READ;

    for (page_t page = start; page.number < end.number; page = page_add(page, 1)) {
        struct region *region = region_find(&aspace->regions, page);
        int error;

        if (!region)
            return -ENOMEM;
        if (!(region->protection & needed))
            return -EINVAL;
        error = populate_page(aspace, page, write ? FAULT_WRITE : FAULT_READ);
        if (error)
            return error == -EAGAIN ? -ENOMEM : -EFAULT;
    }
    return 0;
}

/* ---- Advice ------------------------------------------------------------ */

static bool
region_is_plain(const struct region *region)
{
    return region->object->kind == OBJECT_ZERO;
}

static int
region_discard(struct aspace *aspace, struct region *region, u32 only_plain, bool only_check)
{
    if (only_check)
        return region->flags & REGION_LOCKED || (only_plain && !region_is_plain(region)) ? -EINVAL : 0;
    aspace_note_peak(aspace);
    pmap_remove(&aspace->pmap, region->start, region->end);
    if (aspace->trace)
        aspace_trace_unmap(aspace, region, region->start, region->end);
    if (region->amap) {
        amap_destroy(region->amap);
        region->amap = NULL;
        aspace->regions.changes++;
    }
    return 0;
}

/* Sets the flag, or clears it. Memory to be wiped must be private and plain. */
static int
region_change_fork(struct aspace *aspace, struct region *region, u32 advice, bool only_check)
{
    (void)aspace;
    if (only_check)
        return advice == MADV_WIPEONFORK && !region_is_plain(region) ? -EINVAL : 0;
    if (advice == MADV_DONTFORK)
        region->flags |= REGION_NO_FORK;
    else if (advice == MADV_DOFORK)
        region->flags &= (u8)~REGION_NO_FORK;
    else if (advice == MADV_WIPEONFORK)
        region->flags |= REGION_WIPE_FORK;
    else
        region->flags &= (u8)~REGION_WIPE_FORK;
    return 0;
}

/* For advice that there is nothing to do about; or, about which pages are to be evicted, which locked ones are not. */
static int
region_leave(const struct region *region, page_t start, page_t stop, u32 only_unlocked)
{
    (void)start;
    (void)stop;
    return only_unlocked && region->flags & REGION_LOCKED ? -EINVAL : 0;
}

/* Evicts what is in memory of these pages. Each may sleep, and anything change meanwhile. */
static int
range_page_out(struct aspace *aspace, page_t start, page_t end)
{
    int error = range_visit(aspace, start, end, region_leave, true);

    for (page_t page = start; page.number < end.number; page = page_add(page, 1)) {
        struct frame *frame = aspace_frame(aspace, page);

        if (frame)
            reclaim_evict(frame);
    }
    return error;
}

/* ---- mincore, msync and holes ------------------------------------------ */

#define INCORE_PAGES 64u        /* told of at a time */

/* The frame of zeroes is nobody's: that a page is this one, only the entry tells. */
static bool
page_is_in_memory(struct aspace *aspace, const struct region *region, page_t page)
{
    u32 rights;

    return region_frame(region, page) || pmap_lookup(&aspace->pmap, page, &rights);
}

/* Of how many pages from page on it could be found out at once whether they are in memory; 0 in a hole. */
static u32
incore_look(struct aspace *aspace, page_t page, page_t end, u8 in_memory[INCORE_PAGES])
{
    const struct region *region = region_find(&aspace->regions, page);
    u32 count = 0;

    if (!region)
        return 0;
    end = region->end.number < end.number ? region->end : end;
    for (; count < INCORE_PAGES && page.number < end.number; page = page_add(page, 1))
        in_memory[count++] = page_is_in_memory(aspace, region, page);
    return count;
}

int
mmap_incore(struct aspace *aspace, u32 address, u32 bytes, u32 vector)
{
    u8 in_memory[INCORE_PAGES];
    page_t start, end;
    u32 count;

    if (address & PAGE_MASK)
        return -EINVAL;
    if (mmap_range(address, bytes, &start, &end) < 0)
        return -ENOMEM;
    if (!user_range_ok(vector, end.number - start.number))
        return -EFAULT;
    for (; start.number < end.number; start = page_add(start, count)) {
        count = incore_look(aspace, start, end, in_memory);
        if (count == 0)
            return -ENOMEM;
        if (user_copy_out(vector, in_memory, count) < 0)
            return -EFAULT;
        vector += count;
    }
    return 0;
}

/* The pages [start, stop) of one region. A mapping and its object are the same pages: all
 * there is to do is to write dirty ones of a file to the device. */
static int
region_sync(const struct region *region, page_t start, page_t stop, u32 flags)
{
    if (flags & MS_INVALIDATE && region->flags & REGION_LOCKED)
        return -EBUSY;
    return flags & MS_SYNC && region_writes_file(region) ? region_write_back(region, start, stop) : 0;
}

int
mmap_sync(struct aspace *aspace, u32 address, u32 bytes, u32 flags)
{
    page_t start, end;
    int error = mmap_range(address, bytes, &start, &end);

    if (flags & ~SYNC_FLAGS || (flags & MS_ASYNC && flags & MS_SYNC))
        return -EINVAL;
    return error ? error : range_visit(aspace, start, end, region_sync, flags);
}

/* MADV_REMOVE: what is shared through the region becomes a hole, and reads as zero. */
static int
region_punch(const struct region *region, page_t start, page_t stop, u32 unused)
{
    struct object *object = region->object;
    int error;

    (void)unused;
    if (region->flags & REGION_LOCKED || object->kind == OBJECT_ZERO)
        return -EINVAL;
    if (!(region->flags & REGION_SHARED) || !(region->protection & REGION_WRITE))
        return -EACCES;
    object_hold(object);
    error = object_clear(object, (u64)region_object_page(region, start) << PAGE_SHIFT,
                         (u64)(stop.number - start.number) << PAGE_SHIFT);
    object_release(object);
    return error;
}

/* ---- madvise ----------------------------------------------------------- */

int
mmap_advise(struct aspace *aspace, u32 address, u32 bytes, u32 advice)
{
    page_t start = page_of(address), end = page_add(start, pages_for(bytes));

    if (address & PAGE_MASK || end.number > PAGES_OF_ADDRESSES)
        return -EINVAL;
    switch (advice) {
    case MADV_NORMAL:
    case MADV_RANDOM:
    case MADV_SEQUENTIAL:
    case MADV_WILLNEED:
    case MADV_DONTDUMP:
    case MADV_DODUMP:
    case MADV_HUGEPAGE:
    case MADV_NOHUGEPAGE:
        return range_visit(aspace, start, end, region_leave, false);
    case MADV_COLD:
        return range_visit(aspace, start, end, region_leave, true);
    case MADV_DONTNEED:
    case MADV_FREE:
        return mmap_change_mapped(aspace, start, end, region_discard, advice == MADV_FREE);
    case MADV_REMOVE:
        return range_visit(aspace, start, end, region_punch, 0);
    case MADV_PAGEOUT:
        return range_page_out(aspace, start, end);
    case MADV_POPULATE_READ:
    case MADV_POPULATE_WRITE:
        return range_populate(aspace, start, end, advice == MADV_POPULATE_WRITE);
    case MADV_DONTFORK:
    case MADV_DOFORK:
    case MADV_WIPEONFORK:
    case MADV_KEEPONFORK:
        return mmap_change_mapped(aspace, start, end, region_change_fork, advice);
    default:
        return -EINVAL;
    }
}

/* ---- mlock ------------------------------------------------------------- */

/* To these of REGION_LOCK_FLAGS. */
static int
region_change_lock(struct aspace *aspace, struct region *region, u32 lock, bool only_check)
{
    u32 pages = region->end.number - region->start.number;
    bool locked = region->flags & REGION_LOCKED;

    if (only_check)
        return 0;
    /* The entries say PMAP_LOCKED; the ones that come back will not. */
    if (locked && !lock)
        aspace_forget_entries(aspace, region, region->start, region->end);
    aspace->locked_pages += (lock ? pages : 0) - (locked ? pages : 0);
    region->flags = (u8)((region->flags & ~REGION_LOCK_FLAGS) | lock);
    return 0;
}

/* For mlock and its kin an address within a page means the page. -EINVAL if the range goes round. */
static int
lock_range(u32 address, u32 bytes, page_t *start, page_t *end)
{
    u64 covered = (u64)bytes + (address & PAGE_MASK);

    *start = page_of(address);
    *end = page_add(*start, (u32)((covered + PAGE_MASK) >> PAGE_SHIFT));
    if (end->number >= PAGES_OF_ADDRESSES)
        return -EINVAL;
    return end->number > page_of(user_top()).number ? -ENOMEM : 0;
}

static bool
region_is_locked(const struct region *region)
{
    return region->flags & REGION_LOCKED;
}

bool
mmap_may_lock(const struct aspace *aspace, u32 pages)
{
    return pages <= aspace->lock_limit_pages && aspace->locked_pages <= aspace->lock_limit_pages - pages;
}

int
mmap_lock_new(struct aspace *aspace, page_t start, page_t end, bool populate)
{
    u32 lock = populate ? REGION_LOCKED : REGION_LOCK_FLAGS;
    int error = mmap_change(aspace, start, end, region_change_lock, lock);

    return error || !populate ? error : mmap_populate(aspace, start, end);
}

static int
lock_checked(struct aspace *aspace, u32 address, u32 bytes, bool populate)
{
    page_t start, end;
    int error = lock_range(address, bytes, &start, &end);
    u32 locked;

    if (aspace->lock_limit_pages == 0)
        return -EPERM;
    locked = region_count_pages(&aspace->regions, start, end, region_is_locked);
    if (!mmap_may_lock(aspace, end.number - start.number - locked))
        return -ENOMEM;
    return error ? error : mmap_lock_new(aspace, start, end, populate);
}

int
mmap_lock(struct aspace *aspace, u32 address, u32 bytes)
{
    return lock_checked(aspace, address, bytes, true);
}

int
mmap_lock_on_fault(struct aspace *aspace, u32 address, u32 bytes)
{
    return lock_checked(aspace, address, bytes, false);
}

int
mmap_unlock(struct aspace *aspace, u32 address, u32 bytes)
{
    page_t start, end;
    int error = lock_range(address, bytes, &start, &end);

    return error ? error : mmap_change(aspace, start, end, region_change_lock, 0);
}

/* Applies the change to every region, whatever lies between them. What cannot be
 * filled is passed over, unless memory has come to its end. */
static void
lock_everything(struct aspace *aspace, u32 lock)
{
    bool populate = lock == REGION_LOCKED;
    struct region *region;
    page_t start, end = {0};

    /* Filling may sleep, and the region be gone afterwards. */
    while ((region = region_find_from(&aspace->regions, end))) {
        start = region->start;
        end = region->end;
        region_change_lock(aspace, region, lock, false);
        populate = populate && mmap_populate(aspace, start, end) != -EAGAIN;
    }
}

int
mmap_lock_all(struct aspace *aspace, u32 flags)
{
    if (!(flags & (MCL_CURRENT | MCL_FUTURE)) || flags & ~(u32)(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
        return -EINVAL;
    if (aspace->lock_limit_pages == 0)
        return -EPERM;
    if (flags & MCL_CURRENT && aspace->regions.pages > aspace->lock_limit_pages)
        return -ENOMEM;
    aspace->lock_future = flags & MCL_FUTURE;
    aspace->lock_on_fault = aspace->lock_future && flags & MCL_ONFAULT;
    if (flags & MCL_CURRENT)
        lock_everything(aspace, flags & MCL_ONFAULT ? REGION_LOCK_FLAGS : REGION_LOCKED);
    return 0;
}

int
mmap_unlock_all(struct aspace *aspace)
{
    aspace->lock_future = aspace->lock_on_fault = false;
    lock_everything(aspace, 0);
    return 0;
}
