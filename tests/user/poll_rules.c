/*
 * Rules of waiting for files and of moving bytes between pipes that hardly any program needs to know, and that hold all the same.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
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

/* Rule: a FIFO that nobody has had open for writing yet has not come to its end. */
static void
hang_up_check(void)
{
    struct pollfd reader = { .events = POLLIN };

    mkfifo(FIFO, 0600);
    reader.fd = open(FIFO, O_RDONLY | O_NONBLOCK);
    check_that(poll(&reader, 1, 0) == 0, "a FIFO that nobody has written to has not hung up");
    close(open(FIFO, O_WRONLY));
    check_that(poll(&reader, 1, 0) == 1 && reader.revents == POLLHUP, "it has when its last writer has gone");
    close(reader.fd);
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

/* ---- Signals instead of waiting: O_ASYNC ---- */

static volatile sig_atomic_t told, told_descriptor, told_code;

static void
take_news(int signal, siginfo_t *info, void *context)
{
    (void) signal;
    (void) context;
    told++;
    told_descriptor = info->si_fd;
    told_code = info->si_code;
}

/* How often the signal came since the last time, by what the first end got from the second. */
static int
news(int second)
{
    told = 0;
    write(second, "x", 1);
    return told;
}

/* Another user makes the parent the owner of a pipe's news. */
static void
stranger_body(void)
{
    int pair[2];

    pipe(pair);
    setresuid(USER, USER, USER);
    if (fcntl(pair[0], F_SETOWN, getppid()) != 0 || fcntl(pair[0], F_SETFL, O_ASYNC) != 0)
        _exit(2);
    _exit(write(pair[1], "x", 1) != 1);
}

/* In a child, in a group of its own. */
static void
owner_body(void)
{
    struct sigaction action = { .sa_sigaction = take_news, .sa_flags = SA_SIGINFO };
    struct f_owner_ex thread = { F_OWNER_TID, gettid() }, found;
    int pair[2], file = open("/tmp/poll_rules", O_RDWR | O_CREAT, 0600);

    setpgid(0, 0);
    sigaction(SIGIO, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGRTMIN, &action, NULL);
    pipe(ends);
    check_that(fcntl(ends[0], F_GETOWN) == 0 && fcntl(ends[0], F_GETSIG) == 0, "nobody is told of a pipe's news at first");
    check_that(refused(fcntl(ends[0], F_SETOWN, 99999), ESRCH) && refused(fcntl(ends[0], F_SETOWN, INT_MIN), EINVAL), "who is to be must be there: ESRCH");
    check_that(fcntl(ends[0], F_SETOWN, getpid()) == 0 && fcntl(ends[0], F_GETOWN) == getpid(), "F_SETOWN");
    check_that(news(ends[1]) == 0, "without O_ASYNC no signal comes");
    check_that(fcntl(ends[0], F_SETFL, O_ASYNC) == 0 && fcntl(ends[0], F_GETFL) == (O_RDONLY | O_ASYNC), "O_ASYNC");
    check_that(news(ends[1]) == 1, "a byte comes with SIGIO");
    told = 0;
    check_that(read(ends[0], page, 2) == 2 && told == 0, "to take it does not tell the reader");
    check_that(fcntl(ends[0], F_SETSIG, SIGUSR1) == 0 && fcntl(ends[0], F_GETSIG) == SIGUSR1 && news(ends[1]) == 1, "F_SETSIG names another signal");
    check_that(told_descriptor == ends[0] && told_code == POLL_IN, "which tells the descriptor, and that it can be read");
    check_that(fcntl(ends[0], F_SETSIG, SIGRTMIN) == 0 && news(ends[1]) == 1 && told_code == POLL_IN, "a real-time one, too");
    check_that(refused(fcntl(ends[0], F_SETSIG, 65), EINVAL) && refused(fcntl(ends[0], F_SETSIG, -1), EINVAL), "there are 64: EINVAL");
    check_that(fcntl(ends[0], F_SETOWN_EX, &thread) == 0 && fcntl(ends[0], F_GETOWN_EX, &found) == 0 && found.type == F_OWNER_TID && found.pid == gettid()
               && news(ends[1]) == 1, "a thread can be told");
    thread.type = 7;
    check_that(refused(fcntl(ends[0], F_SETOWN_EX, &thread), EINVAL) && refused(fcntl(ends[0], F_SETOWN_EX, 0), EFAULT), "or a process or group: EINVAL");
    found = (struct f_owner_ex) { F_OWNER_PGRP, getpgrp() };
    check_that(fcntl(ends[0], F_SETOWN_EX, &found) == 0 && news(ends[1]) == 1, "a group");
    told = 0;
    if (geteuid() == 0)
        check_that(check_child(stranger_body) == 0 && told == 0, "another user's file tells a process of root nothing");
    check_that(fcntl(ends[0], F_SETFL, 0) == 0 && news(ends[1]) == 0, "until O_ASYNC is cleared");
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    check_that(ioctl(pair[0], FIOASYNC, &(int) { 1 }) == 0 && fcntl(pair[0], F_SETOWN, getpid()) == 0 && news(pair[1]) >= 1, "a socket tells, by FIOASYNC");
    check_that(refused(ioctl(file, FIOASYNC, &(int) { 1 }), ENOTTY) && fcntl(file, F_SETFL, O_ASYNC) == 0 && !(fcntl(file, F_GETFL) & O_ASYNC), "a file does not");
    fcntl(ends[0], F_SETFL, O_ASYNC);
    close(ends[0]);
    check_that(news(pair[1]) >= 1 && close(pair[0]) == 0, "who is closed tells nothing more");
    close(ends[1]);
    close(pair[1]);
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
    hang_up_check();
    select_check();
    words_check();
    splice_check();
    check_that(check_child(owner_body) == 0, "signals instead of waiting");
    if (geteuid() == 0)
        check_that(check_child(size_body) == 0, "a user's pipe can have a mebibyte, and no more: EPERM");
    else
        check_skip("another user");
    return check_end();
}
