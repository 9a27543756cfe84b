/*
 * One workload, every policy: seven strings of references on live pages, each under
 * every replacement policy in turn, and how often a page had to come in.
 *
 *     loop      0 1 2 ... 16 0 1 2 ...          one page more than there are frames
 *     random    each page as likely as any other
 *     80/20     four fifths of the references go to one fifth of the pages
 *     scan      a hot set, interrupted by long sweeps over pages that are used once
 *     phases    random within a few pages; then within a few others; and so on
 *     rows      a matrix with a row a page, walked by rows
 *     columns   the same, by columns
 *
 * The process locks its own text, data and stack in memory and has RLIMIT_RSS give
 * it 16 frames, so that only the string's pages compete. These are filled before
 * and all put out, so that a page that comes in is a major fault and nothing else
 * is. What the best of all policies would do follows from the string itself: opt.
 *
 * A policy that goes by references (lru, lfu, ...) sees each of them only in a traced
 * program: trace=/bin/policies. Otherwise it sees what the clock tick samples, which
 * is nothing in so short a time, and goes by the order of arrival.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "user/lib/story.h"
#include "user/lib/system.h"

#define POLICY   "/proc/sys/vm/policy"
#define PREFETCH "/proc/sys/vm/prefetch" /* 0 meanwhile: a page comes when it is referenced, and alone */

enum {
    FRAMES = 16,
    PAGES = 56,         /* of the largest workload */
    MOST = 400,         /* references in a string */
    LOOP = FRAMES + 1,  /* pages */
    RANDOM = 2 * FRAMES,
    FIFTH = 8,          /* pages: the one fifth of the 80/20 */
    FIFTHS = 5,
    HOT = 8,            /* pages used twice between two sweeps ... */
    COLD = 48,          /* ... over so many others, */
    SWEEP = 12,         /* so many at a time */
    PHASES = 4,
    PHASE = 12,         /* pages of one */
    SIDE = 20,          /* rows and columns of the matrix */
    PERCENT = 100,
};

/* The order of the table's columns. opt is not played but computed. */
enum policy { FIFO, RANDOM_CHOICE, CLOCK, NRU, AGING, LFU, MFU, LRU, WSCLOCK, TWO_QUEUES, ARC, OPT, POLICIES };

static const char *const policy_names[POLICIES] = {
    "fifo", "random", "clock", "nru", "aging", "lfu", "mfu", "lru", "wsclock", "2q", "arc", "opt",
};

/* References to pages, by number. */
struct string {
    int length;
    uint8_t pages[MOST];
};

static uint32_t seed = 1;

static int
chance(int limit)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 16) % limit;
}

/* ---- The workloads ----------------------------------------------------- */

static void
reference(struct string *string, int page)
{
    string->pages[string->length++] = page;
}

static void
loop_make(struct string *string)
{
    while (string->length < MOST)
        reference(string, string->length % LOOP);
}

static void
random_make(struct string *string)
{
    while (string->length < MOST)
        reference(string, chance(RANDOM));
}

static void
eighty_twenty_make(struct string *string)
{
    while (string->length < MOST)
        reference(string, chance(FIFTHS) > 0 ? chance(FIFTH) : FIFTH + chance((FIFTHS - 1) * FIFTH));
}

static void
scan_make(struct string *string)
{
    for (int cold = 0; string->length + 2 * HOT + SWEEP <= MOST; cold += SWEEP) {
        for (int i = 0; i < 2 * HOT; i++)
            reference(string, i % HOT);
        for (int i = 0; i < SWEEP; i++)
            reference(string, HOT + (cold + i) % COLD);
    }
}

static void
phases_make(struct string *string)
{
    while (string->length < MOST)
        reference(string, string->length / (MOST / PHASES) * PHASE + chance(PHASE));
}

static void
rows_make(struct string *string)
{
    for (int i = 0; i < SIDE * SIDE; i++)
        reference(string, i / SIDE);
}

static void
columns_make(struct string *string)
{
    for (int i = 0; i < SIDE * SIDE; i++)
        reference(string, i % SIDE);
}

enum workload { IN_A_LOOP, AT_RANDOM, EIGHTY_TWENTY, SCAN, IN_PHASES, BY_ROWS, BY_COLUMNS, WORKLOADS };

static const struct {
    const char *name, *what;
    void (*make)(struct string *string);
} workloads[WORKLOADS] = {
    {"loop", "0 1 2 ... and again: one page more than there are frames", loop_make},
    {"random", "each page as likely as any other", random_make},
    {"80/20", "four fifths of the references go to one fifth of the pages", eighty_twenty_make},
    {"scan", "a hot set, and between its uses sweeps over pages that are used once", scan_make},
    {"phases", "random within a few pages; then within a few others; and so on", phases_make},
    {"rows", "a matrix with a row a page, walked by rows", rows_make},
    {"columns", "the same, by columns", columns_make},
};

