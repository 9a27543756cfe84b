/*
 * A program that pages in the less usual ways: with few frames for itself it goes through threads, vfork, a handler in the middle of a
 * system call, a SIGSEGV handler that maps what is missing, memory and files that are shared, from policy to policy, and mremap, and finds
 * everything as it was left. tests/16-trace.t runs it traced.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/system.h"

enum { FRAMES = 14, PAGES = 16, BYTES = 4096, THREADS = 2, ALARM = 20000 };

/* A file of the image, which no program runs. */
#define FILE_NAME "/bin/mmapfile"

static volatile char *pages;

static volatile char *
map(int flags)
{
    return mmap(NULL, PAGES * BYTES, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
}

static void
pages_fill(volatile char *base, char value)
{
    for (int i = 0; i < PAGES; i++)
        base[i * BYTES] = (char) (value + i);
}

static bool
pages_hold(volatile char *base, char value)
{
    for (int i = 0; i < PAGES; i++)
        if (base[i * BYTES] != (char) (value + i))
            return false;
    return true;
}

static void *
thread_run(void *number)
{
    for (int i = (int) (long) number; i < PAGES; i += THREADS)
        pages[i * BYTES]++;
    return NULL;
}

static void
check_threads(void)
{
    pthread_t threads[THREADS];

    pages_fill(pages, 1);
    for (long i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, thread_run, (void *) i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    check_that(pages_hold(pages, 2), "threads share the pages");
}

static void
check_vfork(void)
{
    if (vfork() == 0) {
        pages_fill(pages, 3);
        _exit(0);
    }
    wait(NULL);
    check_that(pages_hold(pages, 3), "a vforked child writes its parent's pages");
}

static void
handle_alarm(int signal)
{
    (void) signal;
    pages_fill(pages, 4);
}

static void
check_interrupted_call(void)
{
    /* Again and again: on a busy host the first may come before the call that it is to interrupt. */
    struct itimerval soon = { { 0, ALARM }, { 0, ALARM } }, never = { 0 };
    struct sigaction action = { .sa_handler = handle_alarm };
    int ends[2];
    char byte;

    pipe(ends);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    check_that(read(ends[0], &byte, 1) < 0 && errno == EINTR, "a read is interrupted");
    setitimer(ITIMER_REAL, &never, NULL);
    check_that(pages_hold(pages, 4), "by a handler that uses the pages");
}

static void
handle_fault(int signal, siginfo_t *info, void *context)
{
    char *page = (char *) ((unsigned long) info->si_addr / BYTES * BYTES);

    (void) signal;
    (void) context;
    mprotect(page, BYTES, PROT_READ | PROT_WRITE);
    *page = 7;
}

static void
check_fault_handler(void)
{
    struct sigaction action = { .sa_sigaction = handle_fault, .sa_flags = SA_SIGINFO };
    volatile char *base = map(MAP_PRIVATE);
    bool filled = true;

    sigaction(SIGSEGV, &action, NULL);
    mprotect((void *) base, PAGES * BYTES, PROT_NONE);
    for (int i = 0; i < PAGES; i++)
        filled &= base[i * BYTES] == 7;
    check_that(filled, "a handler of SIGSEGV brings the pages in");
    munmap((void *) base, PAGES * BYTES);
}

static void
check_shared_memory(void)
{
    volatile char *base = map(MAP_SHARED);

    pages_fill(base, 5);
    if (fork() == 0) {
        pages_fill(base, 6);
        _exit(0);
    }
    wait(NULL);
    check_that(pages_hold(base, 6), "a child writes shared memory");
    munmap((void *) base, PAGES * BYTES);
}

/* What is written is what was there. */
static void
check_shared_file(void)
{
    int file = open(FILE_NAME, O_RDWR);
    volatile char *base = mmap(NULL, PAGES * BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    char start[4];

    pages_fill(pages, 8);
    if (file < 0) {
        check_skip("a file's pages are written and go");
        return;
    }
    for (int times = 0; times < 2; times++)
        for (int i = 0; i < PAGES / 2; i++)
            base[i * BYTES] = base[i * BYTES];
    check_that(pages_hold(pages, 8) && pread(file, start, sizeof start, 0) == sizeof start && memcmp(start, "\177ELF", sizeof start) == 0,
               "a file's pages are written and go");
    munmap((void *) base, PAGES * BYTES);
}

/* Each policy takes over from another one: those that go by bits from those that hear of each reference, and back. One page that is in
 * memory is used before the first one that is not. */
static void
check_policies(void)
{
    static const char *const names[] = {
        "lru", "clock", "2q", "nru", "arc", "wsclock", "lfu", "aging", "mfu", "clock", "random", "fifo" };
    int file = open("/proc/sys/vm/policy", O_WRONLY);
    bool held = true;

    if (file < 0) {
        check_skip("the policy changes, and no page is lost");
        return;
    }
    for (int i = 0; i < (int) (sizeof names / sizeof *names); i++) {
        held &= pwrite(file, names[i], strlen(names[i]), 0) > 0;
        held &= pages[PAGES / 2 * BYTES] == (char) (8 + i + PAGES / 2);
        pages_fill(pages, (char) (9 + i));
        held &= pages_hold(pages, (char) (9 + i));
    }
    pages_fill(pages, 8);
    check_that(held, "the policy changes, and no page is lost");
}

/* Pages that were written are locked for a while; when they may go again they are dirty still, and count as others do. */
static void
check_locked(void)
{
    unsigned char in_memory[PAGES];
    int count = 0;

    pages_fill(pages, 8);
    mlock((void *) pages, PAGES * BYTES);
    munlock((void *) pages, PAGES * BYTES);
    check_that(pages_hold(pages, 8), "locked pages stay what they were");
    mincore((void *) pages, PAGES * BYTES, in_memory);
    for (int i = 0; i < PAGES; i++)
        count += in_memory[i] & 1;
    check_that(count <= FRAMES || !system_is_belady(), "and may go again: %d of %d are in memory", count, PAGES);
}

static void
check_mremap(void)
{
    char *larger = mremap((void *) pages, PAGES * BYTES, 2 * PAGES * BYTES, MREMAP_MAYMOVE);

    pages_fill(larger + PAGES * BYTES, 9);
    check_that(pages_hold(larger, 8) && pages_hold(larger + PAGES * BYTES, 9), "mremap takes the pages along");
}

int
main(void)
{
    struct rlimit limit = { FRAMES * BYTES, RLIM_INFINITY };

    setrlimit(RLIMIT_RSS, &limit);
    pages = map(MAP_PRIVATE);
    check_threads();
    check_vfork();
    check_interrupted_call();
    check_fault_handler();
    check_shared_memory();
    check_shared_file();
    check_locked();
    check_policies();
    check_mremap();
    return check_end();
}
