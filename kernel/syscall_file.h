/*
 * The system calls on files. Arguments are the registers ebx, ecx, edx, esi, edi, ebp as they come; results are
 * Linux's: a value, or a negative errno. A bad pointer gives -EFAULT with nothing consumed or changed. All may sleep.
 */
#pragma once

#include "kernel/types.h"

#include <linux/uio.h>

struct file;
struct pipe;
struct transfer;

/* syscall_read.c: bytes in and out */
s32 sys_read(s32 descriptor, u32 address, u32 bytes);
s32 sys_write(s32 descriptor, u32 address, u32 bytes);
s32 sys_readv(s32 descriptor, u32 segments, u32 count);
s32 sys_writev(s32 descriptor, u32 segments, u32 count);
s32 sys_pread64(s32 descriptor, u32 address, u32 bytes, u32 offset_low, u32 offset_high);
s32 sys_pwrite64(s32 descriptor, u32 address, u32 bytes, u32 offset_low, u32 offset_high);
s32 sys_preadv(s32 descriptor, u32 segments, u32 count, u32 offset_low, u32 offset_high);
s32 sys_pwritev(s32 descriptor, u32 segments, u32 count, u32 offset_low, u32 offset_high);
s32 sys_preadv2(s32 descriptor, u32 segments, u32 count, u32 offset_low, u32 offset_high, u32 flags);
s32 sys_pwritev2(s32 descriptor, u32 segments, u32 count, u32 offset_low, u32 offset_high, u32 flags);
s32 sys_lseek(s32 descriptor, s32 offset, u32 whence);
s32 sys__llseek(s32 descriptor, u32 offset_high, u32 offset_low, u32 result, u32 whence);
s32 sys_fsync(s32 descriptor);
s32 sys_syncfs(s32 descriptor);
s32 sys_sync(void);
s32 sys_sync_file_range(s32 descriptor, u32 offset_low, u32 offset_high, u32 bytes_low, u32 bytes_high, u32 flags);
s32 sys_fadvise64(s32 descriptor, u32 offset_low, u32 offset_high, u32 length, u32 advice);
s32 sys_fadvise64_64(s32 descriptor, u32 offset_low, u32 offset_high, u32 length_low, u32 length_high, u32 advice);
s32 sys_readahead(s32 descriptor, u32 offset_low, u32 offset_high, u32 bytes);

/*
 * syscall_descriptor.c: descriptors. Gives a file the lowest free one from `minimum` on; the caller's reference goes
 * into the table, or is given back. The descriptor, -EMFILE or -ENOMEM. May sleep.
 */
s32 descriptor_install(struct file *file, u32 minimum, bool close_on_exec);

/*
 * Two new files get the lowest free ones, which are written to address; takes the
 * files over, also where it fails. 0, -EMFILE, -ENOMEM, -EFAULT.
 */
int descriptor_install_pair(struct file *ends[2], bool close_on_exec, u32 address);
s32 sys_open(u32 path, u32 flags, u32 mode);
s32 sys_creat(u32 path, u32 mode);
s32 sys_openat(s32 directory, u32 path, u32 flags, u32 mode);
s32 sys_close(s32 descriptor);
s32 sys_dup(s32 descriptor);
s32 sys_dup2(s32 old, s32 new);
s32 sys_dup3(s32 old, s32 new, u32 flags);
s32 sys_pipe(u32 descriptors);
s32 sys_pipe2(u32 descriptors, u32 flags);
s32 sys_fcntl(s32 descriptor, u32 command, u32 argument);
s32 sys_fcntl64(s32 descriptor, u32 command, u32 argument);
s32 sys_ioctl(s32 descriptor, u32 command, u32 argument);

/* syscall_lock.c; lock_control is fcntl for F_GETLK, F_SETLK, F_SETLKW, their wide forms and those for open files. */
s32 lock_control(struct file *file, u32 command, u32 argument);
s32 sys_flock(s32 descriptor, u32 operation);

/* The segments of one call, in the kernel. */
#define SEGMENTS_FEW 8u             /* as many need no memory */

struct segments {
    struct iovec *all;
    struct iovec few[SEGMENTS_FEW];
};

