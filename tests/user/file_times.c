/*
 * The times of files: which operation changes which of the three, of a file, of a directory and of a link; and times before 1970.
 * Everything gets old times, one tick of the clock goes by, every file has something done to it, and then all are looked at.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/check.h"

#define PLACE "/tmp/file_times"

/* A file of the image, which no program runs. */
#define UNREAD "/bin/mmapfile"
#define FIRST_BYTE 0x7f /* of it, so that what is written changes nothing */

enum { OLD = 1000, BYTES = 5000, NAME_BYTES = 64, MILLISECOND = 1000000 };

static char buffer[BYTES];

/* ---- Operations ---- */

static void
read_some(int file)
{
    read(file, buffer, 10);
}

static void
read_at_end(int file)
{
    lseek(file, 0, SEEK_END);
    read(file, buffer, 10);
}

static void
read_nothing(int file)
{
    read(file, buffer, 0);
}

static void
write_some(int file)
{
    write(file, "text", 4);
}

static void
write_nothing(int file)
{
    write(file, "text", 0);
}

static void
write_badly(int file)
{
    write(file, (void *) 1, 4);
}

static void
cut_to_the_same(int file)
{
    ftruncate(file, BYTES);
}

static void
mode_set(int file)
{
    fchmod(file, 0640);
}

static void
map_and(int file, int flags, bool write)
{
    volatile char *page = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, flags, file, 0);

    if (write)
        page[0] = FIRST_BYTE;
    munmap((void *) page, BYTES);
}

static void
map_only(int file)
{
    map_and(file, MAP_SHARED, false);
}

static void
map_and_write(int file)
{
    map_and(file, MAP_SHARED, true);
}

static void
map_privately_and_write(int file)
{
    map_and(file, MAP_PRIVATE, true);
}

static void
list(int directory)
{
    syscall(SYS_getdents64, directory, buffer, sizeof buffer);
}

static void
make_inside(int directory)
{
    close(openat(directory, "new", O_CREAT | O_WRONLY, 0600));
}

static void
follow(int link)
{
    (void) link;
    access(PLACE "/follow", F_OK);
}

static void
read_link(int link)
{
    readlinkat(link, "", buffer, sizeof buffer);
}

static void
fifo_write(int fifo)
{
    write(fifo, "x", 1);
}

static void
fifo_write_and_read(int fifo)
{
    write(fifo, "x", 1);
    read(fifo, buffer, 1);
}

/* What is no program is looked at all the same. It must not be open for writing then. */
static void
execute(int file)
{
    int reader = open(PLACE "/execve", O_RDONLY);

    dup2(reader, file);
    close(reader);
    execl(PLACE "/execve", "execve", NULL);
}

static const struct attempt {
    const char *name;
    mode_t type;
    void (*operation)(int file);
    const char *changed;        /* letters: accessed, modified, changed */
} attempts[] = {
    { "read", S_IFREG, read_some, "a" },
    { "read at the end", S_IFREG, read_at_end, "a" },
    { "read of nothing", S_IFREG, read_nothing, "a" },
    { "write", S_IFREG, write_some, "mc" },
    { "write of nothing", S_IFREG, write_nothing, "" },
    { "write from nowhere", S_IFREG, write_badly, "mc" },
    { "ftruncate to the same size", S_IFREG, cut_to_the_same, "mc" },
    { "fchmod", S_IFREG, mode_set, "c" },
    { "mmap", S_IFREG, map_only, "a" },
    { "a write to a shared mapping", S_IFREG, map_and_write, "amc" },
    { "a write to a private mapping", S_IFREG, map_privately_and_write, "a" },
    { "execve", S_IFREG, execute, "a" },
    { "getdents64", S_IFDIR, list, "a" },
    { "a new name in a directory", S_IFDIR, make_inside, "mc" },
    { "follow", S_IFLNK, follow, "a" },
    { "readlink", S_IFLNK, read_link, "a" },
    { "write to a FIFO", S_IFIFO, fifo_write, "mc" },
    { "write to a FIFO and read", S_IFIFO, fifo_write_and_read, "amc" },
};

enum { ATTEMPTS = sizeof attempts / sizeof *attempts };

static int files[ATTEMPTS];
static struct stat before[ATTEMPTS];

/* ---- What is done to all of them ---- */

static int
make(const struct attempt *attempt)
{
    char path[NAME_BYTES];

    snprintf(path, sizeof path, PLACE "/%s", attempt->name);
    switch (attempt->type) {
    case S_IFDIR:
        mkdir(path, 0700);
        return open(path, O_RDONLY);
    case S_IFLNK:
        symlink("/", path);
        return open(path, O_PATH | O_NOFOLLOW);
    case S_IFIFO:
        mkfifo(path, 0600);
        return open(path, O_RDWR);
    default:;
        int file = open(path, O_CREAT | O_RDWR, 0700);
        write(file, buffer, BYTES);
        lseek(file, 0, SEEK_SET);
        return file;
    }
}

