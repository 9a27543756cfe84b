/*
 * Suspending whole processes, for load control (control.c). A suspended process is swapped out, and does not run until
 * it is resumed.
 *
 *     running ──suspend──> threads wait on their way to user mode, pages are written, frames freed
 *        ^                                      │
 *        └────────────── resume ────────────────┘   the pages that it needed come back, before it runs
 *
 * What is suspended is an address space, with all threads of all processes that it belongs to: those of a program with
 * threads, and the two of a vfork. A thread waits only where it is about to return to user mode, so it holds nothing
 * that others need; one that sleeps in a system call sleeps on, and waits when that is over. Signals reach it: it dies
 * of a SIGKILL, stops and goes on, and takes what a handler needs before it waits again.
 */
#pragma once

#include "kernel/scheduler.h"
#include "kernel/thread.h"

struct aspace;

/* Whether the address space is suspended. */
bool suspension_is_on(const struct aspace *aspace);

/*
 * Suspend it, and swap it out. The caller holds it. Sleeps while pages are written; ends early if it is resumed
 * meanwhile, or nobody but the caller has it any more.
 */
void suspension_begin(struct aspace *aspace);

/* Let it run again. Does nothing to one that runs. */
void suspension_end(struct aspace *aspace);

/*
 * For the thread on its way to user mode: sleeps while its process is suspended, or until there is a signal to act
 * upon. The first one that goes on has the process swapped in.
 */
void suspension_wait(void);

/* A thread has been born: if its creator is suspended, so is it. */
static inline void
suspension_inherit(struct thread *child, const struct thread *creator)
{
    child->work |= creator->work & WORK_SUSPENSION;
}
