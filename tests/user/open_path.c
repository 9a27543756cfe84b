/*
 * Descriptors that stand for a file without opening it (O_PATH), and paths that are
 * empty because the descriptor says all (AT_EMPTY_PATH); programs run by them (execveat).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"

/* Older versions of musl have no statx: all that stat tells, and which word of the result is stx_size. */
#define STATX_ALL_BASIC 0x7ff
#define STATX_SIZE_WORD 5

#define DIRECTORY "/tmp/open_path"
#define NAME      DIRECTORY "/name"
#define LINK      DIRECTORY "/link"
#define FIFO      DIRECTORY "/fifo"
#define SCRIPT    DIRECTORY "/script"

/* How this program ends where it is run once more; neither is an errno of execveat's. */
enum { RAN = 201, FOUND = 202 };

/* A descriptor refuses with this. */
static bool
bad(long result)
{
    return result == -1 && errno == EBADF;
}

static bool
is_same(int descriptor, const char *path)
{
    struct stat one, other;
    return fstat(descriptor, &one) == 0 && lstat(path, &other) == 0 && one.st_ino == other.st_ino && one.st_dev == other.st_dev;
}

static void
contents_check(int file)
{
    char byte;
    struct iovec segment = { &byte, 1 };
    struct pollfd poll_entry = { .fd = file, .events = POLLIN };

    check_that(bad(read(file, &byte, 1)) && bad(write(file, "x", 1)), "neither read nor written: EBADF");
    check_that(bad(pread(file, &byte, 1, 0)) && bad(pwrite(file, "x", 1, 0)) && bad(readv(file, &segment, 1)), "at no offset either");
    check_that(bad(lseek(file, 0, SEEK_SET)) && bad(ftruncate(file, 0)) && bad(fsync(file)), "no offset, no length, nothing to sync");
    /* By their numbers: musl's functions go round by /proc/self/fd. */
    check_that(bad(ioctl(file, FIONREAD, &(int) { 0 })) && bad(syscall(SYS_fchmod, file, 0600)) && bad(syscall(SYS_fchown32, file, 0, 0)),
               "its inode is not changed by it");
    check_that(bad(futimens(file, NULL)), "nor are its times");
    check_that(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0) == MAP_FAILED && errno == EBADF, "not mapped");
    check_that(poll(&poll_entry, 1, 0) == 1 && poll_entry.revents == POLLNVAL, "poll: POLLNVAL");
}

static void
file_check(void)
{
    int file = open(NAME, O_PATH);
    struct statfs tree;

    check_that(file >= 0 && is_same(file, NAME), "O_PATH and fstat");
    contents_check(file);
    check_that((fcntl(file, F_GETFL) & (O_PATH | O_ACCMODE)) == O_PATH, "F_GETFL says so");
    check_that(bad(fcntl(file, F_SETFL, O_APPEND)) && bad(fcntl(file, F_GETLK, &(struct flock){ .l_type = F_RDLCK })),
               "F_SETFL and locks: EBADF");
    check_that(fcntl(file, F_SETFD, FD_CLOEXEC) == 0 && fcntl(file, F_GETFD) == FD_CLOEXEC, "F_SETFD is the descriptor's");
    int copy = dup(file);
    check_that(copy >= 0 && bad(read(copy, &tree, 1)) && close(copy) == 0, "dup makes another");
    check_that(fstatfs(file, &tree) == 0, "fstatfs");
    char link[64], target[64] = { 0 };
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    check_that(readlink(link, target, sizeof target - 1) > 0 && strcmp(target, NAME) == 0, "its link in /proc/self/fd says the path");
    int opened = open(link, O_RDONLY);
    check_that(opened >= 0 && read(opened, target, 4) == 4 && memcmp(target, "text", 4) == 0, "through which it can be opened");
    close(opened);
    check_that(refused(openat(file, "below", O_RDONLY), ENOTDIR), "it is no directory to start from");
    check_that(close(file) == 0 && bad(close(file)), "closed");
    check_that(refused(open(NAME, O_PATH | O_DIRECTORY), ENOTDIR), "O_DIRECTORY means what it says");
    check_that(refused(open(DIRECTORY "/none", O_PATH | O_CREAT, 0600), ENOENT), "O_CREAT nothing");
    file = open(NAME, O_PATH | O_TRUNC | O_RDWR);
    struct stat status;
    check_that(file >= 0 && fstat(file, &status) == 0 && status.st_size == 4 && bad(read(file, target, 1)), "nor O_TRUNC or O_RDWR");
    close(file);
    file = open(FIFO, O_PATH);
    check_that(file >= 0 && fstat(file, &status) == 0 && S_ISFIFO(status.st_mode), "a FIFO without waiting for its other end");
    close(file);
}

