/*
 * Memory ends within a call that lets processes talk or wait: on pipes, sockets, sets of descriptors, System V's objects,
 * timers, signals. Whichever allocation fails, the call fails whole.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/failing.h"

#define FILE_NAME FAILING_DIRECTORY "/file"

enum { PAGE = 4096, PAGES = 6, HIGH = 300, SETS = 1024, WATCHED = 64, GROUPS = 64, SEMAPHORES = 100 };

static char bytes[PAGES * PAGE];
static int files[2] = { -1, -1 }, ends[2] = { -1, -1 }, others[2] = { -1, -1 }, identifier = -1;
static timer_t timer;

/* ---- What rows share ---- */

static void
close_all(void)
{
    failing_close(files);
    failing_close(ends);
    failing_close(others);
}

/* A file of a page and a half, open; and its name. */
static void
make_file(void)
{
    files[0] = failing_make_file(FILE_NAME, PAGE + PAGE / 2);
}

static void
remove_all(void)
{
    close_all();
    unlink(FILE_NAME);
}

static void
make_pipe(void)
{
    pipe(ends);
}

static void
make_pipes(void)
{
    make_file();
    pipe(ends);
    pipe(others);
    write(ends[1], bytes, 2 * PAGE);
}

/* ---- Descriptors, pipes, sockets ---- */

static long
call_duplicate(void)
{
    return fcntl(0, F_DUPFD, HIGH);
}

static long
call_pipe(void)
{
    return pipe(ends);
}

static long
call_grow_pipe(void)
{
    return fcntl(ends[0], F_SETPIPE_SZ, 64 * PAGE);
}

static long
call_write_pipe(void)
{
    return write(ends[1], bytes, PAGE);
}

static void
make_pipe_of_slots(void)
{
    pipe(ends);
    write(ends[1], bytes, PAGE);
}

static long
call_splice(void)
{
    return splice(files[0], &(off_t) { 0 }, others[1], NULL, PAGE, 0);
}

static long
call_splice_out(void)
{
    return splice(ends[0], NULL, files[0], &(off_t) { 4 * PAGE }, PAGE, 0);
}

static long
call_socketpair(void)
{
    return socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
}

static void
make_packets(void)
{
    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends);
}

static long
call_send(void)
{
    return send(ends[0], bytes, 3 * PAGE, 0);
}

static long
call_epoll_create(void)
{
    return ends[0] = epoll_create1(0);
}

static void
make_epoll(void)
{
    files[0] = epoll_create1(0);
    pipe(ends);
}

static long
call_epoll_add(void)
{
    return epoll_ctl(files[0], EPOLL_CTL_ADD, ends[0], &(struct epoll_event) { .events = EPOLLIN });
}

static long
call_eventfd(void)
{
    return ends[0] = eventfd(0, 0);
}

static long
call_memfd(void)
{
    return files[0] = memfd_create("failing", 0);
}

static long
call_select(void)
{
    fd_set sets[3];

    memset(sets, 0, sizeof sets);
    FD_SET(ends[0], &sets[0]);
    return select(SETS, &sets[0], &sets[1], &sets[2], &(struct timeval) { 0 });
}

static long
call_poll(void)
{
    static struct pollfd watched[WATCHED];

    for (int i = 0; i < WATCHED; i++)
        watched[i] = (struct pollfd) { .fd = ends[0], .events = POLLIN };
    return poll(watched, WATCHED, 0);
}

static long
call_sendfile(void)
{
    return sendfile(others[1], files[0], &(off_t) { 0 }, PAGE);
}

/* ---- System V ---- */

static void
clean_semaphores(void)
{
    semctl(identifier, 0, IPC_RMID);
}

static void
make_semaphores(void)
{
    identifier = semget(IPC_PRIVATE, SEMAPHORES, 0600);
}

static long
call_semget(void)
{
    return identifier = semget(IPC_PRIVATE, SEMAPHORES, 0600);
}

static long
call_semop(void)
{
    struct sembuf operations[SEMAPHORES];

    for (int i = 0; i < SEMAPHORES; i++)
        operations[i] = (struct sembuf) { .sem_num = (unsigned short) i, .sem_op = 1, .sem_flg = SEM_UNDO };
    return semop(identifier, operations, SEMAPHORES);
}

