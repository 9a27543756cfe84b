/*
 * The names of the kernel's functions, for backtraces. The build links the kernel twice: the table is made from the
 * first link and lies behind the text, so that the second link moves no function.
 */
#pragma once

#include "kernel/types.h"

struct kernel_symbol {
    u32 address;
    const char *name;
};

/* Written by tools/symbols.py: ascending addresses. */
extern const struct kernel_symbol kernel_symbols[];
extern const unsigned kernel_symbol_count;

/*
 * The function that contains `address`, and how far into it; NULL outside of the kernel's text or if there is no table.
 */
const struct kernel_symbol *symbol_find(u32 address, u32 *offset);

/* First addresses behind the sections, page-aligned; given by linker.ld. Virtual addresses, apart from boot_start. */
extern char boot_start[], kernel_start[];
extern char kernel_text_start[], kernel_text_end[];
extern char kernel_rodata_start[], kernel_rodata_end[];
extern char kernel_data_start[], kernel_end[];
extern char boot_stack_guard[], boot_stack_bottom[], boot_stack_top[];
