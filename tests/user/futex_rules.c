/*
 * Rules of futexes beyond what locks are made of: each change and test of FUTEX_WAKE_OP, counts below one, moving waiters about, what
 * a stop and a handler do to a wait, and what a dying thread does and does not do to its locks.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/clone.h"
#include "user/lib/thread.h"

enum { PAGE = 4096, ROBUST_LIMIT = 2048, WAITERS = 12, WORDS = 512, STACK = 16 << 10, USER = 4242 };

struct time32 {
    int32_t seconds, nanoseconds;
};

/* Long enough for whatever comes, short enough for a test that fails. */
static const struct time32 a_second = { 1, 0 };

static long
futex(volatile uint32_t *word, int operation, uint32_t value, const void *timeout, volatile uint32_t *second, uint32_t third)
{
    return syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, timeout, second, third);
}

static volatile uint32_t words[WORDS];

static void *
thread_wait(void *word)
{
    return (void *) (futex(word, FUTEX_WAIT, *(volatile uint32_t *) word, NULL, NULL, 0) == 0);
}

/* ---- FUTEX_WAKE_OP ---- */

static void
changes_check(void)
{
    static const struct { int operation; uint32_t operand, expected; } rows[] = {
        { FUTEX_OP_SET, 10, 10 }, { FUTEX_OP_ADD, 10, 22 }, { FUTEX_OP_OR, 10, 14 }, { FUTEX_OP_ANDN, 10, 4 }, { FUTEX_OP_XOR, 10, 6 },
        { FUTEX_OP_ADD, (uint32_t) -3, 9 }, { FUTEX_OP_SET | FUTEX_OP_OPARG_SHIFT, 4, 16 }, { FUTEX_OP_ADD | FUTEX_OP_OPARG_SHIFT, 31, 0x8000000c },
    };
    uint32_t word = 0, second;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        second = 12;
        futex(&word, FUTEX_WAKE_OP, 0, NULL, &second, (uint32_t) FUTEX_OP(rows[i].operation, rows[i].operand, FUTEX_OP_CMP_EQ, 0));
        check_that(second == rows[i].expected, "12, changed by operation %d with %d: %u", rows[i].operation, (int) rows[i].operand, second);
    }
}

/* A waiter is woken where the test holds; it is the one that is counted. */
static bool
test_holds(int comparison, int old, int compared)
{
    uint32_t nobody = 0;

    words[0] = (uint32_t) old;
    return futex(&nobody, FUTEX_WAKE_OP, 1, (void *) 1, &words[0], (uint32_t) FUTEX_OP(FUTEX_OP_SET, 0, comparison, compared)) == 1;
}

static void
tests_check(void)
{
    static const struct { int comparison; bool below, equal, above; const char *name; } rows[] = {
        { FUTEX_OP_CMP_EQ, false, true, false, "equal" },    { FUTEX_OP_CMP_NE, true, false, true, "not equal" },
        { FUTEX_OP_CMP_LT, true, false, false, "less" },     { FUTEX_OP_CMP_LE, true, true, false, "less or equal" },
        { FUTEX_OP_CMP_GT, false, false, true, "greater" },  { FUTEX_OP_CMP_GE, false, true, true, "greater or equal" },
    };
    pthread_t threads[WAITERS];
    uint32_t nobody = 0;

    for (int i = 0; i < WAITERS; i++)
        threads[i] = thread_start(thread_wait, (void *) &words[0]);
    thread_nap();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool below = test_holds(rows[i].comparison, -8, -7), equal = test_holds(rows[i].comparison, -7, -7), above = test_holds(rows[i].comparison, 1, -7);
        check_that(below == rows[i].below && equal == rows[i].equal && above == rows[i].above, "the test for %s, with signs", rows[i].name);
    }
    check_that(futex(&nobody, FUTEX_WAKE_OP, 1, (void *) 1, &words[0], 7u << 24) == -1 && errno == ENOSYS, "no such test: ENOSYS");
    check_that(futex(&words[0], FUTEX_WAKE, 0, NULL, NULL, 0) == 1 && futex(&words[0], FUTEX_WAKE, (uint32_t) -1, NULL, NULL, 0) == 1,
               "to wake none, or fewer, wakes one");
    futex(&words[0], FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
    for (int i = 0; i < WAITERS; i++)
        thread_join(threads[i]);
}

