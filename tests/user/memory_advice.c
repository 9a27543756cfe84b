/*
 * What a program may say about its memory: madvise beyond the usual, mlock2 and mlockall with their limits, mremap that
 * leaves the old mapping, and mappings that grow downwards; with the errors of each.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/mman.h>

#include "user/lib/check.h"

enum { PAGE = 4096, PAGES = 8, READ_WRITE = PROT_READ | PROT_WRITE };

static char *
map(int protection, int flags)
{
    /* Unlike memory on both sides keeps it apart from others. */
    char *base = mmap(NULL, (PAGES + 2) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mmap(base + PAGE, PAGES * PAGE, protection, flags | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static void
unmap(char *base)
{
    munmap(base - PAGE, (PAGES + 2) * PAGE);
}

/* How many of the pages are in memory. */
static int
resident(char *base)
{
    unsigned char vector[PAGES];
    int count = 0;

    if (mincore(base, PAGES * PAGE, vector) != 0)
        return -1;
    for (int i = 0; i < PAGES; i++)
        count += vector[i] & 1;
    return count;
}

static bool
fails(long result, int error)
{
    return result == -1 && errno == error;
}

/* ---- madvise ---- */

static void
populate_check(void)
{
    char *base = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | MAP_NONBLOCK, -1, 0);

    check_that(resident(base) == 0, "MAP_NONBLOCK leaves nothing of MAP_POPULATE");
    munmap(base, PAGES * PAGE);
    base = map(READ_WRITE, MAP_PRIVATE);
    check_that(madvise(base, PAGES * PAGE, MADV_POPULATE_READ) == 0 && resident(base) == PAGES, "MADV_POPULATE_READ maps every page");
    unmap(base);
    base = map(READ_WRITE, MAP_PRIVATE);
    check_that(madvise(base, PAGES * PAGE, MADV_POPULATE_WRITE) == 0 && resident(base) == PAGES && base[PAGE] == 0, "MADV_POPULATE_WRITE makes every page");
    check_that(fails(madvise(base + 1, PAGE, MADV_POPULATE_WRITE), EINVAL), "not at a page's beginning: EINVAL");
    mprotect(base, PAGE, PROT_READ);
    check_that(fails(madvise(base, PAGE, MADV_POPULATE_WRITE), EINVAL), "of a page that cannot be written: EINVAL");
    mprotect(base, PAGE, PROT_WRITE);
    check_that(fails(madvise(base, PAGE, MADV_POPULATE_READ), EINVAL), "nor MADV_POPULATE_READ of one that may only be written");
    mprotect(base, PAGE, PROT_NONE);
    check_that(fails(madvise(base, PAGE, MADV_POPULATE_READ), EINVAL), "of a forbidden page: EINVAL");
    munmap(base + 2 * PAGE, PAGE);
    check_that(fails(madvise(base + PAGE, 2 * PAGE, MADV_POPULATE_READ), ENOMEM), "across a hole: ENOMEM");
    unmap(base);
}

static void
populate_file_check(void)
{
    char name[] = "/tmp/adviceXXXXXX";
    int file = mkstemp(name);
    char *base = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, file, 0);

    unlink(name);
    check_that(write(file, "x", 1) == 1 && madvise(base, PAGE, MADV_POPULATE_READ) == 0, "MADV_POPULATE_READ of a file's page");
    check_that(fails(madvise(base, 2 * PAGE, MADV_POPULATE_READ), EFAULT), "beyond its end: EFAULT");
    munmap(base, 2 * PAGE);
    base = mmap(NULL, PAGE, READ_WRITE, MAP_PRIVATE, file, 0);
    check_that(fails(madvise(base, PAGE, MADV_FREE), EINVAL), "MADV_FREE of a file's page: EINVAL");
    munmap(base, PAGE);
    close(file);
}

static char *forked;

/* Status: the first byte of the pages as the child sees it. */
static void
look_body(void)
{
    _exit(forked[0]);
}

static void
look_twice_body(void)
{
    _exit(forked[0] != 0 ? forked[0] : check_child(look_body) >> 8);
}