static struct string strings[WORKLOADS];
static long faults[WORKLOADS][POLICIES];

/* ---- The oracle -------------------------------------------------------- */

/* The frame whose page is used again last, or never. */
static int
oracle_victim(const int *resident, const int *next_use)
{
    int victim = 0;

    for (int frame = 1; frame < FRAMES; frame++)
        if (next_use[resident[frame]] > next_use[resident[victim]])
            victim = frame;
    return victim;
}

/* For each reference, when its page is used next; MOST is never. */
static void
oracle_foresee(const struct string *string, int *next)
{
    int next_use[PAGES];

    for (int page = 0; page < PAGES; page++)
        next_use[page] = MOST;
    for (int i = string->length - 1; i >= 0; i--) {
        next[i] = next_use[string->pages[i]];
        next_use[string->pages[i]] = i;
    }
}

/* The faults of the best of all policies (Belady 1966), which knows the string to its end. */
static long
oracle_faults(const struct string *string)
{
    int next[MOST], next_use[PAGES], resident[FRAMES];
    bool present[PAGES] = { false };
    long count = 0;

    oracle_foresee(string, next);
    for (int i = 0; i < string->length; i++) {
        int page = string->pages[i];
        next_use[page] = next[i];
        if (present[page])
            continue;
        int frame = count < FRAMES ? count : oracle_victim(resident, next_use);
        if (count >= FRAMES)
            present[resident[frame]] = false;
        resident[frame] = page;
        present[page] = true;
        count++;
    }
    return count;
}

/* ---- The play ---------------------------------------------------------- */

static char *base;

static long
major_faults(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_majflt;
}

/* All of the string's references, in order, with all pages out of memory at first. How many had to come in. */
static long
string_play(const struct string *string)
{
    madvise(base, PAGES * PAGE_SIZE, MADV_PAGEOUT);
    frames_limit(FRAMES);
    long before = major_faults();
    for (int i = 0; i < string->length; i++)
        (void) *(volatile char *) (base + string->pages[i] * PAGE_SIZE);
    long after = major_faults();
    frames_limit(FRAMES_UNLIMITED);
    return after - before;
}

/* Every workload under every policy. */
static void
table_fill(void)
{
    base = pages_map(PAGES);
    pages_write(base, PAGES, 'p');
    for (int workload = 0; workload < WORKLOADS; workload++)
        faults[workload][OPT] = oracle_faults(&strings[workload]);
    for (int policy = 0; policy < OPT; policy++) {
        bool taken = setting_write(POLICY, policy_names[policy]);
        if (!taken)
            expect(false, "%s takes %s", POLICY, policy_names[policy]);
        for (int workload = 0; taken && workload < WORKLOADS; workload++)
            faults[workload][policy] = string_play(&strings[workload]);
    }
}

/* Room for the policy's name and for three digits. */
static int
column_width(int policy)
{
    int length = strlen(policy_names[policy]);
    return (length < 3 ? 3 : length) + 1;
}

static void
workloads_print(void)
{
    for (int workload = 0; workload < WORKLOADS; workload++)
        printf("    %-8s %s\n", workloads[workload].name, workloads[workload].what);
}

static void
table_print(void)
{
    printf("\n  %-9s%5s", "faults", "of");
    for (int policy = 0; policy < POLICIES; policy++)
        printf("%*s", column_width(policy), policy_names[policy]);
    putchar('\n');
    for (int workload = 0; workload < WORKLOADS; workload++) {
        printf("  %-9s%5d", workloads[workload].name, strings[workload].length);
        for (int policy = 0; policy < POLICIES; policy++)
            printf("%*ld", column_width(policy), faults[workload][policy]);
        putchar('\n');
    }
    putchar('\n');
}

/* ---- What theory says -------------------------------------------------- */

/* Whether each of these policies faults so often: the list ends with POLICIES. */
static bool
all_fault(int workload, long times, const enum policy *policies)
{
    bool all = true;
    for (; *policies < POLICIES; policies++)
        all &= faults[workload][*policies] == times;
    return all;
}

static bool
all_fault_between(int workload, long least, long most)
{
    bool all = true;
    for (int policy = 0; policy < OPT; policy++)
        all &= faults[workload][policy] >= least && faults[workload][policy] <= most;
    return all;
}

