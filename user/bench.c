/*
 * Measures what the operations of LINUX-COSTS.tsv cost here, in executed
 * instructions: under `-icount shift=0` the time-stamp counter counts them. Each
 * measurement is done RUNS times, and the least is printed as
 *
 *     row <TAB> name <TAB> instructions
 *
 * The figures of that file are this program's own, taken on Linux, so nothing here
 * may know which kernel it runs on.
 *
 *     bench        all rows but those that need a swap area
 *     bench swap   those that do
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/clone.h"
#include "user/lib/measure.h"
#include "user/lib/system.h"

#define FILE_NAME "/tmp/bench"
#define PROGRAM   "/bin/true" /* the small static program that returns */

enum {
    RUNS = 5,
    PAGES = 2048,                            /* touched by a row of faults, in order */
    LARGE_PAGES = (32 << 20) / PAGE_SIZE,    /* touched before the 32 MiB rows */
    PIPE_BYTES = 64 << 10,
    FILE_BYTES = 64 << 10,
    REPETITIONS = 100,                       /* of what is too short to be measured alone */
    SWAP_EXCESS = 15 << 20,                  /* bytes by which the sweep exceeds the free memory */
};

/* ---- System calls and faults ------------------------------------------- */

static uint64_t
null_syscall(void)
{
    uint64_t start = instructions_now();
    for (int i = 0; i < REPETITIONS; i++)
        getppid();
    return (instructions_now() - start) / REPETITIONS;
}

static uint64_t
zero_fill_fault(void)
{
    char *base = memory_map(PAGES, PROT_READ | PROT_WRITE, -1);
    uint64_t cost = write_cost(base, PAGES);
    memory_unmap(base, PAGES);
    return cost / PAGES;
}

static uint64_t
read_fault(void)
{
    char *base = memory_map(PAGES, PROT_READ | PROT_WRITE, -1);
    uint64_t cost = read_cost(base, PAGES);
    memory_unmap(base, PAGES);
    return cost / PAGES;
}

/* The file is written first, so that it is in memory. */
static uint64_t
file_fault(void)
{
    static const char page[PAGE_SIZE] = { 1 };
    int file = open(FILE_NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);

    if (file < 0)
        fail(FILE_NAME);
    for (int i = 0; i < PAGES; i++)
        if (write(file, page, sizeof page) != sizeof page)
            fail(FILE_NAME);
    char *base = memory_map(PAGES, PROT_READ, file);
    uint64_t cost = read_cost(base, PAGES);
    memory_unmap(base, PAGES);
    close(file);
    unlink(FILE_NAME);
    return cost / PAGES;
}

/* What one run after a fork costs: the child's writes, and then the parent's. */
static struct {
    uint64_t child, parent;
} cow_costs;

/*
 * The parent writes, forks, and the child writes: each page is copied. When the child has gone the
 * parent writes: nothing needs to be copied.
 */
static void
cow_run(void)
{
    char *base = memory_map(PAGES, PROT_READ | PROT_WRITE, -1);
    int ends[2];

    write_cost(base, PAGES);
    if (pipe(ends) != 0)
        fail("pipe");
    pid_t child = fork();
    if (child == 0) {
        uint64_t cost = write_cost(base, PAGES);
        _exit(write(ends[1], &cost, sizeof cost) != sizeof cost);
    }
    child_wait(child);
    if (read(ends[0], &cow_costs.child, sizeof cow_costs.child) != sizeof cow_costs.child)
        fail("read");
    cow_costs.parent = write_cost(base, PAGES);
    close(ends[0]);
    close(ends[1]);
    memory_unmap(base, PAGES);
}

static uint64_t
cow_fault(void)
{
    cow_run();
    return cow_costs.child / PAGES;
}

static uint64_t
cow_reuse_fault(void)
{
    cow_run();
    return cow_costs.parent / PAGES;
}

static uint64_t
map_touch_unmap(void)
{
    uint64_t start = instructions_now();
    for (int i = 0; i < REPETITIONS; i++) {
        char *base = memory_map(1, PROT_READ | PROT_WRITE, -1);
        *(volatile char *) base = 1;
        memory_unmap(base, 1);
    }
    return (instructions_now() - start) / REPETITIONS;
}

