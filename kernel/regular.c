/*
 * Open regular files: bytes between a transfer and the object that holds the file's pages. The same pages are mapped,
 * so that reading, writing and mappings always agree; the object writes them back where they have a place on a device.
 */
#include "kernel/regular.h"

#include "kernel/process.h"
#include "kernel/reserve.h"
#include "kernel/seal.h"
#include "kernel/signal.h"
#include "mm/object.h"
#include "mm/transfer.h"

#include <asm/errno.h>
#include <asm/fcntl.h>
#include <asm/signal.h>
#include <linux/mman.h>

/* object_read, whichever memory the segment is in. Bytes done, or -errno. */
static s32
regular_read_segment(struct object *object, u64 offset, const struct transfer *transfer, u32 bytes)
{
    if (transfer->kernel != NULL)
        return object_read_kernel(object, offset, transfer->kernel, bytes);
    return object_read_user(object, offset, transfer->user, bytes);
}

static s32
regular_write_segment(struct object *object, u64 offset, const struct transfer *transfer, u32 bytes)
{
    if (transfer->kernel != NULL)
        return object_write_kernel(object, offset, transfer->kernel, bytes);
    return object_write_user(object, offset, transfer->user, bytes);
}

typedef s32 (*segment_function)(struct object *, u64, const struct transfer *, u32);

/* Applies a function to one segment after the other until one comes out short. Bytes done, or -errno if none. */
static s32
regular_transfer(struct object *object, u64 offset, struct transfer *transfer, u32 bytes, segment_function segment)
{
    u32 done = 0;

    while (done < bytes) {
        u32 chunk = bytes - done < transfer->bytes ? bytes - done : transfer->bytes;
        s32 moved = segment(object, offset + done, transfer, chunk);

        if (moved < 0)
            return done > 0 ? (s32)done : moved;
        transfer_skip(transfer, moved);
        done += moved;
        if ((u32)moved < chunk)
            break;
    }
    return done;
}

static s32
regular_read(struct file *file, struct transfer *transfer, u64 *offset)
{
    struct inode *inode = file->inode;
    u64 size = inode_size(inode);
    u32 bytes = transfer->remaining;
    struct object *object;
    s32 done;

    inode_touch_accessed(inode);
    if (*offset >= size || bytes == 0)
        return 0;
    if (bytes > size - *offset)
        bytes = (u32)(size - *offset);
    object = inode->object;
    object_hold(object);
    done = regular_transfer(object, *offset, transfer, bytes, regular_read_segment);
    object_release(object);
    if (done > 0)
        *offset += done;
    return done;
}

/* The longest file that the current process may make. */
static u64
regular_limit(void)
{
    unsigned long limit = current_thread() == NULL ? RLIM_INFINITY : current_process()->limits[RLIMIT_FSIZE].rlim_cur;

    return limit == RLIM_INFINITY ? REGULAR_MAXIMUM_BYTES : limit;
}

int
regular_check_limit(u64 bytes)
{
    if (bytes <= regular_limit())
        return 0;
    if (bytes <= REGULAR_MAXIMUM_BYTES)
        signal_send_thread(current_thread(), SIGXFSZ, NULL);
    return -EFBIG;
}

/* How much of `bytes` at `start` can be written with so many pages more than the file has. */
static u32
regular_fitting(const struct object *object, u64 start, u32 bytes, u32 pages)
{
    for (u64 at = start; at < start + bytes; at = (at | PAGE_MASK) + 1) {
        u32 index = (u32)(at >> PAGE_SHIFT);

        if (object_find_hole(object, index, index + 1) == index && pages-- == 0)
            return (u32)(at - start);
    }
    return bytes;
}

/*
 * How much of `bytes` may be written at `start`: -EFBIG beyond the longest file, -EPERM where a seal forbids it,
 * -ENOSPC where files have filled memory and it would take another page.
 */
static s32
regular_room(const struct inode *inode, u64 start, u32 bytes)
{
    u32 pages = reserve_file_pages();
    u64 limit = regular_limit();
    int error = regular_check_limit(start + 1);

    if (error == 0)
        error = seal_check_write(inode, start, &bytes);
    if (error < 0)
        return error;
    if (bytes > limit - start)
        bytes = (u32)(limit - start);
    if (object_page_count((start & PAGE_MASK) + bytes) > pages)
        bytes = regular_fitting(inode->object, start, bytes, pages);
    return bytes == 0 ? -ENOSPC : (s32)bytes;
}

/* Writes what lies in [start, start + bytes) to the device, if the file was opened so (O_SYNC, O_DSYNC). */
static int
regular_sync(const struct file *file, u64 start, u32 bytes)
{
    if (!(file->flags & O_DSYNC))
        return 0;
    return object_write_back(file->inode->object, (u32)(start >> PAGE_SHIFT), object_page_count(start + bytes));
}

/* Writes at start, for the holder of inode->changing. Bytes, or -errno with nothing changed but the times. */
static s32
regular_write_locked(struct inode *inode, struct transfer *transfer, u64 start)
{
    u64 size = inode_size(inode);
    s32 bytes = regular_room(inode, start, transfer->remaining);
    s32 done;
    u64 end;

    if (bytes < 0)
        return bytes;
    inode_touch_modified(inode);
    done = start + bytes > size ? object_resize(inode->object, start + bytes) : 0;
    if (done < 0)
        return done;
    done = regular_transfer(inode->object, start, transfer, bytes, regular_write_segment);
    /* A bad pointer may have stopped it: the file ends behind the last byte written, unless it was longer before. */
    end = done > 0 ? start + done : 0;
    if (done < bytes && inode_size(inode) > size)
        object_resize(inode->object, end > size ? end : size);
    return done;
}

static s32
regular_write(struct file *file, struct transfer *transfer, u64 *offset)
{
    struct inode *inode = file->inode;
    u64 start;
    s32 done;
    int error;

    if (transfer->remaining == 0)
        return 0;
    mutex_lock(&inode->changing);
    start = file->flags & O_APPEND ? inode_size(inode) : *offset;
    done = regular_write_locked(inode, transfer, start);
    mutex_unlock(&inode->changing);
    if (done <= 0)
        return done;
    *offset = start + done;
    error = regular_sync(file, start, done);
    return error < 0 ? error : done;
}

static u64
regular_size(struct file *file)
{
    return inode_size(file->inode);
}

static int
regular_mmap_object(struct file *file, u32 protection, u32 flags, struct object **object)
{
    if ((flags & MAP_TYPE) != MAP_PRIVATE && protection & PROT_WRITE && seal_forbids_writing(file->inode))
        return -EPERM;
    inode_touch_accessed(file->inode);
    *object = file->inode->object;
    object_hold(*object);
    return 0;
}

const struct file_operations regular_operations = {
    .read = regular_read,
    .write = regular_write,
    .size = regular_size,
    .mmap_object = regular_mmap_object,
    .splice_read = true,
    .splice_write = true,
};

static s32
directory_read(struct file *file, struct transfer *transfer, u64 *offset)
{
    (void)file;
    (void)transfer;
    (void)offset;
    return -EISDIR;
}

static u64
directory_size(struct file *file)
{
    (void)file;
    return FILE_NO_END;
}

const struct file_operations directory_operations = {
    .read = directory_read,
    .size = directory_size,
};
