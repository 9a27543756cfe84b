/*
 * Mutual exclusion between threads over sections that may sleep (pipes, inodes, page-in). Since the kernel is
 * not preempted, a section that cannot sleep needs none. Not for interrupt handlers.
 */
#pragma once

#include "kernel/types.h"
#include "kernel/wait.h"

struct thread;

/* Zero-initialised, it is unlocked. */
struct mutex {
    struct thread *owner;              /* NULL: unlocked */
    struct wait_queue waiters;
};

/* May sleep, uninterruptibly. The caller must not hold it already. */
void mutex_lock(struct mutex *mutex);

/* Only by the thread that locked it. Never sleeps. */
void mutex_unlock(struct mutex *mutex);

