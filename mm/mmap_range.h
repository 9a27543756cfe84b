/*
 * What the memory calls share: checking a range, changing the regions in one,
 * filling one. For mm/mmap*.c.
 */
#pragma once

#include "mm/mmap.h"

/* The pages of [address, address + bytes): -EINVAL if the address is not at a page's
 * start, -ENOMEM if the range leaves user space. */
int mmap_range(u32 address, u32 bytes, page_t *start, page_t *end);

/* Where a mapping of pages may go, by the request's address and MAP_FIXED flags:
 * 0 and *start, or -EINVAL, -EPERM, -ENOMEM, -EEXIST. Changes nothing. */
int mmap_place(struct aspace *aspace, const struct mmap_request *request, u32 pages, page_t *start);

/* Whether RLIMIT_DATA lets so many more pages be data. Linear in the regions. */
bool mmap_data_may_expand(struct aspace *aspace, u32 pages);

/* Whether so many more pages may be mapped (RLIMIT_AS), and be data if that is what they are. */
static inline bool
mmap_may_expand(struct aspace *aspace, u32 pages, bool data)
{
    if (pages > aspace->size_limit_pages || aspace->regions.pages > aspace->size_limit_pages - pages)
        return false;
    return aspace->data_limit_pages == ASPACE_PAGES_UNLIMITED || !data || mmap_data_may_expand(aspace, pages);
}

/* Whether so many more pages may be locked. */
bool mmap_may_lock(const struct aspace *aspace, u32 pages);

/* Locks the pages without asking that, and faults them in if wanted. 0 or -ENOMEM. */
int mmap_lock_new(struct aspace *aspace, page_t start, page_t end, bool populate);

/* Applies a change to a region: with only_check, says whether it is allowed (0 or
 * -errno) and changes nothing; without, it cannot fail. */
typedef int mmap_change_t(struct aspace *aspace, struct region *region, u32 argument, bool only_check);

/* Changes exactly the pages [start, end), splitting and joining regions. It ends
 * with -ENOMEM at the first page that is not mapped, as mprotect and mlock do on
 * Linux, or with the error of the change; what lies before has been changed. */
int mmap_change(struct aspace *aspace, page_t start, page_t end, mmap_change_t *change, u32 argument);

/* The same over holes, as madvise and msync do: all that is mapped is changed, and
 * a hole makes it -ENOMEM in the end. */
int mmap_change_mapped(struct aspace *aspace, page_t start, page_t end, mmap_change_t *change, u32 argument);

/* Faults in every page of the range. 0, or -ENOMEM at the first that cannot be, or may
 * not be touched; -EAGAIN where there is no memory for a page. May sleep. */
int mmap_populate(struct aspace *aspace, page_t start, page_t end);
