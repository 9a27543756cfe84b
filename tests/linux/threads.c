/*
 * Threads and futexes: what the library does with them, in an order that does not depend on the
 * scheduler, and what the calls below answer.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/outcome.h"

enum { THREADS = 4, ROUNDS = 1000 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_key_t key;
static sem_t semaphore;
static int turn, counter;
static _Thread_local int own = 7;

/* The library's calls return an error number; -1 and errno is what is printed. */
static long
returned(int error)
{
    errno = error;
    return error == 0 ? 0 : -1;
}

/* ---- The library ---------------------------------------------------------------------------------------------------------- */

/* Threads take turns, in the order of their numbers. */
static void *
take_turns(void *number)
{
    for (int round = 0; round < 2; round++) {
        pthread_mutex_lock(&mutex);
        while (turn % THREADS != (intptr_t) number)
            pthread_cond_wait(&condition, &mutex);
        tell("round %d, thread %d, its own variable %d", round, (int) (intptr_t) number, own++);
        turn++;
        pthread_cond_broadcast(&condition);
        pthread_mutex_unlock(&mutex);
    }
    return (void *) ((intptr_t) number * 10);
}

static void *
count(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&mutex);
        counter++;
        pthread_mutex_unlock(&mutex);
    }
    pthread_barrier_wait(&barrier);
    sem_post(&semaphore);
    return unused;
}

static void
key_gone(void *value)
{
    tell("key's destructor: %d", (int) (intptr_t) value);
}

static void
cleaned(void *text)
{
    tell("cleanup: %s", (char *) text);
}

static void *
wait_to_be_cancelled(void *unused)
{
    pthread_setspecific(key, (void *) 5);
    pthread_cleanup_push(cleaned, (void *) "first");
    pthread_cleanup_push(cleaned, (void *) "second");
    sem_post(&semaphore);
    for (;;)
        pause();
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    return unused;
}

static void
library_show(void)
{
    pthread_t threads[THREADS];
    void *results[THREADS], *result;

    sem_init(&semaphore, 0, 0);
    pthread_barrier_init(&barrier, NULL, THREADS);
    pthread_key_create(&key, key_gone);
    for (intptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, take_turns, (void *) i);
    /* The last has its turn when the first may be gone already. */
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], &results[i]);
    for (int i = 0; i < THREADS; i++)
        tell("thread %d returned %d", i, (int) (intptr_t) results[i]);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, count, NULL);
    for (int i = 0; i < THREADS; i++)
        sem_wait(&semaphore);
    tell("counted %d", counter);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_create(&threads[0], NULL, wait_to_be_cancelled, NULL);
    sem_wait(&semaphore);
    outcome(returned(pthread_cancel(threads[0])), "cancel");
    pthread_join(threads[0], &result);
    tell("was cancelled: %d", result == PTHREAD_CANCELED);
}

/* ---- Kinds of mutexes -------------------------------------------------------------------------------------------------------- */

static pthread_mutex_t special;

static void *
lock_and_leave(void *unused)
{
    pthread_mutex_lock(&special);
    return unused;
}

static void
mutex_make(int type, int robust)
{
    pthread_mutexattr_t attributes;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, type);
    pthread_mutexattr_setrobust(&attributes, robust);
    pthread_mutex_init(&special, &attributes);
}

static void
mutexes_show(void)
{
    struct timespec soon;
    pthread_t thread;

    mutex_make(PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED);
    pthread_mutex_lock(&special);
    outcome(returned(pthread_mutex_lock(&special)), "locking twice, checked");
    outcome(returned(pthread_mutex_trylock(&special)), "trylock");
    pthread_mutex_unlock(&special);
    outcome(returned(pthread_mutex_unlock(&special)), "unlocking twice");
    mutex_make(PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_STALLED);
    pthread_mutex_lock(&special);
    outcome(returned(pthread_mutex_lock(&special)), "locking twice, recursive");
    mutex_make(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST);
    pthread_create(&thread, NULL, lock_and_leave, NULL);
    pthread_join(thread, NULL);
    outcome(returned(pthread_mutex_lock(&special)), "a robust one whose owner has gone");
    outcome(returned(pthread_mutex_unlock(&special)), "unlocked without being made consistent");
    outcome(returned(pthread_mutex_lock(&special)), "and locked");
    clock_gettime(CLOCK_REALTIME, &soon);
    mutex_make(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED);
    pthread_mutex_lock(&special);
    outcome(returned(pthread_mutex_timedlock(&special, &soon)), "timedlock in vain");
    pthread_mutex_lock(&mutex);
    outcome(returned(pthread_cond_timedwait(&condition, &mutex, &soon)), "cond_timedwait in vain");
    pthread_mutex_unlock(&mutex);
    outcome(sem_trywait(&semaphore), "sem_trywait in vain");
    outcome(sem_timedwait(&semaphore, &soon), "sem_timedwait in vain");
}

