/*
 * What load control takes for a need. A process with a limit of its own (RLIMIT_RSS) needs no more than that, however much it goes
 * through; one that sleeps needs nothing, and gives way. Linux has no load control.
 */
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/counters.h"
#include "user/lib/system.h"

#define CONTROL "/proc/sys/vm/control"
#define LATENCY "/proc/sys/vm/ramdisk.latency"

enum {
    FREE = 400,             /* frames that are left free: room for MUCH or for MORE, and a little */
    MUCH = 200,             /* pages */
    MORE = 250,
    LIMIT = 20,             /* frames */
    SETTLING = 1000000,     /* microseconds in which control finds out */
    MEASURING = 300000,
};

static volatile int *ready;     /* in memory that all share: processes that have touched their pages */

static long long
counted(const char *name)
{
    struct counters counters;

    counters_prepare(&counters, COUNTERS_OF_SYSTEM);
    counters_take(&counters, COUNTERS_OF_SYSTEM);
    long long value = counter_value(&counters, name);
    free(counters.text);
    return value;
}

static void
pages_use(volatile char *base, int pages)
{
    for (int page = 0; page < pages; page++)
        base[page * PAGE_SIZE]++;
}

/* A process that uses its pages once, and then sleeps, or uses them again and again. */
static pid_t
process_begin(int pages, rlim_t limit, bool sleeps)
{
    pid_t pid = check_fork();
    if (pid != 0)
        return pid;

    if (limit != RLIM_INFINITY)
        setrlimit(RLIMIT_RSS, &(struct rlimit) { limit * PAGE_SIZE, limit * PAGE_SIZE });
    volatile char *base = mmap(NULL, pages * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pages_use(base, pages);
    ++*ready;
    for (;;)
        if (sleeps)
            pause();
        else
            pages_use(base, pages);
}

static void
process_end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void
ready_await(int processes)
{
    while (*ready < processes)
        usleep(10000);
}

static void
limit_check(const char *control)
{
    long long suspensions = counted("process_suspend");

    *ready = 0;
    setting_write(CONTROL, control);
    pid_t limited = process_begin(MORE, LIMIT, false), other = process_begin(MUCH, RLIM_INFINITY, false);
    ready_await(2);
    usleep(SETTLING);
    check_that(counted("process_suspend") == suspensions, "control=%s: a process needs no more frames than its limit", control);
    process_end(limited);
    process_end(other);
    setting_write(CONTROL, "off");
}

static void
sleeper_check(const char *control)
{
    *ready = 0;
    setting_write(CONTROL, control);
    pid_t sleeper = process_begin(MUCH, RLIM_INFINITY, true);
    ready_await(1);
    usleep(SETTLING);
    pid_t other = process_begin(MORE, RLIM_INFINITY, false);
    ready_await(2);
    usleep(SETTLING);
    long long faults = counted("fault_swap_in"), suspensions = counted("process_suspend");
    usleep(MEASURING);
    long long more = counted("fault_swap_in") - faults;
    check_that(more < MORE / 10, "control=%s: who runs has got the frames of one that sleeps, and faults no more (%lld times)", control, more);
    check_that(counted("process_suspend") == suspensions, "and nobody is suspended");
    process_end(sleeper);
    process_end(other);
    setting_write(CONTROL, "off");
}

int
main(void)
{
    if (access(CONTROL, F_OK) != 0 || memory_bytes("SwapFree") == 0) {
        check_skip("there is no " CONTROL " here, or no swap area");
        return check_end();
    }
    ready = check_shared(sizeof *ready);
    mlock((void *) ready, sizeof *ready);
    check_that(memory_leave(FREE), "memory is locked out of the way");
    check_that(setting_write(LATENCY, "500"), "the disk takes its time");
    limit_check("workingset");
    limit_check("pff");
    sleeper_check("workingset");
    sleeper_check("pff");
    return check_end();
}
