/*
 * A guard page: a bump allocator that never looks whether there is room. Its arena
 * ends at a forbidden page, and running into it is how it learns that the arena
 * is full: the fault handler makes the arena larger and moves the guard up.
 *
 *     base          next             guard             end
 *     |  handed out  |      free       | forbidden ...  |
 *
 * The check that the fault replaces would have run at every allocation; the fault
 * happens once for every CHUNK pages.
 */
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "user/lib/story.h"

enum {
    CHUNK = 16,                     /* pages by which the arena grows */
    CHUNKS = 8,                     /* reserved in all, of which the last stays forbidden */
    OBJECT = 32,                    /* bytes in each object */
    OBJECTS = (CHUNKS - 1) * CHUNK * PAGE_SIZE / OBJECT,
};

static char *base, *next, *guard, *end;
static volatile int extensions; /* how often the guard has been moved */

/* A store into the guard chunk opens it. Any other fault is a mistake, and ends the program. */
static void
guard_hit(int signal, siginfo_t *information, void *context)
{
    char *address = information->si_addr;

    (void) signal;
    (void) context;
    if (information->si_code != SEGV_ACCERR || address < guard || address >= guard + CHUNK * PAGE_SIZE
        || guard + CHUNK * PAGE_SIZE >= end || mprotect(guard, CHUNK * PAGE_SIZE, PROT_READ | PROT_WRITE) != 0)
        abort();
    guard += CHUNK * PAGE_SIZE;
    extensions++;
}

/* The whole allocator: no comparison with the end. */
static char *
object_allocate(void)
{
    char *object = next;
    next += OBJECT;
    return object;
}

int
main(void)
{
    struct sigaction action = { .sa_sigaction = guard_hit, .sa_flags = SA_SIGINFO };

    story_begin("guard", "A guard page. A bump allocator that never checks for room is told by a fault when it "
                "reaches the forbidden page at its end.");
    sigaction(SIGSEGV, &action, NULL);
    base = next = guard = pages_map(CHUNKS * CHUNK);
    end = base + CHUNKS * CHUNK * PAGE_SIZE;
    mprotect(base, end - base, PROT_NONE);

    story_tell("Allocating %d objects of %d bytes; the arena starts empty and grows by %d pages:", OBJECTS, OBJECT,
               CHUNK);
    story_count();
    for (int i = 0; i < OBJECTS; i++)
        *(volatile uint32_t *) object_allocate() = i;
    story_counted();

    expect(extensions == CHUNKS - 1, "the guard was hit once for each %d pages: %d times", CHUNK, extensions);
    expect_counter("fault_protection", CHUNKS - 1, CHUNKS - 1, "each hit is one refused access");
    int wrong = 0;
    for (int i = 0; i < OBJECTS; i++)
        wrong += *(uint32_t *) (base + i * OBJECT) != (uint32_t) i;
    expect(wrong == 0, "each store that had faulted was done again: no object is wrong");
    return story_end();
}
