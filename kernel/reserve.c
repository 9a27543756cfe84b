/*
 * The reserve: one part in RESERVE_PART of memory, and for pages that can go there also of the swap area.
 */
#include "kernel/reserve.h"

#include "mm/swap.h"
#include "mm/units.h"

/*
 * Frames that are free, or would be for the asking: files' pages are dropped, programs' are swapped out as far as
 * there is room.
 */
static u32
reserve_available(void)
{
    u32 programs = frame_count(FRAME_ANONYMOUS);
    u32 swap = swap_free_count();

    return frame_free_count() + frame_count(FRAME_OBJECT) + (programs < swap ? programs : swap);
}

bool
reserve_is_reached_exactly(void)
{
    return reserve_available() < frame_total() / RESERVE_PART;
}

u32
reserve_file_pages(void)
{
    u32 available = frame_free_count() + frame_count(FRAME_OBJECT) + swap_free_count();
    u32 reserve = (frame_total() + swap_total()) / RESERVE_PART;

    return available > reserve ? available - reserve : 0;
}
