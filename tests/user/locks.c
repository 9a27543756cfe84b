/*
 * Locks on files: ranges that a process locks against others, those of an open file, and flock.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/thread.h"

#define NARROW_SETLK 6 /* musl names only the wide ones */
#define LOCK_MAND 32

static int file;

static int
lock(int command, int type, off_t start, off_t length)
{
    return fcntl(file, command, &(struct flock){ .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length });
}

/* What another process finds at a byte: F_UNLCK, or the kind of lock. */
static int
seen_at(off_t byte)
{
    pid_t child = check_fork();

    if (child == 0) {
        struct flock found = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };
        if (fcntl(file, F_GETLK, &found) != 0 || (found.l_type != F_UNLCK && found.l_pid != getppid()))
            _exit(100);
        _exit(found.l_type);
    }
    return WEXITSTATUS(check_wait(child));
}

static void
ranges_check(void)
{
    check_that(lock(F_SETLK, F_WRLCK, 10, 20) == 0, "bytes 10 to 29 are locked");
    check_that(seen_at(9) == F_UNLCK && seen_at(10) == F_WRLCK && seen_at(29) == F_WRLCK && seen_at(30) == F_UNLCK,
               "and nothing else");
    check_that(lock(F_SETLK, F_UNLCK, 15, 5) == 0, "a part in the middle is unlocked");
    check_that(seen_at(14) == F_WRLCK && seen_at(15) == F_UNLCK && seen_at(19) == F_UNLCK && seen_at(20) == F_WRLCK,
               "and two are left");
    check_that(lock(F_SETLK, F_RDLCK, 0, 0) == 0, "all of the file, for reading");
    check_that(seen_at(0) == F_RDLCK && seen_at(12) == F_RDLCK && seen_at(1 << 30) == F_RDLCK, "replaces these");
}

/* What stands in another's way from a byte on, as F_GETLK tells it. */
static struct flock
found_from(off_t byte)
{
    struct flock *found = check_shared(sizeof *found);
    pid_t child = check_fork();

    if (child == 0) {
        *found = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte };
        _exit(fcntl(file, F_GETLK, found) != 0);
    }
    check_wait(child);
    return *found;
}

static void
edges_check(void)
{
    struct flock found, nothing = { .l_type = F_UNLCK };

    lock(F_SETLK, F_WRLCK, 10, 20);
    lock(F_SETLK, F_UNLCK, 5, 10);
    check_that(seen_at(14) == F_UNLCK && seen_at(15) == F_WRLCK, "its beginning is unlocked");
    lock(F_SETLK, F_UNLCK, 25, 10);
    check_that(seen_at(24) == F_WRLCK && seen_at(25) == F_UNLCK, "its end is");
    found = found_from(0);
    check_that(found.l_start == 15 && found.l_len == 10 && found.l_whence == SEEK_SET, "F_GETLK tells what is left");
    lock(F_SETLK, F_WRLCK, 100, 0);
    found = found_from(50);
    check_that(found.l_start == 100 && found.l_len == 0, "a lock up to the end, wherever that will be, has length 0");
    check_that(fcntl(file, F_GETLK, &nothing) == -1 && errno == EINVAL, "nobody can ask who is in the way of unlocking: EINVAL");
    close(open("/tmp", O_RDONLY));
    check_that(seen_at(15) == F_WRLCK, "closing another file unlocks nothing");
    lock(F_SETLK, F_UNLCK, 0, 0);
}

/* From where the file is, and from its end. */
static void
origins_check(void)
{
    struct flock here = { .l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_start = 1, .l_len = 1 };
    struct flock end = { .l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -1, .l_len = 1 };

    ftruncate(file, 40);
    lseek(file, 20, SEEK_SET);
    check_that(fcntl(file, F_SETLK, &here) == 0 && seen_at(20) == F_UNLCK && seen_at(21) == F_WRLCK, "SEEK_CUR");
    check_that(fcntl(file, F_SETLK, &end) == 0 && seen_at(38) == F_UNLCK && seen_at(39) == F_WRLCK && seen_at(40) == F_UNLCK, "SEEK_END");
    lock(F_SETLK, F_UNLCK, 0, 0);
}

