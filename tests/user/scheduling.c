/* Scheduling policies, priorities and processors: what can be asked, and what is refused. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/check.h"

/* By number: musl's own functions do not ask the kernel. */
#define CALL(name, ...) syscall(SYS_sched_##name, __VA_ARGS__)

enum { ALONE = 300, LONG = 2000 };     /* milliseconds */

/* Nobody else has this user number. */
enum { LOW = 3, LOWER = 7, LOWEST = 12, USER = 54321 };

static const int nobody = 0x3fffffff;

static void
policy_check(void)
{
    struct sched_param zero = { 0 }, one = { .sched_priority = 1 };
    int priority = 7;

    check_that(CALL(getscheduler, 0) == SCHED_OTHER && CALL(getscheduler, getpid()) == SCHED_OTHER, "a process is SCHED_OTHER");
    check_that(CALL(getparam, 0, &priority) == 0 && priority == 0, "with priority 0");
    check_that(CALL(setscheduler, 0, SCHED_OTHER, &zero) == 0 && CALL(setparam, 0, &zero) == 0, "both can be set again");
    check_that(refused(CALL(setscheduler, 0, SCHED_OTHER, &one), EINVAL), "another priority does not go with it");
    check_that(refused(CALL(setscheduler, 0, SCHED_FIFO, &zero), EINVAL), "nor 0 with a real-time policy");
    check_that(refused(CALL(setscheduler, 0, 77, &zero), EINVAL), "there is no policy 77");
    check_that(refused(CALL(setscheduler, nobody, SCHED_OTHER, &zero), ESRCH) && refused(CALL(getscheduler, nobody), ESRCH) &&
               refused(CALL(getparam, nobody, &priority), ESRCH), "nor a process that does not exist");
    check_that(refused(CALL(getscheduler, -1), EINVAL) && refused(CALL(getparam, -1, &priority), EINVAL), "nor one with a negative number");
    check_that(refused(CALL(setscheduler, 0, -1, &zero), EINVAL), "nor one without policy");
    check_that(refused(CALL(setparam, 0, NULL), EINVAL) && refused(CALL(getparam, 0, NULL), EINVAL), "without a parameter: EINVAL");
    check_that(refused(CALL(setparam, 0, (void *) -4096), EFAULT) && refused(CALL(getparam, 0, (void *) -4096), EFAULT), "a bad pointer: EFAULT");
}

/* A user who is nobody else, and so may not take back what makes a process less important. */
static void
lesser_body(void)
{
    struct sched_param zero = { 0 };

    setuid(USER);
    check_that(CALL(setscheduler, 0, SCHED_BATCH, &zero) == 0 && CALL(getscheduler, 0) == SCHED_BATCH && CALL(setparam, 0, &zero) == 0
               && CALL(getscheduler, 0) == SCHED_BATCH, "a process is SCHED_BATCH when it says so");
    check_that(CALL(setscheduler, 0, SCHED_OTHER, &zero) == 0 && CALL(getscheduler, 0) == SCHED_OTHER, "until it says otherwise");
    check_that(CALL(setscheduler, 0, SCHED_IDLE | SCHED_RESET_ON_FORK, &zero) == 0
               && CALL(getscheduler, 0) == (SCHED_IDLE | SCHED_RESET_ON_FORK), "SCHED_IDLE comes with SCHED_RESET_ON_FORK");
    pid_t child = check_fork();
    if (child == 0)
        _exit(CALL(getscheduler, 0) != SCHED_IDLE);
    check_that(check_wait(child) == 0, "which children have not, but the policy");
    check_that(refused(CALL(setscheduler, 0, SCHED_OTHER, &zero), EPERM) && CALL(getscheduler, 0) == (SCHED_IDLE | SCHED_RESET_ON_FORK),
               "only who may be nicer to himself can leave SCHED_IDLE: EPERM");
}

/* A user can change nothing of another's process. */
static void
foreign_body(void)
{
    struct sched_param zero = { 0 };
    uint32_t mask = 1;
    pid_t root = getppid();

    setuid(USER);
    check_that(refused(CALL(setscheduler, root, SCHED_BATCH, &zero), EPERM) && refused(CALL(setaffinity, root, sizeof mask, &mask), EPERM),
               "another user's process has its policy and processors to itself: EPERM");
    check_that(CALL(getscheduler, root) == SCHED_OTHER && CALL(getaffinity, root, sizeof mask, &mask) > 0, "though all may ask for them");
}

static void
bounds_check(void)
{
    check_that(CALL(get_priority_max, SCHED_OTHER) == 0 && CALL(get_priority_min, SCHED_OTHER) == 0, "SCHED_OTHER has one priority");
    check_that(CALL(get_priority_max, SCHED_RR) == 99 && CALL(get_priority_min, SCHED_FIFO) == 1, "the real-time policies have 1 to 99");
    check_that(refused(CALL(get_priority_max, 77), EINVAL), "policy 77 has none");
}

