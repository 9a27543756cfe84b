/*
 * Pipes and FIFOs, and what poll and select say of them, of files and of nothing. How many
 * small writes fit is not shown: Linux packs them into pages, Belady counts bytes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/outcome.h"

#define FIFO "/tmp/fifo"
#define FILE_NAME "/tmp/pipes"

enum { LARGE = 200000 };

static char block[LARGE];
static int ends[2];

static void
pipe_new(int flags)
{
    if (pipe2(ends, flags) != 0)
        exit(EXIT_FAILURE);
}

static void
ends_close(void)
{
    close(ends[0]);
    close(ends[1]);
}

static void
events_show(int descriptor, const char *what)
{
    struct pollfd entry = { descriptor, POLLIN | POLLOUT | POLLPRI | POLLRDNORM | POLLWRNORM, 0 };
    int count = poll(&entry, 1, 0);
    int events = entry.revents;

    tell("poll of %s: %d%s%s%s%s%s%s%s", what, count, events & POLLIN ? " IN" : "", events & POLLOUT ? " OUT" : "",
         events & POLLPRI ? " PRI" : "", events & POLLRDNORM ? " RDNORM" : "", events & POLLHUP ? " HUP" : "",
         events & POLLERR ? " ERR" : "", events & POLLNVAL ? " NVAL" : "");
}

/* ---- Capacity ------------------------------------------------------------------------------------------------------------- */

static void
capacity_show(void)
{
    int waiting;

    pipe_new(O_NONBLOCK);
    outcome(fcntl(ends[0], F_GETPIPE_SZ), "capacity");
    outcome(write(ends[1], block, LARGE), "a large write");
    outcome(write(ends[1], block, 1), "one more byte");
    ioctl(ends[1], FIONREAD, &waiting);
    tell("it holds %d", waiting);
    outcome(read(ends[0], block, 4095), "read 4095");
    outcome(write(ends[1], block, 4096), "a page still does not fit");
    outcome(read(ends[0], block, 1), "read 1");
    outcome(write(ends[1], block, 4096), "now it does");
    outcome(read(ends[0], block, 100), "read 100");
    outcome(fcntl(ends[1], F_SETPIPE_SZ, 4096), "F_SETPIPE_SZ smaller than what it holds");
    outcome(read(ends[0], block, LARGE), "read all");
    outcome(read(ends[0], block, 1), "and once more");
    outcome(fcntl(ends[1], F_SETPIPE_SZ, 4096), "F_SETPIPE_SZ 4096");
    outcome(write(ends[1], block, LARGE), "a large write");
    outcome(fcntl(ends[1], F_SETPIPE_SZ, 100000), "F_SETPIPE_SZ 100000");
    outcome(write(ends[1], block, LARGE), "a large write");
    outcome(fcntl(ends[1], F_SETPIPE_SZ, 0), "F_SETPIPE_SZ 0");
    outcome(fcntl(ends[1], F_SETPIPE_SZ, -1), "F_SETPIPE_SZ -1");
    ends_close();
}

/* ---- Ends ------------------------------------------------------------------------------------------------------------------ */

static void
write_to_nobody(void)
{
    write(ends[1], block, 1);
}

static void
ends_show(void)
{
    pipe_new(0);
    outcome(lseek(ends[0], 0, SEEK_CUR), "lseek");
    outcome(pread(ends[0], block, 1, 0), "pread");
    outcome(pwrite(ends[1], block, 1, 0), "pwrite");
    outcome(read(ends[1], block, 1), "read from the writing end");
    outcome(write(ends[0], block, 1), "write to the reading end");
    outcome(ftruncate(ends[1], 0), "ftruncate");
    outcome(fsync(ends[1]), "fsync");
    outcome(write(ends[1], block, 0), "write of nothing");
    outcome(writev(ends[1], (struct iovec[]){ { block, 3 }, { NULL, 0 }, { block, 4 } }, 3), "writev 3, 0, 4");
    outcome(readv(ends[0], (struct iovec[]){ { block, 2 }, { block, 100 } }, 2), "readv 2, 100");
    outcome(write(ends[1], NULL, 1), "write from nowhere");
    outcome(fcntl(ends[0], F_GETFL), "flags of the reading end");
    outcome(fcntl(ends[1], F_GETFL), "flags of the writing end");
    outcome(ioctl(ends[0], TCGETS, block), "TCGETS");
    outcome(pipe2(ends, 0x40000000), "pipe2 with wrong flags");
    pipe_new(0);
    close(ends[1]);
    outcome(read(ends[0], block, 1), "end of file");
    pipe_new(0);
    close(ends[0]);
    outcome_of_child(write_to_nobody, "a write that nobody can read");
    signal(SIGPIPE, SIG_IGN);
    outcome(write(ends[1], block, 1), "without a reader");
    outcome(write(ends[1], block, 0), "nothing, without a reader");
    close(ends[1]);
}

