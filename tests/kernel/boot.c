/* The list of memory ranges with which the boot code takes stock. */
#include "boot/info.h"
#include "boot/ranges.h"
#include "kernel/selftest.h"

#define PAGE BOOT_PAGE_BYTES

static struct boot_ranges ranges;

static void
clear(void)
{
    ranges.count = 0;
    ranges.lost = 0;
}

SELFTEST(boot, ranges_stay_sorted, "ranges are in ascending order, whatever order they come in, and what touches becomes one")
{
    clear();
    ranges_add(&ranges, 8 * PAGE, 9 * PAGE);
    ranges_add(&ranges, 2 * PAGE, 3 * PAGE);
    ranges_add(&ranges, 5 * PAGE, 6 * PAGE);
    check_equal(ranges.count, 3);
    check_equal(ranges.items[0].start, 2 * PAGE);
    check_equal(ranges.items[2].start, 8 * PAGE);
    ranges_add(&ranges, 3 * PAGE, 5 * PAGE);
    check_equal(ranges.count, 2);
    check_equal(ranges.items[0].start, 2 * PAGE);
    check_equal(ranges.items[0].end, 6 * PAGE);
    ranges_add(&ranges, 0, 20 * PAGE);
    check_equal(ranges.count, 1);
    check_equal(ranges_bytes(&ranges), 20 * PAGE);
}

SELFTEST(boot, ranges_remove, "what is taken out is gone, page by page, and the rest stays")
{
    clear();
    ranges_add(&ranges, 0, 10 * PAGE);
    ranges_remove(&ranges, 3 * PAGE + 1, 4 * PAGE + 1);
    check_equal(ranges.count, 2);
    check_equal(ranges.items[0].end, 3 * PAGE);
    check_equal(ranges.items[1].start, 5 * PAGE);
    ranges_remove(&ranges, 0, PAGE);
    check_equal(ranges.items[0].start, PAGE);
    ranges_remove(&ranges, 9 * PAGE, 12 * PAGE);
    check_equal(ranges.items[1].end, 9 * PAGE);
    ranges_remove(&ranges, 0, 20 * PAGE);
    check_equal(ranges.count, 0);
}

SELFTEST(boot, ranges_full, "what does not fit into the list is counted as lost")
{
    clear();
    for (u32 i = 0; i <= BOOT_RANGES_MAX; i++)
        ranges_add(&ranges, 2 * i * PAGE, (2 * i + 1) * PAGE);
    check_equal(ranges.count, BOOT_RANGES_MAX);
    check_equal(ranges.lost, PAGE);
    check_equal(ranges_bytes(&ranges), BOOT_RANGES_MAX * PAGE);
}

SELFTEST(boot, module_names, "a module goes by a word of its text or the last part of a path")
{
    const struct boot_module by_path = {.name = "/boot/swap size=4"};
    const struct boot_module by_word = {.name = "disk.img swap"};
    const struct boot_module other = {.name = "swapper noswap"};

    check_true(boot_module_is(&by_path, "swap"));
    check_true(boot_module_is(&by_word, "swap"));
    check_true(!boot_module_is(&other, "swap"));
}

SELFTEST(boot, free_memory, "free ranges are whole pages, ascending, and keep off the modules")
{
    for (u32 i = 0; i < boot_info.range_count; i++) {
        const struct boot_range *range = &boot_info.ranges[i];

        check_true(range->start < range->end && range->start % PAGE == 0 && range->end % PAGE == 0);
        check_true(i == 0 || range[-1].end < range->start);
        for (u32 m = 0; m < boot_info.module_count; m++)
            check_true(range->end <= boot_info.modules[m].start || range->start >= boot_info.modules[m].end);
    }
}
