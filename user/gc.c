/*
 * A copying garbage collector that never asks whether there is room. Cells are
 * allocated by increasing address, and the arena ends at a forbidden page: the store
 * that runs into it is how the program learns that the arena is full. Then the cells
 * that can still be reached are copied into a new arena, side by side, and the old
 * one is unmapped with all the garbage in it, which nobody has looked at.
 *
 *     old arena   | a . . b . . . c . . . . . . . |forbidden|       . is garbage
 *                   │     │       │
 *                   │ ┌───┘  ┌────┘
 *     new arena   | a b c next ->      free       |forbidden|
 *
 * The order of copying is Cheney's: the copies themselves are the queue of what is
 * still to be looked at.
 */
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "user/lib/story.h"
#include "user/lib/system.h"

struct cell {
    struct cell *rest;  /* of the list that begins here */
    struct cell *copy;  /* in the new arena, while a collection runs; else NULL */
    uint32_t number;    /* its own: no two cells have the same */
    uint32_t unused;    /* makes the size a divisor of the page's: no cell lies across the border */
};

enum {
    ARENA_PAGES = 64,
    ARENA_CELLS = ARENA_PAGES * PAGE_SIZE / sizeof(struct cell),
    CELLS = 200000,     /* allocated in all: as much as twelve arenas hold */
    LISTS = 64,
    LONGEST = 200,      /* cells in a list before it is dropped */
    STRAY = 8,          /* pages of stack, data and library that come in along the way */
    MEASUREMENTS = 5,   /* the least disturbed one is taken */
};

static struct cell *arena;           /* the present one; behind it lies the forbidden page */
static struct cell *next;            /* the next free cell */
static struct cell *lists[LISTS];    /* the roots: from here everything that lives can be reached */

/* What the program knows of each list without looking at it. */
static struct {
    unsigned length;
    uint32_t sum;                    /* of its cells' numbers */
} expected[LISTS];

static sigjmp_buf safe_point;        /* from where a step can begin anew */
static volatile unsigned allocated, faults;
static unsigned collections, survivors, misplaced, wrong_lists;

/* ---- Allocation -------------------------------------------------------- */

static void
arena_make(void)
{
    arena = next = (struct cell *) pages_map(ARENA_PAGES);
}

/* Unmaps an arena, and the forbidden pages at its ends. */
static void
arena_drop(struct cell *old)
{
    munmap((char *) old - PAGE_SIZE, (ARENA_PAGES + 2) * PAGE_SIZE);
}

static void collect(void);

/*
 * The allocator. In its forbidden-page form it compares nothing: if there is no room, the store faults, and
 * what comes behind it does not happen.
 */
static inline struct cell *
cell_allocate(uint32_t number, struct cell *rest, bool compare)
{
    if (compare && next == arena + ARENA_CELLS)
        collect();
    struct cell *cell = next++;
    cell->rest = rest;
    cell->number = number;
    /* The compiler must not move what follows to before the store that may fault. */
    atomic_signal_fence(memory_order_seq_cst);
    return cell;
}

/* The only fault expected is the store into the forbidden page; any other is a mistake, and ends the program. */
static void
arena_full(int signal, siginfo_t *information, void *context)
{
    uintptr_t beyond = (uintptr_t) information->si_addr - (uintptr_t) (arena + ARENA_CELLS);

    (void) signal;
    (void) context;
    if (information->si_code != SEGV_ACCERR || beyond >= PAGE_SIZE)
        abort();
    faults++;
    siglongjmp(safe_point, 1);
}

/* ---- Collection -------------------------------------------------------- */

/* Where a cell of the old arena lies in the new one: it is copied when this is first asked. */
static struct cell *
cell_moved(struct cell *cell)
{
    if (cell == NULL)
        return NULL;
    if (cell->copy == NULL) {
        struct cell *copy = next++;
        copy->rest = cell->rest;
        copy->number = cell->number;
        cell->copy = copy;
    }
    return cell->copy;
}

static void
collect(void)
{
    struct cell *old = arena;

    arena_make();
    for (int list = 0; list < LISTS; list++)
        lists[list] = cell_moved(lists[list]);
    for (struct cell *scan = arena; scan < next; scan++)
        scan->rest = cell_moved(scan->rest);
    arena_drop(old);
}

/* Whether the lists hold what they should, and how many different cells they have: some are in two lists. */
static unsigned
lists_walk(void)
{
    static bool seen[CELLS];
    unsigned different = 0;

    memset(seen, 0, sizeof seen);
    for (int list = 0; list < LISTS; list++) {
        unsigned length = 0;
        uint32_t sum = 0;
        for (const struct cell *cell = lists[list]; cell != NULL; cell = cell->rest) {
            length++;
            sum += cell->number;
            different += !seen[cell->number];
            seen[cell->number] = true;
        }
        wrong_lists += length != expected[list].length || sum != expected[list].sum;
    }
    return different;
}

