/*
 * What fork does to memory: private pages part company at the first write on
 * either side, over three generations and in any order; shared ones never do;
 * vfork shares all of it. The same under every kind of fork.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"

#define FILE_NAME "/tmp/fork_memory"

enum { PAGES = 40 }; /* more than a chunk, less than a table */

static int in_data = 1, in_bss;

static char *
memory_map(int flags, int file)
{
    return mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, flags, file, 0);
}

static void
pages_set(char *base, char value)
{
    for (int i = 0; i < PAGES; i++)
        base[i * PAGE_SIZE] = value;
}

static bool
pages_are(const char *base, char value)
{
    for (int i = 0; i < PAGES; i++)
        if (base[i * PAGE_SIZE] != value)
            return false;
    return true;
}

/* Lets processes take turns: each byte that is sent wakes one that waits. */
static void
turn_give(int pipe_ends[2])
{
    write(pipe_ends[1], "t", 1);
}

static void
turn_take(int pipe_ends[2])
{
    char byte;
    read(pipe_ends[0], &byte, 1);
}

static void
private_check(void)
{
    char *base = memory_map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
    int here = 1, to_child[2], to_parent[2];
    char *heap = malloc(1);

    pipe(to_child);
    pipe(to_parent);
    pages_set(base, 'a');
    *heap = 'a';
    pid_t child = check_fork();
    if (child == 0) {
        turn_take(to_child); /* the parent has written */
        bool same = pages_are(base, 'a') && in_data == 1 && in_bss == 0 && here == 1 && *heap == 'a';
        pages_set(base, 'c');
        in_data = in_bss = here = 3;
        *heap = 'c';
        turn_give(to_parent);
        turn_take(to_child);
        _exit(!(same && pages_are(base, 'c') && in_data == 3));
    }
    pages_set(base, 'p');
    in_data = in_bss = here = 2;
    *heap = 'p';
    turn_give(to_child);
    turn_take(to_parent);
    check_that(pages_are(base, 'p') && in_data == 2 && in_bss == 2 && here == 2 && *heap == 'p',
               "the parent does not see the child's writes");
    pages_set(base, 'q');
    turn_give(to_child);
    check_that(check_wait(child) == 0, "nor the child the parent's");
    check_that(pages_are(base, 'q'), "the parent keeps its own when the child has gone");
    munmap(base, PAGES * PAGE_SIZE);
}

static void
shared_check(void)
{
    char *anonymous = memory_map(MAP_SHARED | MAP_ANONYMOUS, -1);
    int file = open(FILE_NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);
    char byte = 0;

    ftruncate(file, PAGES * PAGE_SIZE);
    char *of_file = memory_map(MAP_SHARED, file);
    anonymous[0] = 'a'; /* the others are touched first by the child */
    pid_t child = check_fork();
    if (child == 0) {
        pages_set(anonymous, 'c');
        pages_set(of_file, 'c');
        _exit(EXIT_SUCCESS);
    }
    check_wait(child);
    check_that(pages_are(anonymous, 'c'), "shared anonymous memory is shared, touched or not");
    check_that(pages_are(of_file, 'c') && pread(file, &byte, 1, PAGE_SIZE) == 1 && byte == 'c',
               "so is a shared file mapping");
    munmap(anonymous, PAGES * PAGE_SIZE);
    munmap(of_file, PAGES * PAGE_SIZE);
    close(file);
    unlink(FILE_NAME);
}

/* Each generation writes every third page, and must see the others as its ancestors left them. */
static void
generation_write(char *base, int generation)
{
    for (int i = generation; i < PAGES; i += 3)
        base[i * PAGE_SIZE] = '1' + generation;
}

static bool
generation_sees(const char *base, int generation)
{
    for (int i = 0; i < PAGES; i++)
        if (base[i * PAGE_SIZE] != (i % 3 <= generation ? '1' + i % 3 : '0'))
            return false;
    return true;
}

