/*
 * Limits of memory: what RLIMIT_DATA counts (private memory that can be written) and what it does not, that what is
 * replaced makes room, and that the most a process had at once is remembered: VmPeak, VmHWM, ru_maxrss.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "user/lib/check.h"

enum { PAGE = 4096, ROOM = 16, READ_WRITE = PROT_READ | PROT_WRITE, PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS };

/* A line of /proc/self/status, in KiB; -1 if there is none. */
static long
status_number(const char *name)
{
    static char text[8192];
    int file = open("/proc/self/status", O_RDONLY);
    ssize_t length = read(file, text, sizeof text - 1);
    char *line;

    close(file);
    text[length > 0 ? length : 0] = '\0';
    line = strstr(text, name);
    return line != NULL ? strtol(line + strlen(name), NULL, 10) : -1;
}

static char *
map(size_t pages, int protection, int flags)
{
    return mmap(NULL, pages * PAGE, protection, flags, -1, 0);
}

static bool
is_refused(const void *address)
{
    return address == MAP_FAILED && errno == ENOMEM;
}

/* No more than so many pages beyond what there is of it now. */
static void
limit_set(int resource, const char *line, size_t pages)
{
    struct rlimit limit;

    getrlimit(resource, &limit);
    limit.rlim_cur = (rlim_t) status_number(line) * 1024 + pages * PAGE;
    setrlimit(resource, &limit);
}

/* ---- RLIMIT_DATA ---- */

static void
data_child(void)
{
    limit_set(RLIMIT_DATA, "VmData:", ROOM);
    char *half = map(ROOM / 2, READ_WRITE, PRIVATE);
    check_that(half != MAP_FAILED, "within RLIMIT_DATA memory is mapped");
    check_that(is_refused(map(ROOM / 2 + 1, READ_WRITE, PRIVATE)), "a page beyond it is refused: ENOMEM");
    check_that(map(4 * ROOM, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS) != MAP_FAILED, "shared memory does not count");
    char *none = map(4 * ROOM, PROT_READ, PRIVATE);
    check_that(none != MAP_FAILED, "nor does what cannot be written");
    check_that(mprotect(none, (ROOM / 2 + 1) * PAGE, READ_WRITE) == -1 && errno == ENOMEM, "until mprotect lets it: ENOMEM");
    check_that(mprotect(none, ROOM / 2 * PAGE, READ_WRITE) == 0, "within the limit mprotect may");
    check_that(is_refused(map(1, READ_WRITE, PRIVATE)), "what became writable counts");
    check_that(mprotect(half, ROOM / 2 * PAGE, READ_WRITE) == 0, "what is writable already does not count again");
    check_that(mmap(half, ROOM / 2 * PAGE, READ_WRITE, PRIVATE | MAP_FIXED, -1, 0) == half, "nor does what is replaced");
    check_that(is_refused(mremap(half, ROOM / 2 * PAGE, (ROOM / 2 + 1) * PAGE, MREMAP_MAYMOVE)), "mremap counts what it adds: ENOMEM");
    munmap(half, ROOM / 2 * PAGE);
    check_that(map(ROOM / 2, READ_WRITE, PRIVATE) != MAP_FAILED, "unmapped memory makes room");
}

static void
heap_child(void)
{
    uintptr_t end = (uintptr_t) syscall(SYS_brk, 0);

    limit_set(RLIMIT_DATA, "VmData:", ROOM);
    check_that((uintptr_t) syscall(SYS_brk, end + (ROOM + 2) * PAGE) == end, "brk does not go beyond RLIMIT_DATA");
    check_that((uintptr_t) syscall(SYS_brk, end + ROOM / 2 * PAGE) == end + ROOM / 2 * PAGE, "it does within");
    check_that(is_refused(map(ROOM, READ_WRITE, PRIVATE)), "heap and mappings count together");
}

/* ---- RLIMIT_AS ---- */

static void
size_child(void)
{
    char *base = map(ROOM, READ_WRITE, PRIVATE), *other = map(ROOM, READ_WRITE, PRIVATE);

    limit_set(RLIMIT_AS, "VmSize:", 1);
    check_that(is_refused(map(2, READ_WRITE, PRIVATE)), "beyond RLIMIT_AS nothing is mapped: ENOMEM");
    check_that(mmap(base, ROOM * PAGE, PROT_READ, PRIVATE | MAP_FIXED, -1, 0) == base, "but what is replaced makes room");
    check_that(is_refused(mremap(other, ROOM * PAGE, ROOM * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP)), "MREMAP_DONTUNMAP needs it all: ENOMEM");
    check_that(mremap(other, ROOM * PAGE, ROOM * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, base) == base, "a mapping that moves needs none");
}

/* ---- The most there was ---- */

static void
peak_child(void)
{
    enum { PAGES = 1024, KILOBYTES = PAGES * PAGE / 1024, SLACK = KILOBYTES / 8 };
    struct rusage usage;
    long size = status_number("VmSize:"), resident = status_number("VmRSS:");
    volatile char *base = map(PAGES, READ_WRITE, PRIVATE);

    for (int i = 0; i < PAGES; i++)
        (void) base[i * PAGE];
    getrusage(RUSAGE_SELF, &usage);
    check_that(usage.ru_maxrss < resident + SLACK, "pages of zeroes that are only read are not in ru_maxrss");
    for (int i = 0; i < PAGES; i++)
        base[i * PAGE] = 1;
    munmap((char *) base, PAGES * PAGE);
    check_that(status_number("VmSize:") < size + KILOBYTES && status_number("VmPeak:") >= size + KILOBYTES, "VmPeak remembers what was unmapped");
    check_that(status_number("VmRSS:") < resident + SLACK && status_number("VmHWM:") >= resident + KILOBYTES - SLACK, "so does VmHWM");
    getrusage(RUSAGE_SELF, &usage);
    check_that(usage.ru_maxrss >= resident + KILOBYTES - SLACK, "so does ru_maxrss");
    pid_t child = check_fork();
    if (child == 0) {
        check_that(status_number("VmPeak:") < size + KILOBYTES && status_number("VmHWM:") < resident + SLACK, "a child begins anew");
        exit(0);
    }
    check_wait(child);
}

int
main(void)
{
    check_child(data_child);
    check_child(heap_child);
    check_child(size_child);
    check_child(peak_child);
    return check_end();
}
