/*
 * What a mapped file loses: pages beyond the end when it is cut, private copies of them too, in every process; and the
 * holes that MADV_REMOVE makes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/lib/check.h"

enum { PAGE = 4096, PAGES = 40, KEPT = 3, READ_WRITE = PROT_READ | PROT_WRITE };

static int file;
static char *copies, *shared;

static char *
map(int flags)
{
    return mmap(NULL, PAGES * PAGE, READ_WRITE, flags, file, 0);
}

/* A file whose every page says its number, and mappings of it; each private page has been written. */
static void
begin(void)
{
    file = memfd_create("holes", 0);
    ftruncate(file, PAGES * PAGE);
    shared = map(MAP_SHARED);
    copies = map(MAP_PRIVATE);
    for (int i = 0; i < PAGES; i++) {
        shared[i * PAGE] = (char) (i + 1);
        copies[i * PAGE + 1] = (char) (i + 1);
    }
}

static void
end(void)
{
    munmap(shared, PAGES * PAGE);
    munmap(copies, PAGES * PAGE);
    close(file);
}

/* ---- Truncation ---- */

static volatile char *touched;

static void
touch(void)
{
    *touched += 1;
}

static bool
is_bus_error(char *address)
{
    touched = address;
    return check_child(touch) == SIGBUS;
}

static void
truncate_check(void)
{
    int ready[2], go[2];
    char byte;

    begin();
    pipe(ready);
    pipe(go);
    pid_t child = check_fork();
    if (child == 0) {
        copies[20 * PAGE + 2] = 'c';
        write(ready[1], "r", 1);
        read(go[0], &byte, 1);
        check_that(is_bus_error(copies + KEPT * PAGE) && is_bus_error(copies + 20 * PAGE), "a child loses its copies as well");
        check_that(copies[1] == 1, "but none before the end");
        exit(0);
    }
    read(ready[0], &byte, 1);
    mlock(copies + 30 * PAGE, PAGE);
    check_that(ftruncate(file, (KEPT - 1) * PAGE + 100) == 0, "a file is cut that is mapped in private");
    check_that(is_bus_error(copies + KEPT * PAGE) && is_bus_error(copies + (PAGES - 1) * PAGE), "copies beyond the end are gone: SIGBUS");
    check_that(is_bus_error(copies + 30 * PAGE), "a locked one, too");
    check_that(copies[(KEPT - 1) * PAGE + 1] == KEPT && copies[1] == 1, "those before it are there");
    copies[(KEPT - 1) * PAGE + 200] = 'r';
    check_that(ftruncate(file, PAGES * PAGE) == 0 && copies[KEPT * PAGE + 1] == 0 && copies[30 * PAGE + 1] == 0, "grown again, the file is zero there");
    check_that(copies[(KEPT - 1) * PAGE + 200] == 'r', "the last page's copy is as it was");
    shared[KEPT * PAGE] = 's';
    check_that(copies[KEPT * PAGE] == 's', "and the mapping follows the file anew");
    ftruncate(file, (KEPT - 1) * PAGE);
    write(go[1], "g", 1);
    check_wait(child);
    end();
}

/* ---- MADV_REMOVE ---- */

static long
blocks(void)
{
    struct stat status;

    fstat(file, &status);
    return (long) status.st_blocks / (PAGE / 512);
}

static void
remove_check(void)
{
    begin();
    check_that(blocks() == PAGES, "a file of %d pages", PAGES);
    check_that(madvise(shared + 2 * PAGE, 4 * PAGE, MADV_REMOVE) == 0 && blocks() == PAGES - 4, "MADV_REMOVE gives four back");
    check_that(shared[2 * PAGE] == 0 && shared[5 * PAGE] == 0 && shared[PAGE] == 2 && shared[6 * PAGE] == 7, "they read as zero, their neighbours do not");
    check_that(copies[3 * PAGE + 1] == 4, "private copies stay");
    check_that(refused(madvise(copies, PAGE, MADV_REMOVE), EACCES), "of private memory: EACCES");
    mlock(shared + 8 * PAGE, PAGE);
    check_that(refused(madvise(shared + 8 * PAGE, PAGE, MADV_REMOVE), EINVAL), "of locked memory: EINVAL");
    munmap(shared + 10 * PAGE, PAGE);
    check_that(refused(madvise(shared + 9 * PAGE, 3 * PAGE, MADV_REMOVE), ENOMEM) && shared[9 * PAGE] == 0 && shared[11 * PAGE] == 0,
               "across a hole: ENOMEM, and done");
    end();
}

static void
remove_anonymous_check(void)
{
    char *memory = mmap(NULL, 4 * PAGE, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *alone = mmap(NULL, PAGE, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    memset(memory, 'm', 4 * PAGE);
    pid_t child = check_fork();
    if (child == 0)
        _exit(madvise(memory + PAGE, 2 * PAGE, MADV_REMOVE));
    check_that(check_wait(child) == 0 && memory[PAGE] == 0 && memory[2 * PAGE] == 0 && memory[3 * PAGE] == 'm', "of shared memory: for all who share it");
    check_that(refused(madvise(alone, PAGE, MADV_REMOVE), EINVAL), "of memory without a file: EINVAL");
}

int
main(void)
{
    truncate_check();
    remove_check();
    remove_anonymous_check();
    return check_end();
}
