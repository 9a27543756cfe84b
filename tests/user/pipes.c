/*
 * Pipes: order, capacity, blocking at both ends, end of file, SIGPIPE, atomic
 * writes, non-blocking descriptors, and what readiness poll shows.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"

enum {
    BULK = 300000,          /* bytes, more than any pipe holds */
    WRITERS = 4,
    RECORDS = 50,           /* written by each of them */
    RECORD = 512,           /* bytes: PIPE_BUF at most, so each is written as a whole */
    NAP_MICROSECONDS = 20000,
};

static int ends[2];

static void
ends_close(void)
{
    close(ends[0]);
    close(ends[1]);
}

static void
simple_check(void)
{
    char text[16] = "";
    struct stat status;
    int waiting = -1;

    check_that(pipe(ends) == 0 && ends[0] >= 0 && ends[1] > ends[0], "pipe gives two descriptors");
    check_that(write(ends[1], "hello", 5) == 5 && write(ends[1], "world", 5) == 5, "two writes");
    check_that(ioctl(ends[0], FIONREAD, &waiting) == 0 && waiting == 10, "the pipe tells how much it holds");
    check_that(read(ends[0], text, 7) == 7 && memcmp(text, "hellowo", 7) == 0, "bytes come in their order");
    check_that(read(ends[0], text, sizeof text) == 3, "a read takes what there is, and does not wait for more");
    check_that(fstat(ends[0], &status) == 0 && S_ISFIFO(status.st_mode), "fstat calls it a fifo");
    check_that(lseek(ends[0], 0, SEEK_CUR) == -1 && errno == ESPIPE, "it has no position");
    check_that(read(ends[1], text, 1) == -1 && errno == EBADF, "the writing end cannot be read");
    check_that(write(ends[0], text, 1) == -1 && errno == EBADF, "the reading end cannot be written");
    close(ends[1]);
    check_that(read(ends[0], text, 1) == 0, "without writers there is end of file");
    close(ends[0]);
}

static void
broken_check(void)
{
    pipe(ends);
    close(ends[0]);
    signal(SIGPIPE, SIG_IGN);
    check_that(write(ends[1], "x", 1) == -1 && errno == EPIPE, "without readers: EPIPE");
    signal(SIGPIPE, SIG_DFL);
    pid_t child = check_fork();
    if (child == 0)
        _exit(write(ends[1], "x", 1));
    int status = check_wait(child);
    check_that(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE, "and SIGPIPE, which kills");
    close(ends[1]);
}

/* What ends a wait when nothing more can come of it: the other side has gone. */
static void
abandoned_check(void)
{
    static const char more_than_fits[BULK];
    char byte;

    pipe(ends);
    pid_t writer = check_fork();
    if (writer == 0) {
        close(ends[0]);
        write(ends[1], more_than_fits, sizeof more_than_fits);
        _exit(EXIT_SUCCESS);
    }
    usleep(NAP_MICROSECONDS);
    ends_close();
    int status = check_wait(writer);
    check_that(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE, "the last reader closes: a writer that waits for room gets SIGPIPE");

    pipe(ends);
    pid_t reader = check_fork();
    if (reader == 0) {
        close(ends[1]);
        _exit(read(ends[0], &byte, 1) != 0);
    }
    usleep(NAP_MICROSECONDS);
    ends_close();
    check_that(check_wait(reader) == 0, "the last writer closes: a reader that waits gets the end of the file");
}

/* The byte at a place of the bulk: no short period that a lost page could hide behind. */
static unsigned char
bulk_byte(uint32_t place)
{
    return place * 2654435761U >> 24;
}

static void
bulk_check(void)
{
    static unsigned char bulk[BULK];
    uint32_t place = 0;
    bool right = true;
    ssize_t got;

    pipe(ends);
    pid_t child = check_fork();
    if (child == 0) {
        close(ends[0]);
        for (uint32_t i = 0; i < BULK; i++)
            bulk[i] = bulk_byte(i);
        _exit(write(ends[1], bulk, BULK) != BULK);
    }
    close(ends[1]);
    while ((got = read(ends[0], bulk, 1 + place % 7777)) > 0)
        for (ssize_t i = 0; i < got; i++)
            right &= bulk[i] == bulk_byte(place++);
    check_that(right && place == BULK, "%d bytes pass through, in odd portions", BULK);
    check_that(check_wait(child) == 0, "the writer's one write returned them all");
    close(ends[0]);
}

static void
nonblocking_check(void)
{
    char page[PIPE_BUF] = "";
    long total = 0;
    ssize_t now;

    check_that(pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0, "a non-blocking pipe");
    check_that(fcntl(ends[0], F_GETFD) == FD_CLOEXEC, "closed on exec");
    check_that(read(ends[0], page, 1) == -1 && errno == EAGAIN, "nothing to read: EAGAIN");
    while ((now = write(ends[1], page, sizeof page)) > 0)
        total += now;
    check_that(errno == EAGAIN && total == 65536, "full after 64 KiB: EAGAIN (%ld bytes)", total);
    check_that(read(ends[0], page, sizeof page) == sizeof page && write(ends[1], page, sizeof page) == sizeof page,
               "what is taken out makes room");
    struct pollfd writing = { ends[1], POLLOUT, 0 };
    read(ends[0], page, 1);
    check_that(poll(&writing, 1, 0) == 0, "room for less than PIPE_BUF: not writable yet");
    ends_close();
}

