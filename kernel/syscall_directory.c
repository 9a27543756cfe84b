/*
 * getdents64: the contents of a directory, as records in user memory.
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
#include <linux/stat.h>

#define DIRECTORY_BUFFER_BYTES 2032u      /* one call gives at most this much: programs call again */
#define DIRECTORY_RECORD_ALIGNMENT 8u
#define DIRECTORY_TYPE_SHIFT 12           /* d_type is the type bits of st_mode */

/* struct linux_dirent64, which the UAPI headers leave out. */
struct directory_record {
    u64 number;
    s64 next_position;
    u16 length;              /* of the record */
    u8 type;
    char name[];
} __attribute__((packed));

struct directory_writer {
    struct directory_sink sink;
    u8 *buffer;
    u32 capacity;            /* bytes */
    u32 used;
    u64 position;            /* where the next call goes on */
    bool full;               /* an entry found no room */
};

static u32
directory_record_bytes(usize name_length)
{
    u32 bytes = offsetof(struct directory_record, name) + name_length + 1;

    return (bytes + DIRECTORY_RECORD_ALIGNMENT - 1) & ~(DIRECTORY_RECORD_ALIGNMENT - 1);
}

static bool
directory_write(struct directory_sink *sink, const char *name, u32 number, u32 mode, u64 next_position)
{
    struct directory_writer *writer = container_of(sink, struct directory_writer, sink);
    struct directory_record *record = (struct directory_record *)(writer->buffer + writer->used);
    usize length = strlen(name);
    u32 bytes = directory_record_bytes(length);

    if (bytes > writer->capacity - writer->used) {
        writer->full = true;
        return false;
    }
    memset(record, 0, bytes);
    record->number = number;
    record->next_position = (s64)next_position;
    record->length = bytes;
    record->type = mode >> DIRECTORY_TYPE_SHIFT;
    memcpy(record->name, name, length);
    writer->used += bytes;
    writer->position = next_position;
    return true;
}

/*
 * Copies out the records. Where user memory ends in between, those before are the call's result, and the next goes on
 * behind them. Bytes, or -EFAULT.
 */
static s32
directory_copy_out(const struct directory_writer *writer, u32 address, u64 *position)
{
    const struct directory_record *record;
    u32 done;

    for (done = 0; done < writer->used; done += record->length) {
        record = (const struct directory_record *)(writer->buffer + done);
        if (user_copy_out(address + done, record, record->length) < 0)
            return done > 0 ? (s32)done : -EFAULT;
        *position = (u64)record->next_position;
    }
    return (s32)done;
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

static s32
directory_read_entries(struct file *file, u32 address, u32 bytes)
{
    u32 capacity = bytes < DIRECTORY_BUFFER_BYTES ? bytes : DIRECTORY_BUFFER_BYTES;
    struct directory_writer writer = {
        .sink = {directory_write},
        .buffer = kmem_allocate(DIRECTORY_BUFFER_BYTES),
        .capacity = capacity,
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
        result = directory_copy_out(&writer, address, &file->offset);
    kmem_free(writer.buffer);
    return result;
}

s32
sys_getdents64(s32 descriptor, u32 address, u32 bytes)
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
        result = directory_read_entries(file, address, bytes);
    file_release(file);
    return result;
}
