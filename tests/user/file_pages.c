/*
 * One page cache: read, write, truncate and mappings of a file are the same pages, and
 * what was written to them reaches the file's device once, when it has to. The file came
 * with the image; on Linux a copy of this program does.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/counters.h"
#include "user/lib/system.h"

enum { PAGE = 4096, PAGES = 10 };

/* No program runs from it here. */
#define IMAGE "/bin/mksh"
#define COPY  "/tmp/file_pages"

static const char *name = IMAGE;
static off_t size;
static char original[PAGES * PAGE];
static struct counters before, after;

/* ---- What is written back ---- */

static void
count(void)
{
    counters_take(&before, COUNTERS_OF_SYSTEM);
}

static void
expect_written(long long pages, const char *what)
{
    counters_take(&after, COUNTERS_OF_SYSTEM);
    long long written = counter_difference(&before, &after, "file_write_back");
    if (written == COUNTER_MISSING)
        check_skip("pages written back: %s", what);
    else
        check_that(written == pages, "%s: %lld pages written back, and there are %lld", what, pages, written);
    count();
}

static int
file_open(void)
{
    return open(name, O_RDWR);
}

static char *
file_map(int file, int flags)
{
    return mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, flags, file, 0);
}

/* What the file says at an offset. */
static char
file_byte(int file, off_t offset)
{
    char byte = 0;
    pread(file, &byte, 1, offset);
    return byte;
}

/* ---- One cache ---- */

static void
agreement_check(void)
{
    int reader = open(name, O_RDONLY);
    const char *seen = mmap(NULL, PAGES * PAGE, PROT_READ, MAP_PRIVATE, reader, 0);
    check_that(seen[5 * PAGE] == original[5 * PAGE], "mapped before anybody has the file open for writing");
    int file = file_open();
    char *shared = file_map(file, MAP_SHARED), *private = file_map(file, MAP_PRIVATE);

    private[6 * PAGE] = '6';
    check_that(pwrite(file, "write", 5, 5 * PAGE - 2) == 5, "write across the border of two pages");
    check_that(memcmp(shared + 5 * PAGE - 2, "write", 5) == 0, "shows in a shared mapping");
    check_that(memcmp(seen + 5 * PAGE - 2, "write", 5) == 0 && memcmp(private + 5 * PAGE - 2, "write", 5) == 0,
               "and in private ones, where they have not written themselves");
    shared[7 * PAGE] = '7';
    check_that(file_byte(reader, 7 * PAGE) == '7' && private[7 * PAGE] == '7' && seen[7 * PAGE] == '7',
               "a write to a shared mapping is read at once, and shows in the others");
    check_that(file_byte(file, 6 * PAGE) == original[6 * PAGE] && shared[6 * PAGE] == original[6 * PAGE],
               "a write to a private mapping is nobody else's");
    check_that(pwrite(file, "!", 1, 6 * PAGE) == 1 && private[6 * PAGE] == '6' && shared[6 * PAGE] == '!',
               "and that page is its own from then on");
    pwrite(file, original, sizeof original, 0);
    munmap((void *) seen, PAGES * PAGE);
    munmap(shared, PAGES * PAGE);
    munmap(private, PAGES * PAGE);
    check_that(file_byte(file, 6 * PAGE) == original[6 * PAGE], "what was private never comes to the file");
    fsync(file);
    close(file);
    close(reader);
}

static void
child_writes(void)
{
    char *shared = file_map(file_open(), MAP_SHARED);

    shared[3 * PAGE] = 'c';
}

static void
write_back_check(void)
{
    int file = file_open();
    char *shared = file_map(file, MAP_SHARED), *private = file_map(file, MAP_PRIVATE), sum = 0;

    count();
    for (int i = 0; i < PAGES * PAGE; i++)
        sum += shared[i];
    msync(shared, PAGES * PAGE, MS_SYNC);
    expect_written(0, "msync of what was only read");
    shared[PAGE] = shared[4 * PAGE] = shared[4 * PAGE + 1] = 'm';
    check_that(msync(shared, PAGES * PAGE, MS_SYNC) == 0, "msync");
    expect_written(2, "msync of two dirty pages");
    check_that(msync(shared, PAGES * PAGE, MS_SYNC) == 0, "msync again");
    expect_written(0, "msync of clean pages");
    shared[PAGE] = shared[4 * PAGE] = 'n';
    check_that(msync(shared + 4 * PAGE, PAGE, MS_SYNC) == 0, "msync of one page");
    expect_written(1, "msync of one of two dirty pages");
    pwrite(file, "two pages", 9, 8 * PAGE - 4);
    check_that(fsync(file) == 0, "fsync");
    expect_written(3, "fsync of one page from a mapping and two from write");
    pwrite(file, "one", 3, 0);
    check_that(fdatasync(file) == 0, "fdatasync");
    expect_written(1, "fdatasync");
    private[0] = 'p';
    check_that(msync(private, PAGE, MS_SYNC) == 0, "msync of a private mapping");
    munmap(private, PAGES * PAGE);
    expect_written(0, "writing to a private mapping");
    shared[2 * PAGE] = shared[9 * PAGE] = 'u';
    munmap(shared, PAGES * PAGE);
    expect_written(2, "munmap of two dirty pages");
    check_child(child_writes);
    expect_written(1, "exit with one dirty page");
    check_that(file_byte(file, 3 * PAGE) == 'c' && file_byte(file, 9 * PAGE) == 'u' && file_byte(file, 0) == 'o',
               "and all is in the file");
    int synchronous = open(name, O_WRONLY | O_SYNC);
    count();
    pwrite(synchronous, original, sizeof original, 0);
    expect_written(PAGES, "a write with O_SYNC");
    sync();
    expect_written(0, "sync, with nothing left");
    close(synchronous);
    close(file);
}

