/*
 * The system calls that lock files: fcntl's lock commands and flock. What a lock is, is said in record_lock.h.
 */
#include "kernel/syscall_file.h"

#include "kernel/file.h"
#include "kernel/process.h"
#include "kernel/record_lock.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/fs.h>

/* A lock as programs write it, with 32 bits or 64 for offsets. */
static int
lock_read(u32 address, bool wide, struct flock64 *lock)
{
    struct flock narrow;

    if (wide)
        return user_copy_in(lock, address, sizeof(*lock));
    if (user_copy_in(&narrow, address, sizeof(narrow)) < 0)
        return -EFAULT;
    *lock = (struct flock64){narrow.l_type, narrow.l_whence, narrow.l_start, narrow.l_len, narrow.l_pid};
    return 0;
}

static int
lock_write(u32 address, bool wide, const struct flock64 *lock)
{
    struct flock narrow = {lock->l_type, lock->l_whence, (s32)lock->l_start, (s32)lock->l_len, lock->l_pid};

    return wide ? user_copy_out(address, lock, sizeof(*lock)) : user_copy_out(address, &narrow, sizeof(narrow));
}

/* Where l_start counts from: 0, or -EINVAL. */
static int
lock_origin(const struct file *file, s16 whence, s64 *origin)
{
    if (whence != SEEK_SET && whence != SEEK_CUR && whence != SEEK_END)
        return -EINVAL;
    *origin = whence == SEEK_SET ? 0 : (s64)(whence == SEEK_CUR ? file->offset : inode_size(file->inode));
    return 0;
}

/* The bytes that a lock means: 0, -EINVAL, or -EOVERFLOW where they have no number. */
static int
lock_parse(const struct file *file, const struct flock64 *lock, struct record_lock_request *request)
{
    s64 start, origin, length = lock->l_len;

    if (lock->l_type != F_RDLCK && lock->l_type != F_WRLCK && lock->l_type != F_UNLCK)
        return -EINVAL;
    if (lock_origin(file, lock->l_whence, &origin) < 0)
        return -EINVAL;
    if (lock->l_start > INT64_MAX - origin)
        return -EOVERFLOW;
    start = origin + lock->l_start;
    if (length > 0 && start >= 0 && length - 1 > INT64_MAX - start)
        return -EOVERFLOW;
    if (length < 0) {
        start += length;
        length = -length;
    }
    if (start < 0)
        return -EINVAL;
    *request = (struct record_lock_request){lock->l_type, (u64)start, INT64_MAX};
    if (length > 0)
        request->last = (u64)start + (u64)length - 1;
    return 0;
}

static s32
lock_get(struct file *file, struct lock_owner owner, u32 address, bool wide)
{
    struct record_lock_request request;
    struct flock64 lock;
    s32 process;
    int error = lock_read(address, wide, &lock);

    if (error == 0 && !owner.is_process && lock.l_pid != 0)
        error = -EINVAL;
    if (error == 0)
        error = lock.l_type == F_UNLCK ? -EINVAL : lock_parse(file, &lock, &request);
    if (error < 0)
        return error;
    process = record_lock_get(owner, file->inode, &request);
    lock.l_type = request.type;
    if (request.type != F_UNLCK) {
        lock.l_whence = SEEK_SET;
        lock.l_start = (s64)request.first;
        lock.l_len = request.last == INT64_MAX ? 0 : (s64)(request.last - request.first + 1);
        lock.l_pid = process;
    }
    return lock_write(address, wide, &lock);
}

/* While it waits, another thread may close the file, whose locks go with that. */
static int
lock_apply(struct file *file, struct lock_owner owner, const struct record_lock_request *request, bool wait)
{
    struct file_table *files = current_process()->files;
    int error;

    file_hold(file);
    error = record_lock_set(owner, file->inode, request, wait);
    if (error == 0 && owner.is_process && !file_table_has(files, file)) {
        record_lock_release(files, file->inode);
        error = -EBADF;
    }
    file_release(file);
    return error;
}

static s32
lock_set(struct file *file, struct lock_owner owner, u32 address, bool wide, bool wait)
{
    struct record_lock_request request;
    struct flock64 lock;
    int error = lock_read(address, wide, &lock);

    if (error == 0)
        error = lock_parse(file, &lock, &request);
    if (error < 0)
        return error;
    if ((request.type == F_RDLCK && !file_may_read(file)) || (request.type == F_WRLCK && !file_may_write(file)))
        return -EBADF;
    if (!owner.is_process && lock.l_pid != 0)
        return -EINVAL;
    return lock_apply(file, owner, &request, wait);
}

s32
lock_control(struct file *file, u32 command, u32 argument)
{
    struct lock_owner process = lock_owner_process(current_process()->files), open_file = lock_owner_file(file, false);

    switch (command) {
    case F_GETLK:
    case F_GETLK64:
        return lock_get(file, process, argument, command == F_GETLK64);
    case F_SETLK:
    case F_SETLKW:
        return lock_set(file, process, argument, false, command == F_SETLKW);
    case F_SETLK64:
    case F_SETLKW64:
        return lock_set(file, process, argument, true, command == F_SETLKW64);
    case F_OFD_GETLK:
        return lock_get(file, open_file, argument, true);
    default:
        return lock_set(file, open_file, argument, true, command == F_OFD_SETLKW);
    }
}

s32
sys_flock(s32 descriptor, u32 operation)
{
    struct record_lock_request request = {.first = 0, .last = INT64_MAX};
    struct file *file;
    int error;

    if (operation & LOCK_MAND)      /* what Linux once had, and ignores now */
        return 0;
    switch (operation & ~(u32)LOCK_NB) {
    case LOCK_SH:
        request.type = F_RDLCK;
        break;
    case LOCK_EX:
        request.type = F_WRLCK;
        break;
    case LOCK_UN:
        request.type = F_UNLCK;
        break;
    default:
        return -EINVAL;
    }
    error = file_get(current_process()->files, descriptor, &file);
    if (error < 0)
        return error;
    error = lock_apply(file, lock_owner_file(file, true), &request, !(operation & LOCK_NB));
    file_release(file);
    return error;
}
