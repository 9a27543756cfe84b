/*
 * Suspended processes: more run than have room, and control=workingset suspends some. What is suspended stands still with all of its
 * threads, and with its vfork child; dies of SIGKILL and stops by SIGSTOP as any other; and goes on unharmed. Linux has no such thing.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/system.h"

#define CONTROL "/proc/sys/vm/control"

enum {
    CHILDREN = 6,
    THREADS = 2,            /* of each child; of the last one, its vfork child is the second */
    PAGES = 90,             /* of each child: half of them its first thread's */
    FREE = 400,             /* frames that are left free */
    PATIENCE = 10000,       /* milliseconds that we wait for anything to happen */
    MOMENT = 30,            /* milliseconds in which who runs gets somewhere */
};

/* In memory that all share. */
static struct board {
    volatile int stop;
    volatile uint32_t rounds[CHILDREN][THREADS];
    volatile pid_t vforked;
    volatile int wrong;
} *board;

static pid_t children[CHILDREN];
static char *base;
static int number;          /* of the child that this is */

/* ---- The children ---- */

/* Counts in its half of the pages, and verifies at the end. */
static void *
pages_count(void *argument)
{
    int thread = (int) (intptr_t) argument;
    uint32_t rounds = 0;

    while (!board->stop) {
        for (int page = thread; page < PAGES; page += THREADS)
            ++*(uint32_t *) (base + page * PAGE_SIZE);
        board->rounds[number][thread] = ++rounds;
    }
    for (int page = thread; page < PAGES; page += THREADS)
        if (*(uint32_t *) (base + page * PAGE_SIZE) != rounds)
            board->wrong = 1;
    return NULL;
}

static _Noreturn void
child_run(void)
{
    pthread_t thread;

    base = mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (number == CHILDREN - 1) {
        pid_t pid = vfork();
        if (pid == 0) {
            board->vforked = getpid();
            pages_count((void *) 1);
            _exit(0);
        }
    } else if (pthread_create(&thread, NULL, pages_count, (void *) 1) != 0) {
        board->wrong = 1;
    }
    pages_count((void *) 0);
    if (number != CHILDREN - 1)
        pthread_join(thread, NULL);
    _exit(0);
}

/* ---- Watching them ---- */

static char
state_of(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/stat", (int) pid);
    char *text = file_text(path), *end = text == NULL ? NULL : strrchr(text, ')');
    char state = end == NULL ? '-' : end[2];

    free(text);
    return state;
}

static long
milliseconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A child in this state, from `first` up to before `end`, or -1 if none gets there. */
static int
child_await(char state, int first, int end)
{
    for (long stop = milliseconds_now() + PATIENCE; milliseconds_now() < stop; usleep(2000))
        for (int i = first; i < end; i++)
            if (children[i] != 0 && state_of(children[i]) == state)
                return i;
    return -1;
}

static bool
stands_still(int child)
{
    uint32_t before[THREADS];

    for (int i = 0; i < THREADS; i++)
        before[i] = board->rounds[child][i];
    usleep(MOMENT * 1000);
    for (int i = 0; i < THREADS; i++)
        if (board->rounds[child][i] != before[i])
            return false;
    return true;
}

/* A child that is suspended, with all its threads at rest, and stays so for a moment; what it does meanwhile goes to *still. */
static int
suspended_find(bool *still)
{
    for (long stop = milliseconds_now() + PATIENCE; milliseconds_now() < stop;) {
        int child = child_await('W', 0, CHILDREN - 1);
        if (child < 0)
            return -1;
        usleep(MOMENT * 1000);
        *still = stands_still(child);
        if (state_of(children[child]) == 'W')
            return child;
    }
    return -1;
}

static void
standing_still_check(void)
{
    bool still = false;
    int child = suspended_find(&still);
    char path[64];

    if (!check_that(child >= 0, "a process is suspended, and its state is W"))
        return;
    check_that(still, "none of its threads gets anywhere");
    child = child_await('W', 0, CHILDREN - 1);
    snprintf(path, sizeof path, "/proc/%d/status", (int) children[child < 0 ? 0 : child]);
    char *text = file_text(path);
    check_that(child >= 0 && text != NULL && (strstr(text, "W (suspended)") != NULL || state_of(children[child]) != 'W'),
               "/proc/PID/status says so");
    free(text);
    check_that(state_of(1) != 'W', "init is not");
}

/* The pair of parent and vfork child has one address space, and is one unit. */
static void
vfork_check(void)
{
    bool both = false;

    for (long stop = milliseconds_now() + PATIENCE; !both && milliseconds_now() < stop; usleep(2000))
        both = state_of(children[CHILDREN - 1]) == 'W' && state_of(board->vforked) == 'W';
    check_that(both, "a process and its vfork child are suspended together");
}

static void
stop_check(void)
{
    bool still;
    int status = 0, child = suspended_find(&still);

    if (!check_that(child >= 0, "a process is suspended"))
        return;
    kill(children[child], SIGSTOP);
    check_that(waitpid(children[child], &status, WUNTRACED) == children[child] && WIFSTOPPED(status),
               "a suspended process stops by SIGSTOP, and its parent hears of it");
    check_that(state_of(children[child]) == 'T', "its state is T then");
    kill(children[child], SIGCONT);
    check_that(waitpid(children[child], &status, WCONTINUED) == children[child] && WIFCONTINUED(status), "and goes on by SIGCONT");
}

static void
kill_check(void)
{
    bool still;
    int status = 0, child = suspended_find(&still);

    if (!check_that(child >= 0, "a process is suspended"))
        return;
    kill(children[child], SIGKILL);
    long start = milliseconds_now();
    check_that(waitpid(children[child], &status, 0) == children[child] && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
               "a suspended process dies of SIGKILL");
    check_that(milliseconds_now() - start < PATIENCE / 2, "at once");
    children[child] = 0;
}

static void
end_check(void)
{
    uint32_t least = UINT32_MAX;

    setting_write(CONTROL, "off");
    for (int i = 0; i < CHILDREN; i++)
        check_that(children[i] == 0 || state_of(children[i]) != 'W', "with control=off nobody is suspended");
    board->stop = 1;
    for (int i = 0; i < CHILDREN; i++) {
        if (children[i] == 0)
            continue;
        check_that(check_wait(children[i]) == 0, "child %d ends", i);
        /* The parent of a vfork waits for its child. */
        uint32_t rounds = board->rounds[i][i == CHILDREN - 1 ? 1 : 0];
        if (rounds < least)
            least = rounds;
    }
    check_that(!board->wrong, "each thread finds its pages as it left them");
    check_that(least > 0, "and each process had its turn");
}

int
main(void)
{
    if (access(CONTROL, F_OK) != 0 || memory_bytes("SwapFree") == 0) {
        check_skip("there is no " CONTROL " here, or no swap area");
        return check_end();
    }
    board = check_shared(sizeof *board);
    mlock(board, sizeof *board);
    check_that(memory_leave(FREE), "memory is locked out of the way");
    check_that(setting_write("/proc/sys/vm/control_patience", "200") && setting_write(CONTROL, "workingset"), "control begins");
    for (number = 0; number < CHILDREN; number++)
        if ((children[number] = check_fork()) == 0)
            child_run();
    standing_still_check();
    vfork_check();
    stop_check();
    kill_check();
    end_check();
    return check_end();
}
