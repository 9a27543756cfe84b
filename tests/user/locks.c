/*
 * Record locks: ranges of a file that a process locks against others.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/check.h"

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

int
main(void)
{
    file = open("/tmp/locks", O_RDWR | O_CREAT | O_TRUNC, 0600);
    ranges_check();
    conflict_check();
    lock(F_SETLK, F_WRLCK, 0, 1);
    close(dup(file));
    check_that(seen_at(0) == F_UNLCK, "closing any descriptor of the file unlocks it");
    check_that(lock(F_SETLK, 99, 0, 1) == -1 && errno == EINVAL, "no such kind: EINVAL");
    check_that(lock(F_SETLK, F_RDLCK, -1, 1) == -1 && errno == EINVAL, "before the beginning: EINVAL");
    close(file);
    file = open("/tmp/locks", O_RDONLY);
    check_that(lock(F_SETLK, F_WRLCK, 0, 1) == -1 && errno == EBADF, "to lock for writing it must be open for that: EBADF");
    unlink("/tmp/locks");
    return check_end();
}