static void
wipe_check(void)
{
    forked = map(READ_WRITE, MAP_PRIVATE);
    memset(forked, 'w', PAGES * PAGE);
    check_that(madvise(forked, PAGES * PAGE, MADV_WIPEONFORK) == 0 && check_child(look_body) == 0, "MADV_WIPEONFORK: a child finds zeroes");
    check_that(check_child(look_twice_body) == 0, "and so does its own");
    check_that(forked[0] == 'w' && forked[PAGES * PAGE - 1] == 'w', "the parent keeps its pages");
    check_that(madvise(forked, PAGES * PAGE, MADV_KEEPONFORK) == 0 && check_child(look_body) == 'w' << 8, "MADV_KEEPONFORK takes that back");
    unmap(forked);
    forked = map(READ_WRITE, MAP_SHARED);
    check_that(fails(madvise(forked, PAGE, MADV_WIPEONFORK), EINVAL), "MADV_WIPEONFORK of shared memory: EINVAL");
    check_that(fails(madvise(forked, PAGE, MADV_FREE), EINVAL), "MADV_FREE of shared memory: EINVAL");
    unmap(forked);
}

static void
hints_check(void)
{
    static const int hints[] = { MADV_COLD, MADV_PAGEOUT, MADV_DONTDUMP, MADV_DODUMP, MADV_SEQUENTIAL, MADV_RANDOM, MADV_NORMAL };
    char *base = map(READ_WRITE, MAP_PRIVATE);

    memset(base, 'h', PAGES * PAGE);
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        check_that(madvise(base, PAGES * PAGE, hints[i]) == 0 && base[PAGE] == 'h', "advice %d is taken, and changes no page", hints[i]);
    check_that(madvise(base, 0, MADV_COLD) == 0, "about nothing at all too");
    mlock(base, PAGE);
    check_that(fails(madvise(base, PAGE, MADV_COLD), EINVAL) && fails(madvise(base, PAGE, MADV_PAGEOUT), EINVAL) && fails(madvise(base, PAGE, MADV_DONTNEED), EINVAL),
               "that a locked page be evicted or forgotten: EINVAL");
    munlock(base, PAGE);
    check_that(madvise(base, PAGE, MADV_FREE) == 0 && (base[0] == 'h' || base[0] == 0) && base[PAGE] == 'h', "MADV_FREE: the page is as it was, or zeroes");
    unmap(base);
}

/* ---- mlock ---- */

static void
on_fault_check(void)
{
    char *base = map(READ_WRITE, MAP_PRIVATE);

    check_that(fails(syscall(SYS_mlock2, base, PAGE, 2), EINVAL), "mlock2 with an unknown flag: EINVAL");
    check_that(syscall(SYS_mlock2, base, PAGES * PAGE, MLOCK_ONFAULT) == 0 && resident(base) == 0, "MLOCK_ONFAULT brings nothing in");
    base[0] = base[PAGE] = 'l';
    check_that(resident(base) == 2, "but what is touched");
    check_that(fails(madvise(base, PAGE, MADV_DONTNEED), EINVAL), "and that is locked");
    check_that(syscall(SYS_mlock2, base, PAGES * PAGE, 0) == 0 && resident(base) == PAGES, "without it all come in");
    unmap(base);
    check_that(fails(mlockall(0), EINVAL) && fails(mlockall(MCL_ONFAULT), EINVAL) && fails(mlockall(8), EINVAL), "mlockall of nothing, or unknown: EINVAL");
    check_that(mlockall(MCL_FUTURE | MCL_ONFAULT) == 0, "mlockall: the future, on fault");
    base = map(READ_WRITE, MAP_PRIVATE);
    check_that(resident(base) == 0 && fails(madvise(base, PAGE, MADV_DONTNEED), EINVAL), "a new mapping is locked, and not brought in");
    unmap(base);
    check_that(mlockall(MCL_FUTURE) == 0, "mlockall: the future");
    base = map(READ_WRITE, MAP_PRIVATE);
    check_that(resident(base) == PAGES, "a new mapping is brought in");
    check_that(munlockall() == 0 && madvise(base, PAGE, MADV_DONTNEED) == 0, "munlockall unlocks");
    unmap(base);
    base = map(READ_WRITE, MAP_PRIVATE);
    check_that(resident(base) == 0, "and the future is as it was");
    unmap(base);
}

