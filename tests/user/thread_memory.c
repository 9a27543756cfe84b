/*
 * What happens to a thread whose memory, file or place in the address space goes while it sleeps in the kernel, and to
 * memory that all threads use while one of them changes what is mapped.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/thread.h"

enum {
    TEAM = 8,
    ROUNDS = 100,
    PAGE = 4096,
    PAGES = 256,                        /* touched by all threads at once */
    BURST = 64,                         /* touches, on average, before a thread lets others run */
};

static int wrong;                       /* pages that did not hold what they should */

/* ---- What goes away under a sleeping thread ---- */

static int ends[2];
static char *room;

static void *
read_into_room(void *unused)
{
    ssize_t got = read(ends[0], room, PAGE);

    (void) unused;
    return (void *) (long) (got < 0 ? -errno : got);
}

static void
vanish_check(void)
{
    pthread_t reader;

    if (pipe(ends) != 0)
        exit(EXIT_FAILURE);
    room = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    reader = thread_start(read_into_room, NULL);
    thread_nap();
    mmap(room, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    check_that(write(ends[1], "x", 1) == 1, "a byte for a reader whose buffer is gone");
    check_that(thread_join(reader) == (void *) -EFAULT, "it gets EFAULT");
    close(ends[0]);
    close(ends[1]);
    if (pipe(ends) != 0)
        exit(EXIT_FAILURE);
    room = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    reader = thread_start(read_into_room, NULL);
    thread_nap();
    close(ends[0]);
    check_that(write(ends[1], "x", 1) == 1 && thread_join(reader) == (void *) 1, "a descriptor closed under a reader: it reads on");
    close(ends[1]);
    munmap(room, PAGE);
}

/* ---- Memory that changes under its users ---- */

/* All threads write all pages while the first one takes them away and brings them back. */
static volatile bool over;

static void *
touch_pages(void *number)
{
    unsigned state = (unsigned) (long) number + 1;

    while (!over) {
        state = state * 1103515245 + 12345;
        char *page = room + (state >> 8) % PAGES * PAGE;
        page[(long) number] = (char) state;
        if (page[(long) number] != (char) state && page[(long) number] != 0)
            __atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
        if (state % BURST == 0)
            sched_yield();
    }
    return NULL;
}

static void
memory_check(void)
{
    pthread_t threads[TEAM];

    room = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (long i = 0; i < TEAM; i++)
        threads[i] = thread_start(touch_pages, (void *) i);
    for (int i = 0; i < ROUNDS; i++) {
        char *part = room + i % 4 * (PAGES / 4) * PAGE;

        if (i % 10 == 9) {
            pid_t child = check_fork();
            if (child == 0)
                _exit(EXIT_SUCCESS);
            check_wait(child);
        } else if (i % 2 == 0) {
            madvise(part, PAGES / 4 * PAGE, MADV_DONTNEED);
        } else {
            mmap(part, PAGES / 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        }
        sched_yield();
    }
    over = true;
    for (int i = 0; i < TEAM; i++)
        thread_join(threads[i]);
    check_that(wrong == 0, "each thread found what it wrote, or zero where the page was new");
    munmap(room, PAGES * PAGE);
}

/* ---- A file's pages, read from the disk while the mapping goes ---- */

/* Sums up pages of a mapping of the program's own file: each may have to be read. */
static void *
read_pages(void *unused)
{
    static volatile char sum;

    while (!over) {
        for (int i = 0; i < 4; i++) {
            struct iovec byte = {room + i * PAGE, 1};
            int ends_here[2];

            /* A pipe reads the byte in the kernel, where a page that is gone is an error and not a signal. */
            if (pipe(ends_here) != 0)
                return NULL;
            if (writev(ends_here[1], &byte, 1) != 1 && errno != EFAULT)
                __atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
            close(ends_here[0]);
            close(ends_here[1]);
            sum++;
        }
        sched_yield();
    }
    return unused;
}

static void
file_check(const char *path)
{
    pthread_t threads[TEAM];
    int file = open(path, O_RDONLY);

    room = mmap(NULL, 4 * PAGE, PROT_READ, MAP_PRIVATE, file, 0);
    over = false;
    for (long i = 0; i < TEAM; i++)
        threads[i] = thread_start(read_pages, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        munmap(room, 4 * PAGE);
        sched_yield();
        mmap(room, 4 * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, 0);
        sched_yield();
    }
    over = true;
    for (int i = 0; i < TEAM; i++)
        thread_join(threads[i]);
    check_that(wrong == 0, "a file's page under its readers is there, or EFAULT");
    munmap(room, 4 * PAGE);
    close(file);
}

/* ---- Many waiters for one child ---- */

static void *
wait_for_any(void *reaped)
{
    while (waitpid(-1, NULL, 0) > 0)
        __atomic_fetch_add((int *) reaped, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static void
reap_check(void)
{
    pthread_t threads[TEAM];
    int reaped = 0;

    for (int i = 0; i < ROUNDS; i++) {
        pid_t child = check_fork();
        if (child == 0) {
            sched_yield();
            _exit(EXIT_SUCCESS);
        }
    }
    for (int i = 0; i < TEAM; i++)
        threads[i] = thread_start(wait_for_any, &reaped);
    for (int i = 0; i < TEAM; i++)
        thread_join(threads[i]);
    check_that(reaped == ROUNDS, "each of %d children was reaped once, by one of %d threads", ROUNDS, TEAM);
}

int
main(int count, char **arguments)
{
    vanish_check();
    memory_check();
    if (count > 0)
        file_check(arguments[0]);
    reap_check();
    return check_end();
}