static void
directory_check(void)
{
    int directory = open(DIRECTORY, O_PATH), file = openat(directory, "name", O_RDONLY);
    struct stat status;

    check_that(file >= 0 && close(file) == 0, "openat below a directory opened so");
    check_that(fstatat(directory, "name", &status, 0) == 0 && status.st_size == 4 && faccessat(directory, "name", R_OK, 0) == 0,
               "and other calls with names");
    char here[64], old[64];
    getcwd(old, sizeof old);
    check_that(fchdir(directory) == 0 && getcwd(here, sizeof here) != NULL && strcmp(here, DIRECTORY) == 0, "fchdir");
    chdir(old);
    close(directory);
}

static void
link_check(void)
{
    char target[64] = { 0 };
    struct stat status;
    int link = open(LINK, O_PATH | O_NOFOLLOW);

    check_that(link >= 0 && fstat(link, &status) == 0 && S_ISLNK(status.st_mode), "with O_NOFOLLOW it can be a symbolic link");
    check_that(readlinkat(link, "", target, sizeof target) == 4 && memcmp(target, "name", 4) == 0, "which readlinkat of \"\" reads");
    close(link);
    check_that(refused(open(LINK, O_RDONLY | O_NOFOLLOW), ELOOP), "without O_PATH: ELOOP");
    link = open(LINK, O_PATH);
    check_that(is_same(link, NAME) && refused(readlinkat(link, "", target, 1), ENOENT), "without O_NOFOLLOW it is what the link leads to");
    close(link);
}

static void
empty_check(void)
{
    struct stat status;
    uint64_t extended[32];
    int file = open(NAME, O_PATH);

    check_that(fstatat(file, "", &status, AT_EMPTY_PATH) == 0 && status.st_size == 4, "fstatat of \"\"");
    check_that(refused(fstatat(file, "", &status, 0), ENOENT), "only with AT_EMPTY_PATH");
    check_that(syscall(SYS_statx, file, "", AT_EMPTY_PATH, STATX_ALL_BASIC, extended) == 0 && extended[STATX_SIZE_WORD] == 4, "statx");
    check_that(fstatat(AT_FDCWD, "", &status, AT_EMPTY_PATH) == 0 && S_ISDIR(status.st_mode), "AT_FDCWD is the directory");
    check_that(bad(fstatat(99, "", &status, AT_EMPTY_PATH)), "no descriptor: EBADF");
    check_that(fchownat(file, "", 0, 0, AT_EMPTY_PATH) == 0, "fchownat");
    check_that(linkat(file, "", AT_FDCWD, DIRECTORY "/second", AT_EMPTY_PATH) == 0 && is_same(file, DIRECTORY "/second"), "linkat");
    check_that(refused(linkat(file, "", AT_FDCWD, DIRECTORY "/third", 0), ENOENT), "only with AT_EMPTY_PATH");
    unlink(DIRECTORY "/second");
    check_that(unlink(NAME) == 0 && fstat(file, &status) == 0 && status.st_nlink == 0, "it outlives its name");
    check_that(refused(linkat(file, "", AT_FDCWD, NAME, AT_EMPTY_PATH), ENOENT), "and gets no other");
    close(file);
}

