/*
 * fork until it fails: the answer is EAGAIN or ENOMEM, and when the children have
 * gone, all memory is free again. RLIMIT_NPROC is tried apart, where it is obeyed.
 *
 * Where memory is short, a child may instead be killed for want of it; that is
 * counted, and no failure: the parent lives.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/system.h"

enum {
    MOST = 4096,              /* children, on machines with memory for more */
    LIMIT = 8,                /* RLIMIT_NPROC for the second part */
    NOBODY = 65534,           /* a user who has no other processes, and no privilege */
    TOLERANCE = 512 << 10,    /* bytes: what caches may keep, */
    LINUX_TOLERANCE = 4 << 20,    /*   and those of Linux */
    WARM = 32,                /* children of a first round, which fills what caches there are */
    OVERSIZE = 1 << 30,       /* bytes of memory from where on other programs disturb the count */
};

static pid_t children[MOST];

/* Children sleep until the other end of this pipe is closed. */
static int gate[2];

static void
child_sleep(void)
{
    char byte;
    close(gate[1]);
    _exit(read(gate[0], &byte, 1) != 0);
}

/* Forks until it fails or `most` children sleep. Returns their number; *error says why there are no more. */
static int
children_make(int most, int *error)
{
    *error = 0;
    for (int count = 0; count < most; count++) {
        children[count] = fork();
        if (children[count] == 0)
            child_sleep();
        if (children[count] < 0) {
            *error = errno;
            return count;
        }
    }
    return most;
}

/* Lets them go. Returns how many had been killed rather than exit. */
static int
children_end(int count)
{
    int killed = 0;

    close(gate[1]);
    close(gate[0]);
    for (int i = 0; i < count; i++)
        if (check_wait(children[i]) != 0)
            killed++;
    return killed;
}

/* Forks up to `most` children and lets them go. Returns the memory that is free then. */
static uint64_t
round_run(int most)
{
    int error;

    check_that(pipe(gate) == 0, "a pipe");
    int count = children_make(most, &error);
    int killed = children_end(count);
    check_note("%d children, %d killed; then: %s", count, killed, error == 0 ? "no need for more" : strerror(error));
    check_that(error == 0 || error == EAGAIN || error == ENOMEM, "fork fails for want of room, and says so");
    check_that(waitpid(-1, NULL, 0) == -1 && errno == ECHILD, "no child is left");
    return memory_bytes("MemFree") + memory_bytes("SwapFree");
}

static void
exhaust_check(void)
{
    /* Linux's caches keep the more, the more children there were. */
    uint64_t before = round_run(system_is_belady() ? WARM : MOST), after = round_run(MOST);
    uint64_t tolerance = system_is_belady() ? TOLERANCE : LINUX_TOLERANCE;

    if (memory_bytes("MemTotal") > OVERSIZE)
        check_skip("all memory comes back");
    else
        check_that(after + tolerance > before, "all memory comes back: %lld KiB less",
                   (long long) (before - after) / 1024);
}

static void
limit_body(void)
{
    struct rlimit limit = { LIMIT, LIMIT };
    int error;

    if (setrlimit(RLIMIT_NPROC, &limit) != 0 || setuid(NOBODY) != 0 || pipe(gate) != 0) {
        check_skip("a limit for the number of processes");
        return;
    }
    int count = children_make(2 * LIMIT, &error);
    if (count == 2 * LIMIT)
        check_skip("a limit for the number of processes");
    else
        check_that(error == EAGAIN && count < LIMIT, "beyond RLIMIT_NPROC: EAGAIN after %d", count);
    children_end(count);
}

int
main(void)
{
    exhaust_check();
    check_that(check_child(limit_body) == 0, "the limited child lives");
    return check_end();
}
