/*
 * Files, directories and links: what can be opened how, what renaming and removing do, positions, holes,
 * descriptors, and what each call refuses.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/outcome.h"

#define PLACE "/tmp/files"

static char text[8192];

/* Opens, tells how that went, and closes again. */
static void
open_show(const char *path, int flags, const char *what)
{
    int file = open(path, flags, 0644);

    if (file < 0)
        outcome(file, "open %s, %s", path, what);
    else
        outcome(close(file), "open %s, %s", path, what);
}

static void
file_make(const char *path, const char *contents)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    write(file, contents, strlen(contents));
    close(file);
}

static void
stat_show(const char *path)
{
    struct stat status;

    if (lstat(path, &status) != 0)
        outcome(-1, "lstat %s", path);
    else
        tell("%s: mode %o, links %ld, size %ld", path, (unsigned) status.st_mode, (long) status.st_nlink,
             S_ISDIR(status.st_mode) ? 0L : (long) status.st_size);
}

static int
name_compare(const void *one, const void *other)
{
    return strcmp(*(char *const *) one, *(char *const *) other);
}

static void
directory_show(const char *path)
{
    char *names[32];
    int count = 0;
    DIR *directory = opendir(path);

    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL && count < 32;)
        asprintf(&names[count++], "%s(%d)", entry->d_name, entry->d_type);
    if (directory != NULL)
        closedir(directory);
    qsort(names, count, sizeof *names, name_compare);
    printf("%s:", path);
    for (int i = 0; i < count; i++)
        printf(" %s", names[i]);
    putchar('\n');
}

/* ---- Opening --------------------------------------------------------------------------------------------------------------- */

static void
opening_show(void)
{
    char name[PATH_MAX + 10];

    file_make("file", "0123456789");
    mkdir("directory", 0755);
    symlink("file", "link");
    symlink("nothing", "dangling");
    symlink("loop", "loop");
    symlink("directory", "way");
    open_show("nothing", O_RDONLY, "to read");
    open_show("", O_RDONLY, "to read");
    open_show("file", O_WRONLY | O_CREAT | O_EXCL, "O_CREAT O_EXCL");
    open_show("link", O_WRONLY | O_CREAT | O_EXCL, "O_CREAT O_EXCL");
    open_show("dangling", O_WRONLY | O_CREAT | O_EXCL, "O_CREAT O_EXCL");
    open_show("dangling", O_RDONLY, "to read");
    open_show("dangling", O_WRONLY | O_CREAT, "O_CREAT");
    stat_show("nothing");
    unlink("nothing");
    open_show("link", O_RDONLY | O_NOFOLLOW, "O_NOFOLLOW");
    open_show("loop", O_RDONLY, "to read");
    open_show("file/x", O_RDONLY, "to read");
    open_show("file/", O_RDONLY, "to read");
    open_show("link/", O_RDONLY, "to read");
    open_show("new/", O_WRONLY | O_CREAT, "O_CREAT");
    open_show("file", O_RDONLY | O_DIRECTORY, "O_DIRECTORY");
    open_show("way", O_RDONLY | O_DIRECTORY, "O_DIRECTORY");
    open_show("way", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, "O_DIRECTORY O_NOFOLLOW");
    open_show("directory", O_WRONLY, "to write");
    open_show("directory", O_RDONLY | O_CREAT, "O_CREAT");
    open_show("directory", O_RDONLY, "to read");
    open_show("nowhere/new", O_WRONLY | O_CREAT, "O_CREAT");
    open_show("file", O_RDONLY | O_TRUNC, "O_TRUNC to read");
    stat_show("file");
    memset(name, 'n', sizeof name);
    name[NAME_MAX + 1] = '\0';
    outcome(open(name, O_RDONLY), "a name of 256 bytes");
    name[NAME_MAX + 1] = 'n';
    name[PATH_MAX] = '\0';
    outcome(open(name, O_RDONLY), "a path of 4096 bytes");
    outcome(open((char *) 1, O_RDONLY), "a bad pointer");
}

/* ---- Positions -------------------------------------------------------------------------------------------------------------- */

