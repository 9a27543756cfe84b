/*
 * mmap and its family: regions split and merge as Linux's do, seen through
 * /proc/self/maps; brk and fixed mappings side by side; mremap, mincore, madvise,
 * msync, mlock; and what each refuses.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/system.h"

#define FILE_NAME "/tmp/mmap_family"
#define AREA_BASE ((char *) 0x2a5a0000) /* in the middle of nowhere, so that nothing else comes to lie in the area's holes */
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)
#define READ_WRITE (PROT_READ | PROT_WRITE)

enum { PAGES = 8 };

static char *area;   /* PAGES pages, with a hole on either side */

static char *
page(int number)
{
    return area + number * PAGE_SIZE;
}

static void
area_make(int protection)
{
    munmap(AREA_BASE - PAGE_SIZE, (PAGES + 2) * PAGE_SIZE);
    area = mmap(AREA_BASE, PAGES * PAGE_SIZE, protection, ANONYMOUS | MAP_FIXED, -1, 0);
}

/*
 * The regions inside the area, as a text: each page is the first letter of its protection (r, w, x, - for
 * none, . for unmapped), with | between regions. "rr|ww......" are two regions of two pages.
 */
static const char *
area_picture(void)
{
    static char picture[2 * PAGES + 1];
    char *maps = file_text("/proc/self/maps"), *out = picture;
    int next = 0;

    for (char *line = strtok(maps, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        unsigned long start, end;
        char allowed[5];
        if (sscanf(line, "%lx-%lx %4s", &start, &end, allowed) != 3 || end <= (uintptr_t) area
            || start >= (uintptr_t) page(PAGES))
            continue;
        int from = start < (uintptr_t) area ? 0 : (start - (uintptr_t) area) / PAGE_SIZE;
        int to = end > (uintptr_t) page(PAGES) ? PAGES : (end - (uintptr_t) area) / PAGE_SIZE;
        if (from == next && next > 0)
            *out++ = '|';
        for (; next < from; next++)
            *out++ = '.';
        for (; next < to; next++)
            *out++ = allowed[2] == 'x' ? 'x' : allowed[1] == 'w' ? 'w' : allowed[0] == 'r' ? 'r' : '-';
    }
    for (; next < PAGES; next++)
        *out++ = '.';
    *out = '\0';
    free(maps);
    return picture;
}

static void
picture_check(const char *expected, const char *what)
{
    const char *picture = area_picture();
    check_that(strcmp(picture, expected) == 0, "%s: %s", what, expected);
    if (strcmp(picture, expected) != 0)
        check_note("it is %s", picture);
}

static void
split_check(void)
{
    area_make(READ_WRITE);
    picture_check("wwwwwwww", "one mapping is one region");
    mprotect(page(2), 3 * PAGE_SIZE, PROT_READ);
    picture_check("ww|rrr|www", "mprotect of the middle splits it in three");
    mprotect(page(3), PAGE_SIZE, PROT_NONE);
    picture_check("ww|r|-|r|www", "and again");
    mprotect(page(2), 3 * PAGE_SIZE, READ_WRITE);
    picture_check("wwwwwwww", "given back, they merge into one");
    munmap(page(3), 2 * PAGE_SIZE);
    picture_check("www..www", "munmap of the middle leaves two");
    mmap(page(3), 2 * PAGE_SIZE, READ_WRITE, ANONYMOUS | MAP_FIXED, -1, 0);
    picture_check("wwwwwwww", "a mapping that fills the hole merges with both");
    mmap(page(0), PAGE_SIZE, PROT_READ, ANONYMOUS | MAP_FIXED, -1, 0);
    picture_check("r|wwwwwww", "a fixed mapping replaces what was there");
    munmap(page(0), PAGES * PAGE_SIZE);
    picture_check("........", "munmap across regions and holes");
    check_that(munmap(page(0), PAGES * PAGE_SIZE) == 0, "munmap of nothing succeeds");
}

/* Contents stay with their pages whatever becomes of the regions around them. */
static void
contents_check(void)
{
    int wrong = 0;

    area_make(READ_WRITE);
    for (int i = 0; i < PAGES; i++)
        page(i)[0] = 'a' + i;
    mprotect(page(1), 2 * PAGE_SIZE, PROT_READ);
    munmap(page(4), PAGE_SIZE);
    mprotect(page(1), 2 * PAGE_SIZE, READ_WRITE);
    mmap(page(4), PAGE_SIZE, READ_WRITE, ANONYMOUS | MAP_FIXED, -1, 0);
    for (int i = 0; i < PAGES; i++)
        wrong += page(i)[0] != (i == 4 ? 0 : 'a' + i);
    check_that(wrong == 0, "contents survive splitting and merging; a new page is zero");
    for (int i = 0; i < PAGES; i++)
        page(i)[1] = 'z';
    check_that(page(4)[1] == 'z', "all can be written afterwards");
}

static void
refusal_check(void)
{
    area_make(READ_WRITE);
    check_that(mmap(NULL, 0, PROT_READ, ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL, "length 0: EINVAL");
    check_that(mmap(page(0) + 1, PAGE_SIZE, PROT_READ, ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED && errno == EINVAL,
               "misaligned and fixed: EINVAL");
    check_that(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE, 99, 0) == MAP_FAILED && errno == EBADF, "bad file: EBADF");
    check_that(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL,
               "neither shared nor private: EINVAL");
    check_that(mmap((void *) 0xFFFFE000, 4 * PAGE_SIZE, PROT_READ, ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED
               && errno == ENOMEM, "fixed beyond all addresses: ENOMEM");
    check_that(munmap(page(0) + 1, PAGE_SIZE) == -1 && errno == EINVAL, "munmap misaligned: EINVAL");
    check_that(munmap(page(0), 0) == -1 && errno == EINVAL, "munmap of length 0: EINVAL");
    check_that(munmap((void *) 0xFFFFE000, 4 * PAGE_SIZE) == -1 && errno == EINVAL, "munmap beyond all: EINVAL");
    munmap(page(3), PAGE_SIZE);
    check_that(mprotect(page(2), 3 * PAGE_SIZE, PROT_READ) == -1 && errno == ENOMEM, "mprotect across a hole: ENOMEM");
    check_that(syscall(SYS_mprotect, page(0) + 1, PAGE_SIZE, PROT_READ) == -1 && errno == EINVAL, "mprotect misaligned: EINVAL");
    char *hint = mmap(page(0), PAGE_SIZE, PROT_READ, ANONYMOUS, -1, 0);
    check_that(hint != MAP_FAILED && hint != page(0), "a hint that is taken goes elsewhere");
    munmap(hint, PAGE_SIZE);
    hint = mmap(page(3), PAGE_SIZE, READ_WRITE, ANONYMOUS, -1, 0);
    check_that(hint == page(3), "a hint that is free is followed");
}

static int
file_make(void)
{
    char text[PAGE_SIZE];
    int file = open(FILE_NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);

    for (int i = 0; i < 3; i++) {
        memset(text, '0' + i, sizeof text);
        write(file, text, i < 2 ? sizeof text : 100);
    }
    return file;
}

static void
file_check(void)
{
    int file = file_make();
    char *private = mmap(NULL, 3 * PAGE_SIZE, READ_WRITE, MAP_PRIVATE, file, 0);
    char *shared = mmap(NULL, 3 * PAGE_SIZE, READ_WRITE, MAP_SHARED, file, 0);
    char *second = mmap(NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, file, PAGE_SIZE);
    char byte;

    check_that(private[0] == '0' && shared[PAGE_SIZE] == '1' && second[0] == '1', "files are mapped at their offsets");
    check_that(shared[2 * PAGE_SIZE + 99] == '2' && shared[2 * PAGE_SIZE + 100] == 0, "behind the end there are zeroes");
    private[1] = 'p';
    pread(file, &byte, 1, 1);
    check_that(byte == '0' && shared[1] == '0', "a private write stays private");
    shared[PAGE_SIZE + 5] = 's';
    pread(file, &byte, 1, PAGE_SIZE + 5);
    check_that(byte == 's' && second[5] == 's' && private[PAGE_SIZE + 5] == 's', "a shared write is seen everywhere");
    pwrite(file, "f", 1, 7);
    check_that(shared[7] == 'f', "a write to the file is seen in the mapping");
    check_that(private[7] == '0', "but not where a private page has been copied");
    check_that(msync(shared, 3 * PAGE_SIZE, MS_SYNC) == 0, "msync");
    check_that(msync(shared + 1, PAGE_SIZE, MS_SYNC) == -1 && errno == EINVAL, "msync misaligned: EINVAL");
    close(file);
    unlink(FILE_NAME);
    check_that(private[1] == 'p' && shared[7] == 'f', "mappings outlive descriptor and name");
    munmap(private, 3 * PAGE_SIZE);
    munmap(shared, 3 * PAGE_SIZE);
    munmap(second, PAGE_SIZE);
}

static bool
map_refused(int flags, int file, int error)
{
    return mmap(NULL, PAGE_SIZE, PROT_READ, flags, file, 0) == MAP_FAILED && errno == error;
}

static void
flags_check(void)
{
    int file = file_make();

    check_that(map_refused(MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, EINVAL), "MAP_SHARED_VALIDATE is for files: EINVAL");
    check_that(map_refused(MAP_SHARED_VALIDATE | MAP_SYNC, file, EOPNOTSUPP), "and refuses a flag that it does not know: EOPNOTSUPP");
    check_that(!map_refused(MAP_SHARED_VALIDATE | MAP_POPULATE, file, 0), "but takes the others");
    check_that(!map_refused(MAP_SHARED | MAP_SYNC, file, 0), "which MAP_SHARED does not look at");
    check_that(map_refused(MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, EINVAL), "a stack cannot be shared: EINVAL");
    check_that(map_refused(MAP_PRIVATE | MAP_GROWSDOWN, file, EINVAL), "nor be a file: EINVAL");
    check_that(map_refused(MAP_PRIVATE | MAP_HUGETLB, file, EINVAL), "a file of the usual kind has no huge pages: EINVAL");
    close(file);
    unlink(FILE_NAME);
}

static void
file_refusal_check(void)
{
    close(file_make());
    int file = open(FILE_NAME, O_RDONLY);

    check_that(mmap(NULL, PAGE_SIZE, READ_WRITE, MAP_SHARED, file, 0) == MAP_FAILED && errno == EACCES,
               "shared and writable, of a file open for reading: EACCES");
    char *base = mmap(NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, file, 0);
    check_that(mprotect(base, PAGE_SIZE, READ_WRITE) == -1 && errno == EACCES, "mprotect does not get round it");
    munmap(base, PAGE_SIZE);
    base = mmap(NULL, PAGE_SIZE, READ_WRITE, MAP_PRIVATE, file, 0);
    check_that(base != MAP_FAILED && (base[0] = 'x') == 'x', "private and writable is all right");
    munmap(base, PAGE_SIZE);
    close(file);
    file = open(FILE_NAME, O_WRONLY);
    check_that(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE, file, 0) == MAP_FAILED && errno == EACCES,
               "of a file open for writing only: EACCES");
    close(file);
    unlink(FILE_NAME);
}

/* brk as the kernel has it: the end of the heap, whether it moved or not. */
static char *
heap_move(char *end)
{
    return (char *) syscall(SYS_brk, end);
}

static void
brk_check(void)
{
    char *start = heap_move(NULL), *end = (char *) (((uintptr_t) start + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE);

    check_that(heap_move(end + 4 * PAGE_SIZE) == end + 4 * PAGE_SIZE, "brk makes the heap larger");
    end[0] = end[4 * PAGE_SIZE - 1] = 'h';
    check_that(heap_move(end + PAGE_SIZE) == end + PAGE_SIZE && end[0] == 'h', "and smaller");
    check_that(heap_move(end + 4 * PAGE_SIZE) == end + 4 * PAGE_SIZE && end[4 * PAGE_SIZE - 1] == 0,
               "what comes back is zero");
    check_that(heap_move((char *) 1) == end + 4 * PAGE_SIZE, "a heap that ends before it starts is refused");
    check_that(heap_move((char *) 0xFFFFF000) == end + 4 * PAGE_SIZE, "so is one with no room");

    char *guard = mmap(end + 6 * PAGE_SIZE, PAGE_SIZE, PROT_NONE, ANONYMOUS | MAP_FIXED, -1, 0);
    check_that(guard == end + 6 * PAGE_SIZE, "a fixed mapping right above the heap");
    check_that(heap_move(end + 8 * PAGE_SIZE) == end + 4 * PAGE_SIZE, "the heap does not grow over it");
    check_that(heap_move(end + 6 * PAGE_SIZE) == end + 4 * PAGE_SIZE, "nor right up to it");
    check_that(heap_move(end + 5 * PAGE_SIZE) == end + 5 * PAGE_SIZE, "but one page apart");
    mmap(end, PAGE_SIZE, PROT_NONE, ANONYMOUS | MAP_FIXED, -1, 0);
    check_that(heap_move(end + 4 * PAGE_SIZE) == end + 4 * PAGE_SIZE, "it is not disturbed by one in its middle");
    munmap(guard, PAGE_SIZE);
    heap_move(start);
}

static void
mremap_check(void)
{
    area_make(READ_WRITE);
    page(0)[0] = 'm';
    page(3)[0] = 'n';
    check_that(mremap(page(0), PAGES * PAGE_SIZE, 4 * PAGE_SIZE, 0) == page(0), "mremap makes smaller");
    picture_check("wwww....", "the end is gone");
    check_that(mremap(page(0), 4 * PAGE_SIZE, 6 * PAGE_SIZE, 0) == page(0) && page(5)[0] == 0, "larger, in place");
    mmap(page(6), PAGE_SIZE, PROT_READ, ANONYMOUS | MAP_FIXED, -1, 0);
    check_that(mremap(page(0), 6 * PAGE_SIZE, 8 * PAGE_SIZE, 0) == MAP_FAILED && errno == ENOMEM,
               "no room in place: ENOMEM");
    char *moved = mremap(page(0), 6 * PAGE_SIZE, 8 * PAGE_SIZE, MREMAP_MAYMOVE);
    check_that(moved != MAP_FAILED && moved[0] == 'm' && moved[3 * PAGE_SIZE] == 'n' && moved[7 * PAGE_SIZE] == 0,
               "it may move, with its contents");
    picture_check("......r.", "and leaves a hole");
    char *fixed = mremap(moved, PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, page(1));
    check_that(fixed == page(1) && fixed[0] == 'm', "to a fixed place");
    check_that(mremap(page(4), PAGE_SIZE, 2 * PAGE_SIZE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT,
               "nothing there: EFAULT");
    munmap(moved, 8 * PAGE_SIZE);
}

static void
residence_check(void)
{
    unsigned char resident[PAGES];

    area_make(READ_WRITE);
    page(1)[0] = page(4)[0] = 'r';
    check_that(mincore(area, PAGES * PAGE_SIZE, resident) == 0 && (resident[1] & 1) && (resident[4] & 1)
               && !(resident[0] & 1) && !(resident[7] & 1), "mincore tells touched pages from untouched ones");
    munmap(page(2), PAGE_SIZE);
    check_that(mincore(area, PAGES * PAGE_SIZE, resident) == -1 && errno == ENOMEM, "mincore across a hole: ENOMEM");
    check_that(madvise(page(4), PAGE_SIZE, MADV_DONTNEED) == 0 && page(4)[0] == 0, "MADV_DONTNEED forgets");
    check_that(page(1)[0] == 'r', "only what it was asked to");
    check_that(madvise(page(1), 2 * PAGE_SIZE, MADV_DONTNEED) == -1 && errno == ENOMEM, "across a hole: ENOMEM");
    check_that(madvise(area, PAGE_SIZE, 9999) == -1 && errno == EINVAL, "unknown advice: EINVAL");
    check_that(madvise(area, PAGE_SIZE, MADV_WILLNEED) == 0, "advice to fetch is taken");
}

static void
lock_check(void)
{
    unsigned char resident[4];

    area_make(READ_WRITE);
    check_that(mlock(page(0), 4 * PAGE_SIZE) == 0, "mlock");
    check_that(mincore(area, 4 * PAGE_SIZE, resident) == 0 && (resident[0] & resident[1] & resident[2] & resident[3] & 1),
               "locked pages are in memory though nobody touched them");
    check_that(munlock(page(0), 4 * PAGE_SIZE) == 0, "munlock");
    mprotect(page(4), PAGE_SIZE, PROT_NONE);
    check_that(mlock(page(4), PAGE_SIZE) == -1 && errno == ENOMEM, "mlock of what nobody may touch: ENOMEM");
    munmap(page(6), PAGE_SIZE);
    check_that(mlock(page(5), 2 * PAGE_SIZE) == -1 && errno == ENOMEM, "mlock across a hole: ENOMEM");
    check_that(munlockall() == 0, "munlockall");
}

int
main(void)
{
    split_check();
    contents_check();
    refusal_check();
    flags_check();
    file_check();
    file_refusal_check();
    mremap_check();
    residence_check();
    lock_check();
    brk_check();
    return check_end();
}
