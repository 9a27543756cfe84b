/*
 * System calls that move bytes in and out of open files, and the offset.
 */
#include "kernel/syscall_file.h"

#include "kernel/file.h"
#include "kernel/process.h"
#include "kernel/ramfs.h"
#include "kernel/regular.h"
#include "mm/kmem.h"
#include "mm/object.h"
#include "mm/units.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <linux/fadvise.h>
#include <linux/fs.h>
#include <linux/stat.h>

/* The most that one call moves: as Linux, so that a count is never negative. */
#define READ_MAXIMUM_BYTES (INT32_MAX & ~(s32)PAGE_MASK)

u32
read_limit(u32 bytes)
{
    return bytes < READ_MAXIMUM_BYTES ? bytes : READ_MAXIMUM_BYTES;
}

/* ---- One segment ---- */

/* What is asked of a file before its memory is looked at: 0, -EBADF (not open for that), or -EINVAL (it never is). */
static inline int
read_check_file(const struct file *file, bool writes)
{
    if (writes ? !file_may_write(file) : !file_may_read(file))
        return -EBADF;
    return (writes ? file->operations->write : file->operations->read) == NULL ? -EINVAL : 0;
}

/* No byte lies beyond the greatest offset. */
static bool
read_has_end(u64 offset, u32 bytes)
{
    return (s64)(offset + bytes) >= 0;
}

/* Of bytes that may be asked of the file, in memory that may be asked for. */
static inline s32
read_user(struct file *file, u32 address, u32 bytes, u64 *offset, bool writes)
{
    struct transfer transfer = transfer_user(address, read_limit(bytes));

    return (writes ? file->operations->write : file->operations->read)(file, &transfer, offset);
}

/* Inline, as what it calls, so that reading and writing each have their own copy: the most frequent calls of all. */
static inline __attribute__((always_inline)) s32
read_memory(struct file *file, u32 address, u32 bytes, u64 *offset, bool writes)
{
    int error = read_check_file(file, writes);

    if (error < 0)
        return error;
    if (!user_range_ok(address, bytes))
        return -EFAULT;
    if ((s32)bytes < 0 || !read_has_end(*offset, bytes))
        return -EINVAL;
    return read_user(file, address, bytes, offset, writes);
}

static inline __attribute__((always_inline)) s32
read_descriptor(s32 descriptor, u32 address, u32 bytes, bool writes)
{
    struct file *file;
    s32 result = file_get(current_process()->files, descriptor, &file);

    if (result < 0)
        return result;
    result = read_memory(file, address, bytes, &file->offset, writes);
    file_release(file);
    return result;
}

s32
sys_read(s32 descriptor, u32 address, u32 bytes)
{
    return read_descriptor(descriptor, address, bytes, false);
}

s32
sys_write(s32 descriptor, u32 address, u32 bytes)
{
    return read_descriptor(descriptor, address, bytes, true);
}

/* ---- Several segments ---- */

/* Checks the segments, and cuts them where together they would be too much for one call. */
static int
segments_check(struct iovec *segments, u32 count)
{
    u32 left = READ_MAXIMUM_BYTES;

    for (u32 i = 0; i < count; i++) {
        u32 bytes = segments[i].iov_len;

        if ((s32)bytes < 0)
            return -EINVAL;
        if (!user_range_ok((u32)segments[i].iov_base, bytes))
            return -EFAULT;
        segments[i].iov_len = bytes < left ? bytes : left;
        left -= segments[i].iov_len;
    }
    return 0;
}

int
segments_read(struct segments *segments, u32 address, u32 count, struct transfer *transfer)
{
    struct iovec *all = segments->few;
    int error = -EFAULT;

    if (count > UIO_MAXIOV)
        return -EINVAL;
    if (count > SEGMENTS_FEW)
        all = kmem_allocate(count * sizeof(*all));
    if (all == NULL)
        return -ENOMEM;
    segments->all = all;
    if (user_copy_in(all, address, count * sizeof(*all)) == 0)
        error = segments_check(all, count);
    if (error < 0)
        segments_end(segments);
    else
        *transfer = transfer_segments(all, count);
    return error;
}

