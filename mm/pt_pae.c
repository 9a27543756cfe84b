/*
 * The format of the physical address extension: 2 | 9 | 9 | 12 bits, entries of
 * eight bytes, of which the highest bit forbids execution.
 *
 *   31  30 29        21 20        12 11           0
 *  +------+------------+------------+--------------+
 *  | top  | directory  |   table    |    offset    |
 *  +------+------------+------------+--------------+
 *
 * An entry of the four in the top table has no rights, only presence: its other
 * low bits are reserved. The processor reads these four when CR3 is loaded, so
 * that CR3 is loaded again after one of them has changed.
 *
 * Intel SDM volume 3, 4.4 (PAE paging).
 */
#include "mm/pmap.h"

/* Bit 63 of an entry. */
#define NO_EXECUTE_HIGH 0x80000000u

const struct page_format pt_pae = {
    .name = "pae",
    .levels = 3,
    .level = {
        {.shift = 30, .entries = 4, .flags = ENTRY_PRESENT | ENTRY_EXECUTE},
        {.shift = 21, .entries = 512, .flags = ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER | ENTRY_EXECUTE},
        {.shift = 12, .entries = 512},
    },
    .entry_bytes = 8,
    .root_bytes = 4 * 8,
    .leaf_pages = 512,
    .no_execute = NO_EXECUTE_HIGH,
    .user_top = KERNEL_BASE,
};
