/*
 * What the tests of eviction share: a small memory with a swap area, and private pages that know what was written to them.
 */
#pragma once

#include "tests/host/host.h"

#include <sanitizer/lsan_interface.h>

#include "mm/anon.h"
#include "mm/check.h"
#include "mm/object.h"
#include "mm/pmap.h"
#include "mm/pool.h"
#include "mm/swap.h"
#include "tests/host/stub/machine.h"

#define MEMORY_FRAMES 1024u
#define SWAP_PAGES 64u

static inline void
begin_memory(void)
{
    machine_start(MEMORY_FRAMES);
    pmap_start(MEMORY_FRAMES);
    object_start();
    __lsan_disable();           /* what lives as long as the system */
    pool_start();
    check(swap_start(host_device_create((u64)SWAP_PAGES << PAGE_SHIFT)));
    __lsan_enable();
}

static inline struct anon *
make_anon(u32 word)
{
    struct frame *frame = frame_allocate(FRAME_ANONYMOUS);
    struct anon *made = anon_create(frame);

    frame->dirty = true;
    *(u32 *)frame_data(frame) = word;
    return made;
}

static inline u32
word_of(const struct anon *of)
{
    return *(u32 *)frame_data(of->frame);
}

/* Everything has been given back. */
static inline void
nothing_is_left(void)
{
    check_equal(frame_count(FRAME_ANONYMOUS), 0);
    check_equal(frame_count(FRAME_OBJECT), 0);
    check_equal(anon_count(), 0);
    check_equal(swap_free_count(), swap_total());
    check_sound(check_run());
}
