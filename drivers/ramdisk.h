/*
 * A block device in memory, reached through the direct map. ramdisk.latency=USEC gives it the time of a disk: one
 * transfer at a time, the others queue behind it, and each caller sleeps until its own is over. 0 (default): at once.
 */
#pragma once

#include "drivers/block.h"

/*
 * A device over the physical memory from physical_start on, which the caller owns and which lies below the end of the
 * direct map. `name` must stay. NULL: no memory for the device's description.
 */
struct block_device *ramdisk_create(const char *name, u32 physical_start, u32 bytes);

/* Frees the description of a device that nobody uses any more; the memory stays with its owner. */
void ramdisk_destroy(struct block_device *device);
