/*
 * Descriptors that are not what a call wants: each call that takes one, on each kind of descriptor that there is, and
 * on numbers that are none. A row is a call, and a column what its descriptor is:
 *
 *     -1         no descriptor                      path       a file, opened with O_PATH
 *     closed     a number that nobody opened        receive    a pipe's end for reading, the pipe being empty
 *     largest    the largest number                 send       its end for writing
 *     read       a file, opened for reading only    null       /dev/null
 *     write      a file, opened for writing only    socket     one of a pair
 *     directory  a directory
 *
 * Where a row says "ok" the call succeeded; "-" is not tried, since Belady's sockets cannot be spliced from. Every call
 * begins with descriptors that were just made.
 */
#define _GNU_SOURCE
#define _LARGEFILE64_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "user/lib/outcome.h"

#define PLACE "/tmp/bad_descriptors"

#ifndef F_GET_SEALS
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#endif
#define F_GETLK_OPEN_FILE 36    /* F_OFD_GETLK and F_OFD_SETLK, which libc hides */
#define F_SETLK_OPEN_FILE 37

enum { FREE = 200, OTHER = 201, BYTES = 16 };   /* two numbers that nothing else uses, and how much is read and written */

static char buffer[4096] __attribute__((aligned(4096)));
static struct iovec vector = { buffer, BYTES };
static int pipe_out[2], pipe_in[2];     /* for calls with two descriptors: a pipe that holds BYTES, and an empty one */
static int file;                        /* and a file of BYTES */

/* ---- The calls, in the order of SYSCALLS.md's subjects; `fd` is the descriptor ---------------------------------------------- */

static long
poll_attempt(int fd)
{
    struct pollfd entry = { fd, POLLIN | POLLOUT, 0 };
    return syscall(SYS_poll, &entry, 1, 0);
}

static long
select_attempt(int fd)
{
    struct timeval at_once = { 0, 0 };
    fd_set set;

    if (fd < 0 || fd >= FD_SETSIZE) {
        errno = EBADF; /* a set has no room to say it */
        return -1;
    }
    FD_ZERO(&set);
    FD_SET(fd, &set);
    return syscall(SYS__newselect, fd + 1, &set, NULL, NULL, &at_once);
}

static long
lock_attempt(int fd, int command, short type)
{
    struct flock64 lock = { .l_type = type, .l_whence = SEEK_SET, .l_len = 1 };
    return syscall(SYS_fcntl64, fd, command, &lock);
}

static long
map_attempt(int fd, int protection, int flags)
{
    return syscall(SYS_mmap2, NULL, sizeof buffer, protection, flags, fd, 0);
}

