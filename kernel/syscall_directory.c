/*
 * getdents64 and the older getdents and readdir: the contents of a directory, as records in user memory.
 *
 * The records of one call are put together in a kernel buffer first, since a directory must not change, and so nobody
 * may sleep, while it is walked.
 */
#include "kernel/syscall_file.h"

#include "kernel/file.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "mm/kmem.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <linux/limits.h>
#include <linux/stat.h>

#define DIRECTORY_BUFFER_BYTES 2032u      /* one call gives at most this much: programs call again */
#define DIRECTORY_TYPE_SHIFT 12           /* d_type is the type bits of st_mode */

/* struct linux_dirent64, which the UAPI headers leave out. */
struct directory_record {
    u64 number;
    s64 next_position;
    u16 length;              /* of the record */
    u8 type;
    char name[];
} __attribute__((packed));

/* struct linux_dirent, of getdents: behind the name's end are zeroes, and in the last byte is the type. */
struct directory_old_record {
    u32 number;
    u32 next_position;
    u16 length;              /* of the record */
    char name[];
} __attribute__((packed));

struct directory_writer {
    struct directory_sink sink;
    bool old;                /* the records are old ones */
    u8 *buffer;
    u32 capacity;            /* bytes */
    u32 used;
    u64 position;            /* where the next call goes on */
    bool full;               /* an entry found no room */
};

static u32
directory_name_offset(bool old)
{
    return old ? offsetof(struct directory_old_record, name) : offsetof(struct directory_record, name);
}

/* The next record begins where its first number is aligned. */
static u32
directory_record_bytes(usize name_length, bool old)
{
    u32 bytes = directory_name_offset(old) + name_length + (old ? 2 : 1);
    u32 alignment = old ? sizeof(u32) : sizeof(u64);

    return (bytes + alignment - 1) & ~(alignment - 1);
}

static void
directory_fill(u8 *address, u32 bytes, u32 number, u32 mode, u64 next_position)
{
    struct directory_record *record = (struct directory_record *)address;

    record->number = number;
    record->next_position = (s64)next_position;
    record->length = bytes;
    record->type = mode >> DIRECTORY_TYPE_SHIFT;
}

static void
directory_fill_old(u8 *address, u32 bytes, u32 number, u32 mode, u64 next_position)
{
    struct directory_old_record *record = (struct directory_old_record *)address;

    record->number = number;
    record->next_position = (u32)next_position;
    record->length = bytes;
    address[bytes - 1] = mode >> DIRECTORY_TYPE_SHIFT;
}

static bool
directory_write(struct directory_sink *sink, const char *name, u32 number, u32 mode, u64 next_position)
{
    struct directory_writer *writer = container_of(sink, struct directory_writer, sink);
    u8 *record = writer->buffer + writer->used;
    usize length = strlen(name);
    u32 bytes = directory_record_bytes(length, writer->old);

    if (bytes > writer->capacity - writer->used) {
        writer->full = true;
        return false;
    }
    memset(record, 0, bytes);
    (writer->old ? directory_fill_old : directory_fill)(record, bytes, number, mode, next_position);
    memcpy(record + directory_name_offset(writer->old), name, length);
    writer->used += bytes;
    writer->position = next_position;
    return true;
}

/* The length of a record, in bytes, and where the next one lies in the directory. */
static u32
directory_record_at(const struct directory_writer *writer, u32 done, u64 *next_position)
{
    const struct directory_record *record = (const struct directory_record *)(writer->buffer + done);
    const struct directory_old_record *old = (const struct directory_old_record *)(writer->buffer + done);

    *next_position = writer->old ? old->next_position : (u64)record->next_position;
    return writer->old ? old->length : record->length;
}

/*
 * Copies out the records. Where user memory ends in between, those before are the call's result, and the next goes on
 * behind them. Bytes, or -EFAULT.
 */
