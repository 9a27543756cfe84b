/*
 * Sockets that keep messages apart (SOCK_DGRAM, SOCK_SEQPACKET), looking without taking (MSG_PEEK), messages in
 * segments (sendmsg, recvmsg), and what a socket says of itself.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/socket_pair.h"

enum { BUFFER_BYTES = 256 * 1024, LARGE_BYTES = 100 * 1000 };

static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
static const char *const type_names[] = { "stream", "datagrams", "packets" };

static int ends[2];
static char buffer[BUFFER_BYTES], sent[BUFFER_BYTES];
static volatile sig_atomic_t broken;

static void
note_broken(int signal)
{
    (void) signal;
    broken++;
}

static bool
received(int end, const char *text)
{
    ssize_t length = (ssize_t) strlen(text);

    return recv(end, buffer, sizeof buffer, MSG_DONTWAIT) == length && memcmp(buffer, text, length) == 0;
}

/* ---- messages ---- */

static void
boundaries_check(int type, const char *name)
{
    int waiting;

    socket_pair_open(ends, type);
    check_that(write(ends[0], "one", 3) == 3 && write(ends[0], "seven", 5) == 5 && write(ends[0], "", 0) == 0, "%s: three messages, one of them empty", name);
    check_that(ioctl(ends[1], FIONREAD, &waiting) == 0 && waiting == (type == SOCK_DGRAM ? 3 : 8), "%s: FIONREAD", name);
    check_that(received(ends[1], "one") && received(ends[1], "seven"), "%s: each is received by itself", name);
    check_that(received(ends[1], ""), "%s: the empty one too", name);
    check_that(refused(recv(ends[1], buffer, 1, MSG_DONTWAIT), EAGAIN), "%s: then there is none", name);
    write(ends[0], "truncated", 9);
    write(ends[0], "next", 4);
    check_that(read(ends[1], buffer, 5) == 5 && memcmp(buffer, "trunc", 5) == 0, "%s: what the reader has no room for", name);
    check_that(received(ends[1], "next"), "%s: is lost", name);
    write(ends[0], "truncated", 9);
    check_that(recv(ends[1], buffer, 5, MSG_TRUNC) == 9, "%s: MSG_TRUNC tells how long it was", name);
    write(ends[0], "gone", 4);
    check_that(refused(read(ends[1], (void *) 4096, 4), EFAULT), "%s: a message to nowhere", name);
    check_that(refused(recv(ends[1], buffer, 9, MSG_DONTWAIT), EAGAIN), "%s: is lost as well", name);
    write(ends[0], "all", 3);
    check_that(recv(ends[1], buffer, 9, MSG_WAITALL) == 3, "%s: MSG_WAITALL waits for no second message", name);
    write(ends[0], "all", 3);
    check_that(read(ends[1], buffer, 0) == 0 && received(ends[1], "all"), "%s: reading nothing takes nothing", name);
    write(ends[0], "all", 3);
    check_that(recv(ends[1], buffer, 0, 0) == 0 && refused(recv(ends[1], buffer, 1, MSG_DONTWAIT), EAGAIN), "%s: receiving nothing takes a message", name);
    socket_pair_close(ends);
}

static void
size_check(int type, const char *name)
{
    int limit = 0;
    long count = 0;
    socklen_t length = sizeof limit;

    socket_pair_open(ends, type);
    for (int i = 0; i < LARGE_BYTES; i++)
        sent[i] = (char) (i % 251);
    check_that(write(ends[0], sent, LARGE_BYTES) == LARGE_BYTES, "%s: a message of %d bytes", name, LARGE_BYTES);
    check_that(read(ends[1], buffer, sizeof buffer) == LARGE_BYTES && memcmp(buffer, sent, LARGE_BYTES) == 0, "%s: comes in one piece", name);
    check_that(getsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &limit, &length) == 0 && limit > LARGE_BYTES, "%s: SO_SNDBUF", name);
    check_that(refused(send(ends[0], sent, limit, MSG_DONTWAIT), EMSGSIZE), "%s: one as large as SO_SNDBUF is refused, not waited for", name);
    while (send(ends[0], sent, 1000, MSG_DONTWAIT) == 1000)
        count++;
    check_that(errno == EAGAIN && count >= 20 && count <= limit / 1000, "%s: so many bytes can be on their way", name);
    check_that(socket_pair_events(ends[0]) == 0, "%s: and no more: poll says so", name);
    while (recv(ends[1], buffer, sizeof buffer, MSG_DONTWAIT) == 1000)
        count--;
    check_that(count == 0 && socket_pair_events(ends[0]) == POLLOUT, "%s: all come, and then there is room", name);
    socket_pair_close(ends);
}

