/* Looking up the function that an address belongs to. */
#include "kernel/symbols.h"

const struct kernel_symbol *
symbol_find(u32 address, u32 *offset)
{
    u32 low = 0;
    u32 high = kernel_symbol_count;

    if (address < (u32)kernel_text_start || address >= (u32)kernel_text_end)
        return NULL;
    /* All below low begin at or before the address, all from high on behind it. */
    while (low < high) {
        u32 middle = low + (high - low) / 2;

        if (kernel_symbols[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    *offset = address - kernel_symbols[low - 1].address;
    return &kernel_symbols[low - 1];
}