static void
conflict_check(void)
{
    pid_t child = check_fork();

    if (child == 0) {
        check_that(lock(F_SETLK, F_WRLCK, 0, 1) == -1 && errno == EAGAIN, "another may not write: EAGAIN");
        check_that(lock(F_SETLK, F_RDLCK, 0, 1) == 0, "but read as well");
        _exit(0);
    }
    check_wait(child);
    check_that(lock(F_SETLK, F_WRLCK, 0, 0) == 0, "its lock has gone with it");
    child = check_fork();
    if (child == 0)
        _exit(lock(F_SETLKW, F_WRLCK, 0, 1) != 0);
    nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
    check_that(waitpid(child, NULL, WNOHANG) == 0, "who wants to wait does");
    lock(F_SETLK, F_UNLCK, 0, 0);
    check_that(check_wait(child) == 0, "until it is unlocked");
}

/* ---- Deadlock ---- */

static void
sleep_a_little(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
}

/* A child that locks byte `own` and then waits for byte `other`; its status is 0 once it had both. */
static pid_t
chain_child(off_t own, off_t other)
{
    pid_t child = check_fork();

    if (child == 0)
        _exit(lock(F_SETLK, F_WRLCK, own, 1) != 0 || lock(F_SETLKW, F_WRLCK, other, 1) != 0);
    sleep_a_little();
    return child;
}

static void
deadlock_check(void)
{
    check_that(lock(F_SETLK, F_WRLCK, 0, 1) == 0, "this process has byte 0");
    pid_t first = chain_child(1, 0), second = chain_child(2, 1);
    check_that(lock(F_SETLKW, F_WRLCK, 2, 1) == -1 && errno == EDEADLK, "who waits for one that waits for one that waits for it: EDEADLK");
    check_that(lock(F_SETLK, F_WRLCK, 2, 1) == -1 && errno == EAGAIN, "without waiting it is EAGAIN");
    check_that(seen_at(0) == F_WRLCK, "the lock that it had is still there");
    lock(F_SETLK, F_UNLCK, 0, 0);
    check_that(check_wait(first) == 0 && check_wait(second) == 0, "given up, the others get theirs");
}

static void
ignore(int signal)
{
    (void) signal;
}

static void
interrupt_check(void)
{
    pid_t child = check_fork();

    if (child == 0) {
        lock(F_SETLK, F_WRLCK, 0, 1);
        sleep_a_little();
        kill(getppid(), SIGALRM);
        pause();
    }
    sigaction(SIGALRM, &(struct sigaction){ .sa_handler = ignore }, NULL);
    while (lock(F_SETLK, F_WRLCK, 0, 1) == 0) {
        lock(F_SETLK, F_UNLCK, 0, 1);
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
    check_that(lock(F_SETLKW, F_WRLCK, 0, 1) == -1 && errno == EINTR, "a signal ends the wait: EINTR");
    kill(child, SIGKILL);
    check_wait(child);
}

/* ---- Locks of an open file ---- */

static int
file_lock(int descriptor, int command, int type, off_t start, off_t length, struct flock *found)
{
    struct flock request = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length };
    int result = fcntl(descriptor, command, &request);

    if (found != NULL)
        *found = request;
    return result;
}

/* What stands in the way of a fresh open file at a byte: an errno, or 0. */
static int
seen_by_other(off_t byte)
{
    int other = open("/tmp/locks", O_RDWR);
    int error = file_lock(other, F_OFD_SETLK, F_WRLCK, byte, 1, NULL) == 0 ? 0 : errno;

    close(other);
    return error;
}

