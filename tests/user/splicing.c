/*
 * Pages through pipes: vmsplice, splice and tee, and the size of a pipe. What
 * bytes arrive is the same as on Linux; where the kernel counts them, pages are
 * seen to move.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/counters.h"

enum {
    PAGE = 4096,
    PAGES = 16,
    BULK_PAGES = 300,       /* more than a pipe holds */
};

static int ends[2], others[2];

static char *
pages(size_t count, char value)
{
    char *base = mmap(NULL, count * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (value)
        for (size_t page = 0; page < count; page++)
            memset(base + page * PAGE, value + page % 20, PAGE);
    return base;
}

static int
holds(const char *base, size_t count, char value)
{
    for (size_t byte = 0; byte < count * PAGE; byte++)
        if (base[byte] != (char) (value + byte / PAGE % 20))
            return 0;
    return 1;
}

static ssize_t
send_pages(int end, char *base, size_t bytes, unsigned flags)
{
    struct iovec segment = { base, bytes };

    return vmsplice(end, &segment, 1, flags);
}

static void
close_all(int *pair)
{
    close(pair[0]);
    close(pair[1]);
}

static void
memory_check(void)
{
    char *from = pages(PAGES, 'a'), *to = pages(PAGES, 0);
    struct counters before, after;

    counters_prepare(&before, COUNTERS_OF_SYSTEM);
    counters_prepare(&after, COUNTERS_OF_SYSTEM);
    check_that(pipe(ends) == 0, "a pipe");
    counters_take(&before, COUNTERS_OF_SYSTEM);
    check_that(send_pages(ends[1], from, PAGES * PAGE, 0) == PAGES * PAGE, "vmsplice sends what a pipe holds");
    check_that(send_pages(ends[1], from, PAGE, SPLICE_F_NONBLOCK) == -1 && errno == EAGAIN, "a full pipe: EAGAIN");
    check_that(send_pages(ends[0], to, PAGES * PAGE, 0) == PAGES * PAGE, "vmsplice on the other end receives it");
    counters_take(&after, COUNTERS_OF_SYSTEM);
    check_that(holds(to, PAGES, 'a'), "what arrived is what was sent");
    long long moved = counter_difference(&before, &after, "pages_moved");
    check_that(moved == COUNTER_MISSING || moved == PAGES, "every page moved");
    long long copied = counter_difference(&before, &after, "pages_copied");
    check_that(copied == COUNTER_MISSING || copied == 0, "and none was copied");
    memset(from, 'x', PAGES * PAGE);
    check_that(holds(to, PAGES, 'a'), "the sender's later writes do not reach the receiver");
    memset(to, 'y', PAGES * PAGE);
    check_that(from[0] == 'x' && from[PAGES * PAGE - 1] == 'x', "nor the receiver's the sender");
    munmap(from, PAGES * PAGE);
    munmap(to, PAGES * PAGE);
    close_all(ends);
}

static void
parts_check(void)
{
    char *from = pages(3, 'a'), text[64] = "";
    struct iovec segments[2] = { { from + 10, 5 }, { from + PAGE - 3, 6 } };

    pipe(ends);
    check_that(vmsplice(ends[1], segments, 2, 0) == 11, "parts of pages, also across their borders");
    check_that(write(ends[1], "tail", 4) == 4, "and bytes behind them");
    check_that(read(ends[0], text, 7) == 7 && memcmp(text, "aaaaaaa", 7) == 0, "come in order");
    check_that(read(ends[0], text, sizeof text) == 8 && memcmp(text, "abbbtail", 8) == 0, "to the last");
    munmap(from, PAGE);
    check_that(vmsplice(ends[1], &(struct iovec){ from, 10 }, 1, 0) == -1 && errno == EFAULT, "an unmapped page: EFAULT");
    check_that(send_pages(STDIN_FILENO + 100, from + PAGE, 1, 0) == -1 && errno == EBADF, "no descriptor: EBADF");
    check_that(send_pages(ends[1], from + PAGE, 1, 0x100) == -1 && errno == EINVAL, "unknown flags: EINVAL");
    check_that(send_pages(ends[1], from + PAGE, 0, 0) == 0, "nothing at all: 0");
    int file = open("/tmp/splicing", O_RDWR | O_CREAT | O_TRUNC, 0600);
    check_that(send_pages(file, from + PAGE, 1, 0) == -1 && errno == EBADF, "a file that is no pipe: EBADF");
    close(file);
    unlink("/tmp/splicing");
    close_all(ends);
}

/* Pages that were never written, of a file, and shared: these have to be copied. */
static void
unmovable_check(void)
{
    char *fresh = pages(1, 0), *to = pages(3, 'z');
    char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    memset(shared, 's', PAGE);
    pipe(ends);
    check_that(send_pages(ends[1], fresh, PAGE, 0) == PAGE && send_pages(ends[1], shared, PAGE, 0) == PAGE,
               "a page never written, and a shared one");
    check_that(read(ends[0], to, 2 * PAGE) == 2 * PAGE, "are read");
    check_that(to[0] == 0 && to[PAGE - 1] == 0 && to[PAGE] == 's' && to[2 * PAGE - 1] == 's', "with what they held");
    send_pages(ends[1], to, PAGE, 0);
    check_that(read(ends[0], shared, PAGE) == PAGE && shared[0] == 0, "a page is received into shared memory");
    send_pages(ends[1], to + PAGE, PAGE, 0);
    mprotect(to + 2 * PAGE, PAGE, PROT_READ);
    check_that(read(ends[0], to + 2 * PAGE, PAGE) == -1 && errno == EFAULT, "but not into memory without write access");
    check_that(read(ends[0], to, PAGE) == PAGE && to[5] == 's', "and is not lost by that");
    close_all(ends);
}

static void
gift_check(void)
{
    char *mail = pages(BULK_PAGES, 0);

    pipe(ends);
    pid_t child = check_fork();
    if (child == 0) {
        char *own = pages(BULK_PAGES, 'a');
        for (size_t sent = 0; sent < BULK_PAGES * PAGE;) {
            ssize_t now = send_pages(ends[1], own + sent, BULK_PAGES * PAGE - sent, SPLICE_F_GIFT);
            if (now <= 0)
                _exit(1);
            sent += now;
        }
        _exit(0);
    }
    close(ends[1]);
    size_t got = 0;
    for (ssize_t now; (now = read(ends[0], mail + got, BULK_PAGES * PAGE - got)) > 0;)
        got += now;
    check_that(got == BULK_PAGES * PAGE && holds(mail, BULK_PAGES, 'a'), "a megabyte as a gift from another process");
    int status = check_wait(child);
    check_that(WIFEXITED(status) && WEXITSTATUS(status) == 0, "which waited while the pipe was full");
    close(ends[0]);
    pid_t reader = check_fork();
    if (reader == 0)
        _exit(!holds(mail, BULK_PAGES, 'a'));
    mail[0] = 'q';
    status = check_wait(reader);
    check_that(WIFEXITED(status) && WEXITSTATUS(status) == 0, "pages that moved are forked like others");
    munmap(mail, BULK_PAGES * PAGE);
}

static void
file_check(void)
{
    char text[32] = "", *big = pages(3, 'a'), *to = pages(3, 'q');
    int in = open("/tmp/splicing-in", O_RDWR | O_CREAT | O_TRUNC, 0600);
    int out = open("/tmp/splicing-out", O_RDWR | O_CREAT | O_TRUNC, 0600);
    loff_t place = 4096, later = 2;

    write(in, big, 3 * PAGE);
    pipe(ends);
    check_that(splice(in, &place, ends[1], NULL, 2 * PAGE, 0) == 2 * PAGE && place == 3 * PAGE, "splice from a file at a place");
    check_that(lseek(in, 0, SEEK_CUR) == 3 * PAGE, "leaves the file's own place alone");
    check_that(splice(in, &place, ends[1], NULL, PAGE, 0) == 0, "at the end of the file there is nothing");
    check_that(read(ends[0], to, 2 * PAGE) == 2 * PAGE && to[0] == 'b' && to[2 * PAGE - 1] == 'c', "read from the pipe");
    write(ends[1], "0123456789", 10);
    check_that(splice(ends[0], NULL, out, NULL, 6, 0) == 6, "splice into a file");
    check_that(splice(ends[0], NULL, out, &later, 100, 0) == 4 && later == 6, "and to a place in it");
    check_that(pread(out, text, sizeof text, 0) == 6 && memcmp(text, "016789", 6) == 0, "where the bytes are now");
    check_that(splice(in, NULL, out, NULL, 1, 0) == -1 && errno == EINVAL, "without a pipe: EINVAL");
    check_that(splice(in, NULL, ends[1], &later, 1, 0) == -1 && errno == ESPIPE, "a pipe has no place: ESPIPE");
    check_that(splice(in, NULL, ends[0], NULL, 1, 0) == -1 && errno == EBADF, "its reading end is not written: EBADF");
    close(in);
    close(out);
    unlink("/tmp/splicing-in");
    unlink("/tmp/splicing-out");
    close_all(ends);
}

/* A page arrives whole where a whole page is asked for, and in no other place; elsewhere its bytes do. */
static void
places_check(void)
{
    char *from = pages(1, 'a'), *to = pages(3, 'q');
    struct iovec segments[2] = { { to, 10 }, { to + PAGE, PAGE - 10 } };
    struct counters before, after;

    pipe(ends);
    send_pages(ends[1], from, PAGE, 0);
    check_that(read(ends[0], to + 1, PAGE) == PAGE && to[0] == 'q' && to[1] == 'a' && to[PAGE] == 'a' && to[PAGE + 1] == 'r',
               "a page is read to a place within a page");
    memset(to, 'q', 2 * PAGE);
    send_pages(ends[1], from, PAGE, 0);
    check_that(readv(ends[0], segments, 2) == PAGE && to[9] == 'a' && to[10] == 'q' && to[PAGE - 1] == 'q' && to[2 * PAGE - 11] == 'a'
               && to[2 * PAGE - 10] == 'q', "and into pieces, beyond which nothing changes");
    counters_prepare(&before, COUNTERS_OF_SYSTEM);
    counters_prepare(&after, COUNTERS_OF_SYSTEM);
    counters_take(&before, COUNTERS_OF_SYSTEM);
    write(ends[1], to, 2 * PAGE);
    read(ends[0], to, 2 * PAGE);
    counters_take(&after, COUNTERS_OF_SYSTEM);
    long long copied = counter_difference(&before, &after, "pages_copied");
    check_that(copied == COUNTER_MISSING || copied == 4, "two pages that are written and read are counted as copied, twice");
    close_all(ends);
}

static void
refusal_check(void)
{
    static char bulk[65536];
    char *from = pages(1, 'a');

    pipe(ends);
    pipe(others);
    check_that(tee(ends[0], others[1], 1, 0x100) == -1 && errno == EINVAL && splice(ends[0], NULL, others[1], NULL, 1, 0x100) == -1 && errno == EINVAL,
               "unknown flags of tee and splice: EINVAL");
    write(ends[1], "x", 1);
    write(others[1], bulk, sizeof bulk);
    close(others[0]);
    signal(SIGPIPE, SIG_IGN);
    check_that(send_pages(others[1], from, PAGE, 0) == -1 && errno == EPIPE && tee(ends[0], others[1], 1, 0) == -1 && errno == EPIPE,
               "a full pipe that nobody reads: EPIPE");
    signal(SIGPIPE, SIG_DFL);
    close(others[1]);
    close_all(ends);
}

static void
tee_check(void)
{
    char *from = pages(2, 'a'), *to = pages(2, 'q'), text[16] = "";

    pipe(ends);
    pipe(others);
    check_that(tee(ends[0], others[1], 10, SPLICE_F_NONBLOCK) == -1 && errno == EAGAIN, "tee of an empty pipe: EAGAIN");
    write(ends[1], "hello", 5);
    send_pages(ends[1], from, PAGE, 0);
    check_that(tee(ends[0], others[1], 1 << 20, 0) == PAGE + 5, "tee takes what there is");
    check_that(read(others[0], text, 5) == 5 && memcmp(text, "hello", 5) == 0, "into the other pipe");
    check_that(read(others[0], to, PAGE) == PAGE && to[0] == 'a' && to[PAGE - 1] == 'a', "to the last byte");
    check_that(splice(ends[0], NULL, others[1], NULL, 7, 0) == 7, "splice moves seven bytes of what is still there");
    check_that(read(others[0], text, 16) == 7 && memcmp(text, "helloaa", 7) == 0, "over to the other pipe");
    check_that(read(ends[0], to, 2 * PAGE) == PAGE - 2, "and leaves the rest");
    check_that(tee(ends[0], ends[1], 1, 0) == -1 && errno == EINVAL, "from a pipe to itself: EINVAL");
    close(ends[1]);
    check_that(tee(ends[0], others[1], 1, 0) == 0, "without writers: 0");
    close(others[0]);
    close(ends[0]);
    pipe(ends);
    write(ends[1], "x", 1);
    signal(SIGPIPE, SIG_IGN);
    check_that(splice(ends[0], NULL, others[1], NULL, 1, 0) == -1 && errno == EPIPE, "without readers: EPIPE");
    signal(SIGPIPE, SIG_DFL);
    close(others[1]);
    close_all(ends);
}

/* A child that runs one call on the pipes, which has to wait. */
static pid_t
waiting_child(ssize_t (*call)(void))
{
    pid_t child = check_fork();

    if (child == 0)
        _exit(call() != 1);
    usleep(20000);
    return child;
}

static ssize_t receive_one(void) { char byte; return read(others[0], &byte, 1); }
static ssize_t move_one(void) { return splice(ends[0], NULL, others[1], NULL, 1, 0); }
static ssize_t write_one(void) { return write(others[1], "x", 1); }

/* Who waits for a pipe is woken by whatever changes it. */
static void
waking_check(void)
{
    static char bulk[65536];

    pipe(ends);
    pipe(others);
    pid_t child = waiting_child(receive_one);
    write(ends[1], "1234", 4);
    tee(ends[0], others[1], 1, 0);
    check_that(check_wait(child) == 0, "a reader is woken by tee");
    child = waiting_child(receive_one);
    splice(ends[0], NULL, others[1], NULL, 1, 0);
    check_that(check_wait(child) == 0, "and by splice");
    write(others[1], bulk, sizeof bulk);
    child = waiting_child(write_one);
    fcntl(others[1], F_SETPIPE_SZ, 2 * sizeof bulk);
    check_that(check_wait(child) == 0, "a writer by a larger pipe");
    close_all(ends);
    close_all(others);
}

/* A splice waits for bytes, and then for room; meanwhile another reads the bytes. */
static void
faster_check(void)
{
    static char bulk[65536];

    pipe(ends);
    pipe(others);
    write(others[1], bulk, sizeof bulk);
    write(ends[1], "x", 1);
    pid_t child = waiting_child(move_one);
    read(ends[0], bulk, 1);
    read(others[0], bulk, sizeof bulk);
    usleep(20000);
    check_that(waitpid(child, NULL, WNOHANG) == 0, "whose bytes another has read while it waited for room waits for others");
    write(ends[1], "y", 1);
    check_that(check_wait(child) == 0 && read(others[0], bulk, 2) == 1 && bulk[0] == 'y', "and moves those");
    close_all(ends);
    close_all(others);
}

static void
size_check(void)
{
    static char bulk[3 * PAGE];

    pipe(ends);
    check_that(fcntl(ends[0], F_GETPIPE_SZ) == 65536, "a pipe holds 64 KiB");
    write(ends[1], bulk, sizeof bulk);
    check_that(fcntl(ends[1], F_SETPIPE_SZ, PAGE) == -1 && errno == EBUSY, "no smaller than what is in it: EBUSY");
    check_that(fcntl(ends[1], F_SETPIPE_SZ, 3 * PAGE) == 4 * PAGE, "sizes are powers of two");
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    check_that(write(ends[1], bulk, sizeof bulk) == PAGE, "then it holds so much");
    check_that(fcntl(ends[1], F_SETPIPE_SZ, 1 << 20) == 1 << 20, "it grows with what is in it");
    size_t more = 0;
    while (write(ends[1], bulk, PAGE) == PAGE)
        more++;
    check_that(more == (1 << 20) / PAGE - 4, "to a megabyte");
    check_that(fcntl(STDIN_FILENO + 100, F_GETPIPE_SZ) == -1 && errno == EBADF, "no descriptor: EBADF");
    close_all(ends);
}

/* Which devices have a part in it, and how sendfile fills a pipe. */
static void
kinds_check(void)
{
    int ends[2], full = open("/dev/full", O_WRONLY), zero = open("/dev/zero", O_RDWR), random = open("/dev/urandom", O_RDONLY);
    int null = open("/dev/null", O_WRONLY), version = open("/proc/version", O_RDONLY), file = open("/tmp/kinds", O_RDWR | O_CREAT, 0600);
    long long offset = 2;

    pipe(ends);
    write(ends[1], "abcdef", 6);
    check_that(splice(ends[0], NULL, null, NULL, 2, 0) == 2, "splice throws away into null");
    check_that(refused(splice(ends[0], NULL, full, NULL, 2, 0), EINVAL) && refused(splice(ends[0], NULL, zero, NULL, 2, 0), EINVAL), "but not full and zero: EINVAL");
    check_that(refused(splice(zero, NULL, ends[1], NULL, 2, 0), EINVAL) && splice(random, NULL, ends[1], NULL, 4, 0) == 4, "it reads random, not zero");
    check_that(splice(version, &offset, ends[1], NULL, 5, 0) == 5 && offset == 7, "and text of /proc from the middle");
    ftruncate(file, 20 * PAGE);
    check_that(sendfile(ends[1], file, NULL, 20 * PAGE) == 13 * PAGE, "sendfile fills a pipe as far as there is room, a page in each place");
    check_that(refused(sendfile(full, file, NULL, 5), EINVAL) && refused(sendfile(null, file, NULL, -1), EINVAL), "sendfile to full, or of less than nothing: EINVAL");
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    lseek(file, 0, SEEK_END);
    check_that(refused(sendfile(ends[1], file, NULL, 5), EAGAIN), "even at a file's end there must be room");
    close(ends[0]);
    signal(SIGPIPE, SIG_IGN);
    check_that(refused(sendfile(ends[1], file, NULL, 0), EPIPE), "and a reader, though there is nothing to send: EPIPE");
    check_that(refused(copy_file_range(version, NULL, file, NULL, 5, 0), EXDEV), "copy_file_range stays within a file system: EXDEV");
    offset = -3;
    check_that(refused(copy_file_range(file, &offset, file, NULL, 5, 0), EOVERFLOW), "an offset that goes round: EOVERFLOW");
    offset = LLONG_MAX;
    check_that(copy_file_range(file, &offset, null, NULL, 5, 0) == -1 && copy_file_range(file, &offset, file, NULL, 5, 0) == 0, "behind the end there is nothing to copy");
    offset = 0;
    check_that(refused(copy_file_range(file, &offset, file, &(long long){ LLONG_MAX - 1 }, 5, 0), EFBIG), "nor room: EFBIG");
    for (int i = 0; i < 6; i++)
        close((int[]){ ends[1], full, zero, random, null, version }[i]);
    close(file);
    unlink("/tmp/kinds");
}

int
main(void)
{
    memory_check();
    parts_check();
    unmovable_check();
    gift_check();
    file_check();
    places_check();
    tee_check();
    refusal_check();
    waking_check();
    faster_check();
    size_check();
    kinds_check();
    return check_end();
}
