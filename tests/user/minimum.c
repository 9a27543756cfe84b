/*
 * The least number of frames: what one instruction can need must be in memory all at once, or it never ends. The worst one here is
 * movsl whose own bytes, source and destination each lie across a page's end: six pages. It runs with all of them out of memory, under the
 * smallest limits that there are. With an argument only under the smallest of all, for tests/16-trace.t.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/system.h"

enum {
    ROUNDS = 20,
    CHILDREN = 8,
    SECONDS = 20,           /* after which an instruction that never ends is given up */
};

#define WORD 0x64636261u
#define CONTROL "/proc/sys/vm/control"

/* rep movsl across two pages, its second byte the first of the next page; then ret. Within the pages there is nothing else. */
static const unsigned char code[] = { 0xf3, 0xa5, 0xc3 };

/* Two pages each. */
static char *text, *from, *to;

static char *
pages_get(int protection)
{
    char *base = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    memset(base, 0, 2 * PAGE_SIZE);
    memcpy(base + PAGE_SIZE - 1, code, sizeof code);
    mprotect(base, 2 * PAGE_SIZE, protection);
    return base;
}

static void
worst_prepare(void)
{
    text = pages_get(PROT_READ | PROT_EXEC);
    from = pages_get(PROT_READ | PROT_WRITE);
    to = pages_get(PROT_READ | PROT_WRITE);
}

/* Copies words from the middle of one page's end to that of another. */
static void
worst_instruction(uint32_t words)
{
    void *source = from + PAGE_SIZE - 2, *destination = to + PAGE_SIZE - 2;

    __asm__ volatile("call *%3" : "+S"(source), "+D"(destination), "+c"(words) : "r"(text + PAGE_SIZE - 1) : "memory");
}

static void
worst_put_out(void)
{
    madvise(text, 2 * PAGE_SIZE, MADV_PAGEOUT);
    madvise(from, 2 * PAGE_SIZE, MADV_PAGEOUT);
    madvise(to, 2 * PAGE_SIZE, MADV_PAGEOUT);
}

/* Runs it again and again; whether it did what it should each time. */
static bool
worst_run(void)
{
    bool right = true;

    alarm(SECONDS);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint32_t word = WORD + round, copied;
        memcpy(from + PAGE_SIZE - 2, &word, sizeof word);
        worst_put_out();
        worst_instruction(1);
        memcpy(&copied, to + PAGE_SIZE - 2, sizeof copied);
        right &= copied == word;
    }
    alarm(0);
    return right;
}

static void
limited_run(void)
{
    const struct rlimit limit = { 0, RLIM_INFINITY };

    worst_prepare();
    setrlimit(RLIMIT_RSS, &limit);
    _exit(worst_run() ? 0 : 1);
}

/* What is locked counts as part of the minimum: so much that one frame is left for the rest. */
static void
locked_run(void)
{
    const size_t bytes = 8 * PAGE_SIZE;
    void *locked = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (mlock(locked, bytes) < 0)
        _exit(2);
    limited_run();
}

/* Many at once, so that shares are small. */
static bool
many_run(void (*body)(void))
{
    pid_t children[CHILDREN];
    bool right = true;

    for (int i = 0; i < CHILDREN; i++)
        if ((children[i] = check_fork()) == 0)
            body();
    for (int i = 0; i < CHILDREN; i++)
        right &= check_wait(children[i]) == 0;
    return right;
}

static void
unlimited_run(void)
{
    worst_prepare();
    _exit(worst_run() ? 0 : 1);
}

int
main(int count, char **arguments)
{
    (void) arguments;
    if (count > 1)
        locked_run();
    check_that(check_child(limited_run) == 0, "with RLIMIT_RSS 0 the worst instruction runs");
    check_that(check_child(locked_run) == 0, "and with as many pages locked as it needs");
    check_that(many_run(limited_run), "in %d processes at once", CHILDREN);
    check_that(many_run(unlimited_run), "and without a limit");
    if (!setting_write(CONTROL, "pff")) {
        check_skip("there is no load control here");
        return check_end();
    }
    /* Nobody faults often enough to be given anything. */
    check_that(setting_write("/proc/sys/vm/pff_upper", "1000000"), "control=pff gives nothing");
    check_that(many_run(unlimited_run), "and the worst instruction runs in %d processes", CHILDREN);
    check_that(many_run(limited_run), "with RLIMIT_RSS 0 as well");
    setting_write(CONTROL, "off");
    return check_end();
}
