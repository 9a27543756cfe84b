/*
 * System calls that change what a file is, and what a process takes for granted: working directory and file mode
 * mask.
 */
#include "kernel/syscall_file.h"

#include "kernel/file.h"
#include "kernel/path.h"
#include "kernel/permission.h"
#include "kernel/process.h"
#include "kernel/ramfs.h"
#include "kernel/regular.h"
#include "kernel/time.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#define ATTRIBUTE_MASK 0777u         /* what umask keeps */
#define ATTRIBUTE_KEEP UINT32_MAX    /* chown: leave it as it is */

/* The first and the last that the time of a file can say, in 1677 and 2262. */
#define ATTRIBUTE_FIRST_SECOND -9223372036ll
#define ATTRIBUTE_LAST_SECOND 9223372035ll

/* Nanoseconds that say something else to utimensat; the UAPI headers leave them out. */
#define UTIME_NOW 0x3fffffff
#define UTIME_OMIT 0x3ffffffe

/* ---- Permissions and owner ---- */

/* Each gives the caller's hold on the inode back. */
static s32
attribute_set_mode(struct inode *inode, u32 mode)
{
    int error = inode_check_writable(inode);

    if (error == 0 && !permission_is_owner(inode))
        error = -EPERM;
    if (error < 0) {
        inode_release(inode);
        return error;
    }
    if (!permission_has_group(inode->group))
        mode &= ~(u32)S_ISGID;
    inode->mode = (inode->mode & ~INODE_PERMISSIONS) | (mode & INODE_PERMISSIONS);
    inode_touch_changed(inode);
    inode_release(inode);
    return 0;
}

/* Root may give files away; others only to another group of their own. */
static bool
attribute_may_set_owner(const struct inode *inode, u32 user, u32 group)
{
    if (permission_is_file_root())
        return true;
    return permission_is_owner(inode) && (user == ATTRIBUTE_KEEP || user == inode->user)
        && (group == ATTRIBUTE_KEEP || group == inode->group || permission_has_group(group));
}

static s32
attribute_set_owner(struct inode *inode, u32 user, u32 group)
{
    u32 mode = inode_is(inode, S_IFDIR) ? inode->mode : permission_without_deputy(inode);
    bool nothing = user == ATTRIBUTE_KEEP && group == ATTRIBUTE_KEEP && mode == inode->mode;
    int error = inode_check_writable(inode);

    if (error == 0 && !nothing && !attribute_may_set_owner(inode, user, group))
        error = -EPERM;
    if (error < 0) {
        inode_release(inode);
        return error;
    }
    inode->mode = mode;
    if (user != ATTRIBUTE_KEEP)
        inode->user = user;
    if (group != ATTRIBUTE_KEEP)
        inode->group = group;
    inode_touch_changed(inode);
    inode_release(inode);
    return 0;
}

s32
sys_fchmodat(s32 directory, u32 path, u32 mode)
{
    struct inode *inode;
    int error = path_lookup_user(directory, path, 0, &inode);

    return error < 0 ? error : attribute_set_mode(inode, mode);
}

s32
sys_chmod(u32 path, u32 mode)
{
    return sys_fchmodat(AT_FDCWD, path, mode);
}

s32
sys_fchmod(s32 descriptor, u32 mode)
{
    struct inode *inode;
    int error = file_get_inode_to_change(current_process()->files, descriptor, &inode);

    return error < 0 ? error : attribute_set_mode(inode, mode);
}

