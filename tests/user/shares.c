/*
 * alloc=priority: how many frames a process may have goes by 20 less its nice value, when it starts and when that is changed. Linux has
 * no such thing.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/system.h"

enum {
    CHILDREN = 2,
    PAGES = 400,            /* of each child: more than any share */
    FREE = 500,             /* frames that are left free */
    NICE = 10,              /* of the second child; its share is half of the first one's */
    ROUNDS = 3,             /* until a child has all that it may have, and no more */
    PERCENT = 10,           /* by which a share may be off: text and stack count too */
};

/* In memory that all share. */
static struct board {
    volatile unsigned rounds[CHILDREN];
    volatile long resident[CHILDREN];       /* pages that the child has in memory after a round */
} *board;

static pid_t children[CHILDREN];

static _Noreturn void
child_run(int number)
{
    char *base = mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    setpriority(PRIO_PROCESS, 0, number * NICE);
    for (;;) {
        for (int page = 0; page < PAGES; page++)
            base[page * PAGE_SIZE] = 1;
        board->resident[number] = (long) pagemap_present(base, PAGES);
        board->rounds[number]++;
    }
}

/* What the child has after some more rounds. */
static long
resident_after(int number)
{
    unsigned until = board->rounds[number] + ROUNDS;

    while ((int) (board->rounds[number] - until) < 0)
        usleep(1000);
    return board->resident[number];
}

static void
shares_check(long first, long second, const char *when)
{
    long got[CHILDREN] = { resident_after(0), resident_after(1) };
    long difference = got[0] * second - got[1] * first;

    if (difference < 0)
        difference = -difference;
    check_that(got[0] < PAGES && difference * 100 <= got[0] * second * PERCENT, "%s: %ld and %ld pages in memory, as %ld to %ld", when,
               got[0], got[1], first, second);
}

int
main(void)
{
    if (!switch_is("alloc", "", "priority")) {
        check_skip("there is no alloc=priority here");
        return check_end();
    }
    board = check_shared(sizeof *board);
    check_that(memory_leave(FREE), "memory is locked out of the way");
    for (int number = 0; number < CHILDREN; number++)
        if ((children[number] = check_fork()) == 0)
            child_run(number);
    shares_check(2, 1, "nice 0 and 10");
    setpriority(PRIO_PROCESS, children[0], NICE);
    shares_check(1, 1, "both 10");
    setpriority(PRIO_PROCESS, children[1], 0);
    shares_check(1, 2, "10 and 0");
    for (int number = 0; number < CHILDREN; number++) {
        kill(children[number], SIGKILL);
        check_wait(children[number]);
    }
    return check_end();
}