/* ---- FIFOs ------------------------------------------------------------------------------------------------------------------ */

static void
fifo_show(void)
{
    struct stat status;

    outcome(mkfifo(FIFO, 0640), "mkfifo");
    outcome(mkfifo(FIFO, 0640), "mkfifo again");
    stat(FIFO, &status);
    tell("mode %o, size %ld", (unsigned) status.st_mode, (long) status.st_size);
    outcome(open(FIFO, O_WRONLY | O_NONBLOCK), "open to write without a reader, O_NONBLOCK");
    int reader = open(FIFO, O_RDONLY | O_NONBLOCK);
    tell("open to read, O_NONBLOCK: %d", reader >= 0);
    outcome(read(reader, block, 10), "read without a writer");
    events_show(reader, "a fifo that never had a writer");
    int writer = open(FIFO, O_WRONLY | O_NONBLOCK);
    tell("open to write: %d", writer >= 0);
    outcome(read(reader, block, 10), "read with a writer");
    events_show(reader, "a fifo with a writer");
    write(writer, "abc", 3);
    close(writer);
    events_show(reader, "a fifo whose writer has gone, with bytes");
    outcome(read(reader, block, 10), "read what is left");
    outcome(read(reader, block, 10), "and the end");
    events_show(reader, "a fifo whose writer has gone");
    close(reader);
    int both = open(FIFO, O_RDWR);
    outcome(write(both, "x", 1), "open to read and write: write");
    outcome(read(both, block, 10), "read");
    close(both);
    outcome(unlink(FIFO), "unlink");
}

/* ---- poll and select --------------------------------------------------------------------------------------------------------- */

static void
poll_show(void)
{
    int file = open(FILE_NAME, O_RDWR | O_CREAT, 0600), null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDONLY);

    signal(SIGPIPE, SIG_IGN);
    pipe_new(O_NONBLOCK);
    events_show(ends[0], "an empty pipe, reading end");
    events_show(ends[1], "an empty pipe, writing end");
    write(ends[1], block, 1);
    events_show(ends[0], "a pipe with a byte, reading end");
    write(ends[1], block, LARGE);
    events_show(ends[1], "a full pipe, writing end");
    close(ends[1]);
    events_show(ends[0], "a pipe with bytes, no writer");
    read(ends[0], block, LARGE);
    events_show(ends[0], "an empty pipe, no writer");
    close(ends[0]);
    pipe_new(0);
    close(ends[0]);
    events_show(ends[1], "a pipe without a reader");
    close(ends[1]);
    events_show(ends[1], "a closed descriptor");
    events_show(-1, "a negative descriptor");
    events_show(file, "an empty file");
    events_show(null, "/dev/null");
    events_show(zero, "/dev/zero");
    outcome(poll(NULL, 0, 1), "poll of nothing, 1 ms");
    outcome(poll(NULL, 1, 0), "poll of a bad pointer");
    outcome(poll((struct pollfd *) block, 1u << 30, 0), "poll of too many");
    outcome(ppoll(NULL, 0, &(struct timespec){ 0, -1 }, NULL), "ppoll with a negative time");
    close(file);
    unlink(FILE_NAME);
}

static void
select_show(void)
{
    fd_set reading, writing, other;
    struct timeval time = { 0, 20000 };

    pipe_new(0);
    FD_ZERO(&reading);
    FD_ZERO(&writing);
    FD_ZERO(&other);
    FD_SET(ends[0], &reading);
    FD_SET(ends[1], &writing);
    FD_SET(ends[0], &other);
    outcome(select(ends[1] + 1, &reading, &writing, &other, &time), "select");
    tell("  reading %d, writing %d, other %d", FD_ISSET(ends[0], &reading), FD_ISSET(ends[1], &writing), FD_ISSET(ends[0], &other));
    FD_SET(ends[0], &reading);
    outcome(select(ends[0] + 1, &reading, NULL, NULL, &time), "select in vain");
    tell("  reading %d, time left %ld", FD_ISSET(ends[0], &reading), (long) (time.tv_sec + time.tv_usec));
    FD_SET(ends[0], &reading);
    outcome(select(-1, &reading, NULL, NULL, &time), "select of a negative number");
    outcome(select(0, NULL, NULL, NULL, &(struct timeval){ -1, 0 }), "select with a negative time");
    ends_close();
    outcome(select(ends[0] + 1, &reading, NULL, NULL, &time), "select of a closed descriptor");
    outcome(pselect(0, NULL, NULL, NULL, &(struct timespec){ 0, 1000000000 }, NULL), "pselect with too many nanoseconds");
}

int
main(void)
{
    capacity_show();
    outcome_of_child(ends_show, "ends");
    fifo_show();
    outcome_of_child(poll_show, "poll");
    outcome_of_child(select_show, "select");
    return EXIT_SUCCESS;
}