static void
generations_check(void)
{
    char *base = memory_map(MAP_PRIVATE | MAP_ANONYMOUS, -1);

    pages_set(base, '0');
    generation_write(base, 0);
    pid_t child = check_fork();
    if (child == 0) {
        generation_write(base, 1);
        pid_t grandchild = check_fork();
        if (grandchild == 0) {
            generation_write(base, 2);
            _exit(!generation_sees(base, 2));
        }
        bool right = check_wait(grandchild) == 0 && generation_sees(base, 1);
        _exit(!right);
    }
    check_that(check_wait(child) == 0, "child and grandchild see what they should");
    check_that(generation_sees(base, 0), "the parent sees nothing of either");
    munmap(base, PAGES * PAGE_SIZE);
}

/* Children that were forked at different times from a parent that goes on writing. */
static void
moments_check(void)
{
    enum { CHILDREN = 6 };
    char *base = memory_map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
    pid_t children[CHILDREN];
    int gate[2], lived = 0;

    pipe(gate);
    for (int i = 0; i < CHILDREN; i++) {
        pages_set(base, 'A' + i);
        children[i] = check_fork();
        if (children[i] == 0) {
            close(gate[1]);
            turn_take(gate);
            bool right = pages_are(base, 'A' + i);
            pages_set(base, 'z');
            _exit(!(right && pages_are(base, 'z')));
        }
    }
    pages_set(base, 'y');
    close(gate[1]);
    for (int i = 0; i < CHILDREN; i++)
        lived += check_wait(children[i]) == 0;
    check_that(lived == CHILDREN, "each of %d children sees the moment of its fork", CHILDREN);
    check_that(pages_are(base, 'y'), "the parent sees the present");
    close(gate[0]);
    munmap(base, PAGES * PAGE_SIZE);
}

/* Memory that was never touched before the fork, or changed its region after it. */
static void
regions_check(void)
{
    char *base = memory_map(MAP_PRIVATE | MAP_ANONYMOUS, -1);

    pages_set(base, 'a');
    munmap(base + 10 * PAGE_SIZE, PAGE_SIZE);
    char *untouched = memory_map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
    pid_t child = check_fork();
    if (child == 0) {
        bool right = pages_are(untouched, 0);
        munmap(base, 5 * PAGE_SIZE);
        mprotect(base + 20 * PAGE_SIZE, PAGE_SIZE, PROT_READ);
        char *moved = mremap(base + 30 * PAGE_SIZE, PAGE_SIZE, 2 * PAGE_SIZE, MREMAP_MAYMOVE);
        right &= moved[0] == 'a' && moved[PAGE_SIZE] == 0 && base[20 * PAGE_SIZE] == 'a';
        madvise(base + 12 * PAGE_SIZE, PAGE_SIZE, MADV_DONTNEED);
        pages_set(untouched, 'u');
        _exit(!(right && base[12 * PAGE_SIZE] == 0));
    }
    check_that(check_wait(child) == 0, "a child may cut up its regions");
    base[20 * PAGE_SIZE] = base[0];
    check_that(base[0] == 'a' && base[12 * PAGE_SIZE] == 'a' && base[30 * PAGE_SIZE] == 'a' && pages_are(untouched, 0),
               "the parent's are as they were");
    munmap(base, PAGES * PAGE_SIZE);
    munmap(untouched, PAGES * PAGE_SIZE);
}

static void
vfork_check(void)
{
    char *base = memory_map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
    static volatile int left;

    left = 0;
    pid_t child = vfork();
    if (child == 0) {
        pages_set(base, 'v');
        usleep(10000);
        left = 1;
        _exit(EXIT_SUCCESS);
    }
    check_that(left == 1 && pages_are(base, 'v'), "a child of vfork writes its parent's memory, and the parent waits");
    check_that(check_wait(child) == 0, "and ends well");
    child = vfork();
    if (child == 0)
        kill(getpid(), SIGKILL); /* not raise: libc would take its parent's number for its own */
    check_that(check_wait(child) == SIGKILL, "a child of vfork that is killed lets its parent go on");
    munmap(base, PAGES * PAGE_SIZE);
}

int
main(void)
{
    private_check();
    shared_check();
    generations_check();
    moments_check();
    regions_check();
    vfork_check();
    return check_end();
}
