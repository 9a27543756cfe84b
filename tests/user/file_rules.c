/*
 * Rules of files that hardly any program needs to know, and that hold all the same: who may set which times, what a call says at
 * the edges of files, directories and the files of /proc, and which calls are for which kinds of files.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"

enum { USER = 4242, BYTES = 64, PAGE = 4096, ENTRIES = 1500, OLD_MMAP = 90 };

static const char *name = "/tmp/file_rules";

/* ---- Times ---- */

static void
times_body(void)
{
    struct timespec neither[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_nsec = UTIME_OMIT } };
    struct timespec one[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = 5 } }, other[2] = { { .tv_sec = 5 }, { .tv_nsec = UTIME_OMIT } };

    setresuid(USER, USER, USER);
    if (utimensat(AT_FDCWD, name, neither, 0) != 0)
        _exit(1);
    _exit(!refused(utimensat(AT_FDCWD, name, one, 0), EPERM) || !refused(utimensat(AT_FDCWD, name, other, 0), EPERM));
}

static void
times_check(void)
{
    int file = open(name, O_CREAT | O_RDWR | O_TRUNC, 0666);
    struct timespec long_ago[2] = { { .tv_sec = 5 }, { .tv_sec = 5 } };
    struct stat status;

    futimens(file, long_ago);
    ftruncate(file, 10);
    fstat(file, &status);
    check_that(status.st_atim.tv_sec == 5 && status.st_mtim.tv_sec > 5, "a file that is cut or extended is modified, and not read");
    if (geteuid() == 0)
        check_that(check_child(times_body) == 0, "another user may set neither time, but ask for no change: EPERM");
    else
        check_skip("another user");
    struct timespec neither[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_nsec = UTIME_OMIT } }, wrong[2] = { { .tv_nsec = -1 } };
    check_that(utimensat(AT_FDCWD, "/tmp/not/there", neither, 0) == 0, "where no time is to change not even the file is looked for");
    check_that(refused(utimensat(AT_FDCWD, "/tmp/not/there", wrong, 0), ENOENT) && refused(utimensat(AT_FDCWD, name, wrong, 0), EINVAL),
               "what is no time is told of a file that is there: EINVAL");
    close(file);
}

/* ---- Opening ---- */

/* Without a descriptor to give out, open changes nothing. */
static void
no_descriptor_body(void)
{
    struct rlimit none = { .rlim_cur = 0, .rlim_max = 0 };
    static const char *other = "/tmp/file_rules_other";
    struct stat status;
    int file = open(other, O_CREAT | O_RDWR | O_TRUNC, 0666);

    write(file, "text", 4);
    setrlimit(RLIMIT_NOFILE, &none);
    if (!refused(open(other, O_RDWR | O_TRUNC), EMFILE) || fstat(file, &status) != 0 || status.st_size != 4)
        _exit(1);
    unlink(other);
    _exit(!refused(open(other, O_CREAT | O_RDWR, 0666), EMFILE) || !refused(access(other, F_OK), ENOENT));
}

/* Where a call could give several errors: the path comes before what may be done with what it leads to. */
static void
order_body(void)
{
    setresuid(USER, USER, USER);
    if (!refused(mknod("/dev/null", S_IFCHR | 0600, 0), EEXIST) || !refused(symlink("x", "/dev/not_there/"), ENOENT)
        || !refused(mount("none", "/not/there", "tmpfs", 0, NULL), ENOENT) || !refused(umount("/not/there"), ENOENT))
        _exit(1);
    _exit(chown("/dev/null", -1, -1) != 0 || !refused(chown("/dev/null", USER, -1), EPERM));
}

static void
order_check(void)
{
    check_that(refused(syscall(SYS_truncate64, "/not/there", -1, -1), EINVAL), "a length below 0 before the path: EINVAL");
    check_that(refused(syscall(SYS_open, 1, O_CREAT | O_DIRECTORY, 0600), EINVAL), "flags that contradict each other before the path: EINVAL");
    if (geteuid() == 0)
        check_that(check_child(order_body) == 0, "a path before a permission; and a change of nothing may be made by anybody");
    else
        check_skip("another user");
}

