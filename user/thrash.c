/*
 * Thrashing, and its cure. More and more processes run, each with a working set of W
 * pages that it goes through in rounds, and a pause after each round, as if for a
 * terminal. More processes fill each other's pauses: utilisation rises. Until their
 * working sets do not fit into memory together:
 *
 *     utilisation
 *       100 % |        . - - .
 *             |     .         \
 *             |   .            \   each page that comes in pushes out one that is
 *             |  .              \  needed at once: all wait for the disk
 *             +---------------------- processes
 *                        |
 *                        sum of working sets = memory
 *
 * Then the same with load control, which lets fewer of them run at a time: with few
 * processes and with the most, or, for a plot, with each number of them (thrash all).
 */
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/counters.h"
#include "user/lib/measure.h"
#include "user/lib/story.h"
#include "user/lib/system.h"

#define CONTROL  "/proc/sys/vm/control"
#define PATIENCE "/proc/sys/vm/control_patience"

enum {
    FREE = 512,             /* frames that are left free: of them */
    KERNEL = 192,           /*   what the kernel needs for its processes, and keeps free */
    FIT = 3,                /*   the rest is filled by the working sets of so many processes */
    PAGES = (FREE - KERNEL) / FIT,      /* W */
    FEW = 2,                /* processes fill each other's pauses, and all fit */
    PROCESSES_MAXIMUM = 7,
    LATENCY = 2000,         /* microseconds of a transfer */
    ROUND = 5000,           /* microseconds of computing in a round; then comes a pause as long */
    WARMING = 300000,       /* microseconds before the measuring, */
    SETTLING = 1200000,     /*   and with control, which takes some time to find out what each needs */
    MEASURING = 600000,     /* microseconds of measuring */
    PATIENCE_MAXIMUM = 5000000,     /* microseconds within which each has had its turn */
    TURN = 300,             /* milliseconds that control keeps a process suspended */
    PERCENT = 100,
    WORTH = 80,             /* percent that are to be left of throughput and utilisation at least, with load control */
};

/* In memory that all share. */
static struct board {
    volatile int ready;     /* processes that have touched all of their pages */
    volatile bool go, stop;
    volatile long rounds[PROCESSES_MAXIMUM];
} *board;

/* What a number of processes came to. */
struct result {
    int processes;
    double utilisation;     /* percent of the time that the processor was not idle */
    double rounds;          /* a second, of all together */
    double faults;          /* a second, that waited for the disk */
    long least;             /* rounds of the process that has made fewest in all that time */
    long long suspensions, resumptions;
};

static long iterations;     /* of the innermost loop, for one visit to a page */

/* ---- Time -------------------------------------------------------------- */

static void
compute(long count)
{
    for (volatile long i = 0; i < count; i++)
        ;
}

/* Sets iterations, so that a round through all pages takes ROUND. */
static void
calibrate(void)
{
    long count = 10000;
    uint64_t took = 0;

    while (took < 20000) {
        uint64_t start = microseconds_now();
        count *= 2;
        compute(count);
        took = microseconds_now() - start;
    }
    iterations = (uint64_t) count * ROUND / took / PAGES + 1;
}

/* ---- The processes ----------------------------------------------------- */

/* Each page's first word counts the visits to it. */
static void
round_run(char *base)
{
    for (size_t page = 0; page < PAGES; page++) {
        ++*(uint32_t *) (base + page * PAGE_SIZE);
        compute(iterations);
    }
}

