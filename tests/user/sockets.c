/*
 * Socket pairs: bytes both ways, waiting, the end of each direction by itself,
 * and what is refused.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/socket_pair.h"

enum { LONG_BYTES = 300 * 1024, NAP_MILLISECONDS = 30 };

static int ends[2];
static char buffer[LONG_BYTES];
static volatile sig_atomic_t broken;

static void
note_broken(int signal)
{
    (void) signal;
    broken++;
}

static void
bytes_check(void)
{
    int waiting = 0, type = 0;
    socklen_t length = sizeof type;
    struct stat status;

    socket_pair_open(ends, SOCK_STREAM);
    check_that(socket_pair_events(ends[0]) == POLLOUT, "a new end can be written, and has nothing to read");
    check_that(write(ends[0], "ping", 4) == 4 && write(ends[1], "gnop!", 5) == 5, "both ends can be written");
    check_that(socket_pair_events(ends[0]) == (POLLIN | POLLOUT), "what was sent can be read at the other end");
    check_that(ioctl(ends[0], FIONREAD, &waiting) == 0 && waiting == 5, "FIONREAD counts it");
    check_that(read(ends[0], buffer, 100) == 5 && memcmp(buffer, "gnop!", 5) == 0, "one way");
    check_that(read(ends[1], buffer, 2) == 2 && read(ends[1], buffer + 2, 9) == 2 && memcmp(buffer, "ping", 4) == 0,
               "the other, in pieces");
    check_that(send(ends[0], "more", 4, 0) == 4 && recv(ends[1], buffer, 9, 0) == 4, "send and recv do the same");
    check_that(fstat(ends[0], &status) == 0 && S_ISSOCK(status.st_mode), "fstat says that it is a socket");
    check_that(refused(lseek(ends[0], 0, SEEK_SET), ESPIPE), "which has no offset");
    check_that(getsockopt(ends[0], SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM && length == sizeof type,
               "SO_TYPE is SOCK_STREAM");
    socket_pair_close(ends);
}

/* A child sends `bytes` in pieces of `piece` with a nap before each. */
static pid_t
sender_start(size_t bytes, size_t piece)
{
    pid_t child = check_fork();

    if (child != 0)
        return child;
    close(ends[0]);
    for (size_t at = 0; at < bytes; at += piece) {
        if (piece < bytes)
            nanosleep(&(struct timespec){ .tv_nsec = NAP_MILLISECONDS * 1000000L }, NULL);
        memset(buffer + at, 'a' + at / piece % 26, piece);
        if (write(ends[1], buffer + at, piece) != (ssize_t) piece)
            _exit(1);
    }
    _exit(0);
}

static void
waiting_check(void)
{
    pid_t child;
    ssize_t sum = 0, got;

    socket_pair_open(ends, SOCK_STREAM);
    child = sender_start(8, 4);
    check_that(read(ends[0], buffer, 100) == 4, "a read waits for bytes, and takes what there is");
    check_that(read(ends[0], buffer, 100) == 4, "again");
    close(ends[1]);
    check_that(read(ends[0], buffer, 100) == 0 && check_wait(child) == 0, "until the other end is closed");
    close(ends[0]);

    socket_pair_open(ends, SOCK_STREAM);
    child = sender_start(12, 4);
    close(ends[1]);
    check_that(recv(ends[0], buffer, 10, MSG_WAITALL) == 10, "MSG_WAITALL waits for all");
    check_that(recv(ends[0], buffer, 10, MSG_WAITALL) == 2, "or for the end");
    check_wait(child);
    close(ends[0]);

    socket_pair_open(ends, SOCK_STREAM);
    child = sender_start(LONG_BYTES, LONG_BYTES);
    close(ends[1]);
    while ((got = read(ends[0], buffer, sizeof buffer)) > 0)
        sum += got;
    check_that(got == 0 && sum == LONG_BYTES && check_wait(child) == 0, "a write of more than fits waits for the reader");
    close(ends[0]);
}

