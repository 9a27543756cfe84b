/*
 * More memory in use than there is (most of it is locked, so that little is left), under every replacement policy in turn and then while the policies
 * change all the time: workers fill, unmap and map again, lock and unlock, read a file, fork and exit,
 * and find every byte as it must be. After each round the kernel verifies all of its memory management
 * (check=): a page lost, or freed twice, is a panic there.
 *
 *     memory_stress [SEED [STEPS]]
 *
 * On Linux, which has one policy, the rounds are the same.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mm/policy.h"
#include "user/lib/check.h"
#include "user/lib/counters.h"
#include "user/lib/random.h"
#include "user/lib/system.h"

#define READ_WRITE (PROT_READ | PROT_WRITE)
#define POLICY_FILE "/proc/sys/vm/policy"

enum {
    WORKERS = 3,
    STEPS = 40,                 /* of each worker, in a round, if nothing else is said */
    LONGEST = 64,               /* pages that a step is about */
    LOCKED = 8,                 /* pages that a worker locks at a time */
    SHARED = 32,                /* pages that a worker shares with its children */
    LEFT = 1200,                /* pages that are left unlocked */
    ARENA = LEFT / 2,           /* pages of each worker */
    LARGEST = 1 << 15,          /* pages to lock at most, on a machine with much memory */
    PAGE_WORDS = PAGE_SIZE / sizeof(uint32_t),
    STRIDE = 16,                /* one word of so many is written, and looked at */
    PAUSE = 10000,              /* microseconds between two turns of all policies */
};

static uint32_t steps = STEPS;
static const char *const file_name = "/bin/sh";
static const char *const policies[] = {POLICIES(POLICY_WORD)};
enum { POLICY_COUNT = sizeof policies / sizeof *policies };

/* One worker and what it knows of its memory. A page whose value is 0 has not been written. */
static uint32_t *arena, *shared, *values;
static int locked;              /* the first page of those locked */
static pid_t child;             /* 0: none */

/* The worker, or its child, has found something wrong. */
static void
fail(const char *what, int page)
{
    check_note("process %d, page %d: %s", (int) getpid(), page, what);
    _exit(1);
}

/* ---- Pages ---- */

static uint32_t *
page_words(int page)
{
    return arena + (size_t) page * PAGE_WORDS;
}

/* What stands in a page's word: no two words of a page are alike, nor two pages. */
static uint32_t
word_of(uint32_t value, uint32_t i)
{
    return value == 0 ? 0 : value + i * 2654435761U;
}

static void
words_fill(uint32_t *words, uint32_t value)
{
    for (uint32_t i = 0; i < PAGE_WORDS; i += STRIDE)
        words[i] = word_of(value, i);
}

static bool
words_hold(const uint32_t *words, uint32_t value)
{
    for (uint32_t i = 0; i < PAGE_WORDS; i += STRIDE) {
        if (words[i] != word_of(value, i))
            return false;
    }
    return true;
}

static void
page_write(int page)
{
    values[page] = random_state ^ (uint32_t) page << 20;
    words_fill(page_words(page), values[page]);
}

static void
page_verify(int page, const char *when)
{
    if (!words_hold(page_words(page), values[page]))
        fail(when, page);
}

/* ---- Steps of a worker ---- */

/* Most references go to a fifth of the pages, as in programs. */
static int
draw_page(void)
{
    return (int) draw(draw(5) == 0 ? ARENA : ARENA / 5);
}

static void
step_touch(void)
{
    int first = draw_page(), count = 1 + (int) draw(LONGEST);

    for (int page = first; page < first + count && page < ARENA; page++) {
        page_verify(page, "is not what was written");
        if (draw(2) == 0)
            page_write(page);
    }
}