#define CALLS(CALL) \
    CALL("read", syscall(SYS_read, fd, buffer, BYTES)) \
    CALL("read of 0 bytes", syscall(SYS_read, fd, buffer, 0)) \
    CALL("write", syscall(SYS_write, fd, buffer, BYTES)) \
    CALL("write of 0 bytes", syscall(SYS_write, fd, buffer, 0)) \
    CALL("readv", syscall(SYS_readv, fd, &vector, 1)) \
    CALL("writev", syscall(SYS_writev, fd, &vector, 1)) \
    CALL("pread64", syscall(SYS_pread64, fd, buffer, BYTES, 0, 0)) \
    CALL("pwrite64", syscall(SYS_pwrite64, fd, buffer, BYTES, 0, 0)) \
    CALL("preadv", syscall(SYS_preadv, fd, &vector, 1, 0, 0)) \
    CALL("pwritev", syscall(SYS_pwritev, fd, &vector, 1, 0, 0)) \
    CALL("lseek", syscall(SYS_lseek, fd, 0, SEEK_CUR)) \
    CALL("_llseek", syscall(SYS__llseek, fd, 0, 0, buffer, SEEK_SET)) \
    CALL("sendfile64 from it", syscall(SYS_sendfile64, pipe_in[1], fd, NULL, BYTES)) \
    CALL("sendfile64 from it at 0", syscall(SYS_sendfile64, pipe_in[1], fd, memset(buffer, 0, 8), BYTES)) \
    CALL("sendfile64 to it", syscall(SYS_sendfile64, fd, file, NULL, BYTES)) \
    CALL("copy_file_range from it", syscall(SYS_copy_file_range, fd, NULL, file, NULL, BYTES, 0)) \
    CALL("copy_file_range to it", syscall(SYS_copy_file_range, file, NULL, fd, NULL, BYTES, 0)) \
    CALL("splice from it", syscall(SYS_splice, fd, NULL, pipe_in[1], NULL, BYTES, SPLICE_F_NONBLOCK)) \
    CALL("splice to it", syscall(SYS_splice, pipe_out[0], NULL, fd, NULL, BYTES, SPLICE_F_NONBLOCK)) \
    CALL("splice from it at 0", syscall(SYS_splice, fd, memset(buffer, 0, 8), pipe_in[1], NULL, BYTES, SPLICE_F_NONBLOCK)) \
    CALL("splice to it at 0", syscall(SYS_splice, pipe_out[0], NULL, fd, memset(buffer, 0, 8), BYTES, SPLICE_F_NONBLOCK)) \
    CALL("tee from it", syscall(SYS_tee, fd, pipe_in[1], BYTES, SPLICE_F_NONBLOCK)) \
    CALL("tee to it", syscall(SYS_tee, pipe_out[0], fd, BYTES, SPLICE_F_NONBLOCK)) \
    CALL("vmsplice", syscall(SYS_vmsplice, fd, &vector, 1, SPLICE_F_NONBLOCK)) \
    CALL("fsync", syscall(SYS_fsync, fd)) \
    CALL("fdatasync", syscall(SYS_fdatasync, fd)) \
    CALL("syncfs", syscall(SYS_syncfs, fd)) \
    CALL("fadvise64_64", syscall(SYS_fadvise64_64, fd, 0, 0, 0, 0, POSIX_FADV_NORMAL)) \
    CALL("readahead", syscall(SYS_readahead, fd, 0, 0, BYTES)) \
    CALL("close", syscall(SYS_close, fd)) \
    CALL("dup", syscall(SYS_dup, fd)) \
    CALL("dup2", syscall(SYS_dup2, fd, FREE)) \
    CALL("dup2 on itself", syscall(SYS_dup2, fd, fd)) \
    CALL("dup3", syscall(SYS_dup3, fd, FREE, O_CLOEXEC)) \
    CALL("dup3 on itself", syscall(SYS_dup3, fd, fd, 0)) \
    CALL("F_DUPFD", syscall(SYS_fcntl64, fd, F_DUPFD, 0)) \
    CALL("F_GETFD", syscall(SYS_fcntl64, fd, F_GETFD, 0)) \
    CALL("F_SETFD", syscall(SYS_fcntl64, fd, F_SETFD, FD_CLOEXEC)) \
    CALL("F_GETFL", syscall(SYS_fcntl64, fd, F_GETFL, 0)) \
    CALL("F_SETFL", syscall(SYS_fcntl64, fd, F_SETFL, O_NONBLOCK)) \
    CALL("F_GETLK64", lock_attempt(fd, F_GETLK64, F_WRLCK)) \
    CALL("F_SETLK64 to read", lock_attempt(fd, F_SETLK64, F_RDLCK)) \
    CALL("F_SETLK64 to write", lock_attempt(fd, F_SETLK64, F_WRLCK)) \
    CALL("F_SETLK64 to unlock", lock_attempt(fd, F_SETLK64, F_UNLCK)) \
    CALL("F_OFD_GETLK", lock_attempt(fd, F_GETLK_OPEN_FILE, F_WRLCK)) \
    CALL("F_OFD_SETLK to write", lock_attempt(fd, F_SETLK_OPEN_FILE, F_WRLCK)) \
    CALL("F_GETPIPE_SZ", syscall(SYS_fcntl64, fd, F_GETPIPE_SZ, 0)) \
    CALL("F_SETPIPE_SZ", syscall(SYS_fcntl64, fd, F_SETPIPE_SZ, 65536)) \
    CALL("F_GET_SEALS", syscall(SYS_fcntl64, fd, F_GET_SEALS, 0)) \
    CALL("F_ADD_SEALS", syscall(SYS_fcntl64, fd, F_ADD_SEALS, 0)) \
    CALL("flock", syscall(SYS_flock, fd, 2)) \
    CALL("TCGETS", syscall(SYS_ioctl, fd, TCGETS, buffer)) \
    CALL("TIOCGWINSZ", syscall(SYS_ioctl, fd, TIOCGWINSZ, buffer)) \
    CALL("TIOCGPGRP", syscall(SYS_ioctl, fd, TIOCGPGRP, buffer)) \
    CALL("FIONREAD", syscall(SYS_ioctl, fd, FIONREAD, buffer)) \
    CALL("FIOCLEX", syscall(SYS_ioctl, fd, FIOCLEX, 0)) \
    CALL("poll", poll_attempt(fd)) \
    CALL("select", select_attempt(fd)) \
    CALL("fstat64", syscall(SYS_fstat64, fd, buffer)) \
    CALL("fstatfs64", syscall(SYS_fstatfs64, fd, 84, buffer)) \
    CALL("getdents64", syscall(SYS_getdents64, fd, buffer, sizeof buffer)) \
    CALL("fchdir", syscall(SYS_fchdir, fd)) \
    CALL("fchmod", syscall(SYS_fchmod, fd, 0755)) \
    CALL("fchown32", syscall(SYS_fchown32, fd, -1, -1)) \
    CALL("ftruncate64", syscall(SYS_ftruncate64, fd, BYTES, 0)) \
    CALL("fallocate", syscall(SYS_fallocate, fd, 0, 0, 0, BYTES, 0)) \
    CALL("utimensat of itself", syscall(SYS_utimensat, fd, NULL, NULL, 0)) \
    CALL("mmap2, shared, read", map_attempt(fd, PROT_READ, MAP_SHARED)) \
    CALL("mmap2, shared, write", map_attempt(fd, PROT_READ | PROT_WRITE, MAP_SHARED)) \
    CALL("mmap2, private, write", map_attempt(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE)) \
    CALL("sendto", syscall(SYS_sendto, fd, buffer, BYTES, MSG_DONTWAIT, NULL, 0)) \
    CALL("recvfrom", syscall(SYS_recvfrom, fd, buffer, BYTES, MSG_DONTWAIT, NULL, NULL)) \
    CALL("shutdown", syscall(SYS_shutdown, fd, SHUT_WR)) \
    CALL("openat", syscall(SYS_openat, fd, "x", O_RDONLY)) \
    CALL("openat of /", syscall(SYS_openat, fd, "/", O_RDONLY)) \
    CALL("openat of nothing", syscall(SYS_openat, fd, "", O_RDONLY)) \
    CALL("openat O_CREAT", syscall(SYS_openat, fd, "new", O_RDONLY | O_CREAT, 0600)) \
    CALL("mkdirat", syscall(SYS_mkdirat, fd, "new", 0700)) \
    CALL("mknodat", syscall(SYS_mknodat, fd, "new", S_IFIFO | 0600, 0)) \
    CALL("unlinkat", syscall(SYS_unlinkat, fd, "x", 0)) \
    CALL("renameat from it", syscall(SYS_renameat, fd, "x", AT_FDCWD, "new")) \
    CALL("renameat to it", syscall(SYS_renameat, AT_FDCWD, "file", fd, "new")) \
    CALL("renameat2 from it", syscall(SYS_renameat2, fd, "x", AT_FDCWD, "new", 0)) \
    CALL("linkat from it", syscall(SYS_linkat, fd, "x", AT_FDCWD, "new", 0)) \
    CALL("linkat to it", syscall(SYS_linkat, AT_FDCWD, "file", fd, "new", 0)) \
    CALL("linkat of itself", syscall(SYS_linkat, fd, "", AT_FDCWD, "new", AT_EMPTY_PATH)) \
    CALL("symlinkat", syscall(SYS_symlinkat, "file", fd, "new")) \
    CALL("readlinkat", syscall(SYS_readlinkat, fd, "x", buffer, BYTES)) \
    CALL("readlinkat of itself", syscall(SYS_readlinkat, fd, "", buffer, BYTES)) \
    CALL("fchmodat", syscall(SYS_fchmodat, fd, "x", 0600)) \
    CALL("fchownat", syscall(SYS_fchownat, fd, "x", -1, -1, 0)) \
    CALL("fchownat of itself", syscall(SYS_fchownat, fd, "", -1, -1, AT_EMPTY_PATH)) \
    CALL("faccessat", syscall(SYS_faccessat, fd, "x", R_OK)) \
    CALL("fstatat64", syscall(SYS_fstatat64, fd, "x", buffer, 0)) \
    CALL("fstatat64 of itself", syscall(SYS_fstatat64, fd, "", buffer, AT_EMPTY_PATH)) \
    CALL("statx", syscall(SYS_statx, fd, "x", 0, 0x7ff, buffer)) \
    CALL("statx of itself", syscall(SYS_statx, fd, "", AT_EMPTY_PATH, 0x7ff, buffer)) \
    CALL("utimensat", syscall(SYS_utimensat, fd, "x", NULL, 0))

