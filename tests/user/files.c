/*
 * Files in /tmp: creating, reading, writing, seeking, appending, descriptors and
 * what they share, directories, links, names, sizes, and what is refused. And some
 * files that every program expects: /dev/null and its like, /proc/self.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/system.h"

#define DIRECTORY "/tmp/files"
#define NAME      DIRECTORY "/name"
#define OTHER     DIRECTORY "/other"

static int
file_make(const char *name, const char *text)
{
    int file = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
    write(file, text, strlen(text));
    return file;
}

static bool
file_holds(int file, const char *text)
{
    char buffer[256];
    return pread(file, buffer, sizeof buffer, 0) == (ssize_t) strlen(text) && memcmp(buffer, text, strlen(text)) == 0;
}

static void
open_check(void)
{
    check_that(refused(open(NAME, O_RDONLY), ENOENT), "no such file");
    int file = open(NAME, O_WRONLY | O_CREAT | O_EXCL, 0640);
    check_that(file >= 0, "O_EXCL makes a new one");
    check_that(refused(open(NAME, O_WRONLY | O_CREAT | O_EXCL, 0640), EEXIST), "and no second");
    check_that(refused(read(file, (char [1]) { 0 }, 1), EBADF), "O_WRONLY cannot be read");
    close(file);
    check_that(refused(close(file), EBADF), "closed once");
    file = open(NAME, O_RDONLY);
    check_that(refused(write(file, "x", 1), EBADF), "O_RDONLY cannot be written");
    close(file);
    check_that(refused(open(NAME "/below", O_RDONLY), ENOTDIR), "a file is no directory");
    check_that(refused(open(DIRECTORY, O_WRONLY), EISDIR), "a directory cannot be written");
    check_that(refused(open(NAME, O_RDONLY | O_DIRECTORY), ENOTDIR), "O_DIRECTORY wants one");
    char *long_name = malloc(PATH_MAX + 10);
    memset(long_name, 'l', PATH_MAX + 9);
    long_name[PATH_MAX + 9] = '\0';
    check_that(refused(open(long_name, O_RDONLY), ENAMETOOLONG), "a path longer than PATH_MAX");
    long_name[NAME_MAX + 1] = '\0';
    check_that(refused(open(long_name, O_RDONLY), ENAMETOOLONG), "a name longer than NAME_MAX");
    free(long_name);
}

static void
position_check(void)
{
    int file = file_make(NAME, "0123456789");
    char text[8] = "";

    check_that(lseek(file, 3, SEEK_SET) == 3 && read(file, text, 2) == 2 && text[0] == '3', "SEEK_SET");
    check_that(lseek(file, 2, SEEK_CUR) == 7 && read(file, text, 8) == 3 && text[0] == '7', "SEEK_CUR");
    check_that(lseek(file, -1, SEEK_END) == 9 && read(file, text, 8) == 1 && text[0] == '9', "SEEK_END");
    check_that(read(file, text, 8) == 0, "at the end: 0");
    bool before = true;
    for (int i = 1; i < 200; i++)
        before = before && refused(lseek(file, -i, SEEK_SET), EINVAL) && refused(lseek(file, -10 - i, SEEK_END), EINVAL);
    check_that(before && refused(lseek(file, INT64_MAX, SEEK_END), EINVAL), "before the beginning: EINVAL, as far before as an error's number, too");
    check_that(lseek(file, 5000, SEEK_SET) == 5000 && write(file, "x", 1) == 1, "beyond the end");
    check_that(pread(file, text, 1, 4000) == 1 && text[0] == 0, "the hole reads as zeroes");
    check_that(lseek(file, 0, SEEK_CUR) == 5001, "pread leaves the position");
    check_that(ftruncate(file, 4) == 0 && file_holds(file, "0123"), "ftruncate cuts off");
    check_that(ftruncate(file, 6) == 0 && pread(file, text, 8, 0) == 6 && text[4] == 0, "and appends zeroes");
    check_that(truncate(NAME, 2) == 0 && file_holds(file, "01"), "truncate by name");
    check_that(refused(ftruncate(file, -1), EINVAL), "to a negative length: EINVAL");
    close(file);
}

/* Linux's fourth way to open a file, for what asks for neither: device control. musl's O_ACCMODE has one bit more. */
#define O_NEITHER (O_WRONLY | O_RDWR)

