/*
 * System calls on descriptors: opening, closing, duplicating, and their flags.
 */
#include "kernel/syscall_file.h"

#include "kernel/file.h"
#include "kernel/file_owner.h"
#include "kernel/path.h"
#include "kernel/permission.h"
#include "kernel/pipe.h"
#include "kernel/process.h"
#include "kernel/seal.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <asm/ioctls.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/stat.h>

/* Status flags that F_SETFL may change. */
#define DESCRIPTOR_SETTABLE (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME)

/* ---- Opening and closing ---- */

s32
descriptor_install(struct file *file, u32 minimum, bool close_on_exec)
{
    s32 descriptor = file_install(current_process()->files, file, minimum, close_on_exec);

    if (descriptor < 0)
        file_release(file);
    return descriptor;
}

/* Opening can create a file, or empty one: first it must be sure that there is a descriptor for it. */
static s32
descriptor_open(struct inode *start, const char *path, u32 flags, u32 mode)
{
    u32 permissions = mode & INODE_PERMISSIONS & ~current_process()->file_mode_mask;
    int error = file_table_check_room(current_process()->files);
    struct file *file;

    if (error == 0)
        error = file_open(start, path, flags, permissions, &file);
    return error < 0 ? error : descriptor_install(file, 0, flags & O_CLOEXEC);
}

s32
sys_openat(s32 directory, u32 path, u32 flags, u32 mode)
{
    struct path_argument argument;
    s32 result = file_check_flags(&flags);

    if (result == 0)
        result = path_argument_read(directory, path, &argument);
    if (result < 0)
        return result;
    result = descriptor_open(argument.start, argument.text, flags, mode);
    path_argument_release(&argument);
    return result;
}

s32
sys_open(u32 path, u32 flags, u32 mode)
{
    return sys_openat(AT_FDCWD, path, flags, mode);
}