#define ENTRY(name, attempt) + 1
enum { CALL_COUNT = 0 CALLS(ENTRY) };

#define NAME(name, attempt) name,
static const char *const names[] = { CALLS(NAME) };

#define IF_CHOSEN(name, attempt) if (number++ == chosen) return attempt;

static long
call_make(int chosen, int fd)
{
    int number = 0;

    CALLS(IF_CHOSEN)
    return 0;
}

/* ---- Kinds of descriptors -------------------------------------------------------------------------------------------------- */

enum kind { NONE, CLOSED, LARGEST, READ, WRITE, DIRECTORY, PATH, RECEIVE, SEND, NULL_DEVICE, SOCKET, KINDS };

static const char *const kinds[KINDS] = {
    "-1", "closed", "largest", "read", "write", "directory", "path", "receive", "send", "null", "socket",
};

/* Files, and what calls with two descriptors are given besides. */
static void
surroundings_make(void)
{
    mkdir("d", 0755);
    close(open("d/x", O_WRONLY | O_CREAT, 0644));
    file = open("file", O_RDWR | O_CREAT | O_TRUNC, 0644);
    write(file, buffer, BYTES);
    lseek(file, 0, SEEK_SET);
    pipe2(pipe_out, O_NONBLOCK);
    write(pipe_out[1], buffer, BYTES);
    pipe2(pipe_in, O_NONBLOCK);
}

