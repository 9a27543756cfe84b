/*
 * Random sequences of mmap, munmap, mprotect, mremap, madvise, fork and accesses
 * on an arena of pages, against a model of what each page is: mapped or not, its
 * protection, private or shared, and what stands in it. Every answer and every
 * access is compared with the model, which Linux satisfies too.
 *
 *     fuzz_memory [SEED [STEPS]]
 *
 * Without arguments the seed is fixed, so that a failure can be repeated.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/random.h"
#include "user/lib/system.h"

#define ARENA ((char *) 0x2a000000)
#define READ_WRITE (PROT_READ | PROT_WRITE)

enum { PAGES = 160, LONGEST = 70, STEPS = 3000, CHILD_STEPS = 40, DEEPEST = 2 };

/* What a page is. Shared pages that fork or mremap duplicated are the same word of `shared`. */
struct model {
    bool mapped;
    bool is_shared;
    int protection;
    uint32_t value;      /* in a private page */
    uint32_t *shared;    /* of a shared one: its value, in memory that all processes of the test share */
};

static struct model pages[PAGES];
static uint32_t *shared_values;     /* one for each shared page ever made */
static uint32_t *shared_used;
static sigjmp_buf recovery;
static volatile int fault_signal, fault_code;
static void *volatile fault_address;
static int step, depth;
static bool failed;

enum { SHARED_VALUES = 1 << 16 };

static void
wrong(const char *what, int page)
{
    check_note("step %d, depth %d, page %d: %s", step, depth, page, what);
    failed = true;
}

static char *
place(int page)
{
    return ARENA + (size_t) page * PAGE_SIZE;
}

static void
fault_note(int signal, siginfo_t *info, void *context)
{
    (void) context;
    fault_signal = signal;
    fault_code = info->si_code;
    fault_address = info->si_addr;
    siglongjmp(recovery, 1);
}

/* Reads or writes the page's word; false if that raised a signal. */
static bool
touch(int page, bool write, uint32_t *value)
{
    volatile uint32_t *word = (volatile uint32_t *) (place(page) + 4 * (page * 37 % 1024));
    fault_signal = 0;
    if (sigsetjmp(recovery, 1) != 0)
        return false;
    if (write)
        *word = *value;
    else
        *value = *word;
    return true;
}

static uint32_t *
value_of(struct model *model)
{
    return model->is_shared ? model->shared : &model->value;
}

static void
access_check(int page, bool write)
{
    struct model *model = &pages[page];
    bool allowed = model->mapped && (write ? model->protection & PROT_WRITE : model->protection != PROT_NONE);
    uint32_t value = write ? draw(UINT32_MAX) : 0;

    if (touch(page, write, &value) != allowed) {
        wrong(allowed ? "an access that is allowed raised a signal" : "an access that is forbidden succeeded", page);
        return;
    }
    if (!allowed) {
        int code = model->mapped ? SEGV_ACCERR : SEGV_MAPERR;
        if (fault_signal != SIGSEGV || fault_code != code)
            wrong("wrong signal or code", page);
        if ((uintptr_t) fault_address / PAGE_SIZE != (uintptr_t) place(page) / PAGE_SIZE)
            wrong("wrong address in siginfo", page);
        return;
    }
    if (write)
        *value_of(model) = value;
    else if (value != *value_of(model))
        wrong("the page does not hold what was written", page);
}

/* ---- Steps -------------------------------------------------------------------------------------------------------- */

static int
draw_protection(void)
{
    static const int choices[] = { READ_WRITE, READ_WRITE, READ_WRITE, PROT_READ, PROT_NONE, PROT_READ | PROT_EXEC };
    return choices[draw(sizeof(choices) / sizeof(choices[0]))];
}

static void
draw_range(int *start, int *count)
{
    *count = 1 + (int) draw(draw(3) ? 8 : LONGEST);
    *start = (int) draw((uint32_t) (PAGES - *count + 1));
}

