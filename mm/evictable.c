/*
 * Frames that may be evicted, and those that are busy with a device.
 */
#include "mm/evictable.h"

#include "kernel/assert.h"
#include "kernel/wait.h"

/* Whoever waits for any busy frame; there are few, and they look again. */
static struct wait_queue waiters;

void
evictable_insert(struct frame *frame)
{
    if (evictable_is_candidate(frame) && !frame->evictable)
        pool_insert(frame);
}

void
evictable_pin(struct frame *frame)
{
    evictable_remove(frame);
    frame->pins++;
    assert(frame->pins != 0);
}

void
evictable_unpin(struct frame *frame)
{
    assert(frame->pins > 0);
    frame->pins--;
    if (!frame->orphan)
        evictable_insert(frame);
    else if (!frame->pins && !frame->busy)
        evictable_disown(frame);
}

bool
evictable_end_leaving(struct frame *frame)
{
    assert(frame->busy);
    frame->busy = false;
    wait_wake_all(&waiters);
    if (frame->orphan)
        evictable_disown(frame);
    return frame->owner;
}

bool
evictable_end(struct frame *frame)
{
    if (!evictable_end_leaving(frame))
        return false;
    evictable_insert(frame);
    return true;
}

void
evictable_wait(struct frame *frame)
{
    const void *owner = frame->owner;
    bool needed = frame_need_begin(frame);

    while (frame->busy && frame->owner == owner)
        wait_sleep(&waiters);
    if (needed)
        frame_need_end(frame);
}

void
evictable_disown(struct frame *frame)
{
    evictable_remove(frame);
    frame->owner = NULL;
    if (frame->busy || frame->pins) {
        frame->orphan = true;
        return;
    }
    pool_forget(frame);
    frame_free(frame);
}