static uint64_t
munmap_page(void)
{
    char *base = memory_map(PAGES, PROT_READ | PROT_WRITE, -1);
    write_cost(base, PAGES);
    uint64_t start = instructions_now();
    memory_unmap(base, PAGES);
    return (instructions_now() - start) / PAGES;
}

static char *handled_page;

static void
fault_handle(int signal)
{
    (void) signal;
    mprotect(handled_page, PAGE_SIZE, PROT_READ | PROT_WRITE);
}

static uint64_t
user_fault_handler(void)
{
    handled_page = memory_map(1, PROT_READ | PROT_WRITE, -1);
    *(volatile char *) handled_page = 1;
    signal(SIGSEGV, fault_handle);
    uint64_t start = instructions_now();
    for (int i = 0; i < REPETITIONS; i++) {
        mprotect(handled_page, PAGE_SIZE, PROT_READ);
        *(volatile char *) handled_page = 1;
    }
    uint64_t cost = instructions_now() - start;
    signal(SIGSEGV, SIG_DFL);
    memory_unmap(handled_page, 1);
    return cost / REPETITIONS;
}

/* ---- Processes --------------------------------------------------------- */

static void
program_become(void)
{
    static char *const arguments[] = { PROGRAM, NULL }, *const environment[] = { NULL };
    execve(PROGRAM, arguments, environment);
    _exit(EXIT_FAILURE);
}

static uint64_t
fork_exit(void)
{
    uint64_t start = instructions_now();
    pid_t child = fork();
    if (child == 0)
        _exit(EXIT_SUCCESS);
    child_wait(child);
    return instructions_now() - start;
}

static uint64_t
fork_exec(void)
{
    uint64_t start = instructions_now();
    pid_t child = fork();
    if (child == 0)
        program_become();
    child_wait(child);
    return instructions_now() - start;
}

static uint64_t
vfork_exit(void)
{
    uint64_t start = instructions_now();
    pid_t child = vfork();
    if (child == 0)
        _exit(EXIT_SUCCESS);
    child_wait(child);
    return instructions_now() - start;
}

static uint64_t
vfork_exec(void)
{
    uint64_t start = instructions_now();
    pid_t child = vfork();
    if (child == 0)
        program_become();
    child_wait(child);
    return instructions_now() - start;
}

/* Parent and child yield to each other: each of the parent's turns is two switches. */
static uint64_t
yield_switch(void)
{
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 2 * REPETITIONS; i++)
            sched_yield();
        _exit(EXIT_SUCCESS);
    }
    for (int i = 0; i < REPETITIONS / 2; i++)
        sched_yield(); /* until the child surely runs */
    uint64_t start = instructions_now();
    for (int i = 0; i < REPETITIONS; i++)
        sched_yield();
    uint64_t cost = instructions_now() - start;
    child_wait(child);
    return cost / (2 * REPETITIONS);
}

/* ---- Pipes ------------------------------------------------------------- */

static void
byte_move(int from, int to)
{
    char byte = 0;
    if (from >= 0 && read(from, &byte, 1) != 1)
        fail("read");
    if (to >= 0 && write(to, &byte, 1) != 1)
        fail("write");
}

static uint64_t
pipe_round_trip(void)
{
    int there[2], back[2];

    if (pipe(there) != 0 || pipe(back) != 0)
        fail("pipe");
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < REPETITIONS + 1; i++)
            byte_move(there[0], back[1]);
        _exit(EXIT_SUCCESS);
    }
    byte_move(-1, there[1]);
    byte_move(back[0], -1); /* the child runs and waits */
    uint64_t start = instructions_now();
    for (int i = 0; i < REPETITIONS; i++) {
        byte_move(-1, there[1]);
        byte_move(back[0], -1);
    }
    uint64_t cost = instructions_now() - start;
    child_wait(child);
    for (int end = 0; end < 2; end++) {
        close(there[end]);
        close(back[end]);
    }
    return cost / REPETITIONS;
}