/* ---- Status ---- */

static void
status_check(void)
{
    struct stat root, proc, self;
    char status[128];

    stat("/", &root);
    stat("/proc", &proc);
    stat("/proc/self/status", &self);
    check_that(root.st_dev != proc.st_dev && proc.st_dev == self.st_dev, "each file system has a device number of its own");
    check_that(refused(syscall(SYS_statx, AT_FDCWD, "/", AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC, 0x7ff, status), EINVAL),
               "statx cannot both ask and not ask a server: EINVAL");
    check_that(refused(syscall(SYS_statfs64, "/", sizeof status, status), EINVAL), "statfs64 for a structure of another size: EINVAL");
}

/* ---- Edges ---- */

static void
directory_check(void)
{
    char entries[PAGE];
    int directory = open("/proc/self/task", O_RDONLY | O_DIRECTORY), result;

    check_that(refused(syscall(SYS_getdents64, directory, entries, 8), EINVAL), "no room for one name of a directory: EINVAL");
    while ((result = (int) syscall(SYS_getdents64, directory, entries, sizeof entries)) > 0)
        continue;
    check_that(result == 0 && syscall(SYS_getdents64, directory, entries, 8) == 0, "at its end there is none, and no room is needed");
    close(directory);
}

static void
proc_check(void)
{
    static uint64_t entries[ENTRIES];
    char byte;
    int file = open("/proc/self/status", O_RDONLY);

    check_that(pread(file, &byte, 1, 1 << 20) == 0, "beyond the end of a file of /proc is nothing");
    check_that(refused(fsync(file), EINVAL), "and nothing to be written back: EINVAL");
    close(file);
    file = open("/proc/self/pagemap", O_RDONLY);
    check_that(pread(file, entries, sizeof entries, 0x1000 * sizeof *entries) == sizeof entries, "many entries of pagemap are read at once");
    close(file);
}

static void
devices_check(void)
{
    char some[BYTES] = "", others[BYTES] = "", nothing[BYTES] = "";
    int file = open("/dev/urandom", O_RDONLY);

    check_that(read(file, some, BYTES) == BYTES && read(file, others, BYTES) == BYTES && memcmp(some, others, BYTES) != 0
               && memcmp(some, nothing, BYTES) != 0 && memcmp(some + BYTES / 2, nothing, BYTES / 2) != 0, "random bytes are different each time");
    close(file);
    file = open("/dev/full", O_WRONLY);
    check_that(refused(write(file, "x", 1), ENOSPC), "a full device: ENOSPC");
    check_that(refused(fsync(file), EINVAL) && refused(ftruncate(file, 0), EINVAL), "that has no contents: EINVAL");
    close(file);
}

/* Descriptor 0 is one like any other. */
static void
first_body(void)
{
    char byte;

    close(STDIN_FILENO);
    int file = open("/dev/zero", O_RDONLY), other = open("/dev/null", O_RDONLY);
    _exit(file != STDIN_FILENO || other <= file || read(file, &byte, 1) != 1 || read(other, &byte, 1) != 0 || close(file) != 0);
}

static void
no_terminal_body(void)
{
    setsid();
    _exit(!refused(open("/dev/tty", O_RDWR), ENXIO));
}

/* How long a file may be: up to there, but no further. */
static void
limit_body(void)
{
    int file = open(name, O_CREAT | O_RDWR | O_TRUNC, 0600);

    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit) { 10, 10 });
    if (pwrite(file, "0123456789", 10, 5) != 5 || !refused(pwrite(file, "x", 1, 10), EFBIG) || !refused(pwrite(file, "x", 1, 11), EFBIG))
        _exit(1);
    if (ftruncate(file, 10) != 0 || !refused(ftruncate(file, 11), EFBIG))
        _exit(2);
    signal(SIGXFSZ, SIG_DFL);
    pwrite(file, "x", 1, 10);
}