void
segments_end(struct segments *segments)
{
    if (segments->all != segments->few)
        kmem_free(segments->all);
}

/* The open file of a descriptor for a call at an offset, held: 0, -EINVAL, -EBADF, or -ESPIPE where it has none. */
static int
read_get_at(s32 descriptor, u64 offset, struct file **file)
{
    int error = (s64)offset < 0 ? -EINVAL : file_get(current_process()->files, descriptor, file);

    if (error < 0)
        return error;
    if ((*file)->operations->size != NULL)
        return 0;
    file_release(*file);
    return -ESPIPE;
}

/* Segments without a byte are neither read nor written, even where the file refuses both (a directory). */
static s32
read_transfer(struct file *file, struct transfer *transfer, u64 *offset, bool writes)
{
    int error = read_check_file(file, writes);

    if (error < 0 || transfer->remaining == 0)
        return error;
    if (!read_has_end(*offset, transfer->remaining))
        return -EINVAL;
    return (writes ? file->operations->write : file->operations->read)(file, transfer, offset);
}

/* RWF_APPEND and RWF_NOWAIT are not there. */
#define READ_FLAGS ((u32)(RWF_HIPRI | RWF_DSYNC | RWF_SYNC))

static s32
read_segments_of(struct file *file, u32 address, u32 count, u64 *offset, u32 flags, bool writes)
{
    struct segments segments;
    struct transfer transfer;
    s32 result = segments_read(&segments, address, count, &transfer);

    if (result < 0)
        return result;
    if (flags & ~READ_FLAGS && transfer.remaining > 0 && read_check_file(file, writes) == 0)
        result = -EOPNOTSUPP;
    else
        result = read_transfer(file, &transfer, offset, writes);
    segments_end(&segments);
    return result;
}

/* Reads, or writes, segments at an offset; at the file's own where that is NULL. */
static s32
read_segments(s32 descriptor, u32 address, u32 count, u64 *offset, u32 flags, bool writes)
{
    struct file *file;
    s32 result = offset == NULL ? file_get(current_process()->files, descriptor, &file)
                                : read_get_at(descriptor, *offset, &file);

    if (result < 0)
        return result;
    result = read_segments_of(file, address, count, offset != NULL ? offset : &file->offset, flags, writes);
    file_release(file);
    return result;
}

s32
sys_readv(s32 descriptor, u32 segments, u32 count)
{
    return read_segments(descriptor, segments, count, NULL, 0, false);
}

s32
sys_writev(s32 descriptor, u32 segments, u32 count)
{
    return read_segments(descriptor, segments, count, NULL, 0, true);
}

/* ---- At an offset ---- */

static u64
read_offset(u32 low, u32 high)
{
    return (u64)high << 32 | low;
}

static s32
read_at(s32 descriptor, u32 address, u32 bytes, u64 offset, bool writes)
{
    struct file *file;
    s32 result = read_get_at(descriptor, offset, &file);

    if (result < 0)
        return result;
    result = read_memory(file, address, bytes, &offset, writes);
    file_release(file);
    return result;
}

s32
sys_pread64(s32 descriptor, u32 address, u32 bytes, u32 offset_low, u32 offset_high)
{
    return read_at(descriptor, address, bytes, read_offset(offset_low, offset_high), false);
}

s32
sys_pwrite64(s32 descriptor, u32 address, u32 bytes, u32 offset_low, u32 offset_high)
{
    return read_at(descriptor, address, bytes, read_offset(offset_low, offset_high), true);
}

s32
sys_preadv(s32 descriptor, u32 segments, u32 count, u32 offset_low, u32 offset_high)
{
    u64 offset = read_offset(offset_low, offset_high);

    return read_segments(descriptor, segments, count, &offset, 0, false);
}

