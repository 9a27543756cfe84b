/*
 * chaos=N: after every N-th fault some entries of the page tables are dropped at
 * random. Programs must not notice: the price is a soft fault.
 */
#include "mm/chaos.h"

#include "kernel/command_line.h"
#include "kernel/lib/random.h"

/* Entries dropped at a time. */
#define DROPS 4u

u32 chaos_interval;
BOOT_NUMBER(chaos, chaos_interval, 0, 1000000, "drop page-table entries at random after every N-th fault");

static struct random random;
static u32 faults;

void
chaos_drop(struct aspace *aspace)
{
    if (++faults % chaos_interval != 0)
        return;
    if (random.state == 0)
        random_seed(&random, command_line_seed);
    for (u32 i = 0; i < DROPS; i++)
        pmap_drop_random(&aspace->pmap, &random);
}