/* What /proc says of files without names: what they are, and which. */
static bool
is_called(int file, const char *kind)
{
    char path[BYTES], wanted[BYTES], found[BYTES] = "";
    struct stat status;

    fstat(file, &status);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    snprintf(wanted, sizeof wanted, "%s:[%lu]", kind, (unsigned long) status.st_ino);
    return readlink(path, found, sizeof found - 1) > 0 && strcmp(found, wanted) == 0;
}

static void
unnamed_check(void)
{
    int ends[2], pair[2];

    pipe(ends);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    check_that(is_called(ends[0], "pipe") && is_called(ends[1], "pipe") && is_called(pair[1], "socket"), "/proc/self/fd knows pipes and sockets by number");
    close(ends[0]);
    close(ends[1]);
    close(pair[0]);
    close(pair[1]);
}

/* ---- Which calls are for which files ---- */

static long
sync_range(int file, long long offset, long long bytes, unsigned flags)
{
    return syscall(SYS_sync_file_range, file, (long) offset, (long) (offset >> 32), (long) bytes, (long) (bytes >> 32), flags);
}

static void
sync_check(void)
{
    int file = open(name, O_CREAT | O_RDWR | O_TRUNC, 0666), ends[2];

    pipe(ends);
    write(file, name, BYTES);
    check_that(sync_range(file, 0, 0, 7) == 0 && sync_range(file, 1, 10, 2) == 0 && sync_range(file, 1 << 20, 1, 0) == 0, "sync_file_range");
    check_that(refused(sync_range(file, 0, 0, 8), EINVAL) && refused(sync_range(file, -1, 0, 0), EINVAL)
               && refused(sync_range(file, 0, -1, 0), EINVAL), "with other flags, or from before the beginning: EINVAL");
    check_that(refused(sync_range(ends[1], 0, 0, 0), ESPIPE) && refused(sync_range(-1, 0, 0, 0), EBADF), "not of a pipe: ESPIPE");
    close(ends[0]);
    close(ends[1]);
    close(file);
}

static void
pipe_check(void)
{
    int file = open(name, O_RDONLY), ends[2];
    struct stat status;

    signal(SIGPIPE, SIG_IGN);
    pipe(ends);
    check_that(fstat(ends[0], &status) == 0 && status.st_nlink == 1, "a pipe counts as having a name");
    close(ends[0]);
    check_that(refused(sendfile(ends[1], file, NULL, 1), EPIPE), "sendfile to a pipe that nobody reads: EPIPE");
    close(ends[1]);
    close(file);
}

/* The older mmap has its arguments in memory, and an offset in bytes. */
static void
old_map_check(void)
{
    uint32_t arguments[] = { 0, PAGE, PROT_READ, MAP_PRIVATE, (uint32_t) open(name, O_RDONLY), 0 };

    check_that(syscall(OLD_MMAP, arguments) != -1, "the older mmap");
    arguments[5] = 100;
    check_that(refused(syscall(OLD_MMAP, arguments), EINVAL), "an offset within a page: EINVAL");
    check_that(refused(syscall(OLD_MMAP, 16), EFAULT), "no arguments: EFAULT");
    close((int) arguments[4]);
}

static void
mount_body(void)
{
    setresuid(USER, USER, USER);
    _exit(!refused(mount("none", "/tmp", "tmpfs", 0, NULL), EPERM) || !refused(umount("/proc"), EPERM));
}

int
main(void)
{
    times_check();
    check_that(check_child(no_descriptor_body) == 0, "open without a free descriptor empties no file and makes none: EMFILE");
    order_check();
    status_check();
    directory_check();
    proc_check();
    devices_check();
    int status = check_child(limit_body);
    check_that(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ, "a file grows up to the limit, and not by a byte more: EFBIG and SIGXFSZ");
    unnamed_check();
    check_that(check_child(first_body) == 0, "a file is opened as descriptor 0 where that is free");
    check_that(check_child(no_terminal_body) == 0, "/dev/tty where there is no terminal: ENXIO");
    pipe_check();
    sync_check();
    old_map_check();
    if (geteuid() == 0)
        check_that(check_child(mount_body) == 0, "only root mounts and unmounts: EPERM");
    else
        check_skip("another user");
    unlink(name);
    return check_end();
}
