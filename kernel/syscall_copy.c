/*
 * System calls that move bytes from file to file: sendfile and copy_file_range.
 */
#include "kernel/syscall_file.h"

#include "kernel/file.h"
#include "kernel/pipe.h"
#include "kernel/process.h"
#include "kernel/regular.h"
#include "mm/kmem.h"
#include "mm/units.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

/*
 * Moves one buffer's worth from one file to another, each at its offset. What was read but could not be written is
 * left unread. Bytes moved, or -errno.
 */
static s32
copy_step(struct file *out, u64 *out_offset, struct file *in, u64 *offset, u8 *buffer, u32 bytes)
{
    u64 start = *offset;
    struct transfer source = transfer_kernel(buffer, bytes);
    struct transfer target;
    s32 result = file_read_at(in, &source, offset);

    if (result <= 0)
        return result;
    target = transfer_kernel(buffer, result);
    result = file_write_at(out, &target, out_offset);
    *offset = start + (result > 0 ? result : 0);
    return result;
}

static s32
copy_bytes(struct file *out, u64 *out_offset, struct file *in, u64 *offset, u32 bytes)
{
    u8 *buffer = kmem_allocate(PAGE_SIZE);
    u32 done = 0;
    s32 moved = buffer == NULL ? -ENOMEM : 1;

    while (done < bytes && moved > 0) {
        moved = copy_step(out, out_offset, in, offset, buffer, bytes - done < PAGE_SIZE ? bytes - done : PAGE_SIZE);
        if (moved > 0)
            done += moved;
    }
    kmem_free(buffer);
    return done > 0 ? (s32)done : moved < 0 ? moved : 0;
}

/* ---- sendfile ---- */

/* Asked before the file that is written is looked for, as Linux does. */
static int
sendfile_check_source(const struct file *in, bool has_offset, u64 offset, u32 bytes)
{
    if (!file_may_read(in))
        return -EBADF;
    if (has_offset && in->operations->size == NULL)
        return -ESPIPE;
    return (has_offset && (s64)offset < 0) || (s32)bytes < 0 ? -EINVAL : 0;
}

/*
 * Into a pipe it is a splice. Both may be one open file, with one offset: it ends where the reading did. What lies at
 * `end` and beyond is not sent.
 */
static s32
sendfile_between(struct file *out, struct file *in, u64 *offset, u64 end, u32 bytes)
{
    u64 from = *offset, to = out->offset;
    s32 result;

    if (!file_may_write(out))
        return -EBADF;
    if (from >= end && bytes > 0)
        return -EOVERFLOW;
    bytes = end - from < bytes ? (u32)(end - from) : bytes;
    if (pipe_of(out) != NULL)
        return splice_from_file(in, offset, pipe_of(out), read_limit(bytes), out->flags & O_NONBLOCK);
    if (in->operations->size == NULL || !in->operations->splice_read)
        return -EINVAL;
    if (out->flags & O_APPEND || (bytes > 0 && !out->operations->splice_write))
        return -EINVAL;
    result = copy_bytes(out, &to, in, &from, read_limit(bytes));
    out->offset = to;
    *offset = from;
    return result;
}

/* Sends from *offset, which is moved on; offset NULL: from the file's own. */
static s32
sendfile_numbers(s32 out, s32 in, u64 *offset, u64 end, u32 bytes)
{
    struct file_table *files = current_process()->files;
    struct file *from, *to;
    s32 result = file_get(files, in, &from);

    if (result < 0)
        return result;
    result = sendfile_check_source(from, offset != NULL, offset == NULL ? 0 : *offset, bytes);
    if (result == 0)
        result = file_get(files, out, &to);
    if (result == 0) {
        result = sendfile_between(to, from, offset == NULL ? &from->offset : offset, end, bytes);
        file_release(to);
    }
    file_release(from);
    return result;
}