static void
open_file_check(void)
{
    int one = open("/tmp/locks", O_RDWR), other = open("/tmp/locks", O_RDWR), copy = dup(one);
    struct flock found;

    check_that(file_lock(one, F_OFD_SETLK, F_WRLCK, 0, 10, NULL) == 0, "an open file has bytes 0 to 9");
    check_that(file_lock(other, F_OFD_SETLK, F_RDLCK, 9, 1, NULL) == -1 && errno == EAGAIN, "the same process's other open file has not: EAGAIN");
    check_that(file_lock(copy, F_OFD_SETLK, F_WRLCK, 5, 10, NULL) == 0, "a copy of the descriptor is the same open file");
    check_that(lock(F_SETLK, F_WRLCK, 0, 1) == -1 && errno == EAGAIN, "it stands in the process's own way too");
    check_that(file_lock(other, F_OFD_GETLK, F_WRLCK, 0, 0, &found) == 0 && found.l_type == F_WRLCK && found.l_pid == -1, "F_OFD_GETLK tells of no process");
    check_that(fcntl(other, F_OFD_SETLK, &(struct flock){ .l_type = F_RDLCK, .l_pid = 1 }) == -1 && errno == EINVAL, "a process in the request: EINVAL");
    check_that(fcntl(other, F_OFD_GETLK, &(struct flock){ .l_type = F_RDLCK, .l_pid = 1 }) == -1 && errno == EINVAL, "likewise");
    close(other);
    check_that(seen_by_other(0) == EAGAIN, "closing another open file of the file gives nothing up");
    close(one);
    check_that(seen_by_other(0) == EAGAIN, "nor does closing one of two descriptors");
    close(copy);
    check_that(seen_by_other(0) == 0, "closing the last one does");
}

/* Any process may close an open file: who waits for one another in such a circle does so until a signal comes. */
static void
open_file_circle_check(void)
{
    int one = open("/tmp/locks", O_RDWR);

    file_lock(one, F_OFD_SETLK, F_WRLCK, 0, 1, NULL);
    pid_t child = chain_child(1, 0);
    sigaction(SIGALRM, &(struct sigaction){ .sa_handler = ignore }, NULL);
    setitimer(ITIMER_REAL, &(struct itimerval){ .it_value = { .tv_usec = 20000 } }, NULL);
    check_that(file_lock(one, F_OFD_SETLKW, F_WRLCK, 1, 1, NULL) == -1 && errno == EINTR, "an open file in a circle is no deadlock: EINTR");
    file_lock(one, F_OFD_SETLK, F_UNLCK, 0, 1, NULL);
    check_that(check_wait(child) == 0, "and giving its lock up breaks the circle");
    close(one);
}

/* ---- Closing ---- */

static void *
lock_waiting(void *unused)
{
    (void) unused;
    return (void *) (long) (lock(F_SETLKW, F_WRLCK, 0, 1) == 0 ? 0 : errno);
}

/* One thread waits for a lock when another closes the file: what the process has no descriptor of, it does not lock. */
static void
closed_check(void)
{
    int kept = file, both[2];
    char byte = 0;

    pipe(both);
    file = open("/tmp/locks", O_RDWR);
    pid_t child = check_fork();
    if (child == 0) {
        lock(F_SETLK, F_WRLCK, 0, 1);
        write(both[1], &byte, 1);
        sleep_a_little();
        sleep_a_little();
        _exit(0);
    }
    read(both[0], &byte, 1);
    pthread_t thread = thread_start(lock_waiting, NULL);
    sleep_a_little();
    close(file);
    file = kept;
    check_that(thread_join(thread) == (void *) EBADF, "who gets a lock on a file that another thread has closed: EBADF");
    check_that(check_wait(child) == 0 && seen_at(0) == F_UNLCK, "and has not got it");
    close(both[0]);
    close(both[1]);
}