/* Two processes write the same pages and send them to the device: each waits where the other does it. */
static void
together_check(void)
{
    enum { ROUNDS = 30 };
    int file = file_open();
    char *shared = file_map(file, MAP_SHARED);
    bool right = true;
    pid_t child = check_fork();

    for (int round = 1; round <= ROUNDS && right; round++) {
        shared[(child == 0) + 10] = (char) round;
        right = (round % 2 ? fsync(file) : msync(shared, PAGES * PAGE, MS_SYNC)) == 0
                && file_byte(file, (child == 0) + 10) == (char) round;
    }
    if (child == 0)
        _exit(!right);
    check_that(check_wait(child) == 0 && right && shared[10] == ROUNDS && shared[11] == ROUNDS, "two processes sync the same page at once");
    pwrite(file, original, sizeof original, 0);
    munmap(shared, PAGES * PAGE);
    close(file);
}

/* Linux from 5.4. */
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

static void
eviction_check(void)
{
    int file = file_open();
    char *shared = file_map(file, MAP_SHARED);

    for (int page = 0; page < PAGES; page++)
        shared[page * PAGE] = 'e';
    count();
    check_that(madvise(shared, PAGES * PAGE, MADV_PAGEOUT) == 0, "pages are evicted");
    expect_written(PAGES, "which writes the dirty ones");
    bool right = true;
    for (int page = 0; page < PAGES; page++)
        right &= shared[page * PAGE] == 'e' && memcmp(shared + page * PAGE + 1, original + page * PAGE + 1, PAGE - 1) == 0;
    check_that(right, "read again they are as they were");
    madvise(shared, PAGES * PAGE, MADV_PAGEOUT);
    expect_written(0, "evicting them again");
    check_that(file_byte(file, 2 * PAGE) == 'e', "read reads them again");
    pwrite(file, original, sizeof original, 0);
    munmap(shared, PAGES * PAGE);
    close(file);
}

/* ---- What cannot be ---- */

static void
fsync_check(void)
{
    int directory = open("/tmp", O_RDONLY | O_DIRECTORY), ends[2];

    pipe(ends);
    check_that(fsync(directory) == 0, "fsync of a directory");
    check_that(refused(fsync(ends[0]), EINVAL) && refused(fdatasync(ends[1]), EINVAL), "fsync of a pipe: EINVAL");
    close(directory);
    close(ends[0]);
    close(ends[1]);
    check_that(refused(fsync(directory), EBADF), "fsync of what is closed: EBADF");
}

static void
msync_check(void)
{
    char *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    check_that(refused(msync(page, PAGE, MS_SYNC | MS_ASYNC), EINVAL), "MS_SYNC and MS_ASYNC: EINVAL");
    check_that(refused(msync(page, PAGE, 0x80), EINVAL), "an unknown flag: EINVAL");
    check_that(mlock(page, PAGE) == 0 && refused(msync(page, 2 * PAGE, MS_INVALIDATE), EBUSY), "MS_INVALIDATE of locked memory: EBUSY");
    munmap(page, PAGE);
    check_that(refused(msync(page, 2 * PAGE, MS_SYNC), ENOMEM), "a hole: ENOMEM");
    munmap(page, 2 * PAGE);
    int file = file_open();
    long result = syscall(192 /* mmap2 */, 0, 2 * PAGE, PROT_READ, MAP_SHARED, file, -1);
    if (result == -1)
        check_that(errno == EOVERFLOW && syscall(192, 0, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, -1) == -1 && errno == EOVERFLOW,
                   "an offset whose pages cannot be numbered, also where it means nothing: EOVERFLOW");
    else
        check_skip("an offset whose pages 32 bits cannot number: this kernel has more");
    close(file);
}

/* Whether the file may not be run just now. */
static bool
is_busy(void)
{
    pid_t child = check_fork();

    if (child == 0) {
        execl(name, name, "-c", ":", NULL);
        _exit(errno == ETXTBSY ? 42 : 1);
    }
    return check_wait(child) == 42 << 8;
}

