/*
 * Bringing an anon's page back from the swap area.
 *
 * While the device works, the frame belongs to the anon already, and is busy:
 * whoever else needs the page waits for this transfer instead of starting another.
 */
#pragma once

#include "mm/anon.h"
#include "mm/prefetch.h"

enum pagein_result {
    PAGEIN_HERE,        /* it was in memory already */
    PAGEIN_READ,        /* read now, without sleeping */
    PAGEIN_SLEPT,       /* the same, but it took a sleep: the anon may be gone, look at everything again */
    PAGEIN_WAITED,      /* slept until somebody else's transfer was over: look again */
    PAGEIN_ERROR,       /* the device failed */
    PAGEIN_NO_MEMORY,   /* no frame is free: ask reclaim first */
};

/* Takes a frame if need be, never evicts. Sleeps if the device has latency or the
 * frame is busy. With prefetch (which may be NULL), pages that follow the anon's in
 * its amap come with it in the same transfer: up to the first that is in memory or
 * whose slot does not follow, as far as frames are free. The amap must reach over
 * them. */
enum pagein_result pagein_anon(struct anon *anon, struct prefetch *prefetch);

/* So often who slept looks again, and then goes without. When the sleep ends the page is there, or the next
 * turn reads it; but before the caller gets the processor others may bring it in and begin to evict it. */
#define PAGEIN_PATIENCE 64u
