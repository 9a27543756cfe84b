/*
 * Threads as the C library makes them: creating and joining, locks of every kind under contention, thread-local memory,
 * cancelling, robust locks whose owner dies, fork, exec and exit in a process with threads.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/thread.h"

enum {
    MANY = 200,                         /* threads one after the other, and at once */
    CROWD = 1000,                       /* as many as there is room for */
    TEAM = 8,
    ROUNDS = 500,
    PAGE = 4096,
};

static void
team(void *(*body)(void *))
{
    pthread_t threads[TEAM];

    for (long i = 0; i < TEAM; i++)
        threads[i] = thread_start(body, (void *) i);
    for (int i = 0; i < TEAM; i++)
        thread_join(threads[i]);
}

/* ---- Coming and going ---- */

static void *
add_one(void *number)
{
    return (char *) number + 1;
}

static void
create_check(void)
{
    pthread_t threads[MANY];
    int right = 0;

    for (long i = 0; i < MANY; i++)
        right += thread_join(thread_start(add_one, (void *) i)) == (void *) (i + 1);
    check_that(right == MANY, "%d threads, one after the other, each returned its own result", MANY);
    right = 0;
    for (long i = 0; i < MANY; i++)
        threads[i] = thread_start(add_one, (void *) i);
    for (long i = 0; i < MANY; i++)
        right += thread_join(threads[i]) == (void *) (i + 1);
    check_that(right == MANY, "%d threads at once did", MANY);
}


static void *
wait_for_word(void *word)
{
    while (__atomic_load_n((int *) word, __ATOMIC_SEQ_CST) == 0)
        syscall(SYS_futex, word, 128, 0, NULL, NULL, 0);
    return NULL;
}

/* As many as there is room for: beyond it, a clean EAGAIN. */
static void
crowd_check(void)
{
    static pthread_t threads[CROWD];
    static int go;
    pthread_attr_t attributes;
    int count = 0, error = 0;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, THREAD_SMALL_STACK);
    while (count < CROWD && error == 0) {
        error = pthread_create(&threads[count], &attributes, wait_for_word, &go);
        count += error == 0;
    }
    check_that(count == CROWD || error == EAGAIN, "%d threads, or EAGAIN", CROWD);
    __atomic_store_n(&go, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &go, 129, INT_MAX, NULL, NULL, 0);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    check_that(true, "and all of them ended");
}

static void *
note_numbers(void *numbers)
{
    ((pid_t *) numbers)[0] = getpid();
    ((pid_t *) numbers)[1] = (pid_t) syscall(SYS_gettid);
    return NULL;
}

static void
number_check(void)
{
    cpu_set_t processors;
    pid_t numbers[2];

    thread_join(thread_start(note_numbers, numbers));
    check_that(numbers[0] == getpid(), "threads share the process's number");
    check_that(numbers[1] != getpid() && numbers[1] > 0, "and have one of their own");
    check_that(syscall(SYS_gettid) == getpid(), "that of the first thread is the process's");
    /* What join waits for comes a little before the very end. */
    for (int i = 0; i < ROUNDS && syscall(SYS_tkill, numbers[1], 0) == 0; i++)
        sched_yield();
    check_that(syscall(SYS_tkill, numbers[1], 0) == -1 && errno == ESRCH, "an ended thread's number is nobody's");
    check_that(sched_getaffinity(0, sizeof(processors), &processors) == 0 && CPU_COUNT(&processors) >= 1, "sched_getaffinity");
}

static __thread int own = 42;

static void *
change_own(void *number)
{
    bool fresh = own == 42;

    for (int i = 0; i < ROUNDS; i++) {
        own = (int) (long) number + i;
        sched_yield();
        fresh = fresh && own == (int) (long) number + i;
    }
    return (void *) (long) fresh;
}

static void
local_check(void)
{
    pthread_t threads[TEAM];
    int fresh = 0;

    for (long i = 0; i < TEAM; i++)
        threads[i] = thread_start(change_own, (void *) (i * 1000));
    for (int i = 0; i < TEAM; i++)
        fresh += thread_join(threads[i]) != NULL;
    check_that(fresh == TEAM && own == 42, "each thread has its own thread-local variables");
}

/* ---- Locks ---- */

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    pthread_rwlock_t rwlock;
    pthread_barrier_t barrier;
    sem_t semaphore;
    long counter, turn, wrong;
} shared = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_RWLOCK_INITIALIZER, .counter = 0};

static void *
count_locked(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&shared.mutex);
        long seen = shared.counter;
        if (i % 16 == 0)
            sched_yield();
        shared.counter = seen + 1;
        pthread_mutex_unlock(&shared.mutex);
    }
    return unused;
}

static void *
take_turns(void *number)
{
    for (int i = 0; i < ROUNDS / 10; i++) {
        pthread_mutex_lock(&shared.mutex);
        while (shared.turn % TEAM != (long) number)
            pthread_cond_wait(&shared.condition, &shared.mutex);
        shared.turn++;
        pthread_cond_broadcast(&shared.condition);
        pthread_mutex_unlock(&shared.mutex);
    }
    return NULL;
}

