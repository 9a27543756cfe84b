/*
 * Rules of waiting for files and of moving bytes between pipes that hardly any program needs to know, and that hold all the same.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/thread.h"

#define FIFO "/tmp/poll_rules"

enum { USER = 4242, PAGE = 4096, LARGEST = 1 << 20 };

static char page[PAGE];

static void
note(int signal)
{
    (void) signal;
}

static void
alarm_soon(void)
{
    sigaction(SIGALRM, &(struct sigaction) { .sa_handler = note, .sa_flags = SA_RESTART }, NULL);
    setitimer(ITIMER_REAL, &(struct itimerval) { .it_value = { .tv_usec = 20000 } }, NULL);
}

static void
poll_check(void)
{
    struct pollfd nothing = { -1, POLLIN, -1 }, closed = { 1000, POLLIN, 0 };

    check_that(poll(&nothing, 1, 0) == 0 && nothing.revents == 0, "an entry without a file has nothing to tell");
    check_that(poll(&closed, 1, -1) == 1 && closed.revents == POLLNVAL, "one of a closed file has, and ends the wait");
    alarm_soon();
    check_that(refused(poll(&nothing, 1, -5), EINTR), "any negative time is for ever, and a handler ends it, even with SA_RESTART: EINTR");
}

/* A FIFO that is open both ways has one descriptor to wait for either. */
static void
both_ways_check(void)
{
    struct pollfd both = { .events = POLLOUT };

    mkfifo(FIFO, 0600);
    both.fd = open(FIFO, O_RDWR | O_NONBLOCK);
    while (write(both.fd, page, PAGE) == PAGE)
        continue;
    pid_t child = check_fork();
    if (child == 0) {
        usleep(20000);
        _exit(read(both.fd, page, PAGE) != PAGE);
    }
    check_that(poll(&both, 1, 5000) == 1 && both.revents == POLLOUT && check_wait(child) == 0,
               "who waits for room in a FIFO open both ways hears of it");
    close(both.fd);
    unlink(FIFO);
}

/* How many of an end's bits select finds set, where both are asked for. */
static int
select_both(int file)
{
    fd_set reading, writing;

    FD_ZERO(&reading);
    FD_ZERO(&writing);
    FD_SET(file, &reading);
    FD_SET(file, &writing);
    return select(file + 1, &reading, &writing, NULL, &(struct timeval) { 0 });
}

static void
select_check(void)
{
    fd_set set;
    int pair[2], ends[2];

    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    check_that(select_both(pair[0]) == 1, "select counts an end that can be written to");
    write(pair[1], "x", 1);
    check_that(select_both(pair[0]) == 2, "twice if it can be read as well");
    pipe(ends);
    close(ends[1]);
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    check_that(select(ends[0] + 1, &set, NULL, NULL, &(struct timeval) { 0 }) == 1, "the end of a pipe can be read");
    FD_SET(ends[0] + 1, &set);
    check_that(select(ends[0] + 1, &set, NULL, NULL, &(struct timeval) { 0 }) == 1 && FD_ISSET(ends[0], &set)
               && !FD_ISSET(ends[0] + 1, &set), "what lies beyond the last file is not asked for, and not ready");
    close(ends[0]);
    FD_SET(ends[0], &set);
    check_that(refused(select(ends[0] + 1, &set, NULL, NULL, &(struct timeval) { 0 }), EBADF), "a closed file: EBADF");
    check_that(refused(select(-1, NULL, NULL, NULL, &(struct timeval) { 0 }), EINVAL), "fewer than no files: EINVAL");
    alarm_soon();
    check_that(refused(select(0, NULL, NULL, NULL, NULL), EINTR), "a handler ends select, too: EINTR");
    close(pair[0]);
    close(pair[1]);
}

/* Sets are made of words of 32 bits, and no others are read or written. */
static void
words_check(void)
{
    char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned *last = (unsigned *) (pages + PAGE) - 1;
    long at_once[2] = { 0, 0 };

    close(fcntl(STDERR_FILENO, F_DUPFD, 40));      /* so that the kernel knows of more than 32 */
    mprotect(pages + PAGE, PAGE, PROT_NONE);
    check_that(syscall(SYS__newselect, 32, last, NULL, NULL, at_once) == 0, "of 32 files select looks at one word");
    check_that(refused(syscall(SYS__newselect, 33, last, NULL, NULL, at_once), EFAULT), "of 33 at two: EFAULT");
    check_that(refused(syscall(SYS_pselect6, 0, NULL, NULL, NULL, at_once, last + 1), EFAULT), "a mask from nowhere: EFAULT");
    munmap(pages, 2 * PAGE);
}

/* ---- Pipes ---- */

static int ends[2];

static void *
thread_write(void *unused)
{
    (void) unused;
    return (void *) write(ends[1], "x", 1);
}

/* A full pipe, and a thread that waits to write to it. */
static pthread_t
writer_start(void)
{
    static char bytes[PAGE];

    pipe(ends);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    while (write(ends[1], bytes, sizeof bytes) > 0)
        continue;
    fcntl(ends[1], F_SETFL, 0);
    pthread_t writer = thread_start(thread_write, NULL);
    thread_nap();
    return writer;
}

static void
splice_check(void)
{
    int file = open("/tmp/poll_rules", O_CREAT | O_RDWR | O_TRUNC, 0600), other[2];

    pthread_t writer = writer_start();
    splice(ends[0], NULL, file, NULL, 2 * PAGE, 0);
    check_that(thread_join(writer) == (void *) 1, "splice from a pipe to a file lets a writer go on");
    pipe(other);
    writer = writer_start();
    splice(ends[0], NULL, other[1], NULL, 2 * PAGE, 0);
    check_that(thread_join(writer) == (void *) 1, "and from pipe to pipe");
    fcntl(file, F_SETFL, O_APPEND);
    check_that(refused(splice(ends[0], NULL, file, NULL, 1, 0), EINVAL), "not to the end of a file: EINVAL");
    close(file);
    unlink("/tmp/poll_rules");
}

static void
size_body(void)
{
    setresuid(USER, USER, USER);
    _exit(fcntl(ends[0], F_SETPIPE_SZ, LARGEST) != LARGEST || !refused(fcntl(ends[0], F_SETPIPE_SZ, 2 * LARGEST), EPERM));
}

int
main(void)
{
    poll_check();
    both_ways_check();
    select_check();
    words_check();
    splice_check();
    if (geteuid() == 0)
        check_that(check_child(size_body) == 0, "a user's pipe can have a mebibyte, and no more: EPERM");
    else
        check_skip("another user");
    return check_end();
}
