/*
 * Random sequences of mmap, munmap, mprotect, mremap, madvise, msync, fork, reads and writes, by memory and by
 * file, over a small arena and a small file. Every answer goes into a digest, which is printed now and then:
 * on two kernels that agree, the same seed gives the same digests.
 *
 *     random_memory SEED STEPS [FROM]      from step FROM on, each step is printed, to find the one that differs
 *
 * Only what Linux promises is tried: mremap takes what was mapped by one call, and a page that may be
 * truncated away is mapped shared.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/outcome.h"
#include "user/lib/random.h"

#define ARENA ((char *) 0x2a000000)
#define FILE_NAME "/tmp/random_memory"
#define READ_WRITE (PROT_READ | PROT_WRITE)

enum {
    PAGE = 4096,
    PAGES = 64,             /* of the arena */
    LONGEST = 12,           /* pages that one step is about */
    FILE_PAGES = 16,
    FIRM_PAGES = 8,         /* of the file are never truncated away */
    CHILD_STEPS = 30,
    DEEPEST = 2,
    REPORT = 100,           /* steps from one digest to the next */
};

/* What parents and children write together. */
static struct {
    uint32_t digest;
    uint32_t step;
} *shared;

static uint32_t printed_from;
static int file, depth;
static sigjmp_buf recovery;
static volatile int fault;      /* signal and code of the last fault; 0: none */

/* An answer goes into the digest (FNV-1a); `what`, start and count only help to find a difference. */
static void
answer(const char *what, int start, int count, uint32_t result)
{
    shared->digest = (shared->digest ^ result) * 16777619;
    shared->digest = (shared->digest ^ (uint32_t) start) * 16777619;
    if (shared->step >= printed_from)
        tell("%u.%d %s %d+%d: %x", shared->step, depth, what, start, count, result);
}

/* What a call came to: 0, or the error. */
static uint32_t
result_of(long result)
{
    return result == -1 ? (uint32_t) errno : 0;
}

static char *
place(int page)
{
    return ARENA + page * PAGE;
}

static void
draw_range(int *start, int *count)
{
    *count = 1 + (int) draw(LONGEST);
    *start = (int) draw((uint32_t) (PAGES - *count + 1));
}

static int
draw_protection(void)
{
    static const int choices[] = { READ_WRITE, READ_WRITE, READ_WRITE, PROT_READ, PROT_NONE };
    return choices[draw(sizeof choices / sizeof *choices)];
}

/* ---- Accesses ------------------------------------------------------------------------------------------------------------- */

static void
note_fault(int signal, siginfo_t *information, void *context)
{
    (void) context;
    fault = signal << 8 | information->si_code;
    siglongjmp(recovery, 1);
}

/* Reads the word, after writing `value` to it if that is wanted. What a fault was, or the word. */
static uint32_t
touch(volatile uint32_t *word, bool write, uint32_t value)
{
    fault = 0;
    if (sigsetjmp(recovery, 1) != 0)
        return (uint32_t) fault;
    if (write)
        *word = value;
    return *word;
}

static void
step_access(void)
{
    int page = (int) draw(PAGES);
    bool write = draw(2);
    uint32_t value = draw(UINT32_MAX);

    answer(write ? "write" : "read", page, 1, touch((volatile uint32_t *) (place(page) + 4 * draw(PAGE / 4)), write, value));
}

static void
step_file(void)
{
    off_t where = (off_t) draw(FILE_PAGES * PAGE - 4);
    uint32_t word = draw(UINT32_MAX);

    if (draw(2)) {
        answer("pwrite", (int) where, 4, (uint32_t) pwrite(file, &word, sizeof word, where));
        return;
    }
    uint32_t got = (uint32_t) pread(file, &word, sizeof word, where);
    answer("pread", (int) where, 4, got == sizeof word ? word : got);
}

/* ---- Mappings -------------------------------------------------------------------------------------------------------------- */

static void
step_map(void)
{
    int start, count, protection = draw_protection(), kind = draw(2) ? MAP_PRIVATE : MAP_SHARED;

    draw_range(&start, &count);
    int fixed = draw(6) ? MAP_FIXED : MAP_FIXED_NOREPLACE;
    void *result = mmap(place(start), (size_t) count * PAGE, protection, kind | MAP_ANONYMOUS | fixed, -1, 0);
    answer("mmap", start, count, result_of(result == MAP_FAILED ? -1 : 0));
}

