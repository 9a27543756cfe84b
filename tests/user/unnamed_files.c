/*
 * Files without a name: O_TMPFILE, and linkat that gives them one, or does not.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/lib/check.h"

#define DIRECTORY "/dev/shm/unnamed"
#define NAME      DIRECTORY "/name"

enum { PAGE_BYTES = 4096 };

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

/* Whether /proc/self/maps has a line for the page that ends so. */
static bool
is_mapped_as(const char *page, const char *end)
{
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    bool found = false;

    while (!found && fgets(line, sizeof line, maps) != NULL)
        found = strtoul(line, NULL, 16) == (unsigned long) page && strstr(line, end) != NULL;
    fclose(maps);
    return found;
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

/* What /proc calls an open file. */
static bool
is_called(int file, const char *name)
{
    char path[64], target[256];
    ssize_t length;

    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    length = readlink(path, target, sizeof target - 1);
    target[length > 0 ? length : 0] = '\0';
    return strcmp(target, name) == 0;
}

static void
last_name_check(void)
{
    int file = open(NAME, O_RDWR | O_CREAT, 0600), other = open(NAME "2", O_RDWR | O_CREAT, 0600), memory = memfd_create("letters", 0);
    char *page = mmap(NULL, PAGE_BYTES, PROT_READ, MAP_PRIVATE, file, 0);
    struct stat status;

    check_that(is_called(file, NAME), "/proc knows an open file by its name");
    rename(NAME, NAME "3");
    check_that(is_called(file, NAME "3") && is_mapped_as(page, NAME "3\n"), "by its new one after rename");
    unlink(NAME "3");
    check_that(is_called(file, NAME "3 (deleted)") && is_mapped_as(page, NAME "3 (deleted)\n"), "by its last one after unlink");
    close(open(NAME, O_RDWR | O_CREAT, 0600));
    rename(NAME, NAME "2");
    check_that(is_called(other, NAME "2 (deleted)"), "also when another file takes that");
    check_that(is_called(memory, "/memfd:letters (deleted)"), "and a memfd by what it was called");
    check_that(fstat(memory, &status) == 0 && status.st_nlink == 0, "which is no name");
    unlink(NAME "2");
    munmap(page, PAGE_BYTES);
    close(file);
    close(other);
    close(memory);
}

int
main(void)
{
    mkdir(DIRECTORY, 0700);
    open_check();
    link_check();
    last_name_check();
    check_that(rmdir(DIRECTORY) == 0, "nothing is left");
    return check_end();
}
