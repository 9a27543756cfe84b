/*
 * What a C program that is linked statically with glibc asks of its kernel, beyond what musl does: threads that are
 * cancelled by a signal, whose stack is looked up in /proc, and whose user changes for all of them at once;
 * semaphores and memory by name; contexts; string functions that use SSE.
 */
#define _GNU_SOURCE
#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "user/lib/check.h"

enum {
    THREADS = 8,
    TURNS = 1000,
    STACK_BYTES = 64 * 1024,
    NOBODY = 65534,
    PATTERN_BYTES = 5000,
};

/* ---- threads ---- */

static __thread int own = 5;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int counted, cleaned;

static void *
thread_count(void *number)
{
    own = (int) (long) number;
    for (int i = 0; i < TURNS; i++) {
        pthread_mutex_lock(&lock);
        counted++;
        pthread_mutex_unlock(&lock);
        free(malloc(i));
    }
    return (void *) (long) own;
}

static void
threads_check(void)
{
    pthread_t threads[THREADS];
    void *result;
    int wrong = 0;

    for (long i = 0; i < THREADS; i++)
        wrong += pthread_create(&threads[i], NULL, thread_count, (void *) i) != 0;
    for (long i = 0; i < THREADS; i++)
        wrong += pthread_join(threads[i], &result) != 0 || (long) result != i;
    check_that(wrong == 0 && counted == THREADS * TURNS && own == 5, "threads exclude each other, and each has variables of its own");
}

static void
cleanup(void *unused)
{
    (void) unused;
    cleaned++;
}

static void *
thread_pause(void *unused)
{
    pthread_cleanup_push(cleanup, unused);
    for (;;)
        pause();
    pthread_cleanup_pop(0);
    return NULL;
}

static void *
thread_spin(void *unused)
{
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    for (;;)
        ;
    return unused;
}

static bool
is_cancelled(void *(*body)(void *))
{
    pthread_t thread;
    void *result = NULL;

    if (pthread_create(&thread, NULL, body, NULL) != 0)
        return false;
    usleep(10000);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    return result == PTHREAD_CANCELED;
}

static void
cancel_check(void)
{
    check_that(is_cancelled(thread_pause) && cleaned == 1, "a thread that sleeps is cancelled, and cleans up");
    check_that(is_cancelled(thread_spin), "a thread that computes is cancelled");
}

static void *
thread_user(void *ready)
{
    sem_wait(ready);
    return (void *) (long) geteuid();
}

static void
user_check(void)
{
    pthread_t thread;
    sem_t ready;
    void *user = NULL;

    if (geteuid() != 0) {
        check_skip("only root becomes somebody else");
        return;
    }
    sem_init(&ready, 0, 0);
    pthread_create(&thread, NULL, thread_user, &ready);
    bool changed = seteuid(NOBODY) == 0;
    sem_post(&ready);
    pthread_join(thread, &user);
    check_that(changed && (long) user == NOBODY, "setting the user sets it for every thread");
    check_that(seteuid(0) == 0, "and back");
}

static void
stack_check(void)
{
    pthread_attr_t attributes;
    void *low = NULL;
    size_t bytes = 0;
    char here;

    check_that(pthread_getattr_np(pthread_self(), &attributes) == 0 && pthread_attr_getstack(&attributes, &low, &bytes) == 0
        && &here > (char *) low && &here < (char *) low + bytes, "the first thread's stack is found in /proc");
}

static void
robust_check(void)
{
    pthread_mutex_t *shared = check_shared(sizeof *shared);
    pthread_mutexattr_t attributes;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(shared, &attributes);
    pid_t child = check_fork();
    if (child == 0) {
        pthread_mutex_lock(shared);
        _exit(0);
    }
    check_wait(child);
    check_that(pthread_mutex_lock(shared) == EOWNERDEAD && pthread_mutex_consistent(shared) == 0, "a lock outlives its owner");
}

static void
clock_check(void)
{
    struct timespec time;
    clockid_t clock;

    check_that(pthread_getcpuclockid(pthread_self(), &clock) == 0 && clock_gettime(clock, &time) == 0, "a thread has a clock");
    check_that(clock_getcpuclockid(0, &clock) == 0 && clock_gettime(clock, &time) == 0, "and a process");
}

static void
fork_check(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, thread_pause, NULL);
    pid_t child = check_fork();
    if (child == 0) {
        free(malloc(PATTERN_BYTES));
        exit(4);
    }
    check_that(WEXITSTATUS(check_wait(child)) == 4, "a process with threads forks, and its child has working memory");
    pthread_cancel(thread);
    pthread_join(thread, NULL);
}

/* ---- processes ---- */

static void
names_check(void)
{
    sem_t *semaphore = sem_open("/glibc", O_CREAT, 0600, 0);
    int file = shm_open("/glibc", O_CREAT | O_RDWR, 0600);

    if (!check_that(semaphore != SEM_FAILED && file >= 0 && ftruncate(file, STACK_BYTES) == 0, "a semaphore and memory by name"))
        return;
    char *memory = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    pid_t child = check_fork();
    if (child == 0) {
        strcpy(memory, "from the child");
        sem_post(semaphore);
        _exit(0);
    }
    sem_wait(semaphore);
    check_that(strcmp(memory, "from the child") == 0, "are shared with a child");
    check_wait(child);
    check_that(sem_unlink("/glibc") == 0 && shm_unlink("/glibc") == 0, "and go");
}

