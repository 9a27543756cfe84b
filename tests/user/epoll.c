/*
 * epoll: what is told of and how often, who may be watched, closing; and counters of events (eventfd), which are
 * mostly watched so.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/check.h"

enum { PAGE = 4096, SOON = 20, LATE = 5000 /* milliseconds */, MANY = 200, LEVELS = 4, SPECIAL = 4242 };

static int watch, ends[2];
static struct epoll_event got[MANY];

static void
begin(void)
{
    watch = epoll_create1(EPOLL_CLOEXEC);
    if (watch < 0 || pipe(ends) != 0)
        check_that(false, "epoll_create1, pipe: %s", strerror(errno));
}

static void
end(void)
{
    close(watch);
    close(ends[0]);
    close(ends[1]);
}

static int
control(int operation, int file, uint32_t events)
{
    return epoll_ctl(watch, operation, file, &(struct epoll_event) { .events = events, .data.u64 = SPECIAL + file });
}

/* How many are ready now; what they tell lies in `got`. */
static int
ready(void)
{
    memset(got, 0, sizeof got);
    return epoll_wait(watch, got, MANY, 0);
}

/* Whether just one is ready, this one, for just that. */
static bool
tells(int file, uint32_t events)
{
    return ready() == 1 && got[0].events == events && got[0].data.u64 == (uint64_t) SPECIAL + file;
}

/* ---- What is told ---- */

static void
level_check(void)
{
    char byte;

    begin();
    check_that(control(EPOLL_CTL_ADD, ends[0], EPOLLIN) == 0 && ready() == 0, "an empty pipe has nothing to tell");
    write(ends[1], "ab", 2);
    check_that(tells(ends[0], EPOLLIN) && tells(ends[0], EPOLLIN), "what can be read is told of again and again");
    check_that(read(ends[0], &byte, 1) == 1 && tells(ends[0], EPOLLIN), "also when a part of it was read");
    check_that(read(ends[0], &byte, 1) == 1 && ready() == 0, "until it was read");
    check_that(control(EPOLL_CTL_MOD, ends[0], EPOLLOUT) == 0 && write(ends[1], "x", 1) == 1 && ready() == 0,
               "what is not wanted is not told");
    check_that(control(EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLOUT) == 0 && tells(ends[0], EPOLLIN),
               "what is there is told as soon as it is wanted");
    close(ends[1]);
    check_that(control(EPOLL_CTL_MOD, ends[0], 0) == 0 && tells(ends[0], EPOLLHUP), "the end of it, whether wanted or not");
    check_that(control(EPOLL_CTL_DEL, ends[0], 0) == 0 && ready() == 0, "and nothing of what is watched no more");
    end();
}

static void
edge_check(void)
{
    char byte;

    begin();
    write(ends[1], "a", 1);
    check_that(control(EPOLL_CTL_ADD, ends[0], EPOLLIN | EPOLLET) == 0 && tells(ends[0], EPOLLIN) && ready() == 0,
               "an edge is told once");
    check_that(write(ends[1], "b", 1) == 1 && tells(ends[0], EPOLLIN) && ready() == 0, "more to read is another edge");
    check_that(read(ends[0], &byte, 1) == 1 && ready() == 0, "less is none");
    check_that(control(EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLET) == 0 && tells(ends[0], EPOLLIN), "changing it asks once more");
    check_that(control(EPOLL_CTL_ADD, ends[1], EPOLLOUT | EPOLLET) == 0 && tells(ends[1], EPOLLOUT) && ready() == 0,
               "the other end has its own edges");
    end();
}

static void
once_check(void)
{
    begin();
    control(EPOLL_CTL_ADD, ends[0], EPOLLIN | EPOLLONESHOT);
    write(ends[1], "a", 1);
    check_that(tells(ends[0], EPOLLIN) && ready() == 0, "EPOLLONESHOT: told once");
    write(ends[1], "b", 1);
    close(ends[1]);
    check_that(ready() == 0, "and then of nothing, not even the end");
    check_that(control(EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLONESHOT) == 0 && tells(ends[0], EPOLLIN | EPOLLHUP),
               "until it is asked for again");
    end();
}