/* A locked mapping stays so where mremap lets it grow, or moves it. */
static void
grow_check(void)
{
    char *base = map(READ_WRITE, MAP_PRIVATE);

    munmap(base + 2 * PAGE, (PAGES - 2) * PAGE);
    check_that(mlock(base, 2 * PAGE) == 0 && mremap(base, 2 * PAGE, PAGES * PAGE, 0) == base && resident(base) == PAGES,
               "a locked mapping that grows is brought in");
    char *moved = mremap(base, PAGES * PAGE, 2 * PAGES * PAGE, MREMAP_MAYMOVE);
    check_that(moved != MAP_FAILED && resident(moved) == PAGES && resident(moved + PAGES * PAGE) == PAGES, "the same, moved");
    check_that(fails(madvise(moved + PAGES * PAGE, PAGE, MADV_DONTNEED), EINVAL), "and all of it is locked");
    munmap(moved, 2 * PAGES * PAGE);
    base = map(READ_WRITE, MAP_PRIVATE);
    munmap(base + 2 * PAGE, (PAGES - 2) * PAGE);
    check_that(syscall(SYS_mlock2, base, 2 * PAGE, MLOCK_ONFAULT) == 0 && mremap(base, 2 * PAGE, PAGES * PAGE, 0) == base && resident(base) == 0,
               "with MLOCK_ONFAULT nothing comes in");
    unmap(base);
}

static void
become_nobody(rlim_t pages)
{
    struct rlimit limit = { pages * PAGE, pages * PAGE };

    check_that(setrlimit(RLIMIT_MEMLOCK, &limit) == 0 && setuid(1000) == 0, "not root, with %d pages to lock", (int) pages);
}

static void
limit_body(void)
{
    char *base = map(READ_WRITE, MAP_PRIVATE);

    become_nobody(4);
    check_that(mlock(base, 3 * PAGE) == 0 && mlock(base + PAGE, 3 * PAGE) == 0, "four pages are locked, two of them twice");
    check_that(fails(mlock(base + 4 * PAGE, PAGE), ENOMEM), "a fifth: ENOMEM");
    check_that(fails(mlockall(MCL_CURRENT), ENOMEM), "everything: ENOMEM");
    check_that(mmap(NULL, PAGE, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0) == MAP_FAILED && errno == EAGAIN, "mmap with MAP_LOCKED: EAGAIN");
    check_that(munlock(base, PAGE) == 0 && mlock(base + 4 * PAGE, PAGE) == 0, "one unlocked, there is room for another");
}

static void
no_limit_body(void)
{
    char *base = map(READ_WRITE, MAP_PRIVATE);

    become_nobody(0);
    check_that(fails(mlock(base, PAGE), EPERM) && fails(mlockall(MCL_FUTURE), EPERM), "none at all: EPERM");
    /* musl would make ENOMEM of it. */
    check_that(fails(syscall(SYS_mmap2, NULL, PAGE, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0), EPERM), "mmap with MAP_LOCKED: EPERM");
}