static void
positions_show(void)
{
    int file = open("place", O_RDWR | O_CREAT | O_TRUNC, 0600), appending = open("place", O_WRONLY | O_APPEND), ends[2];

    outcome(write(file, "0123456789", 10), "write");
    outcome(lseek(file, -3, SEEK_END), "lseek -3 from the end");
    outcome(read(file, text, 10), "read 10");
    outcome(read(file, text, 10), "read at the end");
    outcome(lseek(file, -11, SEEK_CUR), "lseek before the beginning");
    outcome(lseek(file, 0, 77), "lseek with a wrong whence");
    pipe(ends);
    outcome(lseek(ends[0], 0, 77), "lseek of a pipe with a wrong whence");
    outcome(lseek(ends[0], 0, SEEK_SET), "lseek of a pipe");
    outcome(lseek(file, 100, SEEK_SET), "lseek beyond the end");
    outcome(read(file, text, 10), "read there");
    outcome(write(file, "x", 1), "write there");
    outcome(pread(file, text, 200, 5), "pread from 5");
    tell("  the hole reads as zero: %d", text[10] == 0 && text[95] == 'x');
    outcome(pwrite(appending, "end", 3, 0), "pwrite to a file opened to append");
    outcome(lseek(appending, 0, SEEK_CUR), "its position");
    outcome(lseek(file, 0, SEEK_END), "the size");
    outcome(ftruncate(file, 5), "ftruncate 5");
    outcome(lseek(file, 0, SEEK_CUR), "the position stays beyond");
    outcome(ftruncate(file, -1), "ftruncate -1");
    outcome(pread(file, text, 1, -1), "pread from -1");
    outcome(truncate("directory", 0), "truncate a directory");
    outcome(truncate("nothing", 0), "truncate nothing");
    outcome(read(file, NULL, 10), "read into nowhere");
    outcome(lseek(file, 0, SEEK_SET), "lseek");
    outcome(read(file, (char *) 1, 10), "read into nowhere, with bytes there");
    outcome(readv(file, (struct iovec[]){ { text, 2 }, { text, 100 } }, 2), "readv");
    outcome(preadv(file, (struct iovec[]){ { text, 2 }, { text, 2 } }, 2, 1), "preadv from 1");
    outcome(writev(file, NULL, 2000), "writev of too many");
    outcome(read(appending, text, 1), "read from a file opened to write");
    outcome(read(77, text, 1), "read from no file");
    close(file);
    close(appending);
}

static void
sparse_show(void)
{
    struct stat status;
    int file = open("sparse", O_RDWR | O_CREAT | O_TRUNC, 0600);

    outcome(pwrite(file, "end", 3, (1 << 30) - 3), "write at the end of 1 GiB");
    fstat(file, &status);
    tell("size %ld, little memory: %d", (long) status.st_size, status.st_blocks < 100);
    outcome(pread(file, text, 100, 1 << 29), "read in the middle");
    outcome(lseek(file, 0, SEEK_DATA), "the first data");
    outcome(lseek(file, 0, SEEK_HOLE), "the first hole");
    outcome(lseek(file, 1 << 30, SEEK_DATA), "data beyond the end");
    outcome(lseek(file, (1 << 30) - 1, SEEK_HOLE), "the hole at the end");
    outcome(ftruncate(file, 1 << 12), "ftruncate 4096");
    outcome(lseek(file, 0, SEEK_DATA), "no data left");
    close(file);
    outcome(unlink("sparse"), "unlink");
}

/* ---- Descriptors -------------------------------------------------------------------------------------------------------------- */