/* One process writes and reads; as often as it takes where a pipe does not hold as much at a time. */
static uint64_t
pipe_64_kib(void)
{
    static char from[PIPE_BYTES], to[PIPE_BYTES];
    int ends[2];
    size_t wrote = 0, got = 0;

    memset(from, 1, sizeof from);
    memset(to, 1, sizeof to);
    if (pipe(ends) != 0 || fcntl(ends[1], F_SETFL, O_NONBLOCK) != 0)
        fail("pipe");
    uint64_t start = instructions_now();
    while (got < PIPE_BYTES) {
        ssize_t now = wrote < PIPE_BYTES ? write(ends[1], from + wrote, PIPE_BYTES - wrote) : 0;
        wrote += now > 0 ? now : 0;
        now = read(ends[0], to + got, PIPE_BYTES - got);
        if (now <= 0)
            fail("read");
        got += now;
    }
    uint64_t cost = instructions_now() - start;
    close(ends[0]);
    close(ends[1]);
    return cost;
}

/*
 * What a call of move costs on a file of 64 KiB in memory and a buffer that has been touched: read or write at its
 * beginning.
 */
static uint64_t
file_cost(ssize_t (*move)(int file, char *buffer))
{
    static char buffer[FILE_BYTES];
    int file = open(FILE_NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);

    memset(buffer, 1, sizeof buffer);
    if (file < 0 || pwrite(file, buffer, sizeof buffer, 0) != sizeof buffer)
        fail(FILE_NAME);
    uint64_t start = instructions_now();
    if (move(file, buffer) != sizeof buffer)
        fail(FILE_NAME);
    uint64_t cost = instructions_now() - start;
    close(file);
    unlink(FILE_NAME);
    return cost;
}

static ssize_t
file_move_in(int file, char *buffer)
{
    return pread(file, buffer, FILE_BYTES, 0);
}

static ssize_t
file_move_out(int file, char *buffer)
{
    return pwrite(file, buffer, FILE_BYTES, 0);
}

static uint64_t
file_read_64_kib(void)
{
    return file_cost(file_move_in);
}

static uint64_t
file_write_64_kib(void)
{
    return file_cost(file_move_out);
}

/* As pipe_64_kib, by moving the pages. The receiver reads a byte of each, so that all are mapped in the end. */
static uint64_t
vmsplice_64_kib(void)
{
    char *from = memory_map(PIPE_BYTES / PAGE_SIZE, PROT_READ | PROT_WRITE, -1);
    char *to = memory_map(PIPE_BYTES / PAGE_SIZE, PROT_READ | PROT_WRITE, -1);
    int ends[2];

    memset(from, 1, PIPE_BYTES);
    memset(to, 1, PIPE_BYTES);
    if (pipe(ends) != 0)
        fail("pipe");
    struct iovec segment = { from, PIPE_BYTES };
    uint64_t start = instructions_now();
    if (vmsplice(ends[1], &segment, 1, SPLICE_F_GIFT) != PIPE_BYTES || read(ends[0], to, PIPE_BYTES) != PIPE_BYTES)
        fail("vmsplice");
    for (size_t page = 0; page < PIPE_BYTES; page += PAGE_SIZE)
        (void) *(volatile char *) (to + page);
    uint64_t cost = instructions_now() - start;
    close(ends[0]);
    close(ends[1]);
    memory_unmap(from, PIPE_BYTES / PAGE_SIZE);
    memory_unmap(to, PIPE_BYTES / PAGE_SIZE);
    return cost;
}

/* ---- Threads ----------------------------------------------------------- */

/* Not the C library's: what it does for a thread would be measured along, and it does more at fork where it has threads. */
#define THREAD_FLAGS \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID)

static volatile int thread_alive; /* cleared, and its futex woken, when the thread has ended */

static void
thread_start(int (*body)(void *), char *stack)
{
    thread_alive = 1;
    if (clone_bare(body, stack + PAGE_SIZE, THREAD_FLAGS, &thread_alive) < 0)
        fail("clone");
}

static void
thread_join(void)
{
    while (thread_alive != 0)
        syscall(SYS_futex, &thread_alive, FUTEX_WAIT, 1, NULL, NULL, 0);
}

static int
thread_return(void *unused)
{
    (void) unused;
    return 0;
}

static uint64_t
thread_create_join(void)
{
    char *stack = memory_map(1, PROT_READ | PROT_WRITE, -1);

    *stack = 0; /* is there, so that no fault is measured */
    uint64_t start = instructions_now();
    for (int i = 0; i < REPETITIONS; i++) {
        thread_start(thread_return, stack);
        thread_join();
    }
    uint64_t cost = instructions_now() - start;
    memory_unmap(stack, 1);
    return cost / REPETITIONS;
}

static volatile int turn;