static void
step_map_file(void)
{
    int start, count, protection = draw_protection(), kind = draw(2) ? MAP_PRIVATE : MAP_SHARED;

    draw_range(&start, &count);
    int available = kind == MAP_PRIVATE ? FIRM_PAGES : FILE_PAGES;
    if (count > available)
        count = available;
    int first = (int) draw((uint32_t) (available - count + 1));
    void *result = mmap(place(start), (size_t) count * PAGE, protection, kind | MAP_FIXED, file, (off_t) first * PAGE);
    answer("mmap of the file", start, count, result_of(result == MAP_FAILED ? -1 : 0));
}

static void
step_unmap(void)
{
    int start, count;

    draw_range(&start, &count);
    answer("munmap", start, count, result_of(munmap(place(start), (size_t) count * PAGE)));
}

static void
step_protect(void)
{
    int start, count, protection = draw_protection();

    draw_range(&start, &count);
    answer("mprotect", start, count, result_of(mprotect(place(start), (size_t) count * PAGE, protection)));
}

static void
step_advise(void)
{
    static const int advice[] = { MADV_DONTNEED, MADV_DONTNEED, MADV_WILLNEED, MADV_NORMAL };
    int start, count;

    draw_range(&start, &count);
    answer("madvise", start, count, result_of(madvise(place(start), (size_t) count * PAGE, advice[draw(4)])));
}

static void
step_sync(void)
{
    int start, count;

    draw_range(&start, &count);
    answer("msync", start, count, result_of(msync(place(start), (size_t) count * PAGE, MS_SYNC)));
}

static void
step_truncate(void)
{
    int pages = FIRM_PAGES + (int) draw(FILE_PAGES - FIRM_PAGES + 1);

    answer("ftruncate", pages, 0, result_of(ftruncate(file, (off_t) pages * PAGE)));
}

/* Maps anew, with a hole on either side, writes, and moves or resizes that. */
static void
step_remap(void)
{
    int start, count, kind = draw(3) ? MAP_PRIVATE : MAP_SHARED, to, new;

    draw_range(&start, &count);
    munmap(place(start) - PAGE, (size_t) (count + 2) * PAGE);
    mmap(place(start), (size_t) count * PAGE, READ_WRITE, kind | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    for (int i = 0; i < count; i++)
        *(volatile uint32_t *) place(start + i) = draw(UINT32_MAX);
    new = 1 + (int) draw(LONGEST);
    to = (int) draw((uint32_t) (PAGES - new + 1));
    bool moves = draw(3) != 0;
    void *result = mremap(place(start), (size_t) count * PAGE, (size_t) new * PAGE, moves ? MREMAP_MAYMOVE | MREMAP_FIXED : 0, place(to));
    answer(moves ? "mremap there" : "mremap", start, count, result == MAP_FAILED ? (uint32_t) errno : (uint32_t) result);
}

/* ---- Processes -------------------------------------------------------------------------------------------------------------- */

static void run_steps(uint32_t count);

/* The child goes on by itself; what it did to shared pages and the file stays. */
static void
step_fork(void)
{
    int status = 0;

    if (depth >= DEEPEST)
        return;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        depth++;
        run_steps(CHILD_STEPS);
        _exit(EXIT_SUCCESS);
    }
    waitpid(child, &status, 0);
    answer("fork", 0, 0, (uint32_t) status);
}

static const struct {
    uint32_t weight;        /* of a hundred */
    void (*run)(void);
} steps[] = {
    { 12, step_map }, { 8, step_map_file }, { 5, step_unmap }, { 12, step_protect }, { 5, step_advise }, { 2, step_sync },
    { 2, step_truncate }, { 6, step_remap }, { 1, step_fork }, { 7, step_file }, { 40, step_access },
};

static void
run_steps(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t choice = draw(100);
        size_t kind = 0;

        while (choice >= steps[kind].weight)
            choice -= steps[kind++].weight;
        shared->step++;
        steps[kind].run();
        if (shared->step % REPORT == 0)
            tell("step %u: %08x", shared->step, shared->digest);
    }
}

int
main(int count, char **arguments)
{
    struct sigaction action = { .sa_sigaction = note_fault, .sa_flags = SA_SIGINFO | SA_NODEFER };

    if (count < 3) {
        fputs("usage: random_memory SEED STEPS [FROM]\n", stderr);
        return EXIT_FAILURE;
    }
    random_state = (uint32_t) strtoul(arguments[1], NULL, 0) | 1;
    printed_from = count > 3 ? (uint32_t) strtoul(arguments[3], NULL, 0) : UINT32_MAX;
    shared = mmap(NULL, sizeof *shared, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    file = open(FILE_NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);
    ftruncate(file, FILE_PAGES * PAGE);
    unlink(FILE_NAME);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    run_steps((uint32_t) strtoul(arguments[2], NULL, 0));
    tell("at the end: %08x", shared->digest);
    return EXIT_SUCCESS;
}
