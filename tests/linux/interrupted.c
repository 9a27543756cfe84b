/*
 * Every call that waits, and what a signal does to it: with a handler, with SA_RESTART, and stopped and continued without
 * any handler. A child makes the call; its parent looks in /proc when it sleeps, sends the signal, and lets the call come
 * to its end.
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
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/futex.h>

#include "user/lib/outcome.h"
#include "user/lib/system.h"

#define FIFO "/tmp/interrupted_fifo"
#define LOCKED "/tmp/interrupted_locked"

enum {
    LOOK = 1000,            /* us from one look at the child to the next */
    LOOKS = 1000,
    SHORT = 600,            /* ms that a call waits which ends by itself */
    FULL = 65536,           /* bytes of a full pipe */
};

/* What parent and child share. */
static struct {
    volatile int handled;
    volatile uint32_t word;
} *shared;

static int empty[2], full[2], pair[2], lock_file, semaphores;

/* ---- The calls ---------------------------------------------------------------------------------------------------------------- */

static long call_read(void) { char byte; return read(empty[0], &byte, 1); }
static long call_write(void) { return write(full[1], "x", 1); }
static long call_open_reader(void) { return open(FIFO, O_RDONLY) >= 0 ? 0 : -1; }
static long call_open_writer(void) { return open(FIFO, O_WRONLY) >= 0 ? 0 : -1; }
static long call_receive(void) { char byte; return recv(pair[0], &byte, 1, 0); }
static long call_read_socket(void) { char byte; return read(pair[0], &byte, 1); }
static long call_pause(void) { return pause(); }
static long call_poll(void) { return poll(&(struct pollfd){ .fd = empty[0], .events = POLLIN }, 1, -1); }
static long call_poll_timed(void) { return poll(&(struct pollfd){ .fd = full[1], .events = POLLOUT }, 1, SHORT); }
static long call_splice(void) { return splice(empty[0], NULL, full[1], NULL, 10, 0); }
static long call_tee(void) { return tee(empty[0], full[1], 10, 0); }
static long call_sendfile(void) { return sendfile(full[1], lock_file, &(off_t){ 0 }, 10); }
static long call_flock(void) { return flock(open(LOCKED, O_RDWR), LOCK_EX); }
static long call_semaphore(void) { return semop(semaphores, &(struct sembuf){ .sem_op = -1 }, 1); }
static long call_futex(void) { return syscall(SYS_futex, &shared->word, FUTEX_WAIT, 0, NULL); }

static long
call_vmsplice(void)
{
    return vmsplice(full[1], &(struct iovec){ .iov_base = "bytes", .iov_len = 5 }, 1, 0);
}

static long
call_select(void)
{
    fd_set in;

    FD_ZERO(&in);
    FD_SET(empty[0], &in);
    return select(empty[0] + 1, &in, NULL, NULL, NULL);
}

static long
call_ppoll(void)
{
    sigset_t none;

    sigemptyset(&none);
    return ppoll(&(struct pollfd){ .fd = empty[0], .events = POLLIN }, 1, NULL, &none);
}

static long
call_pselect_timed(void)
{
    return pselect(0, NULL, NULL, NULL, &(struct timespec){ .tv_nsec = SHORT * 1000000L }, NULL);
}

static long
call_nanosleep(void)
{
    return nanosleep(&(struct timespec){ .tv_nsec = SHORT * 1000000L }, NULL);
}

static long
call_sleep_until(void)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec++;
    errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    return errno == 0 ? 0 : -1;
}

static long
call_futex_timed(void)
{
    return syscall(SYS_futex, &shared->word, FUTEX_WAIT, 0, &(struct timespec){ .tv_nsec = SHORT * 1000000L });
}

static long
call_futex_bits(void)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec++;
    return syscall(SYS_futex, &shared->word, FUTEX_WAIT_BITSET, 0, &until, NULL, 1);
}