static void
neither_check(void)
{
    int file = file_make(NAME, "abc");
    char byte = 'x';

    close(file);
    file = open(NAME, O_NEITHER);
    check_that(file >= 0 && (fcntl(file, F_GETFL) & O_NEITHER) == O_NEITHER, "a file can be opened for neither reading nor writing");
    check_that(refused(read(file, &byte, 1), EBADF) && refused(write(file, &byte, 1), EBADF), "then it can be neither read nor written: EBADF");
    check_that(refused(ftruncate(file, 0), EINVAL) && mmap(NULL, 1, PROT_READ, MAP_PRIVATE, file, 0) == MAP_FAILED && errno == EACCES,
               "nor cut nor mapped");
    close(file);
    unlink(NAME);
}

static void
append_check(void)
{
    close(file_make(NAME, "one"));
    int file = open(NAME, O_RDWR | O_APPEND), reader = open(NAME, O_RDONLY);
    struct stat status;

    lseek(file, 0, SEEK_SET);
    check_that(write(file, "two", 3) == 3 && file_holds(reader, "onetwo"), "O_APPEND writes at the end");
    check_that((fcntl(file, F_GETFL) & (O_ACCMODE | O_APPEND)) == (O_RDWR | O_APPEND), "F_GETFL tells so");
    check_that(fcntl(file, F_SETFL, 0) == 0 && !(fcntl(file, F_GETFL) & O_APPEND), "F_SETFL ends it");
    check_that(fstat(reader, &status) == 0 && status.st_size == 6 && S_ISREG(status.st_mode), "fstat tells the size");
    close(file);
    close(reader);
}

static void
descriptor_check(void)
{
    int file = file_make(NAME, "abcdef"), copy = dup(file);
    char byte = 0;

    lseek(file, 0, SEEK_SET);
    read(file, &byte, 1);
    check_that(read(copy, &byte, 1) == 1 && byte == 'b', "dup shares the position");
    check_that(dup2(file, 50) == 50 && read(50, &byte, 1) == 1 && byte == 'c', "dup2 takes the number it is told");
    check_that(dup2(file, file) == file, "dup2 onto itself");
    check_that(refused(dup2(99, 51), EBADF) && refused(dup(-1), EBADF), "of nothing: EBADF");
    check_that(fcntl(file, F_DUPFD, 60) == 60, "F_DUPFD takes the next free number");
    check_that(fcntl(60, F_SETFD, FD_CLOEXEC) == 0 && fcntl(60, F_GETFD) == FD_CLOEXEC && fcntl(file, F_GETFD) == 0,
               "close-on-exec belongs to the descriptor");
    check_that(fcntl(file, F_GETLEASE) == F_UNLCK && refused(fcntl(99, F_GETLEASE), EBADF), "nobody has a lease");
    check_that(dup3(file, 61, O_CLOEXEC) == 61 && fcntl(61, F_GETFD) == FD_CLOEXEC, "dup3 sets it");
    pid_t child = check_fork();
    if (child == 0)
        _exit(read(file, &byte, 1) != 1 || byte != 'd');
    check_that(check_wait(child) == 0 && read(file, &byte, 1) == 1 && byte == 'e', "fork shares the position");
    close(copy);
    for (int i = 50; i <= 61; i++)
        close(i);
    check_that(dup(file) == copy, "the lowest free number comes first");
    close(copy);
    close(file);
}

static void
name_check(void)
{
    struct stat first, second;

    close(file_make(NAME, "here"));
    check_that(rename(NAME, OTHER) == 0 && refused(access(NAME, F_OK), ENOENT) && access(OTHER, R_OK) == 0, "rename");
    close(file_make(NAME, "there"));
    check_that(rename(NAME, OTHER) == 0 && stat(OTHER, &first) == 0 && first.st_size == 5, "rename onto another");
    if (link(OTHER, NAME) == 0)
        check_that(stat(OTHER, &first) == 0 && stat(NAME, &second) == 0 && first.st_ino == second.st_ino
                   && first.st_nlink == 2, "link gives a second name");
    else
        check_skip("hard links");
    check_that(refused(link(OTHER, OTHER), EEXIST) || errno == ENOSYS, "no link onto what exists");
    unlink(NAME);
    int file = open(OTHER, O_RDWR);
    check_that(unlink(OTHER) == 0 && file_holds(file, "there"), "an unlinked file lives while it is open");
    check_that(refused(access(OTHER, F_OK), ENOENT) && refused(unlink(OTHER), ENOENT), "its name is gone");
    close(file);
    check_that(refused(unlink(DIRECTORY), EISDIR), "unlink is not for directories");
}

