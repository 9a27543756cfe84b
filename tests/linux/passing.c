/*
 * Handing pages over: vmsplice, splice, tee and sendfile between pipes, files, memory and devices. What each call moves,
 * what is in the pipe then, and what each refuses.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include "user/lib/outcome.h"

#define FILE_NAME "/tmp/passing"

enum { PAGE = 4096, PAGES = 4, NOWHERE = 16 };

static int from[2], to[2];
static char *memory;

static void
pipes_open(void)
{
    pipe2(from, O_NONBLOCK);
    pipe2(to, O_NONBLOCK);
}

static void
pipes_close(void)
{
    for (int i = 0; i < 2; i++) {
        close(from[i]);
        close(to[i]);
    }
}

/* How much is in both pipes, and what the first bytes are. */
static void
pipes_show(void)
{
    int waiting[2] = { 0, 0 };
    char bytes[9];

    ioctl(from[0], FIONREAD, &waiting[0]);
    ioctl(to[0], FIONREAD, &waiting[1]);
    ssize_t first = read(from[0], bytes, 4), second = read(to[0], bytes + 4, 4);
    tell("  %d and %d bytes: \"%.*s\", \"%.*s\"", waiting[0], waiting[1], first > 0 ? (int) first : 0, bytes, second > 0 ? (int) second : 0, bytes + 4);
}

/* ---- Between pipes --------------------------------------------------------------------------------------------------------------- */

static void
between_show(void)
{
    static const struct {
        const char *what;
        size_t put, length;
        unsigned flags;
    } moves[] = {
        { "less than there is", 6, 4, 0 }, { "all", 6, 6, 0 }, { "more than there is", 6, 100, 0 }, { "nothing", 6, 0, 0 },
        { "of nothing", 0, 4, 0 }, { "of nothing, SPLICE_F_NONBLOCK", 0, 4, SPLICE_F_NONBLOCK }, { "pages", 3 * PAGE, 2 * PAGE + 1, SPLICE_F_MOVE },
        { "with a wrong flag", 6, 4, 0x100 }, { "with SPLICE_F_MORE", 6, 4, SPLICE_F_MORE },
    };

    for (size_t i = 0; i < sizeof moves / sizeof *moves; i++) {
        pipes_open();
        write(from[1], memory, moves[i].put);
        outcome(splice(from[0], NULL, to[1], NULL, moves[i].length, moves[i].flags), "splice: %s", moves[i].what);
        pipes_show();
        pipes_close();
        pipes_open();
        write(from[1], memory, moves[i].put);
        outcome(tee(from[0], to[1], moves[i].length, moves[i].flags), "tee: %s", moves[i].what);
        pipes_show();
        pipes_close();
    }
}

static void
ends_show(void)
{
    off_t where = 0;

    pipes_open();
    write(from[1], "bytes", 5);
    outcome(splice(from[0], NULL, from[1], NULL, 4, 0), "splice a pipe to itself");
    outcome(tee(from[0], from[1], 4, 0), "tee a pipe to itself");
    outcome(splice(from[1], NULL, to[1], NULL, 4, 0), "splice from the end to write");
    outcome(splice(from[0], NULL, to[0], NULL, 4, 0), "splice to the end to read");
    outcome(tee(from[1], to[1], 4, 0), "tee from the end to write");
    outcome(splice(from[0], &where, to[1], NULL, 4, 0), "splice a pipe from an offset");
    outcome(splice(from[0], NULL, to[1], &where, 4, 0), "splice to a pipe at an offset");
    outcome(splice(99, NULL, to[1], NULL, 4, 0), "splice from nothing");
    outcome(splice(from[0], NULL, 99, NULL, 4, 0), "splice to nothing");
    outcome(tee(99, to[1], 4, 0), "tee from nothing");
    outcome(splice(STDIN_FILENO, NULL, open(FILE_NAME, O_RDWR), NULL, 4, 0), "splice without a pipe");
    close(to[0]);
    signal(SIGPIPE, SIG_IGN);
    outcome(splice(from[0], NULL, to[1], NULL, 4, 0), "splice to a pipe that nobody reads");
    outcome(tee(from[0], to[1], 4, 0), "tee to it");
    outcome(vmsplice(to[1], &(struct iovec){ memory, 4 }, 1, 0), "vmsplice to it");
    close(from[1]);
    pipes_show();
    outcome(splice(from[0], NULL, to[1], NULL, 4, 0), "splice from one that nobody writes");
    pipes_close();
}

/* ---- Files ------------------------------------------------------------------------------------------------------------------------ */