/* Those that find no room in one call are told of in the next: nobody is forgotten, nobody is first always. */
static void
turns_check(void)
{
    int counters[MANY], told[MANY] = { 0 }, wrong = 0;

    begin();
    for (int i = 0; i < MANY; i++) {
        counters[i] = eventfd(1, 0);
        wrong += epoll_ctl(watch, EPOLL_CTL_ADD, counters[i], &(struct epoll_event) { .events = EPOLLIN, .data.u32 = i }) != 0;
    }
    for (int round = 0; round < MANY / 10; round++) {
        int count = epoll_wait(watch, got, 10, 0);

        wrong += count != 10;
        for (int i = 0; i < count; i++)
            told[got[i].data.u32]++;
    }
    for (int i = 0; i < MANY; i++)
        wrong += told[i] != 1;
    check_that(wrong == 0, "%d files, ten at a time: each has its turn", MANY);
    check_that(ready() == MANY, "and all are told of at once where there is room");
    for (int i = 0; i < MANY; i++)
        close(counters[i]);
    check_that(ready() == 0, "closed, none is left");
    end();
}

/* ---- Waiting ---- */

static void
waiting_check(void)
{
    struct timespec before, after;

    begin();
    control(EPOLL_CTL_ADD, ends[0], EPOLLIN);
    clock_gettime(CLOCK_MONOTONIC, &before);
    check_that(epoll_wait(watch, got, 1, SOON) == 0, "nothing comes: 0 in the end");
    clock_gettime(CLOCK_MONOTONIC, &after);
    check_that((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000 >= SOON, "not before the time is up");
    pid_t child = check_fork();
    if (child == 0) {
        usleep(SOON * 1000);
        _exit(write(ends[1], "x", 1) != 1);
    }
    check_that(epoll_wait(watch, got, 1, LATE) == 1 && got[0].data.u64 == (uint64_t) SPECIAL + ends[0], "what comes ends the wait");
    check_wait(child);
    child = check_fork();
    if (child == 0) {
        struct epoll_event of_child = { .events = EPOLLOUT };

        usleep(SOON * 1000);
        _exit(epoll_ctl(watch, EPOLL_CTL_ADD, ends[1], &of_child) != 0);
    }
    read(ends[0], got, 1);
    check_that(epoll_wait(watch, got, 1, LATE) == 1 && got[0].events == EPOLLOUT, "and so does a file that is added, by whomever");
    check_wait(child);
    end();
}

static void
note(int signal)
{
    (void) signal;
}

static void
signals_check(void)
{
    sigset_t none, alarm_only;

    begin();
    sigemptyset(&none);
    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    sigaction(SIGALRM, &(struct sigaction) { .sa_handler = note, .sa_flags = SA_RESTART }, NULL);
    setitimer(ITIMER_REAL, &(struct itimerval) { .it_value = { .tv_usec = SOON * 1000 } }, NULL);
    check_that(refused(epoll_wait(watch, got, 1, LATE), EINTR), "a handler ends the wait, even with SA_RESTART: EINTR");
    sigprocmask(SIG_BLOCK, &alarm_only, NULL);
    raise(SIGALRM);
    check_that(epoll_wait(watch, got, 1, SOON) == 0, "a signal that is blocked does not");
    check_that(refused(epoll_pwait(watch, got, 1, LATE, &none), EINTR), "but if epoll_pwait lets it in: EINTR");
    sigprocmask(SIG_SETMASK, NULL, &none);
    check_that(sigismember(&none, SIGALRM) == 1, "and afterwards it is blocked as before");
    sigprocmask(SIG_UNBLOCK, &alarm_only, NULL);
    end();
}

/* ---- Files, and files of files ---- */

/* The open file is watched, not the descriptor. */
static void
closing_check(void)
{
    int copy;

    begin();
    control(EPOLL_CTL_ADD, ends[0], EPOLLIN);
    copy = dup(ends[0]);
    write(ends[1], "x", 1);
    check_that(control(EPOLL_CTL_ADD, copy, EPOLLIN) == 0 && ready() == 2, "a copy of a descriptor can be watched besides");
    close(ends[0]);
    check_that(ready() == 2, "closed, a file is watched that has another descriptor");
    check_that(refused(control(EPOLL_CTL_DEL, ends[0], 0), EBADF), "but can be named no more: EBADF");
    close(copy);
    check_that(ready() == 0, "with the last one it is gone");
    end();
}

static void
nested_check(void)
{
    int outer, chain[LEVELS + 2];

    begin();
    outer = epoll_create(1);
    control(EPOLL_CTL_ADD, ends[0], EPOLLIN);
    check_that(epoll_ctl(outer, EPOLL_CTL_ADD, watch, &(struct epoll_event) { .events = EPOLLIN, .data.u32 = 7 }) == 0
               && epoll_wait(outer, got, 1, 0) == 0, "an epoll file can be watched, and has nothing to tell");
    write(ends[1], "x", 1);
    check_that(epoll_wait(outer, got, 1, LATE) == 1 && got[0].data.u32 == 7 && tells(ends[0], EPOLLIN), "until one of its own has");
    check_that(poll(&(struct pollfd) { .fd = outer, .events = POLLIN }, 1, 0) == 1, "poll says so, too");
    check_that(refused(epoll_ctl(watch, EPOLL_CTL_ADD, outer, &(struct epoll_event) { .events = EPOLLIN }), ELOOP), "a circle: ELOOP");
    check_that(refused(control(EPOLL_CTL_ADD, watch, EPOLLIN), EINVAL), "of one: EINVAL");
    close(outer);
    for (int i = 0; i < LEVELS + 2; i++)
        chain[i] = epoll_create(1);
    int added = 0;
    for (int i = LEVELS + 1; i > 0 && epoll_ctl(chain[i - 1], EPOLL_CTL_ADD, chain[i], &(struct epoll_event) { .events = EPOLLIN }) == 0; i--)
        added++;
    check_that(added == LEVELS && errno == ELOOP, "more than %d levels: ELOOP", LEVELS);
    for (int i = 0; i < LEVELS + 2; i++)
        close(chain[i]);
    end();
}

static void
name_check(void)
{
    char path[40], name[40] = "";
    struct stat status;

    begin();
    snprintf(path, sizeof path, "/proc/self/fd/%d", watch);
    readlink(path, name, sizeof name - 1);
    check_that(strcmp(name, "anon_inode:[eventpoll]") == 0, "/proc names it: %s", name);
    check_that(fstat(watch, &status) == 0 && status.st_mode == 0600, "fstat: no type");
    check_that(refused(open(path, O_RDONLY), ENXIO), "it cannot be opened again: ENXIO");
    check_that(refused(read(watch, name, 1), EINVAL) && refused(write(watch, name, 1), EINVAL), "nor read or written: EINVAL");
    end();
}

/* ---- Mistakes ---- */

static void
mistakes_check(void)
{
    char *hole = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int file = open("/tmp", O_RDONLY);

    begin();
    check_that(refused(syscall(SYS_epoll_create, 0), EINVAL) && refused(epoll_create1(1), EINVAL), "no size, unknown flags: EINVAL");
    check_that(refused(control(EPOLL_CTL_ADD, file, EPOLLIN), EPERM), "a directory, for which nobody waits: EPERM");
    check_that(refused(control(EPOLL_CTL_ADD, -1, EPOLLIN), EBADF) && refused(epoll_ctl(-1, EPOLL_CTL_ADD, ends[0], got), EBADF), "EBADF");
    check_that(refused(epoll_ctl(ends[0], EPOLL_CTL_ADD, ends[1], got), EINVAL), "what is no epoll file: EINVAL");
    check_that(refused(control(EPOLL_CTL_MOD, ends[0], 0), ENOENT) && refused(control(EPOLL_CTL_DEL, ends[0], 0), ENOENT), "not there: ENOENT");
    check_that(control(EPOLL_CTL_ADD, ends[0], EPOLLIN) == 0 && refused(control(EPOLL_CTL_ADD, ends[0], EPOLLIN), EEXIST), "there: EEXIST");
    check_that(refused(control(17, ends[0], 0), EINVAL), "unknown: EINVAL");
    check_that(refused(epoll_ctl(watch, EPOLL_CTL_MOD, ends[0], (void *) hole), EFAULT), "an event that cannot be read: EFAULT");
    check_that(refused(epoll_wait(watch, got, 0, 0), EINVAL) && refused(epoll_wait(watch, got, -1, 0), EINVAL), "room for none: EINVAL");
    check_that(refused(epoll_wait(ends[0], got, 1, 0), EINVAL) && refused(epoll_wait(-1, got, 1, 0), EBADF), "waiting for what is none");
    check_that(refused(control(EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLEXCLUSIVE), EINVAL)
               && refused(control(EPOLL_CTL_ADD, ends[1], EPOLLOUT | EPOLLEXCLUSIVE | EPOLLONESHOT), EINVAL)
               && control(EPOLL_CTL_ADD, ends[1], EPOLLIN | EPOLLEXCLUSIVE) == 0, "EPOLLEXCLUSIVE only when it is added");
    control(EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLET);
    write(ends[1], "x", 1);
    check_that(refused(epoll_wait(watch, (void *) hole, 1, 0), EFAULT), "an event that cannot be written: EFAULT");
    check_that(tells(ends[0], EPOLLIN), "and is not lost");
    close(file);
    end();
    munmap(hole, PAGE);
}

/* ---- Counters ---- */

static uint64_t
take(int counter)
{
    uint64_t value = 0;

    return read(counter, &value, sizeof value) == sizeof value ? value : UINT64_MAX;
}

static bool
give(int counter, uint64_t value)
{
    return write(counter, &value, sizeof value) == sizeof value;
}

static void
counter_check(void)
{
    int counter = eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC), semaphore = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
    struct pollfd both = { .fd = counter, .events = POLLIN | POLLOUT };

    check_that(give(counter, 4) && take(counter) == 7, "a counter adds up, and is taken whole");
    check_that(refused(take(counter) == UINT64_MAX ? -1 : 0, EAGAIN), "empty, it is waited for: EAGAIN");
    check_that(take(semaphore) == 1 && take(semaphore) == 1 && take(semaphore) == UINT64_MAX, "a semaphore one by one");
    check_that(give(counter, UINT64_MAX - 1) && !give(counter, 1) && errno == EAGAIN, "it does not overflow: EAGAIN");
    check_that(poll(&both, 1, 0) == 1 && both.revents == POLLIN && take(counter) == UINT64_MAX - 1, "full, it can only be read");
    check_that(poll(&both, 1, 0) == 1 && both.revents == POLLOUT, "empty, only written");
    check_that(!give(counter, UINT64_MAX) && errno == EINVAL, "no such number: EINVAL");
    check_that(refused(read(counter, got, 7), EINVAL) && refused(write(counter, got, 7), EINVAL), "less than eight bytes: EINVAL");
    check_that(refused(eventfd(0, 2), EINVAL), "unknown flags: EINVAL");
    check_that(lseek(counter, 5, SEEK_SET) == 0 && lseek(counter, 0, SEEK_CUR) == 0 && refused(lseek(counter, 0, 9), EINVAL)
               && refused(pread(counter, &(uint64_t) { 0 }, sizeof(uint64_t), 0), ESPIPE), "it is sought, and does not move");
    begin();
    check_that(lseek(watch, 5, SEEK_SET) == 0 && lseek(watch, -1, SEEK_CUR) == 0, "nor does epoll");
    end();
    close(counter);
    close(semaphore);
}

static void
counter_wait_check(void)
{
    int counter = eventfd(0, 0);
    pid_t child = check_fork();

    if (child == 0) {
        usleep(SOON * 1000);
        _exit(!give(counter, UINT64_MAX - 1) || !give(counter, 5));
    }
    check_that(take(counter) == UINT64_MAX - 1 && take(counter) == 5 && check_wait(child) == 0, "readers and writers wait for one another");
    close(counter);
}

int
main(void)
{
    level_check();
    edge_check();
    once_check();
    turns_check();
    waiting_check();
    signals_check();
    closing_check();
    nested_check();
    name_check();
    mistakes_check();
    counter_check();
    counter_wait_check();
    return check_end();
}