static void
surroundings_remove(void)
{
    chdir(PLACE);
    for (int fd = STDERR_FILENO + 1; fd <= OTHER + 2; fd++)
        close(fd);
    unlink("new");
    rmdir("new");
    unlink("d/x");
    unlink("d/new");
    rmdir("d/new");
    rmdir("d");
    unlink("file");
    unlink("target");
}

/* The descriptor gets a number that is the same everywhere. */
static int
descriptor_make(enum kind kind)
{
    int ends[2], fd = -1;

    switch (kind) {
    case NONE:
        return -1;
    case CLOSED:
        return OTHER;
    case LARGEST:
        return INT_MAX;
    case READ:
        close(open("target", O_WRONLY | O_CREAT | O_TRUNC, 0644));
        fd = open("target", O_RDONLY);
        break;
    case WRITE:
        fd = open("target", O_WRONLY | O_CREAT | O_TRUNC, 0644);
        break;
    case DIRECTORY:
        fd = open("d", O_RDONLY | O_DIRECTORY);
        break;
    case PATH:
        fd = open("file", O_PATH);
        break;
    case NULL_DEVICE:
        fd = open("/dev/null", O_RDWR);
        break;
    case SOCKET:
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends);
        fd = ends[0];
        break;
    default:
        pipe2(ends, O_NONBLOCK);
        fd = kind == RECEIVE ? ends[0] : ends[1];
    }
    dup2(fd, OTHER);
    return OTHER;
}

/* What Belady's sockets do not have. */
static bool
is_left_out(const char *name, enum kind kind)
{
    return kind == SOCKET && (strncmp(name, "sendfile64 from", 15) == 0 || strcmp(name, "splice from it") == 0);
}

static const char *
attempt_outcome(int call, enum kind kind)
{
    if (is_left_out(names[call], kind))
        return "-";
    surroundings_make();
    int fd = descriptor_make(kind);
    long result = call_make(call, fd);
    const char *name = result == -1 ? error_name(errno) : "ok";

    if (result != -1 && strncmp(names[call], "mmap2", 5) == 0)
        munmap((void *) result, sizeof buffer);
    surroundings_remove();
    return name;
}

int
main(void)
{
    signal(SIGPIPE, SIG_IGN);
    mkdir(PLACE, 0755);
    chdir(PLACE);
    printf("%24s", "");
    for (enum kind kind = 0; kind < KINDS; kind++)
        printf(" %9s", kinds[kind]);
    putchar('\n');
    for (int call = 0; call < CALL_COUNT; call++) {
        printf("%-24s", names[call]);
        for (enum kind kind = 0; kind < KINDS; kind++)
            printf(" %9s", attempt_outcome(call, kind));
        putchar('\n');
    }
    chdir("/");
    return rmdir(PLACE) == 0 ? 0 : 1;
}
