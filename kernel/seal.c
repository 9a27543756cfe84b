/*
 * Seals of files in tmpfs.
 */
#include "kernel/seal.h"

#include "kernel/file.h"
#include "mm/object.h"
#include "mm/units.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/stat.h>

#define SEAL_ALL (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)

static bool
seal_is_possible(const struct inode *inode)
{
    return inode_is(inode, S_IFREG) && inode->file_system->magic == TMPFS_MAGIC;
}

s32
seal_add(struct file *file, u32 seals)
{
    struct inode *inode = file->inode;

    if (!file_may_write(file))
        return -EPERM;
    if (seals & ~(u32)SEAL_ALL || !seal_is_possible(inode))
        return -EINVAL;
    if (inode->seals & F_SEAL_SEAL)
        return -EPERM;
    if (seals & ~inode->seals & F_SEAL_WRITE && inode->object->writable_regions > 0)
        return -EBUSY;
    inode->seals |= seals;
    return 0;
}

s32
seal_get(const struct file *file)
{
    return seal_is_possible(file->inode) ? (s32)file->inode->seals : -EINVAL;
}

int
seal_check_size(const struct inode *inode, u64 bytes)
{
    u64 size = inode_size(inode);

    if ((inode->seals & F_SEAL_SHRINK && bytes < size) || (inode->seals & F_SEAL_GROW && bytes > size))
        return -EPERM;
    return 0;
}

int
seal_check_write(const struct inode *inode, u64 start, u32 *bytes)
{
    u64 size = inode_size(inode), pages = size & ~(u64)PAGE_MASK;

    if (seal_forbids_writing(inode))
        return -EPERM;
    if (!(inode->seals & F_SEAL_GROW) || start + *bytes <= size)
        return 0;
    /* As on Linux, which writes page by page and refuses the first that goes beyond the end. */
    if (pages <= start)
        return -EPERM;
    *bytes = (u32)(pages - start);
    return 0;
}

bool
seal_forbids_writing(const struct inode *inode)
{
    return inode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE);
}