/* ---- looking ---- */

static void
peek_check(int type, const char *name)
{
    socket_pair_open(ends, type);
    check_that(refused(recv(ends[1], buffer, 9, MSG_PEEK | MSG_DONTWAIT), EAGAIN), "%s: MSG_PEEK at nothing", name);
    write(ends[0], "look", 4);
    write(ends[0], "again", 5);
    check_that(recv(ends[1], buffer, 2, MSG_PEEK) == 2 && memcmp(buffer, "lo", 2) == 0, "%s: MSG_PEEK shows what comes first", name);
    check_that(recv(ends[1], buffer, 9, MSG_PEEK) == (type == SOCK_STREAM ? 9 : 4), "%s: in a stream all, else one message", name);
    check_that(recv(ends[1], buffer, 2, MSG_PEEK | MSG_TRUNC) == (type == SOCK_STREAM ? 2 : 4), "%s: with MSG_TRUNC the message's length", name);
    check_that(refused(recv(ends[1], (void *) -4096, 2, MSG_PEEK), EFAULT), "%s: to nowhere", name);
    check_that(received(ends[1], type == SOCK_STREAM ? "lookagain" : "look"), "%s: and all is still there", name);
    socket_pair_close(ends);
}

/* ---- the end ---- */

static void
packets_end_check(void)
{
    broken = 0;
    socket_pair_open(ends, SOCK_SEQPACKET);
    write(ends[0], "last", 4);
    check_that(shutdown(ends[0], SHUT_WR) == 0 && refused(write(ends[0], "x", 1), EPIPE), "packets: an end that is shut for writing");
    check_that(broken == 0, "packets: EPIPE without SIGPIPE");
    check_that(socket_pair_events(ends[1]) == (POLLIN | POLLOUT | POLLRDHUP), "packets: the other end sees it");
    check_that(received(ends[1], "last") && recv(ends[1], buffer, 9, 0) == 0 && recv(ends[1], buffer, 9, MSG_DONTWAIT) == 0, "packets: and the end of all");
    socket_pair_close(ends);
    socket_pair_open(ends, SOCK_SEQPACKET);
    write(ends[0], "kept", 4);
    close(ends[0]);
    check_that(socket_pair_events(ends[1]) == (POLLIN | POLLOUT | POLLRDHUP | POLLHUP), "packets: a closed end hangs up");
    check_that(received(ends[1], "kept") && recv(ends[1], buffer, 9, 0) == 0, "packets: what it sent is still there");
    check_that(refused(write(ends[1], "x", 1), EPIPE), "packets: nothing can be sent to it");
    close(ends[1]);
}

/* An end that refuses no more once it is closed; and what is lost with who was refused. */
static void
datagrams_refused_check(void)
{
    socket_pair_open(ends, SOCK_DGRAM);
    write(ends[0], "lost", 4);
    shutdown(ends[0], SHUT_RD);
    close(ends[0]);
    check_that(socket_pair_events(ends[1]) == (POLLIN | POLLOUT) && refused(write(ends[1], "x", 1), ECONNREFUSED),
               "datagrams: a closed end is nobody, also where it received no more");
    check_that(refused(recv(ends[1], buffer, 9, MSG_DONTWAIT), EAGAIN), "datagrams: who was refused has lost what had come");
    close(ends[1]);
}

/* Datagrams know of no connection that could end. */
static void
datagrams_end_check(void)
{
    socket_pair_open(ends, SOCK_DGRAM);
    check_that(shutdown(ends[0], SHUT_WR) == 0 && refused(write(ends[0], "x", 1), EPIPE), "datagrams: an end that is shut for writing");
    check_that(socket_pair_events(ends[1]) == POLLOUT && refused(recv(ends[1], buffer, 9, MSG_DONTWAIT), EAGAIN), "datagrams: the other does not know");
    check_that(write(ends[1], "back", 4) == 4 && received(ends[0], "back"), "datagrams: and can send");
    check_that(shutdown(ends[0], SHUT_RD) == 0 && refused(write(ends[1], "x", 1), EPIPE), "datagrams: until the receiver refuses");
    check_that(read(ends[0], buffer, 1) == 0, "datagrams: who does not wait any more");
    check_that(refused(recv(ends[0], buffer, 1, MSG_DONTWAIT), EAGAIN), "datagrams: but without waiting learns of no end");
    check_that(broken == 0, "datagrams: no SIGPIPE");
    socket_pair_close(ends);
    socket_pair_open(ends, SOCK_DGRAM);
    write(ends[0], "kept", 4);
    close(ends[0]);
    check_that(socket_pair_events(ends[1]) == (POLLIN | POLLOUT), "datagrams: a closed end does not hang up");
    check_that(received(ends[1], "kept") && refused(recv(ends[1], buffer, 9, MSG_DONTWAIT), EAGAIN), "datagrams: what it sent is still there");
    check_that(refused(write(ends[1], "x", 1), ECONNREFUSED), "datagrams: who sends to it learns that nobody is there");
    check_that(refused(write(ends[1], "x", 1), ENOTCONN), "datagrams: and then has nobody to send to");
    close(ends[1]);
    datagrams_refused_check();
}

