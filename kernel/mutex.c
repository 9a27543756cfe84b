/* A mutex is an owner and a queue. Unlocking wakes one waiter, which competes for it again like anybody else. */
#include "kernel/mutex.h"

#include "kernel/assert.h"
#include "kernel/thread.h"

void
mutex_lock(struct mutex *mutex)
{
    assert(mutex->owner != current_thread());
    while (mutex->owner != NULL)
        wait_sleep(&mutex->waiters);
    mutex->owner = current_thread();
}

void
mutex_unlock(struct mutex *mutex)
{
    assert(mutex->owner == current_thread());
    mutex->owner = NULL;
    if (!TAILQ_EMPTY(&mutex->waiters.entries))
        wait_wake_one(&mutex->waiters);
}
