/* The list of free ranges. Pure: tested in the kernel by tests/kernel/boot.c. */
#include "boot/ranges.h"

#include "kernel/lib/string.h"

static void
range_insert(struct boot_ranges *ranges, u32 index, struct boot_range range)
{
    if (range.start >= range.end)
        return;
    if (ranges->count == BOOT_RANGES_MAX) {
        ranges->lost += range.end - range.start;
        return;
    }
    memmove(&ranges->items[index + 1], &ranges->items[index], (ranges->count - index) * sizeof(range));
    ranges->items[index] = range;
    ranges->count++;
}

static void
range_delete(struct boot_ranges *ranges, u32 index)
{
    ranges->count--;
    memmove(&ranges->items[index], &ranges->items[index + 1], (ranges->count - index) * sizeof(ranges->items[0]));
}

void
ranges_add(struct boot_ranges *ranges, u32 start, u32 end)
{
    struct boot_range range = {start, end};
    u32 index = 0;

    if (start >= end)
        return;
    while (index < ranges->count && ranges->items[index].end < start)
        index++;
    /* Take in all that touch the new range. */
    while (index < ranges->count && ranges->items[index].start <= range.end) {
        if (ranges->items[index].start < range.start)
            range.start = ranges->items[index].start;
        if (ranges->items[index].end > range.end)
            range.end = ranges->items[index].end;
        range_delete(ranges, index);
    }
    range_insert(ranges, index, range);
}

void
ranges_remove(struct boot_ranges *ranges, u32 start, u32 end)
{
    u32 index = 0;

    if (start >= end)
        return;
    start &= ~(BOOT_PAGE_BYTES - 1u);
    end = (end + BOOT_PAGE_BYTES - 1) & ~(BOOT_PAGE_BYTES - 1u);
    while (index < ranges->count) {
        struct boot_range range = ranges->items[index];

        if (range.end <= start || range.start >= end) {
            index++;
            continue;
        }
        range_delete(ranges, index);
        if (range.end > end)
            range_insert(ranges, index, (struct boot_range){end, range.end});
        if (range.start < start) {
            range_insert(ranges, index, (struct boot_range){range.start, start});
            index++;
        }
    }
}

u32
ranges_bytes(const struct boot_ranges *ranges)
{
    u32 bytes = 0;

    for (u32 i = 0; i < ranges->count; i++)
        bytes += ranges->items[i].end - ranges->items[i].start;
    return bytes;
}
