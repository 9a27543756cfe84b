/*
 * A list of ranges of physical memory, in ascending order, without overlaps: the free RAM while the boot code takes
 * stock of it.
 */
#pragma once

#include "boot/info.h"
#include "kernel/types.h"

/* More than firmware has ever reported; what does not fit is counted in `lost`. */
#define BOOT_RANGES_MAX 128

struct boot_ranges {
    struct boot_range items[BOOT_RANGES_MAX];
    u32 count;
    u32 lost; /* bytes that were left out for want of items */
};

/* Adds start to end - 1, both multiples of a page; nothing if it is empty. What is in the list already stays once. */
void ranges_add(struct boot_ranges *ranges, u32 start, u32 end);

/* Takes out every page that start to end - 1, at any byte, touches. */
void ranges_remove(struct boot_ranges *ranges, u32 start, u32 end);

/* Bytes in all ranges together. */
u32 ranges_bytes(const struct boot_ranges *ranges);