static void
step_map(void)
{
    int start, count, protection = draw_protection();
    bool shared = draw(4) == 0;

    draw_range(&start, &count);
    if (shared && *shared_used + (uint32_t) count > SHARED_VALUES)
        shared = false;
    void *result = mmap(place(start), (size_t) count * PAGE_SIZE, protection,
                        (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (result != place(start)) {
        wrong("mmap failed", start);
        return;
    }
    for (int i = start; i < start + count; i++) {
        pages[i] = (struct model) { .mapped = true, .is_shared = shared, .protection = protection };
        if (shared)
            pages[i].shared = &shared_values[(*shared_used)++];
    }
}

static void
step_unmap(void)
{
    int start, count;

    draw_range(&start, &count);
    if (munmap(place(start), (size_t) count * PAGE_SIZE) != 0)
        wrong("munmap failed", start);
    for (int i = start; i < start + count; i++)
        pages[i] = (struct model) { 0 };
}

/* mprotect changes what lies before the first hole, and then says ENOMEM. */
static void
step_protect(void)
{
    int start, count, protection = draw_protection(), result, i;

    draw_range(&start, &count);
    result = mprotect(place(start), (size_t) count * PAGE_SIZE, protection);
    for (i = start; i < start + count && pages[i].mapped; i++)
        pages[i].protection = protection;
    if ((result == 0) != (i == start + count) || (result != 0 && errno != ENOMEM))
        wrong("mprotect's answer", start);
}

/* A discarded private page reads as zero; a shared one keeps what it holds. */
static void
step_discard(void)
{
    int start, count, result;
    bool whole = true;

    draw_range(&start, &count);
    result = madvise(place(start), (size_t) count * PAGE_SIZE, MADV_DONTNEED);
    for (int i = start; i < start + count; i++) {
        whole &= pages[i].mapped;
        if (pages[i].mapped && !pages[i].is_shared)
            pages[i].value = 0;
    }
    if ((result == 0) != whole || (result != 0 && errno != ENOMEM))
        wrong("madvise's answer", start);
}

static bool
is_one_mapping(int start, int count)
{
    for (int i = start; i < start + count; i++)
        if (!pages[i].mapped || pages[i].is_shared != pages[start].is_shared
            || pages[i].protection != pages[start].protection)
            return false;
    return true;
}

/* Moves private pages elsewhere in the arena. (Whether shared ones, of several
 * mappings, can be moved together is not for a model to say.) The word's place
 * within a page depends on the page, so what was written is moved by hand. */
static void
step_move(void)
{
    int start, count, to;
    uint32_t values[LONGEST];

    draw_range(&start, &count);
    to = (int) draw((uint32_t) (PAGES - count + 1));
    if ((to < start + count && start < to + count) || !is_one_mapping(start, count) || pages[start].is_shared)
        return;
    bool writable = pages[start].protection == READ_WRITE;
    if (!writable)
        return;
    void *result = mremap(place(start), (size_t) count * PAGE_SIZE, (size_t) count * PAGE_SIZE,
                          MREMAP_MAYMOVE | MREMAP_FIXED, place(to));
    if (result == MAP_FAILED && errno == EFAULT) {
        /* On Linux, pages with anons of different ages are different mappings. Older ones have unmapped the target by then. */
        munmap(place(to), (size_t) count * PAGE_SIZE);
        for (int i = to; i < to + count; i++)
            pages[i] = (struct model) { 0 };
        return;
    }
    if (result != place(to)) {
        wrong("mremap failed", start);
        return;
    }
    for (int i = 0; i < count; i++) {
        volatile uint32_t *moved = (volatile uint32_t *) (place(to + i) + 4 * ((start + i) * 37 % 1024));
        values[i] = *moved;
        if (values[i] != pages[start + i].value)
            wrong("a moved page does not hold what was written", start + i);
        *moved = 0;
    }
    for (int i = 0; i < count; i++) {
        pages[to + i] = (struct model) { .mapped = true, .protection = READ_WRITE, .value = values[i] };
        pages[start + i] = (struct model) { 0 };
    }
    for (int i = 0; i < count; i++)
        *(volatile uint32_t *) (place(to + i) + 4 * ((to + i) * 37 % 1024)) = values[i];
}

static void run_steps(int count);

static void
verify_all(void)
{
    for (int i = 0; i < PAGES; i++)
        access_check(i, false);
}

/* The child sees everything as it was, goes on by itself, and leaves the parent's
 * private pages alone. */
static void
step_fork(void)
{
    int status;

    if (depth >= DEEPEST)
        return;
    pid_t child = check_fork();
    if (child == 0) {
        depth++;
        verify_all();
        run_steps(CHILD_STEPS);
        verify_all();
        _exit(failed);
    }
    if (waitpid(child, &status, 0) != child || status != 0)
        wrong("the child saw something else", -1);
    verify_all();
}

static void
step_access(void)
{
    for (int i = 0; i < 12; i++)
        access_check((int) draw(PAGES), draw(2));
}

static void
run_steps(int count)
{
    for (int i = 0; i < count && !failed; i++) {
        uint32_t choice = draw(100);

        step++;
        if (choice < 14)
            step_map();
        else if (choice < 20)
            step_unmap();
        else if (choice < 32)
            step_protect();
        else if (choice < 36)
            step_discard();
        else if (choice < 44)
            step_move();
        else if (choice < 46)
            step_fork();
        else
            step_access();
    }
}

int
main(int argc, char **argv)
{
    struct sigaction action = { .sa_sigaction = fault_note, .sa_flags = SA_SIGINFO | SA_NODEFER };

    random_state = argc > 1 ? (uint32_t) strtoul(argv[1], NULL, 0) | 1 : 20261121;
    shared_values = check_shared((SHARED_VALUES + 1) * sizeof(uint32_t));
    shared_used = &shared_values[SHARED_VALUES];
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    run_steps(argc > 2 ? atoi(argv[2]) : STEPS);
    verify_all();
    check_that(!failed, "%d random steps agree with the model", step);
    return check_end();
}
