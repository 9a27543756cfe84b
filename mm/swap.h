/*
 * The swap area: page-sized slots on a block device.
 *
 * A bitmap says which slots are taken. Slot 0 is never used. Each taken slot
 * has one owner, an anon. There is at most one swap area.
 */
#pragma once

#include "drivers/block.h"
#include "kernel/types.h"
#include "mm/cluster.h"
#include "mm/frame.h"
#include "mm/units.h"

/* Uses all of device, whose size is rounded down to pages. False if there is no
 * memory for the bitmap or the device is smaller than two pages. */
bool swap_start(struct block_device *device);

/* A free slot near the one given out last, so that pages evicted together lie
 * together; SWAP_SLOT_NONE when the area is full or there is none. */
swap_slot_t swap_allocate(void);
void swap_free(swap_slot_t slot);

/* Reads the slots from first on, as many as the cluster has frames, in one
 * transfer. May sleep; returns the number of frames read: see cluster_read. */
u32 swap_read(swap_slot_t first, struct cluster *cluster);

/* Writes one page. May sleep; returns 0 or -EIO. */
int swap_write(swap_slot_t slot, const struct frame *frame);

/* Writes the frames to the slots from first on, in one transfer. Likewise. */
int swap_write_cluster(swap_slot_t first, const struct cluster *cluster);

extern u32 swap_slots;      /* that can be given out, taken or not; 0: there is no swap area */

static inline u32
swap_total(void)
{
    return swap_slots;
}

u32 swap_free_count(void);
bool swap_is_taken(swap_slot_t slot);
const char *swap_device_name(void);     /* NULL when there is no swap area */