s32
sys_pwritev(s32 descriptor, u32 segments, u32 count, u32 offset_low, u32 offset_high)
{
    u64 offset = read_offset(offset_low, offset_high);

    return read_segments(descriptor, segments, count, &offset, 0, true);
}

/* preadv2 and pwritev2: with an offset of -1 at the file's own. */
static s32
read_segments_flagged(s32 descriptor, u32 segments, u32 count, u64 offset, u32 flags, bool writes)
{
    s32 result = read_segments(descriptor, segments, count, offset == UINT64_MAX ? NULL : &offset, flags, writes);

    if (result > 0 && writes && (flags & (RWF_DSYNC | RWF_SYNC)) && sys_fsync(descriptor) == -EIO)
        return -EIO;
    return result;
}

s32
sys_preadv2(s32 descriptor, u32 segments, u32 count, u32 offset_low, u32 offset_high, u32 flags)
{
    return read_segments_flagged(descriptor, segments, count, read_offset(offset_low, offset_high), flags, false);
}

s32
sys_pwritev2(s32 descriptor, u32 segments, u32 count, u32 offset_low, u32 offset_high, u32 flags)
{
    return read_segments_flagged(descriptor, segments, count, read_offset(offset_low, offset_high), flags, true);
}

/* ---- The offset ---- */

/*
 * The next data or hole from an offset within the file on; there is a hole at its end. What has no pages is data from
 * end to end. 0, or -ENXIO where only a hole is left.
 */
static int
seek_extent(const struct inode *inode, s64 offset, s64 size, u32 whence, s64 *target)
{
    u32 index = (u32)(offset >> PAGE_SHIFT), end = object_page_count((u64)size), found;
    s64 start;

    *target = whence == SEEK_DATA ? offset : size;
    if (!inode_is(inode, S_IFREG) || !ramfs_owns(inode))
        return 0;
    found = (whence == SEEK_DATA ? object_find_page : object_find_hole)(inode->object, index, end);
    if (found == end)
        return whence == SEEK_DATA ? -ENXIO : 0;
    start = (s64)found << PAGE_SHIFT;
    *target = start > offset ? start : offset;
    return 0;
}

/* Where a seek leads; that may lie before the file. 0 or -errno. On a device nowhere: it has one place. */
static int
seek_target(struct file *file, s64 offset, u32 whence, s64 *target)
{
    u64 end = file->operations->size(file), base = whence == SEEK_CUR ? file->offset : whence == SEEK_END ? end : 0;

    *target = 0;
    if (inode_is(file->inode, S_IFCHR))
        return 0;
    if (end == FILE_NO_END && whence > SEEK_CUR)
        return -EINVAL;
    if (whence == SEEK_DATA || whence == SEEK_HOLE)
        return offset >= 0 && offset < (s64)end ? seek_extent(file->inode, offset, (s64)end, whence, target) : -ENXIO;
    *target = (s64)(base + (u64)offset);
    return 0;
}

static int
seek(s32 descriptor, s64 offset, u32 whence, u64 *result)
{
    struct file *file;
    int error = file_get(current_process()->files, descriptor, &file);
    s64 target;

    if (error < 0)
        return error;
    if (whence > SEEK_MAX) {
        error = -EINVAL;
    } else if (file->operations->size == NULL) {
        error = file->operations->seeks_nowhere ? 0 : -ESPIPE;
        *result = 0;
    } else {
        error = seek_target(file, offset, whence, &target);
        if (error == 0 && (target < 0 || target > (s64)REGULAR_MAXIMUM_BYTES))
            error = -EINVAL;
        if (error == 0)
            *result = file->offset = target;
    }
    file_release(file);
    return error;
}

s32
sys_lseek(s32 descriptor, s32 offset, u32 whence)
{
    u64 result;
    int error = seek(descriptor, offset, whence, &result);

    if (error < 0)
        return error;
    return result > INT32_MAX ? -EOVERFLOW : (s32)result;
}