static void
programs_check(void)
{
    char *arguments[] = {"sh", "-c", "exit 6", NULL}, line[80] = "";
    int status = 0;
    pid_t child;

    check_that(posix_spawnp(&child, "sh", NULL, NULL, arguments, environ) == 0 && waitpid(child, &status, 0) == child
        && WEXITSTATUS(status) == 6, "posix_spawnp");
    check_that(WEXITSTATUS(system("exit 3")) == 3, "system");
    FILE *pipe = popen("echo through a pipe", "r");
    check_that(pipe != NULL && fgets(line, sizeof line, pipe) != NULL && strcmp(line, "through a pipe\n") == 0 && pclose(pipe) == 0, "popen");
}

/* ---- signals and contexts ---- */

static sigjmp_buf back;

static void
handler_jump(int signal)
{
    siglongjmp(back, signal);
}

static int
recurse(int depth)
{
    volatile char room[4096];

    room[0] = (char) depth;
    return depth == INT_MAX ? 0 : recurse(depth + 1) + room[0];
}

static void
overflow_check(void)
{
    struct sigaction action = {.sa_handler = handler_jump, .sa_flags = SA_ONSTACK};
    stack_t stack = {.ss_sp = malloc(STACK_BYTES), .ss_size = STACK_BYTES};
    int signal = sigaltstack(&stack, NULL) == 0 ? sigsetjmp(back, 1) : -1;

    if (signal == 0) {
        sigaction(SIGSEGV, &action, NULL);
        recurse(0);
    }
    check_that(signal == SIGSEGV, "a handler on another stack jumps out of a stack that is full");
    action.sa_handler = SIG_DFL;
    sigaction(SIGSEGV, &action, NULL);
}

static ucontext_t context_main, context_other;
static int hops;

static void
context_body(void)
{
    for (;;) {
        hops++;
        swapcontext(&context_other, &context_main);
    }
}

static void
context_check(void)
{
    getcontext(&context_other);
    context_other.uc_stack = (stack_t) {.ss_sp = malloc(STACK_BYTES), .ss_size = STACK_BYTES};
    makecontext(&context_other, context_body, 0);
    for (int i = 0; i < 3; i++)
        swapcontext(&context_main, &context_other);
    check_that(hops == 3, "contexts take turns");
}

static volatile double half = 0.5;
static volatile int interrupted;

static void
handler_compute(int signal)
{
    char from[PATTERN_BYTES], to[PATTERN_BYTES];

    memset(from, signal, sizeof from);
    memcpy(to, from, sizeof to);
    half = sqrt(half * half) + to[PATTERN_BYTES - 1] * 0.0;
    interrupted++;
}

/* The timer's handler uses every register of the FPU while the program does. */
static void
registers_check(void)
{
    static char from[PATTERN_BYTES], to[PATTERN_BYTES];
    struct itimerval timer = {{0, 1000}, {0, 1000}}, never = {0};
    int wrong = 0;

    signal(SIGALRM, handler_compute);
    setitimer(ITIMER_REAL, &timer, NULL);
    for (int i = 1; interrupted < 10; i++) {
        memset(from, i, sizeof from);
        memcpy(to, from, sizeof to);
        wrong += memcmp(from, to, sizeof to) != 0 || to[PATTERN_BYTES / 2] != (char) i || fabs(sin(i) * sin(i) + cos(i) * cos(i) - 1) > 1e-12;
    }
    setitimer(ITIMER_REAL, &never, NULL);
    check_that(wrong == 0 && half == 0.5, "a handler leaves the registers of its program alone");
}

/* ---- files ---- */

static int entries;

static int
entry_count(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void) path, (void) status, (void) kind, (void) where;
    entries++;
    return 0;
}

static void
files_check(void)
{
    char directory[] = "/tmp/glibcXXXXXX", pattern[80], name[80];
    glob_t found = {0};

    check_that(mkdtemp(directory) != NULL, "a directory with a name that nobody has");
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s/%d", directory, i);
        fclose(fopen(name, "w"));
    }
    snprintf(pattern, sizeof pattern, "%s/[12]", directory);
    check_that(glob(pattern, 0, NULL, &found) == 0 && found.gl_pathc == 2, "glob");
    check_that(nftw(directory, entry_count, 4, FTW_DEPTH | FTW_PHYS) == 0 && entries == 4, "nftw");
    int file = open(name, O_RDWR);
    struct aiocb request = {.aio_fildes = file, .aio_buf = pattern, .aio_nbytes = 5};
    const struct aiocb *requests[] = {&request};
    check_that(aio_write(&request) == 0 && aio_suspend(requests, 1, NULL) == 0 && aio_return(&request) == 5, "aio_write, in a thread of its own");
}

int
main(void)
{
    threads_check();
    cancel_check();
    user_check();
    stack_check();
    robust_check();
    clock_check();
    fork_check();
    names_check();
    programs_check();
    overflow_check();
    context_check();
    registers_check();
    files_check();
    return check_end();
}