s32
sys_sendfile64(s32 out, s32 in, u32 offset_address, u32 bytes)
{
    u64 offset;
    s32 result;

    if (offset_address == 0)
        return sendfile_numbers(out, in, NULL, UINT64_MAX, bytes);
    if (user_copy_in(&offset, offset_address, sizeof(offset)) < 0)
        return -EFAULT;
    result = sendfile_numbers(out, in, &offset, UINT64_MAX, bytes);
    return user_copy_out(offset_address, &offset, sizeof(offset)) < 0 ? -EFAULT : result;
}

/* With an offset of 32 bits, and no further than it can say. */
s32
sys_sendfile(s32 out, s32 in, u32 offset_address, u32 bytes)
{
    s32 given;
    u64 offset;
    s32 result;

    if (offset_address == 0)
        return sys_sendfile64(out, in, 0, bytes);
    if (user_copy_in(&given, offset_address, sizeof(given)) < 0)
        return -EFAULT;
    offset = (u64)given;
    result = sendfile_numbers(out, in, &offset, INT32_MAX, bytes);
    return user_write_word(offset_address, (u32)offset) < 0 ? -EFAULT : result;
}

/* ---- copy_file_range ---- */

/* One side of a copy. */
struct copy_side {
    struct file *file;      /* held */
    u32 address;            /* of its offset in user memory; 0: the file's own */
    u64 given;
    u64 *offset;            /* one of these two */
};

static int
copy_side_read(struct copy_side *side)
{
    side->offset = side->address == 0 ? &side->file->offset : &side->given;
    if (side->address != 0 && user_copy_in(&side->given, side->address, sizeof(side->given)) < 0)
        return -EFAULT;
    return 0;
}

static int
copy_side_write(const struct copy_side *side)
{
    return side->address == 0 ? 0 : user_copy_out(side->address, &side->given, sizeof(side->given));
}

/* Shortens *bytes to what there is to read. */
static int
copy_check(const struct copy_side *in, const struct copy_side *out, u32 *bytes)
{
    u64 from = *in->offset, to = *out->offset, size;

    if (inode_is(in->file->inode, S_IFDIR) || inode_is(out->file->inode, S_IFDIR))
        return -EISDIR;
    if (!inode_is(in->file->inode, S_IFREG) || !inode_is(out->file->inode, S_IFREG))
        return -EINVAL;
    if (!file_may_read(in->file) || !file_may_write(out->file)
        || out->file->flags & O_APPEND)
        return -EBADF;
    if (in->file->inode->file_system != out->file->inode->file_system)
        return -EXDEV;
    if (from + *bytes < from || to + *bytes < to)
        return -EOVERFLOW;
    if ((s64)from < 0 || (s64)to < 0)
        return -EINVAL;
    size = inode_size(in->file->inode);
    if (from + *bytes > size)
        *bytes = from < size ? (u32)(size - from) : 0;
    if (to >= REGULAR_MAXIMUM_BYTES && *bytes > 0)
        return -EFBIG;
    if (in->file->inode == out->file->inode && to + *bytes > from && to < from + *bytes)
        return -EINVAL;
    return 0;
}

static s32
copy_between(struct copy_side *in, struct copy_side *out, u32 bytes)
{
    s32 result = copy_side_read(in);

    if (result == 0)
        result = copy_side_read(out);
    if (result == 0)
        result = copy_check(in, out, &bytes);
    if (result < 0 || bytes == 0)
        return result;
    result = copy_bytes(out->file, out->offset, in->file, in->offset, read_limit(bytes));
    if (result > 0 && (copy_side_write(in) < 0 || copy_side_write(out) < 0))
        return -EFAULT;
    return result;
}

s32
sys_copy_file_range(s32 in, u32 in_offset, s32 out, u32 out_offset, u32 bytes, u32 flags)
{
    struct file_table *files = current_process()->files;
    struct copy_side from = {.address = in_offset}, to = {.address = out_offset};
    s32 result = file_get(files, in, &from.file);

    if (result < 0)
        return result;
    result = file_get(files, out, &to.file);
    if (result == 0) {
        result = flags != 0 ? -EINVAL : copy_between(&from, &to, bytes);
        file_release(to.file);
    }
    file_release(from.file);
    return result;
}
