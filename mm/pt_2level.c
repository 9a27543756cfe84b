/*
 * The two-level format: 10 | 10 | 12 bits, entries of four bytes.
 *
 *   31          22 21          12 11           0
 *  +--------------+--------------+--------------+
 *  |  directory   |    table     |    offset    |
 *  +--------------+--------------+--------------+
 *
 * There is no bit that forbids execution. Where it is wanted (nx=on), user
 * space ends at 0x60000000 and the user's code segment has its base there, so
 * that an instruction fetch from address a reads address a + 0x60000000, where
 * only executable pages are mapped a second time:
 *
 *   0x00000000  user data view     every page, with its read and write rights
 *   0x60000000  user code view     the executable ones again, read-only
 *   0xC0000000  kernel
 *
 * Intel SDM volume 3, 4.3 (32-bit paging) and 5.3 (segment limits).
 */
#include "mm/pmap.h"

#define MIRROR_BASE 0x60000000u

const struct page_format pt_2level = {
    .name = "2level",
    .levels = 2,
    .level = {
        {.shift = 22, .entries = 1024, .flags = ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER},
        {.shift = 12, .entries = 1024},
    },
    .entry_bytes = 4,
    .root_bytes = PAGE_SIZE,
    .leaf_pages = 1024,
    .mirror_pages = MIRROR_BASE >> PAGE_SHIFT,
    .user_top = MIRROR_BASE,
};
