/*
 * The memory system calls: from the registers to mm/mmap.h, on the current address space. What they mean is written
 * there.
 */
#include "kernel/syscall_memory.h"

#include "kernel/file.h"
#include "kernel/process.h"
#include "kernel/resource.h"
#include "kernel/seal.h"
#include "kernel/x86/cpu.h"
#include "mm/mmap.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <linux/mman.h>

#define ALL_PROTECTIONS (PROT_READ | PROT_WRITE | PROT_EXEC)

/* The old call passes its six arguments in memory. */
struct mmap_arguments {
    u32 address, bytes, protection, flags;
    s32 descriptor;
    u32 offset;
};

s32
sys_brk(u32 address)
{
    return (s32)mmap_brk(cpu()->aspace, address);
}

/*
 * Fills in the request's object from an open file; the reference is the caller's. What the file was not opened for,
 * mprotect cannot ask for later.
 */
static int
request_open_object(struct mmap_request *request, s32 descriptor)
{
    struct file *file;
    int error = file_get(current_process()->files, descriptor, &file);

    if (error < 0)
        return error;
    if ((request->flags & MAP_TYPE) != MAP_PRIVATE
        && (!file_may_write(file) || seal_forbids_writing(file->inode)))
        request->maximum &= ~(u32)PROT_WRITE;
    error = file_mmap_object(file, request->protection, request->flags, &request->object);
    file_release(file);
    return error;
}

s32
sys_mmap2(u32 address, u32 bytes, u32 protection, u32 flags, s32 descriptor, u32 page_offset)
{
    struct mmap_request request = {
        .address = address,
        .bytes = bytes,
        .protection = protection,
        .flags = flags,
        .maximum = ALL_PROTECTIONS,
        .object_page = page_offset,
    };
    int error = 0;

    if (!(flags & MAP_ANONYMOUS))
        error = request_open_object(&request, descriptor);
    if (error < 0)
        return error;
    error = mmap_map(cpu()->aspace, &request);
    if (request.object != NULL)
        object_release(request.object);
    return error < 0 ? error : (s32)request.address;
}

s32
sys_mmap(u32 address)
{
    struct mmap_arguments arguments;

    if (user_copy_in(&arguments, address, sizeof(arguments)) < 0)
        return -EFAULT;
    if (arguments.offset & PAGE_MASK)
        return -EINVAL;
    return sys_mmap2(arguments.address, arguments.bytes, arguments.protection, arguments.flags,
                     arguments.descriptor, arguments.offset >> PAGE_SHIFT);
}

s32
sys_munmap(u32 address, u32 bytes)
{
    return mmap_unmap(cpu()->aspace, address, bytes);
}

s32
sys_mprotect(u32 address, u32 bytes, u32 protection)
{
    return mmap_protect(cpu()->aspace, address, bytes, protection);
}

s32
sys_mremap(u32 address, u32 old_bytes, u32 new_bytes, u32 flags, u32 new_address)
{
    u32 result;
    int error = mmap_remap(cpu()->aspace, address, old_bytes, new_bytes, flags, new_address, &result);

    return error < 0 ? error : (s32)result;
}

s32
sys_madvise(u32 address, u32 bytes, u32 advice)
{
    return mmap_advise(cpu()->aspace, address, bytes, advice);
}

s32
sys_mincore(u32 address, u32 bytes, u32 vector)
{
    return mmap_incore(cpu()->aspace, address, bytes, vector);
}

s32
sys_msync(u32 address, u32 bytes, u32 flags)
{
    return mmap_sync(cpu()->aspace, address, bytes, flags);
}

/* Root may lock as much as it likes; who is not may have been root a moment ago. */
static struct aspace *
aspace_to_lock(void)
{
    struct aspace *aspace = cpu()->aspace;

    aspace->lock_limit_pages = resource_lockable_pages(current_process());
    return aspace;
}

s32
sys_mlock(u32 address, u32 bytes)
{
    return mmap_lock(aspace_to_lock(), address, bytes);
}

s32
sys_mlock2(u32 address, u32 bytes, u32 flags)
{
    if (flags & ~(u32)MLOCK_ONFAULT)
        return -EINVAL;
    return (flags & MLOCK_ONFAULT ? mmap_lock_on_fault : mmap_lock)(aspace_to_lock(), address, bytes);
}

s32
sys_munlock(u32 address, u32 bytes)
{
    return mmap_unlock(cpu()->aspace, address, bytes);
}

s32
sys_mlockall(u32 flags)
{
    return mmap_lock_all(aspace_to_lock(), flags);
}

s32
sys_munlockall(void)
{
    return mmap_unlock_all(cpu()->aspace);
}