/* A buffer whose end cannot be written takes what fits before that, and leaves the rest in the pipe. */
static void
partial_check(void)
{
    static char page[PIPE_BUF];
    char *buffer = mmap(NULL, 2 * PIPE_BUF, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    munmap(buffer + PIPE_BUF, PIPE_BUF);
    pipe(ends);
    memset(page, 'a', sizeof page);
    write(ends[1], page, sizeof page);
    memset(page, 'b', sizeof page);
    write(ends[1], page, sizeof page);
    check_that(read(ends[0], buffer, 2 * PIPE_BUF) == PIPE_BUF && buffer[PIPE_BUF - 1] == 'a',
               "a read into memory that ends half-way gets as much as it can hold");
    check_that(read(ends[0], buffer, PIPE_BUF) == PIPE_BUF && buffer[0] == 'b', "and the next read the rest");
    munmap(buffer, PIPE_BUF);
    ends_close();
}

static void
poll_check(void)
{
    struct pollfd sides[] = { { 0, POLLIN, 0 }, { 0, POLLOUT, 0 } };

    pipe(ends);
    sides[0].fd = ends[0];
    sides[1].fd = ends[1];
    check_that(poll(sides, 2, 0) == 1 && sides[0].revents == 0 && sides[1].revents == POLLOUT, "empty: can be written");
    write(ends[1], "x", 1);
    check_that(poll(sides, 2, 0) == 2 && sides[0].revents == POLLIN, "filled: can be read as well");
    close(ends[1]);
    check_that(poll(sides, 1, 0) == 1 && sides[0].revents == (POLLIN | POLLHUP), "no writer: hung up");
    close(ends[0]);
    check_that(poll(sides, 1, 0) == 1 && sides[0].revents == POLLNVAL, "closed: not valid");
    check_that(poll(NULL, 0, 10) == 0, "poll of nothing is a nap");

    pipe(ends);
    sides[0].fd = ends[0];
    pid_t child = check_fork();
    if (child == 0) {
        usleep(NAP_MICROSECONDS);
        _exit(write(ends[1], "x", 1) != 1);
    }
    check_that(poll(sides, 1, 10000) == 1 && sides[0].revents == POLLIN, "poll wakes up when something comes");
    check_wait(child);
    ends_close();
}

/* Records of different writers do not mix. */
static void
atomic_check(void)
{
    char record[RECORD];
    int records = 0;
    bool whole = true;

    pipe(ends);
    for (int writer = 0; writer < WRITERS; writer++) {
        if (check_fork() != 0)
            continue;
        memset(record, 'a' + writer, RECORD);
        for (int i = 0; i < RECORDS; i++)
            if (write(ends[1], record, RECORD) != RECORD)
                _exit(EXIT_FAILURE);
        _exit(EXIT_SUCCESS);
    }
    close(ends[1]);
    /* Records are no larger than the pipe's unit and divide its capacity, so a read of one record gets one. */
    while (read(ends[0], record, RECORD) == RECORD) {
        whole &= memcmp(record, record + 1, RECORD - 1) == 0;
        records++;
    }
    check_that(whole && records == WRITERS * RECORDS, "%d records from %d writers, none torn", records, WRITERS);
    for (int writer = 0; writer < WRITERS; writer++)
        wait(NULL);
    close(ends[0]);
}

static void
vector_check(void)
{
    char first[3], second[8];
    struct iovec from[] = { { "abc", 3 }, { NULL, 0 }, { "defgh", 5 } };
    struct iovec to[] = { { first, sizeof first }, { second, sizeof second } };

    pipe(ends);
    check_that(writev(ends[1], from, 3) == 8, "writev gathers");
    check_that(readv(ends[0], to, 2) == 8 && memcmp(first, "abc", 3) == 0 && memcmp(second, "defgh", 5) == 0,
               "readv scatters");
    check_that(writev(ends[1], from, -1) == -1 && errno == EINVAL, "a negative number of parts: EINVAL");
    check_that(writev(ends[1], from, 0) == 0, "no parts: nothing");
    ends_close();
}

/* A pipe has 16 pages. What a write has beyond whole pages goes behind what is there, if all of it fits. */
static void
slots_check(void)
{
    enum { PAGE = 4096, SLOTS = 16 };
    static const struct { int bytes, writes; } cases[] = {
        { 1, SLOTS * PAGE }, { 2048, 2 * SLOTS }, { 2049, SLOTS }, { 3000, SLOTS }, { PAGE, SLOTS }, { PAGE + 1, SLOTS * 2 / 3 }, { 3 * PAGE, SLOTS / 3 },
    };
    static char data[3 * PAGE];
    struct pollfd poller;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int writes = 0;

        pipe2(ends, O_NONBLOCK);
        while (write(ends[1], data, (size_t) cases[i].bytes) == cases[i].bytes)
            writes++;
        check_that(writes == cases[i].writes, "a pipe takes %d writes of %d bytes in whole, and did %d", cases[i].writes, cases[i].bytes, writes);
        ends_close();
    }
    pipe2(ends, O_NONBLOCK);
    for (int i = 0; i < SLOTS; i++)
        write(ends[1], data, 3000);
    poller = (struct pollfd) { .fd = ends[1], .events = POLLOUT };
    check_that(poll(&poller, 1, 0) == 0, "without a free page it is full");
    check_that(write(ends[1], data, 1000) == 1000, "though a short write still fits into the last one");
    check_that(write(ends[1], data, 1000) == -1 && errno == EAGAIN, "and no second");
    check_that(read(ends[0], data, 2999) == 2999 && poll(&poller, 1, 0) == 0, "a page that is not empty is not free");
    check_that(read(ends[0], data, 1) == 1 && poll(&poller, 1, 0) == 1, "an empty one is");
    check_that(write(ends[1], data, 2 * PAGE) == PAGE, "a long write puts in what fits");
    ends_close();
}

int
main(void)
{
    simple_check();
    broken_check();
    abandoned_check();
    bulk_check();
    nonblocking_check();
    partial_check();
    poll_check();
    atomic_check();
    slots_check();
    vector_check();
    return check_end();
}
