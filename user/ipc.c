/*
 * Three ways to hand bytes to another process, and what each costs:
 *
 *     pipe            write copies into the kernel, read copies out again
 *     vmsplice        the pages themselves go through the pipe, copy-on-write
 *     shared memory   both have the pages; only the news goes through a pipe
 *
 * Each round hands over a block, of which the receiver reads one byte a page.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "user/lib/story.h"
#include "user/lib/system.h"

enum {
    BLOCK_BYTES = 1 << 16,      /* as much as a pipe holds */
    BLOCK_PAGES = BLOCK_BYTES / PAGE_SIZE,
    ROUNDS = 16,
    BYTES = ROUNDS * BLOCK_BYTES,
};

static char *source, *target, *shared;
static int data[2], news[2];

static ssize_t
block_write(void)
{
    return write(data[1], source, BLOCK_BYTES);
}

static ssize_t
block_splice(void)
{
    return vmsplice(data[1], &(struct iovec){ source, BLOCK_BYTES }, 1, 0);
}

static ssize_t
block_announce(void)
{
    pages_write(shared, BLOCK_PAGES, 's');
    return write(data[1], "!", 1) == 1 ? BLOCK_BYTES : -1;
}

static bool
block_read(void)
{
    size_t got = 0;

    for (ssize_t now; got < BLOCK_BYTES && (now = read(data[0], target + got, BLOCK_BYTES - got)) > 0;)
        got += now;
    pages_read(target, BLOCK_PAGES);
    return got == BLOCK_BYTES;
}

static bool
block_see(void)
{
    char byte;
    bool told = read(data[0], &byte, 1) == 1;

    pages_read(shared, BLOCK_PAGES);
    return told;
}

struct way {
    const char *name;
    ssize_t (*send)(void);
    bool (*receive)(void);
    long long moved, copied;    /* pages of a round: what theory says */
};

static const struct way ways[] = {
    { "pipe", block_write, block_read, 0, 2 * BLOCK_PAGES },
    { "vmsplice", block_splice, block_read, BLOCK_PAGES, 0 },
    { "shared memory", block_announce, block_see, 0, 0 },
};

static _Noreturn void
sender_run(const struct way *way)
{
    char byte;

    for (int round = 0; round < ROUNDS; round++)
        if (way->send() != BLOCK_BYTES || read(news[0], &byte, 1) != 1)
            expect(false, "%s: the sender hands over each block", way->name);
    story_leave();
}

static uint64_t
way_run(const struct way *way)
{
    story_count();      /* before the sender begins */
    pid_t sender = story_fork();
    if (sender == 0)
        sender_run(way);
    uint64_t start = instructions_now();
    bool received = true;
    for (int round = 0; round < ROUNDS; round++)
        received = way->receive() && write(news[1], "!", 1) == 1 && received;
    uint64_t cost = instructions_now() - start;
    story_counted_silently();
    story_await(sender, "the sender");
    expect(received, "%s: every block arrived", way->name);
    expect_counter("pages_moved", ROUNDS * way->moved, ROUNDS * way->moved, "so many pages were moved");
    expect_counter("pages_copied", ROUNDS * way->copied, ROUNDS * way->copied, "and so many copied");
    return cost;
}

int
main(void)
{
    uint64_t cost[3];

    story_begin("ipc", "Three ways to hand over a block of 64 KiB, sixteen times: through a pipe, by vmsplice, and in shared "
                "memory. A pipe copies twice, vmsplice moves the pages, shared memory does neither.");
    source = pages_map(BLOCK_PAGES);
    target = pages_map(BLOCK_PAGES);
    shared = mmap(NULL, BLOCK_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || pipe(data) != 0 || pipe(news) != 0)
        return EXIT_FAILURE;
    pages_write(source, BLOCK_PAGES, 'd');
    pages_write(target, BLOCK_PAGES, 't');
    for (size_t way = 0; way < 3; way++)
        cost[way] = way_run(&ways[way]);
    printf("  %-14s %10s %14s %12s\n", "way", "bytes", "instructions", "a page");
    for (size_t way = 0; way < 3; way++)
        printf("  %-14s %10d %14llu %12llu\n", ways[way].name, BYTES, (unsigned long long) cost[way],
               (unsigned long long) cost[way] / (ROUNDS * BLOCK_PAGES));
    story_tell("Instructions count only where the processor's clock counts them (QEMU's -icount); elsewhere it is time.");
    return story_end();
}