static void
busy_check(void)
{
    int self = open("/proc/self/exe", O_RDONLY);
    char path[64] = { 0 };

    check_that(readlink("/proc/self/exe", path, sizeof path - 1) > 0 && refused(open(path, O_WRONLY), ETXTBSY),
               "a program that runs is not opened for writing: ETXTBSY");
    check_that(refused(open(path, O_RDONLY | O_TRUNC), ETXTBSY) && refused(truncate(path, 0), ETXTBSY), "nor truncated");
    check_that(self >= 0 && close(self) == 0, "reading is allowed");
    int file = file_open();
    check_that(is_busy(), "one that is open for writing does not run: ETXTBSY");
    char *shared = file_map(file, MAP_SHARED);
    close(file);
    check_that(is_busy(), "nor one that is mapped so");
    munmap(shared, PAGES * PAGE);
    check_that(!is_busy(), "unmapped, it does");
}

/* ---- Sizes ---- */

static void
touch_beyond(void)
{
    char *shared = file_map(file_open(), MAP_SHARED);

    raise(shared[5 * PAGE] ? SIGUSR1 : SIGUSR2);
}

static void
size_check(void)
{
    int file = file_open();
    char *shared = file_map(file, MAP_SHARED);
    struct stat status;

    shared[4 * PAGE + 200] = shared[5 * PAGE] = 't';
    check_that(ftruncate(file, 4 * PAGE + 100) == 0 && fstat(file, &status) == 0 && status.st_size == 4 * PAGE + 100,
               "the file is cut in its fifth page");
    check_that(check_child(touch_beyond) == SIGBUS, "touching a page beyond is SIGBUS");
    check_that(shared[4 * PAGE + 99] == original[4 * PAGE + 99] && shared[4 * PAGE + 100] == 0 && shared[4 * PAGE + 200] == 0,
               "the rest of the last page is zero");
    check_that(ftruncate(file, size) == 0 && shared[5 * PAGE] == 0 && file_byte(file, 4 * PAGE + 200) == 0,
               "grown again, it reads as zero there");
    pwrite(file, "again", 5, 4 * PAGE + 98);
    check_that(memcmp(shared + 4 * PAGE + 98, "again", 5) == 0, "and is the same pages as before");
    check_that(lseek(file, 0, SEEK_END) == size && write(file, "longer", 6) == 6, "it grows at its end");
    msync(shared, PAGES * PAGE, MS_SYNC);
    madvise(shared, PAGES * PAGE, MADV_PAGEOUT);
    char text[12] = { 0 };
    check_that(pread(file, text, 11, 4 * PAGE + 98) == 11 && memcmp(text, "again", 6) == 0 && pread(file, text, 9, size - 2) == 8
               && memcmp(text + 2, "longer", 6) == 0 && shared[3 * PAGE] == original[3 * PAGE],
               "all of which survives eviction");
    munmap(shared, PAGES * PAGE);
    close(file);
}

static void
name_check(void)
{
    int file = file_open(), other = open("/tmp/file_pages_other", O_RDWR | O_CREAT | O_TRUNC, 0600);
    char *shared = file_map(file, MAP_SHARED);

    shared[PAGE] = 'a';
    check_that(unlink(name) == 0 && shared[PAGE] == 'a' && shared[2 * PAGE] == original[2 * PAGE], "mapped, it outlives its name");
    shared[2 * PAGE] = 'b';
    check_that(file_byte(file, 2 * PAGE) == 'b', "and open");
    check_that(msync(shared, PAGES * PAGE, MS_SYNC) == 0 && refused(access(name, F_OK), ENOENT), "it is written back as before");
    write(other, "other", 5);
    int onto = open("/tmp/file_pages_onto", O_RDWR | O_CREAT | O_TRUNC, 0600);
    write(onto, "onto", 4);
    char *mapped = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, onto, 0);
    check_that(rename("/tmp/file_pages_other", "/tmp/file_pages_onto") == 0 && memcmp(mapped, "onto", 4) == 0
               && file_byte(onto, 1) == 'n', "a file that another has replaced goes on for who has it");
    unlink("/tmp/file_pages_onto");
    munmap(shared, PAGES * PAGE);
    munmap(mapped, PAGE);
    close(file);
    close(other);
    close(onto);
}

/* On Linux programs are not to be written to: a copy of this one does as well. */
static void
file_choose(const char *program)
{
    struct counters now = { 0 };
    struct stat status;

    counters_prepare(&before, COUNTERS_OF_SYSTEM);
    counters_prepare(&after, COUNTERS_OF_SYSTEM);
    counters_prepare(&now, COUNTERS_OF_SYSTEM);
    counters_take(&now, COUNTERS_OF_SYSTEM);
    if (counter_value(&now, "file_write_back") == COUNTER_MISSING) {
        name = COPY;
        int from = open(program, O_RDONLY), to = open(COPY, O_WRONLY | O_CREAT | O_TRUNC, 0700);
        while (read(from, original, sizeof original) == sizeof original)
            write(to, original, sizeof original);
        close(from);
        close(to);
    }
    int file = open(name, O_RDONLY);
    fstat(file, &status);
    size = status.st_size;
    pread(file, original, sizeof original, 0);
    close(file);
}

int
main(int count, char **arguments)
{
    (void) count;
    file_choose(arguments[0]);
    agreement_check();
    write_back_check();
    together_check();
    eviction_check();
    fsync_check();
    msync_check();
    busy_check();
    size_check();
    name_check();
    return check_end();
}
