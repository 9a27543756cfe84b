/*
 * Changing what an address space maps: what the memory system calls do, on any
 * address space. Addresses and lengths are as the user gave them and are checked
 * here. Protections and flags are Linux's PROT_* and MAP_*.
 */
#pragma once

#include "kernel/types.h"
#include "mm/aspace.h"

struct mmap_request {
    u32 address;            /* in: hint, or the place itself with MAP_FIXED; out: where it is */
    u32 bytes;              /* rounded up to pages */
    u32 protection;
    u32 flags;
    u32 maximum;            /* what mprotect may grant later (PROT_* bits) */
    struct object *object;  /* NULL: anonymous */
    u32 object_page;        /* page of the object at address; without an object it means nothing, but is checked */
    u64 data_end;           /* 0, or the byte of the object from which on memory reads as zero */
};

/* 0 and request->address, or -EINVAL, -ENOMEM, -EEXIST, -EPERM, -EOVERFLOW (a page of the
 * object that 32 bits cannot number), -EOPNOTSUPP (MAP_SHARED_VALIDATE). The object's
 * reference stays the caller's. May sleep with MAP_POPULATE or MAP_LOCKED. */
int mmap_map(struct aspace *aspace, struct mmap_request *request);

/* 0, -EINVAL or, where a region cannot be split, -ENOMEM, and then nothing has changed.
 * Writes what is dirty of files to their device: may sleep. */
int mmap_unmap(struct aspace *aspace, u32 address, u32 bytes);

/* 0, -EINVAL, -ENOMEM (a hole, or beyond RLIMIT_DATA) or -EACCES (more than maximum);
 * pages before the one that made the error have been changed. Never sleeps. */
int mmap_protect(struct aspace *aspace, u32 address, u32 bytes, u32 protection);

/* The new end of the heap, or the old one if it could not be moved. May sleep. */
u32 mmap_brk(struct aspace *aspace, u32 address);

/* MREMAP_*. 0 and *result, where the pages are now; or -EINVAL, -EFAULT, -ENOMEM, -EPERM,
 * -EAGAIN (no more may be locked), and then they are where they were. May sleep. */
int mmap_remap(struct aspace *aspace, u32 address, u32 old_bytes, u32 new_bytes, u32 flags,
               u32 new_address, u32 *result);

/* MADV_*. 0, -EINVAL, -ENOMEM (a hole: the rest is done), or what the advice can fail with.
 * May sleep and evict. */
int mmap_advise(struct aspace *aspace, u32 address, u32 bytes, u32 advice);

/* mincore: a byte for each page, to the vector in the current process's memory; bit 0 says
 * that the page is in memory. 0, -EINVAL, -ENOMEM (a hole) or -EFAULT. May sleep. */
int mmap_incore(struct aspace *aspace, u32 address, u32 bytes, u32 vector);

/* msync: with MS_SYNC, dirty pages of files are on their device afterwards. 0, -EINVAL,
 * -ENOMEM (not all of it is mapped: the rest is done), -EBUSY (MS_INVALIDATE, and it is
 * locked) or -EIO. May sleep. */
int mmap_sync(struct aspace *aspace, u32 address, u32 bytes, u32 flags);

/* Locks the pages and brings them in; or each when it is touched. 0, -EINVAL, -ENOMEM (a
 * hole, or beyond the limit), -EPERM (the limit is 0) or -EAGAIN (there is no memory
 * for a page). May sleep and evict. */
int mmap_lock(struct aspace *aspace, u32 address, u32 bytes);
int mmap_lock_on_fault(struct aspace *aspace, u32 address, u32 bytes);
int mmap_unlock(struct aspace *aspace, u32 address, u32 bytes);

/* The same for all there is, and with MCL_FUTURE for all that comes. MCL_*. */
int mmap_lock_all(struct aspace *aspace, u32 flags);
int mmap_unlock_all(struct aspace *aspace);
