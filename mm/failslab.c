/*
 * failslab=N: allocations fail in turn.
 */
#include "mm/failslab.h"

#include "kernel/command_line.h"
#include "mm/counters.h"
#include "mm/kmem_cache.h"

static u32 interval;
BOOT_NUMBER(failslab, interval, 0, 1000000, "make every N-th allocation of the kernel's own memory fail, once init runs");

bool failslab_on;

static bool started;
static u32 allocations;     /* since it was switched on */

bool
failslab_count(void)
{
    if (++allocations % interval != 0)
        return false;
    counters.failslab++;
    return true;
}

int
failslab_apply(void)
{
    allocations = 0;
    failslab_on = started && interval != 0;
    if (failslab_on)
        kmem_cache_count_all();
    return 0;
}

void
failslab_start(void)
{
    started = true;
    failslab_apply();
}