static long
call_record_lock(void)
{
    return fcntl(open(LOCKED, O_RDWR), F_SETLKW, &(struct flock){ .l_type = F_WRLCK });
}

static long
call_file_lock(void)
{
    return fcntl(open(LOCKED, O_RDWR), F_OFD_SETLKW, &(struct flock){ .l_type = F_WRLCK });
}

static long
call_suspend(void)
{
    sigset_t none;

    sigemptyset(&none);
    return sigsuspend(&none);
}

static long
call_sigtimedwait(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return sigtimedwait(&set, NULL, &(struct timespec){ .tv_nsec = SHORT * 1000000L });
}

static long
call_sigwaitinfo(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return sigwaitinfo(&set, NULL);
}

/* ---- What lets them end ---------------------------------------------------------------------------------------------------------- */

static pid_t child;

static void end_empty(void) { write(empty[1], "x", 1); }
static void end_pair(void) { write(pair[1], "x", 1); }
static void end_full(void) { static char bytes[FULL]; read(full[0], bytes, sizeof bytes); }
static void end_both(void) { end_empty(); end_full(); }
static void end_reader(void) { close(open(FIFO, O_WRONLY)); }
static void end_writer(void) { close(open(FIFO, O_RDONLY | O_NONBLOCK)); }
static void end_flock(void) { flock(lock_file, LOCK_UN); }
static void end_lock(void) { fcntl(lock_file, F_SETLK, &(struct flock){ .l_type = F_UNLCK }); }
static void end_semaphore(void) { semop(semaphores, &(struct sembuf){ .sem_op = 1 }, 1); }
static void end_futex(void) { syscall(SYS_futex, &shared->word, FUTEX_WAKE, 1); }
static void end_by_signal(void) { kill(child, SIGUSR2); }
static void end_waited(void) { kill(child, SIGHUP); }
static void end_grandchild(void) { write(pair[1], "x", 1); }

/* A child's own child, which ends when it is told to, or when nobody waits for it any more. */
static pid_t
grandchild_start(void)
{
    char byte;
    pid_t grandchild = fork();

    if (grandchild == 0)
        _exit(read(pair[0], &byte, 1) == 1 ? 3 : 1);
    return grandchild;
}

static long
grandchild_end(pid_t grandchild, long result)
{
    int error = errno;

    if (result < 0)
        kill(grandchild, SIGKILL);
    errno = error;
    return result < 0 ? -1 : 0;
}

static long
call_wait_child(void)
{
    pid_t grandchild = grandchild_start();
    return grandchild_end(grandchild, waitpid(-1, NULL, 0));
}

static long
call_waitid(void)
{
    pid_t grandchild = grandchild_start();
    return grandchild_end(grandchild, waitid(P_ALL, 0, &(siginfo_t){ 0 }, WEXITED));
}

static const struct {
    const char *what;
    long (*call)(void);
    void (*end)(void);      /* NULL: it ends by itself */
} calls[] = {
    { "read from an empty pipe", call_read, end_empty }, { "write to a full pipe", call_write, end_full },
    { "open a fifo to read", call_open_reader, end_reader }, { "open a fifo to write", call_open_writer, end_writer },
    { "recv", call_receive, end_pair }, { "read from a socket", call_read_socket, end_pair },
    { "splice from an empty pipe", call_splice, end_both },
    { "tee from an empty pipe", call_tee, end_both },
    { "vmsplice to a full pipe", call_vmsplice, end_full }, { "sendfile to a full pipe", call_sendfile, end_full },
    { "waitpid", call_wait_child, end_grandchild }, { "waitid", call_waitid, end_grandchild },
    { "poll", call_poll, end_empty }, { "poll with a time", call_poll_timed, NULL }, { "ppoll", call_ppoll, end_empty },
    { "select", call_select, end_empty }, { "pselect with a time", call_pselect_timed, NULL },
    { "pause", call_pause, end_by_signal }, { "sigsuspend", call_suspend, end_by_signal },
    { "sigwaitinfo", call_sigwaitinfo, end_waited }, { "sigtimedwait", call_sigtimedwait, NULL },
    { "nanosleep", call_nanosleep, NULL }, { "clock_nanosleep until", call_sleep_until, NULL },
    { "futex", call_futex, end_futex }, { "futex with a time", call_futex_timed, NULL }, { "futex until", call_futex_bits, NULL },
    { "flock", call_flock, end_flock }, { "F_SETLKW", call_record_lock, end_lock }, { "F_OFD_SETLKW", call_file_lock, end_lock },
    { "semop", call_semaphore, end_semaphore },
};

