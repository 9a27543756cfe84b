/*
 * Calls that newer ones came after, which differ in the form of what they are given, or give, alone: select, readdir,
 * getdents, utime, utimes, futimesat, statfs, fstatfs, sendfile. C libraries call the newer ones.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/check.h"

#define PLACE "/tmp/old_calls"
#define NAMED PLACE "/named"

enum { ROOM = 4096, FILES = 3, FULL_SECOND = 1000000, BAD = -1 };

struct old_entry {
    unsigned long number, position;
    unsigned short length;
    char name[];
};

struct old_statfs {
    unsigned type, block, blocks, free, available, files, free_files, id[2], name_length, fragment, flags, spare[4];
};

static char buffer[ROOM], newer[ROOM];

/* ---- select ---- */

static void
select_check(void)
{
    struct { long count; fd_set *readable, *writable, *exceptional; struct timeval *timeout; } arguments;
    struct timeval none = {0, 0};
    fd_set readable, writable;
    int ends[2];

    pipe(ends);
    FD_ZERO(&readable);
    FD_ZERO(&writable);
    FD_SET(ends[0], &readable);
    FD_SET(ends[1], &writable);
    arguments = (typeof(arguments)) {ends[1] + 1, &readable, &writable, NULL, &none};
    check_that(syscall(SYS_select, &arguments) == 1, "select finds its five parameters in memory");
    check_that(!FD_ISSET(ends[0], &readable) && FD_ISSET(ends[1], &writable), "and leaves what is ready");
    arguments.count = BAD;
    check_that(refused(syscall(SYS_select, &arguments), EINVAL), "a bad count is EINVAL");
    check_that(refused(syscall(SYS_select, BAD), EFAULT), "bad parameters are EFAULT");
    close(ends[0]);
    close(ends[1]);
}

/* ---- Directories ---- */

/* Whether an entry of getdents says what that of getdents64 says, and is as long as it may be. */
static bool
entry_agrees(const struct old_entry *entry, const struct dirent *other)
{
    size_t bytes = offsetof(struct old_entry, name) + strlen(entry->name) + 2;

    return entry->number == other->d_ino && entry->position == (unsigned long) other->d_off
        && strcmp(entry->name, other->d_name) == 0 && ((const unsigned char *) entry)[entry->length - 1] == other->d_type
        && entry->length == ((bytes + sizeof(long) - 1) & -sizeof(long));
}

static void
getdents_check(int directory)
{
    long length = syscall(SYS_getdents, directory, buffer, ROOM), other, at = 0, other_at = 0;
    bool agrees = length > 0;

    check_that(syscall(SYS_getdents, directory, newer, ROOM) == 0, "getdents reads a directory to its end");
    lseek(directory, 0, SEEK_SET);
    other = syscall(SYS_getdents64, directory, newer, ROOM);
    while (agrees && at < length && other_at < other) {
        agrees = entry_agrees((struct old_entry *) (buffer + at), (struct dirent *) (newer + other_at));
        at += ((struct old_entry *) (buffer + at))->length;
        other_at += ((struct dirent *) (newer + other_at))->d_reclen;
    }
    check_that(agrees && at == length && other_at == other, "its entries are those of getdents64");
    lseek(directory, 0, SEEK_SET);
    check_that(refused(syscall(SYS_getdents, directory, buffer, 12), EINVAL), "one that has no room is EINVAL");
    check_that(syscall(SYS_getdents, directory, buffer, 16) == 16, "and with room for it, it comes alone");
    check_that(lseek(directory, 0, SEEK_CUR) == (off_t) ((struct old_entry *) buffer)->position, "the next goes on there");
}

static void
readdir_check(int directory)
{
    struct old_entry *entry = (struct old_entry *) buffer;
    bool agrees = true;
    long other, at = 0;

    lseek(directory, 0, SEEK_SET);
    other = syscall(SYS_getdents64, directory, newer, ROOM);
    lseek(directory, 0, SEEK_SET);
    while (agrees && at < other) {
        struct dirent *expected = (struct dirent *) (newer + at);
        unsigned long position = (unsigned long) lseek(directory, 0, SEEK_CUR);

        agrees = syscall(SYS_readdir, directory, buffer, 1) == 1 && entry->number == expected->d_ino
            && entry->position == position && entry->length == strlen(expected->d_name)
            && strcmp(entry->name, expected->d_name) == 0;
        at += expected->d_reclen;
    }
    check_that(agrees, "readdir gives one entry after the other, with its own position");
    check_that(syscall(SYS_readdir, directory, buffer, 1) == 0, "and 0 at the end");
    lseek(directory, 0, SEEK_SET);
    check_that(refused(syscall(SYS_readdir, directory, BAD, 1), EFAULT), "a bad pointer is EFAULT");
    check_that(refused(syscall(SYS_readdir, STDOUT_FILENO, buffer, 1), ENOTDIR), "what is no directory ENOTDIR");
}

static void
directory_check(void)
{
    char name[sizeof PLACE + NAME_MAX + 1] = PLACE "/";
    int directory;

    for (size_t i = 1; i <= NAME_MAX; i += NAME_MAX / (FILES - 1)) {
        memset(name + sizeof PLACE, 'n', i);
        name[sizeof PLACE + i] = '\0';
        close(creat(name, 0600));
    }
    directory = open(PLACE, O_RDONLY | O_DIRECTORY);
    getdents_check(directory);
    readdir_check(directory);
    close(directory);
}