/* ---- Futexes -------------------------------------------------------------------------------------------------------------------- */

static int word;

static long
futex(int operation, int value, const struct timespec *time, int *other, int value3)
{
    return syscall(SYS_futex, &word, operation, value, time, other, value3);
}

static void
futexes_show(void)
{
    static int other;
    long now[2] = { 0, 1000000 }, wrong[2] = { 0, 1000000000 };

    outcome(futex(FUTEX_WAIT, 1, NULL, NULL, 0), "wait for another value");
    outcome(futex(FUTEX_WAIT, 0, (struct timespec *) now, NULL, 0), "wait in vain");
    outcome(futex(FUTEX_WAIT, 0, (struct timespec *) wrong, NULL, 0), "wait for a wrong time");
    outcome(futex(FUTEX_WAIT_BITSET, 0, (struct timespec *) now, NULL, 1), "wait until a time that has passed");
    outcome(futex(FUTEX_WAIT_BITSET, 0, NULL, NULL, 0), "wait for no bits");
    outcome(futex(FUTEX_WAKE_BITSET, 1, NULL, NULL, 0), "wake no bits");
    outcome(futex(FUTEX_WAKE, 1, NULL, NULL, 0), "wake nobody");
    outcome(futex(FUTEX_REQUEUE, 1, (struct timespec *) 1, &other, 0), "requeue nobody");
    outcome(futex(FUTEX_CMP_REQUEUE, 1, (struct timespec *) 1, &other, 5), "requeue, another value");
    outcome(futex(77, 0, NULL, NULL, 0), "a wrong operation");
    outcome(syscall(SYS_futex, (char *) &word + 1, FUTEX_WAKE, 1, NULL, NULL, 0), "unaligned");
    outcome(syscall(SYS_futex, 16, FUTEX_WAIT, 1, NULL, NULL, 0), "nowhere");
    outcome(syscall(SYS_set_robust_list, NULL, 5), "set_robust_list with a wrong size");
    outcome(syscall(SYS_get_robust_list, 99999, &word, &word), "get_robust_list of nobody");
}

/* ---- A process of threads -------------------------------------------------------------------------------------------------------- */

static void *
exit_all(void *unused)
{
    _exit(3);
    return unused;
}

static void *
exec_other(void *unused)
{
    execl("/bin/sh", "sh", "-c", "exit 4", (char *) NULL);
    return unused;
}

static void *
kill_all(void *unused)
{
    volatile int *volatile nowhere = (volatile int *) 16;
    *nowhere = 1;
    return unused;
}

static void *
fork_from_thread(void *unused)
{
    int status;
    pid_t child = fork();

    if (child == 0)
        _exit(syscall(SYS_gettid) == getpid());
    waitpid(child, &status, 0);
    tell("the child of a thread has one thread: %s", status_text(status));
    return unused;
}

static void
start_and_wait(void *(*body)(void *))
{
    pthread_t thread;

    pthread_create(&thread, NULL, body, NULL);
    pthread_join(thread, NULL);
    for (;;)
        pause();
}

static void
exit_by_thread(void)
{
    start_and_wait(exit_all);
}

static void
exec_by_thread(void)
{
    start_and_wait(exec_other);
}

static void
fault_by_thread(void)
{
    start_and_wait(kill_all);
}

static void
process_show(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, fork_from_thread, NULL);
    pthread_join(thread, NULL);
    outcome_of_child(exit_by_thread, "exit by a thread");
    outcome_of_child(exec_by_thread, "exec by a thread");
    outcome_of_child(fault_by_thread, "a fault in a thread");
    outcome(syscall(SYS_gettid) == getpid(), "the first thread's number is the process's");
    outcome(syscall(SYS_tgkill, getpid(), getpid(), 0), "tgkill");
    outcome(returned(pthread_kill(pthread_self(), 65)), "pthread_kill with 65");
    outcome(syscall(SYS_clone, CLONE_THREAD | CLONE_VM, NULL, NULL, NULL, NULL), "a thread with handlers of its own");
    outcome(syscall(SYS_clone, CLONE_SIGHAND, NULL, NULL, NULL, NULL), "handlers without memory");
    outcome(syscall(SYS_set_thread_area, &(unsigned[4]){ 77, 0, 0, 0 }), "set_thread_area with a wrong entry");
}

int
main(void)
{
    library_show();
    mutexes_show();
    futexes_show();
    process_show();
    return EXIT_SUCCESS;
}
