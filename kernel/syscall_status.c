/*
 * System calls that say what a file is: its status, what may be done with it, and its path.
 */
#include "kernel/syscall_file.h"

#include "kernel/file.h"
#include "kernel/lib/string.h"
#include "kernel/mount.h"
#include "kernel/path.h"
#include "kernel/permission.h"
#include "kernel/process.h"
#include "kernel/ramfs.h"
#include "kernel/time.h"
#include "mm/object.h"
#include "mm/units.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <asm/stat.h>
#include <asm/statfs.h>
#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/stat.h>

/* f_flags of statfs; the UAPI headers leave them out. */
#define ST_RDONLY 0x0001
#define ST_VALID 0x0020
#define ST_RELATIME 0x1000

#define STATUS_BLOCK_BYTES 512u      /* the unit of st_blocks */
#define STATUS_FLAGS (AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE)

/* Holes take no room; nor does what is not a regular file. */
static u64
status_blocks(const struct inode *inode)
{
    bool has_pages = inode_is(inode, S_IFREG) && inode->operations->size != NULL;

    return has_pages ? (u64)object_pages(inode->object) * (PAGE_SIZE / STATUS_BLOCK_BYTES) : 0;
}

/* ---- stat64 ---- */

static void
status_fill(struct inode *inode, struct stat64 *status)
{
    u32 accessed, modified, changed;

    inode_settle_times(inode);
    memset(status, 0, sizeof(*status));
    status->st_dev = inode->file_system->device;
    status->__st_ino = inode->number;
    status->st_ino = inode->number;
    status->st_mode = inode->mode;
    status->st_nlink = inode->links;
    status->st_uid = inode->user;
    status->st_gid = inode->group;
    status->st_rdev = inode->device;
    status->st_size = inode_size(inode);
    status->st_blksize = PAGE_SIZE;
    status->st_blocks = status_blocks(inode);
    status->st_atime = (unsigned long)time_split_of_file(inode->accessed, &accessed);
    status->st_atime_nsec = accessed;
    status->st_mtime = (unsigned long)time_split_of_file(inode->modified, &modified);
    status->st_mtime_nsec = modified;
    status->st_ctime = (unsigned int)time_split_of_file(inode->changed, &changed);
    status->st_ctime_nsec = changed;
}

/* Writes the status and gives the caller's hold on the inode back. */
static s32
status_copy_out(struct inode *inode, u32 address)
{
    struct stat64 status;

    status_fill(inode, &status);
    inode_release(inode);
    return user_copy_out(address, &status, sizeof(status));
}

s32
sys_fstatat64(s32 directory, u32 path, u32 address, u32 flags)
{
    struct inode *inode;
    int error;

    if (flags & ~(u32)STATUS_FLAGS)
        return -EINVAL;
    error = path_lookup_at(directory, path, flags, &inode);
    return error < 0 ? error : status_copy_out(inode, address);
}

s32
sys_stat64(u32 path, u32 address)
{
    return sys_fstatat64(AT_FDCWD, path, address, 0);
}

s32
sys_lstat64(u32 path, u32 address)
{
    return sys_fstatat64(AT_FDCWD, path, address, AT_SYMLINK_NOFOLLOW);
}

s32
sys_fstat64(s32 descriptor, u32 address)
{
    struct inode *inode;
    int error = file_get_inode(current_process()->files, descriptor, &inode);

    return error < 0 ? error : status_copy_out(inode, address);
}

/* ---- statx ---- */

static struct statx_timestamp
status_timestamp(s64 nanoseconds)
{
    struct statx_timestamp time = {0};

    time.tv_sec = time_split_of_file(nanoseconds, &time.tv_nsec);
    return time;
}

/* Minor numbers have their low 8 bits at 0 and the others at 20. */
static void
status_split_device(u32 device, u32 *major, u32 *minor)
{
    *major = device >> 8 & 0xfff;
    *minor = (device & 0xff) | (device >> 12 & ~0xffu);
}