static void
at_once_check(void)
{
    long sum = 0;

    socket_pair_open(ends, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
    check_that(fcntl(ends[0], F_GETFD) == FD_CLOEXEC && (fcntl(ends[1], F_GETFL) & O_NONBLOCK), "flags of the type apply to both ends");
    check_that(refused(read(ends[0], buffer, 1), EAGAIN), "SOCK_NONBLOCK: nothing there, EAGAIN");
    while (write(ends[0], buffer, 4096) > 0)
        sum += 4096;
    check_that(errno == EAGAIN && sum >= 4096, "full: EAGAIN");
    check_that(socket_pair_events(ends[0]) == 0, "and poll does not call it writable");
    while (read(ends[1], buffer, sizeof buffer) > 0)
        continue;
    check_that(socket_pair_events(ends[0]) == POLLOUT, "before it is emptied");
    socket_pair_close(ends);
    socket_pair_open(ends, SOCK_STREAM);
    check_that(refused(recv(ends[0], buffer, 1, MSG_DONTWAIT), EAGAIN), "MSG_DONTWAIT does the same for one call");
    socket_pair_close(ends);
}

static void
end_check(void)
{
    signal(SIGPIPE, note_broken);
    socket_pair_open(ends, SOCK_STREAM);
    write(ends[0], "last", 4);
    check_that(shutdown(ends[0], SHUT_WR) == 0, "one end is shut for writing");
    check_that(refused(write(ends[0], "x", 1), EPIPE) && broken == 1, "it cannot write: EPIPE and SIGPIPE");
    check_that(refused(send(ends[0], "x", 1, MSG_NOSIGNAL), EPIPE) && broken == 1, "MSG_NOSIGNAL: EPIPE alone");
    check_that(socket_pair_events(ends[1]) == (POLLIN | POLLOUT | POLLRDHUP), "the other end sees POLLRDHUP");
    check_that(read(ends[1], buffer, 9) == 4 && read(ends[1], buffer, 9) == 0, "reads what was sent, and the end");
    check_that(write(ends[1], "still", 5) == 5 && read(ends[0], buffer, 9) == 5, "and can still answer");
    socket_pair_close(ends);

    socket_pair_open(ends, SOCK_STREAM);
    write(ends[0], "kept", 4);
    close(ends[0]);
    check_that(socket_pair_events(ends[1]) == (POLLIN | POLLOUT | POLLRDHUP | POLLHUP), "a closed end hangs up");
    check_that(read(ends[1], buffer, 9) == 4 && read(ends[1], buffer, 9) == 0, "what it had sent can be read");
    check_that(refused(write(ends[1], "x", 1), EPIPE) && broken == 2, "but nothing sent to it");
    close(ends[1]);

    socket_pair_open(ends, SOCK_STREAM);
    check_that(shutdown(ends[0], SHUT_RD) == 0 && read(ends[0], buffer, 1) == 0, "an end shut for reading reads the end");
    check_that(refused(write(ends[1], "x", 1), EPIPE), "and the other cannot write");
    check_that(refused(shutdown(ends[0], 3), EINVAL), "there is no fourth way to shut");
    socket_pair_close(ends);
}

static void
refusal_check(void)
{
    int pipe_ends[2];

    check_that(refused(socketpair(AF_INET, SOCK_STREAM, 0, ends), EOPNOTSUPP) || errno == EAFNOSUPPORT, "no pair of another family");
    check_that(refused(socketpair(AF_UNIX, SOCK_STREAM, 77, ends), EPROTONOSUPPORT), "nor of another protocol");
    check_that(refused(socketpair(AF_UNIX, 9, 0, ends), ESOCKTNOSUPPORT), "nor of a type that does not exist");
    check_that(refused(socketpair(AF_UNIX, SOCK_STREAM, 0, (int *) -4096), EFAULT), "descriptors to nowhere");
    check_that(refused(send(-1, "x", 1, 0), EBADF), "send: EBADF");
    check_that(pipe(pipe_ends) == 0 && refused(send(pipe_ends[1], "x", 1, 0), ENOTSOCK), "a pipe is no socket");
    check_that(refused(shutdown(pipe_ends[0], SHUT_RD), ENOTSOCK), "and cannot be shut");
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    socklen_t room = sizeof(int);
    check_that(refused(getsockopt(-1, SOL_SOCKET, SO_TYPE, buffer, &room), EBADF), "getsockopt: EBADF");
    socket_pair_open(ends, SOCK_STREAM);
    check_that(refused(getsockopt(ends[0], SOL_SOCKET, SO_TYPE, buffer, (void *) -4096), EFAULT), "an option's size from nowhere");
    room = 100;
    check_that(write(ends[0], "y", 1) == 1 && recvfrom(ends[1], buffer, 1, 0, (void *) pipe_ends, &room) == 1 && room == 0, "a sender without an address");
    check_that(write(ends[0], "y", 1) == 1 && refused(recvfrom(ends[1], buffer, 1, 0, (void *) pipe_ends, (void *) -4096), EFAULT), "its size to nowhere");
    check_that(refused(write(ends[0], (void *) -4096, 1), EFAULT), "bytes from nowhere");
    check_that(write(ends[0], "y", 1) == 1 && refused(read(ends[1], (void *) -4096, 1), EFAULT), "bytes to nowhere");
    check_that(read(ends[1], buffer, 2) == 1 && buffer[0] == 'y', "are not lost");
    socket_pair_close(ends);
}

int
main(void)
{
    bytes_check();
    waiting_check();
    at_once_check();
    end_check();
    refusal_check();
    return check_end();
}