static void
step_renew(void)
{
    int first = draw_page(), count = 1 + (int) draw(LONGEST);

    if (count > ARENA - first)
        count = ARENA - first;
    if (munmap(page_words(first), (size_t) count * PAGE_SIZE) < 0)
        fail("munmap", first);
    if (mmap(page_words(first), (size_t) count * PAGE_SIZE, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
        fail("mmap", first);
    memset(values + first, 0, (size_t) count * sizeof *values);
}

static void
step_lock(void)
{
    if (munlock(page_words(locked), LOCKED * PAGE_SIZE) < 0)
        fail("munlock", locked);
    locked = (int) draw(ARENA - LOCKED);
    if (mlock(page_words(locked), LOCKED * PAGE_SIZE) < 0)
        fail("mlock", locked);
    for (int page = locked; page < locked + LOCKED; page++)
        page_verify(page, "is not what was written, now that it is locked");
}

static void
step_file(void)
{
    static char bytes[PAGE_SIZE];
    int file = open(file_name, O_RDONLY);
    off_t size = lseek(file, 0, SEEK_END), offset = (off_t) draw((uint32_t) size / PAGE_SIZE) * PAGE_SIZE;
    const char *mapped = mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE, file, offset);

    if (mapped == MAP_FAILED || pread(file, bytes, PAGE_SIZE, offset) != PAGE_SIZE || memcmp(mapped, bytes, PAGE_SIZE) != 0)
        fail("a file's page is not what is read from the file", (int) (offset / PAGE_SIZE));
    munmap((void *) mapped, PAGE_SIZE);
    close(file);
}

/* A child sees its parent's pages as they were, changes some for itself, and all that are shared. */
static void
child_run(uint32_t shared_value)
{
    for (int i = 0; i < LONGEST; i++) {
        int page = draw_page();
        page_verify(page, "is not what the parent wrote");
        page_write(page);
        page_verify(page, "is not what the child wrote");
    }
    for (int page = 0; page < SHARED; page++)
        words_fill(shared + page * PAGE_WORDS, shared_value + page);
    _exit(0);
}

static void
child_wait(void)
{
    static uint32_t shared_value;
    int status = child == 0 ? 0 : check_wait(child);

    if (status != 0)
        fail("a child did not end well", status);
    for (int page = 0; child != 0 && page < SHARED; page++) {
        if (!words_hold(shared + page * PAGE_WORDS, shared_value + page))
            fail("what a child wrote to shared memory is not there", page);
    }
    shared_value = random_state | 1U << 31;
    child = fork();
    if (child == 0)
        child_run(shared_value);
    if (child < 0)
        fail("fork", errno);
}

static void
worker_step(void)
{
    uint32_t kind = draw(10);

    if (kind < 5)
        step_touch();
    else if (kind < 7)
        step_renew();
    else if (kind < 8)
        step_lock();
    else if (kind < 9)
        step_file();
    else
        child_wait();
}

static void
worker_run(void)
{
    arena = mmap(NULL, ARENA * PAGE_SIZE, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    values = calloc(ARENA, sizeof *values);
    if (arena == MAP_FAILED || values == NULL)
        fail("no memory", ARENA);
    for (int page = 0; page < ARENA; page++) {
        draw(2);
        page_write(page);
    }
    for (uint32_t step = 0; step < steps; step++)
        worker_step();
    for (int page = 0; page < ARENA; page++)
        page_verify(page, "is not what was written, at the end");
    if (child != 0 && check_wait(child) != 0)
        fail("the last child did not end well", 0);
    _exit(0);
}

/* ---- Rounds ---- */

/* A process of its own that locks all free memory but some pages, until it is killed. */
static pid_t
memory_lock(void)
{
    size_t pages = memory_bytes("MemFree") / PAGE_SIZE;
    bool *done = check_shared(sizeof *done);
    pid_t locker;

    pages = pages > LEFT ? pages - LEFT : 1;
    if (pages > LARGEST)
        pages = LARGEST;
    locker = check_fork();
    if (locker == 0) {
        *done = mmap(NULL, pages * PAGE_SIZE, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0) != MAP_FAILED;
        while (*done)
            pause();
        fail("mmap of locked memory", (int) pages);
    }
    while (!*(volatile bool *) done && waitpid(locker, NULL, WNOHANG) == 0)
        sched_yield();
    check_that(*done, "memory is locked but for some pages");
    return locker;
}

/* All workers at once. Whether they found all as it must be. */
static bool
round_run(uint32_t seed)
{
    pid_t workers[WORKERS];
    bool good = true;

    for (int i = 0; i < WORKERS; i++) {
        shared = check_shared(SHARED * PAGE_SIZE);
        random_state = seed * 1000003 + (uint32_t) i + 1;
        workers[i] = check_fork();
        if (workers[i] == 0)
            worker_run();
        munmap(shared, SHARED * PAGE_SIZE);
    }
    for (int i = 0; i < WORKERS; i++)
        good &= check_wait(workers[i]) == 0;
    return good;
}

/* Has the kernel verify itself at the next fault. */
static void
kernel_verify(void)
{
    setting_write("/proc/sys/vm/check", "1");
    munmap(memset(check_shared(PAGE_SIZE), 1, PAGE_SIZE), PAGE_SIZE);
    setting_write("/proc/sys/vm/check", "0");
}

static bool
policy_is(const char *name)
{
    char *text = file_text(POLICY_FILE);
    size_t length = strlen(name);
    bool same = text != NULL && strncmp(text, name, length) == 0 && strcmp(text + length, "\n") == 0;

    free(text);
    return same;
}

/* Counters of the whole system, for what a round did. */
static struct counters before, after;

static void
round_check(const char *what, uint32_t seed)
{
    counters_take(&before, COUNTERS_OF_SYSTEM);
    check_that(round_run(seed), "%s: every page holds what was written", what);
    counters_take(&after, COUNTERS_OF_SYSTEM);
    if (switch_value("swap", NULL) != NULL)
        check_that(counter_difference(&before, &after, "pswpout") > 100, "%s: pages went out meanwhile", what);
    kernel_verify();
}

static void
each_policy(uint32_t seed)
{
    for (int i = 0; i < POLICY_COUNT; i++) {
        if (!setting_write(POLICY_FILE, policies[i])) {
            check_that(errno == EINVAL && strcmp(policies[i], "opt") == 0, "%s can be chosen", policies[i]);
            continue;
        }
        round_check(policies[i], seed + (uint32_t) i);
        check_that(policy_is(policies[i]), "%s is in force at the end", policies[i]);
    }
}

/* Writes the names in turn until it is killed. */
static void
policies_turn(unsigned *changes)
{
    for (;; ++*changes) {
        unsigned i = *changes % POLICY_COUNT;

        if (!setting_write(POLICY_FILE, policies[i]) && errno != EINVAL)
            fail("a policy cannot be chosen", (int) i);
        /* While the workers wait for a disk, nothing is gained by a hundred changes more. */
        if (i == 0)
            usleep(PAUSE);
    }
}

static void
changing_policies(uint32_t seed)
{
    unsigned *changes = check_shared(sizeof *changes);
    pid_t switcher = check_fork();

    if (switcher == 0)
        policies_turn(changes);
    round_check("changing policies", seed);
    kill(switcher, SIGKILL);
    check_that(WIFSIGNALED(check_wait(switcher)) && *changes >= POLICY_COUNT, "the policy changed %u times meanwhile", *changes);
}

int
main(int count, char **arguments)
{
    uint32_t seed = count > 1 ? (uint32_t) strtoul(arguments[1], NULL, 0) : 1;
    pid_t locker;

    if (count > 2)
        steps = (uint32_t) strtoul(arguments[2], NULL, 0);
    check_note("seed %u", seed);
    counters_prepare(&before, COUNTERS_OF_SYSTEM);
    counters_prepare(&after, COUNTERS_OF_SYSTEM);
    locker = memory_lock();
    if (access(POLICY_FILE, W_OK) == 0) {
        each_policy(seed);
        changing_policies(seed);
        check_that(setting_write(POLICY_FILE, "clock\n") && policy_is("clock"), "clock again");
    } else {
        round_check("the only policy", seed);
    }
    kill(locker, SIGKILL);
    check_wait(locker);
    return check_end();
}