/* ---- The program that allocates ---------------------------------------- */

/*
 * A long list is dropped. Every other one is not replaced by nothing, but by its neighbour: then both end in the
 * same cells, which must not become two.
 */
static void
list_drop(unsigned list)
{
    bool shares = list % 2 != 0;

    lists[list] = shares ? lists[list - 1] : NULL;
    expected[list].length = shares ? expected[list - 1].length : 0;
    expected[list].sum = shares ? expected[list - 1].sum : 0;
}

/* Puts cell `number` before one of the lists. Until it is allocated nothing changes, so the step can begin anew. */
static void
step(uint32_t number)
{
    unsigned list = number * 2654435761U >> 26;     /* a hash, of as many bits as there are lists */
    struct cell *cell = cell_allocate(number, lists[list], false);

    lists[list] = cell;
    expected[list].length++;
    expected[list].sum += number;
    if (expected[list].length >= LONGEST)
        list_drop(list);
}

static void
mutate(void)
{
    if (sigsetjmp(safe_point, 1) != 0) {
        collect();
        collections++;
        survivors += next - arena;
        misplaced += (unsigned) (next - arena) != lists_walk();
    }
    for (; allocated < CELLS; allocated++)
        step(allocated);
}

static void
collecting_show(void)
{
    story_tell("%d cells of %zu bytes are put into %d lists, which are dropped when they have %d. An arena has room for %d:",
               CELLS, sizeof(struct cell), LISTS, LONGEST, ARENA_CELLS);
    arena_make();
    lists_walk();       /* touches its memory before it is counted */
    story_count();
    mutate();
    story_counted();
    expect(faults == collections && collections >= CELLS / ARENA_CELLS,
           "the forbidden page was hit once for each collection: %u times", faults);
    expect_counter("fault_protection", collections, collections, "the kernel refused as many accesses");
    lists_walk();
    expect(wrong_lists == 0, "every list held what was put into it, after each collection and at the end");
    expect(misplaced == 0, "each living cell was copied once, also those in two lists, and they lay side by side");
    story_tell("On average %u of %d cells were alive. Only they were looked at: garbage costs nothing.",
               survivors / collections, ARENA_CELLS);
    expect_counter("fault_zero_fill", CELLS / (PAGE_SIZE / (int) sizeof(struct cell)),
                   story_entries_vanish() ? NO_LIMIT : (collections + 1LL) * ARENA_PAGES + STRAY,
                   "what a new arena costs is a zero-fill for each page");
}

/* ---- What the comparison would have cost ------------------------------- */

/* Fills the arena, and touches nothing behind it. Returns the instructions. */
static inline uint64_t
fill(bool compare)
{
    struct cell *last = NULL;

    next = arena;
    uint64_t start = instructions_now();
    for (uint32_t number = 0; number < ARENA_CELLS; number++)
        last = cell_allocate(number, last, compare);
    return instructions_now() - start;
}

/* Stores into the forbidden page. Returns the instructions from there to the handler and back. */
static uint64_t
hit(void)
{
    static volatile uint64_t start;

    next = arena + ARENA_CELLS;
    if (sigsetjmp(safe_point, 1) == 0) {
        start = instructions_now();
        cell_allocate(0, NULL, false);
    }
    return instructions_now() - start;
}

static uint64_t
least(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

static void
comparison_show(void)
{
    uint64_t compared = UINT64_MAX, bare = UINT64_MAX, fault = UINT64_MAX;

    for (int i = 0; i < MEASUREMENTS; i++) {
        compared = least(compared, fill(true));
        bare = least(bare, fill(false));
        fault = least(fault, hit());
    }
    expect(fault > 0, "a hit costs a fault, a signal and a jump: %llu instructions", (unsigned long long) fault);
    story_tell("Filling an arena of %d cells takes %llu instructions, and %llu with a comparison before each.", ARENA_CELLS,
               (unsigned long long) bare, (unsigned long long) compared);
    if (compared <= bare)
        story_skip("the comparison is not to be seen by this clock");
    else
        story_tell("The forbidden page pays as soon as an arena has more than %llu cells.",
                   (unsigned long long) (fault * ARENA_CELLS / (compared - bare)));
}

int
main(void)
{
    struct sigaction action = { .sa_sigaction = arena_full, .sa_flags = SA_SIGINFO };

    story_begin("gc", "A copying garbage collector. Cells are allocated by increasing address up to a forbidden page; the "
                "fault there starts the collection, which copies what lives into a new arena.");
    sigaction(SIGSEGV, &action, NULL);
    collecting_show();
    comparison_show();
    return story_end();
}