/* Who closes an end with bytes in it that were sent to it tells the sender so. */
static void
reset_check(int type, const char *name)
{
    int error = 0;
    socklen_t length = sizeof error;

    for (int ask = 0; ask < 2; ask++) {
        socket_pair_open(ends, type);
        write(ends[1], "never read", 10);
        close(ends[0]);
        check_that((socket_pair_events(ends[1]) & POLLERR) != 0, "%s: closed without having received all: POLLERR", name);
        if (ask == 0)
            check_that(refused(read(ends[1], buffer, 1), ECONNRESET), "%s: ECONNRESET", name);
        else
            check_that(getsockopt(ends[1], SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == ECONNRESET, "%s: SO_ERROR tells it", name);
        check_that(read(ends[1], buffer, 1) == 0, "%s: once", name);
        close(ends[1]);
    }
}

/* ---- what a socket says ---- */

static void
names_check(int type, const char *name)
{
    struct sockaddr_un address = { .sun_family = 77 };
    socklen_t length = sizeof address;
    int value = -1;
    socklen_t value_length = sizeof value;

    socket_pair_open(ends, type);
    check_that(getsockopt(ends[0], SOL_SOCKET, SO_TYPE, &value, &value_length) == 0 && value == type, "%s: SO_TYPE", name);
    check_that(getsockopt(ends[0], SOL_SOCKET, SO_ERROR, &value, &value_length) == 0 && value == 0, "%s: SO_ERROR", name);
    check_that(getsockname(ends[0], (void *) &address, &length) == 0 && length == sizeof(sa_family_t) && address.sun_family == AF_UNIX, "%s: getsockname tells the family alone", name);
    address.sun_family = 77;
    length = sizeof address;
    check_that(getpeername(ends[0], (void *) &address, &length) == 0 && length == sizeof(sa_family_t) && address.sun_family == AF_UNIX, "%s: so does getpeername", name);
    length = 1;
    memset(&address, 77, sizeof address);
    check_that(getsockname(ends[0], (void *) &address, &length) == 0 && length == sizeof(sa_family_t) && ((char *) &address)[1] == 77, "%s: no more than there is room for", name);
    length = -1;
    check_that(refused(getsockname(ends[0], (void *) &address, &length), EINVAL), "%s: negative room", name);
    check_that(refused(getsockname(ends[0], (void *) &address, (void *) -4096), EFAULT), "%s: room to nowhere", name);
    length = sizeof address;
    check_that(refused(getpeername(ends[0], (void *) -4096, &length), EFAULT), "%s: a name to nowhere", name);
    check_that(refused(listen(ends[0], 1), type == SOCK_DGRAM ? EOPNOTSUPP : EINVAL), "%s: one of a pair cannot listen", name);
    check_that(refused(accept(ends[0], NULL, NULL), type == SOCK_DGRAM ? EOPNOTSUPP : EINVAL), "%s: nor accept", name);
    close(ends[1]);
    length = sizeof address;
    check_that(getpeername(ends[0], (void *) &address, &length) == 0, "%s: the peer's name is known after its end", name);
    close(ends[0]);
}

/* ---- segments ---- */

static void
segments_check(int type, const char *name)
{
    char first[3], second[8];
    struct iovec out[] = { { "ab", 2 }, { "", 0 }, { "cdef", 4 } };
    struct iovec in[] = { { first, sizeof first }, { second, sizeof second } };
    struct sockaddr_un address;
    struct msghdr message = { .msg_iov = out, .msg_iovlen = 3 };
    struct msghdr answer = { .msg_iov = in, .msg_iovlen = 2, .msg_name = &address, .msg_namelen = sizeof address, .msg_flags = -1 };

    socket_pair_open(ends, type);
    check_that(sendmsg(ends[0], &message, 0) == 6, "%s: sendmsg gathers segments", name);
    check_that(recvmsg(ends[1], &answer, 0) == 6 && memcmp(first, "abc", 3) == 0 && memcmp(second, "def", 3) == 0, "%s: recvmsg scatters them", name);
    check_that(answer.msg_flags == 0 && answer.msg_namelen == 0 && answer.msg_controllen == 0, "%s: without flags and name", name);
    sendmsg(ends[0], &message, MSG_NOSIGNAL);
    answer.msg_iovlen = 1;
    check_that(recvmsg(ends[1], &answer, MSG_DONTWAIT) == 3 && answer.msg_flags == (type == SOCK_STREAM ? 0 : MSG_TRUNC), "%s: msg_flags says what was cut off", name);
    recv(ends[1], buffer, sizeof buffer, MSG_DONTWAIT);
    check_that(refused(recvmsg(ends[1], &answer, MSG_DONTWAIT), EAGAIN), "%s: recvmsg: EAGAIN", name);
    message.msg_iovlen = 1025;
    check_that(refused(sendmsg(ends[0], &message, 0), EMSGSIZE), "%s: too many segments", name);
    message.msg_iovlen = 3;
    out[2].iov_len = -1;
    check_that(refused(sendmsg(ends[0], &message, 0), EINVAL), "%s: a negative segment", name);
    check_that(refused(syscall(SYS_sendmsg, ends[0], -4096, 0), EFAULT), "%s: a message from nowhere", name);
    check_that(refused(syscall(SYS_recvmsg, ends[0], -4096, 0), EFAULT), "%s: to nowhere", name);
    check_that(refused(syscall(SYS_sendmsg, -1, -4096, 0), EBADF) && refused(syscall(SYS_recvmsg, -1, -4096, 0), EBADF), "%s: no descriptor", name);
    socket_pair_close(ends);
}

/* ---- all in one ---- */

static long
socket_call(int call, long a, long b, long c, long d)
{
    return syscall(SYS_socketcall, call, (long[]){ a, b, c, d, 0, 0 });
}

static void
socketcall_check(void)
{
    socklen_t length = sizeof buffer;
    struct iovec segment = { "msg", 3 };
    struct msghdr message = { .msg_iov = &segment, .msg_iovlen = 1 };
    enum { BIND = 2, CONNECT, LISTEN, ACCEPT, NAME, PEER, PAIR, SEND, RECEIVE, SEND_MESSAGE = 16, RECEIVE_MESSAGE };

    check_that(socket_call(PAIR, AF_UNIX, SOCK_SEQPACKET, 0, (long) ends) == 0, "socketcall: socketpair");
    check_that(socket_call(NAME, ends[0], (long) buffer, (long) &length, 0) == 0 && length == 2, "socketcall: getsockname");
    check_that(socket_call(PEER, ends[0], (long) buffer, (long) &length, 0) == 0 && length == 2, "socketcall: getpeername");
    check_that(socket_call(SEND, ends[0], (long) "abc", 3, 0) == 3 && socket_call(RECEIVE, ends[1], (long) buffer, 9, MSG_PEEK) == 3, "socketcall: send and recv");
    check_that(socket_call(RECEIVE, ends[1], (long) buffer, 9, MSG_DONTWAIT) == 3, "socketcall: recv with flags");
    check_that(socket_call(SEND_MESSAGE, ends[0], (long) &message, 0, 0) == 3, "socketcall: sendmsg");
    segment.iov_base = buffer;
    check_that(socket_call(RECEIVE_MESSAGE, ends[1], (long) &message, 0, 0) == 3 && memcmp(buffer, "msg", 3) == 0, "socketcall: recvmsg");
    for (int call = BIND; call <= ACCEPT; call++) {
        check_that(refused(socket_call(call, -1, 0, 0, 0), EBADF), "socketcall %d: no descriptor", call);
        check_that(refused(socket_call(call, 1, 0, 0, 0), ENOTSOCK), "socketcall %d: no socket", call);
    }
    check_that(refused(syscall(SYS_socketcall, 0, buffer), EINVAL) && refused(syscall(SYS_socketcall, 21, buffer), EINVAL), "socketcall: numbers that do not exist");
    check_that(refused(syscall(SYS_socketcall, NAME, -4096), EFAULT), "socketcall: arguments from nowhere");
    socket_pair_close(ends);
}

int
main(void)
{
    signal(SIGPIPE, note_broken);
    for (int i = 1; i < 3; i++) {
        boundaries_check(types[i], type_names[i]);
        size_check(types[i], type_names[i]);
    }
    for (int i = 0; i < 3; i++) {
        peek_check(types[i], type_names[i]);
        names_check(types[i], type_names[i]);
        segments_check(types[i], type_names[i]);
    }
    packets_end_check();
    datagrams_end_check();
    reset_check(SOCK_STREAM, "stream");
    reset_check(SOCK_SEQPACKET, "packets");
    socketcall_check();
    return check_end();
}