static void
files_show(void)
{
    int file = open(FILE_NAME, O_RDWR | O_CREAT | O_TRUNC, 0600), append = open(FILE_NAME, O_WRONLY | O_APPEND), reader = open(FILE_NAME, O_RDONLY);
    off_t where = 2;

    pipes_open();
    write(file, "0123456789", 10);
    outcome(splice(file, NULL, from[1], NULL, 4, 0), "splice from a file at its end");
    outcome(splice(file, &where, from[1], NULL, 4, 0), "splice from a file at 2");
    tell("  it is at %ld, the file at %ld", (long) where, (long) lseek(file, 0, SEEK_CUR));
    where = 8;
    outcome(splice(file, &where, from[1], NULL, 100, 0), "splice across the end");
    where = -1;
    outcome(splice(file, &where, from[1], NULL, 4, 0), "splice from -1");
    outcome(splice(file, (off_t *) NOWHERE, from[1], NULL, 4, 0), "splice from a bad pointer");
    pipes_show();
    outcome(splice(from[0], NULL, append, NULL, 4, 0), "splice to a file opened to append");
    outcome(splice(from[0], NULL, reader, NULL, 4, 0), "splice to a file opened to read");
    where = 20;
    outcome(splice(from[0], NULL, file, &where, 2, 0), "splice to a file at 20");
    tell("  it is at %ld, the file's size %ld", (long) where, (long) lseek(file, 0, SEEK_END));
    where = 0;
    outcome(sendfile(to[1], file, &where, 4), "sendfile to a pipe");
    outcome(sendfile(file, reader, NULL, 4), "sendfile from a file to a file");
    outcome(sendfile(file, to[0], NULL, 4), "sendfile from a pipe");
    outcome(sendfile(append, reader, NULL, 4), "sendfile to append");
    outcome(sendfile(reader, file, NULL, 4), "sendfile to a file opened to read");
    where = -1;
    outcome(sendfile(to[1], file, &where, 4), "sendfile from -1");
    outcome(copy_file_range(reader, NULL, file, NULL, 4, 0), "copy_file_range");
    outcome(copy_file_range(reader, NULL, to[1], NULL, 4, 0), "copy_file_range to a pipe");
    outcome(copy_file_range(reader, NULL, append, NULL, 4, 0), "copy_file_range to append");
    outcome(copy_file_range(reader, NULL, file, NULL, 4, 1), "copy_file_range with a flag");
    pipes_show();
    pipes_close();
    close(file);
    close(append);
    close(reader);
}

static void
devices_show(void)
{
    int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR), directory = open("/tmp", O_RDONLY);

    pipes_open();
    write(from[1], "bytes", 5);
    outcome(splice(from[0], NULL, null, NULL, 2, 0), "splice to /dev/null");
    outcome(splice(directory, NULL, from[1], NULL, 2, 0), "splice from a directory");
    outcome(sendfile(null, directory, NULL, 2), "sendfile from a directory");
    outcome(sendfile(from[1], zero, NULL, 3), "sendfile from /dev/zero");
    pipes_show();
    pipes_close();
    close(null);
    close(zero);
    close(directory);
}

/* ---- Memory ----------------------------------------------------------------------------------------------------------------------- */

static void
memory_show(void)
{
    struct iovec whole = { memory, PAGES * PAGE }, parts[] = { { memory + 1, 3 }, { memory, 0 }, { memory + 5, 2 } };
    struct iovec hole = { memory + (PAGES - 1) * PAGE, 2 * PAGE }, bad = { (void *) NOWHERE, 4 }, long_one = { memory, (size_t) -1 };

    pipes_open();
    outcome(vmsplice(from[1], parts, 3, 0), "vmsplice in parts");
    pipes_show();
    outcome(vmsplice(from[1], &whole, 1, SPLICE_F_GIFT), "vmsplice pages, SPLICE_F_GIFT");
    pipes_show();
    outcome(vmsplice(from[1], &hole, 1, 0), "vmsplice across the end of what is mapped");
    outcome(vmsplice(from[1], &bad, 1, 0), "vmsplice from a bad pointer");
    outcome(vmsplice(from[1], &long_one, 1, 0), "vmsplice of more than an address space");
    outcome(vmsplice(from[1], (void *) NOWHERE, 1, 0), "vmsplice with a bad list");
    outcome(vmsplice(from[1], parts, 0, 0), "vmsplice of no parts");
    outcome(vmsplice(from[1], parts, 2000, 0), "vmsplice of too many");
    outcome(vmsplice(from[1], parts, 1, 0x100), "vmsplice with a wrong flag");
    outcome(vmsplice(99, parts, 1, 0), "vmsplice to nothing");
    outcome(vmsplice(STDIN_FILENO, parts, 1, 0), "vmsplice to a terminal");
    pipes_close();
    pipes_open();
    write(from[1], "pipe to memory", 14);
    memset(memory, '-', 16);
    outcome(vmsplice(from[0], parts, 3, 0), "vmsplice from a pipe to memory");
    tell("  %.9s", memory);
    outcome(vmsplice(from[0], &bad, 1, 0), "to a bad pointer");
    pipes_show();
    outcome(vmsplice(to[0], parts, 1, SPLICE_F_NONBLOCK), "vmsplice from an empty pipe");
    pipes_close();
}

int
main(void)
{
    memory = mmap(NULL, (PAGES + 1) * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(memory + PAGES * PAGE, PAGE);
    for (int i = 0; i < PAGES * PAGE; i++)
        memory[i] = (char) ('a' + i % 26);
    between_show();
    files_show();
    ends_show();
    devices_show();
    memory_show();
    unlink(FILE_NAME);
    return EXIT_SUCCESS;
}
