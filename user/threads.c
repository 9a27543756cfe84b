/*
 * Threads: several paths through one address space. They share the page table, so
 * that a page which one of them brought in is there for all, and a switch between
 * them leaves CR3, and with it the TLB, alone.
 *
 *     process ── aspace ── page table        one, whatever the number of threads
 *        ├── thread   stack, registers, TLS
 *        ├── thread
 *        └── thread
 */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/story.h"
#include "user/lib/system.h"

enum {
    PAGES = 64,
    READERS = 4,
    STRAY = 12,              /* pages that stacks and the library need along the way */
    TURNS = 1000,
    BIRTHS = 20,             /* of which the cheapest counts */
};

static char *base;
static uint64_t frames[READERS];

static pthread_t
thread_start(void *(*body)(void *), void *argument)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, body, argument) != 0) {
        expect(false, "a thread can be created");
        exit(story_end());
    }
    return thread;
}

/* ---- One page table ---------------------------------------------------- */

static void *
read_all(void *place)
{
    pages_read(base, PAGES);
    frames[(long) place] = pagemap_frame(base);
    return NULL;
}

static void
sharing_show(void)
{
    pthread_t readers[READERS];
    bool same = true;

    base = pages_map(PAGES);
    story_tell("The first thread writes %d fresh pages; then %d more threads read them all.", PAGES, READERS);
    story_count();
    pages_write(base, PAGES, 's');
    for (long i = 0; i < READERS; i++)
        readers[i] = thread_start(read_all, (void *) i);
    for (int i = 0; i < READERS; i++) {
        pthread_join(readers[i], NULL);
        same = same && frames[i] == pagemap_frame(base);
    }
    story_counted();
    expect(same, "every thread finds the same frame behind the same address");
    expect_counter("fault_zero_fill", PAGES, PAGES + READERS * STRAY, "each page faulted once, for the thread that came first");
    expect_counter("fault_soft", 0, story_entries_vanish() ? NO_LIMIT : READERS * STRAY,
                   "the others faulted for no page: they use the same table");
}

/* ---- Switching --------------------------------------------------------- */

static volatile bool over;

static void *
yield_until_over(void *unused)
{
    while (!over)
        sched_yield();
    return unused;
}

/* What one yield to the partner and back costs. */
static uint64_t
switch_cost(void)
{
    for (int i = 0; i < TURNS / 10; i++)
        sched_yield();
    uint64_t start = instructions_now();
    for (int i = 0; i < TURNS; i++)
        sched_yield();
    return (instructions_now() - start) / TURNS;
}

static void
switching_show(void)
{
    story_tell("Two threads yield to each other %d times; then two processes do.", TURNS);
    over = false;
    pthread_t thread = thread_start(yield_until_over, NULL);
    story_count();
    uint64_t threads = switch_cost();
    story_counted_silently();
    over = true;
    pthread_join(thread, NULL);
    expect_counter("aspace_switch", 0, TURNS / 10, "a switch between threads of one process does not load CR3");

    pid_t child = story_fork();
    if (child == 0) {
        for (int i = 0; i < 3 * TURNS; i++)
            sched_yield();
        story_leave();
    }
    story_count();
    uint64_t processes = switch_cost();
    story_counted_silently();
    expect_counter("aspace_switch", TURNS, NO_LIMIT, "a switch between processes does, and empties the TLB");
    story_await(child, "the yielding child");
    story_tell("Instructions for there and back: %llu between threads, %llu between processes.",
               (unsigned long long) threads, (unsigned long long) processes);
}

/* ---- Being born -------------------------------------------------------- */

static void *
leave(void *unused)
{
    return unused;
}

static void
thread_live(void)
{
    pthread_join(thread_start(leave, NULL), NULL);
}

static void
fork_live(void)
{
    pid_t child = fork();

    if (child == 0)
        _exit(EXIT_SUCCESS);
    waitpid(child, NULL, 0);
}

static void
vfork_live(void)
{
    pid_t child = vfork();

    if (child == 0)
        _exit(EXIT_SUCCESS);
    waitpid(child, NULL, 0);
}

/* Instructions for one life, from birth to the end being noticed: the least of several. */
static unsigned long long
life_cost(void (*live)(void))
{
    uint64_t least = UINT64_MAX;

    for (int i = 0; i < BIRTHS; i++) {
        uint64_t start = instructions_now();
        live();
        uint64_t cost = instructions_now() - start;
        if (cost < least)
            least = cost;
    }
    return least;
}

static void
birth_show(void)
{
    story_tell("What is created, ends and is waited for, costs so many instructions here:");
    unsigned long long thread = life_cost(thread_live);
    unsigned long long vforked = life_cost(vfork_live);
    unsigned long long forked = life_cost(fork_live);
    story_tell("vfork %llu: no memory of its own, not even a stack. Thread %llu: a stack is mapped, touched and unmapped. "
               "Fork %llu: an address space is cloned, and what is written is copied.", vforked, thread, forked);
    expect(thread > 0 && vforked > 0 && forked > 0, "each of the three came and went");
}

/* ---- One world --------------------------------------------------------- */

static void *
note_numbers(void *numbers)
{
    ((pid_t *) numbers)[0] = getpid();
    ((pid_t *) numbers)[1] = (pid_t) syscall(SYS_gettid);
    return NULL;
}

static void
numbers_show(void)
{
    pid_t numbers[2];

    story_tell("A thread asks who it is.");
    pthread_join(thread_start(note_numbers, numbers), NULL);
    expect(numbers[0] == getpid(), "to the outside, all threads are one process");
    expect(numbers[1] != getpid(), "inside, each has a number of its own");
}

int
main(void)
{
    story_begin("threads", "Threads share one address space and one page table. One fault serves all of them, switching between them "
                           "leaves the page table where it is, and a new one copies nothing.");
    sharing_show();
    switching_show();
    birth_show();
    numbers_show();
    return story_end();
}
