/*
 * Round robin. The run queue holds the runnable threads that do not run; the running one and the idle thread
 * are never in it.
 *
 *          tick, slice over                    first
 *     run ------------------> tail [ run queue ] -----> run
 *      | wait, stop                ^ wake, new thread
 *      v                           |
 *     asleep ----------------------+
 *
 * The queue is touched by interrupt handlers that wake threads: all access with interrupts disabled.
 */
#include "kernel/scheduler.h"

#include <bsd/sys/queue.h>

#include "drivers/timer.h"
#include "kernel/alarm.h"
#include "kernel/assert.h"
#include "kernel/interval.h"
#include "kernel/load_average.h"
#include "kernel/panic.h"
#include "kernel/process.h"
#include "kernel/processor_time.h"
#include "kernel/resource.h"
#include "kernel/thread.h"
#include "mm/aspace.h"
#include "mm/frame.h"

u64 scheduler_switches;

static TAILQ_HEAD(, thread) run_queue = TAILQ_HEAD_INITIALIZER(run_queue);
static struct thread idle_thread;

/* A thread that has ended but on whose stack the switch away from it ran. */
static struct thread *ended_thread;

void
scheduler_add(struct thread *thread)
{
    u32 interrupts = interrupts_save();

    assert(thread->state == THREAD_RUNNABLE);
    TAILQ_INSERT_TAIL(&run_queue, thread, run_link);
    interrupts_restore(interrupts);
}

void
scheduler_add_first(struct thread *thread)
{
    u32 interrupts = interrupts_save();

    assert(thread->state == THREAD_RUNNABLE);
    TAILQ_INSERT_HEAD(&run_queue, thread, run_link);
    cpu()->pending_work |= WORK_RESCHEDULE;
    interrupts_restore(interrupts);
}

void
scheduler_finish_switch(void)
{
    if (ended_thread != NULL) {
        struct thread *ended = ended_thread;

        ended_thread = NULL;
        thread_free(ended);
    }
}

static struct thread *
scheduler_pick(struct thread *previous)
{
    struct thread *next;

    if (previous->state == THREAD_RUNNABLE && previous != &idle_thread)
        TAILQ_INSERT_TAIL(&run_queue, previous, run_link);
    next = TAILQ_FIRST(&run_queue);
    if (next == NULL)
        return &idle_thread;
    TAILQ_REMOVE(&run_queue, next, run_link);
    return next;
}

/* Everything of the processor that is the thread's own changes here, but for the stack. */
static void
scheduler_switch(struct thread *previous, struct thread *next)
{
    scheduler_switches++;
    if (processor_time_measured)
        processor_time_charge(previous, timer_nanoseconds());
    if (previous->has_user_state)
        thread_save_user_state(previous);
    else if (previous->state == THREAD_DEAD)
        ended_thread = previous;
    cpu()->thread = next;
    if (next->has_user_state) {
        if (cpu()->aspace != next->process->aspace)
            aspace_activate(next->process->aspace);
        thread_load_user_state(next);
    }
    context_switch(&previous->context, &next->context);
    scheduler_finish_switch();
}

void
schedule(void)
{
    u32 interrupts = interrupts_save();
    struct thread *previous = current_thread();
    struct thread *next = scheduler_pick(previous);

    next->slice = SCHEDULER_SLICE_TICKS;
    cpu()->pending_work = next->work;
    if (next != previous)
        scheduler_switch(previous, next);
    interrupts_restore(interrupts);
}

void
scheduler_yield(void)
{
    current_thread()->switches_voluntary++;
    schedule();
}

u32
scheduler_runnable(void)
{
    const struct thread *thread;
    u32 count = current_thread() != &idle_thread;

    TAILQ_FOREACH(thread, &run_queue, run_link)
        count++;
    return count;
}

/* One clock tick: charges it to whom it interrupted, ends slices, lets alarms go off. In the interrupt handler. */
static void
scheduler_tick(void)
{
    struct thread *thread = current_thread();
    u64 now = timer_nanoseconds();

    if (cpu()->interrupted_user)
        thread->user_ticks++;
    else
        thread->system_ticks++;
    if (thread != &idle_thread)
        processor_time_tick(thread, cpu()->interrupted_user, now);
    interval_tick(thread->process, cpu()->interrupted_user);
    resource_tick(thread->process);
    if (aspace_heeds_time())
        cpu()->pending_work |= WORK_SAMPLE;
    alarm_tick(now);
    if (thread->slice > 0)
        thread->slice--;
    if (thread->slice == 0 && !TAILQ_EMPTY(&run_queue))
        cpu()->pending_work |= WORK_RESCHEDULE;
}

/* Nothing is left to do: waits for an interrupt, or, if an alarm goes off before the next tick, for its very moment. */
static void
scheduler_idle_wait(void)
{
    u64 now = timer_nanoseconds();

    alarm_tick(now);
    if (TAILQ_EMPTY(&run_queue) && !alarm_before(now + TIMER_TICK_NANOSECONDS))
        cpu_wait_for_interrupt();
}

/* While nobody can run, frames are cleared for those who will: one at a time, with interrupts enabled. */
static void __attribute__((noreturn))
scheduler_idle(void)
{
    bool zero_pool_full = false;

    for (;;) {
        interrupts_disable();
        if (!TAILQ_EMPTY(&run_queue)) {
            processor_time_idle_ends();
            schedule();
            processor_time_idle_begins();
            zero_pool_full = false;
        } else if (zero_pool_full) {
            scheduler_idle_wait();
            interrupts_admit();
        } else {
            interrupts_enable();
            zero_pool_full = !frame_fill_zero_pool();
        }
    }
}

void
scheduler_start(void (*boot)(void))
{
    struct thread *thread;

    idle_thread.process = &process_kernel;
    idle_thread.state = THREAD_RUNNABLE;
    cpu()->thread = &idle_thread;
    thread = thread_spawn_kernel(&process_kernel, boot);
    if (thread == NULL)
        panic("no memory for the first thread");
    timer_on_tick(scheduler_tick);
    load_average_start();
    scheduler_idle();
}