static void
flock_check(void)
{
    int one = open("/tmp/locks", O_RDONLY), other = open("/tmp/locks", O_RDONLY), copy = dup(one);

    check_that(flock(one, LOCK_SH) == 0 && flock(other, LOCK_SH | LOCK_NB) == 0, "two open files share a lock");
    check_that(flock(one, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK, "neither has it alone: EWOULDBLOCK");
    check_that(flock(other, LOCK_UN) == 0 && flock(one, LOCK_EX | LOCK_NB) == 0, "until the other gives it up");
    check_that(flock(other, LOCK_SH | LOCK_NB) == -1 && errno == EWOULDBLOCK && flock(copy, LOCK_EX | LOCK_NB) == 0, "alone means: with its copies");
    check_that(lock(F_SETLK, F_WRLCK, 0, 0) == 0, "record locks know nothing of it");
    lock(F_SETLK, F_UNLCK, 0, 0);
    close(one);
    check_that(flock(other, LOCK_SH | LOCK_NB) == -1, "a copy is still there");
    pid_t child = check_fork();
    if (child == 0) {
        close(copy);
        _exit(flock(other, LOCK_SH) != 0);
    }
    sleep_a_little();
    check_that(waitpid(child, NULL, WNOHANG) == 0, "who wants to wait does");
    close(copy);
    check_that(check_wait(child) == 0, "until the last copy is closed");
    check_that(flock(other, 0) == -1 && errno == EINVAL && flock(other, LOCK_SH | LOCK_EX) == -1 && errno == EINVAL, "no operation, or two: EINVAL");
    check_that(flock(-1, LOCK_SH) == -1 && errno == EBADF, "no file: EBADF");
    close(other);
}

/* In a child: its parent's locks of [0, 10), [10, 20) and [20, 30) are seen as one. */
static void
joined_body(void)
{
    struct flock wanted = { .l_type = F_WRLCK, .l_start = 12, .l_len = 1 };

    check_that(fcntl(file, F_GETLK, &wanted) == 0 && wanted.l_start == 0 && wanted.l_len == 30, "locks that touch become one");
    wanted = (struct flock){ .l_type = F_WRLCK, .l_start = 30, .l_len = 1 };
    check_that(fcntl(file, F_GETLK, &wanted) == 0 && wanted.l_type == F_WRLCK && wanted.l_start == 30 && wanted.l_len == 5, "if they are of one type");
}

static void
joined_check(void)
{
    lock(F_SETLK, F_RDLCK, 0, 10);
    lock(F_SETLK, F_RDLCK, 20, 10);
    lock(F_SETLK, F_WRLCK, 30, 5);
    lock(F_SETLK, F_RDLCK, 10, 10);
    check_child(joined_body);
    lock(F_SETLK, F_UNLCK, 0, 0);
}

/* The old fcntl, whose locks have offsets of 32 bits. */
static void
old_check(void)
{
    struct { short type, whence; int start, length, process; } narrow = { .type = F_WRLCK, .length = 1 };
    struct flock wide = { .l_type = F_WRLCK, .l_len = 1 };

    check_that(syscall(SYS_fcntl, file, NARROW_SETLK, &narrow) == 0 && seen_at(0) == F_WRLCK, "the old fcntl locks");
    narrow.type = F_UNLCK;
    check_that(syscall(SYS_fcntl, file, NARROW_SETLK, &narrow) == 0 && seen_at(0) == F_UNLCK, "and unlocks");
    check_that(refused(syscall(SYS_fcntl, file, F_SETLK, &wide), EINVAL) && refused(syscall(SYS_fcntl, file, F_OFD_SETLK, &wide), EINVAL),
               "with no wider offsets: EINVAL");
    check_that(flock(file, LOCK_EX | LOCK_NB | LOCK_MAND) == 0, "mandatory locks are ignored");
}

/* In a child: its parent has locked two places. */
static void
first_body(void)
{
    struct flock wanted = { .l_type = F_WRLCK, .l_start = 0, .l_len = 0 };

    check_that(fcntl(file, F_GETLK, &wanted) == 0 && wanted.l_type == F_WRLCK && wanted.l_start == 0 && wanted.l_len == 1,
               "of several locks in the way the first is told");
}

int
main(void)
{
    file = open("/tmp/locks", O_RDWR | O_CREAT | O_TRUNC, 0600);
    edges_check();
    origins_check();
    ranges_check();
    conflict_check();
    joined_check();
    old_check();
    lock(F_SETLK, F_WRLCK, 0, 1);
    lock(F_SETLK, F_RDLCK, 5, 1);
    check_child(first_body);
    close(dup(file));
    check_that(seen_at(0) == F_UNLCK, "closing any descriptor of the file unlocks it");
    check_that(lock(F_SETLK, 99, 0, 1) == -1 && errno == EINVAL, "no such kind: EINVAL");
    check_that(lock(F_SETLK, F_RDLCK, -1, 1) == -1 && errno == EINVAL, "before the beginning: EINVAL");
    deadlock_check();
    interrupt_check();
    open_file_check();
    open_file_circle_check();
    closed_check();
    flock_check();
    close(file);
    file = open("/tmp/locks", O_RDONLY);
    check_that(lock(F_SETLK, F_WRLCK, 0, 1) == -1 && errno == EBADF, "to lock for writing it must be open for that: EBADF");
    unlink("/tmp/locks");
    return check_end();
}
