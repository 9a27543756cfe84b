/*
 * A cluster: the frames of one transfer, since the device's latency is paid only
 * once. When it reads, the first is for the page that is wanted, and the others are
 * for the pages that follow it on the device, read in anticipation. When it writes,
 * all are pages of a process that is swapped out.
 */
#pragma once

#include "drivers/block.h"
#include "kernel/types.h"
#include "mm/frame.h"

/* The most that one transfer brings in. A cluster lives on the kernel stack. */
#define CLUSTER_FRAMES 65u

struct cluster {
    u32 count;
    struct frame *frames[CLUSTER_FRAMES];
};

/* Fills the frames with bytes from position on, and what is left of the last one
 * with zeroes. If the device fails it is asked again for the first page alone: a
 * bad neighbour does no harm. Returns how many have their contents: all, one or
 * none; those but the first are marked as prefetched. May sleep. */
u32 cluster_read(struct cluster *cluster, struct block_device *device, u64 position, usize bytes);

/* Writes all frames, one behind the other from position on. 0 or -EIO. May sleep. */
int cluster_write(const struct cluster *cluster, struct block_device *device, u64 position);