/* ---- execveat: this program again, or a script that it is the interpreter of, which says so by its status ---- */

/* How a child ends that runs so, or with which errno it refused. */
static int
execute(int directory, const char *path, int flags)
{
    pid_t child = check_fork();

    if (child == 0) {
        syscall(SYS_execveat, directory, path, (char *[]) { "again", "again", NULL }, (char *[]) { NULL }, flags);
        _exit(errno);
    }
    return WEXITSTATUS(check_wait(child));
}

/* The interpreter of the script is told how to find it, and can. */
static int
run_again(int count, char **arguments)
{
    return count == 2 ? RAN : access(arguments[2], F_OK) == 0 ? FOUND : ENOENT;
}

static void
script_write(void)
{
    int script = open(SCRIPT, O_WRONLY | O_CREAT | O_TRUNC, 0700);
    char self[256] = { 0 };

    readlink("/proc/self/exe", self, sizeof self - 1);
    dprintf(script, "#! %s script\n", self);
    close(script);
}

static void
execute_check(void)
{
    int program = open("/proc/self/exe", O_PATH | O_CLOEXEC), directory = open(DIRECTORY, O_PATH);
    int script, closed_script, link;

    script_write();
    script = open(SCRIPT, O_PATH);
    closed_script = open(SCRIPT, O_PATH | O_CLOEXEC);
    symlink("script", LINK);
    link = open(LINK, O_PATH | O_NOFOLLOW);
    check_that(execute(program, "", AT_EMPTY_PATH) == RAN, "execveat runs what the descriptor leads to");
    check_that(execute(program, "", 0) == ENOENT, "only with AT_EMPTY_PATH");
    check_that(execute(AT_FDCWD, "/proc/self/exe", 0) == RAN && execute(99, "/proc/self/exe", 0) == RAN, "or a path, as execve");
    check_that(execute(directory, "script", 0) == FOUND && execute(directory, "link", 0) == FOUND, "from the directory on");
    check_that(execute(script, "", AT_EMPTY_PATH) == FOUND, "an interpreter finds its script by the descriptor");
    check_that(execute(closed_script, "", AT_EMPTY_PATH) == ENOENT, "but not where that has been closed");
    check_that(execute(closed_script, SCRIPT, AT_EMPTY_PATH) == FOUND, "which does not matter for a whole path");
    check_that(execute(directory, "link", AT_SYMLINK_NOFOLLOW) == ELOOP, "AT_SYMLINK_NOFOLLOW refuses a link");
    check_that(execute(link, "", AT_EMPTY_PATH) == ELOOP, "and so is a descriptor of one refused");
    check_that(execute(directory, "", AT_EMPTY_PATH) == EACCES, "a directory is no program");
    check_that(execute(99, "script", 0) == EBADF && execute(script, "script", 0) == ENOTDIR, "a path needs a directory to start at");
    check_that(execute(AT_FDCWD, "/proc/self/exe", AT_REMOVEDIR) == EINVAL, "other flags are EINVAL");
    check_that(execute(AT_FDCWD, (const char *) -1, AT_REMOVEDIR) == EFAULT, "a bad path is EFAULT");
    unlink(SCRIPT);
    unlink(LINK);
}

int
main(int count, char **arguments)
{
    if (count > 1)
        return run_again(count, arguments);
    mkdir(DIRECTORY, 0700);
    int file = open(NAME, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    write(file, "text", 4);
    close(file);
    symlink("name", LINK);
    mkfifo(FIFO, 0600);
    file_check();
    directory_check();
    link_check();
    empty_check();
    unlink(LINK);
    execute_check();
    unlink(FIFO);
    check_that(rmdir(DIRECTORY) == 0, "nothing is left");
    return check_end();
}