static long
call_semctl(void)
{
    unsigned short values[SEMAPHORES] = { 0 };

    return semctl(identifier, 0, SETALL, values);
}

static long
call_semctl_get(void)
{
    unsigned short values[SEMAPHORES];

    return semctl(identifier, 0, GETALL, values);
}

static long
call_shmget(void)
{
    return identifier = shmget(IPC_PRIVATE, PAGES * PAGE, 0600);
}

static void
clean_segment(void)
{
    shmctl(identifier, IPC_RMID, NULL);
}

static void
make_segment(void)
{
    call_shmget();
}

static void *attached;

static long
call_shmat(void)
{
    attached = shmat(identifier, NULL, 0);
    return attached == (void *) -1 ? -1 : 0;
}

static void
clean_attached(void)
{
    if (attached != (void *) -1)
        shmdt(attached);
    attached = (void *) -1;
    clean_segment();
}

/* ---- Others ---- */

static long
call_setgroups(void)
{
    gid_t groups[GROUPS] = { 0 };

    return syscall(SYS_setgroups32, GROUPS, groups);
}

static void
clean_groups(void)
{
    syscall(SYS_setgroups32, 0, NULL);
}

static long
call_timer_create(void)
{
    return timer_create(CLOCK_MONOTONIC, NULL, &timer);
}

static void
clean_timer(void)
{
    if (timer != NULL)
        timer_delete(timer);
    timer = NULL;
}

static void
make_blocked(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

static long
call_sigqueue(void)
{
    return sigqueue(getpid(), SIGRTMIN, (union sigval) { .sival_int = 1 });
}

static void
clean_blocked(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigtimedwait(&set, NULL, &(struct timespec) { 0 });
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static const struct failing rows[] = {
    { .what = "sendfile", .prepare = make_pipes, .call = call_sendfile, .clean = remove_all },
    { .what = "a high descriptor", .call = call_duplicate, .in_child = true },
    { .what = "pipe", .call = call_pipe, .clean = close_all, .error = ENFILE },
    { .what = "a pipe becomes larger", .prepare = make_pipe, .call = call_grow_pipe, .clean = close_all },
    { .what = "write to a pipe", .prepare = make_pipe_of_slots, .call = call_write_pipe, .clean = close_all },
    { .what = "splice, into a pipe", .prepare = make_pipes, .call = call_splice, .clean = remove_all },
    { .what = "splice, out of a pipe", .prepare = make_pipes, .call = call_splice_out, .clean = remove_all },
    { .what = "socketpair", .call = call_socketpair, .clean = close_all, .error = ENFILE },
    { .what = "send of a packet", .prepare = make_packets, .call = call_send, .clean = close_all, .error = ENOBUFS },
    { .what = "epoll_create1", .call = call_epoll_create, .clean = close_all },
    { .what = "epoll_ctl", .prepare = make_epoll, .call = call_epoll_add, .clean = close_all },
    { .what = "eventfd", .call = call_eventfd, .clean = close_all },
    { .what = "memfd_create", .call = call_memfd, .clean = close_all },
    { .what = "select of many", .prepare = make_pipe, .call = call_select, .clean = close_all },
    { .what = "poll of many", .prepare = make_pipe, .call = call_poll, .clean = close_all },
    { .what = "semget", .call = call_semget, .clean = clean_semaphores },
    { .what = "semop that will be undone", .prepare = make_semaphores, .call = call_semop, .clean = clean_semaphores },
    { .what = "semctl that sets all", .prepare = make_semaphores, .call = call_semctl, .clean = clean_semaphores },
    { .what = "semctl that gets all", .prepare = make_semaphores, .call = call_semctl_get, .clean = clean_semaphores },
    { .what = "shmget", .call = call_shmget, .clean = clean_segment },
    { .what = "shmat", .prepare = make_segment, .call = call_shmat, .clean = clean_attached },
    { .what = "setgroups", .call = call_setgroups, .clean = clean_groups },
    { .what = "timer_create", .call = call_timer_create, .clean = clean_timer, .error = EAGAIN },
    { .what = "sigqueue", .prepare = make_blocked, .call = call_sigqueue, .clean = clean_blocked, .error = EAGAIN },
};

int
main(void)
{
    memset(bytes, 1, sizeof bytes);
    attached = (void *) -1;
    failing_check(rows, sizeof rows / sizeof *rows);
    return check_end();
}