/* ---- Moving ---- */

/* From word to word, so that the kernel keeps some of them in the same list. */
static void
moving_check(void)
{
    pthread_t threads[WAITERS];
    bool all = true;

    words[0] = 0;
    for (int i = 0; i < WAITERS; i++)
        threads[i] = thread_start(thread_wait, (void *) &words[0]);
    thread_nap();
    for (int i = 1; i < WORDS; i++)
        all &= futex(&words[i - 1], FUTEX_REQUEUE, 0, (void *) INT_MAX, &words[i], 0) == WAITERS;
    check_that(all, "waiters are moved from word to word, all of them each time");
    check_that(futex(&words[0], FUTEX_WAKE, INT_MAX, NULL, NULL, 0) == 0, "nobody waits where they came from");
    check_that(futex(&words[WORDS - 1], FUTEX_REQUEUE, 2, (void *) 3, &words[WORDS - 1], 0) == 5, "to where they are, two being woken");
    check_that(futex(&words[WORDS - 1], FUTEX_WAKE, INT_MAX, NULL, NULL, 0) == WAITERS - 2, "and the others found");
    for (int i = 0; i < WAITERS; i++)
        thread_join(threads[i]);
}

/* ---- Stops and signals ---- */

static void *
thread_wait_long(void *word)
{
    return (void *) (futex(word, FUTEX_WAIT, 0, &a_second, NULL, 0) == 0);
}

/* The thread waits again after the stop, and privately as before. */
static void
stopped_body(void)
{
    static volatile uint32_t word;
    pthread_t thread = thread_start(thread_wait_long, (void *) &word);

    thread_nap();
    raise(SIGSTOP);
    thread_nap();
    long woken = futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0);
    _exit(woken != 1 || thread_join(thread) == NULL);
}

static void
note(int signal)
{
    (void) signal;
}

static void
stops_check(void)
{
    volatile uint32_t word = 0;
    struct timespec deadline;
    int status;

    pid_t child = check_fork();
    if (child == 0)
        stopped_body();
    waitpid(child, &status, WUNTRACED);
    kill(child, SIGCONT);
    check_that(check_wait(child) == 0, "a private wait that a stop interrupted is woken privately");
    sigaction(SIGALRM, &(struct sigaction) { .sa_handler = note, .sa_flags = SA_RESTART }, NULL);
    setitimer(ITIMER_REAL, &(struct itimerval) { .it_value = { .tv_usec = 20000 } }, NULL);
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    struct time32 absolute = { (int32_t) deadline.tv_sec + 2, 0 };
    check_that(futex(&word, FUTEX_WAIT_BITSET, 0, &absolute, NULL, FUTEX_BITSET_MATCH_ANY) == -1 && errno == EINTR,
               "a handler ends a wait with a deadline, even with SA_RESTART: EINTR");
}

/* ---- What a dying thread does to its locks ---- */

struct lock {
    struct robust_list link;
    volatile uint32_t word;
};

static struct lock foreign, released;
static struct robust_list_head head;

/* It has a lock in its list that is another's by now, and was about to wake who waits for one that it has given up. */
static void *
thread_die(void *unused)
{
    head.futex_offset = (char *) &foreign.word - (char *) &foreign;
    head.list.next = &foreign.link;
    foreign.link.next = &head.list;
    foreign.word = 1;
    head.list_op_pending = &released.link;
    syscall(SYS_set_robust_list, &head, sizeof head);
    return unused;
}

static int
child_nap(void *unused)
{
    (void) unused;
    thread_nap();
    return 0;
}

/* As robust locks are waited for, and the kernel wakes: not privately. True if woken; or if the word is 0 already. */
static bool
is_woken(volatile void *word, uint32_t value)
{
    return syscall(SYS_futex, word, FUTEX_WAIT, value, &a_second, NULL, 0) == 0 || errno == EAGAIN;
}