static void
symlink_check(void)
{
    char target[PATH_MAX];
    struct stat status;

    close(file_make(NAME, "text"));
    check_that(symlink("name", OTHER) == 0, "symlink");
    check_that(readlink(OTHER, target, sizeof target) == 4 && memcmp(target, "name", 4) == 0, "readlink");
    check_that(lstat(OTHER, &status) == 0 && S_ISLNK(status.st_mode), "lstat sees the link");
    check_that(stat(OTHER, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 4, "stat what it leads to");
    unlink(OTHER);
    check_that(access(NAME, F_OK) == 0, "unlink removes the link alone");
    symlink(OTHER, OTHER);
    check_that(refused(open(OTHER, O_RDONLY), ELOOP), "a link to itself: ELOOP");
    unlink(OTHER);
    unlink(NAME);
}

/* How often the name occurs in the directory, or -1. */
static int
entry_count(const char *directory, const char *name)
{
    DIR *stream = opendir(directory);
    int count = 0;

    if (stream == NULL)
        return -1;
    for (struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream))
        count += name == NULL || strcmp(entry->d_name, name) == 0;
    closedir(stream);
    return count;
}

static void
directory_check(void)
{
    enum { MANY = 300 };
    char name[64], here[PATH_MAX];

    check_that(refused(mkdir(DIRECTORY, 0755), EEXIST), "mkdir of what exists");
    check_that(mkdir(NAME, 0755) == 0 && refused(rmdir(DIRECTORY), ENOTEMPTY), "rmdir of what is not empty");
    check_that(entry_count(DIRECTORY, ".") == 1 && entry_count(DIRECTORY, "..") == 1
               && entry_count(DIRECTORY, "name") == 1, "a directory lists itself, its parent, its entries");
    check_that(chdir(NAME) == 0 && getcwd(here, sizeof here) != NULL && strcmp(here, NAME) == 0, "chdir and getcwd");
    check_that(access("../name", F_OK) == 0 && chdir("../..") == 0 && getcwd(here, sizeof here) != NULL
               && strcmp(here, "/tmp") == 0, "relative paths");
    check_that(refused((long) getcwd(here, 2) == 0 ? -1 : 0, ERANGE), "getcwd with too little room");
    chdir("/");
    check_that(rmdir(NAME) == 0 && refused(rmdir(NAME), ENOENT), "rmdir");
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, DIRECTORY "/file%d", i);
        close(file_make(name, ""));
    }
    check_that(entry_count(DIRECTORY, NULL) == MANY + 2, "%d entries", MANY);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, DIRECTORY "/file%d", i);
        unlink(name);
    }
    check_that(entry_count(DIRECTORY, NULL) == 2, "and none");
}

static void
mode_check(void)
{
    struct stat status;

    umask(027);
    close(open(NAME, O_WRONLY | O_CREAT, 0666));
    check_that(stat(NAME, &status) == 0 && (status.st_mode & 0777) == 0640, "umask takes permissions away");
    check_that(umask(022) == 027, "and tells what it was");
    if (chmod(NAME, 0600) == 0)
        check_that(stat(NAME, &status) == 0 && (status.st_mode & 0777) == 0600, "chmod");
    else
        check_skip("chmod");
    unlink(NAME);
}

static void
device_check(void)
{
    char text[16] = "x";
    int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR);
    struct stat status;

    check_that(write(null, text, sizeof text) == sizeof text && read(null, text, sizeof text) == 0, "/dev/null");
    check_that(read(zero, text, sizeof text) == sizeof text && text[0] == 0, "/dev/zero");
    check_that(fstat(null, &status) == 0 && S_ISCHR(status.st_mode), "they are character devices");
    close(null);
    close(zero);
}