static void
make_old(const struct attempt *attempt, int file, struct stat *status)
{
    /* Read after it was modified: only a later change makes reading news. */
    struct timespec times[2] = { { .tv_sec = OLD + 1 }, { .tv_sec = OLD } };
    char path[NAME_BYTES];

    snprintf(path, sizeof path, PLACE "/%s", attempt->name);
    utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW);
    fstat(file, status);
}

static bool
is_same(const struct timespec *one, const struct timespec *other)
{
    return one->tv_sec == other->tv_sec && one->tv_nsec == other->tv_nsec;
}

static void
look(const struct attempt *attempt, int file, const struct stat *old)
{
    struct stat now;
    char letters[4] = "", *end = letters;

    fstat(file, &now);
    if (!is_same(&now.st_atim, &old->st_atim))
        *end++ = 'a';
    if (!is_same(&now.st_mtim, &old->st_mtim))
        *end++ = 'm';
    if (!is_same(&now.st_ctim, &old->st_ctim))
        *end++ = 'c';
    check_that(strcmp(letters, attempt->changed) == 0, "%s changes \"%s\": \"%s\"", attempt->name, attempt->changed, letters);
}

static void
remove_all(void)
{
    char path[NAME_BYTES];

    unlink(PLACE "/a new name in a directory/new");
    for (int i = 0; i < ATTEMPTS; i++) {
        close(files[i]);
        snprintf(path, sizeof path, PLACE "/%s", attempts[i].name);
        remove(path);
    }
}

/* ---- Times that are set ---- */

static void
set_check(time_t seconds, long nanoseconds, const char *name)
{
    struct timespec times[2] = { { seconds, nanoseconds }, { seconds, nanoseconds } };
    int file = open(PLACE "/set", O_CREAT | O_RDWR, 0600);
    struct stat status;

    check_that(futimens(file, times) == 0 && fstat(file, &status) == 0 && is_same(&status.st_atim, &times[0])
               && is_same(&status.st_mtim, &times[1]), "%s can be set and is kept: %lld.%09ld", name, (long long) status.st_mtim.tv_sec,
               status.st_mtim.tv_nsec);
    close(file);
    unlink(PLACE "/set");
}

/* What was set after a write through a mapping stays. */
static void
mapped_check(void)
{
    struct timespec times[2] = { { .tv_sec = OLD }, { .tv_sec = OLD } };
    int file = open(PLACE "/set", O_CREAT | O_RDWR, 0600);
    struct stat status;

    write(file, buffer, BYTES);
    map_and_write(file);
    futimens(file, times);
    fstat(file, &status);
    check_that(status.st_mtim.tv_sec == OLD, "times that are set after a write through a mapping stay");
    close(file);
    unlink(PLACE "/set");
}

/* Also the first write to a page makes a file new: one that is a hole, or not in memory. */
static void
first_write_check(int file, const char *what)
{
    struct timespec times[2] = { { .tv_sec = OLD }, { .tv_sec = OLD } };
    struct stat status;

    if (file < 0) {
        check_skip("%s", what);
        return;
    }
    futimens(file, times);
    fsync(file);
    map_and_write(file);
    fstat(file, &status);
    check_that(status.st_mtim.tv_sec > OLD && status.st_ctim.tv_sec > OLD, "%s", what);
    close(file);
}

static void
first_writes_check(void)
{
    int file = open(PLACE "/hole", O_CREAT | O_RDWR, 0600);

    ftruncate(file, BYTES);
    first_write_check(file, "a hole that is written through a mapping");
    unlink(PLACE "/hole");
    first_write_check(open(UNREAD, O_RDWR), "a page that must be read first, and is written through a mapping");
}

int
main(void)
{
    struct timespec nap = { .tv_nsec = 20 * MILLISECOND };

    mkdir(PLACE, 0700);
    for (int i = 0; i < ATTEMPTS; i++) {
        files[i] = make(&attempts[i]);
        make_old(&attempts[i], files[i], &before[i]);
    }
    nanosleep(&nap, NULL);
    for (int i = 0; i < ATTEMPTS; i++) {
        attempts[i].operation(files[i]);
        look(&attempts[i], files[i], &before[i]);
    }
    remove_all();
    set_check(-1, 999999999, "the last nanosecond before 1970");
    set_check(-86400, 0, "the last day before 1970");
    set_check(1LL << 32, 5, "a time after 2106");
    mapped_check();
    first_writes_check();
    check_that(rmdir(PLACE) == 0, "all is removed");
    return check_end();
}
