/*
 * No call keeps a file: whatever it is asked, and whatever comes of it, a file whose last descriptor is closed after the call is closed
 * then. Each call that takes descriptors is made with many arguments, with a pipe, a socket and a file, and the other side looks.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "user/lib/check.h"

enum { OTHER_FILES = 3, FILES_END = 32, BYTES = 64 };

#define NOWHERE 16      /* an address where nothing is */

static int held, other;
static long zeroes[BYTES];

/* ---- Kinds of files: each opens `held`, and says whether it has been closed since ---- */

static void
pipe_open(void)
{
    int ends[2];

    pipe2(ends, O_NONBLOCK);
    held = ends[0];
    other = ends[1];
}

static bool
pipe_is_closed(void)
{
    return write(other, "x", 1) == -1 && errno == EPIPE;
}

static void
pipe_open_writer(void)
{
    int ends[2];

    pipe2(ends, O_NONBLOCK);
    held = ends[1];
    other = ends[0];
}

/* What has been written is read first. */
static bool
reader_sees_end(void)
{
    char bytes[BYTES];
    ssize_t length;

    while ((length = read(other, bytes, sizeof bytes)) > 0)
        continue;
    return length == 0 || errno == ECONNRESET;
}

static void
socket_open(void)
{
    int pair[2];

    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
    held = pair[0];
    other = pair[1];
}

static void
file_open(void)
{
    unlink("/tmp/held_files");      /* which may have been made unreadable */
    held = open("/tmp/held_files", O_CREAT | O_RDWR, 0600);
    other = open("/tmp/held_files", O_RDWR);
    flock(held, LOCK_EX);
}

static bool
file_is_closed(void)
{
    return flock(other, LOCK_EX | LOCK_NB) == 0;
}

static const struct kind {
    const char *name;
    void (*open)(void);
    bool (*is_closed)(void);
} kinds[] = {
    { "a pipe that is read", pipe_open, pipe_is_closed },
    { "a pipe that is written", pipe_open_writer, reader_sees_end },
    { "a socket", socket_open, reader_sees_end },
    { "a file", file_open, file_is_closed },
};

/* ---- Calls ---- */

/* Where a call takes a descriptor: its first, second or third argument, as bits. */
enum { FIRST = 1, SECOND = 2, THIRD = 4, PAIR = FIRST | SECOND };

#define CALL(name, places) { #name, SYS_##name, places }

static const struct call {
    const char *name;
    long number;
    unsigned places;
} calls[] = {
    CALL(read, FIRST), CALL(write, FIRST), CALL(lseek, FIRST), CALL(_llseek, FIRST), CALL(ioctl, FIRST), CALL(fcntl64, FIRST),
    CALL(ftruncate64, FIRST), CALL(fchmod, FIRST), CALL(fchown32, FIRST), CALL(fchdir, FIRST), CALL(fstatfs64, FIRST), CALL(fsync, FIRST),
    CALL(fdatasync, FIRST), CALL(fstat64, FIRST), CALL(flock, FIRST), CALL(getdents64, FIRST), CALL(readv, FIRST), CALL(writev, FIRST),
    CALL(pread64, FIRST), CALL(pwrite64, FIRST), CALL(preadv, FIRST), CALL(pwritev, FIRST), CALL(sendfile64, PAIR), CALL(splice, FIRST | THIRD),
    CALL(tee, PAIR), CALL(vmsplice, FIRST), CALL(copy_file_range, FIRST | THIRD), CALL(fallocate, FIRST), CALL(fadvise64_64, FIRST),
    CALL(openat, FIRST), CALL(mkdirat, FIRST), CALL(unlinkat, FIRST), CALL(fchownat, FIRST), CALL(fchmodat, FIRST), CALL(faccessat, FIRST),
    CALL(fstatat64, FIRST), CALL(linkat, FIRST | THIRD), CALL(symlinkat, SECOND), CALL(readlinkat, FIRST), CALL(renameat2, FIRST | THIRD),
    CALL(statx, FIRST), CALL(dup, FIRST), CALL(sendto, FIRST), CALL(recvfrom, FIRST), CALL(shutdown, FIRST),
    CALL(getsockopt, FIRST), CALL(setsockopt, FIRST), CALL(sendmsg, FIRST), CALL(recvmsg, FIRST), CALL(accept4, FIRST), CALL(listen, FIRST),
    CALL(bind, FIRST), CALL(connect, FIRST), CALL(syncfs, FIRST), CALL(readahead, FIRST), CALL(inotify_add_watch, FIRST),
};

/* What stands in all other places. */
static const long fillings[] = { 0, -1, 1, NOWHERE, (long) 0x80000000, 6, 8, FILES_END - 1 };

/* The filling in all places, but for the descriptor in one of them, or in all; and memory there where an address may be. */
static void
call_make(const struct call *call, unsigned places, long filling, bool has_memory)
{
    long arguments[6];

    for (unsigned i = 0; i < 6; i++)
        arguments[i] = places >> i & 1 ? held : has_memory && i % 2 == 1 ? (long) zeroes : filling;
    memset(zeroes, 0, sizeof zeroes);
    syscall(call->number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}

/* Whether the file is closed with its last descriptor after such a call. */
static bool
is_released(const struct kind *kind, const struct call *call, unsigned places, long filling, bool has_memory)
{
    kind->open();
    int kept = fcntl(other, F_DUPFD, FILES_END);
    call_make(call, places, filling, has_memory);
    for (int file = OTHER_FILES; file < FILES_END; file++)
        close(file);
    other = kept;
    bool closed = kind->is_closed();
    close(other);
    return closed;
}

static bool
call_releases(const struct kind *kind, const struct call *call)
{
    unsigned all = call->places;

    for (size_t i = 0; i < sizeof fillings / sizeof *fillings; i++)
        for (unsigned first = all; first != 0; first &= first - 1)
            for (int has_memory = 0; has_memory < 2; has_memory++)
                if (!is_released(kind, call, first & -first, fillings[i], has_memory) || !is_released(kind, call, all, fillings[i], has_memory)) {
                    check_note("%s with %ld, %s", call->name, fillings[i], has_memory ? "and memory" : "without memory");
                    return false;
                }
    return true;
}

int
main(void)
{
    signal(SIGPIPE, SIG_IGN);
    for (int file = OTHER_FILES; file < FILES_END; file++)
        close(file);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        bool all = true;
        for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
            all &= call_releases(&kinds[k], &calls[i]);
        check_that(all, "%s is closed with its last descriptor, whatever it was used for", kinds[k].name);
    }
    unlink("/tmp/held_files");
    return check_end();
}