static void
lowered_limit_body(void)
{
    become_nobody(4);
    check_that(mlockall(MCL_FUTURE) == 0, "what is mapped from now on is locked");
    check_that(setrlimit(RLIMIT_MEMLOCK, &(struct rlimit) { 0, 0 }) == 0, "then the limit is lowered to none");
    check_that(mmap(NULL, PAGE, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EAGAIN, "mmap that does not ask for it: EAGAIN");
}

/* ---- mremap ---- */

static void
leave_check(void)
{
    char *base = map(READ_WRITE, MAP_PRIVATE), *moved;

    memset(base, 'o', PAGES * PAGE);
    moved = mremap(base + PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
    check_that(moved != MAP_FAILED && moved != base + PAGE && moved[0] == 'o' && moved[2 * PAGE - 1] == 'o', "MREMAP_DONTUNMAP moves the pages");
    check_that(base[0] == 'o' && base[PAGE] == 0 && base[3 * PAGE - 1] == 0 && base[3 * PAGE] == 'o', "and leaves their mapping, empty");
    base[PAGE] = 'n';
    check_that(moved[0] == 'o', "the two are apart");
    munmap(moved, 2 * PAGE);
    check_that(mremap(base, PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP) == MAP_FAILED && errno == EINVAL, "of another size: EINVAL");
    check_that(mremap(base, PAGE, PAGE, MREMAP_DONTUNMAP) == MAP_FAILED && errno == EINVAL, "without MREMAP_MAYMOVE: EINVAL");
    unmap(base);
}

static void
remap_refused_check(void)
{
    char *base = map(READ_WRITE, MAP_PRIVATE);

    memset(base, 'r', PAGES * PAGE);
    mprotect(base + 4 * PAGE, PAGE, PROT_READ);
    check_that(mremap(base + 1, PAGE, PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EINVAL, "mremap not at a page's beginning: EINVAL");
    check_that(mremap(base, PAGE, 0, MREMAP_MAYMOVE) == MAP_FAILED && errno == EINVAL, "to nothing: EINVAL");
    check_that(mremap(base, PAGE, PAGE, 8) == MAP_FAILED && errno == EINVAL, "with an unknown flag: EINVAL");
    check_that(mremap(base, PAGE, PAGE, MREMAP_FIXED, base) == MAP_FAILED && errno == EINVAL, "MREMAP_FIXED alone: EINVAL");
    check_that(mremap(base, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, base + PAGES * PAGE + 1) == MAP_FAILED && errno == EINVAL, "to no page's beginning: EINVAL");
    check_that(mremap(base, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, base + PAGE) == MAP_FAILED && errno == EINVAL, "onto itself: EINVAL");
    check_that(mremap(base + 3 * PAGE, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT, "of two mappings: EFAULT");
    check_that(mremap(base, 0, PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EINVAL, "a second view of private memory: EINVAL");
    check_that(base[0] == 'r' && base[PAGES * PAGE - 1] == 'r', "what was refused has changed nothing");
    unmap(base);
}

/* ---- Mappings that grow ---- */

static void
grows_check(void)
{
    enum { BELOW = 400 };
    char *room = mmap(NULL, (BELOW + 1) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *top;

    munmap(room, (BELOW + 1) * PAGE);
    top = mmap(room + BELOW * PAGE, PAGE, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
    check_that(top == room + BELOW * PAGE, "a mapping that grows downwards");
    *(volatile char *) (top - 3 * PAGE) = 'g';
    check_that(top[-3 * PAGE] == 'g' && top[-PAGE] == 0, "a touch below it makes it larger");
    check_that(mprotect(top, PAGE, PROT_READ | PROT_GROWSDOWN) == 0, "PROT_GROWSDOWN");
    check_that(fails(read(open("/dev/zero", 0), top - 3 * PAGE, 1), EFAULT), "changes it down to its beginning");
    munmap(top - 3 * PAGE, 4 * PAGE);
    room = map(READ_WRITE, MAP_PRIVATE);
    check_that(fails(mprotect(room, PAGE, PROT_READ | PROT_GROWSDOWN), EINVAL), "of one that does not grow: EINVAL");
    check_that(fails(mprotect(room, PAGE, 0x100), EINVAL), "an unknown protection: EINVAL");
    unmap(room);
}

/* Whether a mapping grows downwards when there is one near below with this protection and these flags. */
static bool
grows_above(int protection, int flags)
{
    char *room = mmap(NULL, 10 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *top = room + 9 * PAGE;

    munmap(room, 10 * PAGE);
    mmap(room, PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | flags, -1, 0);
    mmap(top, PAGE, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
    bool grown = read(open("/dev/zero", O_RDONLY), top - 3 * PAGE, 1) == 1;
    munmap(room, 10 * PAGE);
    return grown;
}

static void
gap_check(void)
{
    check_that(!grows_above(PROT_READ, 0), "a mapping does not grow near to another");
    check_that(grows_above(PROT_NONE, 0), "but if that cannot be touched");
    check_that(grows_above(READ_WRITE, MAP_GROWSDOWN), "or grows itself");
}

int
main(void)
{
    populate_check();
    populate_file_check();
    wipe_check();
    hints_check();
    on_fault_check();
    grow_check();
    check_child(limit_body);
    check_child(no_limit_body);
    check_child(lowered_limit_body);
    leave_check();
    remap_refused_check();
    grows_check();
    gap_check();
    return check_end();
}
