/*
 * What the kernel leaves to programs. Files' pages can fill memory and swap space, and pipes, names and inodes take
 * memory that can never be swapped out; nobody could be killed to get it back. So these stop growing while a part of
 * memory is still left.
 */
#pragma once

#include "kernel/types.h"
#include "mm/frame.h"

#define RESERVE_PART 16u    /* one part in so many of memory is left */

/* For reserve_is_reached, once memory looks short. */
bool reserve_is_reached_exactly(void);

/* Whether what cannot be swapped out (pipes, inodes) must not grow any more. Cheap. */
static inline bool
reserve_is_reached(void)
{
    return frame_free_count() < frame_limit / RESERVE_PART && reserve_is_reached_exactly();
}

/* Pages that files may still get. */
u32 reserve_file_pages(void);
