/*
 * Who runs next: one queue of runnable threads, round robin, in slices of SCHEDULER_SLICE_TICKS clock ticks.
 * The kernel is not preempted: a tick only notes in cpu()->pending_work that the slice is over, and the switch
 * happens on the way back to user mode.
 */
#pragma once

#include "kernel/types.h"

struct thread;

#define SCHEDULER_SLICE_TICKS 5

/* Bits of cpu()->pending_work: reasons to call process_return_to_user on the way back to user mode. */
#define WORK_RESCHEDULE 1u                     /* the slice is over and somebody else can run */
#define WORK_SIGNAL 2u                         /* the current thread may have a signal to act upon */
#define WORK_SAMPLE 4u                         /* the clock ticked, and memory heeds it: aspace_clock_tick */
#define WORK_SUSPENSION 8u                     /* the process may be suspended: suspension_wait */

/*
 * Turn the boot stack into the idle thread's, start the clock, and run `boot` in a kernel thread of its own,
 * which may wait. When boot returns, that thread ends. Called once, from kernel_main, with interrupts disabled.
 * Does not return.
 */
void scheduler_start(void (*boot)(void)) __attribute__((noreturn));

/*
 * Give the processor to the next runnable thread. The caller has said by its thread's state whether it wants it
 * back; a running one goes to the end of the queue. Keeps the interrupt flag. From a thread only.
 */
void schedule(void);

/* Let the other runnable threads go first. */
void scheduler_yield(void);

/* Put a thread that does not run at the end of the run queue. From anywhere; the thread must not be in the queue. */
void scheduler_add(struct thread *thread);

/*
 * Put a thread at the head of the queue and have the current one give way before it returns to user mode. For
 * fork: a child that runs first takes its first pages before its parent asks for more, so that a lack of memory
 * shows as a failing fork.
 */
void scheduler_add_first(struct thread *thread);

/* Threads that run or could. In the interrupt handler of the clock. */
u32 scheduler_runnable(void);

/* Every thread's first act after a switch to it: free the one that ended by that switch. */
void scheduler_finish_switch(void);

/* How often the processor has changed from one thread to another since boot. */
extern u64 scheduler_switches;
