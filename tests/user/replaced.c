/*
 * A program that pages: with a dozen frames for itself, its stack and twenty pages of data, it goes
 * through loops, writes and reads, unmapped and discarded pages, a fork, a signal and an exec, and finds
 * everything as it was left. tests/16-trace.t runs it traced, under every policy.
 *
 * With an argument it does not fork. It begins by limiting itself (RLIMIT_RSS) and executing itself anew, so that its whole second life is
 * under the limit.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FRAMES = 12, PAGES = 20, BYTES = 4096 };

static volatile unsigned char *pages;
static unsigned char expected[PAGES];
static volatile int handled;

static void
page_write(unsigned page, unsigned value)
{
    pages[page * BYTES] = expected[page] = (unsigned char) value;
}

static void
pages_check(unsigned first, unsigned end)
{
    for (unsigned page = first; page < end; page++)
        if (pages[page * BYTES] != expected[page])
            _exit(1);
}

/* Some pages more often than others, in an order that repeats itself on every machine. */
static void
pages_use(unsigned times)
{
    unsigned state = 1;

    for (unsigned i = 0; i < times; i++) {
        state = state * 1103515245 + 12345;
        unsigned page = state >> 16 & 1 ? state >> 17 & 3 : (state >> 17) % PAGES;
        if (state & 0x1000)
            page_write(page, i);
        else
            pages_check(page, page + 1);
    }
}

static void
handle(int signal)
{
    handled = signal;
    page_write(PAGES - 1, 99);
}

/* Takes a while of processor time, so that the clock ticks. */
static void
wait_a_while(void)
{
    for (volatile int i = 0; i < 200; i++)
        continue;
}

static void
child_run(void)
{
    pages_check(0, PAGES);
    page_write(3, 33);
    pages_use(20);
    _exit(0);
}

/* The child shares the pages until one of the two writes them. */
static bool
fork_and_use(void)
{
    int status;
    pid_t child = fork();

    if (child == 0)
        child_run();
    waitpid(child, &status, 0);
    page_write(3, 44);
    return child > 0 && status == 0;
}

static int
run(bool alone)
{
    pages = mmap(NULL, PAGES * BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (unsigned page = 0; page < PAGES; page++)
        page_write(page, page + 1);
    pages_check(0, PAGES);
    pages_use(60);
    madvise((void *) (pages + 5 * BYTES), 2 * BYTES, MADV_DONTNEED);
    expected[5] = expected[6] = 0;
    pages_check(0, PAGES);
    signal(SIGUSR1, handle);
    raise(SIGUSR1);
    wait_a_while();
    pages_use(60);
    bool shared = alone || fork_and_use();
    pages_check(0, PAGES);
    munmap((void *) pages, PAGES * BYTES);
    return shared && handled == SIGUSR1 ? 0 : 1;
}

int
main(int count, char **arguments)
{
    struct rlimit limit = { FRAMES * BYTES, RLIM_INFINITY };

    if (count > 1 && strcmp(arguments[1], "again") == 0)
        return run(count > 2);
    setrlimit(RLIMIT_RSS, &limit);
    execv(arguments[0], (char *[]) { arguments[0], "again", count > 1 ? "alone" : NULL, NULL });
    return 1;
}