static _Noreturn void
process_run(int number)
{
    char *base = pages_map(PAGES);
    uint32_t rounds = 0;
    bool right = true;

    pages_write(base, PAGES, 0);
    __sync_fetch_and_add(&board->ready, 1);
    while (!board->go)
        usleep(10000);
    while (!board->stop) {
        round_run(base);
        board->rounds[number] = ++rounds;
        usleep(ROUND);
    }
    for (size_t page = 0; page < PAGES; page++)
        right &= *(uint32_t *) (base + page * PAGE_SIZE) == rounds;
    _exit(right ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* ---- Measuring --------------------------------------------------------- */

/* What /proc/stat says of the processor since boot, in hundredths of a second. */
struct processor {
    unsigned long long user, nice, system, idle, waiting;
};

static struct processor
processor_now(void)
{
    struct processor time = {0};
    char *text = file_text("/proc/stat");

    if (text != NULL)
        sscanf(text, "cpu %llu %llu %llu %llu %llu", &time.user, &time.nice, &time.system, &time.idle, &time.waiting);
    free(text);
    return time;
}

static double
utilisation_since(const struct processor *before)
{
    struct processor now = processor_now();
    double busy = now.user + now.nice + now.system - before->user - before->nice - before->system;
    double idle = now.idle + now.waiting - before->idle - before->waiting;

    return busy + idle > 0 ? PERCENT * busy / (busy + idle) : 0;
}

static long
rounds_total(int processes)
{
    long total = 0;

    for (int i = 0; i < processes; i++)
        total += board->rounds[i];
    return total;
}

static long
rounds_least(int processes)
{
    long least = board->rounds[0];

    for (int i = 1; i < processes; i++)
        if (board->rounds[i] < least)
            least = board->rounds[i];
    return least;
}

/* The processes have begun: measures, lets each have made a round, and stops them. */
static void
result_measure(struct result *result, unsigned warming)
{
    board->go = true;
    usleep(warming);
    struct processor processor = processor_now();
    struct counters faults;
    counters_prepare(&faults, COUNTERS_OF_SYSTEM);
    counters_take(&faults, COUNTERS_OF_SYSTEM);
    long long before = counter_value(&faults, "pgmajfault");
    /* Side by side: what else this function touches may have to come from the disk. */
    uint64_t start = microseconds_now();
    long rounds = rounds_total(result->processes);

    usleep(MEASURING);
    double seconds = (double) (microseconds_now() - start) / MICROSECONDS_A_SECOND;
    result->rounds = (rounds_total(result->processes) - rounds) / seconds;
    result->utilisation = utilisation_since(&processor);
    counters_take(&faults, COUNTERS_OF_SYSTEM);
    result->faults = (counter_value(&faults, "pgmajfault") - before) / seconds;
    free(faults.text);
    for (int i = 0; i < PATIENCE_MAXIMUM / ROUND && rounds_least(result->processes) == 0; i++)
        usleep(ROUND);
    result->least = rounds_least(result->processes);
    board->stop = true;
}

static struct result
processes_run(const char *control, int processes)
{
    struct result result = { .processes = processes };

    memset(board, 0, sizeof *board);
    fflush(stdout);
    story_count();
    for (int i = 0; i < processes; i++)
        if (fork() == 0)
            process_run(i);
    while (board->ready < processes)
        usleep(10000);
    result_measure(&result, strcmp(control, "off") == 0 ? WARMING : SETTLING);
    bool right = true;
    for (int status; wait(&status) > 0;)
        right &= status == 0;
    story_counted_silently();
    result.suspensions = story_counter("process_suspend");
    result.resumptions = story_counter("process_resume");
    printf("    %-10s %9d  %9.0f %%  %8.0f  %8.0f  %9ld  %9lld\n", control, processes, result.utilisation, result.rounds,
           result.faults, result.least, result.suspensions);
    if (!right)
        expect(false, "each process finds its pages as it left them (%d processes, control=%s)", processes, control);
    return result;
}

static void
table_begin(void)
{
    printf("    control    processes  utilisation  rounds/s  faults/s    slowest  suspensions\n");
}

/* ---- What theory says -------------------------------------------------- */

static void
thrashing_tell(const struct result *off)
{
    const struct result *fits = &off[FIT], *most = &off[PROCESSES_MAXIMUM];

    expect(off[FEW].utilisation > off[1].utilisation, "two processes use more of the processor than one: %.0f %% and %.0f %%",
           off[FEW].utilisation, off[1].utilisation);
    expect(fits->rounds > off[1].rounds, "as long as all fit, more processes do more");
    expect(most->utilisation < fits->utilisation / 2, "beyond, the processor falls idle: %.0f %% with %d processes, %.0f %% with %d",
           fits->utilisation, fits->processes, most->utilisation, most->processes);
    expect(most->rounds < fits->rounds / 2, "and throughput collapses: %.0f rounds a second, then %.0f", fits->rounds, most->rounds);
}

static void
cure_tell(const char *control, const struct result *off, const struct result *on)
{
    expect(on->rounds > 2 * off->rounds, "control=%s: %d processes do more than twice as much: %.0f rounds a second, not %.0f", control,
           on->processes, on->rounds, off->rounds);
    expect(on->suspensions > 0 && on->resumptions > 0, "processes were suspended %lld times, and resumed", on->suspensions);
    expect(on->least > 0, "nobody starved");
}

/* Suspending and resuming cost something; so does finding out who is to be. */
static void
price_tell(const char *control, const struct result *off, const struct result *on)
{
    int worst = 1;

    for (int processes = 1; processes <= PROCESSES_MAXIMUM; processes++)
        if (on[processes].rounds * off[worst].rounds < on[worst].rounds * off[processes].rounds)
            worst = processes;
    expect(PERCENT * on[worst].rounds >= WORTH * off[worst].rounds,
           "control=%s: no number of processes does notably less than without; at worst %d do %.0f rounds a second, not %.0f", control,
           worst, on[worst].rounds, off[worst].rounds);
    for (int processes = FIT; processes <= PROCESSES_MAXIMUM; processes++)
        if (on[processes].utilisation < WORTH)
            expect(false, "and the processor does not fall idle: %.0f %% with %d processes", on[processes].utilisation, processes);
}

static void
control_set(const char *control)
{
    if (!setting_write(CONTROL, control))
        expect(false, CONTROL " takes %s", control);
}

static void
control_tell(const char *control, const struct result *off, bool with_all)
{
    struct result on[PROCESSES_MAXIMUM + 1];

    control_set(control);
    table_begin();
    for (int processes = 1; processes <= PROCESSES_MAXIMUM; processes++)
        if (with_all || processes == FEW || processes == PROCESSES_MAXIMUM)
            on[processes] = processes_run(control, processes);
    control_set("off");
    expect(on[FEW].suspensions == 0, "while memory suffices nobody is suspended");
    cure_tell(control, &off[PROCESSES_MAXIMUM], &on[PROCESSES_MAXIMUM]);
    if (with_all)
        price_tell(control, off, on);
}

/* The settings that the story changes, and what they were. */
static struct {
    const char *path;
    char value[16];
    char *before;
} settings[] = {
    {CONTROL, "off", NULL}, {PATIENCE, "", NULL}, {"/proc/sys/vm/ramdisk.latency", "", NULL},
};
enum { SETTINGS = sizeof settings / sizeof *settings };

static void
settings_begin(void)
{
    snprintf(settings[1].value, sizeof settings[1].value, "%d", TURN);
    snprintf(settings[2].value, sizeof settings[2].value, "%d", LATENCY);
    for (int i = 0; i < SETTINGS; i++) {
        settings[i].before = file_text(settings[i].path);
        if (!setting_write(settings[i].path, settings[i].value))
            expect(false, "%s takes %s", settings[i].path, settings[i].value);
    }
}

static void
settings_end(void)
{
    for (int i = 0; i < SETTINGS; i++) {
        setting_write(settings[i].path, settings[i].before);
        free(settings[i].before);
    }
}

int
main(int count, char **arguments)
{
    struct result off[PROCESSES_MAXIMUM + 1];      /* by the number of processes */
    bool with_all = story_argument(count, arguments, "all");

    story_begin("thrash", "Thrashing. More processes make better use of the processor, until their working sets do not fit into "
                "memory together. Then all wait for the disk, and load control helps.");
    if (access(CONTROL, W_OK) != 0 || memory_bytes("SwapFree") < 2 * FREE * PAGE_SIZE) {
        story_skip("this needs load control and a swap area: boot with swap=8M");
        return story_end();
    }
    if (!story_may_have(FREE))
        return story_end();
    board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    calibrate();
    settings_begin();
    expect(memory_leave(FREE), "all but %d frames are locked out of the way", FREE);

    story_tell("Each process goes through W = %d pages again and again, for %d ms, and rests as long. The kernel needs about %d "
               "frames, so that there is room for %d processes. The disk takes %d ms.", PAGES, ROUND / 1000, KERNEL, FIT, LATENCY / 1000);
    story_tell("In the table, rounds and faults that waited for the disk are of all processes together, in a second; slowest has the rounds "
               "of the process that made the fewest, since it began.");
    table_begin();
    for (int processes = 1; processes <= PROCESSES_MAXIMUM; processes++)
        if (with_all || processes <= FIT || processes == PROCESSES_MAXIMUM)
            off[processes] = processes_run("off", processes);
    thrashing_tell(off);
    story_tell("The working-set model: as many processes run as have room for what they used last.");
    control_tell("workingset", off, with_all);
    story_tell("Page-fault frequency: who faults often gets frames, and when there are none, somebody is suspended.");
    control_tell("pff", off, with_all);
    settings_end();
    return story_end();
}