static void
descriptors_show(void)
{
    int file = open("file", O_RDWR | O_CLOEXEC), copy = dup(file);

    outcome(fcntl(file, F_GETFD), "F_GETFD of one opened O_CLOEXEC");
    outcome(fcntl(copy, F_GETFD), "F_GETFD of its copy");
    outcome(fcntl(copy, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK), "F_GETFL");
    outcome(fcntl(copy, F_SETFL, O_APPEND | O_NONBLOCK | O_WRONLY), "F_SETFL append, nonblock, and what cannot be set");
    outcome(fcntl(file, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK), "seen through the other");
    outcome(fcntl(file, F_DUPFD, 100), "F_DUPFD 100");
    outcome(fcntl(file, F_DUPFD_CLOEXEC, 100), "F_DUPFD_CLOEXEC 100");
    outcome(fcntl(101, F_GETFD), "its flag");
    outcome(fcntl(file, F_DUPFD, -1), "F_DUPFD -1");
    outcome(fcntl(file, 7777), "fcntl of a wrong command");
    outcome(fcntl(77, F_GETFD), "fcntl of no file");
    outcome(dup2(file, file) == file, "dup2 onto itself");
    outcome(dup3(file, file, 0), "dup3 onto itself");
    outcome(dup2(77, 78), "dup2 of no file");
    outcome(dup2(file, -1), "dup2 to -1");
    outcome(dup2(file, 1 << 20), "dup2 beyond the limit");
    outcome(close(copy), "close");
    outcome(close(copy), "close again");
}

/* ---- Names ------------------------------------------------------------------------------------------------------------------- */

static void
rename_show(const char *from, const char *to)
{
    outcome(rename(from, to), "rename %s to %s", from, to);
}

static void
names_show(void)
{
    struct stat one, other;

    mkdir("a", 0755);
    mkdir("b", 0755);
    mkdir("b/full", 0755);
    file_make("one", "1");
    file_make("two", "22");
    rename_show("nothing", "x");
    rename_show("one", "a");
    rename_show("a", "one");
    rename_show("a", "b");
    rename_show("b", "b/inside");
    rename_show("b/full", "a");
    rename_show("one", "one");
    rename_show("one/", "x");
    rename_show("one", "nowhere/x");
    rename_show("one", "a/..");
    rename_show("a", ".");
    outcome(link("one", "again"), "link");
    outcome(link("one", "again"), "link once more");
    outcome(link("a", "hard"), "link of a directory");
    outcome(link("nothing", "hard"), "link of nothing");
    rename_show("one", "again");
    stat_show("one");
    stat("one", &one);
    stat("again", &other);
    tell("both names remain, of one file: %d", one.st_ino == other.st_ino);
    rename_show("one", "two");
    stat_show("two");
    stat_show("one");
    outcome(syscall(SYS_renameat2, AT_FDCWD, "two", AT_FDCWD, "a", RENAME_NOREPLACE), "renameat2 NOREPLACE");
    outcome(syscall(SYS_renameat2, AT_FDCWD, "two", AT_FDCWD, "a", RENAME_EXCHANGE), "renameat2 EXCHANGE");
    stat_show("two");
    stat_show("a");
    directory_show(".");
}

static void
removing_show(void)
{
    int file = open("a", O_RDWR);
    char *map;

    outcome(rmdir("b/"), "rmdir of an empty directory, with a slash");
    outcome(rmdir("two"), "rmdir of an empty directory");
    outcome(rmdir("a"), "rmdir of a file");
    outcome(rmdir("."), "rmdir .");
    outcome(rmdir(".."), "rmdir ..");
    outcome(rmdir("/"), "rmdir /");
    outcome(unlink("directory"), "unlink of a directory");
    outcome(unlink("link"), "unlink of a symbolic link");
    outcome(unlink("nothing"), "unlink of nothing");
    outcome(unlinkat(AT_FDCWD, "directory", AT_REMOVEDIR), "unlinkat REMOVEDIR");
    outcome(unlinkat(AT_FDCWD, "file", 0x10), "unlinkat with a wrong flag");
    map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    outcome(unlink("a"), "unlink of an open, mapped file");
    outcome(pwrite(file, "still", 5, 0), "write to it");
    tell("the mapping shows it: %.5s", map);
    outcome(munmap(map, 4096), "munmap");
    outcome(mkdir("c", 01777), "mkdir");
    stat_show("c");
    outcome(mkdir("c", 0777), "mkdir again");
    outcome(mkdir("c/d/e", 0777), "mkdir below nothing");
    outcome(mkdir("again/x", 0777), "mkdir below a file");
    close(file);
}

