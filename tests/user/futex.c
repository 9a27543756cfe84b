/*
 * Futexes by the bare system call: values, errors, timeouts on both clocks and of both widths, bit sets, moving waiters,
 * the combined operation, words that processes share, and robust lists of a dying thread.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/check.h"

enum { NAP_MILLISECONDS = 20, WAITERS = 8, CALL_NARROW = 240, CALL_WIDE = 422 };

struct time32 {
    int32_t seconds, nanoseconds;
};

struct time64 {
    int64_t seconds, nanoseconds;
};

static long
futex(volatile uint32_t *word, int operation, uint32_t value, const void *timeout, volatile uint32_t *second, uint32_t third)
{
    return syscall(CALL_NARROW, word, operation, value, timeout, second, third);
}

static bool
fails(long result, int error)
{
    return result == -1 && errno == error;
}

static void
nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = NAP_MILLISECONDS * 1000000}, NULL);
}

static int64_t
now(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000ll + time.tv_nsec;
}

/* ---- Errors ---- */

static void
errors_check(void)
{
    static volatile uint32_t word = 1;
    char *hole = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    volatile uint32_t *nowhere = (volatile uint32_t *) hole;
    struct time32 bad = {0, 1000000000}, negative = {-1, 0};

    check_that(fails(futex(&word, FUTEX_WAIT, 2, NULL, NULL, 0), EAGAIN), "another value: EAGAIN");
    check_that(fails(futex(nowhere, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), EFAULT), "no page, private: EFAULT");
    check_that(fails(futex(nowhere, FUTEX_WAIT, 0, NULL, NULL, 0), EFAULT), "no page, shared: EFAULT");
    check_that(fails(futex(nowhere, FUTEX_WAKE, 1, NULL, NULL, 0), EFAULT), "waking where no page is, shared: EFAULT");
    check_that(futex(nowhere, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 0, "waking where no page is, private: nobody");
    check_that(fails(futex((void *) -4096, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), EFAULT), "in the kernel: EFAULT");
    check_that(fails(futex((void *) ((char *) &word + 1), FUTEX_WAIT, 0, NULL, NULL, 0), EINVAL), "not aligned: EINVAL");
    check_that(fails(futex(&word, FUTEX_WAIT, 1, hole, NULL, 0), EFAULT), "a timeout nowhere: EFAULT");
    check_that(fails(futex(&word, FUTEX_WAIT, 1, &bad, NULL, 0), EINVAL), "too many nanoseconds: EINVAL");
    check_that(fails(futex(&word, FUTEX_WAIT, 1, &negative, NULL, 0), EINVAL), "a negative timeout: EINVAL");
    check_that(fails(futex(&word, FUTEX_WAIT_BITSET, 1, NULL, NULL, 0), EINVAL), "waiting with no bits: EINVAL");
    check_that(fails(futex(&word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0), EINVAL), "waking with no bits: EINVAL");
    check_that(fails(futex(&word, 99, 1, NULL, NULL, 0), ENOSYS), "no such operation: ENOSYS");
    check_that(fails(futex(&word, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, NULL, NULL, 0), ENOSYS), "a clock where none is: ENOSYS");
    check_that(fails(futex(&word, FUTEX_REQUEUE, (uint32_t) -1, (void *) 1, &word, 0), EINVAL), "moving -1: EINVAL");
    check_that(fails(futex(&word, FUTEX_CMP_REQUEUE, 1, (void *) 1, &word, 7), EAGAIN), "moving, another value: EAGAIN");
    check_that(fails(futex(&word, FUTEX_CMP_REQUEUE, 1, (void *) 1, nowhere, 1), EFAULT), "moving to nowhere: EFAULT");
    check_that(fails(futex(&word, FUTEX_WAKE_OP, 1, (void *) 1, nowhere, FUTEX_OP(FUTEX_OP_SET, 0, FUTEX_OP_CMP_EQ, 0)), EFAULT),
               "changing what is not there: EFAULT");
    check_that(futex(&word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0) == 0, "waking nobody");
    munmap(hole, 4096);
}

/* ---- Timeouts ---- */

/* Waits in vain with a timeout of either width, and says whether the wait was as long as that. */
static bool
times_out(int call, int operation, clockid_t clock, int64_t until, bool relative)
{
    static volatile uint32_t word;
    int64_t start = now(clock), time = relative ? until - start : until;
    struct time32 narrow = {(int32_t) (time / 1000000000), (int32_t) (time % 1000000000)};
    struct time64 wide = {time / 1000000000, time % 1000000000};
    const void *timeout = call == CALL_NARROW ? (void *) &narrow : (void *) &wide;
    long result = syscall(call, &word, operation, 0, timeout, NULL, FUTEX_BITSET_MATCH_ANY);

    return fails(result, ETIMEDOUT) && now(clock) >= until;
}

static void
timeouts_check(void)
{
    const int calls[] = {CALL_NARROW, CALL_WIDE};
    const int64_t nap_time = NAP_MILLISECONDS * 1000000ll;

    for (int i = 0; i < 2; i++) {
        const char *width = i == 0 ? "32" : "64";

        check_that(times_out(calls[i], FUTEX_WAIT_PRIVATE, CLOCK_MONOTONIC, now(CLOCK_MONOTONIC) + nap_time, true),
                   "relative, %s bits", width);
        check_that(times_out(calls[i], FUTEX_WAIT_BITSET, CLOCK_MONOTONIC, now(CLOCK_MONOTONIC) + nap_time, false),
                   "absolute, %s bits", width);
        check_that(times_out(calls[i], FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, CLOCK_REALTIME,
                             now(CLOCK_REALTIME) + nap_time, false), "absolute on the clock on the wall, %s bits", width);
        check_that(times_out(calls[i], FUTEX_WAIT_BITSET, CLOCK_MONOTONIC, 1, false), "a time gone by, %s bits", width);
    }
}

/* ---- Waiting and waking ---- */

static struct {
    volatile uint32_t word, other;
    volatile uint32_t bits;
    volatile int asleep, returned;
} scene;

static void *
waiter_main(void *bits)
{
    __atomic_fetch_add(&scene.asleep, 1, __ATOMIC_SEQ_CST);
    while (futex(&scene.word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, (uint32_t) bits) != 0 && errno == EINTR)
        continue;
    __atomic_fetch_add(&scene.returned, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static void
scene_start(pthread_t *threads, uint32_t bits)
{
    memset((void *) &scene, 0, sizeof(scene));
    for (uint32_t i = 0; i < WAITERS; i++)
        pthread_create(&threads[i], NULL, waiter_main, (void *) (bits == 0 ? 1u << i : bits));
    while (scene.asleep < WAITERS)
        sched_yield();
    nap();
}

static void
scene_end(pthread_t *threads)
{
    futex(&scene.word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
    futex(&scene.other, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
    for (int i = 0; i < WAITERS; i++)
        pthread_join(threads[i], NULL);
}

static void
wake_check(void)
{
    pthread_t threads[WAITERS];

    scene_start(threads, FUTEX_BITSET_MATCH_ANY);
    check_that(scene.returned == 0, "all sleep");
    check_that(futex(&scene.word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0) == 0, "a shared wake does not find those who wait privately");
    check_that(futex(&scene.word, FUTEX_WAKE_PRIVATE, 2, NULL, NULL, 0) == 2, "two are woken");
    nap();
    check_that(scene.returned == 2, "just two have returned");
    check_that(futex(&scene.word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0) == WAITERS - 2, "all others are woken");
    scene_end(threads);

    scene_start(threads, 0);
    check_that(futex(&scene.word, FUTEX_WAKE_BITSET_PRIVATE, INT_MAX, NULL, NULL, 5) == 2, "those with one of the bits are woken");
    scene_end(threads);
    check_that(scene.returned == WAITERS, "in the end all");
}

static void
requeue_check(void)
{
    pthread_t threads[WAITERS];
    uint32_t operation = (uint32_t) FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 4);

    scene_start(threads, FUTEX_BITSET_MATCH_ANY);
    check_that(futex(&scene.word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *) 3, &scene.other, 0) == 4, "one woken, three moved");
    check_that(futex(&scene.other, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0) == 3, "the three wait there now");
    check_that(futex(&scene.word, FUTEX_REQUEUE_PRIVATE, 0, (void *) INT_MAX, &scene.other, 0) == WAITERS - 4, "the rest is moved");
    scene.other = 4;
    check_that(futex(&scene.word, FUTEX_WAKE_OP_PRIVATE, 1, (void *) 2, &scene.other, operation) == 2, "woken where the test holds");
    check_that(scene.other == 7, "and the word changed");
    check_that(futex(&scene.word, FUTEX_WAKE_OP_PRIVATE, 1, (void *) 2, &scene.other, operation) == 0, "the test does not hold");
    check_that(scene.other == 10, "the word is changed all the same");
    scene_end(threads);
    check_that(fails(futex(&scene.word, FUTEX_WAKE_OP_PRIVATE, 1, (void *) 1, &scene.other, 7u << 28), ENOSYS), "no such change");
}

/* ---- Signals ---- */

static volatile sig_atomic_t caught;

static void
catch(int signal)
{
    (void) signal;
    caught++;
}

static void
signal_check(void)
{
    static volatile uint32_t word;
    struct sigaction action = {.sa_handler = catch};

    /* Again and again: on a busy host the first may come before the call that it is to interrupt. */
    sigaction(SIGALRM, &action, NULL);
    ualarm(NAP_MILLISECONDS * 1000, NAP_MILLISECONDS * 1000);
    check_that(fails(futex(&word, FUTEX_WAIT, 0, NULL, NULL, 0), EINTR), "a handler interrupts: EINTR");
    ualarm(NAP_MILLISECONDS * 1000, NAP_MILLISECONDS * 1000);
    check_that(fails(syscall(CALL_NARROW, &word, FUTEX_WAIT, 0, &(struct time32){1, 0}, NULL, 0), EINTR), "also with a timeout");
    action.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &action, NULL);
    ualarm(NAP_MILLISECONDS * 1000, NAP_MILLISECONDS * 1000);
    check_that(fails(syscall(CALL_NARROW, &word, FUTEX_WAIT, 0, &(struct time32){1, 0}, NULL, 0), EINTR),
               "with a timeout, even SA_RESTART does not restart");
    ualarm(0, 0);
    check_that(caught >= 3, "each time it ran");
}

/* A stop and a continuation are no reason to return. */
static void
stop_check(void)
{
    volatile uint32_t *word = check_shared(sizeof(*word));
    int64_t start = now(CLOCK_MONOTONIC);
    pid_t child = check_fork();
    int status;

    if (child == 0) {
        struct time32 timeout = {0, 5 * NAP_MILLISECONDS * 1000000};

        _exit(fails(futex(word, FUTEX_WAIT, 0, &timeout, NULL, 0), ETIMEDOUT) ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    nap();
    kill(child, SIGSTOP);
    check_that(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status), "stopped while it waits");
    kill(child, SIGCONT);
    check_that(check_wait(child) == 0, "and goes on waiting until the timeout");
    check_that(now(CLOCK_MONOTONIC) - start >= 5 * NAP_MILLISECONDS * 1000000ll, "no sooner than that");
}

/* ---- Between processes ---- */

static void
shared_check(void)
{
    volatile uint32_t *words = check_shared(4096);
    volatile uint32_t *again;
    static volatile uint32_t own;
    pid_t child = check_fork();

    if (child == 0) {
        words[1] = 1;
        _exit(futex(&words[0], FUTEX_WAIT, 0, NULL, NULL, 0) == 0 || errno == EAGAIN ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    while (words[1] == 0)
        sched_yield();
    nap();
    check_that(futex(&words[0], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 0, "a private wake does not reach another process");
    again = mremap((void *) words, 0, 4096, MREMAP_MAYMOVE);
    check_that(again != MAP_FAILED && again != words, "the memory is mapped a second time");
    check_that(futex(&again[0], FUTEX_WAKE, 1, NULL, NULL, 0) == 1, "a wake by the other mapping wakes it");
    check_that(check_wait(child) == 0, "the child has been woken");
    munmap((void *) again, 4096);

    child = check_fork();
    if (child == 0) {
        struct time32 timeout = {0, 3 * NAP_MILLISECONDS * 1000000};

        _exit(fails(futex(&own, FUTEX_WAIT, 0, &timeout, NULL, 0), ETIMEDOUT) ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    nap();
    check_that(futex(&own, FUTEX_WAKE, 1, NULL, NULL, 0) == 0, "after fork, private memory holds another word in each process");
    check_that(check_wait(child) == 0, "so the child waits in vain");
}

/* ---- Robust lists ---- */

struct lock {
    struct robust_list link;
    volatile uint32_t word;
};

static struct lock locks[2];
static struct robust_list_head head;

static void *
owner_main(void *unused)
{
    uint32_t id = (uint32_t) syscall(SYS_gettid);

    (void) unused;
    head.futex_offset = (char *) &locks[0].word - (char *) &locks[0];
    head.list.next = &locks[0].link;
    locks[0].link.next = &head.list;
    head.list_op_pending = &locks[1].link;
    locks[0].word = id | FUTEX_WAITERS;
    locks[1].word = id;
    if (syscall(SYS_set_robust_list, &head, sizeof(head)) != 0)
        locks[0].word = 1;
    return NULL;
}

static void
robust_check(void)
{
    struct robust_list_head *known = NULL;
    pthread_t owner;
    size_t bytes = 0;

    check_that(fails(syscall(SYS_set_robust_list, &head, 4), EINVAL), "a list head of the wrong size: EINVAL");
    pthread_create(&owner, NULL, owner_main, NULL);
    pthread_join(owner, NULL);
    check_that(locks[0].word == (FUTEX_WAITERS | FUTEX_OWNER_DIED), "the lock in the list is marked");
    check_that(locks[1].word == FUTEX_OWNER_DIED, "so is the one that was being taken");
    check_that(syscall(SYS_get_robust_list, 0, &known, &bytes) == 0 && bytes == sizeof(head), "get_robust_list");
    check_that(fails(syscall(SYS_get_robust_list, 1 << 21, &known, &bytes), ESRCH), "no such thread: ESRCH");
}

static struct shared_lock {
    struct robust_list_head head;
    struct lock lock;
} *shared_lock;

static void
exec_with_lock(void)
{
    struct robust_list_head *list = &shared_lock->head;
    struct lock *lock = &shared_lock->lock;

    list->list.next = &lock->link;
    list->futex_offset = (char *) &lock->word - (char *) lock;
    lock->link.next = &list->list;
    lock->word = (uint32_t) syscall(SYS_gettid);
    syscall(SYS_set_robust_list, list, sizeof(*list));
    execl("/proc/self/exe", "futex", "end", NULL);
}

/* Rule: whoever runs another program has lost the locks of the old one, though the process lives on. */
static void
robust_exec_check(void)
{
    shared_lock = check_shared(sizeof(*shared_lock));
    check_that(check_child(exec_with_lock) == 0 && shared_lock->lock.word == FUTEX_OWNER_DIED, "a lock of the program before exec is marked");
}

/* A list that goes round in a circle or leads nowhere must not keep its thread from ending. */
static void *
bad_list_main(void *next)
{
    static __thread struct robust_list_head own;

    own.list.next = next;
    if (next == NULL)
        own.list.next = (struct robust_list *) &locks[0].link;
    locks[0].link.next = &locks[0].link;
    own.futex_offset = (char *) &locks[0].word - (char *) &locks[0];
    syscall(SYS_set_robust_list, next == (void *) 4 ? (void *) -4096 : &own, sizeof(own));
    return NULL;
}

static void
bad_list_check(void)
{
    void *const nexts[] = {NULL, (void *) 1, (void *) 4, (void *) -4096, (void *) 0x1234567};

    for (size_t i = 0; i < sizeof(nexts) / sizeof(nexts[0]); i++) {
        pthread_t thread;

        pthread_create(&thread, NULL, bad_list_main, nexts[i]);
        check_that(pthread_join(thread, NULL) == 0, "a thread with bad list %zu ends", i);
    }
}

int
main(int count, char **arguments)
{
    (void) arguments;
    if (count > 1)
        return 0;
    errors_check();
    timeouts_check();
    wake_check();
    requeue_check();
    signal_check();
    stop_check();
    shared_check();
    robust_check();
    robust_exec_check();
    bad_list_check();
    return check_end();
}