static void *
read_and_write(void *number)
{
    for (int i = 0; i < ROUNDS; i++) {
        if ((long) number % 4 == 0) {
            pthread_rwlock_wrlock(&shared.rwlock);
            shared.counter++;
            sched_yield();
            shared.counter++;
        } else {
            pthread_rwlock_rdlock(&shared.rwlock);
            shared.wrong += shared.counter % 2;
        }
        pthread_rwlock_unlock(&shared.rwlock);
    }
    return NULL;
}

static void *
meet(void *unused)
{
    for (int i = 0; i < ROUNDS / 10; i++) {
        __atomic_fetch_add(&shared.counter, 1, __ATOMIC_SEQ_CST);
        pthread_barrier_wait(&shared.barrier);
        if (__atomic_load_n(&shared.counter, __ATOMIC_SEQ_CST) != (i + 1) * TEAM)
            __atomic_fetch_add(&shared.wrong, 1, __ATOMIC_SEQ_CST);
        pthread_barrier_wait(&shared.barrier);
    }
    return unused;
}

static void *
pass_on(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        sem_wait(&shared.semaphore);
        shared.wrong += __atomic_fetch_add(&shared.counter, 1, __ATOMIC_SEQ_CST) != 0;
        __atomic_fetch_sub(&shared.counter, 1, __ATOMIC_SEQ_CST);
        sem_post(&shared.semaphore);
    }
    return unused;
}

static void
lock_check(void)
{
    struct timespec soon;

    team(count_locked);
    check_that(shared.counter == TEAM * ROUNDS, "a mutex lets one in at a time");
    team(take_turns);
    check_that(shared.turn == TEAM * (ROUNDS / 10), "a condition variable passes the turn round");
    shared.counter = 0;
    team(read_and_write);
    check_that(shared.wrong == 0 && shared.counter == TEAM / 4 * ROUNDS * 2, "readers never see a writer at work");
    shared.counter = 0;
    pthread_barrier_init(&shared.barrier, NULL, TEAM);
    team(meet);
    check_that(shared.wrong == 0, "nobody passes a barrier alone");
    shared.counter = 0;
    sem_init(&shared.semaphore, 0, 1);
    team(pass_on);
    check_that(shared.wrong == 0, "a semaphore of one is a lock");
    pthread_mutex_lock(&shared.mutex);
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += THREAD_NAP_MILLISECONDS * 1000000;
    soon.tv_sec += soon.tv_nsec / 1000000000;
    soon.tv_nsec %= 1000000000;
    check_that(pthread_cond_timedwait(&shared.condition, &shared.mutex, &soon) == ETIMEDOUT, "a wait for a condition times out");
    pthread_mutex_unlock(&shared.mutex);
}

/* ---- Detached and cancelled threads ---- */

static volatile int cleaned;

static void
clean(void *unused)
{
    (void) unused;
    cleaned++;
}

static void *
sleep_for_ever(void *unused)
{
    pthread_cleanup_push(clean, NULL);
    for (;;)
        pause();
    pthread_cleanup_pop(0);
    return unused;
}

static void *
read_for_ever(void *descriptor)
{
    char byte;

    pthread_cleanup_push(clean, NULL);
    while (read((int) (long) descriptor, &byte, 1) >= 0)
        continue;
    pthread_cleanup_pop(0);
    return NULL;
}

static void *
post(void *unused)
{
    sem_post(&shared.semaphore);
    return unused;
}

static void
cancel_check(void)
{
    pthread_t thread = thread_start(sleep_for_ever, NULL);
    int ends[2];

    thread_nap();
    pthread_cancel(thread);
    check_that(thread_join(thread) == PTHREAD_CANCELED && cleaned == 1, "a sleeping thread is cancelled and cleans up");
    if (pipe(ends) != 0)
        exit(EXIT_FAILURE);
    thread = thread_start(read_for_ever, (void *) (long) ends[0]);
    thread_nap();
    pthread_cancel(thread);
    check_that(thread_join(thread) == PTHREAD_CANCELED && cleaned == 2, "so is one that reads from an empty pipe");
    sem_init(&shared.semaphore, 0, 0);
    for (int i = 0; i < TEAM; i++)
        pthread_detach(thread_start(post, NULL));
    for (int i = 0; i < TEAM; i++)
        sem_wait(&shared.semaphore);
    check_that(true, "detached threads run");
    close(ends[0]);
    close(ends[1]);
}

/* ---- Robust locks ---- */

static void *
die_with_lock(void *mutex)
{
    pthread_mutex_lock(mutex);
    return NULL;
}

static pthread_mutex_t *
robust_mutex(pthread_mutex_t *mutex, int sharing)
{
    pthread_mutexattr_t attributes;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&attributes, sharing);
    pthread_mutex_init(mutex, &attributes);
    return mutex;
}

