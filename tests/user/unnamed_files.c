/*
 * Files without a name: O_TMPFILE, and linkat that gives them one, or does not.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/lib/check.h"

#define DIRECTORY "/dev/shm/unnamed"
#define NAME      DIRECTORY "/name"

static bool
refused(long result, int error)
{
    return result == -1 && errno == error;
}

/* Gives an open file a name, by its descriptor. */
static int
name_give(int file, const char *name)
{
    char link[64];

    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    return linkat(AT_FDCWD, link, AT_FDCWD, name, AT_SYMLINK_FOLLOW);
}

static void
open_check(void)
{
    struct stat status;
    char text[8] = { 0 };
    int file;

    umask(022);
    file = open(DIRECTORY, O_TMPFILE | O_RDWR, 0666);
    check_that(file >= 0 && fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink == 0, "O_TMPFILE makes a file without a name");
    check_that((status.st_mode & 0777) == 0644, "with the mode that umask leaves");
    check_that(write(file, "hidden", 6) == 6 && pread(file, text, 6, 0) == 6 && strcmp(text, "hidden") == 0, "which can be written and read");
    check_that(rmdir(DIRECTORY) == 0 && mkdir(DIRECTORY, 0700) == 0, "its directory is empty");
    close(file);
    check_that(refused(open(DIRECTORY, O_TMPFILE | O_RDONLY, 0600), EINVAL), "only to be read: EINVAL");
    check_that(refused(open("/proc/self/exe", O_TMPFILE | O_RDWR, 0600), ENOTDIR), "where there is no directory: ENOTDIR");
    check_that(refused(open("/proc", O_TMPFILE | O_RDWR, 0600), EOPNOTSUPP), "in /proc: EOPNOTSUPP");
}

static void
link_check(void)
{
    struct stat status;
    char text[8] = { 0 };
    int file = open(DIRECTORY, O_TMPFILE | O_RDWR, 0600), other = open(DIRECTORY, O_TMPFILE | O_RDWR | O_EXCL, 0600);

    write(file, "found", 5);
    check_that(name_give(file, NAME) == 0 && stat(NAME, &status) == 0 && status.st_nlink == 1 && status.st_size == 5, "linkat gives it a name");
    check_that(refused(name_give(file, NAME), EEXIST), "which must not be there: EEXIST");
    int found = open(NAME, O_RDONLY);
    check_that(read(found, text, 5) == 5 && strcmp(text, "found") == 0, "it is found by it");
    close(found);
    check_that(linkat(file, "", AT_FDCWD, NAME "2", AT_EMPTY_PATH) == 0 && unlink(NAME "2") == 0, "AT_EMPTY_PATH does the same for root");
    check_that(refused(name_give(other, NAME "3"), ENOENT), "with O_EXCL it gets none: ENOENT");
    unlink(NAME);
    close(file);
    close(other);
    file = open(NAME, O_RDWR | O_CREAT, 0600);
    unlink(NAME);
    check_that(refused(name_give(file, NAME), ENOENT), "nor does a file that has lost its last name: ENOENT");
    close(file);
}

int
main(void)
{
    mkdir(DIRECTORY, 0700);
    open_check();
    link_check();
    check_that(rmdir(DIRECTORY) == 0, "nothing is left");
    return check_end();
}
