/* What measurements have in common: memory, children, and the cost of touching pages. */
#include "user/lib/measure.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "user/lib/system.h"

_Noreturn void
fail(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

char *
memory_map(size_t pages, int protection, int descriptor)
{
    int flags = MAP_PRIVATE | (descriptor < 0 ? MAP_ANONYMOUS : 0);
    char *base = mmap(NULL, pages * PAGE_SIZE, protection, flags, descriptor, 0);
    if (base == MAP_FAILED)
        fail("mmap");
    return base;
}

void
memory_unmap(char *base, size_t pages)
{
    if (munmap(base, pages * PAGE_SIZE) != 0)
        fail("munmap");
}

uint64_t
microseconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t) now.tv_sec * MICROSECONDS_A_SECOND + now.tv_nsec / (1000000000 / MICROSECONDS_A_SECOND);
}

void
child_wait(pid_t child)
{
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        fail("a child");
}

uint64_t
write_cost(char *base, size_t pages)
{
    uint64_t start = instructions_now();
    for (size_t page = 0; page < pages; page++)
        *(volatile char *) (base + page * PAGE_SIZE) = 1;
    return instructions_now() - start;
}

uint64_t
read_cost(const char *base, size_t pages)
{
    uint64_t start = instructions_now();
    for (size_t page = 0; page < pages; page++)
        (void) *(const volatile char *) (base + page * PAGE_SIZE);
    return instructions_now() - start;
}