static void
robust_check(void)
{
    pthread_mutex_t private;
    pthread_mutex_t *common = robust_mutex(check_shared(PAGE), PTHREAD_PROCESS_SHARED);

    thread_join(thread_start(die_with_lock, robust_mutex(&private, PTHREAD_PROCESS_PRIVATE)));
    check_that(pthread_mutex_lock(&private) == EOWNERDEAD, "the owner, a thread, has died");
    check_that(pthread_mutex_consistent(&private) == 0 && pthread_mutex_unlock(&private) == 0, "the lock is mended");
    pid_t child = check_fork();
    if (child == 0) {
        pthread_mutex_lock(common);
        thread_nap();
        kill(getpid(), SIGKILL);
    }
    while (pthread_mutex_trylock(common) == 0) {
        pthread_mutex_unlock(common);
        sched_yield();
    }
    check_that(pthread_mutex_lock(common) == EOWNERDEAD, "the owner, a process, was killed while we waited");
    check_wait(child);
}

/* ---- Fork, exit and exec ---- */

static void *
exit_the_process(void *status)
{
    thread_nap();
    exit((int) (long) status);
}

static const char *own_path;

static void *
exec_here(void *argument)
{
    thread_nap();
    execl(own_path, own_path, argument, (char *) NULL);
    return NULL;
}

/* The program that exec begins has threads and executes itself, as the one before. */
static int
go_on(char *argument)
{
    if (syscall(SYS_gettid) != getpid())
        return 8;
    if (strcmp(argument, "once") == 0)
        thread_join(thread_start(exec_here, "twice"));
    return strcmp(argument, "twice") == 0 ? 6 : 9;
}

/* Every other thread is busy in another way when the process ends. */
static void
start_busy_threads(void)
{
    static int ends[2], zero;

    if (pipe(ends) != 0)
        _exit(EXIT_FAILURE);
    thread_start(sleep_for_ever, NULL);
    thread_start(read_for_ever, (void *) (long) ends[0]);
    thread_start(wait_for_word, &zero);
    thread_start(count_locked, NULL);
}

static void
body_exit(void)
{
    start_busy_threads();
    thread_start(exit_the_process, (void *) 7);
    thread_join(thread_start(sleep_for_ever, NULL));
}

static void
body_exec(void)
{
    start_busy_threads();
    thread_start(exec_here, "once");
    thread_join(thread_start(sleep_for_ever, NULL));
}

static void
body_first_leaves(void)
{
    thread_start(exit_the_process, (void *) 9);
    pthread_exit(NULL);
}

static void
body_bare_exit(void)
{
    syscall(SYS_exit, 5);
}

static void *
end_bare(void *status)
{
    thread_nap();
    syscall(SYS_exit, status);
    return NULL;
}

static void
body_first_ends_first(void)
{
    thread_start(end_bare, (void *) 5);
    syscall(SYS_exit, 3);
}

static void
body_fault(void)
{
    start_busy_threads();
    thread_join(thread_start(wait_for_word, (void *) 8));
}

static void *
fork_here(void *unused)
{
    pid_t child = fork();

    (void) unused;
    if (child == 0)
        _exit(syscall(SYS_gettid) == getpid() ? 3 : 4);
    return (void *) (long) check_wait(child);
}

static void
process_check(void)
{
    int status = check_child(body_exit);

    check_that(WIFEXITED(status) && WEXITSTATUS(status) == 7, "exit in one thread ends all");
    status = check_child(body_first_leaves);
    check_that(WIFEXITED(status) && WEXITSTATUS(status) == 9, "the process goes on without its first thread");
    status = check_child(body_bare_exit);
    check_that(WIFEXITED(status) && WEXITSTATUS(status) == 5, "the last thread's end is the process's");
    status = check_child(body_first_ends_first);
    check_that(WIFEXITED(status) && WEXITSTATUS(status) == 5, "and its status is the process's, as if there had been no other");
    status = check_child(body_exec);
    check_that(WIFEXITED(status) && WEXITSTATUS(status) == 6, "exec in a later thread: the first one, alone, runs the program, again and again");
    status = check_child(body_fault);
    check_that(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "one thread's fault kills the process");
    pthread_t sleeper = thread_start(sleep_for_ever, NULL);
    status = (int) (long) thread_join(thread_start(fork_here, NULL));
    check_that(WIFEXITED(status) && WEXITSTATUS(status) == 3, "fork takes along the calling thread alone, as the first one");
    pthread_cancel(sleeper);
    thread_join(sleeper);
}

int
main(int count, char **arguments)
{
    own_path = arguments[0];
    if (count > 1)
        return go_on(arguments[1]);
    create_check();
    crowd_check();
    number_check();
    local_check();
    lock_check();
    cancel_check();
    robust_check();
    process_check();
    return check_end();
}
