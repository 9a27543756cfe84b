/*
 * Moving bytes between objects, address spaces and buffers: what read, write
 * and exec need. Each asks reclaim for frames page by page and may sleep.
 */
#pragma once

#include "kernel/types.h"
#include "mm/aspace.h"
#include "mm/object.h"

/* Copies bytes of an object, from offset on, to the current process's memory: the count
 * copied, which is less at the end of the object or at a bad pointer; or -EFAULT, -EIO,
 * -ENOMEM, and the other way -ENOSPC, if none could be. */
int object_read_user(struct object *object, u64 offset, u32 user_address, u32 bytes);

/* The other way, into an object that reaches so far already. */
int object_write_user(struct object *object, u64 offset, u32 user_address, u32 bytes);

/* The same with a kernel buffer. */
int object_read_kernel(struct object *object, u64 offset, void *buffer, u32 bytes);
int object_write_kernel(struct object *object, u64 offset, const void *buffer, u32 bytes);

/* Fills the holes among the pages [first, end), which are within the size, with pages of
 * zeroes. 0, -ENOSPC, -ENOMEM or -EIO: then some are filled. */
int object_populate(struct object *object, u32 first, u32 end);

/* Has the object's bytes [offset, offset + bytes) read as zero, as far as it reaches; whole
 * pages that are anons become holes. 0, -ENOMEM or -EIO: then a part is cleared. */
int object_clear(struct object *object, u64 offset, u64 bytes);

/* Into and out of an address space that need not be the current one, with the
 * rights of its regions. 0, -EFAULT or -ENOMEM. */
int aspace_write(struct aspace *aspace, u32 address, const void *data, usize bytes);
int aspace_read(struct aspace *aspace, u32 address, void *data, usize bytes);