/*
 * Reads and checks `count` segments of a call; *transfer is what they hold, until segments_end. 0, or with nothing to
 * end -EINVAL, -EFAULT, -ENOMEM.
 */
int segments_read(struct segments *segments, u32 address, u32 count, struct transfer *transfer);
void segments_end(struct segments *segments);

/* The bytes that one call moves at most, so that a count is never negative. */
u32 read_limit(u32 bytes);

/* syscall_copy.c: from file to file */
s32 sys_sendfile(s32 out, s32 in, u32 offset_address, u32 bytes);
s32 sys_sendfile64(s32 out, s32 in, u32 offset_address, u32 bytes);
s32 sys_copy_file_range(s32 in, u32 in_offset, s32 out, u32 out_offset, u32 bytes, u32 flags);

/* terminal_session.c */
s32 sys_vhangup(void);

/* mount.c */
s32 sys_mount(u32 source, u32 target, u32 type, u32 flags, u32 data);
s32 sys_umount(u32 target);
s32 sys_umount2(u32 target, u32 flags);

/* ipc.c: one number for all of System V's calls */
s32 sys_ipc(u32 call, u32 first, u32 second, u32 third, u32 pointer, u32 fifth);

/* semaphore.c; semtimedop of ipc, with 32-bit seconds, is semop where there is no timeout */
s32 sys_semget(s32 key, s32 count, u32 flags);
s32 sys_semtimedop(s32 id, u32 operations, u32 count, u32 timeout);
s32 sys_semtimedop_time64(s32 id, u32 operations, u32 count, u32 timeout);
s32 sys_semctl(s32 id, s32 number, u32 command, u32 argument);

/* shared_memory.c */
s32 sys_shmget(s32 key, u32 bytes, u32 flags);
s32 sys_shmat(s32 id, u32 address, u32 flags);
s32 sys_shmdt(u32 address);
s32 sys_shmctl(s32 id, u32 command, u32 address);
s32 sys_memfd_create(u32 name, u32 flags);

/*
 * splice.c. Fills a pipe from a file at *offset, which is moved on, as far as there is room now. Bytes, 0 at the
 * file's end, -EINVAL (no such file), -EAGAIN, -EPIPE (SIGPIPE is sent) or what the reading gave. May sleep.
 */
s32 splice_from_file(struct file *file, u64 *offset, struct pipe *pipe, u32 bytes, bool at_once);
s32 sys_vmsplice(s32 descriptor, u32 segments, u32 count, u32 flags);
s32 sys_splice(s32 in, u32 in_offset, s32 out, u32 out_offset, u32 bytes, u32 flags);
s32 sys_tee(s32 in, s32 out, u32 bytes, u32 flags);

/* syscall_status.c: what a file is */
s32 sys_stat64(u32 path, u32 status);
s32 sys_lstat64(u32 path, u32 status);
s32 sys_fstat64(s32 descriptor, u32 status);
s32 sys_fstatat64(s32 directory, u32 path, u32 status, u32 flags);
s32 sys_statx(s32 directory, u32 path, u32 flags, u32 mask, u32 status);
s32 sys_statfs64(u32 path, u32 size, u32 status);
s32 sys_fstatfs64(s32 descriptor, u32 size, u32 status);
s32 sys_statfs(u32 path, u32 status);
s32 sys_fstatfs(s32 descriptor, u32 status);
s32 sys_access(u32 path, u32 mode);
s32 sys_faccessat(s32 directory, u32 path, u32 mode);
s32 sys_faccessat2(s32 directory, u32 path, u32 mode, u32 flags);
s32 sys_readlink(u32 path, u32 address, u32 bytes);
s32 sys_readlinkat(s32 directory, u32 path, u32 address, u32 bytes);
s32 sys_getcwd(u32 address, u32 bytes);

/* syscall_directory.c */
s32 sys_getdents64(s32 descriptor, u32 address, u32 bytes);
s32 sys_getdents(s32 descriptor, u32 address, u32 bytes);
s32 sys_readdir(s32 descriptor, u32 address);

