/*
 * What fork costs as the memory that the parent has touched grows:
 *
 *     fork=copy   copies every page: grows with the pages
 *     fork=cow    copies every table entry: grows with the tables
 *     fork=lazy   shares the tables' contents unseen: does not grow
 *     vfork       shares the address space itself: does not grow, and costs least
 *
 * The kind of fork is chosen at boot; vfork can be compared under each. What is
 * judged are the counters, which are exact; the instructions are exact only under
 * QEMU's -icount, and are judged only where the difference is large.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/counters.h"
#include "user/lib/measure.h"
#include "user/lib/story.h"
#include "user/lib/system.h"

enum {
    MEASUREMENTS = 9,           /* the least disturbed one is taken */
    STEPS = 6,                  /* at most: 0, 1, 2, 4, 8 and 16 MiB */
    PAGES_PER_MIB = (1 << 20) / PAGE_SIZE,
    STRAY = 1,                  /* tables that a fault in the parent may add along the way */
    PAGES_PER_TABLE = 1024,     /* in the format with the larger tables */
    SHARE = 4,                  /* of the free memory, one part in so many is touched: fork=copy needs as much again */
};

struct cost {
    int pages;              /* touched by the parent */
    uint64_t fork, vfork;   /* instructions, until the child has been waited for */
    long long tables;       /* page tables allocated for one fork, or COUNTER_MISSING */
    long long copied;       /* pages copied by one fork, or COUNTER_MISSING */
    long long vfork_tables; /* page tables allocated for one vfork, or COUNTER_MISSING */
};

/* fork, or vfork: a child that exits at once, and is waited for. */
static uint64_t
child_cost(bool shared)
{
    uint64_t start = instructions_now();
    pid_t child = shared ? vfork() : fork();

    if (child == 0)
        _exit(EXIT_SUCCESS);
    if (child < 0 || waitpid(child, NULL, 0) != child)
        fail("a child");
    return instructions_now() - start;
}

static uint64_t
child_least_cost(bool shared)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < MEASUREMENTS; i++) {
        uint64_t took = child_cost(shared);
        if (took < least)
            least = took;
    }
    return least;
}

static long long
per_fork(const char *name)
{
    long long difference = story_counter(name);
    return difference == COUNTER_MISSING ? COUNTER_MISSING : difference / MEASUREMENTS;
}

static struct cost
cost_measure(int pages)
{
    struct cost cost = { .pages = pages };

    story_count();
    cost.fork = child_least_cost(false);
    story_counted_silently();
    cost.tables = per_fork("table_alloc");
    cost.copied = per_fork("fork_page_copy");
    story_count();
    cost.vfork = child_least_cost(true);
    story_counted_silently();
    cost.vfork_tables = per_fork("table_alloc");
    return cost;
}

static void
cost_print(const struct cost *cost)
{
    printf("    %4d MiB %12llu %12llu", cost->pages / PAGES_PER_MIB, (unsigned long long) cost->fork,
           (unsigned long long) cost->vfork);
    if (cost->tables != COUNTER_MISSING)
        printf(" %14lld %14lld", cost->tables, cost->copied);
    putchar('\n');
}

/* Whether a count per fork is there and lies within [least, most]. */
static void
count_judge(long long count, long long least, long long most, const char *theory)
{
    if (count == COUNTER_MISSING)
        story_skip("%s (not counted here)", theory);
    else
        expect(count >= least && count <= most, "%s: %lld", theory, count);
}

/* The same for page tables, which come and go by themselves where entries vanish. */
static void
tables_judge(long long count, long long most, const char *theory)
{
    count_judge(story_entries_vanish() ? COUNTER_MISSING : count, 0, most, theory);
}

/* Judges the curve from its first and its last point, by what theory says of the kind of fork in force. */
static void
shape_judge(const char *kind, const struct cost *first, const struct cost *last)
{
    if (strcmp(kind, "copy") == 0) {
        expect(last->fork > 2 * first->fork, "fork=copy: the cost grows with the pages");
        count_judge(last->copied, last->pages, NO_LIMIT, "every page is copied");
    } else if (strcmp(kind, "cow") == 0) {
        count_judge(last->copied, 0, 0, "fork=cow: no page is copied");
        tables_judge(first->tables == COUNTER_MISSING ? COUNTER_MISSING
                     : first->tables + last->pages / PAGES_PER_TABLE - 1, last->tables,
                     "but the child gets tables for all that its parent has touched, at least");
    } else {
        count_judge(last->copied, 0, 0, "fork=lazy: no page is copied");
        tables_judge(last->tables, first->tables + STRAY, "the child gets no more tables than at the beginning");
    }
    tables_judge(last->vfork_tables, STRAY, "vfork needs no tables however much its parent has touched");
    expect(last->vfork < last->fork, "vfork costs less than fork");
}

int
main(void)
{
    /* Linux knows the textbook's kind only. */
    bool on_linux = access(COUNTERS_OF_PROCESS, R_OK) != 0;
    const char *kind = switch_value("fork", on_linux ? "cow" : "lazy");
    struct cost costs[STEPS];
    int steps = 0, limit = memory_bytes("MemFree") / PAGE_SIZE / SHARE;

    story_begin("forks", "What fork costs as touched memory grows: fork=copy copies pages, fork=cow copies table "
                "entries, fork=lazy neither; vfork shares the address space.");
    story_tell("The kind in force is fork=%s. Instructions until the child has exited and been waited for:", kind);
    printf("     touched         fork        vfork%s\n",
           on_linux ? "" : "  tables / fork   pages copied");
    for (int pages = 0; steps < STEPS && pages <= limit; pages = pages == 0 ? PAGES_PER_MIB : 2 * pages) {
        int more = pages - (steps == 0 ? 0 : costs[steps - 1].pages);
        if (more > 0)
            pages_write(pages_map(more), more, 'x');
        costs[steps] = cost_measure(pages);
        cost_print(&costs[steps++]);
    }
    if (steps < 2)
        story_skip("there is too little memory free to see a curve");
    else
        shape_judge(kind, &costs[0], &costs[steps - 1]);
    return story_end();
}
