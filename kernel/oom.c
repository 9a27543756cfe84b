/*
 * The last resort when neither memory nor swap has room: the process that holds most is killed, so that all
 * others go on.
 */
#include "kernel/printk.h"
#include "kernel/process.h"
#include "mm/aspace.h"
#include "mm/counters.h"
#include "mm/units.h"

#define KIB_PER_PAGE (PAGE_SIZE / 1024)

static u32
oom_charge(const struct process *process)
{
    if (process->aspace == NULL)
        return 0;
    return aspace_resident_pages(process->aspace) + aspace_swapped_pages(process->aspace);
}

/* One that is dying already will give its memory back; killing another one would not help sooner. */
static bool
oom_somebody_is_dying(void)
{
    const struct process *process;

    process_for_each(process) {
        bool killed = (process->signals.pending.set & signal_bit(SIGKILL)) != 0;

        if (process->aspace != NULL && (process->exiting || killed))
            return true;
    }
    return false;
}

/* The largest process; init only if there is no other. */
static struct process *
oom_choose(void)
{
    struct process *process, *largest = NULL;
    u32 most = 0;

    process_for_each(process) {
        u32 charge = process->signals.unkillable ? 0 : oom_charge(process);

        if (charge > most) {
            most = charge;
            largest = process;
        }
    }
    return largest != NULL ? largest : process_find(1);
}

bool
process_kill_largest(void)
{
    struct process *victim;

    if (oom_somebody_is_dying())
        return !signal_kill_pending(current_thread());
    victim = oom_choose();
    if (victim == NULL || victim->aspace == NULL)
        return false;
    log_error("out of memory: killed process %u (%s), which held most: %u KiB resident, %u KiB swapped", victim->id,
              victim->name, aspace_resident_pages(victim->aspace) * KIB_PER_PAGE,
              aspace_swapped_pages(victim->aspace) * KIB_PER_PAGE);
    counters.oom_kill++;
    signal_force_kill(victim);
    return victim != current_process();
}