/* syscall_attribute.c: changing what a file is */
s32 sys_chmod(u32 path, u32 mode);
s32 sys_fchmod(s32 descriptor, u32 mode);
s32 sys_getxattr(u32 path);
s32 sys_lgetxattr(u32 path);
s32 sys_fgetxattr(s32 descriptor);
s32 sys_listxattr(u32 path);
s32 sys_llistxattr(u32 path);
s32 sys_flistxattr(s32 descriptor);
s32 sys_fchmodat(s32 directory, u32 path, u32 mode);
s32 sys_chown32(u32 path, u32 user, u32 group);
s32 sys_lchown32(u32 path, u32 user, u32 group);
s32 sys_fchown32(s32 descriptor, u32 user, u32 group);
s32 sys_fchownat(s32 directory, u32 path, u32 user, u32 group, u32 flags);
s32 sys_truncate(u32 path, s32 length);
s32 sys_ftruncate(s32 descriptor, s32 length);
s32 sys_truncate64(u32 path, u32 length_low, u32 length_high);
s32 sys_ftruncate64(s32 descriptor, u32 length_low, u32 length_high);
s32 sys_fallocate(s32 descriptor, u32 mode, u32 offset_low, u32 offset_high, u32 length_low, u32 length_high);
s32 sys_utimensat(s32 directory, u32 path, u32 times, u32 flags);
s32 sys_utimensat_time64(s32 directory, u32 path, u32 times, u32 flags);
s32 sys_futimesat(s32 directory, u32 path, u32 times);
s32 sys_utimes(u32 path, u32 times);
s32 sys_utime(u32 path, u32 times);
s32 sys_umask(u32 mask);
s32 sys_chdir(u32 path);
s32 sys_fchdir(s32 descriptor);

/* syscall_name.c: names */
s32 sys_mkdir(u32 path, u32 mode);
s32 sys_mkdirat(s32 directory, u32 path, u32 mode);
s32 sys_mknod(u32 path, u32 mode, u32 device);
s32 sys_mknodat(s32 directory, u32 path, u32 mode, u32 device);
s32 sys_rmdir(u32 path);
s32 sys_unlink(u32 path);
s32 sys_unlinkat(s32 directory, u32 path, u32 flags);
s32 sys_link(u32 old_path, u32 new_path);
s32 sys_linkat(s32 old_directory, u32 old_path, s32 new_directory, u32 new_path, u32 flags);
s32 sys_symlink(u32 target, u32 path);
s32 sys_symlinkat(u32 target, s32 directory, u32 path);
s32 sys_rename(u32 old_path, u32 new_path);
s32 sys_renameat(s32 old_directory, u32 old_path, s32 new_directory, u32 new_path);
s32 sys_renameat2(s32 old_directory, u32 old_path, s32 new_directory, u32 new_path, u32 flags);

/* epoll.c, eventfd.c */
s32 sys_epoll_create(s32 size);
s32 sys_epoll_create1(u32 flags);
s32 sys_epoll_ctl(s32 descriptor, u32 operation, s32 watched, u32 event);
s32 sys_epoll_wait(s32 descriptor, u32 events, s32 maximum, s32 timeout_milliseconds);
s32 sys_epoll_pwait(s32 descriptor, u32 events, s32 maximum, s32 timeout_milliseconds, u32 set, u32 set_bytes);
s32 sys_epoll_pwait2(s32 descriptor, u32 events, s32 maximum, u32 timeout, u32 set, u32 set_bytes);
s32 sys_eventfd(u32 count);
s32 sys_eventfd2(u32 count, u32 flags);

/* poll.c, select.c: waiting for several files */
s32 sys_poll(u32 entries, u32 count, s32 timeout_milliseconds);
s32 sys__newselect(s32 count, u32 readable, u32 writable, u32 exceptional, u32 timeout);
s32 sys_select(u32 arguments);
s32 sys_ppoll(u32 entries, u32 count, u32 timeout, u32 set, u32 set_bytes);
s32 sys_ppoll_time64(u32 entries, u32 count, u32 timeout, u32 set, u32 set_bytes);
s32 sys_pselect6(s32 count, u32 readable, u32 writable, u32 exceptional, u32 timeout, u32 mask);
s32 sys_pselect6_time64(s32 count, u32 readable, u32 writable, u32 exceptional, u32 timeout, u32 mask);