s32
sys_fchownat(s32 directory, u32 path, u32 user, u32 group, u32 flags)
{
    struct inode *inode;
    int error;

    if (flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    error = path_lookup_at(directory, path, flags, &inode);
    return error < 0 ? error : attribute_set_owner(inode, user, group);
}

s32
sys_chown32(u32 path, u32 user, u32 group)
{
    return sys_fchownat(AT_FDCWD, path, user, group, 0);
}

s32
sys_lchown32(u32 path, u32 user, u32 group)
{
    return sys_fchownat(AT_FDCWD, path, user, group, AT_SYMLINK_NOFOLLOW);
}

s32
sys_fchown32(s32 descriptor, u32 user, u32 group)
{
    struct inode *inode;
    int error = file_get_inode_to_change(current_process()->files, descriptor, &inode);

    return error < 0 ? error : attribute_set_owner(inode, user, group);
}

/*
 * ---- Extended attributes: no file has any, and none can be set ----
 *
 * ls asks for them, and knows EOPNOTSUPP, but not ENOSYS. The list of them is empty.
 */

static s32
attribute_extended(int error, struct inode *inode, s32 answer)
{
    if (error < 0)
        return error;
    inode_release(inode);
    return answer;
}

static s32
attribute_extended_path(u32 path, u32 walk, s32 answer)
{
    struct inode *inode;
    int error = path_lookup_user(AT_FDCWD, path, walk, &inode);

    return attribute_extended(error, inode, answer);
}

static s32
attribute_extended_file(s32 descriptor, s32 answer)
{
    struct inode *inode;
    int error = file_get_inode_to_change(current_process()->files, descriptor, &inode);

    return attribute_extended(error, inode, answer);
}

s32
sys_getxattr(u32 path)
{
    return attribute_extended_path(path, 0, -EOPNOTSUPP);
}

s32
sys_lgetxattr(u32 path)
{
    return attribute_extended_path(path, PATH_NO_FOLLOW, -EOPNOTSUPP);
}

s32
sys_fgetxattr(s32 descriptor)
{
    return attribute_extended_file(descriptor, -EOPNOTSUPP);
}

s32
sys_listxattr(u32 path)
{
    return attribute_extended_path(path, 0, 0);
}

s32
sys_llistxattr(u32 path)
{
    return attribute_extended_path(path, PATH_NO_FOLLOW, 0);
}

s32
sys_flistxattr(s32 descriptor)
{
    return attribute_extended_file(descriptor, 0);
}

/* ---- Length ---- */

static s32
attribute_set_length(struct inode *inode, u32 low, u32 high)
{
    u64 length = (u64)high << 32 | low;
    int error;

    if ((s64)length < 0)
        return -EINVAL;
    error = length > inode_size(inode) ? regular_check_limit(length) : 0;
    return error < 0 ? error : inode_truncate(inode, length);
}

s32
sys_truncate64(u32 path, u32 length_low, u32 length_high)
{
    struct inode *inode;
    s32 result = (s32)length_high < 0 ? -EINVAL : path_lookup_user(AT_FDCWD, path, 0, &inode);

    if (result < 0)
        return result;
    if (!inode_is(inode, S_IFREG))
        result = inode_is(inode, S_IFDIR) ? -EISDIR : -EINVAL;
    else
        result = permission_check(inode, PERMISSION_WRITE);
    if (result == 0)
        result = attribute_set_length(inode, length_low, length_high);
    inode_release(inode);
    return result;
}

s32
sys_truncate(u32 path, s32 length)
{
    return sys_truncate64(path, (u32)length, length < 0 ? UINT32_MAX : 0);
}

s32
sys_ftruncate(s32 descriptor, s32 length)
{
    return sys_ftruncate64(descriptor, (u32)length, length < 0 ? UINT32_MAX : 0);
}

s32
sys_ftruncate64(s32 descriptor, u32 length_low, u32 length_high)
{
    struct file *file;
    s32 result = file_get(current_process()->files, descriptor, &file);

    if (result < 0)
        return result;
    if (!file_may_write(file) || inode_is(file->inode, S_IFDIR))
        result = -EINVAL;
    else
        result = attribute_set_length(file->inode, length_low, length_high);
    file_release(file);
    return result;
}

/* Whether the file may be given room for, or get a hole at, these bytes. */
static int
attribute_check_range(const struct file *file, u32 mode, s64 offset, s64 length)
{
    const struct inode *inode = file->inode;

    if (offset < 0 || length <= 0)
        return -EINVAL;
    if (mode & FALLOC_FL_NO_HIDE_STALE || (mode & FALLOC_FL_PUNCH_HOLE && !(mode & FALLOC_FL_KEEP_SIZE)))
        return -EOPNOTSUPP;
    if ((mode & FALLOC_FL_COLLAPSE_RANGE && mode != FALLOC_FL_COLLAPSE_RANGE)
        || (mode & FALLOC_FL_INSERT_RANGE && mode != FALLOC_FL_INSERT_RANGE))
        return -EINVAL;
    if (mode & ~(u32)(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
        return -EOPNOTSUPP;
    if (!file_may_write(file))
        return -EBADF;
    if (inode_is(inode, S_IFIFO))
        return -ESPIPE;
    if (inode_is(inode, S_IFDIR))
        return -EISDIR;
    if (!inode_is(inode, S_IFREG))
        return -ENODEV;
    if ((u64)offset + (u64)length > REGULAR_MAXIMUM_BYTES)
        return -EFBIG;
    return ramfs_owns(inode) ? 0 : -EOPNOTSUPP;
}

s32
sys_fallocate(s32 descriptor, u32 mode, u32 offset_low, u32 offset_high, u32 length_low, u32 length_high)
{
    u64 offset = (u64)offset_high << 32 | offset_low, length = (u64)length_high << 32 | length_low;
    struct file *file;
    s32 result = file_get(current_process()->files, descriptor, &file);

    if (result < 0)
        return result;
    result = attribute_check_range(file, mode, (s64)offset, (s64)length);
    if (result == 0 && mode & FALLOC_FL_PUNCH_HOLE)
        result = inode_punch(file->inode, offset, length);
    else if (result == 0 && !(mode & FALLOC_FL_KEEP_SIZE) && offset + length > inode_size(file->inode))
        result = regular_check_limit(offset + length);
    if (result == 0 && !(mode & FALLOC_FL_PUNCH_HOLE))
        result = inode_allocate(file->inode, offset, length, mode & FALLOC_FL_KEEP_SIZE);
    file_release(file);
    return result;
}

/* ---- Times ---- */

/* One of two times of a file: a time, or "now" or "leave it". */
struct attribute_time {
    bool keep, is_now, is_invalid;
    s64 nanoseconds;
};

static void
attribute_parse_time(s64 seconds, s64 nanoseconds, struct attribute_time *time)
{
    *time = (struct attribute_time){.keep = nanoseconds == UTIME_OMIT, .is_now = nanoseconds == UTIME_NOW};
    if (nanoseconds == UTIME_OMIT)
        return;
    if (nanoseconds == UTIME_NOW) {
        time->nanoseconds = time_of_file();
        return;
    }
    time->is_invalid = nanoseconds < 0 || nanoseconds >= NANOSECONDS_PER_SECOND;
    if (time->is_invalid)
        return;
    /* Seconds that it cannot say become the nearest that it can. */
    if (seconds < ATTRIBUTE_FIRST_SECOND)
        seconds = ATTRIBUTE_FIRST_SECOND;
    if (seconds > ATTRIBUTE_LAST_SECOND)
        seconds = ATTRIBUTE_LAST_SECOND;
    time->nanoseconds = seconds * NANOSECONDS_PER_SECOND + nanoseconds;
}

/* Reads two times in one of the forms in which calls are given them: 0, -EFAULT or -EINVAL. */
typedef int (*attribute_reader)(u32 address, struct attribute_time times[2]);

static int
attribute_read_timespecs(u32 address, struct attribute_time times[2])
{
    struct __kernel_timespec given[2];

    if (user_copy_in(given, address, sizeof(given)) < 0)
        return -EFAULT;
    for (u32 i = 0; i < 2; i++)
        attribute_parse_time(given[i].tv_sec, (s32)given[i].tv_nsec, &times[i]);
    return 0;
}

static int
attribute_read_old_timespecs(u32 address, struct attribute_time times[2])
{
    struct __kernel_old_timespec given[2];

    if (user_copy_in(given, address, sizeof(given)) < 0)
        return -EFAULT;
    for (u32 i = 0; i < 2; i++)
        attribute_parse_time(given[i].tv_sec, given[i].tv_nsec, &times[i]);
    return 0;
}

/* Unlike the others, microseconds are judged before the file is looked for, and none of them says something else. */
static int
attribute_read_timevals(u32 address, struct attribute_time times[2])
{
    struct __kernel_old_timeval given[2];

    if (user_copy_in(given, address, sizeof(given)) < 0)
        return -EFAULT;
    for (u32 i = 0; i < 2; i++) {
        if (given[i].tv_usec < 0 || given[i].tv_usec >= (s32)(NANOSECONDS_PER_SECOND / NANOSECONDS_PER_MICROSECOND))
            return -EINVAL;
        attribute_parse_time(given[i].tv_sec, given[i].tv_usec * NANOSECONDS_PER_MICROSECOND, &times[i]);
    }
    return 0;
}

static int
attribute_read_seconds(u32 address, struct attribute_time times[2])
{
    s32 given[2];

    if (user_copy_in(given, address, sizeof(given)) < 0)
        return -EFAULT;
    for (u32 i = 0; i < 2; i++)
        attribute_parse_time(given[i], 0, &times[i]);
    return 0;
}

static int
attribute_read_times(u32 address, attribute_reader read, struct attribute_time times[2])
{
    if (address != 0)
        return read(address, times);
    times[0] = times[1] = (struct attribute_time){.is_now = true, .nanoseconds = time_of_file()};
    return 0;
}

/* The owner may set any times; who may write, the time of now. */
static int
attribute_may_set_times(const struct inode *inode, const struct attribute_time times[2])
{
    if (permission_is_owner(inode))
        return 0;
    if (!times[0].is_now || !times[1].is_now)
        return -EPERM;
    return permission_check(inode, PERMISSION_WRITE);
}

/* In Linux's order: where nothing is to change nothing is looked at, and a time is judged when the file is found. */
static s32
attribute_set_times(s32 directory, u32 path, u32 address, u32 flags, attribute_reader read)
{
    struct attribute_time times[2];
    struct inode *inode;
    int error = attribute_read_times(address, read, times);
    /* Without a path the descriptor itself is meant. */
    bool descriptor_is_meant = path == 0 && directory != AT_FDCWD;

    if (error < 0 || (times[0].keep && times[1].keep))
        return error;
    if (flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) || (descriptor_is_meant && flags))
        return -EINVAL;
    if (descriptor_is_meant)
        error = file_get_inode_to_change(current_process()->files, directory, &inode);
    else
        error = path_lookup_at(directory, path, flags, &inode);
    if (error < 0)
        return error;
    error = times[0].is_invalid || times[1].is_invalid ? -EINVAL : inode_check_writable(inode);
    if (error == 0)
        error = attribute_may_set_times(inode, times);
    if (error < 0) {
        inode_release(inode);
        return error;
    }
    inode_settle_times(inode);
    if (!times[0].keep)
        inode->accessed = times[0].nanoseconds;
    if (!times[1].keep)
        inode->modified = times[1].nanoseconds;
    inode_touch_changed(inode);
    inode_release(inode);
    return 0;
}

s32
sys_utimensat(s32 directory, u32 path, u32 times, u32 flags)
{
    return attribute_set_times(directory, path, times, flags, attribute_read_old_timespecs);
}

s32
sys_utimensat_time64(s32 directory, u32 path, u32 times, u32 flags)
{
    return attribute_set_times(directory, path, times, flags, attribute_read_timespecs);
}

s32
sys_futimesat(s32 directory, u32 path, u32 times)
{
    return attribute_set_times(directory, path, times, 0, attribute_read_timevals);
}

s32
sys_utimes(u32 path, u32 times)
{
    return sys_futimesat(AT_FDCWD, path, times);
}

s32
sys_utime(u32 path, u32 times)
{
    return attribute_set_times(AT_FDCWD, path, times, 0, attribute_read_seconds);
}

/* ---- The process's own ---- */

s32
sys_umask(u32 mask)
{
    struct process *process = current_process();
    u32 old = process->file_mode_mask;

    process_set_file_mode_mask(process, mask & ATTRIBUTE_MASK);
    return old;
}

/* Takes over the caller's hold on the inode. */
static s32
attribute_set_directory(struct inode *inode)
{
    int error = permission_check(inode, PERMISSION_EXECUTE);

    if (error == 0)
        process_set_directory(current_process(), inode);
    inode_release(inode);
    return error;
}

s32
sys_chdir(u32 path)
{
    struct inode *inode;
    int error = path_lookup_user(AT_FDCWD, path, PATH_DIRECTORY, &inode);

    return error < 0 ? error : attribute_set_directory(inode);
}

s32
sys_fchdir(s32 descriptor)
{
    struct inode *inode;
    int error = file_get_inode(current_process()->files, descriptor, &inode);

    if (error < 0)
        return error;
    if (!inode_is(inode, S_IFDIR)) {
        inode_release(inode);
        return -ENOTDIR;
    }
    return attribute_set_directory(inode);
}