/* Hands the turn to the other thread, and sleeps until it comes back. */
static void
turn_pass(int own)
{
    turn = 1 - own;
    syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    while (turn != own)
        syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, 1 - own, NULL, NULL, 0);
}

static int
turn_partner(void *unused)
{
    while (turn != 1)
        sched_yield();
    for (int i = 0; i < REPETITIONS; i++)
        turn_pass(1);
    turn = 0;
    syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    (void) unused;
    return 0;
}

/* Two threads wake each other in turn: each of the first one's turns is two wakes, two waits and two switches. */
static uint64_t
futex_wake_switch(void)
{
    char *stack = memory_map(1, PROT_READ | PROT_WRITE, -1);

    turn = 0;
    thread_start(turn_partner, stack);
    turn_pass(0); /* the other one runs and waits */
    uint64_t start = instructions_now();
    for (int i = 0; i < REPETITIONS; i++)
        turn_pass(0);
    uint64_t cost = instructions_now() - start;
    thread_join();
    memory_unmap(stack, 1);
    return cost / (2 * REPETITIONS);
}

/* ---- Swap -------------------------------------------------------------- */

/* Each sweep writes every page; since the pages do not fit, each one must come in and another go out. */
static void
swap_sweep_measure(void)
{
    size_t pages = (memory_bytes("MemFree") + SWAP_EXCESS) / PAGE_SIZE;
    char *base = memory_map(pages, PROT_READ | PROT_WRITE, -1);
    uint64_t least = UINT64_MAX;

    write_cost(base, pages);
    for (int run = 0; run < RUNS; run++) {
        uint64_t cost = write_cost(base, pages);
        if (cost < least)
            least = cost;
    }
    printf("row\tswap_sweep_page\t%llu\n", (unsigned long long) least / pages);
}

/* ---- The rows, in the order of the file -------------------------------- */

struct row {
    const char *name;
    uint64_t (*measure)(void);
};

static const struct row small_rows[] = {
    { "null_syscall", null_syscall },
    { "zero_fill_fault", zero_fill_fault },
    { "read_fault", read_fault },
    { "file_fault", file_fault },
    { "cow_fault", cow_fault },
    { "cow_reuse_fault", cow_reuse_fault },
    { "map_touch_unmap", map_touch_unmap },
    { "munmap_page", munmap_page },
    { "user_fault_handler", user_fault_handler },
    { "fork_exit_small", fork_exit },
    { "fork_exec_small", fork_exec },
    { "vfork_exit_small", vfork_exit },
    { "vfork_exec_small", vfork_exec },
};

static const struct row large_rows[] = {
    { "fork_exit_32MiB", fork_exit },
    { "fork_exec_32MiB", fork_exec },
    { "vfork_exit_32MiB", vfork_exit },
    { "vfork_exec_32MiB", vfork_exec },
};

static const struct row last_rows[] = {
    { "yield_switch", yield_switch },
    { "futex_wake_switch", futex_wake_switch },
    { "thread_create_join", thread_create_join },
    { "pipe_round_trip", pipe_round_trip },
    { "pipe_64KiB", pipe_64_kib },
    { "vmsplice_64KiB", vmsplice_64_kib },
    { "file_read_64KiB", file_read_64_kib },
    { "file_write_64KiB", file_write_64_kib },
};

static void
rows_measure(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t least = UINT64_MAX;
        for (int run = 0; run < RUNS; run++) {
            uint64_t cost = rows[i].measure();
            if (cost < least)
                least = cost;
        }
        printf("row\t%s\t%llu\n", rows[i].name, (unsigned long long) least);
        fflush(stdout);
    }
}

#define ROWS_MEASURE(rows) rows_measure(rows, sizeof(rows) / sizeof *(rows))

int
main(int count, char **arguments)
{
    if (count > 1 && strcmp(arguments[1], "swap") == 0) {
        swap_sweep_measure();
        return EXIT_SUCCESS;
    }
    ROWS_MEASURE(small_rows);
    char *large = memory_map(LARGE_PAGES, PROT_READ | PROT_WRITE, -1);
    write_cost(large, LARGE_PAGES);
    ROWS_MEASURE(large_rows);
    memory_unmap(large, LARGE_PAGES);
    ROWS_MEASURE(last_rows);
    return EXIT_SUCCESS;
}
