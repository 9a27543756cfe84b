/*
 * Starting virtual memory, once, at boot.
 *
 *   boot's map of RAM -> frame descriptors -> kernel page tables -> the rest
 */
#include "mm/start.h"

#include "boot/info.h"
#include "drivers/ramdisk.h"
#include "kernel/command_line.h"
#include "kernel/lib/string.h"
#include "kernel/log.h"
#include "mm/frame.h"
#include "mm/object.h"
#include "mm/pmap.h"
#include "mm/pool.h"
#include "mm/replay.h"
#include "mm/swap.h"

static u64 swap_bytes;
BOOT_SIZE(swap, swap_bytes, "size of the swap area, on a ramdisk");

/* A share of memory that the swap area must leave: one part in this many. */
#define SWAP_MEMORY_DIVISOR 4u

/* Gives [start, end), physical addresses, to the frames. */
static void
memory_add(u32 start, u32 end)
{
    if (end > start)
        frame_add((struct frame_range){frame_of((physical_t){start}), (end - start) >> PAGE_SHIFT});
}

/* Lays the descriptors at the start of the first range that holds them, and gives
 * all the rest to the free list. */
static void
memory_start(u32 limit)
{
    u32 bytes = pages_for((u32)frame_storage_bytes(limit)) << PAGE_SHIFT;
    const struct boot_range *home = boot_info.ranges;

    while (home < boot_info.ranges + boot_info.range_count && home->end - home->start < bytes)
        home++;
    if (home == boot_info.ranges + boot_info.range_count)
        boot_refuse("not enough memory: the frame descriptors alone take %u KiB", bytes >> 10);
    memset(frame_address((frame_t){home->start >> PAGE_SHIFT}), 0, bytes);
    frame_start(frame_address((frame_t){home->start >> PAGE_SHIFT}), limit);
    for (u32 i = boot_info.range_count; i-- > 0;) {
        const struct boot_range *range = &boot_info.ranges[i];

        memory_add(range == home ? range->start + bytes : range->start, range->end);
    }
}

/* The bytes of a module, which need not begin with a page. */
static const void *
module_bytes(const struct boot_module *module)
{
    physical_t start = {module->start};

    return (const char *)frame_address(frame_of(start)) + (module->start & PAGE_MASK);
}

bool
mm_is_recording(const struct boot_module *module)
{
    return replay_is_recording(module_bytes(module), module->end - module->start);
}

/* A module that holds a recorded run is for policy=opt. */
static void
replay_from_module(void)
{
    for (u32 i = 0; i < boot_info.module_count; i++) {
        const struct boot_module *module = &boot_info.modules[i];

        if (mm_is_recording(module))
            replay_load(module->name, module_bytes(module), module->end - module->start);
    }
}

void
mm_start(void)
{
    u32 limit = boot_info.ram_end >> PAGE_SHIFT;

    memory_start(limit);
    pmap_start(limit);
    memory_add(boot_info.tables.start, boot_info.tables.end);
    object_start();
    replay_from_module();
    pool_start();
}

static struct block_device *
swap_from_module(void)
{
    for (u32 i = 0; i < boot_info.module_count; i++) {
        const struct boot_module *module = &boot_info.modules[i];

        if (boot_module_is(module, "swap"))
            return ramdisk_create("swap", module->start, module->end - module->start);
    }
    return NULL;
}

static struct block_device *
swap_from_memory(void)
{
    u32 pages = (u32)(swap_bytes >> PAGE_SHIFT), most = frame_free_count() - frame_free_count() / SWAP_MEMORY_DIVISOR;
    frame_t start;

    /* The first slot is never used. */
    if (pages < 2) {
        log_warn("swap=: %llu bytes are less than two pages. No swap area", swap_bytes);
        return NULL;
    }
    if (swap_bytes >> PAGE_SHIFT > most || !(start = frame_take_range(pages)).number) {
        log_warn("swap=: %llu KiB are not to be had; at most %u KiB in one piece here. No swap area", swap_bytes >> 10,
                 pages_in_kib(most));
        return NULL;
    }
    return ramdisk_create("swap", physical_of(start).value, pages << PAGE_SHIFT);
}

void
mm_start_swap(void)
{
    struct block_device *device = swap_from_module();

    if (!device && swap_bytes > 0)
        device = swap_from_memory();
    if (device && !swap_start(device))
        log_warn("swap: no memory for the bitmap of %s, or it is smaller than two pages; no swap area", device->name);
}
