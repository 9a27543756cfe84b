/* Suspending whole processes. Who is suspended, aspace->load says; the bit in a thread's work has it look there. */
#include "kernel/suspension.h"

#include "kernel/process.h"
#include "kernel/wait.h"
#include "kernel/x86/cpu.h"
#include "mm/aspace.h"
#include "mm/swapper.h"

/* All suspended threads wait here; there are few, and who is woken looks again. */
static struct wait_queue suspended;

bool
suspension_is_on(const struct aspace *aspace)
{
    return aspace->load.suspended;
}

/* Has every thread of the address space look whether it is suspended. */
static void
mark_threads(const struct aspace *aspace)
{
    struct process *process;
    struct thread *thread;

    process_for_each(process) {
        if (process->aspace != aspace)
            continue;
        TAILQ_FOREACH(thread, &process->threads, process_link)
            thread->work |= WORK_SUSPENSION;
    }
}

/* Whether there is still something to put out. */
static bool
goes_on(const struct aspace *aspace)
{
    return aspace->load.suspended && aspace->references > 1;
}

void
suspension_begin(struct aspace *aspace)
{
    aspace->load.suspended = aspace->load.swapped_out = true;
    counters.process_suspend++;
    mark_threads(aspace);
    swapper_put_out(aspace, goes_on);
}

void
suspension_end(struct aspace *aspace)
{
    if (!aspace->load.suspended)
        return;
    aspace->load.suspended = false;
    counters.process_resume++;
    wait_wake_all(&suspended);
}

/* Brings back what it needs. That is no fault of its own, so its fault frequency counts from here. */
static void
take_in(struct aspace *aspace)
{
    aspace->load.swapped_out = false;
    swapper_take_in(aspace, aspace->load.needed);
    if (aspace->pool != NULL)
        aspace->load.frames_taken = aspace->pool->loads;
}

void
suspension_wait(void)
{
    struct thread *thread = current_thread();
    struct aspace *aspace = thread->process->aspace;

    while (suspension_is_on(aspace))
        if (wait_interruptible(&suspended) < 0)
            return;
    if (aspace->load.swapped_out)
        take_in(aspace);
    thread->work &= ~WORK_SUSPENSION;
    cpu()->pending_work &= ~WORK_SUSPENSION;
}