/* ---- Times ---- */

static bool
times_are(time_t accessed, long accessed_part, time_t modified, long modified_part)
{
    struct stat status;

    stat(NAMED, &status);
    return status.st_atim.tv_sec == accessed && status.st_atim.tv_nsec == accessed_part
        && status.st_mtim.tv_sec == modified && status.st_mtim.tv_nsec == modified_part;
}

static bool
times_are_now(void)
{
    struct stat status;

    stat(NAMED, &status);
    return status.st_mtime >= time(NULL) - 60 && status.st_atime == status.st_mtime;
}

static void
times_check(void)
{
    long seconds[2] = {-5, 1234567}, times[4] = {11, 999999, -22, 1}, bad[4] = {1, 0, 1, FULL_SECOND};
    int directory = open(PLACE, O_RDONLY), file = open(NAMED, O_CREAT | O_RDWR, 0600);

    check_that(syscall(SYS_utime, NAMED, seconds) == 0 && times_are(-5, 0, 1234567, 0), "utime sets whole seconds");
    check_that(syscall(SYS_utime, NAMED, NULL) == 0 && times_are_now(), "and without any the time of now");
    check_that(syscall(SYS_utimes, NAMED, times) == 0 && times_are(11, 999999000, -22, 1000), "utimes sets microseconds");
    check_that(refused(syscall(SYS_utimes, PLACE "/none", bad), EINVAL),
               "a full second of them is EINVAL, whether there is such a file or not");
    check_that(syscall(SYS_utimes, NAMED, NULL) == 0 && times_are_now(), "and without any the time of now");
    check_that(syscall(SYS_futimesat, directory, "named", times) == 0 && times_are(11, 999999000, -22, 1000),
               "futimesat finds the file from a directory");
    times[0] = 33;
    check_that(syscall(SYS_futimesat, file, NULL, times) == 0 && times_are(33, 999999000, -22, 1000),
               "and without a path means the descriptor");
    check_that(refused(syscall(SYS_utime, NAMED, BAD), EFAULT) && refused(syscall(SYS_utimes, NAMED, BAD), EFAULT)
               && refused(syscall(SYS_utimes, NULL, times), EFAULT), "bad pointers are EFAULT");
    close(file);
    close(directory);
}

/* ---- statfs ---- */

static bool
statfs_agrees(const struct old_statfs *old, const struct statfs *other)
{
    return old->type == other->f_type && old->block == other->f_bsize && old->blocks == other->f_blocks
        && old->free == other->f_bfree && old->available == other->f_bavail && old->files == other->f_files
        && old->free_files == other->f_ffree && old->name_length == other->f_namelen && old->fragment == other->f_frsize
        && old->flags == other->f_flags;
}

static void
statfs_check(void)
{
    struct old_statfs old;
    struct statfs other;
    int directory = open("/dev/shm", O_RDONLY);

    memset(&old, 0xff, sizeof old);
    statfs("/dev/shm", &other);
    check_that(syscall(SYS_statfs, "/dev/shm", &old) == 0 && statfs_agrees(&old, &other), "statfs says what statfs64 says");
    memset(&old, 0xff, sizeof old);
    check_that(syscall(SYS_fstatfs, directory, &old) == 0 && statfs_agrees(&old, &other), "and so does fstatfs");
    check_that(refused(syscall(SYS_statfs, "/dev/shm", BAD), EFAULT), "a bad pointer is EFAULT");
    check_that(refused(syscall(SYS_fstatfs, BAD, &old), EBADF), "a bad descriptor EBADF");
    close(directory);
}

/* ---- sendfile ---- */

static void
sendfile_check(void)
{
    int in = open(NAMED, O_RDWR | O_CREAT | O_TRUNC, 0600), out = open(PLACE "/out", O_RDWR | O_CREAT | O_TRUNC, 0600);
    long places[2] = {3, 0x55555555};

    write(in, "0123456789", 10);
    check_that(syscall(SYS_sendfile, out, in, places, 4) == 4 && places[0] == 7 && places[1] == 0x55555555,
               "sendfile's offset has 32 bits");
    check_that(pread(out, buffer, ROOM, 0) == 4 && memcmp(buffer, "3456", 4) == 0, "and is where it begins");
    lseek(in, 8, SEEK_SET);
    check_that(syscall(SYS_sendfile, out, in, NULL, 4) == 2 && lseek(in, 0, SEEK_CUR) == 10, "or the file's own is");
    places[0] = -1;
    check_that(refused(syscall(SYS_sendfile, out, in, places, 4), EINVAL), "a negative one is EINVAL");
    ftruncate(in, LONG_MAX + 3LL);
    places[0] = LONG_MAX - 2;
    check_that(syscall(SYS_sendfile, out, in, places, 4) == 2 && places[0] == LONG_MAX, "it goes as far as that can say");
    check_that(refused(syscall(SYS_sendfile, out, in, places, 4), EOVERFLOW), "and is EOVERFLOW there");
    check_that(refused(syscall(SYS_sendfile, out, in, BAD, 4), EFAULT), "a bad pointer is EFAULT");
    close(in);
    close(out);
}

int
main(void)
{
    mkdir(PLACE, 0700);
    select_check();
    directory_check();
    times_check();
    statfs_check();
    sendfile_check();
    return check_end();
}