s32
sys__llseek(s32 descriptor, u32 offset_high, u32 offset_low, u32 result_address, u32 whence)
{
    u64 result;
    int error = seek(descriptor, (s64)read_offset(offset_low, offset_high), whence, &result);

    if (error < 0)
        return error;
    return user_copy_out(result_address, &result, sizeof(result));
}

/* ---- To the device ---- */

static s32
sync_file(struct file *file)
{
    struct inode *inode = file->inode;

    if (inode_is(inode, S_IFREG) && inode->operations->size != NULL)
        return object_write_back(inode->object, 0, UINT32_MAX);
    return inode_is(inode, S_IFDIR) && ramfs_owns(inode) ? 0 : -EINVAL;
}

s32
sys_fsync(s32 descriptor)
{
    struct file *file;
    s32 result = file_get(current_process()->files, descriptor, &file);

    if (result < 0)
        return result;
    result = sync_file(file);
    file_release(file);
    return result;
}

/* All file systems lie on one device. */
s32
sys_syncfs(s32 descriptor)
{
    struct file *file;
    s32 result = file_get(current_process()->files, descriptor, &file);

    if (result < 0)
        return result;
    file_release(file);
    return sys_sync();
}

s32
sys_sync(void)
{
    object_write_back_all();
    return 0;
}

/* Bytes from an offset on, or, where that is 0, all. Waiting and writing are one. */
static s32
sync_range(struct file *file, u64 offset, u64 bytes)
{
    u64 end = bytes == 0 ? INT64_MAX : offset + bytes;
    u64 size;
    u32 pages;

    if ((s64)offset < 0 || (s64)bytes < 0 || (s64)end < 0)
        return -EINVAL;
    if (inode_is(file->inode, S_IFDIR))
        return 0;
    if (!inode_is(file->inode, S_IFREG) || file->inode->operations->size == NULL)
        return -ESPIPE;
    size = inode_size(file->inode);
    if (offset >= size)
        return 0;
    pages = object_page_count(end < size ? end : size);
    return object_write_back(file->inode->object, (u32)(offset >> PAGE_SHIFT), pages);
}

s32
sys_sync_file_range(s32 descriptor, u32 offset_low, u32 offset_high, u32 bytes_low, u32 bytes_high, u32 flags)
{
    struct file *file;
    s32 result = file_get(current_process()->files, descriptor, &file);

    if (result < 0)
        return result;
    if (flags & ~(u32)(SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER))
        result = -EINVAL;
    else
        result = sync_range(file, read_offset(offset_low, offset_high), read_offset(bytes_low, bytes_high));
    file_release(file);
    return result;
}

/* ---- Advice ---- */

/* Nothing that is advised would make a difference where the file is in memory, or a copy away. */
static s32
advise(s32 descriptor, s64 length, u32 advice)
{
    struct file *file;
    s32 result = file_get(current_process()->files, descriptor, &file);

    if (result < 0)
        return result;
    if (inode_is(file->inode, S_IFIFO))
        result = -ESPIPE;
    else if (length < 0 || advice > POSIX_FADV_NOREUSE)
        result = -EINVAL;
    file_release(file);
    return result;
}

s32
sys_fadvise64(s32 descriptor, u32 offset_low, u32 offset_high, u32 length, u32 advice)
{
    (void)offset_low;
    (void)offset_high;
    return advise(descriptor, length, advice);
}

s32
sys_fadvise64_64(s32 descriptor, u32 offset_low, u32 offset_high, u32 length_low, u32 length_high, u32 advice)
{
    (void)offset_low;
    (void)offset_high;
    return advise(descriptor, (s64)read_offset(length_low, length_high), advice);
}

s32
sys_readahead(s32 descriptor, u32 offset_low, u32 offset_high, u32 bytes)
{
    struct file *file;
    s32 result = file_get(current_process()->files, descriptor, &file);

    (void)offset_low;
    (void)offset_high;
    (void)bytes;
    if (result < 0)
        return result;
    if (!file_may_read(file))
        result = -EBADF;
    else if (!inode_is(file->inode, S_IFREG))
        result = -EINVAL;
    file_release(file);
    return result;
}