/* A child of the caller's group that waits to be killed; it takes the user number and priority first. */
static pid_t
waiter_start(int user, int nice)
{
    pid_t child = check_fork_standing_by();

    if (child != 0)
        return child;
    setpriority(PRIO_PROCESS, 0, nice);
    if (user != 0 && setuid(user) != 0)
        _exit(1);
    check_stand_by();
}

static void
nice_check(void)
{
    if (setpgid(0, 0) != 0)
        return;
    pid_t one = waiter_start(USER, LOWER), other = waiter_start(0, LOWEST);
    check_that(getpriority(PRIO_PROCESS, one) == LOWER && getpriority(PRIO_USER, USER) == LOWER, "a user's priority is its process's");
    setpriority(PRIO_PROCESS, 0, LOWEST + 1);
    check_that(getpriority(PRIO_PGRP, 0) == LOWER, "a group's the highest of all");
    check_that(setpriority(PRIO_PGRP, 0, LOW) == 0 && getpriority(PRIO_PROCESS, one) == LOW
               && getpriority(PRIO_PROCESS, other) == LOW && getpriority(PRIO_PROCESS, 0) == LOW, "all of a group get another");
    check_that(setpriority(PRIO_USER, USER, LOWER) == 0 && getpriority(PRIO_PROCESS, one) == LOWER
               && getpriority(PRIO_PROCESS, other) == LOW, "or all of a user");
    kill(one, SIGKILL);
    kill(other, SIGKILL);
    check_wait(one);
    check_wait(other);
    check_that(refused(setpriority(PRIO_USER, USER, LOW), ESRCH) && refused(getpriority(PRIO_USER, USER), ESRCH),
               "a user without processes has none: ESRCH");
    check_that(refused(setpriority(PRIO_PGRP, nobody, LOW), ESRCH) && refused(getpriority(PRIO_USER + 1, 0), EINVAL), "nor has no group");
}

static void
processor_check(void)
{
    uint32_t mask[32] = { 0 }, none = 0;
    long bytes = CALL(getaffinity, 0, sizeof mask, mask);

    check_that(bytes > 0 && bytes % 4 == 0 && mask[0] != 0, "there is a processor to run on");
    check_that(CALL(setaffinity, 0, sizeof mask, mask) == 0, "it can be chosen");
    check_that(refused(CALL(setaffinity, 0, sizeof none, &none), EINVAL), "none cannot");
    check_that(refused(CALL(setaffinity, 0, sizeof mask, (void *) -4096), EFAULT), "nor a bad pointer");
    check_that(refused(CALL(setaffinity, nobody, sizeof mask, mask), ESRCH), "nor anybody else's");
    check_that(refused(CALL(getaffinity, 0, 3, mask), EINVAL), "a mask is whole words");
}

/* Milliseconds of a clock that goes on. */
static long
now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* However long it has been alone with the processor, a process that computes gives way to another that wakes. */
static void
waking_check(void)
{
    volatile int *awake = check_shared(sizeof *awake);
    pid_t child = check_fork();

    if (child == 0) {
        nanosleep(&(struct timespec) { .tv_nsec = ALONE * 1000000 }, NULL);
        *awake = 1;
        _exit(0);
    }
    for (long end = now() + LONG; now() < end && *awake == 0;)
        continue;
    check_that(*awake, "who wakes is run soon, though another computes");
    check_wait(child);
}

static void
slice_check(void)
{
    struct timespec slice = { -1, -1 };
    unsigned processor = 77, node = 77;

    check_that(sched_rr_get_interval(0, &slice) == 0 && slice.tv_sec == 0 && slice.tv_nsec >= 0, "a slice of time has a length");
    check_that(refused(sched_rr_get_interval(-1, &slice), EINVAL) && refused(sched_rr_get_interval(nobody, &slice), ESRCH), "nobody's has none");
    check_that(syscall(SYS_getcpu, &processor, &node, NULL) == 0 && processor < 1024 && node < 1024, "getcpu: the processor and its node");
    check_that(syscall(SYS_getcpu, NULL, NULL, NULL) == 0 && refused(syscall(SYS_getcpu, -4096, NULL, NULL), EFAULT), "or neither, but not to nowhere");
}

int
main(void)
{
    policy_check();
    bounds_check();
    processor_check();
    waking_check();
    slice_check();
    if (getuid() == 0) {
        check_child(nice_check);
        check_child(lesser_body);
        check_child(foreign_body);
    }
    return check_end();
}