/* ---- The parent ------------------------------------------------------------------------------------------------------------------- */

static void
note(int signal)
{
    (void) signal;
    shared->handled++;
}

static char
child_state(void)
{
    char path[32], state = '?';

    snprintf(path, sizeof path, "/proc/%d/stat", child);
    char *text = file_text(path);
    if (text != NULL)
        state = strrchr(text, ')')[2];
    free(text);
    return state;
}

/* Until the child sleeps, or has ended. */
static void
child_settle(void)
{
    for (int i = 0; i < LOOKS; i++) {
        usleep(LOOK);
        if (strchr("SZ", child_state()) != NULL)
            return;
    }
    tell("  it does not sleep: %c", child_state());
}

/* Everything a call waits for is as it must be for it to wait. */
static void
start_over(void)
{
    static char bytes[FULL];

    fcntl(empty[0], F_SETFL, O_NONBLOCK);
    fcntl(full[1], F_SETFL, O_NONBLOCK);
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    while (read(empty[0], bytes, sizeof bytes) > 0 || read(pair[0], bytes, sizeof bytes) > 0)
        ;
    while (write(full[1], bytes, sizeof bytes) > 0 || write(full[1], bytes, 1) > 0)
        ;
    fcntl(empty[0], F_SETFL, 0);
    fcntl(full[1], F_SETFL, 0);
    fcntl(pair[0], F_SETFL, 0);
    flock(lock_file, LOCK_EX);
    fcntl(lock_file, F_SETLK, &(struct flock){ .l_type = F_WRLCK });
    semctl(semaphores, 0, SETVAL, 0);
    shared->handled = 0;
}

/* `flags` of the handler; negative: the child is stopped and goes on instead. */
static void
call_show(size_t number, const char *how, int flags)
{
    int status = 0;

    start_over();
    fflush(stdout);
    child = fork();
    if (child == 0) {
        sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = note, .sa_flags = flags > 0 ? flags : 0 }, NULL);
        sigaction(SIGUSR2, &(struct sigaction){ .sa_handler = note }, NULL);
        outcome(calls[number].call(), "%s, %s", calls[number].what, how);
        tell("  %d handled", shared->handled);
        _exit(EXIT_SUCCESS);
    }
    child_settle();
    if (flags < 0) {
        kill(child, SIGSTOP);
        waitpid(child, &status, WUNTRACED);
        kill(child, SIGCONT);
    } else {
        kill(child, SIGUSR1);
    }
    child_settle();
    if (calls[number].end != NULL && child_state() == 'S')
        calls[number].end();
    waitpid(child, &status, 0);
    if (status != 0)
        tell("  the child: %s", status_text(status));
}

int
main(void)
{
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pipe(empty);
    pipe(full);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    mkfifo(FIFO, 0600);
    lock_file = open(LOCKED, O_RDWR | O_CREAT, 0600);
    ftruncate(lock_file, FULL);
    semaphores = semget(IPC_PRIVATE, 1, 0600);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        call_show(i, "a handler", 0);
        call_show(i, "SA_RESTART", SA_RESTART);
        call_show(i, "stopped", -1);
    }
    semctl(semaphores, 0, IPC_RMID);
    unlink(FIFO);
    unlink(LOCKED);
    return EXIT_SUCCESS;
}