static s32
directory_copy_out(const struct directory_writer *writer, u32 address, u64 *position)
{
    u64 next_position;
    u32 done, bytes;

    for (done = 0; done < writer->used; done += bytes) {
        bytes = directory_record_at(writer, done, &next_position);
        if (user_copy_out(address + done, writer->buffer + done, bytes) < 0)
            return done > 0 ? (s32)done : -EFAULT;
        *position = next_position;
    }
    return (s32)done;
}

/* The first record alone, which says its own place, and the length of its name without the NUL: 1, or 0 at the end. */
static s32
directory_copy_first(const struct directory_writer *writer, u32 address, u64 *position)
{
    struct directory_old_record *record = (struct directory_old_record *)writer->buffer;
    u64 next_position = record->next_position;
    u32 length;

    if (writer->used == 0)
        return 0;
    length = strlen(record->name);
    record->next_position = (u32)*position;
    record->length = length;
    if (user_copy_out(address, record, sizeof(*record) + length + 1) < 0)
        return -EFAULT;
    *position = next_position;
    return 1;
}

/* "." and "..", then what the tree has. */
static int
directory_list(struct inode *directory, struct directory_writer *writer)
{
    struct inode *parent = directory->parent == NULL ? directory : directory->parent;

    if (writer->position == 0 && !directory_write(&writer->sink, ".", directory->number, S_IFDIR, 1))
        return 0;
    if (writer->position == 1 && !directory_write(&writer->sink, "..", parent->number, S_IFDIR, 2))
        return 0;
    return directory->operations->list(directory, writer->position, &writer->sink);
}

/* What the calls differ in: the form of the records, and how they leave the buffer. */
struct directory_call {
    bool old;
    u32 maximum;             /* bytes of the buffer */
    s32 (*copy_out)(const struct directory_writer *writer, u32 address, u64 *position);
};

static s32
directory_read_entries(struct file *file, const struct directory_call *call, u32 address, u32 bytes)
{
    struct directory_writer writer = {
        .sink = {directory_write},
        .old = call->old,
        .buffer = kmem_allocate(call->maximum),
        .capacity = bytes < call->maximum ? bytes : call->maximum,
        .position = file->offset,
    };
    s32 result;

    if (writer.buffer == NULL)
        return -ENOMEM;
    inode_touch_accessed(file->inode);
    result = directory_list(file->inode, &writer);
    if (result == 0 && writer.used == 0 && writer.full)
        result = -EINVAL;
    if (result == 0)
        result = call->copy_out(&writer, address, &file->offset);
    kmem_free(writer.buffer);
    return result;
}

static s32
directory_read(s32 descriptor, const struct directory_call *call, u32 address, u32 bytes)
{
    struct file *file;
    s32 result = file_get(current_process()->files, descriptor, &file);

    if (result < 0)
        return result;
    if (!inode_is(file->inode, S_IFDIR))
        result = -ENOTDIR;
    else if (file->inode->links == 0)
        result = -ENOENT;
    else if ((s32)bytes < 0)
        result = -EINVAL;
    else
        result = directory_read_entries(file, call, address, bytes);
    file_release(file);
    return result;
}

s32
sys_getdents64(s32 descriptor, u32 address, u32 bytes)
{
    const struct directory_call call = {false, DIRECTORY_BUFFER_BYTES, directory_copy_out};

    return directory_read(descriptor, &call, address, bytes);
}

s32
sys_getdents(s32 descriptor, u32 address, u32 bytes)
{
    const struct directory_call call = {true, DIRECTORY_BUFFER_BYTES, directory_copy_out};

    return directory_read(descriptor, &call, address, bytes);
}

/* One entry, of whatever length: there is room for the longest name. */
s32
sys_readdir(s32 descriptor, u32 address)
{
    u32 bytes = directory_record_bytes(NAME_MAX, true);
    const struct directory_call call = {true, bytes, directory_copy_first};

    return directory_read(descriptor, &call, address, bytes);
}