s32
sys_creat(u32 path, u32 mode)
{
    return sys_openat(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

s32
sys_close(s32 descriptor)
{
    return file_close(current_process()->files, descriptor);
}

/* ---- Pipes ---- */

int
descriptor_install_pair(struct file *ends[2], bool close_on_exec, u32 address)
{
    struct file_table *files = current_process()->files;
    s32 descriptors[2];
    int error;

    descriptors[0] = descriptor_install(ends[0], 0, close_on_exec);
    if (descriptors[0] < 0) {
        file_release(ends[1]);
        return descriptors[0];
    }
    descriptors[1] = descriptor_install(ends[1], 0, close_on_exec);
    error = descriptors[1] < 0 ? descriptors[1] : user_copy_out(address, descriptors, sizeof(descriptors));
    if (error < 0) {
        file_close(files, descriptors[0]);
        file_close(files, descriptors[1]);
    }
    return error;
}

s32
sys_pipe2(u32 address, u32 flags)
{
    struct file *ends[2];
    int error;

    if (flags & ~(u32)(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
        return -EINVAL;
    error = pipe_create(flags, ends);
    return error < 0 ? error : descriptor_install_pair(ends, flags & O_CLOEXEC, address);
}

s32
sys_pipe(u32 address)
{
    return sys_pipe2(address, 0);
}

/* ---- Duplicating ---- */

static s32
descriptor_duplicate(s32 descriptor, u32 minimum, bool close_on_exec)
{
    struct file *file;
    s32 result = file_get_any(current_process()->files, descriptor, &file);

    return result < 0 ? result : descriptor_install(file, minimum, close_on_exec);
}

s32
sys_dup(s32 descriptor)
{
    return descriptor_duplicate(descriptor, 0, false);
}

static s32
descriptor_duplicate_at(s32 old, s32 new, bool close_on_exec)
{
    struct file_table *files = current_process()->files;
    struct file *file;
    s32 result = file_get_any(files, old, &file);

    if (result < 0)
        return result;
    result = file_install_at(files, file, new, close_on_exec);
    if (result < 0)
        file_release(file);
    return result;
}

s32
sys_dup2(s32 old, s32 new)
{
    if (old == new)
        return file_descriptor(current_process()->files, old) == NULL ? -EBADF : new;
    return descriptor_duplicate_at(old, new, false);
}

s32
sys_dup3(s32 old, s32 new, u32 flags)
{
    if ((flags & ~(u32)O_CLOEXEC) || old == new)
        return -EINVAL;
    return descriptor_duplicate_at(old, new, flags & O_CLOEXEC);
}

/* ---- Flags ---- */

static s32
descriptor_pipe_size(const struct file *file, u32 command, u32 argument)
{
    struct pipe *pipe = pipe_of(file);

    if (pipe == NULL)
        return -EBADF;
    return command == F_GETPIPE_SZ ? pipe_size(pipe) : pipe_set_size(pipe, argument);
}

static s32
descriptor_set_flags(struct file *file, s32 descriptor, u32 flags)
{
    int error;

    if (flags & ~file->flags & O_NOATIME && !permission_is_owner(file->inode))
        return -EPERM;
    if (flags & O_DIRECT && pipe_of(file) == NULL)
        return -EINVAL;
    error = file_owner_watch(file, descriptor, flags & FASYNC);
    if (error < 0 && error != -ENOTTY)
        return error;
    file->flags = (file->flags & ~(u32)DESCRIPTOR_SETTABLE) | (flags & DESCRIPTOR_SETTABLE);
    return 0;
}

static s32
descriptor_control(struct descriptor *entry, s32 descriptor, u32 command, u32 argument)
{
    switch (command) {
    case F_GETFD:
        return entry->close_on_exec ? FD_CLOEXEC : 0;
    case F_SETFD:
        entry->close_on_exec = argument & FD_CLOEXEC;
        return 0;
    case F_GETFL:
        return entry->file->flags;
    case F_SETFL:
        return descriptor_set_flags(entry->file, descriptor, argument);
    case F_GETPIPE_SZ:
    case F_SETPIPE_SZ:
        return descriptor_pipe_size(entry->file, command, argument);
    case F_GETOWN:
    case F_SETOWN:
    case F_GETOWN_EX:
    case F_SETOWN_EX:
    case F_GETSIG:
    case F_SETSIG:
        return file_owner_control(entry->file, command, argument);
    case F_GETLEASE:
        return F_UNLCK;      /* nobody can have one */
    case F_ADD_SEALS:
        return seal_add(entry->file, argument);
    case F_GET_SEALS:
        return seal_get(entry->file);
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_GETLK64:
    case F_SETLK64:
    case F_SETLKW64:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return lock_control(entry->file, command, argument);
    default:
        return -EINVAL;
    }
}

s32
sys_fcntl64(s32 descriptor, u32 command, u32 argument)
{
    struct process *process = current_process();
    struct descriptor *entry = file_descriptor(process->files, descriptor);

    if (entry == NULL)
        return -EBADF;
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) {
        if (argument >= process->limits[RLIMIT_NOFILE].rlim_cur)
            return -EINVAL;
        return descriptor_duplicate(descriptor, argument, command == F_DUPFD_CLOEXEC);
    }
    if (entry->file->flags & O_PATH && command != F_GETFD && command != F_SETFD && command != F_GETFL)
        return -EBADF;
    return descriptor_control(entry, descriptor, command, argument);
}

/* The call that fcntl64 came after knows no locks with 64 bits for offsets. */
s32
sys_fcntl(s32 descriptor, u32 command, u32 argument)
{
    bool is_wide = (command >= F_GETLK64 && command <= F_SETLKW64)
        || (command >= F_OFD_GETLK && command <= F_OFD_SETLKW);

    if (is_wide && file_descriptor(current_process()->files, descriptor) != NULL)
        return -EINVAL;
    return sys_fcntl64(descriptor, command, argument);
}

/* Commands that concern the descriptor or every kind of file; the others are the file's. */
static s32
descriptor_ioctl(struct file *file, s32 descriptor, u32 command, u32 argument)
{
    u32 value;

    switch (command) {
    case FIOCLEX:
    case FIONCLEX:
        file_descriptor(current_process()->files, descriptor)->close_on_exec = command == FIOCLEX;
        return 0;
    case FIONBIO:
        if (user_read_word(&value, argument) < 0)
            return -EFAULT;
        file->flags = value ? file->flags | O_NONBLOCK : file->flags & ~(u32)O_NONBLOCK;
        return 0;
    case FIOASYNC:
        return user_read_word(&value, argument) < 0 ? -EFAULT : file_owner_watch(file, descriptor, value != 0);
    case FIGETBSZ:
        return user_write_word(argument, PAGE_SIZE);
    case FIONREAD:
        if (inode_is(file->inode, S_IFREG))
            return user_write_word(argument, (u32)(inode_size(file->inode) - file->offset));
        break;
    }
    return file->operations->ioctl == NULL ? -ENOTTY : file->operations->ioctl(file, command, argument);
}

s32
sys_ioctl(s32 descriptor, u32 command, u32 argument)
{
    struct file_table *files = current_process()->files;
    struct file *file;
    s32 result = file_get(files, descriptor, &file);

    if (result < 0)
        return result;
    result = descriptor_ioctl(file, descriptor, command, argument);
    file_release(file);
    return result;
}