static void
links_show(void)
{
    outcome(symlink("target", "s"), "symlink");
    outcome(symlink("target", "s"), "symlink again");
    outcome(symlink("", "empty"), "symlink to nothing");
    outcome(readlink("s", text, 3), "readlink into 3 bytes");
    outcome(readlink("s", text, 100), "readlink");
    outcome(readlink("s", text, 0), "readlink into none");
    outcome(readlink("again", text, 100), "readlink of a file");
    stat_show("s");
    outcome(chmod("s", 0600), "chmod through a dangling link");
    outcome(access("s", F_OK), "access through it");
    outcome(faccessat(AT_FDCWD, "s", F_OK, AT_SYMLINK_NOFOLLOW), "access of the link itself");
    outcome(access("again", 77), "access with a wrong mode");
    outcome(linkat(AT_FDCWD, "s", AT_FDCWD, "t", 0), "linkat of a symbolic link");
    stat_show("t");
}

static void
at_calls_show(void)
{
    int directory = open("c", O_RDONLY | O_DIRECTORY), file = open("again", O_RDONLY);
    struct stat status;

    outcome(mkdirat(directory, "sub", 0755), "mkdirat");
    outcome(symlinkat("x", directory, "link"), "symlinkat");
    outcome(mknodat(directory, "fifo", S_IFIFO | 0600, 0), "mknodat");
    outcome(fstatat(file, "x", &status, 0), "fstatat relative to a file");
    outcome(fstatat(77, "x", &status, 0), "fstatat relative to nothing");
    outcome(fstatat(77, "/tmp", &status, 0), "an absolute path does not look at it");
    outcome(fstatat(file, "", &status, AT_EMPTY_PATH), "AT_EMPTY_PATH");
    outcome(fstatat(directory, "", &status, 0), "the empty name");
    outcome(fstatat(directory, "sub", &status, 0x8000), "a wrong flag");
    outcome(fchdir(directory), "fchdir");
    directory_show(".");
    outcome(rmdir("../c"), "rmdir of the directory one is in, not empty");
    unlink("link");
    unlink("fifo");
    rmdir("sub");
    outcome(rmdir("../c"), "rmdir of the directory one is in");
    outcome(open("x", O_WRONLY | O_CREAT, 0600), "a new file there");
    outcome((long) getcwd(text, sizeof text) ? 0 : -1, "getcwd there");
    outcome(chdir(".."), "chdir ..");
    outcome(fchdir(file), "fchdir to a file");
    outcome(chdir(PLACE), "chdir back");
    outcome(getcwd(text, 3) ? 0 : -1, "getcwd into 3 bytes");
}

static void
times_show(void)
{
    struct stat status;

    outcome(utimensat(AT_FDCWD, "again", (struct timespec[]){ { 1000, 5 }, { 2000, 999999999 } }, 0), "utimensat");
    stat("again", &status);
    tell("%ld.%09ld %ld.%09ld", (long) status.st_atim.tv_sec, status.st_atim.tv_nsec, (long) status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    outcome(utimensat(AT_FDCWD, "again", (struct timespec[]){ { 0, UTIME_OMIT }, { 3000, 0 } }, 0), "utimensat, one omitted");
    stat("again", &status);
    tell("%ld %ld", (long) status.st_atim.tv_sec, (long) status.st_mtim.tv_sec);
    outcome(utimensat(AT_FDCWD, "again", (struct timespec[]){ { 0, 1000000000 }, { 0, 0 } }, 0), "too many nanoseconds");
    outcome(utimensat(AT_FDCWD, "nothing", NULL, 0), "of nothing");
    file_make("again", "changed");
    stat("again", &status);
    tell("writing changes the time: %d", status.st_mtim.tv_sec != 3000);
}

int
main(void)
{
    umask(022);
    mkdir(PLACE, 0755);
    if (chdir(PLACE) != 0)
        return EXIT_FAILURE;
    opening_show();
    positions_show();
    sparse_show();
    outcome_of_child(descriptors_show, "descriptors");
    names_show();
    removing_show();
    links_show();
    at_calls_show();
    times_show();
    directory_show(".");
    return EXIT_SUCCESS;
}