static void
theory_of_all(void)
{
    bool beaten = false;

    for (int workload = 0; workload < WORKLOADS; workload++)
        beaten |= !all_fault_between(workload, faults[workload][OPT], strings[workload].length);
    expect(!beaten, "nobody beats the oracle: opt, who knows the future, has the fewest faults everywhere");
    expect(all_fault_between(BY_ROWS, SIDE, SIDE), "rows: the matrix is used as it lies in memory, and each page comes in once");
}

/* Those that need to see no more than arrivals, and the uses that the accessed bit tells of. */
static void
theory_of_hardware(bool sees_uses)
{
    static const enum policy order[] = { FIFO, CLOCK, POLICIES };
    long often = (long) MOST * FRAMES / RANDOM;

    expect(all_fault(IN_A_LOOP, MOST, order), "loop: one page more than frames, and fifo and clock fault on every reference, "
           "since each throws out the page that is needed next");
    expect(faults[IN_A_LOOP][RANDOM_CHOICE] < MOST / 2, "loop: random cannot be fooled by order: fewer than half");
    expect(faults[IN_A_LOOP][OPT] == LOOP + (MOST - LOOP) / FRAMES, "loop: opt faults once in %d references", FRAMES);
    expect(all_fault_between(AT_RANDOM, often * 4 / 5, often * 6 / 5), "random: the past says "
           "nothing of the future; with half of the pages in memory about half of the references fault, whatever the policy");
    if (sees_uses)
        expect(faults[EIGHTY_TWENTY][CLOCK] < faults[EIGHTY_TWENTY][FIFO], "80/20: a second chance for what was used spares "
               "faults: clock has fewer than fifo");
    else
        story_skip("80/20: clock would have fewer faults than fifo, but accessed=software samples uses on the clock tick");
    expect(all_fault(IN_PHASES, PHASES * PHASE, order), "phases: the working set of a phase fits, and its pages come in once");
    expect(all_fault(BY_COLUMNS, SIDE * SIDE, order), "columns: a page for each row, %d of them in %d frames: each reference "
           "faults, %d times as many as by rows", SIDE, FRAMES, SIDE);
}

/* Those that must see each reference. */
static void
theory_of_references(void)
{
    static const enum policy recency[] = { LRU, POLICIES };
    const long *scan = faults[SCAN];

    expect(all_fault(IN_A_LOOP, MOST, recency), "loop: lru too faults on every reference: what was used longest ago is what "
           "comes next");
    expect(faults[EIGHTY_TWENTY][LRU] < faults[EIGHTY_TWENTY][FIFO], "80/20: the recent past foretells the near future: lru "
           "has fewer than fifo");
    expect(scan[LRU] == scan[FIFO] && scan[ARC] < scan[LRU] * 3 / 4 && scan[TWO_QUEUES] < scan[LRU] * 3 / 4,
           "scan: the sweeps flush the hot set out of lru, while arc and 2q keep it");
    expect(faults[IN_PHASES][LFU] > 4 * faults[IN_PHASES][LRU], "phases: lfu clings to pages that were used often once; lru "
           "forgets them");
    expect(faults[EIGHTY_TWENTY][LFU] < faults[EIGHTY_TWENTY][MFU], "80/20: mfu throws out just what is popular");
}

int
main(int count, char **arguments)
{
    story_argument(count, arguments, NULL);
    story_begin("policies", "One workload, every policy. Strings of references to live pages, each in 16 frames under one "
                "replacement policy after the other. What is counted are pages that had to come in.");
    for (int workload = 0; workload < WORKLOADS; workload++)
        workloads[workload].make(&strings[workload]);
    workloads_print();
    char *before = file_text(POLICY);
    if (before == NULL || memory_bytes("SwapFree") < PAGES * PAGE_SIZE) {
        story_skip(before == NULL ? "there is no " POLICY " here" : "there is no swap area: boot with swap=16M");
        return story_end();
    }
    char *neighbours = file_text(PREFETCH);
    setting_write(PREFETCH, "0\n");
    mlockall(MCL_CURRENT);
    table_fill();
    setting_write(POLICY, before);
    setting_write(PREFETCH, neighbours);
    table_print();
    bool traced = *switch_value("trace", "") != '\0';
    theory_of_all();
    theory_of_hardware(traced || switch_is("accessed", "hardware", "hardware"));
    if (traced)
        theory_of_references();
    else
        story_skip("lru, lfu, mfu, 2q and arc go by references, which only a trace records; above they saw pages come in, and nothing "
                   "else. Boot with trace=/bin/policies");
    return story_end();
}
