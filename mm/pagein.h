/*
 * Bringing an anon's page back from the swap area.
 *
 * The frame is marked busy while the device works, so that whoever else needs
 * the page waits for the same transfer instead of starting another.
 */
#pragma once

#include "mm/anon.h"
#include "mm/frame.h"

enum pagein_result {
    PAGEIN_HERE,        /* in memory already */
    PAGEIN_READ,        /* read now, without sleeping */
    PAGEIN_SLEPT,       /* had to wait: the anon may be gone, look at everything again */
    PAGEIN_ERROR,       /* the device failed */
    PAGEIN_NO_MEMORY,
};

/* Takes a frame if need be, never evicts. Sleeps if the device has latency or the
 * frame is busy. */
enum pagein_result pagein_anon(struct anon *anon);

/* Sleeps until the frame is no longer busy. The frame may belong to somebody
 * else afterwards. */
void pagein_wait(struct frame *frame);

/* Marks the frame busy before a transfer; after it, wakes who waits. True if the
 * owner has gone in between: the frame has been freed. */
void pagein_begin(struct frame *frame);
bool pagein_end(struct frame *frame);
