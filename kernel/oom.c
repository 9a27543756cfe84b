/*
 * The last resort when neither memory nor swap has room: the process that holds most is killed, so that all
 * others go on. /proc/PID/oom_score_adj adds thousandths of memory and swap area to what a process holds, or takes
 * them away; with -1000 it is spared.
 */
#include "kernel/oom.h"

#include "drivers/timer.h"
#include "kernel/lib/divide.h"
#include "kernel/log.h"
#include "kernel/process.h"
#include "mm/counters.h"
#include "mm/frame.h"
#include "mm/swap.h"
#include "mm/units.h"
#include "mm/usage.h"

#include <linux/oom.h>

#define KIB_PER_PAGE (PAGE_SIZE / 1024)
#define OOM_PATIENCE (2ull * NANOSECONDS_PER_SECOND)

/* Pages that it holds, in memory and in the swap area. */
static u32
oom_pages(const struct process *process)
{
    struct usage usage = usage_of(process->aspace);

    return usage.resident + usage.swapped;
}

static bool
oom_may_kill(const struct process *process)
{
    return process->aspace != NULL && !process->signals.unkillable && process->oom_adjustment != OOM_SCORE_ADJ_MIN;
}

static u32
oom_memory(void)
{
    return frame_total() + swap_total();
}

/* What one that may be killed holds, adjusted as it asks; from less than nothing, but no further than all memory. */
static s32
oom_charge(const struct process *process)
{
    return (s32)oom_pages(process) + process->oom_adjustment * (s32)(oom_memory() / OOM_SCORE_ADJ_MAX);
}

u32
oom_score(const struct process *process)
{
    u64 charge;

    if (!oom_may_kill(process))
        return 0;
    charge = oom_memory() + (u32)oom_charge(process);
    return (u32)divide_u64(charge * OOM_SCORE_ADJ_MAX, oom_memory(), NULL) * 2 / 3;
}

static bool
oom_is_dying(const struct process *process)
{
    return process->exiting || (process->signals.pending.set & signal_bit(SIGKILL)) != 0;
}

/* One that is dying and still has its memory; NULL if there is none. */
static const struct process *
oom_find_dying(void)
{
    const struct process *process;

    process_for_each(process) {
        if (process->aspace != NULL && oom_is_dying(process))
            return process;
    }
    return NULL;
}

/*
 * One that is dying already will give its memory back; killing another one would not help sooner. But it may be waiting
 * for a lock, and whoever holds that for memory: so that is expected of it for some time only.
 */
static bool
oom_has_patience(const struct process *dying)
{
    static u32 awaited; /* number of the process that was dying at the last look; 0: none */
    static u64 end;     /* of the patience with that one; 0: it has ended */
    u64 now = timer_nanoseconds();
    u32 id = dying == NULL ? 0 : dying->id;

    if (id != 0 && (id != awaited || end == 0))
        end = now + OOM_PATIENCE;
    if (id == 0 || now >= end)
        end = 0;
    awaited = id;
    return end != 0;
}

/* The one with the largest charge, of those that are not dying; NULL if there is none but init. */
static struct process *
oom_choose(void)
{
    struct process *process, *largest = NULL;
    s32 most = 0;

    process_for_each(process) {
        s32 charge;

        if (oom_is_dying(process) || !oom_may_kill(process))
            continue;
        charge = oom_charge(process);
        if (largest == NULL || charge > most) {
            most = charge;
            largest = process;
        }
    }
    return largest;
}

static void
oom_kill(struct process *victim)
{
    struct usage usage = usage_of(victim->aspace);

    log_error("out of memory: killed process %u (%s), which held most: %u KiB resident, %u KiB swapped", victim->id,
              victim->name, usage.resident * KIB_PER_PAGE, usage.swapped * KIB_PER_PAGE);
    counters.oom_kill++;
    signal_force_kill(victim);
}

bool
oom_kill_largest(void)
{
    const struct process *dying = oom_find_dying();
    struct process *victim;

    /* Who is to die waits for nobody: it would be for itself. */
    if (current_process()->exiting || signal_kill_pending(current_thread()))
        return false;
    if (oom_has_patience(dying))
        return true;
    victim = oom_choose();
    if (victim == NULL && dying != NULL)
        return true;
    if (victim == NULL)
        victim = process_find(PID_INIT);
    if (victim == NULL || victim->aspace == NULL)
        return false;
    oom_kill(victim);
    return victim != current_process();
}
