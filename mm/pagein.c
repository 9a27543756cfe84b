/*
 * Bringing an anon's page back from the swap area.
 */
#include "mm/pagein.h"

#include "kernel/scheduler.h"
#include "mm/evictable.h"
#include "mm/swap.h"

enum pagein_result
pagein_anon(struct anon *anon)
{
    struct frame *frame = anon->frame;
    u64 switches = scheduler_switches;
    int error;

    if (frame && !frame->busy)
        return PAGEIN_HERE;
    if (frame) {
        evictable_wait(frame);
        return PAGEIN_WAITED;
    }
    frame = frame_allocate(FRAME_ANONYMOUS);
    if (!frame)
        return PAGEIN_NO_MEMORY;
    frame->owner = anon;
    anon->frame = frame;
    evictable_begin(frame);
    error = swap_read(anon->slot, frame);
    if (error && !frame->orphan)
        anon->frame = NULL;
    if (error)
        frame->orphan = true;
    if (!evictable_end(frame))
        return error ? PAGEIN_ERROR : PAGEIN_SLEPT;
    return scheduler_switches == switches ? PAGEIN_READ : PAGEIN_SLEPT;
}