static void
status_fill_extended(struct inode *inode, struct statx *status)
{
    inode_settle_times(inode);
    memset(status, 0, sizeof(*status));
    status->stx_mask = STATX_BASIC_STATS;
    status->stx_blksize = PAGE_SIZE;
    status->stx_nlink = inode->links;
    status->stx_uid = inode->user;
    status->stx_gid = inode->group;
    status->stx_mode = inode->mode;
    status->stx_ino = inode->number;
    status->stx_size = inode_size(inode);
    status->stx_blocks = status_blocks(inode);
    status->stx_atime = status_timestamp(inode->accessed);
    status->stx_mtime = status_timestamp(inode->modified);
    status->stx_ctime = status_timestamp(inode->changed);
    status_split_device(inode->device, &status->stx_rdev_major, &status->stx_rdev_minor);
    status_split_device(inode->file_system->device, &status->stx_dev_major, &status->stx_dev_minor);
}

s32
sys_statx(s32 directory, u32 path, u32 flags, u32 mask, u32 address)
{
    struct statx status;
    struct inode *inode;
    int error;

    if ((flags & ~(u32)STATUS_FLAGS) || (mask & STATX__RESERVED)
        || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
        return -EINVAL;
    error = path_lookup_at(directory, path, flags, &inode);
    if (error < 0)
        return error;
    status_fill_extended(inode, &status);
    inode_release(inode);
    return user_copy_out(address, &status, sizeof(status));
}

/* ---- statfs ---- */

static void
status_fill_tree(struct inode *inode, struct statfs64 *status)
{
    memset(status, 0, sizeof(*status));
    status->f_type = inode->file_system->magic;
    status->f_bsize = status->f_frsize = PAGE_SIZE;
    status->f_namelen = NAME_MAX;
    /* A tree in memory is as large as its size= says, or else as it could become. */
    if (ramfs_owns(inode)) {
        struct ramfs_limits limits = ramfs_limits_of(inode);
        u32 room = ramfs_room(inode);

        status->f_blocks = limits.pages == RAMFS_UNLIMITED ? ramfs_used(inode) + room : limits.pages;
        status->f_bfree = status->f_blocks - ramfs_used(inode);
        status->f_bavail = room;
        if (limits.inodes != RAMFS_UNLIMITED) {
            status->f_files = limits.inodes;
            status->f_ffree = ramfs_free_inodes(inode);
        }
    }
    status->f_flags = ST_VALID | (inode->file_system->read_only ? ST_RDONLY : 0)
        | (mount_has(inode->file_system) ? ST_RELATIME : 0);
}

/* The form of statfs, in which each number has 32 bits: they have no more here. */
static s32
status_copy_out_short(const struct statfs64 *status, u32 address)
{
    struct statfs out = {
        .f_type = status->f_type,
        .f_bsize = status->f_bsize,
        .f_blocks = (u32)status->f_blocks,
        .f_bfree = (u32)status->f_bfree,
        .f_bavail = (u32)status->f_bavail,
        .f_files = (u32)status->f_files,
        .f_ffree = (u32)status->f_ffree,
        .f_namelen = status->f_namelen,
        .f_frsize = status->f_frsize,
        .f_flags = status->f_flags,
    };

    return user_copy_out(address, &out, sizeof(out));
}

/* The size tells the forms apart. Gives the caller's hold on the inode back. */
static s32
status_copy_out_tree(struct inode *inode, u32 size, u32 address)
{
    struct statfs64 status;

    status_fill_tree(inode, &status);
    inode_release(inode);
    if (size == sizeof(struct statfs))
        return status_copy_out_short(&status, address);
    return user_copy_out(address, &status, sizeof(status));
}

static s32
status_of_path_tree(u32 path, u32 size, u32 address)
{
    struct inode *inode;
    int error = path_lookup_user(AT_FDCWD, path, 0, &inode);

    return error < 0 ? error : status_copy_out_tree(inode, size, address);
}

static s32
status_of_file_tree(s32 descriptor, u32 size, u32 address)
{
    struct inode *inode;
    int error = file_get_inode(current_process()->files, descriptor, &inode);

    return error < 0 ? error : status_copy_out_tree(inode, size, address);
}

s32
sys_statfs64(u32 path, u32 size, u32 address)
{
    return size != sizeof(struct statfs64) ? -EINVAL : status_of_path_tree(path, size, address);
}

s32
sys_fstatfs64(s32 descriptor, u32 size, u32 address)
{
    return size != sizeof(struct statfs64) ? -EINVAL : status_of_file_tree(descriptor, size, address);
}

s32
sys_statfs(u32 path, u32 address)
{
    return status_of_path_tree(path, sizeof(struct statfs), address);
}

s32
sys_fstatfs(s32 descriptor, u32 address)
{
    return status_of_file_tree(descriptor, sizeof(struct statfs), address);
}

/* ---- Access ---- */

static int
access_check(s32 directory, u32 path, u32 mode, u32 flags)
{
    struct inode *inode;
    int error = path_lookup_at(directory, path, flags, &inode);

    if (error < 0)
        return error;
    error = permission_check(inode, mode);
    inode_release(inode);
    return error;
}

/* Asks on behalf of the user who runs the program, for the directories on the way, too; unless AT_EACCESS. */
s32
sys_faccessat2(s32 directory, u32 path, u32 mode, u32 flags)
{
    struct thread *thread = current_thread();
    struct identity real;
    int error;

    if ((mode & ~PERMISSION_ALL) || (flags & ~(u32)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
        return -EINVAL;
    real = identity_copy(&thread->process->identity);
    real.user.file = real.user.real;
    real.group.file = real.group.real;
    thread->acts_as = flags & AT_EACCESS ? NULL : &real;
    error = access_check(directory, path, mode, flags);
    thread->acts_as = NULL;
    identity_release(&real);
    return error;
}

s32
sys_faccessat(s32 directory, u32 path, u32 mode)
{
    return sys_faccessat2(directory, path, mode, 0);
}

s32
sys_access(u32 path, u32 mode)
{
    return sys_faccessat2(AT_FDCWD, path, mode, 0);
}

/* ---- Names ---- */

s32
sys_readlinkat(s32 directory, u32 path, u32 address, u32 bytes)
{
    struct text_buffer target = {0};
    struct inode *inode;
    s32 result;
    bool empty;

    if ((s32)bytes <= 0)
        return -EINVAL;
    result = path_lookup_user(directory, path, PATH_NO_FOLLOW, &inode);
    empty = result == -ENOENT && (result = path_lookup_empty(directory, path, &inode)) == 0;
    if (result < 0)
        return result;
    result = empty ? -ENOENT : -EINVAL;
    if (inode_is(inode, S_IFLNK)) {
        inode_touch_accessed(inode);
        result = inode->operations->read_link(inode, &target);
    }
    inode_release(inode);
    if (result == 0) {
        u32 length = target.length < bytes ? target.length : bytes;

        result = user_copy_out(address, target.data, length) < 0 ? -EFAULT : (s32)length;
    }
    text_free(&target);
    return result;
}

s32
sys_readlink(u32 path, u32 address, u32 bytes)
{
    return sys_readlinkat(AT_FDCWD, path, address, bytes);
}

s32
sys_getcwd(u32 address, u32 bytes)
{
    struct text_buffer path = {0};
    s32 result = inode_path(current_process()->directory, &path);

    if (result == 0) {
        u32 size = path.length + 1;

        if (bytes < size)
            result = -ERANGE;
        else
            result = user_copy_out(address, path.data, size) < 0 ? -EFAULT : (s32)size;
    }
    text_free(&path);
    return result;
}