static void *
thread_wait_shared(void *word)
{
    return (void *) is_woken(word, 0);
}

static long
get_as_user(void)
{
    void *list;
    size_t bytes;

    setresuid(USER, USER, USER);
    return syscall(SYS_get_robust_list, getppid(), &list, &bytes) == -1 && errno == EPERM;
}

static void
get_body(void)
{
    _exit(!get_as_user());
}

static void
dying_check(void)
{
    static char stack[STACK];
    static volatile pid_t number;
    void *list;

    pthread_t waiter = thread_start(thread_wait_shared, (void *) &released.word);
    thread_nap();
    thread_join(thread_start(thread_die, NULL));
    check_that(thread_join(waiter) != NULL, "who waits for a lock that was given up by a dying thread is woken");
    check_that(foreign.word == 1, "a lock that is not its own is left alone");
    number = 1;
    clone_bare(child_nap, stack + STACK, CLONE_VM | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD, &number);
    uint32_t value = (uint32_t) number;
    check_that((value == 0 || is_woken(&number, value)) && number == 0, "CLONE_CHILD_CLEARTID: a child's end clears its word and wakes who waits");
    wait(NULL);
    check_that(syscall(SYS_get_robust_list, 0, &list, NULL) == -1 && errno == EFAULT, "no room for the list's size: EFAULT");
    if (geteuid() == 0)
        check_that(check_child(get_body) == 0, "another user's list is not told: EPERM");
    else
        check_skip("another user's list");
}

/* ---- A list that is too long ---- */

static struct lock locks[ROBUST_LIMIT + 1];

static void *
thread_die_with_many(void *unused)
{
    static struct robust_list_head many;

    many.list.next = &locks[0].link;
    many.futex_offset = (char *) &locks[0].word - (char *) &locks[0];
    for (int i = 0; i <= ROBUST_LIMIT; i++) {
        locks[i].word = (uint32_t) syscall(SYS_gettid);
        locks[i].link.next = i < ROBUST_LIMIT ? &locks[i + 1].link : &many.list;
    }
    syscall(SYS_set_robust_list, &many, sizeof many);
    return unused;
}

/* The list is the program's, and may be a circle. */
static void
long_list_check(void)
{
    pthread_t thread = thread_start(thread_die_with_many, NULL);

    thread_join(thread);
    while ((locks[0].word & FUTEX_OWNER_DIED) == 0)
        thread_nap();
    check_that((locks[ROBUST_LIMIT - 1].word & FUTEX_OWNER_DIED) != 0, "of a dying thread's locks the first 2048 are told");
    check_that((locks[ROBUST_LIMIT].word & FUTEX_OWNER_DIED) == 0, "and no more");
}

/* ---- Which word ---- */

/* Each of a page's words is another futex, whichever lists the kernel keeps them in. */
static void
words_check(void)
{
    volatile uint32_t *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_t private = thread_start(thread_wait, (void *) &page[3]), shared = thread_start(thread_wait_shared, (void *) &page[PAGE / sizeof *page - 2]);
    long woken = 0;

    thread_nap();
    for (unsigned i = 0; i < PAGE / sizeof *page; i++) {
        woken += i == 3 ? 0 : futex(&page[i], FUTEX_WAKE, 1, NULL, NULL, 0);
        woken += i == PAGE / sizeof *page - 2 ? 0 : syscall(SYS_futex, &page[i], FUTEX_WAKE, 1, NULL, NULL, 0);
    }
    check_that(woken == 0, "no other word of the page wakes who waits for one, nor the same word of another kind");
    check_that(futex(&page[3], FUTEX_WAKE, 1, NULL, NULL, 0) == 1
               && syscall(SYS_futex, &page[PAGE / sizeof *page - 2], FUTEX_WAKE, 1, NULL, NULL, 0) == 1, "that one does");
    thread_join(private);
    thread_join(shared);
    munmap((void *) page, PAGE);
}

int
main(void)
{
    changes_check();
    tests_check();
    moving_check();
    stops_check();
    dying_check();
    long_list_check();
    words_check();
    return check_end();
}
