/* Digests of answers. See digest.h. */
#include "user/lib/digest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/outcome.h"
#include "user/lib/random.h"

enum {
    REPORT = 100,       /* steps from one digest to the next */
    DEEPEST = 2,        /* children in children */
};

static const uint32_t prime = 16777619;     /* of FNV-1a */

/* What parents and children write together. */
static struct {
    uint32_t digest;
    uint32_t step;
} *shared;

static uint32_t printed_from = UINT32_MAX;

static int depth;       /* of this process among the children */

uint32_t
digest_begin(int count, char **arguments)
{
    if (count < 3) {
        fprintf(stderr, "usage: %s SEED STEPS [FROM]\n", arguments[0]);
        exit(EXIT_FAILURE);
    }
    random_state = (uint32_t) strtoul(arguments[1], NULL, 0) | 1;
    if (count > 3)
        printed_from = (uint32_t) strtoul(arguments[3], NULL, 0);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return (uint32_t) strtoul(arguments[2], NULL, 0);
}

void
digest_answer(const char *what, long first, long second, uint32_t result)
{
    shared->digest = (shared->digest ^ result) * prime;
    shared->digest = (shared->digest ^ (uint32_t) first) * prime;
    if (shared->step >= printed_from)
        tell("%u.%d %s %ld %ld: %x", shared->step, depth, what, first, second, result);
}

uint32_t
digest_error(long result)
{
    return result == -1 ? (uint32_t) errno : 0;
}

static void
begin_step(void)
{
    if (shared->step > 0 && shared->step % REPORT == 0)
        tell("step %u: %08x", shared->step, shared->digest);
    shared->step++;
}

void
digest_run(const struct digest_kind *kinds, uint32_t steps)
{
    for (uint32_t i = 0; i < steps; i++) {
        const struct digest_kind *kind = kinds;

        for (uint32_t choice = draw(100); choice >= kind->weight; kind++)
            choice -= kind->weight;
        begin_step();
        kind->run();
    }
}

void
digest_fork(const struct digest_kind *kinds, uint32_t steps)
{
    int status = 0;

    if (depth >= DEEPEST)
        return;
    /* Another one than the parent's, which would do the same steps after it. */
    uint32_t seed = ~draw(UINT32_MAX) | 1;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        random_state = seed;
        depth++;
        digest_run(kinds, steps);
        _exit(EXIT_SUCCESS);
    }
    waitpid(child, &status, 0);
    digest_answer("fork", 0, 0, (uint32_t) status);
}

void
digest_end(void)
{
    tell("at the end: %08x", shared->digest);
}