static void
proc_check(void)
{
    static const char *const names[] = {
        "/proc/self/maps", "/proc/self/stat", "/proc/self/status", "/proc/self/cmdline", "/proc/meminfo",
        "/proc/cmdline", "/proc/version", "/proc/uptime", "/proc/mounts", "/proc/cpuinfo", "/proc/vmstat", "/proc/swaps",
    };
    char target[PATH_MAX];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *text = file_text(names[i]);
        check_that(text != NULL && text[0] != '\0', "%s", names[i]);
        free(text);
    }
    ssize_t length = readlink("/proc/self/exe", target, sizeof target - 1);
    check_that(length > 0 && target[0] == '/', "/proc/self/exe");
    int file = open("/proc/self/maps", O_RDONLY);
    check_that(read(file, target, 1) == 1 && read(file, target + 1, 1) == 1 && target[0] != '\0', "in portions");
    close(file);
    check_that(refused(open("/proc/self/nothing", O_RDONLY), ENOENT), "what is not there is not there");
    file = open("/dev/full", O_RDWR);
    check_that(lseek(file, 77, SEEK_SET) == 0 && lseek(file, -5, SEEK_CUR) == 0 && lseek(file, 5, SEEK_END) == 0,
               "seeking on a device leads nowhere");
    close(file);
    check_that(refused(getxattr("/proc", "user.none", target, sizeof target), EOPNOTSUPP), "extended attributes are not supported");
}

/* The forms that carry 32 bits of length, which musl does not use, and what says something about use. */
static void
advice_check(void)
{
    struct stat status;
    int file = open(NAME, O_RDWR | O_CREAT, 0600), ends[2];

    check_that(syscall(SYS_ftruncate, file, 5000) == 0 && fstat(file, &status) == 0 && status.st_size == 5000, "ftruncate with 32 bits");
    check_that(syscall(SYS_truncate, NAME, 70) == 0 && fstat(file, &status) == 0 && status.st_size == 70, "truncate with 32 bits");
    check_that(refused(syscall(SYS_ftruncate, file, -1), EINVAL) && refused(syscall(SYS_truncate, NAME, -1), EINVAL), "not to less than nothing");
    check_that(posix_fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL) == 0, "advice is taken");
    check_that(posix_fadvise(file, 0, 0, 77) == EINVAL && posix_fadvise(file, 0, -1, POSIX_FADV_NORMAL) == EINVAL, "if it is any");
    check_that(posix_fadvise(-1, 0, 0, 0) == EBADF, "on an open file");
    check_that(pipe(ends) == 0 && posix_fadvise(ends[0], 0, 0, 0) == ESPIPE, "that is no pipe");
    check_that(readahead(file, 0, 4096) == 0 && refused(readahead(ends[0], 0, 1), EINVAL) && refused(readahead(-1, 0, 1), EBADF), "readahead");
    check_that(syncfs(file) == 0 && refused(syncfs(-1), EBADF), "syncfs");
    close(ends[0]);
    close(ends[1]);
    close(file);
    unlink(NAME);
}

static void
direct_check(void)
{
    int file = open(NAME, O_RDWR | O_CREAT, 0600), ends[2], size = 0;

    check_that(refused(open(NAME, O_RDONLY | O_DIRECT), EINVAL) && refused(fcntl(file, F_SETFL, O_DIRECT), EINVAL), "nothing goes past the page cache: EINVAL");
    check_that(pipe(ends) == 0 && fcntl(ends[1], F_SETFL, O_DIRECT) == 0 && fcntl(ends[1], F_GETFL) == (O_WRONLY | O_DIRECT), "but a pipe may keep packets");
    check_that(ioctl(file, FIGETBSZ, &size) == 0 && size == 4096 && refused(ioctl(file, FIGETBSZ, 0), EFAULT), "FIGETBSZ");
    close(ends[0]);
    close(ends[1]);
    close(file);
    unlink(NAME);
}

/* A record that user memory has no room for is read by the next call. */
static void
record_check(void)
{
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int directory = open(DIRECTORY, O_RDONLY);
    char rest[64];

    munmap(page + 4096, 4096);
    check_that(syscall(SYS_getdents64, directory, page + 4096 - 30, 4096) == 24, "getdents64 gives the records that could be written");
    check_that(syscall(SYS_getdents64, directory, rest, sizeof rest) == 24 && strcmp(rest + 19, "..") == 0, "and goes on behind them");
    lseek(directory, 0, SEEK_SET);
    check_that(refused(syscall(SYS_getdents64, directory, page + 4096 - 20, 4096), EFAULT) && lseek(directory, 0, SEEK_CUR) == 0, "if it is not one: EFAULT");
    munmap(page, 4096);
    close(directory);
}

int
main(void)
{
    check_that(mkdir(DIRECTORY, 0755) == 0, "a directory in /tmp");
    open_check();
    position_check();
    neither_check();
    append_check();
    descriptor_check();
    name_check();
    symlink_check();
    directory_check();
    mode_check();
    device_check();
    proc_check();
    advice_check();
    direct_check();
    record_check();
    check_that(rmdir(DIRECTORY) == 0, "all is removed");
    return check_end();
}
