#pragma once
/*
 * Waiting for several files at once: poll and select.
 *
 * There is one queue for all who poll. Whatever becomes ready says so by poll_wake; the pollers then look at their own files again.
 */
#include "kernel/types.h"
#include "kernel/wait.h"

extern struct wait_queue poll_queue;

/* Something may have become ready. Cheap when nobody polls; also for interrupt handlers. */
static inline void
poll_wake(void)
{
    wait_wake_all(&poll_queue);
}
