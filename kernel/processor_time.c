/* Where the processor's time goes. All of this is changed with interrupts disabled. */
#include "kernel/processor_time.h"

#include "drivers/timer.h"
#include "kernel/process.h"
#include "mm/aspace.h"

bool processor_time_measured;
u32 processor_time_waiters;

static struct processor_time total;
static u64 noted;       /* up to here time is in total or in busy */
static u64 busy;        /* since the last tick that found the processor busy */
static u64 charged;     /* up to here time is in the address spaces */

static void
note(u64 *kind, u64 now)
{
    *kind += now - noted;
    noted = now;
}

void
processor_time_idle_begins(void)
{
    note(&busy, timer_nanoseconds());
}

/* Only threads begin and end waits for devices: their number has not changed while the processor was idle. */
void
processor_time_idle_ends(void)
{
    u64 now = timer_nanoseconds();

    note(processor_time_waiters > 0 ? &total.device_wait : &total.idle, now);
    charged = now;
}

static void
divide_busy(bool in_user_mode)
{
    *(in_user_mode ? &total.user : &total.system) += busy;
    busy = 0;
}

void
processor_time_tick(struct thread *thread, bool in_user_mode, u64 now)
{
    note(&busy, now);
    divide_busy(in_user_mode);
    if (processor_time_measured)
        processor_time_charge(thread, now);
}

struct processor_time
processor_time_now(void)
{
    u32 interrupts = interrupts_save();
    struct processor_time result;

    note(&busy, timer_nanoseconds());
    divide_busy(false);
    result = total;
    interrupts_restore(interrupts);
    return result;
}

void
processor_time_measure(void)
{
    u32 interrupts = interrupts_save();

    if (!processor_time_measured)
        charged = timer_nanoseconds();
    processor_time_measured = true;
    interrupts_restore(interrupts);
}

void
processor_time_charge(struct thread *thread, u64 now)
{
    if (thread->process->aspace != NULL)
        aspace_charge_time(thread->process->aspace, (u32)(now - charged));
    charged = now;
}
